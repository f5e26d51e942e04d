/* SPDX-License-Identifier: MIT */
/*
 * The cancel sweep: an operation that may be cancelled at any moment is cancelled at each.
 *
 * The operation runs again and again, each time with a loop of its own. In run 0 its task is
 * cancelled before the first iteration, in run 1 after the first, and so on, until the operation
 * has ended before that. After each run it must have ended with a CancelledError, or with its full
 * result; and nothing may be left: no task, no callback, timer or watched descriptor in the loop,
 * and, once that is closed, no descriptor, thread or block of memory.
 *
 * All that happens four times over. The task is cancelled between two iterations; in an iteration,
 * after the poll, but before the callbacks of what is ready; after these, and before the task goes
 * on; and by a timeout around the operation, which is then a TimeoutError.
 */
#ifndef TESTS_CANCEL_SWEEP_H
#define TESTS_CANCEL_SWEEP_H

#include "testing.h"

struct cancel_sweep {
    const char *name;                               /* for messages */

    /* The operation, not begun. What else it needs lies in memory of asy_alloc(), in *ret_data. */
    asy_coro *(*make)(struct testing *t, void **ret_data);

    /* It has ended without an error: require that its result is all there. May be NULL. */
    void      (*require_result)(struct testing *t, void *data);

    /* Give back what data holds, but not data. What goes on without the operation ends by itself.
     * May be NULL. */
    void      (*release)(struct testing *t, void *data);

    /* How the operation ends when nobody cancels it; 0, which is ASY_BaseException: it returns. */
    asy_error_kind raises;

    /* It waits for a thread, which wakes the loop. */
    bool waits_for_threads;
};

/* Sweep.
 *
 * Returns  how many iterations the operation takes: it was cancelled in each of them. What
 *          CPython 3.13, 3.14 and 3.15 need for the same is printed by
 *          oracle/await_traces.py swept_operations.
 */
int cancel_sweep(const struct cancel_sweep *operation);

#endif
