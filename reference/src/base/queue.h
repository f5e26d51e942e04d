/* SPDX-License-Identifier: MIT */
/*
 * The queue of handles: collections.deque as the loop uses it, first in, first out.
 *
 * A ring of pointers, not a list through the handles, because one handle may be queued more
 * than once: a reader is queued again before its first turn when a fatal error cut the
 * iteration short. The queue moves references and never takes or gives one back.
 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <asy/types.h>

/* All zero is an empty queue. */
struct handle_queue {
    asy_handle **ring;          /* capacity elements, of which count are in use from first on */
    size_t       capacity;      /* 0 or a power of two */
    size_t       first;
    size_t       count;
};

/* Append. */
void queue_push(struct handle_queue *queue, asy_handle *handle);

/* Take the first one, or NULL from an empty queue. */
asy_handle *queue_pop(struct handle_queue *queue);

/* The one at the position, counted from the first; the position is below count. */
asy_handle *queue_at(const struct handle_queue *queue, size_t position);

/* Free the ring of an empty queue. It can be used again. */
void queue_deinit(struct handle_queue *queue);

#endif
