/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: what bodies and FINALLY may do to the coroutines that run, and how deep a chain of
 * awaits may be.
 */
#include "coroutines.h"

/* More than a stack of 8 MiB has frames for, were there one for each. */
#define DEEP 100000

/* ---- re-entrancy ------------------------------------------------------------------------ */

/* Sends and closes a coroutine, in the body and in FINALLY. */
struct meddler {
    asy_coro        co;
    struct testing *t;
    asy_coro       *victim;
};

static void
meddle(struct meddler *self)
{
    require_error(asy_coro_send(self->victim, ASY_OK), ASY_ValueError,
                  "coroutine already executing");
    require_error(asy_coro_send(self->victim, asy_error_new(ASY_ValueError, "thrown")),
                  ASY_ValueError, "coroutine already executing");
    require_error(asy_coro_close(self->victim), ASY_ValueError, "coroutine already executing");
    testing_trace(self->t, "meddles");
}

ASYNC(meddler)
{
    ASYNC_BEGIN;

    meddle(self);
    AWAIT((asy_future *)NULL);
    meddle(self);

    ASYNC_END;
}

FINALLY(meddler)
{
    meddle(self);
}

static asy_coro *
new_meddler(struct testing *t)
{
    asy_coro *coro = ASYNC_CALL(meddler, .t = t);
    ((struct meddler *)(void *)coro)->victim = coro;
    return coro;
}

static void
running_coroutine_can_be_neither_sent_nor_closed(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = new_meddler(t);

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_ok(asy_coro_send(coro, ASY_OK));
    require_trace(t, "meddles meddles meddles");
    asy_coro_unref(coro);
    require_trace(t, "");
}

/* The innermost meddles with the root. */
static asy_coro *
new_chain_with_meddler(struct testing *t)
{
    asy_coro *meddler = new_meddler(t);
    asy_coro *coro = new_outer(t, "a", new_outer(t, "b", meddler));

    ((struct meddler *)(void *)meddler)->victim = coro;
    require_suspended(asy_coro_send(coro, ASY_OK));
    require_trace(t, "a b meddles");
    return coro;
}

static void
chain_that_runs_can_be_neither_sent_nor_closed(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = new_chain_with_meddler(t);

    require_ok(asy_coro_send(coro, ASY_OK));
    require_trace(t, "meddles meddles b ~b a ~a");
    asy_coro_unref(coro);
}

static void
chain_that_is_closed_can_be_neither_sent_nor_closed(void **state)
{
    struct testing *t = *state;

    close_and_unref(new_chain_with_meddler(t));
    require_trace(t, "meddles ~b ~a");
}

static void
outer_of_what_is_closed_can_be_neither_sent_nor_closed(void **state)
{
    struct testing *t = *state;
    asy_coro *meddler = asy_coro_ref(new_meddler(t));
    asy_coro *coro = new_outer(t, "a", meddler);

    ((struct meddler *)(void *)meddler)->victim = coro;
    require_suspended(asy_coro_send(coro, ASY_OK));
    close_and_unref(meddler);
    require_trace(t, "a meddles meddles");
    asy_coro_unref(coro);
    require_trace(t, "~a");
}

static void
chain_that_is_dropped_can_be_neither_sent_nor_closed(void **state)
{
    struct testing *t = *state;

    asy_coro_unref(new_chain_with_meddler(t));
    require_trace(t, "meddles ~b ~a");
}

/* Gives back a reference in its body, and another in FINALLY. */
struct dropper {
    asy_coro        co;
    struct testing *t;
    asy_coro       *in_body;
    asy_coro       *in_finally;
};

ASYNC(dropper)
{
    ASYNC_BEGIN;

    self->in_body = asy_coro_unref(self->in_body);
    testing_trace(self->t, "body");
    AWAIT((asy_future *)NULL);

    ASYNC_END;
}

FINALLY(dropper)
{
    self->in_finally = asy_coro_unref(self->in_finally);
    testing_trace(self->t, "finally");
}

static void
body_that_drops_the_last_reference_to_itself_runs_to_its_await(void **state)
{
    struct testing *t = *state;
    asy_coro *coro = ASYNC_CALL(dropper, .t = t);

    ((struct dropper *)(void *)coro)->in_body = coro;
    require_suspended(asy_coro_send(coro, ASY_OK));
    require_trace(t, "body finally");
}

