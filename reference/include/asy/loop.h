/* SPDX-License-Identifier: MIT */
/*
 * The event loop: AbstractEventLoop's methods in the order of CPython's documentation, one
 * section per source file.
 *
 * One iteration of a loop: wait for descriptors and for the earliest timer; queue the callbacks
 * of the descriptors that became ready, then those of the timers that are due; run what is in
 * the queue now, and nothing that these callbacks add. run_forever() repeats that until stop().
 *
 * A loop behaves as one minor version of Python, its profile. What differs between versions is
 * marked here with the version it begins with.
 *
 * Methods raise RuntimeError("Event loop is closed") after close() where CPython's do, and, in
 * debug mode, RuntimeError("Non-thread-safe operation invoked on an event loop other than the
 * current one") when another thread calls them while the loop runs.
 */
#ifndef ASY_LOOP_H
#define ASY_LOOP_H

#include <asy/error.h>
#include <asy/handle.h>
#include <asy/types.h>

ASY_BEGIN_DECLARATIONS

/* ---- loop.c: making and freeing a loop ------------------------------------- */

typedef enum asy_selector_kind {
    ASY_SELECTOR_DEFAULT,           /* the best that the platform has */
    ASY_SELECTOR_EPOLL,
    ASY_SELECTOR_POLL,
    ASY_SELECTOR_SELECT
} asy_selector_kind;

typedef enum asy_debug_mode {
    ASY_DEBUG_FROM_ENVIRONMENT,     /* on if PYTHONASYNCIODEBUG is a non-empty string */
    ASY_DEBUG_OFF,
    ASY_DEBUG_ON
} asy_debug_mode;

#define ASY_OLDEST_PROFILE 11
#define ASY_NEWEST_PROFILE 15

/* A clock other than the system's. With `advance`, the loop never sleeps until a deadline: it
 * looks at its descriptors, and if none is ready it calls advance() with the time it would have
 * slept. Without a deadline it sleeps for real.
 */
struct asy_clock {
    double (*time)(void *data);                     /* seconds, never smaller than before */
    void   (*advance)(void *data, double seconds);  /* or NULL */
    double   resolution;                            /* of time(), in seconds */
    void    *data;
};

/* Options of a new loop. Zero everywhere is a loop for a C program. */
struct asy_loop_options {
    asy_selector_kind selector;
    asy_debug_mode    debug;
    int               profile;      /* Python's minor version: 13 is 3.13. 0: the newest */
    asy_clock         clock;        /* used if its time is not NULL; the host's time goes first */
    const asy_host   *host;         /* host.h; NULL for C programs. Outlives the loop. */
    void             *host_data;    /* handed to the host's functions */
};

/* SelectorEventLoop(selector): a new loop that does not run. options may be NULL.
 *
 * Returns  in *ret_loop a new reference. Close the loop before you give the last one back.
 * Raises   ValueError: the profile or the selector is not supported; OSError: the system has
 *          no descriptors left.
 * Spec     new_event_loop.creates, new_event_loop.initial-state, loops.default-unix,
 *          SelectorEventLoop.selectors
 */
ASY_API asy_error *asy_loop_new(const asy_loop_options *options,
                                asy_loop **ret_loop) ASY_MUST_CHECK;

/* One more reference.
 *
 * Thread   any
 */
ASY_API asy_loop *asy_loop_ref(asy_loop *loop);

/* One reference less. Accepts and returns NULL. The handles that this library makes hold a
 * reference to their loop; a loop that is not closed holds its handles.
 *
 * Thread   any
 */
ASY_API asy_loop *asy_loop_unref(asy_loop *loop);

/* The profile: the minor version of Python that the loop behaves as. */
ASY_API int asy_loop_profile(const asy_loop *loop);

/* "epoll", "poll" or "select". */
ASY_API const char *asy_loop_selector_name(const asy_loop *loop);

