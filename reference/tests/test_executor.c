/* SPDX-License-Identifier: MIT */
/*
 * Jobs in threads: what comes back, what is cancelled, what close() and the shutdown do with them.
 *
 * A job that has to take its time waits at a gate, which the test opens: nothing here sleeps.
 */
#include "await_trace.h"

#include "base/alloc.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

struct work {
    sem_t      begun;
    sem_t      gate;
    bool       gated;
    bool       raises;
    pthread_t  ran_in;
    pthread_t  dropped_in;
    atomic_int runs;
    atomic_int drops;
};

static void
work_init(struct work *work, bool gated)
{
    *work = (struct work){ .gated = gated };
    sem_init(&work->begun, 0, 0);
    sem_init(&work->gate, 0, 0);
}

static void
work_deinit(struct work *work)
{
    sem_destroy(&work->begun);
    sem_destroy(&work->gate);
}

static void
wait_at(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        continue;
}

static asy_error *
do_work(void *argument)
{
    struct work *work = argument;

    work->ran_in = pthread_self();
    sem_post(&work->begun);
    if (work->gated)
        wait_at(&work->gate);
    atomic_fetch_add(&work->runs, 1);
    if (work->raises)
        RAISE(LookupError, "on purpose");
    return ASY_OK;
}

static void
drop_work(void *argument)
{
    struct work *work = argument;

    work->dropped_in = pthread_self();
    atomic_fetch_add(&work->drops, 1);
}

static asy_future *
submit(struct testing *t, asy_executor *executor, struct work *work)
{
    asy_future *future;

    require_ok(asy_run_in_executor(t->loop, executor, asy_own(do_work, work, drop_work), &future));
    return future;
}

/* A thread that nobody joins may still hold memory. */
static void
settle(long blocks)
{
    for (int patience = 1000000; patience > 0 && alloc_block_count() > blocks; patience--)
        sched_yield();
    assert_int_equal(alloc_block_count(), blocks);
}

/* ---- results --------------------------------------------------------------------- */

static void
argument_of_the_job_is_the_result(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = asy_executor_new(1);
    struct work work;
    void *result;

    work_init(&work, false);
    asy_future *future = submit(t, executor, &work);
    require_ok(asy_loop_run_until_done(t->loop, future));
    require_ok(asy_future_result(future, &result));
    assert_ptr_equal(result, &work);
    assert_false(pthread_equal(work.ran_in, pthread_self()));
    assert_int_equal(work.drops, 0);
    asy_future_unref(future);
    assert_int_equal(work.drops, 1);
    assert_true(pthread_equal(work.dropped_in, pthread_self()));
    asy_executor_shutdown(executor, true);
    asy_executor_unref(executor);
    work_deinit(&work);
}

static void
error_of_the_job_is_the_exception(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = asy_executor_new(1);
    struct work work;

    work_init(&work, false);
    work.raises = true;
    asy_future *future = submit(t, executor, &work);
    require_ok(asy_loop_run_until_done(t->loop, future));
    require_error(asy_future_result(future, NULL), ASY_LookupError, "on purpose");
    assert_int_equal(work.drops, 1);
    assert_true(pthread_equal(work.dropped_in, pthread_self()));
    asy_future_unref(future);
    asy_executor_shutdown(executor, true);
    asy_executor_unref(executor);
    work_deinit(&work);
}

static asy_error *
open_gate(void *argument)
{
    struct work *work = argument;

    sem_post(&work->gate);
    return ASY_OK;
}

static void
loop_goes_on_while_the_job_runs(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = asy_executor_new(1);
    struct work work;

    work_init(&work, true);
    asy_future *future = submit(t, executor, &work);
    require_ok(asy_loop_call_soon(t->loop, asy_borrow(open_gate, &work), NULL));
    require_ok(asy_loop_run_until_done(t->loop, future));
    require_ok(asy_future_result(future, NULL));
    asy_future_unref(future);
    asy_executor_shutdown(executor, true);
    asy_executor_unref(executor);
    work_deinit(&work);
}

