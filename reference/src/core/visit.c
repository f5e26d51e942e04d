/* SPDX-License-Identifier: MIT */
/*
 * Every reference to a handle that the loop holds, for the garbage collector of a host.
 */
#include "core/loop_impl.h"

struct visitor {
    int  (*visit)(asy_handle *handle, void *argument);
    void  *argument;
};

static int
visit_one(const struct visitor *visitor, asy_handle *handle)
{
    return handle ? visitor->visit(handle, visitor->argument) : 0;
}

static int
visit_queue(const struct visitor *visitor, const struct handle_queue *queue)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < queue->count; i++)
        result = visit_one(visitor, queue_at(queue, i));
    return result;
}

static int
visit_heap(const struct visitor *visitor, const struct timer_heap *heap)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < heap->count; i++)
        result = visit_one(visitor, &heap->timers[i]->handle);
    return result;
}

static int
visit_watched(const struct visitor *visitor, const struct fd_table *watched)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < watched->capacity; i++) {
        if (watched->places[i].fd == -1)
            continue;
        result = visit_one(visitor, watched->places[i].reader);
        if (result == 0)
            result = visit_one(visitor, watched->places[i].writer);
    }
    return result;
}

static int
visit_inbox(const struct visitor *visitor, asy_loop *loop)
{
    pthread_mutex_lock(&loop->inbox_lock);
    int result = visit_queue(visitor, &loop->inbox);
    pthread_mutex_unlock(&loop->inbox_lock);
    return result;
}

/* see host.h */
int
asy_loop_visit(asy_loop *loop, int (*visit)(asy_handle *handle, void *argument), void *argument)
{
    const struct visitor visitor = { visit, argument };
    int result = visit_one(&visitor, loop->running_handle);

    if (result == 0)
        result = visit_queue(&visitor, &loop->ready);
    if (result == 0)
        result = visit_heap(&visitor, &loop->scheduled);
    if (result == 0)
        result = visit_watched(&visitor, &loop->watched);
    if (result == 0)
        result = visit_inbox(&visitor, loop);
    return result;
}