/* loop.get_debug() -> bool, loop.set_debug(enabled)
 *
 * Debug mode reports slow callbacks and calls from the wrong thread.
 *
 * Thread   any
 * Spec     get_debug.bool, get_debug.default-env, set_debug.sets
 */
ASY_API bool asy_loop_get_debug(const asy_loop *loop);
ASY_API void asy_loop_set_debug(asy_loop *loop, bool enabled);

/* loop.slow_callback_duration: what counts as slow in debug mode, in seconds; 0.1 at first.
 *
 * Spec     slow_callback_duration.default, slow_callback_duration.settable,
 *          slow_callback_duration.logs, slow_callback_duration.needs-debug
 */
ASY_API double asy_loop_get_slow_callback_duration(const asy_loop *loop);
ASY_API void asy_loop_set_slow_callback_duration(asy_loop *loop, double seconds);

/* ---- run.c: running and stopping ------------------------------------------- */

/* loop.run_until_complete(future): run until something is done.
 *
 * `awaited` is anything that can tell that it is done and call back when that happens; its
 * result stays with it.
 *
 * Raises   RuntimeError: as asy_loop_run_forever(); and 'Event loop stopped before Future
 *          completed.' And what leaves run_forever.
 * Spec     run_until_complete.blocks-until-done, run_until_complete.stopped-early,
 *          run_until_complete.nested, run_until_complete.drains-deferred
 */
ASY_API asy_error *asy_loop_run_until_complete(asy_loop *loop,
                                               const asy_awaited *awaited) ASY_MUST_CHECK;

/* What run_until_complete() asks of a future. */
struct asy_awaited {
    void       *self;                               /* handed to the functions */
    bool      (*done)(void *self);

    /* future.add_done_callback(): later call asy_loop_run_until_complete_done(loop, fatal) by
     * the loop's call_soon, as futures call their callbacks. `fatal` says that the future ended
     * with an exception that is a KeyboardInterrupt or SystemExit. */
    asy_error *(*add_done_callback)(void *self, asy_loop *loop);

    void      (*remove_done_callback)(void *self, asy_loop *loop);

    /* Leaving with an error while the future is done: look at its exception, so that nobody
     * logs it as never retrieved. NULL if the future is not of run_until_complete's making. */
    void      (*consume_exception)(void *self);
};

/* asyncio.base_events._run_until_complete_cb: what an awaited thing calls when it is done. */
ASY_API void asy_loop_run_until_complete_done(asy_loop *loop, bool fatal);

/* loop.run_forever(): run iterations until stop() was called.
 *
 * Raises   RuntimeError: the loop is closed; it runs already; another loop runs in this thread.
 *          And the fatal error of a callback, or of the host; the rest of the queue then stays
 *          for the next run.
 * Spec     run_forever.until-stop, run_forever.stop-before.exits, run_forever.nested.raises,
 *          run_forever.deferred-run-next, run_forever.base-exception, run_forever.restartable,
 *          run_forever.stop-before.polls-once-zero, run_forever.stop-before.io-callbacks,
 *          run_forever.stop-before.scheduled-callbacks, run_forever.stop-before.nested-deferred,
 *          run_forever.stop-during.batch-completes, run_forever.stop-during.new-deferred
 */
ASY_API asy_error *asy_loop_run_forever(asy_loop *loop) ASY_MUST_CHECK;

/* loop.stop(): make run_forever() return after the current iteration, or, when the loop does
 * not run, after the first one of the next run, which then waits for nothing.
 *
 * Thread   any; it does not wake a loop that waits
 * Spec     stop.requests-exit, stop.next-opportunity, stop.flag-consumed, stop.from-thread
 */
ASY_API void asy_loop_stop(asy_loop *loop);

/* loop.is_running() -> bool
 *
 * Thread   any
 * Spec     is_running.true-while-running, is_running.false-otherwise
 */
ASY_API bool asy_loop_is_running(const asy_loop *loop);

/* loop.is_closed() -> bool
 *
 * Thread   any
 * Spec     is_closed.initial, is_closed.after-close
 */
