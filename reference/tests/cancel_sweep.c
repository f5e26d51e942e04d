/* SPDX-License-Identifier: MIT */
/* See cancel_sweep.h. */
#include "cancel_sweep.h"

#include "await_trace.h"

#include "core/loop_impl.h"

#include <math.h>

#define MOST_ITERATIONS 1000        /* an operation that takes more has no end */
#define A_MOMENT (1.0 / 1024)       /* seconds, of a clock that stands still meanwhile */

/* How it is cancelled. */
enum way {
    BETWEEN_ITERATIONS,
    AHEAD_OF_WHAT_IS_READY,
    BEHIND_WHAT_IS_READY,
    BY_A_TIMEOUT,
    WAY_COUNT
};

static const char *const way_names[] = {
    "cancelled before", "cancelled early in", "cancelled late in", "timed out in",
};

struct run {
    const struct cancel_sweep *operation;
    enum way                   way;
    int                        iteration;           /* in which it is cancelled */
    struct testing            *t;
    asy_task                  *task;
    asy_timeout               *timeout;             /* of the coroutine below, while it runs */
    void                      *data;
    size_t                     watched_before;      /* the loop watches its own pipe */
};

/* ---- the operation within a timeout -------------------------------------------------- */

struct timed {
    asy_coro    co;
    struct run *run;
    asy_coro   *inner;                              /* owned */
    asy_timeout timeout;
};

static asy_coro *
take_inner(struct timed *self)
{
    asy_coro *inner = self->inner;

    self->inner = NULL;
    return inner;
}

static asy_error *
enter(struct timed *self)
{
    self->run->timeout = &self->timeout;
    return asy_timeout_enter(&self->timeout, self->run->t->loop,
                             self->run->iteration == 0 ? A_MOMENT : INFINITY);
}

ASYNC(timed)
{
    asy_error *err;

    ASYNC_BEGIN;

    TRY(enter(self));
    TRY_AWAIT(err, take_inner(self));
    self->run->timeout = NULL;
    return asy_timeout_exit(&self->timeout, err);

    ASYNC_END;
}

FINALLY(timed)
{
    self->run->timeout = NULL;
    asy_timeout_deinit(&self->timeout);
    if (self->inner) {
        require_ok(asy_coro_close(self->inner));
        asy_coro_unref(self->inner);
    }
}

static asy_coro *
make(struct run *run)
{
    asy_coro *coro = run->operation->make(run->t, &run->data);
    return run->way == BY_A_TIMEOUT ? ASYNC_CALL(timed, .run = run, .inner = coro) : coro;
}

/* ---- cancelling ----------------------------------------------------------------------- */

static asy_error *
cancel(void *argument)
{
    struct run *run = argument;
    return asy_task_cancel(run->task, NULL, NULL);
}

/* In the next iteration, at its moment. What is queued by call_soon() comes before what a poll
 * finds ready, and that comes before the timers that are due. */
static asy_error *
begin_to_cancel(struct run *run)
{
    asy_loop *loop = run->t->loop;
    asy_callback callback = asy_borrow(cancel, run);

    switch (run->way) {
    case BETWEEN_ITERATIONS:
        return cancel(run);
    case AHEAD_OF_WHAT_IS_READY:
        return asy_loop_call_soon(loop, callback, NULL);
    case BEHIND_WHAT_IS_READY:
        return asy_loop_call_at(loop, asy_loop_time(loop), callback, NULL);
    default:
        if (!run->timeout)          /* it has not begun: enter() */
            return ASY_OK;
        TRY(asy_timeout_reschedule(run->timeout, asy_loop_time(loop) + A_MOMENT));
        run->t->now += A_MOMENT;
        return ASY_OK;
    }
}

/* ---- a run ---------------------------------------------------------------------------- */

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
    return can_run(run->t->loop) || run->t->loop->watched.count > run->watched_before
        || run->operation->waits_for_threads;
}

/* Run until the operation is done, at most so many iterations. */
static void
run_iterations(struct run *run, int most)
{
    for (int i = 0; i < most && !is_done(run) && can_go_on(run); i++)
        testing_run_once(run->t);
}

static void
fail_run(const struct run *run, const char *what)
{
    print_error("%s, %s iteration %d: %s\n", run->operation->name, way_names[run->way],
                run->iteration, what);
    fail();
}

/* Cancelled, as it was asked to be; or it had won. */
static void
require_outcome(struct run *run, bool won)
{
    const struct cancel_sweep *operation = run->operation;
    asy_error_kind cancelled = run->way == BY_A_TIMEOUT ? ASY_TimeoutError : ASY_CancelledError;
    asy_error *err = asy_future_result(asy_task_future(run->task), NULL);

    if (!err && operation->raises != ASY_BaseException)
        fail_run(run, "it has not raised");
    if (err && err->kind != operation->raises && (won || err->kind != cancelled))
        fail_run(run, err->message);
    if (!err && operation->require_result)
        operation->require_result(run->t, run->data);
    asy_error_unref(err);
}

/* The operation is over, and its data are released. What is queued runs, and other tasks may end
 * by themselves; a timer that nobody waits for was left behind. */
static void
require_nothing_left(struct run *run)
{
    const asy_loop *loop = run->t->loop;

    for (int i = 0; i < MOST_ITERATIONS && can_run(loop); i++) {
        if (asy_loop_ready_count(loop) == 0 && !loop->first_task)
            break;
        testing_run_once(run->t);
    }
    if (asy_loop_ready_count(loop) > 0)
        fail_run(run, "a callback is left");
    if (loop->first_task)
        fail_run(run, "a task is left");
    if (trace_timer_count(loop) > 0)
        fail_run(run, "a timer is left");
    if (loop->watched.count != run->watched_before)
        fail_run(run, "a watched descriptor is left");
    if (run->t->log[0])
        fail_run(run, run->t->log);
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
run_once(struct run run)
{
    void *state;
    bool won;

    assert_int_equal(testing_setup(&state), 0);
    run.t = state;
    run.watched_before = run.t->loop->watched.count;
    require_ok(asy_loop_create_task(run.t->loop, make(&run), NULL, &run.task));
    run_iterations(&run, run.iteration);
    won = is_done(&run);
    if (!won)
        require_ok(begin_to_cancel(&run));
    run_iterations(&run, MOST_ITERATIONS);
    if (!is_done(&run))
        fail_run(&run, "it does not end");
    require_outcome(&run, won);
    end(&run);
    require_nothing_left(&run);
    assert_int_equal(testing_teardown(&state), 0);
    return won;
}

static int
sweep(const struct cancel_sweep *operation, enum way way)
{
    struct run run = { .operation = operation, .way = way };

    while (!run_once(run)) {
        run.iteration++;
        assert_true(run.iteration < MOST_ITERATIONS);
    }
    return run.iteration;
}

int
cancel_sweep(const struct cancel_sweep *operation)
{
    int iterations = sweep(operation, BETWEEN_ITERATIONS);

    print_message("%s: %d iterations\n", operation->name, iterations);
    for (enum way way = BETWEEN_ITERATIONS + 1; way < WAY_COUNT; way++)
        sweep(operation, way);
    return iterations;
}
