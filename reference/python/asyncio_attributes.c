/* SPDX-License-Identifier: MIT */
/*
 * The underscored attributes of futures and tasks that asyncio's own Python code reads or sets on
 * those that are not its own, in the versions 3.11 to 3.15, and nothing else:
 *
 *     _asyncio_future_blocking   isfuture(), Task.__step, futures.Future.__await__
 *     _loop                      futures._get_loop(), for futures without get_loop()
 *     _state, _exception, _result, _callbacks, _source_traceback
 *                                base_futures._future_repr_info(); base_events, windows_events
 *     _cancel_message            tasks.gather()
 *     _make_cancelled_error()    tasks.gather() (a method: future_methods.c)
 *     _log_traceback             what a task is told to forget
 *     _log_destroy_pending       tasks.gather(), run_until_complete(), runners
 *     _coro, _fut_waiter         base_tasks: repr() and get_stack() of a task
 *     _must_cancel, _num_cancels_requested
 *                                programs that look into a task; asyncio.Task has them, too
 */
#include "handle_type.h"
#include "raise.h"
#include "task_type.h"

#include <asy/host.h>

static FutureObject *
future_of(PyObject *object)
{
    return (FutureObject *)object;
}

static TaskObject *
task_of(PyObject *object)
{
    return (TaskObject *)object;
}

static PyObject *
object_or_none(PyObject *object)
{
    return Py_NewRef(object ? object : Py_None);
}

/* For a setter: 1, 0, or -1 and an exception. NULL is `del`. */
static int
truth_of(PyObject *value)
{
    if (value)
        return PyObject_IsTrue(value);
    PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
    return -1;
}

/* ---- of futures ----------------------------------------------------------------- */

/* Spec: isfuture.answers */
static PyObject *
get_blocking(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(future_of(self)->shown->blocking);
}

static int
set_blocking(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    int blocking = truth_of(value);

    if (blocking >= 0)
        future_of(self)->shown->blocking = blocking;
    return blocking < 0 ? -1 : 0;
}

static PyObject *
get_loop(PyObject *self, void *Py_UNUSED(closure))
{
    return Py_NewRef((PyObject *)future_of(self)->loop);
}

static PyObject *
get_state(PyObject *self, void *Py_UNUSED(closure))
{
    static const char *const names[] = {
        [ASY_FUTURE_PENDING] = "PENDING",
        [ASY_FUTURE_CANCELLED] = "CANCELLED",
        [ASY_FUTURE_FINISHED] = "FINISHED",
    };
    return PyUnicode_FromString(names[future_of(self)->shown->state]);
}

static PyObject *
get_exception(PyObject *self, void *Py_UNUSED(closure))
{
    asy_error *exception = future_of(self)->shown->exception;
    return exception ? exception_from_error(exception) : Py_NewRef(Py_None);
}

static PyObject *
get_result(PyObject *self, void *Py_UNUSED(closure))
{
    const asy_future *core = future_of(self)->shown;
    return object_or_none(core->drop_result == drop_object ? core->result : NULL);
}

static PyObject *
get_source_traceback(PyObject *self, void *Py_UNUSED(closure))
{
    return object_or_none(future_of(self)->source_traceback);
}

/* (callback, context) of a handle of Python, or of a task that waits; NULL without an exception
 * for a callback of C code. */
static PyObject *
callback_pair(asy_handle *handle)
{
    HandleObject *object = python_handle_from_core(handle);
    asy_task *task = object ? NULL : asy_handle_task(handle);
    TaskObject *waiting = task ? python_task_from_core(task) : NULL;

    if (object)
        return Py_BuildValue("(NN)", object_or_none(object->callback),
                             object_or_none(object->context));
    if (waiting)
        return Py_BuildValue("(NO)", task_wakeup_function(waiting), (PyObject *)task->context);
    return NULL;
}

static PyObject *
list_of_pairs(asy_handle *const *handles, size_t count)
{
    PyObject *list = PyList_New(0);

    for (size_t i = 0; list && i < count; i++) {
        PyObject *pair = callback_pair(handles[i]);
        if (PyErr_Occurred() || (pair && PyList_Append(list, pair) < 0))
            Py_CLEAR(list);
        Py_XDECREF(pair);
    }
    return list;
}

