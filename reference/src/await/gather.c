/* SPDX-License-Identifier: MIT */
/*
 * asyncio.gather(): one future for many.
 *
 * The gathering future adds a callback to each of the others, its children, and is done when the
 * last has been called, or at the first exception. It is a future with a cancel() of its own,
 * which cancels the children and leaves it to them to end; how they do decides how it ends.
 *
 * Each callback holds a reference to the gathering future, and that holds its children: an
 * exception must have somewhere to go to, even if nobody waits any more. The circle opens when
 * the children are done.
 *
 * Among its callbacks, those of a child that comes twice run one directly after the other. So
 * nobody can tell whether it is counted once, as in CPython, or twice, as here.
 */
#include "base/alloc.h"
#include "core/loop_impl.h"

#include <asy/future.h>
#include <asy/loop.h>
#include <asy/task.h>

struct gathering;

/* The argument of a child's callback. */
struct child {
    struct gathering *gathering;
    asy_future       *future;           /* owned */
    bool              counts_at_once;   /* it was done from the beginning: no callback */
};

struct gathering {
    asy_future    future;
    int           refs;
    bool          return_exceptions;
    bool          cancel_requested;
    size_t        finished;             /* children whose callback has run */
    asy_gathered *results;              /* the future's result, when it has one; the exceptions
                                           in it are owned */
    size_t        count;
    struct child  children[];
};

static struct gathering *
gathering_of(asy_future *future)
{
    return (struct gathering *)(void *)future;
}

/* ---- the future ---------------------------------------------------------------- */

static void
ref(asy_future *future)
{
    gathering_of(future)->refs++;
}

static void
free_gathering(struct gathering *self)
{
    asy_loop *loop = self->future.loop;

    asy_future_clear(&self->future);
    for (size_t i = 0; i < self->count; i++) {
        if (self->results)
            asy_error_unref(self->results[i].exception);
        asy_future_unref(self->children[i].future);
    }
    asy_free(self->results);
    asy_free(self);
    asy_loop_unref(loop);
}

/* Reporting may make new references. */
static void
unref(asy_future *future)
{
    struct gathering *self = gathering_of(future);

    if (self->refs == 1)
        asy_future_report_unretrieved(future);
    self->refs--;
    if (self->refs == 0)
        free_gathering(self);
}

/* A child that comes twice is asked twice, as in CPython. */
static asy_error *
cancel_children(struct gathering *self, const void *message, bool *ret_any)
{
    *ret_any = false;
    for (size_t i = 0; i < self->count; i++) {
        bool cancelled;
        TRY(asy_future_cancel(self->children[i].future, message, &cancelled));
        *ret_any |= cancelled;
    }
    return ASY_OK;
}

/* CPython: _GatheringFuture.cancel
 * Spec: gather.cancel */
static asy_error *
cancel(asy_future *future, const void *message, bool *ret_cancelled)
{
    struct gathering *self = gathering_of(future);
    bool any = false;
    asy_error *err = ASY_OK;

    asy_future_ref(future);
    if (!asy_future_done(future))
        err = cancel_children(self, message, &any);
    if (!err && any)
        self->cancel_requested = true;
    asy_future_unref(future);
    if (!err && ret_cancelled)
        *ret_cancelled = any;
    return err;
}

static const asy_future_ops gathering_ops = {
    .name = "_GatheringFuture",
    .ref = ref,
    .unref = unref,
    .cancel = cancel,
};

/* ---- what becomes of the children ------------------------------------------------ */

/* The exception of a future that is done, or its CancelledError; ASY_OK if it has a result.
 * Looking at an exception counts as having seen it. */
static asy_error *
exception_of(asy_future *future)
{
    asy_error *exception = NULL;
    asy_error *cancelled = asy_future_exception(future, &exception);
    return cancelled ? cancelled : asy_error_ref(exception);
}

/* Of a cancelled child a new CancelledError: the child's own is given out only once. */
static asy_gathered
result_of(asy_future *future)
{
    asy_gathered gathered = { NULL, NULL };

    if (asy_future_cancelled(future))
        gathered.exception = host_cancelled_error(future->loop, future->cancel_message);
    else
        gathered.exception = exception_of(future);
    if (!gathered.exception)
        gathered.exception = asy_future_result(future, &gathered.result);
    return gathered;
}

/* All children are done. After a request to cancel, the last child says how. */
static asy_error *
finish(struct gathering *self)
{
    asy_gathered *results = asy_alloc(self->count * sizeof *results);

    for (size_t i = 0; i < self->count; i++)
        results[i] = result_of(self->children[i].future);
    self->results = results;
    if (!self->cancel_requested)
        return asy_future_set_result(&self->future, results, NULL);
    asy_future *last = self->children[self->count - 1].future;
    return asy_future_set_exception(&self->future, asy_future_make_cancelled_error(last));
}

/* Nobody gets a late exception; it is not reported either. */
static asy_error *
come_late(asy_future *future)
{
    asy_error *exception;
    return asy_future_cancelled(future) ? ASY_OK : asy_future_exception(future, &exception);
}

/* CPython: _done_callback in tasks.gather
 * Spec: gather.results, gather.first-exception, gather.return_exceptions,
 * gather.child-cancelled */
static asy_error *
child_done(void *argument)
{
    const struct child *child = argument;
    struct gathering *self = child->gathering;

    self->finished++;
    if (asy_future_done(&self->future))
        return come_late(child->future);
    if (!self->return_exceptions) {
        asy_error *exception = exception_of(child->future);
        if (exception)
            return asy_future_set_exception(&self->future, exception);
    }
    return self->finished == self->count ? finish(self) : ASY_OK;
}

/* ---- gather -------------------------------------------------------------------- */

static void
drop_child(void *argument)
{
    const struct child *child = argument;
    asy_future_unref(&child->gathering->future);
}

static asy_error *
add_callback(struct child *child)
{
    asy_future_ref(&child->gathering->future);
    return asy_future_add_done_callback(child->future, asy_own(child_done, child, drop_child),
                                        NULL);
}

/* Those that are done count at once, but only after each of the others has its callback. */
static asy_error *
watch_children(struct gathering *self)
{
    for (size_t i = 0; i < self->count; i++) {
        if (!self->children[i].counts_at_once)
            TRY(add_callback(&self->children[i]));
    }
    for (size_t i = 0; i < self->count; i++) {
        if (self->children[i].counts_at_once)
            TRY(child_done(&self->children[i]));
    }
    return ASY_OK;
}

static struct gathering *
gathering_new(asy_loop *loop, asy_future *const *futures, size_t count)
{
    struct gathering *self = asy_alloc(sizeof *self + count * sizeof self->children[0]);
    bool at_once = loop->behaves[BEHAVIOUR_GATHER_COUNTS_DONE_AT_ONCE];

    asy_future_init(&self->future, &gathering_ops, asy_loop_ref(loop));
    self->refs = 1;
    self->count = count;
    for (size_t i = 0; i < count; i++)
        self->children[i] = (struct child){
            self, asy_future_ref(futures[i]), at_once && asy_future_done(futures[i]),
        };
    return self;
}

/* see task.h.  CPython: tasks.gather. Only a future of a host can refuse a callback; that is then
 * how the gathering future ends. */
asy_future *
asy_gather(asy_loop *loop, asy_future *const *futures, size_t count, bool return_exceptions)
{
    struct gathering *self = gathering_new(loop, futures, count);

    self->return_exceptions = return_exceptions;
    asy_error *err = count > 0 ? watch_children(self) : finish(self);
    if (err)
        asy_error_unref(asy_future_set_exception(&self->future, err));
    return &self->future;
}
