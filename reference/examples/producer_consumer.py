# SPDX-License-Identifier: MIT
"""A producer and a consumer, and between them a queue of two places; producer_consumer.c is the same in C."""

import asyncio


class Queue:
    """Who finds it full or empty waits for a future, which the other fulfils; both never wait at once."""

    def __init__(self) -> None:
        self.items: list[int] = []
        self.waiter: asyncio.Future[None] | None = None

    def changed(self) -> asyncio.Future[None]:
        """Return a future that is done when the other has put or taken something."""
        self.waiter = asyncio.get_running_loop().create_future()
        return self.waiter

    def wake(self) -> None:
        """Say that something was put or taken."""
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(None)


async def produce(queue: Queue) -> None:
    """Put five numbers."""
    for number in range(1, 6):
        while len(queue.items) == 2:
            print("full")
            await queue.changed()
        queue.items.append(number)
        print("put", number)
        queue.wake()


async def consume(queue: Queue) -> None:
    """Take five numbers."""
    for _ in range(5):
        while not queue.items:
            print("empty")
            await queue.changed()
        print("got", queue.items.pop(0))
        queue.wake()


async def main() -> None:
    """Run both until both are done."""
    queue = Queue()
    await asyncio.gather(consume(queue), produce(queue))


asyncio.run(main())
