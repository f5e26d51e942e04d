/* SPDX-License-Identifier: MIT */
/*
 * Future: a result that is not there yet.
 *
 * A future is pending, and then, once and for ever, finished (with a result or an exception) or
 * cancelled. Whoever waits for it adds a done callback; when the future is done, its callbacks
 * are queued, in their order, by the loop's call_soon(). None is ever called directly, so that
 * nobody who fulfils a future finds something else running in the middle of it.
 *
 * A task is a future, too (task.h). So what a method does may depend on what the future is: the
 * asy_future_ops say so.
 *
 * A future belongs to the thread of its loop.
 */
#ifndef ASY_FUTURE_H
#define ASY_FUTURE_H

#include <asy/handle.h>
#include <asy/types.h>

ASY_BEGIN_DECLARATIONS

/* ---- future.c: what programs use ------------------------------------------- */

/* loop.create_future() -> Future: pending, without callbacks.
 *
 * Returns  a new reference. The future holds a reference to the loop.
 * Spec     create_future.attached
 */
ASY_API asy_future *asy_loop_create_future(asy_loop *loop);

/* One more reference, one reference less. The latter accepts and returns NULL. An exception
 * that nobody has looked at when the last reference goes is reported to the loop's exception
 * handler: "Future exception was never retrieved".
 *
 * What the last reference gives back may be the last reference to another future, and so on: a
 * chain of futures each of which is the result of the next, or waits for it, goes by recursion. A
 * stack of 8 MiB is enough for some ten thousands.
 */
ASY_API asy_future *asy_future_ref(asy_future *future);
ASY_API asy_future *asy_future_unref(asy_future *future);

/* future.done() -> bool, future.cancelled() -> bool
 *
 * Spec     Future.done.any-outcome, Future.cancelled
 */
ASY_API bool asy_future_done(const asy_future *future);
ASY_API bool asy_future_cancelled(const asy_future *future);

/* future.result()
 *
 * Returns  in *ret_result, which may be NULL, the result: borrowed, it stays the future's.
 * Raises   the future's exception; CancelledError; InvalidStateError: Result is not set.
 * Spec     Future.result.value, Future.result.exception, Future.result.cancelled,
 *          Future.result.pending
 */
ASY_API asy_error *asy_future_result(asy_future *future, void **ret_result) ASY_MUST_CHECK;

/* future.exception()
 *
 * Returns  in *ret_exception the exception, borrowed, or NULL if there is a result.
 * Raises   CancelledError; InvalidStateError: Exception is not set.
 * Spec     Future.exception.value, Future.exception.cancelled, Future.exception.pending
 */
ASY_API asy_error *asy_future_exception(asy_future *future,
                                        asy_error **ret_exception) ASY_MUST_CHECK;

/* future.set_result(result): finish it, and queue its callbacks.
 *
 * Raises   InvalidStateError: it is done; RuntimeError: it is a task, or it has callbacks and
 *          its loop is closed (it is finished nevertheless).
 * Steals   result, which drop (may be NULL) gives back with the future.
 * Spec     Future.set_result.done, Future.set_result.twice
 */
ASY_API asy_error *asy_future_set_result(asy_future *future, void *result,
                                         void (*drop)(void *result)) ASY_MUST_CHECK;

/* future.set_exception(exception): finish it with an exception, and queue its callbacks.
 *
 * Raises   as asy_future_set_result(); TypeError: the exception is a StopIteration, which would
 *          end whoever awaits it. (From 3.12 on the future then finishes with a RuntimeError
 *          whose cause it is, and nothing is raised.)
 * Steals   exception.
 * Spec     Future.set_exception.done, Future.set_exception.twice
 */
ASY_API asy_error *asy_future_set_exception(asy_future *future,
                                            asy_error *exception) ASY_MUST_CHECK;

/* future.cancel(msg=None) -> bool: cancel it, and queue its callbacks. Of a task: ask it to end
 * (see task.h).
 *
 * message  what the CancelledError says, or NULL. A text, which is copied; where the loop has a
 *          host, one of its objects.
 * Returns  in *ret_cancelled, which may be NULL, false if it was done already.
 * Raises   RuntimeError: it has callbacks and its loop is closed (it is cancelled nevertheless).
 * Spec     Future.cancel.pending, Future.cancel.done, Future.cancel.msg
 */
ASY_API asy_error *asy_future_cancel(asy_future *future, const void *message,
                                     bool *ret_cancelled) ASY_MUST_CHECK;

/* future.add_done_callback(callback, context=None): queue the callback when the future is done,
 * or now, if it is. It runs in the context, or in a copy of the current one for NULL.
 *
 * Raises   RuntimeError as call_soon(), if the future is done.
 * Steals   callback. The context is borrowed.
 * Spec     Future.add_done_callback.call_soon, Future.add_done_callback.context
 */
