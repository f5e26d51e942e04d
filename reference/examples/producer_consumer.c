/* SPDX-License-Identifier: MIT */
/* A producer and a consumer, and between them a queue of two places, as in producer_consumer.py. */
#include "example_gather.h"
#include "example_queue.h"

struct produce {
    asy_coro      co;
    struct queue *queue;
    int           number;
};

/* Put five numbers. */
ASYNC(produce)
{
    ASYNC_BEGIN;
    for (self->number = 1; self->number < 6; self->number++) {
        if (queue_full(self->queue))
            puts("full");
        AWAIT(queue_put(self->queue, self->number));
        printf("put %d\n", self->number);
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
    int           number;
};

/* Take five numbers. */
ASYNC(consume)
{
    ASYNC_BEGIN;
    for (; self->taken < 5; self->taken++) {
        if (queue_empty(self->queue))
            puts("empty");
        AWAIT(queue_get(self->queue, &self->number));
        printf("got %d\n", self->number);
    }
    ASYNC_END;
}

FINALLY(consume)
{
}

static struct queue queue;

ASYNCIO_RUN(gather_two(loop, ASYNC_CALL(consume, .queue = &queue),
                       ASYNC_CALL(produce, .queue = &queue)))
