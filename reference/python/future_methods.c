/* SPDX-License-Identifier: MIT */
/*
 * Future as Python code sees it: its methods, and the type. The attributes that asyncio's own
 * code reads are in asyncio_attributes.c.
 *
 * Task derives from Future, and adds its own methods (task_methods.c).
 */
#include "future_type.h"

#include "handle_type.h"
#include "raise.h"
#include <stddef.h>
#include <structmember.h>

/* How many lines of the stack a callback keeps in debug mode. */
#define STACK_FRAMES 8

static FutureObject *
future_of(PyObject *object)
{
    return (FutureObject *)object;
}

static asy_future *
core_of(PyObject *object)
{
    return future_of(object)->shown;
}

/* ---- results -------------------------------------------------------------------- */

void
future_keep_traceback(FutureObject *self, PyObject *exception)
{
    PyObject *old = self->exception_traceback;

    self->exception_traceback = PyException_GetTraceback(exception);
    Py_XDECREF(old);
}

/* CPython: future_get_result. The traceback, with all the frames that it keeps, is for the first
 * who asks. Whoever comes later begins with an empty one: each raise would add to it otherwise. */
void
future_restore_traceback(FutureObject *self, const asy_error *raised)
{
    PyObject *traceback = self->exception_traceback;

    if (!raised || raised != self->shown->exception || !raised->foreign)
        return;
    self->exception_traceback = NULL;
    PyException_SetTraceback((PyObject *)raised->foreign, traceback ? traceback : Py_None);
    Py_XDECREF(traceback);
}

PyObject *
future_result_object(FutureObject *self)
{
    void *result;
    asy_error *err = asy_future_result(self->shown, &result);

    if (err) {
        future_restore_traceback(self, err);
        return raise_kept_error(err);
    }
    bool is_object = result && self->shown->drop_result == drop_object;
    return Py_NewRef(is_object ? (PyObject *)result : Py_None);
}

static PyObject *
Future_result(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return future_result_object(future_of(self));
}

static PyObject *
Future_exception(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    asy_error *exception;
    asy_error *err = asy_future_exception(core_of(self), &exception);

    if (err)
        return raise_kept_error(err);
    return exception ? exception_from_error(exception) : Py_NewRef(Py_None);
}

static PyObject *
Future_set_result(PyObject *self, PyObject *result)
{
    return none_or_raise(asy_future_set_result(core_of(self), Py_NewRef(result), drop_object));
}

/* exception, or exception() if it is a class: a new reference, or NULL and an exception. */
static PyObject *
exception_given(PyObject *given)
{
    PyObject *exception = PyExceptionClass_Check(given) ? PyObject_CallNoArgs(given)
                                                        : Py_NewRef(given);

    if (exception && !PyExceptionInstance_Check(exception)) {
        Py_CLEAR(exception);
        PyErr_SetString(PyExc_TypeError, "invalid exception object");
    }
    return exception;
}

/* The future may have refused the exception, or have wrapped it in another one. */
static asy_error *
set_exception(FutureObject *self, PyObject *exception)
{
    asy_error *given = error_from_exception(Py_NewRef(exception));
    asy_error *err = asy_future_set_exception(self->shown, asy_error_ref(given));

    if (self->shown->exception == given)
        future_keep_traceback(self, exception);
    asy_error_unref(given);
    return err;
}

/* A future that is done refuses before it looks at the exception. */
static PyObject *
Future_set_exception(PyObject *object, PyObject *given)
{
    FutureObject *self = future_of(object);

    if (asy_future_done(self->shown) || self->shown->ops->is_task) {
        asy_error *unused = asy_error_new(ASY_BaseException, "%s", "");
        return raise_error(asy_future_set_exception(self->shown, unused));
    }
    PyObject *exception = exception_given(given);
    if (!exception)
        return NULL;
    asy_error *err = set_exception(self, exception);
    Py_DECREF(exception);
    return none_or_raise(err);
}

static PyObject *
Future_done(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(asy_future_done(core_of(self)));
}

static PyObject *
Future_cancelled(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(asy_future_cancelled(core_of(self)));
}

static PyObject *
Future_cancel(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = { "msg", NULL };
    PyObject *message = Py_None;
    bool cancelled;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O:cancel", names, &message))
        return NULL;
    asy_error *err = asy_future_cancel(core_of(self), message == Py_None ? NULL : message,
                                       &cancelled);
    return err ? raise_error(err) : PyBool_FromLong(cancelled);
}

/* ---- done callbacks ------------------------------------------------------------- */

/* Spec: Future.add_done_callback.argument, Task.add_done_callback */
static PyObject *
Future_add_done_callback(PyObject *object, PyObject *args, PyObject *keywords)
{
    static char *names[] = { "fn", "context", NULL };
    FutureObject *self = future_of(object);
    struct call call = { .args = &object, .arg_count = 1 };

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|$O:add_done_callback", names,
                                     &call.callback, &call.context))
        return NULL;
    if (call.context == Py_None)
        call.context = NULL;
    HandleObject *handle = python_handle_new(self->loop, self->loop->state->handle_type, &call,
                                             STACK_FRAMES);
    if (!handle)
        return NULL;
    asy_error *err = asy_future_add_done_handle(self->shown, &handle->core.handle);
    Py_DECREF((PyObject *)handle);
    return none_or_raise(err);
}

