/* SPDX-License-Identifier: MIT */
/* asy_error values and Python's exceptions: each becomes the other at the border. */
#ifndef PYTHON_RAISE_H
#define PYTHON_RAISE_H

#include "compat.h"

#include <asy/error.h>

/* Raise the error, or go on raising it if Python code has raised it a moment ago. Steals it.
 * Returns NULL, for `return raise_error(err);`. */
PyObject *raise_error(asy_error *err);

/* The same for an error that was kept until now, as the exception of a future is: as a `raise`
 * statement does it, which makes the exception that is being handled its __context__. */
PyObject *raise_kept_error(asy_error *err);

/* The same, or None when there is no error. */
PyObject *none_or_raise(asy_error *err);

/* raise StopIteration(value), which is how an iteration returns one. Steals it. Returns NULL. */
PyObject *raise_stop_iteration(PyObject *value);

/* The exception that is being raised, as an error; nothing is being raised any more. */
asy_error *error_from_python(void);

/* An exception as an error. Steals it. */
asy_error *error_from_exception(PyObject *exception);

/* The error as an exception object: a new reference, or NULL and an exception. Borrows it, and
 * keeps the object in it, so that the next one who asks gets the same. */
PyObject *exception_from_error(asy_error *err);

/* The exception that throw(type, value, traceback) means, the last two of which may be left out:
 * a new reference, or NULL and a TypeError. */
PyObject *exception_from_throw(PyObject *const *args, Py_ssize_t count);

/* tp_traverse of an error that the caller owns. NULL is accepted. */
int visit_error(const asy_error *err, visitproc visit, void *arg);

/* Tell raise.c the classes that asyncio defines, once for each interpreter. Returns 0, or -1 and
 * an exception. */
int set_asyncio_classes(PyObject *cancelled_error, PyObject *invalid_state_error,
                        PyObject *sendfile_not_available_error);

#endif
