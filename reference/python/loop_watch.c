/* SPDX-License-Identifier: MIT */
/*
 * Watching descriptors: add_reader, remove_reader, add_writer, remove_writer.
 *
 * A descriptor may be given as a number or as an object with fileno(). Such an object is kept
 * while it is watched, so that it can be removed after it was closed, when it does not know its
 * number any more. It is kept by the handle, which dies when the watch ends, for whatever reason:
 * the library ends one by itself when it finds the handle cancelled.
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

/* The handle that the entry of a table refers to: a new reference, or NULL, when it is gone. */
static HandleObject *
handle_of(PyObject *reference)
{
    PyObject *handle = PyObject_CallNoArgs(reference);

    if (handle == Py_None)
        Py_CLEAR(handle);
    return (HandleObject *)handle;
}

/* The watch of the descriptor has ended: nothing leads to its object any more, even if somebody
 * keeps the handle. Returns 0, or -1 and an exception. */
static int
forget(PyObject *objects, int fd)
{
    if (PyDict_Size(objects) == 0)
        return 0;
    PyObject *key = PyLong_FromLong(fd);
    PyObject *reference = key ? PyDict_GetItemWithError(objects, key) : NULL;
    HandleObject *handle = reference ? handle_of(reference) : NULL;
    int result = reference ? PyDict_DelItem(objects, key) : PyErr_Occurred() ? -1 : 0;

    if (handle && handle_set_extra(handle, EXTRA_WATCHED, NULL) < 0)
        result = -1;
    Py_XDECREF((PyObject *)handle);
    Py_XDECREF(key);
    return result;
}

/* The handle watches the descriptor now, which was given as the object. Returns 0, or -1 and an
 * exception. */
static int
remember(PyObject *objects, int fd, HandleObject *handle, PyObject *object)
{
    if (forget(objects, fd) < 0)
        return -1;
    if (PyLong_Check(object))
        return 0;
    PyObject *key = PyLong_FromLong(fd);
    PyObject *reference = key ? PyWeakref_NewRef((PyObject *)handle, NULL) : NULL;
    int result = reference ? PyDict_SetItem(objects, key, reference) : -1;
    if (result == 0)
        result = handle_set_extra(handle, EXTRA_WATCHED, object);
    Py_XDECREF(reference);
    Py_XDECREF(key);
    return result;
}

/* The number of a watched object that was closed: -1 if the object is not among these. */
static int
number_of(PyObject *objects, PyObject *object)
{
    PyObject *key, *reference;
    Py_ssize_t position = 0;

    while (PyDict_Next(objects, &position, &key, &reference)) {
        HandleObject *handle = handle_of(reference);
        bool found = handle && handle_extra(handle, EXTRA_WATCHED) == object;
        Py_XDECREF((PyObject *)handle);
        if (found)
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

/* An error of the system ends both watches of the descriptor. */
static PyObject *
failed(LoopObject *self, int fd, asy_error *err)
{
    if (forget(self->readers, fd) < 0 || forget(self->writers, fd) < 0)
        PyErr_Clear();
    return raise_error(err);
}

static PyObject *
add(LoopObject *self, const struct purpose *purpose, const struct call *call)
{
    int fd;
    int status = fd_from_object(call->first, &fd);

    if (status > 0)
        PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C int");
    if (status != 0)
        return NULL;
    asy_error *err = asy_loop_check_closed(self->core);
    if (err)
        return raise_error(err);
    HandleObject *handle = python_handle_new(self, self->state->handle_type, call, STACK_FRAMES);
    if (!handle)
        return NULL;
    err = purpose->add(self->core, fd, &handle->core.handle);
    status = err ? 0 : remember(objects_of(self, purpose), fd, handle, call->first);
    Py_DECREF(handle);
    if (err)
        return failed(self, fd, err);
    return status < 0 ? NULL : Py_NewRef(Py_None);
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
    int status = fd_from_object(object, &fd);

    if (status != 0)
        return status < 0 ? NULL : Py_NewRef(Py_False);
    if (fd < 0 && !PyLong_Check(object))
        fd = number_of_closed(self, object);
    asy_error *err = purpose->remove(self->core, fd, &removed);
    if (err)
        return failed(self, fd, err);
    if (forget(objects_of(self, purpose), fd) < 0)
        return NULL;
    return PyBool_FromLong(removed);
}

PyObject *
Loop_remove_reader(FAST_ARGUMENTS)
{
    static const struct signature signature = {
        "BaseSelectorEventLoop", "remove_reader", "fd", false,
    };
    PyObject *fd = parse_one(&signature, args, arg_count, keywords);
    return fd ? remove_fd((LoopObject *)object, &reading, fd) : NULL;
}

PyObject *
Loop_remove_writer(FAST_ARGUMENTS)
{
    static const struct signature signature = {
        "BaseSelectorEventLoop", "remove_writer", "fd", false,
    };
    PyObject *fd = parse_one(&signature, args, arg_count, keywords);
    return fd ? remove_fd((LoopObject *)object, &writing, fd) : NULL;
}
