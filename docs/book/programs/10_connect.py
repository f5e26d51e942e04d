# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""A connection over the loopback, a message that does not fit, and a connection that is refused."""

import asyncio
import errno
import socket

MESSAGE = bytes(10_000_000)


def stream() -> socket.socket:
    sock = socket.socket()
    sock.setblocking(False)
    return sock


async def serve(listening: socket.socket) -> int:
    conn, _ = await loop.sock_accept(listening)
    received = 0
    with conn:
        while data := await loop.sock_recv(conn, 65536):
            received += len(data)
    return received


async def main() -> None:
    with stream() as listening, stream() as client:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        address = listening.getsockname()
        await loop.sock_connect(client, address)
        print("connected, and nobody has accepted it")
        sending = loop.create_task(loop.sock_sendall(client, MESSAGE))
        await asyncio.sleep(0)
        print("everything sent:", sending.done())
        server = loop.create_task(serve(listening))
        await sending
        client.close()
        print("everything received:", await server == len(MESSAGE))
    with stream() as client:
        try:
            await loop.sock_connect(client, address)
        except OSError as error:
            print(type(error).__name__, errno.errorcode[error.errno or 0])


loop = asyncio.new_event_loop()
loop.run_until_complete(main())
loop.close()
