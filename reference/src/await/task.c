/* SPDX-License-Identifier: MIT */
/*
 * Task: a coroutine that the loop runs.
 *
 * step() sends the coroutine on to its next suspension, and sees to it that somebody calls it
 * again. That is exactly one of these, and it holds a reference to the task:
 *
 *     the loop's queue has step_handle        the coroutine has not begun, or gave way (a bare
 *                                             yield), or is to be told of an error
 *     the waiter has wakeup_handle among      the coroutine waits for that future; when it is
 *     its done callbacks, or, when it is      done, wakeup() looks at it, and then it is a step
 *     done, the loop's queue
 *
 * The handles are those of task_handle.c. A future of a host may queue something else of its own
 * (add_done_handle in its ops), which holds the task and calls asy_task_wakeup(). And one that
 * refuses the handle leaves nothing, and the task hangs, as in CPython.
 *
 * Cancelling. If there is a waiter that is not done, cancelling that is enough: it wakes the task
 * with its CancelledError. Otherwise a step is queued already, and must_cancel makes it throw
 * one. A waiter may be a task itself, so the request goes down the chain of tasks to what the
 * innermost one waits for; when that ends, the tasks end one after the other, each in its turn.
 *
 * What a coroutine raises becomes the exception of the task and is nobody else's, but for fatal
 * errors: these also leave the loop.
 */
#include "await/future_impl.h"
#include "await/task_impl.h"
#include "core/loop_impl.h"

#include <asy/task.h>

/* ---- what the coroutine has done ---------------------------------------------- */

/* super().cancel(msg=self._cancel_message), which stores the message anew. */
static asy_error *
cancel_with_message(asy_task *task)
{
    void *message = task->future.cancel_message;

    task->future.cancel_message = NULL;
    asy_error *err = future_cancel(&task->future, message, NULL);
    host_message_unref(task->future.loop, message);
    return err;
}

/* A request to cancel that came too late to be thrown still counts. */
static asy_error *
returned(asy_task *task, asy_coro *coro)
{
    void *result = coro->result;
    void (*drop)(void *) = coro->drop_result;

    if (task->must_cancel) {
        task->must_cancel = false;
        return cancel_with_message(task);
    }
    coro->result = NULL;
    coro->drop_result = NULL;
    return future_set_result(&task->future, result, drop);
}

/* Steals exception. */
static asy_error *
raised(asy_task *task, asy_error *exception)
{
    if (asy_error_is_a(exception, ASY_CancelledError)) {
        asy_error *old = task->future.cancelled_error;
        task->future.cancelled_error = exception;
        asy_error_unref(old);
        return future_cancel(&task->future, NULL, NULL);
    }
    asy_error *fatal = asy_error_is_fatal(exception) ? asy_error_ref(exception) : NULL;
    asy_error *err = future_set_exception(&task->future, exception);
    if (!fatal)
        return err;
    asy_error_unref(err);
    return fatal;
}

static asy_error *
awaits_itself(asy_task *task)
{
    char *text = asy_future_describe(&task->future);
    asy_error *err = asy_error_new(ASY_RuntimeError, "Task cannot await on itself: %s", text);

    asy_free(text);
    return err;
}

static asy_error *
awaits_other_loop(asy_task *task, asy_future *future)
{
    char *text = asy_future_describe(&task->future);
    char *other = asy_future_describe(future);
    asy_error *err = asy_error_new(ASY_RuntimeError,
                                   "Task %s got Future %s attached to a different loop", text,
                                   other);
    asy_free(other);
    asy_free(text);
    return err;
}

/* A cancellation that was requested while the coroutine ran reaches what it waits for now. */
static asy_error *
wait_until_done(asy_task *task, asy_future *future)
{
    bool cancelled;

    future->blocking = false;
    TRY(asy_future_add_done_handle(future, &task->wakeup_handle));
    task->waiter = asy_future_ref(future);
    if (!task->must_cancel)
        return ASY_OK;
    TRY(asy_future_cancel(future, task->future.cancel_message, &cancelled));
    if (cancelled)
        task->must_cancel = false;
    return ASY_OK;
}

/* What cannot be waited for is thrown back, in the next iteration. */
static asy_error *
suspended(asy_task *task, asy_coro *coro)
{
    asy_error *bad_yield = coro->bad_yield;
    asy_future *future = asy_coro_awaits(coro);

    coro->bad_yield = NULL;
    if (bad_yield || !future)
        return task_call_step_soon(task, bad_yield);
    if (future == &task->future)
        return task_call_step_soon(task, awaits_itself(task));
    if (future->loop != task->future.loop)
        return task_call_step_soon(task, awaits_other_loop(task, future));
    return wait_until_done(task, future);
}

/* CPython: Task.__step_run_and_handle_result */
asy_error *
task_run_and_handle_result(asy_task *task, asy_error *thrown)
{
    asy_coro *coro = asy_coro_ref(task->coro);
    asy_error *outcome = asy_coro_send(coro, thrown);
    asy_error *err;

    if (outcome == ASY_SUSPENDED)
        err = suspended(task, coro);
    else if (outcome)
        err = raised(task, outcome);
    else
        err = returned(task, coro);
    asy_coro_unref(coro);
    return err;
}

/* ---- stepping ----------------------------------------------------------------- */

