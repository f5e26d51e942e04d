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
#include "await_world.h"

#include "core/thread.h"

#include <math.h>
#include <string.h>

#define OUTSIDE (-1)                    /* the rank of the driver: it waits for nothing */
#define MOST_ACTIONS 12                 /* of one coroutine */
#define DRIVER_ITERATIONS 40
#define MOST_ROUNDS 200                 /* of cancelling everything, until all tasks have ended */
#define SMALL 1e-6

static const double delays[] = { 0, 0.5, 1, 1, 2, 3, -1, 5 };
#define DELAYS (sizeof delays / sizeof delays[0])

/* The driver comes to await them only as coroutines. */
enum action {
    RETURN, RAISE_ERROR, YIELD, SLEEP, AWAIT_ENTRY, AWAIT_OTHER_ENTRY, AWAIT_COROUTINE, WAIT,
    WAIT_FOR, NEW_FUTURE, NEW_TASK, SET_RESULT, SET_EXCEPTION, CANCEL, UNCANCEL, NEW_GATHER,
    NEW_SHIELD, CANCEL_SHIELD, GIVE_UP, LIST_TASKS, ACTIONS
};

struct actor {
    asy_coro        co;
    struct world   *world;
    struct entry   *task;               /* the task it runs in; NULL during an eager first step */
    int             rank;
    int             number;
    int             done_actions;
    int             depth;
    enum action     action;             /* what it does now: */
    unsigned        argument;
    unsigned        options;
    asy_coro       *coro;               /* what it is about to await; owned */
    struct entry   *entry;              /* what it waits for, if that is in the table */
    bool            was_pending;
    bool            timed;
    asy_timeout     timeout;
    double          since;
    int             since_iteration;
    int             child_count;
    struct entry   *children[MOST_CHILDREN];
    bool            ended;
};

static asy_coro *make_actor(struct world *world, struct entry *task, int rank, int depth);

/* ---- what the driver does, too -------------------------------------------------------- */

static asy_error *
new_task(struct world *world, unsigned options)
{
    asy_task_options task_options = { .eager_start = world->profile >= 12 && (options & 4) };
    asy_task *task;

    if (!world_has_room(world))
        return ASY_OK;
    int rank = world->next_number;
    asy_coro *coro = make_actor(world, NULL, rank, 0);
    struct actor *actor = (struct actor *)(void *)asy_coro_ref(coro);
    asy_error *err = asy_loop_create_task(world->loop, coro, &task_options, &task);
    if (!err && !world_has_room(world)) {
        asy_task_unref(task);
    } else if (!err) {
        bool ended = actor->ended;
        actor->task = entry_new(world, TASK, rank, asy_task_future(task));
        actor->task->bodies = ended;
    }
    asy_coro_unref(&actor->co);
    return err;
}

static void
finish_future(const struct world *world, struct entry *entry, unsigned argument, bool raises)
{
    bool refused = asy_future_done(entry->future);
    bool pending = !refused && entry->kind == FUTURE;
    asy_error *err;

    (void)world;
    if (entry->kind == GATHER || entry->kind == SHIELD)
        return;                         /* their own callbacks would find them done */
    if (raises)
        err = asy_future_set_exception(entry->future, asy_error_new(ASY_ValueError, "%u", argument));
    else
        err = asy_future_set_result(entry->future, asy_alloc(1), asy_free);
    require(!err == pending, "set_result() %s", err ? err->message : "was accepted");
    asy_error_unref(err);
}

static asy_error *
cancel(struct world *world, struct entry *entry)
{
    bool pending = !asy_future_done(entry->future), cancelled = false;

    world->cancels++;
    asy_error *err = asy_future_cancel(entry->future, "cancelled", &cancelled);
    if (world->circles && asy_error_is_a(err, ASY_RecursionError)) {
        asy_error_unref(err);
        return ASY_OK;
    }
    require(err || entry->kind == GATHER || cancelled == pending, "cancel() answers %d", cancelled);
    require(err || cancelled <= pending, "cancel() answers %d", cancelled);
    return err;
}

