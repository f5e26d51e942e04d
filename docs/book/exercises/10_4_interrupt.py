# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 4 of chapter 10: Ctrl-C in a program of two tasks."""

import asyncio
import signal

from ten import loop, say


async def work() -> None:
    try:
        say("a")
        await asyncio.sleep(3600)
    finally:
        say("b")


async def main() -> None:
    myself = asyncio.current_task()
    assert myself is not None
    say("c")
    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    loop.call_soon(say, "d")
    signal.raise_signal(signal.SIGINT)
    say("e")
    say("f" if myself.cancelling() else "g")
    say("n" if myself.done() else "o")
    try:
        await task
    finally:
        say("h" if task.cancelled() else "i")


with asyncio.Runner(loop_factory=lambda: loop) as runner:
    try:
        runner.run(main())
    except KeyboardInterrupt:
        say("j")
    except asyncio.CancelledError:
        say("k")
say("l" if loop.is_closed() else "m")
