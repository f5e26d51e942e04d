/* SPDX-License-Identifier: MIT */
/* shield(): the traces of oracle/await_traces.py, as CPython 3.14 prints them, and more. */
#include "await_trace.h"
#include "cancel_sweep.h"

static asy_future *
shield(asy_task *task)
{
    return asy_shield(asy_task_future(task));
}

static void
shield_passes_the_end_on(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 1));

    trace_start(t, watch(t, "w", awaiting_stolen(shield(a))));
    trace_run(t, 6);
    require_trace(t, "1:a> 1:w> 2:a. 4:w=ok");
    asy_task_unref(a);
}

static void
shield_is_cancelled(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 4));
    asy_task *w = trace_task(t, relay(t, "w", awaiting_stolen(shield(a))));

    trace_note_task_done(t, "w done", w);
    trace_run(t, 2);
    require_ok(asy_task_cancel(w, NULL, NULL));
    trace_run(t, 6);
    require_trace(t, "1:a> 1:w> 3:w=CancelledError 4:w done 5:a.");
    assert_false(asy_future_cancelled(asy_task_future(a)));
    asy_task_unref(w);
    asy_task_unref(a);
}

static void
shielded_task_is_cancelled(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 9));
    asy_future *s = shield(a);
    asy_task *w = trace_task(t, relay(t, "w", awaiting(s)));

    trace_note_task_done(t, "w done", w);
    trace_run(t, 2);
    require_ok(asy_task_cancel(a, NULL, NULL));
    trace_run(t, 6);
    trace_note_cancelled(t, s);
    require_trace(t, "1:a> 1:w> 3:a! 5:w=CancelledError 6:w done 8:cancelled");
    asy_task_unref(w);
    asy_future_unref(s);
    asy_task_unref(a);
}

static void
raise_after_the_cancellation(struct testing *t)
{
    trace_reports(t);
    asy_task *a = trace_task(t, nap_and_raise(t, "a", 3));
    asy_task *w = trace_task(t, relay(t, "w", awaiting_stolen(shield(a))));
    trace_run(t, 2);
    require_ok(asy_task_cancel(w, NULL, NULL));
    trace_run(t, 6);
    asy_task_unref(a);
    asy_task_unref(w);
    require_trace(t, "1:a> 1:w> 3:w=CancelledError 4:ax 8:report:Task exception was never");
}

static void
shielded_exception_after_the_cancellation(void **state)
{
    raise_after_the_cancellation(*state);
}

/* CPython 3.11, 3.12 and 3.13 print the same. */
static void
before_3_14_the_trace_of_an_exception_after_the_cancellation_is_the_same(void **state)
{
    testing_use_profile(*state, 13);
    raise_after_the_cancellation(*state);
}

static void
raise_and_cancel_at_once(struct testing *t)
{
    asy_future *inner = asy_loop_create_future(t->loop);
    asy_future *outer = asy_shield(inner);

    trace_reports(t);
    trace_run(t, 1);
    require_ok(asy_future_set_exception(inner, asy_error_new(ASY_LookupError, "inner")));
    require_ok(asy_future_cancel(outer, NULL, NULL));
    trace_run(t, 3);
    asy_future_unref(inner);
    asy_future_unref(outer);
}

static void
shielded_exception_in_the_iteration_of_the_cancellation(void **state)
{
    struct testing *t = *state;

    raise_and_cancel_at_once(t);
    require_trace(t, "4:report:Future exception was nev");
}

/* CPython 3.13.0 prints an empty trace. */
static void
before_3_14_nobody_hears_of_an_exception_in_the_iteration_of_the_cancellation(void **state)
{
    struct testing *t = *state;

    testing_use_profile(t, 13);
    raise_and_cancel_at_once(t);
    assert_string_equal(t->trace, "");
}

/* ---- more ------------------------------------------------------------------------- */

static void
future_that_is_done_needs_no_shield(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    require_ok(asy_future_set_result(future, t, NULL));
    asy_future *same = asy_shield(future);
    assert_ptr_equal(same, future);
    asy_future_unref(same);
    asy_future_unref(future);
}

static int drops;

static void
count_drop(void *result)
{
    (void)result;
    drops++;
}

static void
result_outlives_the_shielded_future(void **state)
{
    struct testing *t = *state;
    asy_future *inner = asy_loop_create_future(t->loop);
    asy_future *outer = asy_shield(inner);
    void *result;

    drops = 0;
    require_ok(asy_future_set_result(inner, t, count_drop));
    asy_future_unref(inner);
    trace_run(t, 2);
    require_ok(asy_future_result(outer, &result));
    assert_ptr_equal(result, t);
    assert_int_equal(drops, 0);
    asy_future_unref(outer);
    assert_int_equal(drops, 1);
}

static void
shield_of_a_shield_passes_an_exception_on(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap_and_raise(t, "a", 0));
    asy_future *first = shield(a);
    asy_future *second = asy_shield(first);

    trace_run(t, 4);
    require_error(asy_future_result(second, NULL), ASY_LookupError, "a");
    require_trace(t, "1:a> 1:ax");
    asy_future_unref(second);
    asy_future_unref(first);
    asy_task_unref(a);
}

/* ---- the cancel sweep --------------------------------------------------------------- */

struct shield_data {
    asy_task *inner;
};

static asy_coro *
make_shield(struct testing *t, void **ret_data)
{
    struct shield_data *data = asy_alloc(sizeof *data);

    data->inner = trace_task(t, asy_sleep(t->loop, 2));
    *ret_data = data;
    return awaiting_stolen(shield(data->inner));
}

/* Whether or not its shield was cancelled. */
static void
release_shield(struct testing *t, void *data)
{
    struct shield_data *shielded = data;

    while (!asy_future_done(asy_task_future(shielded->inner)))
        testing_run_once(t);
    require_ok(asy_future_result(asy_task_future(shielded->inner), NULL));
    asy_task_unref(shielded->inner);
}

static void
shield_may_be_cancelled_at_any_time(void **state)
{
    (void)state;
    assert_int_equal(cancel_sweep(&(struct cancel_sweep){
        .name = "shield", .make = make_shield, .release = release_shield,
    }), 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(shield_passes_the_end_on),
        trace_case(shield_is_cancelled),
        trace_case(shielded_task_is_cancelled),
        trace_case(shielded_exception_after_the_cancellation),
        trace_case(before_3_14_the_trace_of_an_exception_after_the_cancellation_is_the_same),
        trace_case(shielded_exception_in_the_iteration_of_the_cancellation),
        trace_case(before_3_14_nobody_hears_of_an_exception_in_the_iteration_of_the_cancellation),
        trace_case(future_that_is_done_needs_no_shield),
        trace_case(result_outlives_the_shielded_future),
        trace_case(shield_of_a_shield_passes_an_exception_on),
        cmocka_unit_test(shield_may_be_cancelled_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
