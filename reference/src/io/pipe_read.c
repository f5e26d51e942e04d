/* SPDX-License-Identifier: MIT */
/*
 * The transport that reads. CPython: _UnixReadPipeTransport
 *
 * It watches its descriptor as long as it is neither paused nor closing, and reads once each time
 * the loop finds that there is something. What comes from the end of the stream, or an error, is
 * the same as what comes from close(): it stops watching, and queues connection_lost().
 */
#include "base/alloc.h"
#include "io/pipe_end.h"
#include "io/read_buffer.h"
#include "io/transport_impl.h"

#include <asy/pipe.h>
#include <errno.h>
#include <string.h>

struct read_pipe {
    asy_transport   transport;      /* first */
    struct pipe_end pipe;
    bool            paused;
    bool            closing;
};

static struct read_pipe *
from_transport(asy_transport *transport)
{
    return (struct read_pipe *)transport;
}

static const struct read_pipe *
from_const_transport(const asy_transport *transport)
{
    return (const struct read_pipe *)transport;
}

static bool
is_reading(const asy_transport *transport)
{
    const struct read_pipe *self = from_const_transport(transport);
    return !self->paused && !self->closing;
}

static asy_error *
remove_reader(struct read_pipe *self)
{
    return loop_remove_watch(self->transport.loop, self->pipe.fd, EVENT_READ, NULL);
}

/* ---- the end --------------------------------------------------------------------- */

static asy_error *
call_connection_lost(const struct transport_callback *callback)
{
    struct read_pipe *self = from_transport(callback->transport);
    return pipe_end_connection_lost(&self->pipe, callback->transport, callback->exc);
}

static asy_error *
queue_connection_lost(struct read_pipe *self, asy_error *exc)
{
    return transport_call_soon(self->transport.loop, &(struct transport_callback){
        call_connection_lost, "_call_connection_lost", &self->transport, NULL, exc });
}

/* CPython: _close */
static asy_error *
close_with(struct read_pipe *self, asy_error *exc)
{
    self->closing = true;
    TRY(remove_reader(self));
    return queue_connection_lost(self, exc);
}

/* CPython: _fatal_error. What reading a terminal says when its other side is closed, EIO, is no
 * error that anybody has to hear of. Steals the exception. */
static asy_error *
fatal_error(struct read_pipe *self, asy_error *exc)
{
    asy_error *err = transport_report_fatal(&self->transport, exc->errnum == EIO,
                                            "Fatal read error on pipe transport", exc);
    if (!err)
        err = close_with(self, exc);
    asy_error_unref(exc);
    return err;
}

/* ---- reading --------------------------------------------------------------------- */

static asy_error *
end_of_file(struct read_pipe *self)
{
    TRY(transport_debug(&self->transport, ASY_LOG_INFO, " was closed by peer", NULL));
    self->closing = true;
    TRY(remove_reader(self));
    TRY(transport_call_eof_received(&self->transport));
    return queue_connection_lost(self, NULL);
}

/* What a signal handler raises is an error of this callback, unless it looks like one of the
 * system's. Steals the error. */
static asy_error *
read_failed(struct read_pipe *self, asy_error *err)
{
    if (pipe_not_now(err)) {
        asy_error_unref(err);
        return ASY_OK;
    }
    return asy_error_is_a(err, ASY_OSError) ? fatal_error(self, err) : err;
}

static asy_error *
read_into(struct read_pipe *self, void *buffer)
{
    size_t count;
    asy_error *err = pipe_end_read(&self->pipe, self->transport.loop, buffer, READ_BUFFER_SIZE,
                                   &count);

    if (err)
        return read_failed(self, err);
    if (count == 0)
        return end_of_file(self);
    return protocol_data_received(self->transport.protocol, buffer, count);
}

/* CPython: _read_ready. The loop stays, whatever the protocol does: the handle that runs has it. */
static asy_error *
read_ready(const struct transport_callback *callback)
{
    struct read_pipe *self = from_transport(callback->transport);
    asy_loop *loop = self->transport.loop;
    void *buffer = read_buffer_take(loop);
    asy_error *err = read_into(self, buffer);

    read_buffer_give_back(loop, buffer);
    return err;
}

