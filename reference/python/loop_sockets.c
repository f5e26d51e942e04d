/* SPDX-License-Identifier: MIT */
/*
 * The methods that work on socket objects: their arguments. What they do is in socket_call.c.
 *
 * Two are called by methods in asy/_sockets.py: sock_connect(), which resolves names first, and
 * sock_sendfile(), which knows files.
 */
#include "loop_type.h"
#include "socket_call.h"

#define MOST_PARAMETERS 3

/* A method of the form METHOD(sock, ...), as CPython has it. */
struct socket_method {
    const char *class_name;             /* where CPython defines it, for its messages */
    const char *name;
    const char *parameters[MOST_PARAMETERS];
    Py_ssize_t  count;
    Py_ssize_t  required;
    const struct socket_operation *operation;
};

#define BASE "BaseSelectorEventLoop"

/* ---- arguments: what the interpreter says of a function's in Python ----------------------- */

static int
take_keyword(const struct socket_method *method, PyObject *name, PyObject *value,
             PyObject **values)
{
    for (Py_ssize_t i = 0; i < method->count; i++) {
        if (PyUnicode_CompareWithASCIIString(name, method->parameters[i]) != 0)
            continue;
        if (!values[i]) {
            values[i] = value;
            return 0;
        }
        PyErr_Format(PyExc_TypeError, "%s.%s() got multiple values for argument '%U'",
                     method->class_name, method->name, name);
        return -1;
    }
    PyErr_Format(PyExc_TypeError, "%s.%s() got an unexpected keyword argument '%U'",
                 method->class_name, method->name, name);
    return -1;
}

/* With self. */
static int
too_many(const struct socket_method *method, Py_ssize_t given)
{
    if (method->required == method->count)
        PyErr_Format(PyExc_TypeError, "%s.%s() takes %zd positional arguments but %zd were given",
                     method->class_name, method->name, method->count + 1, given + 1);
    else
        PyErr_Format(PyExc_TypeError, "%s.%s() takes from %zd to %zd positional arguments but %zd "
                                      "were given",
                     method->class_name, method->name, method->required + 1, method->count + 1,
                     given + 1);
    return -1;
}

/* "'a'", "'a' and 'b'", "'a', 'b', and 'c'" */
static int
missing(const struct socket_method *method, PyObject *const *values)
{
    const char *names[MOST_PARAMETERS] = { "", "", "" };
    int count = 0;

    for (Py_ssize_t i = 0; i < method->required; i++) {
        if (!values[i])
            names[count++] = method->parameters[i];
    }
    PyErr_Format(PyExc_TypeError,
                 count == 1 ? "%s.%s() missing %d required positional argument: '%s'"
                 : count == 2 ? "%s.%s() missing %d required positional arguments: '%s' and '%s'"
                 : "%s.%s() missing %d required positional arguments: '%s', '%s', and '%s'",
                 method->class_name, method->name, count, names[0], names[1], names[2]);
    return -1;
}

/* Borrowed, and NULL for what was not given. Returns 0, or -1 and a TypeError. */
static int
parse(const struct socket_method *method, PyObject *const *args, Py_ssize_t arg_count,
      PyObject *keywords, PyObject **ret_values)
{
    Py_ssize_t keyword_count = keywords ? PyTuple_Size(keywords) : 0;

    for (Py_ssize_t i = 0; i < MOST_PARAMETERS; i++)
        ret_values[i] = i < arg_count && i < method->count ? args[i] : NULL;
    for (Py_ssize_t i = 0; i < keyword_count; i++) {
        if (take_keyword(method, PyTuple_GetItem(keywords, i), args[arg_count + i],
                         ret_values) < 0)
            return -1;
    }
    if (arg_count > method->count)
        return too_many(method, arg_count);
    for (Py_ssize_t i = 0; i < method->required; i++) {
        if (!ret_values[i])
            return missing(method, ret_values);
    }
    return 0;
}

static PyObject *
start(const struct socket_method *method, FAST_ARGUMENTS)
{
    PyObject *values[MOST_PARAMETERS];

    if (parse(method, args, arg_count, keywords, values) < 0)
        return NULL;
    return socket_call_new((LoopObject *)object, method->operation, values[0], values[1],
                           values[2]);
}

/* ---- the methods ------------------------------------------------------------------------- */

/* Spec: sock_recv.param-name */
PyObject *
Loop_sock_recv(FAST_ARGUMENTS)
{
    static const struct socket_method method = {
        BASE, "sock_recv", { "sock", "n" }, 2, 2, &socket_recv,
    };
    return start(&method, object, args, arg_count, keywords);
}

PyObject *
Loop_sock_recv_into(FAST_ARGUMENTS)
{
    static const struct socket_method method = {
        BASE, "sock_recv_into", { "sock", "buf" }, 2, 2, &socket_recv_into,
    };
    return start(&method, object, args, arg_count, keywords);
}

PyObject *
Loop_sock_recvfrom(FAST_ARGUMENTS)
{
    static const struct socket_method method = {
        BASE, "sock_recvfrom", { "sock", "bufsize" }, 2, 2, &socket_recvfrom,
    };
    return start(&method, object, args, arg_count, keywords);
}

PyObject *
Loop_sock_recvfrom_into(FAST_ARGUMENTS)
{
    static const struct socket_method method = {
        BASE, "sock_recvfrom_into", { "sock", "buf", "nbytes" }, 3, 2, &socket_recvfrom_into,
    };
    return start(&method, object, args, arg_count, keywords);
}

PyObject *
Loop_sock_sendall(FAST_ARGUMENTS)
{
    static const struct socket_method method = {
        BASE, "sock_sendall", { "sock", "data" }, 2, 2, &socket_sendall,
    };
    return start(&method, object, args, arg_count, keywords);
}

PyObject *
Loop_sock_sendto(FAST_ARGUMENTS)
{
    static const struct socket_method method = {
        BASE, "sock_sendto", { "sock", "data", "address" }, 3, 3, &socket_sendto,
    };
    return start(&method, object, args, arg_count, keywords);
}

PyObject *
Loop_sock_send_pieces(FAST_ARGUMENTS)
{
    static const struct socket_method method = {
        BASE, "_sock_send_pieces", { "sock", "send" }, 2, 2, &socket_send_pieces,
    };
    return start(&method, object, args, arg_count, keywords);
}

PyObject *
Loop_sock_connect_resolved(FAST_ARGUMENTS)
{
    static const struct socket_method method = {
        BASE, "sock_connect", { "sock", "address" }, 2, 2, &socket_connect,
    };
    return start(&method, object, args, arg_count, keywords);
}

PyObject *
Loop_sock_accept(FAST_ARGUMENTS)
{
    static const struct socket_method method = {
        BASE, "sock_accept", { "sock" }, 1, 1, &socket_accept,
    };
    return start(&method, object, args, arg_count, keywords);
}