ASY_API asy_error *asy_future_add_done_callback(asy_future *future, asy_callback callback,
                                                void *context) ASY_MUST_CHECK;

/* future.remove_done_callback(callback) -> int: forget every such callback, those with this
 * function and argument, that is not queued yet.
 *
 * Returns  how many there were.
 * Spec     Future.remove_done_callback.removes, Future.remove_done_callback.count
 */
ASY_API size_t asy_future_remove_done_callback(asy_future *future,
                                               asy_error *(*function)(void *argument),
                                               const void *argument);

/* future.get_loop(): borrowed.
 *
 * Spec     Future.get_loop
 */
ASY_API asy_loop *asy_future_get_loop(const asy_future *future);

/* loop.run_until_complete(future), for a future of this library.
 *
 * Raises   as asy_loop_run_until_complete(); ValueError: the future is another loop's. Not the
 *          future's own exception: ask asy_future_result().
 */
ASY_API asy_error *asy_loop_run_until_done(asy_loop *loop, asy_future *future) ASY_MUST_CHECK;

/* ---- for embedders --------------------------------------------------------- */

/* What one kind of future does differently. Members that are NULL: as a plain future does. Whether
 * it is done, asy_future_done() reads in the struct. So a future that only stands for one of
 * another library, whose state is not here, suits a task that waits for it, and nothing else.
 */
struct asy_future_ops {
    const char *name;                               /* "Future": its class, for messages */

    void       (*ref)(asy_future *future);          /* required */
    void       (*unref)(asy_future *future);        /* required; may run anything */

    /* The methods of the same name. */
    asy_error *(*cancel)(asy_future *future, const void *message, bool *ret_cancelled);
    asy_error *(*result)(asy_future *future, void **ret_result);
    asy_error *(*add_done_handle)(asy_future *future, asy_handle *handle);

    /* set_result() and set_exception() are refused with a RuntimeError. */
    bool        is_task;

    /* repr(future), from asy_alloc(). */
    char      *(*describe)(asy_future *future);
};

typedef enum asy_future_state {
    ASY_FUTURE_PENDING,
    ASY_FUTURE_CANCELLED,
    ASY_FUTURE_FINISHED
} asy_future_state;

/* Future. The fields are the library's: read them through the functions above. */
struct asy_future {
    const asy_future_ops *ops;
    asy_loop             *loop;             /* borrowed: an embedder's future keeps it alive; the
                                               library's own holds a reference */
    asy_future_state      state;
    bool                  log_traceback;    /* nobody has looked at the exception yet */
    bool                  blocking;         /* _asyncio_future_blocking: an await has suspended for
                                               it, and no task has taken it to wait for yet */
    void                 *result;           /* owned */
    void                (*drop_result)(void *result);
    asy_error            *exception;        /* owned */
    asy_error            *cancelled_error;  /* with which a task ended; given out once; owned */
    void                 *cancel_message;   /* owned: see message_copy in host.h */
    asy_handle          **callbacks;        /* owned references, in the order of their calls */
    size_t                callback_count;
    size_t                callback_capacity;
};

/* Future.__init__ for an embedded future. Its reference count is the embedder's affair. */
ASY_API void asy_future_init(asy_future *future, const asy_future_ops *ops, asy_loop *loop);

/* Give back everything that the future owns, but the memory it lies in: callbacks, exception,
 * message, and the result last. A garbage collector may call this early. Then it is cancelled.
 */
ASY_API void asy_future_clear(asy_future *future);

/* Future.__del__: report an exception that nobody has looked at, once. To be called while there
 * is still a reference.
 *
 * Spec     future.never-retrieved
 */
ASY_API void asy_future_report_unretrieved(asy_future *future);

/* future.add_done_callback() with a handle instead of a callback: takes a reference. The handle
 * is queued when the future is done.
 *
 * Raises   as call_soon(), if the future is done.
 */
ASY_API asy_error *asy_future_add_done_handle(asy_future *future,
                                              asy_handle *handle) ASY_MUST_CHECK;

/* future.remove_done_callback() with a question instead of a callback. `matches` may run
 * anything, and add or remove callbacks; it is asked about those that are there at the beginning.
 *
 * Returns  in *ret_count how many there were.
 * Raises   what matches raises; then none is removed.
 */
ASY_API asy_error *asy_future_remove_done_handles(
    asy_future *future,
    asy_error *(*matches)(asy_handle *handle, void *argument, bool *ret_match), void *argument,
    size_t *ret_count) ASY_MUST_CHECK;

/* future._make_cancelled_error(): a new reference. */
ASY_API asy_error *asy_future_make_cancelled_error(asy_future *future);

/* repr(future), from asy_alloc(). */
ASY_API char *asy_future_describe(asy_future *future);

ASY_END_DECLARATIONS

#endif
