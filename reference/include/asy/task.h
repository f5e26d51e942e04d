/* SPDX-License-Identifier: MIT */
/*
 * Tasks: coroutines that the loop runs; and what programs with several of them need: sleep,
 * wait, gather, timeout, shield.
 *
 * A task sends its coroutine on from one await to the next. Each such step is one callback of
 * the loop. When the coroutine waits for a future, the task adds itself to the future's done
 * callbacks, and the step after that is this callback.
 *
 * A task is a future: its result is that of the coroutine (asy_coro_set_result()), its exception
 * what leaves the coroutine. asy_task_future() is the task as a future, and all functions of
 * future.h take that.
 *
 * Cancelling a task asks it to end. The request reaches what the task waits for first, and then
 * comes out of the coroutine's innermost AWAIT as a CancelledError. The coroutine may clean up,
 * refuse, or end.
 */
#ifndef ASY_TASK_H
#define ASY_TASK_H

#include <asy/coro.h>
#include <asy/future.h>
#include <asy/handle.h>
#include <asy/types.h>

ASY_BEGIN_DECLARATIONS

/* ---- task.c: what programs use --------------------------------------------- */

/* Options of a new task. Zero everywhere is a task with a name of its own. */
struct asy_task_options {
    const char *name;               /* copied; NULL: "Task-1", "Task-2", ... */
    void       *context;            /* it runs in this one; NULL: in a copy of the current one */
    bool        eager_start;        /* since 3.12: the first step is run at once, if the loop
                                       runs; a coroutine that never waits is done on return */
};

/* loop.create_task(coroutine, name=None, context=None, eager_start=False) -> Task
 *
 * By the task factory, if there is one.
 *
 * Returns  a new reference in *ret_task, which may be NULL when it is not wanted: the loop keeps
 *          a task that has something to wait for.
 * Raises   RuntimeError: the loop is closed, or the wrong thread. Fatal errors of the first
 *          step, if that is eager.
 * Steals   coroutine.
 * Spec     create_task.returns-task, create_task.name, create_task.context,
 *          create_task.schedules, create_task.name-none, create_task.context-default-copy,
 *          create_task.eager_start, set_task_factory.used, Task.steps, Task.one-at-a-time,
 *          Task.context, Task.eager_start
 */
ASY_API asy_error *asy_loop_create_task(asy_loop *loop, asy_coro *coroutine,
                                        const asy_task_options *options,
                                        asy_task **ret_task) ASY_MUST_CHECK;

/* One more reference, one reference less. The latter accepts and returns NULL. A task that is
 * pending when the last one goes is reported: "Task was destroyed but it is pending!".
 */
ASY_API asy_task *asy_task_ref(asy_task *task);
ASY_API asy_task *asy_task_unref(asy_task *task);

/* The task as a future; a future as a task, or NULL if it is none. Both borrowed.
 *
 * Spec     Task.future-api, Task.done, Task.cancelled, Task.result.value, Task.result.exception,
 *          Task.result.cancelled, Task.result.pending, Task.remove_done_callback
 */
ASY_API asy_future *asy_task_future(asy_task *task);
ASY_API asy_task *asy_future_task(asy_future *future);

/* task.cancel(msg=None) -> bool: throw a CancelledError into the coroutine, in the next iteration
 * at the earliest. A task that has not begun never does.
 *
 * message  as asy_future_cancel() has it.
 * Returns  in *ret_requested, which may be NULL, false if it is done.
 * Raises   what cancelling the future that it waits for raises; RecursionError: tasks wait for one
 *          another in a circle.
 */
ASY_API asy_error *asy_task_cancel(asy_task *task, const void *message,
                                   bool *ret_requested) ASY_MUST_CHECK;

/* task.uncancel() -> int, task.cancelling() -> int: how many requests to cancel are pending, after
 * one less; as it is. A coroutine that has caught a CancelledError and goes on takes the request
 * back. From 3.13 on, taking the last one back before it was thrown also prevents that.
 *
 * Spec     Task.cancelling.counts, Task.uncancel, Task.uncancel.ends-cancellation
 */
ASY_API int asy_task_uncancel(asy_task *task);
ASY_API int asy_task_cancelling(const asy_task *task);

