/* SPDX-License-Identifier: MIT */
/*
 * Loop: the Python object around a loop of the library. asy.EventLoop derives from it.
 *
 * Its methods lie in eight files: loop_type.c has the object, running, stopping and closing;
 * loop_calls.c what schedules callbacks; loop_tasks.c futures, tasks and run_until_complete;
 * loop_settings.c exception handlers and debug mode; loop_watch.c descriptors; loop_sockets.c
 * sockets; loop_executors.c and loop_literals.c what asy/_executors.py leaves to C.
 */
#ifndef PYTHON_LOOP_TYPE_H
#define PYTHON_LOOP_TYPE_H

#include "compat.h"
#include "state.h"

#include <asy/loop.h>

typedef struct CoroutineObject CoroutineObject;         /* coroutine_type.h */
struct call;                                            /* convert.h */

typedef struct {
    PyObject_HEAD
    struct module_state *state;             /* borrowed: the type keeps the module */
    asy_loop            *core;              /* never NULL: without __init__, state->no_loop */
    bool                 overrides_time;    /* the class has a time() of its own */
    bool                 native;            /* futures and tasks are the library's */
    PyObject            *exception_handler; /* NULL: the default one */
    PyObject            *task_factory;      /* NULL: asyncio.Task, or Task */
    CoroutineObject     *coroutines;        /* the library's that Python has; borrowed */
    Py_ssize_t           default_jobs;      /* of the default executor, that are not over */
    PyObject            *readers;           /* {descriptor: a weak reference to its handle}, */
    PyObject            *writers;           /* for those that were not given as numbers */
    PyObject            *hooks_outside;     /* during a run: sys.get_asyncgen_hooks() before it */
    PyObject            *depth_outside;     /* while the origin of coroutines is tracked: the */
                                            /* depth before, else NULL */
} LoopObject;

/* Create the type in the state. Returns 0, or -1 and an exception. */
int add_loop_type(PyObject *module, struct module_state *state);

/* For what would change a loop: it is one of its own, and not the one that all loops without
 * __init__ share. Returns 0, or -1 and a RuntimeError. */
int check_initialised(LoopObject *self);

/* The C function that run_until_complete() gives to a future as done callback. */
extern PyMethodDef run_until_complete_done_def;

/* METH_FASTCALL | METH_KEYWORDS */
#define FAST_METHOD(function) (PyCFunction)(void (*)(void))function, METH_FASTCALL | METH_KEYWORDS
#define POSITIONAL_METHOD(function) (PyCFunction)(void (*)(void))function, METH_FASTCALL
#define FAST_ARGUMENTS PyObject *object, PyObject *const *args, Py_ssize_t arg_count,      \
                       PyObject *keywords
#define POSITIONAL_ARGUMENTS PyObject *object, PyObject *const *args, Py_ssize_t arg_count

/* ---- loop_calls.c ----------------------------------------------------------------- */

PyObject *Loop_call_soon(FAST_ARGUMENTS);
PyObject *Loop_call_soon_threadsafe(FAST_ARGUMENTS);
PyObject *Loop_call_later(FAST_ARGUMENTS);
PyObject *Loop_call_at(FAST_ARGUMENTS);
PyObject *Loop_time(PyObject *object, PyObject *ignored);

/* _check_callback(): in debug mode only. Returns 0, or -1 and a TypeError. */
int check_callback(LoopObject *self, PyObject *callback, const char *method);

/* call_soon_threadsafe(), once the arguments are sorted: a new reference, or NULL and an
 * exception. */
PyObject *loop_call_soon_threadsafe(LoopObject *self, const struct call *call);

/* ---- loop_tasks.c ----------------------------------------------------------------- */

PyObject *Loop_create_future(PyObject *object, PyObject *ignored);
PyObject *Loop_create_task(FAST_ARGUMENTS);
PyObject *Loop_set_task_factory(FAST_ARGUMENTS);
PyObject *Loop_get_task_factory(PyObject *object, PyObject *ignored);
PyObject *Loop_run_until_complete(FAST_ARGUMENTS);

/* ---- loop_watch.c ----------------------------------------------------------------- */

PyObject *Loop_add_reader(FAST_ARGUMENTS);
PyObject *Loop_add_writer(FAST_ARGUMENTS);
PyObject *Loop_remove_reader(FAST_ARGUMENTS);
PyObject *Loop_remove_writer(FAST_ARGUMENTS);

/* ---- loop_sockets.c --------------------------------------------------------------- */

PyObject *Loop_sock_recv(POSITIONAL_ARGUMENTS);
PyObject *Loop_sock_recv_into(POSITIONAL_ARGUMENTS);
PyObject *Loop_sock_recvfrom(POSITIONAL_ARGUMENTS);
PyObject *Loop_sock_recvfrom_into(POSITIONAL_ARGUMENTS);
PyObject *Loop_sock_sendall(POSITIONAL_ARGUMENTS);
PyObject *Loop_sock_sendto(POSITIONAL_ARGUMENTS);
PyObject *Loop_sock_send_pieces(POSITIONAL_ARGUMENTS);
PyObject *Loop_sock_connect(POSITIONAL_ARGUMENTS);
PyObject *Loop_sock_accept(POSITIONAL_ARGUMENTS);

/* ---- loop_executors.c, loop_literals.c: METH_FASTCALL ------------------------------ */

PyObject *Loop_follow_job(PyObject *object, PyObject *const *args, Py_ssize_t count);
PyObject *Loop_literal_addresses(PyObject *object, PyObject *const *args, Py_ssize_t count);

/* The C function that brings the outcome of a job to its future, in the loop's thread. */
extern PyMethodDef copy_state_def;

/* ---- loop_settings.c -------------------------------------------------------------- */

PyObject *Loop_get_exception_handler(PyObject *object, PyObject *ignored);
PyObject *Loop_set_exception_handler(FAST_ARGUMENTS);
PyObject *Loop_default_exception_handler(FAST_ARGUMENTS);
PyObject *Loop_call_exception_handler(FAST_ARGUMENTS);
PyObject *Loop_get_debug(PyObject *object, PyObject *ignored);
PyObject *Loop_set_debug(FAST_ARGUMENTS);
extern PyGetSetDef Loop_attributes[];

#endif
