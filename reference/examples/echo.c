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

struct serve {
    asy_coro  co;
    asy_loop *loop;
    int       fd;
};

/* Send back whatever comes, until the other end is shut down. */
ASYNC(serve)
{
    char data[100];
    ssize_t count;

    ASYNC_BEGIN;
    for (;;) {
        AWAIT(ASYNC_CALL(readable, .loop = self->loop, .fd = self->fd));
        count = recv(self->fd, data, sizeof data, 0);
        if (count < 0)
            RAISE_OSERROR(errno);
        if (count == 0)
            break;
        printf("server: %.*s\n", (int)count, data);
        if (send(self->fd, data, (size_t)count, 0) < 0)
            RAISE_OSERROR(errno);
    }
    puts("server: the end");
    ASYNC_END;
}

FINALLY(serve)
{
}

struct main {
    asy_coro  co;
    asy_loop *loop;
    bool      connected;
    int       fds[2];               /* ours, theirs */
    asy_task *server;
    int       turn;
};

static const char *const words[] = { "one", "two", "three" };

/* Start the server, and be its client. */
ASYNC(main)
{
    char data[100];
    ssize_t count;

    ASYNC_BEGIN;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, self->fds) != 0)
        RAISE_OSERROR(errno);
    self->connected = true;
    TRY(asy_loop_create_task(self->loop,
                             ASYNC_CALL(serve, .loop = self->loop, .fd = self->fds[1]), NULL,
                             &self->server));
    for (; self->turn < 3; self->turn++) {
        if (send(self->fds[0], words[self->turn], strlen(words[self->turn]), 0) < 0)
            RAISE_OSERROR(errno);
        AWAIT(ASYNC_CALL(readable, .loop = self->loop, .fd = self->fds[0]));
        count = recv(self->fds[0], data, sizeof data, 0);
        if (count < 0)
            RAISE_OSERROR(errno);
        printf("client: %.*s\n", (int)count, data);
    }
    shutdown(self->fds[0], SHUT_WR);
    AWAIT(self->server);
    ASYNC_END;
}

FINALLY(main)
{
    asy_task_unref(self->server);
    if (self->connected) {
        close(self->fds[0]);
        close(self->fds[1]);
    }
}

static asy_coro *
make_main(asy_loop *loop, void *unused)
{
    (void)unused;
    return ASYNC_CALL(main, .loop = loop);
}

int
main(void)
{
    return exit_status(asy_run(make_main, NULL));
}