static int
choose_children(struct world *world, int rank, unsigned argument, struct entry **children)
{
    int count = 0;

    for (unsigned i = 0; i < 1 + argument % MOST_CHILDREN; i++) {
        struct entry *child = entry_choose(world, rank, argument / 4 + i * (argument % 5));
        if (child)
            children[count++] = child;
    }
    return count;
}

static int
lowest_rank(struct entry *const *children, int count)
{
    int lowest = HIGHEST_RANK;
    for (int i = 0; i < count; i++)
        lowest = children[i]->rank < lowest ? children[i]->rank : lowest;
    return lowest;
}

static void
futures_of(struct entry *const *children, int count, asy_future **futures)
{
    for (int i = 0; i < count; i++)
        futures[i] = children[i]->future;
}

static void
new_gather(struct world *world, int rank, unsigned argument, bool return_exceptions)
{
    struct entry *children[MOST_CHILDREN];
    asy_future *futures[MOST_CHILDREN], *gathering;

    if (!world_has_room(world))
        return;
    int count = choose_children(world, rank, argument, children);
    futures_of(children, count, futures);
    require_ok(asy_gather(world->loop, futures, (size_t)count, return_exceptions, &gathering));
    struct entry *entry = entry_new(world, GATHER, lowest_rank(children, count), gathering);
    entry->return_exceptions = return_exceptions;
    entry->child_count = count;
    memcpy(entry->children, children, sizeof children);
}

/* A shield of a future that is done is that future. */
static void
new_shield(struct world *world, struct entry *inner)
{
    if (!world_has_room(world) || asy_future_done(inner->future))
        return;
    struct entry *entry = entry_new(world, SHIELD, inner->rank, asy_shield(inner->future));
    entry->child_count = 1;
    entry->children[0] = inner;
}

static void
cancel_shield(struct entry *inner)
{
    bool pending = !asy_future_done(inner->future);
    asy_future *outer = asy_shield(inner->future);

    if (pending) {
        require_ok(asy_future_cancel(outer, NULL, NULL));
        require(!asy_future_done(inner->future), "the cancellation of a shield goes through");
    }
    asy_future_unref(outer);
}

static asy_error *
act(struct world *world, int rank, enum action action, unsigned argument, unsigned options)
{
    struct entry *entry = entry_choose(world, OUTSIDE, argument);
    asy_task *task = entry ? asy_future_task(entry->future) : NULL;

    if (action == NEW_FUTURE && world_has_room(world))
        entry_new(world, FUTURE, HIGHEST_RANK, asy_loop_create_future(world->loop));
    else if (action == NEW_TASK)
        return new_task(world, options);
    else if ((action == SET_RESULT || action == SET_EXCEPTION) && entry)
        finish_future(world, entry, argument, action == SET_EXCEPTION);
    else if (action == CANCEL && entry)
        return cancel(world, entry);
    else if (action == UNCANCEL && task)
        require(asy_task_uncancel(task) >= 0, "uncancel() is below 0");
    else if (action == NEW_GATHER)
        new_gather(world, rank, argument, options & 8);
    else if (action == NEW_SHIELD && entry)
        new_shield(world, entry);
    else if (action == CANCEL_SHIELD && entry)
        cancel_shield(entry);
    else if (action == LIST_TASKS)
        world_check_all_tasks(world);
    else if (action == GIVE_UP && entry && options > 192) {
        world->given_up++;
        asy_future *future = entry->future;
        entry->future = NULL;
        asy_future_unref(future);
    }
    return ASY_OK;
}

/* ---- coroutines: what is next ----------------------------------------------------------- */

static bool
next_action(struct actor *self)
{
    struct world *world = self->world;
    size_t place = (size_t)(self->number * 7 + self->done_actions * 3) + 2;

    if (world->actions_left == 0 || self->done_actions == MOST_ACTIONS)
        return false;
    world->actions_left--;
    self->done_actions++;
    self->action = (enum action)(world_byte(world, place) % ACTIONS);
    self->argument = world_byte(world, place + 1);
    self->options = world_byte(world, place + 2);
    self->since = world->now;
    self->since_iteration = world->iteration;
    self->entry = NULL;
    world_record(world, (int)self->action, self->number);
    return self->action != RETURN;
}

