/* SPDX-License-Identifier: MIT */
/*
 * A coroutine of fuzz_await.c: it reads an action, does it, or waits as it says, and requires of
 * each await what must hold however the rest of the program goes.
 */
#include "await_actor.h"

#include <math.h>

#define MOST_ACTIONS 12                 /* of one coroutine */
#define DEEPEST 5
#define SMALL 1e-6

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
    bool            must_cancel;        /* a request has come before the await */
    bool            timed;
    asy_timeout     timeout;
    double          since;
    int             since_iteration;
    int             child_count;
    struct entry   *children[MOST_CHILDREN];
    bool            ended;
};

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
    } else if (self->action == AWAIT_COROUTINE && self->depth < DEEPEST) {
        self->coro = actor_new(world, self->task, self->rank, self->depth + 1);
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
    self->must_cancel = asy_current_task(world->loop)->must_cancel;
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

/* A request that came before the await is not forgotten, nor does it wait for the sleep's end. */
static void
check_time(const struct actor *self, const asy_error *err)
{
    const struct world *world = self->world;
    int iterations = world->iteration - self->since_iteration;

    if (self->action == SLEEP && delay(self) > 0 && self->must_cancel && world->fatals == 0)
        require(asy_error_is_a(err, ASY_CancelledError) && iterations == 1,
                "a request to cancel has come to nothing");
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

asy_coro *
actor_new(struct world *world, struct entry *task, int rank, int depth)
{
    world->live_frames++;
    return ASYNC_CALL(actor, .world = world, .task = task, .rank = rank, .depth = depth,
                      .number = world->next_number++);
}

void
actor_set_task(asy_coro *actor, struct entry *task)
{
    struct actor *self = (struct actor *)(void *)actor;

    self->task = task;
    task->bodies = self->ended;
}
