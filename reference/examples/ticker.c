/* SPDX-License-Identifier: MIT */
/*
 * Two tasks tick at different rates until a third one, main, cancels them, as in ticker.py. That
 * they end before the program does is the doing of asy_run(), which waits for what is left.
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

struct main {
    asy_coro  co;
    asy_loop *loop;
    asy_task *fast;
    asy_task *slow;
};

ASYNC(main)
{
    ASYNC_BEGIN;
    TRY(asy_loop_create_task(self->loop, ASYNC_CALL(tick, .loop = self->loop, .name = "fast",
                                                    .pause = 0.2), NULL, &self->fast));
    TRY(asy_loop_create_task(self->loop, ASYNC_CALL(tick, .loop = self->loop, .name = "slow",
                                                    .pause = 0.5), NULL, &self->slow));
    AWAIT(asy_sleep(self->loop, 0.9));
    TRY(asy_task_cancel(self->fast, NULL, NULL));
    TRY(asy_task_cancel(self->slow, NULL, NULL));
    ASYNC_END;
}

FINALLY(main)
{
    asy_task_unref(self->fast);
    asy_task_unref(self->slow);
}

static asy_coro *
make_main(asy_loop *loop, void *unused)
{
    (void)unused;
    return ASYNC_CALL(main, .loop = loop);
}

int
main(void)
{
    return exit_status(asy_run(make_main, NULL));
}
