# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 2: callbacks that queue callbacks."""

from ten import loop, say

CHILDREN = {"a": "e", "b": "g", "e": "i", "f": "h", "h": "d", "j": "ab"}


def visit(name: str) -> None:
    say(name)
    for child in CHILDREN.get(name, ""):
        loop.call_soon(visit, child)


for root in "jcf":
    loop.call_soon(visit, root)
loop.run_forever()
loop.close()
