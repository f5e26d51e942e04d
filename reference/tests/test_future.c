/* SPDX-License-Identifier: MIT */
/* Futures: their states, how they become done, and what they then tell whoever asks. */
#include "testing.h"

#include "await/future_impl.h"

static int drops;

static void
count_drop(void *argument)
{
    (void)argument;
    drops++;
}

static const char stop_iteration_text[] =
    "StopIteration interacts badly with generators and cannot be raised into a Future";

/* ---- a result ------------------------------------------------------------------- */

/* Spec: create_future.attached */
static void
a_new_future_is_pending_and_belongs_to_its_loop(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_error *exception;

    assert_ptr_equal(asy_future_get_loop(future), t->loop);
    assert_false(asy_future_done(future));
    assert_false(asy_future_cancelled(future));
    require_error(asy_future_result(future, NULL), ASY_InvalidStateError, "Result is not set.");
    require_error(asy_future_exception(future, &exception), ASY_InvalidStateError,
                  "Exception is not set.");
    asy_future_unref(future);
}

static void
a_future_keeps_its_loop(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *loop = testing_new_loop(&options);
    asy_future *future = asy_loop_create_future(loop);

    testing_close(loop);
    assert_true(asy_loop_is_closed(asy_future_get_loop(future)));
    require_ok(asy_future_set_result(future, NULL, NULL));
    asy_future_unref(future);
}

static void
two_readers_get_the_same_result_which_goes_with_the_future(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_error *exception = NULL;
    void *first, *second;
    int value = 7;

    drops = 0;
    require_ok(asy_future_set_result(future, &value, count_drop));
    require_ok(asy_future_result(future, &first));
    require_ok(asy_future_result(future, &second));
    require_ok(asy_future_result(future, NULL));
    require_ok(asy_future_exception(future, &exception));
    assert_ptr_equal(first, &value);
    assert_ptr_equal(second, &value);
    assert_null(exception);
    assert_true(asy_future_done(future));
    assert_int_equal(drops, 0);
    asy_future_unref(future);
    assert_int_equal(drops, 1);
}

static void
a_future_is_done_once(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    bool cancelled = true;
    int value, other;
    void *result;

    drops = 0;
    require_ok(asy_future_set_result(future, &value, NULL));
    require_error(asy_future_set_result(future, &other, count_drop), ASY_InvalidStateError,
                  "invalid state");
    assert_int_equal(drops, 1);
    require_error(asy_future_set_result(future, &other, NULL), ASY_InvalidStateError,
                  "invalid state");
    require_error(asy_future_set_exception(future, asy_error_new(ASY_ValueError, "late")),
                  ASY_InvalidStateError, "invalid state");
    require_ok(asy_future_cancel(future, NULL, &cancelled));
    assert_false(cancelled);
    require_ok(asy_future_result(future, &result));
    assert_ptr_equal(result, &value);
    asy_future_unref(future);
}

/* ---- an exception ---------------------------------------------------------------- */

static void
an_exception_is_raised_by_each_result_and_shown_by_exception(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_error *given = asy_error_new(ASY_ValueError, "wrong");
    asy_error *shown;
    int untouched;
    void *result = &untouched;

    require_ok(asy_future_set_exception(future, asy_error_ref(given)));
    assert_true(asy_future_done(future));
    assert_false(asy_future_cancelled(future));
    require_ok(asy_future_exception(future, &shown));
    assert_ptr_equal(shown, given);
    for (int reader = 0; reader < 2; reader++) {
        asy_error *raised = asy_future_result(future, &result);
        assert_ptr_equal(raised, given);
        asy_error_unref(raised);
    }
    assert_ptr_equal(result, &untouched);
    asy_future_unref(future);
    assert_int_equal(given->refs, 1);
    asy_error_unref(given);
}

static void
a_stop_iteration_is_refused_before_3_12(void **state)
{
    struct testing *t = *state;

    testing_use_profile(t, 11);
    asy_future *future = asy_loop_create_future(t->loop);
    require_error(asy_future_set_exception(future, asy_error_new(ASY_StopIteration, "1")),
                  ASY_TypeError, stop_iteration_text);
    assert_false(asy_future_done(future));
    asy_future_unref(future);
}