/* task.get_name() -> str, borrowed; task.set_name(name), which is copied.
 *
 * Spec     Task.get_name.default, Task.set_name
 */
ASY_API const char *asy_task_get_name(const asy_task *task);
ASY_API void asy_task_set_name(asy_task *task, const char *name);

/* task.get_coro(), borrowed: NULL after an eager task has ended in its first step;
 * task.get_context(), borrowed.
 *
 * Spec     Task.get_coro, Task.get_coro.eager, Task.get_context
 */
ASY_API asy_coro *asy_task_get_coro(const asy_task *task);
ASY_API void *asy_task_get_context(const asy_task *task);

/* asyncio.current_task(loop): the task whose step runs, borrowed, or NULL.
 *
 * Spec     current_task.running, current_task.none
 */
ASY_API asy_task *asy_current_task(const asy_loop *loop);

/* asyncio.all_tasks(loop): those that are not done, in the order of their creation.
 *
 * Returns  an array from asy_alloc(), which is the caller's, as each reference in it is; and in
 *          *ret_count their number.
 * Spec     all_tasks.unfinished
 */
ASY_API asy_task **asy_all_tasks(const asy_loop *loop, size_t *ret_count);

/* A task factory: factory(loop, coroutine, options) -> task. Steals the coroutine. */
typedef asy_error *(*asy_task_factory)(asy_loop *loop, asy_coro *coroutine,
                                       const asy_task_options *options, void *argument,
                                       asy_task **ret_task);

/* loop.set_task_factory(factory): NULL for the default; loop.get_task_factory().
 *
 * Steals   argument, which drop (may be NULL) gives back when the factory is replaced.
 * Spec     set_task_factory.none, get_task_factory.value, set_task_factory.used,
 *          set_task_factory.loop-arg, set_task_factory.coro-arg, get_task_factory.default-none
 */
ASY_API void asy_loop_set_task_factory(asy_loop *loop, asy_task_factory factory, void *argument,
                                       void (*drop)(void *argument));
ASY_API asy_task_factory asy_loop_get_task_factory(const asy_loop *loop, void **ret_argument);

/* asyncio.eager_task_factory, for set_task_factory. The argument is not used.
 *
 * Spec     eager_task_factory.starts, eager_task_factory.finished
 */
ASY_API asy_error *asy_eager_task_factory(asy_loop *loop, asy_coro *coroutine,
                                          const asy_task_options *options, void *argument,
                                          asy_task **ret_task) ASY_MUST_CHECK;

/* asyncio.run(main): run a coroutine in a new loop, then cancel the tasks that are left and wait
 * for them, and for the jobs of the default executor, up to five minutes, and close the loop.
 *
 * `make_main` gets the loop, since a coroutine in C wants to be told, and returns the coroutine.
 *
 * Raises   what the coroutine raises; as asy_loop_new().
 * Spec     run.own-loop, run.nested-raises, shutdown_default_executor.not-with-run
 */
ASY_API asy_error *asy_run(asy_coro *(*make_main)(asy_loop *loop, void *argument),
                           void *argument) ASY_MUST_CHECK;

/* ---- sleep.c ---------------------------------------------------------------- */

/* asyncio.sleep(delay): wait so many seconds; with nothing or less, let others run once.
 *
 * Spec     sleep.delay, sleep.suspends, sleep.cancel, sleep.nan
 */
ASY_API asy_coro *asy_sleep(asy_loop *loop, double delay);

/* ---- wait.c ----------------------------------------------------------------- */

typedef enum asy_return_when {
    ASY_ALL_COMPLETED,
    ASY_FIRST_COMPLETED,
    ASY_FIRST_EXCEPTION
} asy_return_when;

/* asyncio.wait(futures, timeout=None, return_when=ALL_COMPLETED): wait until the futures are done,
 * or until the time is over. It does not raise what they raise, and cancels none: ask
 * asy_future_done() of each.
 *
 * futures  an array; which is copied: a reference to each is held until the coroutine has ended.
 * timeout  seconds; negative or not a number: for ever. (Python's None.)
 * Raises   ValueError: the array is empty.
 * Spec     wait.all-completed, wait.first-completed, wait.first-exception, wait.timeout,
 *          wait.not-cancelled, wait.future-args
 */
