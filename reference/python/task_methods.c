/* SPDX-License-Identifier: MIT */
/*
 * Task as Python code sees it: what it has besides Future's methods, and the type.
 */
#include "raise.h"
#include "task_type.h"

static TaskObject *
task_of(PyObject *object)
{
    return (TaskObject *)object;
}

/* ---- cancelling ----------------------------------------------------------------- */

static PyObject *
Task_cancelling(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(asy_task_cancelling(&task_of(self)->core));
}

static PyObject *
Task_uncancel(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(asy_task_uncancel(&task_of(self)->core));
}

/* ---- what it is made of --------------------------------------------------------- */

static PyObject *
Task_get_coro(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *coroutine = task_of(self)->coroutine;
    return Py_NewRef(coroutine ? coroutine : Py_None);
}

static PyObject *
Task_get_context(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *context = asy_task_get_context(&task_of(self)->core);
    return Py_NewRef(context ? context : Py_None);
}

static PyObject *
Task_get_name(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    TaskObject *self = task_of(object);

    if (self->name)
        return Py_NewRef(self->name);
    const char *name = asy_task_get_name(&self->core);
    return PyUnicode_FromString(name ? name : "");      /* NULL: the collector has cleared it */
}

/* Spec: Task.set_name.str */
static PyObject *
Task_set_name(PyObject *object, PyObject *name)
{
    TaskObject *self = task_of(object);
    PyObject *old = self->name;
    PyObject *text = PyObject_Str(name);

    if (!text)
        return NULL;
    self->name = text;
    Py_XDECREF(old);
    Py_RETURN_NONE;
}

/* ---- its stack ------------------------------------------------------------------ */

/* function(self, *args, **keywords) */
static PyObject *
call_with_self(PyObject *function, PyObject *self, PyObject *args, PyObject *keywords)
{
    PyObject *first = PyTuple_Pack(1, self);
    PyObject *all = first ? PySequence_Concat(first, args) : NULL;
    PyObject *result = all ? PyObject_Call(function, all, keywords) : NULL;

    Py_XDECREF(all);
    Py_XDECREF(first);
    return result;
}

static PyObject *
Task_get_stack(PyObject *self, PyObject *args, PyObject *keywords)
{
    return call_with_self(task_of(self)->loop->state->get_stack, self, args, keywords);
}

static PyObject *
Task_print_stack(PyObject *self, PyObject *args, PyObject *keywords)
{
    return call_with_self(task_of(self)->loop->state->print_stack, self, args, keywords);
}

static PyObject *
Task_repr(PyObject *self)
{
    return PyObject_CallFunctionObjArgs(task_of(self)->loop->state->task_repr, self, NULL);
}

/* ---- waking up ------------------------------------------------------------------ */

static PyObject *
task_wakeup(PyObject *self, PyObject *Py_UNUSED(future))
{
    return none_or_raise(asy_task_wakeup(&task_of(self)->core));
}

static PyMethodDef task_wakeup_def = { "task_wakeup", task_wakeup, METH_O, NULL };

PyObject *
task_wakeup_function(TaskObject *self)
{
    return PyCFunction_NewEx(&task_wakeup_def, (PyObject *)self, NULL);
}

/* ---- the type ------------------------------------------------------------------- */

static PyObject *
Task_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = { "coro", "loop", "name", "context", "eager_start", NULL };
    struct module_state *state = state_of_type(type);
    struct task_arguments arguments = { 0 };
    PyObject *given = Py_None;
    int eager = 0;

    if (!state || !PyArg_ParseTupleAndKeywords(args, keywords, "O|$OOOp:Task", names,
                                               &arguments.coroutine, &given, &arguments.name,
                                               &arguments.context, &eager))
        return NULL;
    arguments.eager_start = eager;
    arguments.name = arguments.name == Py_None ? NULL : arguments.name;
    arguments.context = arguments.context == Py_None ? NULL : arguments.context;
    LoopObject *loop = loop_or_current(state, given);
    PyObject *self = loop ? python_task_new(loop, &arguments) : NULL;
    Py_XDECREF((PyObject *)loop);
    return self;
}

static PyMethodDef Task_methods[] = {
    { "cancelling", Task_cancelling, METH_NOARGS, "How many requests to cancel are pending." },
    { "uncancel", Task_uncancel, METH_NOARGS, "Take one back; how many are pending then." },
    { "get_coro", Task_get_coro, METH_NOARGS, "The coroutine." },
    { "get_context", Task_get_context, METH_NOARGS, "The context it runs in." },
    { "get_name", Task_get_name, METH_NOARGS, "Its name." },
    { "set_name", Task_set_name, METH_O, "Give it another name, which is made a str." },
    { "get_stack", KEYWORDS_METHOD(Task_get_stack), "The frames of its coroutine." },
    { "print_stack", KEYWORDS_METHOD(Task_print_stack), "Print the frames of its coroutine." },
    { 0 },
};

static PyType_Slot Task_slots[] = {
    { Py_tp_doc, "Task(coro, *, loop=None, name=None, context=None, eager_start=False)" },
    { Py_tp_new, Task_new },
    { Py_tp_dealloc, Task_dealloc },
    { Py_tp_finalize, Task_finalize },
    { Py_tp_traverse, Task_traverse },
    { Py_tp_clear, Task_clear },
    { Py_tp_repr, Task_repr },
    { Py_tp_methods, Task_methods },
    { Py_tp_getset, Task_attributes },
    { 0 },
};

static PyType_Spec Task_spec = {
    .name = "asy.Task",
    .basicsize = (int)sizeof(TaskObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = Task_slots,
};

int
add_task_type(PyObject *module, struct module_state *state)
{
    PyObject *bases = PyTuple_Pack(1, state->future_type);

    if (!bases)
        return -1;
    state->task_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &Task_spec, bases);
    Py_DECREF(bases);
    if (!state->task_type)
        return -1;
    return PyModule_AddObjectRef(module, "Task", (PyObject *)state->task_type);
}
