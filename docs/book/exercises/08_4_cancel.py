# SPDX-License-Identifier: MIT
"""Cancelling a task that has not begun, that waits, and that has ended."""

import asyncio

from ten import loop, say


async def work(name: str) -> None:
    try:
        say(name)
        await asyncio.sleep(3600)
    finally:
        say(name.upper())


async def main() -> None:
    early = asyncio.create_task(work("x"))
    early.cancel()
    say("a" if early.done() else "b")
    task = asyncio.create_task(work("c"))
    await asyncio.sleep(0)
    say("d" if early.cancelled() else "e")
    task.cancel()
    say("f" if task.done() else "g")
    loop.call_soon(say, "h")
    await asyncio.sleep(0)
    say("i" if task.done() else "j")
    try:
        await task
    except asyncio.CancelledError:
        say("k")
    say("l" if task.cancel() else "m")


main_task = loop.create_task(main())
loop.run_forever()
loop.close()
