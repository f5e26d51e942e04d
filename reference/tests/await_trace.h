/* SPDX-License-Identifier: MIT */
/*
 * What the tests of tasks share: a trace of what happens in which iteration, and the coroutines of
 * oracle/await_traces.py.
 *
 * That program prints, for asyncio, lines of "iteration:event". A test that has the name of one of
 * its functions does in C what the function does, and expects its line, as CPython 3.14 prints it;
 * 3.13 and 3.15 print the same unless the test says otherwise. Iteration 0 is before the first.
 */
#ifndef TESTS_AWAIT_TRACE_H
#define TESTS_AWAIT_TRACE_H

#include "testing.h"

#define trace_case(function)                                                               \
    cmocka_unit_test_setup_teardown(function, trace_setup, testing_teardown)

int trace_setup(void **state);

/* Add "iteration:event" to the trace. */
void trace_note(struct testing *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Note "report:..." of what the exception handler is called for, from now on. */
void trace_reports(struct testing *t);

/* Run so many iterations, in which the loop counts as running. */
void trace_run(struct testing *t, int iterations);

/* Count iterations anew. */
void trace_restart(void);

/* How many timers are not cancelled. Those that are stay in the heap until it is their turn. */
size_t trace_timer_count(const asy_loop *loop);

/* A new task of the loop. */
asy_task *trace_task(struct testing *t, asy_coro *coro);
asy_task *trace_eager(struct testing *t, asy_coro *coro);

/* A new task that nobody holds but the loop. */
void trace_start(struct testing *t, asy_coro *coro);

/* Note the name when the future's callbacks run; of a task, too. */
void trace_note_done(struct testing *t, const char *name, asy_future *future);
void trace_note_task_done(struct testing *t, const char *name, asy_task *task);

/* Note "cancelled" if it is that, else "not". */
void trace_note_cancelled(struct testing *t, asy_future *future);

/* ---- coroutines: see await_traces.py -------------------------------------------- */

asy_coro *nap(struct testing *t, const char *name, int naps);
asy_coro *nap_and_raise(struct testing *t, const char *name, int naps);
asy_coro *stubborn(struct testing *t, const char *name, int naps);

/* These steal what they await. */
asy_coro *watch(struct testing *t, const char *name, asy_coro *inner);
asy_coro *relay(struct testing *t, const char *name, asy_coro *inner);
asy_coro *within(struct testing *t, const char *name, double seconds, asy_coro *inner);

/* A coroutine that awaits a future, which is borrowed, or stolen. */
asy_coro *awaiting(asy_future *future);
asy_coro *awaiting_stolen(asy_future *future);

#endif
