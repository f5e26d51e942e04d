/* SPDX-License-Identifier: MIT */
/* Calling things in a context: contextvars.Context.run, from C. */
#ifndef PYTHON_CALLBACK_H
#define PYTHON_CALLBACK_H

#include "compat.h"

#include <asy/error.h>

/* context.run(callback, *args): a new reference, or NULL and an exception. Anything with a run()
 * method passes for a context. args is a tuple, or if is_one is true, the only argument. */
PyObject *call_in_context(PyObject *context, PyObject *callback, PyObject *args, bool is_one);

/* context.run(function, argument), of a C function. */
asy_error *run_in_context(PyObject *context, asy_error *(*function)(void *argument),
                          void *argument);

#endif
