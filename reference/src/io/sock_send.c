/* SPDX-License-Identifier: MIT */
/*
 * sock_sendall() and sock_sendto().
 *
 * A datagram is sent by the body when it goes on, so that one whose task was cancelled meanwhile is
 * not sent. sock_sendall() may need many pieces, and wakes its task after the last: the pieces
 * are sent by the callback of the watch. That borrows the frame, which owns the watch and ends it
 * in FINALLY: whoever drops the coroutine stops the sending.
 */
#include "io/sock_calls.h"

#include <asy/coro.h>
#include <asy/socket.h>
#include <errno.h>

/* Returns in *ret_count how many bytes, and in *ret_done whether any could be sent. */
static asy_error *
try_to_send(int sock, const void *data, size_t size, const asy_address *to, size_t *ret_count,
            bool *ret_done)
{
    ssize_t count;

    do
        count = sock_calls->send(sock, data, size, to);
    while (count < 0 && errno == EINTR);
    *ret_done = count >= 0;
    if (count < 0)
        return sock_error(errno);
    *ret_count = (size_t)count;
    return ASY_OK;
}

/* ---- sock_sendall ----------------------------------------------------------------- */

struct sock_sendall {
    asy_coro    co;
    asy_loop   *loop;
    int         sock;
    const char *data;               /* what is not sent yet */
    size_t      size;
    asy_ready   ready;
};

static asy_error *
send_piece(struct sock_sendall *self)
{
    size_t count;
    bool done;

    TRY(try_to_send(self->sock, self->data, self->size, NULL, &count, &done));
    if (done) {
        self->data += count;
        self->size -= count;
    }
    return ASY_OK;
}

/* CPython: _sock_sendall */
static asy_error *
send_more(void *argument)
{
    struct sock_sendall *self = argument;
    asy_future *future = self->ready.future;

    if (asy_future_done(future))
        return ASY_OK;
    asy_error *err = send_piece(self);
    if (err)
        return asy_future_set_exception(future, err);
    return self->size == 0 ? asy_future_set_result(future, NULL, NULL) : ASY_OK;
}

ASYNC(sock_sendall)
{
    ASYNC_BEGIN;

    TRY(sock_check(self->loop, self->sock));
    TRY(send_piece(self));
    if (self->size == 0)
        return ASY_OK;
    TRY(asy_ready_begin_with(&self->ready, self->loop, self->sock, ASY_WRITABLE,
                             asy_borrow(send_more, self)));
    AWAIT(self->ready.future);

    ASYNC_END;
}

FINALLY(sock_sendall)
{
    asy_ready_end(&self->ready);
}

/* see socket.h.  CPython: BaseSelectorEventLoop.sock_sendall */
asy_coro *
asy_sock_sendall(asy_loop *loop, int sock, const void *data, size_t size)
{
    return ASYNC_CALL(sock_sendall, .loop = loop, .sock = sock, .data = data, .size = size);
}

/* ---- sock_sendto ------------------------------------------------------------------ */

struct sock_sendto {
    asy_coro           co;
    asy_loop          *loop;
    int                sock;
    const void        *data;
    size_t             size;
    const asy_address *address;
    size_t            *ret_count;
    asy_ready          ready;
};

ASYNC(sock_sendto)
{
    bool done;

    ASYNC_BEGIN;

    TRY(sock_check(self->loop, self->sock));
    for (;;) {
        TRY(try_to_send(self->sock, self->data, self->size, self->address, self->ret_count,
                        &done));
        if (done)
            return ASY_OK;
        TRY(asy_ready_begin(&self->ready, self->loop, self->sock, ASY_WRITABLE));
        AWAIT(self->ready.future);
        asy_ready_end(&self->ready);
    }

    ASYNC_END;
}

FINALLY(sock_sendto)
{
    asy_ready_end(&self->ready);
}

/* see socket.h.  CPython: BaseSelectorEventLoop.sock_sendto */
asy_coro *
asy_sock_sendto(asy_loop *loop, int sock, const void *data, size_t size,
                const asy_address *address, size_t *ret_count)
{
    return ASYNC_CALL(sock_sendto, .loop = loop, .sock = sock, .data = data, .size = size,
                      .address = address, .ret_count = ret_count);
}
