/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: what sending, throwing and closing do to a chain of them, and in which order they
 * end.
 */
#include "coroutines.h"

#include <stdio.h>
#include <unistd.h>

/* ---- sending ------------------------------------------------------------------------ */

static void
calling_an_async_function_runs_nothing(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = new_leaf(t, "a", NULL);

    require_trace(t, "");
    assert_false(asy_coro_started(coro));
    assert_string_equal(asy_coro_name(coro), "leaf");
    close_and_unref(coro);
}

static void
each_send_runs_the_chain_to_its_next_await(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = new_three(t, NULL);

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_trace(t, "a b c");
    assert_true(asy_coro_started(coro));
    assert_false(asy_coro_finished(coro));
    require_ok(asy_coro_send(coro, ASY_OK));
    require_trace(t, "c ~c b ~b a ~a");
    assert_true(asy_coro_finished(coro));
    asy_coro_unref(coro);
    require_trace(t, "");
}

static void
error_of_the_innermost_comes_out_of_each_await(void **state)
{
    struct testing *t = *state;
    asy_coro *raiser = new_raiser(t, "c");
    asy_coro *coro = new_outer(t, "a", new_outer(t, "b", raiser));

    require_error(asy_coro_send(coro, ASY_OK), ASY_OSError, "c raised");
    require_trace(t, "a b ~c ~b ~a");
    asy_coro_unref(coro);
}

static void
coroutine_that_never_waits_is_finished_after_one_send(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = new_raiser(t, "a");

    require_error(asy_coro_send(coro, ASY_OK), ASY_OSError, "a raised");
    assert_true(asy_coro_finished(coro));
    asy_coro_unref(coro);
    require_trace(t, "~a");
}

/* ---- throwing ----------------------------------------------------------------------- */

static void
thrown_error_leaves_through_every_await(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = new_three(t, NULL);

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_trace(t, "a b c");
    asy_error *thrown = asy_error_new(ASY_ValueError, "thrown");
    asy_error *err = asy_coro_send(coro, asy_error_ref(thrown));
    assert_ptr_equal(err, thrown);
    asy_error_unref(err);
    asy_error_unref(thrown);
    require_trace(t, "~c ~b ~a");
    asy_coro_unref(coro);
}

static void
thrown_error_is_caught_in_the_middle_and_the_chain_goes_on(void **state)
{
    struct testing *t = *state;
    asy_coro *middle = new_catcher(t, "b", new_leaf(t, "c", NULL));
    asy_coro *coro = new_outer(t, "a", middle);

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_trace(t, "a b c");
    require_suspended(asy_coro_send(coro, asy_error_new(ASY_ValueError, "thrown")));
    require_trace(t, "~c thrown");
    require_ok(asy_coro_send(coro, ASY_OK));
    require_trace(t, "b ~b a ~a");
    asy_coro_unref(coro);
}

static void
error_thrown_into_what_has_not_begun_comes_out_and_runs_finally_only(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = new_leaf(t, "a", NULL);

    require_error(asy_coro_send(coro, asy_error_new(ASY_ValueError, "thrown")), ASY_ValueError,
                  "thrown");
    require_trace(t, "~a");
    assert_true(asy_coro_finished(coro));
    asy_coro_unref(coro);
    require_trace(t, "");
}

/* ---- ending from outside -------------------------------------------------------------- */

static void
closing_runs_each_finally_once_the_innermost_first(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = new_three(t, NULL);

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_trace(t, "a b c");
    require_ok(asy_coro_close(coro));
    require_trace(t, "~c ~b ~a");
    assert_true(asy_coro_finished(coro));
    require_ok(asy_coro_close(coro));
    asy_coro_unref(coro);
    require_trace(t, "");
}

static void
last_reference_ends_the_chain_as_closing_does(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = asy_coro_ref(new_three(t, NULL));

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_trace(t, "a b c");
    assert_null(asy_coro_unref(coro));
    require_trace(t, "");
    assert_null(asy_coro_unref(coro));
    require_trace(t, "~c ~b ~a");
    assert_null(asy_coro_unref(NULL));
}

static void
closing_what_has_not_begun_runs_finally_only(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = new_leaf(t, "a", NULL);

    require_ok(asy_coro_close(coro));
    require_trace(t, "~a");
    asy_coro_unref(coro);
    require_trace(t, "");
}

/* A coroutine in the middle, of which the test has a reference, is closed under its outer. */
static asy_coro *
suspended_over_a_closed_one(struct testing *t)
{
    asy_coro *middle = asy_coro_ref(new_outer(t, "b", new_leaf(t, "c", NULL)));
    asy_coro *coro = new_outer(t, "a", middle);

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_trace(t, "a b c");
    close_and_unref(middle);
    require_trace(t, "~c ~b");
    return coro;
}

