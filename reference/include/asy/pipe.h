/* SPDX-License-Identifier: MIT */
/*
 * Pipes as transports: one that reads, one that writes. A pipe may also be a FIFO, a socket, or a
 * character device such as a terminal.
 */
#ifndef ASY_PIPE_H
#define ASY_PIPE_H

#include <asy/coro.h>
#include <asy/error.h>
#include <asy/protocol.h>
#include <asy/transport.h>
#include <asy/types.h>

ASY_BEGIN_DECLARATIONS

/* A descriptor, and how it is closed. `close` is pipe.close() for a host whose object it belongs
 * to; NULL: close(). It is called once. `handled` is what connection_lost() has raised just before,
 * or NULL: an exception of `close` has it as its __context__.
 */
struct asy_pipe {
    int         fd;
    asy_error *(*close)(void *argument, asy_error *handled);
    void       *argument;
};

/* ---- pipe_connect.c: the loop's methods ------------------------------------------ */

/* await loop.connect_read_pipe(protocol_factory, pipe) -> (transport, protocol)
 *
 * The descriptor becomes non-blocking. It reads at most 256 KiB in one iteration.
 *
 * pipe     is the transport's as soon as there is one, and pipe->fd is then -1; before, and if
 *          there never is, it stays the caller's.
 * Returns  in *ret_transport and *ret_protocol new references; for a protocol that does not count
 *          them, that which the factory gave.
 * Raises   ValueError: Pipe transport is for pipes/sockets only. OSError. AttributeError: the
 *          factory gave NULL. What the factory raises. After that there is no transport. An error
 *          that comes when there is one, such as being cancelled, closes it.
 * Spec     read_pipe.registers, read_pipe.pair, read_pipe.factory, read_pipe.sets-nonblocking,
 *          read_pipe.eof, read_pipe.transport-closes-pipe, read_pipe.regular-file
 */
ASY_API asy_coro *asy_loop_connect_read_pipe(asy_loop *loop, asy_protocol_factory factory,
                                             void *argument, asy_pipe *pipe,
                                             asy_transport **ret_transport,
                                             asy_protocol **ret_protocol);

/* await loop.connect_write_pipe(protocol_factory, pipe) -> (transport, protocol)
 *
 * The same for writing. Of pipes and sockets, not of character devices, the transport notices when
 * the other end is closed.
 *
 * Raises   ValueError: Pipe transport is only for pipes, sockets and character devices. And as
 *          above.
 * Spec     write_pipe.registers, write_pipe.pair, write_pipe.factory, write_pipe.sets-nonblocking,
 *          write_pipe.reader-gone
 */
ASY_API asy_coro *asy_loop_connect_write_pipe(asy_loop *loop, asy_protocol_factory factory,
                                              void *argument, asy_pipe *pipe,
                                              asy_transport **ret_transport,
                                              asy_protocol **ret_protocol);

/* ---- pipe_read.c, pipe_write.c: for hosts ---------------------------------------- */

/* _UnixReadPipeTransport(loop, pipe, protocol), and _UnixWritePipeTransport, without a waiter: who
 * has one queues after this, by call_soon(), what fulfils it, which is then the next handle.
 *
 * pipe     is copied. Unless this raises, the transport owns what it says.
 * protocol borrowed; the transport takes a reference.
 * owner    see asy_transport_owner. methods NULL: the transport is on its own, and counts its
 *          references. The functions of `methods` may be called from now on.
 * Returns  in *ret_transport a new reference; with an owner, the owner's own, to be given back by
 *          asy_transport_free().
 * Raises   ValueError, OSError: see above. AttributeError: the protocol is NULL. RuntimeError: the
 *          loop is closed, or, in debug mode, the wrong thread.
 */
ASY_API asy_error *asy_read_pipe_transport_new(asy_loop *loop, const asy_pipe *pipe,
                                               asy_protocol *protocol,
                                               const asy_transport_owner *methods, void *owner,
                                               asy_transport **ret_transport) ASY_MUST_CHECK;
ASY_API asy_error *asy_write_pipe_transport_new(asy_loop *loop, const asy_pipe *pipe,
                                                asy_protocol *protocol,
                                                const asy_transport_owner *methods, void *owner,
                                                asy_transport **ret_transport) ASY_MUST_CHECK;

ASY_END_DECLARATIONS

#endif
