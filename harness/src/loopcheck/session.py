# SPDX-License-Identifier: MIT
"""One ``loopcheck run``: every selected scenario on every target and its oracle, judged and recorded.

A *session* starts a fork server for each target and each oracle, then works through the plan with a bounded
number of runs under way (``runner.py`` makes and judges them).  Records come out in the order of the plan,
whatever finished first, with the verdict that a baseline gives them.
"""

import asyncio
import contextlib
import os
import platform
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from . import __version__
from .baseline import Baseline, in_header
from .judge import Judgement
from .rejudge import judge_again
from .results import ResultsError, Runs, assemble, records_of, scenario_record
from .runner import Runner, Side
from .scenarios import Problem, Scenario
from .servers import ServerError, Setup
from .spec import Statement
from .targets import Target
from .vocabulary import EXITS, VERDICTS, exit_for

# What a scenario must not have done, before any baseline, for those that need it.
BLOCKING = ("differ", "unsupported", "crash", "hang", "blocked")

Record = dict[str, Any]
Job = tuple[Scenario, Target, Target]


@dataclass(frozen=True)
class SessionOptions:
    """What to run and how.

    pairs: each target with its oracle.  timeout: seconds, None for the default.  statements: those that the
    scenarios cite, for the reports.  baseline: the differences that are accepted.  ids: those of all scenarios
    there are.  kept: the records of an earlier run that this one goes on with, its header first; their verdicts
    are given anew if they are of another baseline.
    """

    pairs: tuple[tuple[Target, Target], ...]
    scenarios: tuple[Scenario, ...]
    problems: tuple[Problem, ...]
    total: int
    level: str = "guaranteed"
    clock: str = "auto"
    path: tuple[str, ...] = ()
    jobs: int = 4
    repeat: int = 1
    timeout: float | None = None
    command: tuple[str, ...] = ()
    statements: Mapping[str, Statement] = field(default_factory=dict)
    baseline: Baseline | None = None
    ids: frozenset[str] = frozenset()
    kept: tuple[Record, ...] = ()


def ignore(_: Sequence[Record]) -> None:
    """Do nothing with the records of an earlier run."""


