# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 7: blocks that must end in time."""

import asyncio

from ten import loop, say


async def limited(begin: str, late: str) -> None:
    try:
        async with asyncio.timeout(0.02):
            say(begin)
            await asyncio.sleep(3600)
    except TimeoutError:
        say(late)


async def main() -> None:
    try:
        async with asyncio.timeout(0):
            say("a")
            await asyncio.sleep(0)
            say("b")
    except TimeoutError:
        say("c")
    async with asyncio.timeout(0):
        say("d")
    say("e")
    task = asyncio.create_task(limited("f", "g"))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        say("h")
    loop.call_later(0.01, say, "i")
    await limited("j", "k")
    say("l")


main_task = loop.create_task(main())
loop.run_forever()
loop.close()
