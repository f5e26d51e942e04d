# SPDX-License-Identifier: MIT
"""slow_callback_duration: in debug mode the loop logs what keeps it busy for too long."""

import asyncio
import logging
import socket
import time

from loopcheck_target import scenario


class Warnings(logging.Handler):
    """Traces the level of each record that the logger `asyncio` gets."""

    def __init__(self, trace):
        super().__init__()
        self.trace = trace.actor("logger")
        logging.getLogger("asyncio").addHandler(self)

    def emit(self, record):
        self.trace("record", record.levelname)


def busy(trace, duration):
    """Keep the loop busy for so many seconds."""
    time.sleep(duration)
    trace("was busy")


def run_busy_callback(loop, trace, duration):
    """Run a callback that takes so many seconds, and a quick one."""
    loop.call_soon(busy, trace, duration)
    loop.call_soon(trace, "quick")
    loop.call_soon(loop.stop)
    loop.run_forever()
    trace("stopped")


@scenario(statements=["slow_callback_duration.default"])
def slow_callback_duration_is_100_milliseconds(loop, trace):
    """slow_callback_duration is an attribute whose default is 0.1 seconds."""
    trace("default", loop.slow_callback_duration)


@scenario(statements=["slow_callback_duration.logs"], debug=True)
def slow_callback_is_logged(loop, trace, T):
    """In debug mode a callback that takes longer than the limit is logged, a quick one is not."""
    Warnings(trace)
    loop.slow_callback_duration = 5 * T
    run_busy_callback(loop, trace, 10 * T)


@scenario(statements=["slow_callback_duration.settable", "slow_callback_duration.logs"], debug=True)
def slow_callback_limit_can_be_raised(loop, trace, T):
    """slow_callback_duration can be set: what stays below the new limit is not logged."""
    Warnings(trace)
    loop.slow_callback_duration = 100 * T
    trace("limit", loop.slow_callback_duration == 100 * T)
    run_busy_callback(loop, trace, 10 * T)


@scenario(statements=["slow_callback_duration.needs-debug"])
def slow_callback_is_not_logged_without_debug(loop, trace, T):
    """Without debug mode nothing is logged, however slow a callback is."""
    Warnings(trace)
    loop.set_debug(False)
    loop.slow_callback_duration = 5 * T
    run_busy_callback(loop, trace, 10 * T)


@scenario(statements=["slow_callback_duration.logs"], debug=True)
def slow_timer_is_logged(loop, trace, T):
    """In debug mode a timer's callback that takes longer than the limit is logged."""
    Warnings(trace)
    loop.slow_callback_duration = 5 * T
    now = loop.time()
    loop.call_at(now + T, busy, trace, 10 * T)
    loop.call_at(now + 30 * T, loop.stop)
    loop.run_forever()
    trace("stopped")


@scenario(statements=["slow_callback_duration.logs"], debug=True)
def slow_reader_is_logged(loop, trace, T):
    """In debug mode a reader that takes longer than the limit is logged."""
    Warnings(trace)
    loop.slow_callback_duration = 5 * T
    ours, theirs = socket.socketpair()

    def readable():
        trace("read", ours.recv(10))
        busy(trace, 10 * T)

    loop.add_reader(ours.fileno(), readable)
    theirs.send(b"data")
    loop.call_later(30 * T, loop.stop)
    loop.run_forever()
    loop.remove_reader(ours.fileno())
    ours.close()
    theirs.close()


@scenario(statements=["slow_callback_duration.logs"], debug=True)
def slow_step_of_a_task_is_logged(loop, trace, T):
    """In debug mode a step of a task that takes longer than the limit is logged; waiting does not count."""
    Warnings(trace)
    loop.slow_callback_duration = 5 * T

    async def work():
        busy(trace, 10 * T)
        await asyncio.sleep(10 * T)
        trace("slept")

    loop.run_until_complete(work())
    trace("stopped")


@scenario(basis="observed: a loop that waits because it has nothing to do is not slow", debug=True)
def slow_poll_is_not_logged(loop, trace):
    """In debug mode, a loop that waits for two seconds without anything happening logs nothing of it."""
    Warnings(trace)
    logging.getLogger("asyncio").setLevel(logging.INFO)
    loop.call_later(2, loop.stop)
    loop.run_forever()
    trace("stopped")
