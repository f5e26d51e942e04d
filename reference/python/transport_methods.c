/* SPDX-License-Identifier: MIT */
/*
 * Transports as Python code sees them: the methods, each of which is a function of the library,
 * and the types.
 *
 * A transport that only reads has the methods of asyncio.ReadTransport; those of a pipe that is
 * written have all of asyncio.Transport, as in CPython, and raise NotImplementedError for reading.
 */
#include "convert.h"
#include "protocol_bridge.h"
#include "raise.h"
#include "transport_type.h"

#include <stddef.h>
#include <structmember.h>

#define KEYWORDS_METHOD(function)                                                          \
    (PyCFunction)(void (*)(void))function, METH_VARARGS | METH_KEYWORDS

/* asyncio's names of the types, because logs and reports show them. */
#define READ_PIPE "_UnixReadPipeTransport"
#define WRITE_PIPE "_UnixWritePipeTransport"

static asy_transport *
core_of(PyObject *self)
{
    return ((TransportObject *)self)->core;
}

/* ---- asyncio.BaseTransport ------------------------------------------------------- */

/* self._extra.get(name, default)
 *
 * Spec: transport.get_extra_info */
static PyObject *
Transport_get_extra_info(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = { "name", "default", NULL };
    PyObject *name, *fallback = Py_None;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|O:get_extra_info", names, &name,
                                     &fallback))
        return NULL;
    PyObject *extra = ((TransportObject *)self)->extra;
    return PyObject_CallMethod(extra ? extra : Py_None, "get", "OO", name, fallback);
}

static PyObject *
Transport_is_closing(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(asy_transport_is_closing(core_of(self)));
}

static PyObject *
Transport_close(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return none_or_raise(asy_transport_close(core_of(self)));
}

static PyObject *
Transport_set_protocol(FAST_ARGUMENTS)
{
    struct module_state *state = ((TransportObject *)object)->loop->state;
    const struct signature signature = {
        Py_TYPE(object) == state->read_pipe_transport_type ? READ_PIPE : WRITE_PIPE,
        "set_protocol", "protocol", false,
    };
    PyObject *protocol = parse_one(&signature, args, arg_count, keywords);
    asy_protocol *bridge = protocol ? protocol_bridge_new(state, protocol) : NULL;

    if (!bridge)
        return NULL;
    asy_transport_set_protocol(core_of(object), bridge);
    asy_protocol_unref(bridge);
    Py_RETURN_NONE;
}

static PyObject *
Transport_get_protocol(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *protocol = object_of_protocol(asy_transport_get_protocol(core_of(self)));
    return Py_NewRef(protocol ? protocol : Py_None);
}

/* ---- asyncio.ReadTransport ------------------------------------------------------- */

static PyObject *
Transport_is_reading(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    bool reading;
    asy_error *err = asy_transport_is_reading(core_of(self), &reading);
    return err ? raise_error(err) : PyBool_FromLong(reading);
}

static PyObject *
Transport_pause_reading(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return none_or_raise(asy_transport_pause_reading(core_of(self)));
}

static PyObject *
Transport_resume_reading(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return none_or_raise(asy_transport_resume_reading(core_of(self)));
}

/* ---- asyncio.WriteTransport: limits ---------------------------------------------- */

struct limit {
    int64_t        number;
    const int64_t *given;               /* the number, or NULL: None */
};

/* A number of bytes, or None. Returns 0, or -1 and a TypeError or OverflowError. */
static int
limit_from_object(PyObject *object, struct limit *ret_limit)
{
    ret_limit->given = NULL;
    if (object == Py_None)
        return 0;
    PyObject *number = PyNumber_Index(object);
    ret_limit->number = number ? PyLong_AsLongLong(number) : -1;
    ret_limit->given = &ret_limit->number;
    Py_XDECREF(number);
    return ret_limit->number == -1 && PyErr_Occurred() ? -1 : 0;
}

/* Spec: write_transport.limits */
static PyObject *
Transport_set_write_buffer_limits(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = { "high", "low", NULL };
    PyObject *high = Py_None, *low = Py_None;
    struct limit high_limit, low_limit;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|OO:set_write_buffer_limits", names, &high,
                                     &low)
        || limit_from_object(high, &high_limit) < 0 || limit_from_object(low, &low_limit) < 0)
        return NULL;
    return none_or_raise(asy_transport_set_write_buffer_limits(core_of(self), high_limit.given,
                                                               low_limit.given));
}

