/* SPDX-License-Identifier: MIT */
/*
 * Tasks that take turns, wait for one another and are cancelled: the traces of
 * oracle/await_traces.py, as CPython 3.14 prints them.
 */
#include "await_trace.h"

static asy_future *
future_of(asy_task *task)
{
    return asy_task_future(task);
}

static void
cancel(asy_task *task)
{
    bool requested = false;
    require_ok(asy_task_cancel(task, NULL, &requested));
    assert_true(requested);
}

/* ---- taking turns --------------------------------------------------------------- */

static void
tasks_take_turns(void **state)
{
    struct testing *t = *state;

    trace_start(t, nap(t, "a", 2));
    trace_start(t, nap(t, "b", 1));
    trace_run(t, 5);
    require_trace(t, "1:a> 1:b> 2:b. 3:a.");
}

static void
a_task_waits_for_a_task(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 1));

    trace_note_task_done(t, "a done", a);
    asy_task *w = trace_task(t, watch(t, "w", awaiting(future_of(a))));
    trace_note_task_done(t, "w done", w);
    trace_run(t, 6);
    require_trace(t, "1:a> 1:w> 2:a. 3:a done 3:w=ok 4:w done");
    asy_task_unref(w);
    asy_task_unref(a);
}

/* ---- cancelling ------------------------------------------------------------------ */

/* The dropped coroutine has not begun, but its task has thrown into it: nobody complains. */
static void
cancelled_before_it_begins(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 1));

    cancel(a);
    trace_note_task_done(t, "done", a);
    trace_run(t, 3);
    trace_note_cancelled(t, future_of(a));
    require_trace(t, "2:done 3:cancelled");
    asy_task_unref(a);
    assert_string_equal(t->log, "");
}

static void
cancelled_while_it_naps(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 9));

    trace_note_task_done(t, "done", a);
    trace_run(t, 2);
    cancel(a);
    trace_run(t, 3);
    require_trace(t, "1:a> 3:a! 4:done");
    asy_task_unref(a);
}

static void
cancelled_while_it_waits(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_task *a = trace_task(t, relay(t, "a", awaiting(future)));

    trace_note_task_done(t, "done", a);
    trace_run(t, 2);
    cancel(a);
    trace_note_cancelled(t, future);
    trace_run(t, 3);
    require_trace(t, "1:a> 2:cancelled 3:a=CancelledError 4:done");
    asy_task_unref(a);
    asy_future_unref(future);
}

static void
cancelled_when_what_it_waits_for_is_done(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_task *a = trace_task(t, relay(t, "a", awaiting(future)));

    trace_note_task_done(t, "done", a);
    trace_run(t, 2);
    require_ok(asy_future_set_result(future, NULL, NULL));
    cancel(a);
    trace_run(t, 3);
    trace_note_cancelled(t, future_of(a));
    require_trace(t, "1:a> 3:a=CancelledError 4:done 5:cancelled");
    asy_task_unref(a);
    asy_future_unref(future);
}

static void
cancelled_twice_in_one_iteration(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_task *a = trace_task(t, watch(t, "a", awaiting(future)));

    trace_run(t, 2);
    cancel(a);
    cancel(a);
    trace_note(t, "%d", asy_task_cancelling(a));
    trace_run(t, 3);
    trace_note_cancelled(t, future_of(a));
    require_trace(t, "1:a> 2:2 3:a=CancelledError 5:not");
    asy_task_unref(a);
    asy_future_unref(future);
}

static void
cancels_go_down_the_tasks_and_come_up(void **state)
{
    struct testing *t = *state;
    asy_task *c = trace_task(t, nap(t, "c", 9));
    asy_task *b = trace_task(t, relay(t, "b", awaiting(future_of(c))));
    asy_task *a = trace_task(t, relay(t, "a", awaiting(future_of(b))));

    trace_note_task_done(t, "a done", a);
    trace_run(t, 3);
    cancel(a);
    trace_run(t, 6);
    require_trace(t, "1:c> 1:b> 1:a> 4:c! 5:b=CancelledError 6:a=CancelledError 7:a done");
    asy_task_unref(a);
    asy_task_unref(b);
    asy_task_unref(c);
}

static void
an_inner_task_refuses_to_be_cancelled(void **state)
{
    struct testing *t = *state;
    asy_task *b = trace_task(t, stubborn(t, "b", 3));
    asy_task *a = trace_task(t, relay(t, "a", awaiting(future_of(b))));

    trace_note_task_done(t, "a done", a);
    trace_run(t, 2);
    cancel(a);
    trace_run(t, 8);
    trace_note_cancelled(t, future_of(a));
    require_trace(t, "1:b> 1:a> 3:b! 3:b> 6:b. 7:a=ok 8:a done 10:not");
    asy_task_unref(a);
    asy_task_unref(b);
}

/* ---- tasks that cancel themselves ------------------------------------------------- */

