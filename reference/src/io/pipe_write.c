/* SPDX-License-Identifier: MIT */
/*
 * The transport that writes. CPython: _UnixWritePipeTransport
 *
 * What is written goes to the system at once, if nothing waits before it; the rest waits in a
 * buffer, and as long as there is any, the descriptor is watched for writing. Watching it for
 * reading tells when the other end is closed, although nothing is ever read.
 *
 * close() is write_eof(): connection_lost() comes when the buffer is empty. If it is not empty
 * then, that is from the callback which writes the last of it, not through the queue.
 */
#include "base/alloc.h"
#include "base/bytes.h"
#include "io/pipe_end.h"
#include "io/transport_impl.h"

#include <asy/pipe.h>
#include <string.h>

/* constants.LOG_THRESHOLD_FOR_CONNLOST_WRITES */
#define LOST_WRITES_WITHOUT_WARNING 5

struct write_pipe {
    asy_transport   transport;      /* first */
    struct pipe_end pipe;
    struct flow     flow;
    struct bytes    buffer;
    size_t          lost_writes;    /* _conn_lost: since the end, or the error that brought it */
    bool            closing;
    bool            lent;           /* the system reads the buffer: it must stay as it is */
};

static struct write_pipe *
from_transport(asy_transport *transport)
{
    return (struct write_pipe *)transport;
}

static const struct write_pipe *
from_const_transport(const asy_transport *transport)
{
    return (const struct write_pipe *)transport;
}

/* After connection_lost(), CPython's transport has no loop to ask. */
static asy_error *
remove_watch(struct write_pipe *self, unsigned event)
{
    if (self->transport.lost)
        RAISE(AttributeError, "'NoneType' object has no attribute '%s'",
              event == EVENT_READ ? "_remove_reader" : "_remove_writer");
    return loop_remove_watch(self->transport.loop, self->pipe.fd, event, NULL);
}

/* ---- the end --------------------------------------------------------------------- */

static asy_error *
call_connection_lost(const struct transport_callback *callback)
{
    struct write_pipe *self = from_transport(callback->transport);
    return pipe_end_connection_lost(&self->pipe, callback->transport, callback->exc);
}

static asy_error *
queue_connection_lost(struct write_pipe *self, asy_error *exc)
{
    return transport_call_soon(self->transport.loop, &(struct transport_callback){
        call_connection_lost, "_call_connection_lost", &self->transport, NULL, exc });
}

/* What a signal handler or another thread gets that changes the buffer meanwhile, as of a bytearray
 * that somebody has a memoryview of. */
static asy_error *
check_not_lent(const struct write_pipe *self)
{
    if (self->lent)
        RAISE(BufferError, "Existing exports of data: object cannot be re-sized");
    return ASY_OK;
}

/* CPython: _close */
static asy_error *
close_with(struct write_pipe *self, asy_error *exc)
{
    self->closing = true;
    if (self->buffer.count > 0)
        TRY(remove_watch(self, EVENT_WRITE));
    TRY(check_not_lent(self));
    bytes_clear(&self->buffer);
    TRY(remove_watch(self, EVENT_READ));
    return queue_connection_lost(self, exc);
}

/* CPython: _fatal_error. Errors of the system are not worth a report: the protocol hears of
 * them. Steals the exception. */
static asy_error *
fatal_error(struct write_pipe *self, asy_error *exc)
{
    asy_error *err = transport_report_fatal(&self->transport, asy_error_is_a(exc, ASY_OSError),
                                            "Fatal write error on pipe transport", exc);
    if (!err)
        err = close_with(self, exc);
    asy_error_unref(exc);
    return err;
}

/* CPython: _read_ready. The other end is closed. */
static asy_error *
read_ready(const struct transport_callback *callback)
{
    struct write_pipe *self = from_transport(callback->transport);
    asy_error *exc = NULL;

    TRY(transport_debug(&self->transport, ASY_LOG_INFO, " was closed by peer", NULL));
    if (self->buffer.count > 0)
        exc = asy_error_new(ASY_BrokenPipeError, "%s", "");
    asy_error *err = close_with(self, exc);
    asy_error_unref(exc);
    return err;
}

