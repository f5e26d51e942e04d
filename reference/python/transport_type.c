/* SPDX-License-Identifier: MIT */
/*
 * The life of a transport object: making it, what the library asks of it, and how it ends.
 *
 * The library's transport refers to its owner by counting the owner's references, so the two go
 * together. A transport leads to its protocol, and mostly that back to the transport; the loop's
 * handles lead to both. All of it is shown to the garbage collector.
 */
#include "transport_type.h"

#include "convert.h"
#include "handling.h"
#include "protocol_bridge.h"
#include "raise.h"

#include <asy/host.h>
#include <asy/pipe.h>
#include <string.h>

/* ---- what the library asks of an owner ------------------------------------------- */

static void
ref(void *owner)
{
    Py_INCREF((PyObject *)owner);
}

static void
unref(void *owner)
{
    Py_DECREF((PyObject *)owner);
}

static char *
describe(void *owner)
{
    return text_from_object(PyObject_Repr(owner));
}

/* Only _call_connection_lost(exc) has arguments that are worth showing. */
static char *
describe_callback(void *owner, const char *method, asy_error *exc)
{
    TransportObject *self = owner;

    if (strcmp(method, "_call_connection_lost") != 0)
        return NULL;
    PyObject *exception = exc ? exception_from_error(exc) : Py_NewRef(Py_None);
    PyObject *class_name = exception ? PyType_GetName(Py_TYPE((PyObject *)self)) : NULL;
    PyObject *text = NULL;

    if (class_name)
        text = PyObject_CallFunction(self->loop->state->describe_call, "ONs(O)", self->loop,
                                     class_name, method, exception);
    Py_XDECREF(exception);
    if (text)
        return text_from_object(text);
    PyErr_Clear();
    return NULL;
}

static const asy_transport_owner owner_methods = {
    .ref = ref,
    .unref = unref,
    .describe = describe,
    .describe_callback = describe_callback,
};

/* pipe.close(), in the `finally:` of what has raised `handled`.
 *
 * Spec: read_pipe.transport-closes-pipe */
static asy_error *
close_file(void *owner, asy_error *handled)
{
    TransportObject *self = owner;
    PyObject *file = self->file;

    if (!file)                          /* the garbage collector has taken it: Transport_clear() */
        return ASY_OK;
    self->file = NULL;
    PyObject *exception = handled ? exception_from_error(handled) : NULL;
    PyObject *close = PyObject_GetAttrString(file, "close");
    PyObject *result = close ? call_handling(exception, close, NULL, 0) : NULL;
    Py_XDECREF(close);
    Py_XDECREF(exception);
    Py_DECREF(file);
    return error_without(result);
}

/* ---- from the library's to Python's ---------------------------------------------- */

/* Owners are Python objects: no other has owners in a loop of ours. */
PyObject *
object_of_transport(const asy_transport *transport)
{
    return asy_transport_get_owner(transport);
}

int
visit_transport_handle(asy_handle *handle, visitproc visit, void *arg)
{
    asy_transport *transport;
    asy_protocol *protocol;
    asy_error *exc;

    if (!asy_handle_get_transport(handle, &transport, &protocol, &exc))
        return 0;
    Py_VISIT(object_of_transport(transport));
    Py_VISIT(object_of_protocol(protocol));
    Py_VISIT((PyObject *)asy_handle_get_context(handle));
    return visit_error(exc, visit, arg);
}

/* ---- making ---------------------------------------------------------------------- */

typedef asy_error *new_transport(asy_loop *loop, const asy_pipe *pipe, asy_protocol *protocol,
                                 const asy_transport_owner *methods, void *owner,
                                 asy_transport **ret_transport);

/* An object without a transport. */
static TransportObject *
new_object(LoopObject *loop, PyTypeObject *type)
{
    TransportObject *self = PyObject_GC_New(TransportObject, type);

    if (!self)
        return NULL;
    memset((char *)self + sizeof(PyObject), 0, sizeof *self - sizeof(PyObject));
    self->loop = (LoopObject *)Py_NewRef((PyObject *)loop);
    PyObject_GC_Track((PyObject *)self);
    return self;
}

