/* SPDX-License-Identifier: MIT */
/* See cancel_sweep.h. */
#include "cancel_sweep.h"

#include "await_trace.h"

#include "core/loop_impl.h"

#define MOST_ITERATIONS 1000        /* an operation that takes more has no end */

struct run {
    const struct cancel_sweep *operation;
    struct testing            *t;
    asy_task                  *task;
    void                      *data;
    size_t                     watched_before;      /* the loop watches its own pipe */
};

static bool
is_done(const struct run *run)
{
    return asy_future_done(asy_task_future(run->task));
}

/* Whether an iteration would not wait for ever. */
static bool
can_run(const asy_loop *loop)
{
    return asy_loop_ready_count(loop) > 0 || trace_timer_count(loop) > 0;
}

/* The same while the operation goes on: what it watches is expected to become ready. */
static bool
can_go_on(const struct run *run)
{
    return can_run(run->t->loop) || run->t->loop->watched.count > run->watched_before;
}

/* Run until the operation is done, at most so many iterations. */
static void
run_iterations(struct run *run, int most)
{
    for (int i = 0; i < most && !is_done(run) && can_go_on(run); i++)
        testing_run_once(run->t);
}

static void
fail_run(const struct run *run, int cancelled_at, const char *what)
{
    print_error("%s, cancelled before iteration %d: %s\n", run->operation->name, cancelled_at,
                what);
    fail();
}

/* Cancelled, as it was asked to be; or it had won. */
static void
require_outcome(struct run *run, int cancelled_at, bool cancelled)
{
    const struct cancel_sweep *operation = run->operation;
    asy_error *err = asy_future_result(asy_task_future(run->task), NULL);

    if (!err && operation->raises != ASY_BaseException)
        fail_run(run, cancelled_at, "it has not raised");
    if (err && err->kind != operation->raises && !(cancelled && err->kind == ASY_CancelledError))
        fail_run(run, cancelled_at, err->message);
    if (!err && operation->require_result)
        operation->require_result(run->t, run->data);
    asy_error_unref(err);
}

/* The operation is over, and its data are released. What is queued runs, and other tasks may end
 * by themselves; a timer that nobody waits for was left behind. */
static void
require_nothing_left(struct run *run, int cancelled_at)
{
    const asy_loop *loop = run->t->loop;

    for (int i = 0; i < MOST_ITERATIONS && can_run(loop); i++) {
        if (asy_loop_ready_count(loop) == 0 && !loop->first_task)
            break;
        testing_run_once(run->t);
    }
    if (asy_loop_ready_count(loop) > 0)
        fail_run(run, cancelled_at, "a callback is left");
    if (loop->first_task)
        fail_run(run, cancelled_at, "a task is left");
    if (trace_timer_count(loop) > 0)
        fail_run(run, cancelled_at, "a timer is left");
    if (loop->watched.count != run->watched_before)
        fail_run(run, cancelled_at, "a watched descriptor is left");
    if (run->t->log[0])
        fail_run(run, cancelled_at, run->t->log);
}

static void
end(struct run *run)
{
    asy_task_unref(run->task);
    if (run->operation->release)
        run->operation->release(run->t, run->data);
    asy_free(run->data);
}

/* One run. Returns whether the operation had ended before the iteration. */
static bool
run_once(const struct cancel_sweep *operation, int cancelled_at)
{
    void *state;
    bool won;

    assert_int_equal(testing_setup(&state), 0);
    struct run run = { .operation = operation, .t = state };
    run.watched_before = run.t->loop->watched.count;
    asy_coro *coro = operation->make(run.t, &run.data);
    require_ok(asy_loop_create_task(run.t->loop, coro, NULL, &run.task));
    run_iterations(&run, cancelled_at);
    won = is_done(&run);
    require_ok(asy_task_cancel(run.task, NULL, NULL));
    run_iterations(&run, MOST_ITERATIONS);
    if (!is_done(&run))
        fail_run(&run, cancelled_at, "it does not end");
    require_outcome(&run, cancelled_at, !won);
    end(&run);
    require_nothing_left(&run, cancelled_at);
    assert_int_equal(testing_teardown(&state), 0);
    return won;
}

int
cancel_sweep(const struct cancel_sweep *operation)
{
    int iterations = 0;

    while (!run_once(operation, iterations)) {
        iterations++;
        assert_true(iterations < MOST_ITERATIONS);
    }
    print_message("%s: %d iterations\n", operation->name, iterations);
    return iterations;
}
