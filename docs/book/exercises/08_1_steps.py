# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 1: a coroutine that is awaited, and one that is a task."""

import asyncio

from ten import loop, say


async def pair(first: str, second: str) -> None:
    say(first)
    await asyncio.sleep(0)
    say(second)


async def main() -> None:
    say("a")
    task = asyncio.create_task(pair("b", "c"))
    loop.call_soon(say, "d")
    await pair("e", "f")
    say("g")
    loop.call_soon(say, "h")
    await task
    say("i")
    await task
    say("j")


main_task = loop.create_task(main())
loop.run_forever()
loop.close()
