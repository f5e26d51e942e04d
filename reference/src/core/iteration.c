/* SPDX-License-Identifier: MIT */
/*
 * One iteration of the loop. CPython: BaseEventLoop._run_once.
 *
 * The order is the promise: what was queued before comes first, then the callbacks of the
 * descriptors that are ready, then the timers that are due; and only what is in the queue at
 * that moment runs in this iteration.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "core/loop_impl.h"

#include <math.h>
#include <sched.h>

#define MAXIMUM_SELECT_TIMEOUT (24.0 * 3600)
#define MOST_POLLS_HOLDING_LOCK 32
#define MIN_SCHEDULED_TIMER_HANDLES 100     /* purge only above this count, */
#define MIN_CANCELLED_FRACTION 0.5          /* and above this fraction of cancelled ones */

/* ---- cancelled timers --------------------------------------------------------- */

/* Take the cancelled timers out of the heap's array, leaving the others in their order, and put
 * them into a queue. */
static void
take_cancelled(struct timer_heap *heap, struct handle_queue *cancelled)
{
    size_t kept = 0;

    for (size_t i = 0; i < heap->count; i++) {
        asy_timer_handle *timer = heap->timers[i];
        if (handle_is_cancelled(&timer->handle)) {
            timer->handle.scheduled = false;
            queue_push(cancelled, &timer->handle);
        } else {
            heap->timers[kept] = timer;
            kept++;
        }
    }
    heap->count = kept;
}

static void
purge_cancelled_timers(asy_loop *loop)
{
    struct handle_queue cancelled = { 0 };

    take_cancelled(&loop->scheduled, &cancelled);
    heap_heapify(&loop->scheduled);
    loop->timer_cancelled_count = 0;
    loop_release_queue(&cancelled);
}

static asy_timer_handle *
pop_timer(asy_loop *loop)
{
    asy_timer_handle *timer = heap_pop(&loop->scheduled);
    timer->handle.scheduled = false;
    return timer;
}

static asy_timer_handle *
first_timer(const asy_loop *loop)
{
    return loop->scheduled.count > 0 ? loop->scheduled.timers[0] : NULL;
}

/* A cancelled timer stays in the heap until it gets to the front, or until more than half of
 * many timers are cancelled. Either way none is left in front, to shorten the wait. */
static void
drop_cancelled_timers(asy_loop *loop)
{
    size_t count = loop->scheduled.count;
    double cancelled = (double)loop->timer_cancelled_count;

    if (count > MIN_SCHEDULED_TIMER_HANDLES &&
        cancelled / (double)count > MIN_CANCELLED_FRACTION) {
        purge_cancelled_timers(loop);
        return;
    }
    asy_timer_handle *first;
    while ((first = first_timer(loop)) && handle_is_cancelled(&first->handle)) {
        loop->timer_cancelled_count--;
        asy_timer_handle_unref(pop_timer(loop));
    }
}

/* ---- waiting ------------------------------------------------------------------ */

/* How long the selector may wait: INFINITY for as long as it takes. */
static asy_error *
poll_timeout(asy_loop *loop, double *ret_timeout)
{
    double now;

    if (loop->ready.count > 0 || atomic_load(&loop->stopping)) {
        *ret_timeout = 0;
        return ASY_OK;
    }
    if (loop->scheduled.count == 0) {
        *ret_timeout = INFINITY;
        return ASY_OK;
    }
    double when = loop->scheduled.timers[0]->when;
    TRY(host_time(loop, &now));
    double timeout = when - now;
    if (timeout > MAXIMUM_SELECT_TIMEOUT)
        timeout = MAXIMUM_SELECT_TIMEOUT;
    else if (timeout < 0)
        timeout = 0;
    else if (isnan(timeout) && !loop->behaves[BEHAVIOUR_NAN_DEADLINE_IS_REFUSED])
        timeout = 0;
    *ret_timeout = timeout;
    return ASY_OK;
}

static void *
release_lock(void *loop)
{
    return host_release_lock(loop);
}

/* A thread that has woken the loop holds the host's lock, and is likely to give it up in a few
 * microseconds, when it waits for its next job. To be passed over by the scheduler twice takes
 * about as long, and is much cheaper than to sleep until the lock is free. */
static void
acquire_lock(void *argument, void *released)
{
    asy_loop *loop = argument;

    if (released && atomic_load(&loop->wake_pending)) {
        sched_yield();
        sched_yield();
    }
    host_acquire_lock(loop, released);
}

