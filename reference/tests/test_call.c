/* SPDX-License-Identifier: MIT */
/* call_soon, call_later, call_at: what they accept, and in which order callbacks run. */
#include "testing.h"

/* Spec: call_soon.fifo-order, call_soon.exactly-once */
static void
callbacks_run_once_in_the_order_of_call_soon(void **state)
{
    struct testing *t = *state;
    testing_call_soon(t, "a");
    testing_call_soon(t, "b");
    testing_call_soon(t, "a");
    require_trace(t, "");
    testing_run_once(t);
    require_trace(t, "a b a");
    testing_call_soon(t, "end");
    testing_run_once(t);
    require_trace(t, "end");
}

static asy_error *
call_another(void *argument)
{
    struct testing *t = argument;
    testing_trace(t, "first");
    testing_call_soon(t, "second");
    return ASY_OK;
}

/* Spec: call_soon.next-iteration */
static void
callback_of_a_callback_waits_for_the_next_iteration(void **state)
{
    struct testing *t = *state;
    require_ok(asy_loop_call_soon(t->loop, asy_borrow(call_another, t), NULL));
    testing_call_soon(t, "batch");
    testing_run_once(t);
    require_trace(t, "first batch");
    testing_run_once(t);
    require_trace(t, "second");
}

/* Spec: call_later.after-delay, call_later.order-by-deadline */
static void
timers_run_in_the_order_of_their_deadlines_not_before(void **state)
{
    struct testing *t = *state;
    require_ok(asy_loop_call_later(t->loop, 3, testing_mark(t, "three"), NULL));
    require_ok(asy_loop_call_later(t->loop, 1, testing_mark(t, "one"), NULL));
    require_ok(asy_loop_call_at(t->loop, START + 2, testing_mark(t, "two"), NULL));
    testing_run_once(t);
    assert_true(t->now == START + 1);
    require_trace(t, "one");
    testing_run_once(t);
    require_trace(t, "two");
    testing_run_once(t);
    require_trace(t, "three");
    assert_true(t->now == START + 3);
}

/* Spec: call_later.zero, call_later.negative, call_at.past, call_later.due-after-ready */
static void
timers_without_delay_run_in_this_iteration_after_call_soon(void **state)
{
    struct testing *t = *state;
    require_ok(asy_loop_call_later(t->loop, 0, testing_mark(t, "zero"), NULL));
    require_ok(asy_loop_call_later(t->loop, -5, testing_mark(t, "negative"), NULL));
    require_ok(asy_loop_call_at(t->loop, 1, testing_mark(t, "past"), NULL));
    testing_call_soon(t, "soon");
    testing_run_once(t);
    require_trace(t, "soon past negative zero");
    assert_true(t->now == START);
}

/* Spec: call_soon_threadsafe.like-call_soon */
static void
call_soon_threadsafe_outside_of_a_run_queues_in_order(void **state)
{
    struct testing *t = *state;
    testing_call_soon(t, "a");
    require_ok(asy_loop_call_soon_threadsafe(t->loop, testing_mark(t, "b"), NULL));
    testing_call_soon(t, "c");
    require_ok(asy_loop_call_soon_threadsafe(t->loop, testing_mark(t, "d"), NULL));
    assert_int_equal(asy_loop_ready_count(t->loop), 4);
    testing_run_once(t);
    require_trace(t, "a b c d");
}

/* Spec: call_soon.returns-handle, call_later.returns-TimerHandle, TimerHandle.when */
static void
handles_are_returned_when_they_are_wanted(void **state)
{
    struct testing *t = *state;
    asy_handle *soon, *threadsafe;
    asy_timer_handle *timer;

    require_ok(asy_loop_call_soon(t->loop, testing_mark(t, "soon"), &soon));
    require_ok(asy_loop_call_soon_threadsafe(t->loop, testing_mark(t, "safe"), &threadsafe));
    require_ok(asy_loop_call_later(t->loop, 2.5, testing_mark(t, "later"), &timer));
    assert_true(asy_timer_handle_when(timer) == START + 2.5);
    assert_false(asy_handle_cancelled(soon));
    asy_handle_cancel(asy_timer_handle_base(timer));
    asy_handle_cancel(threadsafe);
    testing_run_once(t);
    require_trace(t, "soon");
    asy_handle_unref(soon);
    asy_handle_unref(threadsafe);
    asy_timer_handle_unref(timer);
}

