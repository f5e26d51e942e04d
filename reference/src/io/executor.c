/* SPDX-License-Identifier: MIT */
/*
 * Jobs of a loop, and its default executor.
 *
 * A job is made in the loop's thread, runs in one of the pool, and comes back as a handle of
 * call_soon_threadsafe. Only the loop's thread touches its future. A job that comes back when the
 * loop is closed has no future any more: the loop has a list of its jobs, and forgets them.
 *
 * A job is referred to by the pool, until it has run; by the list; and by its two handles, where
 * they are queued or wait as a callback of the future. Who lets go last, frees it.
 */
#include "base/alloc.h"
#include "core/loop_impl.h"
#include "io/thread_pool.h"

#include <asy/coro.h>
#include <asy/executor.h>
#include <asy/future.h>
#include <asy/host.h>
#include <asy/task.h>
#include <math.h>
#include <stdatomic.h>

struct job {
    struct pool_job in_pool;            /* first */
    atomic_int      refs;
    asy_callback    callback;           /* owned */
    asy_executor   *executor;           /* its memory is held */
    asy_loop       *loop;               /* owned */
    asy_error      *error;              /* what the callback has raised; owned */
    asy_handle      comes_back;
    asy_handle      future_done;        /* done callback of the future */

    /* The loop's thread. */
    asy_future     *future;             /* owned; NULL when the job is not in the loop's list */
    struct job     *next;
    struct job     *previous;
};

/* ---- life ----------------------------------------------------------------------- */

static void
job_ref(struct job *job)
{
    atomic_fetch_add_explicit(&job->refs, 1, memory_order_relaxed);
}

static void
job_unref(struct job *job)
{
    if (atomic_fetch_sub_explicit(&job->refs, 1, memory_order_acq_rel) > 1)
        return;
    callback_drop(job->callback);
    asy_error_unref(job->error);
    pool_release(job->executor);
    asy_loop_unref(job->loop);
    asy_free(job);
}

static void
add_to_list(struct job *job)
{
    asy_loop *loop = job->loop;

    job_ref(job);
    job->next = loop->first_job;
    if (job->next)
        job->next->previous = job;
    loop->first_job = job;
}

/* Returns the future, which is the caller's now, as is the list's reference to the job. */
static asy_future *
take_from_list(struct job *job)
{
    asy_future *future = job->future;

    if (job->previous)
        job->previous->next = job->next;
    else
        job->loop->first_job = job->next;
    if (job->next)
        job->next->previous = job->previous;
    job->future = NULL;
    return future;
}

/* ---- in a thread of the pool ------------------------------------------------------ */

static void
run_job(struct pool_job *in_pool)
{
    struct job *job = (struct job *)in_pool;

    job->error = callback_call(job->callback);
    asy_error_unref(asy_loop_add_handle_threadsafe(job->loop, &job->comes_back));
    job_unref(job);
}

/* ---- in the loop's thread --------------------------------------------------------- */

static struct job *
of_comes_back(asy_handle *handle)
{
    return (struct job *)(void *)((char *)handle - offsetof(struct job, comes_back));
}

static struct job *
of_future_done(asy_handle *handle)
{
    return (struct job *)(void *)((char *)handle - offsetof(struct job, future_done));
}

static void
ref_comes_back(asy_handle *handle)
{
    job_ref(of_comes_back(handle));
}

static void
unref_comes_back(asy_handle *handle)
{
    job_unref(of_comes_back(handle));
}

static void
ref_future_done(asy_handle *handle)
{
    job_ref(of_future_done(handle));
}

static void
unref_future_done(asy_handle *handle)
{
    job_unref(of_future_done(handle));
}

/* The outputs of the job become the future's. */
static asy_error *
fulfil(struct job *job, asy_future *future)
{
    asy_callback callback = job->callback;
    asy_error *exception = job->error;

    if (asy_future_cancelled(future))
        return ASY_OK;
    if (exception) {
        job->error = NULL;
        return asy_future_set_exception(future, exception);
    }
    job->callback.drop = NULL;
    return asy_future_set_result(future, callback.argument, callback.drop);
}

