/* SPDX-License-Identifier: MIT */
/*
 * How a task begins and ends: asyncio.Task(...) and __del__, and what it tells of itself.
 *
 * A task begins with a step in the loop's queue, or, if it is eager, with its first step at once,
 * in the middle of whoever makes it. The task that was current until then is so again afterwards.
 * A coroutine that needs no more than this one step never gets into a queue.
 */
#include "await/future_impl.h"
#include "await/task_impl.h"
#include "base/alloc.h"
#include "core/loop_impl.h"
#include "core/thread.h"

#include <asy/task.h>

/* ---- beginning ---------------------------------------------------------------- */

static asy_error *
run_first_step(void *argument)
{
    return task_run_and_handle_result(argument, ASY_OK);
}

static void
drop_coroutine(asy_task *task)
{
    asy_coro *coro = task->coro;

    task->coro = NULL;
    asy_coro_unref(coro);
}

/* Closed, and not only dropped: somebody may hold it still, even what it owns itself. One that is
 * driven by hand at this moment cannot be closed, and is its driver's. */
void
task_abandon(asy_task *task)
{
    asy_future *waiter = task->waiter;

    task->waiter = NULL;
    if (task->coro)
        asy_error_unref(asy_coro_close(task->coro));
    drop_coroutine(task);
    asy_future_unref(waiter);
}

/* CPython: Task.__eager_start */
static asy_error *
start_eagerly(asy_task *task)
{
    struct outer_task outer;

    TRY(task_swap_in(task, &outer));
    asy_error *err = host_context_run(task->future.loop, task->context, run_first_step, task);
    task_swap_out(task, outer);
    if (asy_future_done(&task->future))
        drop_coroutine(task);
    return err;
}

/* Whether this is called by something that the loop runs. */
static bool
runs_here(const asy_loop *loop)
{
    return atomic_load(&loop->thread_id) == thread_id();
}

static asy_error *
start(asy_task *task, bool eagerly)
{
    TRY(task_register(task));
    if (eagerly && runs_here(task->future.loop))
        return start_eagerly(task);
    return task_call_step_soon(task, ASY_OK);
}

/* One counter for all loops and threads. CPython: tasks._task_name_counter */
static char *
next_name(void)
{
    static atomic_ullong counter;
    return asy_format("Task-%llu", atomic_fetch_add(&counter, 1) + 1);
}

static void
init_fields(asy_task *task, asy_coro *coroutine, const asy_task_options *options)
{
    asy_loop *loop = task->future.loop;

    task->coro = coroutine;
    task->name = options->name ? alloc_text(options->name) : next_name();
    task->context = options->context ? host_context_ref(loop, options->context)
                                     : host_context_copy_current(loop);
    task->waiter = NULL;
    task->must_cancel = false;
    task->log_destroy_pending = true;
    task->registered = false;
    task->cancels_requested = 0;
    task->step_error = NULL;
    task->next = NULL;
    task->previous = NULL;
}

/* see task.h.  CPython: Task.__init__. A task that nothing will ever step is done with. */
asy_error *
asy_task_init(asy_task *task, const asy_future_ops *ops, asy_loop *loop, asy_coro *coroutine,
              const asy_task_options *options)
{
    asy_future_init(&task->future, ops, loop);
    task_init_handles(task);
    init_fields(task, coroutine, options);
    asy_error *err = start(task, options->eager_start);
    if (err && !asy_future_done(&task->future))
        err = task_first_error(err, future_cancel(&task->future, NULL, NULL));
    return task_first_error(err, task_unregister_done(task));
}

/* ---- attributes --------------------------------------------------------------- */

/* see task.h */
asy_future *
asy_task_future(asy_task *task)
{
    return &task->future;
}

/* see task.h */
asy_task *
asy_future_task(asy_future *future)
{
    return future->ops->is_task ? (asy_task *)(void *)future : NULL;
}

/* see task.h */
const char *
asy_task_get_name(const asy_task *task)
{
    return task->name;
}

/* see task.h. The name may be a part of the old one. */
void
asy_task_set_name(asy_task *task, const char *name)
{
    char *old = task->name;

    task->name = alloc_text(name);
    asy_free(old);
}

/* see task.h */
asy_coro *
asy_task_get_coro(const asy_task *task)
{
    return task->coro;
}

/* see task.h */
void *
asy_task_get_context(const asy_task *task)
{
    return task->context;
}

/* see task.h */
asy_task *
asy_task_ref(asy_task *task)
{
    asy_future_ref(&task->future);
    return task;
}

/* see task.h */
asy_task *
asy_task_unref(asy_task *task)
{
    if (task)
        asy_future_unref(&task->future);
    return NULL;
}

/* ---- ending ------------------------------------------------------------------- */

static void
report_pending(asy_task *task)
{
    const asy_report report = {
        .message = "Task was destroyed but it is pending!",
        .task = task,
        .run_in = task->context,
    };
    asy_error *err = asy_loop_call_exception_handler(task->future.loop, &report);
    if (err)
        host_unraisable(task->future.loop, &task->future, err);
    asy_error_unref(err);
}

/* see task.h.  CPython: Task.__del__ */
void
asy_task_report_destroyed(asy_task *task)
{
    if (task->log_destroy_pending && !asy_future_done(&task->future)) {
        task->log_destroy_pending = false;
        report_pending(task);
    }
    asy_future_report_unretrieved(&task->future);
}

/* see task.h. The name goes last: until then somebody may want to print the task. */
void
asy_task_clear(asy_task *task)
{
    asy_loop *loop = task->future.loop;
    asy_future *waiter = task->waiter;
    asy_error *step_error = task->step_error;
    void *context = task->context;

    task_list_remove(task);
    task->waiter = NULL;
    task->step_error = NULL;
    task->context = NULL;
    asy_future_clear(&task->future);
    drop_coroutine(task);
    asy_future_unref(waiter);
    asy_error_unref(step_error);
    if (context)
        host_context_unref(loop, context);
    asy_free(task->name);
    task->name = NULL;
}
