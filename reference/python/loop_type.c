/* SPDX-License-Identifier: MIT */
/*
 * Loop: making, freeing and closing the object, running and stopping, and the table of methods.
 *
 * The garbage collector sees through the loop to its handles, so that a loop which nobody uses
 * goes away together with the callbacks that mention it. An object whose __init__() was not
 * called holds a closed loop, and its methods say so.
 */
#include "loop_type.h"

#include "convert.h"
#include "coroutine_type.h"
#include "future_type.h"
#include "host.h"
#include "raise.h"
#include "transport_type.h"

#include <asy/host.h>

/* ---- making ---------------------------------------------------------------------- */

static PyObject *
Loop_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(keywords))
{
    struct module_state *state = state_of_type(type);
    allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    LoopObject *self = state ? (LoopObject *)alloc(type, 0) : NULL;

    if (!self)
        return NULL;
    self->state = state;
    self->core = asy_loop_ref(state->no_loop);
    self->readers = PyDict_New();
    self->writers = PyDict_New();
    if (!self->readers || !self->writers)
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* Whether the class has a time() that is not ours: 1, 0, or -1 and an exception. */
static int
overrides_time(LoopObject *self)
{
    PyObject *ours = PyObject_GetAttrString((PyObject *)self->state->loop_type, "time");
    PyObject *its = ours ? PyObject_GetAttrString((PyObject *)Py_TYPE((PyObject *)self), "time")
                         : NULL;
    int different = its ? its != ours : -1;

    Py_XDECREF(its);
    Py_XDECREF(ours);
    return different;
}

static int
open_loop(LoopObject *self, asy_selector_kind selector, bool debug)
{
    int minor = (int)(Py_Version >> 16 & 0xff);
    asy_loop_options options = {
        .selector = selector,
        .debug = debug ? ASY_DEBUG_ON : ASY_DEBUG_OFF,
        .profile = minor < ASY_NEWEST_PROFILE ? minor : ASY_NEWEST_PROFILE,
        .host = self->overrides_time ? &python_host_with_time : &python_host,
        .host_data = self,
    };
    asy_loop *core;
    asy_error *err = asy_loop_new(&options, &core);

    if (err) {
        raise_error(err);
        return -1;
    }
    asy_loop_unref(self->core);
    self->core = core;
    return 0;
}

static int
Loop_init(PyObject *object, PyObject *args, PyObject *keywords)
{
    static char *names[] = { "selector", "debug", "native", NULL };
    LoopObject *self = (LoopObject *)object;
    PyObject *selector = Py_None;
    asy_selector_kind kind;
    int debug = 0, native = 0;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|Opp:Loop", names, &selector, &debug,
                                     &native))
        return -1;
    if (self->core != self->state->no_loop) {
        PyErr_SetString(PyExc_RuntimeError, "the event loop is initialised already");
        return -1;
    }
    int different_time = overrides_time(self);
    if (different_time < 0 || selector_from_object(selector, &kind) < 0)
        return -1;
    self->overrides_time = different_time;
    self->native = native;
    return open_loop(self, kind, debug);
}

int
check_initialised(LoopObject *self)
{
    if (self->core != self->state->no_loop)
        return 0;
    PyErr_SetString(PyExc_RuntimeError,
                    "the event loop is not initialised: call super().__init__() first");
    return -1;
}

/* ---- freeing --------------------------------------------------------------------- */

struct collector {
    visitproc visit;
    void     *arg;
};

static int
visit_handle(asy_handle *core, void *argument)
{
    struct collector *collector = argument;
    PyObject *object = object_of_handle(core);
    return object ? collector->visit(object, collector->arg)
                  : visit_transport_handle(core, collector->visit, collector->arg);
}

static int
Loop_traverse(PyObject *object, visitproc visit, void *arg)
{
    LoopObject *self = (LoopObject *)object;
    struct collector collector = { visit, arg };

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->exception_handler);
    Py_VISIT(self->task_factory);
    Py_VISIT(self->readers);
    Py_VISIT(self->writers);
    Py_VISIT(self->hooks_outside);
    return self->core ? asy_loop_visit(self->core, visit_handle, &collector) : 0;
}

/* Without an error to come back: nobody would see it. */
static void
close_quietly(LoopObject *self)
{
    if (!self->core || asy_loop_is_running(self->core) || asy_loop_is_closed(self->core))
        return;
    asy_loop_set_exception_handler(self->core, NULL, NULL, NULL);
    asy_loop_set_debug(self->core, false);
    asy_error_unref(asy_loop_close(self->core));
}

