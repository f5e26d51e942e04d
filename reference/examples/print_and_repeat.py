# SPDX-License-Identifier: MIT
"""Hello World every two seconds: the documentation's oldest program, which print_and_repeat.c is in C.

It stops after the third time, and sets a loop before it asks for it, as Python 3.14 wants it.
"""

import asyncio
from asyncio import AbstractEventLoop

times = 0


def print_and_repeat(loop: AbstractEventLoop) -> None:
    """Greet, and come back in two seconds."""
    global times  # noqa: PLW0603
    print("Hello World")
    times += 1
    if times == 3:
        loop.stop()
    loop.call_later(2, print_and_repeat, loop)


asyncio.set_event_loop(asyncio.new_event_loop())
loop = asyncio.get_event_loop()
loop.call_soon(print_and_repeat, loop)
loop.run_forever()
loop.close()
