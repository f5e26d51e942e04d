# SPDX-License-Identifier: MIT
"""What the exercises share: a loop, and say(name), which prints and stops the loop after the tenth name."""

import asyncio

loop = asyncio.new_event_loop()
said: list[str] = []


def say(name: str) -> None:
    """Print a name."""
    print(name)
    said.append(name)
    if len(said) == 10:
        loop.stop()
