/* SPDX-License-Identifier: MIT */
/*
 * asyncio.shield(): a second future, the outer one, that ends as the first, the inner one, does.
 * To cancel the outer one is to stop waiting: it takes its callback away from the inner one,
 * which goes on.
 *
 * The callback at the inner one holds the outer, and that holds the inner one: outer_future.h says
 * until when.
 */
#include "await/outer_future.h"
#include "base/alloc.h"
#include "core/loop_impl.h"

#include <asy/future.h>
#include <asy/loop.h>
#include <asy/task.h>

struct shield {
    struct outer_future outer;
    asy_future         *inner;          /* owned; NULL: let go, since the loop is closed */
};

static void
drop_shield(void *argument)
{
    struct shield *self = argument;
    asy_future_unref(&self->outer.future);
}

/* ---- when one of the two is done -------------------------------------------------- */

/* Nobody waits any more, but the outer future's callback did not run in time to say so. Up to
 * 3.13 the exception counts as seen; since then it is reported when the inner future goes. */
static asy_error *
come_late(asy_future *inner)
{
    asy_error *exception;

    if (inner->loop->behaves[BEHAVIOUR_SHIELD_REPORTS_EXCEPTION] || asy_future_cancelled(inner))
        return ASY_OK;
    return asy_future_exception(inner, &exception);
}

/* CPython: _inner_done_callback in tasks.shield
 * Spec: shield.result, shield.inner-cancelled */
static asy_error *
inner_done(void *argument)
{
    struct shield *self = argument;
    asy_future *outer = &self->outer.future;
    asy_error *exception;
    void *result;

    if (asy_future_cancelled(outer))
        return come_late(self->inner);
    if (asy_future_cancelled(self->inner))
        return asy_future_cancel(outer, NULL, NULL);
    TRY(asy_future_exception(self->inner, &exception));
    if (exception)
        return asy_future_set_exception(outer, asy_error_ref(exception));
    TRY(asy_future_result(self->inner, &result));
    return asy_future_set_result(outer, result, NULL);
}

/* CPython: _outer_done_callback in tasks.shield
 * Spec: shield.protects, shield.caller-cancelled, wait_for.shield */
static asy_error *
outer_done(void *argument)
{
    struct shield *self = argument;

    if (!asy_future_done(self->inner))
        asy_future_remove_done_callback(self->inner, inner_done, self);
    return ASY_OK;
}

/* ---- the outer future ------------------------------------------------------------ */

/* Its own callback holds it, too, as long as it is pending. */
static void
release_inner(struct outer_future *outer, bool only_pending)
{
    struct shield *self = (struct shield *)(void *)outer;

    if (only_pending)
        asy_future_remove_done_callback(&outer->future, outer_done, self);
    outer_release(&self->inner, only_pending);
}

static const asy_future_ops shield_ops = {
    .name = "Future",
    .ref = outer_ref,
    .unref = outer_unref,
};

/* ---- shield ---------------------------------------------------------------------- */

static struct shield *
shield_new(asy_future *future)
{
    struct shield *self = asy_alloc(sizeof *self);

    outer_init(&self->outer, &shield_ops, future->loop, release_inner);
    self->inner = asy_future_ref(future);
    return self;
}

static asy_error *
add_callback(asy_future *future, struct shield *self, asy_error *(*function)(void *argument))
{
    asy_future_ref(&self->outer.future);
    return asy_future_add_done_callback(future, asy_own(function, self, drop_shield), NULL);
}

/* see task.h.  CPython: tasks.shield. Only a future of a host can refuse a callback; that is then
 * how the outer future ends. */
asy_future *
asy_shield(asy_future *future)
{
    if (asy_future_done(future))
        return asy_future_ref(future);
    struct shield *self = shield_new(future);
    asy_error *err = add_callback(future, self, inner_done);
    if (!err)
        err = add_callback(&self->outer.future, self, outer_done);
    if (err)
        asy_error_unref(asy_future_set_exception(&self->outer.future, err));
    outer_begin(&self->outer);
    return &self->outer.future;
}