ASY_API bool asy_loop_is_closed(const asy_loop *loop);

/* loop.close(): forget every callback, timer and watched descriptor. No effect when closed.
 *
 * A task in C that still waits can never go on: its coroutine ends, running its FINALLY, and the
 * task is reported as destroyed when its last reference goes.
 *
 * Raises   RuntimeError: Cannot close a running event loop.
 * Spec     close.not-running, close.discards-pending, close.clears-queues, close.idempotent,
 *          close.irreversible
 */
ASY_API asy_error *asy_loop_close(asy_loop *loop) ASY_MUST_CHECK;

/* ---- call.c: scheduling callbacks ------------------------------------------ */

/* loop.call_soon(callback) -> Handle: run it in the next iteration, after those queued before.
 *
 * Returns  a new reference in *ret_handle, which may be NULL when it is not wanted.
 * Raises   RuntimeError: the loop is closed, or the wrong thread; TypeError: in debug mode, the
 *          callback has no function.
 * Steals   callback.
 * Spec     call_soon.fifo-order, call_soon.exactly-once, call_soon.next-iteration,
 *          call_soon.context-default-current, call_soon.debug-wrong-thread,
 *          call_soon.not-synchronous, call_soon.returns-handle
 */
ASY_API asy_error *asy_loop_call_soon(asy_loop *loop, asy_callback callback,
                                      asy_handle **ret_handle) ASY_MUST_CHECK;

/* loop.call_soon_threadsafe(callback) -> Handle: call_soon() from anywhere; wakes the loop.
 *
 * Returns  a new reference in *ret_handle, which may be NULL when it is not wanted.
 * Raises   RuntimeError: the loop is closed; TypeError: as call_soon.
 * Steals   callback.
 * Thread   any
 * Spec     call_soon_threadsafe.thread-safe, call_soon_threadsafe.wakes,
 *          call_soon_threadsafe.closed-raises, call_soon_threadsafe.per-thread-order,
 *          call_soon_threadsafe.like-call_soon, call_soon_threadsafe.returns-handle,
 *          call_soon_threadsafe.reentrant
 */
ASY_API asy_error *asy_loop_call_soon_threadsafe(asy_loop *loop, asy_callback callback,
                                                 asy_handle **ret_handle) ASY_MUST_CHECK;

/* loop.call_later(delay, callback) -> TimerHandle: run it once, delay seconds from now; with a
 * delay of nothing or less, as soon as possible, which is never in the current iteration.
 *
 * Returns  a new reference in *ret_timer, which may be NULL when it is not wanted.
 * Raises   RuntimeError, TypeError: as call_soon.
 * Steals   callback.
 * Spec     call_later.after-delay, call_later.exactly-once, call_later.zero, call_later.negative,
 *          call_later.order-by-deadline, call_later.returns-TimerHandle,
 *          call_later.context-default, call_later.no-day-limit, call_later.blocked-loop-delays,
 *          call_later.cancelled-not-run
 */
ASY_API asy_error *asy_loop_call_later(asy_loop *loop, double delay, asy_callback callback,
                                       asy_timer_handle **ret_timer) ASY_MUST_CHECK;

/* loop.call_at(when, callback) -> TimerHandle: the same, at a moment of the loop's clock.
 *
 * Returns  a new reference in *ret_timer, which may be NULL when it is not wanted.
 * Raises   RuntimeError, TypeError: as call_soon.
 * Steals   callback.
 * Spec     call_at.absolute, call_at.as-call_later, call_at.past, call_at.same-clock,
 *          call_at.returns-TimerHandle, call_at.no-day-limit
 */
ASY_API asy_error *asy_loop_call_at(asy_loop *loop, double when, asy_callback callback,
                                    asy_timer_handle **ret_timer) ASY_MUST_CHECK;

/* loop.time() -> float: the loop's monotonic clock, in seconds.
 *
 * Thread   any
 * Spec     time.float, time.monotonic, call_at.same-clock, time.not-wall-clock
 */
