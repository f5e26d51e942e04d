/* SPDX-License-Identifier: MIT */
/*
 * The library's own tasks: an embedded task, a reference count, and a text.
 *
 * They exist beside those of a host, whose loop may well run coroutines in C of which the host
 * knows nothing. Like every object of the library they hold a reference to their loop.
 */
#include "await/task_impl.h"
#include "base/alloc.h"

#include <asy/loop.h>
#include <asy/task.h>

/* ---- text --------------------------------------------------------------------- */

static const char *
state_text(const asy_task *task)
{
    if (task->future.state == ASY_FUTURE_PENDING)
        return task->cancels_requested > 0 ? "cancelling" : "pending";
    return task->future.state == ASY_FUTURE_CANCELLED ? "cancelled" : "finished";
}

/* " coro=<greet() running at greet.c:31>", or nothing. CPython: coroutines._format_coroutine */
static char *
describe_coroutine(const asy_coro *coro)
{
    if (!coro)
        return alloc_text("");
    if (asy_coro_finished(coro))
        return asy_format(" coro=<%s() done, defined at %s:%d>", asy_coro_name(coro),
                          coro->type->file, coro->type->line);
    return asy_format(" coro=<%s() running at %s:%d>", asy_coro_name(coro), coro->type->file,
                      coro->resume_line ? coro->resume_line : coro->type->line);
}

/* " wait_for=<Future pending>", or nothing. Of a task only the name: two that wait for one
 * another would never be described. */
static char *
describe_waiter(asy_future *waiter)
{
    if (!waiter)
        return alloc_text("");
    const asy_task *task = asy_future_task(waiter);
    if (task && task->name)
        return asy_format(" wait_for=<%s %s name='%s'>", waiter->ops->name, state_text(task),
                          task->name);
    char *text = asy_future_describe(waiter);
    char *described = asy_format(" wait_for=%s", text);
    asy_free(text);
    return described;
}

static char *
describe_exception(const asy_error *exception)
{
    if (!exception)
        return alloc_text("");
    return asy_format(" exception=%s: %s", asy_error_kind_name(exception->kind),
                      exception->message);
}

/* CPython: base_tasks._task_repr, without the done callbacks */
static char *
describe(asy_future *future)
{
    asy_task *task = asy_future_task(future);
    char *coroutine = describe_coroutine(task->coro);
    char *waiter = describe_waiter(task->waiter);
    char *exception = describe_exception(future->exception);
    char *text = asy_format("<Task %s name='%s'%s%s%s>", state_text(task),
                            task->name ? task->name : "", coroutine, waiter, exception);
    asy_free(exception);
    asy_free(waiter);
    asy_free(coroutine);
    return text;
}

/* ---- the library's own tasks -------------------------------------------------- */

struct own_task {
    asy_task task;
    int      refs;
};

static void
ref(asy_future *future)
{
    ((struct own_task *)(void *)future)->refs++;
}

/* Reporting, and what FINALLY does, may make new references. */
static void
unref(asy_future *future)
{
    struct own_task *self = (struct own_task *)(void *)future;
    asy_loop *loop = future->loop;

    if (self->refs == 1)
        asy_task_report_destroyed(&self->task);
    if (self->refs == 1)
        asy_task_clear(&self->task);
    self->refs--;
    if (self->refs > 0)
        return;
    asy_free(self);
    asy_loop_unref(loop);
}

static const asy_future_ops own_task_ops = {
    .name = "Task",
    .ref = ref,
    .unref = unref,
    .is_task = true,
    .describe = describe,
};

bool
task_is_own(const asy_task *task)
{
    return task->future.ops == &own_task_ops;
}

asy_error *
task_new(asy_loop *loop, asy_coro *coroutine, const asy_task_options *options,
         asy_task **ret_task)
{
    struct own_task *self = asy_alloc(sizeof *self);

    self->refs = 1;
    asy_error *err = asy_task_init(&self->task, &own_task_ops, asy_loop_ref(loop), coroutine,
                                   options);
    if (err)
        asy_task_unref(&self->task);
    else
        *ret_task = &self->task;
    return err;
}
