/* SPDX-License-Identifier: MIT */
/* See await_actor.h: what needs no coroutine. */
#include "await_actor.h"

#include <string.h>

const double delays[8] = { 0, 0.5, 1, 1, 2, 3, -1, 5 };

static asy_error *
new_task(struct world *world, unsigned options)
{
    asy_task_options task_options = { .eager_start = world->profile >= 12 && (options & 4) };
    asy_task *task;

    if (!world_has_room(world))
        return ASY_OK;
    int rank = world->next_number;
    asy_coro *actor = asy_coro_ref(actor_new(world, NULL, rank, 0));
    asy_error *err = asy_loop_create_task(world->loop, actor, &task_options, &task);
    if (!err && !world_has_room(world))
        asy_task_unref(task);
    else if (!err)
        actor_set_task(actor, entry_new(world, TASK, rank, asy_task_future(task)));
    asy_coro_unref(actor);
    return err;
}

static void
finish_future(struct entry *entry, unsigned argument, bool raises)
{
    bool refused = asy_future_done(entry->future);
    bool pending = !refused && entry->kind == FUTURE;
    asy_error *err;

    if (entry->kind == GATHER || entry->kind == SHIELD)
        return;                         /* their own callbacks would find them done */
    if (raises)
        err = asy_future_set_exception(entry->future,
                                       asy_error_new(ASY_ValueError, "%u", argument));
    else
        err = asy_future_set_result(entry->future, asy_alloc(1), asy_free);
    require(!err == pending, "set_result() %s", err ? err->message : "was accepted");
    asy_error_unref(err);
}

asy_error *
cancel_entry(struct world *world, struct entry *entry)
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

int
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

void
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

asy_error *
act(struct world *world, int rank, enum action action, unsigned argument, unsigned options)
{
    struct entry *entry = entry_choose(world, OUTSIDE, argument);
    asy_task *task = entry ? asy_future_task(entry->future) : NULL;

    if (action == NEW_FUTURE && world_has_room(world))
        entry_new(world, FUTURE, HIGHEST_RANK, asy_loop_create_future(world->loop));
    else if (action == NEW_TASK)
        return new_task(world, options);
    else if ((action == SET_RESULT || action == SET_EXCEPTION) && entry)
        finish_future(entry, argument, action == SET_EXCEPTION);
    else if (action == CANCEL && entry)
        return cancel_entry(world, entry);
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
