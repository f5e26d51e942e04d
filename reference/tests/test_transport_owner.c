/* SPDX-License-Identifier: MIT */
/* A transport that belongs to an object of a host, and protocols of one. */
#include "pipe_trace.h"

#include <unistd.h>

/* ---- hosts -------------------------------------------------------------------------------- */

struct owner {
    int            refs;
    int            closes;
    asy_transport *transport;
};

static void
owner_ref(void *argument)
{
    ((struct owner *)argument)->refs++;
}

static void
owner_unref(void *argument)
{
    ((struct owner *)argument)->refs--;
}

static char *
owner_describe(void *argument)
{
    (void)argument;
    return asy_format("<mine>");
}

static char *
owner_describe_callback(void *argument, const char *method, asy_error *exc)
{
    (void)argument;
    return asy_format("mine.%s(%s)", method, exc ? "exc" : "None");
}

static asy_error *
owner_close(void *argument, asy_error *handled)
{
    struct owner *owner = argument;
    const int *fd = asy_transport_get_extra_info(owner->transport, "pipe", NULL);

    assert_null(handled);
    owner->closes++;
    close(*fd);
    RAISE(LookupError, "when closing");
}

static const asy_transport_owner owner_methods = {
    .ref = owner_ref,
    .unref = owner_unref,
    .describe = owner_describe,
    .describe_callback = owner_describe_callback,
};

static int
count_references(asy_handle *handle, void *argument)
{
    int *counts = argument;
    asy_transport *transport;
    asy_protocol *protocol;
    asy_error *exc;

    if (asy_handle_get_transport(handle, &transport, &protocol, &exc)) {
        counts[0]++;
        counts[1] += protocol != NULL;
    }
    return 0;
}

static void
require_references(struct testing *t, struct owner *owner, struct witness *witness)
{
    int counts[2] = { 0, 0 };

    asy_loop_visit(t->loop, count_references, counts);
    assert_int_equal(owner->refs, counts[0]);
    assert_int_equal(witness->refs, counts[1] + 1);
}

/* What a collector is shown is all there is. */
static void
references_to_an_owner_are_those_of_handles(void **state)
{
    struct testing *t = *state;
    struct owner owner = { 0 };
    struct witness *witness = witness_new(t, "");
    int fds[2];

    new_pipe(fds);
    asy_pipe pipe = { fds[0], owner_close, &owner };
    require_ok(asy_read_pipe_transport_new(t->loop, &pipe, &witness->protocol, &owner_methods,
                                           &owner, &owner.transport));
    assert_int_equal(owner.refs, 2);
    require_references(t, &owner, witness);
    trace_run(t, 1);
    require_references(t, &owner, witness);
    assert_int_equal(owner.refs, 1);
    assert_ptr_equal(asy_transport_get_owner(owner.transport), &owner);
    char *text = asy_transport_describe(owner.transport);
    assert_string_equal(text, "<mine>");
    asy_free(text);
    close(fds[1]);
    trace_run(t, 1);
    require_references(t, &owner, witness);
    assert_int_equal(owner.refs, 2);
    trace_reports(t);
    trace_run(t, 1);
    require_trace(t, "1:made 3:eof 3:lost 3:report:Exception in callback mi");
    assert_int_equal(owner.closes, 1);
    assert_int_equal(owner.refs, 0);
    asy_transport_free(owner.transport);
    assert_int_equal(owner.closes, 1);
    witness_end(witness);
}

/* ---- methods that are looked up when they are queued -------------------------------------- */

static asy_error *
bind_to_second(asy_protocol *protocol, asy_loop *loop, const char *method,
               asy_protocol **ret_bound)
{
    struct witness *self = (struct witness *)protocol;

    assert_ptr_equal(loop, self->t->loop);
    trace_note(self->t, "bind:%s", method);
    if (!self->second)
        RAISE(AttributeError, "no %s", method);
    *ret_bound = asy_protocol_ref(&self->second->protocol);
    return ASY_OK;
}

static void
queued_calls_are_of_what_was_bound(void **state)
{
    struct testing *t = *state;
    struct witness *first = witness_new(t, "first:"), *second = witness_new(t, "second:");
    asy_protocol_methods methods = witness_methods;
    asy_transport *transport;
    int fds[2];

    methods.bind = bind_to_second;
    first->protocol.methods = &methods;
    first->second = second;
    new_pipe(fds);
    const asy_pipe pipe = { .fd = fds[0] };
    require_ok(asy_read_pipe_transport_new(t->loop, &pipe, &first->protocol, NULL, NULL,
                                           &transport));
    trace_run(t, 1);
    put(fds[1], "abc");
    trace_run(t, 1);
    close(fds[1]);
    trace_run(t, 2);
    require_trace(t, "0:bind:connection_made 1:second:made 2:first:data=abc 3:bind:eof_received "
                     "4:second:eof 4:first:lost");
    asy_transport_unref(transport);
    witness_end(first);
    witness_end(second);
}

/* As where CPython's transport is not made, or goes no further. */
static void
method_that_is_not_found_is_an_error_before_anything_is_queued(void **state)
{
    struct testing *t = *state;
    struct witness *witness = witness_new(t, ""), *second = witness_new(t, "second:");
    asy_protocol_methods methods = witness_methods;
    asy_transport *transport;
    int fds[2];

    methods.bind = bind_to_second;
    witness->protocol.methods = &methods;
    new_pipe(fds);
    const asy_pipe pipe = { .fd = fds[0] };
    require_error(asy_read_pipe_transport_new(t->loop, &pipe, &witness->protocol, NULL, NULL,
                                              &transport),
                  ASY_AttributeError, "no connection_made");
    assert_int_equal(witness->refs, 0);
    witness->second = second;
    require_ok(asy_read_pipe_transport_new(t->loop, &pipe, &witness->protocol, NULL, NULL,
                                           &transport));
    witness->second = NULL;
    trace_run(t, 1);
    close(fds[1]);
    trace_reports(t);
    trace_run(t, 2);
    require_trace(t, "0:bind:connection_made 0:bind:connection_made 1:second:made "
                     "2:bind:eof_received 2:report:Exception in callback No");
    assert_true(asy_transport_is_closing(transport) && !asy_transport_is_closed(transport));
    asy_transport_unref(transport);
    witness_end(witness);
    witness_end(second);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        pipe_case(references_to_an_owner_are_those_of_handles),
        pipe_case(queued_calls_are_of_what_was_bound),
        pipe_case(method_that_is_not_found_is_an_error_before_anything_is_queued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
