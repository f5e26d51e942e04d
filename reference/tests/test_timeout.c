/* SPDX-License-Identifier: MIT */
/* timeout(): the traces of oracle/await_traces.py, as CPython 3.14 prints them, and more. */
#include "await_trace.h"
#include "cancel_sweep.h"

#include <math.h>

/* A task that awaits the sleep within the timeout, whose end is noted. */
static asy_task *
sleep_within(struct testing *t, double seconds, double sleep)
{
    asy_task *task = trace_task(t, within(t, "a", seconds, asy_sleep(t->loop, sleep)));

    trace_note_task_done(t, "done", task);
    return task;
}

static void
timeout_expires(void **state)
{
    struct testing *t = *state;
    asy_task *a = sleep_within(t, 1, 5);

    trace_run(t, 5);
    require_error(asy_future_result(asy_task_future(a), NULL), ASY_TimeoutError, "");
    trace_note(t, "%d", asy_task_cancelling(a));
    require_trace(t, "3:a=CancelledError 3:a:TimeoutError 4:done 5:0");
    asy_task_unref(a);
}

static void
timeout_does_not_expire(void **state)
{
    struct testing *t = *state;
    asy_task *a = sleep_within(t, 5, 1);

    trace_run(t, 5);
    require_trace(t, "3:a=ok 4:done");
    assert_true(t->now == START + 1);
    asy_task_unref(a);
}

static void
timeout_of_no_time(void **state)
{
    struct testing *t = *state;
    asy_task *a = sleep_within(t, 0, 5);

    trace_run(t, 5);
    require_error(asy_future_result(asy_task_future(a), NULL), ASY_TimeoutError, "");
    require_trace(t, "3:a=CancelledError 3:a:TimeoutError 4:done");
    asy_task_unref(a);
}

struct looker {
    struct testing *t;
    asy_future     *future;
};

static asy_error *
note_cancelled(void *argument)
{
    const struct looker *looker = argument;
    trace_note_cancelled(looker->t, looker->future);
    return ASY_OK;
}

static asy_error *
look_at_the_same_time(void *argument)
{
    const struct looker *looker = argument;
    return asy_loop_call_at(looker->t->loop, START, asy_borrow(note_cancelled, argument), NULL);
}

static void
timeout_of_no_time_goes_before_timers(void **state)
{
    struct testing *t = *state;
    struct looker looker = { t, asy_loop_create_future(t->loop) };

    require_ok(asy_loop_call_soon(t->loop, asy_borrow(look_at_the_same_time, &looker), NULL));
    asy_task *a = trace_task(t, within(t, "a", 0, awaiting(looker.future)));
    trace_run(t, 4);
    require_trace(t, "2:cancelled 3:a=CancelledError 3:a:TimeoutError");
    require_error(asy_future_result(asy_task_future(a), NULL), ASY_TimeoutError, "");
    asy_task_unref(a);
    asy_future_unref(looker.future);
}

static asy_error *
cancel_task(void *argument)
{
    return asy_task_cancel(argument, NULL, NULL);
}

static void
timeout_and_cancel_in_one_iteration(void **state)
{
    struct testing *t = *state;
    asy_task *a = sleep_within(t, 1, 5);

    trace_run(t, 1);
    require_ok(asy_loop_call_at(t->loop, START + 1, asy_borrow(cancel_task, a), NULL));
    trace_run(t, 4);
    trace_note_cancelled(t, asy_task_future(a));
    require_trace(t, "3:a=CancelledError 3:a:CancelledError 4:done 5:cancelled");
    asy_task_unref(a);
}

static void
run_nested_timeouts(struct testing *t, double outer, double inner)
{
    asy_coro *coro = within(t, "i", inner, asy_sleep(t->loop, 5));
    asy_task *a = trace_task(t, within(t, "o", outer, coro));

    trace_note_task_done(t, "done", a);
    trace_run(t, 5);
    require_error(asy_future_result(asy_task_future(a), NULL), ASY_TimeoutError, "");
    asy_task_unref(a);
}

static void
outer_timeout_expires_first(void **state)
{
    struct testing *t = *state;

    run_nested_timeouts(t, 1, 2);
    require_trace(t, "3:i=CancelledError 3:i:CancelledError 3:o=CancelledError 3:o:TimeoutError "
                     "4:done");
}

static void
both_timeouts_expire_in_one_iteration(void **state)
{
    struct testing *t = *state;

    run_nested_timeouts(t, 1, 1);
    require_trace(t, "3:i=CancelledError 3:i:CancelledError 3:o=CancelledError 3:o:TimeoutError "
                     "4:done");
}

static void
cause_of_the_timeout_error_is_the_cancelled_error(void **state)
{
    struct testing *t = *state;
    asy_task *a = sleep_within(t, 1, 5);

    trace_run(t, 5);
    asy_error *err = asy_future_result(asy_task_future(a), NULL);
    assert_non_null(err);
    assert_int_equal(err->cause->kind, ASY_CancelledError);
    asy_error_unref(err);
    asy_task_unref(a);
}

/* ---- states and deadlines ---------------------------------------------------------- */

struct states {
    asy_coro        co;
    struct testing *t;
    asy_timeout     timeout;
};

