/* SPDX-License-Identifier: MIT */
/*
 * Transports: a descriptor that reads and writes by itself, and tells a protocol of it.
 *
 * They are made by methods of the loop: pipe.h has those for pipes. There are several kinds, and
 * one function for each method that a kind may have; one that a transport does not have raises
 * NotImplementedError.
 *
 * A transport owns its descriptor from the moment it is made, and closes it after
 * connection_lost(), which close() and abort() bring about, or the other end, or an error. Until
 * then the loop keeps the transport alive wherever it watches the descriptor or has something to
 * call; a transport that nobody refers to any more, and that was not closed, closes its descriptor
 * and logs a warning.
 *
 * A transport, too, is of the loop's thread.
 */
#ifndef ASY_TRANSPORT_H
#define ASY_TRANSPORT_H

#include <asy/error.h>
#include <asy/handle.h>
#include <asy/protocol.h>
#include <asy/types.h>

#include <stdint.h>
#include <sys/uio.h>

ASY_BEGIN_DECLARATIONS

/* ---- transport.c: BaseTransport ------------------------------------------------ */

/* One more reference, one reference less. Both accept and return NULL. */
ASY_API asy_transport *asy_transport_ref(asy_transport *transport);
ASY_API asy_transport *asy_transport_unref(asy_transport *transport);

/* transport.get_extra_info(name, default=None): borrowed, as long as the transport lives.
 *
 *   "pipe"     const int *, of a pipe: its descriptor, also when that is closed
 *
 * Returns  fallback for any other name.
 * Spec     transport.get_extra_info
 */
ASY_API const void *asy_transport_get_extra_info(const asy_transport *transport, const char *name,
                                                 const void *fallback);

/* transport.is_closing() -> bool: it is closing, or closed.
 *
 * Spec     transport.is_closing
 */
ASY_API bool asy_transport_is_closing(const asy_transport *transport);

/* transport.close(): write what waits to be written, read no more, then call connection_lost(NULL).
 * No effect on one that is closing. Within resume_writing() of a pipe, connection_lost() comes at
 * once, and then a report of an AttributeError, as in CPython; call_soon() it there.
 *
 * Raises   RuntimeError: the loop is closed.
 * Spec     transport.close, transport.close.idempotent, transport.no-callback-sync
 */
ASY_API asy_error *asy_transport_close(asy_transport *transport) ASY_MUST_CHECK;

/* transport.set_protocol(protocol): from now on this one is called; what is queued already calls
 * the one before. The transport takes a reference. NULL: None.
 *
 * Spec     transport.set_protocol
 */
ASY_API void asy_transport_set_protocol(asy_transport *transport, asy_protocol *protocol);

/* transport.get_protocol(): borrowed; NULL after connection_lost().
 *
 * Spec     transport.set_protocol
 */
ASY_API asy_protocol *asy_transport_get_protocol(const asy_transport *transport);

/* ---- transport.c: ReadTransport ------------------------------------------------ */

/* transport.is_reading() -> bool: neither paused nor closing.
 *
 * Spec     read_transport.is_reading
 */
ASY_API asy_error *asy_transport_is_reading(const asy_transport *transport,
                                            bool *ret_reading) ASY_MUST_CHECK;

/* transport.pause_reading(), transport.resume_reading(): no data_received() in between. No effect
 * when it is paused already, or was not paused, or is closing.
 *
 * Raises   resume: RuntimeError: the loop is closed. Both: OSError: the selector cannot change what
 *          it watches.
 * Spec     read_transport.pause, read_transport.pause-idempotent
 */
ASY_API asy_error *asy_transport_pause_reading(asy_transport *transport) ASY_MUST_CHECK;
ASY_API asy_error *asy_transport_resume_reading(asy_transport *transport) ASY_MUST_CHECK;

/* ---- transport.c: WriteTransport ----------------------------------------------- */

/* transport.set_write_buffer_limits(high=None, low=None), in bytes. NULL: None; high is 64 KiB, or
 * four times low; low is a quarter of high. Calls pause_writing() if more than high is waiting, but
 * never resume_writing().
 *
 * Raises   ValueError: not high >= low >= 0.
 * Spec     write_transport.limits
 */
ASY_API asy_error *asy_transport_set_write_buffer_limits(asy_transport *transport,
                                                         const int64_t *high,
                                                         const int64_t *low) ASY_MUST_CHECK;

/* transport.get_write_buffer_limits() -> (low, high)
 *
 * Spec     write_transport.limits
 */
ASY_API asy_error *asy_transport_get_write_buffer_limits(asy_transport *transport,
                                                         int64_t *ret_low,
                                                         int64_t *ret_high) ASY_MUST_CHECK;

/* transport.get_write_buffer_size() -> int: how many bytes wait to be written.
 *
 * Spec     write_transport.buffer-size
 */
ASY_API asy_error *asy_transport_get_write_buffer_size(const asy_transport *transport,
                                                       size_t *ret_size) ASY_MUST_CHECK;

