/* SPDX-License-Identifier: MIT */
/*
 * The two handles that are part of every task, so that a step allocates nothing: __step, which the
 * task queues by itself, and __wakeup, which it gives to the future that it waits for.
 *
 * A reference to one of them is a reference to the task. That is what keeps a task alive that
 * nobody else holds: the loop, or the future it waits for, does.
 */
#include "await/task_impl.h"
#include "base/alloc.h"
#include "core/loop_impl.h"

#include <asy/task.h>

static asy_task *
task_of_step(asy_handle *handle)
{
    return (asy_task *)(void *)((char *)handle - offsetof(asy_task, step_handle));
}

static asy_task *
task_of_wakeup(asy_handle *handle)
{
    return (asy_task *)(void *)((char *)handle - offsetof(asy_task, wakeup_handle));
}

static asy_error *
run_step(void *argument)
{
    asy_task *task = argument;
    asy_error *thrown = task->step_error;

    task->step_error = NULL;
    return task_step(task, thrown);
}

static asy_error *
run_wakeup(void *argument)
{
    return asy_task_wakeup(argument);
}

static asy_error *
step_handle_run(asy_handle *handle)
{
    asy_task *task = task_of_step(handle);
    return host_context_run(handle->loop, task->context, run_step, task);
}

static asy_error *
wakeup_handle_run(asy_handle *handle)
{
    asy_task *task = task_of_wakeup(handle);
    return host_context_run(handle->loop, task->context, run_wakeup, task);
}

static void
handle_ref(asy_handle *handle)
{
    asy_task_ref(asy_handle_task(handle));
}

static void
handle_unref(asy_handle *handle)
{
    asy_task_unref(asy_handle_task(handle));
}

static void *
handle_context(asy_handle *handle)
{
    return asy_handle_task(handle)->context;
}

/* CPython: base_events._format_handle */
static char *
describe_handle(asy_handle *handle)
{
    return asy_future_describe(&asy_handle_task(handle)->future);
}

/* Not the task's text, in which that of its waiter stands: this is part of the latter. */
static char *
describe_wakeup(asy_handle *handle)
{
    (void)handle;
    return alloc_text("Task.task_wakeup()");
}

static const asy_handle_ops step_handle_ops = {
    .run = step_handle_run,
    .ref = handle_ref,
    .unref = handle_unref,
    .context = handle_context,
    .describe = describe_handle,
    .describe_callback = describe_handle,
};

static const asy_handle_ops wakeup_handle_ops = {
    .run = wakeup_handle_run,
    .ref = handle_ref,
    .unref = handle_unref,
    .context = handle_context,
    .describe = describe_handle,
    .describe_callback = describe_wakeup,
};

void
task_init_handles(asy_task *task)
{
    asy_handle_init(&task->step_handle, &step_handle_ops, task->future.loop);
    asy_handle_init(&task->wakeup_handle, &wakeup_handle_ops, task->future.loop);
}

/* see task.h */
asy_task *
asy_handle_task(asy_handle *handle)
{
    if (handle->ops == &step_handle_ops)
        return task_of_step(handle);
    return handle->ops == &wakeup_handle_ops ? task_of_wakeup(handle) : NULL;
}

/* ---- queueing ----------------------------------------------------------------- */

asy_error *
task_call_step_soon(asy_task *task, asy_error *thrown)
{
    asy_loop *loop = task->future.loop;
    asy_error *err = asy_loop_check_call(loop);

    if (err) {
        asy_error_unref(thrown);
        return err;
    }
    task->step_error = thrown;
    asy_loop_add_handle(loop, &task->step_handle);
    return ASY_OK;
}
