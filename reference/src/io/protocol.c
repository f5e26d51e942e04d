/* SPDX-License-Identifier: MIT */
/*
 * Calling the methods of protocols. A method that a protocol does not have is the one of
 * asyncio.BaseProtocol and its subclasses, which does nothing. No protocol at all is None, which
 * has no methods.
 *
 * A method may do anything, such as give the transport another protocol: the one that is called
 * lives until it has returned.
 */
#include "io/transport_impl.h"

/* see protocol.h */
asy_protocol *
asy_protocol_ref(asy_protocol *protocol)
{
    if (protocol && protocol->methods->ref)
        protocol->methods->ref(protocol);
    return protocol;
}

/* see protocol.h */
asy_protocol *
asy_protocol_unref(asy_protocol *protocol)
{
    if (protocol && protocol->methods->unref)
        protocol->methods->unref(protocol);
    return NULL;
}

/* see protocol.h */
char *
asy_protocol_describe(asy_protocol *protocol)
{
    if (!protocol)
        return asy_format("None");
    char *text = protocol->methods->describe ? protocol->methods->describe(protocol) : NULL;
    return text ? text : asy_format("<Protocol at %p>", (void *)protocol);
}

asy_error *
protocol_bind(asy_protocol *self, asy_loop *loop, const char *method, asy_protocol **ret_bound)
{
    if (self && self->methods->bind)
        return self->methods->bind(self, loop, method, ret_bound);
    *ret_bound = asy_protocol_ref(self);
    return ASY_OK;
}

asy_error *
protocol_check(const asy_protocol *self, const char *method)
{
    if (!self)
        RAISE(AttributeError, "'NoneType' object has no attribute '%s'", method);
    return ASY_OK;
}

asy_error *
protocol_connection_made(asy_protocol *self, asy_transport *transport)
{
    TRY(protocol_check(self, "connection_made"));
    if (!self->methods->connection_made)
        return ASY_OK;
    asy_protocol_ref(self);
    asy_error *err = self->methods->connection_made(self, transport);
    asy_protocol_unref(self);
    return err;
}

asy_error *
protocol_connection_lost(asy_protocol *self, asy_error *exc)
{
    TRY(protocol_check(self, "connection_lost"));
    if (!self->methods->connection_lost)
        return ASY_OK;
    asy_protocol_ref(self);
    asy_error *err = self->methods->connection_lost(self, exc);
    asy_protocol_unref(self);
    return err;
}

asy_error *
protocol_pause_writing(asy_protocol *self)
{
    TRY(protocol_check(self, "pause_writing"));
    if (!self->methods->pause_writing)
        return ASY_OK;
    asy_protocol_ref(self);
    asy_error *err = self->methods->pause_writing(self);
    asy_protocol_unref(self);
    return err;
}

asy_error *
protocol_resume_writing(asy_protocol *self)
{
    TRY(protocol_check(self, "resume_writing"));
    if (!self->methods->resume_writing)
        return ASY_OK;
    asy_protocol_ref(self);
    asy_error *err = self->methods->resume_writing(self);
    asy_protocol_unref(self);
    return err;
}

asy_error *
protocol_data_received(asy_protocol *self, const void *data, size_t size)
{
    TRY(protocol_check(self, "data_received"));
    if (!self->methods->data_received)
        return ASY_OK;
    asy_protocol_ref(self);
    asy_error *err = self->methods->data_received(self, data, size);
    asy_protocol_unref(self);
    return err;
}

asy_error *
protocol_eof_received(asy_protocol *self, bool *ret_keep_open)
{
    TRY(protocol_check(self, "eof_received"));
    if (!self->methods->eof_received)
        return ASY_OK;
    asy_protocol_ref(self);
    asy_error *err = self->methods->eof_received(self, ret_keep_open);
    asy_protocol_unref(self);
    return err;
}
