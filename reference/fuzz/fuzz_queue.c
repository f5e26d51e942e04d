/* SPDX-License-Identifier: MIT */
/*
 * The queue of handles against an array that is never reused: what was pushed at place i of all is
 * what is popped i-th.
 *
 * There are only eight handles, so that most of them are queued more than once.
 */
#include "fuzzing.h"

#include "base/queue.h"

#include <asy/handle.h>

#define HANDLES 8
#define MOST_PUSHES 1000

struct model {
    asy_handle *pushed[MOST_PUSHES];
    size_t      first;                  /* the next to be popped */
    size_t      end;
};

static asy_handle handles[HANDLES];

static void
push(struct handle_queue *queue, struct model *model, unsigned number)
{
    if (model->end == MOST_PUSHES)
        return;
    model->pushed[model->end++] = &handles[number % HANDLES];
    queue_push(queue, &handles[number % HANDLES]);
}

static void
pop(struct handle_queue *queue, struct model *model)
{
    const asy_handle *expected = NULL;

    if (model->first < model->end)
        expected = model->pushed[model->first++];
    require(queue_pop(queue) == expected, "pop %zu", model->first);
}

static void
require_same(const struct handle_queue *queue, const struct model *model)
{
    require(queue->count == model->end - model->first, "%zu in the queue, %zu in the model",
            queue->count, model->end - model->first);
    for (size_t i = 0; i < queue->count; i++)
        require(queue_at(queue, i) == model->pushed[model->first + i], "position %zu", i);
}

/* What the loop does in an iteration: as many as there are now, each of which may add some. */
static void
run_batch(struct handle_queue *queue, struct model *model, unsigned added)
{
    for (size_t left = queue->count; left > 0; left--) {
        pop(queue, model);
        for (unsigned i = 0; i < added; i++)
            push(queue, model, added + i);
    }
}

static void
clear(struct handle_queue *queue, struct model *model)
{
    while (queue->count > 0)
        pop(queue, model);
    queue_deinit(queue);
}

/* The operation in the upper two bits of a byte, how often or what in the others. */
static void
step(struct handle_queue *queue, struct model *model, unsigned byte)
{
    unsigned number = byte & 63;

    if (byte < 64) {
        push(queue, model, number);
    } else if (byte < 128) {
        for (unsigned i = 0; i < number; i++)
            push(queue, model, i * i);
    } else if (byte < 192) {
        for (unsigned i = 0; i <= number; i++)
            pop(queue, model);
    } else if (number < 60) {
        run_batch(queue, model, number % 3);
    } else {
        clear(queue, model);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct program program = { bytes, size };
    struct footprint before = footprint_now();
    struct handle_queue queue = { 0 };
    static struct model model;

    model.first = 0;
    model.end = 0;
    while (program.left > 0) {
        step(&queue, &model, program_byte(&program));
        require_same(&queue, &model);
    }
    clear(&queue, &model);
    footprint_require(before);
    return 0;
}
