# SPDX-License-Identifier: MIT
"""Random programs of coroutines: do the library's futures and tasks do in every iteration what asyncio's do in it?

A program is a tree of coroutines that a seed makes: they sleep, wait for futures and for each other, gather,
shield, use timeouts and task groups, cancel one another, take cancellations back, catch and raise.  It runs once
on asyncio and once on asy.NativeEventLoop, on a clock that is moved by hand.  The traces of (iteration, event)
must be equal.

    python random_coroutines.py COUNT [FIRST_SEED]

ends with status 1 at the first difference, after printing the seed and where the traces part.
"""

import asyncio
import gc
import random
import sys
from typing import Any

import asy
from random_programs import hand_driven

Trace = list[Any]
DELAYS = (-1, 0, 0, 1, 1, 2, 3)
DEEPEST = 4
LAST_ITERATION = 80
MOST_OPERATIONS = 120
HAS_EAGER_TASKS = sys.version_info >= (3, 12)

ASYNCIO = hand_driven(asyncio.SelectorEventLoop)
NATIVE = hand_driven(asy.NativeEventLoop)


class Program:
    """One program on one loop."""

    def __init__(self, loop_class: type, seed: int) -> None:
        self.random = random.Random(seed)
        self.loop: Any = loop_class()
        self.loop.set_exception_handler(self.report)
        self.sleeps: list[Any] = [asyncio.sleep, asy.sleep if loop_class is NATIVE else asyncio.sleep]
        self.trace: Trace = []
        self.tasks: list[Any] = []
        self.futures: list[Any] = []
        self.iteration = 0
        self.operations = 0
        self.names = 0

    def run(self) -> Trace:
        """Run the program; return its trace."""
        self.loop.call_soon(self.tick)
        for name in ("first", "second", "third"):
            self.tasks.append(self.loop.create_task(self.act(0, name), name=name))
        self.loop.run_forever()
        while left := [task for task in asyncio.all_tasks(self.loop) if not task.done()]:
            for task in sorted(left, key=lambda each: each.get_name()):
                task.cancel("end")
            self.loop.call_later(0, self.loop.stop)
            self.loop.now += 10
            self.loop.run_forever()
        self.trace.append([self.outcome(each) for each in self.tasks + self.futures])
        self.tasks.clear()
        self.futures.clear()
        self.loop.close()
        return self.trace

    def tick(self) -> None:
        """Count the iteration and move the clock."""
        self.iteration += 1
        self.loop.now += self.random.choice((0, 0, 0.5, 1.0))
        if self.iteration < LAST_ITERATION:
            self.loop.call_soon(self.tick)
        else:
            self.loop.stop()

    def event(self, *values: Any) -> None:
        """Leave a trace."""
        self.trace.append((self.iteration, *values))

    def report(self, loop: Any, context: dict[str, Any]) -> None:
        """Trace what reaches the exception handler."""
        self.event(
            "reported", context["message"].split(" at ")[0], sorted(context), repr(context.get("exception"))
        )

    def outcome(self, future: Any) -> str:
        """Return what became of a future, as text; it counts as looked at."""
        if not future.done():
            return "pending"
        if future.cancelled():
            return "cancelled"
        return repr(future.exception() or future.result())

    def new_task(self, depth: int) -> Any:
        """Start another coroutine as a task."""
        self.names += 1
        name = f"t{self.names}"
        coroutine = self.act(depth + 1, name)
        if HAS_EAGER_TASKS and self.random.random() < 0.3:
            task = type(asyncio.current_task())(coroutine, loop=self.loop, name=name, eager_start=True)
        else:
            task = self.loop.create_task(coroutine, name=name)
        task.add_done_callback(lambda done: self.event("done", name, self.outcome(done)))
        self.tasks.append(task)
        return task

    def new_future(self) -> Any:
        """Make a future that is fulfilled later, or not."""
        future = self.loop.create_future()
        number = len(self.futures)
        self.futures.append(future)
        what = self.random.choice(("result", "result", "exception", "cancel", "never"))
        if what == "result":
            self.loop.call_later(self.random.choice(DELAYS), self.unless_done, future, number)
        elif what == "exception":
            self.loop.call_later(self.random.choice(DELAYS), self.unless_done, future, ValueError(number))
        elif what == "cancel":
            self.loop.call_later(self.random.choice(DELAYS), future.cancel, f"future {number}")
        return future

    def unless_done(self, future: Any, value: Any) -> None:
        """Fulfil a future."""
        if future.done():
            return
        if isinstance(value, Exception):
            future.set_exception(value)
        else:
            future.set_result(value)

    async def act(self, depth: int, name: str) -> str:
        """What every coroutine does: a few random operations, whose exceptions it mostly survives."""
        self.event(name, "begins")
        for _ in range(self.random.randint(1, 5)):
            self.operations += 1
            if self.operations > MOST_OPERATIONS:
                break
            operation = self.random.choice(OPERATIONS)
            try:
                value = await operation(self, depth)
                self.event(name, operation.__name__, value)
            except asyncio.CancelledError as exc:
                self.event(name, operation.__name__, "cancelled", exc.args)
                if await self.goes_on(name):
                    continue
                raise
            except Exception as exc:
                self.event(name, operation.__name__, type(exc).__name__, str(exc))
                if self.random.random() < 0.3:
                    raise
        self.event(name, "ends")
        return name

    async def goes_on(self, name: str) -> bool:
        """Refuse a cancellation, or let it through, perhaps after a while."""
        task: Any = asyncio.current_task()
        what = self.random.choice(("raise", "raise", "clean up", "refuse"))
        self.event(name, what, task.cancelling(), task.get_name())
        if what == "refuse":
            self.event(name, "left", task.uncancel())
        elif what == "clean up":
            await asyncio.sleep(self.random.choice((0, 1)))
        return what == "refuse"

    # ---- operations -------------------------------------------------------------------------------------------

    async def sleep(self, depth: int) -> Any:
        """Sleep, by asyncio's function or by the library's."""
        return await self.random.choice(self.sleeps)(self.random.choice(DELAYS), "slept")

    async def await_future(self, depth: int) -> Any:
        """Wait for a future, perhaps one that others wait for, too."""
        if self.futures and self.random.random() < 0.4:
            return await self.random.choice(self.futures)
        return await self.new_future()

    async def await_task(self, depth: int) -> Any:
        """Wait for a task, perhaps one that others wait for, too."""
        if depth >= DEEPEST or self.random.random() < 0.2:
            others = [each for each in self.tasks if each is not asyncio.current_task()]
            done, pending = await asyncio.wait(others[-3:], timeout=2) if others else ((), ())
            return len(done), len(pending)
        return await self.new_task(depth)

    async def call(self, depth: int) -> Any:
        """Wait for a coroutine without making a task of it."""
        return await self.act(depth + 1, "called") if depth < DEEPEST else None

    async def gather(self, depth: int) -> Any:
        """Wait for several things at once."""
        if depth >= DEEPEST:
            return None
        things = [self.new_task(depth), self.new_future(), asyncio.sleep(1, "one"), self.new_future()]
        self.random.shuffle(things)
        results = await asyncio.gather(*things, return_exceptions=self.random.random() < 0.5)
        return [repr(each) for each in results]

    async def shield(self, depth: int) -> Any:
        """Protect a task from being cancelled with this one."""
        return await asyncio.shield(self.new_task(depth)) if depth < DEEPEST else None

    async def wait_for(self, depth: int) -> Any:
        """Give a thing some time."""
        thing = self.new_task(depth) if depth < DEEPEST else self.new_future()
        return await asyncio.wait_for(thing, self.random.choice((0, 1, 2)))

    async def timeout(self, depth: int) -> Any:
        """Give a block some time."""
        async with asyncio.timeout(self.random.choice((0, 1, 2))):
            return await self.await_future(depth)

    async def group(self, depth: int) -> Any:
        """Run a task in a group, and this one beside it.  (Of two, a set decides which is cancelled first.)"""
        if depth >= DEEPEST:
            return None
        try:
            async with asyncio.TaskGroup() as group:
                self.names += 1
                name = f"member {self.names}"
                group.create_task(self.act(depth + 1, name), name=name)
                await self.await_future(depth)
        except BaseExceptionGroup as exc:
            return sorted(repr(each) for each in exc.exceptions)
        return "all"

    async def cancel(self, depth: int) -> Any:
        """Cancel a task: another one, or this."""
        return self.random.choice(self.tasks).cancel(self.random.choice((None, "enough")))

    async def cancel_future(self, depth: int) -> Any:
        """Cancel a future."""
        return self.random.choice(self.futures).cancel() if self.futures else None

    async def fail(self, depth: int) -> Any:
        """Raise."""
        raise LookupError(depth)


OPERATIONS: Any = (
    Program.sleep,
    Program.sleep,
    Program.await_future,
    Program.await_task,
    Program.call,
    Program.gather,
    Program.shield,
    Program.wait_for,
    Program.timeout,
    Program.group,
    Program.cancel,
    Program.cancel_future,
    Program.fail,
)


def first_difference(left: Trace, right: Trace) -> "str | None":
    """Return where two traces part, with what led there, or None."""
    for index in range(max(len(left), len(right))):
        a, b = (trace[index] if index < len(trace) else "nothing" for trace in (left, right))
        if a != b:
            before = "".join(f"\n    {event}" for event in left[max(0, index - 8) : index])
            return f"after{before}\n  asyncio: {a}\n  asy:     {b}"
    return None


def main(count: int, first: int) -> int:
    """Compare count programs; return the status of the process."""
    events = 0
    for seed in range(first, first + count):
        trace = Program(ASYNCIO, seed).run()
        gc.collect()
        other = Program(NATIVE, seed).run()
        gc.collect()
        difference = first_difference(trace, other)
        if difference:
            print(f"seed {seed}: {difference}")
            return 1
        events += len(trace)
    print(f"{count} programs, {events} events: equal")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
