/* SPDX-License-Identifier: MIT */
/*
 * What a host, such as the CPython extension, supplies to its loops, and what it may call that
 * C programs need not.
 *
 * The library decides what happens and when; the host knows its own objects. So the host's
 * functions answer questions (what time is it, describe this handle) and do one thing each
 * (log this, release your lock), and never decide anything about scheduling.
 *
 * All members of the table are optional. NULL means what C programs get. `host` is the
 * host_data of the loop's options. Unless stated otherwise the functions are called in the
 * loop's thread with the host's lock (the GIL) held, and may call the library again, except
 * close(), run_forever() and run_until_complete() of the same loop.
 */
#ifndef ASY_HOST_H
#define ASY_HOST_H

#include <asy/error.h>
#include <asy/future.h>
#include <asy/handle.h>
#include <asy/loop.h>
#include <asy/types.h>

ASY_BEGIN_DECLARATIONS

typedef enum asy_log_level {
    ASY_LOG_DEBUG,
    ASY_LOG_INFO,
    ASY_LOG_WARNING,
    ASY_LOG_ERROR
} asy_log_level;

struct asy_host {
    /* Around everything that blocks: release the host's lock, and take it again. What release
     * returns is given to acquire (PyEval_SaveThread, PyEval_RestoreThread). Called around a poll
     * of the selector that may wait, around some of those that do not, around reading and writing
     * pipes, and in any thread when a cancel waits for a running callback. */
    void      *(*release_lock)(void *host);
    void       (*acquire_lock)(void *host, void *released);

    /* Run pending signal handlers (PyErr_CheckSignals). Called after each poll, and within one
     * that a signal interrupted: an error, of any kind, leaves the loop at once. And when reading
     * or writing a pipe was interrupted: there an error is one of the call. */
    asy_error *(*check_signals)(void *host);

    /* loop.time(), if it is not the system's monotonic clock (a subclass overrides it). */
    asy_error *(*time)(void *host, double *ret_time);

    /* _run_forever_setup without its checks, and _run_forever_cleanup: set and reset the running
     * loop of the thread, the async generator hooks, the coroutine origin tracking. run_leave is
     * also called when run_enter has failed, whatever part of it was done. */
    asy_error *(*run_enter)(void *host);
    asy_error *(*run_leave)(void *host);

    /* events._get_running_loop() is not None, in this thread. */
    bool       (*has_running_loop)(void *host);

    /* _set_coroutine_origin_tracking(enabled): called in the loop, one iteration after a
     * set_debug() while it runs. What debug mode is at first, run_enter asks itself. */
    void       (*debug_changed)(void *host, bool enabled);

    /* contextvars.copy_context(), a new reference; one more reference; and giving one back (any
     * thread). For the handles and tasks that the library itself makes in this host's loop. */
    void      *(*context_copy_current)(void *host);
    void      *(*context_ref)(void *host, void *context);
    void       (*context_unref)(void *host, void *context);

    /* context.run(function, argument). Raises what function raises, or that the context is
     * entered already. */
    asy_error *(*context_run)(void *host, void *context, asy_error *(*function)(void *argument),
                              void *argument);

    /* loop.default_exception_handler(report), as a method call, so that a subclass may override
     * it. An error it raises is logged, unless it is fatal. */
    asy_error *(*default_exception_handler)(void *host, const asy_report *report);

    /* The message of a cancellation is an object of the host: a new reference to it, and giving one
     * back; and CancelledError(message), or CancelledError() for NULL. Without these functions
     * messages are texts. */
    void      *(*message_copy)(void *host, const void *message);
    void       (*message_unref)(void *host, void *message);
    asy_error *(*cancelled_error)(void *host, const void *message);

    /* loop.create_future() for the library itself: a future embedded in an object of the host,
     * which keeps the loop alive. A new reference. */
    asy_future *(*future_new)(void *host);

    /* asyncio._register_task(task) and _unregister_task(task): it is one of all_tasks(), or no
     * more. */
    asy_error *(*register_task)(void *host, asy_task *task);
    asy_error *(*unregister_task)(void *host, asy_task *task);

    /* _enter_task(loop, task) and _leave_task(loop, task) around a step that the loop runs. */
    asy_error *(*enter_task)(void *host, asy_task *task);
    asy_error *(*leave_task)(void *host, asy_task *task);

    /* The same around the first step of an eager task, which runs in the middle of whoever makes
     * it. swap: *ret_outer = _swap_current_task(loop, task), which asks nothing: what is current,
     * be it a task of another kind of which the library knows nothing, is hidden meanwhile, and
     * is the host's to return, NULL for none. restore: _swap_current_task(loop, outer), whatever
     * is current by then; it takes back what swap has returned, and cannot fail. Only called after
     * a swap that has not raised. */
    asy_error *(*swap_current_task)(void *host, asy_task *task, void **ret_outer);
    void       (*restore_current_task)(void *host, void *outer);

