/* SPDX-License-Identifier: MIT */
/* Handles: cancelling, what they keep alive, what they say of themselves. */
#include "testing.h"

#include "core/loop_impl.h"

#include <string.h>

/* Spec: Handle.cancel, Handle.cancelled.true, Handle.cancel.twice */
static void
cancelled_handle_does_not_run(void **state)
{
    struct testing *t = *state;
    asy_handle *handle;

    require_ok(asy_loop_call_soon(t->loop, testing_mark(t, "cancelled"), &handle));
    testing_call_soon(t, "other");
    assert_false(asy_handle_cancelled(handle));
    asy_handle_cancel(handle);
    asy_handle_cancel(handle);
    assert_true(asy_handle_cancelled(handle));
    testing_run_once(t);
    require_trace(t, "other");
    asy_handle_unref(handle);
}

struct victim {
    struct testing *t;
    asy_handle     *handle;
};

static asy_error *
cancel_victim(void *argument)
{
    struct victim *victim = argument;
    testing_trace(victim->t, "cancels");
    asy_handle_cancel(victim->handle);
    return ASY_OK;
}

/* Spec: Handle.cancel.same-batch */
static void
handle_of_the_same_batch_can_be_cancelled(void **state)
{
    struct testing *t = *state;
    struct victim victim = { t, NULL };

    require_ok(asy_loop_call_soon(t->loop, asy_borrow(cancel_victim, &victim), NULL));
    require_ok(asy_loop_call_soon(t->loop, testing_mark(t, "victim"), &victim.handle));
    testing_run_once(t);
    require_trace(t, "cancels");
    asy_handle_unref(victim.handle);
}

/* ---- letting go of the argument ----------------------------------------------- */

static int drops;

static void
count_drop(void *argument)
{
    (void)argument;
    drops++;
}

static asy_error *
do_nothing(void *argument)
{
    (void)argument;
    return ASY_OK;
}

/* Spec: Handle.cancel.releases */
static void
cancelling_drops_the_argument_at_once(void **state)
{
    struct testing *t = *state;
    asy_handle *handle;

    drops = 0;
    require_ok(asy_loop_call_soon(t->loop, asy_own(do_nothing, t, count_drop), &handle));
    asy_handle_cancel(handle);
    assert_int_equal(drops, 1);
    testing_run_once(t);
    asy_handle_unref(handle);
    assert_int_equal(drops, 1);
}

static void
argument_goes_with_the_last_reference_after_the_run(void **state)
{
    struct testing *t = *state;
    asy_handle *handle;

    drops = 0;
    require_ok(asy_loop_call_soon(t->loop, asy_own(do_nothing, t, count_drop), &handle));
    testing_run_once(t);
    assert_int_equal(drops, 0);
    asy_handle_unref(handle);
    assert_int_equal(drops, 1);
}

static asy_error *
cancel_itself(void *argument)
{
    struct victim *victim = argument;
    int before = drops;

    asy_handle_cancel(victim->handle);
    assert_int_equal(drops, before);
    testing_trace(victim->t, "still here");
    return ASY_OK;
}

static void
callback_that_cancels_itself_keeps_its_argument_until_it_returns(void **state)
{
    struct testing *t = *state;
    struct victim victim = { t, NULL };

    drops = 0;
    require_ok(asy_loop_call_soon(t->loop, asy_own(cancel_itself, &victim, count_drop),
                                  &victim.handle));
    testing_run_once(t);
    assert_int_equal(drops, 1);
    require_trace(t, "still here");
    asy_handle_unref(victim.handle);
    assert_int_equal(drops, 1);
}

/* The thread that runs a callback never waits for it, whether or not the loop counts as running. */
static void
threadsafe_callback_may_cancel_itself(void **state)
{
    struct testing *t = *state;
    struct victim victim = { t, NULL };

    drops = 0;
    require_ok(asy_loop_call_soon_threadsafe(
        t->loop, asy_own(cancel_itself, &victim, count_drop), &victim.handle));
    testing_run_once(t);
    require_trace(t, "still here");
    assert_int_equal(drops, 1);
    asy_handle_unref(victim.handle);
}

/* Spec: Handle.cancel.after-run */
static void
cancelling_after_the_run_has_no_effect_but_the_flag(void **state)
{
    struct testing *t = *state;
    asy_handle *handle;

    require_ok(asy_loop_call_soon(t->loop, testing_mark(t, "ran"), &handle));
    testing_run_once(t);
    asy_handle_cancel(handle);
    assert_true(asy_handle_cancelled(handle));
    testing_call_soon(t, "end");
    testing_run_once(t);
    require_trace(t, "ran end");
    asy_handle_unref(handle);
}

static void
handle_outlives_its_loop(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *loop = testing_new_loop(&options);
    asy_timer_handle *timer;

    require_ok(asy_loop_call_later(loop, 1, testing_mark(t, "never"), &timer));
    testing_close(loop);
    asy_handle_cancel(asy_timer_handle_base(timer));
    asy_timer_handle_unref(timer);
    require_trace(t, "");
}

