# SPDX-License-Identifier: MIT
"""Two tasks tick at different rates until a third one, main, cancels them; ticker.c is the same in C.

That they end before the program does is the doing of asyncio.run(), which waits for what is left.
"""

import asyncio


async def tick(name: str, pause: float) -> None:
    """Tick until cancelled."""
    ticks = 0
    try:
        while True:
            await asyncio.sleep(pause)
            ticks += 1
            print(name, ticks)
    finally:
        print(f"{name} ends after {ticks}")


async def main() -> None:
    """Start two, and stop them."""
    fast = asyncio.create_task(tick("fast", 0.2))
    slow = asyncio.create_task(tick("slow", 0.5))
    await asyncio.sleep(0.9)
    fast.cancel()
    slow.cancel()


asyncio.run(main())
