/* SPDX-License-Identifier: MIT */
/*
 * asyncio.run(): a loop for one coroutine.
 *
 * Its promise is that nothing is left running: whatever tasks there still are when the coroutine
 * has ended are cancelled, and waited for. What goes wrong in them then has nobody to go to but
 * the exception handler. The jobs of the default executor, which cannot be cancelled, are waited
 * for, too.
 */
#include "base/alloc.h"
#include "core/loop_impl.h"

#include <asy/coro.h>
#include <asy/executor.h>
#include <asy/future.h>
#include <asy/loop.h>
#include <asy/task.h>

#define THREAD_JOIN_TIMEOUT 300     /* seconds; as asyncio's constant of this name */

/* Run until the future is done; its own exception comes back, too. */
static asy_error *
run_until_complete(asy_loop *loop, asy_future *future)
{
    TRY(asy_loop_run_until_done(loop, future));
    return asy_future_result(future, NULL);
}

static asy_error *
run_main(asy_loop *loop, asy_coro *coroutine)
{
    asy_task *task;

    if (!coroutine)
        RAISE(TypeError, "An asyncio.Future, a coroutine or an awaitable is required");
    TRY(asy_loop_create_task(loop, coroutine, NULL, &task));
    asy_error *err = run_until_complete(loop, asy_task_future(task));
    asy_task_unref(task);
    return err;
}

/* ---- the tasks that are left ------------------------------------------------------ */

struct leftovers {
    asy_future **futures;
    size_t       count;
};

static struct leftovers
find_leftovers(const asy_loop *loop)
{
    size_t count;
    asy_task **tasks = asy_all_tasks(loop, &count);
    struct leftovers left = { asy_alloc(count * sizeof left.futures[0]), count };

    for (size_t i = 0; i < count; i++)
        left.futures[i] = asy_task_future(tasks[i]);
    asy_free(tasks);
    return left;
}

static void
release_leftovers(struct leftovers left)
{
    for (size_t i = 0; i < left.count; i++)
        asy_future_unref(left.futures[i]);
    asy_free(left.futures);
}

static asy_error *
cancel_and_wait(asy_loop *loop, struct leftovers left)
{
    for (size_t i = 0; i < left.count; i++)
        TRY(asy_future_cancel(left.futures[i], NULL, NULL));
    asy_future *all;
    TRY(asy_gather(loop, left.futures, left.count, true, &all));
    asy_error *err = run_until_complete(loop, all);
    asy_future_unref(all);
    return err;
}

static asy_error *
report_exception(asy_loop *loop, asy_future *future)
{
    asy_error *exception;

    if (asy_future_cancelled(future))
        return ASY_OK;
    TRY(asy_future_exception(future, &exception));
    const asy_report report = {
        .message = "unhandled exception during asyncio.run() shutdown",
        .exception = exception,
        .task = asy_future_task(future),
        .run_in = asy_task_get_context(asy_future_task(future)),
    };
    return exception ? asy_loop_call_exception_handler(loop, &report) : ASY_OK;
}

static asy_error *
end_leftovers(asy_loop *loop, struct leftovers left)
{
    if (left.count == 0)
        return ASY_OK;
    TRY(cancel_and_wait(loop, left));
    for (size_t i = 0; i < left.count; i++)
        TRY(report_exception(loop, left.futures[i]));
    return ASY_OK;
}

/* CPython: runners._cancel_all_tasks */
static asy_error *
cancel_all_tasks(asy_loop *loop)
{
    struct leftovers left = find_leftovers(loop);
    asy_error *err = end_leftovers(loop, left);

    release_leftovers(left);
    return err;
}

/* ---- the default executor ---------------------------------------------------------- */

/* CPython: loop.run_until_complete(loop.shutdown_default_executor(...)) */
static asy_error *
shutdown_default_executor(asy_loop *loop)
{
    return run_main(loop, asy_shutdown_default_executor(loop, THREAD_JOIN_TIMEOUT));
}

/* CPython: the try block of Runner.close */
static asy_error *
leave_nothing(asy_loop *loop)
{
    TRY(cancel_all_tasks(loop));
    return shutdown_default_executor(loop);
}

/* ---- run -------------------------------------------------------------------------- */

/* Of two errors the later one is raised, as by a finally clause. Steals both. */
static asy_error *
later_error(asy_error *earlier, asy_error *later)
{
    if (!later)
        return earlier;
    asy_error_unref(earlier);
    return later;
}

/* see task.h.  CPython: runners.run, Runner.run, Runner.close. There is no signal handler: SIGINT
 * ends a C program. */
asy_error *
asy_run(asy_coro *(*make_main)(asy_loop *loop, void *argument), void *argument)
{
    asy_loop *loop;

    if (asy_running_loop())
        RAISE(RuntimeError, "asyncio.run() cannot be called from a running event loop");
    TRY(asy_new_event_loop(&loop));
    asy_set_event_loop(loop);
    asy_error *err = run_main(loop, make_main(loop, argument));
    err = later_error(err, leave_nothing(loop));
    asy_set_event_loop(NULL);
    err = later_error(err, asy_loop_close(loop));
    asy_loop_unref(loop);
    return err;
}
