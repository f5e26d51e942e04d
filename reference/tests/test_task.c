/* SPDX-License-Identifier: MIT */
/*
 * Tasks: making them, and what they cannot await. Those that take turns and are cancelled are in
 * test_task_cancel.c; how they go is in test_task_end.c.
 */
#include "await_trace.h"

#include "core/loop_impl.h"

#include <stdio.h>
#include <string.h>

static asy_future *
future_of(asy_task *task)
{
    return asy_task_future(task);
}

static asy_task *
task_with(struct testing *t, asy_coro *coro, const asy_task_options *options)
{
    asy_task *task;
    require_ok(asy_loop_create_task(t->loop, coro, options, &task));
    return task;
}

/* Run it, and require that it ends with this error. */
static void
require_raises(struct testing *t, asy_coro *coro, asy_error_kind kind, const char *message)
{
    asy_task *task = trace_task(t, coro);

    trace_run(t, 3);
    require_error(asy_future_result(future_of(task), NULL), kind, message);
    asy_task_unref(task);
}

/* ---- results -------------------------------------------------------------------- */

struct gives {
    asy_coro co;
    void    *value;
    void   (*drop)(void *value);
};

ASYNC(gives)
{
    ASYNC_BEGIN;

    asy_coro_set_result(&self->co, self->value, self->drop);

    ASYNC_END;
}

FINALLY(gives)
{
}

static int drops;

static void
count_drop(void *result)
{
    (void)result;
    drops++;
}

static void
result_of_the_coroutine_becomes_that_of_the_task(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = ASYNC_CALL(gives, .value = t, .drop = count_drop);
    void *result;

    drops = 0;
    asy_coro_ref(coro);
    asy_task *task = trace_task(t, coro);
    trace_run(t, 1);
    require_ok(asy_future_result(future_of(task), &result));
    assert_ptr_equal(result, t);
    asy_coro_unref(coro);
    assert_int_equal(drops, 0);
    asy_task_unref(task);
    assert_int_equal(drops, 1);
}

static void
result_and_exception_are_not_set_from_outside(void **state)
{
    struct testing *t = *state;
    asy_task *task = trace_task(t, nap(t, "a", 0));

    require_error(asy_future_set_result(future_of(task), NULL, NULL), ASY_RuntimeError,
                  "Task does not support set_result operation");
    require_error(asy_future_set_exception(future_of(task), asy_error_new(ASY_ValueError, "no")),
                  ASY_RuntimeError, "Task does not support set_exception operation");
    trace_run(t, 1);
    require_trace(t, "1:a> 1:a.");
    asy_task_unref(task);
}

/* ---- making --------------------------------------------------------------------- */

static void
names_count_all_tasks_of_the_process(void **state)
{
    struct testing *t = *state;
    asy_task *first = trace_task(t, nap(t, "a", 0));
    asy_task *second = trace_task(t, nap(t, "b", 0));
    int number;

    assert_int_equal(sscanf(asy_task_get_name(first), "Task-%d", &number), 1);
    char *next = asy_format("Task-%d", number + 1);
    assert_string_equal(asy_task_get_name(second), next);
    asy_free(next);
    asy_task_set_name(second, asy_task_get_name(second) + 1);
    assert_memory_equal(asy_task_get_name(second), "ask-", 4);
    trace_run(t, 1);
    asy_task_unref(first);
    asy_task_unref(second);
}

static void
closed_loop_makes_no_task_and_drops_the_coroutine(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *loop = testing_new_loop(&options);

    require_ok(asy_loop_close(loop));
    asy_set_running_loop(t->loop);
    t->log[0] = '\0';
    require_error(asy_loop_create_task(loop, nap(t, "a", 0), NULL, NULL), ASY_RuntimeError,
                  "Event loop is closed");
    asy_set_running_loop(NULL);
    assert_string_equal(t->log, "WARNING coroutine 'nap' was never awaited\n");
    asy_loop_unref(loop);
}

/* A task that is embedded finds out by itself. It is done with, and nothing is reported. */
static void
task_that_cannot_be_queued_is_done(void **state)
{
    struct testing *t = *state;
    asy_task *task;

    trace_reports(t);
    atomic_store(&t->loop->debug, true);
    atomic_store(&t->loop->thread_id, 1);
    asy_set_running_loop(t->loop);
    require_error(asy_loop_create_task(t->loop, nap(t, "a", 0), NULL, &task), ASY_RuntimeError,
                  "Non-thread-safe operation invoked on an event loop other than the current "
                  "one");
    atomic_store(&t->loop->thread_id, 0);
    atomic_store(&t->loop->debug, false);
    asy_set_running_loop(NULL);
    assert_null(t->loop->first_task);
    assert_string_equal(t->trace, "");
    assert_string_equal(t->log, "WARNING coroutine 'nap' was never awaited\n");
}

