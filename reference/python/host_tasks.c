/* SPDX-License-Identifier: MIT */
/*
 * What the library asks of Python for futures and tasks: objects for messages and futures, and
 * that asyncio.current_task() and asyncio.all_tasks() know of the tasks.
 *
 * A task that C code has made is no object of Python, and asyncio does not hear of it.
 */
#include "host.h"

#include "loop_type.h"
#include "raise.h"
#include "task_type.h"

/* Drop the result of a call; without one, the exception is the error. */
static asy_error *
error_without(PyObject *result)
{
    if (!result)
        return error_from_python();
    Py_DECREF(result);
    return ASY_OK;
}

static struct module_state *
state_of(void *host)
{
    return ((LoopObject *)host)->state;
}

static PyObject *
as_message(const void *message)
{
    union {
        const void *constant;
        PyObject   *object;
    } both = { .constant = message };
    return both.object;
}

void *
python_host_message_copy(void *host, const void *message)
{
    (void)host;
    return Py_NewRef(as_message(message));
}

void
python_host_message_unref(void *host, void *message)
{
    (void)host;
    Py_DECREF(as_message(message));
}

asy_error *
python_host_cancelled_error(void *host, const void *message)
{
    PyObject *class = state_of(host)->cancelled_error;
    PyObject *exception = PyObject_CallFunctionObjArgs(class, as_message(message), NULL);
    return exception ? error_from_exception(exception) : error_from_python();
}

/* The library has no way to go on without. */
asy_future *
python_host_future_new(void *host)
{
    FutureObject *future = python_future_new(host);

    if (!future)
        Py_FatalError("asy: no memory for a future");
    return future->future;
}

/* function(task), for the tasks that Python knows. */
static asy_error *
tell_about(PyObject *function, asy_task *task)
{
    TaskObject *object = python_task_from_core(task);

    if (!object)
        return ASY_OK;
    return error_without(PyObject_CallFunctionObjArgs(function, object, NULL));
}

asy_error *
python_host_register_task(void *host, asy_task *task)
{
    return tell_about(state_of(host)->register_task, task);
}

asy_error *
python_host_unregister_task(void *host, asy_task *task)
{
    return tell_about(state_of(host)->unregister_task, task);
}

/* function(loop, task) */
static asy_error *
tell_about_step(void *host, PyObject *function, asy_task *task)
{
    TaskObject *object = task ? python_task_from_core(task) : NULL;

    if (!object)
        return ASY_OK;
    PyObject *const args[] = { host, (PyObject *)object };
    return error_without(PyObject_Vectorcall(function, args, 2, NULL));
}

asy_error *
python_host_enter_task(void *host, asy_task *task)
{
    return tell_about_step(host, state_of(host)->enter_task, task);
}

asy_error *
python_host_leave_task(void *host, asy_task *task)
{
    return tell_about_step(host, state_of(host)->leave_task, task);
}
