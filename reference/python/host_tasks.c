/* SPDX-License-Identifier: MIT */
/*
 * What the library asks of Python for futures and tasks: objects for messages and futures, and
 * that asyncio.current_task() and asyncio.all_tasks() know of the tasks.
 *
 * A task that C code has made is no object of Python, and asyncio does not hear of it.
 */
#include "host.h"

#include "handling.h"
#include "loop_type.h"
#include "raise.h"
#include "task_type.h"

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
    return future->shown;
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
    TaskObject *object = python_task_from_core(task);

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

/* ---- eager starts ---------------------------------------------------------------- */

#if PY_VERSION_HEX >= 0x030C0000

static PyObject *
replace_current(LoopObject *loop, PyObject *Py_UNUSED(outer), PyObject *task)
{
    return PyObject_CallFunctionObjArgs(loop->state->swap_current_task, loop, task, NULL);
}

#else

/* In two steps, which cannot fail: that the outer task is the current one has just been asked. */
static PyObject *
replace_current(LoopObject *loop, PyObject *outer, PyObject *task)
{
    struct module_state *state = loop->state;
    PyObject *left = outer == Py_None ? Py_NewRef(Py_None)
        : PyObject_CallFunctionObjArgs(state->leave_task, loop, outer, NULL);
    PyObject *entered = !left || task == Py_None ? Py_XNewRef(left)
        : PyObject_CallFunctionObjArgs(state->enter_task, loop, task, NULL);

    Py_XDECREF(left);
    return entered;
}

#endif

/* tasks._swap_current_task(loop, task): the task that was current, or None; a new reference, or
 * NULL and an exception. To replace none by none is an error for some versions. */
static PyObject *
swap_current(LoopObject *loop, PyObject *task)
{
    PyObject *outer = PyObject_CallFunctionObjArgs(loop->state->current_task, loop, NULL);

    if (!outer || outer == task)
        return outer;
    PyObject *result = replace_current(loop, outer, task);
    if (!result)
        Py_CLEAR(outer);
    Py_XDECREF(result);
    return outer;
}

/* While a task of C code runs, there is none. */
asy_error *
python_host_swap_current_task(void *host, asy_task *task, void **ret_outer)
{
    TaskObject *object = python_task_from_core(task);

    *ret_outer = swap_current(host, object ? (PyObject *)object : Py_None);
    return *ret_outer ? ASY_OK : error_from_python();
}

void
python_host_restore_current_task(void *host, void *outer)
{
    ignore_without(swap_current(host, outer));
    Py_DECREF((PyObject *)outer);
}
