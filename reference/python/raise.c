/* SPDX-License-Identifier: MIT */
/*
 * asy_error values and Python's exceptions.
 *
 * An exception that Python code raised travels through the library as a foreign object and comes
 * out the same object. An error of the library becomes an exception of the class that
 * error_kinds.def names for its kind, once: the object is kept in the error. For OSError, Python
 * chooses the subclass from the errno.
 *
 * Two classes are asyncio's own, and so each interpreter of the process has its own. An
 * interpreter keeps them in its dictionary; a thread remembers those of the interpreter that it
 * ran last.
 */
#include "raise.h"

#include "state.h"

#include <string.h>

/* ---- classes -------------------------------------------------------------------- */

/* By kind; NULL for those of asyncio. Parents stand before their children, so that the
 * last match is a most specific one. */
static PyObject **const classes[] = {
#define ASY_ERROR_KIND(name, python_class, parent) [ASY_##name] = &PyExc_##name,
#define ASY_ASYNCIO_ERROR_KIND(name, python_class, parent) [ASY_##name] = NULL,
#define ASY_SOCKET_ERROR_KIND(name, python_class, parent) [ASY_##name] = &PyExc_##parent,
#include <asy/error_kinds.def>
#undef ASY_ERROR_KIND
};

#define DICTIONARY_KEY "asy._asy.asyncio_classes"

struct asyncio_classes {
    int64_t   interpreter;              /* as PyInterpreterState_GetID() counts, and one more */
    PyObject *cancelled_error;          /* borrowed from the interpreter's dictionary */
    PyObject *invalid_state_error;
    PyObject *sendfile_not_available_error;
};

static _Thread_local struct asyncio_classes asyncio_classes;

int
set_asyncio_classes(PyObject *cancelled_error, PyObject *invalid_state_error,
                    PyObject *sendfile_not_available_error)
{
    PyObject *dict = PyInterpreterState_GetDict(PyInterpreterState_Get());
    PyObject *known = dict ? PyTuple_Pack(3, cancelled_error, invalid_state_error,
                                          sendfile_not_available_error)
                           : NULL;
    int result = known ? PyDict_SetItemString(dict, DICTIONARY_KEY, known) : -1;

    Py_XDECREF(known);
    if (!known && !PyErr_Occurred())
        PyErr_SetString(PyExc_RuntimeError, "the interpreter has no dictionary");
    asyncio_classes.interpreter = 0;
    return result;
}

/* Fill the thread's copy from the dictionary of the interpreter that runs it now. */
static void
remember_classes(int64_t interpreter)
{
    PyObject *dict = PyInterpreterState_GetDict(PyInterpreterState_Get());
    PyObject *known = dict ? PyDict_GetItemString(dict, DICTIONARY_KEY) : NULL;

    if (known == Py_None)               /* the interpreter is at its end */
        known = NULL;
    asyncio_classes.interpreter = interpreter;
    asyncio_classes.cancelled_error = known ? PyTuple_GetItem(known, 0) : PyExc_BaseException;
    asyncio_classes.invalid_state_error = known ? PyTuple_GetItem(known, 1) : PyExc_Exception;
    asyncio_classes.sendfile_not_available_error = known ? PyTuple_GetItem(known, 2)
                                                         : PyExc_RuntimeError;
}

/* The class for a kind, borrowed. */
static PyObject *
class_of(asy_error_kind kind)
{
    if (classes[kind])
        return *classes[kind];
    int64_t interpreter = PyInterpreterState_GetID(PyInterpreterState_Get()) + 1;
    if (asyncio_classes.interpreter != interpreter)
        remember_classes(interpreter);
    if (kind == ASY_SendfileNotAvailableError)
        return asyncio_classes.sendfile_not_available_error;
    return kind == ASY_CancelledError ? asyncio_classes.cancelled_error
                                      : asyncio_classes.invalid_state_error;
}

/* An exception of the module socket counts as its parent: Python resolves names by itself. */
static bool
is_of_kind(PyObject *exception, asy_error_kind kind)
{
    return kind != ASY_gaierror && PyErr_GivenExceptionMatches(exception, class_of(kind));
}

/* A class may have two bases of the table. A fatal one decides, since asyncio's handles test for
 * these first. A cancellation is what travels most. */
static asy_error_kind
kind_of(PyObject *exception)
{
    int kind = ASY_ERROR_KIND_COUNT - 1;

    if (PyErr_GivenExceptionMatches(exception, PyExc_KeyboardInterrupt))
        return ASY_KeyboardInterrupt;
    if (PyErr_GivenExceptionMatches(exception, PyExc_SystemExit))
        return ASY_SystemExit;
    if (PyErr_GivenExceptionMatches(exception, class_of(ASY_CancelledError)))
        return ASY_CancelledError;
    while (kind > 0 && !is_of_kind(exception, (asy_error_kind)kind))
        kind--;
    return (asy_error_kind)kind;
}

/* ---- from one to the other ------------------------------------------------------ */

static void
unref_exception(void *exception)
{
    Py_DECREF((PyObject *)exception);
}

