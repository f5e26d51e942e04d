/* SPDX-License-Identifier: MIT */
/*
 * getaddrinfo() of addresses in digits: the arguments of socket.getaddrinfo() for the library's
 * asy_getaddrinfo_literal(), and its answer as that function of Python's has it.
 *
 * Whatever is not plain (a class derived from str, a port that is no number, a kind of socket
 * without a name) has no answer here. Nor has any error: the caller then asks socket.getaddrinfo(),
 * which knows what to raise.
 */
#include "loop_type.h"
#include "raise.h"

#include <arpa/inet.h>
#include <asy/resolve.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* With so many jobs out there is still a free thread in a ThreadPoolExecutor of the default size:
 * it has at least five, however few processors there are. */
#define MOST_JOBS 4

/* ---- the question ------------------------------------------------------------------------ */

/* The text of a str or bytes, borrowed; NULL if the object is neither, or has a 0 in it. */
static const char *
plain_text(PyObject *object)
{
    const char *text = NULL;
    Py_ssize_t size = 0;

    if (PyUnicode_CheckExact(object)) {
        text = PyUnicode_AsUTF8AndSize(object, &size);
    } else if (PyBytes_CheckExact(object)) {
        text = PyBytes_AsString(object);
        size = PyBytes_Size(object);
    }
    if (!text)
        PyErr_Clear();
    return text && strlen(text) == (size_t)size ? text : NULL;
}

/* Whether the object is a number from 0 on. */
static bool
plain_number(PyObject *object, int *ret_number)
{
    long number = PyLong_Check(object) ? PyLong_AsLong(object) : -1;

    PyErr_Clear();
    *ret_number = (int)number;
    return number >= 0 && number <= UINT16_MAX;
}

#define MOST_DIGITS 8

/* Whether the port is one: NULL for None, the text itself, or a number in `digits`. */
static bool
plain_port(PyObject *object, char digits[MOST_DIGITS], const char **ret_service)
{
    int number;

    *ret_service = NULL;
    if (object == Py_None)
        return true;
    if (PyLong_CheckExact(object)) {
        if (!plain_number(object, &number))
            return false;
        snprintf(digits, MOST_DIGITS, "%d", number);
        *ret_service = digits;
        return true;
    }
    *ret_service = plain_text(object);
    return *ret_service;
}

/* ---- the answer -------------------------------------------------------------------------- */

static PyObject *
object_from_family(const struct module_state *state, int family)
{
    return family == AF_INET ? state->af_inet : family == AF_INET6 ? state->af_inet6 : NULL;
}

static PyObject *
object_from_kind(const struct module_state *state, int kind)
{
    switch (kind) {
    case SOCK_STREAM:
        return state->sock_stream;
    case SOCK_DGRAM:
        return state->sock_dgram;
    case SOCK_RAW:
        return state->sock_raw;
    default:
        return NULL;
    }
}

/* (host, port), or (host, port, flowinfo, scope_id) */
static PyObject *
object_from_address(const struct addrinfo *info)
{
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    char host[INET6_ADDRSTRLEN];

    if (info->ai_family == AF_INET) {
        memcpy(&ipv4, info->ai_addr, sizeof ipv4);
        inet_ntop(AF_INET, &ipv4.sin_addr, host, sizeof host);
        return Py_BuildValue("si", host, ntohs(ipv4.sin_port));
    }
    memcpy(&ipv6, info->ai_addr, sizeof ipv6);
    inet_ntop(AF_INET6, &ipv6.sin6_addr, host, sizeof host);
    return Py_BuildValue("siII", host, ntohs(ipv6.sin6_port), ntohl(ipv6.sin6_flowinfo),
                         ipv6.sin6_scope_id);
}

/* (family, type, proto, "", address): a new reference; NULL, with or without an exception, if
 * there is none. */
static PyObject *
object_from_info(const struct module_state *state, const struct addrinfo *info)
{
    PyObject *family = object_from_family(state, info->ai_family);
    PyObject *kind = object_from_kind(state, info->ai_socktype);

    if (!family || !kind)
        return NULL;
    PyObject *address = object_from_address(info);
    if (!address)
        return NULL;
    return Py_BuildValue("OOisN", family, kind, info->ai_protocol, "", address);
}

/* The list of them, likewise. */
static PyObject *
list_from_infos(const struct module_state *state, const struct addrinfo *first)
{
    PyObject *list = PyList_New(0);

    for (const struct addrinfo *each = first; list && each; each = each->ai_next) {
        PyObject *item = object_from_info(state, each);
        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

/* ---- the method -------------------------------------------------------------------------- */

/* As socket.getaddrinfo() does for every question. */
static int
audit(PyObject *const *args, const struct addrinfo *hints)
{
    return PySys_Audit("socket.getaddrinfo", "OOiii", args[0], args[1], hints->ai_family,
                       hints->ai_socktype, hints->ai_protocol);
}

static PyObject *
answer(const struct module_state *state, PyObject *const *args)
{
    const char *host = plain_text(args[0]), *service;
    char digits[MOST_DIGITS];
    struct addrinfo hints = { 0 }, *infos;
    int flags;

    if (!host || !plain_port(args[1], digits, &service)
        || !plain_number(args[2], &hints.ai_family) || !plain_number(args[3], &hints.ai_socktype)
        || !plain_number(args[4], &hints.ai_protocol) || !plain_number(args[5], &flags)
        || flags != 0
        || !asy_getaddrinfo_literal(host, service, &hints, &infos))
        return NULL;
    PyObject *list = list_from_infos(state, infos);
    freeaddrinfo(infos);
    if (list && audit(args, &hints) < 0)
        Py_CLEAR(list);
    return list;
}

/* _literal_addresses(host, port, family, type, proto, flags): what socket.getaddrinfo() returns;
 * None, if that has to be asked, or is to be asked in a thread. */
PyObject *
Loop_literal_addresses(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    LoopObject *self = (LoopObject *)object;

    if (count != 6) {
        PyErr_SetString(PyExc_TypeError, "_literal_addresses() takes 6 arguments");
        return NULL;
    }
    if (asy_loop_is_closed(self->core) || asy_loop_get_debug(self->core)
        || self->default_jobs > MOST_JOBS)
        Py_RETURN_NONE;
    PyObject *list = answer(self->state, args);
    return list || PyErr_Occurred() ? list : Py_NewRef(Py_None);
}
