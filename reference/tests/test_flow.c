/* SPDX-License-Identifier: MIT */
/* Flow control, with a transport whose buffer is what the test says. And the bytes that wait. */
#include "base/bytes.h"
#include "testing.h"

#include "io/transport_impl.h"

#include <string.h>

/* ---- a transport that only has a size ------------------------------------------------- */

struct fake {
    asy_transport transport;        /* first */
    struct flow   flow;
    size_t        size;
};

static size_t
get_size(const asy_transport *transport)
{
    return ((const struct fake *)transport)->size;
}

static struct flow *
get_flow(asy_transport *transport)
{
    return &((struct fake *)transport)->flow;
}

static bool
is_closed(const asy_transport *transport)
{
    (void)transport;
    return true;
}

static char *
describe_state(const asy_transport *transport)
{
    return asy_format("size=%zu", get_size(transport));
}

static void
deinit(asy_transport *transport)
{
    (void)transport;
}

static const struct transport_methods fake_methods = {
    .name = "Fake",
    .flow = get_flow,
    .get_write_buffer_size = get_size,
    .is_closed = is_closed,
    .describe_state = describe_state,
    .deinit = deinit,
};

struct listener {
    asy_protocol    protocol;       /* first */
    struct testing *t;
    asy_error_kind  raises;         /* 0, which is ASY_BaseException: nothing */
};

static asy_error *
note(asy_protocol *protocol, const char *what)
{
    struct listener *self = (struct listener *)protocol;

    testing_trace(self->t, what);
    return self->raises ? asy_error_new(self->raises, "%s raised", what) : ASY_OK;
}

static asy_error *
pause_writing(asy_protocol *protocol)
{
    return note(protocol, "pause");
}

static asy_error *
resume_writing(asy_protocol *protocol)
{
    return note(protocol, "resume");
}

static char *
describe(asy_protocol *protocol)
{
    (void)protocol;
    return asy_format("<listener>");
}

static const asy_protocol_methods listener_methods = {
    .pause_writing = pause_writing,
    .resume_writing = resume_writing,
    .describe = describe,
};

static struct fake *
fake_new(struct testing *t, struct listener *listener)
{
    struct fake *fake = asy_alloc(sizeof *fake);

    *listener = (struct listener){ { &listener_methods }, t, 0 };
    transport_init(&fake->transport, &fake_methods, t->loop, &listener->protocol, NULL, NULL);
    flow_init(&fake->flow);
    return fake;
}

static asy_error *
set_size(struct fake *fake, size_t size)
{
    bool grows = size > fake->size;

    fake->size = size;
    return grows ? flow_maybe_pause(&fake->transport) : flow_maybe_resume(&fake->transport);
}

/* ---- limits ------------------------------------------------------------------------------ */

static void
require_limits(struct fake *fake, int64_t expected_low, int64_t expected_high)
{
    int64_t low, high;

    require_ok(asy_transport_get_write_buffer_limits(&fake->transport, &low, &high));
    assert_int_equal(low, expected_low);
    assert_int_equal(high, expected_high);
}

#define LIMIT(number) (&(const int64_t){ number })

static void
set_limits(struct fake *fake, const int64_t *high, const int64_t *low)
{
    require_ok(asy_transport_set_write_buffer_limits(&fake->transport, high, low));
}

static void
limits_that_are_not_given_follow_from_the_other(void **state)
{
    struct listener listener;
    struct fake *fake = fake_new(*state, &listener);

    require_limits(fake, 16384, 65536);
    set_limits(fake, LIMIT(1000), NULL);
    require_limits(fake, 250, 1000);
    set_limits(fake, NULL, LIMIT(100));
    require_limits(fake, 100, 400);
    set_limits(fake, LIMIT(3), NULL);
    require_limits(fake, 0, 3);
    set_limits(fake, LIMIT(0), NULL);
    require_limits(fake, 0, 0);
    set_limits(fake, NULL, LIMIT(INT64_MAX / 2));
    require_limits(fake, INT64_MAX / 2, INT64_MAX);
    set_limits(fake, NULL, NULL);
    require_limits(fake, 16384, 65536);
    asy_transport_unref(&fake->transport);
}

