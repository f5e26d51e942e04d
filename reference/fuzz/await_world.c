/* SPDX-License-Identifier: MIT */
/* See await_world.h. */
#include "await_world.h"

unsigned
world_byte(const struct world *world, size_t place)
{
    return world->size > 0 ? world->bytes[place % world->size] : 0;
}

void
world_record(struct world *world, int what, int who)
{
    if (world->events < MOST_EVENTS)
        world->trace[world->events++] = (struct event){ what, who, world->iteration };
}

/* ---- the outcome of a future --------------------------------------------------------- */

/* Note the outcome, or require that it is the one that was noted. */
static void
check_unchanged(struct entry *self)
{
    asy_future *future = self->future;

    if (!self->seen_done) {
        self->seen_done = asy_future_done(future);
        self->seen_state = future->state;
        self->seen_exception = future->exception;
        self->seen_result = future->result;
        return;
    }
    require(future->state == self->seen_state && future->exception == self->seen_exception &&
            future->result == self->seen_result, "the outcome of a future has changed");
    require(future->callback_count == 0, "a future that is done has callbacks");
}

/* With return_exceptions, or when all have a result. */
static void
check_gathered(const struct entry *self)
{
    const asy_gathered *gathered = self->future->result;

    for (int i = 0; i < self->child_count; i++) {
        asy_future *child = self->children[i]->future;
        if (!child)
            continue;
        require(asy_future_done(child), "gather() has ended before child %d", i);
        if (asy_future_cancelled(child))
            require(asy_error_is_a(gathered[i].exception, ASY_CancelledError), "child %d", i);
        else
            require(gathered[i].exception == child->exception &&
                    (child->exception || gathered[i].result == child->result), "child %d", i);
        require(self->return_exceptions || !gathered[i].exception, "child %d has raised", i);
    }
}

/* Or a CancelledError, with which a gather() ends that was asked to, however its children did. */
static bool
is_exception_of_a_child(const struct entry *self, const asy_error *exception)
{
    for (int i = 0; i < self->child_count; i++) {
        const asy_future *child = self->children[i]->future;
        if (!child || child->exception == exception)
            return true;
    }
    return asy_error_is_a(exception, ASY_CancelledError);
}

static void
check_shielded(const struct entry *self)
{
    const asy_future *inner = self->children[0]->future;

    if (!inner || asy_future_cancelled(self->future))
        return;
    require(asy_future_done(inner), "shield() has ended before its future");
    require(inner->result == self->future->result && inner->exception == self->future->exception,
            "shield() has ended otherwise than its future");
}

static void
check_when_done(const struct entry *self)
{
    const asy_error *exception = self->future->exception;

    require(asy_future_done(self->future), "a done callback of a future that is not done");
    if (self->kind == TASK)
        require(self->bodies == 1, "a task is done, and its coroutine ended %d times",
                self->bodies);
    else if (self->kind == SHIELD)
        check_shielded(self);
    else if (self->kind == GATHER && exception)
        require(is_exception_of_a_child(self, exception), "gather() has made up an exception");
    else if (self->kind == GATHER && !asy_future_cancelled(self->future))
        check_gathered(self);
}

/* ---- entries ------------------------------------------------------------------------- */

static asy_error *
done(void *argument)
{
    struct entry *self = argument;

    require(self->drops == 0, "a callback runs after it was dropped");
    self->calls++;
    require(self->calls == 1, "a done callback runs again");
    self->done_iteration = self->world->iteration;
    world_record(self->world, 1000, (int)(self - self->world->entries));
    if (!self->future)
        return ASY_OK;
    check_when_done(self);
    check_unchanged(self);
    return ASY_OK;
}

static void
drop(void *argument)
{
    ((struct entry *)argument)->drops++;
}

bool
world_has_room(const struct world *world)
{
    return world->count < MOST_ENTRIES;
}

struct entry *
entry_new(struct world *world, enum entry_kind kind, int rank, asy_future *future)
{
    struct entry *self = &world->entries[world->count++];

    self->world = world;
    self->kind = kind;
    self->rank = rank;
    self->future = future;
    require_ok(asy_future_add_done_callback(future, asy_own(done, self, drop), NULL));
    return self;
}

struct entry *
entry_choose(struct world *world, int rank, unsigned place)
{
    for (int i = 0; i < world->count; i++) {
        struct entry *entry = &world->entries[((int)place + i) % world->count];
        if (entry->future && (world->circles || entry->rank > rank))
            return entry;
    }
    return NULL;
}

void
entry_check_outcome(struct entry *self, const asy_error *err)
{
    const asy_future *future = self->future;

    if (!future || asy_error_is_a(err, ASY_CancelledError))
        return;
    if (err && !asy_future_done(future)) {
        require(self->world->circles, "an await of a pending future raises %s", err->message);
        return;
    }
    require(asy_future_done(future), "an await ends before its future");
    require(!asy_future_cancelled(future), "an await of a cancelled future does not raise");
    require(err == future->exception, "an await raises not what its future has");
}

/* ---- all of them --------------------------------------------------------------------- */

void
world_check_entries(struct world *world)
{
    for (int i = 0; i < world->count; i++) {
        struct entry *entry = &world->entries[i];
        require(entry->bodies <= 1, "a coroutine has ended %d times", entry->bodies);
        if (entry->future)
            check_unchanged(entry);
    }
}

static bool
is_pending_task(const struct entry *entry)
{
    return entry->kind == TASK && entry->future && !asy_future_done(entry->future);
}

bool
world_has_pending_task(const struct world *world)
{
    for (int i = 0; i < world->count; i++) {
        if (is_pending_task(&world->entries[i]))
            return true;
    }
    return false;
}

/* The order is not looked at: a task that an eager one makes in its first step is in the table
 * before that. */
void
world_check_all_tasks(const struct world *world)
{
    size_t count;
    asy_task **tasks = asy_all_tasks(world->loop, &count);

    for (int i = 0; i < world->count; i++) {
        size_t at = 0;
        if (!is_pending_task(&world->entries[i]))
            continue;
        while (at < count && asy_task_future(tasks[at]) != world->entries[i].future)
            at++;
        require(at < count, "all_tasks() lacks a task");
    }
    for (size_t i = 0; i < count; i++) {
        require(!asy_future_done(asy_task_future(tasks[i])), "all_tasks() has one that is done");
        asy_task_unref(tasks[i]);
    }
    asy_free(tasks);
}

void
world_check_end(const struct world *world)
{
    for (int i = 0; i < world->count; i++) {
        const struct entry *entry = &world->entries[i];
        require(entry->drops == 1, "callback %d was dropped %d times", i, entry->drops);
        require(entry->kind != TASK || entry->bodies == 1, "a coroutine has ended %d times",
                entry->bodies);
    }
    require(world->live_frames == 0, "%d coroutines are left", world->live_frames);
}
