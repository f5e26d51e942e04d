/* SPDX-License-Identifier: MIT */
/*
 * Python's heapq on an array of keys, written after the Python of Lib/heapq.py line by line, names
 * included, and not after the library's heap. The number says which of two equal keys it is.
 */
#ifndef FUZZ_MODEL_HEAP_H
#define FUZZ_MODEL_HEAP_H

#include <stddef.h>

#define MODEL_HEAP_CAPACITY 1024

struct model_item {
    double key;
    int    number;
};

struct model_heap {
    struct model_item items[MODEL_HEAP_CAPACITY];
    size_t            count;
};

void model_heappush(struct model_heap *heap, struct model_item item);
struct model_item model_heappop(struct model_heap *heap);
void model_heapify(struct model_heap *heap);

#endif