/* Whether the handle is one around this function. */
static asy_error *
calls_function(asy_handle *handle, void *function, bool *ret_match)
{
    HandleObject *object = python_handle_from_core(handle);
    int equal = 0;

    if (object && object->callback) {
        PyObject *callback = Py_NewRef(object->callback);
        equal = PyObject_RichCompareBool(callback, function, Py_EQ);
        Py_DECREF(callback);
    }
    *ret_match = equal > 0;
    return equal < 0 ? error_from_python() : ASY_OK;
}

static PyObject *
Future_remove_done_callback(PyObject *self, PyObject *function)
{
    size_t count;
    asy_error *err = asy_future_remove_done_handles(core_of(self), calls_function, function,
                                                    &count);
    return err ? raise_error(err) : PyLong_FromSize_t(count);
}

static PyObject *
Future_get_loop(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return Py_NewRef((PyObject *)future_of(self)->loop);
}

/* asyncio.gather() asks its children for it. */
static PyObject *
Future_make_cancelled_error(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    asy_error *err = asy_future_make_cancelled_error(core_of(self));
    PyObject *exception = exception_from_error(err);

    asy_error_unref(err);
    return exception;
}

/* ---- making one ----------------------------------------------------------------- */

/* Spec: Future.loop-arg */
static PyObject *
Future_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = { "loop", NULL };
    struct module_state *state = state_of_type(type);
    PyObject *given = Py_None;

    if (!state || !PyArg_ParseTupleAndKeywords(args, keywords, "|$O:Future", names, &given))
        return NULL;
    LoopObject *loop = loop_or_current(state, given);
    FutureObject *self = loop ? python_future_new(loop) : NULL;
    Py_XDECREF((PyObject *)loop);
    return (PyObject *)self;
}

static PyObject *
Future_repr(PyObject *object)
{
    PyObject *function = future_of(object)->loop->state->future_repr;
    return PyObject_CallFunctionObjArgs(function, object, NULL);
}

/* ---- the type ------------------------------------------------------------------- */

/* The object is made by the library's rules, and not by those of a class in Python. */
static PyObject *
Future_init_subclass(PyObject *Py_UNUSED(class), PyObject *Py_UNUSED(args),
                     PyObject *Py_UNUSED(keywords))
{
    PyErr_SetString(PyExc_TypeError, "the futures of an asy loop are not acceptable base types; "
                                     "derive from asyncio.Future or asyncio.Task");
    return NULL;
}

static PyMethodDef Future_methods[] = {
    { "result", Future_result, METH_NOARGS, "The result; raises the exception." },
    { "exception", Future_exception, METH_NOARGS, "The exception, or None." },
    { "set_result", Future_set_result, METH_O, "Finish it with a result." },
    { "set_exception", Future_set_exception, METH_O, "Finish it with an exception." },
    { "done", Future_done, METH_NOARGS, "Whether it is finished or cancelled." },
    { "cancelled", Future_cancelled, METH_NOARGS, "Whether it is cancelled." },
    { "cancel", KEYWORDS_METHOD(Future_cancel), "Cancel it, or ask a task to end." },
    { "add_done_callback", KEYWORDS_METHOD(Future_add_done_callback),
      "Have fn(future) called by call_soon() when it is done." },
    { "remove_done_callback", Future_remove_done_callback, METH_O,
      "Forget the callback; how many there were." },
    { "get_loop", Future_get_loop, METH_NOARGS, "Its loop." },
    { "_make_cancelled_error", Future_make_cancelled_error, METH_NOARGS, NULL },
    { "__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "Future[int]" },
    { "__init_subclass__", KEYWORDS_METHOD(Future_init_subclass) | METH_CLASS, NULL },
    { 0 },
};

static PyMemberDef Future_members[] = {
    { "__weaklistoffset__", T_PYSSIZET, offsetof(FutureObject, weakrefs), READONLY, NULL },
    { "__dictoffset__", T_PYSSIZET, offsetof(FutureObject, attributes), READONLY, NULL },
    { 0 },
};

static PyType_Slot Future_slots[] = {
    { Py_tp_doc, "Future(*, loop=None): what create_future() of a native loop returns." },
    { Py_tp_new, Future_new },
    { Py_tp_dealloc, Future_dealloc },
    { Py_tp_finalize, Future_finalize },
    { Py_tp_traverse, Future_traverse },
    { Py_tp_clear, Future_clear },
    { Py_tp_repr, Future_repr },
    { Py_tp_iter, Future_await },
    { Py_am_await, Future_await },
    { Py_tp_methods, Future_methods },
    { Py_tp_members, Future_members },
    { Py_tp_getset, Future_attributes },
    { 0 },
};

static PyType_Spec Future_spec = {
    .name = "asy.Future",
    .basicsize = (int)sizeof(FutureObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = Future_slots,
};

int
add_future_types(PyObject *module, struct module_state *state)
{
    state->future_iterator_type = (PyTypeObject *)PyType_FromModuleAndSpec(
        module, &future_iterator_spec, NULL);
    state->future_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &Future_spec, NULL);
    if (!state->future_iterator_type || !state->future_type)
        return -1;
    return PyModule_AddObjectRef(module, "Future", (PyObject *)state->future_type);
}
