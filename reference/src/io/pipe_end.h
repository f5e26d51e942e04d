/* SPDX-License-Identifier: MIT */
/*
 * What the transports for the two ends of a pipe share: the descriptor.
 */
#ifndef IO_PIPE_END_H
#define IO_PIPE_END_H

#include "core/loop_impl.h"

#include <asy/pipe.h>
#include <sys/stat.h>

struct pipe_end {
    int         fd;             /* also when it is closed: see asy_transport_get_extra_info() */
    bool        closed;
    asy_error *(*close)(void *argument, asy_error *handled);    /* NULL: close() */
    void       *argument;
};

/* os.fstat() and os.set_blocking(False). Nothing is owned yet.
 *
 * Returns  in *ret_status what it is.
 * Raises   ValueError(refusal): no pipe, socket or character device. OSError.
 */
asy_error *pipe_end_prepare(const asy_pipe *pipe, const char *refusal,
                            struct stat *ret_status) ASY_MUST_CHECK;

/* From now on it owns the descriptor. */
void pipe_end_init(struct pipe_end *self, const asy_pipe *pipe);

/* pipe.close(); pipe = None. `handled`: see struct asy_pipe.
 *
 * Raises   AttributeError: it is None already. What its close function raises.
 */
asy_error *pipe_end_close(struct pipe_end *self, asy_error *handled) ASY_MUST_CHECK;

/* os.read(fd, size) and os.write(fd, data), without the host's lock: the descriptor does not block,
 * but that is a property of the open file, and others who have it may change it. What a signal
 * interrupts is repeated when the host's handlers have run (PEP 475). Meanwhile other threads and
 * handlers may do anything to the transport, but must leave alone the memory that is given here.
 *
 * Returns  in *ret_count how many bytes.
 * Raises   OSError, which may mean "not now": see pipe_not_now(). What a handler raises.
 */
asy_error *pipe_end_read(const struct pipe_end *self, const asy_loop *loop, void *buffer,
                         size_t size, size_t *ret_count) ASY_MUST_CHECK;
asy_error *pipe_end_write(const struct pipe_end *self, const asy_loop *loop, const void *data,
                          size_t size, size_t *ret_count) ASY_MUST_CHECK;

/* except (BlockingIOError, InterruptedError): whether an error says to wait until the descriptor is
 * ready. */
bool pipe_not_now(const asy_error *err);

/* repr(transport) without the class, from asy_alloc(): "fd=5 polling". It polls if the loop watches
 * the descriptor for the event. */
char *pipe_end_describe(const struct pipe_end *self, const asy_loop *loop, unsigned event,
                        bool closing);

/* The end of a transport: protocol.connection_lost(exc), and then, whatever it has raised, the pipe
 * is closed, and the transport has no protocol any more. CPython: _call_connection_lost
 *
 * Raises   what closing the pipe raises, instead of what connection_lost() has, even if that is
 *          fatal: as in a finally clause.
 */
asy_error *pipe_end_connection_lost(struct pipe_end *self, asy_transport *transport,
                                    asy_error *exc) ASY_MUST_CHECK;

#endif