    /* logger.log(level, message, exc_info=exception). The exception is borrowed, or NULL. Only a
     * fatal error comes back. */
    asy_error *(*log)(void *host, asy_log_level level, const char *message, asy_error *exception);

    /* PyErr_WriteUnraisable(): a fatal error of the exception handler that was told of this future,
     * or task, as it went. There is nobody to raise it to. The error is borrowed. Without this
     * function it is logged. */
    void       (*unraisable)(void *host, asy_future *future, asy_error *error);

    /* repr(loop), from asy_alloc(), for "Close <...>"; NULL if that fails. */
    char      *(*describe_loop)(void *host);
};

/* ---- loop.c ---------------------------------------------------------------- */

/* The host_data of the loop's options. */
ASY_API void *asy_loop_host_data(const asy_loop *loop);

/* Visit every handle that the loop holds a reference to: queued, scheduled, watching, handed
 * over by threads, running. Once per reference, so a handle may come several times. Stops at
 * the first result that is not 0 and returns it (tp_traverse).
 *
 * The library's own handles come too; the host knows its own by their ops.
 */
ASY_API int asy_loop_visit(asy_loop *loop, int (*visit)(asy_handle *handle, void *argument),
                           void *argument);

/* BaseEventLoop._current_handle: borrowed; set in debug mode while a callback runs, else NULL. */
ASY_API asy_handle *asy_loop_current_handle(const asy_loop *loop);

/* loop._timer_cancelled_count and len(loop._scheduled), len(loop._ready): for tests and repr. */
ASY_API ptrdiff_t asy_loop_timer_cancelled_count(const asy_loop *loop);
ASY_API size_t asy_loop_scheduled_count(const asy_loop *loop);
ASY_API size_t asy_loop_ready_count(const asy_loop *loop);

/* ---- run.c ----------------------------------------------------------------- */

/* _check_closed() and _check_running(): what run_until_complete() looks at before it makes a
 * task of its argument. */
ASY_API asy_error *asy_loop_check_can_run(asy_loop *loop) ASY_MUST_CHECK;

/* _run_once(): one iteration, for hosts with a loop of their own around it. Nothing that is called
 * meanwhile may close the loop. */
ASY_API asy_error *asy_loop_run_once(asy_loop *loop) ASY_MUST_CHECK;

/* ---- call.c: embedded handles ---------------------------------------------- */

/* The checks at the start of call_soon, call_later and call_at, before the callback is looked
 * at: _check_closed(), then in debug mode _check_thread().
 */
ASY_API asy_error *asy_loop_check_call(asy_loop *loop) ASY_MUST_CHECK;

/* _check_closed(). Thread any. */
ASY_API asy_error *asy_loop_check_closed(const asy_loop *loop) ASY_MUST_CHECK;

/* _ready.append(handle), without any check. Takes a reference. On a closed loop, where CPython
 * would queue what can never run, nothing happens.
 */
ASY_API void asy_loop_add_handle(asy_loop *loop, asy_handle *handle);

/* The same from any thread, and wake the loop. Takes a reference.
 *
 * Raises   RuntimeError: Event loop is closed.
 * Thread   any
 */
ASY_API asy_error *asy_loop_add_handle_threadsafe(asy_loop *loop,
                                                  asy_handle *handle) ASY_MUST_CHECK;

/* heappush(_scheduled, timer); timer._scheduled = True. Takes a reference. On a closed loop
 * nothing happens. A timer is added once.
 */
ASY_API void asy_loop_add_timer_handle(asy_loop *loop, asy_timer_handle *timer);

/* ---- watch.c: embedded handles --------------------------------------------- */

/* _add_reader() and _add_writer() with a handle instead of a callback: takes a reference.
 *
 * Raises   as asy_loop_add_reader().
 */
ASY_API asy_error *asy_loop_add_reader_handle(asy_loop *loop, int fd,
                                              asy_handle *handle) ASY_MUST_CHECK;
ASY_API asy_error *asy_loop_add_writer_handle(asy_loop *loop, int fd,
                                              asy_handle *handle) ASY_MUST_CHECK;

/* ---- wakeup.c -------------------------------------------------------------- */

/* _csock.fileno(): a byte written to it ends the wait of the loop (signal.set_wakeup_fd). -1 when
 * the loop is closed.
 */
ASY_API int asy_loop_wakeup_fd(const asy_loop *loop);

/* ---- current.c ------------------------------------------------------------- */

/* asyncio._set_running_loop(loop), for hosts that keep the running loop here. NULL: none. */
ASY_API void asy_set_running_loop(asy_loop *loop);

ASY_END_DECLARATIONS

#endif
