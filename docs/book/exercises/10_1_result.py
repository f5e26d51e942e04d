# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 1 of chapter 10: the way of a result from its thread to its task."""

import threading
from concurrent.futures import ThreadPoolExecutor

from ten import loop, say

pool = ThreadPoolExecutor(max_workers=1)
gate = threading.Event()


def job(name: str) -> str:
    gate.wait()
    return name.upper()


def tick(number: int) -> None:
    say(str(number))
    loop.call_soon(tick, number + 1)


async def main() -> None:
    say("a")
    future = loop.run_in_executor(pool, job, "b")
    loop.call_soon(say, "c")
    gate.set()
    pool.submit(int).result()  # wait until the thread has done both
    loop.call_soon(say, "d")
    say("e" if future.done() else "f")
    say(await future)
    say("g")


loop.call_soon(say, "h")
main_task = loop.create_task(main())
loop.call_soon(tick, 1)
loop.run_forever()
pool.shutdown()
loop.close()
