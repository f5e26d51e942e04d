# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 4: cancelling what has run, what is in the same batch, what is in the next one."""

import asyncio

from ten import loop, say

handles: dict[str, asyncio.Handle] = {}


def put(name: str) -> None:
    handles[name] = loop.call_soon(say, name)


def swap(old: str, new: str) -> None:
    handles[old].cancel()
    put(new)


put("a")
put("b")
loop.call_soon(swap, "c", "d")
put("c")
put("e")
loop.call_soon(swap, "a", "f")
loop.call_soon(swap, "t", "g")
loop.call_soon(swap, "d", "h")
put("i")
put("j")
handles["t"] = loop.call_at(loop.time() - 2, say, "t")
handles["u"] = loop.call_at(loop.time() - 1, say, "u")
put("k")
loop.run_forever()
loop.close()
