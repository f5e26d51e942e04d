/* SPDX-License-Identifier: MIT */
/*
 * asyncio.gather(): one future for many.
 *
 * The gathering future adds a callback to each of the others, its children, and is done when the
 * last has been called, or at the first exception. It is a future with a cancel() of its own,
 * which cancels the children and leaves it to them to end; how they do decides how it ends.
 *
 * Its callbacks hold the gathering future, and that holds its children: outer_future.h says until
 * when.
 *
 * Among its callbacks, those of a child that comes twice run one directly after the other. So
 * nobody can tell whether it is counted once, as in CPython, or twice, as here.
 */
#include "await/outer_future.h"
#include "base/alloc.h"
#include "core/loop_impl.h"

#include <asy/future.h>
#include <asy/loop.h>
#include <asy/task.h>

#define DEEPEST_CANCEL 1000         /* Python's recursion limit */

struct gathering;

/* The argument of a child's callback. */
struct child {
    struct gathering *gathering;
    asy_future       *future;           /* owned; NULL: let go, since the loop is closed */
    bool              counts_at_once;   /* it was done from the beginning: no callback */
};

struct gathering {
    struct outer_future outer;
    bool                return_exceptions;
    bool                cancel_requested;
    size_t              finished;       /* children whose callback has run */
    size_t              count;
    struct child        children[];
};

/* What is the future's result begins at `each`. */
struct results {
    size_t       count;
    asy_gathered each[];                /* owned exceptions, borrowed results */
};

static struct gathering *
gathering_of(asy_future *future)
{
    return (struct gathering *)(void *)future;
}

/* ---- the future ---------------------------------------------------------------- */

static void
release_children(struct outer_future *outer, bool only_pending)
{
    struct gathering *self = gathering_of(&outer->future);

    for (size_t i = 0; i < self->count; i++)
        outer_release(&self->children[i].future, only_pending);
}

/* A child that comes twice is asked twice, as in CPython. */
static asy_error *
cancel_children(struct gathering *self, const void *message, bool *ret_any)
{
    *ret_any = false;
    for (size_t i = 0; i < self->count; i++) {
        asy_future *child = self->children[i].future;
        bool cancelled = false;
        if (child)
            TRY(asy_future_cancel(child, message, &cancelled));
        *ret_any |= cancelled;
    }
    return ASY_OK;
}

/* A child may be a task that waits for a gathering, and so on; and the last of them for the first.
 * Python ends that when it is too deep. */
static asy_error *
cancel_children_deeper(struct gathering *self, const void *message, bool *ret_any)
{
    asy_loop *loop = self->outer.future.loop;

    if (loop->gathering_cancels == DEEPEST_CANCEL)
        RAISE(RecursionError, "a gathering of what waits for itself, or of gatherings %d deep, "
                              "cannot be cancelled", DEEPEST_CANCEL);
    loop->gathering_cancels++;
    asy_error *err = cancel_children(self, message, ret_any);
    loop->gathering_cancels--;
    return err;
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
        err = cancel_children_deeper(self, message, &any);
    if (!err && any)
        self->cancel_requested = true;
    asy_future_unref(future);
    if (!err && ret_cancelled)
        *ret_cancelled = any;
    return err;
}

static const asy_future_ops gathering_ops = {
    .name = "_GatheringFuture",
    .ref = outer_ref,
    .unref = outer_unref,
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

static void
drop_results(void *each)
{
    struct results *self = (void *)((char *)each - offsetof(struct results, each));

    for (size_t i = 0; i < self->count; i++)
        asy_error_unref(self->each[i].exception);
    asy_free(self);
}

static asy_gathered *
take_results(const struct gathering *self)
{
    struct results *results = asy_alloc(sizeof *results + self->count * sizeof results->each[0]);

    results->count = self->count;
    for (size_t i = 0; i < self->count; i++)
        results->each[i] = result_of(self->children[i].future);
    return results->each;
}

/* All children are done. After a request to cancel, the last child says how; but all count as
 * looked at. */
static asy_error *
complete(struct gathering *self)
{
    asy_gathered *results = take_results(self);

    if (!self->cancel_requested)
        return asy_future_set_result(&self->outer.future, results, drop_results);
    drop_results(results);
    asy_future *last = self->children[self->count - 1].future;
    return asy_future_set_exception(&self->outer.future, asy_future_make_cancelled_error(last));
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
    if (asy_future_done(&self->outer.future))
        return come_late(child->future);
    if (!self->return_exceptions) {
        asy_error *exception = exception_of(child->future);
        if (exception)
            return asy_future_set_exception(&self->outer.future, exception);
    }
    return self->finished == self->count ? complete(self) : ASY_OK;
}

/* ---- gather -------------------------------------------------------------------- */

static void
drop_child(void *argument)
{
    const struct child *child = argument;
    asy_future_unref(&child->gathering->outer.future);
}

static asy_error *
add_callback(struct child *child)
{
    asy_future_ref(&child->gathering->outer.future);
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

static asy_error *
check_same_loop(const asy_loop *loop, asy_future *const *futures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (futures[i]->loop != loop)
            RAISE(ValueError, "The future belongs to a different loop than the one specified as "
                              "the loop argument");
    }
    return ASY_OK;
}

static struct gathering *
gathering_new(asy_loop *loop, asy_future *const *futures, size_t count)
{
    struct gathering *self = asy_alloc(sizeof *self + count * sizeof self->children[0]);
    bool at_once = loop->behaves[BEHAVIOUR_GATHER_COUNTS_DONE_AT_ONCE];

    outer_init(&self->outer, &gathering_ops, loop, release_children);
    self->count = count;
    for (size_t i = 0; i < count; i++)
        self->children[i] = (struct child){
            self, asy_future_ref(futures[i]), at_once && asy_future_done(futures[i]),
        };
    return self;
}

/* see task.h.  CPython: tasks.gather, and _ensure_future, which asks about the loop. */
asy_error *
asy_gather(asy_loop *loop, asy_future *const *futures, size_t count, bool return_exceptions,
           asy_future **ret_future)
{
    TRY(check_same_loop(loop, futures, count));
    struct gathering *self = gathering_new(loop, futures, count);
    self->return_exceptions = return_exceptions;
    asy_error *err = count > 0 ? watch_children(self) : complete(self);
    outer_begin(&self->outer);
    if (err)
        asy_future_unref(&self->outer.future);
    else
        *ret_future = &self->outer.future;
    return err;
}
