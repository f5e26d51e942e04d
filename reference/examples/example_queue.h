/* SPDX-License-Identifier: MIT */
/*
 * asyncio.Queue(maxsize=2) for numbers: queue_put() waits while it is full, queue_get() while it
 * is empty.
 *
 * The idea is asyncio's own. Who has to wait makes a future and stands in line with it. Who puts
 * an item fulfils the first future in the line of those who get, who takes one, the first in the
 * line of those who put. To be woken is a hint, not a promise: the woken one runs an iteration
 * later, when somebody else may have been faster, so it looks again, and waits again.
 *
 * Nobody's turn is lost. Who is cancelled leaves the line; and who is cancelled after it was
 * woken, but before it ran, wakes the next.
 *
 * A queue of zeros is an empty queue. It has to live longer than who waits at it: make it static.
 * Not here is the rest of asyncio's: put_nowait() and get_nowait(), join(), shutdown().
 */
#ifndef EXAMPLE_QUEUE_H
#define EXAMPLE_QUEUE_H

#include <asy/asy.h>
#include <string.h>

enum { QUEUE_MAXSIZE = 2 };

struct queue {
    int                items[QUEUE_MAXSIZE];    /* the oldest first */
    int                count;
    struct queue_wait *getters;     /* the two lines, each from its first; borrowed: nobody ends */
    struct queue_wait *putters;     /* without leaving the line */
};

static inline bool
queue_empty(const struct queue *queue)
{
    return queue->count == 0;
}

static inline bool
queue_full(const struct queue *queue)
{
    return queue->count == QUEUE_MAXSIZE;
}

/* ---- standing in line --------------------------------------------------------- */

/* A coroutine that waits while the queue has so many items. */
struct queue_wait {
    asy_coro            co;
    const struct queue *queue;
    struct queue_wait **line;       /* where it stands meanwhile */
    int                 count;
    asy_future         *turn;       /* done when it is woken; NULL: it does not wait; owned */
    struct queue_wait  *next;       /* who is next in line; borrowed */
};

static inline void
queue_line_join(struct queue_wait **line, struct queue_wait *waiting)
{
    while (*line)
        line = &(*line)->next;
    waiting->next = NULL;
    *line = waiting;
}

/* No effect on one that is not there: who is woken has left already. */
static inline void
queue_line_leave(struct queue_wait **line, const struct queue_wait *waiting)
{
    while (*line && *line != waiting)
        line = &(*line)->next;
    if (*line)
        *line = waiting->next;
}

/* Wake the first in line whose future is not done. A future that is done here was cancelled. */
static inline asy_error *
queue_line_wake(struct queue_wait **line)
{
    while (*line) {
        asy_future *turn = (*line)->turn;
        *line = (*line)->next;
        if (!asy_future_done(turn))
            return asy_future_set_result(turn, NULL, NULL);
    }
    return ASY_OK;
}

ASYNC(queue_wait)
{
    ASYNC_BEGIN;
    while (self->queue->count == self->count) {
        self->turn = asy_loop_create_future(asy_running_loop());
        queue_line_join(self->line, self);
        AWAIT(self->turn);
        self->turn = asy_future_unref(self->turn);
    }
    ASYNC_END;
}

/* There still is a future if it was cancelled while it waited. */
FINALLY(queue_wait)
{
    if (!self->turn)
        return;
    queue_line_leave(self->line, self);
    if (asy_future_done(self->turn) && !asy_future_cancelled(self->turn)
        && self->queue->count != self->count)
        asy_error_unref(queue_line_wake(self->line));
    asy_future_unref(self->turn);
}

/* ---- put ------------------------------------------------------------------------ */

struct queue_put {
    asy_coro      co;
    struct queue *queue;
    int           item;
};

ASYNC(queue_put)
{
    ASYNC_BEGIN;
    AWAIT(ASYNC_CALL(queue_wait, .queue = self->queue, .line = &self->queue->putters,
                     .count = QUEUE_MAXSIZE));
    self->queue->items[self->queue->count++] = self->item;
    TRY(queue_line_wake(&self->queue->getters));
    ASYNC_END;
}

FINALLY(queue_put)
{
}

/* queue.put(item): a new reference. */
static inline asy_coro *
queue_put(struct queue *queue, int item)
{
    return ASYNC_CALL(queue_put, .queue = queue, .item = item);
}

/* ---- get ------------------------------------------------------------------------ */

struct queue_get {
    asy_coro      co;
    struct queue *queue;
    int          *ret_item;
};

ASYNC(queue_get)
{
    ASYNC_BEGIN;
    AWAIT(ASYNC_CALL(queue_wait, .queue = self->queue, .line = &self->queue->getters, .count = 0));
    *self->ret_item = self->queue->items[0];
    self->queue->count--;
    memmove(self->queue->items, self->queue->items + 1,
            (size_t)self->queue->count * sizeof self->queue->items[0]);
    TRY(queue_line_wake(&self->queue->putters));
    ASYNC_END;
}

FINALLY(queue_get)
{
}

/* queue.get(): a new reference. The item is in *ret_item when it has ended: a field of the frame
 * of whoever awaits it. */
static inline asy_coro *
queue_get(struct queue *queue, int *ret_item)
{
    return ASYNC_CALL(queue_get, .queue = queue, .ret_item = ret_item);
}

#endif
