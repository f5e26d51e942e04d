/* SPDX-License-Identifier: MIT */
/*
 * Debug mode: who calls, how long callbacks take.
 */
#include "base/alloc.h"
#include "core/loop_impl.h"
#include "core/thread.h"

#include <stdlib.h>

bool
debug_from_environment(void)
{
    const char *value = getenv("PYTHONASYNCIODEBUG");
    return value && value[0] != '\0';
}

/* see loop.h */
bool
asy_loop_get_debug(const asy_loop *loop)
{
    return atomic_load_explicit(&loop->debug, memory_order_relaxed);
}

static asy_error *
tell_debug_on(void *loop)
{
    host_debug_changed(loop, true);
    return ASY_OK;
}

static asy_error *
tell_debug_off(void *loop)
{
    host_debug_changed(loop, false);
    return ASY_OK;
}

/* see loop.h.  CPython: BaseEventLoop.set_debug. A loop that runs hears of it through its queue,
 * as if by call_soon_threadsafe(). */
void
asy_loop_set_debug(asy_loop *loop, bool enabled)
{
    atomic_store(&loop->debug, enabled);
    if (!asy_loop_is_running(loop))
        return;
    asy_callback on = asy_borrow(tell_debug_on, loop);
    asy_callback off = asy_borrow(tell_debug_off, loop);
    asy_error_unref(asy_loop_call_soon_threadsafe(loop, enabled ? on : off, NULL));
}

/* CPython: BaseEventLoop._check_thread */
asy_error *
loop_check_thread(const asy_loop *loop)
{
    uintptr_t owner = atomic_load(&loop->thread_id);
    if (owner != 0 && owner != thread_id())
        RAISE(RuntimeError, "Non-thread-safe operation invoked on an event loop other than the "
                            "current one");
    return ASY_OK;
}

static asy_error *
report_slow(asy_loop *loop, asy_handle *handle, double seconds)
{
    char *description = handle_describe(handle);
    char *message = asy_format("Executing %s took %.3f seconds", description, seconds);
    asy_error *err = host_log(loop, ASY_LOG_WARNING, message, NULL);
    asy_free(message);
    asy_free(description);
    return err;
}

static asy_error *
run_timed(asy_loop *loop, asy_handle *handle)
{
    double start, end;

    TRY(host_time(loop, &start));
    TRY(handle_run(handle));
    TRY(host_time(loop, &end));
    if (end - start >= loop->slow_callback_duration)
        return report_slow(loop, handle, end - start);
    return ASY_OK;
}

asy_error *
loop_run_timed(asy_loop *loop, asy_handle *handle)
{
    loop->current_handle = handle;
    asy_error *err = run_timed(loop, handle);
    loop->current_handle = NULL;
    return err;
}
