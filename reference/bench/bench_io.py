# SPDX-License-Identifier: MIT
"""What waiting for the kernel and for threads costs on asy, beside asyncio and uvloop.

The loops take turns as in bench.py, and what counts is the median of the rounds' ratios, with the smallest and the
largest of them.  The times of the executor rows are wall time, because a job is handed from one thread to another
and what it costs is mostly that one waits for the other; in each turn a loop has twenty short runs, of which the
quickest counts: the one in which nobody else wanted a processor.  The others are CPU time.

    python bench_io.py [--rounds N] [--rows NAME ...]

with asy (and uvloop, if it is to be compared) on sys.path.
"""

import argparse
import asyncio
import socket
import statistics
import sys
import time
from typing import Any

from bench import Row, awaiting, measure

SMALL = b"x" * 16
LARGE = b"x" * 65536
PAIRS = 100
AT_ONCE = 100


def nothing() -> None:
    """Be a job."""


# ---- sockets --------------------------------------------------------------------------------------------


async def receive(loop: Any, sock: socket.socket, size: int) -> None:
    """Receive so many bytes."""
    while size > 0:
        size -= len(await loop.sock_recv(sock, size))


async def answer(loop: Any, sock: socket.socket, message: bytes, times: int) -> None:
    """Send each message back, so many times."""
    for _ in range(times):
        await receive(loop, sock, len(message))
        await loop.sock_sendall(sock, message)


async def ask(loop: Any, sock: socket.socket, message: bytes, times: int) -> None:
    """Send a message and wait until it is back, so many times."""
    for _ in range(times):
        await loop.sock_sendall(sock, message)
        await receive(loop, sock, len(message))


def ping_pong(message: bytes, pairs: int, times: int) -> Row:
    """Return a row: messages there and back between the ends of socket pairs; an operation is one of these."""

    async def body(loop: Any) -> int:
        socks = [socket.socketpair() for _ in range(pairs)]
        for sock in (end for pair in socks for end in pair):
            sock.setblocking(False)
        try:
            await asyncio.gather(
                *(ask(loop, here, message, times) for here, _ in socks),
                *(answer(loop, there, message, times) for _, there in socks),
            )
        finally:
            for sock in (end for pair in socks for end in pair):
                sock.close()
        return pairs * times

    return awaiting(body)


# ---- addresses --------------------------------------------------------------------------------------------


def literal(gathered: bool, **hints: int) -> Row:
    """Return a row: getaddrinfo() of an address that is a number, one after the other or many at once."""

    async def body(loop: Any) -> int:
        if not gathered:
            for _ in range(2000):
                await loop.getaddrinfo("127.0.0.1", 80, **hints)
            return 2000
        for _ in range(20):
            await asyncio.gather(*(loop.getaddrinfo("127.0.0.1", 80, **hints) for _ in range(AT_ONCE)))
        return 20 * AT_ONCE

    return awaiting(body)


# ---- threads ----------------------------------------------------------------------------------------------


async def executor(loop: Any) -> int:
    """A job that does nothing, awaited."""
    for _ in range(200):
        await loop.run_in_executor(None, nothing)
    return 200


async def executor_100(loop: Any) -> int:
    """A hundred jobs that do nothing, awaited together."""
    for _ in range(2):
        await asyncio.gather(*(loop.run_in_executor(None, nothing) for _ in range(AT_ONCE)))
    return 2 * AT_ONCE


ROWS: dict[str, Row] = {
    "sock_small_1": ping_pong(SMALL, 1, 3000),
    "sock_small_100": ping_pong(SMALL, PAIRS, 30),
    "sock_64k_1": ping_pong(LARGE, 1, 1000),
    "sock_64k_100": ping_pong(LARGE, PAIRS, 10),
    "literal_stream": literal(gathered=False, type=socket.SOCK_STREAM),
    "literal_any": literal(gathered=False),
    "literal_stream_100": literal(gathered=True, type=socket.SOCK_STREAM),
    "literal_any_100": literal(gathered=True),
    "executor": awaiting(executor),
    "executor_100": awaiting(executor_100),
}
IN_WALL_TIME = {"executor", "executor_100"}
SHORT_RUNS = 20


def measure_row(name: str, rounds: int) -> dict[str, list[float]]:
    """Return the costs of each loop, round by round."""
    if name in IN_WALL_TIME:
        return measure(ROWS[name], rounds, time.perf_counter, SHORT_RUNS)
    return measure(ROWS[name], rounds)


def ratios(costs: dict[str, list[float]], peer: str) -> str:
    """Return how many times as fast asy is as another loop: the median, the smallest, the largest ratio."""
    if peer not in costs:
        return ""
    each = [b / a for a, b in zip(costs["asy"], costs[peer], strict=True)]
    return f"{statistics.median(each):8.2f} {min(each):6.2f} {max(each):6.2f}"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="What waiting costs on asy, asyncio and uvloop.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--rows", nargs="*", default=list(ROWS), choices=list(ROWS))
    arguments = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, {arguments.rounds} rounds")
    print(
        f"{'row':18} {'asy us':>8} {'/ asyncio':>9} {'from':>6} {'to':>6} {'/ uvloop':>10} {'from':>6} {'to':>6}"
    )
    for name in arguments.rows:
        costs = measure_row(name, arguments.rounds)
        ours = statistics.median(costs["asy"]) * 1e6
        print(f"{name:18} {ours:8.2f}  {ratios(costs, 'asyncio')}   {ratios(costs, 'uvloop')}", flush=True)


if __name__ == "__main__":
    main()
