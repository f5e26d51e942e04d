# SPDX-License-Identifier: MIT
"""An echo server and its client, on the two ends of a socket pair; echo.c is the same in C."""

import asyncio
from socket import SHUT_WR, socket, socketpair


def set_ready(ready: asyncio.Future[None]) -> None:
    """Fulfil the future, unless whoever waits for it was cancelled."""
    if not ready.done():
        ready.set_result(None)


async def readable(sock: socket) -> None:
    """Wait until there is something to read."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sock, set_ready, ready)
    try:
        await ready
    finally:
        loop.remove_reader(sock)


async def receive(who: str, sock: socket) -> bytes:
    """Wait for a text, and show it: an empty one after the other end was shut down."""
    await readable(sock)
    data = sock.recv(100)
    print(f"{who}: '{data.decode()}'")
    return data


async def serve(theirs: socket) -> None:
    """Send back whatever comes, until the other end is shut down."""
    with theirs:
        while data := await receive("server", theirs):
            theirs.send(data)


async def main() -> None:
    """Start the server, and be its client."""
    ours, theirs = socketpair()
    with ours:
        server = asyncio.create_task(serve(theirs))
        for word in ["one", "two", "three"]:
            ours.send(word.encode())
            await receive("client", ours)
        ours.shutdown(SHUT_WR)
        await server


asyncio.run(main())