static void
outer_of_a_closed_coroutine_cannot_reuse_it(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = suspended_over_a_closed_one(t);

    require_error(asy_coro_send(coro, ASY_OK), ASY_RuntimeError,
                  "cannot reuse already awaited coroutine");
    require_trace(t, "~a");
    asy_coro_unref(coro);
}

static void
error_thrown_over_a_closed_coroutine_gives_way_to_the_refusal(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = suspended_over_a_closed_one(t);

    require_error(asy_coro_send(coro, asy_error_new(ASY_ValueError, "thrown")), ASY_RuntimeError,
                  "cannot reuse already awaited coroutine");
    require_trace(t, "~a");
    asy_coro_unref(coro);
}

static void
closed_coroutine_that_was_sent_on_is_not_running(void **state)
{
    struct testing *t = *state;
    asy_coro *inner = asy_coro_ref(new_leaf(t, "b", NULL));
    asy_coro *coro = new_outer(t, "a", inner);

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_ok(asy_coro_close(inner));
    require_error(asy_coro_send(coro, ASY_OK), ASY_RuntimeError,
                  "cannot reuse already awaited coroutine");
    assert_false(inner->running);
    require_ok(asy_coro_close(inner));
    require_error(asy_coro_send(inner, ASY_OK), ASY_RuntimeError,
                  "cannot reuse already awaited coroutine");
    require_trace(t, "a b ~b ~a");
    asy_coro_unref(coro);
    asy_coro_unref(inner);
}

static void
dropping_a_chain_with_a_closed_part_ends_the_rest(void **state)
{
    struct testing *t = *state;

    asy_coro_unref(suspended_over_a_closed_one(t));
    require_trace(t, "~a");
}

/* ---- results ---------------------------------------------------------------------------- */

static int drops;

static void
count_drop(void *result)
{
    drops += *(int *)result;
}

static int one = 1;
static int ten = 10;

/* Sets a result, and then another. */
struct with_result {
    asy_coro co;
};

ASYNC(with_result)
{
    ASYNC_BEGIN;

    asy_coro_set_result(&self->co, &one, count_drop);
    AWAIT((asy_future *)NULL);
    asy_coro_set_result(&self->co, &ten, count_drop);

    ASYNC_END;
}

FINALLY(with_result)
{
}

static void
result_can_be_read_until_the_coroutine_is_freed(void **state)
{
    asy_coro *coro = ASYNC_CALL(with_result);

    (void)state;
    drops = 0;
    require_suspended(asy_coro_send(coro, ASY_OK));
    assert_ptr_equal(coro->result, &one);
    require_ok(asy_coro_send(coro, ASY_OK));
    assert_int_equal(drops, 1);
    assert_ptr_equal(coro->result, &ten);
    asy_coro_unref(coro);
    assert_int_equal(drops, 11);
}

/* ---- never awaited ----------------------------------------------------------------------- */

static asy_error *
drop_new_coroutine(void *argument)
{
    asy_coro_unref(new_leaf(argument, "a", NULL));
    return ASY_OK;
}

static void
coroutine_that_was_never_awaited_is_reported_in_the_running_loop(void **state)
{
    struct testing *t = *state;

    asy_set_running_loop(t->loop);
    require_ok(drop_new_coroutine(t));
    asy_set_running_loop(NULL);
    assert_string_equal(t->log, "WARNING coroutine 'leaf' was never awaited\n");
    require_trace(t, "~a");
}

/* Call the function with standard error in a pipe; what it writes is in text then. */
static void
capture_stderr(asy_error *(*function)(void *argument), void *argument, char *text, size_t size)
{
    int ends[2];
    int saved = dup(STDERR_FILENO);

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    asy_error *err = function(argument);
    fflush(stderr);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    close(saved);
    close(ends[1]);
    ssize_t count = read(ends[0], text, size - 1);
    close(ends[0]);
    text[count > 0 ? count : 0] = '\0';
    require_ok(err);
}

static void
coroutine_that_was_never_awaited_is_reported_on_stderr_without_a_loop(void **state)
{
    struct testing *t = *state;
    char text[256];

    capture_stderr(drop_new_coroutine, t, text, sizeof text);
    assert_string_equal(text, "coroutine 'leaf' was never awaited\n");
    assert_string_equal(t->log, "");
}

/* Close one coroutine, throw into another, begin a third. */
static asy_error *
drop_used_coroutines(void *argument)
{
    struct testing *t = argument;
    asy_coro *thrown_into = new_leaf(t, "b", NULL);
    asy_coro *begun = new_leaf(t, "c", NULL);

    close_and_unref(new_leaf(t, "a", NULL));
    require_error(asy_coro_send(thrown_into, asy_error_new(ASY_ValueError, "thrown")),
                  ASY_ValueError, "thrown");
    asy_coro_unref(thrown_into);
    require_suspended(asy_coro_send(begun, ASY_OK));
    asy_coro_unref(begun);
    return ASY_OK;
}

