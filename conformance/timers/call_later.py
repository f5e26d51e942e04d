# SPDX-License-Identifier: MIT
"""call_later: when the callback runs, in which order, with which arguments."""

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


@scenario(statements=["call_later.after-delay"])
def timer_runs_after_its_delay(loop, trace, T):
    """The callback runs once the delay has passed: not earlier, and not much later."""
    for ticks in (2, 5, 20):
        due = time.monotonic() + ticks * T
        loop.call_later(ticks * T, functools.partial(trace, f"after {ticks} ticks", due=due))
    run_for(loop, 40 * T)
    trace("stopped")


@scenario(statements=["call_later.int-or-float"])
def delay_may_be_an_int_or_a_float(loop, trace, T):
    """The delay may be an int or a float, in seconds both."""
    for name, delay in (("float", 0.5), ("int", 1)):
        due = time.monotonic() + delay
        loop.call_later(delay, functools.partial(trace, name, due=due))
    run_for(loop, 1.5)
    trace("stopped")


@scenario(statements=["call_later.args", "call_later.no-keywords"])
def call_later_passes_positional_arguments(loop, trace, T):
    """Positional arguments are handed to the callback; keywords are refused, functools.partial binds them."""

    def callback(*args, **kwargs):
        trace("called with", args, kwargs)

    attempt(trace, "keyword", lambda: loop.call_later(T, callback, 1, end=""))
    loop.call_later(2 * T, callback)
    loop.call_later(4 * T, callback, 1, None, ["two"])
    loop.call_later(6 * T, functools.partial(callback, 1, end=""), 2)
    run_for(loop, 20 * T)


@scenario(statements=["call_later.exactly-once"])
def timer_runs_exactly_once(loop, trace, T):
    """A timer runs once, though the loop goes on and is run again long after it."""
    loop.call_later(T, trace, "timer")
    for ticks in (3, 5, 7):
        loop.call_later(ticks * T, trace, f"{ticks} ticks")
    run_for(loop, 20 * T)
    trace("stopped")
    run_for(loop, 20 * T)
    trace("stopped again")


@scenario(statements=["call_later.exactly-once"])
def timers_of_the_same_moment_all_run(loop, trace, T):
    """Timers due at exactly the same time run in any order, but each of them runs, and once."""
    any_order = trace.unordered()
    when = loop.time() + T
    for number in range(5):
        loop.call_at(when, any_order, f"timer {number}")
    run_for(loop, 20 * T)
    trace("stopped")


@scenario(statements=["call_later.order-by-deadline"])
def timers_run_in_the_order_of_their_deadlines(loop, trace, T):
    """Timers run in the order of their deadlines, whatever the order of scheduling."""
    seen = []
    now = loop.time()
    for number in range(40):
        ticks = 1 + number * 27 % 40  # every number from 1 to 40, shuffled
        loop.call_at(now + ticks * T, seen.append, ticks)
    loop.call_at(now + 30.5 * T, lambda: trace("after 30 ticks", seen == list(range(1, 31))))
    run_for(loop, 60 * T)
    trace("stopped", len(seen), seen == sorted(seen))


@scenario(basis="observed: programs stop and run a loop again, in tests above all, with timers still pending")
def timer_outlives_the_run(loop, trace, T):
    """A timer that is pending when the loop stops runs in the next run; if it is overdue, at its start."""
    real, now = time.monotonic(), loop.time()
    loop.call_at(now + 20 * T, trace, "overdue")
    loop.call_at(now + 100 * T, functools.partial(trace, "pending", due=real + 100 * T))
    run_for(loop, T)
    trace("first run")
    time.sleep(40 * T)
    loop.call_soon(loop.stop)
    loop.run_forever()
    trace("second run")
    run_for(loop, 150 * T)
    trace("third run")


@scenario(statements=["call_later.none-rejected"])
def delay_of_none_is_refused(loop, trace, T):
    """A delay of None raises TypeError at once, and schedules nothing."""
    attempt(trace, "None", lambda: loop.call_later(None, trace, "ran"))
    run_for(loop, 2 * T)
    trace("stopped")


@scenario(statements=["example.date"])
def example_calls_itself_each_second(loop, trace):
    """The documentation's example: a callback schedules itself each second, and stops the loop after five."""

    def display_date(end_time, due):
        trace("date", due=due)
        if loop.time() + 1.0 < end_time:
            loop.call_later(1, display_date, end_time, time.monotonic() + 1)
        else:
            loop.stop()

    loop.call_soon(display_date, loop.time() + 5.0, None)
    loop.run_forever()
    trace("stopped")
