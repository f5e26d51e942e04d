# SPDX-License-Identifier: MIT
# ruff: noqa: D101, D103
"""A coroutine that no loop runs: it is driven by hand, with send() and throw()."""

from collections.abc import Generator


class Pause:
    def __await__(self) -> Generator[str, None, None]:
        yield "a pause"


async def inner() -> str:
    try:
        await Pause()
        await Pause()
    finally:
        print("inner: finally")
    return "never"


async def outer() -> str:
    try:
        return await inner()
    except ValueError as error:
        return f"caught {error}"


coroutine = outer()
print("called; nothing has run")
print("send:", coroutine.send(None))
print("send:", coroutine.send(None))
try:
    coroutine.throw(ValueError("thrown"))
except StopIteration as end:
    print("returned:", end.value)
