/* SPDX-License-Identifier: MIT */
/* Done callbacks: when they run, in what order, in which context; and how they are removed. */
#include "testing.h"

#include <string.h>

static void
add(struct testing *t, asy_future *future, const char *name)
{
    require_ok(asy_future_add_done_callback(future, testing_mark(t, name), NULL));
}

/* ---- being called ------------------------------------------------------------------ */

static void
done_callbacks_run_in_the_next_iteration_in_their_order(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    for (const char *const *name = (const char *const[]){ "a", "b", "c", NULL }; *name; name++)
        add(t, future, *name);
    testing_call_soon(t, "before");
    require_ok(asy_future_set_result(future, NULL, NULL));
    testing_call_soon(t, "after");
    require_trace(t, "");
    testing_run_once(t);
    require_trace(t, "before a b c after");
    assert_int_equal(future->callback_count, 0);
    asy_future_unref(future);
}

static void
every_way_of_being_done_queues_the_callbacks(void **state)
{
    struct testing *t = *state;
    asy_future *cancelled = asy_loop_create_future(t->loop);
    asy_future *failed = asy_loop_create_future(t->loop);

    add(t, cancelled, "cancelled");
    add(t, failed, "failed");
    require_ok(asy_future_cancel(cancelled, NULL, NULL));
    require_ok(asy_future_cancel(cancelled, NULL, NULL));
    require_ok(asy_future_set_exception(failed, asy_error_new(ASY_ValueError, "no")));
    testing_run_once(t);
    require_trace(t, "cancelled failed");
    require_error(asy_future_result(failed, NULL), ASY_ValueError, "no");
    asy_future_unref(cancelled);
    asy_future_unref(failed);
}

struct adder {
    struct testing *t;
    asy_future     *future;
};

static asy_error *
add_another(void *argument)
{
    struct adder *adder = argument;

    testing_trace(adder->t, "adds");
    add(adder->t, adder->future, "added");
    return ASY_OK;
}

static void
a_callback_that_is_added_to_a_done_future_runs_in_the_next_iteration(void **state)
{
    struct testing *t = *state;
    struct adder adder = { t, asy_loop_create_future(t->loop) };

    require_ok(asy_future_add_done_callback(adder.future, asy_borrow(add_another, &adder), NULL));
    require_ok(asy_future_set_result(adder.future, NULL, NULL));
    testing_run_once(t);
    require_trace(t, "adds");
    testing_run_once(t);
    require_trace(t, "added");
    asy_future_unref(adder.future);
}

static asy_context_var *var;

static asy_error *
trace_var(void *t)
{
    testing_trace(t, asy_context_var_get(var, ""));
    return ASY_OK;
}

static void
a_callback_runs_in_the_context_of_its_adding_or_in_the_one_given(void **state)
{
    struct testing *t = *state;
    char adding[] = "adding", given[] = "given", finishing[] = "finishing";
    asy_future *future = asy_loop_create_future(t->loop);

    var = asy_context_var_new("var");
    asy_context_var_set(var, given, NULL, NULL);
    asy_context *context = asy_context_copy_current();
    asy_context_var_set(var, adding, NULL, NULL);
    require_ok(asy_future_add_done_callback(future, asy_borrow(trace_var, t), NULL));
    require_ok(asy_future_add_done_callback(future, asy_borrow(trace_var, t), context));
    asy_context_var_set(var, finishing, NULL, NULL);
    require_ok(asy_future_set_result(future, NULL, NULL));
    testing_run_once(t);
    require_trace(t, "adding given");
    asy_context_unref(context);
    asy_future_unref(future);
    asy_context_var_unref(var);
}

/* The callbacks do not keep the future: it goes with its last reference, and they with it. */
static void
callbacks_of_a_future_that_is_never_done_are_dropped_with_it(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    add(t, future, "a");
    add(t, future, "b");
    asy_future_unref(future);
    testing_call_soon(t, "end");
    testing_run_once(t);
    require_trace(t, "end");
}

/* ---- a closed loop ------------------------------------------------------------------- */

/* CPython: the state has changed, the callbacks are lost, and nobody logs the exception. */
static void
on_a_closed_loop_a_future_is_done_and_its_callbacks_are_lost(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *loop = testing_new_loop(&options);
    asy_future *futures[3];
    bool cancelled = false;

    for (int i = 0; i < 3; i++) {
        futures[i] = asy_loop_create_future(loop);
        add(t, futures[i], "never");
        add(t, futures[i], "nor this");
    }
    testing_close(loop);
    t->log[0] = '\0';
    require_error(asy_future_set_result(futures[0], NULL, NULL), ASY_RuntimeError,
                  "Event loop is closed");
    require_error(asy_future_set_exception(futures[1], asy_error_new(ASY_ValueError, "no")),
                  ASY_RuntimeError, "Event loop is closed");
    require_error(asy_future_cancel(futures[2], NULL, &cancelled), ASY_RuntimeError,
                  "Event loop is closed");
    for (int i = 0; i < 3; i++) {
        assert_true(asy_future_done(futures[i]));
        assert_int_equal(futures[i]->callback_count, 0);
        asy_future_unref(futures[i]);
    }
    assert_string_equal(t->log, "");
    require_trace(t, "");
}

