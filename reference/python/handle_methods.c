/* SPDX-License-Identifier: MIT */
/*
 * Handle, _ThreadSafeHandle and TimerHandle as Python code sees them: methods, attributes,
 * comparisons, and the types.
 *
 * The attributes that asyncio's own code reads under underscored names are there to read, and not
 * to write.
 */
#include "handle_type.h"

#include <stddef.h>

static asy_handle *
core_of(PyObject *self)
{
    return &((HandleObject *)self)->core.handle;
}

/* ---- methods --------------------------------------------------------------------- */

static PyObject *
Handle_cancel(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    asy_handle_cancel(core_of(self));
    Py_RETURN_NONE;
}

static PyObject *
Handle_cancelled(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(asy_handle_cancelled(core_of(self)));
}

static PyObject *
Handle_get_context(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *own = ((HandleObject *)self)->context;
    return Py_NewRef(own ? own : Py_None);
}

static PyObject *
Handle_repr(PyObject *object)
{
    HandleObject *self = (HandleObject *)object;
    PyObject *kept = handle_extra(self, EXTRA_TEXT);

    if (kept)
        return Py_NewRef(kept);
    return PyObject_CallFunctionObjArgs(handle_loop(self)->state->handle_repr, object, NULL);
}

static PyObject *
TimerHandle_when(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *when = ((HandleObject *)self)->when;
    return Py_NewRef(when ? when : Py_None);
}

/* ---- attributes ------------------------------------------------------------------ */

static PyObject *
get_field(PyObject *self, void *offset)
{
    PyObject *value = *(PyObject **)((char *)self + (size_t)offset);
    return Py_NewRef(value ? value : Py_None);
}

static PyObject *
get_args(PyObject *object, void *offset)
{
    HandleObject *self = (HandleObject *)object;
    return self->args && self->core.handle.mark ? PyTuple_Pack(1, self->args)
                                                : get_field(object, offset);
}

static PyObject *
get_loop(PyObject *self, void *Py_UNUSED(closure))
{
    return Py_NewRef((PyObject *)handle_loop((HandleObject *)self));
}

static PyObject *
get_extra(PyObject *self, void *index)
{
    PyObject *item = handle_extra((HandleObject *)self, (enum handle_extra)(intptr_t)index);
    return Py_NewRef(item ? item : Py_None);
}

static PyObject *
get_cancelled(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(asy_handle_cancelled(core_of(self)));
}

static PyObject *
get_scheduled(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(core_of(self)->scheduled);
}

#define FIELD(name, field) { name, get_field, NULL, NULL, (void *)offsetof(HandleObject, field) }

static PyGetSetDef Handle_attributes[] = {
    { "_args", get_args, NULL, NULL, (void *)offsetof(HandleObject, args) },
    FIELD("_callback", callback),
    { "_cancelled", get_cancelled, NULL, NULL, NULL },
    FIELD("_context", context),
    { "_loop", get_loop, NULL, NULL, NULL },
    { "_repr", get_extra, NULL, NULL, (void *)EXTRA_TEXT },
    { "_source_traceback", get_extra, NULL, NULL, (void *)EXTRA_TRACEBACK },
    { 0 },
};

static PyGetSetDef TimerHandle_attributes[] = {
    { "_scheduled", get_scheduled, NULL, NULL, NULL },
    FIELD("_when", when),
    { 0 },
};

/* ---- comparing timers ------------------------------------------------------------ */

/* Whether the attribute of both compares so: 1, 0, or -1 and an exception. */
static int
compare_attribute(PyObject *self, PyObject *other, const char *name, int operation)
{
    PyObject *left = PyObject_GetAttrString(self, name);
    PyObject *right = left ? PyObject_GetAttrString(other, name) : NULL;
    int result = right ? PyObject_RichCompareBool(left, right, operation) : -1;

    Py_XDECREF(left);
    Py_XDECREF(right);
    return result;
}

/* CPython: TimerHandle.__eq__ */
static int
timers_equal(PyObject *self, PyObject *other)
{
    static const char *const names[] = { "_when", "_callback", "_args", "_cancelled" };
    int equal = 1;

    for (size_t i = 0; equal == 1 && i < sizeof names / sizeof names[0]; i++)
        equal = compare_attribute(self, other, names[i], Py_EQ);
    return equal;
}

static int
compare_timers(PyObject *self, PyObject *other, int operation)
{
    int result;

    switch (operation) {
    case Py_EQ:
        return timers_equal(self, other);
    case Py_NE:
        result = timers_equal(self, other);
        return result < 0 ? result : !result;
    case Py_LT:
    case Py_GT:
        return compare_attribute(self, other, "_when", operation);
    default:
        result = compare_attribute(self, other, "_when", operation == Py_LE ? Py_LT : Py_GT);
        return result != 0 ? result : timers_equal(self, other);
    }
}

