/* SPDX-License-Identifier: MIT */
/* The coroutines of sock_recv() and its siblings. */
#ifndef PYTHON_SOCKET_CALL_H
#define PYTHON_SOCKET_CALL_H

#include "coroutine_type.h"

#include <asy/socket.h>

struct socket_call;

/* What is tried, and what the descriptor has to be ready for before it is tried again. */
struct socket_operation {
    const char   *name;
    Py_ssize_t    arg_count;            /* with the socket: 1 to 3 */
    asy_ready_for what;

    /* Sets self->done when it is done; otherwise it has to wait. Raises; BlockingIOError and
     * InterruptedError mean that it has to wait, too. */
    asy_error  *(*attempt)(struct socket_call *self);

    /* It takes many attempts, which the callback of the watch makes, and wakes its task once. */
    bool          in_pieces;
};

extern const struct socket_operation socket_recv, socket_recv_into, socket_recvfrom,
    socket_recvfrom_into, socket_sendall, socket_sendto, socket_send_pieces, socket_connect,
    socket_accept;

/* A coroutine, not begun, that calls a method of the socket, which is the first argument, with the
 * others, and returns what that returns. A new reference, or NULL and an exception. */
PyObject *socket_call_new(LoopObject *loop, const struct socket_operation *operation,
                          PyObject *const *args);

#endif
