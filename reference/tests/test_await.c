/* SPDX-License-Identifier: MIT */
/*
 * What comes out of an AWAIT, and what cannot be awaited. The refusals have the classes and texts
 * of CPython 3.11 to 3.14, but for two: awaiting None has another text in 3.14, and sending to a
 * coroutine that another one awaits is no error in CPython.
 */
#include "coroutines.h"

/* ---- futures -------------------------------------------------------------------------- */

static void
future_that_is_done_does_not_suspend(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_coro *coro = new_leaf(t, "a", future);

    require_ok(asy_future_set_result(future, NULL, NULL));
    require_ok(asy_coro_send(coro, ASY_OK));
    require_trace(t, "a a ~a");
    asy_coro_unref(coro);
    asy_future_unref(future);
}

static void
failed_future_raises_its_exception(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_coro *coro = new_leaf(t, "a", future);

    require_ok(asy_future_set_exception(future, asy_error_new(ASY_ValueError, "failed")));
    require_error(asy_coro_send(coro, ASY_OK), ASY_ValueError, "failed");
    require_trace(t, "a ~a");
    asy_coro_unref(coro);
    asy_future_unref(future);
}

static void
cancelled_future_raises_cancelled_error(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_coro *coro = new_leaf(t, "a", future);

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_ok(asy_future_cancel(future, "enough", NULL));
    require_error(asy_coro_send(coro, ASY_OK), ASY_CancelledError, "enough");
    asy_coro_unref(coro);
    asy_future_unref(future);
}

static void
chain_awaits_the_future_of_its_innermost(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_coro *coro = new_three(t, future);

    assert_null(asy_coro_awaits(coro));
    require_suspended(asy_coro_send(coro, ASY_OK));
    assert_ptr_equal(asy_coro_awaits(coro), future);
    require_ok(asy_future_set_result(future, NULL, NULL));
    require_ok(asy_coro_send(coro, ASY_OK));
    assert_null(asy_coro_awaits(coro));
    require_trace(t, "a b c c ~c b ~b a ~a");
    asy_coro_unref(coro);
    asy_future_unref(future);
}

static void
bare_yield_awaits_nothing(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = new_leaf(t, "a", NULL);

    require_suspended(asy_coro_send(coro, ASY_OK));
    assert_null(asy_coro_awaits(coro));
    require_ok(asy_coro_send(coro, ASY_OK));
    asy_coro_unref(coro);
}

static void
going_on_before_the_future_is_done_is_refused(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_coro *coro = new_leaf(t, "a", future);

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_error(asy_coro_send(coro, ASY_OK), ASY_RuntimeError,
                  "await wasn't used with future");
    asy_coro_unref(coro);
    asy_future_unref(future);
}

/* Sent once by the test, as if past a task, and again. The test is that task. */
static void
going_on_past_a_task_gives_the_future_out_again(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_coro *coro = new_three(t, future);

    require_suspended(asy_coro_send(coro, ASY_OK));
    assert_true(future->blocking);
    future->blocking = false;
    require_suspended(asy_coro_send(coro, ASY_OK));
    require_trace(t, "a b c");
    assert_true(future->blocking);
    assert_ptr_equal(asy_coro_awaits(coro), future);
    require_ok(asy_future_set_result(future, NULL, NULL));
    require_ok(asy_coro_send(coro, ASY_OK));
    require_trace(t, "c ~c b ~b a ~a");
    asy_coro_unref(coro);
    asy_future_unref(future);
}

static void
task_takes_the_future_that_is_given_out(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_coro *coro = new_leaf(t, "a", future);
    asy_task *task;

    require_ok(asy_loop_create_task(t->loop, asy_coro_ref(coro), NULL, &task));
    testing_run_once(t);
    assert_false(future->blocking);
    require_suspended(asy_coro_send(coro, ASY_OK));
    require_ok(asy_future_set_result(future, NULL, NULL));
    testing_run_once(t);
    require_trace(t, "a a ~a");
    assert_true(asy_future_done(asy_task_future(task)));
    asy_task_unref(task);
    asy_coro_unref(coro);
    asy_future_unref(future);
}

static void
future_that_was_given_out_and_not_taken_cannot_be_awaited_by_another(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_coro *first = new_leaf(t, "a", future);
    asy_coro *second = new_leaf(t, "b", future);

    require_suspended(asy_coro_send(first, ASY_OK));
    require_error(asy_coro_send(second, ASY_OK), ASY_RuntimeError,
                  "await wasn't used with future");
    asy_coro_unref(first);
    asy_coro_unref(second);
    asy_future_unref(future);
}