class Session:
    """A run of loopcheck.  ``await run(on_record)`` does it all."""

    def __init__(self, options: SessionOptions) -> None:
        self._options = options
        self._sides: dict[tuple[str, str], Side] = {}
        self._runner = Runner(
            self._sides,
            level=options.level,
            jobs=options.jobs,
            repeat=options.repeat,
            timeout=options.timeout,
        )
        self._outcomes: dict[tuple[str, str], asyncio.Future[str]] = {}  # of scenarios that others need
        self._kept: Sequence[Record] = options.kept
        self._verdicts: list[str] = []
        self._stale = False
        self._usage = False
        self._failure = bool(options.problems)
        self._begun = False
        self._work: asyncio.Task[None] | None = None

    async def run(
        self, on_record: Callable[[Record], None], on_kept: Callable[[Sequence[Record]], None] = ignore
    ) -> int:
        """Run the session; hand each record to on_record as it is complete; return the exit status.

        on_kept gets the records of the earlier run, if there is one, before any other record is handed out:
        as they are, or anew if this run's baseline gives them other verdicts.  interrupt() ends it early, with
        a footer that says ``interrupted``, unless it was not yet clear whether the earlier run is this one.
        """
        interrupted = False
        with tempfile.TemporaryDirectory(prefix="loopcheck-") as folder:
            self._work = asyncio.create_task(self._start_and_run(Path(folder), on_record, on_kept))
            try:
                await self._work
            except asyncio.CancelledError:
                interrupted = True
            finally:
                await asyncio.gather(
                    *(side.server.stop() for side in self._sides.values()), return_exceptions=True
                )
        if not self._begun:
            if self._kept:
                on_kept(self._kept)  # unchanged, as their file is
                return EXITS["interrupted"].status
            on_record(self._header())
        footer = self._footer(interrupted)
        on_record(footer)
        return int(footer["exit"])

    def interrupt(self) -> None:
        """End the work that is under way, not the tidying up after it.  More than once is no more than once."""
        if self._work is not None:
            self._work.cancel()

    async def _start_and_run(
        self,
        folder: Path,
        on_record: Callable[[Record], None],
        on_kept: Callable[[Sequence[Record]], None],
    ) -> None:
        await self._start_sides(folder)
        if self._kept:
            check_same_run(self._kept[0], self._header())
            self._kept = self._with_this_baseline(self._kept)
            on_kept(self._kept)
        kept = self._kept
        self._verdicts += [record["verdict"] for record in kept if record["record"] == "scenario"]
        on_record({"record": "resumed", "kept": len(self._verdicts)} if kept else self._header())
        self._begun = True
        header = kept[0] if kept else self._header()
        for record in self._error_records():
            if record not in kept:
                on_record(record)
        try:
            records = await self._run_plan(header, on_record)
        except ExceptionGroup as group:  # the task group's wrapping of what on_record raised
            raise group.exceptions[0] from None
        for problem in self._baseline_problems(header, records):
            self._stale = True
            on_record(problem)

    def _with_this_baseline(self, kept: Sequence[Record]) -> Sequence[Record]:
        """Return the records of an earlier run, their verdicts given anew if they are of another baseline."""
        options = self._options
        earlier = {name: kept[0].get(name, "") for name in in_header(None)}
        if earlier == in_header(options.baseline):
            return kept
        judged = judge_again(
            assemble(list(kept)), options.level, options.statements, options.baseline, options.ids
        )
        return list(records_of(replace(judged, baseline_problems=[])))

    def _baseline_problems(self, header: Record, records: Sequence[Record]) -> list[Record]:
        baseline = self._options.baseline
        if baseline is None:
            return []
        kept = [record for record in self._options.kept if record["record"] == "scenario"]
        return baseline.check(self._options.ids, header) + baseline.problems_after([*kept, *records], header)

    # ---- one scenario at a time ---------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[list[Record]]:
        """Start the servers for judge_one() and stop them afterwards.  Gives the header and what went wrong."""
        with tempfile.TemporaryDirectory(prefix="loopcheck-") as folder:
            try:
                await self._start_sides(Path(folder))
                yield [self._header(), *self._error_records()]
            finally:
                await asyncio.gather(
                    *(side.server.stop() for side in self._sides.values()), return_exceptions=True
                )

    @property
    def options(self) -> SessionOptions:
        """What the session was made for."""
        return self._options

    async def judge_one(self, scenario: Scenario, target: Target, oracle: Target) -> Record:
        """Return the record of a scenario of this session on one of its targets.  While it is opened().

        In any order: what the scenario needs, if that is of this session too, is judged before.
        """
        for needed in self._options.scenarios:
            key = (needed.id, target.name)
            if needed.id in scenario.needs and key not in self._outcomes:
                self._outcomes[key] = asyncio.ensure_future(self._judged_as(needed, target, oracle))
        return await self._one(scenario, target, oracle, await self._blocked(scenario, target))

    async def _judged_as(self, scenario: Scenario, target: Target, oracle: Target) -> str:
        return str((await self.judge_one(scenario, target, oracle))["judged"])

    # ---- targets ------------------------------------------------------------------------------------------

    async def _start_sides(self, folder: Path) -> None:
        options = self._options
        for targets in options.pairs:
            for target in targets:
                path = (*options.path, *target.path) if not target.is_asyncio else ()
                setup = Setup(path, options.clock, options.scenarios, folder)
                self._sides.setdefault(target.key, Side(target, setup))
        await asyncio.gather(*(side.start() for side in self._sides.values()))
        for target, _ in options.pairs:
            side = self._sides[target.key]
            if side.error is None and side.description.asyncios_own and not target.is_asyncio:
                sentence = (
                    f"its factory gives asyncio's own loop ({side.description.loop_class}); name it asyncio"
                )
                side.error = ServerError(sentence, "factory")

    def _error_records(self) -> list[Record]:
        records: list[Record] = [
            {"record": "problem", "file": str(p.file), "line": p.line, "sentence": p.sentence}
            for p in self._options.problems
        ]
        for side in self._sides.values():
            if side.error is not None:
                during = side.error.during
                self._usage = self._usage or during == "import"
                self._failure = self._failure or during != "import"
                sentence = f"{side.target.text}: {side.error}"
                records.append(
                    {
                        "record": "target-error",
                        "target": side.target.name,
                        "during": during,
                        "sentence": sentence,
                    }
                )
        return records

    # ---- the plan -----------------------------------------------------------------------------------------

    async def _run_plan(self, header: Record, on_record: Callable[[Record], None]) -> list[Record]:
        """Run what is left of the plan; return the records, each with the verdict that the baseline gives it."""
        sides = self._sides
        records = []
        kept = {(r["id"], r["target"]): r["judged"] for r in self._kept if r["record"] == "scenario"}
        jobs = [
            (scenario, target, oracle)
            for scenario in self._options.scenarios
            for target, oracle in self._options.pairs
            if sides[target.key].error is None
            and sides[oracle.key].error is None
            and (scenario.id, target.name) not in kept
        ]
        self._expect_outcomes(jobs, kept)
        gate = asyncio.Semaphore(self._options.jobs * 2)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._one_at_its_turn(gate, *job)) for job in jobs]
            for task in tasks:
                record = await task
                if self._options.baseline:
                    record = self._options.baseline.apply(record, header)
                self._verdicts.append(record["verdict"])
                records.append(record)
                on_record(record)
        return records

    def _expect_outcomes(self, jobs: Sequence[Job], kept: Mapping[tuple[str, str], str]) -> None:
        """Prepare for those who will ask how the scenarios that they need have ended."""
        loop = asyncio.get_running_loop()
        needed = {need for scenario in self._options.scenarios for need in scenario.needs}
        for scenario, target, _ in jobs:
            if scenario.id in needed:
                self._outcomes[scenario.id, target.name] = loop.create_future()
        for key, verdict in kept.items():
            if key[0] in needed:
                self._outcomes[key] = loop.create_future()
                self._outcomes[key].set_result(verdict)

    async def _one_at_its_turn(
        self, gate: asyncio.Semaphore, scenario: Scenario, target: Target, oracle: Target
    ) -> Record:
        # Not at the gate: what it waits for may come behind it.
        blocked = await self._blocked(scenario, target)
        async with gate:
            record = await self._one(scenario, target, oracle, blocked)
        outcome = self._outcomes.get((scenario.id, target.name))
        if outcome is not None:
            outcome.set_result(record["judged"])
        return record

    async def _one(
        self, scenario: Scenario, target: Target, oracle: Target, blocked: Judgement | None
    ) -> Record:
        description = {
            "id": scenario.id,
            "title": scenario.title,
            "target": target.name,
            "oracle": oracle.name,
            "statements": list(scenario.statements),
            "basis": scenario.basis,
            "scenario_level": scenario.level,
            "needs": list(scenario.needs),
            "habits_count": scenario.habits_count,
            "about": self._what_it_is(scenario),
        }
        judgement = self._runner.why_not_run(scenario, target, oracle) or blocked
        runs = Runs()
        if judgement is None:
            judgement, runs = await self._runner.judged(scenario, target, oracle)
        return scenario_record(description, judgement, runs)

    def _what_it_is(self, scenario: Scenario) -> Record:
        """Return what a report shows of the scenario itself, so that it needs nothing but the results."""
        cited = [self._options.statements[id] for id in scenario.statements if id in self._options.statements]
        return {
            "file": f"{scenario.module}.py",
            "line": scenario.line,
            "source": scenario.source,
            "statements": [{"id": s.id, "text": s.text, "status": s.status, "url": s.doc} for s in cited],
        }

    async def _blocked(self, scenario: Scenario, target: Target) -> Judgement | None:
        """Return a judgement for a scenario that needs one that failed; wait for those it needs."""
        for need in scenario.needs:
            needed = self._outcomes.get((need, target.name))
            if needed is not None and await needed in BLOCKING:
                sentence = f"it needs what {need} shows, and that failed."
                return Judgement("blocked", scenario.level, sentence=sentence)
        return None

    # ---- header and footer --------------------------------------------------------------------------------

    def _header(self) -> Record:
        return {
            "record": "header",
            "format": 1,
            "loopcheck": __version__,
            "platform": platform.platform(),
            "command": list(self._options.command),
            "level": self._options.level,
            "clock": self._options.clock,
            "repeat": self._options.repeat,
            **in_header(self._options.baseline),
            "path": list(self._options.path),
            "targets": [self._about(target, oracle) for target, oracle in self._options.pairs],
            "plan": [scenario.id for scenario in self._options.scenarios],
            "selected": len(self._options.scenarios),
            "of": self._options.total,
        }

    def _about(self, target: Target, oracle: Target) -> Record:
        about = self._sides[target.key].server.description
        return {
            "text": target.text,
            "name": target.name,
            "factory": target.factory,
            "python": about.python if about else target.interpreter.version,
            "implementation": about.implementation if about else target.interpreter.implementation,
            "version": about.version if about else "",
            "class": about.loop_class if about else "",
            "clock": "virtual" if about and about.virtual_clock else "real",
            "asyncios_own": target.is_asyncio,
            "oracle": f"{oracle.name} {oracle.interpreter.version}",
            "oracle_text": oracle.text,
        }

    def _footer(self, interrupted: bool) -> Record:
        counts = {word: self._verdicts.count(word) for word in VERDICTS if word in self._verdicts}
        exit = exit_for(
            self._verdicts,
            usage=self._usage,
            failure=self._failure,
            interrupted=interrupted,
            stale=self._stale,
        )
        return {"record": "footer", "counts": counts, "exit": exit.status, "interrupted": interrupted}


def check_same_run(earlier: Record, now: Record) -> None:
    """Raise ResultsError unless a results file's header is that of this very run.

    But for the command, and for the baseline: verdicts can be given anew.
    """
    for name in now:
        if name not in ("command", *in_header(None)) and earlier[name] != now[name]:
            raise ResultsError(
                f"the results are of another run, so this one cannot go on with them: their header has another "
                f"“{name}”; give another file or leave out --resume"
            )


def run_session(
    options: SessionOptions,
    on_record: Callable[[Record], None],
    on_kept: Callable[[Sequence[Record]], None] = ignore,
) -> int:
    """Run a session to its end or to Ctrl-C; return the exit status.  on_record, on_kept: as for Session.run()."""
    session = Session(options)

    async def main() -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, session.interrupt)
        return await session.run(on_record, on_kept)

    return asyncio.run(main())


def default_jobs() -> int:
    """Return how many runs to have under way: most of them wait, so twice the CPUs."""
    return 2 * len(os.sched_getaffinity(0))
