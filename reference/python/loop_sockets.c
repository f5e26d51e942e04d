/* SPDX-License-Identifier: MIT */
/*
 * The methods on socket objects, for asy/_sockets.py: the coroutine functions that programs call
 * are there, and each awaits one of these. What they do is in socket_call.c.
 */
#include "loop_type.h"
#include "socket_call.h"

static PyObject *
start(const struct socket_operation *operation, POSITIONAL_ARGUMENTS)
{
    if (arg_count != operation->arg_count) {
        PyErr_Format(PyExc_TypeError, "%s: %zd arguments expected, got %zd", operation->name,
                     operation->arg_count, arg_count);
        return NULL;
    }
    return socket_call_new((LoopObject *)object, operation, args);
}

PyObject *
Loop_sock_recv(POSITIONAL_ARGUMENTS)
{
    return start(&socket_recv, object, args, arg_count);
}

PyObject *
Loop_sock_recv_into(POSITIONAL_ARGUMENTS)
{
    return start(&socket_recv_into, object, args, arg_count);
}

PyObject *
Loop_sock_recvfrom(POSITIONAL_ARGUMENTS)
{
    return start(&socket_recvfrom, object, args, arg_count);
}

PyObject *
Loop_sock_recvfrom_into(POSITIONAL_ARGUMENTS)
{
    return start(&socket_recvfrom_into, object, args, arg_count);
}

PyObject *
Loop_sock_sendall(POSITIONAL_ARGUMENTS)
{
    return start(&socket_sendall, object, args, arg_count);
}

PyObject *
Loop_sock_sendto(POSITIONAL_ARGUMENTS)
{
    return start(&socket_sendto, object, args, arg_count);
}

PyObject *
Loop_sock_send_pieces(POSITIONAL_ARGUMENTS)
{
    return start(&socket_send_pieces, object, args, arg_count);
}

PyObject *
Loop_sock_connect(POSITIONAL_ARGUMENTS)
{
    return start(&socket_connect, object, args, arg_count);
}

PyObject *
Loop_sock_accept(POSITIONAL_ARGUMENTS)
{
    return start(&socket_accept, object, args, arg_count);
}
