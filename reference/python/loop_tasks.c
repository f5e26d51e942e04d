/* SPDX-License-Identifier: MIT */
/*
 * Futures and tasks, which are asyncio's own, or of a native loop the library's: create_future,
 * create_task, task factories, run_until_complete.
 *
 * How create_task() hands its keywords to a factory differs between the versions of Python. The
 * three flavours stand in one table.
 */
#include "convert.h"
#include "loop_type.h"
#include "raise.h"
#include "task_type.h"

#include <asy/host.h>
#include <string.h>

/* ---- create_future --------------------------------------------------------------- */

/* Spec: create_future.alternative */
PyObject *
Loop_create_future(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    LoopObject *self = (LoopObject *)object;

    if (self->native)
        return (PyObject *)python_future_new(self);
    return PyObject_Vectorcall(self->state->future, &object, 0, self->state->loop_keyword);
}

/* ---- create_task ----------------------------------------------------------------- */

/* What is the same for all tasks of one version of Python. */
struct flavour {
    bool any_keyword;           /* others than name and context go to the task, too */
    bool factory_gets_all;      /* the factory gets every keyword, and names the task itself */
    bool always_named;          /* what the factory made gets a name, even if that is None */
};

static struct flavour
flavour_of_python(void)
{
    if (RUNNING_SINCE(3, 14, 0))
        return (struct flavour){ .any_keyword = true, .factory_gets_all = true };
    if (RUNNING_SINCE(3, 13, 3))
        return (struct flavour){ .any_keyword = true, .always_named = true };
    return (struct flavour){ .always_named = RUNNING_SINCE(3, 13, 0) };
}

/* The arguments of create_task(), borrowed. */
struct task_call {
    PyObject        *coroutine;
    PyObject *const *values;        /* one for each keyword */
    PyObject        *keywords;      /* a tuple of names, or NULL */
    PyObject        *name;          /* NULL: not given */
    PyObject        *other;         /* the first keyword that is neither name nor context */
};

static void
find_keywords(struct task_call *call)
{
    Py_ssize_t count = call->keywords ? PyTuple_Size(call->keywords) : 0;

    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *keyword = PyTuple_GetItem(call->keywords, i);
        if (PyUnicode_CompareWithASCIIString(keyword, "name") == 0)
            call->name = call->values[i];
        else if (!call->other && PyUnicode_CompareWithASCIIString(keyword, "context") != 0)
            call->other = keyword;
    }
}

/* callable(*first, **keywords), where first has two elements. */
static PyObject *
forward(PyObject *callable, PyObject *const first[2], size_t positional, PyObject *extra_keyword,
        const struct task_call *call)
{
    Py_ssize_t given = call->keywords ? PyTuple_Size(call->keywords) : 0;
    PyObject **args = PyMem_Malloc(((size_t)given + 2) * sizeof *args);
    PyObject *keywords = call->keywords;

    if (!args)
        return PyErr_NoMemory();
    memcpy(args, first, 2 * sizeof *args);
    if (given > 0)
        memcpy(args + 2, call->values, (size_t)given * sizeof *args);
    if (extra_keyword)
        keywords = given > 0 ? PySequence_Concat(extra_keyword, keywords)
                             : Py_NewRef(extra_keyword);
    PyObject *result = NULL;
    if (keywords || !extra_keyword)
        result = PyObject_Vectorcall(callable, args, positional, keywords);
    if (extra_keyword)
        Py_XDECREF(keywords);
    PyMem_Free(args);
    return result;
}

/* Task(coroutine, loop=loop, **keywords) */
static PyObject *
new_task(LoopObject *self, const struct task_call *call)
{
    PyObject *const first[] = { call->coroutine, (PyObject *)self };
    struct module_state *state = self->state;

    if (self->native)
        return python_task_from_call(self, call->coroutine, call->values, call->keywords);
    if (!call->keywords)
        return PyObject_Vectorcall(state->task, first, 1, state->loop_keyword);
    return forward(state->task, first, 1, state->loop_keyword, call);
}

