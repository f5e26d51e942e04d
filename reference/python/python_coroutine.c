/* SPDX-License-Identifier: MIT */
/*
 * A coroutine of Python, as a coroutine of the library.
 *
 * The body sends the Python coroutine on, and looks at what it yields: a future to wait for, None,
 * or what cannot be waited for. That last error belongs to the task, which throws it into the
 * coroutine in the next iteration.
 *
 * It counts as begun from the start, so that an error reaches the Python coroutine even if that
 * has not begun: it closes itself then, and does not complain that it was never awaited.
 */
#include "raise.h"
#include "task_type.h"

#include <asy/coro.h>

struct python_coroutine {
    asy_coro    co;
    TaskObject *task;                   /* borrowed: it owns this coroutine, and that of Python */
};

/* ---- sending -------------------------------------------------------------------- */

/* What a failed call means: StopIteration is a return. */
static PySendResult
returned_or_raised(PyObject **ret_value)
{
    if (!PyErr_ExceptionMatches(PyExc_StopIteration))
        return PYGEN_ERROR;
    PyObject *stop = PyErr_GetRaisedException();
    *ret_value = PyObject_GetAttrString(stop, "value");
    Py_DECREF(stop);
    return *ret_value ? PYGEN_RETURN : PYGEN_ERROR;
}

/* coroutine.throw(exception), or coroutine.send(None) if there is none. Steals thrown. */
static PySendResult
resume(PyObject *coroutine, asy_error *thrown, PyObject **ret_value)
{
    if (!thrown)
        return PyIter_Send(coroutine, Py_None, ret_value);
    PyObject *exception = exception_from_error(thrown);
    asy_error_unref(thrown);
    *ret_value = exception ? PyObject_CallMethod(coroutine, "throw", "O", exception) : NULL;
    Py_XDECREF(exception);
    return *ret_value ? PYGEN_NEXT : returned_or_raised(ret_value);
}

/* The exception that leaves the coroutine. The task keeps the traceback of one that becomes its
 * own; a cancellation does not. */
static asy_error *
raised(TaskObject *task)
{
    PyObject *exception = PyErr_GetRaisedException();

    if (!exception) {
        PyErr_SetNone(PyExc_StopIteration);
        exception = PyErr_GetRaisedException();
    }
    asy_error *err = error_from_exception(exception);
    if (!asy_error_is_a(err, ASY_CancelledError))
        future_keep_traceback((FutureObject *)task, exception);
    return err;
}

/* ---- what was yielded ----------------------------------------------------------- */

static asy_error *
not_awaited(TaskObject *task, PyObject *future)
{
    PyErr_Format(PyExc_RuntimeError, "yield was used instead of yield from in task %R with %R",
                 (PyObject *)task, future);
    return error_from_python();
}

/* A Future or Task of this module. The library finds out whether it is the task itself, and whether
 * its loop is another one; that goes first. */
static asy_error *
wait_for_ours(struct python_coroutine *self, FutureObject *future)
{
    TaskObject *task = self->task;

    if (!future->shown->blocking && future->loop == task->loop && future != (FutureObject *)task)
        return not_awaited(task, (PyObject *)future);
    self->co.future = asy_future_ref(future->shown);
    return ASY_OK;
}

/* futures._get_loop(future): a new reference, or NULL and an exception. */
static PyObject *
loop_of(PyObject *future)
{
    PyObject *get_loop = PyObject_GetAttrString(future, "get_loop");

    if (!get_loop && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        return PyObject_GetAttrString(future, "_loop");
    }
    PyObject *loop = get_loop ? PyObject_CallNoArgs(get_loop) : NULL;
    Py_XDECREF(get_loop);
    return loop;
}

