/* SPDX-License-Identifier: MIT */
/*
 * The heap of timers against heapq: after every operation both arrays hold the same timers at the
 * same places, so that equal deadlines will leave in the same order, too.
 *
 * Cancelling marks a timer; purging, as the loop does it, takes the marked ones out of the array
 * and makes a heap of the rest.
 */
#include "fuzzing.h"
#include "model_heap.h"

#include "base/heap.h"

#include <math.h>
#include <string.h>

/* Few, so that many are equal. None is smaller than one that is not a number, nor greater. */
static const double keys[] = {
    0, -0.0, 1, 2, 3, 4, 5, 6, 7, 1.5, -1, 1e9, INFINITY, -INFINITY, NAN,
};
#define KEYS (sizeof keys / sizeof keys[0])

struct run {
    struct timer_heap heap;
    struct model_heap model;
    asy_timer_handle  timers[MODEL_HEAP_CAPACITY];
    int               made;
};

static void
push(struct run *run, unsigned key)
{
    if (run->made == MODEL_HEAP_CAPACITY)
        return;
    asy_timer_handle *timer = &run->timers[run->made];
    timer->when = keys[key % KEYS];
    model_heappush(&run->model, (struct model_item){ timer->when, run->made });
    heap_push(&run->heap, timer);
    run->made++;
}

static void
pop(struct run *run)
{
    if (run->heap.count == 0)
        return;
    int expected = model_heappop(&run->model).number;
    ptrdiff_t popped = heap_pop(&run->heap) - run->timers;
    require(popped == expected, "timer %td left, and not %d", popped, expected);
}

/* Every third, or so, beginning anywhere. */
static void
cancel(struct run *run, unsigned number)
{
    for (int i = (int)(number % 7); i < run->made; i += (int)(number % 5) + 1)
        run->timers[i].handle.cancelled = true;
}

static void
purge(struct run *run)
{
    size_t kept = 0;

    for (size_t i = 0; i < run->heap.count; i++) {
        if (!run->heap.timers[i]->handle.cancelled) {
            run->heap.timers[kept] = run->heap.timers[i];
            run->model.items[kept] = run->model.items[i];
            kept++;
        }
    }
    run->heap.count = kept;
    run->model.count = kept;
    heap_heapify(&run->heap);
    model_heapify(&run->model);
}

static void
require_same(const struct run *run)
{
    require(run->heap.count == run->model.count, "%zu in the heap, %zu in the model",
            run->heap.count, run->model.count);
    for (size_t i = 0; i < run->heap.count; i++) {
        ptrdiff_t number = run->heap.timers[i] - run->timers;
        require(number == run->model.items[i].number, "timer %td at place %zu, and not %d", number,
                i, run->model.items[i].number);
    }
}

/* The operation in the upper four bits of a byte, the deadline or how many in the others. */
static void
step(struct run *run, unsigned byte)
{
    unsigned number = byte & 15;

    if (byte < 128) {
        push(run, byte);
    } else if (byte < 160) {
        for (unsigned i = 0; i < 4 * number; i++)
            push(run, i * i + number);
    } else if (byte < 224) {
        for (unsigned i = 0; i <= number % 8; i++)
            pop(run);
    } else if (byte < 248) {
        cancel(run, number);
    } else {
        purge(run);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct program program = { bytes, size };
    struct footprint before = footprint_now();
    static struct run run;

    memset(&run, 0, sizeof run);
    while (program.left > 0) {
        step(&run, program_byte(&program));
        require_same(&run);
    }
    while (run.heap.count > 0)
        pop(&run);
    heap_deinit(&run.heap);
    footprint_require(before);
    return 0;
}
