/* SPDX-License-Identifier: MIT */
/*
 * What `await future` iterates over: the future, once, if it is not done, and then its result.
 *
 * The future that comes out has _asyncio_future_blocking set. That tells the task at the other end
 * of the chain of awaits that the future is meant to be waited for, and was not yielded by mistake.
 */
#include "future_type.h"
#include "raise.h"

typedef struct {
    PyObject_HEAD
    FutureObject *future;               /* owned; NULL when the iteration is over */
} FutureIteratorObject;

PyObject *
Future_await(PyObject *future)
{
    struct module_state *state = ((FutureObject *)future)->loop->state;
    FutureIteratorObject *self = PyObject_GC_New(FutureIteratorObject, state->future_iterator_type);

    if (!self)
        return NULL;
    self->future = (FutureObject *)Py_NewRef(future);
    PyObject_GC_Track((PyObject *)self);
    return (PyObject *)self;
}

/* ---- iterating ------------------------------------------------------------------ */

/* Not done, and asked again: someone has sent on a future that he should have waited for. */
static PySendResult
used_wrongly(PyObject **ret_value)
{
    PyErr_SetString(PyExc_RuntimeError, "await wasn't used with future");
    *ret_value = NULL;
    return PYGEN_ERROR;
}

/* Spec: Future.awaitable, Task.awaitable */
static PySendResult
FutureIterator_send_slot(PyObject *object, PyObject *Py_UNUSED(value), PyObject **ret_value)
{
    FutureIteratorObject *self = (FutureIteratorObject *)object;
    FutureObject *future = self->future;

    if (!future) {
        *ret_value = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    if (!asy_future_done(future->shown)) {
        if (future->shown->blocking)
            return used_wrongly(ret_value);
        future->shown->blocking = true;
        *ret_value = Py_NewRef((PyObject *)future);
        return PYGEN_NEXT;
    }
    self->future = NULL;
    *ret_value = future_result_object(future);
    Py_DECREF((PyObject *)future);
    return *ret_value ? PYGEN_RETURN : PYGEN_ERROR;
}

static PyObject *
FutureIterator_send(PyObject *self, PyObject *value)
{
    PyObject *result;
    PySendResult what = FutureIterator_send_slot(self, value, &result);

    return what == PYGEN_RETURN ? raise_stop_iteration(result) : result;
}

static PyObject *
FutureIterator_next(PyObject *self)
{
    return FutureIterator_send(self, Py_None);
}

static PyObject *
FutureIterator_throw(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    FutureIteratorObject *self = (FutureIteratorObject *)object;
    PyObject *exception = exception_from_throw(args, count);

    if (!exception)
        return NULL;
    Py_CLEAR(self->future);
    PyErr_SetRaisedException(exception);
    return NULL;
}

static PyObject *
FutureIterator_close(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    Py_CLEAR(((FutureIteratorObject *)self)->future);
    Py_RETURN_NONE;
}

/* ---- the type ------------------------------------------------------------------- */

static int
FutureIterator_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT((PyObject *)((FutureIteratorObject *)self)->future);
    return 0;
}

static int
FutureIterator_clear(PyObject *self)
{
    Py_CLEAR(((FutureIteratorObject *)self)->future);
    return 0;
}

static void
FutureIterator_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    FutureIterator_clear(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyMethodDef FutureIterator_methods[] = {
    { "send", FutureIterator_send, METH_O, "Go on, or raise StopIteration(result)." },
    { "throw", (PyCFunction)(void (*)(void))FutureIterator_throw, METH_FASTCALL,
      "End with this exception." },
    { "close", FutureIterator_close, METH_NOARGS, "End." },
    { 0 },
};

static PyType_Slot FutureIterator_slots[] = {
    { Py_tp_dealloc, FutureIterator_dealloc },
    { Py_tp_traverse, FutureIterator_traverse },
    { Py_tp_clear, FutureIterator_clear },
    { Py_tp_iter, PyObject_SelfIter },
    { Py_tp_iternext, FutureIterator_next },
    { Py_am_send, FutureIterator_send_slot },
    { Py_tp_methods, FutureIterator_methods },
    { 0 },
};

PyType_Spec future_iterator_spec = {
    .name = "asy.FutureIter",
    .basicsize = (int)sizeof(FutureIteratorObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = FutureIterator_slots,
};
