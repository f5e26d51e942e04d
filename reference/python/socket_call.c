/* SPDX-License-Identifier: MIT */
/*
 * The coroutines that sock_recv() and its siblings await, on socket objects.
 *
 * They are those of the library's src/io, with the socket object in the place of the system call:
 * it knows addresses of every family, its own time-out, signals and audit hooks, and may be of a
 * class of the program. What it raises decides: BlockingIOError and InterruptedError mean that the
 * coroutine waits, as asy_ready_begin() of the library does it.
 *
 * The coroutine object owns the frame, and keeps for it what the garbage collector has to see: the
 * socket, the arguments, and in the place of the first argument the result. It does so until the
 * coroutine has ended: then a buffer is free, and a socket may go, whoever still holds the object.
 * The result is handed to whoever awaits it.
 */
#include "socket_call.h"

#include "convert.h"
#include "raise.h"

#include <errno.h>

#define SOCK keep[0]
#define FIRST keep[1]                   /* and the result */
#define SECOND keep[2]

struct socket_call {
    asy_coro         co;
    LoopObject      *loop;              /* borrowed */
    CoroutineObject *object;            /* borrowed */
    const struct socket_operation *operation;
    bool             done;              /* and there is a result */
    bool             tried;
    bool             trying;            /* what the object keeps is in use */
    Py_ssize_t       sent;              /* of sendall */
    asy_ready        ready;
};

/* ---- calling the socket ------------------------------------------------------------- */

