/* SPDX-License-Identifier: MIT */
/* Task: a Python object with the library's task inside, which drives a coroutine of Python. */
#ifndef PYTHON_TASK_TYPE_H
#define PYTHON_TASK_TYPE_H

#include "compat.h"
#include "future_type.h"

#include <asy/task.h>
#include <stddef.h>

typedef struct {
    FUTURE_HEAD;
    asy_task  core;
    PyObject *coroutine;                /* NULL: an eager task has ended in its first step */
    PyObject *name;                     /* a str; NULL: the library's */
} TaskObject;

static_assert(offsetof(TaskObject, core) == offsetof(FutureObject, core)
              && offsetof(asy_task, future) == 0, "a Task begins as a Future does");

/* What a new task is told; NULL: not given. */
struct task_arguments {
    PyObject *coroutine;
    PyObject *name;
    PyObject *context;
    bool      eager_start;
};

/* ---- task_type.c: its life ------------------------------------------------------ */

/* loop.create_task(coroutine, **keywords) of a native loop; the values stand in the order of the
 * keywords, which may be NULL. A new reference, or NULL and an exception. */
PyObject *python_task_from_call(LoopObject *loop, PyObject *coroutine, PyObject *const *values,
                                PyObject *keywords);

/* Task(coroutine, loop=loop, name=None, context=None, eager_start=False). A new reference, or
 * NULL and an exception. */
PyObject *python_task_new(LoopObject *loop, const struct task_arguments *arguments);

/* The Python object that the task lies in: borrowed; NULL if it is a task of C code. */
TaskObject *python_task_from_core(asy_task *task);

int Task_traverse(PyObject *object, visitproc visit, void *arg);
int Task_clear(PyObject *object);
void Task_dealloc(PyObject *object);
void Task_finalize(PyObject *object);

/* ---- task_methods.c: as Python code sees it ------------------------------------- */

/* A function that steps the task on, for futures that want something to call. */
PyObject *task_wakeup_function(TaskObject *self);

/* Create Task in the state. Returns 0, or -1 and an exception. */
int add_task_type(PyObject *module, struct module_state *state);

/* ---- python_coroutine.c --------------------------------------------------------- */

/* A coroutine of the library that drives the task's coroutine of Python. */
asy_coro *python_coroutine_new(TaskObject *task);

/* ---- foreign_future.c ----------------------------------------------------------- */

/* A future of the library that stands for any object with asyncio's protocol of futures. */
asy_future *foreign_future_new(LoopObject *loop, PyObject *object);

/* That object, borrowed, or NULL if the future is none of these. */
PyObject *foreign_future_object(asy_future *future);

#endif
