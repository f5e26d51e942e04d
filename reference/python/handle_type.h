/* SPDX-License-Identifier: MIT */
/*
 * Handle and TimerHandle: a Python object with the library's handle inside.
 *
 * The types derive from asyncio.Handle and asyncio.TimerHandle, so that isinstance() holds, and
 * TimerHandle also from Handle. A class with two bases can only add to one of them. So Handle
 * adds nothing: it is as large as asyncio's, whose slots are Python objects, seven in number, and
 * keeps its own things in their place. TimerHandle likewise uses the two slots that
 * asyncio.TimerHandle adds. A check at import compares the sizes; the underscored attributes that
 * would read these slots are replaced; and nothing else derives from the types.
 */
#ifndef PYTHON_HANDLE_TYPE_H
#define PYTHON_HANDLE_TYPE_H

#include "compat.h"
#include "convert.h"
#include "loop_type.h"
#include "state.h"

#include <asy/handle.h>
#include <stddef.h>

typedef struct {
    PyObject_HEAD
    PyObject        *args;          /* a tuple; or, if core.handle.mark is set, the only argument
                                       itself. NULL reads as None, as for the other objects */
    PyObject        *callback;
    PyObject        *context;
    union {
        asy_timer_handle core;      /* its loop is a strong reference to the Python object; of a
                                       Handle only core.handle, and in place of the deadline: */
        struct {
            asy_handle   handle;    /* core.handle */
            PyObject    *extras;
        } plain;
    };
#ifdef HANDLE_HAS_WEAKREF_SLOT
    PyObject        *weakrefs;
#endif
    PyObject        *timer_extras;  /* from here on TimerHandle only; see handle_extra() */
    PyObject        *when;          /* what was given to call_at(), as it was */
} HandleObject;

/* The part of the struct that a Handle has; a TimerHandle has all. */
#ifdef HANDLE_HAS_WEAKREF_SLOT
#define HANDLE_SIZE (offsetof(HandleObject, weakrefs) + sizeof(PyObject *))
#else
#define HANDLE_SIZE offsetof(HandleObject, timer_extras)
#endif

/* ---- handle_methods.c ------------------------------------------------------------- */

/* Create the types in the state. Returns 0, or -1 and an exception. */
int add_handle_types(PyObject *module, struct module_state *state);

/* ---- handle_type.c ---------------------------------------------------------------- */

/* Handle(callback, args, loop, context). `frames` is how many lines of the stack debug mode keeps.
 * A new reference, or NULL and an exception.
 */
HandleObject *python_handle_new(LoopObject *loop, PyTypeObject *type, const struct call *call,
                                int frames);

/* TimerHandle(when, callback, args, loop, context), with the deadline as an object, which is
 * kept, and as a number. */
HandleObject *python_timer_handle_new(LoopObject *loop, PyObject *when, double seconds,
                               const struct call *call, int frames);

/* The Python handle around a handle of the library; NULL if it is one of the library's own. */
HandleObject *python_handle_from_core(asy_handle *core);

/* A Handle that stands for one of the library's own, and shows itself as that: a new reference, or
 * NULL and an exception. To cancel it has no effect on that one. */
HandleObject *python_handle_for(asy_handle *core);

/* Free the memory that is kept for new handles, and keep none from now on. To be called while the
 * types still exist. */
void free_spare_handles(struct module_state *state);

/* The loop, borrowed. */
LoopObject *handle_loop(HandleObject *self);

/* What few handles have, borrowed, or NULL: in debug mode where it was scheduled, and its text when
 * it was cancelled; and the object that a watched descriptor was given as. */
enum handle_extra { EXTRA_TRACEBACK, EXTRA_TEXT, EXTRA_WATCHED, EXTRA_COUNT };

PyObject *handle_extra(HandleObject *self, enum handle_extra which);

/* NULL: let go of it. Returns 0, or -1 and an exception. */
int handle_set_extra(HandleObject *self, enum handle_extra which, PyObject *value);

/* The life of the object, for the types. */
int Handle_traverse(PyObject *object, visitproc visit, void *arg);
int Handle_clear(PyObject *object);
void Handle_dealloc(PyObject *object);

#endif
