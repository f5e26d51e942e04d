# SPDX-License-Identifier: MIT
"""What scheduling costs on asy, beside asyncio and uvloop.

Each row is a small program that does one thing many times.  The loops take turns, in alternating order, and
what counts is the ratio of two runs that stood next to each other: a machine that is busy for a moment is busy
for both.
The table shows nanoseconds per operation for asyncio, which say little, and how many times as fast the others are,
median over the rounds, which says something.

    python bench.py [--rounds N] [--rows NAME ...]

with asy (and uvloop, if it is to be compared) on sys.path.
"""

import argparse
import asyncio
import gc
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asy

try:
    import uvloop
except ImportError:
    uvloop = None

MANY = 100_000
FEW = 20_000
PENDING = 1_000_000

Row = Callable[[Any], int]


def nothing() -> None:
    """Be called."""


# ---- rows: each runs a program on a loop and returns how many operations it did ---------------------------


def call_soon_queued(loop: Any) -> int:
    """Queue callbacks, then run them."""
    for _ in range(MANY):
        loop.call_soon(nothing)
    loop.call_soon(loop.stop)
    loop.run_forever()
    return MANY


def call_soon_chain(loop: Any) -> int:
    """A callback that schedules itself: one in each iteration."""
    left = MANY

    def again() -> None:
        nonlocal left
        left -= 1
        loop.call_soon(again if left else loop.stop)

    loop.call_soon(again)
    loop.run_forever()
    return MANY


def call_soon_wide(loop: Any) -> int:
    """A thousand callbacks that schedule themselves, each in every iteration."""
    left = MANY

    def again() -> None:
        nonlocal left
        left -= 1
        if left >= 1000:
            loop.call_soon(again)
        elif left == 0:
            loop.stop()

    for _ in range(1000):
        loop.call_soon(again)
    loop.run_forever()
    return MANY


def timers_cancelled(loop: Any) -> int:
    """Start timers and cancel each at once."""
    for _ in range(MANY):
        loop.call_later(1000, nothing).cancel()
    loop.call_soon(loop.stop)
    loop.run_forever()
    return MANY


def timers_fire(loop: Any) -> int:
    """Start timers and wait for all of them."""
    for index in range(MANY):
        loop.call_later(0.001 + index * 1e-9, nothing)
    loop.call_later(0.01, loop.stop)
    loop.run_forever()
    return MANY


def awaiting(body: Callable[[Any], Awaitable[int]]) -> Row:
    """Return a row that runs a coroutine function on the loop."""

    def row(loop: Any) -> int:
        return int(loop.run_until_complete(body(loop)))

    row.__doc__ = body.__doc__
    return row


async def sleep_zero(loop: Any) -> int:
    """sleep(0) in one task."""
    for _ in range(MANY):
        await asyncio.sleep(0)
    return MANY