static asy_error *
raise_error(struct actor *self)
{
    if (self->argument > 240) {
        self->world->fatals++;
        RAISE(KeyboardInterrupt, "raised by coroutine %d", self->number);
    }
    if (self->argument > 200)
        RAISE(CancelledError, "raised by coroutine %d", self->number);
    RAISE(ValueError, "raised by coroutine %d", self->number);
}

static double
delay(const struct actor *self)
{
    return delays[self->argument / 16 % DELAYS];
}

static asy_coro *
wait_for_children(struct actor *self)
{
    asy_future *futures[MOST_CHILDREN];

    self->child_count = choose_children(self->world, self->rank, self->argument, self->children);
    futures_of(self->children, self->child_count, futures);
    if (self->child_count == 0)
        return asy_sleep(self->world->loop, 0);
    return asy_wait(self->world->loop, futures, (size_t)self->child_count, delay(self),
                    (asy_return_when)(self->options / 8 % 3));
}

/* What is awaited: a coroutine, an entry, or, without both, a bare yield. */
static void
choose_awaitable(struct actor *self)
{
    struct world *world = self->world;
    struct entry *entry = entry_choose(world, self->rank, self->argument);

    if (self->action == SLEEP) {
        self->coro = asy_sleep(world->loop, delay(self));
    } else if (self->action == AWAIT_COROUTINE && self->depth < 5) {
        self->coro = make_actor(world, self->task, self->rank, self->depth + 1);
    } else if (self->action == WAIT) {
        self->coro = wait_for_children(self);
    } else if (self->action == WAIT_FOR && entry) {
        self->entry = entry;
        world->cancels++;
        self->coro = asy_wait_for(world->loop, entry->future, delay(self));
    } else if (self->action == AWAIT_ENTRY || self->action == AWAIT_OTHER_ENTRY) {
        self->entry = entry;
    } else {
        self->action = YIELD;
    }
    self->was_pending = self->entry && !asy_future_done(self->entry->future);
}

static bool
is_await(enum action action)
{
    return action >= YIELD && action <= WAIT_FOR;
}

static asy_error *
prepare(struct actor *self)
{
    struct world *world = self->world;

    if (self->action == RAISE_ERROR)
        return raise_error(self);
    if (!is_await(self->action))
        return act(world, self->rank, self->action, self->argument, self->options);
    self->timed = self->options & 2;
    if (self->timed) {
        world->cancels++;
        TRY(asy_timeout_enter(&self->timeout, world->loop, delays[self->options / 16 % DELAYS]));
    }
    choose_awaitable(self);
    return ASY_OK;
}

static asy_coro *
take_coro(struct actor *self)
{
    asy_coro *coro = self->coro;
    self->coro = NULL;
    return coro;
}

/* ---- coroutines: what has come of it ------------------------------------------------------ */

/* Only a request can have done this: what it waited for is its own. */
static void
check_delivery(struct actor *self)
{
    if (self->task)
        self->task->deliveries++;
    require(self->world->cancels > 0, "a CancelledError that nobody has asked for");
    require(!self->task || self->task->deliveries <= self->world->cancels,
            "%d CancelledErrors after %d requests", self->task->deliveries, self->world->cancels);
}

static void
check_waited(const struct actor *self)
{
    const struct world *world = self->world;
    int pending = 0, raised = 0;

    for (int i = 0; i < self->child_count; i++) {
        const asy_future *child = self->children[i]->future;
        pending += child && !asy_future_done(child);
        raised += !child || child->exception;
    }
    unsigned return_when = self->options / 8 % 3;
    if (pending == 0 || (delay(self) >= 0 && world->now >= self->since + delay(self) - SMALL))
        return;
    require(return_when != ASY_ALL_COMPLETED, "wait() ends before all have");
    require(return_when != ASY_FIRST_EXCEPTION || raised > 0, "wait() ends without an exception");
    require(return_when != ASY_FIRST_COMPLETED || pending < self->child_count,
            "wait() ends before any has");
}

static void
check_waited_for(const struct actor *self, const asy_error *err)
{
    const asy_future *future = self->entry->future;

    if (!future || asy_error_is_a(err, ASY_CancelledError))
        return;
    if (asy_error_is_a(err, ASY_TimeoutError) && err != future->exception)
        require(self->world->now >= self->since + delay(self) - SMALL, "a time-out too early");
    else
        entry_check_outcome(self->entry, err);
}

