/* SPDX-License-Identifier: MIT */
/*
 * Exception handlers and debug mode.
 *
 * The library keeps a C function as exception handler, which calls the Python one with a
 * dictionary. The dictionary that call_exception_handler() was given travels as the foreign form
 * of a report, and arrives as the same object.
 */
#include "convert.h"
#include "handle_type.h"
#include "loop_type.h"
#include "raise.h"

#include <asy/host.h>

/* ---- exception handlers ---------------------------------------------------------- */

/* handler(loop, context). The handler may replace itself meanwhile. */
static asy_error *
call_python_handler(asy_loop *Py_UNUSED(core), const asy_report *report, void *argument)
{
    LoopObject *self = argument;
    PyObject *handler = Py_NewRef(self->exception_handler);
    PyObject *dict = dict_from_report(report);
    PyObject *result = dict ? PyObject_CallFunctionObjArgs(handler, self, dict, NULL) : NULL;
    asy_error *err = result ? ASY_OK : error_from_python();

    Py_XDECREF(result);
    Py_XDECREF(dict);
    Py_DECREF(handler);
    return err;
}

PyObject *
Loop_get_exception_handler(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    PyObject *handler = ((LoopObject *)object)->exception_handler;
    return Py_NewRef(handler ? handler : Py_None);
}

PyObject *
Loop_set_exception_handler(PyObject *object, PyObject *handler)
{
    LoopObject *self = (LoopObject *)object;

    if (handler != Py_None && !PyCallable_Check(handler)) {
        PyErr_Format(PyExc_TypeError, "A callable object or None is expected, got %R", handler);
        return NULL;
    }
    PyObject *old = self->exception_handler;
    if (handler == Py_None) {
        asy_loop_set_exception_handler(self->core, NULL, NULL, NULL);
        self->exception_handler = NULL;
    } else {
        self->exception_handler = Py_NewRef(handler);
        asy_loop_set_exception_handler(self->core, call_python_handler, self, NULL);
    }
    Py_XDECREF(old);
    Py_RETURN_NONE;
}

PyObject *
Loop_default_exception_handler(PyObject *object, PyObject *context)
{
    PyObject *function = ((LoopObject *)object)->state->default_exception_handler;
    return PyObject_CallFunctionObjArgs(function, object, context, NULL);
}

/* The first of the three that the context names, or NULL. A new reference. */
static PyObject *
subject_of(PyObject *context)
{
    static const char *const keys[] = { "task", "future", "handle" };
    PyObject *subject = NULL;

    for (size_t i = 0; !subject && i < sizeof keys / sizeof keys[0]; i++) {
        subject = PyObject_CallMethod(context, "get", "s", keys[i]);
        if (!subject)
            PyErr_Clear();
        else if (subject == Py_None)
            Py_CLEAR(subject);
    }
    return subject;
}

/* The contextvars.Context that the subject runs in: a new reference, or NULL, when it has none. */
static PyObject *
context_of_subject(PyObject *context)
{
    PyObject *subject = subject_of(context);
    PyObject *own = subject ? PyObject_CallMethod(subject, "get_context", NULL) : NULL;

    if (own && (own == Py_None || !PyObject_HasAttrString(own, "run")))
        Py_CLEAR(own);
    PyErr_Clear();
    Py_XDECREF(subject);
    return own;
}

PyObject *
Loop_call_exception_handler(PyObject *object, PyObject *context)
{
    LoopObject *self = (LoopObject *)object;
    PyObject *own = self->exception_handler ? context_of_subject(context) : NULL;
    const asy_report report = { .foreign = context, .run_in = own };
    asy_error *err = asy_loop_call_exception_handler(self->core, &report);

    Py_XDECREF(own);
    return none_or_raise(err);
}

/* ---- debug mode ------------------------------------------------------------------ */

PyObject *
Loop_get_debug(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(asy_loop_get_debug(((LoopObject *)object)->core));
}

PyObject *
Loop_set_debug(PyObject *object, PyObject *enabled)
{
    int flag = PyObject_IsTrue(enabled);

    if (flag < 0)
        return NULL;
    asy_loop_set_debug(((LoopObject *)object)->core, flag);
    Py_RETURN_NONE;
}

static PyObject *
get_slow_callback_duration(PyObject *object, void *Py_UNUSED(closure))
{
    return PyFloat_FromDouble(asy_loop_get_slow_callback_duration(((LoopObject *)object)->core));
}

static int
set_slow_callback_duration(PyObject *object, PyObject *value, void *Py_UNUSED(closure))
{
    double seconds;

    if (!value) {
        PyErr_SetString(PyExc_AttributeError, "slow_callback_duration cannot be deleted");
        return -1;
    }
    if (seconds_from_object(value, &seconds) < 0)
        return -1;
    asy_loop_set_slow_callback_duration(((LoopObject *)object)->core, seconds);
    return 0;
}

/* The handle whose callback runs, in debug mode; None for those of the library itself. */
static PyObject *
get_current_handle(PyObject *object, void *Py_UNUSED(closure))
{
    asy_handle *core = asy_loop_current_handle(((LoopObject *)object)->core);
    HandleObject *handle = core ? python_handle_from_core(core) : NULL;
    return Py_NewRef(handle ? (PyObject *)handle : Py_None);
}

PyGetSetDef Loop_attributes[] = {
    { "slow_callback_duration", get_slow_callback_duration, set_slow_callback_duration,
      "In debug mode, a callback that takes so many seconds is reported.", NULL },
    { "_current_handle", get_current_handle, NULL, NULL, NULL },
    { 0 },
};
