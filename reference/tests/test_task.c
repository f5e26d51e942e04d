/* SPDX-License-Identifier: MIT */
/*
 * Tasks: making them, what they tell of themselves, what they cannot await, how they go. Those
 * that take turns and are cancelled are in test_task_cancel.c.
 */
#include "await_trace.h"
#include "cancel_sweep.h"

#include "base/alloc.h"
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

/* ---- results ------------------------------------------------------------------------- */

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

/* ---- making ----------------------------------------------------------------------------- */

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
    require_error(asy_loop_create_task(t->loop, nap(t, "a", 0), NULL, &task), ASY_RuntimeError,
                  "Non-thread-safe operation invoked on an event loop other than the current "
                  "one");
    atomic_store(&t->loop->thread_id, 0);
    atomic_store(&t->loop->debug, false);
    assert_null(t->loop->first_task);
    assert_string_equal(t->trace, "");
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

/* Spec: set_task_factory.custom, set_task_factory.none, get_task_factory.value */
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

/* ---- contexts ------------------------------------------------------------------------------ */

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

/* ---- what cannot be awaited ------------------------------------------------------------------- */

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
                   "StopIteration interacts badly with generators and cannot be raised into a "
                   "Future");
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

/* ---- the list of tasks ------------------------------------------------------------------------ */

static void
require_tasks(struct testing *t, asy_task *const *expected, size_t expected_count)
{
    size_t count;
    asy_task **tasks = asy_all_tasks(t->loop, &count);

    assert_int_equal(count, expected_count);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(tasks[i], expected[i]);
        asy_task_unref(tasks[i]);
    }
    asy_free(tasks);
}

static void
all_tasks_are_those_that_are_not_done_in_their_order(void **state)
{
    struct testing *t = *state;
    asy_task *a = trace_task(t, nap(t, "a", 3));
    asy_task *b = trace_task(t, nap(t, "b", 0));
    asy_task *c = trace_task(t, nap(t, "c", 1));

    require_tasks(t, (asy_task *const[]){ a, b, c }, 3);
    trace_run(t, 1);
    require_tasks(t, (asy_task *const[]){ a, c }, 2);
    trace_run(t, 1);
    require_tasks(t, (asy_task *const[]){ a }, 1);
    trace_run(t, 2);
    require_tasks(t, NULL, 0);
    asy_task_unref(a);
    asy_task_unref(b);
    asy_task_unref(c);
}

struct steps_within {
    asy_coro        co;
    struct testing *t;
};

static void
run_nested_iteration(struct testing *t)
{
    asy_task *other = task_with(t, nap(t, "other", 0), &(asy_task_options){ .name = "other" });

    testing_run_once(t);
    assert_false(asy_future_done(future_of(other)));
    assert_non_null(strstr(t->log, "RuntimeError: Cannot enter into task <Task pending "
                                   "name='other'"));
    assert_non_null(strstr(t->log, "while another task <Task pending name='outer'"));
    t->log[0] = '\0';
    trace_reports(t);
    asy_task_unref(other);
}

ASYNC(steps_within)
{
    ASYNC_BEGIN;

    run_nested_iteration(self->t);

    ASYNC_END;
}

FINALLY(steps_within)
{
}

static void
task_is_not_entered_while_another_one_runs(void **state)
{
    struct testing *t = *state;
    asy_task *outer = task_with(t, ASYNC_CALL(steps_within, .t = t),
                                &(asy_task_options){ .name = "outer" });

    trace_run(t, 1);
    require_ok(asy_future_result(future_of(outer), NULL));
    require_trace(t, "1:report:Task was destroyed but i");
    asy_task_unref(outer);
}

/* ---- going ------------------------------------------------------------------------------------ */

static void
pending_task_that_goes_is_reported(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *loop = testing_new_loop(&options);

    t->log[0] = '\0';
    require_ok(asy_loop_create_task(loop, asy_sleep(loop, 0),
                                    &(asy_task_options){ .name = "a" }, NULL));
    require_ok(asy_loop_run_once(loop));
    testing_close(loop);
    const char *expected = "ERROR Task was destroyed but it is pending!\ntask: <Task pending "
                           "name='a' coro=<sleep() running at ";
    assert_memory_equal(t->log, expected, strlen(expected));
}

static void
exception_that_nobody_looks_at_is_reported(void **state)
{
    struct testing *t = *state;

    require_ok(asy_loop_create_task(t->loop, ASYNC_CALL(raises, .kind = ASY_ValueError),
                                    &(asy_task_options){ .name = "a" }, NULL));
    trace_run(t, 1);
    const char *expected = "ERROR Task exception was never retrieved\nfuture: <Task finished "
                           "name='a' coro=<raises() done, defined at ";
    assert_memory_equal(t->log, expected, strlen(expected));
    assert_non_null(strstr(t->log, " exception=ValueError: raised>\n  ValueError: raised\n"));
}

static asy_future *rescued;

static asy_error *
rescue(asy_loop *loop, const asy_report *report, void *argument)
{
    (void)loop;
    (void)argument;
    rescued = asy_future_ref(report->future);
    return ASY_OK;
}

static void
handler_may_keep_the_task_that_it_is_told_of(void **state)
{
    struct testing *t = *state;

    asy_loop_set_exception_handler(t->loop, rescue, t, NULL);
    trace_start(t, nap_and_raise(t, "a", 0));
    trace_run(t, 1);
    require_error(asy_future_result(rescued, NULL), ASY_LookupError, "a");
    rescued = asy_future_unref(rescued);
}

