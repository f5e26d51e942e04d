/* SPDX-License-Identifier: MIT */
/*
 * The methods of all transports: each calls that of the transport's kind, or raises, as asyncio's
 * base classes do. And the life of a transport.
 *
 * A transport without an owner counts its references itself. One that has an owner is a part of it.
 */
#include "base/alloc.h"
#include "io/transport_impl.h"

#include <string.h>

/* ---- life ------------------------------------------------------------------------ */

void
transport_init(asy_transport *self, const struct transport_methods *methods, asy_loop *loop,
               asy_protocol *protocol, const asy_transport_owner *owner_methods, void *owner)
{
    self->methods = methods;
    self->refs = 1;
    self->owner_methods = owner_methods;
    self->owner = owner;
    self->loop = asy_loop_ref(loop);
    self->protocol = asy_protocol_ref(protocol);
}

void
transport_lost(asy_transport *self)
{
    self->lost = true;
    asy_transport_set_protocol(self, NULL);
}

/* see transport.h */
void
asy_transport_free(asy_transport *transport)
{
    if (!transport)
        return;
    asy_loop *loop = transport->loop;
    asy_protocol *protocol = transport->protocol;

    asy_error_unref(asy_transport_close_descriptor(transport));
    transport->methods->deinit(transport);
    asy_free(transport);
    asy_protocol_unref(protocol);
    asy_loop_unref(loop);
}

/* CPython: __del__ of the transports. The reference that asy_transport_unref() gives back is still
 * there. */
static void
warn_if_unclosed(asy_transport *self)
{
    if (self->methods->is_closed(self))
        return;
    char *text = asy_transport_describe(self);
    char *message = asy_format("unclosed transport %s", text);
    asy_error_unref(host_log(self->loop, ASY_LOG_WARNING, message, NULL));
    asy_free(message);
    asy_free(text);
}

/* see transport.h */
asy_transport *
asy_transport_ref(asy_transport *transport)
{
    if (transport && transport->owner_methods)
        transport->owner_methods->ref(transport->owner);
    else if (transport)
        transport->refs++;
    return transport;
}

/* see transport.h */
asy_transport *
asy_transport_unref(asy_transport *transport)
{
    if (!transport)
        return NULL;
    if (transport->owner_methods) {
        transport->owner_methods->unref(transport->owner);
        return NULL;
    }
    if (transport->refs == 1)
        warn_if_unclosed(transport);
    transport->refs--;
    if (transport->refs == 0)
        asy_transport_free(transport);
    return NULL;
}

/* see transport.h */
void *
asy_transport_get_owner(const asy_transport *transport)
{
    return transport->owner;
}

/* see transport.h */
bool
asy_transport_is_closed(const asy_transport *transport)
{
    return transport->methods->is_closed(transport);
}

/* see transport.h */
asy_error *
asy_transport_close_descriptor(asy_transport *transport)
{
    if (transport->methods->is_closed(transport))
        return ASY_OK;
    return transport->methods->close_descriptor(transport);
}

/* ---- texts, logs and reports ----------------------------------------------------- */

/* see transport.h */
char *
asy_transport_describe_state(const asy_transport *transport)
{
    return transport->methods->describe_state(transport);
}

/* see transport.h */
char *
asy_transport_describe(asy_transport *transport)
{
    const asy_transport_owner *methods = transport->owner_methods;
    char *text = methods && methods->describe ? methods->describe(transport->owner) : NULL;

    if (text)
        return text;
    char *state = asy_transport_describe_state(transport);
    text = asy_format("<%s %s>", transport->methods->name, state);
    asy_free(state);
    return text;
}

asy_error *
transport_debug(asy_transport *self, asy_log_level level, const char *text, asy_error *exception)
{
    if (!asy_loop_get_debug(self->loop))
        return ASY_OK;
    char *described = asy_transport_describe(self);
    char *message = asy_format("%s%s", described, text);
    asy_error *err = host_log(self->loop, level, message, exception);
    asy_free(message);
    asy_free(described);
    return err;
}

asy_error *
transport_report(asy_transport *self, const char *message, asy_error *exception)
{
    const asy_report report = {
        .message = message,
        .exception = exception,
        .transport = self,
        .protocol = self->protocol,
    };
    return asy_loop_call_exception_handler(self->loop, &report);
}

asy_error *
transport_report_fatal(asy_transport *self, bool usual, const char *message, asy_error *exception)
{
    if (!usual)
        return transport_report(self, message, exception);
    char *text = asy_format(": %s", message);
    asy_error *err = transport_debug(self, ASY_LOG_DEBUG, text, exception);
    asy_free(text);
    return err;
}

