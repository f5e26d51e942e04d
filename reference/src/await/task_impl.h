/* SPDX-License-Identifier: MIT */
/*
 * What the files of this folder call of each other, but for futures.
 *
 * Every task that is not done is in its loop's list, in the order of creation. The list borrows:
 * a task that ends, or goes, takes itself out.
 */
#ifndef AWAIT_TASK_IMPL_H
#define AWAIT_TASK_IMPL_H

#include <asy/task.h>

/* ---- task_list.c -------------------------------------------------------------- */

/* tasks._register_task: put the task into its loop's list, and tell the host. */
asy_error *task_register(asy_task *task) ASY_MUST_CHECK;

/* tasks._unregister_task, if the task is done. */
asy_error *task_unregister_done(asy_task *task) ASY_MUST_CHECK;

/* Take the task out of the list, if it is in, and tell nobody. */
void task_list_remove(asy_task *task);

/* tasks._enter_task and _leave_task: make it the loop's current one, and no more, and tell the
 * host.
 *
 * Raises   RuntimeError: another one is current. What the host raises; then none is.
 */
asy_error *task_enter(asy_task *task) ASY_MUST_CHECK;
asy_error *task_leave(asy_task *task) ASY_MUST_CHECK;

/* Whom an eager task hides while it takes its first step. */
struct outer_task {
    asy_task *task;                     /* it is in the middle of a step; borrowed. Or NULL */
    void     *host_task;                /* what the host had as its current one; the host's */
};

/* tasks._swap_current_task, twice: make the task the current one, whatever is, and that again.
 *
 * Raises   what the host raises; then nothing has changed.
 */
asy_error *task_swap_in(asy_task *task, struct outer_task *ret_outer) ASY_MUST_CHECK;
void task_swap_out(asy_task *task, struct outer_task outer);

/* Of two calls that both have to be made, the error of the first that raised. Steals both. */
asy_error *task_first_error(asy_error *first, asy_error *second) ASY_MUST_CHECK;

/* ---- task_handle.c ------------------------------------------------------------ */

void task_init_handles(asy_task *task);

/* loop.call_soon(task.__step, thrown). Steals thrown. */
asy_error *task_call_step_soon(asy_task *task, asy_error *thrown) ASY_MUST_CHECK;

/* ---- task.c ------------------------------------------------------------------- */

/* Task.__step. The caller holds a reference to the task. Steals thrown. */
asy_error *task_step(asy_task *task, asy_error *thrown) ASY_MUST_CHECK;

/* The same without what stands around it. Steals thrown. */
asy_error *task_run_and_handle_result(asy_task *task, asy_error *thrown) ASY_MUST_CHECK;

/* ---- task_object.c ------------------------------------------------------------ */

/* The coroutine ends here, without running on; and the task no longer holds its waiter. */
void task_abandon(asy_task *task);

/* ---- own_task.c --------------------------------------------------------------- */

/* Whether the task was made by task_new(). */
bool task_is_own(const asy_task *task);

/* asyncio.Task(coroutine, ...) in memory of the library: create_task() without the factory.
 * Steals coroutine. */
asy_error *task_new(asy_loop *loop, asy_coro *coroutine, const asy_task_options *options,
                    asy_task **ret_task) ASY_MUST_CHECK;

/* ---- wait.c ------------------------------------------------------------------- */

/* A callback that fulfils the waiter, a plain future, if it is not done: it owns a reference. And
 * the future no longer calls it. */
asy_callback waiter_releasing(asy_future *waiter);
void waiter_forget(asy_future *waiter, asy_future *future);

/* Whether a timeout is none: negative, or not a number. */
bool wait_is_for_ever(double timeout);

#endif
