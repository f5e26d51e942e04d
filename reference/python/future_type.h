/* SPDX-License-Identifier: MIT */
/*
 * Future: a Python object with the library's future inside.
 *
 * Task (task_type.h) begins as this struct does and has a task in the place of the future, which
 * begins with a future; so all that is said of a Future holds for a Task.
 *
 * One kind of Future has no future inside: it stands for one that C code has made, such as the
 * outer future of asy_gather(), so that Python can wait for that without a step in between.
 */
#ifndef PYTHON_FUTURE_TYPE_H
#define PYTHON_FUTURE_TYPE_H

#include "compat.h"
#include "loop_type.h"
#include "state.h"

#include <asy/future.h>

#define FUTURE_HEAD                                                                        \
    PyObject_HEAD                                                                          \
    LoopObject *loop;                   /* owned, until the object is freed */             \
    asy_future *shown;                  /* whose state: &core, or that of C code, owned */ \
    PyObject   *source_traceback;       /* where it was made; NULL out of debug mode */    \
    PyObject   *exception_traceback;    /* of the exception when it came; NULL: given back */ \
    PyObject   *attributes;             /* __dict__, or NULL */                            \
    PyObject   *weakrefs

typedef struct {
    FUTURE_HEAD;
    asy_future core;                    /* in one that stands for another: not used */
} FutureObject;

/* ---- future_type.c: its life ---------------------------------------------------- */

/* Future(loop=loop): a new reference, or NULL and an exception. */
FutureObject *python_future_new(LoopObject *loop);

/* The loop given, or for None the current one: a new reference, or NULL and an exception. */
LoopObject *loop_or_current(struct module_state *state, PyObject *given);

/* The Python object for a future of the library: that which it lies in, or else a new one that
 * stands for it. A new reference, or NULL and an exception. */
FutureObject *python_future_for(LoopObject *loop, asy_future *future);

/* The Python object, Future or Task, that the future lies in: borrowed; NULL if it is a future
 * of C code. */
FutureObject *python_future_from_core(asy_future *future);

/* The Python object that a handle of the loop or of a future keeps alive, if there is one: a
 * Handle, or the Task whose step the handle is. Borrowed. */
PyObject *object_of_handle(asy_handle *handle);

/* Give back an object that a future or coroutine had as its result. */
void drop_object(void *object);

/* For the tables by which the library asks futures and tasks. */
void future_object_ref(asy_future *core);
void future_object_unref(asy_future *core);
char *future_object_describe(asy_future *core);

/* What all types of futures do; source_frames is how many lines of the stack debug mode keeps. */
int future_init_head(FutureObject *self, LoopObject *loop, int source_frames);
int Future_traverse(PyObject *object, visitproc visit, void *arg);
int Future_clear(PyObject *object);
void Future_finalize(PyObject *object);
void Future_dealloc(PyObject *object);
void future_clear_head(FutureObject *self);
void future_free(PyObject *object);

/* A method with a tuple and a dictionary of arguments, in a PyMethodDef. */
#define KEYWORDS_METHOD(function)                                                          \
    (PyCFunction)(void (*)(void))function, METH_VARARGS | METH_KEYWORDS

/* ---- future_methods.c: as Python code sees it ----------------------------------- */

/* future.result(): a new reference, or NULL and an exception. */
PyObject *future_result_object(FutureObject *self);

/* The traceback of the future's exception: keep what it came with, and give it back when the
 * exception is about to be raised. No effect if `raised`, which may be NULL, is not the future's
 * exception. */
void future_keep_traceback(FutureObject *self, PyObject *exception);
void future_restore_traceback(FutureObject *self, const asy_error *raised);

/* Create Future and its iterator in the state. Returns 0, or -1 and an exception. */
int add_future_types(PyObject *module, struct module_state *state);

/* ---- future_iterator.c: what await calls ---------------------------------------- */

/* future.__await__() */
PyObject *Future_await(PyObject *future);

extern PyType_Spec future_iterator_spec;

/* ---- asyncio_attributes.c ------------------------------------------------------- */

extern PyGetSetDef Future_attributes[];
extern PyGetSetDef Task_attributes[];

#endif
