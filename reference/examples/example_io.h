/* SPDX-License-Identifier: MIT */
/*
 * Texts through a pair of connected sockets: at once, and as coroutines that wait for them.
 *
 * readable() is how a coroutine waits for the world. The loop can call a function when there is
 * something to read; a coroutine can wait for a future. So the function fulfils the future. The
 * sock_recv() of asyncio is this and then recv(), as receive() is here.
 *
 * One coroutine at a time waits for a descriptor: add_reader() replaces the one before.
 */
#ifndef EXAMPLE_IO_H
#define EXAMPLE_IO_H

#include "example.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- at once ---------------------------------------------------------------- */

/* One end of the pair. */
struct endpoint {
    int  fd;                        /* 0, as in a frame that has not begun: none */
    char text[100];                 /* what came last; empty: the other end was shut down */
};

/* socketpair(): who gets the endpoints closes each with close_endpoint(). */
static inline asy_error *
connect_endpoints(struct endpoint *one, struct endpoint *other)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        RAISE_OSERROR(errno);
    one->fd = fds[0];
    other->fd = fds[1];
    return ASY_OK;
}

static inline void
close_endpoint(struct endpoint *endpoint)
{
    if (endpoint->fd > 0)
        close(endpoint->fd);
    endpoint->fd = 0;
}

/* Send a text to the other end; an empty one is nothing. The texts here are short: they always
 * fit into the socket's buffer, and in one piece. */
static inline asy_error *
transmit(const struct endpoint *endpoint, const char *text)
{
    if (*text && send(endpoint->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        RAISE_OSERROR(errno);
    return ASY_OK;
}

/* Take the text that has come from the other end. */
static inline asy_error *
take_text(struct endpoint *endpoint)
{
    ssize_t count = recv(endpoint->fd, endpoint->text, sizeof endpoint->text - 1, 0);

    if (count < 0)
        RAISE_OSERROR(errno);
    endpoint->text[count] = '\0';
    return ASY_OK;
}

/* ---- waiting until there is something to read ---------------------------------- */

struct readable {
    asy_coro    co;
    asy_loop   *loop;
    int         fd;
    asy_future *ready;              /* owned */
};

/* The descriptor stays readable until somebody reads, and whoever waits may be cancelled in the
 * same iteration: then the future is done. */
static inline asy_error *
set_ready(void *argument)
{
    asy_future *ready = argument;
    return asy_future_done(ready) ? ASY_OK : asy_future_set_result(ready, NULL, NULL);
}

ASYNC(readable)
{
    ASYNC_BEGIN;
    self->ready = asy_loop_create_future(self->loop);
    TRY(asy_loop_add_reader(self->loop, self->fd, asy_borrow(set_ready, self->ready)));
    AWAIT(self->ready);
    ASYNC_END;
}

/* The loop forgets the future, which was lent to it, before it goes. */
FINALLY(readable)
{
    if (self->ready)
        asy_error_unref(asy_loop_remove_reader(self->loop, self->fd, NULL));
    asy_future_unref(self->ready);
}

/* Wait until there is something to read. A new reference. */
static inline asy_coro *
readable(asy_loop *loop, int fd)
{
    return ASYNC_CALL(readable, .loop = loop, .fd = fd);
}

/* ---- waiting for a text --------------------------------------------------------- */

struct receive {
    asy_coro         co;
    const char      *who;
    struct endpoint *endpoint;      /* borrowed: whoever awaits this has it in its frame */
};

ASYNC(receive)
{
    ASYNC_BEGIN;
    AWAIT(readable(asy_running_loop(), self->endpoint->fd));
    TRY(take_text(self->endpoint));
    printf("%s: '%s'\n", self->who, self->endpoint->text);
    ASYNC_END;
}

FINALLY(receive)
{
}

/* Wait, in the loop that runs, for a text; show it with the name of who gets it, and leave it in
 * endpoint->text. A new reference. */
static inline asy_coro *
receive(const char *who, struct endpoint *endpoint)
{
    return ASYNC_CALL(receive, .who = who, .endpoint = endpoint);
}

#endif
