# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 6: several tasks at once: their results, and an exception."""

import asyncio

from ten import loop, say


async def work(name: str, turns: int) -> str:
    for _ in range(turns):
        await asyncio.sleep(0)
    say(name)
    return name.upper()


async def fail(name: str) -> str:
    say(name)
    raise ValueError(name)


async def main() -> None:
    for result in await asyncio.gather(work("a", 1), work("b", 0), work("c", 1)):
        say(result)
    try:
        await asyncio.gather(work("d", 3), fail("e"))
    except ValueError:
        say("f")
    await asyncio.sleep(0)
    say("g")


main_task = loop.create_task(main())
loop.run_forever()
loop.close()