static PyObject *
TimerHandle_richcompare(PyObject *self, PyObject *other, int operation)
{
    PyObject *class = handle_loop((HandleObject *)self)->state->asyncio_timer_handle;
    int comparable = PyObject_IsInstance(other, class);

    if (comparable < 0)
        return NULL;
    if (!comparable)
        Py_RETURN_NOTIMPLEMENTED;
    int result = compare_timers(self, other, operation);
    return result < 0 ? NULL : PyBool_FromLong(result);
}

static Py_hash_t
TimerHandle_hash(PyObject *self)
{
    return PyObject_Hash(((HandleObject *)self)->when);
}

/* ---- the types ------------------------------------------------------------------- */

/* A Python class derived from Handle would take its struct for Python objects. */
static PyObject *
Handle_init_subclass(PyObject *Py_UNUSED(class), PyObject *Py_UNUSED(args),
                     PyObject *Py_UNUSED(keywords))
{
    PyErr_SetString(PyExc_TypeError, "the handles of an asy loop are not acceptable base types; "
                                     "derive from asyncio.Handle or asyncio.TimerHandle");
    return NULL;
}

static PyMethodDef Handle_methods[] = {
    { "__init_subclass__", (PyCFunction)(void (*)(void))Handle_init_subclass,
      METH_CLASS | METH_VARARGS | METH_KEYWORDS, NULL },
    { "cancel", Handle_cancel, METH_NOARGS, "Do not run the callback any more." },
    { "cancelled", Handle_cancelled, METH_NOARGS, "Whether cancel() was called." },
    { "get_context", Handle_get_context, METH_NOARGS, "The context it runs in." },
    { 0 },
};

static PyMethodDef TimerHandle_methods[] = {
    { "when", TimerHandle_when, METH_NOARGS, "The deadline, in the loop's time." },
    { 0 },
};

static PyType_Slot Handle_slots[] = {
    { Py_tp_doc, "What call_soon() and the like return." },
    { Py_tp_dealloc, Handle_dealloc },
    { Py_tp_traverse, Handle_traverse },
    { Py_tp_clear, Handle_clear },
    { Py_tp_repr, Handle_repr },
    { Py_tp_methods, Handle_methods },
    { Py_tp_getset, Handle_attributes },
    { 0 },
};

static PyType_Slot ThreadSafeHandle_slots[] = {
    { Py_tp_doc, "What call_soon_threadsafe() returns." },
    { Py_tp_dealloc, Handle_dealloc },
    { Py_tp_traverse, Handle_traverse },
    { Py_tp_clear, Handle_clear },
    { 0 },
};

static PyType_Slot TimerHandle_slots[] = {
    { Py_tp_doc, "What call_later() and call_at() return." },
    { Py_tp_dealloc, Handle_dealloc },
    { Py_tp_traverse, Handle_traverse },
    { Py_tp_clear, Handle_clear },
    { Py_tp_repr, Handle_repr },
    { Py_tp_richcompare, TimerHandle_richcompare },
    { Py_tp_hash, TimerHandle_hash },
    { Py_tp_methods, TimerHandle_methods },
    { Py_tp_getset, TimerHandle_attributes },
    { 0 },
};

#define HANDLE_FLAGS                                                                       \
    (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION)

static PyType_Spec Handle_spec = {
    .name = "asy.Handle",
    .basicsize = (int)HANDLE_SIZE,
    .flags = HANDLE_FLAGS | Py_TPFLAGS_BASETYPE,
    .slots = Handle_slots,
};

static PyType_Spec ThreadSafeHandle_spec = {
    .name = "asy._ThreadSafeHandle",
    .basicsize = (int)HANDLE_SIZE,
    .flags = HANDLE_FLAGS,
    .slots = ThreadSafeHandle_slots,
};

static PyType_Spec TimerHandle_spec = {
    .name = "asy.TimerHandle",
    .basicsize = (int)sizeof(HandleObject),
    .flags = HANDLE_FLAGS,
    .slots = TimerHandle_slots,
};

/* Spec: TimerHandle.subclass */
int
add_handle_types(PyObject *module, struct module_state *state)
{
    if (check_base_size(state->asyncio_handle, HANDLE_SIZE) < 0
        || check_base_size(state->asyncio_timer_handle, sizeof(HandleObject)) < 0)
        return -1;
    state->handle_type = new_type(module, &Handle_spec, state->asyncio_handle, NULL);
    if (!state->handle_type)
        return -1;
    state->threadsafe_handle_type = (PyTypeObject *)Py_NewRef((PyObject *)state->handle_type);
    if (RUNNING_SINCE(3, 14, 0)) {
        Py_DECREF(state->threadsafe_handle_type);
        state->threadsafe_handle_type = new_type(module, &ThreadSafeHandle_spec,
                                                 (PyObject *)state->handle_type, NULL);
    }
    state->timer_handle_type = new_type(module, &TimerHandle_spec, (PyObject *)state->handle_type,
                                        state->asyncio_timer_handle);
    return state->threadsafe_handle_type && state->timer_handle_type ? 0 : -1;
}
