/* SPDX-License-Identifier: MIT */
/*
 * The table through which the library asks Python.
 *
 * Each function is one call of a Python function or of the interpreter. Loops whose class
 * overrides time() get a table of their own, so that all others read the clock without a call.
 */
#include "host.h"

#include "callback.h"
#include "convert.h"
#include "handling.h"
#include "loop_type.h"
#include "raise.h"
#include "running.h"

static PyObject *
as_object(void *host)
{
    return host;
}

/* ---- the interpreter ------------------------------------------------------------ */

static void *
release_lock(void *host)
{
    (void)host;
    return PyEval_SaveThread();
}

static void
acquire_lock(void *host, void *released)
{
    (void)host;
    PyEval_RestoreThread(released);
}

static asy_error *
check_signals(void *host)
{
    (void)host;
    return PyErr_CheckSignals() < 0 ? error_from_python() : ASY_OK;
}

static asy_error *
call_time(void *host, double *ret_time)
{
    PyObject *now = PyObject_CallMethod(as_object(host), "time", NULL);
    int failed = !now || seconds_from_object(now, ret_time) < 0;

    Py_XDECREF(now);
    return failed ? error_from_python() : ASY_OK;
}

/* ---- running -------------------------------------------------------------------- */

static asy_error *
run_enter(void *host)
{
    return enter_run(host);
}

static asy_error *
run_leave(void *host)
{
    return leave_run(host);
}

static bool
has_running_loop(void *host)
{
    PyObject *running = PyObject_CallNoArgs(((LoopObject *)host)->state->get_running_loop);
    bool has = running && running != Py_None;

    ignore_without(running);
    return has;
}

static void
debug_changed(void *host, bool enabled)
{
    ignore_without(none_or_raise(track_origins(host, enabled)));
}

/* ---- contexts ------------------------------------------------------------------- */

static void *
context_copy_current(void *host)
{
    (void)host;
    return PyContext_CopyCurrent();
}

static void *
context_ref(void *host, void *context)
{
    (void)host;
    return Py_NewRef((PyObject *)context);
}

static void
context_unref(void *host, void *context)
{
    (void)host;
    Py_XDECREF((PyObject *)context);
}

static asy_error *
context_run(void *host, void *context, asy_error *(*function)(void *argument), void *argument)
{
    (void)host;
    return run_in_context(context, function, argument);
}

/* ---- reports -------------------------------------------------------------------- */

static asy_error *
default_exception_handler(void *host, const asy_report *report)
{
    PyObject *dict = dict_from_report(report);

    if (!dict)
        return error_from_python();
    PyObject *handler = PyObject_GetAttrString(as_object(host), "default_exception_handler");
    PyObject *handled = handled_exception(report, dict);
    PyObject *result = handler ? call_handling(handled, handler, &dict, 1) : NULL;
    Py_XDECREF(handler);
    Py_DECREF(dict);
    return error_without(result);
}

/* What logging itself raises is shown and forgotten, unless it is fatal. */
static asy_error *
fatal_only(asy_error *err)
{
    if (!err || asy_error_is_fatal(err))
        return err;
    raise_error(err);
    show_unraisable(NULL);
    return ASY_OK;
}

static asy_error *
log_message(void *host, asy_log_level level, const char *message, asy_error *exception)
{
    static const int levels[] = {
        [ASY_LOG_DEBUG] = 10,
        [ASY_LOG_INFO] = 20,
        [ASY_LOG_WARNING] = 30,
        [ASY_LOG_ERROR] = 40,
    };
    PyObject *object = exception ? exception_from_error(exception) : Py_NewRef(Py_None);
    PyObject *text = object ? object_from_text(message) : NULL;
    PyObject *result = text ? PyObject_CallFunction(((LoopObject *)host)->state->log, "iOO",
                                                    levels[level], text, object)
                            : NULL;
    Py_XDECREF(text);
    Py_XDECREF(object);
    return fatal_only(error_without(result));
}

/* What could not be told of is loop.call_exception_handler: CPython names that method, which it
 * calls in __del__. */
static void
show_fatal_error(void *host, asy_future *Py_UNUSED(future), asy_error *error)
{
    PyObject *method = PyObject_GetAttrString(as_object(host), "call_exception_handler");

    if (!method)
        PyErr_Clear();
    raise_error(asy_error_ref(error));
    PyErr_WriteUnraisable(method);
    Py_XDECREF(method);
}

static char *
describe_loop(void *host)
{
    return text_from_object(PyObject_Repr(as_object(host)));
}

/* ---- the tables ----------------------------------------------------------------- */

#define COMMON_FUNCTIONS                                                                   \
    .release_lock = release_lock,                                                          \
    .acquire_lock = acquire_lock,                                                          \
    .check_signals = check_signals,                                                        \
    .run_enter = run_enter,                                                                \
    .run_leave = run_leave,                                                                \
    .has_running_loop = has_running_loop,                                                  \
    .debug_changed = debug_changed,                                                        \
    .context_copy_current = context_copy_current,                                          \
    .context_ref = context_ref,                                                            \
    .context_unref = context_unref,                                                        \
    .context_run = context_run,                                                            \
    .message_copy = python_host_message_copy,                                              \
    .message_unref = python_host_message_unref,                                            \
    .cancelled_error = python_host_cancelled_error,                                        \
    .future_new = python_host_future_new,                                                  \
    .register_task = python_host_register_task,                                            \
    .unregister_task = python_host_unregister_task,                                        \
    .enter_task = python_host_enter_task,                                                  \
    .leave_task = python_host_leave_task,                                                  \
    .swap_current_task = python_host_swap_current_task,                                    \
    .restore_current_task = python_host_restore_current_task,                              \
    .default_exception_handler = default_exception_handler,                                \
    .log = log_message,                                                                    \
    .unraisable = show_fatal_error,                                                        \
    .describe_loop = describe_loop

const asy_host python_host = { COMMON_FUNCTIONS };

const asy_host python_host_with_time = { COMMON_FUNCTIONS, .time = call_time };
