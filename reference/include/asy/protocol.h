/* SPDX-License-Identifier: MIT */
/*
 * Protocols: what a transport calls. One table has the methods of all classes of asyncio, under
 * Python's names; a protocol has those that it fills in, and does nothing in the others:
 *
 *     struct echo {
 *         asy_protocol   protocol;        // so that &echo->protocol is the protocol
 *         asy_transport *transport;
 *     };
 *
 *     static asy_error *
 *     echo_data_received(asy_protocol *self, const void *data, size_t size)
 *     {
 *         struct echo *echo = (struct echo *)self;
 *         return asy_transport_write(echo->transport, data, size);
 *     }
 *
 *     static const asy_protocol_methods echo_methods = {
 *         .connection_made = echo_connection_made,
 *         .data_received = echo_data_received,
 *     };
 *
 *     struct echo echo = { .protocol = { &echo_methods } };
 *
 * All are called by the loop, in its thread, connection_made() first and connection_lost() last.
 * What a method raises is reported to the exception handler of the loop, as the error of the
 * callback that has called it, or, of pause_writing() and resume_writing(), as a report of its own;
 * a fatal error leaves the loop.
 *
 * Arguments are borrowed, and bytes are valid until the method returns.
 */
#ifndef ASY_PROTOCOL_H
#define ASY_PROTOCOL_H

#include <asy/error.h>
#include <asy/types.h>

ASY_BEGIN_DECLARATIONS

/* A protocol: the start of the program's own struct. */
struct asy_protocol {
    const asy_protocol_methods *methods;
};

struct asy_protocol_methods {
    /* ---- BaseProtocol ---- */

    /* The transport is there. To use it later, take a reference, or forget it in connection_lost().
     *
     * Spec     protocol.connection_made */
    asy_error *(*connection_made)(asy_protocol *self, asy_transport *transport);

    /* The transport is closed, and has forgotten the protocol: nothing else is called after this.
     * exc: why; NULL: close(), abort(), or the end of what was read. Where a second end is queued,
     * as by an abort() in this method, it calls the protocol that somebody may have set meanwhile.
     *
     * Spec     protocol.connection_lost */
    asy_error *(*connection_lost)(asy_protocol *self, asy_error *exc);

    /* More is waiting to be written than the high-water mark; not more than the low-water mark,
     * which pipes find out when nothing is waiting any more, whatever the mark. The two alternate.
     * They are called from write(), set_write_buffer_limits(), which only pauses, or the loop.
     *
     * Spec     protocol.pause_writing */
    asy_error *(*pause_writing)(asy_protocol *self);
    asy_error *(*resume_writing)(asy_protocol *self);

    /* ---- Protocol ---- */

    /* At least one byte has come.
     *
     * Spec     protocol.data_received */
    asy_error *(*data_received)(asy_protocol *self, const void *data, size_t size);

    /* Nothing more will come. *ret_keep_open, false at first: keep the transport open for writing;
     * transports that only read end anyway.
     *
     * Spec     protocol.eof_received */
    asy_error *(*eof_received)(asy_protocol *self, bool *ret_keep_open);

    /* ---- BufferedProtocol, in place of data_received(): a protocol that has get_buffer() ---- */

    /* Where bytes are to be stored: *ret_size of them at *ret_buffer, at least one. sizehint: how
     * many it would be good to have; -1: no matter. Then, how many have been stored.
     *
     * Spec     buffered_protocol.get_buffer */
    asy_error *(*get_buffer)(asy_protocol *self, ptrdiff_t sizehint, void **ret_buffer,
                             size_t *ret_size);
    asy_error *(*buffer_updated)(asy_protocol *self, size_t nbytes);

    /* ---- DatagramProtocol ---- */

    /* A datagram, possibly an empty one; what a send or receive has raised. */
    asy_error *(*datagram_received)(asy_protocol *self, const void *data, size_t size,
                                    const asy_address *addr);
    asy_error *(*error_received)(asy_protocol *self, asy_error *exc);

    /* ---- SubprocessProtocol ---- */

    /* The child has written to its descriptor fd, 1 or 2; that of its descriptors which is
     * connected is closed; the child has ended. */
    asy_error *(*pipe_data_received)(asy_protocol *self, int fd, const void *data, size_t size);
    asy_error *(*pipe_connection_lost)(asy_protocol *self, int fd, asy_error *exc);
    asy_error *(*process_exited)(asy_protocol *self);

    /* ---- not of Python: all may be NULL ---- */

    /* One more reference, one reference less; the latter may run anything. Who has none of these
     * keeps the protocol until connection_lost() was called, or the transport has another one. */
    void       (*ref)(asy_protocol *self);
    void       (*unref)(asy_protocol *self);

    /* str(protocol), from asy_alloc(), for reports. */
    char      *(*describe)(asy_protocol *self);

    /* A queued call is of the method that there is when it is queued. Who can replace methods, as
     * Python can, gives a new reference to a protocol that has this one, "connection_made" or
     * "eof_received", and is used for the one call. Raises what looking for the method raises. */
    asy_error *(*bind)(asy_protocol *self, asy_loop *loop, const char *method,
                       asy_protocol **ret_bound);

    /* The text of a callback that calls a method, from asy_alloc(), for "Exception in callback
     * Echo.connection_made(<transport>)". The method is "connection_made", whose argument is the
     * transport, or "eof_received", which has none. */
    char      *(*describe_callback)(asy_protocol *self, const char *method,
                                    asy_transport *transport);
};

/* protocol_factory(): called once by the method of the loop that it is given to.
 *
 * Returns  in *ret_protocol a new reference, if the protocol counts them. NULL, which is None, is
 *          an AttributeError, as in Python.
 */
typedef asy_error *(*asy_protocol_factory)(void *argument, asy_protocol **ret_protocol);

/* ---- protocol.c -------------------------------------------------------------- */

/* One more reference; one reference less. They accept and return NULL, and do nothing to protocols
 * that do not count them. */
ASY_API asy_protocol *asy_protocol_ref(asy_protocol *protocol);
ASY_API asy_protocol *asy_protocol_unref(asy_protocol *protocol);

/* str(protocol), from asy_alloc(). NULL is "None". */
ASY_API char *asy_protocol_describe(asy_protocol *protocol);

ASY_END_DECLARATIONS

#endif
