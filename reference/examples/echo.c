/* SPDX-License-Identifier: MIT */
/* An echo server and its client, on the two ends of a socket pair, as in echo.py. */
#include "example.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct readable {
    asy_coro    co;
    asy_loop   *loop;
    int         fd;
    asy_future *ready;
};

static asy_error *
set_ready(void *future)
{
    return asy_future_set_result(future, NULL, NULL);
}

/* Wait until there is something to read. */
ASYNC(readable)
{
    ASYNC_BEGIN;
    self->ready = asy_loop_create_future(self->loop);
    TRY(asy_loop_add_reader(self->loop, self->fd, asy_borrow(set_ready, self->ready)));
    AWAIT(self->ready);
    ASYNC_END;
}

FINALLY(readable)
{
    if (self->ready)
        asy_error_unref(asy_loop_remove_reader(self->loop, self->fd, NULL));
    asy_future_unref(self->ready);
}

/* Show what has come from the other end: nothing after that was shut down. */
static asy_error *
receive(const char *who, int fd, char *data, size_t *ret_count)
{
    ssize_t count = recv(fd, data, 100, 0);

    if (count < 0)
        RAISE_OSERROR(errno);
    printf("%s: '%.*s'\n", who, (int)count, data);
    *ret_count = (size_t)count;
    return ASY_OK;
}

static asy_error *
transmit(int fd, const char *data, size_t count)
{
    if (send(fd, data, count, 0) < 0)
        RAISE_OSERROR(errno);
    return ASY_OK;
}

struct serve {
    asy_coro  co;
    asy_loop *loop;
    int       fd;
    size_t    count;
};

/* Send back whatever comes, until the other end is shut down. */
ASYNC(serve)
{
    char data[100];

    ASYNC_BEGIN;
    for (;;) {
        AWAIT(ASYNC_CALL(readable, .loop = self->loop, .fd = self->fd));
        TRY(receive("server", self->fd, data, &self->count));
        if (self->count == 0)
            break;
        TRY(transmit(self->fd, data, self->count));
    }
    ASYNC_END;
}

FINALLY(serve)
{
}

struct main {
    asy_coro   co;
    asy_loop  *loop;
    const int *fds;                 /* ours, theirs */
    asy_task  *server;
    int        turn;
};

/* Start the server, and be its client. */
ASYNC(main)
{
    static const char *const words[] = { "one", "two", "three" };
    char data[100];
    size_t count;

    ASYNC_BEGIN;
    TRY(asy_loop_create_task(self->loop,
                             ASYNC_CALL(serve, .loop = self->loop, .fd = self->fds[1]), NULL,
                             &self->server));
    for (; self->turn < 3; self->turn++) {
        TRY(transmit(self->fds[0], words[self->turn], strlen(words[self->turn])));
        AWAIT(ASYNC_CALL(readable, .loop = self->loop, .fd = self->fds[0]));
        TRY(receive("client", self->fds[0], data, &count));
    }
    shutdown(self->fds[0], SHUT_WR);
    AWAIT(self->server);
    ASYNC_END;
}

FINALLY(main)
{
    asy_task_unref(self->server);
}

static asy_coro *
make_main(asy_loop *loop, void *fds)
{
    return ASYNC_CALL(main, .loop = loop, .fds = fds);
}

int
main(void)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        return exit_status(asy_error_new_os(errno));
    asy_error *err = asy_run(make_main, fds);
    close(fds[0]);
    close(fds[1]);
    return exit_status(err);
}
