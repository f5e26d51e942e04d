/* SPDX-License-Identifier: MIT */
/* See pipe_end.h. */
#include "io/pipe_end.h"

#include "io/pipe_calls.h"
#include "io/transport_impl.h"

#include <errno.h>

/* ---- the descriptor -------------------------------------------------------------- */

asy_error *
pipe_end_prepare(const asy_pipe *pipe, const char *refusal, struct stat *ret_status)
{
    if (pipe_calls->status(pipe->fd, ret_status) != 0)
        RAISE_OSERROR(errno);
    mode_t mode = ret_status->st_mode;
    if (!S_ISFIFO(mode) && !S_ISSOCK(mode) && !S_ISCHR(mode))
        RAISE(ValueError, "%s", refusal);
    if (pipe_calls->set_non_blocking(pipe->fd) != 0)
        RAISE_OSERROR(errno);
    return ASY_OK;
}

void
pipe_end_init(struct pipe_end *self, const asy_pipe *pipe)
{
    *self = (struct pipe_end){
        .fd = pipe->fd,
        .close = pipe->close,
        .argument = pipe->argument,
    };
}

/* After EINTR the descriptor is closed, on Linux. */
static asy_error *
close_descriptor(int fd)
{
    if (pipe_calls->close(fd) != 0 && errno != EINTR)
        RAISE_OSERROR(errno);
    return ASY_OK;
}

asy_error *
pipe_end_close(struct pipe_end *self, asy_error *handled)
{
    if (self->closed)
        RAISE(AttributeError, "'NoneType' object has no attribute 'close'");
    self->closed = true;
    return self->close ? self->close(self->argument, handled) : close_descriptor(self->fd);
}

/* ---- reading and writing --------------------------------------------------------- */

/* After a call: the lock again, and, if a signal has interrupted it, the host's handlers. No error
 * and a count of -1: once more. */
static asy_error *
end_call(const asy_loop *loop, void *released, ssize_t count)
{
    int errnum = errno;

    host_acquire_lock(loop, released);
    if (count >= 0)
        return ASY_OK;
    if (errnum != EINTR)
        RAISE_OSERROR(errnum);
    return host_check_signals(loop);
}

asy_error *
pipe_end_read(const struct pipe_end *self, const asy_loop *loop, void *buffer, size_t size,
              size_t *ret_count)
{
    ssize_t count;

    do {
        void *released = host_release_lock(loop);
        count = pipe_calls->read(self->fd, buffer, size);
        TRY(end_call(loop, released, count));
    } while (count < 0);
    *ret_count = (size_t)count;
    return ASY_OK;
}

asy_error *
pipe_end_write(const struct pipe_end *self, const asy_loop *loop, const void *data, size_t size,
               size_t *ret_count)
{
    ssize_t count;

    do {
        void *released = host_release_lock(loop);
        count = pipe_calls->write(self->fd, data, size);
        TRY(end_call(loop, released, count));
    } while (count < 0);
    *ret_count = (size_t)count;
    return ASY_OK;
}

bool
pipe_not_now(const asy_error *err)
{
    return asy_error_is_a(err, ASY_BlockingIOError) || asy_error_is_a(err, ASY_InterruptedError);
}

/* ---- repr ------------------------------------------------------------------------ */

/* CPython: selector_events._test_selector_event */
static bool
is_watched(const asy_loop *loop, int fd, unsigned event)
{
    const struct watched_fd *entry = fd_table_find(&loop->watched, fd);
    return entry && (entry->events & event);
}

static const char *
describe_watch(const struct pipe_end *self, const asy_loop *loop, unsigned event)
{
    if (self->closed)
        return "closed";
    if (asy_loop_is_closed(loop))
        return "open";
    return is_watched(loop, self->fd, event) ? "polling" : "idle";
}

char *
pipe_end_describe(const struct pipe_end *self, const asy_loop *loop, unsigned event, bool closing)
{
    const char *state = self->closed ? "closed " : closing ? "closing " : "";
    return asy_format("%sfd=%d %s", state, self->fd, describe_watch(self, loop, event));
}

/* ---- the end --------------------------------------------------------------------- */

asy_error *
pipe_end_connection_lost(struct pipe_end *self, asy_transport *transport, asy_error *exc)
{
    asy_error *err = protocol_connection_lost(transport->protocol, exc);
    asy_error *close_err = pipe_end_close(self, err);

    transport_lost(transport);
    if (!close_err)
        return err;
    asy_error_unref(err);
    return close_err;
}
