# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""A thread waits for a pipe, the loop does not: run_in_executor()."""

import asyncio
import os

reader, writer = os.pipe()


async def main() -> None:
    future = loop.run_in_executor(None, os.read, reader, 100)
    print("a thread waits in read()")
    await asyncio.sleep(0.01)
    print("the loop went on; done:", future.done())
    os.write(writer, b"data")
    print("from the thread:", await future)
    await loop.shutdown_default_executor()
    print("its threads have ended")


loop = asyncio.new_event_loop()
loop.run_until_complete(main())
loop.close()
os.close(reader)
os.close(writer)
