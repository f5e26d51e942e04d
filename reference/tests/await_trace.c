/* SPDX-License-Identifier: MIT */
/* See await_trace.h. */
#include "await_trace.h"

#include "core/loop_impl.h"
#include "core/thread.h"

#include <stdio.h>

static int iteration;

int
trace_setup(void **state)
{
    iteration = 0;
    return testing_setup(state);
}

void
trace_note(struct testing *t, const char *format, ...)
{
    char event[100];
    char text[120];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(event, sizeof event, format, arguments);
    va_end(arguments);
    snprintf(text, sizeof text, "%d:%s", iteration, event);
    testing_trace(t, text);
}

void
trace_restart(void)
{
    iteration = 0;
}

static asy_error *
note_report(asy_loop *loop, const asy_report *report, void *argument)
{
    (void)loop;
    trace_note(argument, "report:%.24s", report->message);
    return ASY_OK;
}

void
trace_reports(struct testing *t)
{
    asy_loop_set_exception_handler(t->loop, note_report, t, NULL);
}

static void
run_once_as_running(struct testing *t)
{
    atomic_store(&t->loop->thread_id, thread_id());
    asy_set_running_loop(t->loop);
    testing_run_once(t);
    asy_set_running_loop(NULL);
    atomic_store(&t->loop->thread_id, 0);
}

size_t
trace_timer_count(const asy_loop *loop)
{
    size_t count = 0;

    for (size_t i = 0; i < loop->scheduled.count; i++)
        count += !handle_is_cancelled(&loop->scheduled.timers[i]->handle);
    return count;
}

/* A loop that has been stopped waits for nothing; others would, and then for ever. */
void
trace_run(struct testing *t, int iterations)
{
    for (int i = 0; i < iterations; i++) {
        bool is_idle = asy_loop_ready_count(t->loop) == 0 && trace_timer_count(t->loop) == 0;
        iteration++;
        atomic_store(&t->loop->stopping, is_idle);
        run_once_as_running(t);
        atomic_store(&t->loop->stopping, false);
    }
}

asy_task *
trace_task(struct testing *t, asy_coro *coro)
{
    asy_task *task;
    require_ok(asy_loop_create_task(t->loop, coro, NULL, &task));
    return task;
}

asy_task *
trace_eager(struct testing *t, asy_coro *coro)
{
    const asy_task_options options = { .eager_start = true };
    asy_task *task;
    require_ok(asy_loop_create_task(t->loop, coro, &options, &task));
    return task;
}

void
trace_start(struct testing *t, asy_coro *coro)
{
    require_ok(asy_loop_create_task(t->loop, coro, NULL, NULL));
}

struct note {
    struct testing *t;
    const char     *name;
    asy_future     *future;         /* owned, as a callback in Python holds its argument */
};

static asy_error *
add_note(void *argument)
{
    const struct note *note = argument;
    trace_note(note->t, "%s", note->name);
    return ASY_OK;
}

static void
drop_note(void *argument)
{
    struct note *note = argument;
    asy_future_unref(note->future);
    asy_free(note);
}

void
trace_note_done(struct testing *t, const char *name, asy_future *future)
{
    struct note *note = asy_alloc(sizeof *note);

    *note = (struct note){ t, name, asy_future_ref(future) };
    require_ok(asy_future_add_done_callback(future, asy_own(add_note, note, drop_note), NULL));
}

void
trace_note_task_done(struct testing *t, const char *name, asy_task *task)
{
    trace_note_done(t, name, asy_task_future(task));
}

void
trace_note_cancelled(struct testing *t, asy_future *future)
{
    trace_note(t, "%s", asy_future_cancelled(future) ? "cancelled" : "not");
}

/* ---- nap ------------------------------------------------------------------------ */

struct nap {
    asy_coro        co;
    struct testing *t;
    const char     *name;
    int             naps;
    bool            raises;
};

ASYNC(nap)
{
    asy_error *err;

    ASYNC_BEGIN;

    trace_note(self->t, "%s>", self->name);
    for (; self->naps > 0; self->naps--) {
        TRY_AWAIT(err, asy_sleep(self->t->loop, 0));
        if (err) {
            trace_note(self->t, "%s!", self->name);
            return err;
        }
    }
    trace_note(self->t, "%s%s", self->name, self->raises ? "x" : ".");
    if (self->raises)
        RAISE(LookupError, "%s", self->name);

    ASYNC_END;
}