static int
Loop_clear(PyObject *object)
{
    LoopObject *self = (LoopObject *)object;

    close_quietly(self);
    close_coroutines(self);
    if (self->core && self->exception_handler)
        asy_loop_set_exception_handler(self->core, NULL, NULL, NULL);
    Py_CLEAR(self->exception_handler);
    Py_CLEAR(self->task_factory);
    if (self->readers)
        PyDict_Clear(self->readers);
    if (self->writers)
        PyDict_Clear(self->writers);
    Py_CLEAR(self->hooks_outside);
    Py_CLEAR(self->depth_outside);
    return 0;
}

static void
Loop_dealloc(PyObject *object)
{
    LoopObject *self = (LoopObject *)object;
    PyTypeObject *type = Py_TYPE(object);
    freefunc free_object = (freefunc)PyType_GetSlot(type, Py_tp_free);

    PyObject_GC_UnTrack(object);
    Loop_clear(object);
    Py_CLEAR(self->readers);
    Py_CLEAR(self->writers);
    asy_loop_unref(self->core);
    free_object(object);
    Py_DECREF(type);
}

/* ---- attributes ------------------------------------------------------------------ */

/* The loop has looked at its class, once. What it would not see must not be set in vain. */
static int
Loop_setattro(PyObject *object, PyObject *name, PyObject *value)
{
    bool is_time = PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, "time") == 0;

    if (is_time && value && !((LoopObject *)object)->overrides_time) {
        PyErr_SetString(PyExc_AttributeError, "the loop asks its class for the time: override "
                                              "time() in a subclass instead of assigning it");
        return -1;
    }
    return PyObject_GenericSetAttr(object, name, value);
}

/* ---- running --------------------------------------------------------------------- */

/* A signal that came after the last look at them is one of the run, as it is in CPython. */
static PyObject *
Loop_run_forever(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    asy_error *err = asy_loop_run_forever(((LoopObject *)self)->core);
    return !err && PyErr_CheckSignals() < 0 ? NULL : none_or_raise(err);
}

static PyObject *
Loop_stop(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    LoopObject *self = (LoopObject *)object;

    if (check_initialised(self) < 0)
        return NULL;
    asy_loop_stop(self->core);
    Py_RETURN_NONE;
}

static PyObject *
Loop_is_running(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(asy_loop_is_running(((LoopObject *)self)->core));
}

static PyObject *
Loop_is_closed(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(asy_loop_is_closed(((LoopObject *)self)->core));
}

static PyObject *
Loop_close(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    LoopObject *self = (LoopObject *)object;
    asy_error *err = asy_loop_close(self->core);

    if (!err) {
        close_coroutines(self);
        PyDict_Clear(self->readers);
        PyDict_Clear(self->writers);
    }
    return none_or_raise(err);
}

static const char *
bool_text(bool value)
{
    return value ? "True" : "False";
}

static PyObject *
Loop_repr(PyObject *object)
{
    const asy_loop *core = ((LoopObject *)object)->core;
    PyObject *name = PyType_GetName(Py_TYPE(object));
    PyObject *text = name ? PyUnicode_FromFormat("<%U running=%s closed=%s debug=%s>", name,
                                                 bool_text(asy_loop_is_running(core)),
                                                 bool_text(asy_loop_is_closed(core)),
                                                 bool_text(asy_loop_get_debug(core)))
                          : NULL;
    Py_XDECREF(name);
    return text;
}

/* ---- the type -------------------------------------------------------------------- */

