/* SPDX-License-Identifier: MIT */
/*
 * wait() and wait_for(): the traces of oracle/await_traces.py, as CPython 3.14 prints them, and
 * more. The traces of wait_for() are not those of 3.11, which had another algorithm.
 */
#include "await_trace.h"
#include "cancel_sweep.h"

#include <math.h>

#define FOR_EVER (-1.0)

static asy_coro *
wait_two(struct testing *t, asy_task *a, asy_task *b, asy_return_when return_when)
{
    asy_future *const futures[] = { asy_task_future(a), asy_task_future(b) };
    return asy_wait(t->loop, futures, 2, FOR_EVER, return_when);
}

static asy_coro *
wait_one(struct testing *t, asy_future *future, double timeout)
{
    return asy_wait(t->loop, &future, 1, timeout, ASY_ALL_COMPLETED);
}

/* Look at the task's exception, so that nobody is told. */
static void
retrieve(asy_task *task)
{
    asy_error *exception;
    require_ok(asy_future_exception(asy_task_future(task), &exception));
}

/* ---- wait --------------------------------------------------------------------------- */

static void
wait_for_all(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 1));
    asy_task *b = trace_task(t, nap_and_raise(t, "b", 3));

    trace_start(t, watch(t, "w", wait_two(t, a, b, ASY_ALL_COMPLETED)));
    trace_run(t, 9);
    require_trace(t, "1:a> 1:b> 1:w> 2:a. 4:bx 6:w=ok");
    retrieve(b);
    asy_task_unref(a);
    asy_task_unref(b);
}

static void
wait_for_the_first(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 1));
    asy_task *b = trace_task(t, nap(t, "b", 4));

    trace_start(t, watch(t, "w", wait_two(t, a, b, ASY_FIRST_COMPLETED)));
    trace_run(t, 8);
    require_trace(t, "1:a> 1:b> 1:w> 2:a. 4:w=ok 5:b.");
    asy_task_unref(a);
    asy_task_unref(b);
}

static void
wait_for_the_first_exception(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 1));
    asy_task *b = trace_task(t, nap_and_raise(t, "b", 2));
    asy_task *c = trace_task(t, nap(t, "c", 6));
    asy_future *const futures[] = {
        asy_task_future(a), asy_task_future(b), asy_task_future(c),
    };

    trace_start(t, watch(t, "w", asy_wait(t->loop, futures, 3, FOR_EVER, ASY_FIRST_EXCEPTION)));
    trace_run(t, 9);
    require_trace(t, "1:a> 1:b> 1:c> 1:w> 2:a. 3:bx 5:w=ok 7:c.");
    asy_task_unref(a);
    asy_task_unref(b);
    asy_task_unref(c);
    assert_string_equal(t->log, "");
}

static void
wait_times_out(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, watch(t, "a", asy_sleep(t->loop, 3)));

    trace_start(t, watch(t, "w", wait_one(t, asy_task_future(a), 1)));
    trace_run(t, 8);
    require_trace(t, "1:a> 1:w> 3:w=ok 5:a=ok");
    assert_true(t->now == START + 3);
    asy_task_unref(a);
}

static void
wait_is_cancelled_in_the_iteration_of_the_end(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_task *w = trace_task(t, relay(t, "w", wait_one(t, future, FOR_EVER)));

    trace_note_task_done(t, "w done", w);
    trace_run(t, 2);
    require_ok(asy_task_cancel(w, NULL, NULL));
    require_ok(asy_future_set_result(future, NULL, NULL));
    trace_run(t, 4);
    require_trace(t, "1:w> 3:w=CancelledError 4:w done");
    asy_task_unref(w);
    asy_future_unref(future);
    assert_string_equal(t->log, "");
}

static void
wait_for_nothing_is_refused(void **state)
{
    struct testing *t = *state;
    asy_task *w = trace_task(t, asy_wait(t->loop, NULL, 0, FOR_EVER, ASY_ALL_COMPLETED));

    trace_run(t, 1);
    require_error(asy_future_result(asy_task_future(w), NULL), ASY_ValueError,
                  "Set of Tasks/Futures is empty.");
    asy_task_unref(w);
}

static void
future_may_come_twice(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 1));

    trace_start(t, watch(t, "w", wait_two(t, a, a, ASY_ALL_COMPLETED)));
    trace_run(t, 5);
    require_trace(t, "1:a> 1:w> 2:a. 4:w=ok");
    asy_task_unref(a);
}

