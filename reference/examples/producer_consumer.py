# SPDX-License-Identifier: MIT
"""A producer and a consumer, and between them a queue of two places; producer_consumer.c is the same in C.

The queue is asyncio's own here; there it is built in example_queue.h.
"""

import asyncio


async def produce(queue: asyncio.Queue[int]) -> None:
    """Put five numbers."""
    for number in range(1, 6):
        if queue.full():
            print("full")
        await queue.put(number)
        print("put", number)


async def consume(queue: asyncio.Queue[int]) -> None:
    """Take five numbers."""
    for _ in range(5):
        if queue.empty():
            print("empty")
        print("got", await queue.get())


async def main() -> None:
    """Run both until both are done."""
    queue: asyncio.Queue[int] = asyncio.Queue(maxsize=2)
    await asyncio.gather(consume(queue), produce(queue))


asyncio.run(main())
