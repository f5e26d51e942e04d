# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 1: what call_soon() queues, and what is called at once."""

from ten import loop, say


def pair(first: str, second: str) -> None:
    loop.call_soon(say, first)
    loop.call_soon(say, second)


loop.call_soon(say, "a")
pair("b", "c")
loop.call_soon(pair, "d", "e")
loop.call_soon(say, "f")
loop.call_soon(say, "g")
say("h")
loop.call_soon(pair, "i", "j")
loop.run_forever()
loop.close()
