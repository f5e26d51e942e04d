/* SPDX-License-Identifier: MIT */
/*
 * struct asy_loop, the one private struct that every file of this folder reads, grouped by who
 * may touch what; and what these files call of each other.
 *
 * A function without asy_ that has a public namesake is CPython's unchecked twin of it:
 * loop_add_watch is _add_reader, loop_append is _ready.append. They are called where CPython calls
 * these.
 *
 * The rule that keeps re-entrancy harmless: giving a reference back may run anything, a
 * finalizer of the host included, and that may call the loop. So first the structure is put in
 * order, and then the reference is given back.
 */
#ifndef CORE_LOOP_IMPL_H
#define CORE_LOOP_IMPL_H

#include "base/heap.h"
#include "base/queue.h"
#include "core/behaviour.h"
#include "core/fd_table.h"
#include "core/selector.h"

#include <asy/error.h>
#include <asy/handle.h>
#include <asy/host.h>
#include <asy/loop.h>
#include <asy/task.h>
#include <pthread.h>
#include <stdatomic.h>

struct asy_loop {
    /* Set by asy_loop_new(), never changed. */
    int                 profile;
    bool                behaves[BEHAVIOUR_COUNT];   /* by enum behaviour */
    const asy_host     *host;                       /* never NULL: C programs get an empty one */
    void               *host_data;
    asy_clock           clock;                      /* time is never NULL */
    const char         *selector_name;

    /* The thread that runs the loop; for a loop that does not run, one thread at a time. */
    struct handle_queue   ready;
    struct timer_heap     scheduled;
    ptrdiff_t             timer_cancelled_count;    /* of those in scheduled, as CPython counts:
                                                       a cancelled timer that becomes due is
                                                       never taken off */
    struct fd_table       watched;
    struct selector      *selector;                 /* NULL when closed */
    int                   polls_holding_lock;       /* in a row, with the host's lock kept */
    asy_handle           *running_handle;           /* whose callback runs; owned; for visit.c */
    asy_handle           *current_handle;           /* the same in debug mode only; borrowed */
    double                slow_callback_duration;
    struct handler       *exception_handler;        /* NULL: the default one */

    asy_task             *current_task;             /* whose step runs; borrowed */
    asy_task             *first_task;               /* those that are not done, in the order */
    asy_task             *last_task;                /* of creation; borrowed: freed ones leave */
    struct outer_future  *first_outer_future;       /* of gather() and shield(); borrowed as well */
    int                   gathering_cancels;        /* of gather(), one within the other, now */
    asy_task_factory      task_factory;             /* NULL: the default one */
    void                 *task_factory_argument;
    void                (*task_factory_drop)(void *argument);
    struct job           *first_job;                /* of run_in_executor(); executor.c */
    asy_executor         *default_executor;         /* NULL: none was needed yet */
    bool                  default_executor_is_set;  /* by the program */
    bool                  executor_shutdown_called;
    void                 *read_buffer;              /* lent to who reads next; NULL: it is lent, or
                                                       none was needed yet; read_buffer.c */

    /* The self-pipe. Its reader is part of the loop and is not counted. */
    int                   wake_receiver;            /* _ssock; the loop's thread */
    asy_handle            wake_handle;

    /* Any thread. */
    atomic_int            refs;
    atomic_bool           closed;
    atomic_bool           stopping;
    atomic_bool           debug;
    _Atomic(uintptr_t)    thread_id;                /* 0: the loop does not run */
    atomic_size_t         inbox_count;              /* = inbox.count, to look without the lock */
    atomic_bool           wake_pending;             /* a byte is in the self-pipe */

    /* Any thread, under inbox_lock. */
    pthread_mutex_t       inbox_lock;
    struct handle_queue   inbox;                    /* handed over by threads, not yet in ready */
    int                   wake_sender;              /* _csock; -1 when closed */

    /* Any thread, under run_lock: the handles of call_soon_threadsafe whose callbacks run. */
    pthread_mutex_t        run_lock;
    pthread_cond_t         run_ended;
    struct threadsafe_run *threadsafe_runs;         /* the innermost first */
};

/* A callback of call_soon_threadsafe on some thread's stack. */
struct threadsafe_run {
    const asy_handle      *handle;
    uintptr_t              thread;
    bool                   clear_afterwards;        /* another thread has cancelled it meanwhile */
    struct threadsafe_run *outer;
};

/* ---- host.c: the host's functions, or what C programs get instead ------------- */

double host_monotonic(void *data);
asy_error *host_time(const asy_loop *loop, double *ret_time) ASY_MUST_CHECK;
asy_error *host_check_signals(const asy_loop *loop) ASY_MUST_CHECK;
void *host_release_lock(const asy_loop *loop);
void host_acquire_lock(const asy_loop *loop, void *released);
asy_error *host_run_enter(asy_loop *loop) ASY_MUST_CHECK;
asy_error *host_run_leave(asy_loop *loop) ASY_MUST_CHECK;
bool host_has_running_loop(const asy_loop *loop);
void host_debug_changed(const asy_loop *loop, bool enabled);
void *host_context_copy_current(const asy_loop *loop);
void *host_context_ref(const asy_loop *loop, void *context);
void host_context_unref(const asy_loop *loop, void *context);
asy_error *host_context_run(const asy_loop *loop, void *context,
                            asy_error *(*function)(void *argument), void *argument) ASY_MUST_CHECK;
asy_error *host_log(const asy_loop *loop, asy_log_level level, const char *message,
                    asy_error *exception) ASY_MUST_CHECK;
