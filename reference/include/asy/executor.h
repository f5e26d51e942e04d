/* SPDX-License-Identifier: MIT */
/*
 * Executors: work that would block the loop, done in threads.
 *
 * A job is a callback that runs in a thread of an executor. It must not touch the loop, nor
 * anything else that belongs to the loop's thread. Its argument takes the inputs there, and brings
 * the outputs back: when the function has returned, the argument is the result of a future.
 *
 *     struct digest { char *path; unsigned char bytes[32]; };       // one for each job
 *
 *     TRY(asy_run_in_executor(self->loop, NULL, asy_own(compute, digest, digest_free),
 *                             &self->future));
 *     AWAIT(self->future);
 *     TRY(asy_future_result(self->future, &result));                // the struct, borrowed
 *
 * Cancelling the future takes a job back that has not begun. One that has begun runs on, and its
 * outputs are dropped.
 *
 * As in asyncio, a loop has a default executor, which is made when it is first needed.
 */
#ifndef ASY_EXECUTOR_H
#define ASY_EXECUTOR_H

#include <asy/error.h>
#include <asy/handle.h>
#include <asy/types.h>

ASY_BEGIN_DECLARATIONS

/* ---- thread_pool.c: executors ------------------------------------------------ */

/* concurrent.futures.ThreadPoolExecutor(max_workers=None): threads that run jobs. It starts one
 * when there is a job and no thread that waits for one, up to max_workers. Signals are blocked in
 * them.
 *
 * max_workers  0: as many as the machine has processors and 4 more, but at most 32.
 * Returns      a new reference.
 * Spec         run_in_executor.max_workers
 */
ASY_API asy_executor *asy_executor_new(size_t max_workers);

/* One more reference, one reference less. The latter accepts and returns NULL. The last one shuts
 * the executor down, without waiting.
 *
 * Thread   any
 */
ASY_API asy_executor *asy_executor_ref(asy_executor *executor);
ASY_API asy_executor *asy_executor_unref(asy_executor *executor);

/* executor.shutdown(wait): take no more jobs; those that it has are done still, and then the
 * threads end. With wait, until they have ended; not so if a job waits for its own executor, which
 * would be for ever.
 *
 * Thread   any
 */
ASY_API void asy_executor_shutdown(asy_executor *executor, bool wait);

/* ---- executor.c: the loop's methods ------------------------------------------ */

/* loop.run_in_executor(executor, job) -> Future: call the job in a thread of the executor.
 *
 * executor borrowed; NULL: the default one.
 * Returns  in *ret_future a new reference. Its result is the job's argument: with asy_own(), the
 *          future's, which gives it back; with asy_borrow(), still the caller's. An error of the
 *          job is its exception, and then the argument is given back.
 * Raises   RuntimeError: the loop is closed; the executor was shut down. TypeError: in debug mode,
 *          the job has no function; otherwise that is the exception of the future.
 * Steals   job. Its drop is called in the loop's thread; only that of a job which is still at work,
 *          or waits for its turn, when the loop is closed, in the executor's.
 * Spec     run_in_executor.runs, run_in_executor.executor-arg, run_in_executor.none-default,
 *          run_in_executor.default-threadpool, run_in_executor.default-lazy,
 *          run_in_executor.set-default-used, run_in_executor.returns-future,
 *          run_in_executor.exception, run_in_executor.not-blocking, run_in_executor.closed
 */
ASY_API asy_error *asy_run_in_executor(asy_loop *loop, asy_executor *executor, asy_callback job,
                                       asy_future **ret_future) ASY_MUST_CHECK;

/* loop.set_default_executor(executor): it is used where none is given. The one before it is let
 * go, and not shut down as long as somebody else has a reference. (asyncio checks that it is a
 * thread pool. There is no other kind here.)
 *
 * After asy_shutdown_default_executor() it is kept, and never used.
 *
 * Raises   TypeError: the executor is NULL.
 * Spec     run_in_executor.set-default-used
 */
ASY_API asy_error *asy_set_default_executor(asy_loop *loop, asy_executor *executor) ASY_MUST_CHECK;

/* await loop.shutdown_default_executor(timeout): wait until its threads have ended. From the start
 * of the coroutine on, asy_run_in_executor() takes no more jobs for the default executor, whichever
 * is set. When the time is over, a warning is logged, and the threads are left to themselves.
 *
 * timeout  seconds; negative or not a number: for ever. (Python's None.)
 * Spec     shutdown_default_executor.coroutine, shutdown_default_executor.joins,
 *          shutdown_default_executor.then-raises, shutdown_default_executor.custom-ok,
 *          shutdown_default_executor.timeout-none, shutdown_default_executor.timeout-seconds,
 *          shutdown_default_executor.timeout-warns, shutdown_default_executor.timeout-terminates
 */
ASY_API asy_coro *asy_shutdown_default_executor(asy_loop *loop, double timeout);

ASY_END_DECLARATIONS

#endif
