/* SPDX-License-Identifier: MIT */
/* Futures as objects: exceptions that nobody has looked at, texts, run_until_complete(). */
#include "testing.h"

#include <asy/task.h>

static asy_future *
failed_future(struct testing *t, const char *text)
{
    asy_future *future = asy_loop_create_future(t->loop);

    require_ok(asy_future_set_exception(future, asy_error_new(ASY_ValueError, "%s", text)));
    return future;
}

/* ---- exceptions that were never retrieved ---------------------------------------- */

static void
an_exception_that_nobody_has_looked_at_is_reported(void **state)
{
    struct testing *t = *state;

    asy_future_unref(failed_future(t, "lost"));
    assert_string_equal(t->log, "ERROR Future exception was never retrieved\n"
                                "future: <Future finished exception=ValueError: lost>\n"
                                "  ValueError: lost\n");
}

static void
an_exception_that_was_looked_at_is_not_reported(void **state)
{
    struct testing *t = *state;
    asy_future *raised = failed_future(t, "raised"), *shown = failed_future(t, "shown");
    asy_future *cancelled = failed_future(t, "given up");
    asy_error *exception;

    require_error(asy_future_result(raised, NULL), ASY_ValueError, "raised");
    require_ok(asy_future_exception(shown, &exception));
    require_ok(asy_future_cancel(cancelled, NULL, NULL));
    asy_future_unref(raised);
    asy_future_unref(shown);
    asy_future_unref(cancelled);
    assert_string_equal(t->log, "");
}

static void
an_exception_is_reported_on_a_closed_loop_too(void **state)
{
    struct testing *t = *state;
    asy_future *future = failed_future(t, "lost");

    testing_use_profile(t, 12);
    asy_future_unref(future);
    assert_string_equal(t->log, "ERROR Future exception was never retrieved\n"
                                "future: <Future finished exception=ValueError: lost>\n"
                                "  ValueError: lost\n");
}

static asy_future *kept;

static asy_error *
keep_future(asy_loop *loop, const asy_report *report, void *t)
{
    (void)loop;
    testing_trace(t, report->message);
    testing_trace(t, report->exception->message);
    asy_future_unref(asy_future_ref(report->future));
    kept = asy_future_ref(report->future);
    return ASY_OK;
}

static void
a_handler_may_keep_the_future_that_is_reported_once(void **state)
{
    struct testing *t = *state;

    asy_loop_set_exception_handler(t->loop, keep_future, t, NULL);
    asy_future_unref(failed_future(t, "lost"));
    require_trace(t, "Future exception was never retrieved lost");
    require_error(asy_future_result(kept, NULL), ASY_ValueError, "lost");
    asy_future_unref(kept);
    require_trace(t, "");
}

static asy_error *
exit_handler(asy_loop *loop, const asy_report *report, void *argument)
{
    (void)loop;
    (void)report;
    (void)argument;
    RAISE(SystemExit, "3");
}

static void
a_fatal_error_of_the_handler_is_logged_since_nobody_can_get_it(void **state)
{
    struct testing *t = *state;

    asy_loop_set_exception_handler(t->loop, exit_handler, NULL, NULL);
    asy_future_unref(failed_future(t, "lost"));
    assert_string_equal(t->log, "ERROR Exception ignored in: "
                                "<Future finished exception=ValueError: lost>\n"
                                "  SystemExit: 3\n");
}

static void
note_unraisable(void *host, asy_future *future, asy_error *error)
{
    char *text = asy_future_describe(future);

    testing_trace(host, text);
    testing_trace(host, error->message);
    asy_free(text);
}

static const asy_host unraisable_host = { .unraisable = note_unraisable };

static void
a_fatal_error_of_the_handler_is_the_host_s_to_show(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);

    options.host = &unraisable_host;
    testing_close(t->loop);
    t->loop = testing_new_loop(&options);
    asy_loop_set_exception_handler(t->loop, exit_handler, NULL, NULL);
    asy_future_unref(failed_future(t, "lost"));
    require_trace(t, "<Future finished exception=ValueError: lost> 3");
}

/* ---- a task, as far as a future knows of it ------------------------------------------ */

static void
no_references(asy_future *future)
{
    (void)future;
}

static const asy_future_ops task_ops = {
    .name = "Task",
    .ref = no_references,
    .unref = no_references,
    .is_task = true,
};

static const asy_future_ops nameless_ops = { .ref = no_references, .unref = no_references };