ASY_API asy_coro *asy_wait(asy_loop *loop, asy_future *const *futures, size_t count,
                           double timeout, asy_return_when return_when);

/* asyncio.wait_for(future, timeout): wait for a future, and cancel it when the time is over.
 *
 * It is that of 3.12 and later in every profile; 3.11 had another algorithm, which took other
 * iterations.
 *
 * timeout  as asy_wait() has it; 0: a future that is not done is cancelled at once.
 * Raises   what the future raises; TimeoutError. RuntimeError: not used inside a task.
 * Spec     wait_for.none, wait_for.timeout, wait_for.waits-for-end, wait_for.cancelled,
 *          wait_for.builtin-timeout, wait_for.error-in-cancellation
 */
ASY_API asy_coro *asy_wait_for(asy_loop *loop, asy_future *future, double timeout);

/* ---- gather.c ---------------------------------------------------------------- */

/* One result of gather(): borrowed from the future, which the gathering future keeps. */
typedef struct asy_gathered {
    void      *result;              /* NULL if there is an exception */
    asy_error *exception;           /* or CancelledError; only with return_exceptions */
} asy_gathered;

/* asyncio.gather(*futures, return_exceptions=False) -> Future: its result is an array of
 * asy_gathered, in the order of the futures.
 *
 * Without return_exceptions, the first exception becomes that of the gathering future at once;
 * the other futures go on. Cancelling the gathering future cancels those that are not done.
 * The same future may come twice. To cancel one that waits for itself, by way of a task, or a
 * thousand of them one within the other, raises a RecursionError.
 *
 * futures  an array, which is copied: a reference to each is held by the gathering future; but to
 *          those that are pending only until the loop is closed.
 * Returns  a new reference in *ret_future; done at once, with an empty array, if there are no
 *          futures.
 * Raises   ValueError: a future is another loop's. What adding a callback to one of them raises.
 */
ASY_API asy_error *asy_gather(asy_loop *loop, asy_future *const *futures, size_t count,
                              bool return_exceptions, asy_future **ret_future) ASY_MUST_CHECK;

/* ---- shield.c ---------------------------------------------------------------- */

/* asyncio.shield(future) -> Future: one that ends as the other, but whose cancellation does not
 * reach the other. An exception of the other after that is reported when it goes: "... exception
 * was never retrieved". (Before 3.14 not so if it came in the iteration of the cancellation:
 * nobody heard of it.)
 *
 * Returns  a new reference; to the same future, if that is done. It holds one to the other; if
 *          that is pending, only until the loop is closed.
 */
ASY_API asy_future *asy_shield(asy_future *future);

/* ---- timeout.c --------------------------------------------------------------- */

/* asyncio.timeout(delay), as a field of a frame:
 *
 *     TRY(asy_timeout_enter(&self->timeout, self->loop, 1.5));
 *     TRY_AWAIT(err, something(self->loop));
 *     TRY(asy_timeout_exit(&self->timeout, err));
 *
 * When the time is over, the task that entered is cancelled, and exit turns that CancelledError
 * into a TimeoutError. FINALLY calls asy_timeout_deinit().
 */
typedef enum asy_timeout_state {
    ASY_TIMEOUT_CREATED,
    ASY_TIMEOUT_ENTERED,
    ASY_TIMEOUT_EXPIRING,
    ASY_TIMEOUT_EXPIRED,
    ASY_TIMEOUT_EXITED
} asy_timeout_state;

typedef struct asy_timeout {
    asy_timeout_state state;
    asy_loop         *loop;             /* borrowed */
    asy_task         *task;             /* that which entered; owned */
    asy_handle       *timer;            /* a timer, or, without any delay, one in the queue; owned;
                                           NULL: for ever */
    double            when;             /* the loop's time; INFINITY: for ever */
    int               cancelling;       /* task.cancelling() when it was entered */
} asy_timeout;

/* __aenter__ of asyncio.timeout(delay), and of timeout_at(when).
 *
 * delay    seconds from now; when: the loop's time; INFINITY: for ever.
 * Raises   RuntimeError: no task runs in this loop; it has been entered already.
 * Spec     timeout.past, timeout.none, timeout_at.deadline
 */