/* sock.name(*arguments): a new reference, or NULL and an exception. */
static PyObject *
call_socket(const struct socket_call *self, const char *name, PyObject *first, PyObject *second)
{
    PyObject *arguments[] = { NULL, self->object->SOCK, first, second };
    size_t count = second ? 3 : first ? 2 : 1;
    PyObject *method = PyUnicode_InternFromString(name);

    if (!method)
        return NULL;
    PyObject *result = PyObject_VectorcallMethod(
        method, arguments + 1, count | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_DECREF(method);
    return result;
}

/* Keep the result, which is stolen; NULL is an exception. */
static asy_error *
finish(struct socket_call *self, PyObject *result)
{
    if (!result)
        return error_from_python();
    PyObject *argument = self->object->FIRST;
    self->object->FIRST = result;
    self->done = true;
    Py_XDECREF(argument);
    return ASY_OK;
}

static asy_error *
call_and_finish(struct socket_call *self, const char *name)
{
    return finish(self, call_socket(self, name, self->object->FIRST, self->object->SECOND));
}

/* ---- receiving ---------------------------------------------------------------------- */

/* Spec: sock_recv.returns-bytes */
static asy_error *
try_recv(struct socket_call *self)
{
    return call_and_finish(self, "recv");
}

static asy_error *
try_recv_into(struct socket_call *self)
{
    return call_and_finish(self, "recv_into");
}

static asy_error *
try_recvfrom(struct socket_call *self)
{
    return call_and_finish(self, "recvfrom");
}

/* nbytes of 0 means the whole buffer.
 * Spec: sock_recvfrom_into.nbytes */
static asy_error *
try_recvfrom_into(struct socket_call *self)
{
    CoroutineObject *object = self->object;
    int given = PyObject_IsTrue(object->SECOND);

    if (given == 0 && !self->tried) {
        Py_ssize_t size = PyObject_Size(object->FIRST);
        Py_DECREF(object->SECOND);
        object->SECOND = size < 0 ? NULL : PyLong_FromSsize_t(size);
    }
    if (given < 0 || !object->SECOND)
        return error_from_python();
    return call_and_finish(self, "recvfrom_into");
}

/* ---- sending ------------------------------------------------------------------------ */

static asy_error *
try_sendto(struct socket_call *self)
{
    return call_and_finish(self, "sendto");
}

/* How many bytes the data has, or -1 and an exception. */
static Py_ssize_t
byte_count(PyObject *data)
{
    if (PyBytes_Check(data))
        return PyBytes_Size(data);
    PyObject *view = PyMemoryView_FromObject(data);
    PyObject *size = view ? PyObject_GetAttrString(view, "nbytes") : NULL;
    Py_ssize_t count = size ? PyLong_AsSsize_t(size) : -1;
    Py_XDECREF(size);
    Py_XDECREF(view);
    return count;
}

/* From now on the data is a view of bytes, so that pieces of it are not copied. */
static asy_error *
keep_view(CoroutineObject *object)
{
    PyObject *data = object->FIRST;
    PyObject *view = PyMemoryView_FromObject(data);
    PyObject *bytes = view ? PyObject_CallMethod(view, "cast", "s", "B") : NULL;

    Py_XDECREF(view);
    if (!bytes)
        return error_from_python();
    object->FIRST = bytes;
    Py_DECREF(data);
    return ASY_OK;
}

/* sock.send(data): how many bytes; none, when the socket is not ready. Steals data. */
static asy_error *
send_data(struct socket_call *self, PyObject *data)
{
    PyObject *count = data ? call_socket(self, "send", data, NULL) : NULL;
    Py_ssize_t sent = count ? PyLong_AsSsize_t(count) : -1;

    Py_XDECREF(data);
    Py_XDECREF(count);
    if (!PyErr_Occurred())
        self->sent += sent;
    else if (PyErr_ExceptionMatches(PyExc_BlockingIOError)
             || PyErr_ExceptionMatches(PyExc_InterruptedError))
        PyErr_Clear();
    else
        return error_from_python();
    return ASY_OK;
}

static asy_error *
try_sendall(struct socket_call *self)
{
    CoroutineObject *object = self->object;
    PyObject *data = self->tried ? PySequence_GetSlice(object->FIRST, self->sent, PY_SSIZE_T_MAX)
                                 : Py_NewRef(object->FIRST);

    TRY(send_data(self, data));
    Py_ssize_t size = byte_count(object->FIRST);
    if (size < 0)
        return error_from_python();
    if (self->sent == size)
        return finish(self, Py_NewRef(Py_None));
    return self->tried ? ASY_OK : keep_view(object);
}

/* What the argument calls a piece, until it says that there are no more. */
static asy_error *
try_send_pieces(struct socket_call *self)
{
    PyObject *result = PyObject_CallNoArgs(self->object->FIRST);
    int is_last = result ? PyObject_IsTrue(result) : -1;

    Py_XDECREF(result);
    if (is_last < 0)
        return error_from_python();
    return is_last ? finish(self, Py_NewRef(Py_None)) : ASY_OK;
}

/* ---- connecting and accepting --------------------------------------------------------- */

/* OSError(errno, f'Connect call failed {address}') */
static asy_error *
connect_failed(long errnum, PyObject *address)
{
    PyObject *text = PyUnicode_FromFormat("Connect call failed %S", address);
    PyObject *error = text ? PyObject_CallFunction(PyExc_OSError, "lO", errnum, text) : NULL;

    Py_XDECREF(text);
    return error ? error_from_exception(error) : error_from_python();
}

static asy_error *
look_at_result(struct socket_call *self)
{
    struct module_state *state = self->loop->state;
    PyObject *option = call_socket(self, "getsockopt", state->sol_socket, state->so_error);
    long errnum = option ? PyLong_AsLong(option) : -1;

    Py_XDECREF(option);
    if (errnum == -1 && PyErr_Occurred())
        return error_from_python();
    if (errnum != 0)
        return connect_failed(errnum, self->object->FIRST);
    return finish(self, Py_NewRef(Py_None));
}

static asy_error *
try_connect(struct socket_call *self)
{
    return self->tried ? look_at_result(self)
                       : call_and_finish(self, "connect");
}

/* As in CPython: what is no socket has no fileno() in the first place. */
static asy_error *
try_accept(struct socket_call *self)
{
    PyObject *fileno = call_socket(self, "fileno", NULL, NULL);

    if (!fileno)
        return error_from_python();
    Py_DECREF(fileno);
    return call_and_finish(self, "accept");
}

/* ---- the coroutine -------------------------------------------------------------------- */

/* Sockets of the plain class are no SSLSocket; to ask others is left to Python. */
static asy_error *
check_socket(const struct socket_call *self)
{
    struct module_state *state = self->loop->state;
    PyObject *sock = self->object->SOCK;
    bool debug = asy_loop_get_debug(self->loop->core);

    if (!debug && (PyObject *)Py_TYPE(sock) == state->socket_class)
        return ASY_OK;
    PyObject *none = PyObject_CallFunctionObjArgs(state->check_socket, sock,
                                                  debug ? Py_True : Py_False, NULL);
    if (!none)
        return error_from_python();
    Py_DECREF(none);
    return ASY_OK;
}

/* OSError.errno, or -1. */
static long
os_error_number(const asy_error *err)
{
    PyObject *errnum = PyObject_GetAttrString((PyObject *)err->foreign, "errno");
    long number = errnum && PyLong_Check(errnum) ? PyLong_AsLong(errnum) : -1;

    Py_XDECREF(errnum);
    PyErr_Clear();
    return number;
}

/* BlockingIOError and InterruptedError. Not so connect() with EAGAIN: nothing has begun,
 * as the library's sock_connect.c explains. */
static bool
has_to_wait(const struct socket_call *self, const asy_error *err)
{
    if (asy_error_is_a(err, ASY_InterruptedError))
        return true;
    if (!asy_error_is_a(err, ASY_BlockingIOError))
        return false;
    return self->operation != &socket_connect || os_error_number(err) != EAGAIN;
}

static void
let_go(struct socket_call *self)
{
    Py_CLEAR(self->object->SOCK);
    if (!self->done)
        Py_CLEAR(self->object->FIRST);
    Py_CLEAR(self->object->SECOND);
}

/* The socket may let other threads run, and these may close or drop the coroutine. */
static asy_error *
attempt(struct socket_call *self)
{
    PyObject *object = Py_NewRef((PyObject *)self->object);

    self->trying = true;
    asy_error *err = self->operation->attempt(self);
    self->trying = false;
    self->tried = true;
    if (self->co.finished)
        let_go(self);
    Py_DECREF(object);
    return has_to_wait(self, err) ? asy_error_unref(err) : err;
}

static asy_error *
attempt_and_wake(struct socket_call *self)
{
    asy_error *err = attempt(self);
    asy_future *future = self->ready.future;

    if (!future || asy_error_is_fatal(err))         /* it was closed meanwhile; or the loop ends */
        return err;
    if (err)
        return asy_future_set_exception(future, err);
    return self->done ? asy_future_set_result(future, NULL, NULL) : ASY_OK;
}

/* The callback of the watch, of what is done in pieces. */
static asy_error *
attempt_again(void *argument)
{
    struct socket_call *self = argument;
    asy_error *err = ASY_OK;

    asy_coro_ref(&self->co);
    if (!asy_future_done(self->ready.future))
        err = attempt_and_wake(self);
    asy_coro_unref(&self->co);
    return err;
}

/* The socket is asked for its descriptor, and the answer has to be a number. */
static asy_error *
get_descriptor(const struct socket_call *self, int *ret_fd)
{
    PyObject *fileno = call_socket(self, "fileno", NULL, NULL);
    int status = fileno ? fd_from_object(fileno, ret_fd) : -1;

    Py_XDECREF(fileno);
    if (status < 0)
        return error_from_python();
    if (status > 0)
        RAISE(OverflowError, "Python int too large to convert to C int");
    return ASY_OK;
}

static asy_error *
begin_waiting(struct socket_call *self)
{
    asy_loop *loop = self->loop->core;
    asy_ready_for what = self->operation->what;
    int fd;

    TRY(get_descriptor(self, &fd));
    if (!self->operation->in_pieces)
        return asy_ready_begin(&self->ready, loop, fd, what);
    return asy_ready_begin_with(&self->ready, loop, fd, what, asy_borrow(attempt_again, self));
}

/* What is done in pieces, the callback has done when the wait is over. */
ASYNC(socket_call)
{
    ASYNC_BEGIN;

    TRY(check_socket(self));
    TRY(attempt(self));
    while (!self->done) {
        TRY(begin_waiting(self));
        AWAIT(self->ready.future);
        asy_ready_end(&self->ready);
        if (!self->done)
            TRY(attempt(self));
    }

    ASYNC_END;
}

FINALLY(socket_call)
{
    asy_ready_end(&self->ready);
    if (!self->trying)
        let_go(self);
}

/* ---- the operations ------------------------------------------------------------------- */

const struct socket_operation socket_recv = { "sock_recv", 2, ASY_READABLE, try_recv, false };
const struct socket_operation socket_recv_into = {
    "sock_recv_into", 2, ASY_READABLE, try_recv_into, false,
};
const struct socket_operation socket_recvfrom = {
    "sock_recvfrom", 2, ASY_READABLE, try_recvfrom, false,
};
const struct socket_operation socket_recvfrom_into = {
    "sock_recvfrom_into", 3, ASY_READABLE, try_recvfrom_into, false,
};
const struct socket_operation socket_sendall = {
    "sock_sendall", 2, ASY_WRITABLE, try_sendall, true,
};
const struct socket_operation socket_sendto = {
    "sock_sendto", 3, ASY_WRITABLE, try_sendto, false,
};
const struct socket_operation socket_send_pieces = {
    "sock_sendfile", 2, ASY_WRITABLE, try_send_pieces, true,
};
const struct socket_operation socket_connect = {
    "sock_connect", 2, ASY_WRITABLE, try_connect, false,
};
const struct socket_operation socket_accept = {
    "sock_accept", 1, ASY_READABLE, try_accept, false,
};

static PyObject *
take_result(CoroutineObject *object)
{
    PyObject *result = object->FIRST;

    object->FIRST = NULL;
    return result;
}

PyObject *
socket_call_new(LoopObject *loop, const struct socket_operation *operation, PyObject *const *args)
{
    asy_coro *core = ASYNC_CALL(socket_call, .loop = loop, .operation = operation);
    CoroutineObject *object = coroutine_object_new(loop, operation->name, core);

    if (!object)
        return NULL;
    ((struct socket_call *)(void *)core)->object = object;
    for (Py_ssize_t i = 0; i < operation->arg_count; i++)
        object->keep[i] = Py_NewRef(args[i]);
    object->make_result = take_result;
    return (PyObject *)object;
}