static void
no_callback_is_left_at_what_is_not_done(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    trace_start(t, watch(t, "w", wait_one(t, future, 1)));
    trace_run(t, 2);
    assert_int_equal(future->callback_count, 1);
    trace_run(t, 2);
    require_trace(t, "1:w> 3:w=ok");
    assert_int_equal(future->callback_count, 0);
    asy_future_unref(future);
}

/* ---- wait_for ------------------------------------------------------------------------ */

static void
start_wait_for(struct testing *t, asy_task *task, double timeout)
{
    trace_start(t, watch(t, "w", asy_wait_for(t->loop, asy_task_future(task), timeout)));
}

static void
wait_for_in_time(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 2));

    start_wait_for(t, a, 5);
    trace_run(t, 6);
    require_trace(t, "1:a> 1:w> 3:a. 4:w=ok");
    asy_task_unref(a);
}

static void
wait_for_too_long(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, relay(t, "a", asy_sleep(t->loop, 5)));

    start_wait_for(t, a, 1);
    trace_run(t, 8);
    require_trace(t, "1:a> 1:w> 3:a=CancelledError 4:w=TimeoutError");
    assert_true(t->now == START + 1);
    asy_task_unref(a);
}

static void
wait_for_no_time(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 1));

    start_wait_for(t, a, 0);
    trace_run(t, 6);
    require_trace(t, "1:a> 1:w> 2:a! 4:w=TimeoutError");
    asy_task_unref(a);
}

static void
wait_for_no_time_what_refuses(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, stubborn(t, "a", 2));

    trace_run(t, 1);
    start_wait_for(t, a, 0);
    trace_run(t, 7);
    require_trace(t, "1:a> 2:w> 3:a! 3:a> 5:a. 7:w=ok");
    asy_task_unref(a);
}

static void
wait_for_no_time_is_cancelled(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, stubborn(t, "a", 3));

    trace_run(t, 1);
    asy_task *w = trace_task(t, relay(t, "w", asy_wait_for(t->loop, asy_task_future(a), 0)));
    trace_run(t, 2);
    require_ok(asy_task_cancel(w, NULL, NULL));
    trace_run(t, 1);
    trace_note(t, "%zu", asy_task_future(a)->callback_count);
    trace_run(t, 3);
    trace_note_cancelled(t, asy_task_future(w));
    require_trace(t, "1:a> 2:w> 3:a! 3:a> 4:w=CancelledError 4:0 6:a. 7:cancelled");
    asy_task_unref(w);
    asy_task_unref(a);
}

static void
wait_for_what_ends_when_the_time_is_over(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, asy_sleep(t->loop, 1));
    asy_task *w = trace_task(t, relay(t, "w", asy_wait_for(t->loop, asy_task_future(a), 1)));

    trace_note_task_done(t, "w done", w);
    trace_run(t, 7);
    require_error(asy_future_result(asy_task_future(w), NULL), ASY_TimeoutError, "");
    trace_note_cancelled(t, asy_task_future(a));
    require_trace(t, "1:w> 4:w=TimeoutError 5:w done 7:cancelled");
    asy_task_unref(w);
    asy_task_unref(a);
}

static void
wait_for_is_cancelled(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, relay(t, "a", asy_sleep(t->loop, 5)));
    asy_task *w = trace_task(t, relay(t, "w", asy_wait_for(t->loop, asy_task_future(a), 9)));

    trace_note_task_done(t, "w done", w);
    trace_run(t, 2);
    require_ok(asy_task_cancel(w, NULL, NULL));
    trace_run(t, 5);
    require_trace(t, "1:a> 1:w> 3:a=CancelledError 4:w=CancelledError 5:w done");
    asy_task_unref(w);
    asy_task_unref(a);
}

static void
wait_for_ever_has_no_timer(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    trace_start(t, watch(t, "a", asy_wait_for(t->loop, future, FOR_EVER)));
    trace_start(t, watch(t, "b", asy_wait_for(t->loop, future, NAN)));
    trace_start(t, watch(t, "c", wait_one(t, future, NAN)));
    trace_run(t, 1);
    assert_int_equal(asy_loop_scheduled_count(t->loop), 0);
    require_ok(asy_future_set_result(future, NULL, NULL));
    trace_run(t, 3);
    require_trace(t, "1:a> 1:b> 1:c> 2:a=ok 2:b=ok 3:c=ok");
    asy_future_unref(future);
}

