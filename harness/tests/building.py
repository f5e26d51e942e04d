# SPDX-License-Identifier: MIT
"""Builders for the unit tests of the driver: events, traces, results, statements, each in one short call.

What a test does not name has a value that is right and unremarkable, so what it names is what it is about.
"""

from pathlib import Path
from typing import Any

from loopcheck.interpreters import Interpreter
from loopcheck.judge import Judgement, Subject
from loopcheck.results import Runs, scenario_record
from loopcheck.spec import Level, Statement, Status
from loopcheck.targets import Target
from loopcheck.traces import Event, Outcome, Trace

TICK_S = 0.02
LEVEL_TO_STATUS: dict[Level, Status] = {
    "guaranteed": "guaranteed",
    "observed": "implied",
    "free": "undefined",
}


def event(name: str, *values: Any, actor: str = "main", **fields: Any) -> Event:
    """Return an event of the kind ``user``; fields: kind, t, group, due, iteration, waited."""
    return Event(**{"kind": "user", "actor": actor, "name": name, "values": values, "t": 0.0, **fields})


def record(kind: str, name: str, *values: Any) -> Event:
    """Return a log record, a warning, an unraisable exception or what ended the scenario."""
    return event(name, *values, actor="main" if kind == "raised" else kind, kind=kind)


def barrier() -> Event:
    """Return what ``trace.barrier()`` leaves in a trace."""
    return event("barrier", kind="barrier")


def events(names: str) -> list[Event]:
    """Return an event for each word: ``name``, or ``actor.name``; ``|`` is a barrier."""
    found = []
    for word in names.split():
        actor, dot, name = word.rpartition(".")
        found.append(barrier() if word == "|" else event(name, actor=actor if dot else "main"))
    return found


def end(**fields: Any) -> dict[str, Any]:
    """Return a trace's end line: one loop of ``good.Loop``, nothing left behind."""
    usual = {
        "k": "end",
        "status": "ok",
        "loops": 1,
        "classes": ["good.Loop"],
        "left": {},
        "pending_tasks": 0,
        "close_errors": [],
        "run_delay": 0.0,
        "passed": 0.0,
    }
    return {**usual, **fields}


def trace(
    *happened: Event, clock: str = "virtual", tick: float = TICK_S, habits: Any = None, **fields: Any
) -> Trace:
    """Return a run that ended well; fields: of the end line."""
    header = {"k": "run", "T": tick, "clock": clock, "habits": habits}
    return Trace(header, happened, end(**fields))


def died(*happened: Event, **outcome: Any) -> Trace:
    """Return a run without an end; outcome: fields of Outcome."""
    return Trace({"T": TICK_S, "timeout": 4.0, "clock": "virtual"}, happened, None, Outcome(**outcome))


def exc(name: str, msg: str = "", **fields: Any) -> dict[str, Any]:
    """Return the form of an exception."""
    return {"exc": name, "msg": msg, **fields}


def subject(level: str = "guaranteed", demanded: str = "guaranteed", **fields: Any) -> Subject:
    """Return what is judged: ``target`` against ``asyncio``."""
    return Subject(
        **{"oracle": "asyncio", "target": "target", "level": level, "demanded": demanded, **fields}
    )


def statement(
    id: str, level: Level = "guaranteed", since: str = "3.4", until: str | None = None
) -> Statement:
    """Return a statement of a level that holds for a span of versions."""
    status = LEVEL_TO_STATUS[level]
    return Statement(id, (id,), "It holds.", ("000",), since, until, status, "Try it.", Path("some.toml"), 1)


INTERPRETER = Interpreter("/somewhere/python3.12", "3.12.1", "cpython")


def target(text: str = "target:new", factory: str = "target:new", name: str = "target") -> Target:
    """Return a target on an interpreter that is not there."""
    return Target(text, name, factory, INTERPRETER)


def header(*names: str, **fields: Any) -> dict[str, Any]:
    """Return the header record of a run on targets of these names; fields: of the record."""
    about = {"python": "3.12.1", "implementation": "cpython", "version": "1.0", "clock": "virtual"}
    targets = [
        {
            "text": f"{name}:new",
            "name": name,
            "factory": f"{name}:new",
            "class": f"{name}.Loop",
            "oracle": "asyncio 3.12.1",
            "oracle_text": "asyncio",
            "asyncios_own": False,
            **about,
        }
        for name in names or ("target",)
    ]
    usual = {
        "record": "header",
        "format": 1,
        "loopcheck": "0.1.0",
        "platform": "Linux",
        "command": ["loopcheck", "run"],
        "level": "guaranteed",
        "clock": "auto",
        "repeat": 1,
        "baseline": "",
        "path": [],
        "targets": targets,
        "plan": ["area/scenario"],
        "selected": 1,
        "of": 3,
    }
    return {**usual, **fields}


ABOUT = {
    "file": "area/topic.py",
    "line": 7,
    "source": 'def scenario(loop, trace):\n    """Something happens."""',
    "statements": [
        {
            "id": "call_soon.fifo-order",
            "text": "Callbacks are called in the order in which they are registered.",
            "status": "guaranteed",
            "url": "https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.call_soon",
        }
    ],
}


def result(
    judgement: Judgement,
    ours: tuple[Trace, ...] = (),
    theirs: tuple[Trace, ...] = (),
    confirmations: tuple[Trace, ...] = (),
    **fields: Any,
) -> dict[str, Any]:
    """Return the record of a scenario.  ours, theirs: runs of oracle and target; fields: of the description."""
    usual = {
        "id": "area/scenario",
        "title": "Something happens.",
        "target": "target",
        "oracle": "asyncio",
        "statements": ["call_soon.fifo-order"],
        "basis": "",
        "scenario_level": "guaranteed",
        "needs": [],
        "habits_count": False,
        "about": ABOUT,
    }
    return scenario_record({**usual, **fields}, judgement, Runs(ours, theirs, confirmations))


def footer(exit: int = 0, *, interrupted: bool = False, **counts: int) -> dict[str, Any]:
    """Return the footer record of a run."""
    return {"record": "footer", "counts": counts, "exit": exit, "interrupted": interrupted}
