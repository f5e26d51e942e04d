# SPDX-License-Identifier: MIT
# ruff: noqa: D103, PLW0603
"""Try, wait, try again: in which iterations sock_recv() ends."""

import asyncio
import socket

iteration = 0


def count() -> None:
    global iteration
    iteration += 1
    loop.call_soon(count)


def note(what: str) -> None:
    print(f"iteration {iteration}: {what}")


def send(data: bytes) -> None:
    note(f"the peer sends {data!r}")
    there.send(data)


def close() -> None:
    note("the peer closes")
    there.close()


async def main() -> None:
    note(f"received {await loop.sock_recv(here, 2)!r}")
    note(f"received {await loop.sock_recv(here, 100)!r}")
    loop.call_soon(send, b"later")
    note(f"received {await loop.sock_recv(here, 100)!r}")
    loop.call_soon(close)
    note(f"received {await loop.sock_recv(here, 100)!r}")


here, there = socket.socketpair()
here.setblocking(False)
there.send(b"early")
loop = asyncio.new_event_loop()
loop.call_soon(count)
loop.run_until_complete(main())
loop.close()
here.close()
