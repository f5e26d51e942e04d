# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 8: a shield, and a task that cancels itself."""

import asyncio

from ten import loop, say


async def work() -> str:
    say("a")
    await asyncio.sleep(0)
    say("b")
    await asyncio.sleep(0)
    say("c")
    return "d"


async def client(task: asyncio.Task[str]) -> None:
    try:
        await asyncio.shield(task)
    finally:
        say("e")


async def main() -> None:
    task = asyncio.create_task(work())
    waiting = asyncio.create_task(client(task))
    await asyncio.sleep(0)
    waiting.cancel()
    say("f")
    await asyncio.sleep(0)
    say("g" if waiting.cancelled() else "h")
    say(await task)
    main_task.cancel()
    say("i")
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        say("j")
    say("k" if main_task.cancelling() == 1 else "l")


main_task = loop.create_task(main())
loop.run_forever()
loop.close()