static void
a_report_names_task_and_future_as_it_was_told(void **state)
{
    struct testing *t = *state;
    asy_task task = { 0 };
    asy_future *future = &task.future;
    const asy_report report = { .message = "pending", .task = &task };

    asy_future_init(future, &task_ops, t->loop);
    require_ok(asy_loop_call_exception_handler(t->loop, &report));
    future->state = ASY_FUTURE_FINISHED;
    future->exception = asy_error_new(ASY_ValueError, "%s", "");
    future->log_traceback = true;
    asy_future_report_unretrieved(future);
    asy_future_report_unretrieved(future);
    assert_string_equal(t->log, "ERROR pending\ntask: <Task pending>\n"
                                "ERROR Task exception was never retrieved\n"
                                "future: <Task finished exception=ValueError>\n"
                                "  ValueError: \n");
    asy_future_clear(future);
}

static asy_context_var *var;

static asy_error *
trace_var(asy_loop *loop, const asy_report *report, void *t)
{
    (void)loop;
    (void)report;
    testing_trace(t, asy_context_var_get(var, ""));
    return ASY_OK;
}

/* Spec: set_exception_handler.runs-in-context */
static void
the_exception_of_a_task_is_reported_in_its_context(void **state)
{
    struct testing *t = *state;
    char inside[] = "inside", outside[] = "outside";
    asy_task task = { 0 };

    var = asy_context_var_new("var");
    asy_context_var_set(var, inside, NULL, NULL);
    task.context = asy_context_copy_current();
    asy_context_var_set(var, outside, NULL, NULL);
    asy_loop_set_exception_handler(t->loop, trace_var, t, NULL);
    asy_future_init(&task.future, &task_ops, t->loop);
    task.future.log_traceback = true;
    asy_future_report_unretrieved(&task.future);
    asy_future_unref(failed_future(t, "lost"));
    require_trace(t, "inside outside");
    asy_context_unref(task.context);
    asy_context_var_unref(var);
}

/* ---- texts ------------------------------------------------------------------------------ */

static asy_error *
do_nothing(void *argument)
{
    (void)argument;
    return ASY_OK;
}

static void
add_callback_of_line(asy_future *future, int line)
{
    asy_callback callback = { .function = do_nothing, .name = "tick", .file = "t.c", .line = line };
    require_ok(asy_future_add_done_callback(future, callback, NULL));
}

static void
require_description(asy_future *future, const char *expected)
{
    char *text = asy_future_describe(future);

    assert_string_equal(text, expected);
    asy_free(text);
}

/* As python3.13 -c 'print(future)' with one, two, three print() as callbacks. */
static void
a_pending_future_describes_its_callbacks(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    require_description(future, "<Future pending>");
    add_callback_of_line(future, 1);
    require_description(future, "<Future pending cb=[tick() at t.c:1]>");
    add_callback_of_line(future, 2);
    require_description(future, "<Future pending cb=[tick() at t.c:1, tick() at t.c:2]>");
    add_callback_of_line(future, 3);
    add_callback_of_line(future, 4);
    require_description(future,
                        "<Future pending cb=[tick() at t.c:1, <2 more>, tick() at t.c:4]>");
    asy_future_unref(future);
}

static void
a_done_future_describes_how_it_ended(void **state)
{
    struct testing *t = *state;
    asy_future *finished = asy_loop_create_future(t->loop);
    asy_future *failed = failed_future(t, "text");
    asy_future *cancelled = asy_loop_create_future(t->loop);
    asy_future nameless;

    require_ok(asy_future_set_result(finished, NULL, NULL));
    require_ok(asy_future_cancel(cancelled, "message", NULL));
    asy_future_init(&nameless, &nameless_ops, t->loop);
    require_description(finished, "<Future finished>");
    require_description(failed, "<Future finished exception=ValueError: text>");
    require_description(cancelled, "<Future cancelled>");
    require_description(&nameless, "<Future pending>");
    require_error(asy_future_result(failed, NULL), ASY_ValueError, "text");
    asy_future_unref(finished);
    asy_future_unref(failed);
    asy_future_unref(cancelled);
}

static void
unref_accepts_null(void **state)
{
    (void)state;
    assert_null(asy_future_unref(NULL));
}

/* ---- a host's futures ----------------------------------------------------------- */

static asy_future *
host_future_new(void *host)
{
    return host;
}

