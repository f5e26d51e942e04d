/* SPDX-License-Identifier: MIT */
/*
 * asy_error values and Python's exceptions.
 *
 * An exception that Python code raised travels through the library as a foreign object and comes
 * out the same object. An error of the library becomes an exception of the class that
 * error_kinds.def names for its kind. For OSError, Python chooses the subclass from the errno.
 */
#include "raise.h"

#include <string.h>

/* By kind. Parents stand before their children, so that the last match is a most specific one. */
static PyObject **const classes[] = {
#define ASY_ERROR_KIND(name, python_class, parent) [ASY_##name] = &PyExc_##name,
#define ASY_ASYNCIO_ERROR_KIND(name, python_class, parent) [ASY_##name] = &PyExc_##parent,
#include <asy/error_kinds.def>
#undef ASY_ERROR_KIND
};

static asy_error_kind
kind_of(PyObject *exception)
{
    int kind = ASY_ERROR_KIND_COUNT - 1;

    if (PyErr_GivenExceptionMatches(exception, PyExc_KeyboardInterrupt))
        return ASY_KeyboardInterrupt;
    if (PyErr_GivenExceptionMatches(exception, PyExc_SystemExit))
        return ASY_SystemExit;
    while (kind > 0 && !PyErr_GivenExceptionMatches(exception, *classes[kind]))
        kind--;
    return (asy_error_kind)kind;
}

static void
unref_exception(void *exception)
{
    Py_DECREF((PyObject *)exception);
}

asy_error *
error_from_python(void)
{
    PyObject *exception = PyErr_GetRaisedException();
    return asy_error_new_foreign(kind_of(exception), exception, unref_exception);
}

/* OSError(errno, strerror), class(message), or with neither class(). */
static PyObject *
new_exception(const asy_error *err)
{
    PyObject *class = *classes[err->kind];

    if (err->errnum != 0)
        return PyObject_CallFunction(PyExc_OSError, "is", err->errnum, strerror(err->errnum));
    return PyObject_CallFunction(class, "s", err->message);
}

PyObject *
exception_from_error(const asy_error *err)
{
    if (err->foreign)
        return Py_NewRef((PyObject *)err->foreign);
    PyObject *exception = new_exception(err);
    if (!exception || !err->cause)
        return exception;
    PyObject *cause = exception_from_error(err->cause);
    if (!cause) {
        Py_DECREF(exception);
        return NULL;
    }
    PyException_SetCause(exception, cause);
    return exception;
}

/* What Python code has raised has its __context__; a new one gets the exception that is being
 * handled, as if Python code raised it here. */
PyObject *
raise_error(asy_error *err)
{
    bool is_new = !err->foreign;
    PyObject *exception = exception_from_error(err);

    asy_error_unref(err);
    if (exception && is_new) {
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        Py_DECREF(exception);
    } else if (exception) {
        PyErr_SetRaisedException(exception);
    }
    return NULL;
}

PyObject *
none_or_raise(asy_error *err)
{
    if (err)
        return raise_error(err);
    Py_RETURN_NONE;
}