static void
wait_for_raises_what_the_future_raises_and_needs_no_time_for_what_is_done(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap_and_raise(t, "a", 0));
    asy_task *b = trace_task(t, nap(t, "b", 0));

    trace_run(t, 1);
    trace_start(t, watch(t, "v", asy_wait_for(t->loop, asy_task_future(a), 1)));
    start_wait_for(t, a, 0);
    start_wait_for(t, b, 0);
    trace_run(t, 1);
    require_trace(t, "1:a> 1:ax 1:b> 1:b. 2:v> 2:v=LookupError 2:w> 2:w=LookupError 2:w> 2:w=ok");
    asy_task_unref(a);
    asy_task_unref(b);
}

/* ---- the cancel sweep --------------------------------------------------------------- */

struct wait_data {
    asy_task *task;
};

static asy_task *
make_sleeper(struct testing *t, void **ret_data)
{
    struct wait_data *data = asy_alloc(sizeof *data);

    data->task = trace_task(t, asy_sleep(t->loop, 2));
    *ret_data = data;
    return data->task;
}

static asy_coro *
make_wait(struct testing *t, void **ret_data)
{
    asy_future *future = asy_task_future(make_sleeper(t, ret_data));
    return asy_wait(t->loop, &future, 1, 5, ASY_ALL_COMPLETED);
}

static asy_coro *
make_wait_that_times_out(struct testing *t, void **ret_data)
{
    asy_future *future = asy_task_future(make_sleeper(t, ret_data));
    return asy_wait(t->loop, &future, 1, 1, ASY_ALL_COMPLETED);
}

static asy_coro *
make_wait_for(struct testing *t, void **ret_data)
{
    return asy_wait_for(t->loop, asy_task_future(make_sleeper(t, ret_data)), 5);
}

static asy_coro *
make_wait_for_too_long(struct testing *t, void **ret_data)
{
    return asy_wait_for(t->loop, asy_task_future(make_sleeper(t, ret_data)), 1);
}

static asy_coro *
make_wait_for_no_time(struct testing *t, void **ret_data)
{
    return asy_wait_for(t->loop, asy_task_future(make_sleeper(t, ret_data)), 0);
}

/* The sweep moves the clock by a moment. */
static void
require_slept(struct testing *t, void *data)
{
    struct wait_data *wait = data;

    assert_true(asy_future_done(asy_task_future(wait->task)));
    assert_true(t->now >= START + 2 && t->now < START + 2.01);
}

/* Those that wait() does not cancel end by themselves. */
static void
release_sleeper(struct testing *t, void *data)
{
    struct wait_data *wait = data;

    while (!asy_future_done(asy_task_future(wait->task)))
        testing_run_once(t);
    assert_int_equal(asy_task_future(wait->task)->callback_count, 0);
    asy_task_unref(wait->task);
}

static int
sweep(const char *name, asy_coro *(*make)(struct testing *, void **), bool completes,
      asy_error_kind raises)
{
    return cancel_sweep(&(struct cancel_sweep){
        .name = name, .make = make, .require_result = completes ? require_slept : NULL,
        .release = release_sleeper, .raises = raises,
    });
}

static void
wait_may_be_cancelled_at_any_time(void **state)
{
    (void)state;
    assert_int_equal(sweep("wait", make_wait, true, 0), 5);
    assert_int_equal(sweep("wait that times out", make_wait_that_times_out, false, 0), 3);
}

static void
wait_for_may_be_cancelled_at_any_time(void **state)
{
    (void)state;
    assert_int_equal(sweep("wait_for", make_wait_for, true, 0), 4);
    assert_int_equal(sweep("wait_for too long", make_wait_for_too_long, false,
                           ASY_TimeoutError), 4);
    assert_int_equal(sweep("wait_for no time", make_wait_for_no_time, false,
                           ASY_TimeoutError), 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(wait_for_all),
        trace_case(wait_for_the_first),
        trace_case(wait_for_the_first_exception),
        trace_case(wait_times_out),
        trace_case(wait_is_cancelled_in_the_iteration_of_the_end),
        trace_case(wait_for_nothing_is_refused),
        trace_case(future_may_come_twice),
        trace_case(no_callback_is_left_at_what_is_not_done),
        trace_case(wait_for_in_time),
        trace_case(wait_for_too_long),
        trace_case(wait_for_no_time),
        trace_case(wait_for_no_time_what_refuses),
        trace_case(wait_for_no_time_is_cancelled),
        trace_case(wait_for_what_ends_when_the_time_is_over),
        trace_case(wait_for_is_cancelled),
        trace_case(wait_for_ever_has_no_timer),
        trace_case(wait_for_raises_what_the_future_raises_and_needs_no_time_for_what_is_done),
        cmocka_unit_test(wait_may_be_cancelled_at_any_time),
        cmocka_unit_test(wait_for_may_be_cancelled_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