ASY_API double asy_loop_time(const asy_loop *loop);

/* ---- watch.c: watching descriptors ----------------------------------------- */

/* loop.add_reader(fd, callback), loop.add_writer(fd, callback): run the callback in each
 * iteration in which the descriptor can be read (or has ended), or written.
 *
 * Another callback for the same purpose replaces the first, even where that is queued. Close
 * a descriptor only after its remove_...: otherwise the loop takes the next descriptor of that
 * number for it.
 *
 * Raises   RuntimeError: the loop is closed. ValueError: a negative descriptor. OSError: the
 *          system cannot watch it; epoll refuses regular files, poll and select refuse nothing
 *          here (and then select fails the whole run).
 * Steals   callback.
 * Spec     add_reader.calls-when-readable, add_reader.replace, add_reader.level-triggered,
 *          add_reader.eof-readable, add_reader.bad-fd, add_writer.calls-when-writable,
 *          add_writer.replace, reader-writer.independent
 */
ASY_API asy_error *asy_loop_add_reader(asy_loop *loop, int fd,
                                       asy_callback callback) ASY_MUST_CHECK;
ASY_API asy_error *asy_loop_add_writer(asy_loop *loop, int fd,
                                       asy_callback callback) ASY_MUST_CHECK;

/* loop.remove_reader(fd) -> bool, loop.remove_writer(fd) -> bool: stop watching; a callback that
 * is queued already does not run.
 *
 * Returns  in *ret_removed, which may be NULL, whether there was one. Of a closed loop: false.
 * Raises   ValueError: a negative descriptor. OSError: the descriptor was closed while the loop
 *          watched it for both purposes; it is watched for none now.
 * Spec     remove_reader.stops, remove_reader.returns-true, remove_reader.returns-false,
 *          remove_reader.cancels-queued, remove_writer.stops, remove_writer.returns-true,
 *          remove_reader.from-callback
 */
ASY_API asy_error *asy_loop_remove_reader(asy_loop *loop, int fd,
                                          bool *ret_removed) ASY_MUST_CHECK;
ASY_API asy_error *asy_loop_remove_writer(asy_loop *loop, int fd,
                                          bool *ret_removed) ASY_MUST_CHECK;

/* ---- exception_handler.c: errors of callbacks ------------------------------ */

/* One more key of a report, for people to read. */
struct asy_report_item {
    const char *key;                                /* such as "transport" */
    const char *value;                              /* its text */
};

/* The context dictionary of an exception handler. Everything is borrowed.
 *
 * Spec     context.message, context.exception, context.future, context.task, context.handle
 */
struct asy_report {
    const char            *message;     /* 'message'; NULL or "": a general one is shown */
    asy_error             *exception;   /* 'exception', or NULL */
    asy_handle            *handle;      /* 'handle', or NULL */
    asy_future            *future;      /* 'future', or NULL */
    asy_task              *task;        /* 'task', or NULL */
    asy_transport         *transport;   /* 'transport', or NULL */
    asy_protocol          *protocol;    /* 'protocol', or NULL */
    const asy_report      *nested;      /* 'context': the report whose handler failed; or NULL */
    const asy_report_item *items;       /* further keys, in the order of the keys */
    size_t                 item_count;
    void                  *run_in;      /* the contextvars context in which the handler runs; NULL:
                                           the handle's, if any */
    void                  *foreign;     /* the host's own form of this report, or NULL */
};

/* An exception handler: handler(loop, context). An error it returns is reported by the default
 * handler, together with the report; a fatal one leaves the loop. */
typedef asy_error *(*asy_exception_handler)(asy_loop *loop, const asy_report *report,
                                            void *argument);

/* loop.set_exception_handler(handler): NULL for the default one.
 *
 * Steals   argument, which drop (may be NULL) gives back when the handler is replaced, or the
 *          loop freed; a handler that replaces itself has it until it returns.
 * Spec     set_exception_handler.custom, set_exception_handler.none,
 *          set_exception_handler.loop-arg
 */
