# SPDX-License-Identifier: MIT
"""Timers that are due at once: delays of zero and less, moments in the past; their order with call_soon."""

from loopcheck_target import scenario

NEEDS = ["timers/timer_runs_exactly_once"]  # each scenario of this file


def run_for(loop, seconds):
    """Run the loop for a bounded time."""
    loop.call_later(seconds, loop.stop)
    loop.run_forever()


@scenario(statements=["call_later.zero"])
def zero_delay_is_not_synchronous(loop, trace, T):
    """A timer with a delay of zero runs in an iteration to come, never inside call_later()."""

    def callback():
        loop.call_later(0, trace, "scheduled by a callback")
        trace("callback ends")

    loop.call_soon(callback)
    loop.call_later(0, trace, "scheduled before the run")
    trace("before the run")
    run_for(loop, 20 * T)
    trace("stopped")


@scenario(statements=["call_later.zero"])
def zero_delay_runs_after_queued_callbacks(loop, trace, T):
    """A delay of zero is no call_soon(): what is queued already runs first, even what was queued later."""
    loop.call_soon(trace, "queued before")
    loop.call_later(0, trace, "zero delay")
    loop.call_soon(trace, "queued after")
    run_for(loop, 20 * T)
    trace("stopped")


@scenario(statements=["call_later.negative"])
def negative_delay_runs_after_queued_callbacks(loop, trace, T):
    """A timer with a negative delay is due already: it runs in the next iteration, behind what is queued."""
    loop.call_soon(trace, "queued before")
    loop.call_later(-5, trace, "negative delay")
    loop.call_soon(trace, "queued after")
    run_for(loop, 20 * T)
    trace("stopped")


@scenario(statements=["call_at.past"])
def moment_in_the_past_runs_after_queued_callbacks(loop, trace, T):
    """A moment in the past means as soon as possible: in the next iteration, behind what is queued."""
    loop.call_soon(trace, "queued before")
    loop.call_at(loop.time() - 5, trace, "in the past")
    loop.call_soon(trace, "queued after")
    run_for(loop, 20 * T)
    trace("stopped")


@scenario(statements=["call_later.negative", "call_later.order-by-deadline"])
def past_deadlines_keep_their_order(loop, trace, T):
    """Timers that are overdue from the start still run in the order of their deadlines."""
    now = loop.time()
    loop.call_later(0, trace, "zero delay")
    for seconds in (1, 3, 2):
        loop.call_at(now - seconds, trace, f"due {seconds} s ago")
    loop.call_later(-4, trace, "a delay of -4 seconds")
    run_for(loop, 20 * T)
    trace("stopped")


@scenario(statements=["call_later.returns-TimerHandle"])
def zero_delay_returns_a_timer_handle(loop, trace, T):
    """call_later() returns a TimerHandle for every delay, zero and negative ones too."""
    now = loop.time()
    for name, handle in (
        ("positive", loop.call_later(T, trace, "positive delay")),
        ("zero", loop.call_later(0, trace, "zero delay")),
        ("negative", loop.call_later(-5, trace, "negative delay")),
    ):
        trace(name, type(handle))
        handle.cancel()
    trace("in the past", type(loop.call_at(now - 5, trace, "moment in the past")))
    run_for(loop, 20 * T)
    trace("stopped")