/* None when there are none, as asyncio's in C have it. To make an object may run the garbage
 * collector, and so anything, which may add and remove callbacks; so first they are kept. */
static PyObject *
get_callbacks(PyObject *self, void *Py_UNUSED(closure))
{
    const asy_future *core = future_of(self)->shown;
    size_t count = core->callback_count;

    if (count == 0)
        Py_RETURN_NONE;
    asy_handle **handles = asy_alloc(count * sizeof *handles);
    for (size_t i = 0; i < count; i++)
        handles[i] = asy_handle_ref(core->callbacks[i]);
    PyObject *list = list_of_pairs(handles, count);
    for (size_t i = 0; i < count; i++)
        asy_handle_unref(handles[i]);
    asy_free(handles);
    if (!list || PyList_Size(list) > 0)
        return list;
    Py_DECREF(list);
    Py_RETURN_NONE;
}

static PyObject *
get_cancel_message(PyObject *self, void *Py_UNUSED(closure))
{
    return object_or_none(future_of(self)->shown->cancel_message);
}

static int
set_cancel_message(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    asy_future *core = future_of(self)->shown;
    PyObject *old = core->cancel_message;

    if (truth_of(value ? Py_True : NULL) < 0)
        return -1;
    core->cancel_message = value == Py_None ? NULL : Py_NewRef(value);
    Py_XDECREF(old);
    return 0;
}

static PyObject *
get_log_traceback(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(future_of(self)->shown->log_traceback);
}

static int
set_log_traceback(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    int log = truth_of(value);

    if (log > 0)
        PyErr_SetString(PyExc_ValueError, "_log_traceback can only be set to False");
    if (log != 0)
        return -1;
    future_of(self)->shown->log_traceback = false;
    return 0;
}

PyGetSetDef Future_attributes[] = {
    { "_asyncio_future_blocking", get_blocking, set_blocking, NULL, NULL },
    { "_loop", get_loop, NULL, NULL, NULL },
    { "_state", get_state, NULL, NULL, NULL },
    { "_exception", get_exception, NULL, NULL, NULL },
    { "_result", get_result, NULL, NULL, NULL },
    { "_callbacks", get_callbacks, NULL, NULL, NULL },
    { "_source_traceback", get_source_traceback, NULL, NULL, NULL },
    { "_cancel_message", get_cancel_message, set_cancel_message, NULL, NULL },
    { "_log_traceback", get_log_traceback, set_log_traceback, NULL, NULL },
    { 0 },
};

/* ---- of tasks ------------------------------------------------------------------- */

static PyObject *
get_coro(PyObject *self, void *Py_UNUSED(closure))
{
    return object_or_none(task_of(self)->coroutine);
}

static PyObject *
get_fut_waiter(PyObject *self, void *Py_UNUSED(closure))
{
    asy_future *waiter = task_of(self)->core.waiter;

    if (!waiter)
        Py_RETURN_NONE;
    PyObject *foreign = foreign_future_object(waiter);
    return foreign ? Py_NewRef(foreign)
                   : (PyObject *)python_future_for(task_of(self)->loop, waiter);
}

static PyObject *
get_must_cancel(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(task_of(self)->core.must_cancel);
}

static PyObject *
get_cancels_requested(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(asy_task_cancelling(&task_of(self)->core));
}

static PyObject *
get_log_destroy_pending(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(task_of(self)->core.log_destroy_pending);
}

static int
set_log_destroy_pending(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    int log = truth_of(value);

    if (log >= 0)
        task_of(self)->core.log_destroy_pending = log;
    return log < 0 ? -1 : 0;
}

PyGetSetDef Task_attributes[] = {
    { "_coro", get_coro, NULL, NULL, NULL },
    { "_fut_waiter", get_fut_waiter, NULL, NULL, NULL },
    { "_must_cancel", get_must_cancel, NULL, NULL, NULL },
    { "_num_cancels_requested", get_cancels_requested, NULL, NULL, NULL },
    { "_log_destroy_pending", get_log_destroy_pending, set_log_destroy_pending, NULL, NULL },
    { 0 },
};
