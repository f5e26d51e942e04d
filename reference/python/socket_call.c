/* SPDX-License-Identifier: MIT */
/*
 * The coroutines of sock_recv() and its siblings, on socket objects.
 *
 * They are those of the library's src/io, with the socket object in the place of the system call:
 * it knows addresses of every family, its own time-out, signals and audit hooks, and may be of a
 * class of the program. What it raises decides: BlockingIOError and InterruptedError mean that the
 * coroutine waits, as asy_ready_begin() of the library does it.
 *
 * The coroutine object owns the frame, and keeps for it what the garbage collector has to see: the
 * socket, the arguments, and in the place of the first argument the result.
 */
#include "socket_call.h"

#include "convert.h"
#include "raise.h"

#define SOCK keep[0]
#define FIRST keep[1]                   /* and the result */
#define SECOND keep[2]

struct socket_call {
    asy_coro         co;
    LoopObject      *loop;              /* borrowed */
    CoroutineObject *object;            /* borrowed */
    const struct socket_operation *operation;
    bool             tried;
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
finish(struct socket_call *self, PyObject *result, bool *ret_done)
{
    if (!result)
        return error_from_python();
    PyObject *argument = self->object->FIRST;
    self->object->FIRST = result;
    Py_XDECREF(argument);
    *ret_done = true;
    return ASY_OK;
}

static asy_error *
call_and_finish(struct socket_call *self, const char *name, bool *ret_done)
{
    PyObject *result = call_socket(self, name, self->object->FIRST, self->object->SECOND);
    return finish(self, result, ret_done);
}

/* ---- receiving ---------------------------------------------------------------------- */

/* Spec: sock_recv.returns-bytes */
static asy_error *
try_recv(struct socket_call *self, bool *ret_done)
{
    return call_and_finish(self, "recv", ret_done);
}

static asy_error *
try_recv_into(struct socket_call *self, bool *ret_done)
{
    return call_and_finish(self, "recv_into", ret_done);
}

static asy_error *
try_recvfrom(struct socket_call *self, bool *ret_done)
{
    return call_and_finish(self, "recvfrom", ret_done);
}

/* nbytes of 0 means the whole buffer.
 * Spec: sock_recvfrom_into.nbytes */
static asy_error *
try_recvfrom_into(struct socket_call *self, bool *ret_done)
{
    CoroutineObject *object = self->object;
    int given = object->SECOND ? PyObject_IsTrue(object->SECOND) : 0;

    if (given == 0 && !self->tried) {
        Py_ssize_t size = PyObject_Size(object->FIRST);
        Py_XDECREF(object->SECOND);
        object->SECOND = size < 0 ? NULL : PyLong_FromSsize_t(size);
    }
    if (given < 0 || !object->SECOND)
        return error_from_python();
    return call_and_finish(self, "recvfrom_into", ret_done);
}

/* ---- sending ------------------------------------------------------------------------ */

static asy_error *
try_sendto(struct socket_call *self, bool *ret_done)
{
    return call_and_finish(self, "sendto", ret_done);
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
    if (sent >= 0)
        self->sent += sent;
    else if (PyErr_ExceptionMatches(PyExc_BlockingIOError)
             || PyErr_ExceptionMatches(PyExc_InterruptedError))
        PyErr_Clear();
    else
        return error_from_python();
    return ASY_OK;
}

static asy_error *
try_sendall(struct socket_call *self, bool *ret_done)
{
    CoroutineObject *object = self->object;
    PyObject *data = self->tried ? PySequence_GetSlice(object->FIRST, self->sent, PY_SSIZE_T_MAX)
                                 : Py_NewRef(object->FIRST);

    TRY(send_data(self, data));
    Py_ssize_t size = byte_count(object->FIRST);
    if (size < 0)
        return error_from_python();
    if (self->sent == size)
        return finish(self, Py_NewRef(Py_None), ret_done);
    return self->tried ? ASY_OK : keep_view(object);
}

/* What the argument calls a piece, until it says that there are no more. */
static asy_error *
try_send_pieces(struct socket_call *self, bool *ret_done)
{
    PyObject *result = PyObject_CallNoArgs(self->object->FIRST);
    int is_last = result ? PyObject_IsTrue(result) : -1;

    Py_XDECREF(result);
    if (is_last < 0)
        return error_from_python();
    *ret_done = is_last;
    return ASY_OK;
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
look_at_result(struct socket_call *self, bool *ret_done)
{
    struct module_state *state = self->loop->state;
    PyObject *option = call_socket(self, "getsockopt", state->sol_socket, state->so_error);
    long errnum = option ? PyLong_AsLong(option) : -1;

    Py_XDECREF(option);
    if (errnum == -1 && PyErr_Occurred())
        return error_from_python();
    if (errnum != 0)
        return connect_failed(errnum, self->object->FIRST);
    return finish(self, Py_NewRef(Py_None), ret_done);
}

static asy_error *
try_connect(struct socket_call *self, bool *ret_done)
{
    return self->tried ? look_at_result(self, ret_done)
                       : call_and_finish(self, "connect", ret_done);
}

/* Spec: sock_accept.conn-nonblocking */
static asy_error *
try_accept(struct socket_call *self, bool *ret_done)
{
    PyObject *pair = call_socket(self, "accept", NULL, NULL);
    PyObject *conn = pair ? PySequence_GetItem(pair, 0) : NULL;
    PyObject *none = conn ? PyObject_CallMethod(conn, "setblocking", "O", Py_False) : NULL;

    Py_XDECREF(conn);
    if (!none)
        Py_CLEAR(pair);
    Py_XDECREF(none);
    return finish(self, pair, ret_done);
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

/* The socket may let other threads run, and these may drop the coroutine. */
static asy_error *
attempt(struct socket_call *self, bool *ret_done)
{
    PyObject *object = Py_NewRef((PyObject *)self->object);

    *ret_done = false;
    asy_error *err = self->operation->attempt(self, ret_done);
    self->tried = true;
    Py_DECREF(object);
    if (asy_error_is_a(err, ASY_BlockingIOError) || asy_error_is_a(err, ASY_InterruptedError))
        err = asy_error_unref(err);
    return err;
}

/* The callback of the watch, of what is done in pieces. */
static asy_error *
attempt_again(void *argument)
{
    struct socket_call *self = argument;
    bool done;

    if (asy_future_done(self->ready.future))
        return ASY_OK;
    asy_error *err = attempt(self, &done);
    asy_future *future = self->ready.future;
    if (!future || asy_error_is_fatal(err))         /* it was closed meanwhile; or the loop ends */
        return err;
    if (err)
        return asy_future_set_exception(future, err);
    return done ? asy_future_set_result(future, NULL, NULL) : ASY_OK;
}

static void
drop_coro(void *argument)
{
    asy_coro_unref(argument);
}

static asy_error *
begin_waiting(struct socket_call *self)
{
    asy_loop *loop = self->loop->core;
    asy_ready_for what = self->operation->what;
    int fd;
    int status = fd_from_object(self->object->SOCK, &fd);

    if (status < 0)
        return error_from_python();
    if (status > 0)
        RAISE(OverflowError, "Python int too large to convert to C int");
    if (!self->operation->in_pieces)
        return asy_ready_begin(&self->ready, loop, fd, what);
    return asy_ready_begin_with(&self->ready, loop, fd, what,
                                asy_own(attempt_again, asy_coro_ref(&self->co), drop_coro));
}

ASYNC(socket_call)
{
    bool done;

    ASYNC_BEGIN;

    TRY(check_socket(self));
    for (;;) {
        TRY(attempt(self, &done));
        if (done)
            return ASY_OK;
        TRY(begin_waiting(self));
        AWAIT(self->ready.future);
        if (self->operation->in_pieces)
            return ASY_OK;
        asy_ready_end(&self->ready);
    }

    ASYNC_END;
}

FINALLY(socket_call)
{
    asy_ready_end(&self->ready);
}

/* ---- the operations ------------------------------------------------------------------- */

/* Spec: sock_recv.async-def-3.7, sock_sendall.async-def-3.7, sock_accept.async-def-3.7 */
#define BASE "BaseSelectorEventLoop."

const struct socket_operation socket_recv = { BASE "sock_recv", ASY_READABLE, try_recv, false };
const struct socket_operation socket_recv_into = {
    BASE "sock_recv_into", ASY_READABLE, try_recv_into, false,
};
const struct socket_operation socket_recvfrom = {
    BASE "sock_recvfrom", ASY_READABLE, try_recvfrom, false,
};
const struct socket_operation socket_recvfrom_into = {
    BASE "sock_recvfrom_into", ASY_READABLE, try_recvfrom_into, false,
};
const struct socket_operation socket_sendall = {
    BASE "sock_sendall", ASY_WRITABLE, try_sendall, true,
};
const struct socket_operation socket_sendto = {
    BASE "sock_sendto", ASY_WRITABLE, try_sendto, false,
};
const struct socket_operation socket_send_pieces = {
    BASE "sock_sendfile", ASY_WRITABLE, try_send_pieces, true,
};
const struct socket_operation socket_connect = {
    BASE "sock_connect", ASY_WRITABLE, try_connect, false,
};
const struct socket_operation socket_accept = {
    BASE "sock_accept", ASY_READABLE, try_accept, false,
};

static PyObject *
result_of(CoroutineObject *object)
{
    return Py_NewRef(object->FIRST ? object->FIRST : Py_None);
}

static PyObject *
none_of(CoroutineObject *object)
{
    (void)object;
    Py_RETURN_NONE;
}

PyObject *
socket_call_new(LoopObject *loop, const struct socket_operation *operation, PyObject *sock,
                PyObject *first, PyObject *second)
{
    asy_coro *core = ASYNC_CALL(socket_call, .loop = loop, .operation = operation);
    CoroutineObject *object = coroutine_object_new(loop, operation->name, core);

    if (!object)
        return NULL;
    ((struct socket_call *)(void *)core)->object = object;
    object->SOCK = Py_NewRef(sock);
    object->FIRST = Py_XNewRef(first);
    object->SECOND = Py_XNewRef(second);
    object->make_result = operation->what == ASY_READABLE || operation == &socket_sendto
                              ? result_of : none_of;
    return (PyObject *)object;
}
