# SPDX-License-Identifier: MIT
"""An echo server and its client, on the two ends of a socket pair; echo.c is the same in C."""

import asyncio
from socket import SHUT_WR, socket, socketpair


async def readable(sock: socket) -> None:
    """Wait until there is something to read."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(sock, ready.set_result, None)
    try:
        await ready
    finally:
        loop.remove_reader(sock)


async def serve(sock: socket) -> None:
    """Send back whatever comes, until the other end is shut down."""
    while True:
        await readable(sock)
        data = sock.recv(100)
        if not data:
            break
        print("server:", data.decode())
        sock.send(data)
    print("server: the end")


async def main() -> None:
    """Start the server, and be its client."""
    ours, theirs = socketpair()
    server = asyncio.create_task(serve(theirs))
    for word in ["one", "two", "three"]:
        ours.send(word.encode())
        await readable(ours)
        print("client:", ours.recv(100).decode())
    ours.shutdown(SHUT_WR)
    await server
    ours.close()
    theirs.close()


asyncio.run(main())
