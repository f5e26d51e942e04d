/* SPDX-License-Identifier: MIT */
/*
 * asyncio.timeout(): a block that ends in time, because its task is cancelled.
 *
 * The difficulty is to know afterwards whose cancellation it was. The task counts requests to
 * cancel. The timeout remembers the count with which it was entered; when it has added a request
 * of its own, it takes that back at the end, and if the count is then what it was, nobody else
 * has asked: the CancelledError becomes a TimeoutError. Otherwise it stays one, for whoever did.
 *
 *     CREATED --enter--> ENTERED --exit--> EXITED
 *                           |
 *                     on_timeout, by a timer
 *                           v
 *                       EXPIRING --exit--> EXPIRED
 *
 * The timer's callback borrows the timeout, which lies in a frame: leaving the block, or the
 * frame's FINALLY, cancels it.
 */
#include "core/loop_impl.h"

#include <asy/loop.h>
#include <asy/task.h>
#include <math.h>

/* ---- the timer ----------------------------------------------------------------- */

static void
drop_timer(asy_timeout *self)
{
    asy_handle *timer = self->timer;

    self->timer = NULL;
    if (timer)
        asy_handle_cancel(timer);
    asy_handle_unref(timer);
}

/* CPython: Timeout._on_timeout */
static asy_error *
on_timeout(void *argument)
{
    asy_timeout *self = argument;

    TRY(asy_task_cancel(self->task, NULL, NULL));
    self->state = ASY_TIMEOUT_EXPIRING;
    self->timer = asy_handle_unref(self->timer);
    return ASY_OK;
}

/* A deadline that has passed is for the next iteration, ahead of the timers that are due. */
static asy_error *
schedule(asy_timeout *self)
{
    asy_callback callback = asy_borrow(on_timeout, self);
    asy_timer_handle *timer;
    double now;

    if (self->when == INFINITY)
        return ASY_OK;
    TRY(host_time(self->loop, &now));
    if (self->when <= now)
        return asy_loop_call_soon(self->loop, callback, &self->timer);
    TRY(asy_loop_call_at(self->loop, self->when, callback, &timer));
    self->timer = asy_timer_handle_base(timer);
    return ASY_OK;
}

static asy_error *
not_entered(const asy_timeout *self)
{
    static const char *const names[] = {
        [ASY_TIMEOUT_EXPIRING] = "expiring",
        [ASY_TIMEOUT_EXPIRED] = "expired",
        [ASY_TIMEOUT_EXITED] = "finished",
    };

    if (self->state == ASY_TIMEOUT_CREATED)
        RAISE(RuntimeError, "Timeout has not been entered");
    RAISE(RuntimeError, "Cannot change state of %s Timeout", names[self->state]);
}

/* see task.h.  CPython: Timeout.reschedule */
asy_error *
asy_timeout_reschedule(asy_timeout *self, double when)
{
    if (self->state != ASY_TIMEOUT_ENTERED)
        return not_entered(self);
    self->when = when;
    drop_timer(self);
    return schedule(self);
}

/* ---- the block ----------------------------------------------------------------- */

/* see task.h.  CPython: timeouts.timeout_at, Timeout.__aenter__ */
asy_error *
asy_timeout_enter_at(asy_timeout *self, asy_loop *loop, double when)
{
    asy_task *task = asy_current_task(loop);

    if (self->state != ASY_TIMEOUT_CREATED)
        RAISE(RuntimeError, "Timeout has already been entered");
    if (!task)
        RAISE(RuntimeError, "Timeout should be used inside a task");
    self->state = ASY_TIMEOUT_ENTERED;
    self->loop = loop;
    self->task = asy_task_ref(task);
    self->cancelling = asy_task_cancelling(task);
    return asy_timeout_reschedule(self, when);
}

/* see task.h.  CPython: timeouts.timeout, Timeout.__aenter__ */
asy_error *
asy_timeout_enter(asy_timeout *self, asy_loop *loop, double delay)
{
    double now;

    TRY(host_time(loop, &now));
    return asy_timeout_enter_at(self, loop, now + delay);
}

/* Take the timeout's request to cancel back. Steals raised. */
static asy_error *
expire(asy_timeout *self, asy_error *raised)
{
    bool nobody_else = asy_task_uncancel(self->task) <= self->cancelling;

    self->state = ASY_TIMEOUT_EXPIRED;
    if (!nobody_else || !asy_error_is_a(raised, ASY_CancelledError))
        return raised;
    asy_error *timeout = asy_error_new(ASY_TimeoutError, "%s", "");
    timeout->cause = raised;
    return timeout;
}

/* see task.h.  CPython: Timeout.__aexit__ */
asy_error *
asy_timeout_exit(asy_timeout *self, asy_error *raised)
{
    drop_timer(self);
    if (self->state == ASY_TIMEOUT_EXPIRING)
        return expire(self, raised);
    if (self->state == ASY_TIMEOUT_ENTERED)
        self->state = ASY_TIMEOUT_EXITED;
    return raised;
}

/* see task.h */
void
asy_timeout_deinit(asy_timeout *self)
{
    drop_timer(self);
    self->task = asy_task_unref(self->task);
}

/* ---- attributes ---------------------------------------------------------------- */

/* see task.h */
double
asy_timeout_when(const asy_timeout *self)
{
    return self->when;
}

/* see task.h */
bool
asy_timeout_expired(const asy_timeout *self)
{
    return self->state == ASY_TIMEOUT_EXPIRING || self->state == ASY_TIMEOUT_EXPIRED;
}