static void
error_thrown_over_a_future_that_is_done_goes_first(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_coro *coro = new_leaf(t, "a", future);

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_ok(asy_future_set_result(future, NULL, NULL));
    require_error(asy_coro_send(coro, asy_error_new(ASY_ValueError, "thrown")), ASY_ValueError,
                  "thrown");
    asy_coro_unref(coro);
    asy_future_unref(future);
}

/* A future, in a task, that counts the references to it. */
struct counted {
    asy_task task;
    int      refs;
};

static void
counted_ref(asy_future *future)
{
    ((struct counted *)(void *)future)->refs++;
}

static void
counted_unref(asy_future *future)
{
    ((struct counted *)(void *)future)->refs--;
}

static const asy_future_ops counted_ops = { "Counted", .ref = counted_ref, .unref = counted_unref };

/* Awaits a task. */
struct waits_for_task {
    asy_coro  co;
    asy_task *task;
};

ASYNC(waits_for_task)
{
    ASYNC_BEGIN;

    AWAIT(self->task);

    ASYNC_END;
}

FINALLY(waits_for_task)
{
}

static void
task_is_awaited_as_a_future_and_kept_alive_meanwhile(void **state)
{
    struct testing *t = *state;
    struct counted counted = { .refs = 1 };
    asy_coro *coro = ASYNC_CALL(waits_for_task, .task = &counted.task);

    asy_future_init(&counted.task.future, &counted_ops, t->loop);
    require_suspended(asy_coro_send(coro, ASY_OK));
    assert_ptr_equal(asy_coro_awaits(coro), &counted.task.future);
    assert_int_equal(counted.refs, 2);
    require_ok(asy_coro_close(coro));
    assert_int_equal(counted.refs, 1);
    asy_coro_unref(coro);
    asy_future_clear(&counted.task.future);
}

static void
future_is_given_back_when_the_await_raises(void **state)
{
    struct testing *t = *state;
    struct counted counted = { .refs = 1 };
    asy_coro *coro = ASYNC_CALL(waits_for_task, .task = &counted.task);

    asy_future_init(&counted.task.future, &counted_ops, t->loop);
    require_suspended(asy_coro_send(coro, ASY_OK));
    require_error(asy_coro_send(coro, asy_error_new(ASY_ValueError, "thrown")), ASY_ValueError,
                  "thrown");
    assert_int_equal(counted.refs, 1);
    asy_coro_unref(coro);
    asy_future_clear(&counted.task.future);
}

/* ---- coroutines ----------------------------------------------------------------------- */

struct stops {
    asy_coro co;
};

ASYNC(stops)
{
    ASYNC_BEGIN;

    RAISE(StopIteration, "stop");

    ASYNC_END;
}

FINALLY(stops)
{
}

/* PEP 479; as CPython 3.11 and 3.14 do. */
static void
stop_iteration_leaves_a_coroutine_as_the_cause_of_a_runtime_error(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = new_catcher(t, "a", ASYNC_CALL(stops));
    asy_coro *alone = ASYNC_CALL(stops);

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_trace(t, "a coroutine raised StopIteration");
    asy_error *err = asy_coro_send(alone, ASY_OK);
    assert_int_equal(err->kind, ASY_RuntimeError);
    assert_int_equal(err->cause->kind, ASY_StopIteration);
    assert_string_equal(err->cause->message, "stop");
    asy_error_unref(err);
    asy_coro_unref(alone);
    asy_coro_unref(coro);
    require_trace(t, "~a");
}

/* ---- what is refused -------------------------------------------------------------------- */

static void
finished_coroutine_cannot_be_sent(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = new_leaf(t, "a", NULL);

    require_ok(asy_coro_close(coro));
    require_error(asy_coro_send(coro, ASY_OK), ASY_RuntimeError,
                  "cannot reuse already awaited coroutine");
    require_error(asy_coro_send(coro, asy_error_new(ASY_ValueError, "thrown")), ASY_RuntimeError,
                  "cannot reuse already awaited coroutine");
    require_trace(t, "~a");
    asy_coro_unref(coro);
}

static void
coroutine_that_is_awaited_cannot_be_sent(void **state)
{
    struct testing *t = *state;
    asy_coro *inner = new_leaf(t, "b", NULL);
    asy_coro *coro = new_outer(t, "a", asy_coro_ref(inner));

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_error(asy_coro_send(inner, ASY_OK), ASY_RuntimeError,
                  "coroutine is being awaited already");
    require_trace(t, "a b");
    asy_coro_unref(inner);
    asy_coro_unref(coro);
}

