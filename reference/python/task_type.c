/* SPDX-License-Identifier: MIT */
/*
 * The life of a Task: making it, what the library asks of it, and how the garbage collector
 * sees it.
 *
 * The coroutine of Python is the Task's. The library sees a coroutine of its own, whose body sends
 * on the other (python_coroutine.c).
 */
#include "task_type.h"

#include "convert.h"
#include "raise.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* How many lines of the stack debug mode keeps. */
#define STACK_FRAMES 10

static TaskObject *
object_of(asy_future *core)
{
    return (TaskObject *)(void *)((char *)core - offsetof(TaskObject, core));
}

/* ---- what the library asks of a task -------------------------------------------- */

static_assert(offsetof(TaskObject, core) == offsetof(FutureObject, core),
              "the object around a future is found in the same way");

static const asy_future_ops task_ops = {
    .name = "Task",
    .ref = future_object_ref,
    .unref = future_object_unref,
    .is_task = true,
    .describe = future_object_describe,
};

TaskObject *
python_task_from_core(asy_task *task)
{
    return task->future.ops == &task_ops ? object_of(&task->future) : NULL;
}

/* ---- making --------------------------------------------------------------------- */

/* Returns 0, or -1 and a TypeError. */
static int
check_coroutine(struct module_state *state, PyObject *coroutine)
{
    if (Py_IS_TYPE(coroutine, (PyTypeObject *)state->coroutine_class))
        return 0;
    PyObject *answer = PyObject_CallFunctionObjArgs(state->iscoroutine, coroutine, NULL);
    int is_coroutine = answer ? PyObject_IsTrue(answer) : -1;

    Py_XDECREF(answer);
    if (is_coroutine == 0)
        PyErr_Format(PyExc_TypeError, "a coroutine was expected, got %R", coroutine);
    return is_coroutine > 0 ? 0 : -1;
}

/* Before 3.15, the task's first step finds out. Returns 0, or -1 and a TypeError. */
static int
check_context(const struct module_state *state, PyObject *context)
{
    if (!context || !RUNNING_SINCE(3, 15, 0)
        || Py_IS_TYPE(context, (PyTypeObject *)state->context_class))
        return 0;
    PyObject *name = PyObject_GetAttrString((PyObject *)Py_TYPE(context), "__name__");
    if (name)
        PyErr_Format(PyExc_TypeError, "a contextvars.Context was expected, got %U", name);
    Py_XDECREF(name);
    return -1;
}

/* A Task that the library does not know of yet. */
static TaskObject *
new_object(LoopObject *loop, const struct task_arguments *arguments)
{
    TaskObject *self = PyObject_GC_New(TaskObject, loop->state->task_type);

    if (!self)
        return NULL;
    memset((char *)self + sizeof(PyObject), 0, sizeof *self - sizeof(PyObject));
    self->shown = &self->core.future;
    asy_future_init(&self->core.future, &task_ops, loop->core);
    self->coroutine = Py_NewRef(arguments->coroutine);
    int failed = future_init_head((FutureObject *)self, loop, STACK_FRAMES);
    if (!failed && arguments->name) {
        self->name = PyObject_Str(arguments->name);
        failed = !self->name;
    }
    PyObject_GC_Track((PyObject *)self);
    if (failed)
        Py_CLEAR(self);
    return self;
}

/* The name for the library's own messages; it need not be the whole truth. */
static const char *
name_as_text(const TaskObject *self)
{
    if (!self->name)
        return NULL;
    const char *text = PyUnicode_AsUTF8AndSize(self->name, NULL);
    if (!text)
        PyErr_Clear();
    return text ? text : "?";
}

PyObject *
python_task_new(LoopObject *loop, const struct task_arguments *arguments)
{
    if (check_coroutine(loop->state, arguments->coroutine) < 0
        || check_context(loop->state, arguments->context) < 0)
        return NULL;
    TaskObject *self = new_object(loop, arguments);
    if (!self)
        return NULL;
    const asy_task_options options = {
        .name = name_as_text(self),
        .context = arguments->context,
        .eager_start = arguments->eager_start,
    };
    asy_error *err = asy_task_init(&self->core, &task_ops, loop->core, python_coroutine_new(self),
                                   &options);
    if (err) {
        Py_DECREF((PyObject *)self);
        return raise_error(err);
    }
    if (!asy_task_get_coro(&self->core))
        Py_CLEAR(self->coroutine);
    return (PyObject *)self;
}

