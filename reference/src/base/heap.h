/* SPDX-License-Identifier: MIT */
/*
 * The heap of timers: Python's heapq, step for step.
 *
 * Which of two timers of the same deadline comes first is nobody's promise, but it is what
 * CPython does, and it follows from the exact moves of heapq. So this heap makes the same moves
 * and compares only by `<` on the deadlines:
 *
 *   push      append, then sift towards the root
 *   pop       put the last element at the root, let it sink to a leaf past the smaller children,
 *             then sift it towards the root from there
 *   heapify   sink each inner node that way, the last one first
 *
 * A cancelled timer stays where it is until the loop purges it. The heap moves references and
 * never takes or gives one back.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <asy/handle.h>

/* All zero is an empty heap. timers[0] is the one with the smallest deadline. */
struct timer_heap {
    asy_timer_handle **timers;
    size_t             count;
    size_t             capacity;
};

/* heapq.heappush() */
void heap_push(struct timer_heap *heap, asy_timer_handle *timer);

/* heapq.heappop(): the heap is not empty. */
asy_timer_handle *heap_pop(struct timer_heap *heap);

/* heapq.heapify() */
void heap_heapify(struct timer_heap *heap);

/* Free the array of an empty heap. It can be used again. */
void heap_deinit(struct timer_heap *heap);

#endif
