/* SPDX-License-Identifier: MIT */
/*
 * What an AWAIT does: the functions that its macro calls.
 *
 * Before the body returns, asy_await_...() notes in the coroutine what it waits for, and says
 * whether that takes a suspension at all: a future that is done does not. When the body goes on,
 * asy_coro_take_thrown() is what the await raises: the error that was thrown into the coroutine,
 * or else that of the future. The error of an awaited coroutine comes in as one that is thrown;
 * so does that of an await which is refused.
 *
 * A future that is given out to be waited for is `blocking` until a task has taken it. So one that
 * nobody waits for is found: an error, instead of a wait for ever.
 */
#include <asy/coro.h>
#include <asy/error.h>
#include <asy/future.h>
#include <asy/task.h>
#include <assert.h>

/* CPython: GET_AWAITABLE, which refuses what is suspended, and the first send, for the others */
static asy_error *
check_can_await(const asy_coro *coro)
{
    if (!coro)
        RAISE(TypeError, "object NULL can't be used in 'await' expression");
    if (coro->running)
        RAISE(ValueError, "coroutine already executing");
    if (coro->finished)
        RAISE(RuntimeError, "cannot reuse already awaited coroutine");
    if (coro->resume_line != 0)
        RAISE(RuntimeError, "coroutine is being awaited already");
    return ASY_OK;
}

/* see coro.h */
bool
asy_await_coro(asy_coro *self, asy_coro *coro)
{
    self->thrown = check_can_await(coro);
    if (self->thrown) {
        asy_coro_unref(coro);
        return false;
    }
    coro->outer = self;
    self->inner = coro;
    return true;
}

/* see coro.h.  CPython: FutureIter_am_send. Whoever is sent on too early once more, past a task
 * that waits for the future, gives it out again. */
bool
asy_await_again(asy_coro *self)
{
    asy_future *future = self->future;

    if (self->thrown || !future || asy_future_done(future) || future->blocking)
        return false;
    future->blocking = true;
    return true;
}

/* see coro.h */
bool
asy_await_future(asy_coro *self, asy_future *future)
{
    self->future = future ? asy_future_ref(future) : NULL;
    return !future || asy_await_again(self);
}

static_assert(offsetof(asy_task, future) == 0, "a task begins with its future");

/* see coro.h */
bool
asy_await_task(asy_coro *self, asy_task *task)
{
    return asy_await_future(self, (asy_future *)task);
}

/* CPython: FutureIter_am_send, which finds the future done or already given out */
static asy_error *
future_error(asy_future *future)
{
    if (!asy_future_done(future))
        RAISE(RuntimeError, "await wasn't used with future");
    return asy_future_result(future, NULL);
}

/* see coro.h */
asy_error *
asy_coro_take_thrown(asy_coro *self)
{
    asy_error *thrown = self->thrown;
    asy_future *future = self->future;

    self->thrown = NULL;
    self->future = NULL;
    if (!thrown && future)
        thrown = future_error(future);
    asy_future_unref(future);
    return thrown;
}

/* see coro.h */
asy_error *
asy_coro_lost(asy_coro *self)
{
    RAISE(RuntimeError,
          "%s resumed at line %d, where it has no AWAIT: is that AWAIT inside a switch?",
          asy_coro_name(self), self->resume_line);
}
