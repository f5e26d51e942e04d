# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 2 of chapter 10: which jobs run when they are cancelled."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from ten import loop, say

pool = ThreadPoolExecutor(max_workers=1)
begun = threading.Event()
gate = threading.Event()
ran: list[str] = []


def job(name: str) -> str:
    begun.set()
    gate.wait()
    ran.append(name)
    return name.upper()


async def main() -> None:
    jobs = {name: loop.run_in_executor(pool, job, name) for name in "abcd"}
    begun.wait()  # a has begun
    say("e" if jobs["a"].cancel() else "f")
    say("g" if jobs["b"].cancel() else "h")
    say("i" if jobs["a"].done() else "j")
    await asyncio.sleep(0)
    gate.set()
    say(await jobs["c"])
    say("k" if jobs["c"].cancel() else "l")
    say(await jobs["d"])
    say("m" if jobs["a"].cancelled() else "n")
    for name in ran:
        say(name)


main_task = loop.create_task(main())
loop.run_forever()
pool.shutdown()
loop.close()
