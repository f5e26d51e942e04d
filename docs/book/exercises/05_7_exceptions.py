# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 7: callbacks that raise."""

from ten import loop, say


def fail(name: str) -> None:
    say(name)
    raise ValueError(name)


def leave(name: str) -> None:
    say(name)
    raise SystemExit


def handler(_loop: object, context: dict[str, object]) -> None:
    say(f"handler: {context['exception']}")


loop.set_exception_handler(handler)
loop.call_soon(say, "a")
loop.call_soon(fail, "b")
loop.call_soon(say, "c")
loop.call_soon(leave, "d")
loop.call_soon(say, "e")
loop.call_at(loop.time() - 1, fail, "f")
try:
    loop.run_forever()
except SystemExit:
    say("left")
loop.call_soon(say, "g")
loop.run_forever()
loop.close()
