# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 6: a reader and a writer of one descriptor, beside queued callbacks and timers."""

import socket

from ten import loop, say

here, there = socket.socketpair()


def readable() -> None:
    name = here.recv(1).decode()
    say(name)
    loop.call_soon(say, name.upper())
    if name == "b":
        loop.remove_writer(here)
        loop.call_later(0, say, "u")
    if name == "c":
        loop.remove_reader(here)


there.send(b"abc")
loop.add_writer(here, say, "w")
loop.add_reader(here, readable)
loop.call_at(loop.time() - 1, say, "t")
loop.call_soon(say, "s")
loop.run_forever()
loop.close()
here.close()
there.close()
