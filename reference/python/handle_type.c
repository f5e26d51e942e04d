/* SPDX-License-Identifier: MIT */
/*
 * A handle as the loop sees it, and its life as a Python object. handle_methods.c has what Python
 * code sees of it, and the types.
 *
 * Handle, _ThreadSafeHandle and TimerHandle are one struct with one set of functions; a
 * TimerHandle has more of each.
 */
#include "handle_type.h"

#include "callback.h"
#include "handling.h"
#include "raise.h"

#include <stddef.h>
#include <string.h>

static HandleObject *
object_of(asy_handle *core)
{
    return (HandleObject *)((char *)core - offsetof(HandleObject, core));
}

LoopObject *
handle_loop(HandleObject *self)
{
    return asy_loop_host_data(self->core.handle.loop);
}

/* Where the handle keeps the extras: NULL, or a tuple with each of them or None. */
static PyObject **
extras_of(HandleObject *self)
{
    return self->core.handle.is_timer ? &self->timer_extras : &self->plain.extras;
}

PyObject *
handle_extra(HandleObject *self, enum handle_extra which)
{
    PyObject *extras = *extras_of(self);
    PyObject *item = extras ? PyTuple_GetItem(extras, which) : NULL;
    return item == Py_None ? NULL : item;
}

int
handle_set_extra(HandleObject *self, enum handle_extra which, PyObject *value)
{
    PyObject *old = *extras_of(self);
    PyObject *items[EXTRA_COUNT];

    for (int i = 0; i < EXTRA_COUNT; i++)
        items[i] = old ? PyTuple_GetItem(old, i) : Py_None;
    items[which] = value ? value : Py_None;
    PyObject *extras = PyTuple_Pack(EXTRA_COUNT, items[0], items[1], items[2]);
    if (!extras)
        return -1;
    *extras_of(self) = extras;
    Py_XDECREF(old);
    return 0;
}

/* ---- what the loop asks of a handle ---------------------------------------------- */

/* The callback may cancel its own handle, which then lets go of callback and arguments. A handle
 * that the garbage collector has cleared has nothing to run. */
static asy_error *
run(asy_handle *core)
{
    HandleObject *self = object_of(core);

    if (!self->callback || !self->context)
        return ASY_OK;
    PyObject *context = Py_NewRef(self->context);
    PyObject *callback = Py_NewRef(self->callback);
    PyObject *args = Py_NewRef(self->args);
    PyObject *result = call_in_context(context, callback, args, core->mark);
    asy_error *err = result ? ASY_OK : error_from_python();

    Py_XDECREF(result);
    Py_DECREF(args);
    Py_DECREF(callback);
    Py_DECREF(context);
    return err;
}

static void
ref(asy_handle *core)
{
    Py_INCREF((PyObject *)object_of(core));
}

static void
unref(asy_handle *core)
{
    Py_DECREF((PyObject *)object_of(core));
}

/* The callback goes first: run() takes a handle that has one to have arguments. */
static void
let_go(HandleObject *self)
{
    Py_CLEAR(self->callback);
    Py_CLEAR(self->args);
}

/* In debug mode the text is kept, for "Executing <Handle ...> took 1.000 seconds". */
static void
clear(asy_handle *core)
{
    HandleObject *self = object_of(core);

    if (asy_loop_get_debug(core->loop)) {
        PyObject *function = handle_loop(self)->state->handle_repr;
        PyObject *text = PyObject_CallFunctionObjArgs(function, self, NULL);
        if (!text || handle_set_extra(self, EXTRA_TEXT, text) < 0)
            show_unraisable((PyObject *)self);
        Py_XDECREF(text);
    }
    let_go(self);
}

static void *
context(asy_handle *core)
{
    return object_of(core)->context;
}

static char *
describe(asy_handle *core)
{
    HandleObject *self = object_of(core);
    PyObject *function = handle_loop(self)->state->describe_handle;
    return text_from_object(PyObject_CallFunctionObjArgs(function, self, NULL));
}

static char *
describe_callback(asy_handle *core)
{
    HandleObject *self = object_of(core);
    PyObject *function = handle_loop(self)->state->describe_callback;
    return text_from_object(PyObject_CallFunctionObjArgs(function, self, NULL));
}

static const asy_handle_ops handle_ops = {
    .run = run,
    .ref = ref,
    .unref = unref,
    .clear = clear,
    .context = context,
    .describe = describe,
    .describe_callback = describe_callback,
};

HandleObject *
python_handle_from_core(asy_handle *core)
{
    return core->ops == &handle_ops ? object_of(core) : NULL;
}

/* ---- making and freeing ---------------------------------------------------------- */

/* Most callbacks have one argument or none, and need no tuple of their own. */
static PyObject *
args_from_array(PyObject *empty, PyObject *const *items, Py_ssize_t count)
{
    if (count == 1)
        return Py_NewRef(items[0]);
    PyObject *tuple = count > 0 ? PyTuple_New(count) : Py_NewRef(empty);
    for (Py_ssize_t i = 0; tuple && i < count; i++)
        PyTuple_SetItem(tuple, i, Py_NewRef(items[i]));
    return tuple;
}

/* The fields that need memory; what has been filled is freed with the object. */
static int
fill(HandleObject *self, LoopObject *loop, const struct call *call, int frames)
{
    self->args = args_from_array(loop->state->empty_tuple, call->args, call->arg_count);
    self->core.handle.mark = call->arg_count == 1;
    if (!self->args)
        return -1;
    self->context = call->context ? Py_NewRef(call->context) : PyContext_CopyCurrent();
    if (!self->context)
        return -1;
    if (!asy_loop_get_debug(loop->core))
        return 0;
    PyObject *traceback = PyObject_CallFunction(loop->state->extract_stack, "i", frames);
    int result = traceback ? handle_set_extra(self, EXTRA_TRACEBACK, traceback) : -1;
    Py_XDECREF(traceback);
    return result;
}

