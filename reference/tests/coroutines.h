/* SPDX-License-Identifier: MIT */
/*
 * The coroutines of the tests that drive coroutines by asy_coro_send(), without a task.
 *
 * Each leaves its name in the trace when it goes on, and its name after a "~" when FINALLY runs.
 */
#ifndef TESTS_COROUTINES_H
#define TESTS_COROUTINES_H

#include "testing.h"

#define require_suspended(err) assert_ptr_equal(err, ASY_SUSPENDED)

/* Awaits a future, which is borrowed; NULL is a bare yield. */
asy_coro *new_leaf(struct testing *t, const char *name, asy_future *future);

/* Awaits a coroutine, which it owns. */
asy_coro *new_outer(struct testing *t, const char *name, asy_coro *inner);

/* Awaits a coroutine, which it owns, has the text of what that raises in the trace, or "nothing",
 * and goes on to a bare yield. */
asy_coro *new_catcher(struct testing *t, const char *name, asy_coro *inner);

/* Raises OSError: "<name> raised". */
asy_coro *new_raiser(struct testing *t, const char *name);

/* What a catcher that has not begun will await, instead: stolen. */
void set_inner(asy_coro *catcher, asy_coro *inner);

/* a awaits b, b awaits c, c awaits the future: not begun. */
asy_coro *new_three(struct testing *t, asy_future *future);

/* Let go of a coroutine that need not have begun. */
void close_and_unref(asy_coro *coro);

#endif
