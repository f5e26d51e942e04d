# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""A generator is a function that stops in the middle, and goes on from there."""

from collections.abc import Generator


def count() -> Generator[int, str | None, str]:
    for number in (1, 2):
        print("got", (yield number))
    return "end"


generator = count()
print("yielded", generator.send(None))
print("yielded", generator.send("x"))
try:
    generator.send("y")
except StopIteration as end:
    print("returned", end.value)
