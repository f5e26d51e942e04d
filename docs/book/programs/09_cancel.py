# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Cancelling what runs in a thread: a job that has begun, and one that has not."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

begun = threading.Event()
go_on = threading.Event()


def job(name: str) -> None:
    print(name, "begins")
    begun.set()
    go_on.wait()
    print(name, "ends")


async def main() -> None:
    first = loop.run_in_executor(pool, job, "first")
    second = loop.run_in_executor(pool, job, "second")
    begun.wait()
    print("cancel() says", first.cancel(), second.cancel())
    await asyncio.sleep(0)
    print("cancelled", first.cancelled(), second.cancelled())
    go_on.set()
    print(await loop.run_in_executor(pool, str.upper, "third"))


pool = ThreadPoolExecutor(max_workers=1)
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
pool.shutdown()
loop.close()
