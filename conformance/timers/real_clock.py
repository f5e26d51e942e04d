# SPDX-License-Identifier: MIT
"""Timers in real time: what the kernel's own waiting does to them, which no virtual clock shows."""

import asyncio
import time

from loopcheck_target import scenario

NEEDS = ["timers/timer_runs_exactly_once"]  # each scenario of this file


@scenario(statements=["call_later.after-delay"], requires=["real-clock"])
def call_later_keeps_its_delay_in_real_time(loop, trace, T):
    """Also in real time a callback runs once its delay has passed: not before, and not much later."""

    def schedule(ticks):
        due = time.monotonic() + ticks * T
        loop.call_later(ticks * T, callback, ticks, due)

    def callback(ticks, due):
        trace(f"after {ticks} ticks", due=due)
        if ticks < 3:
            schedule(ticks + 1)
        else:
            loop.stop()

    schedule(1)
    loop.run_forever()


@scenario(statements=["call_at.absolute"], requires=["real-clock"])
def call_at_keeps_its_moment_in_real_time(loop, trace, T):
    """Also in real time a callback runs when time() has reached its moment: not before, and not much later."""

    def schedule(ticks):
        due = time.monotonic() + ticks * T  # looked at first, lest the callback seem early
        loop.call_at(loop.time() + ticks * T, callback, ticks, due)

    def callback(ticks, due):
        trace(f"after {ticks} ticks", due=due)
        if ticks < 3:
            schedule(ticks + 1)
        else:
            loop.stop()

    schedule(1)
    loop.run_forever()


@scenario(statements=["sleep.delay"], requires=["real-clock"])
async def sleep_keeps_its_delay_in_real_time(trace, T):
    """Also in real time sleep() lasts as long as its delay: not less, and not much more."""
    for ticks in (1, 2, 3):
        due = time.monotonic() + ticks * T
        await asyncio.sleep(ticks * T)
        trace(f"slept {ticks} ticks", due=due)


@scenario(
    basis="observed: who reads the clock in a timer's callback finds the deadline reached, needs no second wait",
    requires=["real-clock"],
)
def no_timer_is_early_at_all(loop, trace, T):
    """No callback runs before its deadline, not even by the fraction of a millisecond that a poller cuts off."""
    early = []
    for number in range(40):
        delay = T + number * 0.00074  # not in ticks: it is about fractions of a millisecond
        due = time.monotonic() + delay
        loop.call_later(delay, lambda due: early.append(time.monotonic() < due), due)
    loop.call_later(4 * T, loop.stop)
    loop.run_forever()
    trace("stopped", len(early))
    trace("some came early", any(early))
