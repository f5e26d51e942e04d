# SPDX-License-Identifier: MIT
"""time: the loop's own clock."""

import time

from loopcheck_target import scenario


@scenario(statements=["time.float"])
def time_is_a_float(loop, trace):
    """time() returns a float, before a run and in a callback."""

    def callback():
        trace("in a callback", type(loop.time()))
        loop.stop()

    trace("before the run", type(loop.time()))
    loop.call_soon(callback)
    loop.run_forever()


@scenario(statements=["time.monotonic"])
def time_never_goes_back(loop, trace, T):
    """No reading of time() is smaller than an earlier one, before, during and after a run."""
    readings = []

    def look():
        readings.extend(loop.time() for _ in range(10))

    now = loop.time()
    look()
    loop.call_soon(look)
    for ticks in (1, 3, 5):
        loop.call_at(now + ticks * T, look)
    loop.call_at(now + 10 * T, loop.stop)
    loop.run_forever()
    look()
    trace("readings", len(readings), readings == sorted(readings), readings[0] < readings[-1])


@scenario(statements=["time.advances"])
def time_passes_in_seconds(loop, trace, T):
    """Between two timers time() has advanced by as many seconds as any other clock says."""

    def first():
        outer = time.monotonic()
        marks.extend([outer, loop.time(), time.monotonic()])

    def second():
        before = time.monotonic()
        now = loop.time()
        least, most = before - marks[2], time.monotonic() - marks[0]
        # Between what the system's clock counted inside and outside, give or take a coarse clock's tick.
        trace("advanced", least - 0.002 <= now - marks[1] <= most + 0.002)
        loop.stop()

    marks = []
    now = loop.time()
    loop.call_at(now + T, first)
    loop.call_at(now + 30 * T, second)
    loop.run_forever()


@scenario(statements=["time.advances"])
def time_passes_while_a_callback_runs(loop, trace, T):
    """A callback can measure its own duration by time(), which is not that of the iteration's beginning."""

    def callback():
        start = loop.time()
        time.sleep(5 * T)
        trace("measured its duration", loop.time() - start > 4 * T)
        loop.stop()

    loop.call_soon(callback)
    loop.run_forever()


@scenario(statements=["time.not-wall-clock"])
def time_is_not_the_wall_clock(loop, trace):
    """time() is a clock of its own, which does not count from where time.time() does."""
    trace("a day apart at least", abs(loop.time() - time.time()) > 86400)