async def sleep_zero_100(loop: Any) -> int:
    """sleep(0) in a hundred tasks."""

    async def worker() -> None:
        for _ in range(MANY // 100):
            await asyncio.sleep(0)

    await asyncio.gather(*(worker() for _ in range(100)))
    return MANY


async def future(loop: Any) -> int:
    """A future that call_soon() fulfils, awaited."""
    for _ in range(FEW):
        waited = loop.create_future()
        loop.call_soon(waited.set_result, None)
        await waited
    return FEW


async def task(loop: Any) -> int:
    """A task that does nothing, awaited."""

    async def body() -> None:
        pass

    for _ in range(FEW):
        await loop.create_task(body())
    return FEW


async def queue(loop: Any) -> int:
    """A queue of one place between two tasks."""
    handed: asyncio.Queue[int] = asyncio.Queue(1)

    async def producer() -> None:
        for number in range(FEW):
            await handed.put(number)

    async def consumer() -> None:
        for _ in range(FEW):
            await handed.get()

    await asyncio.gather(producer(), consumer())
    return FEW


async def threadsafe(loop: Any) -> int:
    """call_soon_threadsafe() from the loop's own thread, and an iteration."""
    for _ in range(FEW):
        loop.call_soon_threadsafe(nothing)
        await asyncio.sleep(0)
    return FEW


ROWS: dict[str, Row] = {
    "call_soon_queued": call_soon_queued,
    "call_soon_chain": call_soon_chain,
    "call_soon_wide": call_soon_wide,
    "timers_cancelled": timers_cancelled,
    "timers_fire": timers_fire,
    "sleep_zero": awaiting(sleep_zero),
    "sleep_zero_100": awaiting(sleep_zero_100),
    "future": awaiting(future),
    "task": awaiting(task),
    "queue": awaiting(queue),
    "threadsafe": awaiting(threadsafe),
}

FACTORIES: dict[str, Callable[[], Any]] = {"asyncio": asyncio.SelectorEventLoop, "asy": asy.new_event_loop}
if uvloop is not None:
    FACTORIES["uvloop"] = uvloop.new_event_loop


def timed(row: Row, loop: Any, clock: Callable[[], float]) -> float:
    """Return the seconds per operation of one run, on a clock."""
    start = clock()
    operations = row(loop)
    return (clock() - start) / operations


def cost(row: Row, factory: Callable[[], Any], clock: Callable[[], float], parts: int) -> float:
    """Return the seconds per operation of the quickest of so many runs on one loop."""
    loop = factory()
    try:
        gc.collect()
        return min(timed(row, loop, clock) for _ in range(parts))
    finally:
        loop.close()


def measure(
    row: Row, rounds: int, clock: Callable[[], float] = time.process_time, parts: int = 1
) -> dict[str, list[float]]:
    """Return the costs of each loop, round by round; the loops take turns, every other round backwards.

    The clock counts CPU time, unless another one is given.
    """
    costs: dict[str, list[float]] = {name: [] for name in FACTORIES}
    for number in range(rounds):
        names = list(FACTORIES) if number % 2 else list(FACTORIES)[::-1]
        for name in names:
            costs[name].append(cost(row, FACTORIES[name], clock, parts))
    return costs


def speed(costs: dict[str, list[float]], loop: str, peer: str) -> float:
    """Return how many times as fast a loop is as another: the median of the rounds' ratios."""
    return statistics.median(b / a for a, b in zip(costs[loop], costs[peer], strict=True))


def cost_with_pending(pending: int, calls: int, loops: int) -> float:
    """Return the CPU seconds of a call_later() on asy with so many timers pending already.

    Each new deadline is the earliest of all, so that its timer goes all the way up the heap.
    """
    seconds = 0.0
    for _ in range(loops):
        loop = asy.new_event_loop()
        for index in range(pending):
            loop.call_later(10_000_000 + index, nothing)
        start = time.process_time()
        for index in range(calls):
            loop.call_later(5_000_000 - index, nothing)
        seconds += time.process_time() - start
        loop.close()
    return seconds / (calls * loops)


def heap_growth() -> float:
    """Return how much dearer a call_later() is with a million timers pending than with a thousand, on asy."""
    return cost_with_pending(PENDING, 1000, 1) / cost_with_pending(1000, 100, 50)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="What scheduling costs on asy, asyncio and uvloop.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rows", nargs="*", default=list(ROWS), choices=list(ROWS))
    arguments = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, {arguments.rounds} rounds")
    print(f"{'row':18} {'asyncio ns':>10} {'asy / asyncio':>14} {'asy / uvloop':>13}")
    against_uvloop = []
    for name in arguments.rows:
        costs = measure(ROWS[name], arguments.rounds)
        asyncio_ns = statistics.median(costs["asyncio"]) * 1e9
        line = f"{name:18} {asyncio_ns:10.0f} {speed(costs, 'asy', 'asyncio'):14.2f}"
        if "uvloop" in costs:
            against_uvloop.append(speed(costs, "asy", "uvloop"))
            line += f" {against_uvloop[-1]:13.2f}"
        print(line, flush=True)
    if against_uvloop:
        print(f"{'median':18} {'':25} {statistics.median(against_uvloop):13.2f}")
    print(
        f"call_later with a million timers pending costs {heap_growth():.2f} times what it costs with a thousand"
    )


if __name__ == "__main__":
    main()