/* task.set_name(name), which a task of another library need not have.
 * Spec: create_task.name-none.factory */
static PyObject *
with_name(PyObject *task, PyObject *name, bool always)
{
    if (!task || (!always && (!name || name == Py_None)))
        return task;
    PyObject *result = PyObject_CallMethod(task, "set_name", "O", name ? name : Py_None);
    if (!result && !always && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        return task;
    }
    Py_XDECREF(result);
    if (!result)
        Py_CLEAR(task);
    return task;
}

/* Whether a factory gets the keyword: not the name, and no context that is None. */
static bool
is_for_factory(PyObject *keyword, PyObject *value)
{
    if (PyUnicode_CompareWithASCIIString(keyword, "name") == 0)
        return false;
    return value != Py_None || PyUnicode_CompareWithASCIIString(keyword, "context") != 0;
}

/* {keyword: value} */
static PyObject *
keywords_for_factory(const struct task_call *call)
{
    Py_ssize_t count = call->keywords ? PyTuple_Size(call->keywords) : 0;
    PyObject *dict = PyDict_New();

    for (Py_ssize_t i = 0; dict && i < count; i++) {
        PyObject *keyword = PyTuple_GetItem(call->keywords, i);
        if (is_for_factory(keyword, call->values[i])
            && PyDict_SetItem(dict, keyword, call->values[i]) < 0)
            Py_CLEAR(dict);
    }
    return dict;
}

/* The factory as versions before 3.14 call it: without the name.
 * Spec: set_task_factory.signature */
static PyObject *
call_old_factory(LoopObject *self, PyObject *factory, const struct task_call *call)
{
    PyObject *args = PyTuple_Pack(2, self, call->coroutine);
    PyObject *keywords = args ? keywords_for_factory(call) : NULL;
    PyObject *task = keywords ? PyObject_Call(factory, args, keywords) : NULL;

    Py_XDECREF(keywords);
    Py_XDECREF(args);
    return task;
}

/* Spec: create_task.kwargs-3.14, create_task.eager_start, set_task_factory.signature-3.14 */
static PyObject *
make_task(LoopObject *self, const struct task_call *call)
{
    const struct flavour flavour = flavour_of_python();

    if (call->other && !flavour.any_keyword)
        return PyErr_Format(PyExc_TypeError, "BaseEventLoop.create_task() got an unexpected "
                                             "keyword argument '%U'", call->other);
    if (!self->task_factory)
        return new_task(self, call);
    PyObject *factory = Py_NewRef(self->task_factory);
    PyObject *const first[] = { (PyObject *)self, call->coroutine };
    PyObject *task = NULL;
    if (flavour.factory_gets_all)
        task = forward(factory, first, 2, NULL, call);
    else
        task = with_name(call_old_factory(self, factory, call), call->name, flavour.always_named);
    Py_DECREF(factory);
    return task;
}

static const struct signature create_task_signature = {
    "BaseEventLoop", "create_task", "coro", false,
};

/* The place of "coro" among the keywords, or -1. */
static Py_ssize_t
place_of_coroutine(PyObject *keywords)
{
    for (Py_ssize_t i = 0; keywords && i < PyTuple_Size(keywords); i++) {
        if (PyUnicode_CompareWithASCIIString(PyTuple_GetItem(keywords, i), "coro") == 0)
            return i;
    }
    return -1;
}

/* create_task(..., coro=coroutine, ...): the same with the coroutine in front. */
static PyObject *
create_task_by_name(PyObject *object, PyObject *const *values, PyObject *keywords,
                    Py_ssize_t place)
{
    Py_ssize_t count = PyTuple_Size(keywords);
    PyObject *before = PyTuple_GetSlice(keywords, 0, place);
    PyObject *after = before ? PyTuple_GetSlice(keywords, place + 1, count) : NULL;
    PyObject *others = after ? PySequence_Concat(before, after) : NULL;
    PyObject **args = others ? PyMem_Malloc((size_t)count * sizeof *args) : NULL;
    PyObject *task = NULL;

    if (args) {
        args[0] = values[place];
        memcpy(args + 1, values, (size_t)place * sizeof *args);
        memcpy(args + 1 + place, values + place + 1, (size_t)(count - place - 1) * sizeof *args);
        task = Loop_create_task(object, args, 1, others);
    } else if (others) {
        PyErr_NoMemory();
    }
    PyMem_Free(args);
    Py_XDECREF(others);
    Py_XDECREF(after);
    Py_XDECREF(before);
    return task;
}

