/* SPDX-License-Identifier: MIT */
/*
 * Future: one result for many who wait.
 *
 * Two ideas. A future is done once: set_result(), set_exception() and cancel() each begin by
 * asking whether it still is pending, and that is all that keeps two of them apart. And being
 * done calls nobody: the callbacks go to the end of the loop's queue, in the order in which they
 * were added, and run in the next iteration. So the code that fulfils a future goes on
 * undisturbed, and code that waits always finds the future done, never half so.
 *
 * Invariants. A future that is done has no callbacks. At most one of result and exception is
 * there, and only in a finished one. log_traceback says that there is an exception that nobody
 * has looked at; when the last reference goes, that is reported (future_object.c).
 *
 * Dropping a callback or a result may run anything, and that may use the same future. As
 * everywhere (core/loop_impl.h), the future is in order before a reference is given back.
 *
 * A task is a future that answers some of these calls otherwise. The functions without asy_ are
 * what it calls of itself.
 */
#include "await/future_impl.h"
#include "core/loop_impl.h"

#include <asy/task.h>

/* ---- its beginning and end ------------------------------------------------------ */

/* see future.h.  CPython: Future.__init__ */
void
asy_future_init(asy_future *future, const asy_future_ops *ops, asy_loop *loop)
{
    *future = (asy_future){ .ops = ops, .loop = loop, .state = ASY_FUTURE_PENDING };
}

/* see future.h.  What is left has no result and never will, so it counts as cancelled. */
void
asy_future_clear(asy_future *future)
{
    asy_future old = *future;

    asy_future_init(future, old.ops, old.loop);
    future->state = ASY_FUTURE_CANCELLED;
    future_release_callbacks(&old);
    asy_error_unref(old.exception);
    asy_error_unref(old.cancelled_error);
    host_message_unref(old.loop, old.cancel_message);
    if (old.drop_result)
        old.drop_result(old.result);
}

/* ---- what it is ----------------------------------------------------------------- */

/* see future.h.  CPython: Future.get_loop */
asy_loop *
asy_future_get_loop(const asy_future *future)
{
    return future->loop;
}

/* see future.h.  CPython: Future.done */
bool
asy_future_done(const asy_future *future)
{
    return future->state != ASY_FUTURE_PENDING;
}

/* see future.h.  CPython: Future.cancelled */
bool
asy_future_cancelled(const asy_future *future)
{
    return future->state == ASY_FUTURE_CANCELLED;
}

/* see future.h.  CPython: Future._make_cancelled_error. The error with which a task ended is the
 * first one's; whoever asks later gets a new one. */
asy_error *
asy_future_make_cancelled_error(asy_future *future)
{
    asy_error *cancelled_error = future->cancelled_error;

    future->cancelled_error = NULL;
    if (cancelled_error)
        return cancelled_error;
    return host_cancelled_error(future->loop, future->cancel_message);
}

/* What result() and exception() begin with; `missing` is what is not set yet. */
static asy_error *
check_finished(asy_future *future, const char *missing)
{
    if (future->state == ASY_FUTURE_CANCELLED)
        return asy_future_make_cancelled_error(future);
    if (future->state == ASY_FUTURE_PENDING)
        RAISE(InvalidStateError, "%s is not set.", missing);
    future->log_traceback = false;
    return ASY_OK;
}

/* see future.h.  CPython: Future.result */
asy_error *
asy_future_result(asy_future *future, void **ret_result)
{
    if (future->ops->result)
        return future->ops->result(future, ret_result);
    TRY(check_finished(future, "Result"));
    if (future->exception)
        return asy_error_ref(future->exception);
    if (ret_result)
        *ret_result = future->result;
    return ASY_OK;
}

/* see future.h.  CPython: Future.exception */
asy_error *
asy_future_exception(asy_future *future, asy_error **ret_exception)
{
    TRY(check_finished(future, "Exception"));
    *ret_exception = future->exception;
    return ASY_OK;
}

/* ---- becoming done -------------------------------------------------------------- */

