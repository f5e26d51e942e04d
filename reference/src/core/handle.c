/* SPDX-License-Identifier: MIT */
/*
 * Handle and TimerHandle.
 *
 * Two kinds of code meet here: what the loop does with any handle (cancel, run), and the
 * library's own handle, which wraps an asy_callback.
 *
 * A handle of call_soon_threadsafe may be cancelled by one thread while another runs it. The
 * loop's run_lock orders the two: a handle that is cancelled first does not run; and a handle
 * that runs is only marked, so that nothing is taken from under its callback. From 3.14 on the
 * cancelling thread then waits until the callback has returned.
 */
#include "base/alloc.h"
#include "core/loop_impl.h"
#include "core/thread.h"

#include <asy/context.h>
#include <stdlib.h>

/* The flag may be set by another thread. A builtin and not atomic_bool, because the field stands
 * in a public header, which C++ reads too. */
bool
handle_is_cancelled(const asy_handle *handle)
{
    return __atomic_load_n(&handle->cancelled, __ATOMIC_ACQUIRE);
}

static void
mark_cancelled(asy_handle *handle)
{
    __atomic_store_n(&handle->cancelled, true, __ATOMIC_RELEASE);
}

/* ---- any handle --------------------------------------------------------------- */

/* see handle.h */
void
asy_handle_init(asy_handle *handle, const asy_handle_ops *ops, asy_loop *loop)
{
    handle->ops = ops;
    handle->loop = loop;
    handle->cancelled = false;
    handle->threadsafe = false;
    handle->is_timer = false;
    handle->scheduled = false;
    handle->mark = false;
}

/* see handle.h */
void
asy_timer_handle_init(asy_timer_handle *timer, const asy_handle_ops *ops, asy_loop *loop,
                      double when)
{
    asy_handle_init(&timer->handle, ops, loop);
    timer->handle.is_timer = true;
    timer->when = when;
}

/* see handle.h */
asy_handle *
asy_handle_ref(asy_handle *handle)
{
    handle->ops->ref(handle);
    return handle;
}

/* see handle.h */
asy_handle *
asy_handle_unref(asy_handle *handle)
{
    if (handle)
        handle->ops->unref(handle);
    return NULL;
}

/* see handle.h */
asy_timer_handle *
asy_timer_handle_unref(asy_timer_handle *timer)
{
    if (timer)
        asy_handle_unref(&timer->handle);
    return NULL;
}

/* see handle.h */
bool
asy_handle_cancelled(const asy_handle *handle)
{
    return handle_is_cancelled(handle);
}

/* see handle.h */
void *
asy_handle_get_context(asy_handle *handle)
{
    return handle->ops->context ? handle->ops->context(handle) : NULL;
}

/* see handle.h */
double
asy_timer_handle_when(const asy_timer_handle *timer)
{
    return timer->when;
}

/* see handle.h */
asy_handle *
asy_timer_handle_base(asy_timer_handle *timer)
{
    return &timer->handle;
}

char *
handle_describe(asy_handle *handle)
{
    char *text = handle->ops->describe ? handle->ops->describe(handle) : NULL;
    return text ? text : asy_format("<Handle>");
}

char *
handle_describe_callback(asy_handle *handle)
{
    char *text = handle->ops->describe_callback ? handle->ops->describe_callback(handle) : NULL;
    return text ? text : alloc_text("?");
}

/* ---- cancelling --------------------------------------------------------------- */

static void
clear(asy_handle *handle)
{
    if (handle->ops->clear)
        handle->ops->clear(handle);
}

/* The run of the callback in another thread, or NULL; run_lock is held. */
static struct threadsafe_run *
run_elsewhere(const asy_handle *handle)
{
    struct threadsafe_run *run = handle->loop->threadsafe_runs;
    while (run && (run->handle != handle || run->thread == thread_id()))
        run = run->outer;
    return run;
}

/* Wait until the callback has returned. run_lock is held, but not while the host's lock is
 * taken, which the callback may need for its return. */
static void
wait_for_callback(asy_handle *handle)
{
    asy_loop *loop = handle->loop;

    pthread_mutex_unlock(&loop->run_lock);
    void *released = host_release_lock(loop);
    pthread_mutex_lock(&loop->run_lock);
    while (run_elsewhere(handle))
        pthread_cond_wait(&loop->run_ended, &loop->run_lock);
    pthread_mutex_unlock(&loop->run_lock);
    host_acquire_lock(loop, released);
    pthread_mutex_lock(&loop->run_lock);
}

/* CPython: _ThreadSafeHandle.cancel */
static void
cancel_threadsafe(asy_handle *handle)
{
    asy_loop *loop = handle->loop;

    pthread_mutex_lock(&loop->run_lock);
    while (run_elsewhere(handle) && loop->behaves[BEHAVIOUR_THREADSAFE_CANCEL_WAITS])
        wait_for_callback(handle);
    bool first = !handle_is_cancelled(handle);
    struct threadsafe_run *run = run_elsewhere(handle);
    mark_cancelled(handle);
    if (first && run)
        run->clear_afterwards = true;
    pthread_mutex_unlock(&loop->run_lock);
    if (first && !run)
        clear(handle);
}

/* see handle.h.  CPython: Handle.cancel, TimerHandle.cancel */
void
asy_handle_cancel(asy_handle *handle)
{
    if (handle->threadsafe) {
        cancel_threadsafe(handle);
        return;
    }
    if (handle_is_cancelled(handle))
        return;
    if (handle->scheduled)
        handle->loop->timer_cancelled_count++;
    mark_cancelled(handle);
    clear(handle);
}

/* ---- running ------------------------------------------------------------------ */

static asy_error *
run_and_report(asy_handle *handle)
{
    asy_error *err = handle->ops->run(handle);
    if (err && !asy_error_is_fatal(err))
        err = loop_report_callback_error(handle, err);
    return err;
}

/* Whether it may run: it has not been cancelled in the meantime. */
static bool
begin_threadsafe_run(asy_handle *handle, struct threadsafe_run *run)
{
    asy_loop *loop = handle->loop;

    pthread_mutex_lock(&loop->run_lock);
    bool may_run = !handle_is_cancelled(handle);
    if (may_run) {
        *run = (struct threadsafe_run){ handle, thread_id(), false, loop->threadsafe_runs };
        loop->threadsafe_runs = run;
    }
    pthread_mutex_unlock(&loop->run_lock);
    return may_run;
}

static void
end_threadsafe_run(asy_handle *handle, const struct threadsafe_run *run)
{
    asy_loop *loop = handle->loop;

    pthread_mutex_lock(&loop->run_lock);
    loop->threadsafe_runs = run->outer;
    pthread_cond_broadcast(&loop->run_ended);
    pthread_mutex_unlock(&loop->run_lock);
    if (run->clear_afterwards)
        clear(handle);
}

asy_error *
handle_run(asy_handle *handle)
{
    struct threadsafe_run run;

    if (!handle->threadsafe)
        return run_and_report(handle);
    if (!begin_threadsafe_run(handle, &run))
        return ASY_OK;
    asy_error *err = run_and_report(handle);
    end_threadsafe_run(handle, &run);
    return err;
}
