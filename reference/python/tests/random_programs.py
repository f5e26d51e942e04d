# SPDX-License-Identifier: MIT
"""Random programs: does asy do in every iteration what asyncio does in it?

A program is what a seed makes of a few dozen operations: callbacks that schedule, cancel, stop, raise, write to
pipes and watch them, from this thread and from another one.  It runs once on asyncio and once on asy, on a
clock that is moved by hand, and leaves a trace of (iteration, event).  The iteration is counted by a callback that
schedules itself in each one; it also moves the clock.  The two traces must be equal.

    python random_programs.py COUNT [FIRST_SEED]

runs COUNT programs on the interpreter's asyncio and on the asy that it imports, prints how many events were
compared, and ends with status 1 at the first difference, after printing the seed and where the traces part.
"""

import asyncio
import os
import random
import sys
import threading
from collections.abc import Callable
from typing import Any

import asy

Trace = list[Any]
DELAYS = (-1, 0, 1, 1, 2, 3, 3, 5, 8)  # many deadlines coincide: ties fall as heapq lets them fall
MANY_TIMERS = 150  # more than a hundred, most of them cancelled: the loop purges its heap
RUNS = 6


def hand_driven(base: type) -> type:
    """Return a loop class whose clock stands until somebody sets ``now``."""

    class HandDriven(base):  # type: ignore[misc]
        now = 0.0

        def time(self) -> float:
            return self.now

    return HandDriven


ASYNCIO = hand_driven(asyncio.SelectorEventLoop)
ASY = hand_driven(asy.EventLoop)


