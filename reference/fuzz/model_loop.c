/* SPDX-License-Identifier: MIT */
/*
 * See model_loop.h. run_once() below is asyncio's _run_once() with its names.
 */
#include "model_loop.h"

#include "fuzzing.h"

#include <math.h>
#include <string.h>

#define NOBODY (-1)
#define READ_FROM_SELF (-2)         /* the callback of the loop's own descriptor */
#define SELF DESCRIPTORS
#define MAXIMUM_SELECT_TIMEOUT (24 * 3600.0)

static struct model_loop *
loop_of(const struct side *side)
{
    return (struct model_loop *)(void *)side;
}

static void
append(struct model_loop *self, int number)
{
    require(self->ready_count < MODEL_QUEUE_CAPACITY, "the model is too small");
    self->ready[self->ready_count++] = number;
}

static int
popleft(struct model_loop *self)
{
    int number = self->ready[0];
    memmove(self->ready, self->ready + 1, --self->ready_count * sizeof self->ready[0]);
    return number;
}

static struct model_callback *
heappop(struct model_loop *self, int *ret_number)
{
    *ret_number = model_heappop(&self->scheduled).number;
    self->callbacks[*ret_number].scheduled = false;
    return &self->callbacks[*ret_number];
}

/* ---- one iteration -------------------------------------------------------------- */

static void
drop_cancelled_timers(struct model_loop *self)
{
    struct model_heap *heap = &self->scheduled;
    size_t sched_count = heap->count;
    int number;

    if (sched_count > 100 && (double)self->cancelled_count / (double)sched_count > 0.5) {
        heap->count = 0;
        for (size_t i = 0; i < sched_count; i++) {
            if (self->callbacks[heap->items[i].number].cancelled)
                self->callbacks[heap->items[i].number].scheduled = false;
            else
                heap->items[heap->count++] = heap->items[i];
        }
        model_heapify(heap);
        self->cancelled_count = 0;
        return;
    }
    while (heap->count > 0 && self->callbacks[heap->items[0].number].cancelled) {
        self->cancelled_count--;
        heappop(self, &number);
    }
}

static double
timeout_of(const struct model_loop *self)
{
    if (self->ready_count > 0 || self->stopping)
        return 0;
    require(self->scheduled.count > 0, "the program waits for ever");
    double timeout = self->scheduled.items[0].key - self->side.now;
    if (isnan(timeout))
        return self->profile >= 13 ? timeout : 0;
    return timeout > MAXIMUM_SELECT_TIMEOUT ? MAXIMUM_SELECT_TIMEOUT : timeout < 0 ? 0 : timeout;
}

/* The registered descriptor that comes next after the place, or NULL; *place becomes its own. */
static struct model_watch *
next_watch(struct model_loop *self, long *place)
{
    struct model_watch *next = NULL;
    long next_place = 0;

    for (int i = 0; i <= SELF; i++) {
        struct model_watch *watch = &self->watches[i];
        long its = self->by_number ? (i == SELF ? 0 : i + 1) : (long)watch->order;
        bool registered = watch->reader != NOBODY || watch->writer != NOBODY;
        if (registered && its > *place && (!next || its < next_place)) {
            next = watch;
            next_place = its;
        }
    }
    *place = next_place;
    return next;
}

/* Queue the callbacks of the descriptors that are ready. Returns whether there was any. */
static bool
process_events(struct model_loop *self, bool before_signals)
{
    struct model_watch *watch;
    long place = -1;
    bool any = false;

    while ((watch = next_watch(self, &place))) {
        bool reads = watch->reader != NOBODY && watch->readable;
        any |= reads || watch->writer != NOBODY;
        if (!before_signals && reads)
            append(self, watch->reader);
        if (!before_signals && watch->writer != NOBODY)
            append(self, watch->writer);
    }
    return any;
}

static double
end_time(const struct model_loop *self)
{
    double now = self->side.now;
    double ulp = nextafter(now, INFINITY) - now;

    return now + (self->profile >= 15 ? fmax(CLOCK_RESOLUTION, ulp) : CLOCK_RESOLUTION);
}

static enum outcome
run_callback(struct model_loop *self, int number)
{
    if (number == READ_FROM_SELF) {
        self->watches[SELF].readable = false;
        return RETURNS;
    }
    if (self->callbacks[number].cancelled)
        return RETURNS;
    enum outcome outcome = side_run_callback(&self->side, number);
    if (outcome == RAISES)
        side_report(&self->side, number);
    return outcome == RAISES_FATAL ? outcome : RETURNS;
}

