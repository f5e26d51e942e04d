/* SPDX-License-Identifier: MIT */
/*
 * The functions of the module: those of asyncio that the library has as coroutines of its own.
 */
#include "convert.h"
#include "coroutine_type.h"
#include "raise.h"

#include <asy/task.h>

/* The loop of this module that runs in this thread: a new reference, or NULL and an exception. */
static LoopObject *
running_loop(struct module_state *state, const char *function)
{
    PyObject *loop = PyObject_CallNoArgs(state->get_running_loop);
    int ours = loop ? PyObject_IsInstance(loop, (PyObject *)state->loop_type) : -1;

    if (ours == 0 && loop == Py_None)
        PyErr_SetString(PyExc_RuntimeError, "no running event loop");
    else if (ours == 0)
        PyErr_Format(PyExc_RuntimeError, "asy.%s() needs an event loop of asy to run, and not %R",
                     function, loop);
    if (ours <= 0)
        Py_CLEAR(loop);
    return (LoopObject *)loop;
}

static PyObject *
first_kept(CoroutineObject *self)
{
    return Py_NewRef(self->keep[0] ? self->keep[0] : Py_None);
}

/* Spec: sleep.result */
static PyObject *
native_sleep(PyObject *module, PyObject *args, PyObject *keywords)
{
    static char *names[] = { "delay", "result", NULL };
    PyObject *delay, *result = Py_None;
    double seconds;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|O:sleep", names, &delay, &result)
        || seconds_from_object(delay, &seconds) < 0)
        return NULL;
    LoopObject *loop = running_loop(PyModule_GetState(module), "sleep");
    if (!loop)
        return NULL;
    CoroutineObject *self = coroutine_object_new(loop, "sleep", asy_sleep(loop->core, seconds));
    Py_DECREF((PyObject *)loop);
    if (!self)
        return NULL;
    self->keep[0] = Py_NewRef(result);
    self->make_result = first_kept;
    return (PyObject *)self;
}

PyMethodDef native_functions[] = {
    { "sleep", (PyCFunction)(void (*)(void))native_sleep, METH_VARARGS | METH_KEYWORDS,
      "sleep(delay, result=None): a coroutine that waits so many seconds." },
    { 0 },
};