static asy_error *
interrupted(void *loop)
{
    return host_check_signals(loop);
}

/* A poll that may wait gives up the host's lock. One that does not is over before another thread
 * could take it, and that thread asks for the lock by other means; these need a host's code to
 * run, so now and then the lock is offered all the same. */
static asy_error *
select_ready(asy_loop *loop, double timeout)
{
    const struct selector_waiter waiter = { loop, release_lock, acquire_lock, interrupted };
    const struct selector_waiter holding = { loop, NULL, NULL, interrupted };

    if (timeout > 0)
        loop->polls_holding_lock = 0;
    else if (++loop->polls_holding_lock < MOST_POLLS_HOLDING_LOCK)
        return selector_select(loop->selector, timeout, &holding);
    loop->polls_holding_lock = 0;
    return selector_select(loop->selector, timeout, &waiter);
}

/* A clock that is driven by hand is moved instead of waiting for it. */
static asy_error *
wait_for_events(asy_loop *loop, double timeout)
{
    const asy_clock *clock = &loop->clock;

    if (!clock->advance || !isfinite(timeout) || timeout <= 0)
        return select_ready(loop, timeout);
    TRY(select_ready(loop, 0));
    if (loop->selector->ready_count == 0)
        clock->advance(clock->data, timeout);
    return ASY_OK;
}

/* Signals are looked at once an iteration even if nothing was interrupted: a host whose
 * callbacks are all written in C would see none otherwise. */
static asy_error *
poll_events(asy_loop *loop)
{
    double timeout;

    TRY(poll_timeout(loop, &timeout));
    TRY(wait_for_events(loop, timeout));
    TRY(host_check_signals(loop));
    return loop_process_events(loop);
}

/* ---- timers that are due ------------------------------------------------------ */

/* Timers before this moment are due: a timer that the clock cannot tell from now is not late. */
static asy_error *
end_of_now(asy_loop *loop, double *ret_end)
{
    double now;
    double slack = loop->clock.resolution;

    TRY(host_time(loop, &now));
    if (loop->behaves[BEHAVIOUR_DUE_WITHIN_ULP])
        slack = fmax(slack, clock_ulp(now));
    *ret_end = now + slack;
    return ASY_OK;
}

/* A deadline that is not a number is not greater than any other, so its timer is due. Without
 * timers the time does not matter; a host that has a time() of its own is asked all the same,
 * since CPython does. */
static asy_error *
move_due_timers(asy_loop *loop)
{
    double end;
    asy_timer_handle *first;

    if (loop->scheduled.count == 0 && !loop->host->time)
        return ASY_OK;
    TRY(end_of_now(loop, &end));
    while ((first = first_timer(loop)) && !(first->when >= end)) {
        pop_timer(loop);
        loop_append(loop, &first->handle);
    }
    return ASY_OK;
}

/* ---- running callbacks -------------------------------------------------------- */

/* Run a handle that has been taken from the queue, and give it back. */
static asy_error *
run_one(asy_loop *loop, asy_handle *handle)
{
    asy_error *err = ASY_OK;
    asy_handle *outer = loop->running_handle;

    if (!handle_is_cancelled(handle)) {
        loop->running_handle = handle;
        err = asy_loop_get_debug(loop) ? loop_run_timed(loop, handle) : handle_run(handle);
        loop->running_handle = outer;
    }
    asy_handle_unref(handle);
    return err;
}

/* The only place where callbacks are called. What they add waits for the next iteration; a
 * cancelled one counts as one of those that are here now. */
static asy_error *
run_ready(asy_loop *loop)
{
    loop_merge_inbox(loop);
    for (size_t left = loop->ready.count; left > 0; left--) {
        asy_handle *handle = queue_pop(&loop->ready);
        if (!handle)
            RAISE(IndexError, "pop from an empty deque");
        TRY(run_one(loop, handle));
    }
    return ASY_OK;
}

/* One iteration.  CPython: BaseEventLoop._run_once */
asy_error *
loop_run_once(asy_loop *loop)
{
    loop_merge_inbox(loop);
    drop_cancelled_timers(loop);
    TRY(poll_events(loop));
    TRY(move_due_timers(loop));
    return run_ready(loop);
}

/* see host.h */
asy_error *
asy_loop_run_once(asy_loop *loop)
{
    TRY(loop_check_closed(loop));
    return loop_run_once(loop);
}
