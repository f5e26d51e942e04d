# SPDX-License-Identifier: MIT
"""A trace as the driver sees it: the events of one run, and how the process ended.

``loopcheck_target/tracer.py`` writes the lines and describes their fields.  A trace whose process crashed or
hung stops in the middle; the supervisor's record says which, so that every run has an outcome.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

TRACE_FORMAT = 1


@dataclass(frozen=True)
class Event:
    """One thing that happened.  ``kind`` is user, log, warn, unraisable, barrier or raised.

    t and due: seconds since the start.  waited: how many of the seconds since it was due its thread waited for a
    CPU; None where nobody counted.
    """

    kind: str
    actor: str
    name: str
    values: tuple[Any, ...]
    t: float
    group: int | None = None
    due: float | None = None
    iteration: int | None = None
    waited: float | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What makes two events of two traces the same event."""
        return (self.actor, self.name)

    @property
    def lateness(self) -> float | None:
        """Seconds after the moment it was due; negative: before it."""
        return None if self.due is None else self.t - self.due


@dataclass(frozen=True)
class Outcome:
    """How a run's process ended: the supervisor's record.

    hung: it was killed at its time-out.  signal: the name of the one that ended it, or "".  code: its exit
    status.  wall: seconds.  output: the end of what it wrote to standard output and error.
    """

    hung: bool = False
    signal: str = ""
    code: int | None = 0
    wall: float = 0.0
    output: str = ""


@dataclass(frozen=True)
class Trace:
    """One run: header line, events, end line (None when the process did not get there), outcome."""

    header: dict[str, Any]
    events: tuple[Event, ...]
    end: dict[str, Any] | None
    outcome: Outcome = field(default_factory=Outcome)
    harness_error: str = ""

    @property
    def status(self) -> str:
        """One of ok, raised, hang, crash, harness-error."""
        if self.harness_error:
            return "harness-error"
        if self.outcome.hung:
            return "hang"
        if self.end is None or self.outcome.signal:
            return "crash"
        return str(self.end["status"])

    @property
    def habits(self) -> dict[str, Any]:
        """What every loop of this target warns of and leaves behind, for one loop."""
        return dict(self.header.get("habits") or {"warnings": [], "left": {}})

    def events_without_habits(self) -> tuple[Event, ...]:
        """Return the events without the warnings that every loop of this target causes."""
        expected = Counter((name, text) for name, text in self.habits["warnings"] * self.loops_made)
        kept = []
        for event in self.events:
            habit = (event.name, event.values[0]) if event.kind == "warn" else None
            if habit is not None and expected[habit] > 0:
                expected[habit] -= 1
            else:
                kept.append(event)
        return tuple(kept)

    @property
    def loops_made(self) -> int:
        """How many loops the scenario made."""
        return int((self.end or {}).get("loops", 0))

    @property
    def last_event(self) -> Event | None:
        """The last event, or None when there was none."""
        return self.events[-1] if self.events else None

    @property
    def real_time_mattered(self) -> bool:
        """Whether time passed for real in this run, so that a busy machine can show in it."""
        return self.header.get("clock") != "virtual" or (self.end or {}).get("passed", 0.0) > 0

    @property
    def tick(self) -> float:
        """The run's tick in seconds: what the scenario has as ``T``."""
        return float(self.header.get("T", 0.0))

    @property
    def run_delay(self) -> float:
        """Seconds that the process waited for a CPU."""
        return float((self.end or {}).get("run_delay", 0.0))


def parse_event(line: dict[str, Any]) -> Event:
    """Return the event of one line of a trace."""
    return Event(
        kind=line["k"],
        actor=line["a"],
        name=line["e"],
        values=tuple(line["v"]),
        t=line["t"],
        group=line.get("g"),
        due=line.get("due"),
        iteration=line.get("it"),
        waited=line.get("waited"),
    )


def event_line(event: Event) -> dict[str, Any]:
    """Return the line that ``parse_event`` would read this event from."""
    line: dict[str, Any] = {
        "k": event.kind,
        "a": event.actor,
        "e": event.name,
        "v": list(event.values),
        "t": event.t,
    }
    optional = {"g": event.group, "due": event.due, "it": event.iteration, "waited": event.waited}
    return line | {key: value for key, value in optional.items() if value is not None}


def parse_trace(text: str, outcome: Outcome) -> Trace:
    """Return the trace that a child wrote; it never raises.

    A last line cut short by a crash is ignored; another line that is no event makes the trace a harness error.
    """
    header: dict[str, Any] = {}
    events: list[Event] = []
    end = None
    harness_error = ""
    *lines, _ = text.split("\n")  # not splitlines(): a traced text may hold other separators, such as U+2028
    for raw in lines:
        try:
            line = json.loads(raw)
            if line["k"] == "run":
                header = line
            elif line["k"] == "end":
                end = line
            elif line["k"] == "harness":
                harness_error = line["text"]
            else:
                events.append(parse_event(line))
        except (ValueError, TypeError, KeyError):
            where = f"after “{events[-1].name}”" if events else "at its beginning"
            harness_error = (
                f"the trace is damaged {where}: something wrote to a descriptor that is not its own"
            )
            break
    return Trace(header, tuple(events), end, outcome, harness_error)


def trace_record(trace: Trace) -> dict[str, Any]:
    """Return a trace as it is stored in a results file."""
    outcome = trace.outcome
    return {
        "header": trace.header,
        "events": [event_line(event) for event in trace.events],
        "end": trace.end,
        "outcome": {
            "hung": outcome.hung,
            "signal": outcome.signal,
            "code": outcome.code,
            "wall": outcome.wall,
            "output": outcome.output,
        },
        "harness_error": trace.harness_error,
    }


def trace_from_record(record: dict[str, Any]) -> Trace:
    """Return the trace that ``trace_record`` stored."""
    return Trace(
        header=record["header"],
        events=tuple(parse_event(line) for line in record["events"]),
        end=record["end"],
        outcome=Outcome(**record["outcome"]),
        harness_error=record["harness_error"],
    )
