/* SPDX-License-Identifier: MIT */
/*
 * asyncio.sleep().
 *
 * A sleep of some time is a future that a timer fulfils. A sleep of no time is a bare yield: its
 * task is queued again at once, behind everything that is in the queue, so that each of the
 * others runs before it does, and no timer is needed for that.
 */
#include "base/alloc.h"
#include "core/loop_impl.h"

#include <asy/coro.h>
#include <asy/future.h>
#include <asy/task.h>
#include <math.h>

/* CPython: futures._set_result_unless_cancelled */
static asy_error *
set_result_unless_cancelled(void *argument)
{
    asy_future *future = argument;
    return asy_future_cancelled(future) ? ASY_OK : asy_future_set_result(future, NULL, NULL);
}

static void
drop_future(void *argument)
{
    asy_future_unref(argument);
}

struct sleep {
    asy_coro          co;
    asy_loop         *loop;
    double            delay;
    asy_future       *future;
    asy_timer_handle *timer;
};

static asy_error *
start_timer(struct sleep *self)
{
    if (isnan(self->delay) && self->loop->behaves[BEHAVIOUR_NAN_DELAY_IS_REFUSED])
        RAISE(ValueError, "Invalid delay: NaN (not a number)");
    self->future = asy_loop_create_future(self->loop);
    return asy_loop_call_later(self->loop, self->delay,
                               asy_own(set_result_unless_cancelled,
                                       asy_future_ref(self->future), drop_future),
                               &self->timer);
}

ASYNC(sleep)
{
    ASYNC_BEGIN;

    if (self->delay <= 0) {
        AWAIT((asy_future *)NULL);
    } else {
        TRY(start_timer(self));
        AWAIT(self->future);
    }

    ASYNC_END;
}

FINALLY(sleep)
{
    if (self->timer)
        asy_handle_cancel(asy_timer_handle_base(self->timer));
    asy_timer_handle_unref(self->timer);
    asy_future_unref(self->future);
}

/* see task.h.  CPython: tasks.sleep */
asy_coro *
asy_sleep(asy_loop *loop, double delay)
{
    return ASYNC_CALL(sleep, .loop = loop, .delay = delay);
}
