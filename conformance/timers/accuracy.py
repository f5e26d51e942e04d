# SPDX-License-Identifier: MIT
"""How exact timers are: after a pause, under load, below a millisecond, beyond a day."""

import functools
import time

from loopcheck_target import scenario

NEEDS = ["timers/timer_runs_exactly_once"]  # each scenario of this file


def run_for(loop, seconds):
    """Run the loop for a bounded time."""
    loop.call_later(seconds, loop.stop)
    loop.run_forever()


@scenario(statements=["call_later.after-delay"])
def delay_counts_from_the_call(loop, trace, T):
    """The delay counts from the moment of the call, not from when the iteration or the run began."""

    def schedule(name):
        time.sleep(10 * T)  # whoever looks at the clock only once per iteration takes the time of before this
        due = time.monotonic() + 2 * T
        loop.call_later(2 * T, functools.partial(trace, name, due=due))

    schedule("before the run")
    loop.call_later(20 * T, schedule, "in a callback")
    run_for(loop, 60 * T)
    trace("stopped")


@scenario(statements=["call_later.blocked-loop-delays"])
def busy_callback_makes_timers_late(loop, trace, T):
    """Timers that become due while a callback blocks the loop run after it, in their order."""

    def blocking():
        trace("blocking")
        time.sleep(10 * T)
        trace("no longer blocking")

    now = loop.time()
    loop.call_at(now + 4 * T, trace, "due later")
    loop.call_at(now + 3 * T, trace, "due first")
    loop.call_at(now + T, blocking)
    run_for(loop, 50 * T)
    trace("stopped")


@scenario(
    basis="observed: a timeout that comes too early finds its deadline not reached, and goes wrong or spins"
)
def fractions_of_a_millisecond_are_waited_for(loop, trace, T):
    """A waiting time is never rounded down, not even to a millisecond: the callback is not early at all."""

    def callback(name, due):
        trace(name, time.monotonic() >= due)

    for ticks in (2, 4, 6):
        delay = ticks * T + 0.0004
        loop.call_later(delay, callback, f"after {ticks} ticks and a bit", time.monotonic() + delay)
    run_for(loop, 20 * T)
    trace("stopped")


@scenario(statements=["call_later.order-by-deadline"])
def deadlines_within_a_millisecond_keep_their_order(loop, trace, T):
    """Deadlines less than a millisecond apart, too close for many pollers, are in order all the same."""
    now = loop.time()
    for number in (3, 1, 2):
        loop.call_at(now + T + number * T / 200, trace, f"timer {number}")
    run_for(loop, 20 * T)
    trace("stopped")


@scenario(statements=["call_later.no-day-limit", "call_at.no-day-limit"])
def delay_may_be_longer_than_a_day(loop, trace, T):
    """A delay of many days is accepted, does not run early, and does not disturb the other timers."""
    earliest = loop.time() + 10**7
    far = [loop.call_later(days * 86400, trace, f"{days} days") for days in (2, 25, 50, 20000)]
    far.append(loop.call_later(10**7, trace, "ten million seconds"))
    trace("when", earliest - 0.01 <= far[-1].when() <= loop.time() + 10**7 + 0.01)
    loop.call_later(2 * T, functools.partial(trace, "near", due=time.monotonic() + 2 * T))
    run_for(loop, 20 * T)
    for handle in far:
        handle.cancel()
    trace("stopped")
