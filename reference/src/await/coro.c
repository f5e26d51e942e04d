/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: how they begin and end, and the loop that runs their bodies.
 *
 * Coroutines that await one another form a chain: the outermost, or root, is the one that a task
 * sends; each owns its `inner`, and the innermost waits for a future, or for nothing, which is a
 * bare yield. In CPython send() reaches the innermost by recursion, one C call for each await.
 * Here it is a loop, so that a chain may be as long as memory allows:
 *
 *     start with the innermost, and what was thrown
 *     call the body
 *         it waits and has an inner    it has just awaited that one: go on there
 *         it waits and has none        the whole chain waits: return
 *         it has ended                 FINALLY; its error is what the await of its outer raises:
 *                                      go on there; at the root, return
 *
 * The invariants:
 *   - From the start of a send to its end, and of a close, every coroutine of the chain is
 *     `running`, as in CPython. What a body calls can neither send nor close them, so nothing
 *     changes the chain but the loop that walks it.
 *   - A coroutine is `finished` once FINALLY has returned. Ending is one function, finish(). One
 *     that was closed while it was awaited stays where it is, in the chain; when that is sent on,
 *     its await raises that it cannot be reused.
 *   - ASY_SUSPENDED is an answer and not an error: it is compared, and never counted.
 *   - What an await raises lies in `thrown` until the body takes it (await.c).
 *
 * A body that is not written with ASYNC(), that of a host, keeps to the same rules; coro.h has
 * them at asy_coro_new().
 */
#include "base/alloc.h"
#include "core/loop_impl.h"

#include <asy/coro.h>
#include <stdio.h>
#include <string.h>

asy_error asy_suspended = {
    .refs = 1,
    .kind = ASY_BaseException,
    .message = "a coroutine is suspended",
};

/* ---- the chain -------------------------------------------------------------------- */

/* The end of the chain, or what is above a part of it that runs: one that is being closed. */
static asy_coro *
innermost_idle(asy_coro *coro)
{
    while (coro->inner && !coro->inner->running)
        coro = coro->inner;
    return coro;
}

static bool
chain_is_running(asy_coro *root)
{
    return root->running || innermost_idle(root)->inner;
}

static void
set_running(asy_coro *innermost, asy_coro *root, bool running)
{
    for (asy_coro *each = innermost; each != root; each = each->outer)
        each->running = running;
    root->running = running;
}

static void
release_inner(asy_coro *coro)
{
    asy_coro *inner = coro->inner;

    if (!inner)
        return;
    coro->inner = NULL;
    inner->outer = NULL;
    asy_coro_unref(inner);
}

/* Give back what the last await has left. */
static void
release_await(asy_coro *coro)
{
    asy_future *future = coro->future;
    asy_error *thrown = coro->thrown;
    asy_error *bad_yield = coro->bad_yield;

    coro->future = NULL;
    coro->thrown = NULL;
    coro->bad_yield = NULL;
    release_inner(coro);
    asy_future_unref(future);
    asy_error_unref(thrown);
    asy_error_unref(bad_yield);
}

/* The body runs no more; it is `running` still, so that what FINALLY calls cannot end it again. */
static void
finish(asy_coro *coro)
{
    if (!coro->finished) {
        release_await(coro);
        coro->type->finally(coro);
        coro->finished = true;
    }
    coro->running = false;
}

/* From a coroutine that has ended to the one that awaits it. */
static asy_coro *
return_to_outer(asy_coro *coro)
{
    asy_coro *outer = coro->outer;

    release_inner(outer);
    return outer;
}

/* End a chain that does not run, the innermost first. */
static void
finish_chain(asy_coro *root)
{
    asy_coro *each = innermost_idle(root);

    set_running(each, root, true);
    finish(each);
    while (each != root) {
        each = return_to_outer(each);
        finish(each);
    }
}

/* ---- sending ---------------------------------------------------------------------- */

/* PEP 479: to who drives a coroutine by hand a StopIteration would look like its return. Steals
 * err. */
static asy_error *
wrap_stop_iteration(asy_error *err)
{
    if (err == ASY_SUSPENDED || !asy_error_is_a(err, ASY_StopIteration))
        return err;
    asy_error *wrapper = asy_error_new(ASY_RuntimeError, "coroutine raised StopIteration");
    wrapper->cause = err;
    return wrapper;
}

/* Run the body up to its next await. Steals thrown. */
static asy_error *
resume(asy_coro *coro, asy_error *thrown)
{
    bool begins = coro->resume_line == 0;
    asy_error *err = thrown;

    if (coro->finished) {           /* closed by someone else, while it was awaited */
        coro->running = false;
        asy_error_unref(thrown);
        RAISE(RuntimeError, "cannot reuse already awaited coroutine");
    }
    if (!thrown || !begins) {
        coro->thrown = thrown;
        err = wrap_stop_iteration(coro->type->body(coro));
    }
    if (err != ASY_SUSPENDED)
        finish(coro);
    return err;
}