static asy_error *
check_pending(const asy_future *future)
{
    if (future->state != ASY_FUTURE_PENDING)
        RAISE(InvalidStateError, "invalid state");
    return ASY_OK;
}

static asy_error *
check_not_task(const asy_future *future, const char *operation)
{
    if (future->ops->is_task)
        RAISE(RuntimeError, "Task does not support %s operation", operation);
    return ASY_OK;
}

/* see future_impl.h.  CPython: Future.set_result */
asy_error *
future_set_result(asy_future *future, void *result, void (*drop)(void *result))
{
    asy_error *err = check_pending(future);

    if (err) {
        if (drop)
            drop(result);
        return err;
    }
    future->result = result;
    future->drop_result = drop;
    future->state = ASY_FUTURE_FINISHED;
    return future_schedule_callbacks(future);
}

/* see future.h.  CPython: Future.set_result, Task.set_result */
asy_error *
asy_future_set_result(asy_future *future, void *result, void (*drop)(void *result))
{
    asy_error *err = check_not_task(future, "set_result");

    if (!err)
        return future_set_result(future, result, drop);
    if (drop)
        drop(result);
    return err;
}

/* A StopIteration that came out of an await would look like the awaiting coroutine's return. */
static asy_error *
wrap_stop_iteration(const asy_future *future, asy_error **exception)
{
    static const char text[] = "StopIteration interacts badly with generators and cannot be raised "
                               "into a Future";

    if (!asy_error_is_a(*exception, ASY_StopIteration))
        return ASY_OK;
    if (!future->loop->behaves[BEHAVIOUR_STOP_ITERATION_IS_WRAPPED])
        RAISE(TypeError, "%s", text);
    asy_error *wrapper = asy_error_new(ASY_RuntimeError, "%s", text);
    wrapper->cause = *exception;
    *exception = wrapper;
    return ASY_OK;
}

/* see future_impl.h.  CPython: Future.set_exception. Whoever could not be told because the loop is
 * closed has heard of an error already, so this one is not reported. */
asy_error *
future_set_exception(asy_future *future, asy_error *exception)
{
    asy_error *err = check_pending(future);

    if (!err)
        err = wrap_stop_iteration(future, &exception);
    if (err) {
        asy_error_unref(exception);
        return err;
    }
    future->exception = exception;
    future->state = ASY_FUTURE_FINISHED;
    TRY(future_schedule_callbacks(future));
    future->log_traceback = true;
    return ASY_OK;
}

/* see future.h.  CPython: Future.set_exception, Task.set_exception */
asy_error *
asy_future_set_exception(asy_future *future, asy_error *exception)
{
    asy_error *err = check_not_task(future, "set_exception");

    if (!err)
        return future_set_exception(future, exception);
    asy_error_unref(exception);
    return err;
}

/* see future_impl.h.  CPython: Future.cancel. Also one that is done is not reported afterwards. */
asy_error *
future_cancel(asy_future *future, const void *message, bool *ret_cancelled)
{
    asy_error *err = ASY_OK;
    bool pending = future->state == ASY_FUTURE_PENDING;

    future->log_traceback = false;
    if (pending) {
        void *old_message = future->cancel_message;
        future->state = ASY_FUTURE_CANCELLED;
        future->cancel_message = host_message_copy(future->loop, message);
        err = future_schedule_callbacks(future);
        host_message_unref(future->loop, old_message);
    }
    if (!err && ret_cancelled)
        *ret_cancelled = pending;
    return err;
}

/* see future.h.  CPython: Future.cancel, Task.cancel */
asy_error *
asy_future_cancel(asy_future *future, const void *message, bool *ret_cancelled)
{
    if (future->ops->cancel)
        return future->ops->cancel(future, message, ret_cancelled);
    if (future->ops->is_task)
        return asy_task_default_cancel(asy_future_task(future), message, ret_cancelled);
    return future_cancel(future, message, ret_cancelled);
}

/* see future_impl.h */
void
future_set_cancel_message(asy_future *future, const void *message)
{
    void *old_message = future->cancel_message;

    future->cancel_message = host_message_copy(future->loop, message);
    host_message_unref(future->loop, old_message);
}