static asy_error *
failing_factory(asy_loop *loop, asy_coro *coroutine, const asy_task_options *options,
                void *argument, asy_task **ret_task)
{
    (void)loop;
    (void)ret_task;
    assert_non_null(options);
    testing_trace(argument, asy_coro_name(coroutine));
    require_ok(asy_coro_close(coroutine));
    asy_coro_unref(coroutine);
    RAISE(ValueError, "no tasks today");
}

/* Spec: set_task_factory.used, set_task_factory.none, get_task_factory.value */
static void
factory_makes_the_tasks(void **state)
{
    struct testing *t = *state;
    void *argument = NULL;

    drops = 0;
    asy_loop_set_task_factory(t->loop, failing_factory, t, count_drop);
    assert_true(asy_loop_get_task_factory(t->loop, &argument) == failing_factory);
    assert_ptr_equal(argument, t);
    require_error(asy_loop_create_task(t->loop, nap(t, "a", 0), NULL, NULL), ASY_ValueError,
                  "no tasks today");
    require_trace(t, "nap");
    asy_loop_set_task_factory(t->loop, NULL, NULL, NULL);
    assert_int_equal(drops, 1);
    trace_start(t, nap(t, "a", 0));
    trace_run(t, 1);
    require_trace(t, "1:a> 1:a.");
}

static void
argument_of_the_factory_goes_with_the_loop(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *loop = testing_new_loop(&options);

    drops = 0;
    asy_loop_set_task_factory(loop, failing_factory, t, count_drop);
    testing_close(loop);
    assert_int_equal(drops, 1);
}

/* ---- contexts ------------------------------------------------------------------- */

struct reads {
    asy_coro         co;
    struct testing  *t;
    asy_context_var *var;
};

ASYNC(reads)
{
    ASYNC_BEGIN;

    testing_trace(self->t, asy_context_var_get(self->var, "nothing"));
    asy_context_var_set(self->var, "inner", NULL, NULL);
    AWAIT(asy_sleep(self->t->loop, 0));
    testing_trace(self->t, asy_context_var_get(self->var, "nothing"));

    ASYNC_END;
}

FINALLY(reads)
{
}

/* Spec: create_task.context */
static void
every_step_runs_in_the_context_of_the_task(void **state)
{
    struct testing *t = *state;
    asy_context_var *var = asy_context_var_new("var");
    asy_context *context = asy_context_copy_current();
    const asy_task_options given = { .context = context };

    asy_context_var_set(var, "outer", NULL, NULL);
    asy_task *copying = trace_task(t, ASYNC_CALL(reads, .t = t, .var = var));
    asy_task *sharing = task_with(t, ASYNC_CALL(reads, .t = t, .var = var), &given);
    assert_ptr_equal(asy_task_get_context(sharing), context);
    trace_run(t, 2);
    require_trace(t, "outer nothing inner inner");
    testing_trace(t, asy_context_var_get(var, "nothing"));
    require_trace(t, "outer");
    asy_task_unref(copying);
    asy_task_unref(sharing);
    asy_context_unref(context);
    asy_context_var_unref(var);
}

/* ---- what cannot be awaited ----------------------------------------------------- */

struct awaits_itself {
    asy_coro        co;
    struct testing *t;
};

ASYNC(awaits_itself)
{
    ASYNC_BEGIN;

    AWAIT(asy_current_task(self->t->loop));

    ASYNC_END;
}

FINALLY(awaits_itself)
{
}

static void
task_cannot_await_itself(void **state)
{
    struct testing *t = *state;
    asy_task *task = task_with(t, ASYNC_CALL(awaits_itself, .t = t),
                               &(asy_task_options){ .name = "me" });

    trace_run(t, 2);
    asy_error *err = asy_future_result(future_of(task), NULL);
    assert_int_equal(err->kind, ASY_RuntimeError);
    const char *expected = "Task cannot await on itself: <Task pending name='me' "
                           "coro=<awaits_itself() running at ";
    assert_memory_equal(err->message, expected, strlen(expected));
    asy_error_unref(err);
    asy_task_unref(task);
}

static void
future_of_another_loop_cannot_be_awaited(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *other = testing_new_loop(&options);
    asy_future *future = asy_loop_create_future(other);
    asy_task *task = trace_task(t, awaiting(future));

    trace_run(t, 1);
    assert_false(asy_future_done(future_of(task)));
    trace_run(t, 1);
    asy_error *err = asy_future_result(future_of(task), NULL);
    assert_int_equal(err->kind, ASY_RuntimeError);
    assert_non_null(strstr(err->message, " got Future <Future pending> attached to a different "
                                         "loop"));
    asy_error_unref(err);
    assert_int_equal(future->callback_count, 0);
    asy_task_unref(task);
    asy_future_unref(future);
    testing_close(other);
}