/* Await it in a catcher: the text of the refusal is what the trace has. Steals the coroutine. */
static void
require_await_refused(struct testing *t, asy_coro *awaited, const char *trace)
{
    asy_coro *coro = new_catcher(t, "a", awaited);

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_trace(t, trace);
    assert_null(asy_coro_awaits(coro));
    asy_coro_unref(coro);
    require_trace(t, "~a");
}

static void
finished_coroutine_cannot_be_awaited(void **state)
{
    struct testing *t = *state;
    asy_coro *finished = new_leaf(t, "b", NULL);

    require_suspended(asy_coro_send(finished, ASY_OK));
    require_ok(asy_coro_send(finished, ASY_OK));
    require_trace(t, "b b ~b");
    require_await_refused(t, finished, "a cannot reuse already awaited coroutine");
}

static void
coroutine_that_was_closed_before_it_began_cannot_be_awaited(void **state)
{
    struct testing *t = *state;
    asy_coro *closed = new_leaf(t, "b", NULL);

    require_ok(asy_coro_close(closed));
    require_trace(t, "~b");
    require_await_refused(t, closed, "a cannot reuse already awaited coroutine");
}

static void
coroutine_that_has_begun_cannot_be_awaited(void **state)
{
    struct testing *t = *state;
    asy_coro *begun = new_leaf(t, "b", NULL);

    require_suspended(asy_coro_send(begun, ASY_OK));
    require_trace(t, "b");
    require_await_refused(t, asy_coro_ref(begun), "a coroutine is being awaited already");
    require_ok(asy_coro_send(begun, ASY_OK));
    asy_coro_unref(begun);
}

static void
coroutine_that_is_awaited_cannot_be_awaited_twice(void **state)
{
    struct testing *t = *state;
    asy_coro *inner = new_leaf(t, "c", NULL);
    asy_coro *coro = new_outer(t, "b", asy_coro_ref(inner));

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_trace(t, "b c");
    require_await_refused(t, inner, "a coroutine is being awaited already");
    require_ok(asy_coro_send(coro, ASY_OK));
    require_trace(t, "c ~c b ~b");
    asy_coro_unref(coro);
}

static void
null_cannot_be_awaited_as_a_coroutine(void **state)
{
    require_await_refused(*state, NULL, "a object NULL can't be used in 'await' expression");
}

static void
coroutine_that_runs_cannot_be_awaited(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = new_catcher(t, "b", NULL);
    asy_coro *outer = new_outer(t, "a", coro);

    set_inner(coro, asy_coro_ref(coro));
    require_suspended(asy_coro_send(outer, ASY_OK));
    require_trace(t, "a b coroutine already executing");
    asy_coro_unref(outer);
    require_trace(t, "~b ~a");
}

static void
coroutine_that_waits_for_its_inner_one_counts_as_running(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = new_catcher(t, "b", NULL);
    asy_coro *outer = new_outer(t, "a", coro);

    set_inner(coro, asy_coro_ref(outer));
    require_suspended(asy_coro_send(outer, ASY_OK));
    require_trace(t, "a b coroutine already executing");
    asy_coro_unref(outer);
    require_trace(t, "~b ~a");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(future_that_is_done_does_not_suspend),
        testing_case(failed_future_raises_its_exception),
        testing_case(cancelled_future_raises_cancelled_error),
        testing_case(chain_awaits_the_future_of_its_innermost),
        testing_case(bare_yield_awaits_nothing),
        testing_case(going_on_before_the_future_is_done_is_refused),
        testing_case(going_on_past_a_task_gives_the_future_out_again),
        testing_case(task_takes_the_future_that_is_given_out),
        testing_case(future_that_was_given_out_and_not_taken_cannot_be_awaited_by_another),
        testing_case(error_thrown_over_a_future_that_is_done_goes_first),
        testing_case(task_is_awaited_as_a_future_and_kept_alive_meanwhile),
        testing_case(future_is_given_back_when_the_await_raises),
        testing_case(stop_iteration_leaves_a_coroutine_as_the_cause_of_a_runtime_error),
        testing_case(finished_coroutine_cannot_be_sent),
        testing_case(coroutine_that_is_awaited_cannot_be_sent),
        testing_case(finished_coroutine_cannot_be_awaited),
        testing_case(coroutine_that_was_closed_before_it_began_cannot_be_awaited),
        testing_case(coroutine_that_has_begun_cannot_be_awaited),
        testing_case(coroutine_that_is_awaited_cannot_be_awaited_twice),
        testing_case(null_cannot_be_awaited_as_a_coroutine),
        testing_case(coroutine_that_runs_cannot_be_awaited),
        testing_case(coroutine_that_waits_for_its_inner_one_counts_as_running),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
