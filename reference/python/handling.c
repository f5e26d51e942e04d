/* SPDX-License-Identifier: MIT */
/* Exceptions where they end: see handling.h. */
#include "handling.h"

#include "raise.h"

PyObject *
call_handling(PyObject *exception, PyObject *callable, PyObject *const *args, size_t arg_count)
{
    if (!exception)
        return PyObject_Vectorcall(callable, args, arg_count, NULL);
    PyObject *outer = PyErr_GetHandledException();
    PyErr_SetHandledException(exception);
    PyObject *result = PyObject_Vectorcall(callable, args, arg_count, NULL);
    PyErr_SetHandledException(outer);
    Py_XDECREF(outer);
    return result;
}

void
show_unraisable(PyObject *where)
{
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
        PyErr_Clear();
        PyErr_SetInterrupt();
    } else {
        PyErr_WriteUnraisable(where);
    }
}

asy_error *
error_without(PyObject *result)
{
    if (!result)
        return error_from_python();
    Py_DECREF(result);
    return ASY_OK;
}

void
ignore_without(PyObject *result)
{
    if (!result)
        show_unraisable(NULL);
    Py_XDECREF(result);
}
