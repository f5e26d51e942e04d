# SPDX-License-Identifier: MIT
"""Hello World with call_soon(): the documentation's program, which hello_world.c is in C."""

import asyncio
from asyncio import AbstractEventLoop


def hello_world(loop: AbstractEventLoop) -> None:
    """A callback to print 'Hello World' and stop the event loop"""
    print("Hello World")
    loop.stop()


loop = asyncio.new_event_loop()

# Schedule a call to hello_world()
loop.call_soon(hello_world, loop)

# Blocking call interrupted by loop.stop()
try:
    loop.run_forever()
finally:
    loop.close()