/* As a host's coroutine does that yields what is no future: see asy_coro_new(). */
struct bad {
    asy_coro        co;
    struct testing *t;
};

static asy_error *
yield_badly(asy_coro *co)
{
    struct bad *self = (struct bad *)(void *)co;
    asy_error *thrown = co->thrown;

    co->thrown = NULL;
    if (co->resume_line == 0) {
        co->resume_line = 1;
        co->bad_yield = asy_error_new(ASY_RuntimeError, "Task got bad yield: 42");
        return ASY_SUSPENDED;
    }
    trace_note(self->t, "%s", thrown->message);
    return thrown;
}

static void
do_nothing(asy_coro *co)
{
    (void)co;
}

static const asy_coro_type bad_type = {
    .name = "bad",
    .file = __FILE__,
    .line = __LINE__,
    .size = sizeof(struct bad),
    .body = yield_badly,
    .finally = do_nothing,
};

static void
bad_yield_is_thrown_back_in_the_next_iteration(void **state)
{
    struct testing *t = *state;

    require_raises(t, asy_coro_new(&bad_type, &(struct bad){ .t = t }), ASY_RuntimeError,
                   "Task got bad yield: 42");
    require_trace(t, "2:Task got bad yield: 42");
}

struct raises {
    asy_coro       co;
    asy_error_kind kind;
};

ASYNC(raises)
{
    ASYNC_BEGIN;

    return asy_error_new(self->kind, "raised");

    ASYNC_END;
}

FINALLY(raises)
{
}

static void
fatal_errors_end_the_task_and_leave_the_loop(void **state)
{
    struct testing *t = *state;
    asy_task *task = trace_task(t, ASYNC_CALL(raises, .kind = ASY_SystemExit));

    require_error(asy_loop_run_once(t->loop), ASY_SystemExit, "raised");
    require_error(asy_future_result(future_of(task), NULL), ASY_SystemExit, "raised");
    assert_null(asy_current_task(t->loop));
    asy_task_unref(task);
}

static void
stop_iteration_becomes_a_runtime_error(void **state)
{
    struct testing *t = *state;

    require_raises(t, ASYNC_CALL(raises, .kind = ASY_StopIteration), ASY_RuntimeError,
                   "coroutine raised StopIteration");
}

/* It finished with a TypeError of set_exception(), and never. */
static void
before_3_12_stop_iteration_becomes_a_runtime_error_as_well(void **state)
{
    testing_use_profile(*state, 11);
    stop_iteration_becomes_a_runtime_error(state);
}

static void
coroutine_that_has_a_task_gets_no_second_one(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = nap(t, "a", 2);
    asy_task *first = trace_task(t, asy_coro_ref(coro));

    trace_run(t, 3);
    require_raises(t, coro, ASY_RuntimeError, "cannot reuse already awaited coroutine");
    asy_task_unref(first);
}

static void
waking_a_task_that_is_done_is_refused(void **state)
{
    struct testing *t = *state;
    asy_task *task = task_with(t, nap(t, "a", 0), &(asy_task_options){ .name = "a" });

    trace_run(t, 1);
    asy_error *err = asy_task_wakeup(task);
    const char *expected = "__step(): already done: <Task finished name='a' coro=<nap() done, "
                           "defined at ";
    assert_int_equal(err->kind, ASY_InvalidStateError);
    assert_memory_equal(err->message, expected, strlen(expected));
    asy_error_unref(err);
    asy_task_unref(task);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(result_of_the_coroutine_becomes_that_of_the_task),
        trace_case(result_and_exception_are_not_set_from_outside),
        trace_case(names_count_all_tasks_of_the_process),
        trace_case(closed_loop_makes_no_task_and_drops_the_coroutine),
        trace_case(task_that_cannot_be_queued_is_done),
        trace_case(factory_makes_the_tasks),
        trace_case(argument_of_the_factory_goes_with_the_loop),
        trace_case(every_step_runs_in_the_context_of_the_task),
        trace_case(task_cannot_await_itself),
        trace_case(future_of_another_loop_cannot_be_awaited),
        trace_case(bad_yield_is_thrown_back_in_the_next_iteration),
        trace_case(fatal_errors_end_the_task_and_leave_the_loop),
        trace_case(stop_iteration_becomes_a_runtime_error),
        trace_case(before_3_12_stop_iteration_becomes_a_runtime_error_as_well),
        trace_case(coroutine_that_has_a_task_gets_no_second_one),
        trace_case(waking_a_task_that_is_done_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
