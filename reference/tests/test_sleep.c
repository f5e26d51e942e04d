/* SPDX-License-Identifier: MIT */
/* sleep(): the traces of oracle/await_traces.py, as CPython 3.14 prints them, and more. */
#include "await_trace.h"
#include "cancel_sweep.h"

#include <math.h>

static void
start_sleeper(struct testing *t, const char *name, double delay)
{
    trace_start(t, watch(t, name, asy_sleep(t->loop, delay)));
}

static void
sleepers_wake_in_order(void **state)
{
    struct testing *t = *state;

    start_sleeper(t, "b", 2);
    start_sleeper(t, "a", 1);
    start_sleeper(t, "n", 0);
    start_sleeper(t, "m", -1);
    trace_run(t, 7);
    require_trace(t, "1:b> 1:a> 1:n> 1:m> 2:n=ok 2:m=ok 4:a=ok 6:b=ok");
    assert_true(t->now == START + 2);
}

static void
cancelled_sleeper(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, relay(t, "a", asy_sleep(t->loop, 5)));

    trace_run(t, 1);
    require_ok(asy_task_cancel(a, NULL, NULL));
    trace_note(t, "%td", asy_loop_timer_cancelled_count(t->loop));
    trace_run(t, 1);
    trace_note(t, "%td", asy_loop_timer_cancelled_count(t->loop));
    trace_run(t, 2);
    require_trace(t, "1:a> 1:0 2:a=CancelledError 2:1");
    asy_task_unref(a);
}

static void
sleep_of_no_number_is_refused(void **state)
{
    struct testing *t = *state;
    asy_task *task = trace_task(t, asy_sleep(t->loop, NAN));

    trace_run(t, 1);
    require_error(asy_future_result(asy_task_future(task), NULL), ASY_ValueError,
                  "Invalid delay: NaN (not a number)");
    assert_int_equal(asy_loop_scheduled_count(t->loop), 0);
    asy_task_unref(task);
}

/* Seen with CPython 3.12.1. */
static void
before_3_13_sleep_of_no_number_lasts_no_time(void **state)
{
    struct testing *t = *state;

    testing_use_profile(t, 12);
    start_sleeper(t, "a", NAN);
    trace_run(t, 4);
    require_trace(t, "1:a> 3:a=ok");
    assert_true(t->now == START);
}

static void
sleep_that_is_never_awaited_schedules_nothing(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = asy_sleep(t->loop, 1);

    require_ok(asy_coro_close(coro));
    asy_coro_unref(coro);
    assert_int_equal(asy_loop_scheduled_count(t->loop), 0);
}

/* The loop's own thread finds the future cancelled when the timer is due in that iteration. */
static void
timer_that_is_due_when_the_sleeper_is_cancelled_does_no_harm(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, relay(t, "a", asy_sleep(t->loop, 1)));

    trace_run(t, 1);
    require_ok(asy_task_cancel(a, NULL, NULL));
    t->now += 1;
    trace_run(t, 3);
    require_trace(t, "1:a> 2:a=CancelledError");
    asy_task_unref(a);
    assert_string_equal(t->log, "");
}

/* ---- the cancel sweep --------------------------------------------------------------- */

static asy_coro *
make_sleep(struct testing *t, void **ret_data)
{
    (void)ret_data;
    return asy_sleep(t->loop, 1);
}

static asy_coro *
make_yield(struct testing *t, void **ret_data)
{
    (void)ret_data;
    return asy_sleep(t->loop, 0);
}

/* The sweep moves the clock by a moment. */
static void
require_one_second(struct testing *t, void *data)
{
    (void)data;
    assert_true(t->now >= START + 1 && t->now < START + 1.01);
}

static void
sleep_may_be_cancelled_at_any_time(void **state)
{
    (void)state;
    assert_int_equal(cancel_sweep(&(struct cancel_sweep){
        .name = "sleep", .make = make_sleep, .require_result = require_one_second,
    }), 3);
    assert_int_equal(cancel_sweep(&(struct cancel_sweep){
        .name = "sleep of no time", .make = make_yield,
    }), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(sleepers_wake_in_order),
        trace_case(cancelled_sleeper),
        trace_case(sleep_of_no_number_is_refused),
        trace_case(before_3_13_sleep_of_no_number_lasts_no_time),
        trace_case(sleep_that_is_never_awaited_schedules_nothing),
        trace_case(timer_that_is_due_when_the_sleeper_is_cancelled_does_no_harm),
        cmocka_unit_test(sleep_may_be_cancelled_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