/* One keyword of create_task(). Returns 0, or -1 and an exception. */
static int
take_keyword(PyObject *keyword, PyObject *value, struct task_arguments *arguments)
{
    if (PyUnicode_CompareWithASCIIString(keyword, "name") == 0) {
        arguments->name = value == Py_None ? NULL : value;
    } else if (PyUnicode_CompareWithASCIIString(keyword, "context") == 0) {
        arguments->context = value == Py_None ? NULL : value;
    } else if (PyUnicode_CompareWithASCIIString(keyword, "eager_start") == 0) {
        int eager = PyObject_IsTrue(value);
        arguments->eager_start = eager > 0;
        return eager < 0 ? -1 : 0;
    } else {
        PyErr_Format(PyExc_TypeError, "Task() got an unexpected keyword argument '%U'", keyword);
        return -1;
    }
    return 0;
}

PyObject *
python_task_from_call(LoopObject *loop, PyObject *coroutine, PyObject *const *values,
                      PyObject *keywords)
{
    struct task_arguments arguments = { .coroutine = coroutine };
    Py_ssize_t count = keywords ? PyTuple_Size(keywords) : 0;

    for (Py_ssize_t i = 0; i < count; i++) {
        if (take_keyword(PyTuple_GetItem(keywords, i), values[i], &arguments) < 0)
            return NULL;
    }
    return python_task_new(loop, &arguments);
}

/* ---- the garbage collector ------------------------------------------------------ */

/* What the task's own coroutine of the library holds, and what it waits for. */
static int
visit_waiting(const TaskObject *self, visitproc visit, void *arg)
{
    const asy_coro *coro = self->core.coro;
    asy_future *const held[] = { self->core.waiter, coro ? coro->future : NULL };
    PyObject *foreign = NULL;

    for (size_t i = 0; i < 2; i++) {
        if (!held[i])
            continue;
        Py_VISIT((PyObject *)python_future_from_core(held[i]));
        PyObject *object = foreign_future_object(held[i]);
        foreign = object ? object : foreign;
    }
    Py_VISIT(foreign);                  /* once: the two hold one thing that holds the object */
    return coro ? visit_error(coro->thrown, visit, arg) : 0;
}

int
Task_traverse(PyObject *object, visitproc visit, void *arg)
{
    TaskObject *self = (TaskObject *)object;
    int result = Future_traverse(object, visit, arg);

    if (result == 0)
        result = visit_waiting(self, visit, arg);
    if (result == 0)
        result = visit_error(self->core.step_error, visit, arg);
    if (result != 0)
        return result;
    Py_VISIT(self->coroutine);
    Py_VISIT(self->name);
    Py_VISIT((PyObject *)self->core.context);
    return 0;
}

int
Task_clear(PyObject *object)
{
    TaskObject *self = (TaskObject *)object;

    asy_task_clear(&self->core);
    future_clear_head((FutureObject *)self);
    Py_CLEAR(self->coroutine);
    Py_CLEAR(self->name);
    return 0;
}

/* Task.__del__. It must not touch the exception that is being raised meanwhile. */
void
Task_finalize(PyObject *object)
{
    PyObject *raised = PyErr_GetRaisedException();

    asy_task_report_destroyed(&((TaskObject *)object)->core);
    if (raised)
        PyErr_SetRaisedException(raised);
}

void
Task_dealloc(PyObject *object)
{
    if (PyObject_CallFinalizerFromDealloc(object) < 0)
        return;
    PyObject_GC_UnTrack(object);
    if (((TaskObject *)object)->weakrefs)
        PyObject_ClearWeakRefs(object);
    Task_clear(object);
    future_free(object);
}