static asy_error *
already_done(asy_task *task, const asy_error *thrown)
{
    char *text = asy_future_describe(&task->future);
    asy_error *err = asy_error_new(ASY_InvalidStateError, "__step(): already done: %s %s", text,
                                   thrown ? asy_error_kind_name(thrown->kind) : "None");
    asy_free(text);
    return err;
}

/* What the step throws: a CancelledError, if one was requested. Steals thrown. */
static asy_error *
take_cancellation(asy_task *task, asy_error *thrown)
{
    if (!task->must_cancel)
        return thrown;
    task->must_cancel = false;
    if (asy_error_is_a(thrown, ASY_CancelledError))
        return thrown;
    asy_error_unref(thrown);
    return asy_future_make_cancelled_error(&task->future);
}

/* Task.__step without the check. Steals thrown. */
static asy_error *
step(asy_task *task, asy_error *thrown)
{
    asy_future *waiter = task->waiter;

    thrown = take_cancellation(task, thrown);
    task->waiter = NULL;
    asy_future_unref(waiter);
    asy_error *err = task_enter(task);
    if (err) {
        asy_error_unref(thrown);
        return err;
    }
    err = task_run_and_handle_result(task, thrown);
    err = task_first_error(err, task_leave(task));
    return task_first_error(err, task_unregister_done(task));
}

/* CPython: Task.__step */
asy_error *
task_step(asy_task *task, asy_error *thrown)
{
    if (!asy_future_done(&task->future))
        return step(task, thrown);
    asy_error *err = already_done(task, thrown);
    asy_error_unref(thrown);
    return err;
}

/* see task.h.  CPython: Task.__wakeup */
asy_error *
asy_task_wakeup(asy_task *task)
{
    asy_future *waiter = task->waiter ? asy_future_ref(task->waiter) : NULL;
    asy_error *thrown = waiter ? asy_future_result(waiter, NULL) : ASY_OK;

    asy_future_unref(waiter);
    return task_step(task, thrown);
}

/* ---- cancelling ---------------------------------------------------------------- */

/* Ask what the coroutine waits for to end. */
static asy_error *
cancel_waiter(asy_task *task, const void *message, bool *ret_cancelled)
{
    asy_future *waiter = task->waiter;

    *ret_cancelled = false;
    if (!waiter)
        return ASY_OK;
    asy_future_ref(waiter);
    asy_error *err = asy_future_cancel(waiter, message, ret_cancelled);
    asy_future_unref(waiter);
    return err;
}

/* The task that this one waits for, and that hands a request to cancel on as every task does; or
 * NULL. */
static asy_task *
next_in_chain(const asy_task *task)
{
    asy_future *waiter = task->waiter;
    asy_task *next = waiter && !waiter->ops->cancel ? asy_future_task(waiter) : NULL;

    return next && !asy_future_done(waiter) ? next : NULL;
}

/* Whether the tasks wait for one another: whoever takes two steps at a time meets the other. */
static bool
is_circle(const asy_task *task)
{
    const asy_task *slow = task;
    const asy_task *fast = next_in_chain(task);

    while (fast && fast != slow) {
        slow = next_in_chain(slow);
        fast = next_in_chain(fast);
        fast = fast ? next_in_chain(fast) : NULL;
    }
    return fast;
}

/* Each task of the chain is asked. Returns the innermost. */
static asy_task *
count_request(asy_task *task)
{
    asy_task *innermost = task;

    for (asy_task *each = task; each; each = next_in_chain(each)) {
        each->future.log_traceback = false;
        each->cancels_requested++;
        innermost = each;
    }
    return innermost;
}

/* The waiter stays: it may be a task that refuses to end, and is asked again. */
static asy_error *
cancel_innermost(asy_task *task, const void *message)
{
    bool cancelled;

    TRY(cancel_waiter(task, message, &cancelled));
    if (cancelled)
        return ASY_OK;
    task->must_cancel = true;
    future_set_cancel_message(&task->future, message);
    return ASY_OK;
}

/* see task.h.  CPython: Task.cancel, which calls that of the waiter. If that is a task, it answers
 * that it will end, and this is enough for the one that waits; so only the innermost has anything
 * to do, and a loop gets there, however long the chain is. */
asy_error *
asy_task_default_cancel(asy_task *task, const void *message, bool *ret_requested)
{
    bool pending = !asy_future_done(&task->future);

    task->future.log_traceback = false;
    if (ret_requested)
        *ret_requested = pending;
    if (!pending)
        return ASY_OK;
    if (is_circle(task))
        RAISE(RecursionError, "a task that waits for itself cannot be cancelled");
    asy_task *innermost = asy_task_ref(count_request(task));
    asy_error *err = cancel_innermost(innermost, message);
    asy_task_unref(innermost);
    return err;
}

/* see task.h */
asy_error *
asy_task_cancel(asy_task *task, const void *message, bool *ret_requested)
{
    return asy_future_cancel(&task->future, message, ret_requested);
}

/* see task.h.  CPython: Task.cancelling */
int
asy_task_cancelling(const asy_task *task)
{
    return task->cancels_requested;
}

/* see task.h.  CPython: Task.uncancel */
int
asy_task_uncancel(asy_task *task)
{
    if (task->cancels_requested == 0)
        return 0;
    task->cancels_requested--;
    if (task->cancels_requested == 0 &&
        task->future.loop->behaves[BEHAVIOUR_UNCANCEL_CLEARS_MUST_CANCEL])
        task->must_cancel = false;
    return task->cancels_requested;
}
