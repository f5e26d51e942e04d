# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 3: call_later(0) beside call_soon(), and deadlines that have passed."""

from ten import loop, say


def start() -> None:
    loop.call_later(0, say, "a")
    loop.call_soon(say, "b")
    loop.call_soon(middle)
    say("c")


def middle() -> None:
    say("d")
    loop.call_later(-1, say, "e")
    loop.call_soon(say, "f")


now = loop.time()
loop.call_at(now - 1, say, "g")
loop.call_at(now - 2, say, "h")
loop.call_soon(start)
loop.call_soon(say, "i")
loop.call_later(0, say, "j")
loop.run_forever()
loop.close()