static PyObject *
Transport_get_write_buffer_limits(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    int64_t low, high;
    asy_error *err = asy_transport_get_write_buffer_limits(core_of(self), &low, &high);
    return err ? raise_error(err) : Py_BuildValue("(LL)", (long long)low, (long long)high);
}

static PyObject *
Transport_get_write_buffer_size(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    size_t size;
    asy_error *err = asy_transport_get_write_buffer_size(core_of(self), &size);
    return err ? raise_error(err) : PyLong_FromSize_t(size);
}

/* ---- asyncio.WriteTransport: writing --------------------------------------------- */

/* CPython asserts it. Returns 0, or -1 and an AssertionError. */
static int
check_data(PyObject *data)
{
    if (PyBytes_Check(data) || PyByteArray_Check(data) || PyMemoryView_Check(data))
        return 0;
    PyObject *text = PyObject_Repr(data);
    if (text)
        PyErr_SetObject(PyExc_AssertionError, text);
    Py_XDECREF(text);
    return -1;
}

static PyObject *
write_data(PyObject *self, PyObject *data)
{
    Py_buffer view;

    if (check_data(data) < 0 || PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    asy_error *err = asy_transport_write(core_of(self), view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return none_or_raise(err);
}

static PyObject *
Transport_write(FAST_ARGUMENTS)
{
    static const struct signature signature = { WRITE_PIPE, "write", "data", false };
    PyObject *data = parse_one(&signature, args, arg_count, keywords);
    return data ? write_data(object, data) : NULL;
}

/* self.write(b''.join(list_of_data)) */
static PyObject *
Transport_writelines(FAST_ARGUMENTS)
{
    static const struct signature signature = {
        "WriteTransport", "writelines", "list_of_data", false,
    };
    PyObject *lines = parse_one(&signature, args, arg_count, keywords);
    PyObject *nothing = lines ? PyBytes_FromStringAndSize(NULL, 0) : NULL;
    PyObject *data = nothing ? PyObject_CallMethod(nothing, "join", "O", lines) : NULL;
    PyObject *result = data ? write_data(object, data) : NULL;

    Py_XDECREF(data);
    Py_XDECREF(nothing);
    return result;
}

static PyObject *
Transport_write_eof(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return none_or_raise(asy_transport_write_eof(core_of(self)));
}

static PyObject *
Transport_can_write_eof(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    bool can;
    asy_error *err = asy_transport_can_write_eof(core_of(self), &can);
    return err ? raise_error(err) : PyBool_FromLong(can);
}

static PyObject *
Transport_abort(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return none_or_raise(asy_transport_abort(core_of(self)));
}

/* ---- the types ------------------------------------------------------------------- */

/* Also of one that could not be made. */
static PyObject *
Transport_repr(PyObject *self)
{
    PyObject *name = PyType_GetName(Py_TYPE(self));
    char *state = core_of(self) ? asy_transport_describe_state(core_of(self)) : NULL;
    PyObject *state_text = state ? object_from_text(state) : PyUnicode_FromString("closed");
    PyObject *text = name && state_text ? PyUnicode_FromFormat("<%U %U>", name, state_text) : NULL;

    Py_XDECREF(state_text);
    Py_XDECREF(name);
    asy_free(state);
    return text;
}

#define BASE_METHODS                                                                       \
    { "get_extra_info", KEYWORDS_METHOD(Transport_get_extra_info),                         \
      "What is known under this name, or the default." },                                  \
    { "is_closing", Transport_is_closing, METH_NOARGS, "Whether it is closing or closed." }, \
    { "close", Transport_close, METH_NOARGS, "Write what waits, then close." },            \
    { "set_protocol", FAST_METHOD(Transport_set_protocol), "Call this one from now on." }, \
    { "get_protocol", Transport_get_protocol, METH_NOARGS, "The protocol that is called." }

#define READ_METHODS                                                                       \
    { "is_reading", Transport_is_reading, METH_NOARGS, "Whether data may come." },         \
    { "pause_reading", Transport_pause_reading, METH_NOARGS, "Receive no data for now." }, \
    { "resume_reading", Transport_resume_reading, METH_NOARGS, "Receive data again." }

#define WRITE_METHODS                                                                      \
    { "set_write_buffer_limits", KEYWORDS_METHOD(Transport_set_write_buffer_limits),       \
      "How many bytes may wait before the protocol is paused, and when it is resumed." },  \
    { "get_write_buffer_limits", Transport_get_write_buffer_limits, METH_NOARGS,           \
      "(low, high)" },                                                                     \
    { "get_write_buffer_size", Transport_get_write_buffer_size, METH_NOARGS,               \
      "How many bytes wait." },                                                            \
    { "write", FAST_METHOD(Transport_write), "Write bytes, now or when there is room." },  \
    { "writelines", FAST_METHOD(Transport_writelines), "Write all of these, joined." },    \
    { "write_eof", Transport_write_eof, METH_NOARGS, "Nothing more will be written." },    \
    { "can_write_eof", Transport_can_write_eof, METH_NOARGS, "Whether that can be told." }, \
    { "abort", Transport_abort, METH_NOARGS, "Drop what waits, and close." }

static PyMethodDef ReadTransport_methods[] = { BASE_METHODS, READ_METHODS, { 0 } };

static PyMethodDef Transport_methods[] = { BASE_METHODS, READ_METHODS, WRITE_METHODS, { 0 } };

static PyMemberDef Transport_members[] = {
    { "__weaklistoffset__", T_PYSSIZET, offsetof(TransportObject, weakrefs), READONLY, NULL },
    { "__dictoffset__", T_PYSSIZET, offsetof(TransportObject, attributes), READONLY, NULL },
    { 0 },
};

static PyGetSetDef Transport_attributes[] = {
    { "__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL },
    { 0 },
};

#define COMMON_SLOTS                                                                       \
    { Py_tp_dealloc, Transport_dealloc },                                                  \
    { Py_tp_finalize, Transport_finalize },                                                \
    { Py_tp_traverse, Transport_traverse },                                                \
    { Py_tp_clear, Transport_clear },                                                      \
    { Py_tp_repr, Transport_repr },                                                        \
    { Py_tp_members, Transport_members },                                                  \
    { Py_tp_getset, Transport_attributes }

static PyType_Slot read_pipe_slots[] = {
    { Py_tp_doc, "The transport of connect_read_pipe()." },
    COMMON_SLOTS,
    { Py_tp_methods, ReadTransport_methods },
    { 0 },
};

static PyType_Slot write_pipe_slots[] = {
    { Py_tp_doc, "The transport of connect_write_pipe()." },
    COMMON_SLOTS,
    { Py_tp_methods, Transport_methods },
    { 0 },
};

#define TRANSPORT_FLAGS                                                                    \
    (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION)

static PyType_Spec read_pipe_spec = {
    .name = "asy." READ_PIPE,
    .basicsize = (int)sizeof(TransportObject),
    .flags = TRANSPORT_FLAGS,
    .slots = read_pipe_slots,
};

static PyType_Spec write_pipe_spec = {
    .name = "asy." WRITE_PIPE,
    .basicsize = (int)sizeof(TransportObject),
    .flags = TRANSPORT_FLAGS,
    .slots = write_pipe_slots,
};

/* A type whose name has no module before it in AttributeErrors either, like that of a class. */
static PyTypeObject *
new_transport_type(PyObject *module, PyType_Spec *spec, PyObject *base)
{
    PyTypeObject *type = new_type(module, spec, base, NULL);
    PyObject *name = type ? PyType_GetName(type) : NULL;

    if (!name || PyObject_SetAttrString((PyObject *)type, "__name__", name) < 0) {
        Py_XDECREF((PyObject *)type);
        type = NULL;
    }
    Py_XDECREF(name);
    return type;
}

int
add_transport_types(PyObject *module, struct module_state *state)
{
    size_t base_size = offsetof(TransportObject, extra) + sizeof(PyObject *);

    if (check_base_size(state->asyncio_read_transport, base_size) < 0
        || check_base_size(state->asyncio_transport, base_size) < 0)
        return -1;
    state->read_pipe_transport_type = new_transport_type(module, &read_pipe_spec,
                                                         state->asyncio_read_transport);
    state->write_pipe_transport_type = new_transport_type(module, &write_pipe_spec,
                                                          state->asyncio_transport);
    return state->read_pipe_transport_type && state->write_pipe_transport_type ? 0 : -1;
}
