/* SPDX-License-Identifier: MIT */
/* gather(): the traces of oracle/await_traces.py, as CPython 3.14 prints them, and more. */
#include "await_trace.h"
#include "cancel_sweep.h"

static asy_future *
gather(struct testing *t, asy_future *const *futures, size_t count, bool return_exceptions)
{
    asy_future *gathering;
    require_ok(asy_gather(t->loop, futures, count, return_exceptions, &gathering));
    return gathering;
}

/* Gather two tasks, which stay the caller's. */
static asy_future *
gather_two(struct testing *t, asy_task *a, asy_task *b, bool return_exceptions)
{
    asy_future *const futures[] = { asy_task_future(a), asy_task_future(b) };
    return gather(t, futures, 2, return_exceptions);
}

static void
unref_two(asy_task *a, asy_task *b)
{
    asy_task_unref(a);
    asy_task_unref(b);
}

static asy_gathered *
results_of(asy_future *gathering)
{
    void *result;
    require_ok(asy_future_result(gathering, &result));
    return result;
}

/* ---- children that end ------------------------------------------------------------- */

static void
gather_all(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 3));
    asy_task *b = trace_task(t, nap(t, "b", 1));
    asy_future *g = gather_two(t, a, b, false);

    trace_note_done(t, "g done", g);
    trace_start(t, watch(t, "w", awaiting_stolen(g)));
    trace_run(t, 8);
    require_trace(t, "1:a> 1:b> 1:w> 2:b. 4:a. 6:g done 6:w=ok");
    unref_two(a, b);
}

static void
gather_first_exception(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap_and_raise(t, "a", 1));
    asy_task *b = trace_task(t, nap(t, "b", 4));

    trace_start(t, watch(t, "w", awaiting_stolen(gather_two(t, a, b, false))));
    trace_run(t, 8);
    require_trace(t, "1:a> 1:b> 1:w> 2:ax 4:w=LookupError 5:b.");
    unref_two(a, b);
}

static void
gather_two_exceptions(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap_and_raise(t, "a", 1));
    asy_task *b = trace_task(t, nap_and_raise(t, "b", 2));

    trace_reports(t);
    trace_start(t, watch(t, "w", awaiting_stolen(gather_two(t, a, b, false))));
    trace_run(t, 8);
    unref_two(a, b);
    require_trace(t, "1:a> 1:b> 1:w> 2:ax 3:bx 4:w=LookupError");
}

static void
gather_the_same_twice(void **state)
{
    struct testing *t = *state;
    asy_future *done = asy_loop_create_future(t->loop);
    asy_task *a = trace_task(t, nap(t, "a", 1));
    asy_task *b = trace_task(t, nap(t, "b", 0));

    require_ok(asy_future_set_result(done, t, NULL));
    asy_future *const futures[] = {
        asy_task_future(a), done, asy_task_future(b), asy_task_future(a),
    };
    asy_future *g = gather(t, futures, 4, false);
    trace_note_done(t, "g done", g);
    trace_run(t, 5);
    require_trace(t, "1:a> 1:b> 1:b. 2:a. 4:g done");
    assert_ptr_equal(results_of(g)[1].result, t);
    asy_future_unref(g);
    asy_future_unref(done);
    unref_two(a, b);
}

static bool
gather_of_done_is_done(struct testing *t)
{
    asy_future *done = asy_loop_create_future(t->loop);

    require_ok(asy_future_set_result(done, NULL, NULL));
    asy_future *g = gather(t, (asy_future *const[]){ done, done }, 2, false);
    bool at_once = asy_future_done(g);
    trace_run(t, 1);
    assert_true(asy_future_done(g));
    asy_future_unref(g);
    asy_future_unref(done);
    return at_once;
}

static void
gather_of_what_is_done(void **state)
{
    assert_true(gather_of_done_is_done(*state));
}

/* CPython 3.11.7: gather_of_what_is_done: 0:not */
static void
before_3_12_gather_of_what_is_done_takes_an_iteration(void **state)
{
    testing_use_profile(*state, 11);
    assert_false(gather_of_done_is_done(*state));
}

static void
gather_of_nothing_is_done_with_no_results(void **state)
{
    struct testing *t = *state;
    asy_future *g = gather(t, NULL, 0, false);

    assert_true(asy_future_done(g));
    assert_non_null(results_of(g));
    asy_future_unref(g);
}

