# SPDX-License-Identifier: MIT
"""``results.jsonl``: the one product of a run; every report is a pure function of it.

A header, one record for each scenario on each target, records of what went wrong around them, and a footer.
A file without a footer is incomplete, and every reader says so.  The oracle's traces of a scenario, and what it
is about, are stored with the first record that has them; the others have ``null`` there, and reading puts them
back.
"""

import contextlib
import fcntl
import functools
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import jsonschema
import jsonschema.protocols

from . import __version__
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
    confirmations: tuple[Trace, ...] = ()

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
    baseline_problems: list[dict[str, Any]] = field(default_factory=list)
    footer: dict[str, Any] | None = None

    def of_target(self, name: str) -> list[ScenarioResult]:
        """Return the results of one target."""
        return [result for result in self.scenarios if result.target_name == name]


@dataclass(frozen=True)
class Runs:
    """The traces that a scenario was judged by on one target."""

    oracle: tuple[Trace, ...] = ()
    target: tuple[Trace, ...] = ()
    confirmations: tuple[Trace, ...] = ()


def scenario_record(description: dict[str, Any], judgement: Judgement, runs: Runs) -> dict[str, Any]:
    """Return the record of a judged scenario.  description: id, title, target, oracle, statements, ...."""
    fields = {**description, **judgement_fields(judgement)}
    return {"record": "scenario", **fields, "traces": _trace_records(runs)}


def _trace_records(runs: Runs) -> dict[str, Any]:
    return {
        "oracle": [trace_record(trace) for trace in runs.oracle],
        "target": [trace_record(trace) for trace in runs.target],
        "confirmations": [trace_record(trace) for trace in runs.confirmations],
    }


def judgement_fields(judgement: Judgement) -> dict[str, Any]:
    """Return what a record says of a judgement, before any baseline."""
    return {
        "verdict": judgement.verdict,
        "judged": judgement.verdict,
        "known": None,
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
    }


