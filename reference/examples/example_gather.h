/* SPDX-License-Identifier: MIT */
/*
 * asyncio.gather() of two coroutines. That of the library, asy_gather(), takes futures; Python's
 * takes coroutines, too, and begins by making a task of each. So does this. The tasks run side by
 * side; the first error ends the wait, and cancelling the wait cancels both.
 */
#ifndef EXAMPLE_GATHER_H
#define EXAMPLE_GATHER_H

#include "example.h"

struct gather_two {
    asy_coro    co;
    asy_loop   *loop;
    asy_coro   *coroutines[2];      /* owned, until they are tasks */
    asy_task   *tasks[2];           /* owned */
    asy_future *both;               /* owned */
};

/* Make a task of one of the two. */
static inline asy_error *
gather_start(struct gather_two *self, int index)
{
    asy_coro *coroutine = self->coroutines[index];

    self->coroutines[index] = NULL;
    return create_task(self->loop, coroutine, &self->tasks[index]);
}

ASYNC(gather_two)
{
    asy_future *futures[2];

    ASYNC_BEGIN;
    TRY(gather_start(self, 0));
    TRY(gather_start(self, 1));
    futures[0] = asy_task_future(self->tasks[0]);
    futures[1] = asy_task_future(self->tasks[1]);
    TRY(asy_gather(self->loop, futures, 2, false, &self->both));
    AWAIT(self->both);
    ASYNC_END;
}

FINALLY(gather_two)
{
    asy_future_unref(self->both);
    for (int index = 0; index < 2; index++) {
        asy_task_unref(self->tasks[index]);
        asy_coro_unref(self->coroutines[index]);
    }
}

/* Run two coroutines until both are done. Steals both; a new reference. */
static inline asy_coro *
gather_two(asy_loop *loop, asy_coro *one, asy_coro *other)
{
    return ASYNC_CALL(gather_two, .loop = loop, .coroutines = { one, other });
}

#endif
