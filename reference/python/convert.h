/* SPDX-License-Identifier: MIT */
/* Python values to C values and back. */
#ifndef PYTHON_CONVERT_H
#define PYTHON_CONVERT_H

#include "compat.h"

#include <asy/asy.h>

struct module_state;

/* The arguments of a method of the form METHOD([first,] callback, *args[, context=None]). */
struct signature {
    const char *class_name;         /* where CPython defines it, for its messages */
    const char *method;             /* "call_later" */
    const char *first;              /* "delay", or NULL when the callback comes first */
    bool        takes_context;
};

/* What was given. Everything is borrowed. */
struct call {
    PyObject        *first;         /* NULL if the signature has none */
    PyObject        *callback;
    PyObject *const *args;
    Py_ssize_t       arg_count;
    PyObject        *context;       /* NULL: none was given, or None */
};

/* Sort the arguments of a METH_FASTCALL | METH_KEYWORDS call. Returns 0, or -1 and a TypeError. */
int parse_call(struct module_state *state, const struct signature *signature,
               PyObject *const *args, Py_ssize_t arg_count, PyObject *keywords,
               struct call *ret_call);

/* A descriptor, or an object with fileno(): its number, which may be negative. Returns 0, or -1
 * and a ValueError as selectors raises it, or an OverflowError. */
int fd_from_object(PyObject *object, int *ret_fd);

/* Seconds. Returns 0, or -1 and a TypeError. */
int seconds_from_object(PyObject *object, double *ret_seconds);

/* "epoll", "poll", "select" or None. Returns 0, or -1 and a ValueError or TypeError. */
int selector_from_object(PyObject *object, asy_selector_kind *ret_kind);

/* The text of a str, from asy_alloc(). Steals text. When it is NULL, the exception that is being
 * raised is shown as one that nobody can catch, and the result is NULL. */
char *text_from_object(PyObject *text);

/* A report as the dictionary that exception handlers get: a new reference, or NULL. */
PyObject *dict_from_report(const asy_report *report);

#endif
