# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 5 of chapter 10: what suspends, and what does not."""

import socket

from ten import loop, say

here, there = socket.socketpair()
here.setblocking(False)


def tick(number: int) -> None:
    say(str(number))
    loop.call_soon(tick, number + 1)


async def main() -> None:
    for _ in range(3):
        say((await loop.sock_recv(here, 1)).decode())
    loop.call_soon(there.send, b"cd")
    say("e")
    say((await loop.sock_recv(here, 1)).decode())
    say((await loop.sock_recv(here, 1)).decode())


there.send(b"abf")
main_task = loop.create_task(main())
loop.call_soon(tick, 1)
loop.run_forever()
here.close()
there.close()
loop.close()