static void
a_stop_iteration_is_wrapped_since_3_12(void **state)
{
    struct testing *t = *state;
    asy_error *given = asy_error_new(ASY_StopIteration, "1");
    asy_error *shown;

    testing_use_profile(t, 12);
    asy_future *future = asy_loop_create_future(t->loop);
    require_ok(asy_future_set_exception(future, given));
    require_ok(asy_future_exception(future, &shown));
    assert_ptr_equal(shown->cause, given);
    require_error(asy_future_result(future, NULL), ASY_RuntimeError, stop_iteration_text);
    asy_future_unref(future);
}

/* ---- cancelling -------------------------------------------------------------------- */

static void
a_cancelled_future_raises_a_new_cancelled_error_each_time(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_error *exception;
    bool cancelled = false;
    char message[] = "enough";

    require_ok(asy_future_cancel(future, message, &cancelled));
    message[0] = '?';
    assert_true(cancelled);
    assert_true(asy_future_done(future));
    assert_true(asy_future_cancelled(future));
    require_error(asy_future_result(future, NULL), ASY_CancelledError, "enough");
    require_error(asy_future_exception(future, &exception), ASY_CancelledError, "enough");
    require_ok(asy_future_cancel(future, "again", &cancelled));
    assert_false(cancelled);
    require_error(asy_future_result(future, NULL), ASY_CancelledError, "enough");
    require_error(asy_future_set_result(future, NULL, NULL), ASY_InvalidStateError,
                  "invalid state");
    asy_future_unref(future);
}

static void
a_cancellation_without_message_has_an_empty_one(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    require_ok(asy_future_cancel(future, NULL, NULL));
    require_error(asy_future_result(future, NULL), ASY_CancelledError, "");
    asy_future_unref(future);
}

static void
the_error_with_which_a_task_ended_is_given_out_once(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    future->cancelled_error = asy_error_new(ASY_CancelledError, "the first one");
    require_ok(asy_future_cancel(future, "made anew", NULL));
    require_error(asy_future_result(future, NULL), ASY_CancelledError, "the first one");
    require_error(asy_future_result(future, NULL), ASY_CancelledError, "made anew");
    asy_future_unref(future);
}

static void
a_message_can_be_replaced_by_itself(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    future_set_cancel_message(future, "first");
    future_set_cancel_message(future, future->cancel_message);
    require_ok(future_cancel(future, future->cancel_message, NULL));
    require_error(asy_future_result(future, NULL), ASY_CancelledError, "first");
    asy_future_unref(future);
}

/* ---- what is a future in its own way -------------------------------------------------- */

struct own_future {
    asy_future      future;
    struct testing *t;
};

static void
no_references(asy_future *future)
{
    (void)future;
}

static asy_error *
refuse_cancel(asy_future *future, const void *message, bool *ret_cancelled)
{
    testing_trace(((struct own_future *)future)->t, message);
    *ret_cancelled = false;
    return ASY_OK;
}

static asy_error *
own_result(asy_future *future, void **ret_result)
{
    *ret_result = future;
    return ASY_OK;
}

static asy_error *
own_add_done_handle(asy_future *future, asy_handle *handle)
{
    (void)handle;
    testing_trace(((struct own_future *)future)->t, "add");
    return ASY_OK;
}

static char *
own_describe(asy_future *future)
{
    (void)future;
    return asy_format("<Own>");
}

static const asy_future_ops own_ops = {
    .name = "Own",
    .ref = no_references,
    .unref = no_references,
    .cancel = refuse_cancel,
    .result = own_result,
    .add_done_handle = own_add_done_handle,
    .describe = own_describe,
};

static const asy_future_ops task_like_ops = {
    .name = "Task",
    .ref = no_references,
    .unref = no_references,
    .cancel = refuse_cancel,
    .is_task = true,
};

static void
ops_take_the_place_of_the_methods(void **state)
{
    struct testing *t = *state;
    struct own_future self = { .t = t };
    bool cancelled = true;
    void *result;

    asy_future_init(&self.future, &own_ops, t->loop);
    require_ok(asy_future_cancel(&self.future, "asked to cancel", &cancelled));
    assert_false(cancelled);
    require_ok(asy_future_result(&self.future, &result));
    assert_ptr_equal(result, &self);
    require_ok(asy_future_add_done_callback(&self.future, testing_mark(t, "never"), NULL));
    char *text = asy_future_describe(&self.future);
    assert_string_equal(text, "<Own>");
    asy_free(text);
    require_trace(t, "asked to cancel add");
    asy_future_clear(&self.future);
}