/* ---- BaseTransport --------------------------------------------------------------- */

/* see transport.h */
const void *
asy_transport_get_extra_info(const asy_transport *transport, const char *name,
                             const void *fallback)
{
    return transport->methods->get_extra_info(transport, name, fallback);
}

/* see transport.h */
bool
asy_transport_is_closing(const asy_transport *transport)
{
    return transport->methods->is_closing(transport);
}

/* see transport.h */
asy_error *
asy_transport_close(asy_transport *transport)
{
    return transport->methods->close(transport);
}

/* see transport.h */
void
asy_transport_set_protocol(asy_transport *transport, asy_protocol *protocol)
{
    asy_protocol *old = transport->protocol;

    transport->protocol = asy_protocol_ref(protocol);
    asy_protocol_unref(old);
}

/* see transport.h */
asy_protocol *
asy_transport_get_protocol(const asy_transport *transport)
{
    return transport->protocol;
}

/* ---- ReadTransport --------------------------------------------------------------- */

/* CPython: the methods of transports.BaseTransport and its subclasses. */
static asy_error *
require(bool has_method)
{
    return has_method ? ASY_OK : asy_error_new(ASY_NotImplementedError, "%s", "");
}

/* see transport.h */
asy_error *
asy_transport_is_reading(const asy_transport *transport, bool *ret_reading)
{
    TRY(require(transport->methods->is_reading));
    *ret_reading = transport->methods->is_reading(transport);
    return ASY_OK;
}

/* see transport.h */
asy_error *
asy_transport_pause_reading(asy_transport *transport)
{
    TRY(require(transport->methods->pause_reading));
    return transport->methods->pause_reading(transport);
}

/* see transport.h */
asy_error *
asy_transport_resume_reading(asy_transport *transport)
{
    TRY(require(transport->methods->resume_reading));
    return transport->methods->resume_reading(transport);
}

/* ---- WriteTransport -------------------------------------------------------------- */

/* see transport.h */
asy_error *
asy_transport_set_write_buffer_limits(asy_transport *transport, const int64_t *high,
                                      const int64_t *low)
{
    TRY(require(transport->methods->flow));
    TRY(flow_set_limits(transport->methods->flow(transport), high, low));
    return flow_maybe_pause(transport);
}

/* see transport.h */
asy_error *
asy_transport_get_write_buffer_limits(asy_transport *transport, int64_t *ret_low,
                                      int64_t *ret_high)
{
    TRY(require(transport->methods->flow));
    const struct flow *flow = transport->methods->flow(transport);
    *ret_low = flow->low_water;
    *ret_high = flow->high_water;
    return ASY_OK;
}

/* see transport.h */
asy_error *
asy_transport_get_write_buffer_size(const asy_transport *transport, size_t *ret_size)
{
    TRY(require(transport->methods->get_write_buffer_size));
    *ret_size = transport->methods->get_write_buffer_size(transport);
    return ASY_OK;
}

/* see transport.h */
asy_error *
asy_transport_write(asy_transport *transport, const void *data, size_t size)
{
    TRY(require(transport->methods->write));
    return transport->methods->write(transport, data, size);
}

/* b''.join(lines), of a size that is known. */
static char *
join(const struct iovec *lines, size_t count, size_t size)
{
    char *joined = asy_alloc(size);
    char *end = joined;

    for (size_t i = 0; i < count; i++) {
        if (lines[i].iov_len == 0)
            continue;
        memcpy(end, lines[i].iov_base, lines[i].iov_len);
        end += lines[i].iov_len;
    }
    return joined;
}

/* see transport.h */
asy_error *
asy_transport_writelines(asy_transport *transport, const struct iovec *lines, size_t count)
{
    size_t size = 0;

    TRY(require(transport->methods->write));
    for (size_t i = 0; i < count; i++)
        size += lines[i].iov_len;
    char *joined = join(lines, count, size);
    asy_error *err = transport->methods->write(transport, joined, size);
    asy_free(joined);
    return err;
}

/* see transport.h */
asy_error *
asy_transport_write_eof(asy_transport *transport)
{
    TRY(require(transport->methods->write_eof));
    return transport->methods->write_eof(transport);
}

/* see transport.h */
asy_error *
asy_transport_can_write_eof(const asy_transport *transport, bool *ret_can)
{
    TRY(require(transport->methods->can_write_eof));
    *ret_can = transport->methods->can_write_eof(transport);
    return ASY_OK;
}

/* see transport.h */
asy_error *
asy_transport_abort(asy_transport *transport)
{
    TRY(require(transport->methods->abort));
    return transport->methods->abort(transport);
}
