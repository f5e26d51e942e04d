/* SPDX-License-Identifier: MIT */
/*
 * See thread_pool.h. CPython: concurrent/futures/thread.py.
 *
 * A thread is started when there are more jobs in the list than threads that wait for one. A
 * thread that was woken counts as waiting until it has the lock, and its job as listed: both at
 * once, so that the comparison holds at any time.
 *
 * Threads that were waited for are joined; those of a pool that nobody waits for are detached by
 * whoever frees it, which may be the last of them.
 */
#include "io/thread_pool.h"

#include "base/alloc.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define MOST_THREADS 32
#define MORE_THAN_PROCESSORS 4

struct asy_executor {
    atomic_int       users;
    atomic_int       holds;             /* on the memory: see pool_hold() */
    size_t           max_threads;

    pthread_mutex_t  lock;
    pthread_cond_t   wake;              /* a job was listed, or the pool was shut down */
    pthread_cond_t   joined;
    struct pool_job *first;
    struct pool_job *last;
    size_t           listed;            /* how many jobs are in the list */
    size_t           waiting;           /* how many threads wait for one */
    bool             shut_down;
    bool             joining;           /* somebody joins the threads */
    pthread_t       *threads;           /* those that were started; when they are joined, none */
    size_t           thread_count;
};

/* ---- memory ------------------------------------------------------------------- */

static size_t
default_size(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t size = (processors > 0 ? (size_t)processors : 1) + MORE_THAN_PROCESSORS;
    return size < MOST_THREADS ? size : MOST_THREADS;
}

/* see executor.h */
asy_executor *
asy_executor_new(size_t max_workers)
{
    asy_executor *pool = asy_alloc(sizeof *pool);

    atomic_init(&pool->users, 1);
    atomic_init(&pool->holds, 1);
    pool->max_threads = max_workers > 0 ? max_workers : default_size();
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->joined, NULL);
    return pool;
}

void
pool_hold(asy_executor *pool)
{
    atomic_fetch_add_explicit(&pool->holds, 1, memory_order_relaxed);
}

void
pool_release(asy_executor *pool)
{
    if (atomic_fetch_sub_explicit(&pool->holds, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < pool->thread_count; i++)
        pthread_detach(pool->threads[i]);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->wake);
    pthread_cond_destroy(&pool->joined);
    asy_free(pool->threads);
    asy_free(pool);
}

/* see executor.h */
asy_executor *
asy_executor_ref(asy_executor *executor)
{
    atomic_fetch_add_explicit(&executor->users, 1, memory_order_relaxed);
    return executor;
}

/* see executor.h */
asy_executor *
asy_executor_unref(asy_executor *executor)
{
    if (executor && atomic_fetch_sub_explicit(&executor->users, 1, memory_order_acq_rel) == 1) {
        asy_executor_shutdown(executor, false);
        pool_release(executor);
    }
    return NULL;
}

/* ---- the list, under the lock --------------------------------------------------- */

static void
list_append(asy_executor *pool, struct pool_job *job)
{
    job->next = NULL;
    job->queued = true;
    if (pool->last)
        pool->last->next = job;
    else
        pool->first = job;
    pool->last = job;
    pool->listed++;
}

static void
list_remove(asy_executor *pool, struct pool_job *job)
{
    struct pool_job *before = NULL;

    for (struct pool_job *each = pool->first; each != job; each = each->next)
        before = each;
    if (before)
        before->next = job->next;
    else
        pool->first = job->next;
    if (pool->last == job)
        pool->last = before;
    job->queued = false;
    pool->listed--;
}

/* ---- threads -------------------------------------------------------------------- */

/* The next job, or NULL when there will be none. */
static struct pool_job *
wait_for_job(asy_executor *pool)
{
    struct pool_job *job;

    pthread_mutex_lock(&pool->lock);
    while (!pool->first && !pool->shut_down) {
        pool->waiting++;
        pthread_cond_wait(&pool->wake, &pool->lock);
        pool->waiting--;
    }
    job = pool->first;
    if (job)
        list_remove(pool, job);
    pthread_mutex_unlock(&pool->lock);
    return job;
}

/* The pool that this thread belongs to, or NULL. Not its number, which the system gives to another
 * thread as soon as this one is joined. */
static _Thread_local const asy_executor *works_for;

static void *
work(void *argument)
{
    asy_executor *pool = argument;
    struct pool_job *job;

    works_for = pool;
    while ((job = wait_for_job(pool)))
        job->run(job);
    pool_release(pool);
    return NULL;
}

/* With the lock held. The program's signals are for the program's own threads. Returns whether
 * the thread has started. */
static bool
start_thread(asy_executor *pool)
{
    sigset_t all, before;
    size_t count = pool->thread_count;

    pool->threads = alloc_resize(pool->threads, count + 1, sizeof pool->threads[0]);
    pool_hold(pool);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&pool->threads[count], NULL, work, pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure) {
        pool_release(pool);
        return false;
    }
    pool->thread_count++;
    return true;
}

/* ---- what others do --------------------------------------------------------------- */

/* With the lock held. A thread that cannot be started is no error as long as there are others. */
static asy_error *
submit(asy_executor *pool, struct pool_job *job)
{
    if (pool->shut_down)
        RAISE(RuntimeError, "cannot schedule new futures after shutdown");
    list_append(pool, job);
    bool may_start = pool->waiting < pool->listed && pool->thread_count < pool->max_threads;
    if (may_start && !start_thread(pool) && pool->thread_count == 0) {
        list_remove(pool, job);
        RAISE(RuntimeError, "can't start new thread");
    }
    pthread_cond_signal(&pool->wake);
    return ASY_OK;
}

asy_error *
pool_submit(asy_executor *pool, struct pool_job *job)
{
    pthread_mutex_lock(&pool->lock);
    asy_error *err = submit(pool, job);
    pthread_mutex_unlock(&pool->lock);
    return err;
}

bool
pool_take_back(asy_executor *pool, struct pool_job *job)
{
    pthread_mutex_lock(&pool->lock);
    bool queued = job->queued;
    if (queued)
        list_remove(pool, job);
    pthread_mutex_unlock(&pool->lock);
    return queued;
}

bool
pool_has_room(asy_executor *pool)
{
    pthread_mutex_lock(&pool->lock);
    bool has_room = pool->waiting > pool->listed || pool->thread_count < pool->max_threads;
    pthread_mutex_unlock(&pool->lock);
    return has_room;
}

/* ---- shutdown --------------------------------------------------------------------- */

/* With the lock held, which is given up meanwhile: no thread is started any more, so that the
 * array stays as it is. A second one who waits, waits for the first. */
static void
join_threads(asy_executor *pool)
{
    while (pool->joining)
        pthread_cond_wait(&pool->joined, &pool->lock);
    pool->joining = true;
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_mutex_lock(&pool->lock);
    pool->thread_count = 0;
    pool->joining = false;
    pthread_cond_broadcast(&pool->joined);
}

/* see executor.h */
void
asy_executor_shutdown(asy_executor *executor, bool wait)
{
    pthread_mutex_lock(&executor->lock);
    executor->shut_down = true;
    pthread_cond_broadcast(&executor->wake);
    if (wait && executor != works_for)
        join_threads(executor);
    pthread_mutex_unlock(&executor->lock);
}
