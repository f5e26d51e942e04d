/* SPDX-License-Identifier: MIT */
/* Jobs in threads: what comes back, which threads there are, what is refused or cancelled. */
#include "gated_work.h"

#include <unistd.h>

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

/* In debug mode it is refused at once. */
static void
job_without_a_function_fails_as_such_a_callback_does(void **state)
{
    struct testing *t = *state;
    asy_executor *executor = asy_executor_new(1);
    asy_future *future;

    require_ok(asy_run_in_executor(t->loop, executor, asy_borrow(NULL, NULL), &future));
    require_ok(asy_loop_run_until_done(t->loop, future));
    require_error(asy_future_result(future, NULL), ASY_TypeError, "'NULL' object is not callable");
    asy_future_unref(future);
    asy_executor_shutdown(executor, true);
    asy_executor_unref(executor);
}

/* ---- shutdown from other threads ------------------------------------------------------ */

struct late_shutdown {
    asy_executor *executor;
    struct work  *work;
    bool          waited;
};

static void *
shut_down_late(void *argument)
{
    struct late_shutdown *late = argument;

    asy_executor_shutdown(late->executor, true);
    late->waited = atomic_load(&late->work->runs) == 1;
    return NULL;
}

/* One worker has ended, and was joined by the first thread that shuts down; the second such thread
 * gets the number that the worker had. The naps only make it likely that it comes to that. */
static void
whoever_shuts_down_waits_even_with_the_number_of_a_worker(void **state)
{
    struct testing *t = *state;
    struct work quick, slow;
    pthread_t threads[2];

    work_init(&quick, true);
    work_init(&slow, true);
    struct late_shutdown late[2] = {
        { .executor = asy_executor_new(2), .work = &slow },
        { .work = &slow },
    };
    late[1].executor = late[0].executor;
    asy_future_unref(submit(t, late[0].executor, &quick));
    asy_future_unref(submit(t, late[0].executor, &slow));
    wait_at(&quick.begun);
    wait_at(&slow.begun);
    sem_post(&quick.gate);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, shut_down_late, &late[i]), 0);
        usleep(20000);
    }
    sem_post(&slow.gate);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_true(late[i].waited);
    }
    asy_executor_unref(late[0].executor);
    testing_run_once(t);
    work_deinit(&quick);
    work_deinit(&slow);
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
        testing_case(loops_of_several_threads_share_an_executor),
        testing_case(job_without_a_function_fails_as_such_a_callback_does),
        testing_case(whoever_shuts_down_waits_even_with_the_number_of_a_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