/* Memory for a Handle: most live for one iteration, so that of the last ones is used again. The
 * objects in the list are linked by `args`. They are alike for Handle and _ThreadSafeHandle. */
static HandleObject *
take_spare(struct module_state *state, PyTypeObject *type)
{
    HandleObject *self = (HandleObject *)state->spare_handle;

    state->spare_handle = self->args;
    state->spare_handle_count--;
    return (HandleObject *)PyObject_Init((PyObject *)self, type);
}

/* Whether the list has taken the object, which is all but freed. */
static bool
keep_spare(struct module_state *state, HandleObject *self)
{
    if (state->spare_handle_count >= state->spare_handle_limit || self->core.handle.is_timer)
        return false;
    self->args = state->spare_handle;
    state->spare_handle = (PyObject *)self;
    state->spare_handle_count++;
    return true;
}

void
free_spare_handles(struct module_state *state)
{
    state->spare_handle_limit = 0;
    while (state->spare_handle) {
        PyObject *object = state->spare_handle;
        state->spare_handle = ((HandleObject *)object)->args;
        state->spare_handle_count--;
        PyObject_GC_Del(object);
    }
}

/* A handle whose core is still to be initialised; it is not tracked yet. */
static HandleObject *
new_object(LoopObject *loop, PyTypeObject *type, size_t size, const struct call *call)
{
    bool from_spares = size == HANDLE_SIZE && loop->state->spare_handle;
    HandleObject *self = from_spares ? take_spare(loop->state, type)
                                     : PyObject_GC_New(HandleObject, type);

    if (!self)
        return NULL;
    memset((char *)self + sizeof(PyObject), 0, size - sizeof(PyObject));
    Py_INCREF((PyObject *)loop);
    self->callback = Py_NewRef(call->callback);
    return self;
}

static HandleObject *
finish(HandleObject *self, LoopObject *loop, const struct call *call, int frames)
{
    int failed = fill(self, loop, call, frames);

    PyObject_GC_Track((PyObject *)self);
    if (failed)
        Py_CLEAR(self);
    return self;
}

HandleObject *
python_handle_new(LoopObject *loop, PyTypeObject *type, const struct call *call, int frames)
{
    HandleObject *self = new_object(loop, type, HANDLE_SIZE, call);

    if (!self)
        return NULL;
    asy_handle_init(&self->core.handle, &handle_ops, loop->core);
    return finish(self, loop, call, frames);
}

HandleObject *
python_timer_handle_new(LoopObject *loop, PyObject *when, double seconds, const struct call *call,
                 int frames)
{
    HandleObject *self = new_object(loop, loop->state->timer_handle_type, sizeof(HandleObject),
                                    call);

    if (!self)
        return NULL;
    self->when = Py_NewRef(when);
    asy_timer_handle_init(&self->core, &handle_ops, loop->core, seconds);
    return finish(self, loop, call, frames);
}

HandleObject *
python_handle_for(asy_handle *core)
{
    LoopObject *loop = asy_loop_host_data(core->loop);
    struct call call = { .callback = Py_None, .context = asy_handle_get_context(core) };
    char *description = core->ops->describe ? core->ops->describe(core) : NULL;
    PyObject *text = description ? object_from_text(description)
                                 : PyUnicode_FromString("<Handle>");
    HandleObject *self = text ? python_handle_new(loop, loop->state->handle_type, &call, 0) : NULL;

    if (self && handle_set_extra(self, EXTRA_TEXT, text) < 0)
        Py_CLEAR(self);
    if (self)
        self->core.handle.cancelled = asy_handle_cancelled(core);
    Py_XDECREF(text);
    asy_free(description);
    return self;
}

int
Handle_traverse(PyObject *object, visitproc visit, void *arg)
{
    HandleObject *self = (HandleObject *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->args);
    Py_VISIT(self->callback);
    Py_VISIT(self->context);
    Py_VISIT(handle_loop(self));
    Py_VISIT(*extras_of(self));
    if (self->core.handle.is_timer)
        Py_VISIT(self->when);
    return 0;
}

/* Not the loop: core points to it for as long as there is a handle, and the loop, when it is
 * cleared itself, lets go of its handles. */
int
Handle_clear(PyObject *object)
{
    HandleObject *self = (HandleObject *)object;

    let_go(self);
    Py_CLEAR(self->context);
    Py_CLEAR(*extras_of(self));
    return 0;
}

static void
clear_weak_references(HandleObject *self)
{
#ifdef HANDLE_HAS_WEAKREF_SLOT
    if (!self->weakrefs)
        return;
#endif
    PyObject_ClearWeakRefs((PyObject *)self);
}

void
Handle_dealloc(PyObject *object)
{
    HandleObject *self = (HandleObject *)object;
    PyTypeObject *type = Py_TYPE(object);
    LoopObject *loop = handle_loop(self);

    PyObject_GC_UnTrack(object);
    clear_weak_references(self);
    Handle_clear(object);
    if (self->core.handle.is_timer)
        Py_CLEAR(self->when);
    if (!keep_spare(loop->state, self))
        PyObject_GC_Del(object);
    Py_DECREF((PyObject *)loop);
    Py_DECREF(type);
}
