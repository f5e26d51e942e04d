/* SPDX-License-Identifier: MIT */
/*
 * Scheduling callbacks: call_soon, call_soon_threadsafe, call_later, call_at, time.
 *
 * Each method sorts its arguments, lets the library check whether it may be called, makes a
 * handle, and gives that to the library.
 */
#include "convert.h"
#include "handle_type.h"
#include "loop_type.h"
#include "raise.h"

#include <asy/host.h>

/* How many lines of the stack a handle keeps in debug mode. CPython keeps ten, of which two are
 * its own, and for call_later three, and takes those off again. */
#define STACK_FRAMES 8
#define CALL_LATER_FRAMES 7

int
check_callback(LoopObject *self, PyObject *callback, const char *method)
{
    if (!asy_loop_get_debug(self->core))
        return 0;
    PyObject *result = PyObject_CallFunction(self->state->check_callback, "Os", callback, method);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* Spec: call_soon.args, call_soon.context-custom */
PyObject *
Loop_call_soon(FAST_ARGUMENTS)
{
    static const struct signature signature = { "BaseEventLoop", "call_soon", NULL, true };
    LoopObject *self = (LoopObject *)object;
    struct call call;

    if (parse_call(self->state, &signature, args, arg_count, keywords, &call) < 0)
        return NULL;
    asy_error *err = asy_loop_check_call(self->core);
    if (err)
        return raise_error(err);
    if (check_callback(self, call.callback, signature.method) < 0)
        return NULL;
    HandleObject *handle = python_handle_new(self, self->state->handle_type, &call, STACK_FRAMES);
    if (handle)
        asy_loop_add_handle(self->core, &handle->core.handle);
    return (PyObject *)handle;
}

PyObject *
loop_call_soon_threadsafe(LoopObject *self, const struct call *call)
{
    HandleObject *handle = python_handle_new(self, self->state->threadsafe_handle_type, call,
                                             STACK_FRAMES);
    if (!handle)
        return NULL;
    asy_error *err = asy_loop_add_handle_threadsafe(self->core, &handle->core.handle);
    if (err) {
        Py_DECREF(handle);
        return raise_error(err);
    }
    return (PyObject *)handle;
}

PyObject *
Loop_call_soon_threadsafe(FAST_ARGUMENTS)
{
    static const struct signature signature = {
        "BaseEventLoop", "call_soon_threadsafe", NULL, true,
    };
    LoopObject *self = (LoopObject *)object;
    struct call call;

    if (parse_call(self->state, &signature, args, arg_count, keywords, &call) < 0)
        return NULL;
    asy_error *err = asy_loop_check_closed(self->core);
    if (err)
        return raise_error(err);
    if (check_callback(self, call.callback, signature.method) < 0)
        return NULL;
    return loop_call_soon_threadsafe(self, &call);
}

/* call_at(), once the arguments are sorted. */
static PyObject *
schedule(LoopObject *self, PyObject *when, const struct call *call, int frames)
{
    double seconds;
    asy_error *err = asy_loop_check_call(self->core);

    if (err)
        return raise_error(err);
    if (check_callback(self, call->callback, "call_at") < 0
        || seconds_from_object(when, &seconds) < 0)
        return NULL;
    HandleObject *timer = python_timer_handle_new(self, when, seconds, call, frames);
    if (timer)
        asy_loop_add_timer_handle(self->core, &timer->core);
    return (PyObject *)timer;
}

/* Spec: call_at.int-or-float */
PyObject *
Loop_call_at(FAST_ARGUMENTS)
{
    static const struct signature signature = { "BaseEventLoop", "call_at", "when", true };
    LoopObject *self = (LoopObject *)object;
    struct call call;

    if (parse_call(self->state, &signature, args, arg_count, keywords, &call) < 0)
        return NULL;
    if (call.first == Py_None) {
        PyErr_SetString(PyExc_TypeError, "when cannot be None");
        return NULL;
    }
    return schedule(self, call.first, &call, STACK_FRAMES);
}

/* Spec: call_later.int-or-float, call_later.args */
PyObject *
Loop_call_later(FAST_ARGUMENTS)
{
    static const struct signature signature = { "BaseEventLoop", "call_later", "delay", true };
    LoopObject *self = (LoopObject *)object;
    struct call call;

    if (parse_call(self->state, &signature, args, arg_count, keywords, &call) < 0)
        return NULL;
    if (call.first == Py_None) {
        PyErr_SetString(PyExc_TypeError, "delay must not be None");
        return NULL;
    }
    PyObject *now = self->overrides_time ? PyObject_CallMethod(object, "time", NULL)
                                         : PyFloat_FromDouble(asy_loop_time(self->core));
    PyObject *when = now ? PyNumber_Add(now, call.first) : NULL;
    PyObject *timer = when ? schedule(self, when, &call, CALL_LATER_FRAMES) : NULL;
    Py_XDECREF(when);
    Py_XDECREF(now);
    return timer;
}

/* The interpreter's own clock for a class that overrides time() and asks super(): the library
 * would ask the class. */
PyObject *
Loop_time(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    LoopObject *self = (LoopObject *)object;

    if (self->overrides_time)
        return PyObject_CallNoArgs(self->state->monotonic);
    return PyFloat_FromDouble(asy_loop_time(self->core));
}
