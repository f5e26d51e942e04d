/* SPDX-License-Identifier: MIT */
/*
 * Watching descriptors: add_reader, remove_reader, add_writer, remove_writer.
 *
 * A descriptor may be given as a number or as an object with fileno(). Such an object is kept
 * while it is watched, so that it can be removed after it was closed, when it does not know its
 * number any more.
 */
#include "convert.h"
#include "handle_type.h"
#include "loop_type.h"
#include "raise.h"

#include <asy/host.h>

/* How many lines of the stack a handle keeps in debug mode. */
#define STACK_FRAMES 8

/* One of the two purposes. */
struct purpose {
    struct signature signature;
    asy_error     *(*add)(asy_loop *loop, int fd, asy_handle *handle);
    asy_error     *(*remove)(asy_loop *loop, int fd, bool *ret_removed);
    bool             writing;
};

static const struct purpose reading = {
    .signature = { "BaseSelectorEventLoop", "add_reader", "fd", false },
    .add = asy_loop_add_reader_handle,
    .remove = asy_loop_remove_reader,
};

static const struct purpose writing = {
    .signature = { "BaseSelectorEventLoop", "add_writer", "fd", false },
    .add = asy_loop_add_writer_handle,
    .remove = asy_loop_remove_writer,
    .writing = true,
};

static PyObject *
objects_of(const LoopObject *self, const struct purpose *purpose)
{
    return purpose->writing ? self->writers : self->readers;
}

/* ---- the objects that descriptors were given as ---------------------------------- */

/* Keep the object until the descriptor is removed. Returns 0, or -1 and an exception. */
static int
remember(PyObject *objects, int fd, PyObject *object)
{
    PyObject *key = PyLong_Check(object) ? NULL : PyLong_FromLong(fd);

    if (!key)
        return PyErr_Occurred() ? -1 : 0;
    int result = PyDict_SetItem(objects, key, object);
    Py_DECREF(key);
    return result;
}

static int
forget(PyObject *objects, int fd)
{
    PyObject *key = PyLong_FromLong(fd);
    int known = key ? PyDict_Contains(objects, key) : -1;

    if (known > 0)
        known = PyDict_DelItem(objects, key);
    Py_XDECREF(key);
    return known;
}

/* The number of a watched object that was closed: -1 if the object is not among these. */
static int
number_of(PyObject *objects, PyObject *object)
{
    PyObject *key, *value;
    Py_ssize_t position = 0;

    while (PyDict_Next(objects, &position, &key, &value)) {
        if (value == object)
            return (int)PyLong_AsLong(key);
    }
    return -1;
}

static int
number_of_closed(const LoopObject *self, PyObject *object)
{
    int fd = number_of(self->readers, object);
    return fd < 0 ? number_of(self->writers, object) : fd;
}

/* ---- the methods ----------------------------------------------------------------- */

static PyObject *
add(LoopObject *self, const struct purpose *purpose, const struct call *call)
{
    int fd;

    if (fd_from_object(call->first, &fd) < 0)
        return NULL;
    asy_error *err = asy_loop_check_closed(self->core);
    if (err)
        return raise_error(err);
    HandleObject *handle = python_handle_new(self, self->state->handle_type, call, STACK_FRAMES);
    if (!handle)
        return NULL;
    err = purpose->add(self->core, fd, &handle->core.handle);
    Py_DECREF(handle);
    if (!err && remember(objects_of(self, purpose), fd, call->first) < 0)
        return NULL;
    return none_or_raise(err);
}

PyObject *
Loop_add_reader(FAST_ARGUMENTS)
{
    LoopObject *self = (LoopObject *)object;
    struct call call;

    if (parse_call(self->state, &reading.signature, args, arg_count, keywords, &call) < 0)
        return NULL;
    return add(self, &reading, &call);
}

PyObject *
Loop_add_writer(FAST_ARGUMENTS)
{
    LoopObject *self = (LoopObject *)object;
    struct call call;

    if (parse_call(self->state, &writing.signature, args, arg_count, keywords, &call) < 0)
        return NULL;
    return add(self, &writing, &call);
}

static PyObject *
remove_fd(LoopObject *self, const struct purpose *purpose, PyObject *object)
{
    int fd;
    bool removed;

    if (fd_from_object(object, &fd) < 0)
        return NULL;
    if (fd < 0 && !PyLong_Check(object))
        fd = number_of_closed(self, object);
    asy_error *err = purpose->remove(self->core, fd, &removed);
    if (err)
        return raise_error(err);
    if (forget(objects_of(self, purpose), fd) < 0)
        return NULL;
    return PyBool_FromLong(removed);
}

PyObject *
Loop_remove_reader(PyObject *object, PyObject *fd)
{
    return remove_fd((LoopObject *)object, &reading, fd);
}

PyObject *
Loop_remove_writer(PyObject *object, PyObject *fd)
{
    return remove_fd((LoopObject *)object, &writing, fd);
}
