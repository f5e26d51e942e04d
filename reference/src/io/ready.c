/* SPDX-License-Identifier: MIT */
/*
 * Waiting until a descriptor is ready: add_reader() or add_writer() with a callback that fulfils a
 * future.
 *
 * The watch ends with the wait. If its handle is cancelled it is not ours any more: someone else
 * watches the descriptor for the same purpose, or has removed the watch. The reverse does not hold:
 * when the selector refuses a change, because the descriptor was closed, the loop forgets its
 * handles without cancelling them (watch.c, forget_fd()). If the number is then used again, it is a
 * stranger's watch that ends here, as in CPython.
 */
#include "core/loop_impl.h"

#include <asy/socket.h>

static unsigned
event_of(asy_ready_for what)
{
    return what == ASY_READABLE ? EVENT_READ : EVENT_WRITE;
}

/* The descriptor stays ready, and this is called again, until the task has gone on. */
static asy_error *
fulfil(void *argument)
{
    asy_future *future = argument;
    return asy_future_done(future) ? ASY_OK : asy_future_set_result(future, NULL, NULL);
}

static void
drop_future(void *argument)
{
    asy_future_unref(argument);
}

static asy_error *
start(asy_ready *self, asy_loop *loop, int fd, asy_ready_for what)
{
    asy_error *err = loop_add_watch(loop, fd, event_of(what), self->handle);

    if (err) {
        self->handle = asy_handle_unref(self->handle);
        self->future = asy_future_unref(self->future);
        return err;
    }
    self->loop = loop;
    self->fd = fd;
    self->what = what;
    return ASY_OK;
}

/* see socket.h */
asy_error *
asy_ready_begin(asy_ready *self, asy_loop *loop, int fd, asy_ready_for what)
{
    self->future = asy_loop_create_future(loop);
    self->handle = handle_new(loop,
                              asy_own(fulfil, asy_future_ref(self->future), drop_future));
    return start(self, loop, fd, what);
}

/* see socket.h */
asy_error *
asy_ready_begin_with(asy_ready *self, asy_loop *loop, int fd, asy_ready_for what,
                     asy_callback callback)
{
    self->future = asy_loop_create_future(loop);
    self->handle = handle_new(loop, callback);
    return start(self, loop, fd, what);
}

/* see socket.h.  CPython: BaseSelectorEventLoop._sock_read_done, _sock_write_done. The system
 * refuses only what was closed meanwhile, and then the loop has forgotten the descriptor. */
void
asy_ready_end(asy_ready *self)
{
    asy_handle *handle = self->handle;
    asy_future *future = self->future;

    self->handle = NULL;
    self->future = NULL;
    if (handle && !handle_is_cancelled(handle))
        asy_error_unref(loop_remove_watch(self->loop, self->fd, event_of(self->what), NULL));
    if (handle)
        asy_handle_cancel(handle);
    asy_handle_unref(handle);
    asy_future_unref(future);
}