/* The chain waits. A task looks for a host's bad yield in the coroutine that it has sent. */
static void
suspend(asy_coro *innermost, asy_coro *root)
{
    asy_error *bad_yield = innermost->bad_yield;

    innermost->bad_yield = NULL;
    root->bad_yield = bad_yield;
    set_running(innermost, root, false);
}

/* The loop of the essay above. Steals thrown. */
static asy_error *
run_chain(asy_coro *root, asy_coro *innermost, asy_error *thrown)
{
    asy_coro *each = innermost;

    for (;;) {
        asy_error *err = resume(each, thrown);
        if (err == ASY_SUSPENDED && each->inner) {
            each = each->inner;
            each->running = true;
            thrown = ASY_OK;
        } else if (err == ASY_SUSPENDED) {
            suspend(each, root);
            return ASY_SUSPENDED;
        } else if (each == root) {
            return err;
        } else {
            each = return_to_outer(each);
            thrown = err;
        }
    }
}

static asy_error *
check_can_send(asy_coro *coro)
{
    if (chain_is_running(coro))
        RAISE(ValueError, "coroutine already executing");
    if (coro->finished)
        RAISE(RuntimeError, "cannot reuse already awaited coroutine");
    if (coro->outer)
        RAISE(RuntimeError, "coroutine is being awaited already");
    return ASY_OK;
}

/* see coro.h.  CPython: gen_send_ex2, and _gen_throw, which hand on to what is awaited */
asy_error *
asy_coro_send(asy_coro *coro, asy_error *thrown)
{
    asy_error *err = check_can_send(coro);

    if (err) {
        asy_error_unref(thrown);
        return err;
    }
    asy_coro *innermost = innermost_idle(coro);
    set_running(innermost, coro, true);
    asy_coro_ref(coro);
    err = run_chain(coro, innermost, thrown);
    asy_coro_unref(coro);
    return err;
}

/* see coro.h */
asy_future *
asy_coro_awaits(const asy_coro *coro)
{
    while (coro->inner)
        coro = coro->inner;
    return coro->future;
}

/* ---- the life of a coroutine ------------------------------------------------------- */

/* see coro.h */
asy_coro *
asy_coro_new(const asy_coro_type *type, const void *frame)
{
    asy_coro *coro = asy_alloc(type->size);

    memcpy(coro, frame, type->size);
    coro->type = type;
    coro->refs = 1;
    return coro;
}

/* see coro.h */
asy_coro *
asy_coro_ref(asy_coro *coro)
{
    coro->refs++;
    return coro;
}

/* Nobody is left to raise to, so what a log of a host raises is lost. CPython:
 * _PyErr_WarnUnawaitedCoroutine */
static void
warn_never_awaited(const asy_coro *coro)
{
    asy_loop *loop = asy_running_loop();
    char *message = asy_format("coroutine '%s' was never awaited", asy_coro_name(coro));

    if (loop)
        asy_error_unref(host_log(loop, ASY_LOG_WARNING, message, NULL));
    else
        fprintf(stderr, "%s\n", message);
    asy_free(message);
}

/* see coro.h */
asy_coro *
asy_coro_unref(asy_coro *coro)
{
    if (!coro || --coro->refs > 0)
        return NULL;
    coro->refs = 1;     /* for FINALLY, which may take a reference and give it back, or keep it */
    if (!asy_coro_started(coro))
        warn_never_awaited(coro);
    if (!coro->finished)
        finish_chain(coro);
    if (--coro->refs > 0)
        return NULL;
    asy_coro_set_result(coro, NULL, NULL);
    asy_free(coro);
    return NULL;
}

/* see coro.h.  CPython: gen_close */
asy_error *
asy_coro_close(asy_coro *coro)
{
    if (chain_is_running(coro))
        RAISE(ValueError, "coroutine already executing");
    asy_coro_ref(coro);
    if (!coro->finished)
        finish_chain(coro);
    asy_coro_unref(coro);
    return ASY_OK;
}

/* see coro.h */
void
asy_coro_set_result(asy_coro *coro, void *result, void (*drop)(void *result))
{
    void *old = coro->result;
    void (*drop_old)(void *) = coro->drop_result;

    coro->result = result;
    coro->drop_result = drop;
    if (drop_old)
        drop_old(old);
}

/* see coro.h */
const char *
asy_coro_name(const asy_coro *coro)
{
    return coro->type->name;
}

/* see coro.h */
bool
asy_coro_started(const asy_coro *coro)
{
    return coro->resume_line != 0 || coro->running || coro->finished;
}

/* see coro.h */
bool
asy_coro_finished(const asy_coro *coro)
{
    return coro->finished;
}
