# SPDX-License-Identifier: MIT
"""What of the specification the scenarios reach: statement by statement, and name by name.

Two tables.  That of the statements follows from what is written: which scenarios cite a statement, or why none
does.  That of the names is measured: which calls the scenarios make on asyncio (``coverage_pass.py``), which
parameters they give, which of the documented errors come out.

A part that the surface lists under ``later`` is not built yet: its statements and names are "not yet", which is
no gap.  A statement is of such a part if its file is, or if one of its names is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from . import __version__
from .coverage_pass import Call, Measured
from .scenarios import Scenario
from .spec import Statement
from .surface import Name, Parameter, Surface

STATEMENT_STATES: Final[Mapping[str, str]] = {
    "tested": "a scenario cites it",
    "contradicted": "CPython does otherwise",
    "untestable": "no scenario can show it; the record says why",
    "untested": "no scenario cites it, and nothing says why",
    "not yet": "its part is not built yet",
}
NAME_STATES: Final[Mapping[str, str]] = {
    "called": "a scenario calls it; a class: makes one, or calls a method",
    "not called": "no scenario calls it",
    "not yet": "its part is not built yet",
    "not there": "no interpreter that was measured has it",
    "not measured": "not a thing that is called, or made where nobody can watch",
}
MEASURED_KINDS: Final = ("function", "coroutine", "method", "class", "attribute")

REACHABLE: Final = ("called", "not called", "not yet")
"""The states of names that scenarios can reach, now or later: the numbers by part count these."""

# Where a call is noted under one name and documented under another.
_NOTED_AS: Final[Mapping[str, tuple[str, ...]]] = {
    "Timeout.__aexit__": ("timeout", "timeout_at"),
    "TaskGroup.__aexit__": ("TaskGroup",),
    "Server.__aexit__": ("Server.__aenter__",),
}
_BASES: Final[Mapping[str, str]] = {"TimerHandle.": "Handle.", "Task.": "Future."}


@dataclass(frozen=True)
class StatementCoverage:
    """One statement.  why: of one that is contradicted, what CPython does; of one that is untestable, why."""

    id: str
    part: str
    status: str
    state: str
    scenarios: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class NameCoverage:
    """One name: its parameters that were given and that never were, its errors that came out and never did."""

    name: str
    part: str
    kind: str
    state: str
    given: tuple[str, ...]
    never_given: tuple[str, ...]
    provoked: tuple[str, ...]
    never_provoked: tuple[str, ...]


@dataclass(frozen=True)
class Coverage:
    """The whole table.  measured: on what, empty when only the statements were looked at."""

    statements: tuple[StatementCoverage, ...]
    names: tuple[NameCoverage, ...]
    measured: tuple[Measured, ...]
    parts: Mapping[str, str]
    later: frozenset[str] = frozenset()

    @property
    def built(self) -> set[str]:
        """The parts that exist."""
        return {*self.parts} - self.later

    @property
    def untested(self) -> list[StatementCoverage]:
        """The statements of the parts that exist which no scenario shows, and which do not say why."""
        return [statement for statement in self.statements if statement.state == "untested"]

    @property
    def failed(self) -> dict[str, str]:
        """The scenarios that did not come to their end while they were measured, and how they ended."""
        return {id: f"{how} on {m.target}" for m in self.measured for id, how in m.failed.items()}


def cover(
    statements: Mapping[str, Statement],
    scenarios: Sequence[Scenario],
    surface: Surface,
    measured: Sequence[Measured],
) -> Coverage:
    """Return the coverage of the statements, and of the names as far as they were measured."""
    citing = scenarios_by_statement(scenarios)
    return Coverage(
        statements=tuple(_statement(s, citing.get(s.id, ()), surface) for s in statements.values()),
        names=tuple(_name(name, surface, measured) for name in surface.names.values()) if measured else (),
        measured=tuple(measured),
        parts=surface.parts,
        later=surface.later,
    )


def scenarios_by_statement(scenarios: Iterable[Scenario]) -> dict[str, tuple[str, ...]]:
    """Return the ids of the scenarios that cite each statement that is cited: the tested ones."""
    citing: dict[str, tuple[str, ...]] = {}
    for scenario in scenarios:
        for id in scenario.statements:
            citing[id] = (*citing.get(id, ()), scenario.id)
    return citing


# ---- statements ----------------------------------------------------------------------------------------------


def _statement(statement: Statement, citing: tuple[str, ...], surface: Surface) -> StatementCoverage:
    shown = tuple(dict.fromkeys([*([statement.shown_by] if statement.shown_by else []), *citing]))
    why = statement.contradiction or statement.untestable
    if statement.contradiction:
        state = "contradicted"
    elif citing:
        state = "tested"
    elif statement.untestable:
        state = "untestable"
    else:
        state = "not yet" if is_later(statement, surface) else "untested"
    return StatementCoverage(statement.id, statement.part, statement.status, state, shown, why)


def is_later(statement: Statement, surface: Surface) -> bool:
    """Return whether a statement is of a part that is not built yet, by its file or by one of its names."""
    named = [surface.find(name) for name in statement.names]
    return statement.part in surface.later or any(name and name.part in surface.later for name in named)


# ---- names ---------------------------------------------------------------------------------------------------


def _name(name: Name, surface: Surface, measured: Sequence[Measured]) -> NameCoverage:
    there = [m for m in measured if name.exists_in(_release(m.python))]
    calls = [(m, call) for m in measured for call in m.calls if name in documented_as(call.name, surface)]
    given = {p.name for m, call in calls for p in given_by(call, _parameters(name, m.python))}
    known = [p.name for p in name.parameters if any(p.exists_in(_release(m.python)) for m in there)]
    came_out = {provoked_by(call, name.errors) for _, call in calls}
    provoked = tuple(error for error in name.errors if error in came_out)
    return NameCoverage(
        name=name.name,
        part=name.part,
        kind=name.kind,
        state=_state(name, surface, measured, called=bool(calls)),
        given=tuple(parameter for parameter in known if parameter in given),
        never_given=tuple(parameter for parameter in known if parameter not in given),
        provoked=provoked,
        never_provoked=tuple(error for error in name.errors if error not in provoked) if there else (),
    )


def _state(name: Name, surface: Surface, measured: Sequence[Measured], *, called: bool) -> str:
    methods = f"{name.name}."
    if called or (
        name.kind == "class" and any(c.name.startswith(methods) for m in measured for c in m.calls)
    ):
        return "called"
    if not any(name.exists_in(_release(m.python)) for m in measured):
        return "not there"
    if name.part in surface.later:
        return "not yet"
    watched = any(name in documented_as(noted, surface) for m in measured for noted in m.watched)
    return "not called" if watched and name.kind in MEASURED_KINDS else "not measured"


def documented_as(noted: str, surface: Surface) -> tuple[Name, ...]:
    """Return the names that a call noted under some name is documented under: none, one or several."""
    aliases = [surface.names[name] for name in _NOTED_AS.get(noted, ()) if name in surface.names]
    found = surface.find(noted)
    for derived, base in _BASES.items():
        if found is None and noted.startswith(derived):
            found = surface.find(base + noted.removeprefix(derived))
    return (*aliases, found) if found else tuple(aliases)


def provoked_by(call: Call, errors: Sequence[str]) -> str | None:
    """Return the documented error that a call of this very name provoked: the nearest class of what it raised.

    NotImplementedError is a RuntimeError, and still none that anybody documents: it counts by its own name only.
    """
    by_class = {error.rpartition(".")[2]: error for error in errors}
    classes = call.raised[:1] if call.raised[:1] == ("NotImplementedError",) else call.raised
    return next((by_class[cls] for cls in classes if cls in by_class), None)


def _parameters(name: Name, python: str) -> list[Parameter]:
    return [p for p in name.parameters if p.exists_in(_release(python))]


def given_by(call: Call, parameters: Sequence[Parameter]) -> list[Parameter]:
    """Return those of the parameters that a call gives."""
    positional = [p for p in parameters if p.kind == "positional"]
    given = positional[: call.positional]
    if call.positional > len(positional):
        given += [p for p in parameters if p.kind == "varargs"]
    named = [p for p in parameters if {p.name, p.given_as} & {*call.keywords} and p not in given]
    if {*call.keywords} - {word for p in parameters for word in (p.name, p.given_as)}:
        named += [p for p in parameters if p.kind == "varkw"]
    return given + named


def _release(python: str) -> str:
    """Return the release of a version: "3.15.0a2" is one of 3.15, whatever is still to come."""
    parts = python.split(".")
    return python if len(parts) == 3 and parts[2].isdigit() else ".".join(parts[:2])


# ---- as data -------------------------------------------------------------------------------------------------


def as_record(coverage: Coverage) -> dict[str, Any]:
    """Return the coverage as plain data, for JSON."""
    return {
        "format": 1,
        "loopcheck": __version__,
        "measured": [
            {"target": m.target, "python": m.python, "scenarios": m.ran, "failed": m.failed}
            for m in coverage.measured
        ],
        "statements": [asdict(statement) for statement in coverage.statements],
        "names": [asdict(name) for name in coverage.names],
        "parts": [asdict(row) for row in summary(coverage)],
    }


@dataclass(frozen=True)
class PartSummary:
    """The numbers of one part; pairs are (reached, of)."""

    part: str
    title: str
    statements: dict[str, int]
    names: tuple[int, int]
    parameters: tuple[int, int]
    errors: tuple[int, int]


def summary(coverage: Coverage) -> list[PartSummary]:
    """Return the numbers of each part, in the order of the surface, parts that only have statements last."""
    parts = dict.fromkeys([*coverage.parts, *(s.part for s in coverage.statements)])
    return [_summary_of(part, coverage) for part in parts]


def _summary_of(part: str, coverage: Coverage) -> PartSummary:
    states = [s.state for s in coverage.statements if s.part == part]
    names = [n for n in coverage.names if n.part == part and n.state in REACHABLE]
    called = [n for n in names if n.state == "called"]
    given, never = sum(len(n.given) for n in names), sum(len(n.never_given) for n in names)
    provoked, not_provoked = sum(len(n.provoked) for n in names), sum(len(n.never_provoked) for n in names)
    return PartSummary(
        part=part,
        title=coverage.parts.get(part, ""),
        statements={state: states.count(state) for state in STATEMENT_STATES if state in states},
        names=(len(called), len(names)),
        parameters=(given, given + never),
        errors=(provoked, provoked + not_provoked),
    )
