/* SPDX-License-Identifier: MIT */
/*
 * asyncio.wait_for(): a timeout around an await. When the time is over, the task is cancelled;
 * that cancels the future which it waits for; and the CancelledError with which this ends becomes
 * a TimeoutError. A future that ends otherwise meanwhile has won.
 *
 * Without any time there is nothing to wait for, and a future that is not done is cancelled at
 * once; only its end is waited for.
 *
 * This is the algorithm of CPython 3.12 and later, in every profile. That of 3.11 waited with a
 * callback and a timer of its own, in another task if it had to, and took other iterations.
 */
#include "await/task_impl.h"

#include <asy/coro.h>
#include <asy/future.h>
#include <asy/loop.h>
#include <asy/task.h>
#include <math.h>

/* ---- cancel and wait ------------------------------------------------------------ */

struct cancel_and_wait {
    asy_coro    co;
    asy_loop   *loop;
    asy_future *future;
    asy_future *waiter;
};

static asy_error *
cancel_future(struct cancel_and_wait *self)
{
    self->waiter = asy_loop_create_future(self->loop);
    TRY(asy_future_add_done_callback(self->future, waiter_releasing(self->waiter), NULL));
    return asy_future_cancel(self->future, NULL, NULL);
}

/* Not by an await of the future itself: whoever is cancelled meanwhile would cancel it again, and
 * not know whose CancelledError it gets. */
ASYNC(cancel_and_wait)
{
    ASYNC_BEGIN;

    TRY(cancel_future(self));
    AWAIT(self->waiter);

    ASYNC_END;
}

FINALLY(cancel_and_wait)
{
    if (self->waiter)
        waiter_forget(self->waiter, self->future);
    asy_future_unref(self->waiter);
    asy_future_unref(self->future);
}

/* CPython: tasks._cancel_and_wait */
static asy_coro *
cancel_and_wait(asy_loop *loop, asy_future *future)
{
    return ASYNC_CALL(cancel_and_wait, .loop = loop,
                      .future = asy_future_ref(future));
}

/* ---- wait_for ------------------------------------------------------------------- */

struct wait_for {
    asy_coro    co;
    asy_loop   *loop;
    asy_future *future;
    double      seconds;
    asy_timeout timeout;
};

/* future.result(), in whose CancelledError a timeout speaks. */
static asy_error *
result_or_timeout(asy_future *future)
{
    asy_error *err = asy_future_result(future, NULL);

    if (!asy_error_is_a(err, ASY_CancelledError))
        return err;
    asy_error *timeout = asy_error_new(ASY_TimeoutError, "%s", "");
    timeout->cause = err;
    return timeout;
}

ASYNC(wait_for)
{
    asy_error *err;

    ASYNC_BEGIN;

    if (self->seconds == 0) {
        if (asy_future_done(self->future))
            return asy_future_result(self->future, NULL);
        AWAIT(cancel_and_wait(self->loop, self->future));
        return result_or_timeout(self->future);
    }
    if (wait_is_for_ever(self->seconds))
        self->seconds = INFINITY;
    TRY(asy_timeout_enter(&self->timeout, self->loop, self->seconds));
    TRY_AWAIT(err, self->future);
    return asy_timeout_exit(&self->timeout, err);

    ASYNC_END;
}

FINALLY(wait_for)
{
    asy_timeout_deinit(&self->timeout);
    asy_future_unref(self->future);
}

/* see task.h.  CPython: tasks.wait_for */
asy_coro *
asy_wait_for(asy_loop *loop, asy_future *future, double timeout)
{
    return ASYNC_CALL(wait_for, .loop = loop, .future = asy_future_ref(future),
                      .seconds = timeout);
}