FINALLY(nap)
{
}

asy_coro *
nap(struct testing *t, const char *name, int naps)
{
    return ASYNC_CALL(nap, .t = t, .name = name, .naps = naps);
}

asy_coro *
nap_and_raise(struct testing *t, const char *name, int naps)
{
    return ASYNC_CALL(nap, .t = t, .name = name, .naps = naps, .raises = true);
}

struct stubborn {
    asy_coro        co;
    struct testing *t;
    const char     *name;
    int             naps;
};

ASYNC(stubborn)
{
    asy_error *err;

    ASYNC_BEGIN;

    TRY_AWAIT(err, nap(self->t, self->name, self->naps));
    if (err) {
        asy_error_unref(err);
        AWAIT(nap(self->t, self->name, self->naps));
    }

    ASYNC_END;
}

FINALLY(stubborn)
{
}

asy_coro *
stubborn(struct testing *t, const char *name, int naps)
{
    return ASYNC_CALL(stubborn, .t = t, .name = name, .naps = naps);
}

/* ---- awaiting -------------------------------------------------------------------- */

struct awaiting {
    asy_coro    co;
    asy_future *future;
};

ASYNC(awaiting)
{
    ASYNC_BEGIN;

    AWAIT(self->future);

    ASYNC_END;
}

FINALLY(awaiting)
{
    asy_future_unref(self->future);
}

asy_coro *
awaiting_stolen(asy_future *future)
{
    return ASYNC_CALL(awaiting, .future = future);
}

asy_coro *
awaiting(asy_future *future)
{
    return awaiting_stolen(asy_future_ref(future));
}

/* Let go of what was not awaited, without a warning. */
static void
close_inner(asy_coro *inner)
{
    if (inner)
        asy_error_unref(asy_coro_close(inner));
    asy_coro_unref(inner);
}

static const char *
outcome(const asy_error *err)
{
    return err ? asy_error_kind_name(err->kind) : "ok";
}

struct watch {
    asy_coro        co;
    struct testing *t;
    const char     *name;
    asy_coro       *inner;
    bool            raises;
};

ASYNC(watch)
{
    asy_error *err;
    asy_coro *inner;

    ASYNC_BEGIN;

    trace_note(self->t, "%s>", self->name);
    inner = self->inner;
    self->inner = NULL;
    TRY_AWAIT(err, inner);
    trace_note(self->t, "%s=%s", self->name, outcome(err));
    if (self->raises)
        return err;
    asy_error_unref(err);

    ASYNC_END;
}

FINALLY(watch)
{
    close_inner(self->inner);
}

asy_coro *
watch(struct testing *t, const char *name, asy_coro *inner)
{
    return ASYNC_CALL(watch, .t = t, .name = name, .inner = inner);
}

asy_coro *
relay(struct testing *t, const char *name, asy_coro *inner)
{
    return ASYNC_CALL(watch, .t = t, .name = name, .inner = inner, .raises = true);
}

struct within {
    asy_coro        co;
    struct testing *t;
    const char     *name;
    double          seconds;
    asy_coro       *inner;
    asy_timeout     timeout;
};

ASYNC(within)
{
    asy_error *err;
    asy_coro *inner;

    ASYNC_BEGIN;

    TRY(asy_timeout_enter(&self->timeout, self->t->loop, self->seconds));
    inner = self->inner;
    self->inner = NULL;
    TRY_AWAIT(err, inner);
    trace_note(self->t, "%s=%s", self->name, outcome(err));
    err = asy_timeout_exit(&self->timeout, err);
    if (err)
        trace_note(self->t, "%s:%s", self->name, outcome(err));
    return err;

    ASYNC_END;
}

FINALLY(within)
{
    asy_timeout_deinit(&self->timeout);
    close_inner(self->inner);
}

asy_coro *
within(struct testing *t, const char *name, double seconds, asy_coro *inner)
{
    return ASYNC_CALL(within, .t = t, .name = name, .seconds = seconds, .inner = inner);
}