struct itself {
    asy_coro        co;
    struct testing *t;
    bool            uncancels;
    asy_coro       *inner;              /* or NULL: it returns */
};

ASYNC(itself)
{
    asy_task *task;
    asy_coro *inner;

    ASYNC_BEGIN;

    task = asy_current_task(self->t->loop);
    require_ok(asy_task_cancel(task, "late", NULL));
    if (self->uncancels)
        assert_int_equal(asy_task_uncancel(task), 0);
    inner = self->inner;
    self->inner = NULL;
    if (inner)
        AWAIT(inner);
    else
        trace_note(self->t, "a.");

    ASYNC_END;
}

FINALLY(itself)
{
    assert_null(self->inner);
}

static asy_coro *
itself(struct testing *t, bool uncancels, asy_coro *inner)
{
    return ASYNC_CALL(itself, .t = t, .uncancels = uncancels, .inner = inner);
}

static void
cancels_itself_and_returns(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, itself(t, false, NULL));

    trace_note_task_done(t, "done", a);
    trace_run(t, 3);
    trace_note_cancelled(t, future_of(a));
    require_trace(t, "1:a. 2:done 3:cancelled");
    asy_task_unref(a);
}

static void
cancels_itself_and_waits(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_task *a = trace_task(t, itself(t, false, relay(t, "a", awaiting(future))));

    trace_note_task_done(t, "done", a);
    trace_run(t, 1);
    trace_note_cancelled(t, future);
    trace_run(t, 3);
    require_trace(t, "1:a> 1:cancelled 2:a=CancelledError 3:done");
    asy_task_unref(a);
    asy_future_unref(future);
}

static void
cancels_itself_and_waits_for_what_refuses(void **state)
{
    struct testing *t = *state;
    asy_task *b = trace_task(t, stubborn(t, "b", 2));
    asy_task *a = trace_task(t, itself(t, false, relay(t, "a", awaiting(future_of(b)))));

    trace_note_task_done(t, "done", a);
    trace_run(t, 8);
    trace_note_cancelled(t, future_of(a));
    require_trace(t, "1:b> 1:a> 2:b! 2:b> 4:b. 5:a=ok 6:done 8:not");
    asy_task_unref(a);
    asy_task_unref(b);
}

static void
uncancel(struct testing *t)
{
    asy_task *a = trace_task(t, itself(t, true, nap(t, "a", 1)));

    trace_note_task_done(t, "done", a);
    trace_run(t, 4);
    trace_note_cancelled(t, future_of(a));
    asy_task_unref(a);
}

static void
uncancels_itself(void **state)
{
    struct testing *t = *state;

    uncancel(t);
    require_trace(t, "1:a> 2:a. 3:done 4:not");
}

/* CPython 3.12.1 prints this. */
static void
before_3_13_uncancel_does_not_take_the_cancelled_error_back(void **state)
{
    struct testing *t = *state;

    testing_use_profile(t, 12);
    uncancel(t);
    require_trace(t, "1:a> 2:a! 3:done 4:cancelled");
}

/* ---- messages ----------------------------------------------------------------------- */

static void
the_message_of_a_cancellation_is_that_of_the_error(void **state)
{
    struct testing *t = *state;
    asy_task *naps = trace_task(t, nap(t, "a", 9));
    asy_future *future = asy_loop_create_future(t->loop);
    asy_task *waits = trace_task(t, awaiting(future));

    trace_run(t, 1);
    require_ok(asy_task_cancel(naps, "no naps", NULL));
    require_ok(asy_task_cancel(waits, "no waiting", NULL));
    trace_run(t, 2);
    require_error(asy_future_result(future_of(naps), NULL), ASY_CancelledError, "no naps");
    require_error(asy_future_result(future_of(waits), NULL), ASY_CancelledError, "no waiting");
    asy_task_unref(naps);
    asy_task_unref(waits);
    asy_future_unref(future);
}

struct listens {
    asy_coro        co;
    struct testing *t;
    asy_future     *future;
};

ASYNC(listens)
{
    asy_error *err;

    ASYNC_BEGIN;

    TRY_AWAIT(err, self->future);
    trace_note(self->t, "%s", err->message);
    asy_error_unref(err);

    ASYNC_END;
}

FINALLY(listens)
{
    asy_future_unref(self->future);
}

static void
cancelled_when_what_it_waits_for_is_cancelled(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_task *a = trace_task(t, ASYNC_CALL(listens, .t = t, .future = asy_future_ref(future)));

    trace_run(t, 1);
    require_ok(asy_future_cancel(future, "theirs", NULL));
    require_ok(asy_task_cancel(a, "mine", NULL));
    trace_run(t, 3);
    trace_note_cancelled(t, future_of(a));
    require_trace(t, "2:theirs 4:not");
    asy_task_unref(a);
    asy_future_unref(future);
}

