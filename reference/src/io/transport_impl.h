/* SPDX-License-Identifier: MIT */
/*
 * What all transports have, and what a kind of transport supplies.
 *
 * CPython's classes are structs that begin with struct asy_transport, and tables of functions. A
 * transport is referred to by programs, and by each reference to a handle of its own. Everything
 * that the loop calls for a transport is such a handle, made where CPython makes an events.Handle:
 * then the context is copied in which it runs.
 */
#ifndef IO_TRANSPORT_IMPL_H
#define IO_TRANSPORT_IMPL_H

#include "core/loop_impl.h"
#include "io/flow.h"

#include <asy/protocol.h>
#include <asy/transport.h>

/* The methods of one kind. Those of a transport that does not have them are NULL. */
struct transport_methods {
    const char *name;                               /* of CPython's class */

    /* ---- BaseTransport ---- */
    const void *(*get_extra_info)(const asy_transport *self, const char *name,
                                  const void *fallback);
    bool        (*is_closing)(const asy_transport *self);
    asy_error  *(*close)(asy_transport *self);

    /* ---- ReadTransport ---- */
    bool        (*is_reading)(const asy_transport *self);
    asy_error  *(*pause_reading)(asy_transport *self);
    asy_error  *(*resume_reading)(asy_transport *self);

    /* ---- WriteTransport: all or none ---- */
    struct flow *(*flow)(asy_transport *self);      /* the limits of its buffer */
    size_t      (*get_write_buffer_size)(const asy_transport *self);
    asy_error  *(*write)(asy_transport *self, const void *data, size_t size);
    asy_error  *(*write_eof)(asy_transport *self);
    bool        (*can_write_eof)(const asy_transport *self);
    asy_error  *(*abort)(asy_transport *self);

    /* ---- not of CPython ---- */
    bool        (*is_closed)(const asy_transport *self);
    asy_error  *(*close_descriptor)(asy_transport *self);
    char       *(*describe_state)(const asy_transport *self);
    void        (*deinit)(asy_transport *self);     /* give back what only this kind has */
};

struct asy_transport {
    const struct transport_methods *methods;
    int                             refs;           /* of one without an owner */
    const asy_transport_owner      *owner_methods;  /* NULL: it has none */
    void                           *owner;
    asy_loop                       *loop;           /* owned */
    bool                            lost;           /* connection_lost() was called: CPython's has
                                                       forgotten the loop */
    asy_protocol                   *protocol;       /* owned; NULL after connection_lost() */
};

/* ---- transport.c ----------------------------------------------------------------- */

/* Of memory that is zeroed, allocated by asy_alloc(). Takes references to loop and protocol. */
void transport_init(asy_transport *self, const struct transport_methods *methods, asy_loop *loop,
                    asy_protocol *protocol, const asy_transport_owner *owner_methods, void *owner);

/* self._protocol = None; self._loop = None */
void transport_lost(asy_transport *self);

/* logger.log(level, '%r%s', self, text) in debug mode: the transport, and what happens to it. */
asy_error *transport_debug(asy_transport *self, asy_log_level level, const char *text,
                           asy_error *exception) ASY_MUST_CHECK;

/* loop.call_exception_handler() with message, exception, transport and protocol. */
asy_error *transport_report(asy_transport *self, const char *message,
                            asy_error *exception) ASY_MUST_CHECK;

/* What _fatal_error() does before it closes: report the exception, or, where it is a usual one,
 * only log it in debug mode. */
asy_error *transport_report_fatal(asy_transport *self, bool usual, const char *message,
                                  asy_error *exception) ASY_MUST_CHECK;

/* ---- protocol.c ------------------------------------------------------------------ */

/* AttributeError("'NoneType' object has no attribute ...") if there is no protocol. */
asy_error *protocol_check(const asy_protocol *self, const char *method) ASY_MUST_CHECK;

/* protocol.method(...): nothing for a method that it does not have.
 *
 * Raises   AttributeError: as above. And what the method raises.
 */
asy_error *protocol_connection_made(asy_protocol *self, asy_transport *transport) ASY_MUST_CHECK;
asy_error *protocol_connection_lost(asy_protocol *self, asy_error *exc) ASY_MUST_CHECK;
asy_error *protocol_pause_writing(asy_protocol *self) ASY_MUST_CHECK;
asy_error *protocol_resume_writing(asy_protocol *self) ASY_MUST_CHECK;
asy_error *protocol_data_received(asy_protocol *self, const void *data,
                                  size_t size) ASY_MUST_CHECK;
asy_error *protocol_eof_received(asy_protocol *self, bool *ret_keep_open) ASY_MUST_CHECK;

/* protocol.method, for a call that is to be queued: a new reference to the protocol to call.
 *
 * Raises   what looking for the method raises.
 */
asy_error *protocol_bind(asy_protocol *self, asy_loop *loop, const char *method,
                         asy_protocol **ret_bound) ASY_MUST_CHECK;

/* ---- transport_handle.c ---------------------------------------------------------- */

/* What a handle of a transport calls. The handle owns a reference to each of the three. */
struct transport_callback {
    asy_error    *(*function)(const struct transport_callback *self);
    const char    *name;            /* CPython's name of the method, for messages */
    asy_transport *transport;
    asy_protocol  *protocol;        /* whose method it is; NULL: the transport's */
    asy_error     *exc;             /* an argument, or NULL */
};

/* events.Handle(callback, ...) in loop.call_soon(). On a closed loop nothing happens: see
 * asy_loop_check_call(). */
void transport_queue(asy_loop *loop, const struct transport_callback *callback);

/* loop.call_soon(callback).
 *
 * Raises   RuntimeError: the loop is closed, or the wrong thread.
 */
asy_error *transport_call_soon(asy_loop *loop,
                               const struct transport_callback *callback) ASY_MUST_CHECK;

/* loop._add_reader(fd, callback), or _add_writer for EVENT_WRITE.
 *
 * Raises   as loop_add_watch().
 */
asy_error *transport_watch(asy_loop *loop, int fd, unsigned event,
                           const struct transport_callback *callback) ASY_MUST_CHECK;

/* loop.call_soon(protocol.connection_made, transport), in two steps, as there is no transport yet
 * when this can raise: find the method and check the loop, and queue the call. The second gives
 * back what the first returns. */
asy_error *transport_bind_connection_made(asy_loop *loop, asy_protocol *protocol,
                                          asy_protocol **ret_bound) ASY_MUST_CHECK;
void transport_queue_connection_made(asy_transport *self, asy_protocol *bound);

/* loop.call_soon(protocol.eof_received) */
asy_error *transport_call_eof_received(asy_transport *self) ASY_MUST_CHECK;

#endif
