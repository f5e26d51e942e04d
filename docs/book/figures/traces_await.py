# SPDX-License-Identifier: MIT
"""The programs behind the figures of futures, coroutines and tasks, on CPython's asyncio.

Each notes what happens, by whom, and in which iteration.  As in traces.py, iterations are counted by a callback
that stands first in the queue and queues itself again.  Nothing here waits for time to pass.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Note:
    """What somebody did, in which iteration (0: before the loop ran)."""

    iteration: int
    who: str
    what: str


class Notes:
    """A loop that counts its iterations, and what happened in them."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.iteration = 0
        self.notes: list[Note] = []
        self.loop.call_soon(self._count)

    def note(self, who: str, what: str) -> None:
        """Write down what somebody does now."""
        self.notes.append(Note(self.iteration, who, what))

    def run(self, coroutine: Coroutine[Any, Any, None]) -> list[Note]:
        """Run a coroutine to its end, close the loop, and return everything that happened."""
        self.loop.run_until_complete(coroutine)
        return self.close()

    def close(self) -> list[Note]:
        """Close the loop and return everything that happened."""
        self.loop.close()
        return self.notes

    def _count(self) -> None:
        self.iteration += 1
        self.loop.call_soon(self._count)


def future_trace() -> list[Note]:
    """A future whose callbacks are added before, at and after the moment at which it is done."""
    notes = Notes()
    future = notes.loop.create_future()

    def add(who: str, name: str) -> None:
        notes.note(who, f"adds {name}")
        future.add_done_callback(lambda _: notes.note(name, "runs"))

    def deed(who: str, act: Callable[[], None]) -> None:
        notes.loop.call_soon(act)

    def fulfil() -> None:
        notes.note("B", "set_result()")
        future.set_result(None)

    add("main", "f")
    deed("A", lambda: add("A", "g"))
    deed("B", fulfil)
    deed("C", lambda: add("C", "h"))
    notes.loop.call_soon(lambda: future.add_done_callback(lambda _: notes.loop.stop()))
    notes.loop.run_forever()
    return notes.close()


def awaited(coroutine: Coroutine[Any, Any, None]) -> list[str]:
    """Return the names of a suspended coroutine and of those that it awaits, the innermost last."""
    chain: list[str] = []
    each: Any = coroutine
    while hasattr(each, "cr_await"):
        chain.append(each.__name__)
        each = each.cr_await
    return chain


def chain_trace() -> tuple[list[str], list[Note]]:
    """Three coroutines that await one another, of which the second catches what the future raises."""
    notes = Notes()
    future = notes.loop.create_future()
    chain: list[str] = []

    async def read() -> None:
        try:
            await future
        finally:
            notes.note("read", "finally")

    async def fetch() -> None:
        try:
            await read()
        except ValueError:
            notes.note("fetch", "except ValueError")

    async def serve() -> None:
        await fetch()
        notes.note("serve", "goes on")

    def fail() -> None:
        chain.extend(awaited(coroutine))
        notes.note("future", "set_exception()")
        future.set_exception(ValueError())

    coroutine = serve()
    task = notes.loop.create_task(coroutine)
    notes.loop.call_soon(fail)
    notes.loop.run_until_complete(task)
    return chain, notes.close()


def task_trace() -> list[Note]:
    """A task that is cancelled by another, cleans up, and ends."""
    notes = Notes()

    async def work() -> None:
        notes.note("work", "begins; awaits sleep(3600)")
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            notes.note("work", "CancelledError; awaits sleep(0)")
            await asyncio.sleep(0)
            notes.note("work", "raises it again: cancelled")
            raise

    async def main() -> None:
        notes.note("main", "create_task(); awaits sleep(0)")
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        notes.note("main", "cancel(); awaits the task")
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            notes.note("main", "CancelledError")

    return notes.run(main())
