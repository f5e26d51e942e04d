/* SPDX-License-Identifier: MIT */
/* How executors end: what close(), shutdown_default_executor() and run() do with jobs. */
#include "await_trace.h"
#include "gated_work.h"

#include "base/alloc.h"

/* ---- closing ------------------------------------------------------------------------- */

static void
job_that_ends_after_close_is_dropped(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = asy_executor_new(1);
    struct work running, queued;

    work_init(&running, true);
    work_init(&queued, false);
    asy_future *kept = submit(t, executor, &running);
    asy_future_unref(submit(t, executor, &queued));
    wait_at(&running.begun);
    require_ok(asy_loop_close(t->loop));
    sem_post(&running.gate);
    asy_executor_shutdown(executor, true);
    asy_executor_unref(executor);
    assert_false(asy_future_done(kept));
    asy_future_unref(kept);
    assert_int_equal(running.drops, 1);
    assert_int_equal(queued.runs, 1);
    assert_int_equal(queued.drops, 1);
    work_deinit(&running);
    work_deinit(&queued);
}

static void
close_does_not_wait_for_the_default_executor(void **state)
{
    struct testing *t = *state;
    long blocks = alloc_block_count();
    struct work work;

    work_init(&work, true);
    asy_future_unref(submit(t, NULL, &work));
    wait_at(&work.begun);
    testing_close(t->loop);
    assert_int_equal(work.runs, 0);
    sem_post(&work.gate);
    asy_loop_options options = testing_options(t);
    t->loop = testing_new_loop(&options);
    settle(blocks);
    assert_int_equal(work.drops, 1);
    work_deinit(&work);
}

/* ---- shutdown_default_executor() -------------------------------------------------------- */

static asy_task *
start_shutdown(struct testing *t, double timeout)
{
    return trace_task(t, asy_shutdown_default_executor(t->loop, timeout));
}

static asy_error *
run_shutdown(struct testing *t, double timeout)
{
    asy_task *task = start_shutdown(t, timeout);

    require_ok(asy_loop_run_until_done(t->loop, asy_task_future(task)));
    asy_error *err = asy_future_result(asy_task_future(task), NULL);
    asy_task_unref(task);
    return err;
}

static void
shutdown_waits_for_the_jobs(void **state)
{
    struct testing *t = *state;
    struct work work;

    work_init(&work, true);
    asy_future *future = submit(t, NULL, &work);
    require_ok(asy_loop_call_soon(t->loop, asy_borrow(open_gate, &work), NULL));
    require_ok(run_shutdown(t, -1));
    assert_int_equal(work.runs, 1);
    asy_future_unref(future);
    assert_string_equal(t->log, "");
    work_deinit(&work);
}

static void
after_its_shutdown_the_default_executor_takes_no_jobs(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = asy_executor_new(1);
    asy_future *future;
    struct work work;

    work_init(&work, false);
    require_ok(run_shutdown(t, -1));
    require_error(asy_run_in_executor(t->loop, NULL, asy_borrow(do_work, &work), &future),
                  ASY_RuntimeError, "Executor shutdown has been called");
    future = submit(t, executor, &work);
    require_ok(asy_loop_run_until_done(t->loop, future));
    asy_future_unref(future);
    require_ok(asy_set_default_executor(t->loop, executor));
    require_ok(run_shutdown(t, -1));
    require_ok(run_shutdown(t, -1));
    asy_executor_unref(executor);
    work_deinit(&work);
}

/* The clock is driven by hand: the time is over as soon as the loop has nothing else to do. */
static void
shutdown_whose_time_is_over_warns(void **state)
{
    struct testing *t = *state;
    long blocks = alloc_block_count();
    struct work work;

    work_init(&work, true);
    asy_future *future = submit(t, NULL, &work);
    require_ok(run_shutdown(t, 1e7));
    assert_string_equal(t->log,
                        "WARNING RuntimeWarning: The executor did not finishing joining its "
                        "threads within 10000000.0 seconds.\n");
    assert_false(asy_future_done(future));
    sem_post(&work.gate);
    require_ok(asy_loop_run_until_done(t->loop, future));
    asy_future_unref(future);
    testing_close(t->loop);
    asy_loop_options options = testing_options(t);
    t->loop = testing_new_loop(&options);
    settle(blocks);
    work_deinit(&work);
}

static void
cancelled_shutdown_leaves_nothing(void **state)
{
    struct testing *t = *state;
    long blocks = alloc_block_count();

    for (int iterations = 0; iterations < 4; iterations++) {
        struct work work;
        work_init(&work, true);
        asy_future *future = submit(t, NULL, &work);
        asy_task *task = start_shutdown(t, -1);
        for (int i = 0; i < iterations; i++) {
            testing_call_soon(t, "");
            testing_run_once(t);
        }
        require_ok(asy_task_cancel(task, NULL, NULL));
        require_ok(asy_loop_run_until_done(t->loop, asy_task_future(task)));
        assert_true(asy_future_cancelled(asy_task_future(task)));
        asy_task_unref(task);
        sem_post(&work.gate);
        require_ok(asy_loop_run_until_done(t->loop, future));
        asy_future_unref(future);
        testing_close(t->loop);
        asy_loop_options options = testing_options(t);
        t->loop = testing_new_loop(&options);
        settle(blocks);
        work_deinit(&work);
    }
}

/* ---- asyncio.run() ---------------------------------------------------------------------- */

struct leaves_a_job {
    asy_coro     co;
    asy_loop    *loop;
    struct work *work;
};

ASYNC(leaves_a_job)
{
    asy_future *future;

    ASYNC_BEGIN;

    TRY(asy_run_in_executor(self->loop, NULL, asy_borrow(do_work, self->work), &future));
    asy_future_unref(future);
    TRY(asy_loop_call_soon(self->loop, asy_borrow(open_gate, self->work), NULL));

    ASYNC_END;
}

FINALLY(leaves_a_job)
{
}

static asy_coro *
make_leaves_a_job(asy_loop *loop, void *work)
{
    return ASYNC_CALL(leaves_a_job, .loop = loop, .work = work);
}

static void
run_waits_for_the_jobs_of_the_default_executor(void **state)
{
    struct work work;

    (void)state;
    work_init(&work, true);
    require_ok(asy_run(make_leaves_a_job, &work));
    assert_int_equal(work.runs, 1);
    work_deinit(&work);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(job_that_ends_after_close_is_dropped),
        testing_case(close_does_not_wait_for_the_default_executor),
        testing_case(shutdown_waits_for_the_jobs),
        testing_case(after_its_shutdown_the_default_executor_takes_no_jobs),
        testing_case(shutdown_whose_time_is_over_warns),
        testing_case(cancelled_shutdown_leaves_nothing),
        testing_case(run_waits_for_the_jobs_of_the_default_executor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
