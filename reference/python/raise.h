/* SPDX-License-Identifier: MIT */
/* asy_error values and Python's exceptions: each becomes the other at the border. */
#ifndef PYTHON_RAISE_H
#define PYTHON_RAISE_H

#include "compat.h"

#include <asy/error.h>

/* Raise the error. Steals it. Returns NULL, for `return raise_error(err);`. */
PyObject *raise_error(asy_error *err);

/* The same, or None when there is no error. */
PyObject *none_or_raise(asy_error *err);

/* The exception that is being raised, as an error; nothing is being raised any more. */
asy_error *error_from_python(void);

/* The error as an exception object: a new reference, or NULL and an exception. Borrows it. */
PyObject *exception_from_error(const asy_error *err);

#endif
