# SPDX-License-Identifier: MIT
"""call_at: a moment on the loop's own clock instead of a delay."""

import functools
import time

from loopcheck_target import scenario

NEEDS = ["timers/timer_runs_exactly_once"]  # each scenario of this file


def run_for(loop, seconds):
    """Run the loop for a bounded time."""
    loop.call_later(seconds, loop.stop)
    loop.run_forever()


def attempt(trace, name, function):
    """Trace whether function() was refused, and with which class of exception."""
    try:
        function()
        trace(name, "accepted")
    except Exception as exc:
        trace(name, type(exc))  # the text is often that of Python's own check of arguments


@scenario(statements=["call_at.absolute"])
def call_at_runs_when_the_clock_is_there(loop, trace, T):
    """The callback runs when time() has reached the given moment."""

    def callback(name, when, due):
        trace(name, loop.time() > when - 0.002, due=due)  # a clock may be as coarse as a millisecond

    real, now = time.monotonic(), loop.time()  # in this order, lest a callback seem early
    for ticks in (2, 5, 20):
        name = f"after {ticks} ticks"
        loop.call_at(now + ticks * T, callback, name, now + ticks * T, real + ticks * T)
    run_for(loop, 40 * T)
    trace("stopped")


@scenario(statements=["call_at.int-or-float"])
def moment_may_be_an_int_or_a_float(loop, trace):
    """The moment may be an int or a float, on the same clock both."""
    real, now = time.monotonic(), loop.time()
    for name, when in (("int", int(now) + 2), ("float", now + 3.0)):
        due = real + (when - now)
        loop.call_at(when, functools.partial(trace, name, due=due))
    run_for(loop, 4)
    trace("stopped")


@scenario(statements=["call_at.same-clock"])
def call_at_and_call_later_share_a_clock(loop, trace, T):
    """call_at(time() + delay) and call_later(delay) come due together: both kinds are in one order."""
    now = loop.time()
    loop.call_at(now + 2 * T, trace, "call_at, 2 ticks")
    loop.call_later(4 * T, trace, "call_later, 4 ticks")
    loop.call_at(loop.time() + 6 * T, trace, "call_at, 6 ticks")
    loop.call_later(8 * T, trace, "call_later, 8 ticks")
    run_for(loop, 30 * T)
    trace("stopped")


@scenario(statements=["call_at.as-call_later"])
def call_at_passes_positional_arguments(loop, trace, T):
    """As for call_later(), positional arguments are handed to the callback and keywords are refused."""

    def callback(*args, **kwargs):
        trace("called with", args, kwargs)

    now = loop.time()
    attempt(trace, "keyword", lambda: loop.call_at(now + T, callback, 1, end=""))
    loop.call_at(now + 2 * T, callback)
    loop.call_at(now + 4 * T, callback, 1, None, ["two"])
    loop.call_at(now + 6 * T, functools.partial(callback, 1, end=""), 2)
    run_for(loop, 20 * T)


@scenario(statements=["call_at.none-rejected"])
def moment_of_none_is_refused(loop, trace, T):
    """A moment of None raises TypeError at once, and schedules nothing."""
    attempt(trace, "None", lambda: loop.call_at(None, trace, "ran"))
    run_for(loop, 2 * T)
    trace("stopped")


@scenario(statements=["call_at.no-day-limit"])
def moment_may_be_more_than_a_day_away(loop, trace, T):
    """A moment many days away is accepted, does not come early, and does not disturb the other timers."""
    real, now = time.monotonic(), loop.time()
    far = [loop.call_at(now + days * 86400, trace, f"{days} days") for days in (2, 25, 50, 20000)]
    loop.call_at(now + 2 * T, functools.partial(trace, "near", due=real + 2 * T))
    run_for(loop, 20 * T)
    for handle in far:
        handle.cancel()
    trace("stopped")
