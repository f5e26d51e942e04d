/* SPDX-License-Identifier: MIT */
/* See model_heap.h. */
#include "model_heap.h"

/* def _siftdown(heap, startpos, pos): */
static void
siftdown(struct model_item *heap, size_t startpos, size_t pos)
{
    struct model_item newitem = heap[pos];
    while (pos > startpos) {
        size_t parentpos = (pos - 1) >> 1;
        struct model_item parent = heap[parentpos];
        if (newitem.key < parent.key) {
            heap[pos] = parent;
            pos = parentpos;
            continue;
        }
        break;
    }
    heap[pos] = newitem;
}

/* def _siftup(heap, pos): */
static void
siftup(struct model_item *heap, size_t endpos, size_t pos)
{
    size_t startpos = pos;
    struct model_item newitem = heap[pos];
    size_t childpos = 2 * pos + 1;
    while (childpos < endpos) {
        size_t rightpos = childpos + 1;
        if (rightpos < endpos && !(heap[childpos].key < heap[rightpos].key))
            childpos = rightpos;
        heap[pos] = heap[childpos];
        pos = childpos;
        childpos = 2 * pos + 1;
    }
    heap[pos] = newitem;
    siftdown(heap, startpos, pos);
}

void
model_heappush(struct model_heap *heap, struct model_item item)
{
    heap->items[heap->count++] = item;
    siftdown(heap->items, 0, heap->count - 1);
}

struct model_item
model_heappop(struct model_heap *heap)
{
    struct model_item lastelt = heap->items[--heap->count];
    if (heap->count == 0)
        return lastelt;
    struct model_item returnitem = heap->items[0];
    heap->items[0] = lastelt;
    siftup(heap->items, heap->count, 0);
    return returnitem;
}

/* for i in reversed(range(n//2)): */
void
model_heapify(struct model_heap *heap)
{
    for (size_t i = heap->count / 2; i-- > 0;)
        siftup(heap->items, heap->count, i);
}
