# SPDX-License-Identifier: MIT
"""``trace(...)``: from a call in a scenario to one JSON line in the trace.

Two ideas.  Each line is written with one ``write(2)`` as it happens, so a crash or a hang leaves everything up
to its last event.  And order is *declared*: events of one actor are ordered, events of different actors are
not, ``unordered()`` frees the events of one group from each other, ``barrier()`` orders everything before it
before everything after it.  The judge (``loopcheck/order.py``) needs nothing else.

An event: {"n": sequence, "k": kind, "a": actor, "e": name, "v": [values], "t": seconds since the start}, and
where they apply "g" (unordered group), "due" (seconds since the start), "it" (iteration of the loop),
"th" (true: written by another thread than the main one), "waited" (on the real clock, with "due": seconds that
the thread waited for a CPU in the window from the last event before "due" to this one, so that the judge can
tell a late loop from a busy machine).  Kinds: user, log, warn, unraisable, barrier.
"""

import asyncio
import json
import os
import threading
import time
from typing import Any, Callable, Dict, Optional

from .resources import WaitingForCpu
from .values import plain

IterationOf = Callable[[], Optional[int]]


MOST_EVENTS = 20000


class Recorder:
    """Writes the events of one run to one descriptor, which it does not own.

    A trace that goes on for ever is cut: its last event says so.
    """

    def __init__(self, fd: int) -> None:
        self.iteration_of: IterationOf = lambda: None
        self._fd = fd
        self._sequence = 0
        self._groups = 0
        self._lock = threading.RLock()  # re-entrant: a signal handler may trace in the middle of a trace
        self._start = time.monotonic()
        self._waiting: Optional[WaitingForCpu] = None

    def start_clock(self) -> None:
        """Count seconds from now."""
        self._start = time.monotonic()

    def watch_waiting(self, waiting: WaitingForCpu) -> None:
        """Say of events with a deadline how long their thread waited for a CPU: for a run in real time."""
        waiting.since(None, self._start)
        self._waiting = waiting

    def new_group(self) -> int:
        """Return the number of a new unordered group."""
        self._groups += 1
        return self._groups

    def event(self, kind: str, actor: str, name: str, values: Any, **extra: Any) -> None:
        """Write one event; values are any Python values."""
        at = time.monotonic()
        due = extra.get("due")
        waited = self._waiting.since(due, at) if self._waiting is not None else None
        now = at - self._start
        record: Dict[str, Any] = {"k": kind, "a": actor, "e": name, "v": [plain(value) for value in values]}
        if due is not None:
            extra.update(due=round(due - self._start, 6), waited=waited)
        record.update((key, value) for key, value in extra.items() if value is not None)
        if threading.current_thread() is not threading.main_thread():
            record["th"] = True
        self.line(record, now)

    def line(self, record: Dict[str, Any], now: Optional[float] = None) -> None:
        """Write one record, numbered."""
        with self._lock:
            if self._sequence == MOST_EVENTS:
                record = dict(record, e="…", v=["the trace is cut here"])
            elif self._sequence > MOST_EVENTS and record["k"] not in ("end", "raised"):
                self._sequence += 1
                return
            record = dict({"n": self._sequence}, **record)
            self._sequence += 1
            if now is not None:
                record["t"] = round(now, 6)
                iteration = self.iteration_of()
                if iteration is not None:
                    record["it"] = iteration
            os.write(self._fd, (json.dumps(record, ensure_ascii=False) + "\n").encode("utf-8", "replace"))


class Tracer:
    """What a scenario calls ``trace``.  It can be called from any thread and from signal handlers."""

    def __init__(self, recorder: Recorder, actor: str = "main", group: Optional[int] = None) -> None:
        self._recorder = recorder
        self._actor = actor
        self._group = group

    def __call__(self, name: str, *values: Any, due: Optional[float] = None) -> None:
        """Record that name happened.

        values: what to compare: plain data, types and exceptions.
        due: when it should have happened, on the clock of ``time.monotonic()``, in seconds.
        Raises TypeError for a name that is not a string.
        """
        if not isinstance(name, str):
            raise TypeError("trace(name, *values): the name must be a string, not %s" % type(name).__name__)
        self._recorder.event("user", self._actor, name, values, g=self._group, due=due)

    def actor(self, name: str) -> "Tracer":
        """Return a tracer whose events are ordered among themselves only."""
        return Tracer(self._recorder, name)

    def unordered(self) -> "Tracer":
        """Return a tracer of this actor whose events may come in any order among themselves."""
        return Tracer(self._recorder, self._actor, self._recorder.new_group())

    def barrier(self) -> None:
        """Order every event so far, of any actor, before every event from here on."""
        self._recorder.event("barrier", self._actor, "barrier", ())

    def __repr__(self) -> str:
        return "<trace>"  # shows up in debug logs, which are compared: no address


def running_loop() -> Optional[asyncio.AbstractEventLoop]:
    """Return the loop that runs in this thread, or None."""
    return asyncio._get_running_loop()
