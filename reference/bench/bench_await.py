# SPDX-License-Identifier: MIT
"""What awaiting costs in C, with asy's coroutines, beside Python's own.

Each row is the same small program in both languages: await.c, and the functions below, on asyncio.  The two take
turns, every other round backwards, and what counts is the ratio of two runs that stood next to each other.  The
times are CPU time, of all threads.  The second table is of tasks that all wait in asy_sleep(): what each of them
takes.

    python bench_await.py AWAIT [--rounds N]

AWAIT is the program made of await.c; build it with -DCMAKE_BUILD_TYPE=Release.
"""

import argparse
import asyncio
import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

TASKS = (1_000, 10_000, 100_000)

Program = Callable[[int], Awaitable[None]]


class Row(NamedTuple):
    """A program in Python, and how many operations are timed in each of the languages."""

    program: Program
    operations: int
    operations_c: int


async def nothing() -> None:
    """Return at once."""


async def empty(count: int) -> None:
    """Await a coroutine that returns at once."""
    for _ in range(count):
        await nothing()


async def sleep_zero(count: int) -> None:
    """Await sleep(0): let others run once."""
    for _ in range(count):
        await asyncio.sleep(0)


async def executor(count: int) -> None:
    """Await a job of the default executor that does nothing."""
    loop = asyncio.get_running_loop()
    for _ in range(count):
        await loop.run_in_executor(None, int)


ROWS: dict[str, Row] = {
    "empty": Row(empty, 200_000, 2_000_000),
    "sleep_zero": Row(sleep_zero, 200_000, 2_000_000),
    "executor": Row(executor, 2_000, 10_000),
}


def run_c(program: str, row: str, count: int) -> list[float]:
    """Return the numbers that await.c prints.  Raises CalledProcessError: it has failed, and said why."""
    finished = subprocess.run([program, row, str(count)], stdout=subprocess.PIPE, text=True, check=True)
    return [float(word) for word in finished.stdout.split()]


def cost_in_c(program: str, row: str) -> float:
    """Return nanoseconds per operation."""
    return run_c(program, row, ROWS[row].operations_c)[0]


def cost_in_python(row: str) -> float:
    """Return nanoseconds per operation."""
    count = ROWS[row].operations

    async def timed() -> float:
        start = time.process_time_ns()
        await ROWS[row].program(count)
        return (time.process_time_ns() - start) / count

    gc.collect()
    return asyncio.run(timed())


def measure(program: str, row: str, rounds: int) -> list[tuple[float, float]]:
    """Return what the row costs in C and in Python, round by round."""
    costs = []
    for number in range(rounds):
        if number % 2:
            ours = cost_in_c(program, row)
            theirs = cost_in_python(row)
        else:
            theirs = cost_in_python(row)
            ours = cost_in_c(program, row)
        costs.append((ours, theirs))
    return costs


def main() -> int:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description="What awaiting costs in C, beside Python.")
    parser.add_argument("program", metavar="AWAIT", help="the program made of await.c")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds wants a number of at least 1")
    print(f"Python {sys.version.split()[0]}, {arguments.rounds} rounds")
    print(f"{'row':12} {'C ns':>8} {'Python ns':>10} {'Python / C':>11} {'from':>7} {'to':>7}")
    try:
        for row in ROWS:
            costs = measure(arguments.program, row, arguments.rounds)
            ratios = [theirs / ours for ours, theirs in costs]
            ours, theirs = (statistics.median(column) for column in zip(*costs, strict=True))
            spread = f"{min(ratios):7.2f} {max(ratios):7.2f}"
            print(
                f"{row:12} {ours:8.1f} {theirs:10.1f} {statistics.median(ratios):11.2f} {spread}", flush=True
            )
        print(f"\n{'tasks':>8} {'heap bytes each':>16} {'resident bytes each':>20}")
        for count in TASKS:
            heap, resident = run_c(arguments.program, "tasks", count)
            print(f"{count:8} {heap:16.0f} {resident:20.0f}")
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"bench_await.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
