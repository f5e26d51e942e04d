/* SPDX-License-Identifier: MIT */
/* See flow.h. */
#include "io/flow.h"

#include "io/transport_impl.h"

#define DEFAULT_HIGH_WATER (64 * 1024)

void
flow_init(struct flow *flow)
{
    flow->protocol_paused = false;
    flow->high_water = DEFAULT_HIGH_WATER;
    flow->low_water = DEFAULT_HIGH_WATER / 4;
}

/* value // 4, rounded down as Python does it. */
static int64_t
quarter(int64_t value)
{
    return value / 4 - (value % 4 < 0);
}

/* 4 * value; where that is too big, as much as there is. */
static int64_t
four_times(int64_t value)
{
    if (value > INT64_MAX / 4)
        return INT64_MAX;
    return value < INT64_MIN / 4 ? INT64_MIN : 4 * value;
}

/* CPython: _FlowControlMixin._set_write_buffer_limits */
asy_error *
flow_set_limits(struct flow *flow, const int64_t *high, const int64_t *low)
{
    int64_t high_water = high ? *high : low ? four_times(*low) : DEFAULT_HIGH_WATER;
    int64_t low_water = low ? *low : quarter(high_water);

    if (high_water < low_water || low_water < 0)
        RAISE(ValueError, "high (%lld) must be >= low (%lld) must be >= 0",
              (long long)high_water, (long long)low_water);
    flow->high_water = high_water;
    flow->low_water = low_water;
    return ASY_OK;
}

static bool
is_above(const asy_transport *transport, int64_t limit)
{
    return transport->methods->get_write_buffer_size(transport) > (uint64_t)limit;
}

/* What a method of the protocol has raised. */
static asy_error *
report(asy_transport *transport, const char *message, asy_error *exception)
{
    if (!exception || asy_error_is_fatal(exception))
        return exception;
    asy_error *err = transport_report(transport, message, exception);
    asy_error_unref(exception);
    return err;
}

/* CPython: _FlowControlMixin._maybe_pause_protocol */
asy_error *
flow_maybe_pause(asy_transport *transport)
{
    struct flow *flow = transport->methods->flow(transport);

    if (flow->protocol_paused || !is_above(transport, flow->high_water))
        return ASY_OK;
    flow->protocol_paused = true;
    return report(transport, "protocol.pause_writing() failed",
                  protocol_pause_writing(transport->protocol));
}

/* CPython: _FlowControlMixin._maybe_resume_protocol */
asy_error *
flow_maybe_resume(asy_transport *transport)
{
    struct flow *flow = transport->methods->flow(transport);

    if (!flow->protocol_paused || is_above(transport, flow->low_water))
        return ASY_OK;
    flow->protocol_paused = false;
    return report(transport, "protocol.resume_writing() failed",
                  protocol_resume_writing(transport->protocol));
}
