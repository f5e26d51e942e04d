/* SPDX-License-Identifier: MIT */
/* One iteration: which timers are dropped, how long it waits, which are due, what a fatal error
 * leaves behind. */
#include "testing.h"

#include "core/loop_impl.h"

#include <math.h>

static asy_timer_handle *
add_timer(struct testing *t, double when, const char *name)
{
    asy_timer_handle *timer;
    require_ok(asy_loop_call_at(t->loop, when, testing_mark(t, name), &timer));
    return timer;
}

static void
cancel(asy_timer_handle *timer)
{
    asy_handle_cancel(&timer->handle);
    asy_timer_handle_unref(timer);
}

/* One iteration with an empty batch, which does not wait. */
static void
iterate(struct testing *t)
{
    asy_loop_stop(t->loop);
    require_ok(asy_loop_run_forever(t->loop));
}

/* ---- cancelled timers --------------------------------------------------------- */

/* Spec: iteration.cancelled-timer-no-wait, call_later.cancelled-not-run */
static void
cancelled_timer_in_front_does_not_shorten_the_wait(void **state)
{
    struct testing *t = *state;
    asy_timer_handle *first = add_timer(t, START + 1, "cancelled");
    asy_timer_handle *second = add_timer(t, START + 3, "kept");

    cancel(first);
    testing_run_once(t);
    assert_true(t->now == START + 3);
    require_trace(t, "kept");
    asy_timer_handle_unref(second);
}

static void
cancelled_timer_that_is_not_in_front_stays(void **state)
{
    struct testing *t = *state;
    asy_timer_handle *first = add_timer(t, START + 1, "kept");

    cancel(add_timer(t, START + 3, "cancelled"));
    iterate(t);
    assert_int_equal(asy_loop_scheduled_count(t->loop), 2);
    assert_int_equal(asy_loop_timer_cancelled_count(t->loop), 1);
    cancel(first);
    iterate(t);
    assert_int_equal(asy_loop_scheduled_count(t->loop), 0);
    assert_int_equal(asy_loop_timer_cancelled_count(t->loop), 0);
}

/* Two timers cancelled, both due: one is in front and is dropped, the other comes to the front
 * only after a timer that is due, and is counted for ever. */
static void
cancelled_timer_that_becomes_due_is_not_taken_off_the_count(void **state)
{
    struct testing *t = *state;
    asy_timer_handle *kept = add_timer(t, START, "kept");

    cancel(add_timer(t, START + 0.5e-9, "cancelled"));
    testing_run_once(t);
    require_trace(t, "kept");
    assert_int_equal(asy_loop_scheduled_count(t->loop), 0);
    assert_int_equal(asy_loop_timer_cancelled_count(t->loop), 1);
    asy_timer_handle_unref(kept);
}

/* Of `total` timers, cancel the last `cancelled` and say how many are left after an iteration. */
static size_t
left_after_purge(struct testing *t, int total, int cancelled)
{
    asy_timer_handle *timers[300];

    for (int i = 0; i < total; i++)
        timers[i] = add_timer(t, START + 10 + i, "timer");
    for (int i = 0; i < total; i++) {
        if (i >= total - cancelled)
            asy_handle_cancel(&timers[i]->handle);
    }
    iterate(t);
    size_t left = asy_loop_scheduled_count(t->loop);
    for (int i = 0; i < total; i++)
        cancel(timers[i]);
    iterate(t);
    return left;
}

static void
purge_needs_more_than_a_hundred_and_more_than_half(void **state)
{
    struct testing *t = *state;
    assert_int_equal(left_after_purge(t, 100, 99), 100);
    assert_int_equal(left_after_purge(t, 101, 50), 101);
    assert_int_equal(left_after_purge(t, 101, 51), 50);
    assert_int_equal(left_after_purge(t, 200, 100), 200);
    assert_int_equal(left_after_purge(t, 200, 101), 99);
}

static void
purge_resets_the_count_and_marks_the_purged_as_not_scheduled(void **state)
{
    struct testing *t = *state;
    asy_timer_handle *timers[120];

    for (int i = 0; i < 120; i++)
        timers[i] = add_timer(t, START + 10, "timer");
    for (int i = 0; i < 100; i++)
        asy_handle_cancel(&timers[i]->handle);
    assert_int_equal(asy_loop_timer_cancelled_count(t->loop), 100);
    iterate(t);
    assert_int_equal(asy_loop_timer_cancelled_count(t->loop), 0);
    assert_int_equal(asy_loop_scheduled_count(t->loop), 20);
    for (int i = 0; i < 120; i++) {
        assert_int_equal(timers[i]->handle.scheduled, i >= 100);
        asy_timer_handle_unref(timers[i]);
    }
}

/* 120 timers on three deadlines, of which all but these are cancelled: the order in which CPython
 * runs them, which follows from the heapify() of what a purge leaves. */