static void
limits_that_make_no_sense_are_refused(void **state)
{
    struct listener listener;
    struct fake *fake = fake_new(*state, &listener);
    asy_transport *transport = &fake->transport;

    require_error(asy_transport_set_write_buffer_limits(transport, LIMIT(1), LIMIT(2)),
                  ASY_ValueError, "high (1) must be >= low (2) must be >= 0");
    require_error(asy_transport_set_write_buffer_limits(transport, LIMIT(-1), NULL),
                  ASY_ValueError, "high (-1) must be >= low (-1) must be >= 0");
    require_error(asy_transport_set_write_buffer_limits(transport, LIMIT(-8), NULL),
                  ASY_ValueError, "high (-8) must be >= low (-2) must be >= 0");
    require_error(asy_transport_set_write_buffer_limits(transport, NULL, LIMIT(-1)),
                  ASY_ValueError, "high (-4) must be >= low (-1) must be >= 0");
    require_error(asy_transport_set_write_buffer_limits(transport, LIMIT(INT64_MIN), NULL),
                  ASY_ValueError, "high (-9223372036854775808) must be >= low "
                                  "(-2305843009213693952) must be >= 0");
    require_limits(fake, 16384, 65536);
    asy_transport_unref(transport);
}

static void
pause_and_resume_alternate(void **state)
{
    struct testing *t = *state;
    struct listener listener;
    struct fake *fake = fake_new(t, &listener);

    set_limits(fake, LIMIT(10), LIMIT(5));
    require_ok(set_size(fake, 10));
    require_trace(t, "");
    require_ok(set_size(fake, 11));
    require_ok(set_size(fake, 12));
    require_trace(t, "pause");
    require_ok(set_size(fake, 6));
    require_trace(t, "");
    require_ok(set_size(fake, 5));
    require_ok(set_size(fake, 4));
    require_trace(t, "resume");
    asy_transport_unref(&fake->transport);
}

static void
lower_limits_pause_at_once(void **state)
{
    struct testing *t = *state;
    struct listener listener;
    struct fake *fake = fake_new(t, &listener);

    require_ok(set_size(fake, 100));
    set_limits(fake, LIMIT(100), LIMIT(0));
    require_trace(t, "");
    set_limits(fake, LIMIT(99), LIMIT(0));
    require_trace(t, "pause");
    set_limits(fake, LIMIT(1000), LIMIT(500));
    require_trace(t, "");
    require_ok(flow_maybe_resume(&fake->transport));
    require_trace(t, "resume");
    asy_transport_unref(&fake->transport);
}

/* ---- errors ------------------------------------------------------------------------------- */

static asy_error *
note_report(asy_loop *loop, const asy_report *report, void *argument)
{
    const struct fake *fake = argument;

    (void)loop;
    assert_ptr_equal(report->transport, &fake->transport);
    assert_ptr_equal(report->protocol, fake->transport.protocol);
    testing_trace(((struct listener *)fake->transport.protocol)->t, report->exception->message);
    return ASY_OK;
}

static void
what_the_protocol_raises_is_reported(void **state)
{
    struct testing *t = *state;
    struct listener listener;
    struct fake *fake = fake_new(t, &listener);

    listener.raises = ASY_LookupError;
    set_limits(fake, LIMIT(0), LIMIT(0));
    asy_loop_set_exception_handler(t->loop, note_report, fake, NULL);
    require_ok(set_size(fake, 1));
    require_ok(set_size(fake, 0));
    require_trace(t, "pause pause raised resume resume raised");
    asy_transport_unref(&fake->transport);
}

static void
default_handler_logs_transport_and_protocol(void **state)
{
    struct testing *t = *state;
    struct listener listener;
    struct fake *fake = fake_new(t, &listener);
    const asy_report report = { .message = "it", .protocol = &listener.protocol };

    require_ok(asy_loop_call_exception_handler(t->loop, &report));
    assert_string_equal(t->log, "ERROR it\nprotocol: <listener>\n");
    asy_transport_unref(&fake->transport);
}