static asy_error *
add_reader(struct read_pipe *self)
{
    return transport_watch(self->transport.loop, self->pipe.fd, EVENT_READ,
                           &(struct transport_callback){
        read_ready, "_read_ready", &self->transport, NULL, NULL });
}

/* CPython: _add_reader. connection_made() may have paused or closed it. */
static asy_error *
start_reading(const struct transport_callback *callback)
{
    return is_reading(callback->transport) ? add_reader(from_transport(callback->transport))
                                           : ASY_OK;
}

/* ---- the methods ----------------------------------------------------------------- */

static asy_error *
pause_reading(asy_transport *transport)
{
    struct read_pipe *self = from_transport(transport);

    if (!is_reading(transport))
        return ASY_OK;
    self->paused = true;
    TRY(remove_reader(self));
    return transport_debug(transport, ASY_LOG_DEBUG, " pauses reading", NULL);
}

static asy_error *
resume_reading(asy_transport *transport)
{
    struct read_pipe *self = from_transport(transport);

    if (self->closing || !self->paused)
        return ASY_OK;
    self->paused = false;
    TRY(add_reader(self));
    return transport_debug(transport, ASY_LOG_DEBUG, " resumes reading", NULL);
}

static bool
is_closing(const asy_transport *transport)
{
    return from_const_transport(transport)->closing;
}

/* CPython: close */
static asy_error *
close_transport(asy_transport *transport)
{
    struct read_pipe *self = from_transport(transport);
    return self->closing ? ASY_OK : close_with(self, NULL);
}

static const void *
get_extra_info(const asy_transport *transport, const char *name, const void *fallback)
{
    return strcmp(name, "pipe") == 0 ? &from_const_transport(transport)->pipe.fd : fallback;
}

static bool
is_closed(const asy_transport *transport)
{
    return from_const_transport(transport)->pipe.closed;
}

static asy_error *
close_descriptor(asy_transport *transport)
{
    return pipe_end_close(&from_transport(transport)->pipe, NULL);
}

static char *
describe_state(const asy_transport *transport)
{
    const struct read_pipe *self = from_const_transport(transport);
    return pipe_end_describe(&self->pipe, transport->loop, EVENT_READ, self->closing);
}

static void
deinit(asy_transport *transport)
{
    (void)transport;
}

static const struct transport_methods read_pipe_methods = {
    .name = "_UnixReadPipeTransport",
    .get_extra_info = get_extra_info,
    .is_closing = is_closing,
    .close = close_transport,
    .is_reading = is_reading,
    .pause_reading = pause_reading,
    .resume_reading = resume_reading,
    .is_closed = is_closed,
    .close_descriptor = close_descriptor,
    .describe_state = describe_state,
    .deinit = deinit,
};

/* see pipe.h.  CPython: _UnixReadPipeTransport.__init__ */
asy_error *
asy_read_pipe_transport_new(asy_loop *loop, const asy_pipe *pipe, asy_protocol *protocol,
                            const asy_transport_owner *methods, void *owner,
                            asy_transport **ret_transport)
{
    struct stat status;
    asy_protocol *bound;

    TRY(protocol_check(protocol, "connection_made"));
    TRY(pipe_end_prepare(pipe, "Pipe transport is for pipes/sockets only.", &status));
    TRY(transport_bind_connection_made(loop, protocol, &bound));
    struct read_pipe *self = asy_alloc(sizeof *self);
    transport_init(&self->transport, &read_pipe_methods, loop, protocol, methods, owner);
    pipe_end_init(&self->pipe, pipe);
    transport_queue_connection_made(&self->transport, bound);
    transport_queue(loop, &(struct transport_callback){
        start_reading, "_add_reader", &self->transport, NULL, NULL });
    *ret_transport = &self->transport;
    return ASY_OK;
}
