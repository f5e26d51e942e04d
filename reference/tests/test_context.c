/* SPDX-License-Identifier: MIT */
/* Contexts and their variables. */
#include "testing.h"

#include <string.h>

static asy_context_var *var, *other_var;

static char one[] = "one", two[] = "two", none[] = "none";

static int
make_vars(void **state)
{
    (void)state;
    var = asy_context_var_new("var");
    other_var = asy_context_var_new("other");
    return 0;
}

static int
free_vars(void **state)
{
    (void)state;
    var = asy_context_var_unref(var);
    other_var = asy_context_var_unref(other_var);
    return 0;
}

static const char *
get(void)
{
    return asy_context_var_get(var, none);
}

static void
unbound_variable_gives_the_fallback(void **state)
{
    (void)state;
    assert_string_equal(get(), "none");
    asy_context_var_set(other_var, one, NULL, NULL);
    assert_string_equal(get(), "none");
}

static void
set_binds_and_binds_again(void **state)
{
    (void)state;
    asy_context_var_set(var, one, NULL, NULL);
    asy_context_var_set(other_var, two, NULL, NULL);
    assert_string_equal(get(), "one");
    asy_context_var_set(var, two, NULL, NULL);
    assert_string_equal(get(), "two");
    assert_string_equal(asy_context_var_get(other_var, none), "two");
}

static void
reset_brings_back_the_old_value_or_none(void **state)
{
    asy_context_token *first, *second;

    (void)state;
    asy_context_var_set(var, one, NULL, &first);
    asy_context_var_set(var, two, NULL, &second);
    require_ok(asy_context_var_reset(second));
    assert_string_equal(get(), "one");
    require_ok(asy_context_var_reset(first));
    assert_string_equal(get(), "none");
}

static asy_error *
set_two(void *token)
{
    assert_string_equal(get(), "one");
    asy_context_var_set(var, two, NULL, token);
    assert_string_equal(get(), "two");
    return ASY_OK;
}

static void
what_a_run_sets_stays_in_its_context(void **state)
{
    (void)state;
    asy_context_var_set(var, one, NULL, NULL);
    asy_context *context = asy_context_copy_current();
    require_ok(asy_context_run(context, set_two, NULL));
    assert_string_equal(get(), "one");
    asy_context_unref(context);
}

static void
token_of_another_context_is_refused(void **state)
{
    asy_context_token *token;

    (void)state;
    asy_context_var_set(var, one, NULL, NULL);
    asy_context *context = asy_context_copy_current();
    require_ok(asy_context_run(context, set_two, &token));
    require_error(asy_context_var_reset(token), ASY_ValueError,
                  "the token of var was created in a different Context");
    asy_context_unref(context);
}

static asy_error *
enter_again(void *context)
{
    asy_error *err = asy_context_run(context, set_two, NULL);
    assert_true(asy_error_is_a(err, ASY_RuntimeError));
    asy_error_unref(err);
    RAISE(TypeError, "from inside");
}

static void
context_cannot_be_entered_twice_and_passes_errors_on(void **state)
{
    (void)state;
    asy_context *context = asy_context_copy_current();
    require_error(asy_context_run(context, enter_again, context), ASY_TypeError, "from inside");
    asy_context_unref(context);
}

static int drops;

static void
count_drop(void *value)
{
    (void)value;
    drops++;
}

static void
value_is_dropped_once_when_no_context_has_it(void **state)
{
    (void)state;
    drops = 0;
    asy_context_var_set(var, one, count_drop, NULL);
    asy_context *copy = asy_context_copy_current();
    asy_context_var_set(var, two, NULL, NULL);
    assert_int_equal(drops, 0);
    asy_context_unref(copy);
    assert_int_equal(drops, 1);
}

static void
many_variables_keep_their_values_apart(void **state)
{
    asy_context_var *vars[100];
    int values[100];

    (void)state;
    for (int i = 0; i < 100; i++) {
        vars[i] = asy_context_var_new("many");
        asy_context_var_set(vars[i], &values[i], NULL, NULL);
    }
    for (int i = 0; i < 100; i += 7)
        asy_context_var_set(vars[i], &values[99 - i], NULL, NULL);
    for (int i = 0; i < 100; i++) {
        int *expected = &values[i % 7 ? i : 99 - i];
        assert_ptr_equal(asy_context_var_get(vars[i], NULL), expected);
    }
    for (int i = 0; i < 100; i++)
        asy_context_var_unref(vars[i]);
}

/* ---- callbacks ---------------------------------------------------------------- */

static asy_error *
trace_value(void *t)
{
    testing_trace(t, get());
    asy_context_var_set(var, two, NULL, NULL);
    testing_trace(t, get());
    return ASY_OK;
}

/* Spec: call_soon.context-default-current */
static void
callback_runs_in_a_copy_of_the_context_of_its_scheduling(void **state)
{
    struct testing *t = *state;

    asy_context_var_set(var, one, NULL, NULL);
    require_ok(asy_loop_call_soon(t->loop, asy_borrow(trace_value, t), NULL));
    require_ok(asy_loop_call_soon(t->loop, asy_borrow(trace_value, t), NULL));
    asy_context_var_set(var, none, NULL, NULL);
    testing_run_once(t);
    require_trace(t, "one two one two");
    assert_string_equal(get(), "none");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(unbound_variable_gives_the_fallback),
        testing_case(set_binds_and_binds_again),
        testing_case(reset_brings_back_the_old_value_or_none),
        testing_case(what_a_run_sets_stays_in_its_context),
        testing_case(token_of_another_context_is_refused),
        testing_case(context_cannot_be_entered_twice_and_passes_errors_on),
        testing_case(value_is_dropped_once_when_no_context_has_it),
        testing_case(many_variables_keep_their_values_apart),
        testing_case(callback_runs_in_a_copy_of_the_context_of_its_scheduling),
    };
    return cmocka_run_group_tests(tests, make_vars, free_vars);
}
