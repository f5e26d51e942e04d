# SPDX-License-Identifier: MIT
"""Cancelled timers: they never run, and the others run as if they had never been."""

import functools
import time

from loopcheck_target import scenario

NEEDS = ["timers/timer_runs_exactly_once"]  # each scenario of this file


def run_for(loop, seconds):
    """Run the loop for a bounded time."""
    loop.call_later(seconds, loop.stop)
    loop.run_forever()


@scenario(statements=["call_later.cancelled-not-run"])
def cancelled_timer_never_runs(loop, trace, T):
    """A timer cancelled before its deadline never runs, whether before the run or during it."""
    now = loop.time()
    before = loop.call_at(now + 2 * T, trace, "cancelled before the run")
    during = loop.call_at(now + 6 * T, trace, "cancelled during the run")
    loop.call_at(now + 8 * T, trace, "not cancelled")
    before.cancel()
    loop.call_at(now + 4 * T, during.cancel)
    run_for(loop, 30 * T)
    trace("stopped", before.cancelled(), during.cancelled())


@scenario(statements=["iteration.cancelled-timer-no-wait"])
def cancelled_earliest_timer_leaves_the_next_on_time(loop, trace, T):
    """With the earliest timer cancelled the loop waits for the next one, which is on time."""
    due = time.monotonic() + 6 * T
    earliest = loop.call_later(2 * T, trace, "earliest")
    loop.call_later(6 * T, functools.partial(trace, "next", due=due))
    earliest.cancel()
    run_for(loop, 30 * T)
    trace("stopped")


@scenario(statements=["iteration.cancelled-timer-no-wait"])
def many_cancelled_timers_leave_the_others_in_order(loop, trace, T):
    """Of a thousand timers nine in ten are cancelled, in no order; the others run, once each and in order."""
    seen = []
    now = loop.time()
    handles = {}
    for number in range(1000):
        place = number * 271 % 1000  # every number below 1000, shuffled
        handles[place] = loop.call_at(now + T + place * T / 20, seen.append, place)
    for place, handle in handles.items():
        if place % 10:
            handle.cancel()
    run_for(loop, 100 * T)
    trace("seen", seen == list(range(0, 1000, 10)), len(seen))


@scenario(statements=["Handle.cancel.same-batch"])
def due_timer_is_cancelled_by_what_runs_before_it(loop, trace, T):
    """Two timers are due together: the first cancels the second, which then does not run."""

    def first():
        trace("first", second.cancelled())
        second.cancel()

    now = loop.time()
    loop.call_at(now + T, first)
    second = loop.call_at(now + 2 * T, trace, "second")
    loop.call_at(now + 3 * T, trace, "third")
    loop.call_soon(time.sleep, 6 * T)
    run_for(loop, 50 * T)
    trace("stopped", second.cancelled())


@scenario(statements=["call_later.cancelled-not-run"])
def timer_is_put_off_by_cancelling_and_starting_again(loop, trace, T):
    """A timeout that is started anew at each sign of life comes once, after the last one."""
    handles = []

    def sign_of_life(name):
        trace(name)
        if handles:
            handles[-1].cancel()
        due = time.monotonic() + 5 * T
        handles.append(loop.call_later(5 * T, functools.partial(trace, "timeout", due=due)))

    now = loop.time()
    for ticks in (0, 3, 6, 9):
        loop.call_at(now + ticks * T, sign_of_life, f"alive at {ticks}")
    run_for(loop, 50 * T)
    trace("stopped", [handle.cancelled() for handle in handles])
