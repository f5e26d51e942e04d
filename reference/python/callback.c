/* SPDX-License-Identifier: MIT */
/*
 * Calling things in a context.
 *
 * A true Context is entered and left directly, which is what its run() does. For another object
 * that has a run() method, that method is called, as CPython's handles do.
 */
#include "callback.h"

#include "raise.h"

/* The place before the argument is for a bound method to put its self there. */
static PyObject *
call_with_one(PyObject *callback, PyObject *arg)
{
    PyObject *const args[] = { NULL, arg };
    return PyObject_Vectorcall(callback, args + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

static PyObject *
call(PyObject *callback, PyObject *args, bool is_one)
{
    if (is_one)
        return call_with_one(callback, args);
    if (PyTuple_Size(args) == 0)
        return PyObject_CallNoArgs(callback);
    return PyObject_CallObject(callback, args);
}

/* context.run(callback, *args) as a method call. */
static PyObject *
call_run_method(PyObject *context, PyObject *callback, PyObject *args, bool is_one)
{
    PyObject *run = PyObject_GetAttrString(context, "run");
    PyObject *first = run ? PyTuple_Pack(is_one ? 2 : 1, callback, args) : NULL;
    PyObject *all = first && !is_one ? PySequence_Concat(first, args) : Py_XNewRef(first);
    PyObject *result = all ? PyObject_CallObject(run, all) : NULL;

    Py_XDECREF(all);
    Py_XDECREF(first);
    Py_XDECREF(run);
    return result;
}

PyObject *
call_in_context(PyObject *context, PyObject *callback, PyObject *args, bool is_one)
{
    if (!PyContext_CheckExact(context))
        return call_run_method(context, callback, args, is_one);
    if (PyContext_Enter(context) < 0)
        return NULL;
    PyObject *result = call(callback, args, is_one);
    if (PyContext_Exit(context) < 0)
        Py_CLEAR(result);
    return result;
}

/* ---- C functions ----------------------------------------------------------------- */

struct c_call {
    asy_error *(*function)(void *argument);
    void        *argument;
};

static PyObject *
call_c_function(PyObject *capsule, PyObject *Py_UNUSED(ignored))
{
    struct c_call *c_call = PyCapsule_GetPointer(capsule, NULL);
    return c_call ? none_or_raise(c_call->function(c_call->argument)) : NULL;
}

static PyMethodDef c_function_def = { "function", call_c_function, METH_NOARGS, NULL };

/* The C function as a Python one, good for as long as the call stands on the stack. */
static PyObject *
run_by_method(PyObject *context, struct c_call *c_call)
{
    PyObject *capsule = PyCapsule_New(c_call, NULL, NULL);
    PyObject *function = capsule ? PyCFunction_NewEx(&c_function_def, capsule, NULL) : NULL;
    PyObject *result = function ? PyObject_CallMethod(context, "run", "O", function) : NULL;

    Py_XDECREF(function);
    Py_XDECREF(capsule);
    return result;
}

asy_error *
run_in_context(PyObject *context, asy_error *(*function)(void *argument), void *argument)
{
    if (!PyContext_CheckExact(context)) {
        PyObject *result = run_by_method(context, &(struct c_call){ function, argument });
        Py_XDECREF(result);
        return result ? ASY_OK : error_from_python();
    }
    if (PyContext_Enter(context) < 0)
        return error_from_python();
    asy_error *err = function(argument);
    if (PyContext_Exit(context) < 0) {
        asy_error_unref(err);
        err = error_from_python();
    }
    return err;
}