static void
fatal_errors_of_the_protocol_come_back(void **state)
{
    struct testing *t = *state;
    struct listener listener;
    struct fake *fake = fake_new(t, &listener);

    listener.raises = ASY_KeyboardInterrupt;
    set_limits(fake, LIMIT(0), LIMIT(0));
    require_error(set_size(fake, 1), ASY_KeyboardInterrupt, "pause raised");
    require_error(set_size(fake, 0), ASY_KeyboardInterrupt, "resume raised");
    require_trace(t, "pause resume");
    asy_transport_unref(&fake->transport);
}

static void
protocol_without_the_methods_hears_nothing(void **state)
{
    static const asy_protocol_methods no_methods;
    struct testing *t = *state;
    struct listener listener;
    struct fake *fake = fake_new(t, &listener);
    asy_protocol protocol = { &no_methods };

    asy_transport_set_protocol(&fake->transport, &protocol);
    set_limits(fake, LIMIT(0), LIMIT(0));
    require_ok(set_size(fake, 1));
    require_ok(set_size(fake, 0));
    assert_string_equal(t->log, "");
    asy_transport_set_protocol(&fake->transport, NULL);
    require_ok(set_size(fake, 1));
    assert_non_null(strstr(t->log, "ERROR protocol.pause_writing() failed\n"
                                   "transport: <Fake size=1>\n"));
    asy_transport_unref(&fake->transport);
}

/* ---- bytes that wait ------------------------------------------------------------------------ */

static void
bytes_come_out_in_the_order_they_went_in(void **state)
{
    struct bytes bytes = { 0 };
    unsigned char next_in = 0, next_out = 0, piece[1000];

    (void)state;
    for (size_t i = 0; i < 3000; i++) {
        size_t size = (i * 7919) % 1000;
        for (size_t j = 0; j < size; j++)
            piece[j] = next_in++;
        bytes_add(&bytes, piece, size);
        size_t out = i % 3 == 0 ? bytes.count : bytes.count / 3;
        for (size_t j = 0; j < out; j++)
            assert_int_equal(((const unsigned char *)bytes_data(&bytes))[j], next_out++);
        bytes_remove(&bytes, out);
    }
    bytes_clear(&bytes);
    assert_int_equal(bytes.count, 0);
    assert_null(bytes_data(&bytes));
}

static void
bytes_take_an_eighth_more_memory_than_what_waited(void **state)
{
    struct bytes bytes = { 0 };
    static const char piece[100];

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        bytes_add(&bytes, piece, sizeof piece);
    for (size_t i = 0; i < 100000; i++) {
        bytes_remove(&bytes, 90);
        bytes_add(&bytes, piece, 90);
    }
    assert_true(bytes.capacity <= 100000 * 9 / 8);
    bytes_remove(&bytes, bytes.count);
    assert_int_equal(bytes.capacity, 0);
}

/* Asking the system for twice as much may be too much, where there is enough. */
static void
large_block_takes_as_much_memory_as_it_has_bytes(void **state)
{
    struct bytes bytes = { 0 };
    static const char block[100000];

    (void)state;
    bytes_add(&bytes, block, sizeof block);
    assert_int_equal(bytes.capacity, sizeof block);
    bytes_add(&bytes, block, 1);
    assert_true(bytes.capacity <= sizeof block * 9 / 8 + 2);
    bytes_add(&bytes, block, sizeof block);
    assert_int_equal(bytes.capacity, 2 * sizeof block + 1);
    bytes_clear(&bytes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        testing_case(limits_that_are_not_given_follow_from_the_other),
        testing_case(limits_that_make_no_sense_are_refused),
        testing_case(pause_and_resume_alternate),
        testing_case(lower_limits_pause_at_once),
        testing_case(what_the_protocol_raises_is_reported),
        testing_case(default_handler_logs_transport_and_protocol),
        testing_case(fatal_errors_of_the_protocol_come_back),
        testing_case(protocol_without_the_methods_hears_nothing),
        testing_case(bytes_come_out_in_the_order_they_went_in),
        testing_case(bytes_take_an_eighth_more_memory_than_what_waited),
        testing_case(large_block_takes_as_much_memory_as_it_has_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
