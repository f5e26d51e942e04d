/* SPDX-License-Identifier: MIT */
/*
 * The life of a Coroutine: making it, and how the garbage collector sees it.
 *
 * What a frame of C keeps, the garbage collector cannot see; nor what the handles of the library
 * hold, such as the timer of a sleep, which leads to the future that it fulfils. Therefore a
 * coroutine that waits ends with its loop: closing the loop closes it, and what it held is free to
 * be collected. A loop that is never closed, and has one that waits, is never collected.
 */
#include "coroutine_type.h"

#include "future_type.h"

#include <string.h>

/* ---- the loop's list ------------------------------------------------------------ */

static void
list_add(CoroutineObject *self, LoopObject *loop)
{
    self->next = loop->coroutines;
    if (self->next)
        self->next->previous = self;
    loop->coroutines = self;
}

/* Without effect on one that has left. */
static void
list_remove(CoroutineObject *self)
{
    if (self->next)
        self->next->previous = self->previous;
    if (self->previous)
        self->previous->next = self->next;
    else if (self->loop->coroutines == self)
        self->loop->coroutines = self->next;
    self->next = NULL;
    self->previous = NULL;
}

/* One that runs at the moment cannot be closed. One that has not begun is left alone: it waits for
 * nothing, the collector sees what it keeps, and whoever forgets it has to be warned. */
void
close_coroutines(LoopObject *loop)
{
    while (loop->coroutines) {
        CoroutineObject *each = (CoroutineObject *)Py_NewRef((PyObject *)loop->coroutines);
        list_remove(each);
        if (asy_coro_started(each->core))
            asy_error_unref(asy_coro_close(each->core));
        Py_DECREF((PyObject *)each);
    }
}

/* ---- making --------------------------------------------------------------------- */

CoroutineObject *
coroutine_object_new(LoopObject *loop, const char *name, asy_coro *core)
{
    CoroutineObject *self = PyObject_GC_New(CoroutineObject, loop->state->native_coroutine_type);

    if (!self) {
        asy_error_unref(asy_coro_close(core));
        asy_coro_unref(core);
        return NULL;
    }
    memset((char *)self + sizeof(PyObject), 0, sizeof *self - sizeof(PyObject));
    self->loop = (LoopObject *)Py_NewRef((PyObject *)loop);
    self->core = core;
    self->name = name;
    list_add(self, loop);
    PyObject_GC_Track((PyObject *)self);
    return self;
}

/* ---- freeing -------------------------------------------------------------------- */

void
Coroutine_finalize(PyObject *object)
{
    CoroutineObject *self = (CoroutineObject *)object;
    PyObject *raised = PyErr_GetRaisedException();

    if (!asy_coro_started(self->core) && !asy_coro_finished(self->core)
        && PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "coroutine '%s' was never awaited",
                            self->name) < 0)
        PyErr_WriteUnraisable(object);
    if (raised)
        PyErr_SetRaisedException(raised);
}

/* What the coroutines hold by their awaits. What else is in their frames, only they know. */
int
Coroutine_traverse(PyObject *object, visitproc visit, void *arg)
{
    CoroutineObject *self = (CoroutineObject *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT((PyObject *)self->loop);
    Py_VISIT(self->keep[0]);
    Py_VISIT(self->keep[1]);
    Py_VISIT(self->keep[2]);
    for (const asy_coro *each = self->core; each; each = each->inner) {
        if (each->future)
            Py_VISIT((PyObject *)python_future_from_core(each->future));
    }
    return 0;
}

int
Coroutine_clear(PyObject *object)
{
    CoroutineObject *self = (CoroutineObject *)object;

    asy_error_unref(asy_coro_close(self->core));
    Py_CLEAR(self->keep[0]);
    Py_CLEAR(self->keep[1]);
    Py_CLEAR(self->keep[2]);
    return 0;
}

void
Coroutine_dealloc(PyObject *object)
{
    CoroutineObject *self = (CoroutineObject *)object;
    PyTypeObject *type = Py_TYPE(object);

    if (PyObject_CallFinalizerFromDealloc(object) < 0)
        return;
    PyObject_GC_UnTrack(object);
    if (self->weakrefs)
        PyObject_ClearWeakRefs(object);
    list_remove(self);
    Coroutine_clear(object);
    asy_coro_unref(self->core);
    Py_DECREF((PyObject *)self->loop);
    PyObject_GC_Del(object);
    Py_DECREF(type);
}