static void
unref_accepts_null(void **state)
{
    (void)state;
    assert_null(asy_handle_unref(NULL));
    assert_null(asy_timer_handle_unref(NULL));
}

/* ---- texts -------------------------------------------------------------------- */

static void
require_description(asy_handle *handle, const char *expected)
{
    char *text = handle_describe(handle);
    assert_string_equal(text, expected);
    asy_free(text);
}

static void
handles_describe_themselves_as_in_python(void **state)
{
    struct testing *t = *state;
    asy_callback callback = { .function = do_nothing, .name = "tick", .file = "t.c", .line = 7 };
    asy_handle *handle = handle_new(t->loop, callback);
    asy_timer_handle *timer = timer_handle_new(t->loop, 0.1, callback);

    require_description(handle, "<Handle tick() at t.c:7>");
    require_description(&timer->handle, "<TimerHandle when=0.1 tick() at t.c:7>");
    asy_handle_cancel(handle);
    asy_handle_cancel(&timer->handle);
    require_description(handle, "<Handle cancelled tick() at t.c:7>");
    require_description(&timer->handle, "<TimerHandle cancelled when=0.1 tick() at t.c:7>");
    asy_handle_unref(handle);
    asy_timer_handle_unref(timer);
}

/* ---- an embedded handle ------------------------------------------------------- */

struct embedded {
    asy_timer_handle timer;
    struct testing  *t;
    int              refs;
    int              clears;
};

static asy_error *
embedded_run(asy_handle *handle)
{
    struct embedded *self = (struct embedded *)handle;
    testing_trace(self->t, "embedded");
    RAISE(ValueError, "from an embedded handle");
}

static void
embedded_ref(asy_handle *handle)
{
    ((struct embedded *)handle)->refs++;
}

static void
embedded_unref(asy_handle *handle)
{
    ((struct embedded *)handle)->refs--;
}

static void
embedded_clear(asy_handle *handle)
{
    ((struct embedded *)handle)->clears++;
}

static const asy_handle_ops bare_ops = {
    .run = embedded_run,
    .ref = embedded_ref,
    .unref = embedded_unref,
};

static const asy_handle_ops clearing_ops = {
    .run = embedded_run,
    .ref = embedded_ref,
    .unref = embedded_unref,
    .clear = embedded_clear,
};

static void
embedded_handle_runs_once_for_each_time_it_was_added(void **state)
{
    struct testing *t = *state;
    struct embedded self = { .t = t };

    asy_handle_init(&self.timer.handle, &bare_ops, t->loop);
    asy_loop_add_handle(t->loop, &self.timer.handle);
    asy_loop_add_handle(t->loop, &self.timer.handle);
    assert_int_equal(self.refs, 2);
    testing_run_once(t);
    require_trace(t, "embedded embedded");
    assert_int_equal(self.refs, 0);
    assert_null(asy_handle_get_context(&self.timer.handle));
    assert_string_equal(t->log, "ERROR Exception in callback ?\n"
                                "handle: <Handle>\n"
                                "  ValueError: from an embedded handle\n"
                                "ERROR Exception in callback ?\n"
                                "handle: <Handle>\n"
                                "  ValueError: from an embedded handle\n");
}

static void
embedded_timer_is_counted_and_cleared_when_cancelled(void **state)
{
    struct testing *t = *state;
    struct embedded self = { .t = t };

    asy_timer_handle_init(&self.timer, &clearing_ops, t->loop, START + 5);
    asy_loop_add_timer_handle(t->loop, &self.timer);
    assert_int_equal(asy_loop_scheduled_count(t->loop), 1);
    asy_handle_cancel(&self.timer.handle);
    asy_handle_cancel(&self.timer.handle);
    assert_int_equal(self.clears, 1);
    assert_int_equal(asy_loop_timer_cancelled_count(t->loop), 1);
    testing_call_soon(t, "end");
    testing_run_once(t);
    require_trace(t, "end");
    assert_int_equal(self.refs, 0);
    assert_int_equal(asy_loop_timer_cancelled_count(t->loop), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(cancelled_handle_does_not_run),
        testing_case(handle_of_the_same_batch_can_be_cancelled),
        testing_case(cancelling_drops_the_argument_at_once),
        testing_case(argument_goes_with_the_last_reference_after_the_run),
        testing_case(callback_that_cancels_itself_keeps_its_argument_until_it_returns),
        testing_case(threadsafe_callback_may_cancel_itself),
        testing_case(cancelling_after_the_run_has_no_effect_but_the_flag),
        testing_case(handle_outlives_its_loop),
        testing_case(unref_accepts_null),
        testing_case(handles_describe_themselves_as_in_python),
        testing_case(embedded_handle_runs_once_for_each_time_it_was_added),
        testing_case(embedded_timer_is_counted_and_cleared_when_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