ASY_API asy_error *asy_timeout_enter(asy_timeout *self, asy_loop *loop,
                                     double delay) ASY_MUST_CHECK;
ASY_API asy_error *asy_timeout_enter_at(asy_timeout *self, asy_loop *loop,
                                        double when) ASY_MUST_CHECK;

/* timeout.reschedule(when), timeout.when(), timeout.expired(). reschedule raises RuntimeError
 * unless it is entered and not expired.
 *
 * Spec     timeout.reschedule, timeout.when, timeout.expired
 */
ASY_API asy_error *asy_timeout_reschedule(asy_timeout *self, double when) ASY_MUST_CHECK;
ASY_API double asy_timeout_when(const asy_timeout *self);
ASY_API bool asy_timeout_expired(const asy_timeout *self);

/* __aexit__: what the block raised, or NULL, becomes what leaves it.
 *
 * Raises   TimeoutError, whose cause is the CancelledError, if the time was over and nobody else
 *          has cancelled the task; else raised.
 * Steals   raised.
 * Spec     timeout.cancels, timeout.in-time, timeout.nested
 */
ASY_API asy_error *asy_timeout_exit(asy_timeout *self, asy_error *raised) ASY_MUST_CHECK;

/* Give back what it holds; of one that was never entered, nothing. */
ASY_API void asy_timeout_deinit(asy_timeout *self);

/* ---- for embedders --------------------------------------------------------- */

/* Task. The fields are the library's. */
struct asy_task {
    asy_future  future;
    asy_coro   *coro;                   /* owned */
    char       *name;                   /* owned */
    void       *context;                /* owned */
    asy_future *waiter;                 /* _fut_waiter: what the coroutine waits for; owned */
    bool        must_cancel;            /* throw a CancelledError in the next step */
    bool        log_destroy_pending;
    bool        registered;             /* among all_tasks() */
    int         cancels_requested;
    asy_error  *step_error;             /* what the queued step throws; owned */
    asy_handle  step_handle;            /* __step, as queued by the task itself */
    asy_handle  wakeup_handle;          /* __wakeup, as done callback of the waiter */
    asy_task   *next;                   /* in the loop's list of all tasks; borrowed */
    asy_task   *previous;
};

/* Task.__init__ for an embedded task: queue its first step, or take it. The ops' is_task is true;
 * their cancel is NULL, or calls asy_task_default_cancel().
 *
 * Raises   RuntimeError: the loop is closed, or the wrong thread; then the task is done. Fatal
 *          errors of an eager first step.
 * Steals   coroutine.
 */
ASY_API asy_error *asy_task_init(asy_task *task, const asy_future_ops *ops, asy_loop *loop,
                                 asy_coro *coroutine,
                                 const asy_task_options *options) ASY_MUST_CHECK;

/* Task.cancel, whatever the ops say.
 *
 * Spec     Task.cancel.throws, Task.cancel.cancels-awaited, Task.cancel.cleanup,
 *          Task.cancel.suppressed, Task.cancel.returns, Task.cancel.not-yet, Task.cancel.msg,
 *          Task.cancel.msg-propagates
 */
ASY_API asy_error *asy_task_default_cancel(asy_task *task, const void *message,
                                           bool *ret_requested) ASY_MUST_CHECK;

/* Give back everything that the task owns, but the memory it lies in. */
ASY_API void asy_task_clear(asy_task *task);

/* Task.__del__: report a task that is pending, and an exception that nobody has looked at.
 *
 * Spec     task.never-retrieved
 */
ASY_API void asy_task_report_destroyed(asy_task *task);

/* The task whose step or wake-up the handle is, borrowed; NULL if it is another handle. A handle in
 * a queue keeps its task alive: for garbage collectors.
 */
ASY_API asy_task *asy_handle_task(asy_handle *handle);

/* Task.__wakeup, for futures that do not queue handles: step on with what the future has. To be
 * called as a callback of the loop, in the task's context.
 *
 * Raises   fatal errors of the step.
 */
ASY_API asy_error *asy_task_wakeup(asy_task *task) ASY_MUST_CHECK;

ASY_END_DECLARATIONS

#endif