/* ---- threads ----------------------------------------------------------------------- */

static void
threads_are_started_on_demand_up_to_the_limit(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = asy_executor_new(2);
    int before = testing_count_threads();
    struct work works[5];
    asy_future *futures[5];

    for (int i = 0; i < 5; i++)
        work_init(&works[i], true);
    for (int i = 0; i < 5; i++)
        futures[i] = submit(t, executor, &works[i]);
    wait_at(&works[0].begun);
    wait_at(&works[1].begun);
    if (!UNDER_THREAD_SANITIZER)
        assert_int_equal(testing_count_threads() - before, 2);
    for (int i = 0; i < 5; i++)
        sem_post(&works[i].gate);
    for (int i = 0; i < 5; i++) {
        require_ok(asy_loop_run_until_done(t->loop, futures[i]));
        asy_future_unref(futures[i]);
        assert_int_equal(works[i].runs, 1);
        work_deinit(&works[i]);
    }
    asy_executor_shutdown(executor, true);
    asy_executor_unref(executor);
}

static void
default_executor_is_made_when_it_is_needed(void **state)
{
    struct testing *t = *state;
    struct work work;
    asy_task *task;

    work_init(&work, false);
    asy_future *future = submit(t, NULL, &work);
    require_ok(asy_loop_run_until_done(t->loop, future));
    asy_future_unref(future);
    asy_coro *shutdown = asy_shutdown_default_executor(t->loop, -1);
    require_ok(asy_loop_create_task(t->loop, shutdown, NULL, &task));
    require_ok(asy_loop_run_until_done(t->loop, asy_task_future(task)));
    require_ok(asy_future_result(asy_task_future(task), NULL));
    asy_task_unref(task);
    assert_int_equal(work.runs, 1);
    work_deinit(&work);
}

static asy_error *
shut_down(void *executor)
{
    asy_executor_shutdown(executor, true);
    return ASY_OK;
}

static void
shutdown_from_a_job_does_not_wait_for_itself(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = asy_executor_new(1);
    asy_future *future;

    require_ok(asy_run_in_executor(t->loop, executor, asy_borrow(shut_down, executor), &future));
    require_ok(asy_loop_run_until_done(t->loop, future));
    require_ok(asy_future_result(future, NULL));
    asy_future_unref(future);
    asy_executor_shutdown(executor, true);
    asy_executor_shutdown(executor, true);
    asy_executor_unref(executor);
}

/* ---- refusals ------------------------------------------------------------------------ */

static void
refused_job_is_given_back(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = asy_executor_new(1);
    asy_future *future = NULL;
    struct work work;

    work_init(&work, false);
    asy_loop_set_debug(t->loop, true);
    require_error(asy_run_in_executor(t->loop, executor, asy_own(NULL, &work, drop_work), &future),
                  ASY_TypeError, "a callable object was expected by run_in_executor(), got NULL");
    asy_loop_set_debug(t->loop, false);
    asy_executor_shutdown(executor, true);
    require_error(asy_run_in_executor(t->loop, executor, asy_own(do_work, &work, drop_work),
                                      &future),
                  ASY_RuntimeError, "cannot schedule new futures after shutdown");
    require_error(asy_set_default_executor(t->loop, NULL), ASY_TypeError,
                  "executor must be ThreadPoolExecutor instance");
    require_ok(asy_loop_close(t->loop));
    require_error(asy_run_in_executor(t->loop, NULL, asy_own(do_work, &work, drop_work), &future),
                  ASY_RuntimeError, "Event loop is closed");
    assert_null(future);
    assert_int_equal(work.drops, 3);
    assert_int_equal(work.runs, 0);
    asy_executor_unref(executor);
    work_deinit(&work);
}

/* ---- cancelling ---------------------------------------------------------------------- */