static enum outcome
run_once(struct model_loop *self)
{
    int number;

    drop_cancelled_timers(self);
    double timeout = timeout_of(self);
    if (isnan(timeout))
        return RAISES;
    if (!process_events(self, true))
        self->side.now += timeout;
    side_begin_iteration(&self->side);
    process_events(self, false);
    double end = end_time(self);
    while (self->scheduled.count > 0 && !(self->scheduled.items[0].key >= end)) {
        heappop(self, &number);
        append(self, number);
    }
    for (size_t ntodo = self->ready_count; ntodo > 0; ntodo--) {
        enum outcome outcome = run_callback(self, popleft(self));
        if (outcome != RETURNS)
            return outcome;
    }
    return RETURNS;
}

static enum outcome
run_forever(struct side *side)
{
    struct model_loop *self = loop_of(side);
    enum outcome outcome = RETURNS;

    do {
        outcome = run_once(self);
    } while (outcome == RETURNS && !self->stopping);
    self->stopping = false;
    return outcome;
}

/* ---- the methods ----------------------------------------------------------------- */

static void
call_soon(struct side *side, int number)
{
    append(loop_of(side), number);
}

static void
call_soon_threadsafe(struct side *side, int number)
{
    append(loop_of(side), number);
    loop_of(side)->watches[SELF].readable = true;
}

static void
call_at(struct side *side, int number, double when)
{
    loop_of(side)->callbacks[number].scheduled = true;
    model_heappush(&loop_of(side)->scheduled, (struct model_item){ when, number });
}

static void
cancel(struct side *side, int number)
{
    struct model_callback *callback = &loop_of(side)->callbacks[number];

    if (!callback->cancelled && callback->scheduled)
        loop_of(side)->cancelled_count++;
    callback->cancelled = true;
}

static void
stop(struct side *side)
{
    loop_of(side)->stopping = true;
}

/* Replace a callback of a descriptor, which is registered if it was not. Returns whether there was
 * one. */
static bool
replace(struct side *side, unsigned fd, bool reader, int number)
{
    struct model_watch *watch = &loop_of(side)->watches[fd];
    int *place = reader ? &watch->reader : &watch->writer;
    int old = *place;

    if (watch->reader == NOBODY && watch->writer == NOBODY)
        watch->order = loop_of(side)->next_order++;
    *place = number;
    if (old != NOBODY)
        cancel(side, old);
    return old != NOBODY;
}

static void
add_reader(struct side *side, unsigned fd, int number)
{
    replace(side, fd, true, number);
}

static void
add_writer(struct side *side, unsigned fd, int number)
{
    replace(side, fd, false, number);
}

static bool
remove_reader(struct side *side, unsigned fd)
{
    return replace(side, fd, true, NOBODY);
}

static bool
remove_writer(struct side *side, unsigned fd)
{
    return replace(side, fd, false, NOBODY);
}

static void
send_byte(struct side *side, unsigned fd)
{
    loop_of(side)->watches[fd].readable = true;
}

static void
drain(struct side *side, unsigned fd)
{
    loop_of(side)->watches[fd].readable = false;
}

static size_t
ready_count(const struct side *side)
{
    return loop_of(side)->ready_count;
}

static size_t
scheduled_count(const struct side *side)
{
    return loop_of(side)->scheduled.count;
}

static ptrdiff_t
cancelled_count(const struct side *side)
{
    return loop_of(side)->cancelled_count;
}

static const struct side_ops model_ops = {
    .call_soon = call_soon,
    .call_soon_threadsafe = call_soon_threadsafe,
    .call_at = call_at,
    .cancel = cancel,
    .stop = stop,
    .add_reader = add_reader,
    .add_writer = add_writer,
    .remove_reader = remove_reader,
    .remove_writer = remove_writer,
    .send = send_byte,
    .drain = drain,
    .run_forever = run_forever,
    .ready_count = ready_count,
    .scheduled_count = scheduled_count,
    .cancelled_count = cancelled_count,
};

void
model_loop_begin(struct model_loop *loop, const uint8_t *bytes, size_t size, int profile,
                 bool by_number)
{
    side_begin(&loop->side, &model_ops, bytes, size);
    loop->profile = profile;
    loop->by_number = by_number;
    memset(loop->callbacks, 0, sizeof loop->callbacks);
    loop->ready_count = 0;
    loop->scheduled.count = 0;
    loop->cancelled_count = 0;
    loop->stopping = false;
    loop->next_order = 0;
    for (int i = 0; i <= SELF; i++)
        loop->watches[i] = (struct model_watch){ .reader = NOBODY, .writer = NOBODY };
    replace(&loop->side, SELF, true, READ_FROM_SELF);
}
