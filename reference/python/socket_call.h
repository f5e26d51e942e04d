/* SPDX-License-Identifier: MIT */
/* The coroutines of sock_recv() and its siblings. */
#ifndef PYTHON_SOCKET_CALL_H
#define PYTHON_SOCKET_CALL_H

#include "coroutine_type.h"

#include <asy/socket.h>

struct socket_call;

/* What is tried, and what the descriptor has to be ready for before it is tried again. */
struct socket_operation {
    const char   *name;                 /* of the coroutine, as CPython has it */
    asy_ready_for what;

    /* Returns in *ret_done whether it is done; otherwise it has to wait. Raises; BlockingIOError
     * and InterruptedError mean that it has to wait, too. */
    asy_error  *(*attempt)(struct socket_call *self, bool *ret_done);

    /* It takes many attempts, which the callback of the watch makes, and wakes its task once. */
    bool          in_pieces;
};

extern const struct socket_operation socket_recv, socket_recv_into, socket_recvfrom,
    socket_recvfrom_into, socket_sendall, socket_sendto, socket_send_pieces, socket_connect,
    socket_accept;

/* A coroutine, not begun, that calls a method of the socket with the arguments, of which the last
 * or both may be NULL. A new reference, or NULL and an exception. */
PyObject *socket_call_new(LoopObject *loop, const struct socket_operation *operation,
                          PyObject *sock, PyObject *first, PyObject *second);

#endif
