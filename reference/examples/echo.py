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


def receive(who: str, sock: socket) -> bytes:
    """Show what has come from the other end: nothing after that was shut down."""
    data = sock.recv(100)
    print(f"{who}: '{data.decode()}'")
    return data


async def serve(sock: socket) -> None:
    """Send back whatever comes, until the other end is shut down."""
    while True:
        await readable(sock)
        data = receive("server", sock)
        if not data:
            break
        sock.send(data)


async def main(ours: socket, theirs: socket) -> None:
    """Start the server, and be its client."""
    server = asyncio.create_task(serve(theirs))
    for word in ["one", "two", "three"]:
        ours.send(word.encode())
        await readable(ours)
        receive("client", ours)
    ours.shutdown(SHUT_WR)
    await server


ours, theirs = socketpair()
try:
    asyncio.run(main(ours, theirs))
finally:
    ours.close()
    theirs.close()