void host_unraisable(const asy_loop *loop, asy_future *future, asy_error *error);
char *host_describe_loop(const asy_loop *loop);
void *host_message_copy(const asy_loop *loop, const void *message);
void host_message_unref(const asy_loop *loop, void *message);
asy_error *host_cancelled_error(const asy_loop *loop, const void *message);
asy_error *host_register_task(asy_loop *loop, asy_task *task) ASY_MUST_CHECK;
asy_error *host_unregister_task(asy_loop *loop, asy_task *task) ASY_MUST_CHECK;
asy_error *host_enter_task(asy_loop *loop, asy_task *task) ASY_MUST_CHECK;
asy_error *host_leave_task(asy_loop *loop, asy_task *task) ASY_MUST_CHECK;
asy_error *host_swap_current_task(asy_loop *loop, asy_task *task, void **ret_outer) ASY_MUST_CHECK;
void host_restore_current_task(asy_loop *loop, void *outer);

/* ---- handle.c ----------------------------------------------------------------- */

/* A handle that the library owns, around a callback: Handle(callback, args, loop, None). It
 * steals the callback and holds a reference to the loop. */
asy_handle *handle_new(asy_loop *loop, asy_callback callback);
asy_timer_handle *timer_handle_new(asy_loop *loop, double when, asy_callback callback);

/* The same with a context, which is borrowed; NULL: a copy of the current one. */
asy_handle *handle_new_in(asy_loop *loop, asy_callback callback, void *context);

/* Whether the handle is one of the library's own, around this function and argument. */
bool handle_has_callback(const asy_handle *handle, asy_error *(*function)(void *argument),
                         const void *argument);

/* Call callback.function.
 *
 * Raises   TypeError: there is none; what it raises.
 */
asy_error *callback_call(asy_callback callback) ASY_MUST_CHECK;

/* Call callback.drop. */
void callback_drop(asy_callback callback);

/* handle._run() as the loop calls it: a fatal error comes back, others have been reported. */
asy_error *handle_run(asy_handle *handle) ASY_MUST_CHECK;

/* handle._cancelled */
bool handle_is_cancelled(const asy_handle *handle);

/* str(handle) and the text of its callback, from asy_alloc(). */
char *handle_describe(asy_handle *handle);
char *handle_describe_callback(asy_handle *handle);

/* ---- loop.c ------------------------------------------------------------------- */

/* _ready.append(handle). Steals the reference. What threads have handed over goes first, since
 * it came first. */
void loop_append(asy_loop *loop, asy_handle *handle);

/* _add_callback(handle): append unless it is cancelled. Takes a reference. */
void loop_add_callback(asy_loop *loop, asy_handle *handle);

/* _check_closed() */
asy_error *loop_check_closed(const asy_loop *loop) ASY_MUST_CHECK;

/* Give back every handle of the queue, the first one first, and free the queue. */
void loop_release_queue(struct handle_queue *queue);

/* Give back every timer of the heap, the last one first (as a list of Python's does), and free
 * the heap. */
void loop_release_heap(struct timer_heap *heap);

/* ---- iteration.c -------------------------------------------------------------- */

/* _run_once() */
asy_error *loop_run_once(asy_loop *loop) ASY_MUST_CHECK;

/* ---- call.c ------------------------------------------------------------------- */

/* call_soon_threadsafe() with a handle. Takes a reference. */
asy_error *loop_hand_over(asy_loop *loop, asy_handle *handle) ASY_MUST_CHECK;

/* ---- watch.c ------------------------------------------------------------------ */

asy_error *loop_add_watch(asy_loop *loop, int fd, unsigned event,
                          asy_handle *handle) ASY_MUST_CHECK;
asy_error *loop_remove_watch(asy_loop *loop, int fd, unsigned event,
                             bool *ret_removed) ASY_MUST_CHECK;

/* _process_events(event_list) with the selector's result. */
asy_error *loop_process_events(asy_loop *loop) ASY_MUST_CHECK;

/* Forget every watch and give the handles back. */
void loop_release_watches(asy_loop *loop);

/* ---- wakeup.c ----------------------------------------------------------------- */

asy_error *loop_make_self_pipe(asy_loop *loop) ASY_MUST_CHECK;
void loop_close_self_pipe(asy_loop *loop);

/* Move what threads have handed over to the ready queue. */
void loop_merge_inbox(asy_loop *loop);

/* _write_to_self(), with inbox_lock held. */
void loop_write_to_self(asy_loop *loop);

/* ---- task_list.c ---------------------------------------------------------------- */

/* Give back what the library's own tasks wait with: nothing will ever wake them. */
void loop_abandon_tasks(asy_loop *loop);

/* ---- outer_future.c ------------------------------------------------------------- */

/* Give back the pending futures that gather() and shield() wait for: no callback will run. */
void loop_release_outer_futures(asy_loop *loop);

/* ---- executor.c ----------------------------------------------------------------- */

/* Give back the futures of the jobs that are not done. */
void loop_forget_jobs(asy_loop *loop);

/* Shut the default executor down, without waiting. */
void loop_close_default_executor(asy_loop *loop);

/* Whether the default executor is the loop's own, and would run a job without delay. */
bool loop_has_idle_executor(const asy_loop *loop);

/* ---- debug.c ------------------------------------------------------------------ */

/* _check_thread() */
asy_error *loop_check_thread(const asy_loop *loop) ASY_MUST_CHECK;

/* coroutines._is_debug_mode(), without Python's command line. */
bool debug_from_environment(void);

/* Run a handle and report it if that takes too long. */
asy_error *loop_run_timed(asy_loop *loop, asy_handle *handle) ASY_MUST_CHECK;

/* ---- exception_handler.c ------------------------------------------------------ */

/* Handle._run's except clause: "Exception in callback ...". Steals the exception. */
asy_error *loop_report_callback_error(asy_handle *handle, asy_error *exception) ASY_MUST_CHECK;

#endif
