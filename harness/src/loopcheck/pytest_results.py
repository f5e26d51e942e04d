# SPDX-License-Identifier: MIT
"""The records of a pytest run: ``--loop-results`` writes them as ``loopcheck run`` does, ``--loop-baseline`` asks
at the end which of its entries they refute.

Records travel in reports, as text, since pytest-xdist hands on plain values only.  They may come in any order
and are written in that of the plan, each as soon as those before it are there; what is missing at the end, as
after ``-x``, is left out, and the footer says ``interrupted``.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from .baseline import BaselineError, load
from .results import ResultsError, Writer
from .vocabulary import VERDICTS, exit_for

ATTRIBUTE = "loopcheck"

Record = dict[str, Any]


def attach(report: pytest.TestReport, record: Record) -> None:
    """Give a report a record."""
    setattr(report, ATTRIBUTE, json.dumps(record))


class RecordsCollector:
    """Collects the records of a run: call begin(), take() for each report, and finish()."""

    def __init__(self, file: str | None, baseline: str | None) -> None:
        """Open the results file and read the baseline, if there is one.  Raises pytest.UsageError."""
        try:
            self._baseline = load(Path(baseline)) if baseline else None
            self._writer = Writer(Path(file) if file else None)
        except (ResultsError, BaselineError) as exc:
            raise pytest.UsageError(f"loopcheck: {exc}") from exc
        self._header: Record = {}
        self._waiting: list[str] = []  # node ids of the plan whose records are not written
        self._come: dict[str, Record] = {}  # records of those
        self._written: list[Record] = []
        self._failed = False  # whether a scenario could not be judged

    def begin(self, header: Record, nodeids: list[str]) -> None:
        """Learn the header and which items there will be, in order.  Each worker says so; all say the same."""
        if not self._header:
            self._header = header
            self._writer.write(header)
            self._waiting = list(nodeids)

    def take(self, report: pytest.TestReport) -> None:
        """Take the record that a report brings, if it brings one; of an item that ran twice, the first."""
        if report.nodeid not in self._waiting or report.when != "setup":
            return
        text = getattr(report, ATTRIBUTE, None)
        if text is not None:
            self._come.setdefault(report.nodeid, json.loads(text))
        elif (
            report.nodeid not in self._come
        ):  # a mark of the project's skips it, or there was nobody to judge
            self._waiting.remove(report.nodeid)
            self._failed = self._failed or report.failed
        while self._waiting and self._waiting[0] in self._come:
            self._write(self._come.pop(self._waiting.pop(0)))

    def _write(self, record: Record) -> None:
        self._writer.write(record)
        self._written.append({**record, "traces": {}})

    def finish(self, ids: Collection[str], *, interrupted: bool) -> list[str]:
        """Write what is left; return what is wrong with the baseline, a sentence each.

        ids: of all scenarios there are.
        """
        missing = [nodeid for nodeid in self._waiting if nodeid not in self._come]
        for nodeid in self._waiting:
            if nodeid in self._come:
                self._write(self._come[nodeid])
        problems: list[Record] = []
        if self._header:
            if self._baseline is not None:
                problems += self._baseline.check(ids, self._header)
                problems += self._baseline.problems_after(self._written, self._header)
            for record in [*problems, self._footer(interrupted or bool(missing), bool(problems))]:
                self._writer.write(record)
        self._writer.close()
        return [f"{problem['file']}:{problem['line']}: {problem['sentence']}" for problem in problems]

    def _footer(self, interrupted: bool, stale: bool) -> Record:
        verdicts = [record["verdict"] for record in self._written]
        counted = [
            *verdicts,
            *(["fixed"] if stale else []),
        ]  # a problem of the baseline counts as one that is
        exit = exit_for(counted, usage=False, failure=self._failed, interrupted=interrupted)
        counts = {word: verdicts.count(word) for word in VERDICTS if word in verdicts}
        return {"record": "footer", "counts": counts, "exit": exit.status, "interrupted": interrupted}
