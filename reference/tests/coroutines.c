/* SPDX-License-Identifier: MIT */
/* See coroutines.h. */
#include "coroutines.h"

#include <stdio.h>

static void
trace_end(struct testing *t, const char *name)
{
    char text[64];
    snprintf(text, sizeof text, "~%s", name);
    testing_trace(t, text);
}

/* Hand a reference on: the frame has it no longer. */
static asy_coro *
hand_on(asy_coro **coro)
{
    asy_coro *handed = *coro;

    *coro = NULL;
    return handed;
}

struct leaf {
    asy_coro        co;
    struct testing *t;
    const char     *name;
    asy_future     *future;
};

ASYNC(leaf)
{
    ASYNC_BEGIN;

    testing_trace(self->t, self->name);
    AWAIT(self->future);
    testing_trace(self->t, self->name);

    ASYNC_END;
}

FINALLY(leaf)
{
    trace_end(self->t, self->name);
}

struct outer {
    asy_coro        co;
    struct testing *t;
    const char     *name;
    asy_coro       *inner;
};

ASYNC(outer)
{
    ASYNC_BEGIN;

    testing_trace(self->t, self->name);
    AWAIT(hand_on(&self->inner));
    testing_trace(self->t, self->name);

    ASYNC_END;
}

FINALLY(outer)
{
    asy_coro_unref(self->inner);
    trace_end(self->t, self->name);
}

struct catcher {
    asy_coro        co;
    struct testing *t;
    const char     *name;
    asy_coro       *inner;
};

ASYNC(catcher)
{
    asy_error *err;

    ASYNC_BEGIN;

    testing_trace(self->t, self->name);
    TRY_AWAIT(err, hand_on(&self->inner));
    testing_trace(self->t, err ? err->message : "nothing");
    asy_error_unref(err);
    AWAIT((asy_future *)NULL);
    testing_trace(self->t, self->name);

    ASYNC_END;
}

FINALLY(catcher)
{
    trace_end(self->t, self->name);
}

struct raiser {
    asy_coro        co;
    struct testing *t;
    const char     *name;
};

ASYNC(raiser)
{
    ASYNC_BEGIN;

    RAISE(OSError, "%s raised", self->name);

    ASYNC_END;
}

FINALLY(raiser)
{
    trace_end(self->t, self->name);
}

asy_coro *
new_leaf(struct testing *t, const char *name, asy_future *future)
{
    return ASYNC_CALL(leaf, .t = t, .name = name, .future = future);
}

asy_coro *
new_outer(struct testing *t, const char *name, asy_coro *inner)
{
    return ASYNC_CALL(outer, .t = t, .name = name, .inner = inner);
}

asy_coro *
new_three(struct testing *t, asy_future *future)
{
    return new_outer(t, "a", new_outer(t, "b", new_leaf(t, "c", future)));
}

void
close_and_unref(asy_coro *coro)
{
    require_ok(asy_coro_close(coro));
    asy_coro_unref(coro);
}

asy_coro *
new_catcher(struct testing *t, const char *name, asy_coro *inner)
{
    return ASYNC_CALL(catcher, .t = t, .name = name, .inner = inner);
}

void
set_inner(asy_coro *coro, asy_coro *inner)
{
    struct catcher *self = (struct catcher *)(void *)coro;

    asy_coro_unref(self->inner);
    self->inner = inner;
}

asy_coro *
new_raiser(struct testing *t, const char *name)
{
    return ASYNC_CALL(raiser, .t = t, .name = name);
}
