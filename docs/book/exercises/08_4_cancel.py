# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 4: cancelling a task that has not begun, that waits, and that has ended."""

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
    say("a" if early.cancel() else "b")
    say("c" if early.done() else "d")
    task = asyncio.create_task(work("e"))
    await asyncio.sleep(0)
    say("f" if early.cancelled() else "g")
    task.cancel()
    say("h" if task.done() else "i")
    loop.call_soon(say, "j")
    await asyncio.sleep(0)
    say("k" if task.done() else "l")
    try:
        await task
    except asyncio.CancelledError:
        say("m")
    say("n" if task.cancel() else "o")


main_task = loop.create_task(main())
loop.run_forever()
loop.close()