static void
on_a_closed_loop_callbacks_are_refused_once_the_future_is_done(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *loop = testing_new_loop(&options);
    asy_future *future = asy_loop_create_future(loop);

    testing_close(loop);
    require_ok(asy_future_set_result(future, NULL, NULL));
    require_error(asy_future_add_done_callback(future, testing_mark(t, "dropped"), NULL),
                  ASY_RuntimeError, "Event loop is closed");
    asy_future_unref(future);
}

/* ---- removing ------------------------------------------------------------------------ */

static asy_error *
tick(void *t)
{
    testing_trace(t, "tick");
    return ASY_OK;
}

static asy_error *
tock(void *t)
{
    testing_trace(t, "tock");
    return ASY_OK;
}

static void
every_callback_of_the_function_and_argument_is_removed(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    struct testing other = { 0 };

    require_ok(asy_future_add_done_callback(future, asy_borrow(tick, t), NULL));
    require_ok(asy_future_add_done_callback(future, asy_borrow(tock, t), NULL));
    require_ok(asy_future_add_done_callback(future, asy_borrow(tick, &other), NULL));
    require_ok(asy_future_add_done_callback(future, asy_borrow(tick, t), NULL));
    assert_int_equal(asy_future_remove_done_callback(future, tick, t), 2);
    assert_int_equal(asy_future_remove_done_callback(future, tick, t), 0);
    require_ok(asy_future_set_result(future, NULL, NULL));
    testing_run_once(t);
    require_trace(t, "tock");
    assert_string_equal(other.trace, "tick ");
    asy_future_unref(future);
}

static void
a_callback_that_is_queued_is_not_removed(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    require_ok(asy_future_add_done_callback(future, asy_borrow(tick, t), NULL));
    require_ok(asy_future_set_result(future, NULL, NULL));
    assert_int_equal(asy_future_remove_done_callback(future, tick, t), 0);
    testing_run_once(t);
    require_trace(t, "tick");
    asy_future_unref(future);
}

static asy_future *removing_from;

static void
remove_tick_and_add(void *argument)
{
    struct testing *t = argument;

    asy_future_remove_done_callback(removing_from, tick, t);
    add(t, removing_from, "added by a drop");
}

static void
what_a_removed_callback_drops_may_remove_and_add(void **state)
{
    struct testing *t = *state;

    removing_from = asy_loop_create_future(t->loop);
    require_ok(asy_future_add_done_callback(removing_from, asy_borrow(tick, t), NULL));
    require_ok(asy_future_add_done_callback(
        removing_from, asy_own(tock, t, remove_tick_and_add), NULL));
    assert_int_equal(asy_future_remove_done_callback(removing_from, tock, t), 1);
    require_ok(asy_future_set_result(removing_from, NULL, NULL));
    testing_run_once(t);
    require_trace(t, "added by a drop");
    asy_future_unref(removing_from);
}

/* ---- removing with a question that uses the future -------------------------------------- */

struct question {
    struct testing *t;
    asy_future     *future;
    void          (*act)(struct question *self);   /* before the answer */
    asy_handle     *wanted;                         /* NULL: all */
    int             asked;
    int             fail_at;                        /* raise at this question; 0: never */
};

static asy_error *
ask(asy_handle *handle, void *argument, bool *ret_match)
{
    struct question *self = argument;

    self->asked++;
    if (self->act)
        self->act(self);
    if (self->asked == self->fail_at)
        RAISE(ValueError, "no answer");
    *ret_match = !self->wanted || handle == self->wanted;
    return ASY_OK;
}

/* A future with the callbacks tick, tock, tick. */
static struct question
question_about_three(struct testing *t)
{
    struct question self = { .t = t, .future = asy_loop_create_future(t->loop) };

    require_ok(asy_future_add_done_callback(self.future, asy_borrow(tick, t), NULL));
    require_ok(asy_future_add_done_callback(self.future, asy_borrow(tock, t), NULL));
    require_ok(asy_future_add_done_callback(self.future, asy_borrow(tick, t), NULL));
    return self;
}

static void
require_removed(struct question *self, size_t expected)
{
    size_t count = 99;

    require_ok(asy_future_remove_done_handles(self->future, ask, self, &count));
    assert_int_equal(count, expected);
}

/* What is left runs, in its order, and then "end". */
static void
require_left(struct question *self, const char *expected)
{
    if (!asy_future_done(self->future))
        require_ok(asy_future_set_result(self->future, NULL, NULL));
    testing_call_soon(self->t, "end");
    testing_run_once(self->t);
    require_trace(self->t, expected);
    asy_future_unref(self->future);
}

