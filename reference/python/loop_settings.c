/* SPDX-License-Identifier: MIT */
/*
 * Exception handlers and debug mode.
 *
 * The library keeps a C function as exception handler, which calls the Python one with a
 * dictionary. The dictionary that call_exception_handler() was given travels as the foreign form
 * of a report, and arrives as the same object.
 */
#include "callback.h"
#include "convert.h"
#include "handle_type.h"
#include "handling.h"
#include "loop_type.h"
#include "raise.h"

#include <asy/host.h>

/* ---- where a handler runs --------------------------------------------------------- */

/* object.name: 1 and a new reference; 0, if there is no such attribute or it is None; or -1 and an
 * exception. */
static int
optional_attribute(PyObject *object, const char *name, PyObject **ret_value)
{
    *ret_value = PyObject_GetAttrString(object, name);
    if (*ret_value == Py_None)
        Py_CLEAR(*ret_value);
    else if (!*ret_value && PyErr_ExceptionMatches(PyExc_AttributeError))
        PyErr_Clear();
    return *ret_value ? 1 : PyErr_Occurred() ? -1 : 0;
}

/* The first of the three that the context names: a new reference, or NULL; there may be an
 * exception then. */
static PyObject *
subject_of(PyObject *context)
{
    static const char *const keys[] = { "task", "future", "handle" };
    PyObject *subject = NULL;

    for (size_t i = 0; !subject && i < sizeof keys / sizeof keys[0]; i++) {
        subject = PyObject_CallMethod(context, "get", "s", keys[i]);
        if (!subject)
            return NULL;
        if (subject == Py_None)
            Py_CLEAR(subject);
    }
    return subject;
}

/* subject.get_context(), if that can run something: 1 and a new reference, 0, or -1 and an
 * exception. */
static int
context_of_subject(PyObject *context, PyObject **ret_own)
{
    PyObject *subject = subject_of(context);
    PyObject *method = NULL, *run = NULL;
    int found = subject ? optional_attribute(subject, "get_context", &method)
                        : PyErr_Occurred() ? -1 : 0;

    *ret_own = found > 0 ? PyObject_CallNoArgs(method) : NULL;
    if (*ret_own)
        found = optional_attribute(*ret_own, "run", &run);
    else if (found > 0)
        found = -1;
    if (found <= 0)
        Py_CLEAR(*ret_own);
    Py_XDECREF(run);
    Py_XDECREF(method);
    Py_XDECREF(subject);
    return found;
}

/* handler(loop, dict) for what the program reports, since 3.12 in the context of what that is
 * about. The library itself does so for its own reports. */
static PyObject *
call_for_program(LoopObject *self, PyObject *handler, PyObject *dict)
{
    PyObject *const args[] = { (PyObject *)self, dict };
    PyObject *own = NULL;
    int found = RUNNING_SINCE(3, 12, 0) ? context_of_subject(dict, &own) : 0;

    if (found <= 0)
        return found < 0 ? NULL : PyObject_Vectorcall(handler, args, 2, NULL);
    PyObject *tuple = PyTuple_Pack(2, self, dict);
    PyObject *result = tuple ? call_in_context(own, handler, tuple, false) : NULL;
    Py_XDECREF(tuple);
    Py_DECREF(own);
    return result;
}

/* ---- exception handlers ---------------------------------------------------------- */

/* handler(loop, context). The handler may replace itself meanwhile.
 * Spec: set_exception_handler.context-dict */
static asy_error *
call_python_handler(asy_loop *Py_UNUSED(core), const asy_report *report, void *argument)
{
    LoopObject *self = argument;
    PyObject *dict = dict_from_report(report);

    if (!dict)
        return error_from_python();
    PyObject *const args[] = { (PyObject *)self, dict };
    PyObject *handler = Py_NewRef(self->exception_handler);
    PyObject *result = report->foreign
                           ? call_for_program(self, handler, dict)
                           : call_handling(handled_exception(report, dict), handler, args, 2);
    Py_DECREF(handler);
    Py_DECREF(dict);
    return error_without(result);
}

PyObject *
Loop_get_exception_handler(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    PyObject *handler = ((LoopObject *)object)->exception_handler;
    return Py_NewRef(handler ? handler : Py_None);
}

PyObject *
Loop_set_exception_handler(FAST_ARGUMENTS)
{
    static const struct signature signature = {
        "BaseEventLoop", "set_exception_handler", "handler", false,
    };
    LoopObject *self = (LoopObject *)object;
    PyObject *handler = parse_one(&signature, args, arg_count, keywords);

    if (!handler || check_initialised(self) < 0)
        return NULL;
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
Loop_default_exception_handler(FAST_ARGUMENTS)
{
    static const struct signature signature = {
        "BaseEventLoop", "default_exception_handler", "context", false,
    };
    PyObject *context = parse_one(&signature, args, arg_count, keywords);
    PyObject *function = ((LoopObject *)object)->state->default_exception_handler;

    return context ? PyObject_CallFunctionObjArgs(function, object, context, NULL) : NULL;
}

PyObject *
Loop_call_exception_handler(FAST_ARGUMENTS)
{
    static const struct signature signature = {
        "BaseEventLoop", "call_exception_handler", "context", false,
    };
    PyObject *context = parse_one(&signature, args, arg_count, keywords);

    if (!context)
        return NULL;
    const asy_report report = { .foreign = context };
    return none_or_raise(asy_loop_call_exception_handler(((LoopObject *)object)->core, &report));
}

/* ---- debug mode ------------------------------------------------------------------ */

PyObject *
Loop_get_debug(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(asy_loop_get_debug(((LoopObject *)object)->core));
}

PyObject *
Loop_set_debug(FAST_ARGUMENTS)
{
    static const struct signature signature = { "BaseEventLoop", "set_debug", "enabled", false };
    LoopObject *self = (LoopObject *)object;
    PyObject *enabled = parse_one(&signature, args, arg_count, keywords);
    int flag = enabled && check_initialised(self) == 0 ? PyObject_IsTrue(enabled) : -1;

    if (flag < 0)
        return NULL;
    asy_loop_set_debug(self->core, flag);
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
    LoopObject *self = (LoopObject *)object;
    double seconds;

    if (!value) {
        PyErr_SetString(PyExc_AttributeError, "slow_callback_duration cannot be deleted");
        return -1;
    }
    if (check_initialised(self) < 0 || seconds_from_object(value, &seconds) < 0)
        return -1;
    asy_loop_set_slow_callback_duration(self->core, seconds);
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
