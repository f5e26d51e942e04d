/* SPDX-License-Identifier: MIT */
/* Errors of callbacks: the handler, the default handler, and what happens when these fail. */
#include "testing.h"

#include <string.h>

static asy_callback
failing_callback(struct testing *t, asy_error_kind kind)
{
    asy_callback callback = testing_raise(t, "tick", kind);
    callback.name = "tick";
    callback.file = "t.c";
    callback.line = 3;
    return callback;
}

static void
run_failing(struct testing *t)
{
    require_ok(asy_loop_call_soon(t->loop, failing_callback(t, ASY_ValueError), NULL));
    testing_run_once(t);
    require_trace(t, "tick");
}

/* Spec: default_exception_handler.used, default_exception_handler.logs, context.message */
static void
default_handler_logs_message_handle_and_exception(void **state)
{
    struct testing *t = *state;
    run_failing(t);
    assert_string_equal(t->log, "ERROR Exception in callback tick() at t.c:3\n"
                                "handle: <Handle tick() at t.c:3>\n"
                                "  ValueError: tick raised\n");
}

/* Spec: call_exception_handler.no-message */
static void
report_without_message_gets_one_and_its_keys_are_sorted(void **state)
{
    struct testing *t = *state;
    const asy_report_item items[] = { { "transport", "T" }, { "asyncgen", "A" } };
    const asy_report inner = { .message = "inner" };
    const asy_report report = { .items = items, .item_count = 2, .nested = &inner };

    require_ok(asy_loop_call_exception_handler(t->loop, &report));
    assert_string_equal(t->log, "ERROR Unhandled exception in event loop\n"
                                "asyncgen: A\ncontext: inner\ntransport: T\n");
}

/* ---- a handler of the program ------------------------------------------------- */

static int drops;

static void
count_drop(void *argument)
{
    (void)argument;
    drops++;
}

static asy_error *
trace_report(asy_loop *loop, const asy_report *report, void *argument)
{
    struct testing *t = argument;

    assert_ptr_equal(loop, t->loop);
    assert_non_null(report->handle);
    testing_trace(t, report->message);
    testing_trace(t, report->exception->message);
    return ASY_OK;
}

/* Spec: set_exception_handler.custom, set_exception_handler.none, get_exception_handler.value */
static void
handler_of_the_program_gets_the_report_instead(void **state)
{
    struct testing *t = *state;
    void *argument;

    drops = 0;
    asy_loop_set_exception_handler(t->loop, trace_report, t, count_drop);
    assert_ptr_equal(asy_loop_get_exception_handler(t->loop, &argument), trace_report);
    assert_ptr_equal(argument, t);
    require_ok(asy_loop_call_soon(t->loop, failing_callback(t, ASY_ValueError), NULL));
    testing_run_once(t);
    require_trace(t, "tick Exception in callback tick() at t.c:3 tick raised");
    assert_string_equal(t->log, "");
    asy_loop_set_exception_handler(t->loop, NULL, NULL, NULL);
    assert_int_equal(drops, 1);
    run_failing(t);
    assert_true(strlen(t->log) > 0);
}

static asy_error *
raise_kind(asy_loop *loop, const asy_report *report, void *kind)
{
    (void)loop;
    (void)report;
    return asy_error_new(*(asy_error_kind *)kind, "from the handler");
}

/* Spec: call_exception_handler.handler-raises */
static void
failing_handler_is_reported_by_the_default_one(void **state)
{
    struct testing *t = *state;
    asy_error_kind kind = ASY_TypeError;

    asy_loop_set_exception_handler(t->loop, raise_kind, &kind, NULL);
    run_failing(t);
    assert_string_equal(t->log, "ERROR Unhandled error in exception handler\n"
                                "context: Exception in callback tick() at t.c:3\n"
                                "  TypeError: from the handler\n");
}

static void
fatal_error_of_a_handler_leaves_the_loop(void **state)
{
    struct testing *t = *state;
    asy_error_kind kind = ASY_SystemExit;

    asy_loop_set_exception_handler(t->loop, raise_kind, &kind, NULL);
    require_ok(asy_loop_call_soon(t->loop, failing_callback(t, ASY_ValueError), NULL));
    require_error(asy_loop_run_once(t->loop), ASY_SystemExit, "from the handler");
    require_trace(t, "tick");
}

