/* SPDX-License-Identifier: MIT */
/*
 * What surrounds a run in the interpreter.
 *
 * In between, the interpreter tells the loop about each async generator that is iterated for the
 * first time, and about each that is collected before it ended (asy/_running.py).
 *
 * Everything here calls functions that are written in C themselves, and no Python code: a signal
 * handler runs between two instructions of Python code, and its exception would leave a cleanup
 * half done.
 */
#include "running.h"

#include "handling.h"
#include "raise.h"

#define COROUTINE_ORIGIN_DEPTH 10

/* Spec: debug.coroutine-origin */
asy_error *
track_origins(LoopObject *self, bool enabled)
{
    PyObject *set_depth = self->state->set_origin_depth;

    if (enabled == (self->depth_outside != NULL))
        return ASY_OK;
    if (enabled) {
        self->depth_outside = PyObject_CallNoArgs(self->state->get_origin_depth);
        return self->depth_outside
                   ? error_without(PyObject_CallFunction(set_depth, "i", COROUTINE_ORIGIN_DEPTH))
                   : error_from_python();
    }
    PyObject *depth = self->depth_outside;
    self->depth_outside = NULL;
    PyObject *result = PyObject_CallFunctionObjArgs(set_depth, depth, NULL);
    Py_DECREF(depth);
    return error_without(result);
}

static asy_error *
set_hooks(LoopObject *self)
{
    PyObject *first = PyObject_GetAttrString((PyObject *)self, "_asyncgen_firstiter_hook");
    PyObject *last = first ? PyObject_GetAttrString((PyObject *)self, "_asyncgen_finalizer_hook")
                           : NULL;
    PyObject *outside = last ? PyObject_CallNoArgs(self->state->get_asyncgen_hooks) : NULL;
    PyObject *result = NULL;

    if (outside) {
        self->hooks_outside = outside;
        result = PyObject_CallFunctionObjArgs(self->state->set_asyncgen_hooks, first, last, NULL);
    }
    Py_XDECREF(last);
    Py_XDECREF(first);
    return error_without(result);
}

static asy_error *
reset_hooks(LoopObject *self)
{
    PyObject *hooks = self->hooks_outside;

    if (!hooks)
        return ASY_OK;
    self->hooks_outside = NULL;
    PyObject *result = PyObject_CallObject(self->state->set_asyncgen_hooks, hooks);
    Py_DECREF(hooks);
    return error_without(result);
}

static asy_error *
set_running_loop(LoopObject *self, PyObject *loop)
{
    return error_without(PyObject_CallFunctionObjArgs(self->state->set_running_loop, loop, NULL));
}

asy_error *
enter_run(LoopObject *self)
{
    asy_error *err = track_origins(self, asy_loop_get_debug(self->core));

    if (!err)
        err = set_hooks(self);
    if (!err)
        err = set_running_loop(self, (PyObject *)self);
    return err;
}

/* The error that came first; the other one is given back. */
static asy_error *
first_error(asy_error *first, asy_error *second)
{
    if (!first)
        return second;
    asy_error_unref(second);
    return first;
}

asy_error *
leave_run(LoopObject *self)
{
    asy_error *err = set_running_loop(self, Py_None);

    err = first_error(err, track_origins(self, false));
    return first_error(err, reset_hooks(self));
}
