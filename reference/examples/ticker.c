/* SPDX-License-Identifier: MIT */
/*
 * Two tasks tick at different rates until a third one, the program, cancels them, as in ticker.py.
 * That they end before it does is the doing of ASYNCIO_RUN(), which waits for what is left.
 */
#include "example.h"

struct tick {
    asy_coro    co;
    asy_loop   *loop;
    const char *name;
    double      pause;
    int         ticks;
};

ASYNC(tick)
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT(asy_sleep(self->loop, self->pause));
        self->ticks++;
        printf("%s %d\n", self->name, self->ticks);
    }
    ASYNC_END;
}

FINALLY(tick)
{
    printf("%s ends after %d\n", self->name, self->ticks);
}

struct program {
    asy_coro  co;
    asy_loop *loop;
    asy_task *fast;
    asy_task *slow;
};

ASYNC(program)
{
    ASYNC_BEGIN;
    TRY(create_task(self->loop, ASYNC_CALL(tick, .loop = self->loop, .name = "fast", .pause = 0.2),
                    &self->fast));
    TRY(create_task(self->loop, ASYNC_CALL(tick, .loop = self->loop, .name = "slow", .pause = 0.5),
                    &self->slow));
    AWAIT(asy_sleep(self->loop, 0.9));
    TRY(asy_task_cancel(self->fast, NULL, NULL));
    TRY(asy_task_cancel(self->slow, NULL, NULL));
    ASYNC_END;
}

FINALLY(program)
{
    asy_task_unref(self->fast);
    asy_task_unref(self->slow);
}

ASYNCIO_RUN(ASYNC_CALL(program, .loop = loop))
