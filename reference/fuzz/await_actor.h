/* SPDX-License-Identifier: MIT */
/*
 * What the coroutines of fuzz_await.c do, and its driver: actions of three bytes each. Those that
 * wait for something only coroutines do.
 */
#ifndef FUZZ_AWAIT_ACTOR_H
#define FUZZ_AWAIT_ACTOR_H

#include "await_world.h"

#define OUTSIDE (-1)                    /* the rank of the driver: it waits for nothing */

/* From YIELD to WAIT_FOR they wait; the driver's begin with NEW_FUTURE. */
enum action {
    RETURN, RAISE_ERROR, YIELD, SLEEP, AWAIT_ENTRY, AWAIT_OTHER_ENTRY, AWAIT_COROUTINE, WAIT,
    WAIT_FOR, NEW_FUTURE, NEW_TASK, SET_RESULT, SET_EXCEPTION, CANCEL, UNCANCEL, NEW_GATHER,
    NEW_SHIELD, CANCEL_SHIELD, GIVE_UP, LIST_TASKS, ACTIONS
};

/* Seconds. */
extern const double delays[8];
#define DELAYS (sizeof delays / sizeof delays[0])

/* ---- await_actions.c ---------------------------------------------------------------- */

/* Do something that waits for nothing. The rank is that of who does it. Only fatal errors come
 * back, of a task that is started at once; or what cancelling raises. */
asy_error *act(struct world *world, int rank, enum action action, unsigned argument,
               unsigned options) ASY_MUST_CHECK;

/* Cancel the entry's future, and require that the answer is right. */
asy_error *cancel_entry(struct world *world, struct entry *entry) ASY_MUST_CHECK;

/* Some entries that may be waited for. Returns how many. */
int choose_children(struct world *world, int rank, unsigned argument, struct entry **children);
void futures_of(struct entry *const *children, int count, asy_future **futures);

/* ---- await_actor.c ------------------------------------------------------------------ */

/* A coroutine of the program, to be run by the task; NULL: by one that is told later. */
asy_coro *actor_new(struct world *world, struct entry *task, int rank, int depth);
void actor_set_task(asy_coro *actor, struct entry *task);

#endif