/* A waiting task and its future hold one another. Whoever drops the future's callbacks, such as a
 * garbage collector, ends that. */
static void
waiting_task_lives_as_long_as_the_callback_at_its_future(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    trace_reports(t);
    trace_start(t, watch(t, "a", awaiting(future)));
    trace_run(t, 1);
    assert_ptr_equal(asy_handle_task(future->callbacks[0]), t->loop->first_task);
    char *text = asy_future_describe(future);
    assert_string_equal(text, "<Future pending cb=[Task.task_wakeup()]>");
    asy_free(text);
    asy_future_clear(future);
    require_trace(t, "1:a> 1:report:Task was destroyed but i");
    assert_null(t->loop->first_task);
    asy_future_unref(future);
}

static void
two_tasks_that_wait_for_one_another_can_be_described(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);
    asy_task *a = task_with(t, awaiting(future), &(asy_task_options){ .name = "a" });
    asy_task *b = task_with(t, awaiting(future_of(a)), &(asy_task_options){ .name = "b" });

    trace_run(t, 1);
    char *text = asy_future_describe(future_of(a));
    assert_non_null(strstr(text, " wait_for=<Future pending cb=[Task.task_wakeup()]>>"));
    asy_free(text);
    require_ok(asy_task_cancel(b, NULL, NULL));
    text = asy_future_describe(future_of(b));
    assert_memory_equal(text, "<Task cancelling name='b' coro=<", 32);
    assert_non_null(strstr(text, " wait_for=<Task cancelling name='a'>>"));
    asy_free(text);
    trace_run(t, 3);
    text = asy_future_describe(future_of(b));
    assert_memory_equal(text, "<Task cancelled name='b' coro=<", 31);
    asy_free(text);
    asy_task_unref(a);
    asy_task_unref(b);
    asy_future_unref(future);
}

/* ---- the cancel sweep ------------------------------------------------------------------------- */

struct chained {
    asy_coro        co;
    struct testing *t;
    int             depth;
    void           *block;              /* what FINALLY gives back */
};

static asy_coro *chained(struct testing *t, int depth);

ASYNC(chained)
{
    ASYNC_BEGIN;

    self->block = asy_alloc(1);
    AWAIT(asy_sleep(self->t->loop, 0));
    if (self->depth > 0)
        AWAIT(chained(self->t, self->depth - 1));
    AWAIT(asy_sleep(self->t->loop, 1));

    ASYNC_END;
}

FINALLY(chained)
{
    asy_free(self->block);
}

static asy_coro *
chained(struct testing *t, int depth)
{
    return ASYNC_CALL(chained, .t = t, .depth = depth);
}

static asy_coro *
make_chain(struct testing *t, void **ret_data)
{
    (void)ret_data;
    return chained(t, 3);
}

static asy_coro *
make_nested_tasks(struct testing *t, void **ret_data)
{
    asy_task *c = trace_task(t, chained(t, 1));
    asy_task *b = trace_task(t, awaiting(future_of(c)));
    asy_coro *coro = awaiting(future_of(b));

    (void)ret_data;
    asy_task_unref(b);
    asy_task_unref(c);
    return coro;
}

static void
chains_and_nested_tasks_may_be_cancelled_at_any_time(void **state)
{
    (void)state;
    assert_int_equal(cancel_sweep(&(struct cancel_sweep){
        .name = "a chain of coroutines", .make = make_chain,
    }), 13);
    assert_int_equal(cancel_sweep(&(struct cancel_sweep){
        .name = "nested tasks", .make = make_nested_tasks,
    }), 9);
}

/* ---- many ------------------------------------------------------------------------------------- */

static void
hundred_thousand_tasks_need_a_constant_number_of_blocks_each(void **state)
{
    enum { COUNT = 100000 };
    struct testing *t = *state;
    long before = alloc_block_count();

    for (int i = 0; i < COUNT; i++)
        trace_start(t, asy_sleep(t->loop, 1));
    long made = alloc_block_count() - before;
    trace_run(t, 1);
    long sleeping = alloc_block_count() - before;
    trace_run(t, 2);
    assert_int_equal(asy_loop_ready_count(t->loop), 0);
    assert_null(t->loop->first_task);
    print_message("sizes: task %zu, coroutine %zu, future %zu, handle %zu; blocks for each task: "
                  "%.2f made, %.2f sleeping\n", sizeof(asy_task), sizeof(asy_coro),
                  sizeof(asy_future), sizeof(asy_handle), (double)made / COUNT,
                  (double)sleeping / COUNT);
    assert_true(made <= 4L * COUNT + 10);
    assert_true(sleeping <= 8L * COUNT + 10);
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
        trace_case(coroutine_that_has_a_task_gets_no_second_one),
        trace_case(waking_a_task_that_is_done_is_refused),
        trace_case(all_tasks_are_those_that_are_not_done_in_their_order),
        trace_case(task_is_not_entered_while_another_one_runs),
        trace_case(pending_task_that_goes_is_reported),
        trace_case(exception_that_nobody_looks_at_is_reported),
        trace_case(handler_may_keep_the_task_that_it_is_told_of),
        trace_case(waiting_task_lives_as_long_as_the_callback_at_its_future),
        trace_case(two_tasks_that_wait_for_one_another_can_be_described),
        cmocka_unit_test(chains_and_nested_tasks_may_be_cancelled_at_any_time),
        trace_case(hundred_thousand_tasks_need_a_constant_number_of_blocks_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