static asy_error *
defer(asy_loop *loop, const asy_report *report, void *t)
{
    testing_trace(t, "defers");
    return asy_loop_default_exception_handler(loop, report);
}

/* Spec: default_exception_handler.callable-by-custom */
static void
handler_may_defer_to_the_default_one(void **state)
{
    struct testing *t = *state;
    const asy_report report = { .message = "deferred" };

    asy_loop_set_exception_handler(t->loop, defer, t, NULL);
    require_ok(asy_loop_call_exception_handler(t->loop, &report));
    require_trace(t, "defers");
    assert_string_equal(t->log, "ERROR deferred\n");
}

/* ---- the context of the handler ----------------------------------------------- */

static asy_context_var *var;

static asy_error *
trace_value(asy_loop *loop, const asy_report *report, void *t)
{
    (void)loop;
    (void)report;
    testing_trace(t, asy_context_var_get(var, ""));
    return ASY_OK;
}

/* Spec: set_exception_handler.runs-in-context */
static void
handler_runs_in_the_context_of_the_handle_since_3_12(void **state)
{
    struct testing *t = *state;
    char scheduling[] = "scheduling", running[] = "running";

    var = asy_context_var_new("var");
    for (int profile = 11; profile <= 12; profile++) {
        testing_use_profile(t, profile);
        asy_loop_set_exception_handler(t->loop, trace_value, t, NULL);
        asy_context_var_set(var, scheduling, NULL, NULL);
        require_ok(asy_loop_call_soon(t->loop, failing_callback(t, ASY_ValueError), NULL));
        asy_context_var_set(var, running, NULL, NULL);
        testing_run_once(t);
        require_trace(t, profile == 12 ? "tick scheduling" : "tick running");
    }
    var = asy_context_var_unref(var);
}

/* ---- a default handler that a host overrides ---------------------------------- */

static asy_error *
failing_default(void *host, const asy_report *report)
{
    testing_trace(host, report->message);
    return asy_error_new(ASY_ValueError, "from the default handler");
}

static asy_error *
trace_log(void *host, asy_log_level level, const char *message, asy_error *exception)
{
    if (level == ASY_LOG_ERROR) {
        testing_trace(host, message);
        testing_trace(host, exception->message);
    }
    return ASY_OK;
}

static const asy_host overriding_host = {
    .default_exception_handler = failing_default,
    .log = trace_log,
};

static void
failing_default_handler_is_logged(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_error_kind kind = ASY_TypeError;
    const asy_report report = { .message = "report" };

    options.host = &overriding_host;
    asy_loop *loop = testing_new_loop(&options);
    require_ok(asy_loop_call_exception_handler(loop, &report));
    require_trace(t, "report Exception in default exception handler from the default handler");
    asy_loop_set_exception_handler(loop, raise_kind, &kind, NULL);
    require_ok(asy_loop_call_exception_handler(loop, &report));
    require_trace(t, "Unhandled error in exception handler Exception in default exception handler "
                     "while handling an unexpected error in custom exception handler "
                     "from the default handler");
    testing_close(loop);
}

/* ---- a handler that replaces itself --------------------------------------------- */

static asy_error *
replace_and_use_argument(asy_loop *loop, const asy_report *report, void *argument)
{
    (void)report;
    asy_loop_set_exception_handler(loop, NULL, NULL, NULL);
    (*(int *)argument)++;                   /* ASan sees it if the argument is gone */
    return ASY_OK;
}

/* Spec: set_exception_handler.none */
static void
handler_that_replaces_itself_has_its_argument_until_it_returns(void **state)
{
    struct testing *t = *state;
    int *argument = asy_alloc(sizeof *argument);

    asy_loop_set_exception_handler(t->loop, replace_and_use_argument, argument, asy_free);
    run_failing(t);
    assert_null(asy_loop_get_exception_handler(t->loop, NULL));
    assert_string_equal(t->log, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(default_handler_logs_message_handle_and_exception),
        testing_case(report_without_message_gets_one_and_its_keys_are_sorted),
        testing_case(handler_of_the_program_gets_the_report_instead),
        testing_case(failing_handler_is_reported_by_the_default_one),
        testing_case(fatal_error_of_a_handler_leaves_the_loop),
        testing_case(handler_may_defer_to_the_default_one),
        testing_case(handler_runs_in_the_context_of_the_handle_since_3_12),
        testing_case(failing_default_handler_is_logged),
        testing_case(handler_that_replaces_itself_has_its_argument_until_it_returns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
