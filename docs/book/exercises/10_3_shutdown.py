# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 3 of chapter 10: the end of the default executor."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from ten import loop, say

gate = threading.Event()


def job(name: str) -> str:
    gate.wait()
    return name


async def main() -> None:
    first = loop.run_in_executor(None, job, "a")
    second = loop.run_in_executor(None, job, "m")
    closing = asyncio.create_task(loop.shutdown_default_executor())
    loop.call_soon(say, "b")
    say("c")
    await asyncio.sleep(0)
    say("d")
    try:
        await loop.run_in_executor(None, job, "e")
    except RuntimeError:
        say("f")
    say("g" if first.done() else "h")
    gate.set()
    await closing
    say("i" if first.done() else "j")
    say(await second)
    say(await first)
    with ThreadPoolExecutor() as pool:
        say(await loop.run_in_executor(pool, job, "k"))
    await loop.shutdown_default_executor()
    say("l")


main_task = loop.create_task(main())
loop.run_forever()
loop.close()
