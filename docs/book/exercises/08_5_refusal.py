# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 5: a request to cancel on its way through three tasks, one of which refuses."""

import asyncio

from ten import loop, say


def tick(number: int) -> None:
    say(str(number))
    loop.call_soon(tick, number + 1)


async def inner() -> None:
    try:
        await asyncio.sleep(3600)
    finally:
        say("a")
        await asyncio.sleep(0)
        say("b")


async def middle() -> str:
    try:
        await asyncio.create_task(inner())
    except asyncio.CancelledError:
        say("c")
    return "d"


async def main() -> None:
    task = asyncio.create_task(middle())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    say("e")
    loop.call_soon(tick, 1)
    say(await task)
    say("f" if task.cancelled() else "g")


main_task = loop.create_task(main())
loop.run_forever()
loop.close()
