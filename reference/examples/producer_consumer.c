/* SPDX-License-Identifier: MIT */
/* A producer and a consumer, and between them a queue of two places, as in producer_consumer.py. */
#include "example.h"

/* Who finds it full or empty waits for a future, which the other fulfils; both never wait at
 * once. */
struct queue {
    asy_loop   *loop;
    int         items[2];
    int         count;
    asy_future *waiter;             /* owned */
};

/* A future that is done when the other has put or taken something. Borrowed. */
static asy_future *
changed(struct queue *queue)
{
    asy_future_unref(queue->waiter);
    queue->waiter = asy_loop_create_future(queue->loop);
    return queue->waiter;
}

/* Say that something was put or taken. */
static asy_error *
wake(struct queue *queue)
{
    if (queue->waiter && !asy_future_done(queue->waiter))
        return asy_future_set_result(queue->waiter, NULL, NULL);
    return ASY_OK;
}

struct produce {
    asy_coro      co;
    struct queue *queue;
    int           number;
};

ASYNC(produce)
{
    ASYNC_BEGIN;
    for (self->number = 1; self->number < 6; self->number++) {
        while (self->queue->count == 2) {
            puts("full");
            AWAIT(changed(self->queue));
        }
        self->queue->items[self->queue->count++] = self->number;
        printf("put %d\n", self->number);
        TRY(wake(self->queue));
    }
    ASYNC_END;
}

FINALLY(produce)
{
}

struct consume {
    asy_coro      co;
    struct queue *queue;
    int           taken;
};

ASYNC(consume)
{
    ASYNC_BEGIN;
    for (; self->taken < 5; self->taken++) {
        while (self->queue->count == 0) {
            puts("empty");
            AWAIT(changed(self->queue));
        }
        printf("got %d\n", self->queue->items[0]);
        self->queue->items[0] = self->queue->items[1];
        self->queue->count--;
        TRY(wake(self->queue));
    }
    ASYNC_END;
}

FINALLY(consume)
{
}

struct main {
    asy_coro     co;
    asy_loop    *loop;
    struct queue queue;
    asy_task    *tasks[2];
    asy_future  *both;
};

ASYNC(main)
{
    asy_future *futures[2];

    ASYNC_BEGIN;
    self->queue.loop = self->loop;
    TRY(asy_loop_create_task(self->loop, ASYNC_CALL(consume, .queue = &self->queue), NULL,
                             &self->tasks[0]));
    TRY(asy_loop_create_task(self->loop, ASYNC_CALL(produce, .queue = &self->queue), NULL,
                             &self->tasks[1]));
    futures[0] = asy_task_future(self->tasks[0]);
    futures[1] = asy_task_future(self->tasks[1]);
    self->both = asy_gather(self->loop, futures, 2, false);
    AWAIT(self->both);
    ASYNC_END;
}

FINALLY(main)
{
    asy_future_unref(self->both);
    asy_task_unref(self->tasks[0]);
    asy_task_unref(self->tasks[1]);
    asy_future_unref(self->queue.waiter);
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