static const int order_after_purge[] = {
    84, 42, 21, 0, 78, 36, 63, 15, 105, 57, 99, 50, 92, 98, 56, 35, 77,
    8, 71, 14, 119, 29, 113, 28, 85, 91, 106, 43, 49, 1, 22, 112, 64, 70,
    7,
};
#define LEFT_AFTER_PURGE (sizeof order_after_purge / sizeof order_after_purge[0])

struct numbered {
    int  number;
    int *order;
    int *count;
};

static asy_error *
note_number(void *argument)
{
    struct numbered *numbered = argument;
    numbered->order[*numbered->count] = numbered->number;
    ++*numbered->count;
    return ASY_OK;
}

static void
timers_left_by_a_purge_run_in_the_order_of_cpython(void **state)
{
    struct testing *t = *state;
    asy_timer_handle *timers[120];
    struct numbered numbers[120];
    int order[120], count = 0;

    for (int i = 0; i < 120; i++) {
        numbers[i] = (struct numbered){ i, order, &count };
        require_ok(asy_loop_call_at(t->loop, START + 1 + (i * 5) % 3,
                                    asy_borrow(note_number, &numbers[i]), &timers[i]));
    }
    for (int i = 0; i < 120; i++) {
        if (i % 7 >= 2)
            asy_handle_cancel(&timers[i]->handle);
        asy_timer_handle_unref(timers[i]);
    }
    for (int i = 0; i < 3; i++)
        testing_run_once(t);
    assert_int_equal(count, LEFT_AFTER_PURGE);
    for (size_t i = 0; i < LEFT_AFTER_PURGE; i++)
        assert_int_equal(order[i], order_after_purge[i]);
}

static void
timer_that_has_run_is_not_counted_when_it_is_cancelled(void **state)
{
    struct testing *t = *state;
    asy_timer_handle *timer = add_timer(t, START, "ran");

    testing_run_once(t);
    cancel(timer);
    require_trace(t, "ran");
    assert_int_equal(asy_loop_timer_cancelled_count(t->loop), 0);
}

/* ---- waiting ------------------------------------------------------------------ */

/* Spec: iteration.no-timeout-when-ready */
static void
loop_does_not_wait_while_something_is_queued(void **state)
{
    struct testing *t = *state;
    require_ok(asy_loop_call_later(t->loop, 100, testing_mark(t, "timer"), NULL));
    testing_call_soon(t, "queued");
    testing_run_once(t);
    assert_true(t->now == START);
    require_trace(t, "queued");
}

/* Spec: call_later.no-day-limit */
static void
far_timers_are_waited_for_a_day_at_a_time(void **state)
{
    struct testing *t = *state;
    require_ok(asy_loop_call_later(t->loop, 2.5 * 86400, testing_mark(t, "far"), NULL));
    require_ok(asy_loop_call_later(t->loop, INFINITY, testing_mark(t, "never"), NULL));
    testing_run_once(t);
    assert_true(t->now == START + 86400);
    testing_run_once(t);
    require_trace(t, "");
    testing_run_once(t);
    require_trace(t, "far");
    assert_true(t->now == START + 2.5 * 86400);
    testing_run_once(t);
    assert_true(t->now == START + 3.5 * 86400);
    require_trace(t, "");
}

/* ---- due timers --------------------------------------------------------------- */

/* The clock's resolution is 1e-9: a timer within it is due, one at its end is not. */
static void
timer_within_the_resolution_of_the_clock_is_due(void **state)
{
    struct testing *t = *state;

    testing_use_profile(t, 14);
    t->now = 1;
    asy_timer_handle_unref(add_timer(t, 1 + 0.9e-9, "within"));
    asy_timer_handle_unref(add_timer(t, 1 + 1e-9, "end"));
    iterate(t);
    require_trace(t, "within");
    iterate(t);
    require_trace(t, "");
}

/* Two doubles near 2**30 are 2.4e-7 apart. From 3.15 on the next one counts as now. */
static void
slack_for_due_timers_grows_with_the_time_since_3_15(void **state)
{
    struct testing *t = *state;
    double now = ldexp(1, 30) + 0.5;
    double next = nextafter(now, INFINITY);
    double half = ldexp(1, 52);     /* where doubles are 1 apart */

    for (int profile = 14; profile <= 15; profile++) {
        testing_use_profile(t, profile);
        t->now = now;
        asy_timer_handle_unref(add_timer(t, next, "next"));
        iterate(t);
        require_trace(t, "");
        t->now = half;
        asy_timer_handle_unref(add_timer(t, half, "now"));
        iterate(t);
        require_trace(t, profile == 15 ? "next now" : "next");
    }
}

