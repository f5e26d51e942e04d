/* SPDX-License-Identifier: MIT */
/*
 * The library's own handle: an asy_callback, the context in which it runs, a reference to the
 * loop. What C programs get from call_soon() and its siblings.
 *
 * It lets go of the callback when it is cancelled, or when the last reference goes. A callback
 * that cancels its own handle keeps its argument until it returns.
 */
#include "base/alloc.h"
#include "core/loop_impl.h"

#include <asy/context.h>
#include <stdio.h>
#include <stdlib.h>

struct callback_handle {
    asy_timer_handle timer;             /* first; its deadline means nothing in a plain Handle */
    atomic_int       refs;
    bool             in_run;
    asy_callback     callback;          /* function NULL: none was given, or it was dropped */
    void            *context;           /* owned */
};

asy_error *
callback_call(asy_callback callback)
{
    if (!callback.function)
        RAISE(TypeError, "'NULL' object is not callable");
    return callback.function(callback.argument);
}

void
callback_drop(asy_callback callback)
{
    if (callback.drop)
        callback.drop(callback.argument);
}

static struct callback_handle *
from_handle(asy_handle *handle)
{
    return (struct callback_handle *)handle;
}

static void
drop_callback(struct callback_handle *self)
{
    asy_callback callback = self->callback;

    self->callback.function = NULL;
    self->callback.argument = NULL;
    self->callback.drop = NULL;
    callback_drop(callback);
}

static asy_error *
call(void *argument)
{
    struct callback_handle *self = argument;
    return callback_call(self->callback);
}

static asy_error *
run(asy_handle *handle)
{
    struct callback_handle *self = from_handle(handle);

    self->in_run = true;
    asy_error *err = host_context_run(handle->loop, self->context, call, self);
    self->in_run = false;
    if (handle_is_cancelled(handle))
        drop_callback(self);
    return err;
}

static void
ref(asy_handle *handle)
{
    atomic_fetch_add_explicit(&from_handle(handle)->refs, 1, memory_order_relaxed);
}

static void
unref(asy_handle *handle)
{
    struct callback_handle *self = from_handle(handle);
    asy_loop *loop = handle->loop;

    if (atomic_fetch_sub_explicit(&self->refs, 1, memory_order_acq_rel) > 1)
        return;
    drop_callback(self);
    host_context_unref(loop, self->context);
    asy_free(self);
    asy_loop_unref(loop);
}

static void
clear(asy_handle *handle)
{
    struct callback_handle *self = from_handle(handle);
    if (!self->in_run)
        drop_callback(self);
}

static void *
context(asy_handle *handle)
{
    return from_handle(handle)->context;
}

/* CPython: _format_callback_source, with the place where it was scheduled */
static char *
describe_callback(asy_handle *handle)
{
    asy_callback callback = from_handle(handle)->callback;
    const char *name = callback.name ? callback.name : "callback";

    if (!callback.file)
        return asy_format("%s()", name);
    return asy_format("%s() at %s:%d", name, callback.file, callback.line);
}

/* CPython: Handle._repr_info, TimerHandle._repr_info */
static char *
describe(asy_handle *handle)
{
    const char *cancelled = handle_is_cancelled(handle) ? " cancelled" : "";
    char *callback = describe_callback(handle);
    char *text;

    if (handle->is_timer) {
        char *when = alloc_float_text(from_handle(handle)->timer.when);
        text = asy_format("<TimerHandle%s when=%s %s>", cancelled, when, callback);
        asy_free(when);
    } else {
        text = asy_format("<Handle%s %s>", cancelled, callback);
    }
    asy_free(callback);
    return text;
}

static const asy_handle_ops callback_handle_ops = {
    .run = run,
    .ref = ref,
    .unref = unref,
    .clear = clear,
    .context = context,
    .describe = describe,
    .describe_callback = describe_callback,
};

static struct callback_handle *
callback_handle_new(asy_loop *loop, asy_callback callback, void *context)
{
    struct callback_handle *self = asy_alloc(sizeof *self);
    atomic_init(&self->refs, 1);
    self->callback = callback;
    self->context = context ? host_context_ref(loop, context) : host_context_copy_current(loop);
    asy_loop_ref(loop);
    return self;
}

asy_handle *
handle_new_in(asy_loop *loop, asy_callback callback, void *context)
{
    struct callback_handle *self = callback_handle_new(loop, callback, context);
    asy_handle_init(&self->timer.handle, &callback_handle_ops, loop);
    return &self->timer.handle;
}

asy_handle *
handle_new(asy_loop *loop, asy_callback callback)
{
    return handle_new_in(loop, callback, NULL);
}

asy_timer_handle *
timer_handle_new(asy_loop *loop, double when, asy_callback callback)
{
    struct callback_handle *self = callback_handle_new(loop, callback, NULL);
    asy_timer_handle_init(&self->timer, &callback_handle_ops, loop, when);
    return &self->timer;
}

bool
handle_has_callback(const asy_handle *handle, asy_error *(*function)(void *argument),
                    const void *argument)
{
    const struct callback_handle *self = (const struct callback_handle *)handle;

    return handle->ops == &callback_handle_ops && self->callback.function == function &&
           self->callback.argument == argument;
}
