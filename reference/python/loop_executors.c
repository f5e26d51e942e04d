/* SPDX-License-Identifier: MIT */
/*
 * The job of an executor and the future of the loop that stands for it: what asyncio.wrap_future()
 * does, for futures whose class is concurrent.futures.Future itself. asy/_executors.py calls it.
 *
 * Two done callbacks connect them, each a built-in function whose self is what it has to know:
 *
 *     the job's:      self is (loop, future, whether the job is counted); it is called in the
 *                     thread that ended the job, and hands copy_state(future, job) to the loop
 *     the future's:   self is the job, which it cancels when the future was
 *
 * So neither of them refers to the one that it hangs on. While both wait there is a cycle, from the
 * job by its callback to the future, and back by the future's. It ends when the future is done and
 * drops its callbacks. A concurrent.futures.Future never drops its own: who keeps the job keeps the
 * loop and the future, as with wrap_future().
 *
 * The jobs of the default executor are counted until they are over, because getaddrinfo() wants
 * to know whether one more would have to wait.
 */
#include "convert.h"
#include "loop_type.h"
#include "raise.h"

/* object.name(argument), or without argument if that is NULL: a new reference, or NULL and an
 * exception. */
static PyObject *
call(PyObject *object, const char *name, PyObject *argument)
{
    PyObject *arguments[] = { NULL, object, argument };
    size_t count = argument ? 2 : 1;
    PyObject *method = PyUnicode_InternFromString(name);

    if (!method)
        return NULL;
    PyObject *result = PyObject_VectorcallMethod(
        method, arguments + 1, count | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_DECREF(method);
    return result;
}

/* The same, of a method whose result does not matter: 0, or -1 and an exception. */
static int
tell(PyObject *object, const char *name, PyObject *argument)
{
    PyObject *result = call(object, name, argument);

    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* The same, of a method that answers yes or no: 1, 0, or -1 and an exception. */
static int
ask(PyObject *object, const char *name)
{
    PyObject *result = call(object, name, NULL);
    int answer = result ? PyObject_IsTrue(result) : -1;

    Py_XDECREF(result);
    return answer;
}

static PyObject *
none_unless(int failed)
{
    return failed < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- in the loop's thread: the state of the job becomes the future's --------------------- */

static int
copy_exception(const struct module_state *state, PyObject *future, PyObject *exception)
{
    PyObject *converted = PyObject_CallFunctionObjArgs(state->convert_exception, exception, NULL);
    int failed = converted ? tell(future, "set_exception", converted) : -1;

    Py_XDECREF(converted);
    return failed;
}

static int
copy_result(PyObject *future, PyObject *job)
{
    PyObject *result = call(job, "result", NULL);
    int failed = result ? tell(future, "set_result", result) : -1;

    Py_XDECREF(result);
    return failed;
}

/* How a job has ended is what its exception() says: it raises CancelledError for one that was
 * cancelled. */
static int
copy_outcome(const struct module_state *state, PyObject *future, PyObject *job)
{
    PyObject *exception = call(job, "exception", NULL);

    if (!exception) {
        if (!PyErr_ExceptionMatches(state->job_cancelled_error))
            return -1;
        PyErr_Clear();
        return tell(future, "cancel", NULL);
    }
    int failed = exception == Py_None ? copy_result(future, job)
                                      : copy_exception(state, future, exception);
    Py_DECREF(exception);
    return failed;
}

/* A program that has finished the future itself has made a mistake, unless it cancelled it.
 * CPython: futures._copy_future_state, where that is an assertion */
static PyObject *
copy_state(PyObject *module, PyObject *const *args, Py_ssize_t Py_UNUSED(count))
{
    PyObject *future = args[0], *job = args[1];
    int cancelled = ask(future, "cancelled");
    int done = cancelled == 0 ? ask(future, "done") : 0;

    if (cancelled > 0)
        Py_RETURN_NONE;
    if (cancelled < 0 || done < 0)
        return NULL;
    if (done) {
        PyErr_SetNone(PyExc_AssertionError);
        return NULL;
    }
    return none_unless(copy_outcome(PyModule_GetState(module), future, job));
}

PyMethodDef copy_state_def = {
    "copy_state", (PyCFunction)(void (*)(void))copy_state, METH_FASTCALL, NULL
};

/* ---- the two callbacks --------------------------------------------------------------------- */

/* 3.13.12 and 3.14.3, and all after them, see whether the job is over in the loop's own thread, and
 * then do not wait. */
static bool
is_called_by_loop(LoopObject *loop)
{
    if (!RUNNING_SINCE(3, 13, 12) || (Py_Version >> 16 == 0x030E && !RUNNING_SINCE(3, 14, 3)))
        return false;
    PyObject *running = PyObject_CallNoArgs(loop->state->get_running_loop);

    Py_XDECREF(running);                /* what runs is kept by others */
    return running == (PyObject *)loop;
}

/* CPython: futures._chain_future, _call_set_state */
static PyObject *
job_done(PyObject *self, PyObject *job)
{
    LoopObject *loop = (LoopObject *)PyTuple_GetItem(self, 0);
    PyObject *arguments[] = { PyTuple_GetItem(self, 1), job };
    struct module_state *state = loop->state;

    if (PyTuple_GetItem(self, 2) == Py_True)
        loop->default_jobs--;
    if (is_called_by_loop(loop))
        return PyObject_Vectorcall(state->copy_state, arguments, 2, NULL);
    if (asy_loop_is_closed(loop->core))
        Py_RETURN_NONE;
    const struct call call = { .callback = state->copy_state, .args = arguments, .arg_count = 2 };
    PyObject *handle = loop_call_soon_threadsafe(loop, &call);
    Py_XDECREF(handle);
    return none_unless(handle ? 0 : -1);
}

/* CPython: futures._chain_future, _call_check_cancel */
static PyObject *
future_done(PyObject *job, PyObject *future)
{
    int cancelled = ask(future, "cancelled");

    return none_unless(cancelled > 0 ? tell(job, "cancel", NULL) : cancelled);
}

static PyMethodDef job_done_def = { "job_done", job_done, METH_O, NULL };
static PyMethodDef future_done_def = { "future_done", future_done, METH_O, NULL };

/* object.add_done_callback(function), where the function's self is stolen, and may be NULL. */
static int
add_callback(PyObject *object, PyMethodDef *function, PyObject *self)
{
    PyObject *callback = self ? PyCFunction_NewEx(function, self, NULL) : NULL;
    int failed = callback ? tell(object, "add_done_callback", callback) : -1;

    Py_XDECREF(callback);
    Py_XDECREF(self);
    return failed;
}

/* _follow_job(job, future, is_counted): job is a concurrent.futures.Future, and future is new. A
 * job that is over already has its callback called here. */
PyObject *
Loop_follow_job(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    LoopObject *loop = (LoopObject *)object;

    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "_follow_job() takes a job, a future and a bool");
        return NULL;
    }
    PyObject *job = args[0], *future = args[1], *is_counted = args[2];
    if (add_callback(future, &future_done_def, Py_NewRef(job)) < 0)
        return NULL;
    if (is_counted == Py_True)
        loop->default_jobs++;
    return none_unless(add_callback(job, &job_done_def,
                                    PyTuple_Pack(3, object, future, is_counted)));
}
