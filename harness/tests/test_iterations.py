# SPDX-License-Identifier: MIT
"""Iteration numbers against the truth: an asyncio loop that counts its own iterations, and random programs.

The loop has a clock of its own that jumps to the next timer instead of waiting, so a program gives the same
trace every time.  Each program runs twice: as it is, which gives the order and the true iteration of every
event, and with the marker, which must change neither and must find the iterations out.
"""

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from loopcheck_target.iterations import Iterations, Marker

PROGRAMS = 400


@dataclass(frozen=True)
class Event:
    """What a program did, when on its loop's clock, and in which iteration (None: outside the loop)."""

    name: str
    now: float
    iteration: int | None


class CountingLoop(asyncio.SelectorEventLoop):
    """asyncio's loop with a clock that jumps; it counts its iterations."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.iteration = 0
        self._really_select = self._selector.select  # type: ignore[attr-defined]
        self._selector.select = self._jump  # type: ignore[attr-defined]

    def time(self) -> float:
        """Return the time on the clock that jumps."""
        return self.now

    def _jump(self, timeout: float | None) -> Any:
        assert timeout is not None, "the loop would wait for ever"
        self.now += max(timeout, 0)
        return self._really_select(0)

    def _run_once(self) -> None:
        self.iteration += 1
        super()._run_once()  # type: ignore[misc]


class Program:
    """A random program: a tree of callbacks, each traced, each doing what its seed says."""

    def __init__(self, seed: int, loop: CountingLoop, iteration_of: Callable[[], int | None]) -> None:
        self.events: list[Event] = []
        self._dice = random.Random(seed)
        self._loop = loop
        self._iteration_of = iteration_of
        self._names: Iterator[int] = iter(range(10**6))
        self._left = self._dice.randrange(3, 25)
        self._ways = [self._soon, self._later, self._threadsafe, self._future, self._task]

    def trace(self, name: str) -> None:
        """Record an event with its iteration."""
        self.events.append(Event(name, self._loop.now, self._iteration_of()))

    def run(self) -> None:
        """Run the program in two phases, each until nothing is left to do."""
        for _ in range(2):
            for _ in range(self._dice.randrange(1, 4)):
                self._act()
            self.trace("outside")
            self._loop.call_later(1000, self._loop.stop)
            self._loop.run_forever()

    def _act(self) -> None:
        if self._left > 0:
            self._left -= 1
            self._dice.choice(self._ways)(f"e{next(self._names)}")

    def _callback(self, name: str, *ignored: Any) -> None:
        self.trace(name)
        for _ in range(self._dice.choice((0, 0, 1, 1, 2, 3))):
            self._act()

    def _soon(self, name: str) -> None:
        self._loop.call_soon(self._callback, name)

    def _later(self, name: str) -> None:
        self._loop.call_later(
            self._dice.choice((0, self._dice.random(), self._dice.random())), self._callback, name
        )

    def _threadsafe(self, name: str) -> None:
        self._loop.call_soon_threadsafe(self._callback, name)

    def _future(self, name: str) -> None:
        future = self._loop.create_future()
        future.add_done_callback(lambda _: self._callback(name))
        future.set_result(None)

    def _task(self, name: str) -> None:
        delays = [self._dice.choice((0, self._dice.random())) for _ in range(self._dice.randrange(3))]

        async def body() -> None:
            self._callback(name)
            for number, delay in enumerate(delays):
                await asyncio.sleep(delay)
                self._callback(f"{name}.{number}")

        self._loop.create_task(body())


def as_it_is(seed: int) -> list[Event]:
    """Run a program without marker; return its events with their true iterations."""
    loop = CountingLoop()
    program = Program(seed, loop, lambda: loop.iteration if loop.is_running() else None)
    program.run()
    loop.close()
    return program.events


def with_marker(seed: int) -> list[Event]:
    """Run a program with the marker; return its events with the numbers that it found out."""
    loop = CountingLoop()
    iterations = Iterations()
    iterations.watch(loop)
    program = Program(seed, loop, iterations.current)
    program.run()
    loop.close()
    return program.events


Gap = tuple[int, bool]


def gaps(events: list[Event]) -> list[Gap]:
    """Return, for each two events in a row inside the loop, the iterations between them and whether it waited."""
    return [
        (later.iteration - earlier.iteration, later.now > earlier.now)
        for earlier, later in pairwise(events)
        if earlier.iteration is not None and later.iteration is not None
    ]


def test_marker_does_not_change_the_order_of_events_nor_their_moments() -> None:
    for seed in range(PROGRAMS):
        truth, found = as_it_is(seed), with_marker(seed)
        assert [(e.name, e.now) for e in found] == [(e.name, e.now) for e in truth], f"program {seed}"


def test_gaps_between_events_are_the_true_ones() -> None:
    seen: set[tuple[Gap, Gap]] = set()
    for seed in range(PROGRAMS):
        for true, found in zip(gaps(as_it_is(seed)), gaps(with_marker(seed)), strict=True):
            assert found == true, f"program {seed}"
            seen.add((true, found))
    assert {true for true, _ in seen} >= {(0, False), (1, False), (1, True)}


def test_events_outside_the_loop_have_no_number_and_the_first_iteration_is_one() -> None:
    loop, iterations = CountingLoop(), Iterations()
    iterations.watch(loop)
    found = [iterations.current()]
    loop.call_soon(lambda: found.append(iterations.current()))
    loop.call_soon(loop.stop)
    loop.run_forever()
    found.append(iterations.current())
    loop.close()
    assert found == [None, 1, None]


def test_idle_loop_rests() -> None:
    loop, iterations = CountingLoop(), Iterations()
    iterations.watch(loop)
    loop.call_later(1000, loop.stop)
    loop.run_forever()
    loop.close()
    assert loop.iteration <= 3


def test_call_from_another_thread_does_not_arm_the_marker() -> None:
    loop = CountingLoop()
    marker = Marker(loop)
    loop.call_soon(loop.stop)
    loop.run_forever()
    before = loop.iteration, marker.number
    thread = threading.Thread(target=loop.call_soon_threadsafe, args=(loop.stop,))
    thread.start()
    thread.join()
    loop.run_forever()
    loop.close()
    assert loop.iteration == before[0] + 1
    assert marker.number <= before[1] + 1


class FinalLoop(CountingLoop):
    """A loop that does not let its attributes be replaced."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("call_soon"):
            raise AttributeError(f"{name} is read-only")
        super().__setattr__(name, value)


def test_loop_whose_attributes_are_final_is_counted_by_its_traces() -> None:
    loop, iterations = FinalLoop(), Iterations()
    iterations.watch(loop)
    found: list[int | None] = []

    def callback(left: int) -> None:
        found.append(iterations.current())
        if left:
            loop.call_soon(callback, left - 1)
        else:
            loop.stop()

    loop.call_soon(callback, 3)
    loop.run_forever()
    loop.close()
    assert found == [1, 2, 3, 4]


def test_each_of_two_loops_has_its_own_numbers() -> None:
    iterations = Iterations()
    loops = [CountingLoop(), CountingLoop()]
    found: list[int | None] = []
    for loop in loops:
        iterations.watch(loop)
    for loop in (*loops, loops[0]):
        loop.call_soon(lambda: found.append(iterations.current()))
        loop.call_soon(loop.stop)
        loop.run_forever()
    for loop in loops:
        loop.close()
    assert found[:2] == [1, 1]
    assert found[2] is not None and found[2] > 1
