/* SPDX-License-Identifier: MIT */
/*
 * A loop that is as simple as it can be: BaseEventLoop of asyncio with arrays and numbers, and
 * without objects, references, threads or a system below it.
 */
#ifndef FUZZ_MODEL_LOOP_H
#define FUZZ_MODEL_LOOP_H

#include "loop_script.h"
#include "model_heap.h"

#define MODEL_QUEUE_CAPACITY 4096

struct model_callback {
    bool   cancelled;
    bool   scheduled;
    double when;
};

/* A descriptor; one more than the program has is the loop's own, that which wakes it. */
struct model_watch {
    int      reader;                    /* callbacks, or NOBODY */
    int      writer;
    unsigned order;                     /* the smaller, the earlier it was registered */
    bool     readable;
};

struct model_loop {
    struct side           side;         /* first */
    int                   profile;
    bool                  by_number;    /* select(): descriptors come in their own order */
    struct model_callback callbacks[MOST_CALLBACKS];
    int                   ready[MODEL_QUEUE_CAPACITY];
    size_t                ready_count;
    struct model_heap     scheduled;
    ptrdiff_t             cancelled_count;
    bool                  stopping;
    struct model_watch    watches[DESCRIPTORS + 1];
    unsigned              next_order;
};

void model_loop_begin(struct model_loop *loop, const uint8_t *bytes, size_t size, int profile,
                      bool by_number);

#endif
