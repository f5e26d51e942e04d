# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 6 of chapter 10: what a cancelled receiver leaves behind."""

import asyncio
import socket

from ten import loop, say

here, there = socket.socketpair()
here.setblocking(False)


async def receive(name: str) -> None:
    say(name)
    try:
        say((await loop.sock_recv(here, 1)).decode())
    except asyncio.CancelledError:
        say(name.upper())


async def main() -> None:
    say("a")
    first = asyncio.create_task(receive("b"))
    await asyncio.sleep(0)
    first.cancel()
    there.send(b"cd")
    say("e" if first.done() else "f")
    await receive("g")
    await asyncio.create_task(receive("h"))
    say("k" if first.cancelled() else "l")
    there.close()
    say("i" if await loop.sock_recv(here, 1) else "j")


main_task = loop.create_task(main())
loop.run_forever()
here.close()
loop.close()
