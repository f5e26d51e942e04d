/* SPDX-License-Identifier: MIT */
/* See loop_script.h. */
#include "loop_script.h"

#include "fuzzing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROUNDS 4
#define MOST_ACTIONS 3
#define ROUND_NUMBER (-1)           /* of what is done before the first run; -2: the second; ... */

/* Many are equal, some pass for equal, and one is none. */
static const double delays[] = {
    0, 0.25, 0.25, 0.5, 1, 1, 2, 3, -1, 1e-9, 2e-9, 1e-7, 1e6, 0.75, INFINITY, NAN,
};
#define DELAYS (sizeof delays / sizeof delays[0])

/* ---- the trace ----------------------------------------------------------------- */

static void
record(struct side *side, enum event_kind kind, int number)
{
    if (side->events == MOST_EVENTS)
        return;
    bool counts = !side->epoll || kind == RUN_ENDED;
    side->trace[side->events++] = (struct event){
        .kind = kind,
        .number = number,
        .iteration = side->iteration,
        .now = side->now,
        .ready = counts ? side->ops->ready_count(side) : 0,
        .scheduled = side->ops->scheduled_count(side),
        .cancelled = side->ops->cancelled_count(side),
    };
}

static char *
event_text(const struct event *event)
{
    static const char *const kinds[] = { "ran", "reported", "removed", "run ended" };

    return asy_format("%s %d in iteration %d at %.10g: %zu ready, %zu scheduled, %td cancelled",
                      kinds[event->kind], event->number, event->iteration, event->now, event->ready,
                      event->scheduled, event->cancelled);
}

static bool
same_event(const struct event *a, const struct event *b)
{
    return a->kind == b->kind && a->number == b->number && a->iteration == b->iteration &&
        a->now == b->now && a->ready == b->ready && a->scheduled == b->scheduled &&
        a->cancelled == b->cancelled;
}

void
side_require_same(const struct side *real, const struct side *model)
{
    for (size_t i = 0; i < real->events && i < model->events; i++) {
        if (same_event(&real->trace[i], &model->trace[i]))
            continue;
        fuzzing_fail(__FILE__, __LINE__, "the traces are equal",
                     "event %zu\n  loop:  %s\n  model: %s", i, event_text(&real->trace[i]),
                     event_text(&model->trace[i]));
    }
    require(real->events == model->events, "%zu events, and %zu of the model", real->events,
            model->events);
}

/* ---- actions ------------------------------------------------------------------- */

/* A new callback, or -1 if there are enough. */
static int
make(struct side *side, bool cancellable)
{
    if (side->made == MOST_CALLBACKS)
        return -1;
    side->stops[side->made] = false;
    side->cancellable[side->made] = cancellable;
    return side->made++;
}

/* Some timers at once: above a hundred of them, cancelled ones are purged. */
static void
call_at(struct side *side, unsigned count, unsigned delay)
{
    for (unsigned i = 0; i < count; i++) {
        int number = make(side, true);
        if (number >= 0)
            side->ops->call_at(side, number, side->now + delays[(delay + i * i) % DELAYS]);
    }
}

/* Some that lie at equal distances. */
static void
cancel(struct side *side, unsigned count, unsigned place)
{
    for (unsigned i = 0; i < count && side->made > 0; i++) {
        int number = (int)((place + i * 2) % (unsigned)side->made);
        if (side->cancellable[number])
            side->ops->cancel(side, number);
    }
}

static void
add_watch(struct side *side, bool reader, unsigned fd)
{
    int number = make(side, false);

    if (number >= 0)
        (reader ? side->ops->add_reader : side->ops->add_writer)(side, fd, number);
}

static void
call_soon(struct side *side, bool threadsafe)
{
    int number = make(side, true);

    if (number >= 0)
        (threadsafe ? side->ops->call_soon_threadsafe : side->ops->call_soon)(side, number);
}

static void
use_descriptor(struct side *side, unsigned kind, unsigned fd)
{
    fd = side->epoll ? 0 : fd % DESCRIPTORS;
    if (kind == 0)
        add_watch(side, true, fd);
    else if (kind == 1)
        add_watch(side, false, fd);
    else if (kind == 2)
        record(side, REMOVED, side->ops->remove_reader(side, fd));
    else if (kind == 3)
        record(side, REMOVED, side->ops->remove_writer(side, fd));
    else if (kind == 4)
        side->ops->send(side, fd);
    else
        side->ops->drain(side, fd);
}

static enum outcome
act(struct side *side, unsigned kind, unsigned argument)
{
    if (kind < 3)
        call_soon(side, kind == 2);
    else if (kind < 6)
        call_at(side, kind == 5 ? argument / 4 : 1, argument);
    else if (kind < 8)
        cancel(side, kind == 7 ? argument : 1, argument);
    else if (kind < 14)
        use_descriptor(side, kind - 8, argument);
    else if (argument < 32)
        side->ops->stop(side);
    else
        return argument < 192 || side->epoll ? RAISES : RAISES_FATAL;
    return RETURNS;
}

/* ---- scripts ------------------------------------------------------------------- */

static unsigned
byte_at(const struct side *side, size_t place)
{
    return side->size > 0 ? side->bytes[place % side->size] : 0;
}

/* What callback `number` does: from two bytes on, up to three actions of two bytes each. */
static enum outcome
run_script(struct side *side, int number)
{
    size_t place = (size_t)(number + ROUNDS) * 2 + 1;
    unsigned count = byte_at(side, place) % (MOST_ACTIONS + 1);

    for (unsigned i = 0; i < count; i++) {
        unsigned kind = byte_at(side, place + 1 + 2 * i) % 16;
        enum outcome outcome = act(side, kind, byte_at(side, place + 2 + 2 * i));
        if (outcome != RETURNS)
            return outcome;
    }
    return RETURNS;
}

enum outcome
side_run_callback(struct side *side, int number)
{
    record(side, RAN, number);
    if (!side->stops[number])
        return run_script(side, number);
    side->ops->stop(side);
    return RETURNS;
}

void
side_report(struct side *side, int number)
{
    record(side, REPORTED, number);
}

void
side_begin_iteration(struct side *side)
{
    side->iteration++;
    if (side->iteration % MOST_ITERATIONS == 0)
        side->ops->stop(side);
}

/* Without it, a loop that has nothing to do would wait for ever. */
static void
stop_some_time(struct side *side, unsigned how)
{
    int number = how % 3 == 0 ? -1 : make(side, false);

    if (number < 0) {
        side->ops->stop(side);
        return;
    }
    side->stops[number] = true;
    if (how % 3 == 1)
        side->ops->call_soon(side, number);
    else
        side->ops->call_at(side, number, side->now + 1 + how % 7);
}

/* ---- the program ---------------------------------------------------------------- */

void
side_begin(struct side *side, const struct side_ops *ops, const uint8_t *bytes, size_t size)
{
    memset(side, 0, offsetof(struct side, trace));
    side->ops = ops;
    side->bytes = bytes;
    side->size = size;
    side->now = byte_at(side, 0) & 128 ? 1000 : 1e9;
}

void
side_run_program(struct side *side)
{
    for (int round = 0; round < ROUNDS; round++) {
        run_script(side, ROUND_NUMBER - round);
        stop_some_time(side, byte_at(side, (size_t)round));
        record(side, RUN_ENDED, (int)side->ops->run_forever(side));
    }
}
