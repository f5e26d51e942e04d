/* SPDX-License-Identifier: MIT */
/* Exceptions where they end: handled as in an except clause, or shown as nobody can catch them. */
#ifndef PYTHON_HANDLING_H
#define PYTHON_HANDLING_H

#include "compat.h"

#include <asy/error.h>

/* callable(*args) inside `except ...:`, where `exception` is the one that is being handled: what
 * sys.exc_info() tells, what a bare raise raises, the __context__ of other exceptions. NULL: just
 * callable(*args). A new reference, or NULL and an exception. */
PyObject *call_handling(PyObject *exception, PyObject *callable, PyObject *const *args,
                        size_t arg_count);

/* For functions that cannot raise: show the exception as one that nobody can catch. `where`, which
 * may be NULL, is what the message names. A KeyboardInterrupt is not shown but raised again, in the
 * main thread and as if the key was pressed again, at the next opportunity. */
void show_unraisable(PyObject *where);

/* Drop the result of a call; without one, the exception is the error. */
asy_error *error_without(PyObject *result);

/* Drop the result of a call; without one, show_unraisable(). */
void ignore_without(PyObject *result);

#endif
