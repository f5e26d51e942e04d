/* SPDX-License-Identifier: MIT */
/*
 * A Python protocol as the library sees it: a table of C functions that call the methods of an
 * object.
 *
 * Every reference to a bridge is also one to the object: the garbage collector counts how many of
 * an object's references it is shown, and cannot see bridges. So whatever refers to a bridge shows
 * the object in its place, once for each reference, and all of them are found.
 */
#ifndef PYTHON_PROTOCOL_BRIDGE_H
#define PYTHON_PROTOCOL_BRIDGE_H

#include "compat.h"
#include "state.h"

#include <asy/protocol.h>

/* A bridge to an object, which may be None: a new reference, or NULL and a MemoryError. */
asy_protocol *protocol_bridge_new(struct module_state *state, PyObject *object);

/* The object, for a queued call its method: borrowed; NULL for NULL, and for a protocol of C
 * code. */
PyObject *object_of_protocol(const asy_protocol *protocol);

#endif
