/* SPDX-License-Identifier: MIT */
/*
 * connect_read_pipe() and connect_write_pipe(): make a protocol, make its transport, and wait until
 * connection_made() was called.
 *
 * Whoever leaves the coroutine before it has returned closes the transport: an exception does, a
 * cancellation, or being dropped while it waits.
 */
#include "core/loop_impl.h"

#include <asy/coro.h>
#include <asy/future.h>
#include <asy/pipe.h>

/* asy_read_pipe_transport_new() or asy_write_pipe_transport_new() */
typedef asy_error *(*transport_new)(asy_loop *loop, const asy_pipe *pipe, asy_protocol *protocol,
                                    const asy_transport_owner *methods, void *owner,
                                    asy_transport **ret_transport);

struct connect_pipe {
    asy_coro             co;
    asy_loop            *loop;
    transport_new        make;
    const char          *what;              /* "Read" or "Write" */
    asy_protocol_factory factory;
    void                *argument;
    asy_pipe            *pipe;
    asy_transport      **ret_transport;
    asy_protocol       **ret_protocol;
    asy_protocol        *protocol;          /* owned; NULL also when the caller has it */
    asy_future          *waiter;            /* owned */
    asy_transport       *transport;         /* owned; as above */
    int                  fd;
};

/* CPython: futures._set_result_unless_cancelled */
static asy_error *
set_result_unless_cancelled(void *argument)
{
    asy_future *waiter = argument;
    return asy_future_cancelled(waiter) ? ASY_OK : asy_future_set_result(waiter, NULL, NULL);
}

static void
drop_future(void *argument)
{
    asy_future_unref(argument);
}

static asy_error *
make_transport(struct connect_pipe *self)
{
    self->waiter = asy_loop_create_future(self->loop);
    self->fd = self->pipe->fd;
    TRY(self->make(self->loop, self->pipe, self->protocol, NULL, NULL, &self->transport));
    self->pipe->fd = -1;            /* the transport owns it now */
    asy_callback wake = asy_own(set_result_unless_cancelled, asy_future_ref(self->waiter),
                                drop_future);
    return asy_loop_call_soon(self->loop, wake, NULL);
}

static asy_error *
log_connected(const struct connect_pipe *self)
{
    if (!asy_loop_get_debug(self->loop))
        return ASY_OK;
    char *transport = asy_transport_describe(self->transport);
    char *protocol = asy_protocol_describe(self->protocol);
    char *message = asy_format("%s pipe %d connected: (%s, %s)", self->what, self->fd, transport,
                               protocol);
    asy_error *err = host_log(self->loop, ASY_LOG_DEBUG, message, NULL);
    asy_free(message);
    asy_free(protocol);
    asy_free(transport);
    return err;
}

ASYNC(connect_pipe)
{
    ASYNC_BEGIN;

    TRY(self->factory(self->argument, &self->protocol));
    TRY(make_transport(self));
    AWAIT(self->waiter);
    TRY(log_connected(self));
    *self->ret_transport = self->transport;
    *self->ret_protocol = self->protocol;
    self->transport = NULL;         /* the caller owns both now */
    self->protocol = NULL;

    ASYNC_END;
}

FINALLY(connect_pipe)
{
    if (self->transport)
        asy_error_unref(asy_transport_close(self->transport));
    asy_transport_unref(self->transport);
    asy_future_unref(self->waiter);
    asy_protocol_unref(self->protocol);
}

/* see pipe.h.  CPython: BaseEventLoop.connect_read_pipe */
asy_coro *
asy_loop_connect_read_pipe(asy_loop *loop, asy_protocol_factory factory, void *argument,
                           asy_pipe *pipe, asy_transport **ret_transport,
                           asy_protocol **ret_protocol)
{
    return ASYNC_CALL(connect_pipe, .loop = loop, .make = asy_read_pipe_transport_new,
                      .what = "Read", .factory = factory, .argument = argument, .pipe = pipe,
                      .ret_transport = ret_transport, .ret_protocol = ret_protocol);
}

/* see pipe.h.  CPython: BaseEventLoop.connect_write_pipe */
asy_coro *
asy_loop_connect_write_pipe(asy_loop *loop, asy_protocol_factory factory, void *argument,
                            asy_pipe *pipe, asy_transport **ret_transport,
                            asy_protocol **ret_protocol)
{
    return ASYNC_CALL(connect_pipe, .loop = loop, .make = asy_write_pipe_transport_new,
                      .what = "Write", .factory = factory, .argument = argument, .pipe = pipe,
                      .ret_transport = ret_transport, .ret_protocol = ret_protocol);
}
