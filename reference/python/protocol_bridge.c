/* SPDX-License-Identifier: MIT */
/*
 * The tables that call a Python protocol. Methods are looked up when they are called, as
 * `self._protocol.data_received(data)` is; one that is missing is an AttributeError. But
 * `loop.call_soon(self._protocol.eof_received)` looks it up at once: this bridge's object is the
 * method.
 */
#include "protocol_bridge.h"

#include "convert.h"
#include "handling.h"
#include "loop_type.h"
#include "raise.h"
#include "transport_type.h"

#include <asy/host.h>
#include <asy/transport.h>
#include <string.h>

struct protocol_bridge {
    asy_protocol         core;          /* the first field */
    Py_ssize_t           refs;
    struct module_state *state;         /* borrowed: the types of the transports keep the module */
    PyObject            *object;        /* so many references to it as to the bridge:
                                           see protocol_bridge.h */
};

static struct protocol_bridge *
bridge_of(asy_protocol *core)
{
    return (struct protocol_bridge *)core;
}

/* ---- references ------------------------------------------------------------------ */

static void
ref(asy_protocol *core)
{
    bridge_of(core)->refs++;
    Py_INCREF(bridge_of(core)->object);
}

static void
unref(asy_protocol *core)
{
    struct protocol_bridge *self = bridge_of(core);
    PyObject *object = self->object;

    if (--self->refs == 0)
        PyMem_Free(self);
    Py_DECREF(object);
}

/* ---- calling --------------------------------------------------------------------- */

/* object.name(argument), or for NULL object.name(): a new reference, or NULL and an exception. The
 * method may give the transport another protocol, and so let go of this one. */
static PyObject *
call(asy_protocol *core, const char *name, PyObject *argument)
{
    PyObject *object = Py_NewRef(bridge_of(core)->object);
    PyObject *arguments[] = { NULL, object, argument };
    size_t count = argument ? 2 : 1;
    PyObject *method = PyUnicode_InternFromString(name);
    PyObject *result = method ? PyObject_VectorcallMethod(
        method, arguments + 1, count | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL) : NULL;

    Py_XDECREF(method);
    Py_DECREF(object);
    return result;
}

/* ---- BaseProtocol ---------------------------------------------------------------- */

/* Spec: protocol.connection_made */
static asy_error *
connection_made(asy_protocol *self, asy_transport *transport)
{
    return error_without(call(self, "connection_made", asy_transport_get_owner(transport)));
}

/* Spec: protocol.connection_lost */
static asy_error *
connection_lost(asy_protocol *self, asy_error *exc)
{
    PyObject *exception = exc ? exception_from_error(exc) : Py_NewRef(Py_None);
    PyObject *result = exception ? call(self, "connection_lost", exception) : NULL;

    Py_XDECREF(exception);
    return error_without(result);
}

/* Spec: protocol.pause_writing */
static asy_error *
pause_writing(asy_protocol *self)
{
    return error_without(call(self, "pause_writing", NULL));
}

static asy_error *
resume_writing(asy_protocol *self)
{
    return error_without(call(self, "resume_writing", NULL));
}

/* ---- Protocol -------------------------------------------------------------------- */

/* Spec: protocol.data_received */
static asy_error *
data_received(asy_protocol *self, const void *data, size_t size)
{
    PyObject *bytes = PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
    PyObject *result = bytes ? call(self, "data_received", bytes) : NULL;

    Py_XDECREF(bytes);
    return error_without(result);
}

/* Spec: protocol.eof_received */
static asy_error *
eof_received(asy_protocol *self, bool *ret_keep_open)
{
    PyObject *result = call(self, "eof_received", NULL);
    int keep_open = result ? PyObject_IsTrue(result) : -1;

    Py_XDECREF(result);
    if (keep_open < 0)
        return error_from_python();
    *ret_keep_open = keep_open;
    return ASY_OK;
}

/* ---- texts ----------------------------------------------------------------------- */

static char *
describe(asy_protocol *self)
{
    return text_from_object(PyObject_Repr(bridge_of(self)->object));
}

/* ---- a method that is queued ----------------------------------------------------- */

static asy_error *
call_bound_connection_made(asy_protocol *self, asy_transport *transport)
{
    return error_without(PyObject_CallFunctionObjArgs(
        bridge_of(self)->object, (PyObject *)asy_transport_get_owner(transport), NULL));
}

static asy_error *
call_bound_eof_received(asy_protocol *self, bool *ret_keep_open)
{
    *ret_keep_open = false;
    return error_without(PyObject_CallNoArgs(bridge_of(self)->object));
}

/* connection_made(transport) or eof_received(), as the repr of a handle has it. */
static char *
describe_callback(asy_protocol *core, const char *name, asy_transport *transport)
{
    struct protocol_bridge *self = bridge_of(core);
    TransportObject *owner = asy_transport_get_owner(transport);
    PyObject *args = strcmp(name, "connection_made") == 0 ? PyTuple_Pack(1, (PyObject *)owner)
                                                           : PyTuple_New(0);
    PyObject *text = NULL;

    if (args)
        text = PyObject_CallFunction(self->state->describe_method, "OOO", owner->loop,
                                     self->object, args);
    Py_XDECREF(args);
    if (text)
        return text_from_object(text);
    PyErr_Clear();
    return NULL;
}

static const asy_protocol_methods bound_methods = {
    .connection_made = call_bound_connection_made,
    .eof_received = call_bound_eof_received,
    .ref = ref,
    .unref = unref,
    .describe_callback = describe_callback,
};

/* ---- the table ------------------------------------------------------------------- */

static asy_protocol *
bridge_new(struct module_state *state, const asy_protocol_methods *methods, PyObject *object)
{
    struct protocol_bridge *self = PyMem_Malloc(sizeof *self);

    if (!self) {
        PyErr_NoMemory();
        return NULL;
    }
    *self = (struct protocol_bridge){
        .core = { methods },
        .refs = 1,
        .state = state,
        .object = Py_NewRef(object),
    };
    return &self->core;
}

/* Spec: call_soon.debug-not-callable */
static asy_error *
bind_method(asy_protocol *core, asy_loop *loop, const char *name, asy_protocol **ret_bound)
{
    const struct protocol_bridge *self = bridge_of(core);
    PyObject *method = PyObject_GetAttrString(self->object, name);

    *ret_bound = NULL;
    if (method && check_callback(asy_loop_host_data(loop), method, "call_soon") == 0)
        *ret_bound = bridge_new(self->state, &bound_methods, method);
    Py_XDECREF(method);
    return *ret_bound ? ASY_OK : error_from_python();
}

static const asy_protocol_methods bridge_methods = {
    .connection_made = connection_made,
    .connection_lost = connection_lost,
    .pause_writing = pause_writing,
    .resume_writing = resume_writing,
    .data_received = data_received,
    .eof_received = eof_received,
    .ref = ref,
    .unref = unref,
    .describe = describe,
    .bind = bind_method,
};

asy_protocol *
protocol_bridge_new(struct module_state *state, PyObject *object)
{
    return bridge_new(state, &bridge_methods, object);
}

PyObject *
object_of_protocol(const asy_protocol *protocol)
{
    if (!protocol
        || (protocol->methods != &bridge_methods && protocol->methods != &bound_methods))
        return NULL;
    return ((const struct protocol_bridge *)protocol)->object;
}
