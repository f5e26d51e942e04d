/* SPDX-License-Identifier: MIT */
/*
 * sock_recv() and sock_recvfrom(). They differ in two things: the sender's address, and that no
 * bytes at all are received at once, but a datagram of which nothing is kept is waited for.
 *
 * The bytes are received by the body, not by the callback that finds the descriptor ready: between
 * the two the task may be cancelled.
 */
#include "io/sock_calls.h"

#include <asy/coro.h>
#include <asy/socket.h>
#include <errno.h>

struct sock_recv {
    asy_coro     co;
    asy_loop    *loop;
    int          sock;
    void        *buffer;
    size_t       size;
    bool         at_once;           /* do not ask the system */
    size_t      *ret_count;
    asy_address *ret_from;
    asy_ready    ready;
};

/* Returns in *ret_done whether there was something to receive. */
static asy_error *
try_to_receive(const struct sock_recv *self, bool *ret_done)
{
    ssize_t count;

    do
        count = sock_calls->receive(self->sock, self->buffer, self->size, self->ret_from);
    while (count < 0 && errno == EINTR);
    *ret_done = count >= 0;
    if (count < 0)
        return sock_error(errno);
    *self->ret_count = (size_t)count;
    return ASY_OK;
}

ASYNC(sock_recv)
{
    bool done;

    ASYNC_BEGIN;

    TRY(sock_check(self->loop, self->sock));
    if (self->at_once) {
        *self->ret_count = 0;
        return ASY_OK;
    }
    for (;;) {
        TRY(try_to_receive(self, &done));
        if (done)
            return ASY_OK;
        TRY(asy_ready_begin(&self->ready, self->loop, self->sock, ASY_READABLE));
        AWAIT(self->ready.future);
        asy_ready_end(&self->ready);
    }

    ASYNC_END;
}

FINALLY(sock_recv)
{
    asy_ready_end(&self->ready);
}

/* see socket.h.  CPython: BaseSelectorEventLoop.sock_recv_into, and socket.recv_into */
asy_coro *
asy_sock_recv(asy_loop *loop, int sock, void *buffer, size_t size, size_t *ret_count)
{
    return ASYNC_CALL(sock_recv, .loop = loop, .sock = sock, .buffer = buffer, .size = size,
                      .at_once = size == 0, .ret_count = ret_count);
}

/* see socket.h.  CPython: BaseSelectorEventLoop.sock_recvfrom_into */
asy_coro *
asy_sock_recvfrom(asy_loop *loop, int sock, void *buffer, size_t size, size_t *ret_count,
                  asy_address *ret_from)
{
    return ASYNC_CALL(sock_recv, .loop = loop, .sock = sock, .buffer = buffer, .size = size,
                      .ret_count = ret_count, .ret_from = ret_from);
}
