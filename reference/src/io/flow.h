/* SPDX-License-Identifier: MIT */
/*
 * Flow control of writing, shared by all transports that write: when the protocol is told to pause,
 * and to go on. CPython: transports._FlowControlMixin.
 *
 * Who writes calls flow_maybe_pause() whenever its buffer has grown, and flow_maybe_resume() when
 * it has shrunk: whenever that is, or, as pipes do in CPython, only when nothing is left.
 */
#ifndef IO_FLOW_H
#define IO_FLOW_H

#include <asy/error.h>
#include <asy/types.h>

struct flow {
    bool    protocol_paused;
    int64_t high_water;             /* more than this in the buffer: pause */
    int64_t low_water;              /* not more than this: resume; at most high_water */
};

/* The default limits. */
void flow_init(struct flow *flow);

/* Limits, as for asy_transport_set_write_buffer_limits(), without looking at the buffer.
 *
 * Raises   ValueError; then the limits are what they were.
 */
asy_error *flow_set_limits(struct flow *flow, const int64_t *high,
                           const int64_t *low) ASY_MUST_CHECK;

/* Of a transport that has a flow. What the protocol raises is reported; only a fatal error comes
 * back. They may run anything. */
asy_error *flow_maybe_pause(asy_transport *transport) ASY_MUST_CHECK;
asy_error *flow_maybe_resume(asy_transport *transport) ASY_MUST_CHECK;

#endif