/* Any other object with _asyncio_future_blocking. */
static asy_error *
wait_for_foreign(struct python_coroutine *self, PyObject *future, PyObject *blocking)
{
    TaskObject *task = self->task;
    PyObject *loop = loop_of(future);

    if (!loop)
        return error_from_python();
    Py_DECREF(loop);
    if (loop != (PyObject *)task->loop) {
        PyErr_Format(PyExc_RuntimeError, "Task %R got Future %R attached to a different loop",
                     (PyObject *)task, future);
        return error_from_python();
    }
    int is_blocking = PyObject_IsTrue(blocking);
    if (is_blocking == 0)
        return not_awaited(task, future);
    if (is_blocking < 0
        || PyObject_SetAttrString(future, "_asyncio_future_blocking", Py_False) < 0)
        return error_from_python();
    self->co.future = foreign_future_new(task->loop, future);
    return ASY_OK;
}

static asy_error *
bad_yield(TaskObject *task, PyObject *value)
{
    int is_generator = PyObject_IsInstance(value, task->loop->state->generator_class);

    if (is_generator > 0)
        PyErr_Format(PyExc_RuntimeError, "yield was used instead of yield from for generator in "
                                         "task %R with %R", (PyObject *)task, value);
    else if (is_generator == 0)
        PyErr_Format(PyExc_RuntimeError, "Task got bad yield: %R", value);
    return error_from_python();
}

/* See what there is to wait for; an error is thrown into the coroutine. */
static asy_error *
take_yielded(struct python_coroutine *self, PyObject *value)
{
    struct module_state *state = self->task->loop->state;

    if (value == Py_None)
        return ASY_OK;
    if (Py_IS_TYPE(value, state->future_type) || Py_IS_TYPE(value, state->task_type))
        return wait_for_ours(self, (FutureObject *)value);
    PyObject *blocking = PyObject_GetAttrString(value, "_asyncio_future_blocking");
    if (!blocking && !PyErr_ExceptionMatches(PyExc_AttributeError))
        return error_from_python();
    PyErr_Clear();
    bool is_future = blocking && blocking != Py_None;
    asy_error *err = is_future ? wait_for_foreign(self, value, blocking)
                               : bad_yield(self->task, value);
    Py_XDECREF(blocking);
    return err;
}

/* ---- the coroutine -------------------------------------------------------------- */

/* If it is the awaited future's exception that is thrown; objects that are not of this module have
 * done that in their result(). */
static void
restore_traceback(asy_future *awaited, const asy_error *thrown)
{
    FutureObject *future = awaited ? python_future_from_core(awaited) : NULL;

    if (future)
        future_restore_traceback(future, thrown);
}

static asy_error *
run(asy_coro *co)
{
    struct python_coroutine *self = (struct python_coroutine *)(void *)co;
    asy_future *awaited = co->future;
    asy_error *thrown = co->thrown;
    PyObject *value = NULL;

    co->future = NULL;
    co->thrown = NULL;
    restore_traceback(awaited, thrown);
    PyObject *coroutine = Py_NewRef(self->task->coroutine);
    PySendResult what = resume(coroutine, thrown, &value);
    Py_DECREF(coroutine);
    asy_future_unref(awaited);
    if (what == PYGEN_ERROR)
        return raised(self->task);
    if (what == PYGEN_RETURN) {
        asy_coro_set_result(co, value, drop_object);
        return ASY_OK;
    }
    co->bad_yield = take_yielded(self, value);
    Py_DECREF(value);
    return ASY_SUSPENDED;
}

/* The Python coroutine is the task's to give back. */
static void
finally(asy_coro *co)
{
    (void)co;
}

static const asy_coro_type python_coroutine_type = {
    .name = "Python coroutine",
    .file = __FILE__,
    .line = __LINE__,
    .size = sizeof(struct python_coroutine),
    .body = run,
    .finally = finally,
};

asy_coro *
python_coroutine_new(TaskObject *task)
{
    asy_coro *coro = asy_coro_new(&python_coroutine_type, &(struct python_coroutine){
        .task = task,
    });
    coro->resume_line = 1;
    return coro;
}