static void
cancelled_job_that_has_not_begun_never_runs(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = asy_executor_new(1);
    struct work first, second, third;

    work_init(&first, true);
    work_init(&second, false);
    work_init(&third, false);
    asy_future *running = submit(t, executor, &first);
    asy_future *waiting = submit(t, executor, &second);
    asy_future *last = submit(t, executor, &third);
    wait_at(&first.begun);
    require_ok(asy_future_cancel(running, NULL, NULL));
    require_ok(asy_future_cancel(waiting, NULL, NULL));
    testing_run_once(t);
    assert_int_equal(second.drops, 1);
    sem_post(&first.gate);
    require_ok(asy_loop_run_until_done(t->loop, last));
    assert_int_equal(first.runs, 1);
    assert_int_equal(second.runs, 0);
    assert_int_equal(third.runs, 1);
    assert_int_equal(first.drops, 1);
    assert_true(pthread_equal(first.dropped_in, pthread_self()));
    asy_future_unref(running);
    asy_future_unref(waiting);
    asy_future_unref(last);
    asy_executor_shutdown(executor, true);
    asy_executor_unref(executor);
    work_deinit(&first);
    work_deinit(&second);
    work_deinit(&third);
}

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
    require_ok(run_shutdown(t, 0.5));
    assert_string_equal(t->log, "WARNING RuntimeWarning: The executor did not finishing joining its "
                                "threads within 0.5 seconds.\n");
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

/* ---- many ------------------------------------------------------------------------------- */

#define LOOPS 3
#define JOBS 200

static asy_error *
count_job(void *argument)
{
    atomic_fetch_add((atomic_int *)argument, 1);
    return ASY_OK;
}

/* A loop in a thread, whose jobs share an executor with those of the others; each third is
 * cancelled. */
static void *
use_executor(void *executor)
{
    static atomic_int done;
    asy_future *futures[JOBS];
    asy_loop *loop;

    require_ok(asy_new_event_loop(&loop));
    for (int i = 0; i < JOBS; i++) {
        require_ok(asy_run_in_executor(loop, executor, asy_borrow(count_job, &done), &futures[i]));
        if (i % 3 == 0)
            require_ok(asy_future_cancel(futures[i], NULL, NULL));
    }
    for (int i = 0; i < JOBS; i++) {
        if (i % 3 != 0)
            require_ok(asy_loop_run_until_done(loop, futures[i]));
        asy_future_unref(futures[i]);
    }
    assert_true(atomic_load(&done) >= JOBS - JOBS / 3 - 1);
    testing_close(loop);
    return NULL;
}

static void
loops_of_several_threads_share_an_executor(void **state)
{
    asy_executor *executor = asy_executor_new(3);
    pthread_t threads[LOOPS];

    (void)state;
    for (int i = 0; i < LOOPS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_executor, executor), 0);
    for (int i = 0; i < LOOPS; i++)
        pthread_join(threads[i], NULL);
    asy_executor_shutdown(executor, true);
    asy_executor_unref(executor);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(argument_of_the_job_is_the_result),
        testing_case(error_of_the_job_is_the_exception),
        testing_case(loop_goes_on_while_the_job_runs),
        testing_case(threads_are_started_on_demand_up_to_the_limit),
        testing_case(default_executor_is_made_when_it_is_needed),
        testing_case(shutdown_from_a_job_does_not_wait_for_itself),
        testing_case(refused_job_is_given_back),
        testing_case(cancelled_job_that_has_not_begun_never_runs),
        testing_case(job_that_ends_after_close_is_dropped),
        testing_case(close_does_not_wait_for_the_default_executor),
        testing_case(shutdown_waits_for_the_jobs),
        testing_case(after_its_shutdown_the_default_executor_takes_no_jobs),
        testing_case(shutdown_whose_time_is_over_warns),
        testing_case(cancelled_shutdown_leaves_nothing),
        testing_case(run_waits_for_the_jobs_of_the_default_executor),
        testing_case(loops_of_several_threads_share_an_executor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
