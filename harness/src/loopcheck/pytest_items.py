# SPDX-License-Identifier: MIT
"""Scenarios as pytest items, and what pytest makes of each verdict.

The tree below the argument ``loopcheck`` is package, area, scenario on a target:

    loopcheck/timers::equal_deadlines[uvloop]

An area stands where pytest has a file, so progress is a line an area, ``--dist loadfile`` spreads areas, and
JUnit's classname is ``loopcheck.timers``.  Collecting reads scenario files as text; it starts no interpreter.

What a verdict counts as (``vocabulary.toml``) decides what pytest is told:

    good            passed; ``known`` is an expected failure, ``unsupported`` a skip
    difference      failed, with the block of loopcheck's report
    stale           failed, as an expected failure that passes is under xfail_strict
    inconclusive    skipped; too many of them fail the session (``pytest_run``)
    failure         an error, which in pytest is a failure of the set-up
    none            skipped
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from .judge_client import JudgeError, Key
from .scenarios import Scenario
from .vocabulary import VERDICTS

if TYPE_CHECKING:
    from .pytest_run import LoopRun

PROPERTIES = ("axis", "level", "signature", "reason", "sentence")  # of the record, where it has them


class Suite(pytest.Directory):
    """The argument ``loopcheck``: all areas."""

    def __init__(self, run: LoopRun, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run = run

    def collect(self) -> Iterator[Area]:
        """Yield the areas in which something is selected."""
        scenarios, problems = self.run.corpus
        broken = {problem.file.parent.name for problem in problems}
        for area in sorted({scenario.area for scenario in scenarios} | broken):
            if self.run.has_area(area):
                yield Area.from_parent(
                    self, name=area, nodeid=f"loopcheck/{area}", path=self.run.folder / area, run=self.run
                )


class Area(pytest.Collector):
    """A folder of scenarios."""

    def __init__(self, run: LoopRun, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run = run

    def collect(self) -> Iterator[ScenarioItem]:
        """Yield each scenario of the area on each target.  A broken file breaks its area."""
        scenarios, problems = self.run.corpus
        ours = [str(problem) for problem in problems if problem.file.parent.name == self.name]
        if ours:
            raise self.CollectError("\n".join(ours))
        for scenario in scenarios:
            if scenario.area == self.name:
                for target in self.run.target_names:
                    name = f"{scenario.function}[{target}]"
                    nodeid = f"{self.nodeid}::{name}"
                    if self.run.selects(nodeid):
                        yield ScenarioItem.from_parent(
                            self,
                            name=name,
                            nodeid=nodeid,
                            path=scenario.file,
                            run=self.run,
                            scenario=scenario,
                            target=target,
                        )


class ScenarioItem(pytest.Item):
    """A scenario on a target.  ``record`` is its record in results, once it is judged."""

    def __init__(self, run: LoopRun, scenario: Scenario, target: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run = run
        self.scenario = scenario
        self.key: Key = (scenario.id, target)
        self.record: dict[str, Any] | None = None
        self.block = ""
        self.extra_keyword_matches |= {scenario.id, *scenario.tags}

    def setup(self) -> None:
        """Have the scenario judged; fail, which makes an error, where that says nothing about the loop."""
        self.record = None  # pytest may run an item again
        try:
            answer = self.run.answer(self.key)
        except JudgeError as exc:
            raise pytest.fail.Exception(str(exc), pytrace=False) from exc
        self.record, self.block = answer.record, answer.block
        self.user_properties = list(_properties(self.record))
        if VERDICTS[self.record["verdict"]].counts == "failure":
            self._fail()

    def runtest(self) -> None:
        """Tell pytest what the verdict is."""
        assert self.record is not None
        verdict = self.record["verdict"]
        counts = VERDICTS[verdict].counts
        if counts in ("difference", "stale"):
            self._fail("[XPASS(strict)] " if counts == "stale" else "")
        if verdict == "known":
            if self.config.option.runxfail:
                self._fail()
            raise pytest.xfail.Exception(_why_known(self.record))
        if counts != "good" or verdict == "unsupported":
            why = self.record["reason"] or verdict
            raise pytest.skip.Exception(f"{why}: {self.record['sentence']}")
        if self.block:
            self.add_report_section("call", "loopcheck", self.block)

    def _fail(self, prefix: str = "") -> None:
        """Fail with the sentence, which pytest repeats in its summary, and the block of the report."""
        assert self.record is not None
        sentence = prefix + (self.record["sentence"] or VERDICTS[self.record["verdict"]].means)
        raise pytest.fail.Exception(f"{sentence}\n\n{self.block}", pytrace=False)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int, str]:
        """Return where the scenario is, and the heading of its failure."""
        return self.scenario.file, self.scenario.line - 1, f"{self.scenario.area}/{self.name}"


def _properties(record: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield what JUnit files and other reporters get to know about a record."""
    yield "loopcheck_id", record["id"]
    yield "loopcheck_target", record["target"]
    yield "loopcheck_verdict", record["verdict"]
    for name in PROPERTIES:
        if record[name]:
            yield f"loopcheck_{name}", record[name]


def _why_known(record: dict[str, Any]) -> str:
    known = record["known"]
    return f"{known['reason']} ({known['url']})" if known.get("url") else str(known["reason"])