static void
the_handle_that_is_asked_for_is_removed(void **state)
{
    struct testing *t = *state;
    struct question question = question_about_three(t);

    question.wanted = question.future->callbacks[0];
    require_removed(&question, 1);
    assert_int_equal(question.asked, 3);
    require_left(&question, "tock tick end");
}

static void
act_add(struct question *self)
{
    add(self->t, self->future, "added");
}

static void
what_the_question_adds_is_not_asked_and_stays(void **state)
{
    struct testing *t = *state;
    struct question question = question_about_three(t);

    question.act = act_add;
    require_removed(&question, 3);
    assert_int_equal(question.asked, 3);
    require_left(&question, "added added added end");
}

static void
act_remove_ticks(struct question *self)
{
    asy_future_remove_done_callback(self->future, tick, self->t);
}

static void
what_the_question_removes_is_not_counted(void **state)
{
    struct testing *t = *state;
    struct question question = question_about_three(t);

    question.act = act_remove_ticks;
    require_removed(&question, 1);
    require_left(&question, "end");
}

static void
an_answer_finds_its_callback_after_others_before_it_are_removed(void **state)
{
    struct testing *t = *state;
    struct question question = question_about_three(t);

    question.act = act_remove_ticks;
    question.wanted = question.future->callbacks[1];
    require_removed(&question, 1);
    require_left(&question, "end");
}

/* Yes to the first, no to all others. */
static asy_error *
first_only(asy_handle *handle, void *argument, bool *ret_match)
{
    int *asked = argument;

    (void)handle;
    (*asked)++;
    *ret_match = *asked == 1;
    return ASY_OK;
}

static void
a_handle_that_was_added_twice_is_asked_and_removed_each_time_for_itself(void **state)
{
    struct testing *t = *state;
    struct question question = { .t = t, .future = asy_loop_create_future(t->loop) };
    int asked = 0;
    size_t count;

    require_ok(asy_future_add_done_callback(question.future, asy_borrow(tick, t), NULL));
    asy_handle *handle = question.future->callbacks[0];
    require_ok(asy_future_add_done_handle(question.future, handle));
    require_ok(asy_future_remove_done_handles(question.future, first_only, &asked, &count));
    assert_int_equal(asked, 2);
    assert_int_equal(count, 1);
    require_left(&question, "tick end");
}

static void
act_replace(struct question *self)
{
    asy_future_remove_done_callback(self->future, tick, self->t);
    if (self->asked == 1)
        act_add(self);
}

static void
removing_and_adding_in_one_question_keeps_the_rest(void **state)
{
    struct testing *t = *state;
    struct question question = question_about_three(t);

    question.act = act_replace;
    question.wanted = question.future->callbacks[2];
    require_removed(&question, 0);
    require_left(&question, "tock added end");
}

static void
act_finish(struct question *self)
{
    require_ok(asy_future_cancel(self->future, NULL, NULL));
}

static void
a_question_that_finishes_the_future_removes_nothing(void **state)
{
    struct testing *t = *state;
    struct question question = question_about_three(t);

    question.act = act_finish;
    require_removed(&question, 0);
    require_left(&question, "tick tock tick end");
}

static void
a_question_that_raises_removes_nothing(void **state)
{
    struct testing *t = *state;
    struct question question = question_about_three(t);
    size_t count = 99;

    question.fail_at = 2;
    require_error(asy_future_remove_done_handles(question.future, ask, &question, &count),
                  ASY_ValueError, "no answer");
    assert_int_equal(question.asked, 2);
    assert_int_equal(count, 99);
    require_left(&question, "tick tock tick end");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(done_callbacks_run_in_the_next_iteration_in_their_order),
        testing_case(every_way_of_being_done_queues_the_callbacks),
        testing_case(a_callback_that_is_added_to_a_done_future_runs_in_the_next_iteration),
        testing_case(a_callback_runs_in_the_context_of_its_adding_or_in_the_one_given),
        testing_case(callbacks_of_a_future_that_is_never_done_are_dropped_with_it),
        testing_case(on_a_closed_loop_a_future_is_done_and_its_callbacks_are_lost),
        testing_case(on_a_closed_loop_callbacks_are_refused_once_the_future_is_done),
        testing_case(every_callback_of_the_function_and_argument_is_removed),
        testing_case(a_callback_that_is_queued_is_not_removed),
        testing_case(what_a_removed_callback_drops_may_remove_and_add),
        testing_case(the_handle_that_is_asked_for_is_removed),
        testing_case(what_the_question_adds_is_not_asked_and_stays),
        testing_case(what_the_question_removes_is_not_counted),
        testing_case(an_answer_finds_its_callback_after_others_before_it_are_removed),
        testing_case(a_handle_that_was_added_twice_is_asked_and_removed_each_time_for_itself),
        testing_case(removing_and_adding_in_one_question_keeps_the_rest),
        testing_case(a_question_that_finishes_the_future_removes_nothing),
        testing_case(a_question_that_raises_removes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
