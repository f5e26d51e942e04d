/* SPDX-License-Identifier: MIT */
/*
 * sock_accept(). A connection is taken by the body when it goes on, and handed to the caller in the
 * same step: until then it waits in the system's queue, where nothing can be lost.
 */
#include "io/sock_calls.h"

#include <asy/coro.h>
#include <asy/socket.h>
#include <errno.h>

struct sock_accept {
    asy_coro     co;
    asy_loop    *loop;
    int          sock;
    int         *ret_sock;
    asy_address *ret_from;
    asy_ready    ready;
};

/* Returns in *ret_done whether there was a connection. */
static asy_error *
try_to_accept(const struct sock_accept *self, bool *ret_done)
{
    int conn;

    do
        conn = sock_calls->accept(self->sock, self->ret_from);
    while (conn < 0 && errno == EINTR);
    *ret_done = conn >= 0;
    if (conn < 0)
        return sock_error(errno);
    *self->ret_sock = conn;         /* the caller owns it now */
    return ASY_OK;
}

ASYNC(sock_accept)
{
    bool done;

    ASYNC_BEGIN;

    TRY(sock_check(self->loop, self->sock));
    for (;;) {
        TRY(try_to_accept(self, &done));
        if (done)
            return ASY_OK;
        TRY(asy_ready_begin(&self->ready, self->loop, self->sock, ASY_READABLE));
        AWAIT(self->ready.future);
        asy_ready_end(&self->ready);
    }

    ASYNC_END;
}

FINALLY(sock_accept)
{
    asy_ready_end(&self->ready);
}

/* see socket.h.  CPython: BaseSelectorEventLoop.sock_accept */
asy_coro *
asy_sock_accept(asy_loop *loop, int sock, int *ret_sock, asy_address *ret_from)
{
    return ASYNC_CALL(sock_accept, .loop = loop, .sock = sock, .ret_sock = ret_sock,
                      .ret_from = ret_from);
}