/* transport.write(data): write what can be written at once, and the rest when it can be. The data
 * are copied. When the transport is closing they are dropped, from the sixth time on with a
 * warning in the log. An error of the system is not raised: it ends the transport.
 *
 * Raises   RuntimeError: the loop is closed, and not all could be written.
 * Spec     write_transport.write, write_transport.write-empty, write_transport.write-after-close
 */
ASY_API asy_error *asy_transport_write(asy_transport *transport, const void *data,
                                       size_t size) ASY_MUST_CHECK;

/* transport.writelines(list_of_data): write() of all of them, joined.
 *
 * Spec     write_transport.writelines
 */
ASY_API asy_error *asy_transport_writelines(asy_transport *transport, const struct iovec *lines,
                                            size_t count) ASY_MUST_CHECK;

/* transport.write_eof(): after what waits to be written, tell the other end that this was all. A
 * pipe is closed by it.
 *
 * Raises   RuntimeError: the loop is closed.
 * Spec     write_transport.write_eof
 */
ASY_API asy_error *asy_transport_write_eof(asy_transport *transport) ASY_MUST_CHECK;

/* transport.can_write_eof() -> bool
 *
 * Spec     write_transport.can_write_eof
 */
ASY_API asy_error *asy_transport_can_write_eof(const asy_transport *transport,
                                               bool *ret_can) ASY_MUST_CHECK;

/* transport.abort(): drop what waits to be written, then call connection_lost(NULL). Aborting a
 * pipe a second time is an AttributeError, as in CPython: raised when it is closed, else reported.
 *
 * Raises   RuntimeError: the loop is closed.
 * Spec     write_transport.abort
 */
ASY_API asy_error *asy_transport_abort(asy_transport *transport) ASY_MUST_CHECK;

/* str(transport), from asy_alloc(). */
ASY_API char *asy_transport_describe(asy_transport *transport);

/* ---- transport.c: for hosts ------------------------------------------------------ */

/* A transport that belongs to an object of the host, its owner, which is what programs see. The two
 * are made together and go together:
 *
 *   - Every reference to the transport that is taken with asy_transport_ref(), or that the library
 *     itself takes, is a reference to the owner.
 *   - When the last of them goes, the owner calls asy_transport_free(), once. Who has a finalizer
 *     (__del__) looks at asy_transport_is_closed() there, warns, and calls
 *     asy_transport_close_descriptor().
 *   - The owner keeps the loop's host_data alive until then.
 *
 * What a garbage collector has to know: the owner refers to the protocol of
 * asy_transport_get_protocol(), by one reference, until asy_transport_free() or
 * asy_transport_set_protocol(transport, NULL), which is for tp_clear; and handles of the loop refer
 * to owners, protocols, exceptions and contexts, see asy_handle_get_transport().
 *
 * Contexts need nothing: each handle that a transport makes, where CPython makes one, copies the
 * current context by the host's function, and runs in it.
 */
struct asy_transport_owner {
    void  (*ref)(void *owner);
    void  (*unref)(void *owner);                    /* may free it, and run anything */

    /* repr(transport), from asy_alloc(), for the log; NULL if that fails. */
    char *(*describe)(void *owner);

    /* The text of a callback that is a method of the transport, from asy_alloc(), for "Exception
     * in callback ..."; or NULL. The methods have CPython's names, such as "_read_ready"; exc is
     * the argument of "_call_connection_lost". May be NULL: the method's name stands behind that of
     * the kind. */
    char *(*describe_callback)(void *owner, const char *method, asy_error *exc);
};

/* The owner, borrowed; NULL: the transport is on its own. */
ASY_API void *asy_transport_get_owner(const asy_transport *transport);

/* What stands in repr(transport) behind the name of the class, from asy_alloc(): "fd=5 polling". */
ASY_API char *asy_transport_describe_state(const asy_transport *transport);

/* The descriptor is closed: connection_lost() was called. */
ASY_API bool asy_transport_is_closed(const asy_transport *transport);

/* Close the descriptor now, and call nothing. No effect on a transport that is closed. For
 * finalizers: nothing of the loop may refer to the transport any more.
 *
 * Raises   what the close function of its descriptor raises.
 */
ASY_API asy_error *asy_transport_close_descriptor(asy_transport *transport) ASY_MUST_CHECK;

/* The owner goes: give back everything, the descriptor if it is still open, and the transport's
 * memory. NULL is accepted. */
ASY_API void asy_transport_free(asy_transport *transport);

/* Whether a handle, such as asy_loop_visit() comes upon, was made by a transport. If so, each
 * reference to the handle is one to the transport, one to the protocol, one to the exception, which
 * both may be NULL, and one to the context of asy_handle_get_context().
 *
 * Returns  in *ret_transport, *ret_protocol and *ret_exc, borrowed.
 */
ASY_API bool asy_handle_get_transport(const asy_handle *handle, asy_transport **ret_transport,
                                      asy_protocol **ret_protocol, asy_error **ret_exc);

ASY_END_DECLARATIONS

#endif