class Program:
    """One program on one loop."""

    def __init__(self, loop_class: type, seed: int) -> None:
        self.random = random.Random(seed)
        self.loop: Any = loop_class()
        self.loop.set_exception_handler(self.report)
        self.trace: Trace = []
        self.handles: list[Any] = []
        self.pipes = [os.pipe2(os.O_NONBLOCK) for _ in range(3)]
        self.iteration = 0
        self.last_iteration = self.random.randint(60, 90)
        self.operations_left = self.random.randint(20, 400)
        self.names = 0

    def run(self) -> Trace:
        """Run the program; return its trace."""
        for name in ("first", "second", "third"):
            self.loop.call_soon(self.act, name)
        self.loop.call_soon(self.tick)
        for _ in range(RUNS):
            try:
                self.loop.run_forever()
                self.trace.append("stopped")
            except SystemExit as exc:
                self.trace.append(("left by", str(exc)))
            if self.iteration >= self.last_iteration:
                break
        self.trace.append((sum(handle.cancelled() for handle in self.handles), self.loop.now))
        self.loop.close()
        for ends in self.pipes:
            for end in ends:
                os.close(end)
        return self.trace

    def tick(self) -> None:
        """Count the iteration and move the clock."""
        self.iteration += 1
        self.loop.now += self.random.choice((0, 0, 0.5, 1.0, 2.0))
        if self.iteration < self.last_iteration:
            self.loop.call_soon(self.tick)
        else:
            self.loop.stop()

    def report(self, loop: Any, context: dict[str, Any]) -> None:
        """Trace what reaches the exception handler."""
        message = context["message"].split(" at ")[0]
        self.trace.append((self.iteration, "reported", message, repr(context.get("exception"))))

    def act(self, name: Any) -> None:
        """What every callback does: leave a trace, then a few random operations."""
        self.trace.append((self.iteration, name))
        for _ in range(self.random.choice((0, 1, 1, 2, 3))):
            if self.operations_left <= 0:
                return
            self.operations_left -= 1
            self.names += 1
            (operation,) = self.random.choices(OPERATIONS, WEIGHTS)
            operation(self, self.names)

    # ---- operations -------------------------------------------------------------------------------------------

    def call_soon(self, name: int) -> None:
        """Schedule a callback."""
        self.handles.append(self.loop.call_soon(self.act, name))

    def call_later(self, name: int) -> None:
        """Start a timer."""
        self.handles.append(self.loop.call_later(self.random.choice(DELAYS), self.act, name))

    def call_at(self, name: int) -> None:
        """Start a timer with a deadline."""
        self.handles.append(self.loop.call_at(self.loop.now + self.random.choice((1, 2, 4)), self.act, name))

    def call_soon_threadsafe(self, name: int) -> None:
        """Schedule a callback as a thread does, in this thread."""
        self.handles.append(self.loop.call_soon_threadsafe(self.act, name))

    def call_from_thread(self, name: int) -> None:
        """Schedule callbacks from another thread, which has ended when this callback goes on."""

        def schedule() -> None:
            for part in ("a", "b"):
                self.loop.call_soon_threadsafe(self.act, (name, part))

        thread = threading.Thread(target=schedule)
        thread.start()
        thread.join()

    def cancel(self, name: int) -> None:
        """Cancel a handle: one that waits, one that ran, perhaps the one that runs."""
        if self.handles:
            self.random.choice(self.handles).cancel()

    def cancel_many(self, name: int) -> None:
        """Start many timers and cancel most of them."""
        delays = [self.random.choice((10, 20, 20, 30)) for _ in range(MANY_TIMERS)]
        timers = [self.loop.call_later(delay, self.act, (name, n)) for n, delay in enumerate(delays)]
        for timer in timers:
            if self.random.random() < 0.8:
                timer.cancel()

    def write(self, name: int) -> None:
        """Make a pipe readable."""
        os.write(self.random.choice(self.pipes)[1], b"x")

    def add_reader(self, name: int) -> None:
        """Watch a pipe for reading, in the place of whoever watched it."""
        end = self.random.choice(self.pipes)[0]
        self.loop.add_reader(end, self.readable, end, name)

    def remove_reader(self, name: int) -> None:
        """Watch a pipe no more."""
        self.trace.append(("removed", self.loop.remove_reader(self.random.choice(self.pipes)[0])))

    def add_writer(self, name: int) -> None:
        """Watch a pipe for writing."""
        end = self.random.choice(self.pipes)[1]
        self.loop.add_writer(end, self.writable, end, name)

    def stop(self, name: int) -> None:
        """Ask the loop to stop."""
        self.loop.stop()

    def fail(self, name: int) -> None:
        """Raise what the exception handler gets."""
        raise ValueError(name)

    def leave(self, name: int) -> None:
        """Raise what leaves the run at once, with the rest of the batch still queued."""
        raise SystemExit(name)

    def readable(self, end: int, name: int) -> None:
        """Read a byte, or find none."""
        try:
            data: Any = os.read(end, 1)
        except BlockingIOError:
            data = "nothing"
        self.trace.append((self.iteration, "readable", name, data))
        self.act(("reader", name))

    def writable(self, end: int, name: int) -> None:
        """Go on once."""
        self.loop.remove_writer(end)
        self.act(("writer", name))


MIX: dict[Callable[[Program, int], None], int] = {
    Program.call_soon: 25,
    Program.call_later: 25,
    Program.call_at: 10,
    Program.call_soon_threadsafe: 8,
    Program.call_from_thread: 1,
    Program.cancel: 12,
    Program.cancel_many: 2,
    Program.write: 4,
    Program.add_reader: 4,
    Program.remove_reader: 2,
    Program.add_writer: 2,
    Program.stop: 1,
    Program.fail: 3,
    Program.leave: 1,
}
OPERATIONS = list(MIX)
WEIGHTS = list(MIX.values())


def difference(seed: int) -> tuple[str, int]:
    """Return where the two traces of a program part, "" if they are equal, and how many events were compared."""
    ours, theirs = Program(ASYNCIO, seed).run(), Program(ASY, seed).run()
    if ours == theirs:
        return "", len(ours)
    pairs = zip(ours, theirs, strict=False)
    at = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(ours), len(theirs)))
    around = slice(max(0, at - 4), at + 2)
    return f"seed {seed}, event {at}\n  asyncio {ours[around]}\n  asy     {theirs[around]}", len(ours)


def main(arguments: list[str]) -> int:
    """Run as many programs as the first argument says, from the seed that the second says."""
    count, first = int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 0
    events = 0
    for seed in range(first, first + count):
        found, compared = difference(seed)
        events += compared
        if found:
            print(found)
            return 1
    print(f"{count} programs, {events} events: equal on Python {sys.version.split()[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