/* Before 3.13 min(max(0, nan), maximum) is 0, and nothing is less than a deadline of nan. */
static void
deadline_that_is_not_a_number_is_refused_since_3_13(void **state)
{
    struct testing *t = *state;

    testing_use_profile(t, 12);
    asy_timer_handle_unref(add_timer(t, NAN, "nan"));
    testing_run_once(t);
    require_trace(t, "nan");
    testing_use_profile(t, 13);
    asy_timer_handle_unref(add_timer(t, NAN, "nan"));
    require_error(asy_loop_run_once(t->loop), ASY_ValueError,
                  "cannot convert float NaN to integer");
    testing_call_soon(t, "soon");
    testing_run_once(t);
    require_trace(t, "soon nan");
}

/* ---- the batch ---------------------------------------------------------------- */

/* Spec: run_forever.base-exception */
static void
fatal_error_leaves_the_rest_of_the_batch_queued(void **state)
{
    struct testing *t = *state;

    testing_call_soon(t, "before");
    require_ok(asy_loop_call_soon(t->loop, testing_raise(t, "fatal", ASY_KeyboardInterrupt), NULL));
    testing_call_soon(t, "after");
    require_error(asy_loop_run_once(t->loop), ASY_KeyboardInterrupt, "fatal raised");
    require_trace(t, "before fatal");
    assert_int_equal(asy_loop_ready_count(t->loop), 1);
    testing_run_once(t);
    require_trace(t, "after");
}

/* Spec: call_soon.exception-isolated */
static void
other_errors_do_not_disturb_the_batch(void **state)
{
    struct testing *t = *state;

    require_ok(asy_loop_call_soon(t->loop, testing_raise(t, "error", ASY_BaseException), NULL));
    testing_call_soon(t, "after");
    testing_run_once(t);
    require_trace(t, "error after");
    t->log[0] = '\0';
}

static asy_error *
run_nested(void *argument)
{
    struct testing *t = argument;
    return asy_loop_run_once(t->loop);
}

/* Nobody should, but a batch that somebody else has eaten must end in an exception. */
static void
batch_that_is_eaten_by_a_nested_iteration_raises(void **state)
{
    struct testing *t = *state;
    require_ok(asy_loop_call_soon(t->loop, asy_borrow(run_nested, t), NULL));
    testing_call_soon(t, "eaten");
    require_error(asy_loop_run_once(t->loop), ASY_IndexError, "pop from an empty deque");
    require_trace(t, "eaten");
}

/* ---- a host that raises ------------------------------------------------------- */

static const char *failing;

static asy_error *
fail_signals(void *host)
{
    (void)host;
    return failing ? asy_error_new(ASY_KeyboardInterrupt, "%s", failing) : ASY_OK;
}

static asy_error *
fail_time(void *host, double *ret_time)
{
    (void)host;
    *ret_time = START;
    return failing ? asy_error_new(ASY_ValueError, "%s", failing) : ASY_OK;
}

static void
run_with_host(struct testing *t, const asy_host *host, asy_error_kind kind)
{
    asy_loop_options options = testing_options(t);

    options.host = host;
    asy_loop *loop = testing_new_loop(&options);
    require_ok(asy_loop_call_soon(loop, testing_mark(t, "queued"), NULL));
    failing = "of the host";
    require_error(asy_loop_run_once(loop), kind, failing);
    require_trace(t, "");
    failing = NULL;
    require_ok(asy_loop_run_once(loop));
    require_trace(t, "queued");
    testing_close(loop);
}

static void
error_of_a_signal_handler_or_clock_leaves_the_queue_intact(void **state)
{
    struct testing *t = *state;
    const asy_host raises_from_signals = { .check_signals = fail_signals };
    const asy_host raises_from_time = { .time = fail_time };

    run_with_host(t, &raises_from_signals, ASY_KeyboardInterrupt);
    run_with_host(t, &raises_from_time, ASY_ValueError);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(cancelled_timer_in_front_does_not_shorten_the_wait),
        testing_case(cancelled_timer_that_is_not_in_front_stays),
        testing_case(cancelled_timer_that_becomes_due_is_not_taken_off_the_count),
        testing_case(purge_needs_more_than_a_hundred_and_more_than_half),
        testing_case(purge_resets_the_count_and_marks_the_purged_as_not_scheduled),
        testing_case(timers_left_by_a_purge_run_in_the_order_of_cpython),
        testing_case(timer_that_has_run_is_not_counted_when_it_is_cancelled),
        testing_case(loop_does_not_wait_while_something_is_queued),
        testing_case(far_timers_are_waited_for_a_day_at_a_time),
        testing_case(timer_within_the_resolution_of_the_clock_is_due),
        testing_case(slack_for_due_timers_grows_with_the_time_since_3_15),
        testing_case(deadline_that_is_not_a_number_is_refused_since_3_13),
        testing_case(fatal_error_leaves_the_rest_of_the_batch_queued),
        testing_case(other_errors_do_not_disturb_the_batch),
        testing_case(batch_that_is_eaten_by_a_nested_iteration_raises),
        testing_case(error_of_a_signal_handler_or_clock_leaves_the_queue_intact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