asy_error *
error_from_exception(PyObject *exception)
{
    return asy_error_new_foreign(kind_of(exception), exception, unref_exception);
}

asy_error *
error_from_python(void)
{
    return error_from_exception(PyErr_GetRaisedException());
}

int
visit_error(const asy_error *err, visitproc visit, void *arg)
{
    if (!err || err->refs != 1)
        return 0;
    if (err->unref_foreign == unref_exception)
        Py_VISIT((PyObject *)err->foreign);
    return visit_error(err->cause, visit, arg);
}

/* OSError(errno, strerror), class(message), or without a message class(). */
static PyObject *
new_exception(const asy_error *err)
{
    PyObject *class = class_of(err->kind);

    if (err->errnum != 0)
        return PyObject_CallFunction(PyExc_OSError, "is", err->errnum, strerror(err->errnum));
    if (!err->message || !err->message[0])
        return PyObject_CallNoArgs(class);
    return PyObject_CallFunction(class, "s", err->message);
}

/* raise exception from cause, which is being handled */
static bool
set_cause(PyObject *exception, asy_error *cause)
{
    PyObject *object = exception_from_error(cause);

    if (!object)
        return false;
    PyException_SetCause(exception, Py_NewRef(object));
    PyException_SetContext(exception, object);
    return true;
}

PyObject *
exception_from_error(asy_error *err)
{
    if (err->foreign)
        return Py_NewRef((PyObject *)err->foreign);
    PyObject *exception = new_exception(err);
    if (!exception)
        return NULL;
    if (err->cause && !set_cause(exception, err->cause)) {
        Py_DECREF(exception);
        return NULL;
    }
    err->foreign = Py_NewRef(exception);
    err->unref_foreign = unref_exception;
    return exception;
}

PyObject *
raise_kept_error(asy_error *err)
{
    PyObject *exception = exception_from_error(err);

    asy_error_unref(err);
    if (exception) {
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        Py_DECREF(exception);
    }
    return NULL;
}

/* What Python code has raised has its __context__, and so has what has a cause. */
PyObject *
raise_error(asy_error *err)
{
    if (!err->foreign && !err->cause)
        return raise_kept_error(err);
    PyObject *exception = exception_from_error(err);
    asy_error_unref(err);
    if (exception)
        PyErr_SetRaisedException(exception);
    return NULL;
}

PyObject *
none_or_raise(asy_error *err)
{
    if (err)
        return raise_error(err);
    Py_RETURN_NONE;
}

/* Called, and not raised with a value, since a tuple or an exception would be taken for more than
 * one argument. */
PyObject *
raise_stop_iteration(PyObject *value)
{
    PyObject *stop = PyObject_CallFunctionObjArgs(PyExc_StopIteration, value, NULL);

    Py_DECREF(value);
    if (stop)
        PyErr_SetRaisedException(stop);
    return NULL;
}

/* ---- throw() -------------------------------------------------------------------- */

/* type(), type(*value) or type(value) */
static PyObject *
instantiate(PyObject *type, PyObject *value)
{
    if (value == Py_None)
        return PyObject_CallNoArgs(type);
    if (PyObject_IsInstance(value, type) > 0)
        return Py_NewRef(value);
    PyErr_Clear();
    return PyTuple_Check(value) ? PyObject_CallObject(type, value)
                                : PyObject_CallFunctionObjArgs(type, value, NULL);
}

static PyObject *
exception_of(PyObject *type, PyObject *value)
{
    if (PyExceptionClass_Check(type))
        return instantiate(type, value);
    if (!PyExceptionInstance_Check(type))
        return PyErr_Format(PyExc_TypeError, "exceptions must be classes or instances deriving "
                                             "from BaseException, not %R",
                            (PyObject *)Py_TYPE(type));
    if (value == Py_None)
        return Py_NewRef(type);
    PyErr_SetString(PyExc_TypeError, "instance exception may not have a separate value");
    return NULL;
}

/* CPython: FutureIter_throw, since 3.12 */
static int
warn_of_three_arguments(void)
{
    if (!RUNNING_SINCE(3, 12, 0))
        return 0;
    return PyErr_WarnEx(PyExc_DeprecationWarning,
                        "the (type, exc, tb) signature of throw() is deprecated, use the "
                        "single-arg signature instead.", 1);
}

PyObject *
exception_from_throw(PyObject *const *args, Py_ssize_t count)
{
    if (count < 1 || count > 3)
        return PyErr_Format(PyExc_TypeError, "throw expected 1 to 3 arguments, got %zd", count);
    if (count > 1 && warn_of_three_arguments() < 0)
        return NULL;
    PyObject *exception = exception_of(args[0], count > 1 ? args[1] : Py_None);
    if (exception && !PyExceptionInstance_Check(exception)) {
        PyErr_Format(PyExc_TypeError, "calling %R should have returned an instance of "
                                      "BaseException", args[0]);
        Py_CLEAR(exception);
    }
    if (!exception || count < 3 || args[2] == Py_None)
        return exception;
    if (PyException_SetTraceback(exception, args[2]) < 0)
        Py_CLEAR(exception);
    return exception;
}