static void
a_task_is_not_finished_from_outside(void **state)
{
    struct testing *t = *state;
    struct own_future self = { .t = t };
    void *result;
    int value;

    drops = 0;
    asy_future_init(&self.future, &task_like_ops, t->loop);
    require_error(asy_future_set_result(&self.future, &value, count_drop), ASY_RuntimeError,
                  "Task does not support set_result operation");
    assert_int_equal(drops, 1);
    require_error(asy_future_set_exception(&self.future, asy_error_new(ASY_ValueError, "no")),
                  ASY_RuntimeError, "Task does not support set_exception operation");
    assert_false(asy_future_done(&self.future));
    require_ok(future_set_result(&self.future, &value, NULL));
    require_ok(asy_future_result(&self.future, &result));
    assert_ptr_equal(result, &value);
    asy_future_clear(&self.future);
}

static void
a_task_cancels_and_fails_itself_without_being_asked(void **state)
{
    struct testing *t = *state;
    struct own_future cancelled = { .t = t }, failed = { .t = t };
    bool answer = false;

    asy_future_init(&cancelled.future, &task_like_ops, t->loop);
    asy_future_init(&failed.future, &task_like_ops, t->loop);
    require_ok(future_cancel(&cancelled.future, "itself", &answer));
    assert_true(answer);
    require_ok(future_set_exception(&failed.future, asy_error_new(ASY_SystemExit, "3")));
    require_error(asy_future_result(&cancelled.future, NULL), ASY_CancelledError, "itself");
    require_error(asy_future_result(&failed.future, NULL), ASY_SystemExit, "3");
    asy_future_clear(&cancelled.future);
    asy_future_clear(&failed.future);
    require_trace(t, "");
}

/* ---- clearing ---------------------------------------------------------------------------- */

static asy_future *cleared;

static void
use_the_cleared_future(void *argument)
{
    struct testing *t = argument;

    assert_true(asy_future_cancelled(cleared));
    assert_int_equal(cleared->callback_count, 0);
    require_ok(asy_future_add_done_callback(cleared, testing_mark(t, "late"), NULL));
    asy_future_clear(cleared);
    asy_future_unref(asy_future_ref(cleared));
    testing_trace(t, "dropped");
}

static asy_error *
do_nothing(void *argument)
{
    (void)argument;
    return ASY_OK;
}

static void
what_clearing_drops_may_use_the_future(void **state)
{
    struct testing *t = *state;

    cleared = asy_loop_create_future(t->loop);
    for (int i = 0; i < 2; i++)
        require_ok(asy_future_add_done_callback(
            cleared, asy_own(do_nothing, t, use_the_cleared_future), NULL));
    future_set_cancel_message(cleared, "message");
    asy_future_clear(cleared);
    require_trace(t, "dropped dropped");
    testing_run_once(t);
    require_trace(t, "late late");
    require_error(asy_future_result(cleared, NULL), ASY_CancelledError, "");
    asy_future_unref(cleared);
}

static void
the_result_of_the_last_reference_may_use_the_future(void **state)
{
    struct testing *t = *state;

    cleared = asy_loop_create_future(t->loop);
    require_ok(asy_future_set_result(cleared, t, use_the_cleared_future));
    asy_future_unref(cleared);
    require_trace(t, "dropped");
    testing_run_once(t);
    require_trace(t, "late");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(a_new_future_is_pending_and_belongs_to_its_loop),
        testing_case(a_future_keeps_its_loop),
        testing_case(two_readers_get_the_same_result_which_goes_with_the_future),
        testing_case(a_future_is_done_once),
        testing_case(an_exception_is_raised_by_each_result_and_shown_by_exception),
        testing_case(a_stop_iteration_is_refused_before_3_12),
        testing_case(a_stop_iteration_is_wrapped_since_3_12),
        testing_case(a_cancelled_future_raises_a_new_cancelled_error_each_time),
        testing_case(a_cancellation_without_message_has_an_empty_one),
        testing_case(the_error_with_which_a_task_ended_is_given_out_once),
        testing_case(a_message_can_be_replaced_by_itself),
        testing_case(ops_take_the_place_of_the_methods),
        testing_case(a_task_is_not_finished_from_outside),
        testing_case(a_task_cancels_and_fails_itself_without_being_asked),
        testing_case(what_clearing_drops_may_use_the_future),
        testing_case(the_result_of_the_last_reference_may_use_the_future),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
