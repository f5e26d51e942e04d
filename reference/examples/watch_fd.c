/* SPDX-License-Identifier: MIT */
/* Watch a file descriptor for read events: the documentation's program, as in watch_fd.py. */
#include "example_io.h"

static asy_loop *loop;
static struct endpoint rsock, wsock;

static asy_error *
reader(void *unused)
{
    (void)unused;
    TRY(take_text(&rsock));
    printf("Received: %s\n", rsock.text);

    /* We are done: unregister the file descriptor */
    TRY(asy_loop_remove_reader(loop, rsock.fd, NULL));

    /* Stop the event loop */
    asy_loop_stop(loop);
    return ASY_OK;
}

static asy_error *
send_abc(void *unused)
{
    (void)unused;
    return transmit(&wsock, "abc");
}

static asy_error *
run(void)
{
    /* Register the file descriptor for read event */
    TRY(asy_loop_add_reader(loop, rsock.fd, asy_borrow(reader, NULL)));

    /* Simulate the reception of data from the network */
    TRY(asy_loop_call_soon(loop, asy_borrow(send_abc, NULL), NULL));

    /* Run the event loop */
    return asy_loop_run_forever(loop);
}

int
main(void)
{
    /* Create a pair of connected file descriptors */
    asy_error *err = connect_endpoints(&rsock, &wsock);

    if (!err)
        err = asy_new_event_loop(&loop);
    if (!err)
        err = finally_close(loop, run());
    /* We are done. The event loop is closed; close sockets. */
    close_endpoint(&rsock);
    close_endpoint(&wsock);
    return exit_status(err);
}
