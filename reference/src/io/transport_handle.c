/* SPDX-License-Identifier: MIT */
/*
 * The handles of transports: a method of the transport or of its protocol, and the context in which
 * it runs.
 *
 * Each reference to such a handle holds one to all that the handle refers to: the transport, the
 * protocol, the exception and the context. So a garbage collector, which is shown each reference
 * that the loop has to a handle, may take it for one from the loop to these four.
 */
#include "base/alloc.h"
#include "io/transport_impl.h"

struct transport_handle {
    asy_handle                handle;       /* first; it holds a reference to the loop */
    int                       refs;
    struct transport_callback callback;
    void                     *context;
};

static struct transport_handle *
from_handle(asy_handle *handle)
{
    return (struct transport_handle *)handle;
}

/* ---- what the loop asks ---------------------------------------------------------- */

static asy_error *
call(void *argument)
{
    const struct transport_handle *self = argument;
    return self->callback.function(&self->callback);
}

static asy_error *
run(asy_handle *handle)
{
    struct transport_handle *self = from_handle(handle);
    return host_context_run(handle->loop, self->context, call, self);
}

static void
ref(asy_handle *handle)
{
    struct transport_handle *self = from_handle(handle);

    self->refs++;
    asy_transport_ref(self->callback.transport);
    asy_protocol_ref(self->callback.protocol);
    asy_error_ref(self->callback.exc);
    host_context_ref(handle->loop, self->context);
}

/* The transport goes last: it keeps the loop alive, and may be what keeps the host's. */
static void
unref(asy_handle *handle)
{
    struct transport_handle *self = from_handle(handle);
    struct transport_callback callback = self->callback;
    void *context = self->context;
    asy_loop *loop = handle->loop;

    self->refs--;
    if (self->refs == 0) {
        asy_free(self);
        asy_loop_unref(loop);
    }
    host_context_unref(loop, context);
    asy_error_unref(callback.exc);
    asy_protocol_unref(callback.protocol);
    asy_transport_unref(callback.transport);
}

static void *
context(asy_handle *handle)
{
    return from_handle(handle)->context;
}

static char *
describe_protocol_callback(const struct transport_callback *callback)
{
    const asy_protocol_methods *methods = callback->protocol->methods;

    if (!methods->describe_callback)
        return NULL;
    return methods->describe_callback(callback->protocol, callback->name, callback->transport);
}

static char *
describe_transport_callback(const struct transport_callback *callback)
{
    const asy_transport_owner *methods = callback->transport->owner_methods;

    if (!methods || !methods->describe_callback)
        return NULL;
    return methods->describe_callback(callback->transport->owner, callback->name, callback->exc);
}

static char *
describe_method(asy_handle *handle)
{
    const struct transport_callback *callback = &from_handle(handle)->callback;
    char *text = callback->protocol ? describe_protocol_callback(callback)
                                    : describe_transport_callback(callback);
    if (text)
        return text;
    return asy_format("%s.%s()",
                      callback->protocol ? "Protocol" : callback->transport->methods->name,
                      callback->name);
}

/* CPython: _format_callback_source. A callback that has ended the watching of its descriptor has
 * cancelled its own handle, which has forgotten it. */
static char *
describe_callback(asy_handle *handle)
{
    return handle_is_cancelled(handle) ? asy_format("None()") : describe_method(handle);
}

/* CPython: Handle._repr_info; debug mode keeps the text. */
static char *
describe(asy_handle *handle)
{
    bool cancelled = handle_is_cancelled(handle);

    if (cancelled && !asy_loop_get_debug(handle->loop))
        return asy_format("<Handle cancelled>");
    char *callback = describe_method(handle);
    char *text = asy_format("<Handle%s %s>", cancelled ? " cancelled" : "", callback);
    asy_free(callback);
    return text;
}

static const asy_handle_ops transport_handle_ops = {
    .run = run,
    .ref = ref,
    .unref = unref,
    .context = context,
    .describe = describe,
    .describe_callback = describe_callback,
};

/* see transport.h */
bool
asy_handle_get_transport(const asy_handle *handle, asy_transport **ret_transport,
                         asy_protocol **ret_protocol, asy_error **ret_exc)
{
    const struct transport_handle *self = (const struct transport_handle *)handle;

    if (handle->ops != &transport_handle_ops)
        return false;
    *ret_transport = self->callback.transport;
    *ret_protocol = self->callback.protocol;
    *ret_exc = self->callback.exc;
    return true;
}

/* ---- making them ----------------------------------------------------------------- */

static asy_handle *
transport_handle_new(asy_loop *loop, const struct transport_callback *callback)
{
    struct transport_handle *self = asy_alloc(sizeof *self);

    asy_handle_init(&self->handle, &transport_handle_ops, asy_loop_ref(loop));
    self->refs = 1;
    self->callback = *callback;
    asy_transport_ref(callback->transport);
    asy_protocol_ref(callback->protocol);
    asy_error_ref(callback->exc);
    self->context = host_context_copy_current(loop);
    return &self->handle;
}

void
transport_queue(asy_loop *loop, const struct transport_callback *callback)
{
    asy_handle *handle = transport_handle_new(loop, callback);

    asy_loop_add_handle(loop, handle);
    asy_handle_unref(handle);
}

asy_error *
transport_call_soon(asy_loop *loop, const struct transport_callback *callback)
{
    TRY(asy_loop_check_call(loop));
    transport_queue(loop, callback);
    return ASY_OK;
}

asy_error *
transport_watch(asy_loop *loop, int fd, unsigned event, const struct transport_callback *callback)
{
    asy_handle *handle = transport_handle_new(loop, callback);
    asy_error *err = loop_add_watch(loop, fd, event, handle);
    asy_handle_unref(handle);
    return err;
}

/* ---- methods of the protocol ----------------------------------------------------- */

static asy_error *
call_connection_made(const struct transport_callback *self)
{
    return protocol_connection_made(self->protocol, self->transport);
}

asy_error *
transport_bind_connection_made(asy_loop *loop, asy_protocol *protocol, asy_protocol **ret_bound)
{
    TRY(protocol_bind(protocol, loop, "connection_made", ret_bound));
    asy_error *err = asy_loop_check_call(loop);
    if (err)
        *ret_bound = asy_protocol_unref(*ret_bound);
    return err;
}

/* The protocol is the one of now, even if there is another when the handle runs. */
void
transport_queue_connection_made(asy_transport *self, asy_protocol *bound)
{
    transport_queue(self->loop, &(struct transport_callback){
        call_connection_made, "connection_made", self, bound, NULL });
    asy_protocol_unref(bound);
}

static asy_error *
call_eof_received(const struct transport_callback *self)
{
    bool keep_open = false;
    return protocol_eof_received(self->protocol, &keep_open);
}

asy_error *
transport_call_eof_received(asy_transport *self)
{
    asy_protocol *bound;

    TRY(protocol_check(self->protocol, "eof_received"));
    TRY(protocol_bind(self->protocol, self->loop, "eof_received", &bound));
    asy_error *err = transport_call_soon(self->loop, &(struct transport_callback){
        call_eof_received, "eof_received", self, bound, NULL });
    asy_protocol_unref(bound);
    return err;
}
