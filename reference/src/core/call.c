/* SPDX-License-Identifier: MIT */
/*
 * call_soon() and its siblings: check, make a handle, put it where it belongs.
 *
 * The functions of host.h, for handles that are made elsewhere, do the last step only.
 */
#include "core/loop_impl.h"
#include "core/thread.h"

/* ---- for embedders ------------------------------------------------------------ */

/* see host.h */
asy_error *
asy_loop_check_call(asy_loop *loop)
{
    TRY(loop_check_closed(loop));
    return asy_loop_get_debug(loop) ? loop_check_thread(loop) : ASY_OK;
}

/* see host.h */
void
asy_loop_add_handle(asy_loop *loop, asy_handle *handle)
{
    if (!asy_loop_is_closed(loop))
        loop_append(loop, asy_handle_ref(handle));
}

/* see host.h */
asy_error *
asy_loop_add_handle_threadsafe(asy_loop *loop, asy_handle *handle)
{
    handle->threadsafe = true;
    return loop_hand_over(loop, handle);
}

/* see host.h */
void
asy_loop_add_timer_handle(asy_loop *loop, asy_timer_handle *timer)
{
    if (asy_loop_is_closed(loop))
        return;
    asy_handle_ref(&timer->handle);
    heap_push(&loop->scheduled, timer);
    timer->handle.scheduled = true;
}

/* The loop's own thread appends directly. Another one must not touch the queue: it leaves the
 * handle in the inbox, which is taken in before anything else is appended. Either way it is the
 * arrival that decides the order. (A loop that has an own thread runs, and so is not closed.) */
asy_error *
loop_hand_over(asy_loop *loop, asy_handle *handle)
{
    asy_error *err;
    bool own_thread = atomic_load(&loop->thread_id) == thread_id();

    if (own_thread)
        loop_append(loop, asy_handle_ref(handle));
    pthread_mutex_lock(&loop->inbox_lock);
    err = loop_check_closed(loop);
    if (!err && !own_thread) {
        queue_push(&loop->inbox, asy_handle_ref(handle));
        atomic_fetch_add(&loop->inbox_count, 1);
    }
    loop_write_to_self(loop);
    pthread_mutex_unlock(&loop->inbox_lock);
    return err;
}

/* ---- for C programs ----------------------------------------------------------- */

/* CPython: BaseEventLoop._check_callback */
static asy_error *
check_callback(const asy_loop *loop, asy_callback callback, const char *method)
{
    if (asy_loop_get_debug(loop) && !callback.function)
        RAISE(TypeError, "a callable object was expected by %s(), got NULL", method);
    return ASY_OK;
}

/* What stands at the start of each method. Drops the callback when it raises. */
static asy_error *
check_call(asy_loop *loop, asy_callback callback, const char *method)
{
    asy_error *err = asy_loop_check_call(loop);
    if (!err)
        err = check_callback(loop, callback, method);
    if (err)
        callback_drop(callback);
    return err;
}

/* Give the reference to the caller, or give it back. */
static void
give(asy_handle *handle, asy_handle **ret_handle)
{
    if (ret_handle)
        *ret_handle = handle;
    else
        asy_handle_unref(handle);
}

/* see loop.h.  CPython: BaseEventLoop.call_soon */
asy_error *
asy_loop_call_soon(asy_loop *loop, asy_callback callback, asy_handle **ret_handle)
{
    TRY(check_call(loop, callback, "call_soon"));
    asy_handle *handle = handle_new(loop, callback);
    loop_append(loop, asy_handle_ref(handle));
    give(handle, ret_handle);
    return ASY_OK;
}

/* see loop.h.  CPython: BaseEventLoop.call_soon_threadsafe */
asy_error *
asy_loop_call_soon_threadsafe(asy_loop *loop, asy_callback callback, asy_handle **ret_handle)
{
    asy_error *err = loop_check_closed(loop);
    if (!err)
        err = check_callback(loop, callback, "call_soon_threadsafe");
    if (err) {
        callback_drop(callback);
        return err;
    }
    asy_handle *handle = handle_new(loop, callback);
    err = asy_loop_add_handle_threadsafe(loop, handle);
    give(handle, err ? NULL : ret_handle);
    return err;
}

/* see loop.h.  CPython: BaseEventLoop.call_later */
asy_error *
asy_loop_call_later(asy_loop *loop, double delay, asy_callback callback,
                    asy_timer_handle **ret_timer)
{
    double now;
    asy_error *err = host_time(loop, &now);
    if (err) {
        callback_drop(callback);
        return err;
    }
    return asy_loop_call_at(loop, now + delay, callback, ret_timer);
}

/* see loop.h.  CPython: BaseEventLoop.call_at */
asy_error *
asy_loop_call_at(asy_loop *loop, double when, asy_callback callback, asy_timer_handle **ret_timer)
{
    TRY(check_call(loop, callback, "call_at"));
    asy_timer_handle *timer = timer_handle_new(loop, when, callback);
    asy_loop_add_timer_handle(loop, timer);
    if (ret_timer)
        *ret_timer = timer;
    else
        asy_timer_handle_unref(timer);
    return ASY_OK;
}