static void
require_not_entered(struct states *self)
{
    asy_timeout *timeout = &self->timeout;

    require_error(asy_timeout_reschedule(timeout, START), ASY_RuntimeError,
                  "Timeout has not been entered");
    require_ok(asy_timeout_enter(timeout, self->t->loop, INFINITY));
    assert_true(isinf(asy_timeout_when(timeout)));
    assert_int_equal(asy_loop_scheduled_count(self->t->loop), 0);
    require_error(asy_timeout_enter(timeout, self->t->loop, 1), ASY_RuntimeError,
                  "Timeout has already been entered");
}

static void
require_expired(struct states *self, asy_error *err)
{
    asy_timeout *timeout = &self->timeout;

    assert_true(asy_timeout_expired(timeout));
    require_error(asy_timeout_reschedule(timeout, START), ASY_RuntimeError,
                  "Cannot change state of expiring Timeout");
    require_error(asy_timeout_exit(timeout, err), ASY_TimeoutError, "");
    assert_true(asy_timeout_expired(timeout));
    require_error(asy_timeout_reschedule(timeout, START), ASY_RuntimeError,
                  "Cannot change state of expired Timeout");
}

ASYNC(states)
{
    asy_error *err;

    ASYNC_BEGIN;

    require_not_entered(self);
    require_ok(asy_timeout_reschedule(&self->timeout, START + 2));
    AWAIT(asy_sleep(self->t->loop, 1));
    assert_false(asy_timeout_expired(&self->timeout));
    require_ok(asy_timeout_reschedule(&self->timeout, START + 4));
    AWAIT(asy_sleep(self->t->loop, 2));
    TRY_AWAIT(err, asy_sleep(self->t->loop, 5));
    require_expired(self, err);
    trace_note(self->t, "expired");

    ASYNC_END;
}

FINALLY(states)
{
    asy_timeout_deinit(&self->timeout);
}

static void
deadline_can_be_moved_until_it_has_passed(void **state)
{
    struct testing *t = *state;

    trace_start(t, ASYNC_CALL(states, .t = t));
    trace_run(t, 8);
    require_trace(t, "7:expired");
    assert_true(t->now == START + 4);
}

static void
timeout_is_refused_outside_of_a_task(void **state)
{
    struct testing *t = *state;
    asy_timeout timeout = { 0 };

    require_error(asy_timeout_enter(&timeout, t->loop, 1), ASY_RuntimeError,
                  "Timeout should be used inside a task");
    asy_timeout_deinit(&timeout);
}

struct exits {
    asy_coro        co;
    struct testing *t;
    asy_timeout     timeout;
};

ASYNC(exits)
{
    ASYNC_BEGIN;

    require_ok(asy_timeout_enter_at(&self->timeout, self->t->loop, START + 1));
    require_error(asy_timeout_exit(&self->timeout, asy_error_new(ASY_ValueError, "within")),
                  ASY_ValueError, "within");
    require_error(asy_timeout_reschedule(&self->timeout, START), ASY_RuntimeError,
                  "Cannot change state of finished Timeout");
    assert_false(asy_timeout_expired(&self->timeout));
    AWAIT(asy_sleep(self->t->loop, 2));
    trace_note(self->t, "on time");

    ASYNC_END;
}

FINALLY(exits)
{
    asy_timeout_deinit(&self->timeout);
}

static void
block_that_has_been_left_does_not_expire(void **state)
{
    struct testing *t = *state;

    trace_start(t, ASYNC_CALL(exits, .t = t));
    trace_run(t, 4);
    require_trace(t, "3:on time");
}

/* ---- the cancel sweep --------------------------------------------------------------- */

static asy_coro *
make_expiring(struct testing *t, void **ret_data)
{
    (void)ret_data;
    return within(t, "o", 3, within(t, "i", 1, asy_sleep(t->loop, 2)));
}

static asy_coro *
make_in_time(struct testing *t, void **ret_data)
{
    (void)ret_data;
    return within(t, "o", 3, within(t, "i", 2, asy_sleep(t->loop, 1)));
}

static void
timeout_may_be_cancelled_at_any_time(void **state)
{
    (void)state;
    assert_int_equal(cancel_sweep(&(struct cancel_sweep){
        .name = "timeout that expires", .make = make_expiring, .raises = ASY_TimeoutError,
    }), 3);
    assert_int_equal(cancel_sweep(&(struct cancel_sweep){
        .name = "timeout that does not expire", .make = make_in_time,
    }), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(timeout_expires),
        trace_case(timeout_does_not_expire),
        trace_case(timeout_of_no_time),
        trace_case(timeout_of_no_time_goes_before_timers),
        trace_case(timeout_and_cancel_in_one_iteration),
        trace_case(outer_timeout_expires_first),
        trace_case(both_timeouts_expire_in_one_iteration),
        trace_case(cause_of_the_timeout_error_is_the_cancelled_error),
        trace_case(deadline_can_be_moved_until_it_has_passed),
        trace_case(timeout_is_refused_outside_of_a_task),
        trace_case(block_that_has_been_left_does_not_expire),
        cmocka_unit_test(timeout_may_be_cancelled_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