/* loop._add_reader(fd, self._read_ready). CPython does that also if connection_made() has ended the
 * transport; it then goes on watching a descriptor that is closed. */
static asy_error *
start_watching(const struct transport_callback *callback)
{
    struct write_pipe *self = from_transport(callback->transport);

    if (self->closing && self->buffer.count == 0)
        return ASY_OK;
    return transport_watch(self->transport.loop, self->pipe.fd, EVENT_READ,
                           &(struct transport_callback){
        read_ready, "_read_ready", &self->transport, NULL, NULL });
}

/* Whether reading tells that the other end is closed. Of terminals it does not; on some systems
 * not of pipes either, or not of those with a name. */
static bool
notices_end(const struct stat *status)
{
    if (S_ISSOCK(status->st_mode))
        return true;
#if defined(_AIX)
    return false;
#elif defined(__APPLE__) || defined(__sun)
    return S_ISFIFO(status->st_mode) && status->st_nlink == 0;
#else
    return S_ISFIFO(status->st_mode);
#endif
}

/* ---- writing --------------------------------------------------------------------- */

/* resume_writing() may write again, and close: that is then written, too. CPython's drops it. */
static asy_error *
drained(struct write_pipe *self)
{
    TRY(remove_watch(self, EVENT_WRITE));
    TRY(flow_maybe_resume(&self->transport));
    if (!self->closing || self->buffer.count > 0)
        return ASY_OK;
    TRY(remove_watch(self, EVENT_READ));
    return pipe_end_connection_lost(&self->pipe, &self->transport, NULL);
}

/* os.write(), of which "not now" is 0 bytes.
 *
 * Raises   any other error, also that of a signal handler. Unless it is fatal, it ends the
 *          transport.
 */
static asy_error *
try_write(struct write_pipe *self, const void *data, size_t size, size_t *ret_written)
{
    asy_error *err = pipe_end_write(&self->pipe, self->transport.loop, data, size, ret_written);

    if (!pipe_not_now(err))
        return err;
    *ret_written = 0;
    asy_error_unref(err);
    return ASY_OK;
}

/* Steals the error. */
static asy_error *
write_failed(struct write_pipe *self, asy_error *err)
{
    if (asy_error_is_fatal(err))
        return err;
    bytes_clear(&self->buffer);
    self->lost_writes++;
    asy_error *watch_err = remove_watch(self, EVENT_WRITE);
    if (!watch_err)
        return fatal_error(self, err);
    asy_error_unref(err);
    return watch_err;
}

/* CPython: _write_ready. The protocol goes on when the buffer is empty, whatever the limits. */
static asy_error *
write_ready(const struct transport_callback *callback)
{
    struct write_pipe *self = from_transport(callback->transport);
    struct bytes *buffer = &self->buffer;
    size_t written;

    self->lent = true;
    asy_error *err = try_write(self, bytes_data(buffer), buffer->count, &written);
    self->lent = false;
    if (err)
        return write_failed(self, err);
    bytes_remove(buffer, written);
    return buffer->count == 0 ? drained(self) : ASY_OK;
}

/* Buffer what could not be written. */
static asy_error *
keep(struct write_pipe *self, const void *data, size_t size)
{
    TRY(check_not_lent(self));
    bytes_add(&self->buffer, data, size);
    return flow_maybe_pause(&self->transport);
}

/* A signal handler may have closed the transport meanwhile. CPython would go on and watch a
 * descriptor that is about to be closed. */
static asy_error *
write_at_once(struct write_pipe *self, const char *data, size_t size)
{
    size_t written;
    asy_error *err = try_write(self, data, size, &written);

    if (err && !asy_error_is_fatal(err)) {
        self->lost_writes++;
        return fatal_error(self, err);
    }
    if (err || written == size || self->closing)
        return err;
    TRY(transport_watch(self->transport.loop, self->pipe.fd, EVENT_WRITE,
                        &(struct transport_callback){
        write_ready, "_write_ready", &self->transport, NULL, NULL }));
    return keep(self, data + written, size - written);
}

