/* SPDX-License-Identifier: MIT */
/*
 * asyncio.shield(): a second future, the outer one, that ends as the first, the inner one, does.
 * To cancel the outer one is to stop waiting: it takes its callback away from the inner one,
 * which goes on.
 *
 * The outer future holds the inner one, whose result it shows. The callback at the inner one
 * holds the outer, so that an exception has somewhere to go to; that circle opens when either is
 * done.
 */
#include "base/alloc.h"
#include "core/loop_impl.h"

#include <asy/future.h>
#include <asy/loop.h>
#include <asy/task.h>

struct shield {
    asy_future  future;                 /* the outer one */
    int         refs;
    asy_future *inner;                  /* owned */
};

static struct shield *
shield_of(asy_future *future)
{
    return (struct shield *)(void *)future;
}

/* ---- the outer future ------------------------------------------------------------ */

static void
ref(asy_future *future)
{
    shield_of(future)->refs++;
}

/* Reporting may make new references. */
static void
unref(asy_future *future)
{
    struct shield *self = shield_of(future);
    asy_loop *loop = future->loop;

    if (self->refs == 1)
        asy_future_report_unretrieved(future);
    self->refs--;
    if (self->refs > 0)
        return;
    asy_future_clear(future);
    asy_future_unref(self->inner);
    asy_free(self);
    asy_loop_unref(loop);
}

static const asy_future_ops shield_ops = {
    .name = "Future",
    .ref = ref,
    .unref = unref,
};

static void
drop_shield(void *argument)
{
    struct shield *self = argument;
    asy_future_unref(&self->future);
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
    asy_future *outer = &self->future;
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

/* ---- shield ---------------------------------------------------------------------- */

static struct shield *
shield_new(asy_future *inner)
{
    struct shield *self = asy_alloc(sizeof *self);

    asy_future_init(&self->future, &shield_ops, asy_loop_ref(inner->loop));
    self->refs = 1;
    self->inner = asy_future_ref(inner);
    return self;
}

static asy_error *
add_callback(asy_future *future, struct shield *self, asy_error *(*function)(void *argument))
{
    asy_future_ref(&self->future);
    return asy_future_add_done_callback(future, asy_own(function, self, drop_shield), NULL);
}

/* see task.h.  CPython: tasks.shield. Only a future of a host can refuse a callback; that is then
 * how the outer future ends. */
asy_future *
asy_shield(asy_future *inner)
{
    if (asy_future_done(inner))
        return asy_future_ref(inner);
    struct shield *self = shield_new(inner);
    asy_error *err = add_callback(inner, self, inner_done);
    if (!err)
        err = add_callback(&self->future, self, outer_done);
    if (err)
        asy_error_unref(asy_future_set_exception(&self->future, err));
    return &self->future;
}
