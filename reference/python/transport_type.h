/* SPDX-License-Identifier: MIT */
/*
 * Transports: a Python object that owns a transport of the library, one to one.
 *
 * The types derive from asyncio.ReadTransport and asyncio.Transport, so that isinstance() holds.
 * asyncio's classes add one slot to an object, `_extra`, which is the first field here; a check at
 * import compares the sizes. Every public method is overridden.
 */
#ifndef PYTHON_TRANSPORT_TYPE_H
#define PYTHON_TRANSPORT_TYPE_H

#include "compat.h"
#include "loop_type.h"
#include "state.h"

#include <asy/transport.h>

typedef struct {
    PyObject_HEAD
    PyObject      *extra;               /* asyncio.BaseTransport._extra: a dictionary */
    LoopObject    *loop;                /* owned, until the object is freed */
    asy_transport *core;                /* NULL if it could not be made */
    PyObject      *file;                /* the pipe, until it is closed; then NULL */
    PyObject      *attributes;          /* __dict__, or NULL */
    PyObject      *weakrefs;
} TransportObject;

/* ---- transport_type.c: its life -------------------------------------------------- */

/* loop._read_pipe_transport(pipe, fd, protocol) and loop._write_pipe_transport(pipe, fd, protocol),
 * where fd is pipe.fileno(): a new transport, whose connection_made() is queued; what is queued
 * next runs after that. */
PyObject *Loop_read_pipe_transport(PyObject *loop, PyObject *args);
PyObject *Loop_write_pipe_transport(PyObject *loop, PyObject *args);

/* The object around a transport of the library: borrowed; NULL if it is one of C code. */
PyObject *object_of_transport(const asy_transport *transport);

/* What a handle refers to, if a transport has made it: visit each. */
int visit_transport_handle(asy_handle *handle, visitproc visit, void *arg);

void Transport_finalize(PyObject *object);
void Transport_dealloc(PyObject *object);
int Transport_traverse(PyObject *object, visitproc visit, void *arg);
int Transport_clear(PyObject *object);

/* ---- transport_methods.c: as Python code sees it --------------------------------- */

/* Create the types in the state. Returns 0, or -1 and an exception. */
int add_transport_types(PyObject *module, struct module_state *state);

#endif
