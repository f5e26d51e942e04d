/* SPDX-License-Identifier: MIT */
/*
 * The life of a Future: making it, what the library asks of it, and how the garbage collector
 * sees it.
 *
 * A future leads to its callbacks, these to whatever waits, and that back to the future. So the
 * collector is shown everything that the library's future owns: each callback, the result, the
 * exceptions. It may clear the future at any time; the future is then done, and nobody is told.
 */
#include "future_type.h"

#include "convert.h"
#include "handle_type.h"
#include "raise.h"
#include "task_type.h"

#include <stddef.h>
#include <string.h>

/* How many lines of the stack debug mode keeps. */
#define STACK_FRAMES 10

static FutureObject *
object_of(asy_future *core)
{
    return (FutureObject *)(void *)((char *)core - offsetof(FutureObject, core));
}

/* ---- what the library asks of a future ------------------------------------------ */

void
future_object_ref(asy_future *core)
{
    Py_INCREF((PyObject *)object_of(core));
}

void
future_object_unref(asy_future *core)
{
    Py_DECREF((PyObject *)object_of(core));
}

char *
future_object_describe(asy_future *core)
{
    return text_from_object(PyObject_Repr((PyObject *)object_of(core)));
}

static const asy_future_ops future_ops = {
    .name = "Future",
    .ref = future_object_ref,
    .unref = future_object_unref,
    .describe = future_object_describe,
};

FutureObject *
python_future_from_core(asy_future *core)
{
    if (core->ops == &future_ops)
        return object_of(core);
    asy_task *task = asy_future_task(core);
    return task ? (FutureObject *)python_task_from_core(task) : NULL;
}

PyObject *
object_of_handle(asy_handle *handle)
{
    HandleObject *object = python_handle_from_core(handle);

    if (object)
        return (PyObject *)object;
    asy_task *task = asy_handle_task(handle);
    return task ? (PyObject *)python_task_from_core(task) : NULL;
}

void
drop_object(void *object)
{
    Py_DECREF((PyObject *)object);
}

/* ---- making --------------------------------------------------------------------- */

int
future_init_head(FutureObject *self, LoopObject *loop, int source_frames)
{
    self->loop = (LoopObject *)Py_NewRef((PyObject *)loop);
    if (!asy_loop_get_debug(loop->core))
        return 0;
    self->source_traceback = PyObject_CallFunction(loop->state->extract_stack, "i", source_frames);
    return self->source_traceback ? 0 : -1;
}

/* A Future around the library's future, or around its own, for NULL. */
static FutureObject *
new_future(LoopObject *loop, asy_future *other)
{
    FutureObject *self = PyObject_GC_New(FutureObject, loop->state->future_type);

    if (!self)
        return NULL;
    memset((char *)self + sizeof(PyObject), 0, sizeof *self - sizeof(PyObject));
    self->shown = other ? asy_future_ref(other) : &self->core;
    asy_future_init(&self->core, &future_ops, loop->core);
    int failed = future_init_head(self, loop, STACK_FRAMES);
    PyObject_GC_Track((PyObject *)self);
    if (failed)
        Py_CLEAR(self);
    return self;
}

FutureObject *
python_future_new(LoopObject *loop)
{
    return new_future(loop, NULL);
}

FutureObject *
python_future_for(LoopObject *loop, asy_future *future)
{
    FutureObject *object = python_future_from_core(future);

    if (object)
        return (FutureObject *)Py_NewRef((PyObject *)object);
    return new_future(loop, future);
}

LoopObject *
loop_or_current(struct module_state *state, PyObject *given)
{
    PyObject *loop = given == Py_None ? PyObject_CallNoArgs(state->get_event_loop)
                                      : Py_NewRef(given);
    int ours = loop ? PyObject_IsInstance(loop, (PyObject *)state->loop_type) : -1;

    if (ours == 0)
        PyErr_Format(PyExc_TypeError, "a future of asy needs an event loop of asy, not %R", loop);
    if (ours <= 0)
        Py_CLEAR(loop);
    return (LoopObject *)loop;
}

/* ---- the garbage collector ------------------------------------------------------ */

static int
visit_callbacks(const asy_future *core, visitproc visit, void *arg)
{
    for (size_t i = 0; i < core->callback_count; i++)
        Py_VISIT(object_of_handle(core->callbacks[i]));
    return 0;
}

static int
visit_core(const asy_future *core, visitproc visit, void *arg)
{
    int result = visit_callbacks(core, visit, arg);

    if (result == 0)
        result = visit_error(core->exception, visit, arg);
    if (result == 0)
        result = visit_error(core->cancelled_error, visit, arg);
    if (result != 0)
        return result;
    Py_VISIT((PyObject *)core->cancel_message);
    if (core->drop_result == drop_object)
        Py_VISIT((PyObject *)core->result);
    return 0;
}

int
Future_traverse(PyObject *object, visitproc visit, void *arg)
{
    FutureObject *self = (FutureObject *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT((PyObject *)self->loop);
    Py_VISIT(self->source_traceback);
    Py_VISIT(self->exception_traceback);
    Py_VISIT(self->attributes);
    return visit_core(&self->core, visit, arg);
}

/* Not the loop: the library's future points to it for as long as there is one. */
void
future_clear_head(FutureObject *self)
{
    if (self->shown != &self->core) {
        asy_future *other = self->shown;
        self->shown = &self->core;
        asy_future_unref(other);
    }
    Py_CLEAR(self->source_traceback);
    Py_CLEAR(self->exception_traceback);
    Py_CLEAR(self->attributes);
}

void
future_free(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    LoopObject *loop = ((FutureObject *)object)->loop;

    PyObject_GC_Del(object);
    Py_XDECREF((PyObject *)loop);
    Py_DECREF(type);
}

/* ---- the end of a Future -------------------------------------------------------- */

/* Future.__del__. It must not touch the exception that is being raised meanwhile. */
void
Future_finalize(PyObject *object)
{
    FutureObject *self = (FutureObject *)object;
    PyObject *raised = PyErr_GetRaisedException();

    if (self->shown == &self->core)
        asy_future_report_unretrieved(&self->core);
    if (raised)
        PyErr_SetRaisedException(raised);
}

int
Future_clear(PyObject *object)
{
    asy_future_clear(&((FutureObject *)object)->core);
    future_clear_head((FutureObject *)object);
    return 0;
}

void
Future_dealloc(PyObject *object)
{
    if (PyObject_CallFinalizerFromDealloc(object) < 0)
        return;
    PyObject_GC_UnTrack(object);
    if (((FutureObject *)object)->weakrefs)
        PyObject_ClearWeakRefs(object);
    Future_clear(object);
    future_free(object);
}
