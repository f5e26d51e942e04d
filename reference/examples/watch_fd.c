/* SPDX-License-Identifier: MIT */
/*
 * Watch a file descriptor for read events: the documentation's program, line for line as in
 * watch_fd.py.
 */
#include "example.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static asy_loop *loop;
static int rsock, wsock;

static asy_error *
reader(void *unused)
{
    char data[100];
    ssize_t count = recv(rsock, data, sizeof data, 0);

    (void)unused;
    if (count < 0)
        RAISE_OSERROR(errno);
    printf("Received: %.*s\n", (int)count, data);

    /* We are done: unregister the file descriptor */
    TRY(asy_loop_remove_reader(loop, rsock, NULL));

    /* Stop the event loop */
    asy_loop_stop(loop);
    return ASY_OK;
}

static asy_error *
send_abc(void *unused)
{
    (void)unused;
    if (send(wsock, "abc", 3, 0) < 0)
        RAISE_OSERROR(errno);
    return ASY_OK;
}

static asy_error *
run(void)
{
    /* Register the file descriptor for read event */
    TRY(asy_loop_add_reader(loop, rsock, asy_borrow(reader, NULL)));

    /* Simulate the reception of data from the network */
    TRY(asy_loop_call_soon(loop, asy_borrow(send_abc, NULL), NULL));

    /* Run the event loop */
    return asy_loop_run_forever(loop);
}

int
main(void)
{
    int pair[2];

    /* Create a pair of connected file descriptors */
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return exit_status(asy_error_new_os(errno));
    rsock = pair[0];
    wsock = pair[1];

    asy_error *err = asy_new_event_loop(&loop);
    if (!err) {
        err = run();
        /* We are done. Close sockets and the event loop. */
        close(rsock);
        close(wsock);
        err = finally_close(loop, err);
    }
    return exit_status(err);
}