ASY_API void asy_loop_set_exception_handler(asy_loop *loop, asy_exception_handler handler,
                                            void *argument, void (*drop)(void *argument));

/* loop.get_exception_handler(): NULL for the default one. The argument, borrowed, is stored in
 * *ret_argument, unless that is NULL.
 *
 * Spec     get_exception_handler.value, get_exception_handler.default-none
 */
ASY_API asy_exception_handler asy_loop_get_exception_handler(const asy_loop *loop,
                                                             void **ret_argument);

/* loop.call_exception_handler(context): call the handler in force; from 3.12 on in the context
 * of what the report is about.
 *
 * Raises   fatal errors only.
 * Spec     call_exception_handler.calls-current, call_exception_handler.handler-raises,
 *          call_exception_handler.no-message, set_exception_handler.runs-in-context
 */
ASY_API asy_error *asy_loop_call_exception_handler(asy_loop *loop,
                                                   const asy_report *report) ASY_MUST_CHECK;

/* loop.default_exception_handler(context): log the report; that of a C program goes to stderr.
 *
 * Spec     default_exception_handler.used, default_exception_handler.logs,
 *          default_exception_handler.callable-by-custom, default_exception_handler.context
 */
ASY_API asy_error *asy_loop_default_exception_handler(asy_loop *loop,
                                                      const asy_report *report) ASY_MUST_CHECK;

/* ---- current.c: the loop of a thread --------------------------------------- */

/* asyncio.get_running_loop() -> the loop that runs in this thread.
 *
 * Returns  in *ret_loop a borrowed reference.
 * Raises   RuntimeError: no running event loop.
 * Thread   any
 * Spec     get_running_loop.returns-running, get_running_loop.none.raises,
 *          get_running_loop.per-thread
 */
ASY_API asy_error *asy_get_running_loop(asy_loop **ret_loop) ASY_MUST_CHECK;

/* asyncio._get_running_loop(): borrowed, or NULL. After a fork, the child has none. */
ASY_API asy_loop *asy_running_loop(void);

/* asyncio.get_event_loop() -> the running loop, or the current one of this thread.
 *
 * Before 3.14 the main thread makes a loop if none was ever set, and since 3.12 it warns of
 * that on stderr. asy_get_event_loop() behaves as the newest profile.
 *
 * Returns  in *ret_loop a borrowed reference.
 * Raises   RuntimeError: There is no current event loop in thread '...'. ValueError: no such
 *          profile. And as asy_loop_new().
 * Thread   any
 * Spec     get_event_loop.in-callback.running, get_event_loop.main.autocreate,
 *          get_event_loop.set-disables-autocreate,
 *          get_event_loop.worker.no-autocreate, get_event_loop.no-current.raises-3.14,
 *          get_event_loop.never-none, get_event_loop.no-create.raises,
 *          get_event_loop.main.autocreate-becomes-current, get_event_loop.warn-no-current-3.12
 */
ASY_API asy_error *asy_get_event_loop(asy_loop **ret_loop) ASY_MUST_CHECK;
ASY_API asy_error *asy_get_event_loop_as(int profile, asy_loop **ret_loop) ASY_MUST_CHECK;

/* asyncio.set_event_loop(loop): make it this thread's current loop, which keeps a reference
 * until another takes its place. NULL: there is none.
 *
 * Thread   any
 * Spec     set_event_loop.sets-current, set_event_loop.per-thread, set_event_loop.none-clears
 */
ASY_API void asy_set_event_loop(asy_loop *loop);

/* asyncio.new_event_loop(): asy_loop_new() with no options.
 *
 * Spec     new_event_loop.creates, new_event_loop.not-set
 */
ASY_API asy_error *asy_new_event_loop(asy_loop **ret_loop) ASY_MUST_CHECK;

ASY_END_DECLARATIONS

#endif