static void
a_host_makes_the_futures_of_its_loop(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    const asy_host host = { .future_new = host_future_new };
    asy_future future;

    options.host = &host;
    options.host_data = &future;
    asy_loop *loop = testing_new_loop(&options);
    asy_future_init(&future, &nameless_ops, loop);
    assert_ptr_equal(asy_loop_create_future(loop), &future);
    testing_close(loop);
}

/* ---- run_until_complete() ------------------------------------------------------- */

static asy_error *
finish(void *future)
{
    return asy_future_set_result(future, NULL, NULL);
}

static asy_error *
fail_plainly(void *future)
{
    return asy_future_set_exception(future, asy_error_new(ASY_ValueError, "failed"));
}

static asy_error *
fail_fatally(void *future)
{
    TRY(asy_future_set_exception(future, asy_error_new(ASY_SystemExit, "3")));
    RAISE(SystemExit, "3");
}

static asy_error *
stop(void *loop)
{
    asy_loop_stop(loop);
    return ASY_OK;
}

static void
run_until_done_ends_when_the_future_is_done(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    require_ok(asy_loop_call_later(t->loop, 5, asy_borrow(finish, future), NULL));
    require_ok(asy_loop_run_until_done(t->loop, future));
    assert_true(t->now >= START + 5);
    require_ok(asy_loop_run_until_done(t->loop, future));
    asy_future_unref(future);
}

/* CPython's _run_until_complete_cb() looks at the exception. */
static void
run_until_done_leaves_the_exception_to_the_caller_and_it_is_not_reported(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    require_ok(asy_loop_call_soon(t->loop, asy_borrow(fail_plainly, future), NULL));
    require_ok(asy_loop_run_until_done(t->loop, future));
    asy_future_unref(future);
    assert_string_equal(t->log, "");
}

static void
run_until_done_raises_if_the_loop_is_stopped_before(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    require_ok(asy_loop_call_soon(t->loop, asy_borrow(stop, t->loop), NULL));
    require_error(asy_loop_run_until_done(t->loop, future), ASY_RuntimeError,
                  "Event loop stopped before Future completed.");
    assert_int_equal(future->callback_count, 0);
    asy_future_unref(future);
}

/* The callback is queued when the run ends, and has the future for itself until the next run,
 * which it must not stop. */
static void
a_fatal_exception_of_the_future_does_not_stop_the_next_run(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    require_ok(asy_loop_call_soon(t->loop, asy_borrow(fail_fatally, future), NULL));
    require_error(asy_loop_run_until_done(t->loop, future), ASY_SystemExit, "3");
    asy_future_unref(future);
    future = asy_loop_create_future(t->loop);
    require_ok(asy_loop_call_later(t->loop, 1, asy_borrow(finish, future), NULL));
    require_ok(asy_loop_run_until_done(t->loop, future));
    asy_future_unref(future);
    assert_string_equal(t->log, "");
}

static void
run_until_done_refuses_a_future_of_another_loop(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *other = testing_new_loop(&options);
    asy_future *future = asy_loop_create_future(other);

    require_error(asy_loop_run_until_done(t->loop, future), ASY_ValueError,
                  "The future belongs to a different loop than the one specified as the loop "
                  "argument");
    testing_close(other);
    require_error(asy_loop_run_until_done(other, future), ASY_RuntimeError,
                  "Event loop is closed");
    asy_future_unref(future);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(an_exception_that_nobody_has_looked_at_is_reported),
        testing_case(an_exception_that_was_looked_at_is_not_reported),
        testing_case(an_exception_is_reported_on_a_closed_loop_too),
        testing_case(a_handler_may_keep_the_future_that_is_reported_once),
        testing_case(a_fatal_error_of_the_handler_is_logged_since_nobody_can_get_it),
        testing_case(a_fatal_error_of_the_handler_is_the_host_s_to_show),
        testing_case(a_report_names_task_and_future_as_it_was_told),
        testing_case(the_exception_of_a_task_is_reported_in_its_context),
        testing_case(a_pending_future_describes_its_callbacks),
        testing_case(a_done_future_describes_how_it_ended),
        testing_case(unref_accepts_null),
        testing_case(a_host_makes_the_futures_of_its_loop),
        testing_case(run_until_done_ends_when_the_future_is_done),
        testing_case(run_until_done_leaves_the_exception_to_the_caller_and_it_is_not_reported),
        testing_case(run_until_done_raises_if_the_loop_is_stopped_before),
        testing_case(a_fatal_exception_of_the_future_does_not_stop_the_next_run),
        testing_case(run_until_done_refuses_a_future_of_another_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
