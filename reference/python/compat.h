/* SPDX-License-Identifier: MIT */
/*
 * Python.h, and what of it a build has to go without.
 *
 * One build uses the limited API of 3.12 and serves 3.12 and every version after it; the other
 * is for 3.11 alone. The code is written for the first. Here stands what the limited API does
 * not declare although every interpreter exports it (contexts, audit events), and what 3.11 did
 * not have yet.
 */
#ifndef PYTHON_COMPAT_H
#define PYTHON_COMPAT_H

#include <Python.h>

#ifdef Py_LIMITED_API

PyAPI_DATA(PyTypeObject) PyContext_Type;
#define PyContext_CheckExact(object) Py_IS_TYPE(object, &PyContext_Type)

PyAPI_FUNC(PyObject *) PyContext_CopyCurrent(void);
PyAPI_FUNC(int) PyContext_Enter(PyObject *context);
PyAPI_FUNC(int) PyContext_Exit(PyObject *context);

PyAPI_FUNC(int) PyObject_CallFinalizerFromDealloc(PyObject *object);

PyAPI_FUNC(int) PySys_Audit(const char *event, const char *format, ...);

#endif

#if PY_VERSION_HEX < 0x030C0000

/* The exception being raised, with its traceback, or NULL; a new reference. */
static inline PyObject *
PyErr_GetRaisedException(void)
{
    PyObject *type, *exception, *traceback;

    PyErr_Fetch(&type, &exception, &traceback);
    if (!type)
        return NULL;
    PyErr_NormalizeException(&type, &exception, &traceback);
    if (traceback) {
        PyException_SetTraceback(exception, traceback);
        Py_DECREF(traceback);
    }
    Py_DECREF(type);
    return exception;
}

/* Raise an exception. Steals the reference. */
static inline void
PyErr_SetRaisedException(PyObject *exception)
{
    PyObject *type = (PyObject *)Py_TYPE(exception);
    PyErr_Restore(Py_NewRef(type), exception, PyException_GetTraceback(exception));
}

/* asyncio.Handle keeps its weak references in a slot of its own; later versions do not. */
#define HANDLE_HAS_WEAKREF_SLOT 1

#endif

#endif