static asy_error *
lose_write(struct write_pipe *self)
{
    if (self->lost_writes >= LOST_WRITES_WITHOUT_WARNING)
        TRY(host_log(self->transport.loop, ASY_LOG_WARNING,
                     "pipe closed by peer or os.write(pipe, data) raised exception.", NULL));
    self->lost_writes++;
    return ASY_OK;
}

/* CPython: write */
static asy_error *
write_data(asy_transport *transport, const void *data, size_t size)
{
    struct write_pipe *self = from_transport(transport);

    if (size == 0)
        return ASY_OK;
    if (self->lost_writes > 0 || self->closing)
        return lose_write(self);
    if (self->buffer.count == 0)
        return write_at_once(self, data, size);
    return keep(self, data, size);
}

/* ---- the other methods ----------------------------------------------------------- */

static asy_error *
write_eof(asy_transport *transport)
{
    struct write_pipe *self = from_transport(transport);

    if (self->closing)
        return ASY_OK;
    self->closing = true;
    if (self->buffer.count > 0)
        return ASY_OK;
    TRY(remove_watch(self, EVENT_READ));
    return queue_connection_lost(self, NULL);
}

static bool
can_write_eof(const asy_transport *transport)
{
    (void)transport;
    return true;
}

static asy_error *
abort_transport(asy_transport *transport)
{
    return close_with(from_transport(transport), NULL);
}

static size_t
get_write_buffer_size(const asy_transport *transport)
{
    return from_const_transport(transport)->buffer.count;
}

static struct flow *
flow(asy_transport *transport)
{
    return &from_transport(transport)->flow;
}

static bool
is_closing(const asy_transport *transport)
{
    return from_const_transport(transport)->closing;
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
    const struct write_pipe *self = from_const_transport(transport);
    char *state = pipe_end_describe(&self->pipe, transport->loop, EVENT_WRITE, self->closing);

    if (self->pipe.closed || asy_loop_is_closed(transport->loop))
        return state;
    char *text = asy_format("%s bufsize=%zu", state, self->buffer.count);
    asy_free(state);
    return text;
}

static void
deinit(asy_transport *transport)
{
    bytes_clear(&from_transport(transport)->buffer);
}

static const struct transport_methods write_pipe_methods = {
    .name = "_UnixWritePipeTransport",
    .get_extra_info = get_extra_info,
    .is_closing = is_closing,
    .close = write_eof,
    .flow = flow,
    .get_write_buffer_size = get_write_buffer_size,
    .write = write_data,
    .write_eof = write_eof,
    .can_write_eof = can_write_eof,
    .abort = abort_transport,
    .is_closed = is_closed,
    .close_descriptor = close_descriptor,
    .describe_state = describe_state,
    .deinit = deinit,
};

/* see pipe.h.  CPython: _UnixWritePipeTransport.__init__ */
asy_error *
asy_write_pipe_transport_new(asy_loop *loop, const asy_pipe *pipe, asy_protocol *protocol,
                             const asy_transport_owner *methods, void *owner,
                             asy_transport **ret_transport)
{
    struct stat status;
    asy_protocol *bound;

    TRY(protocol_check(protocol, "connection_made"));
    TRY(pipe_end_prepare(pipe, "Pipe transport is only for pipes, sockets and character devices",
                         &status));
    TRY(transport_bind_connection_made(loop, protocol, &bound));
    struct write_pipe *self = asy_alloc(sizeof *self);
    transport_init(&self->transport, &write_pipe_methods, loop, protocol, methods, owner);
    pipe_end_init(&self->pipe, pipe);
    flow_init(&self->flow);
    transport_queue_connection_made(&self->transport, bound);
    if (notices_end(&status))
        transport_queue(loop, &(struct transport_callback){
            start_watching, "_add_reader", &self->transport, NULL, NULL });
    *ret_transport = &self->transport;
    return ASY_OK;
}