#define CLOSED "Event loop is closed"

/* Spec: close.call_soon-raises, call_soon_threadsafe.closed-raises */
static void
closed_loop_refuses_and_drops_callbacks(void **state)
{
    struct testing *t = *state;
    asy_loop *loop = t->loop;

    require_ok(asy_loop_close(loop));
    require_error(asy_loop_call_soon(loop, testing_mark(t, "x"), NULL), ASY_RuntimeError, CLOSED);
    require_error(asy_loop_call_soon_threadsafe(loop, testing_mark(t, "x"), NULL),
                  ASY_RuntimeError, CLOSED);
    require_error(asy_loop_call_later(loop, 1, testing_mark(t, "x"), NULL), ASY_RuntimeError,
                  CLOSED);
    require_error(asy_loop_call_at(loop, 1, testing_mark(t, "x"), NULL), ASY_RuntimeError, CLOSED);
}

/* Spec: call_soon.debug-not-callable */
static void
callback_without_function_is_refused_in_debug_mode_only(void **state)
{
    struct testing *t = *state;
    asy_callback nothing = { 0 };

    require_ok(asy_loop_call_soon(t->loop, nothing, NULL));
    testing_run_once(t);
    assert_string_equal(t->log, "ERROR Exception in callback callback()\n"
                                "handle: <Handle callback()>\n"
                                "  TypeError: 'NULL' object is not callable\n");
    asy_loop_set_debug(t->loop, true);
    require_error(asy_loop_call_soon(t->loop, nothing, NULL), ASY_TypeError,
                  "a callable object was expected by call_soon(), got NULL");
    require_error(asy_loop_call_soon_threadsafe(t->loop, nothing, NULL), ASY_TypeError,
                  "a callable object was expected by call_soon_threadsafe(), got NULL");
    require_error(asy_loop_call_later(t->loop, 1, nothing, NULL), ASY_TypeError,
                  "a callable object was expected by call_at(), got NULL");
}

static void
handles_added_to_a_closed_loop_are_not_kept(void **state)
{
    struct testing *t = *state;
    asy_handle *handle;
    asy_timer_handle *timer;

    require_ok(asy_loop_call_soon(t->loop, testing_mark(t, "x"), &handle));
    require_ok(asy_loop_call_later(t->loop, 1, testing_mark(t, "x"), &timer));
    require_ok(asy_loop_close(t->loop));
    asy_loop_add_handle(t->loop, handle);
    require_error(asy_loop_add_handle_threadsafe(t->loop, handle), ASY_RuntimeError, CLOSED);
    asy_loop_add_timer_handle(t->loop, timer);
    assert_int_equal(asy_loop_ready_count(t->loop), 0);
    assert_int_equal(asy_loop_scheduled_count(t->loop), 0);
    asy_handle_unref(handle);
    asy_timer_handle_unref(timer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(callbacks_run_once_in_the_order_of_call_soon),
        testing_case(callback_of_a_callback_waits_for_the_next_iteration),
        testing_case(timers_run_in_the_order_of_their_deadlines_not_before),
        testing_case(timers_without_delay_run_in_this_iteration_after_call_soon),
        testing_case(call_soon_threadsafe_outside_of_a_run_queues_in_order),
        testing_case(handles_are_returned_when_they_are_wanted),
        testing_case(closed_loop_refuses_and_drops_callbacks),
        testing_case(callback_without_function_is_refused_in_debug_mode_only),
        testing_case(handles_added_to_a_closed_loop_are_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
