/* SPDX-License-Identifier: MIT */
/*
 * A pool of threads: the executor without the loop.
 *
 * Jobs wait in a list, first in, first out. A thread takes the first one, runs it, and looks
 * again. Everything is under one lock, but the jobs themselves, which run without it.
 *
 * The memory of a pool goes when nobody uses it: its users, who count as one; its threads, each
 * of which counts; and whoever else holds it, such as a job that may have to be taken back.
 */
#ifndef IO_THREAD_POOL_H
#define IO_THREAD_POOL_H

#include <asy/error.h>
#include <asy/executor.h>
#include <asy/types.h>

/* The part of a job that the pool knows. */
struct pool_job {
    void           (*run)(struct pool_job *job);    /* in a thread of the pool */
    struct pool_job *next;
    bool             queued;                        /* it has not begun; under the pool's lock */
};

/* Have the job run, once. It stays the caller's, who keeps it until then.
 *
 * Raises   RuntimeError: the pool was shut down; it has no thread and can start none.
 * Thread   any
 */
asy_error *pool_submit(asy_executor *pool, struct pool_job *job) ASY_MUST_CHECK;

/* Whether the job had not begun: then it never will.
 *
 * Thread   any
 */
bool pool_take_back(asy_executor *pool, struct pool_job *job);

/* Whether a job that is submitted now would begin at once: a thread waits for it, or can be
 * started.
 *
 * Thread   any
 */
bool pool_has_room(asy_executor *pool);

/* Keep the memory of the pool, not the pool at work; and let it go.
 *
 * Thread   any
 */
void pool_hold(asy_executor *pool);
void pool_release(asy_executor *pool);

#endif
