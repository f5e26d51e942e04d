/* SPDX-License-Identifier: MIT */
/*
 * Coroutines, tasks and futures: a program is a tree of coroutines that wait for one another in
 * every way there is, and are cancelled at every moment. There is no model. Required is:
 *
 * - A coroutine ends once, a done callback runs once, and what is done stays as it is.
 * - An await ends not before what it waits for, in the iteration in which that calls back, and with
 *   its outcome; sleep() not too early, a bare yield in the next iteration.
 * - Nobody gets a CancelledError that nobody has asked for; who is cancelled often enough ends.
 * - Two loops with different selectors, one of them in debug mode, do the same.
 * - At the end nothing is left, whether the loop was closed in the middle or not.
 *
 * The driver is a callback in each iteration. It moves the clock, and does from outside what
 * coroutines do.
 */
#include "await_actor.h"

#include "core/thread.h"

#include <string.h>

#define DRIVER_ITERATIONS 40
#define MOST_ROUNDS 100                 /* of cancelling everything, until all tasks have ended; */
#define ROUNDS_WITH_CIRCLES 3           /* and then not all can */

/* ---- the driver ------------------------------------------------------------------------------ */

static void
drop_driver(void *argument)
{
    ((struct world *)argument)->driver_drops++;
}

/* From outside, everything is asked to end. */
static asy_error *
cancel_all(struct world *world)
{
    for (int i = 0; i < world->count; i++) {
        if (world->entries[i].future && !asy_future_done(world->entries[i].future))
            TRY(cancel_entry(world, &world->entries[i]));
    }
    return ASY_OK;
}

static asy_error *
drive(void *argument)
{
    struct world *world = argument;
    int step = world->driver_place++;
    size_t place = (size_t)step * 3 + 1;
    bool closes_at_once = world_byte(world, 0) & 64;

    require_ok(asy_loop_call_soon(world->loop, asy_own(drive, world, drop_driver), NULL));
    world->now += delays[world_byte(world, place) / 64] / 2;
    world_check_entries(world);
    if (step < DRIVER_ITERATIONS) {
        unsigned action = NEW_FUTURE + world_byte(world, place) % (ACTIONS - NEW_FUTURE);
        return act(world, OUTSIDE, step == 0 ? NEW_TASK : (enum action)action,
                   world_byte(world, place + 1), world_byte(world, place + 2));
    }
    int rounds = world->circles ? ROUNDS_WITH_CIRCLES : MOST_ROUNDS;
    bool enough = step > DRIVER_ITERATIONS + rounds;
    if (closes_at_once || enough || !world_has_pending_task(world)) {
        world->finished = true;
        asy_loop_stop(world->loop);
        return ASY_OK;
    }
    world->actions_left = 0;
    return cancel_all(world);
}

/* ---- a program ------------------------------------------------------------------------------- */

static double
read_clock(void *data)
{
    return ((const struct world *)data)->now;
}

static asy_error *
check_signals(void *host)
{
    if (!fuzzing_interrupted())
        ((struct world *)host)->iteration++;
    return ASY_OK;
}

static asy_error *
log_nothing(void *host, asy_log_level level, const char *message, asy_error *exception)
{
    (void)host;
    (void)level;
    (void)message;
    (void)exception;
    return ASY_OK;
}

static void
run_until_finished(struct world *world)
{
    require_ok(asy_loop_call_soon(world->loop, asy_own(drive, world, drop_driver), NULL));
    while (!world->finished) {
        asy_error *err = asy_loop_run_forever(world->loop);
        require(!err || asy_error_is_fatal(err), "%s", err->message);
        asy_error_unref(err);
    }
    require(world->driver_place <= DRIVER_ITERATIONS + MOST_ROUNDS || world->circles,
            "tasks that are cancelled again and again do not end");
}

/* The loop is closed before or after the program lets its futures go. It counts as running, so
 * that "never awaited" goes to its log. */
static void
end(struct world *world)
{
    bool close_first = world_byte(world, 0) & 32;

    asy_set_running_loop(world->loop);
    if (close_first)
        require_ok(asy_loop_close(world->loop));
    for (int i = 0; i < world->count; i++) {
        asy_future *future = world->entries[i].future;
        world->entries[i].future = NULL;
        asy_future_unref(future);
    }
    require_ok(asy_loop_close(world->loop));
    asy_set_running_loop(NULL);
    asy_loop_unref(world->loop);
    thread_state_clear();
    world_check_end(world);
    require(world->driver_drops == world->driver_place + 1, "the driver was dropped %d times",
            world->driver_drops);
}

static void
run(struct world *world, const uint8_t *bytes, size_t size, bool debug)
{
    static const asy_host host = { .check_signals = check_signals, .log = log_nothing };
    struct footprint before = footprint_now();

    memset(world, 0, offsetof(struct world, trace));
    world->events = 0;
    world->bytes = bytes;
    world->size = size;
    world->now = 1000;
    world->actions_left = 300;
    world->profile = ASY_OLDEST_PROFILE + (int)(world_byte(world, 0) % 5);
    world->circles = world_byte(world, 0) & 128;
    const asy_loop_options options = {
        .selector = debug ? ASY_SELECTOR_POLL : ASY_SELECTOR_DEFAULT,
        .debug = debug ? ASY_DEBUG_ON : ASY_DEBUG_OFF,
        .profile = world->profile,
        .clock = { .time = read_clock, .resolution = 1e-9, .data = world },
        .host = &host,
        .host_data = world,
    };
    require_ok(asy_loop_new(&options, &world->loop));
    run_until_finished(world);
    end(world);
    footprint_require(before);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct world plain, debug;

    run(&plain, bytes, size, false);
    run(&debug, bytes, size, true);
    for (int i = 0; i < plain.events && i < debug.events; i++) {
        const struct event *a = &plain.trace[i], *b = &debug.trace[i];
        require(a->what == b->what && a->who == b->who && a->iteration == b->iteration,
                "event %d: %d by %d in iteration %d, and %d by %d in %d in debug mode", i, a->what,
                a->who, a->iteration, b->what, b->who, b->iteration);
    }
    require(plain.events == debug.events, "%d events, and %d in debug mode", plain.events,
            debug.events);
    return 0;
}
