# SPDX-License-Identifier: MIT
# ruff: noqa: D103, PLW0603
"""In which iteration a task does what."""

import asyncio

iteration = 0


def count() -> None:
    global iteration
    iteration += 1
    loop.call_soon(count)


def note(words: str) -> None:
    print(f"iteration {iteration}: {words}")


async def child() -> str:
    note("child begins")
    await asyncio.sleep(0)
    note("child ends")
    return "result"


async def parent() -> None:
    note("parent begins")
    task = asyncio.create_task(child())
    note("parent has made the task")
    note(f"parent has the {await task}")
    await inline()
    note("parent ends")


async def inline() -> None:
    note("inline: a coroutine, no task")


loop = asyncio.new_event_loop()
loop.call_soon(count)
loop.run_until_complete(parent())
note("run_until_complete has returned")
loop.close()
