# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 8 of chapter 10: who is connected, and to whom."""

import asyncio
import socket

from ten import loop, say


def stream() -> socket.socket:
    sock = socket.socket()
    sock.setblocking(False)
    return sock


async def serve() -> None:
    for name in "ab":
        conn, _ = await loop.sock_accept(listening)
        with conn:
            say(name)
            await loop.sock_sendall(conn, name.upper().encode())


async def main() -> None:
    await loop.sock_connect(first, address)
    say("c")
    await loop.sock_connect(second, address)
    say("d")
    server = asyncio.create_task(serve())
    say("e" if server.done() else "f")
    say((await loop.sock_recv(second, 1)).decode())
    say((await loop.sock_recv(first, 1)).decode())
    say("g" if await loop.sock_recv(first, 1) else "h")
    listening.close()
    try:
        await loop.sock_connect(third, address)
    except OSError:
        say("i")
    say("j" if server.done() else "k")


listening, first, second, third = stream(), stream(), stream(), stream()
listening.bind(("127.0.0.1", 0))
listening.listen()
address = listening.getsockname()
main_task = loop.create_task(main())
loop.run_forever()
for sock in (first, second, third):
    sock.close()
loop.close()