static void
results_are_in_the_order_of_the_futures(void **state)
{
    struct testing *t = *state;
    asy_future *futures[3];
    int values[3];

    for (int i = 0; i < 3; i++)
        futures[i] = asy_loop_create_future(t->loop);
    asy_future *g = gather(t, futures, 3, false);
    for (int i = 2; i >= 0; i--)
        require_ok(asy_future_set_result(futures[i], &values[i], NULL));
    trace_run(t, 1);
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(results_of(g)[i].result, &values[i]);
        assert_null(results_of(g)[i].exception);
        asy_future_unref(futures[i]);
    }
    asy_future_unref(g);
}

/* ---- cancelling --------------------------------------------------------------------- */

static void
gather_is_cancelled(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 9));
    asy_task *b = trace_task(t, nap(t, "b", 9));
    asy_task *w = trace_task(t, relay(t, "w", awaiting_stolen(gather_two(t, a, b, false))));

    trace_note_task_done(t, "w done", w);
    trace_run(t, 3);
    require_ok(asy_task_cancel(w, NULL, NULL));
    trace_run(t, 6);
    require_trace(t, "1:a> 1:b> 1:w> 4:a! 4:b! 6:w=CancelledError 7:w done");
    asy_task_unref(w);
    unref_two(a, b);
}

static void
gather_is_cancelled_with_exceptions(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 9));
    asy_task *b = trace_task(t, stubborn(t, "b", 2));
    asy_task *w = trace_task(t, relay(t, "w", awaiting_stolen(gather_two(t, a, b, true))));

    trace_note_task_done(t, "w done", w);
    trace_run(t, 2);
    require_ok(asy_task_cancel(w, NULL, NULL));
    trace_run(t, 8);
    require_trace(t, "1:a> 1:b> 1:w> 3:a! 3:b! 3:b> 5:b. 7:w=CancelledError 8:w done");
    asy_task_unref(w);
    unref_two(a, b);
}

static void
gather_child_is_cancelled(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 9));
    asy_task *b = trace_task(t, nap(t, "b", 6));
    asy_future *g = gather_two(t, a, b, false);

    trace_start(t, watch(t, "w", awaiting(g)));
    trace_run(t, 2);
    require_ok(asy_task_cancel(a, NULL, NULL));
    trace_run(t, 7);
    trace_note_cancelled(t, g);
    require_trace(t, "1:a> 1:b> 1:w> 3:a! 5:w=CancelledError 7:b. 9:not");
    asy_future_unref(g);
    unref_two(a, b);
}

static void
gather_child_is_cancelled_with_exceptions(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 9));
    asy_task *b = trace_task(t, nap(t, "b", 4));
    asy_future *g = gather_two(t, a, b, true);

    trace_start(t, watch(t, "w", awaiting(g)));
    trace_run(t, 2);
    require_ok(asy_task_cancel(a, "no naps", NULL));
    trace_run(t, 7);
    require_trace(t, "1:a> 1:b> 1:w> 3:a! 5:b. 7:w=ok");
    assert_int_equal(results_of(g)[0].exception->kind, ASY_CancelledError);
    assert_string_equal(results_of(g)[0].exception->message, "");
    assert_null(results_of(g)[1].exception);
    asy_future_unref(g);
    unref_two(a, b);
}

static void
gather_that_is_done_cancels_nothing(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap_and_raise(t, "a", 0));
    asy_task *b = trace_task(t, nap(t, "b", 4));
    asy_future *g = gather_two(t, a, b, false);
    bool cancelled = true;

    trace_run(t, 2);
    require_ok(asy_future_cancel(g, NULL, &cancelled));
    assert_false(cancelled);
    require_error(asy_future_result(g, NULL), ASY_LookupError, "a");
    trace_run(t, 4);
    require_trace(t, "1:a> 1:ax 1:b> 5:b.");
    asy_future_unref(g);
    unref_two(a, b);
}

/* ---- who hears of it ------------------------------------------------------------------ */

static void
exception_of_a_gathering_that_nobody_awaits_is_reported(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap_and_raise(t, "a", 0));
    asy_task *b = trace_task(t, nap(t, "b", 1));

    trace_reports(t);
    asy_future_unref(gather_two(t, a, b, false));
    unref_two(a, b);
    trace_run(t, 4);
    require_trace(t, "1:a> 1:ax 1:b> 2:b. 3:report:_GatheringFuture excepti");
}

/* ---- refusals ------------------------------------------------------------------------- */

static void
gather_refuses_a_future_of_another_loop(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *other = testing_new_loop(&options);
    asy_future *mine = asy_loop_create_future(t->loop);
    asy_future *theirs = asy_loop_create_future(other);
    asy_future *g = NULL;

    require_error(asy_gather(t->loop, (asy_future *const[]){ mine, theirs }, 2, false, &g),
                  ASY_ValueError, "The future belongs to a different loop than the one specified "
                                  "as the loop argument");
    assert_null(g);
    assert_int_equal(mine->callback_count, 0);
    asy_future_unref(mine);
    asy_future_unref(theirs);
    testing_close(other);
}