/* CPython: futures._set_state. What the future has not taken is given back here, and not by the
 * pool's thread, should that be the last to let go of the job. */
static asy_error *
run_comes_back(asy_handle *handle)
{
    struct job *job = of_comes_back(handle);
    asy_future *future = job->future ? take_from_list(job) : NULL;

    if (!future)
        return ASY_OK;
    asy_error *err = fulfil(job, future);
    asy_callback callback = job->callback;
    job->callback.drop = NULL;
    job->error = asy_error_unref(job->error);
    callback_drop(callback);
    asy_future_unref(future);
    job_unref(job);
    return err;
}

/* CPython: futures._call_check_cancel */
static asy_error *
run_future_done(asy_handle *handle)
{
    struct job *job = of_future_done(handle);

    if (!job->future || !asy_future_cancelled(job->future))
        return ASY_OK;
    if (!pool_take_back(job->executor, &job->in_pool))
        return ASY_OK;
    asy_future *future = take_from_list(job);
    asy_future_unref(future);
    job_unref(job);
    job_unref(job);                     /* the pool's reference */
    return ASY_OK;
}

static const asy_handle_ops comes_back_ops = {
    .run = run_comes_back,
    .ref = ref_comes_back,
    .unref = unref_comes_back,
};

static const asy_handle_ops future_done_ops = {
    .run = run_future_done,
    .ref = ref_future_done,
    .unref = unref_future_done,
};

/* No result will be delivered: give back what waits for one. */
void
loop_forget_jobs(asy_loop *loop)
{
    struct job *job;

    while ((job = loop->first_job)) {
        asy_future_unref(take_from_list(job));
        job_unref(job);
    }
}

/* ---- run_in_executor() -------------------------------------------------------------- */

/* Steals the callback. The reference is the pool's. */
static struct job *
job_new(asy_loop *loop, asy_executor *executor, asy_callback callback)
{
    struct job *job = asy_alloc(sizeof *job);

    atomic_init(&job->refs, 1);
    job->in_pool.run = run_job;
    job->callback = callback;
    pool_hold(executor);
    job->executor = executor;
    job->loop = asy_loop_ref(loop);
    asy_handle_init(&job->comes_back, &comes_back_ops, loop);
    asy_handle_init(&job->future_done, &future_done_ops, loop);
    return job;
}

/* Steals the job. Whatever may raise comes before the job is submitted: then it may be over at any
 * time, and belong to nobody here. */
static asy_error *
submit_job(struct job *job, asy_future **ret_future)
{
    asy_future *future = asy_loop_create_future(job->loop);
    asy_error *err = asy_future_add_done_handle(future, &job->future_done);

    job->future = asy_future_ref(future);
    add_to_list(job);
    if (!err)
        err = pool_submit(job->executor, &job->in_pool);
    if (err) {
        asy_future_unref(take_from_list(job));
        job_unref(job);                 /* the list's reference */
        job_unref(job);                 /* the pool's */
        asy_future_unref(future);       /* and with it its callback's, if it has taken one */
        return err;
    }
    *ret_future = future;
    return ASY_OK;
}

/* CPython: BaseEventLoop._check_default_executor, and making one */
static asy_error *
get_default_executor(asy_loop *loop, asy_executor **ret_executor)
{
    if (loop->executor_shutdown_called)
        RAISE(RuntimeError, "Executor shutdown has been called");
    if (!loop->default_executor)
        loop->default_executor = asy_executor_new(0);
    *ret_executor = loop->default_executor;
    return ASY_OK;
}

static asy_error *
choose_executor(asy_loop *loop, asy_callback job, asy_executor **executor)
{
    TRY(loop_check_closed(loop));
    if (asy_loop_get_debug(loop) && !job.function)
        RAISE(TypeError, "a callable object was expected by run_in_executor(), got NULL");
    return *executor ? ASY_OK : get_default_executor(loop, executor);
}

