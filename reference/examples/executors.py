# SPDX-License-Identifier: MIT
"""Run blocking code in a thread pool: the documentation's program, of which executors.c has this part.

It shows how many bytes there are, not which.
"""

import asyncio
import concurrent.futures


def blocking_io() -> bytes:
    """Block: file operations (such as logging) can do so, and are run in a thread pool."""
    with open("/dev/urandom", "rb") as f:
        return f.read(100)


async def main() -> None:
    """Run it in two pools."""
    loop = asyncio.get_running_loop()

    # 1. Run in the default loop's executor:
    result = await loop.run_in_executor(None, blocking_io)
    print("default thread pool", len(result), "bytes")

    # 2. Run in a custom thread pool:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        result = await loop.run_in_executor(pool, blocking_io)
        print("custom thread pool", len(result), "bytes")


asyncio.run(main())
