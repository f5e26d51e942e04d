/* SPDX-License-Identifier: MIT */
/* Coroutine: a coroutine of the library, for Python code to await. */
#ifndef PYTHON_COROUTINE_TYPE_H
#define PYTHON_COROUTINE_TYPE_H

#include "compat.h"
#include "loop_type.h"
#include "state.h"

#include <asy/coro.h>

struct CoroutineObject {
    PyObject_HEAD
    LoopObject *loop;                   /* owned */
    asy_coro   *core;                   /* owned */
    const char *name;                   /* static text: its __qualname__, "sleep" */
    PyObject   *(*make_result)(CoroutineObject *self);  /* what it returns; NULL: None */
    PyObject   *keep[3];                /* owned: for make_result, or while it runs; or NULL */
    PyObject   *weakrefs;
    CoroutineObject *next;              /* in the loop's list; borrowed */
    CoroutineObject *previous;
};

/* ---- coroutine_type.c: its life ------------------------------------------------- */

/* A coroutine that Python can await, under a name that is kept. Steals core. A new reference, or
 * NULL and an exception. */
CoroutineObject *coroutine_object_new(LoopObject *loop, const char *name, asy_coro *core);

/* End those of the loop that wait, because it is closed, and nothing will wake them. */
void close_coroutines(LoopObject *loop);

void Coroutine_finalize(PyObject *object);
int Coroutine_traverse(PyObject *object, visitproc visit, void *arg);
int Coroutine_clear(PyObject *object);
void Coroutine_dealloc(PyObject *object);

/* ---- coroutine_methods.c -------------------------------------------------------- */

/* Create the type in the state. Returns 0, or -1 and an exception. */
int add_coroutine_type(PyObject *module, struct module_state *state);

/* ---- native.c: the functions of the module -------------------------------------- */

extern PyMethodDef native_functions[];

#endif