/* see executor.h.  CPython: BaseEventLoop.run_in_executor */
asy_error *
asy_run_in_executor(asy_loop *loop, asy_executor *executor, asy_callback job,
                    asy_future **ret_future)
{
    asy_error *err = choose_executor(loop, job, &executor);

    if (err) {
        callback_drop(job);
        return err;
    }
    return submit_job(job_new(loop, executor, job), ret_future);
}

/* ---- the default executor ------------------------------------------------------------ */

/* see executor.h.  CPython: BaseEventLoop.set_default_executor */
asy_error *
asy_set_default_executor(asy_loop *loop, asy_executor *executor)
{
    asy_executor *before = loop->default_executor;

    if (!executor)
        RAISE(TypeError, "executor must be ThreadPoolExecutor instance");
    loop->default_executor = asy_executor_ref(executor);
    loop->default_executor_is_set = true;
    asy_executor_unref(before);
    return ASY_OK;
}

bool
loop_has_idle_executor(const asy_loop *loop)
{
    if (loop->executor_shutdown_called || loop->default_executor_is_set)
        return false;
    return !loop->default_executor || pool_has_room(loop->default_executor);
}

/* The last lines of BaseEventLoop.close */
void
loop_close_default_executor(asy_loop *loop)
{
    asy_executor *executor = loop->default_executor;

    loop->executor_shutdown_called = true;
    loop->default_executor = NULL;
    if (executor)
        asy_executor_shutdown(executor, false);
    asy_executor_unref(executor);
}

/* ---- its shutdown: waiting for threads is a job, too, for an executor of its own ------ */

struct shutdown {
    asy_coro      co;
    asy_loop     *loop;
    double        seconds;
    asy_executor *joiner;
    asy_future   *joined;
    asy_timeout   timeout;
};

static asy_error *
join_executor(void *executor)
{
    asy_executor_shutdown(executor, true);
    return ASY_OK;
}

static void
drop_executor(void *executor)
{
    asy_executor_unref(executor);
}

static asy_error *
start_joining(struct shutdown *self)
{
    asy_executor *executor = asy_executor_ref(self->loop->default_executor);

    asy_executor_shutdown(executor, false);
    self->joiner = asy_executor_new(1);
    return asy_run_in_executor(self->loop, self->joiner,
                               asy_own(join_executor, executor, drop_executor), &self->joined);
}

/* CPython: warnings.warn(..., RuntimeWarning). Steals the TimeoutError. */
static asy_error *
warn_of_timeout(struct shutdown *self, asy_error *timeout)
{
    asy_error_unref(timeout);
    char *seconds = alloc_float_text(self->seconds);
    char *message = asy_format("RuntimeWarning: The executor did not finishing joining its threads "
                               "within %s seconds.", seconds);
    asy_error *err = host_log(self->loop, ASY_LOG_WARNING, message, NULL);
    asy_free(message);
    asy_free(seconds);
    return err;
}

ASYNC(shutdown)
{
    asy_error *err;

    ASYNC_BEGIN;

    self->loop->executor_shutdown_called = true;
    if (!self->loop->default_executor)
        return ASY_OK;
    TRY(start_joining(self));
    TRY(asy_timeout_enter(&self->timeout, self->loop, self->seconds));
    TRY_AWAIT(err, self->joined);
    err = asy_timeout_exit(&self->timeout, err);
    if (asy_error_is_a(err, ASY_TimeoutError))
        return warn_of_timeout(self, err);
    if (!err)
        asy_executor_shutdown(self->joiner, true);
    return err;

    ASYNC_END;
}

FINALLY(shutdown)
{
    asy_timeout_deinit(&self->timeout);
    asy_future_unref(self->joined);
    asy_executor_unref(self->joiner);
}

/* see executor.h.  CPython: BaseEventLoop.shutdown_default_executor */
asy_coro *
asy_shutdown_default_executor(asy_loop *loop, double timeout)
{
    return ASYNC_CALL(shutdown, .loop = loop, .seconds = timeout >= 0 ? timeout : INFINITY);
}
