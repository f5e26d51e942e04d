# SPDX-License-Identifier: MIT
"""``--loop-results``: a results file like that of ``loopcheck run``, from the reports of a pytest run.

Records travel in reports, as text, since pytest-xdist hands on plain values only.  They may come in any order
and are written in that of the plan, each as soon as those before it are there; what is missing at the end, as
after ``-x``, is left out, and the footer says ``interrupted``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .results import ResultsError, Writer
from .vocabulary import VERDICTS, exit_for

ATTRIBUTE = "loopcheck"


def attach(report: pytest.TestReport, header: dict[str, Any], record: dict[str, Any]) -> None:
    """Give a report a record, and the header of the session that made it."""
    setattr(report, ATTRIBUTE, json.dumps([header, record]))


class ResultsCollector:
    """Writes a results file: call plan(), take() for each report, and finish()."""

    def __init__(self, file: Path) -> None:
        """Open the file.  Raises pytest.UsageError."""
        try:
            self._writer = Writer(file)
        except ResultsError as exc:
            raise pytest.UsageError(f"loopcheck: {exc}") from exc
        self._header: dict[str, Any] = {}
        self._waiting: list[str] = []  # node ids of the plan whose records are not written
        self._records: dict[str, dict[str, Any]] = {}
        self._verdicts: list[str] = []

    def plan(self, nodeids: list[str]) -> None:
        """Learn which items there will be, in order.  Each worker says so; all say the same."""
        if not self._records and not self._verdicts:
            self._waiting = list(nodeids)

    def take(self, report: pytest.TestReport) -> None:
        """Take the record that a report brings, if it brings one; of an item that ran twice, the first."""
        text = getattr(report, ATTRIBUTE, None)
        if text is None or report.nodeid not in self._waiting:
            return
        header, record = json.loads(text)
        if not self._header:
            self._header = header
            self._writer.write(header)
        self._records.setdefault(report.nodeid, record)
        while self._waiting and self._waiting[0] in self._records:
            self._write(self._waiting.pop(0))

    def _write(self, nodeid: str) -> None:
        record = self._records.pop(nodeid)
        self._verdicts.append(record["verdict"])
        self._writer.write(record)

    def finish(self, *, interrupted: bool) -> None:
        """Write what is left, and the footer."""
        missing = [nodeid for nodeid in self._waiting if nodeid not in self._records]
        for nodeid in self._waiting:
            if nodeid in self._records:
                self._write(nodeid)
        if self._header:
            self._writer.write(self._footer(interrupted or bool(missing)))
        self._writer.close()

    def _footer(self, interrupted: bool) -> dict[str, Any]:
        exit = exit_for(self._verdicts, usage=False, failure=False, interrupted=interrupted)
        counts = {word: self._verdicts.count(word) for word in VERDICTS if word in self._verdicts}
        return {"record": "footer", "counts": counts, "exit": exit.status, "interrupted": interrupted}