static void
finally_that_drops_the_outer_coroutine_ends_it_once(void **state)
{
    struct testing *t = *state;
    asy_coro *inner = ASYNC_CALL(dropper, .t = t);
    asy_coro *coro = new_outer(t, "a", asy_coro_ref(inner));

    require_suspended(asy_coro_send(coro, ASY_OK));
    require_trace(t, "a body");
    ((struct dropper *)(void *)inner)->in_finally = coro;
    require_ok(asy_coro_close(inner));
    assert_null(inner->outer);
    asy_coro_unref(inner);
    require_trace(t, "~a finally");
}

/* Keeps a reference to itself in FINALLY. */
struct keeper {
    asy_coro   co;
    asy_coro **ret_kept;
};

ASYNC(keeper)
{
    ASYNC_BEGIN;

    AWAIT((asy_future *)NULL);

    ASYNC_END;
}

FINALLY(keeper)
{
    assert_null(*self->ret_kept);
    *self->ret_kept = asy_coro_ref(&self->co);
}

static void
reference_that_finally_keeps_keeps_the_frame(void **state)
{
    asy_coro *kept = NULL;
    asy_coro *coro = ASYNC_CALL(keeper, .ret_kept = &kept);

    (void)state;
    require_suspended(asy_coro_send(coro, ASY_OK));
    asy_coro_unref(coro);
    assert_ptr_equal(kept, coro);
    assert_true(asy_coro_finished(kept));
    asy_coro_unref(kept);
}

/* ---- deep chains ------------------------------------------------------------------------ */

static size_t finally_count;

/* Awaits itself, so many times. */
struct deep {
    asy_coro co;
    size_t   left;
};

ASYNC(deep)
{
    ASYNC_BEGIN;

    if (self->left > 0)
        AWAIT(ASYNC_CALL(deep, .left = self->left - 1));
    else
        AWAIT((asy_future *)NULL);

    ASYNC_END;
}

FINALLY(deep)
{
    finally_count++;
}

static asy_coro *
suspended_deep_chain(void)
{
    asy_coro *coro = ASYNC_CALL(deep, .left = DEEP);

    finally_count = 0;
    require_suspended(asy_coro_send(coro, ASY_OK));
    assert_int_equal(finally_count, 0);
    return coro;
}

static void
deep_chain_returns_without_a_deep_stack(void **state)
{
    asy_coro *coro = suspended_deep_chain();

    (void)state;
    require_ok(asy_coro_send(coro, ASY_OK));
    assert_int_equal(finally_count, DEEP + 1);
    asy_coro_unref(coro);
}

static void
error_leaves_a_deep_chain_without_a_deep_stack(void **state)
{
    asy_coro *coro = suspended_deep_chain();

    (void)state;
    require_error(asy_coro_send(coro, asy_error_new(ASY_ValueError, "thrown")), ASY_ValueError,
                  "thrown");
    assert_int_equal(finally_count, DEEP + 1);
    asy_coro_unref(coro);
}

static void
deep_chain_is_dropped_without_a_deep_stack(void **state)
{
    (void)state;
    asy_coro_unref(suspended_deep_chain());
    assert_int_equal(finally_count, DEEP + 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(running_coroutine_can_be_neither_sent_nor_closed),
        testing_case(chain_that_runs_can_be_neither_sent_nor_closed),
        testing_case(chain_that_is_closed_can_be_neither_sent_nor_closed),
        testing_case(outer_of_what_is_closed_can_be_neither_sent_nor_closed),
        testing_case(chain_that_is_dropped_can_be_neither_sent_nor_closed),
        testing_case(body_that_drops_the_last_reference_to_itself_runs_to_its_await),
        testing_case(finally_that_drops_the_outer_coroutine_ends_it_once),
        testing_case(reference_that_finally_keeps_keeps_the_frame),
        testing_case(deep_chain_returns_without_a_deep_stack),
        testing_case(error_leaves_a_deep_chain_without_a_deep_stack),
        testing_case(deep_chain_is_dropped_without_a_deep_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