/* Spec: create_task.kwonly */
PyObject *
Loop_create_task(FAST_ARGUMENTS)
{
    LoopObject *self = (LoopObject *)object;
    Py_ssize_t place = place_of_coroutine(keywords);

    if (place >= 0 && arg_count == 0)
        return create_task_by_name(object, args, keywords, place);
    if (place >= 0) {
        multiple_values(&create_task_signature, PyTuple_GetItem(keywords, place));
        return NULL;
    }
    if (!parse_one(&create_task_signature, args, arg_count, NULL))
        return NULL;
    asy_error *err = asy_loop_check_closed(self->core);
    if (err)
        return raise_error(err);
    struct task_call call = { .coroutine = args[0], .values = args + 1, .keywords = keywords };
    find_keywords(&call);
    return make_task(self, &call);
}

PyObject *
Loop_set_task_factory(FAST_ARGUMENTS)
{
    static const struct signature signature = {
        "BaseEventLoop", "set_task_factory", "factory", false,
    };
    LoopObject *self = (LoopObject *)object;
    PyObject *factory = parse_one(&signature, args, arg_count, keywords);

    if (!factory || check_initialised(self) < 0)
        return NULL;
    if (factory != Py_None && !PyCallable_Check(factory)) {
        PyErr_SetString(PyExc_TypeError, "task factory must be a callable or None");
        return NULL;
    }
    PyObject *old = self->task_factory;
    self->task_factory = factory == Py_None ? NULL : Py_NewRef(factory);
    Py_XDECREF(old);
    Py_RETURN_NONE;
}

PyObject *
Loop_get_task_factory(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    PyObject *factory = ((LoopObject *)object)->task_factory;
    return Py_NewRef(factory ? factory : Py_None);
}

/* ---- run_until_complete ---------------------------------------------------------- */

/* Whether the future ended with KeyboardInterrupt or SystemExit: 1, 0, or -1 and an exception. */
static int
ended_fatally(PyObject *future)
{
    PyObject *cancelled = PyObject_CallMethod(future, "cancelled", NULL);
    int was_cancelled = cancelled ? PyObject_IsTrue(cancelled) : -1;

    Py_XDECREF(cancelled);
    if (was_cancelled != 0)
        return was_cancelled < 0 ? -1 : 0;
    PyObject *exception = PyObject_CallMethod(future, "exception", NULL);
    if (!exception)
        return -1;
    int fatal = PyErr_GivenExceptionMatches(exception, PyExc_KeyboardInterrupt)
                || PyErr_GivenExceptionMatches(exception, PyExc_SystemExit);
    Py_DECREF(exception);
    return fatal;
}

/* The done callback: one function for all futures, so that it can be found again. Its self is
 * the module. */