/* A future of a host that takes no callbacks. */
static void
count_nothing(asy_future *future)
{
    (void)future;
}

static asy_error *
refuse_handle(asy_future *future, asy_handle *handle)
{
    (void)future;
    (void)handle;
    RAISE(ValueError, "no callbacks");
}

static const asy_future_ops refusing_ops = {
    .name = "Refusing",
    .ref = count_nothing,
    .unref = count_nothing,
    .add_done_handle = refuse_handle,
};

static void
gather_raises_what_adding_a_callback_raises(void **state)
{
    struct testing *t = *state;
    asy_future *first = asy_loop_create_future(t->loop);
    asy_future refusing;
    asy_future *g = NULL;

    asy_future_init(&refusing, &refusing_ops, t->loop);
    require_error(asy_gather(t->loop, (asy_future *const[]){ first, &refusing }, 2, false, &g),
                  ASY_ValueError, "no callbacks");
    assert_null(g);
    require_ok(asy_future_set_result(first, NULL, NULL));
    trace_run(t, 1);
    asy_future_unref(first);
}

/* ---- the cancel sweep ------------------------------------------------------------------ */

struct gather_data {
    asy_future *gathering;
};

static asy_coro *
make_gather(struct testing *t, void **ret_data)
{
    struct gather_data *data = asy_alloc(sizeof *data);
    asy_task *a = trace_task(t, asy_sleep(t->loop, 2));
    asy_task *b = trace_task(t, nap(t, "b", 3));
    asy_task *c = trace_task(t, asy_sleep(t->loop, 1));
    asy_future *const futures[] = {
        asy_task_future(a), asy_task_future(b), asy_task_future(c),
    };

    data->gathering = gather(t, futures, 3, false);
    *ret_data = data;
    unref_two(a, b);
    asy_task_unref(c);
    return awaiting(data->gathering);
}

static void
require_gathered(struct testing *t, void *data)
{
    struct gather_data *gather = data;

    assert_true(asy_future_done(gather->gathering));
    assert_true(t->now >= START + 2);
}

static void
release_gather(struct testing *t, void *data)
{
    struct gather_data *gather = data;

    (void)t;
    asy_future_unref(gather->gathering);
}

/* In CPython, too, it is a RecursionError, when as many frames are on the stack. */
static void
task_that_waits_for_a_gathering_of_itself_cannot_be_cancelled(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_task *task = trace_task(t, awaiting(future));
    asy_future *const itself[] = { asy_task_future(task) };
    asy_future *g = gather(t, itself, 1, false);

    trace_run(t, 1);
    task->waiter = g;
    asy_error *err = asy_task_cancel(task, NULL, NULL);
    assert_true(asy_error_is_a(err, ASY_RecursionError));
    asy_error_unref(err);
    err = asy_future_cancel(g, NULL, NULL);
    assert_true(asy_error_is_a(err, ASY_RecursionError));
    asy_error_unref(err);
    task->waiter = future;
    require_ok(asy_future_set_result(future, NULL, NULL));
    trace_run(t, 3);
    assert_true(asy_future_done(g));
    asy_future_unref(g);
    asy_future_unref(future);
    asy_task_unref(task);
}

static void
gather_may_be_cancelled_at_any_time(void **state)
{
    (void)state;
    assert_int_equal(cancel_sweep(&(struct cancel_sweep){
        .name = "gather", .make = make_gather, .require_result = require_gathered,
        .release = release_gather,
    }), 12);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(gather_all),
        trace_case(gather_first_exception),
        trace_case(gather_two_exceptions),
        trace_case(gather_the_same_twice),
        trace_case(gather_of_what_is_done),
        trace_case(before_3_12_gather_of_what_is_done_takes_an_iteration),
        trace_case(gather_of_nothing_is_done_with_no_results),
        trace_case(results_are_in_the_order_of_the_futures),
        trace_case(gather_is_cancelled),
        trace_case(gather_is_cancelled_with_exceptions),
        trace_case(gather_child_is_cancelled),
        trace_case(gather_child_is_cancelled_with_exceptions),
        trace_case(gather_that_is_done_cancels_nothing),
        trace_case(exception_of_a_gathering_that_nobody_awaits_is_reported),
        trace_case(gather_refuses_a_future_of_another_loop),
        trace_case(gather_raises_what_adding_a_callback_raises),
        trace_case(task_that_waits_for_a_gathering_of_itself_cannot_be_cancelled),
        cmocka_unit_test(gather_may_be_cancelled_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
