/* SPDX-License-Identifier: MIT */
/* See queue.h. */
#include "base/queue.h"

#include "base/alloc.h"

#include <assert.h>

#define FIRST_CAPACITY 64

static size_t
slot(const struct handle_queue *queue, size_t position)
{
    return (queue->first + position) & (queue->capacity - 1);
}

/* Twice the room, with the elements at the start of the new ring. */
static void
grow(struct handle_queue *queue)
{
    size_t capacity = queue->capacity ? queue->capacity * 2 : FIRST_CAPACITY;
    asy_handle **ring = alloc_resize(NULL, capacity, sizeof *ring);

    for (size_t i = 0; i < queue->count; i++)
        ring[i] = queue->ring[slot(queue, i)];
    asy_free(queue->ring);
    queue->ring = ring;
    queue->capacity = capacity;
    queue->first = 0;
}

void
queue_push(struct handle_queue *queue, asy_handle *handle)
{
    if (queue->count == queue->capacity)
        grow(queue);
    queue->ring[slot(queue, queue->count)] = handle;
    queue->count++;
}

asy_handle *
queue_pop(struct handle_queue *queue)
{
    if (queue->count == 0)
        return NULL;
    asy_handle *handle = queue->ring[queue->first];
    queue->first = slot(queue, 1);
    queue->count--;
    return handle;
}

asy_handle *
queue_at(const struct handle_queue *queue, size_t position)
{
    assert(position < queue->count);
    return queue->ring[slot(queue, position)];
}

void
queue_deinit(struct handle_queue *queue)
{
    assert(queue->count == 0);
    asy_free(queue->ring);
    *queue = (struct handle_queue){ 0 };
}
