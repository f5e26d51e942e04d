/* SPDX-License-Identifier: MIT */
/* The tasks of a loop: which there are, and which one runs. */
#include "await_trace.h"

#include "core/loop_impl.h"

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

/* ---- the list of tasks ---------------------------------------------------------- */

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        trace_case(all_tasks_are_those_that_are_not_done_in_their_order),
        trace_case(task_is_not_entered_while_another_one_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