/* From the moment that there is a transport, it owns the pipe.
 * Spec: transport.get_extra_info */
static int
fill(TransportObject *self, new_transport *new, PyObject *pipe, int fd, PyObject *protocol)
{
    asy_protocol *bridge = protocol_bridge_new(self->loop->state, protocol);
    asy_pipe core_pipe = { .fd = fd, .close = close_file, .argument = self };

    self->extra = bridge ? PyDict_New() : NULL;
    int failed = !self->extra || PyDict_SetItemString(self->extra, "pipe", pipe) < 0;
    if (!failed) {
        asy_error *err = new(self->loop->core, &core_pipe, bridge, &owner_methods, self,
                             &self->core);
        if (err)
            raise_error(err);
        else
            self->file = Py_NewRef(pipe);
        failed = err != ASY_OK;
    }
    asy_protocol_unref(bridge);
    return failed ? -1 : 0;
}

static PyObject *
make_transport(PyObject *object, PyObject *args, PyTypeObject *type, new_transport *new)
{
    LoopObject *loop = (LoopObject *)object;
    PyObject *pipe, *protocol;
    int fd;

    if (!PyArg_ParseTuple(args, "OiO", &pipe, &fd, &protocol) || check_initialised(loop) < 0)
        return NULL;
    TransportObject *self = new_object(loop, type);
    if (self && fill(self, new, pipe, fd, protocol) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

PyObject *
Loop_read_pipe_transport(PyObject *loop, PyObject *args)
{
    return make_transport(loop, args, ((LoopObject *)loop)->state->read_pipe_transport_type,
                          asy_read_pipe_transport_new);
}

PyObject *
Loop_write_pipe_transport(PyObject *loop, PyObject *args)
{
    return make_transport(loop, args, ((LoopObject *)loop)->state->write_pipe_transport_type,
                          asy_write_pipe_transport_new);
}

/* ---- the end --------------------------------------------------------------------- */

/* A transport that was not closed is told of, and closes its file. */
static void
warn_and_close(TransportObject *self)
{
    PyObject *object = (PyObject *)self;

    if (PyErr_ResourceWarning(object, 1, "unclosed transport %R", object) < 0)
        PyErr_WriteUnraisable(object);
    asy_error *err = asy_transport_close_descriptor(self->core);
    if (err) {
        raise_error(err);
        PyErr_WriteUnraisable(object);
    }
}

/* __del__(). It must not touch the exception that is being raised meanwhile. */
void
Transport_finalize(PyObject *object)
{
    TransportObject *self = (TransportObject *)object;
    PyObject *raised = PyErr_GetRaisedException();

    if (self->core && !asy_transport_is_closed(self->core))
        warn_and_close(self);
    if (raised)
        PyErr_SetRaisedException(raised);
}

int
Transport_traverse(PyObject *object, visitproc visit, void *arg)
{
    TransportObject *self = (TransportObject *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->extra);
    Py_VISIT((PyObject *)self->loop);
    Py_VISIT(self->file);
    Py_VISIT(self->attributes);
    if (self->core)
        Py_VISIT(object_of_protocol(asy_transport_get_protocol(self->core)));
    return 0;
}

/* Not the loop: the library's transport points to it for as long as there is one. */
int
Transport_clear(PyObject *object)
{
    TransportObject *self = (TransportObject *)object;

    if (self->core)
        asy_transport_set_protocol(self->core, NULL);
    Py_CLEAR(self->extra);
    Py_CLEAR(self->file);
    Py_CLEAR(self->attributes);
    return 0;
}

void
Transport_dealloc(PyObject *object)
{
    TransportObject *self = (TransportObject *)object;
    PyTypeObject *type = Py_TYPE(object);
    LoopObject *loop = self->loop;

    if (PyObject_CallFinalizerFromDealloc(object) < 0)
        return;
    PyObject_GC_UnTrack(object);
    if (self->weakrefs)
        PyObject_ClearWeakRefs(object);
    Transport_clear(object);
    asy_transport_free(self->core);
    PyObject_GC_Del(object);
    Py_DECREF((PyObject *)loop);
    Py_DECREF(type);
}