static void
coroutine_that_was_closed_thrown_into_or_begun_is_not_reported(void **state)
{
    struct testing *t = *state;
    char text[256];

    capture_stderr(drop_used_coroutines, t, text, sizeof text);
    assert_string_equal(text, "");
    require_trace(t, "~a ~b c ~c");
}

/* ---- bodies ------------------------------------------------------------------------------ */

static void
body_that_goes_on_where_it_has_no_await_says_so(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = new_leaf(t, "a", NULL);

    require_suspended(asy_coro_send(coro, ASY_OK));
    coro->resume_line = 1;
    require_error(
        asy_coro_send(coro, ASY_OK), ASY_RuntimeError,
        "leaf resumed at line 1, where it has no AWAIT: is that AWAIT inside a switch?");
    require_trace(t, "a ~a");
    asy_coro_unref(coro);
}

static void
suspension_is_never_counted_as_an_error(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = new_three(t, NULL);

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_ok(asy_coro_send(coro, ASY_OK));
    require_trace(t, "a b c c ~c b ~b a ~a");
    asy_coro_unref(coro);
    close_and_unref(suspended_over_a_closed_one(t));
    assert_int_equal(asy_suspended.refs, 1);
}

/* What a host does: its body takes what was thrown, and says that it has yielded nonsense. */
static asy_error *
host_body(asy_coro *co)
{
    asy_error *thrown = co->thrown;
    co->thrown = NULL;
    if (thrown)
        return thrown;
    co->resume_line = 1;
    co->bad_yield = asy_error_new(ASY_RuntimeError, "Task got bad yield: 5");
    return ASY_SUSPENDED;
}

static void
host_finally(asy_coro *co)
{
    (void)co;
}

static const asy_coro_type host_type = {
    "host", __FILE__, __LINE__, sizeof(asy_coro), host_body, host_finally,
};

static void
bad_yield_of_a_host_is_found_where_it_was_sent(void **state)
{
    struct testing *t = *state;
    asy_coro *inner = asy_coro_new(&host_type, &(asy_coro){ 0 });
    asy_coro *coro = new_outer(t, "a", inner);

    require_suspended(asy_coro_send(coro, ASY_OK));
    assert_non_null(coro->bad_yield);
    assert_null(inner->bad_yield);
    asy_error *bad_yield = coro->bad_yield;
    coro->bad_yield = NULL;
    require_error(asy_coro_send(coro, bad_yield), ASY_RuntimeError, "Task got bad yield: 5");
    require_trace(t, "a ~a");
    asy_coro_unref(coro);
}

static void
bad_yield_that_nobody_takes_goes_with_the_coroutine(void **state)
{
    asy_coro *coro = asy_coro_new(&host_type, &(asy_coro){ 0 });

    (void)state;
    require_suspended(asy_coro_send(coro, ASY_OK));
    assert_non_null(coro->bad_yield);
    asy_coro_unref(coro);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(calling_an_async_function_runs_nothing),
        testing_case(each_send_runs_the_chain_to_its_next_await),
        testing_case(error_of_the_innermost_comes_out_of_each_await),
        testing_case(coroutine_that_never_waits_is_finished_after_one_send),
        testing_case(thrown_error_leaves_through_every_await),
        testing_case(thrown_error_is_caught_in_the_middle_and_the_chain_goes_on),
        testing_case(error_thrown_into_what_has_not_begun_comes_out_and_runs_finally_only),
        testing_case(closing_runs_each_finally_once_the_innermost_first),
        testing_case(last_reference_ends_the_chain_as_closing_does),
        testing_case(closing_what_has_not_begun_runs_finally_only),
        testing_case(outer_of_a_closed_coroutine_cannot_reuse_it),
        testing_case(error_thrown_over_a_closed_coroutine_gives_way_to_the_refusal),
        testing_case(closed_coroutine_that_was_sent_on_is_not_running),
        testing_case(dropping_a_chain_with_a_closed_part_ends_the_rest),
        testing_case(result_can_be_read_until_the_coroutine_is_freed),
        testing_case(coroutine_that_was_never_awaited_is_reported_in_the_running_loop),
        testing_case(coroutine_that_was_never_awaited_is_reported_on_stderr_without_a_loop),
        testing_case(coroutine_that_was_closed_thrown_into_or_begun_is_not_reported),
        testing_case(body_that_goes_on_where_it_has_no_await_says_so),
        testing_case(suspension_is_never_counted_as_an_error),
        testing_case(bad_yield_of_a_host_is_found_where_it_was_sent),
        testing_case(bad_yield_that_nobody_takes_goes_with_the_coroutine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