class Writer:
    """Writes a results file record by record; each is on disk before the next is begun."""

    def __init__(self, path: Path | None, kept: "Kept | None" = None) -> None:
        """Open path for writing; None writes nowhere.  Raises ResultsError.

        kept: what the file has of an earlier run: that stays, and the rest is written behind it.
        """
        self._stored: dict[tuple[str, str], str] = {}
        self._path = path
        self._cut_to = kept.size if kept else None  # before the first record, not before there is one
        self._file: TextIO | None = None
        if path is not None:
            try:
                self._file = path.open("a", encoding="utf-8")
                if path.is_file():
                    fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if kept is None:
                        self._file.truncate(0)
            except BlockingIOError:
                raise ResultsError(f"the results file {path} is being written by another run") from None
            except OSError as exc:
                raise ResultsError(f"the results file {path} cannot be written: {exc.strerror}") from exc
        for record in kept.records if kept else ():
            self._without_what_is_stored(record)

    def write(self, record: dict[str, Any]) -> None:
        """Write one record.  Raises WriteError."""
        if self._file is not None:
            line = json.dumps(self._without_what_is_stored(record), ensure_ascii=False)
            try:
                if self._cut_to is not None:
                    self._file.truncate(self._cut_to)
                    self._cut_to = None
                self._file.write(line + "\n")
                self._file.flush()
            except OSError as exc:
                self.close()
                raise WriteError(f"the results file {self._path} cannot be written: {exc.strerror}") from exc

    def begin_anew(self, records: Sequence[dict[str, Any]]) -> None:
        """Put these records in the place of all that the file has, at once.  Raises WriteError."""
        if self._path is None:
            return
        real = self._path.resolve()
        unfinished = real.with_name(f".{real.name}.{os.getpid()}")
        try:
            anew = Writer(unfinished)
            for record in records:
                anew.write(record)
            unfinished.replace(real)
        except (ResultsError, OSError) as exc:
            unfinished.unlink(missing_ok=True)
            self.close()
            raise WriteError(f"the results file {self._path} cannot be written anew: {exc}") from exc
        self.close()
        self._file, self._stored, self._cut_to = anew._file, anew._stored, None

    def _without_what_is_stored(self, record: dict[str, Any]) -> dict[str, Any]:
        if record["record"] != "scenario":
            return record
        about = self._unless_stored((record["id"], "about"), record["about"])
        oracle = self._unless_stored((record["id"], record["oracle"]), record["traces"]["oracle"])
        return {**record, "about": about, "traces": {**record["traces"], "oracle": oracle}}

    def _unless_stored(self, key: tuple[str, str], value: Any) -> Any:
        """Return a value for the file, or None when it has the same under this key already."""
        if not value:
            return value
        text = json.dumps(value)
        if self._stored.get(key) == text:
            return None
        self._stored.setdefault(key, text)
        return value

    def close(self) -> None:
        """Close the file; what did not get there has been reported by write()."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


def write_results(path: Path, results: Results) -> None:
    """Write results that were changed, to a file that has all of them at once.  Raises ResultsError."""
    if path.exists() and not path.is_file():
        _write_all(path, results)  # a terminal or a pipe
        return
    real = path.resolve()
    unfinished = real.with_name(f".{real.name}.{os.getpid()}")
    try:
        _write_all(unfinished, results)
        unfinished.replace(real)
    except ResultsError as exc:
        raise type(exc)(str(exc).replace(str(unfinished), str(path))) from exc
    except OSError as exc:
        raise ResultsError(f"the results file {path} cannot be written: {exc.strerror}") from exc
    finally:
        unfinished.unlink(missing_ok=True)


def _write_all(path: Path, results: Results) -> None:
    writer = Writer(path)
    try:
        for record in records_of(results):
            writer.write(record)
    finally:
        writer.close()


def records_of(results: Results) -> Iterator[dict[str, Any]]:
    """Yield the records that results are made of, each with its traces."""
    yield from [results.header, *results.errors]
    for result in results.scenarios:
        runs = Runs(result.oracle, result.target, result.confirmations)
        yield {**result.record, "traces": _trace_records(runs)}
    yield from [*results.baseline_problems, *([results.footer] if results.footer else [])]


def read_results(path: Path) -> Results:
    """Return the results in a file.  Raises ResultsError when it cannot be read or is no results file."""
    return assemble([record for record, _ in _records(path, _content(path))])


@dataclass(frozen=True)
class Kept:
    """What a results file has of an earlier run: its records but for those at its end, and their size in bytes."""

    records: tuple[dict[str, Any], ...]
    size: int


def read_kept(path: Path) -> Kept | None:
    """Return what a file has of an earlier run, None when it has no scenario.  Raises ResultsError."""
    content = _content(path) if path.exists() else b""
    whole_lines = content[: content.rfind(b"\n") + 1]
    if not whole_lines:
        return None
    read = _records(path, whole_lines)
    ending = ("baseline-problem", "footer")  # what a run writes last, and will find out again
    kept = [(record, size) for record, size in read if record["record"] not in ending]
    if not any(record["record"] == "scenario" for record, _ in kept):
        return None
    return Kept(tuple(record for record, _ in kept), sum(size for _, size in kept))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ResultsError(f"the results file {path} cannot be read: {exc.strerror}") from exc


def _records(path: Path, content: bytes) -> list[tuple[dict[str, Any], int]]:
    """Return the records of a file, each with the bytes that it takes.  Raises ResultsError."""
    records = list(_parse(path, content.rstrip(b"\n").split(b"\n")))
    if not records or records[0][0].get("record") != "header":
        raise ResultsError(f"{path} is no results file: it does not begin with a header record")
    _check_whole(path, [record for record, _ in records])
    return records


def _check_whole(path: Path, records: list[dict[str, Any]]) -> None:
    """Raise ResultsError unless records are those of one run: what was glued or edited is no results file."""
    targets = {target["name"] for target in records[0]["targets"]}
    seen: set[tuple[str, str]] = set()
    for number, record in enumerate(records[1:], start=2):
        what = ""
        if record["record"] == "header":
            what = "begins another run's results"
        elif records[number - 2]["record"] == "footer":
            what = "comes behind the end of the run"
        elif record["record"] == "scenario":
            key = (record["id"], record["target"])
            if record["target"] not in targets:
                what = f"is about {record['target']}, which is no target of the run"
            elif key in seen:
                what = f"is about {record['id']} on {record['target']}, as a record before it is"
            seen.add(key)
        if what:
            raise ResultsError(f"{path}:{number} {what}: a results file is what one run wrote, unchanged")


@functools.cache
def _validator() -> jsonschema.protocols.Validator:
    return jsonschema.Draft202012Validator(results_schema())


def _parse(path: Path, lines: list[bytes]) -> Iterator[tuple[dict[str, Any], int]]:
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            if number == 1:
                _check_format(path, record)
            _validator().validate(record)
        except (ValueError, RecursionError) as exc:
            if number == len(lines):
                return  # cut short: there is no footer then, and the results say that they are incomplete
            raise ResultsError(f"{path}:{number} is no JSON: {exc}") from exc
        except jsonschema.ValidationError as exc:
            raise ResultsError(f"{path}:{number} is no results record: {exc.message}") from exc
        yield record, len(line) + 1


def _check_format(path: Path, header: Any) -> None:
    """Raise ResultsError for the header of another format, which needs another loopcheck."""
    if isinstance(header, dict) and header.get("record") == "header" and header.get("format") != FORMAT:
        by = f", written by loopcheck {header['loopcheck']}" if "loopcheck" in header else ""
        raise ResultsError(
            f"{path} is of format {header.get('format')}{by}; loopcheck {__version__} reads format {FORMAT}"
        )


def assemble(records: list[dict[str, Any]]) -> Results:
    """Return the results that a sequence of records makes, shared traces of the oracle put back in place."""
    results = Results(records[0])
    oracles: dict[tuple[str, str], tuple[Trace, ...]] = {}
    abouts: dict[str, Any] = {}
    for record in records[1:]:
        if record["record"] == "scenario":
            key = (record["id"], record["oracle"])
            stored = record["traces"]["oracle"]
            oracle = oracles.get(key, ()) if stored is None else tuple(map(trace_from_record, stored))
            if oracle:  # a scenario that was not run has none
                oracles.setdefault(key, oracle)
            about = record["about"] or abouts.get(record["id"])
            abouts.setdefault(record["id"], about)
            target = tuple(map(trace_from_record, record["traces"]["target"]))
            confirmations = tuple(map(trace_from_record, record["traces"]["confirmations"]))
            results.scenarios.append(
                ScenarioResult({**record, "about": about}, oracle, target, confirmations)
            )
        elif record["record"] == "footer":
            results.footer = record
        elif record["record"] == "baseline-problem":
            results.baseline_problems.append(record)
        elif record["record"] != "resumed":
            results.errors.append(record)
    return results
