/* SPDX-License-Identifier: MIT */
/* See heap.h. The names are heapq's: "down" is towards the root, "up" towards the leaves. */
#include "base/heap.h"

#include "base/alloc.h"

#include <assert.h>

#define FIRST_CAPACITY 16

/* TimerHandle.__lt__ */
static bool
less(const asy_timer_handle *a, const asy_timer_handle *b)
{
    return a->when < b->when;
}

/* Move the timer at the position towards the root, not above start. */
static void
sift_down(asy_timer_handle **timers, size_t start, size_t position)
{
    asy_timer_handle *timer = timers[position];

    while (position > start) {
        size_t parent = (position - 1) / 2;
        if (!less(timer, timers[parent]))
            break;
        timers[position] = timers[parent];
        position = parent;
    }
    timers[position] = timer;
}

/* Sink the timer at the position to a leaf, and from there move it towards the position again:
 * that takes fewer comparisons than stopping on the way, and other places among equals. */
static void
sift_up(asy_timer_handle **timers, size_t count, size_t position)
{
    asy_timer_handle *timer = timers[position];
    size_t start = position;
    size_t child = 2 * position + 1;

    while (child < count) {
        size_t right = child + 1;
        if (right < count && !less(timers[child], timers[right]))
            child = right;
        timers[position] = timers[child];
        position = child;
        child = 2 * position + 1;
    }
    timers[position] = timer;
    sift_down(timers, start, position);
}

void
heap_push(struct timer_heap *heap, asy_timer_handle *timer)
{
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity ? heap->capacity * 2 : FIRST_CAPACITY;
        heap->timers = alloc_resize(heap->timers, heap->capacity, sizeof heap->timers[0]);
    }
    heap->timers[heap->count] = timer;
    heap->count++;
    sift_down(heap->timers, 0, heap->count - 1);
}

asy_timer_handle *
heap_pop(struct timer_heap *heap)
{
    assert(heap->count > 0);
    heap->count--;
    asy_timer_handle *last = heap->timers[heap->count];
    if (heap->count == 0)
        return last;
    asy_timer_handle *first = heap->timers[0];
    heap->timers[0] = last;
    sift_up(heap->timers, heap->count, 0);
    return first;
}

void
heap_heapify(struct timer_heap *heap)
{
    for (size_t i = heap->count / 2; i > 0; i--)
        sift_up(heap->timers, heap->count, i - 1);
}

void
heap_deinit(struct timer_heap *heap)
{
    assert(heap->count == 0);
    asy_free(heap->timers);
    *heap = (struct timer_heap){ 0 };
}
