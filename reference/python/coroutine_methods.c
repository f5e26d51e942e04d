/* SPDX-License-Identifier: MIT */
/*
 * Coroutine: the one type through which Python code awaits a coroutine of the library.
 *
 * It behaves as what an `async def` function returns: nothing runs until it is awaited; send(),
 * throw() and close() are those of coroutines; and one that is dropped without having begun is
 * warned of. What it waits for is yielded as it is, so that the task at the other end of the chain
 * adds itself to that future's callbacks, and nothing lies in between.
 *
 * It has no cr_code: that tells asyncio's repr() that the code is not Python's.
 */
#include "coroutine_type.h"

#include "future_type.h"
#include "raise.h"

#include <stddef.h>
#include <string.h>
#include <structmember.h>

static CoroutineObject *
coroutine_of(PyObject *object)
{
    return (CoroutineObject *)object;
}

/* ---- running -------------------------------------------------------------------- */

/* What the suspended coroutine waits for, or None, which is a bare yield. */
static PyObject *
awaited_object(CoroutineObject *self)
{
    asy_future *core = asy_coro_awaits(self->core);
    return core ? (PyObject *)python_future_for(self->loop, core) : Py_NewRef(Py_None);
}

/* Steals thrown, which may be NULL. What is thrown goes through the coroutine as it is; without it,
 * an error is raised in here. */
static PySendResult
step(CoroutineObject *self, asy_error *thrown, PyObject **ret_value)
{
    bool throws = thrown;
    asy_error *err = asy_coro_send(self->core, thrown);

    if (err == ASY_SUSPENDED) {
        *ret_value = awaited_object(self);
        return *ret_value ? PYGEN_NEXT : PYGEN_ERROR;
    }
    if (err) {
        *ret_value = throws ? raise_error(err) : raise_kept_error(err);
        return PYGEN_ERROR;
    }
    *ret_value = self->make_result ? self->make_result(self) : Py_NewRef(Py_None);
    return *ret_value ? PYGEN_RETURN : PYGEN_ERROR;
}

static PySendResult
Coroutine_send_slot(PyObject *object, PyObject *value, PyObject **ret_value)
{
    CoroutineObject *self = coroutine_of(object);

    *ret_value = NULL;
    if (value != Py_None && !asy_coro_started(self->core)) {
        PyErr_SetString(PyExc_TypeError,
                        "can't send non-None value to a just-started coroutine");
        return PYGEN_ERROR;
    }
    return step(self, ASY_OK, ret_value);
}

/* As a method: what it returns is the value of a StopIteration. */
static PyObject *
value_of_step(PySendResult what, PyObject *value)
{
    return what == PYGEN_RETURN ? raise_stop_iteration(value) : value;
}

static PyObject *
Coroutine_send(PyObject *self, PyObject *value)
{
    PyObject *result;
    PySendResult what = Coroutine_send_slot(self, value, &result);

    return value_of_step(what, result);
}

static PyObject *
Coroutine_next(PyObject *self)
{
    return Coroutine_send(self, Py_None);
}

static PyObject *
Coroutine_throw(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    PyObject *exception = exception_from_throw(args, count);
    PyObject *result;

    if (!exception)
        return NULL;
    PySendResult what = step(coroutine_of(self), error_from_exception(exception), &result);
    return value_of_step(what, result);
}

static PyObject *
Coroutine_close(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return none_or_raise(asy_coro_close(coroutine_of(self)->core));
}

static bool
is_suspended(const CoroutineObject *self)
{
    return asy_coro_started(self->core) && !asy_coro_finished(self->core);
}

/* It is its own iterator; two cannot iterate over it. */
static PyObject *
Coroutine_await(PyObject *self)
{
    if (is_suspended(coroutine_of(self))) {
        PyErr_SetString(PyExc_RuntimeError, "coroutine is being awaited already");
        return NULL;
    }
    return Py_NewRef(self);
}

/* ---- attributes ----------------------------------------------------------------- */

static PyObject *
get_qualname(PyObject *self, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(coroutine_of(self)->name);
}

/* What stands after the class. */
static PyObject *
get_name(PyObject *self, void *Py_UNUSED(closure))
{
    const char *name = coroutine_of(self)->name;
    const char *dot = strrchr(name, '.');

    return PyUnicode_FromString(dot ? dot + 1 : name);
}

static PyObject *
get_running(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(coroutine_of(self)->core->running);
}

static PyObject *
get_suspended(PyObject *self, void *Py_UNUSED(closure))
{
    const CoroutineObject *coroutine = coroutine_of(self);
    return PyBool_FromLong(is_suspended(coroutine) && !coroutine->core->running);
}

static PyObject *
get_awaited(PyObject *self, void *Py_UNUSED(closure))
{
    CoroutineObject *coroutine = coroutine_of(self);

    if (!is_suspended(coroutine) || coroutine->core->running)
        Py_RETURN_NONE;
    return awaited_object(coroutine);
}

static PyObject *
get_none(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    Py_RETURN_NONE;
}

static PyObject *
Coroutine_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<coroutine object %s at %p>", coroutine_of(self)->name,
                                (void *)self);
}

static PyGetSetDef Coroutine_attributes[] = {
    { "__name__", get_name, NULL, NULL, NULL },
    { "__qualname__", get_qualname, NULL, NULL, NULL },
    { "cr_running", get_running, NULL, NULL, NULL },
    { "cr_suspended", get_suspended, NULL, NULL, NULL },
    { "cr_await", get_awaited, NULL, "The future it waits for, or None.", NULL },
    { "cr_frame", get_none, NULL, "None: it has no frame of Python.", NULL },
    { "cr_origin", get_none, NULL, NULL, NULL },
    { 0 },
};

/* ---- the type ------------------------------------------------------------------- */

static PyMethodDef Coroutine_methods[] = {
    { "send", Coroutine_send, METH_O, "Run it up to what it waits for next, and return that." },
    { "throw", (PyCFunction)(void (*)(void))Coroutine_throw, METH_FASTCALL,
      "Raise an exception where it waits." },
    { "close", Coroutine_close, METH_NOARGS, "End it." },
    { 0 },
};

static PyMemberDef Coroutine_members[] = {
    { "__weaklistoffset__", T_PYSSIZET, offsetof(CoroutineObject, weakrefs), READONLY, NULL },
    { 0 },
};

static PyType_Slot Coroutine_slots[] = {
    { Py_tp_doc, "A coroutine of the library." },
    { Py_tp_dealloc, Coroutine_dealloc },
    { Py_tp_finalize, Coroutine_finalize },
    { Py_tp_traverse, Coroutine_traverse },
    { Py_tp_clear, Coroutine_clear },
    { Py_tp_repr, Coroutine_repr },
    { Py_tp_iter, PyObject_SelfIter },
    { Py_tp_iternext, Coroutine_next },
    { Py_am_await, Coroutine_await },
    { Py_am_send, Coroutine_send_slot },
    { Py_tp_methods, Coroutine_methods },
    { Py_tp_members, Coroutine_members },
    { Py_tp_getset, Coroutine_attributes },
    { 0 },
};

static PyType_Spec Coroutine_spec = {
    .name = "asy.Coroutine",
    .basicsize = (int)sizeof(CoroutineObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = Coroutine_slots,
};

int
add_coroutine_type(PyObject *module, struct module_state *state)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &Coroutine_spec, NULL);

    state->native_coroutine_type = (PyTypeObject *)type;
    return type ? PyModule_AddObjectRef(module, "Coroutine", type) : -1;
}
