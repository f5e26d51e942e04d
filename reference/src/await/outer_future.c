/* SPDX-License-Identifier: MIT */
/*
 * The life of an outer future: see outer_future.h.
 *
 * Whoever still holds one when the loop is closed finds it as it was: if it is pending, it stays
 * so, as in CPython. What it has let go only its cancel() would ask for.
 */
#include "await/outer_future.h"

#include "base/alloc.h"
#include "core/loop_impl.h"

static struct outer_future *
from_future(asy_future *future)
{
    return (struct outer_future *)(void *)future;
}

/* ---- the loop's list -------------------------------------------------------------- */

static void
list_add(struct outer_future *self)
{
    asy_loop *loop = self->future.loop;

    self->next = loop->first_outer_future;
    if (self->next)
        self->next->previous = self;
    loop->first_outer_future = self;
    self->listed = true;
}

static void
list_remove(struct outer_future *self)
{
    if (!self->listed)
        return;
    if (self->previous)
        self->previous->next = self->next;
    else
        self->future.loop->first_outer_future = self->next;
    if (self->next)
        self->next->previous = self->previous;
    self->next = NULL;
    self->previous = NULL;
    self->listed = false;
}

/* ---- references -------------------------------------------------------------------- */

void
outer_release(asy_future **inner, bool only_pending)
{
    asy_future *old = *inner;

    if (!old || (only_pending && asy_future_done(old)))
        return;
    *inner = NULL;
    asy_future_unref(old);
}

static void
release_pending(struct outer_future *self)
{
    asy_future_ref(&self->future);
    self->release(self, true);
    asy_future_unref(&self->future);
}

void
outer_ref(asy_future *future)
{
    from_future(future)->refs++;
}

/* The last reference stays until everything is given back: reporting, and what is given back, may
 * refer to the future. Its result, which may be part of an inner one's, goes first. */
void
outer_unref(asy_future *future)
{
    struct outer_future *self = from_future(future);
    asy_loop *loop = future->loop;

    if (self->refs == 1)
        asy_future_report_unretrieved(future);
    if (self->refs == 1) {
        asy_future_clear(future);
        self->release(self, false);
    }
    if (--self->refs > 0)
        return;
    list_remove(self);
    asy_free(self);
    asy_loop_unref(loop);
}

/* ---- beginning and end -------------------------------------------------------------- */

void
outer_init(struct outer_future *self, const asy_future_ops *ops, asy_loop *loop,
           void (*release)(struct outer_future *self, bool only_pending))
{
    asy_future_init(&self->future, ops, asy_loop_ref(loop));
    self->refs = 1;
    self->release = release;
}

void
outer_begin(struct outer_future *self)
{
    if (asy_loop_is_closed(self->future.loop))
        release_pending(self);
    else
        list_add(self);
}

/* What is made meanwhile, by a finalizer, is not listed. */
void
loop_release_outer_futures(asy_loop *loop)
{
    while (loop->first_outer_future) {
        struct outer_future *self = loop->first_outer_future;
        list_remove(self);
        release_pending(self);
    }
}