static PyMethodDef Loop_methods[] = {
    { "run_forever", Loop_run_forever, METH_NOARGS, "Run until stop() is called." },
    { "run_until_complete", FAST_METHOD(Loop_run_until_complete),
      "Run until the future or coroutine is done, and return its result." },
    { "stop", Loop_stop, METH_NOARGS, "Stop after the current iteration." },
    { "is_running", Loop_is_running, METH_NOARGS, "Whether the loop runs." },
    { "is_closed", Loop_is_closed, METH_NOARGS, "Whether close() was called." },
    { "close", Loop_close, METH_NOARGS, "Forget every callback and release the descriptors." },
    { "call_soon", FAST_METHOD(Loop_call_soon), "Call in the next iteration." },
    { "call_soon_threadsafe", FAST_METHOD(Loop_call_soon_threadsafe), "call_soon(), any thread." },
    { "call_later", FAST_METHOD(Loop_call_later), "Call in so many seconds." },
    { "call_at", FAST_METHOD(Loop_call_at), "Call at a moment of the loop's clock." },
    { "time", Loop_time, METH_NOARGS, "The loop's clock, in seconds." },
    { "create_future", Loop_create_future, METH_NOARGS, "asyncio.Future(loop=self)" },
    { "create_task", FAST_METHOD(Loop_create_task), "asyncio.Task, or what the factory makes." },
    { "set_task_factory", FAST_METHOD(Loop_set_task_factory), "None: asyncio.Task." },
    { "get_task_factory", Loop_get_task_factory, METH_NOARGS, "None: asyncio.Task." },
    { "add_reader", FAST_METHOD(Loop_add_reader), "Call whenever it can be read." },
    { "remove_reader", FAST_METHOD(Loop_remove_reader), "Whether there was a reader." },
    { "add_writer", FAST_METHOD(Loop_add_writer), "Call whenever it can be written." },
    { "remove_writer", FAST_METHOD(Loop_remove_writer), "Whether there was a writer." },
    { "_sock_recv", POSITIONAL_METHOD(Loop_sock_recv), "See asy/_sockets.py." },
    { "_sock_recv_into", POSITIONAL_METHOD(Loop_sock_recv_into), NULL },
    { "_sock_recvfrom", POSITIONAL_METHOD(Loop_sock_recvfrom), NULL },
    { "_sock_recvfrom_into", POSITIONAL_METHOD(Loop_sock_recvfrom_into), NULL },
    { "_sock_sendall", POSITIONAL_METHOD(Loop_sock_sendall), NULL },
    { "_sock_sendto", POSITIONAL_METHOD(Loop_sock_sendto), NULL },
    { "_sock_send_pieces", POSITIONAL_METHOD(Loop_sock_send_pieces), "Call until all is sent." },
    { "_sock_connect", POSITIONAL_METHOD(Loop_sock_connect), "To numbers, not names." },
    { "_sock_accept", POSITIONAL_METHOD(Loop_sock_accept), NULL },
    { "_read_pipe_transport", Loop_read_pipe_transport, METH_VARARGS,
      "A transport for the reading end of a pipe." },
    { "_write_pipe_transport", Loop_write_pipe_transport, METH_VARARGS,
      "A transport for the writing end of a pipe." },
    { "_follow_job", POSITIONAL_METHOD(Loop_follow_job), "Bring its outcome to a future." },
    { "_literal_addresses", POSITIONAL_METHOD(Loop_literal_addresses),
      "As socket.getaddrinfo(), or None." },
    { "get_exception_handler", Loop_get_exception_handler, METH_NOARGS, "None: the default." },
    { "set_exception_handler", FAST_METHOD(Loop_set_exception_handler), "None: the default." },
    { "default_exception_handler", FAST_METHOD(Loop_default_exception_handler),
      "Log the context." },
    { "call_exception_handler", FAST_METHOD(Loop_call_exception_handler),
      "Call the one in force." },
    { "get_debug", Loop_get_debug, METH_NOARGS, "Whether debug mode is on." },
    { "set_debug", FAST_METHOD(Loop_set_debug), "Switch debug mode." },
    { 0 },
};

static PyType_Slot Loop_slots[] = {
    { Py_tp_doc, "Loop(selector=None, debug=False, native=False): asy.EventLoop is made from it." },
    { Py_tp_new, Loop_new },
    { Py_tp_init, Loop_init },
    { Py_tp_dealloc, Loop_dealloc },
    { Py_tp_traverse, Loop_traverse },
    { Py_tp_clear, Loop_clear },
    { Py_tp_repr, Loop_repr },
    { Py_tp_setattro, Loop_setattro },
    { Py_tp_methods, Loop_methods },
    { Py_tp_getset, Loop_attributes },
    { 0 },
};

static PyType_Spec Loop_spec = {
    .name = "asy._asy.Loop",
    .basicsize = (int)sizeof(LoopObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = Loop_slots,
};

int
add_loop_type(PyObject *module, struct module_state *state)
{
    state->loop_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &Loop_spec, NULL);
    if (!state->loop_type)
        return -1;
    return PyModule_AddObjectRef(module, "Loop", (PyObject *)state->loop_type);
}
