# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 5: what still runs after stop(), and what waits for the next run."""

import asyncio

loop = asyncio.new_event_loop()


def first() -> None:
    print("a")
    loop.stop()
    loop.call_soon(print, "b")
    loop.call_later(0, print, "c")


loop.call_soon(print, "d")
loop.call_soon(first)
loop.call_soon(print, "e")
loop.call_at(loop.time() - 1, print, "f")
loop.run_forever()
print("g")
loop.call_soon(print, "h")
loop.stop()
loop.run_forever()
print("i")
loop.call_later(3600, print, "k")
loop.stop()
loop.run_forever()
print("j")
loop.close()
