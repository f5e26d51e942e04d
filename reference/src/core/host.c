/* SPDX-License-Identifier: MIT */
/*
 * The host's functions (asy/host.h), or what C programs get in their place.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "core/loop_impl.h"
#include "core/thread.h"

#include <asy/context.h>
#include <stdio.h>

double
host_monotonic(void *data)
{
    (void)data;
    return clock_monotonic();
}

asy_error *
host_time(const asy_loop *loop, double *ret_time)
{
    if (loop->host->time)
        return loop->host->time(loop->host_data, ret_time);
    *ret_time = loop->clock.time(loop->clock.data);
    return ASY_OK;
}

asy_error *
host_check_signals(const asy_loop *loop)
{
    return loop->host->check_signals ? loop->host->check_signals(loop->host_data) : ASY_OK;
}

void *
host_release_lock(const asy_loop *loop)
{
    return loop->host->release_lock ? loop->host->release_lock(loop->host_data) : NULL;
}

void
host_acquire_lock(const asy_loop *loop, void *released)
{
    if (loop->host->acquire_lock)
        loop->host->acquire_lock(loop->host_data, released);
}

asy_error *
host_run_enter(asy_loop *loop)
{
    if (loop->host->run_enter)
        return loop->host->run_enter(loop->host_data);
    asy_set_running_loop(loop);
    return ASY_OK;
}

asy_error *
host_run_leave(asy_loop *loop)
{
    if (loop->host->run_leave)
        return loop->host->run_leave(loop->host_data);
    asy_set_running_loop(NULL);
    return ASY_OK;
}

bool
host_has_running_loop(const asy_loop *loop)
{
    if (loop->host->has_running_loop)
        return loop->host->has_running_loop(loop->host_data);
    return asy_running_loop() != NULL;
}

void
host_debug_changed(const asy_loop *loop, bool enabled)
{
    if (loop->host->debug_changed)
        loop->host->debug_changed(loop->host_data, enabled);
}

void *
host_context_copy_current(const asy_loop *loop)
{
    if (loop->host->context_copy_current)
        return loop->host->context_copy_current(loop->host_data);
    return asy_context_copy_current();
}

void *
host_context_ref(const asy_loop *loop, void *context)
{
    if (loop->host->context_ref)
        return loop->host->context_ref(loop->host_data, context);
    return asy_context_ref(context);
}

void
host_context_unref(const asy_loop *loop, void *context)
{
    if (loop->host->context_unref)
        loop->host->context_unref(loop->host_data, context);
    else
        asy_context_unref(context);
}

asy_error *
host_context_run(const asy_loop *loop, void *context, asy_error *(*function)(void *argument),
                 void *argument)
{
    if (loop->host->context_run)
        return loop->host->context_run(loop->host_data, context, function, argument);
    return asy_context_run(context, function, argument);
}

/* logging's last resort: what is at least a warning goes to stderr. */
static void
log_to_stderr(asy_log_level level, const char *message, const asy_error *exception)
{
    if (level < ASY_LOG_WARNING)
        return;
    fprintf(stderr, "%s\n", message);
    for (; exception; exception = exception->cause)
        fprintf(stderr, "%s: %s\n", asy_error_kind_name(exception->kind), exception->message);
}

asy_error *
host_log(const asy_loop *loop, asy_log_level level, const char *message, asy_error *exception)
{
    if (loop->host->log)
        return loop->host->log(loop->host_data, level, message, exception);
    log_to_stderr(level, message, exception);
    return ASY_OK;
}

/* ---- cancel messages: texts, unless the host has its own --------------------------- */

void *
host_message_copy(const asy_loop *loop, const void *message)
{
    if (!message)
        return NULL;
    if (loop->host->message_copy)
        return loop->host->message_copy(loop->host_data, message);
    return alloc_text(message);
}

void
host_message_unref(const asy_loop *loop, void *message)
{
    if (message && loop->host->message_unref)
        loop->host->message_unref(loop->host_data, message);
    else
        asy_free(message);
}

asy_error *
host_cancelled_error(const asy_loop *loop, const void *message)
{
    if (loop->host->cancelled_error)
        return loop->host->cancelled_error(loop->host_data, message);
    return asy_error_new(ASY_CancelledError, "%s", message ? (const char *)message : "");
}

/* ---- tasks that the host keeps an eye on ------------------------------------------- */

asy_error *
host_register_task(asy_loop *loop, asy_task *task)
{
    if (loop->host->register_task)
        return loop->host->register_task(loop->host_data, task);
    return ASY_OK;
}

asy_error *
host_unregister_task(asy_loop *loop, asy_task *task)
{
    if (loop->host->unregister_task)
        return loop->host->unregister_task(loop->host_data, task);
    return ASY_OK;
}

asy_error *
host_enter_task(asy_loop *loop, asy_task *task)
{
    if (loop->host->enter_task)
        return loop->host->enter_task(loop->host_data, task);
    return ASY_OK;
}

asy_error *
host_leave_task(asy_loop *loop, asy_task *task)
{
    if (loop->host->leave_task)
        return loop->host->leave_task(loop->host_data, task);
    return ASY_OK;
}

asy_error *
host_swap_current_task(asy_loop *loop, asy_task *task, void **ret_outer)
{
    *ret_outer = NULL;
    if (loop->host->swap_current_task)
        return loop->host->swap_current_task(loop->host_data, task, ret_outer);
    return ASY_OK;
}

void
host_restore_current_task(asy_loop *loop, void *outer)
{
    if (loop->host->restore_current_task)
        loop->host->restore_current_task(loop->host_data, outer);
}

/* ---- reports and descriptions ------------------------------------------------------- */

static void
log_unraisable(const asy_loop *loop, asy_future *future, asy_error *error)
{
    char *text = asy_future_describe(future);
    char *message = asy_format("Exception ignored in: %s", text);

    asy_error_unref(host_log(loop, ASY_LOG_ERROR, message, error));
    asy_free(message);
    asy_free(text);
}

void
host_unraisable(const asy_loop *loop, asy_future *future, asy_error *error)
{
    if (loop->host->unraisable)
        loop->host->unraisable(loop->host_data, future, error);
    else
        log_unraisable(loop, future, error);
}

static const char *
python_bool(bool value)
{
    return value ? "True" : "False";
}

char *
host_describe_loop(const asy_loop *loop)
{
    char *text = loop->host->describe_loop ? loop->host->describe_loop(loop->host_data) : NULL;
    if (text)
        return text;
    return asy_format("<asy_loop running=%s closed=%s debug=%s>",
                      python_bool(asy_loop_is_running(loop)),
                      python_bool(asy_loop_is_closed(loop)),
                      python_bool(asy_loop_get_debug(loop)));
}
