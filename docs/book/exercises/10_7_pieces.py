# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 7 of chapter 10: a message that does not fit."""

import asyncio
import socket

from ten import loop, say

SIZE = 10_000_000
here, there = socket.socketpair()
here.setblocking(False)
there.setblocking(False)


async def send() -> None:
    say("a")
    await loop.sock_sendall(there, b"x")
    say("b")
    await loop.sock_sendall(there, bytes(SIZE))
    say("c")
    there.close()
    say("d")


async def main() -> None:
    say("e")
    task = asyncio.create_task(send())
    say((await loop.sock_recv(here, 1)).decode())
    loop.call_soon(say, "f")
    await asyncio.sleep(0)
    say("g" if task.done() else "h")
    received = 0
    while data := await loop.sock_recv(here, 65536):
        received += len(data)
    say("i" if received == SIZE else "j")
    say("k" if task.done() else "l")


main_task = loop.create_task(main())
loop.run_forever()
here.close()
loop.close()
