# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 2: done callbacks, and tasks that wait for the same future."""

from ten import loop, say


def watch(name: str) -> None:
    future.add_done_callback(lambda _: say(name))


async def wait(name: str) -> None:
    await future
    say(name)


def fulfil() -> None:
    say("a")
    future.set_result(None)
    loop.call_soon(say, "b")
    watch("c")
    say("d")


future = loop.create_future()
first = loop.create_task(wait("e"))
watch("f")
loop.call_soon(watch, "g")
second = loop.create_task(wait("h"))
loop.call_soon(fulfil)
third = loop.create_task(wait("i"))
loop.call_soon(say, "j")
loop.run_forever()
loop.close()
