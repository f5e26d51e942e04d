/* SPDX-License-Identifier: MIT */
/*
 * The tasks of a loop: which one runs, which ones there are, and who makes them.
 *
 * CPython keeps the tasks of all loops in sets of weak references. Here each loop has a list
 * through its tasks, so that joining and leaving cost nothing, and the order is that of
 * creation.
 *
 * A loop's host may keep its own account, as CPython does: it is told of everything that happens
 * here, in the calls that CPython makes.
 */
#include "await/future_impl.h"
#include "await/task_impl.h"
#include "core/loop_impl.h"

#include <asy/task.h>

/* ---- the task that runs ------------------------------------------------------- */

/* see task.h.  CPython: tasks.current_task */
asy_task *
asy_current_task(const asy_loop *loop)
{
    return loop->current_task;
}

static asy_error *
another_is_current(asy_task *task, asy_task *current)
{
    char *text = asy_future_describe(&task->future);
    char *other = asy_future_describe(&current->future);
    asy_error *err = asy_error_new(ASY_RuntimeError,
                                   "Cannot enter into task %s while another task %s is being "
                                   "executed.", text, other);
    asy_free(other);
    asy_free(text);
    return err;
}

/* CPython: tasks._enter_task */
asy_error *
task_enter(asy_task *task)
{
    asy_loop *loop = task->future.loop;

    if (loop->current_task)
        return another_is_current(task, loop->current_task);
    TRY(host_enter_task(loop, task));
    loop->current_task = task;
    return ASY_OK;
}

/* CPython: tasks._leave_task. The task is not current any more, whatever the host says: it may be
 * gone soon. */
asy_error *
task_leave(asy_task *task)
{
    asy_loop *loop = task->future.loop;

    loop->current_task = NULL;
    return host_leave_task(loop, task);
}

/* CPython: tasks._swap_current_task. The host may have tasks that are not in our account. */
asy_error *
task_swap_in(asy_task *task, struct outer_task *ret_outer)
{
    asy_loop *loop = task->future.loop;

    ret_outer->task = loop->current_task;
    TRY(host_swap_current_task(loop, task, &ret_outer->host_task));
    loop->current_task = task;
    return ASY_OK;
}

/* CPython: tasks._swap_current_task, the second time */
void
task_swap_out(asy_task *task, struct outer_task outer)
{
    asy_loop *loop = task->future.loop;

    loop->current_task = outer.task;
    host_restore_current_task(loop, outer.host_task);
}

asy_error *
task_first_error(asy_error *first, asy_error *second)
{
    if (!first)
        return second;
    asy_error_unref(second);
    return first;
}

/* ---- the list ----------------------------------------------------------------- */

static void
append(asy_task *task)
{
    asy_loop *loop = task->future.loop;

    task->previous = loop->last_task;
    task->next = NULL;
    if (loop->last_task)
        loop->last_task->next = task;
    else
        loop->first_task = task;
    loop->last_task = task;
    task->registered = true;
}

void
task_list_remove(asy_task *task)
{
    asy_loop *loop = task->future.loop;

    if (!task->registered)
        return;
    if (task->previous)
        task->previous->next = task->next;
    else
        loop->first_task = task->next;
    if (task->next)
        task->next->previous = task->previous;
    else
        loop->last_task = task->previous;
    task->previous = NULL;
    task->next = NULL;
    task->registered = false;
}

asy_error *
task_register(asy_task *task)
{
    append(task);
    return host_register_task(task->future.loop, task);
}

asy_error *
task_unregister_done(asy_task *task)
{
    if (!task->registered || !asy_future_done(&task->future))
        return ASY_OK;
    task_list_remove(task);
    return host_unregister_task(task->future.loop, task);
}

static size_t
count_tasks(const asy_loop *loop)
{
    size_t count = 0;

    for (const asy_task *each = loop->first_task; each; each = each->next)
        count++;
    return count;
}

/* see task.h.  CPython: tasks.all_tasks. The list is copied before anything is called. */
asy_task **
asy_all_tasks(const asy_loop *loop, size_t *ret_count)
{
    asy_task **tasks = asy_alloc(count_tasks(loop) * sizeof *tasks);
    size_t count = 0;

    for (asy_task *each = loop->first_task; each; each = each->next) {
        if (!asy_future_done(&each->future))
            tasks[count++] = each;
    }
    for (size_t i = 0; i < count; i++)
        asy_task_ref(tasks[i]);
    *ret_count = count;
    return tasks;
}

/* ---- when the loop is closed ---------------------------------------------------- */

/* A task and the future that it waits for hold each other; so do tasks that wait for one another,
 * through their callbacks, which will not run: none of them will be done. A host has a garbage
 * collector, which finds that when the loop is gone; a program in C has none. No task can be added
 * any more; but what the coroutines do as they end may add callbacks. */
void
loop_abandon_tasks(asy_loop *loop)
{
    size_t count;
    asy_task **tasks = asy_all_tasks(loop, &count);

    for (size_t i = 0; i < count; i++) {
        if (task_is_own(tasks[i]))
            task_abandon(tasks[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (task_is_own(tasks[i]))
            future_release_callbacks(&tasks[i]->future);
        asy_task_unref(tasks[i]);
    }
    asy_free(tasks);
}

/* ---- who makes them ----------------------------------------------------------- */

/* see task.h.  CPython: BaseEventLoop.set_task_factory */
void
asy_loop_set_task_factory(asy_loop *loop, asy_task_factory factory, void *argument,
                          void (*drop)(void *argument))
{
    void *old_argument = loop->task_factory_argument;
    void (*old_drop)(void *) = loop->task_factory_drop;

    loop->task_factory = factory;
    loop->task_factory_argument = argument;
    loop->task_factory_drop = drop;
    if (old_drop)
        old_drop(old_argument);
}

/* see task.h */
asy_task_factory
asy_loop_get_task_factory(const asy_loop *loop, void **ret_argument)
{
    if (ret_argument)
        *ret_argument = loop->task_factory_argument;
    return loop->task_factory;
}

static asy_error *
make_task(asy_loop *loop, asy_coro *coroutine, const asy_task_options *options,
          asy_task **ret_task)
{
    asy_error *err = loop_check_closed(loop);

    if (err) {
        asy_coro_unref(coroutine);
        return err;
    }
    if (!loop->task_factory)
        return task_new(loop, coroutine, options, ret_task);
    return loop->task_factory(loop, coroutine, options, loop->task_factory_argument, ret_task);
}

/* see task.h.  CPython: BaseEventLoop.create_task. A coroutine that gets no task is dropped, and
 * says that it was never awaited, as CPython's does. */
asy_error *
asy_loop_create_task(asy_loop *loop, asy_coro *coroutine, const asy_task_options *options,
                     asy_task **ret_task)
{
    static const asy_task_options no_options;
    asy_task *task;

    TRY(make_task(loop, coroutine, options ? options : &no_options, &task));
    if (ret_task)
        *ret_task = task;
    else
        asy_task_unref(task);
    return ASY_OK;
}

/* see task.h.  CPython: tasks.eager_task_factory */
asy_error *
asy_eager_task_factory(asy_loop *loop, asy_coro *coroutine, const asy_task_options *options,
                       void *argument, asy_task **ret_task)
{
    asy_task_options eager = *options;

    (void)argument;
    eager.eager_start = true;
    return task_new(loop, coroutine, &eager, ret_task);
}
