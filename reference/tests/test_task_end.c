/* SPDX-License-Identifier: MIT */
/*
 * Tasks: how they go, and what is left of them then. What they tell of themselves, since that is
 * read in reports; the cancel sweep; and very many of them.
 */
#include "await_trace.h"
#include "cancel_sweep.h"

#include "base/alloc.h"
#include "core/loop_impl.h"

#include <string.h>

static asy_future *
future_of(asy_task *task)
{
    return asy_task_future(task);
}

static asy_task *
named_task(struct testing *t, const char *name, asy_coro *coro)
{
    asy_task *task;
    require_ok(asy_loop_create_task(t->loop, coro, &(asy_task_options){ .name = name }, &task));
    return task;
}

struct fails {
    asy_coro co;
};

ASYNC(fails)
{
    ASYNC_BEGIN;

    RAISE(ValueError, "raised");

    ASYNC_END;
}

FINALLY(fails)
{
}

struct waits {
    asy_coro    co;
    asy_future *future;
    int        *ends;
};

ASYNC(waits)
{
    ASYNC_BEGIN;

    AWAIT(self->future);

    ASYNC_END;
}

FINALLY(waits)
{
    (*self->ends)++;
    asy_future_unref(self->future);
}

/* ---- going ---------------------------------------------------------------------- */

/* The task and the future hold each other: without an end by close(), both would be left. */
static void
task_that_waits_for_ever_ends_when_its_loop_is_closed(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *loop = testing_new_loop(&options);
    asy_future *future = asy_loop_create_future(loop);
    int ends = 0;

    t->log[0] = '\0';
    require_ok(asy_loop_create_task(loop, ASYNC_CALL(waits, .future = future, .ends = &ends),
                                    &(asy_task_options){ .name = "a" }, NULL));
    require_ok(asy_loop_run_once(loop));
    assert_int_equal(ends, 0);
    testing_close(loop);
    assert_int_equal(ends, 1);
    assert_non_null(strstr(t->log, "ERROR Task was destroyed but it is pending!\n"));
}

struct waits_later {
    asy_coro    co;
    asy_future *future;             /* set when all are made; borrowed */
};

ASYNC(waits_later)
{
    ASYNC_BEGIN;

    AWAIT(self->future);

    ASYNC_END;
}

FINALLY(waits_later)
{
}

static asy_task *
task_of(asy_loop *loop, asy_coro *coro)
{
    asy_task *task;
    require_ok(asy_loop_create_task(loop, coro, NULL, &task));
    return task;
}

/* Each is kept by the callback that the next one has added to it. */
static void
tasks_that_wait_for_one_another_go_when_their_loop_is_closed(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *loop = testing_new_loop(&options);
    asy_coro *first = ASYNC_CALL(waits_later, .future = NULL);
    asy_coro *second = ASYNC_CALL(waits_later, .future = NULL);
    asy_task *a = task_of(loop, first);
    asy_task *b = task_of(loop, second);

    ((struct waits_later *)(void *)first)->future = future_of(b);
    ((struct waits_later *)(void *)second)->future = future_of(a);
    require_ok(asy_loop_run_once(loop));
    asy_task_unref(a);
    asy_task_unref(b);
    testing_close(loop);
}

static void
task_that_waits_for_a_gathering_of_itself_goes_when_its_loop_is_closed(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *loop = testing_new_loop(&options);
    asy_coro *coro = ASYNC_CALL(waits_later, .future = NULL);
    asy_task *task = task_of(loop, coro);
    asy_future *const itself[] = { future_of(task) };
    asy_future *gathering;

    require_ok(asy_gather(loop, itself, 1, false, &gathering));
    ((struct waits_later *)(void *)coro)->future = gathering;
    require_ok(asy_loop_run_once(loop));
    asy_future_unref(gathering);
    asy_task_unref(task);
    testing_close(loop);
}

/* Whoever still holds it finds a task that is pending, as in CPython. */
static void
task_that_is_held_when_its_loop_is_closed_stays_pending(void **state)
{
    struct testing *t = *state;
    asy_loop_options options = testing_options(t);
    asy_loop *loop = testing_new_loop(&options);
    asy_task *task;

    require_ok(asy_loop_create_task(loop, asy_sleep(loop, 5), NULL, &task));
    require_ok(asy_loop_run_once(loop));
    testing_close(loop);
    assert_false(asy_future_done(future_of(task)));
    assert_null(asy_task_get_coro(task));
    asy_task_unref(task);
}

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

    require_ok(asy_loop_create_task(t->loop, ASYNC_CALL(fails),
                                    &(asy_task_options){ .name = "a" }, NULL));
    trace_run(t, 1);
    const char *expected = "ERROR Task exception was never retrieved\nfuture: <Task finished "
                           "name='a' coro=<fails() done, defined at ";
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

static asy_error *
exit_handler(asy_loop *loop, const asy_report *report, void *argument)
{
    (void)loop;
    (void)report;
    (void)argument;
    RAISE(SystemExit, "3");
}

static void
fatal_error_of_the_handler_for_a_pending_task_is_logged(void **state)
{
    struct testing *t = *state;
    asy_future *future = asy_loop_create_future(t->loop);

    asy_loop_set_exception_handler(t->loop, exit_handler, NULL, NULL);
    trace_start(t, awaiting(future));
    trace_run(t, 1);
    asy_future_clear(future);
    assert_memory_equal(t->log, "ERROR Exception ignored in: <Task pending ", 42);
    assert_non_null(strstr(t->log, ">\n  SystemExit: 3\n"));
    asy_future_unref(future);
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
    asy_task *a = named_task(t, "a", awaiting(future));
    asy_task *b = named_task(t, "b", awaiting(future_of(a)));

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

/* ---- the cancel sweep ----------------------------------------------------------- */

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

/* ---- many ----------------------------------------------------------------------- */

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
        trace_case(pending_task_that_goes_is_reported),
        trace_case(task_that_waits_for_ever_ends_when_its_loop_is_closed),
        trace_case(tasks_that_wait_for_one_another_go_when_their_loop_is_closed),
        trace_case(task_that_waits_for_a_gathering_of_itself_goes_when_its_loop_is_closed),
        trace_case(task_that_is_held_when_its_loop_is_closed_stays_pending),
        trace_case(exception_that_nobody_looks_at_is_reported),
        trace_case(handler_may_keep_the_task_that_it_is_told_of),
        trace_case(fatal_error_of_the_handler_for_a_pending_task_is_logged),
        trace_case(waiting_task_lives_as_long_as_the_callback_at_its_future),
        trace_case(two_tasks_that_wait_for_one_another_can_be_described),
        cmocka_unit_test(chains_and_nested_tasks_may_be_cancelled_at_any_time),
        trace_case(hundred_thousand_tasks_need_a_constant_number_of_blocks_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