static PyObject *
run_until_complete_done(PyObject *module, PyObject *future)
{
    struct module_state *state = PyModule_GetState(module);
    int fatal = ended_fatally(future);
    PyObject *loop = fatal < 0 ? NULL : PyObject_CallMethod(future, "get_loop", NULL);
    int ours = loop ? PyObject_IsInstance(loop, (PyObject *)state->loop_type) : -1;

    if (ours > 0)
        asy_loop_run_until_complete_done(((LoopObject *)loop)->core, fatal);
    Py_XDECREF(loop);
    if (ours < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyMethodDef run_until_complete_done_def = {
    "_run_until_complete_cb", run_until_complete_done, METH_O, NULL,
};

struct awaited_future {
    PyObject  *future;
    PyObject  *callback;
    asy_error *failure;                 /* the last that the future's methods raised, or NULL */
};

/* The exception that is being raised leaves run_until_complete(), when the library is done. */
static void
future_failed(struct awaited_future *awaited)
{
    asy_error_unref(awaited->failure);
    awaited->failure = error_from_python();
}

static bool
future_done(void *self)
{
    struct awaited_future *awaited = self;
    PyObject *done = PyObject_CallMethod(awaited->future, "done", NULL);
    int result = done ? PyObject_IsTrue(done) : -1;

    if (result < 0)
        future_failed(awaited);
    Py_XDECREF(done);
    return result > 0;
}

static asy_error *
add_done_callback(void *self, asy_loop *Py_UNUSED(loop))
{
    struct awaited_future *awaited = self;
    PyObject *result = PyObject_CallMethod(awaited->future, "add_done_callback", "O",
                                           awaited->callback);
    Py_XDECREF(result);
    return result ? ASY_OK : error_from_python();
}

static void
remove_done_callback(void *self, asy_loop *Py_UNUSED(loop))
{
    struct awaited_future *awaited = self;
    PyObject *result = PyObject_CallMethod(awaited->future, "remove_done_callback", "O",
                                           awaited->callback);
    if (!result)
        future_failed(awaited);
    Py_XDECREF(result);
}

/* A cancelled future has nothing to consume. */
static void
consume_exception(void *self)
{
    struct awaited_future *awaited = self;
    PyObject *cancelled = PyObject_CallMethod(awaited->future, "cancelled", NULL);
    int was_cancelled = cancelled ? PyObject_IsTrue(cancelled) : -1;
    PyObject *exception = was_cancelled == 0
                              ? PyObject_CallMethod(awaited->future, "exception", NULL)
                              : NULL;
    if (PyErr_Occurred())
        future_failed(awaited);
    Py_XDECREF(exception);
    Py_XDECREF(cancelled);
}

/* ensure_future(future, loop=loop): a new reference, and whether that made a task. */
static PyObject *
ensure_future(LoopObject *self, PyObject *future, bool *ret_new_task)
{
    struct module_state *state = self->state;
    PyObject *const args[] = { future, (PyObject *)self };
    PyObject *answer = PyObject_CallFunctionObjArgs(state->isfuture, future, NULL);
    int is_future = answer ? PyObject_IsTrue(answer) : -1;

    Py_XDECREF(answer);
    if (is_future < 0)
        return NULL;
    PyObject *ensured = PyObject_Vectorcall(state->ensure_future, args, 1, state->loop_keyword);
    *ret_new_task = !is_future;
    /* If it does not complete, run_until_complete() says so itself. */
    if (ensured && !is_future
        && PyObject_SetAttrString(ensured, "_log_destroy_pending", Py_False) < 0)
        Py_CLEAR(ensured);
    return ensured;
}

/* Spec: run_until_complete.result, run_until_complete.exception,
 * run_until_complete.coroutine-as-task, run_until_complete.future-arg */
PyObject *
Loop_run_until_complete(FAST_ARGUMENTS)
{
    static const struct signature signature = {
        "BaseEventLoop", "run_until_complete", "future", false,
    };
    LoopObject *self = (LoopObject *)object;
    PyObject *future = parse_one(&signature, args, arg_count, keywords);
    bool new_task;

    if (!future)
        return NULL;
    asy_error *err = asy_loop_check_can_run(self->core);
    if (err)
        return raise_error(err);
    PyObject *ensured = ensure_future(self, future, &new_task);
    if (!ensured)
        return NULL;
    struct awaited_future awaited = { ensured, self->state->run_until_complete_done, NULL };
    err = asy_loop_run_until_complete(self->core, &(asy_awaited){
        .self = &awaited,
        .done = future_done,
        .add_done_callback = add_done_callback,
        .remove_done_callback = remove_done_callback,
        .consume_exception = new_task ? consume_exception : NULL,
    });
    if (awaited.failure) {
        asy_error_unref(err);
        err = awaited.failure;
    }
    PyObject *result = err ? raise_error(err) : PyObject_CallMethod(ensured, "result", NULL);
    Py_DECREF(ensured);
    return result;
}