static void
the_error_with_which_a_task_ended_is_given_out_once(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 9));

    trace_run(t, 1);
    require_ok(asy_task_cancel(a, "first", NULL));
    trace_run(t, 1);
    require_error(asy_future_result(future_of(a), NULL), ASY_CancelledError, "first");
    require_error(asy_future_result(future_of(a), NULL), ASY_CancelledError, "");
    asy_task_unref(a);
}

static void
the_message_of_a_request_that_came_too_late_to_be_thrown_stays(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, itself(t, false, NULL));

    trace_run(t, 1);
    require_error(asy_future_result(future_of(a), NULL), ASY_CancelledError, "late");
    asy_task_unref(a);
}

static void
a_task_that_is_done_is_not_cancelled(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 0));
    bool requested = true;

    trace_run(t, 1);
    require_ok(asy_task_cancel(a, NULL, &requested));
    assert_false(requested);
    assert_int_equal(asy_task_cancelling(a), 0);
    assert_int_equal(asy_task_uncancel(a), 0);
    assert_false(asy_future_cancelled(future_of(a)));
    asy_task_unref(a);
}

static void
cancelling_the_future_of_a_task_cancels_the_task(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 9));

    trace_run(t, 1);
    require_ok(asy_future_cancel(future_of(a), NULL, NULL));
    assert_false(asy_future_done(future_of(a)));
    assert_int_equal(asy_task_cancelling(a), 1);
    trace_run(t, 1);
    require_trace(t, "1:a> 2:a!");
    asy_task_unref(a);
}

/* ---- chains of tasks --------------------------------------------------------------- */

/* More than a stack of 8 MiB has frames for, were there one for each. */
static void
a_long_chain_of_tasks_is_cancelled_without_a_deep_stack(void **state)
{
    enum { COUNT = 200000 };
    struct testing *t = *state;
    asy_task *first = trace_task(t, asy_sleep(t->loop, 1));
    asy_task *last = asy_task_ref(first);

    for (int i = 0; i < COUNT; i++) {
        asy_task *next = trace_task(t, awaiting(future_of(last)));
        asy_task_unref(last);
        last = next;
    }
    trace_run(t, 1);
    cancel(last);
    assert_int_equal(asy_task_cancelling(first), 1);
    assert_int_equal(asy_task_cancelling(last), 1);
    trace_run(t, COUNT + 2);
    assert_true(asy_future_cancelled(future_of(last)));
    asy_task_unref(first);
    asy_task_unref(last);
}

/* In CPython, too, it is a RecursionError; there the requests count before it comes. */
static void
tasks_that_wait_for_one_another_cannot_be_cancelled(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_coro *waits = awaiting(future);
    asy_task *a = trace_task(t, waits);
    asy_task *b = trace_task(t, awaiting(future_of(a)));
    asy_task *c = trace_task(t, awaiting(future_of(b)));

    trace_run(t, 1);
    a->waiter = asy_task_future(b);
    for (int i = 0; i < 3; i++) {
        asy_task *const tasks[] = { a, b, c };
        require_error(asy_task_cancel(tasks[i], NULL, NULL), ASY_RecursionError,
                      "a task that waits for itself cannot be cancelled");
        assert_int_equal(asy_task_cancelling(tasks[i]), 0);
    }
    a->waiter = future;
    require_ok(asy_future_set_result(future, NULL, NULL));
    trace_run(t, 4);
    assert_true(asy_future_done(future_of(c)));
    asy_task_unref(a);
    asy_task_unref(b);
    asy_task_unref(c);
    asy_future_unref(future);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(tasks_take_turns),
        trace_case(a_task_waits_for_a_task),
        trace_case(cancelled_before_it_begins),
        trace_case(cancelled_while_it_naps),
        trace_case(cancelled_while_it_waits),
        trace_case(cancelled_when_what_it_waits_for_is_done),
        trace_case(cancelled_twice_in_one_iteration),
        trace_case(cancels_go_down_the_tasks_and_come_up),
        trace_case(an_inner_task_refuses_to_be_cancelled),
        trace_case(cancels_itself_and_returns),
        trace_case(cancels_itself_and_waits),
        trace_case(cancels_itself_and_waits_for_what_refuses),
        trace_case(uncancels_itself),
        trace_case(before_3_13_uncancel_does_not_take_the_cancelled_error_back),
        trace_case(the_message_of_a_cancellation_is_that_of_the_error),
        trace_case(cancelled_when_what_it_waits_for_is_cancelled),
        trace_case(the_error_with_which_a_task_ended_is_given_out_once),
        trace_case(the_message_of_a_request_that_came_too_late_to_be_thrown_stays),
        trace_case(a_task_that_is_done_is_not_cancelled),
        trace_case(cancelling_the_future_of_a_task_cancels_the_task),
        trace_case(a_long_chain_of_tasks_is_cancelled_without_a_deep_stack),
        trace_case(tasks_that_wait_for_one_another_cannot_be_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