static void
check_time(const struct actor *self, const asy_error *err)
{
    const struct world *world = self->world;
    int iterations = world->iteration - self->since_iteration;

    if (self->action == SLEEP && !err)
        require(world->now >= self->since + delay(self) - SMALL, "sleep() ends too early");
    if (self->action == SLEEP || self->action == YIELD)
        require(iterations > 0, "an await that cannot be over is");
    if (self->action == YIELD && world->fatals == 0)
        require(iterations == 1, "a yield takes %d iterations", iterations);
}

/* An await of an entry that was pending is over when the entry calls back. */
static void
check_entry(struct actor *self, const asy_error *err)
{
    const struct world *world = self->world;

    entry_check_outcome(self->entry, err);
    if (self->was_pending && world->fatals == 0 && !world->circles && self->entry->future &&
        !asy_error_is_a(err, ASY_CancelledError))
        require(self->entry->calls == 1 && self->entry->done_iteration == world->iteration,
                "an await goes on in iteration %d, its future called back in %d",
                world->iteration, self->entry->done_iteration);
}

/* What the await has raised, or NULL, becomes what leaves the body. Steals err. */
static asy_error *
resumed(struct actor *self, asy_error *err)
{
    bool cancelled = asy_error_is_a(err, ASY_CancelledError);

    world_record(self->world, 100 + (err ? (int)err->kind : -1), self->number);
    if (cancelled && (self->action == SLEEP || self->action == YIELD || self->action == WAIT))
        check_delivery(self);
    check_time(self, err);
    if (self->action == WAIT && !err)
        check_waited(self);
    else if (self->action == WAIT_FOR)
        check_waited_for(self, err);
    else if (self->entry)
        check_entry(self, err);
    if (self->timed) {
        double when = asy_timeout_when(&self->timeout);
        err = asy_timeout_exit(&self->timeout, err);
        require(!cancelled || !asy_error_is_a(err, ASY_TimeoutError) || self->world->now >= when,
                "a timeout() before its time");
        asy_timeout_deinit(&self->timeout);
        self->timeout = (asy_timeout){ 0 };
        self->timed = false;
    }
    if (self->options & 1 && !asy_error_is_fatal(err))
        err = asy_error_unref(err);
    return err;
}

/* ---- coroutines --------------------------------------------------------------------------- */

ASYNC(actor)
{
    asy_error *err;

    ASYNC_BEGIN;

    while (next_action(self)) {
        TRY(prepare(self));
        if (!is_await(self->action))
            continue;
        if (self->coro)
            TRY_AWAIT(err, take_coro(self));
        else if (self->entry)
            TRY_AWAIT(err, self->entry->future);
        else
            TRY_AWAIT(err, (asy_future *)NULL);
        TRY(resumed(self, err));
    }
    asy_coro_set_result(&self->co, asy_alloc(1), asy_free);

    ASYNC_END;
}

FINALLY(actor)
{
    require(!self->ended, "FINALLY runs again");
    self->ended = true;
    self->world->live_frames--;
    if (self->task && self->depth == 0)
        self->task->bodies++;
    asy_coro_unref(self->coro);
    asy_timeout_deinit(&self->timeout);
}

static asy_coro *
make_actor(struct world *world, struct entry *task, int rank, int depth)
{
    world->live_frames++;
    return ASYNC_CALL(actor, .world = world, .task = task, .rank = rank, .depth = depth,
                      .number = world->next_number++);
}

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
            TRY(cancel(world, &world->entries[i]));
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
    if (closes_at_once || !world_has_pending_task(world) || step > DRIVER_ITERATIONS + MOST_ROUNDS) {
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

/* The loop is closed before or after the program lets its futures go. */
static void
end(struct world *world)
{
    bool close_first = world_byte(world, 0) & 32;

    if (close_first)
        require_ok(asy_loop_close(world->loop));
    for (int i = 0; i < world->count; i++) {
        asy_future *future = world->entries[i].future;
        world->entries[i].future = NULL;
        asy_future_unref(future);
    }
    require_ok(asy_loop_close(world->loop));
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
