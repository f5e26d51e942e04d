/* SPDX-License-Identifier: MIT */
/*
 * asyncio.wait(), which adds a callback to each future. The callbacks count, and fulfil a future
 * of its own, the waiter, when there is enough. So it takes two hops from the end of the last
 * future to the end of wait(): one to the callback, one from the waiter to the task. A timer may
 * fulfil the waiter, too.
 *
 * A callback may be in the loop's queue already when the coroutine ends, for example because it
 * is cancelled, and then it still runs. So what callbacks use is not in the frame, but counts its
 * references.
 */
#include "await/task_impl.h"
#include "base/alloc.h"

#include <asy/coro.h>
#include <asy/future.h>
#include <asy/loop.h>
#include <asy/task.h>

/* ---- the waiter ---------------------------------------------------------------- */

/* CPython: tasks._release_waiter */
static asy_error *
release_waiter(void *argument)
{
    asy_future *waiter = argument;
    return asy_future_done(waiter) ? ASY_OK : asy_future_set_result(waiter, NULL, NULL);
}

static void
drop_future(void *argument)
{
    asy_future_unref(argument);
}

asy_callback
waiter_releasing(asy_future *waiter)
{
    return asy_own(release_waiter, asy_future_ref(waiter), drop_future);
}

void
waiter_forget(asy_future *waiter, asy_future *future)
{
    asy_future_remove_done_callback(future, release_waiter, waiter);
}

bool
wait_is_for_ever(double timeout)
{
    return !(timeout >= 0);
}

/* ---- what wait() counts with ---------------------------------------------------- */

struct waiting;

/* One of the futures, and the argument of its callback. */
struct awaited {
    struct waiting *waiting;
    asy_future     *future;             /* owned */
};

struct waiting {
    int               refs;             /* the frame's, and one for each callback */
    asy_return_when   return_when;
    size_t            left;             /* futures whose callback has not run yet */
    asy_future       *waiter;           /* owned; NULL before it begins */
    asy_timer_handle *timer;            /* owned, or NULL */
    size_t            count;
    struct awaited    futures[];
};

static struct waiting *
waiting_new(asy_future *const *futures, size_t count, asy_return_when return_when)
{
    struct waiting *self = asy_alloc(sizeof *self + count * sizeof self->futures[0]);

    self->refs = 1;
    self->return_when = return_when;
    self->left = count;
    self->count = count;
    for (size_t i = 0; i < count; i++)
        self->futures[i] = (struct awaited){ self, asy_future_ref(futures[i]) };
    return self;
}

static void
waiting_unref(struct waiting *self)
{
    if (--self->refs > 0)
        return;
    for (size_t i = 0; i < self->count; i++)
        asy_future_unref(self->futures[i].future);
    asy_timer_handle_unref(self->timer);
    asy_future_unref(self->waiter);
    asy_free(self);
}

static void
drop_awaited(void *argument)
{
    const struct awaited *awaited = argument;
    waiting_unref(awaited->waiting);
}

static void
cancel_timer(struct waiting *self)
{
    if (self->timer)
        asy_handle_cancel(asy_timer_handle_base(self->timer));
}

/* Whether nobody need wait for the others. Looking at an exception counts as having seen it. */
static asy_error *
is_enough(const struct waiting *self, asy_future *future, bool *ret_enough)
{
    asy_error *exception = NULL;

    *ret_enough = self->left == 0 || self->return_when == ASY_FIRST_COMPLETED;
    if (*ret_enough || self->return_when != ASY_FIRST_EXCEPTION || asy_future_cancelled(future))
        return ASY_OK;
    TRY(asy_future_exception(future, &exception));
    *ret_enough = exception != NULL;
    return ASY_OK;
}

/* CPython: _on_completion in tasks._wait */
static asy_error *
on_completion(void *argument)
{
    const struct awaited *awaited = argument;
    struct waiting *self = awaited->waiting;
    bool enough;

    self->left--;
    TRY(is_enough(self, awaited->future, &enough));
    if (!enough)
        return ASY_OK;
    cancel_timer(self);
    return release_waiter(self->waiter);
}

static asy_error *
add_callbacks(struct waiting *self)
{
    for (size_t i = 0; i < self->count; i++) {
        struct awaited *awaited = &self->futures[i];
        self->refs++;
        TRY(asy_future_add_done_callback(awaited->future,
                                         asy_own(on_completion, awaited, drop_awaited), NULL));
    }
    return ASY_OK;
}

static void
remove_callbacks(struct waiting *self)
{
    for (size_t i = 0; i < self->count; i++)
        asy_future_remove_done_callback(self->futures[i].future, on_completion,
                                        &self->futures[i]);
}

/* ---- wait ---------------------------------------------------------------------- */

struct wait {
    asy_coro        co;
    asy_loop       *loop;
    struct waiting *waiting;
    double          timeout;
};

static asy_error *
begin_waiting(struct wait *self)
{
    struct waiting *waiting = self->waiting;

    if (waiting->count == 0)
        RAISE(ValueError, "Set of Tasks/Futures is empty.");
    waiting->waiter = asy_loop_create_future(self->loop);
    if (!wait_is_for_ever(self->timeout))
        TRY(asy_loop_call_later(self->loop, self->timeout, waiter_releasing(waiting->waiter),
                                &waiting->timer));
    return add_callbacks(waiting);
}

ASYNC(wait)
{
    ASYNC_BEGIN;

    TRY(begin_waiting(self));
    AWAIT(self->waiting->waiter);

    ASYNC_END;
}

FINALLY(wait)
{
    cancel_timer(self->waiting);
    remove_callbacks(self->waiting);
    waiting_unref(self->waiting);
}

/* see task.h.  CPython: tasks.wait, tasks._wait, but that a future which comes twice counts
 * twice: both callbacks run in the same iteration. */
asy_coro *
asy_wait(asy_loop *loop, asy_future *const *futures, size_t count, double timeout,
         asy_return_when return_when)
{
    return ASYNC_CALL(wait, .loop = loop,
                      .waiting = waiting_new(futures, count, return_when), .timeout = timeout);
}
