# SPDX-License-Identifier: MIT
"""``results.jsonl``: the one product of a run; every report is a pure function of it.

A header, one record for each scenario on each target, records of what went wrong around them, and a footer.
A file without a footer is incomplete, and every reader says so.  The oracle's traces of a scenario are stored
with the first record that used them; the others have ``null`` there, and reading puts them back.
"""

import contextlib
import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import jsonschema
import jsonschema.protocols

from .judge import Judgement
from .schema import results_schema
from .traces import Trace, trace_from_record, trace_record

FORMAT = 1


class ResultsError(Exception):
    """A results file that cannot be written or read; the text is one sentence."""


class WriteError(ResultsError):
    """A results file that can be written no further: what it has is an incomplete run."""


@dataclass(frozen=True)
class ScenarioResult:
    """The record of one scenario on one target, with its traces back in place."""

    record: dict[str, Any]
    oracle: tuple[Trace, ...]
    target: tuple[Trace, ...]

    @property
    def id(self) -> str:
        """The scenario's id."""
        return str(self.record["id"])

    @property
    def verdict(self) -> str:
        """The verdict."""
        return str(self.record["verdict"])

    @property
    def target_name(self) -> str:
        """The target's name in reports."""
        return str(self.record["target"])


@dataclass
class Results:
    """A whole results file."""

    header: dict[str, Any]
    scenarios: list[ScenarioResult] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    footer: dict[str, Any] | None = None

    def of_target(self, name: str) -> list[ScenarioResult]:
        """Return the results of one target."""
        return [result for result in self.scenarios if result.target_name == name]


def scenario_record(
    description: dict[str, Any], judgement: Judgement, oracle: tuple[Trace, ...], target: tuple[Trace, ...]
) -> dict[str, Any]:
    """Return the record of a judged scenario.  description: id, title, target, oracle, statements, ...."""
    return {
        "record": "scenario",
        **description,
        "verdict": judgement.verdict,
        "axis": judgement.axis,
        "level": judgement.level,
        "signature": judgement.signature,
        "reason": judgement.reason,
        "sentence": judgement.sentence or (judgement.findings[0].sentence if judgement.findings else ""),
        "differences": [
            {
                "kind": finding.kind,
                "axis": finding.axis,
                "level": finding.level,
                "event": finding.event,
                "oracle": finding.oracle,
                "target": finding.target,
                "sentence": finding.sentence,
            }
            for finding in judgement.findings
        ],
        "repeats": {
            "seen": judgement.seen[0],
            "of": judgement.seen[1],
            "outcomes": [{"signature": signature, "count": count} for signature, count in judgement.outcomes],
        },
        "traces": {
            "oracle": [trace_record(trace) for trace in oracle],
            "target": [trace_record(trace) for trace in target],
        },
    }


class Writer:
    """Writes a results file record by record; each is on disk before the next is begun."""

    def __init__(self, path: Path | None) -> None:
        """Open path for writing; None writes nowhere.  Raises ResultsError."""
        self._stored: dict[tuple[str, str], str] = {}
        self._path = path
        self._file: TextIO | None = None
        if path is not None:
            try:
                self._file = path.open("w", encoding="utf-8")
            except OSError as exc:
                raise ResultsError(f"the results file {path} cannot be written: {exc.strerror}") from exc

    def write(self, record: dict[str, Any]) -> None:
        """Write one record.  Raises WriteError."""
        if self._file is not None:
            line = json.dumps(self._without_known_traces(record), ensure_ascii=False)
            try:
                self._file.write(line + "\n")
                self._file.flush()
            except OSError as exc:
                self.close()
                raise WriteError(f"the results file {self._path} cannot be written: {exc.strerror}") from exc

    def _without_known_traces(self, record: dict[str, Any]) -> dict[str, Any]:
        if record["record"] != "scenario" or not record["traces"]["oracle"]:
            return record
        key = (record["id"], record["oracle"])
        text = json.dumps(record["traces"]["oracle"])
        if self._stored.get(key) == text:
            return {**record, "traces": {**record["traces"], "oracle": None}}
        self._stored.setdefault(key, text)
        return record

    def close(self) -> None:
        """Close the file; what did not get there has been reported by write()."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


def read_results(path: Path) -> Results:
    """Return the results in a file.  Raises ResultsError when it cannot be read or is no results file."""
    try:
        lines = path.read_bytes().rstrip(b"\n").split(b"\n")
    except OSError as exc:
        raise ResultsError(f"the results file {path} cannot be read: {exc.strerror}") from exc
    records = list(_parse(path, lines))
    if not records or records[0].get("record") != "header":
        raise ResultsError(f"{path} is no results file: it does not begin with a header record")
    return assemble(records)


@functools.cache
def _validator() -> jsonschema.protocols.Validator:
    return jsonschema.Draft202012Validator(results_schema())


def _parse(path: Path, lines: list[bytes]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            _validator().validate(record)
        except ValueError as exc:
            if number == len(lines):
                return  # cut short: there is no footer then, and the results say that they are incomplete
            raise ResultsError(f"{path}:{number} is no JSON: {exc}") from exc
        except jsonschema.ValidationError as exc:
            raise ResultsError(f"{path}:{number} is no results record: {exc.message}") from exc
        yield record


def assemble(records: list[dict[str, Any]]) -> Results:
    """Return the results that a sequence of records makes, shared traces of the oracle put back in place."""
    results = Results(records[0])
    oracles: dict[tuple[str, str], tuple[Trace, ...]] = {}
    for record in records[1:]:
        if record["record"] == "scenario":
            key = (record["id"], record["oracle"])
            stored = record["traces"]["oracle"]
            oracle = oracles.get(key, ()) if stored is None else tuple(map(trace_from_record, stored))
            oracles.setdefault(key, oracle)
            target = tuple(map(trace_from_record, record["traces"]["target"]))
            results.scenarios.append(ScenarioResult(record, oracle, target))
        elif record["record"] == "footer":
            results.footer = record
        else:
            results.errors.append(record)
    return results
