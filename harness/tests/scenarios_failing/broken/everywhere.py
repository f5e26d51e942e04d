# SPDX-License-Identifier: MIT
"""Scenarios that are wrong themselves, on asyncio as on any other loop."""

import os

from loopcheck_target import scenario


@scenario(basis="observed: an exception of the scenario's own is its author's mistake")
def raises(loop, trace):
    """It raises."""
    raise ValueError("the author's mistake")


@scenario(basis="observed: a wait without end is its author's mistake")
def hangs(loop, trace):
    """It does not end."""
    trace("waiting")
    loop.run_forever()


@scenario(basis="observed: a process that ends is its author's mistake")
def exits(loop, trace):
    """It leaves the process."""
    trace("leaving")
    os._exit(3)


@scenario(basis="observed: a scenario without a loop tests none")
def makes_no_loop(trace):
    """It does not ask for a loop."""
    trace("nothing of a loop")


def different_every_time(loop, trace):
    """Trace something that no two processes have in common."""
    loop.call_soon(loop.stop)
    loop.run_forever()
    trace("process", os.getpid())


@scenario(statements=["call_soon.fifo-order"])
def is_random_1(loop, trace):
    """It is different every time."""
    different_every_time(loop, trace)


@scenario(statements=["call_soon.fifo-order"])
def is_random_2(loop, trace):
    """It is different every time."""
    different_every_time(loop, trace)


@scenario(statements=["call_soon.fifo-order"])
def is_random_3(loop, trace):
    """It is different every time."""
    different_every_time(loop, trace)


@scenario(statements=["call_soon.fifo-order"])
def is_random_4(loop, trace):
    """It is different every time."""
    different_every_time(loop, trace)
