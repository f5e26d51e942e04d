# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""A first program: three callbacks, a timer, and the end."""

import asyncio


def finish(name: str) -> None:
    print(name)
    loop.stop()


loop = asyncio.new_event_loop()
loop.call_later(0.1, finish, "timer")
loop.call_soon(print, "one")
loop.call_soon(print, "two")
print("main: nothing has run yet")
loop.run_forever()
print("main: the loop has stopped")
loop.close()
