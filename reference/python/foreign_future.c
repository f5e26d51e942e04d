/* SPDX-License-Identifier: MIT */
/*
 * A future of the library that stands for an object with asyncio's protocol of futures, such as
 * the asyncio.Future that asyncio.gather() returns, for a task of this module that waits for it.
 *
 * Each method is that of the object. The task gives the object a done callback that steps the
 * task on directly. So the task goes on in the same iteration in which one of asyncio's own
 * would.
 *
 * The state is the object's, too: what asy_future has of one is pending for ever, and nobody but
 * the waiting task may have such a future, since that asks only for its result, when it is woken
 * up.
 */
#include "convert.h"
#include "raise.h"
#include "task_type.h"

struct foreign_future {
    asy_future core;                    /* its loop is kept by the task */
    int        refs;
    PyObject  *object;                  /* owned */
};

static struct foreign_future *
foreign_of(asy_future *core)
{
    return (struct foreign_future *)(void *)core;
}

static void
ref(asy_future *core)
{
    foreign_of(core)->refs++;
}

static void
unref(asy_future *core)
{
    struct foreign_future *self = foreign_of(core);

    if (--self->refs > 0)
        return;
    PyObject *object = self->object;
    asy_future_clear(core);
    asy_free(self);
    Py_DECREF(object);
}

/* object.method(*args[:positional], **{keyword: args[positional]}) */
static PyObject *
call_with_keyword(PyObject *object, const char *name, PyObject *const *args, size_t positional,
                  const char *keyword)
{
    PyObject *method = PyObject_GetAttrString(object, name);
    PyObject *names = method ? Py_BuildValue("(s)", keyword) : NULL;
    PyObject *result = names ? PyObject_Vectorcall(method, args, positional, names) : NULL;

    Py_XDECREF(names);
    Py_XDECREF(method);
    return result;
}

/* object.cancel(msg=message) */
static asy_error *
cancel(asy_future *core, const void *message, bool *ret_cancelled)
{
    union {
        const void *constant;
        PyObject   *object;
    } argument = { .constant = message };
    PyObject *const args[] = { message ? argument.object : Py_None };
    PyObject *answer = call_with_keyword(foreign_of(core)->object, "cancel", args, 0, "msg");
    int cancelled = answer ? PyObject_IsTrue(answer) : -1;

    Py_XDECREF(answer);
    if (cancelled < 0)
        return error_from_python();
    if (ret_cancelled)
        *ret_cancelled = cancelled;
    return ASY_OK;
}

/* object.result(), which only tells whether it raises: the coroutine asks for the result itself. */
static asy_error *
result(asy_future *core, void **ret_result)
{
    PyObject *value = PyObject_CallMethod(foreign_of(core)->object, "result", NULL);

    Py_XDECREF(value);
    if (!value)
        return error_from_python();
    if (ret_result)
        *ret_result = NULL;
    return ASY_OK;
}

/* object.add_done_callback(task_wakeup, context=task_context) */
static asy_error *
add_done_handle(asy_future *core, asy_handle *handle)
{
    asy_task *task = asy_handle_task(handle);
    TaskObject *waiting = task ? python_task_from_core(task) : NULL;

    if (!waiting)
        return asy_error_new(ASY_TypeError, "only a task of Python can wait for Python's futures");
    PyObject *wakeup = task_wakeup_function(waiting);
    if (!wakeup)
        return error_from_python();
    PyObject *const args[] = { wakeup, task->context };
    PyObject *answer = call_with_keyword(foreign_of(core)->object, "add_done_callback", args, 1,
                                         "context");
    Py_DECREF(wakeup);
    if (!answer)
        return error_from_python();
    Py_DECREF(answer);
    return ASY_OK;
}

static char *
describe(asy_future *core)
{
    return text_from_object(PyObject_Repr(foreign_of(core)->object));
}

static const asy_future_ops foreign_ops = {
    .name = "Future",
    .ref = ref,
    .unref = unref,
    .cancel = cancel,
    .result = result,
    .add_done_handle = add_done_handle,
    .describe = describe,
};

asy_future *
foreign_future_new(LoopObject *loop, PyObject *object)
{
    struct foreign_future *self = asy_alloc(sizeof *self);

    asy_future_init(&self->core, &foreign_ops, loop->core);
    self->refs = 1;
    self->object = Py_NewRef(object);
    return &self->core;
}

PyObject *
foreign_future_object(asy_future *future)
{
    return future->ops == &foreign_ops ? foreign_of(future)->object : NULL;
}
