# SPDX-License-Identifier: MIT
"""The programs behind the figures: each runs on CPython's asyncio, and what is drawn is what happened.

Only public methods of the loop are called.  Two ideas make a trace the same on every machine and every time:

- Iterations are counted by a callback that stands first in the queue and queues itself again.  So it runs first in
  each iteration; and as the queue is never empty, the loop never waits.
- The loop's clock (``time()``, overridden) is moved by that callback alone: iteration n judges timers at time n.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """What happened ("run", "call_soon", "timer", "watch", "cancel"), to which callback, by whom ("": main)."""

    iteration: int  # 0: before the loop ran
    what: str
    name: str
    by: str


class SteppingLoop(asyncio.SelectorEventLoop):
    """asyncio's loop with a clock that somebody else moves."""

    now = 1.0

    def time(self) -> float:
        """Return the time that was set."""
        return self.now


class Recorder:
    """A loop whose callbacks have names, and what they did."""

    def __init__(self) -> None:
        self.loop = SteppingLoop()
        self.iteration = 0
        self.events: list[Event] = []
        self._actions: dict[str, list[Callable[[], object]]] = {}
        self._handles: dict[str, asyncio.Handle] = {}
        self._running = ""
        self.loop.call_soon(self._count)

    def when_run(self, name: str, *actions: Callable[[], object]) -> None:
        """Say what a callback does, besides being recorded."""
        self._actions[name] = list(actions)

    def call_soon(self, name: str) -> None:
        """Queue a callback."""
        self._note("call_soon", name)
        self._handles[name] = self.loop.call_soon(self._run, name)

    def call_at(self, when: float, name: str) -> None:
        """Schedule a timer."""
        self._note("timer", name)
        self._handles[name] = self.loop.call_at(when, self._run, name)

    def watch(self, watched: socket.socket, reader: str, writer: str) -> None:
        """Watch a socket for both purposes, each until it has been ready once."""
        self._note("watch", reader)
        self._note("watch", writer)
        self.when_run(reader, lambda: self.loop.remove_reader(watched), *self._actions.get(reader, []))
        self.when_run(writer, lambda: self.loop.remove_writer(watched), *self._actions.get(writer, []))
        self.loop.add_writer(watched, self._run, writer)
        self.loop.add_reader(watched, self._run, reader)

    def cancel(self, name: str) -> None:
        """Cancel a callback."""
        self._note("cancel", name)
        self._handles[name].cancel()

    def run(self) -> list[Event]:
        """Run the loop until a callback stops it, close it, and return everything that happened."""
        self.loop.run_forever()
        self.loop.close()
        return self.events

    def _note(self, what: str, name: str) -> None:
        self.events.append(Event(self.iteration, what, name, self._running))

    def _run(self, name: str) -> None:
        self._running = name
        self._note("run", name)
        for action in self._actions.get(name, []):
            action()
        self._running = ""

    def _count(self) -> None:
        self.iteration += 1
        self.loop.now = self.iteration + 1.0
        self.loop.call_soon(self._count)


def queue_trace() -> list[Event]:
    """Five iterations of call_soon(): callbacks that add others, one that cancels one."""
    recorder = Recorder()
    for name in "ABC":
        recorder.call_soon(name)
    recorder.when_run("A", lambda: recorder.call_soon("D"))
    recorder.when_run("C", lambda: recorder.call_soon("E"))
    recorder.when_run("D", lambda: recorder.call_soon("F"), lambda: recorder.call_soon("G"))
    recorder.when_run("E", lambda: recorder.cancel("F"))
    recorder.when_run("G", lambda: recorder.call_soon("H"))
    recorder.when_run("H", lambda: recorder.call_soon("I"), lambda: recorder.call_soon("J"))
    recorder.when_run("J", recorder.loop.stop)
    return recorder.run()


TIMERS = {"a": 5, "b": 3, "c": 4, "d": 2, "e": 6}  # name: deadline, in the order in which they are pushed
CANCELLED = ["d", "c"]


def timer_trace() -> list[Event]:
    """Five timers, of which two are cancelled before the loop runs."""
    recorder = Recorder()
    for name, when in TIMERS.items():
        recorder.call_at(when, name)
    for name in CANCELLED:
        recorder.cancel(name)
    recorder.when_run("e", recorder.loop.stop)
    return recorder.run()


def iteration_trace() -> list[Event]:
    """An iteration with all three sources of callbacks, and the one after it."""
    recorder = Recorder()
    here, there = socket.socketpair()
    with here, there:
        there.send(b"x")
        recorder.call_at(0.5, "u")
        recorder.call_at(0.25, "t")
        recorder.call_soon("p")
        recorder.call_soon("q")
        recorder.when_run("r", lambda: recorder.call_soon("y"))
        recorder.watch(here, "r", "w")
        recorder.when_run("p", lambda: recorder.call_at(0, "z"), lambda: recorder.call_soon("x"))
        recorder.when_run("z", recorder.loop.stop)
        return recorder.run()
