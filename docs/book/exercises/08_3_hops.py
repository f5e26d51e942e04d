# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 3: how many iterations an await takes."""

import asyncio

from ten import loop, say


def tick(number: int) -> None:
    say(str(number))
    loop.call_soon(tick, number + 1)


async def speak(name: str) -> None:
    say(name)


async def awaits() -> None:
    await speak("a")
    say("b")


async def makes() -> None:
    await asyncio.create_task(speak("c"))
    say("d")


async def main() -> None:
    await asyncio.create_task(makes())
    say("e")


loop.call_soon(tick, 1)
awaits_task = loop.create_task(awaits())
main_task = loop.create_task(main())
loop.run_forever()
loop.close()
