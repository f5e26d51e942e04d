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

/* Sort the arguments of a METH_FASTCALL | METH_KEYWORDS call METHOD(first): the argument, borrowed,
 * or NULL and a TypeError. */
PyObject *parse_one(const struct signature *signature, PyObject *const *args,
                    Py_ssize_t arg_count, PyObject *keywords);

/* TypeError: METHOD() got multiple values for argument NAME. Returns -1. */
int multiple_values(const struct signature *signature, PyObject *name);

/* A descriptor, or an object with fileno(): its number, which may be negative. Returns 0; 1, if
 * the number is larger than any descriptor's; or -1 and a ValueError as selectors raises it. */
int fd_from_object(PyObject *object, int *ret_fd);

/* Seconds. Returns 0, or -1 and a TypeError, or the OverflowError of an int that is too large. */
int seconds_from_object(PyObject *object, double *ret_seconds);

/* "epoll", "poll", "select" or None. Returns 0, or -1 and a ValueError or TypeError. */
int selector_from_object(PyObject *object, asy_selector_kind *ret_kind);

/* The text of a str, from asy_alloc(). Steals text. When it is NULL, the exception that is being
 * raised is shown as one that nobody can catch, and the result is NULL. */
char *text_from_object(PyObject *text);

/* The converse: a new reference, or NULL and an exception. */
PyObject *object_from_text(const char *text);

/* A report as the dictionary that exception handlers get: a new reference, or NULL. */
PyObject *dict_from_report(const asy_report *report);

/* The exception of the report, borrowed from its dictionary, if CPython calls the handler in an
 * except clause: for what a callback or a handler raised, but not for what a program or a
 * finalizer reports. Otherwise NULL. */
PyObject *handled_exception(const asy_report *report, PyObject *dict);

#endif
