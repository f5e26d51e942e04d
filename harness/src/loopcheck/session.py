# SPDX-License-Identifier: MIT
"""One ``loopcheck run``: every selected scenario on every target and its oracle, judged and recorded.

A *session* starts a fork server for each target and each oracle, then works through the plan with a bounded
number of runs under way.  For each pair of scenario and target it makes the oracle's runs (once, shared by
all targets that have this oracle), the target's runs, a judgement, and what the judgement asks for: another
try with longer ticks when the machine was too busy, confirmation when a timer was late, a second pass for
iteration numbers when there is a difference to show.  Records come out in the order of the plan, whatever
finished first.
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
from .baseline import Baseline
from .judge import NOISY, Judgement, Subject, is_noisy, judge
from .results import ResultsError, Runs, scenario_record
from .scenarios import Problem, Scenario, holds_for
from .servers import Description, RunOptions, Server, ServerError, Setup
from .spec import Statement
from .targets import Target
from .timing import CONFIRMATION_FACTORS, REAL_CLOCK_RUNS
from .traces import Trace
from .vocabulary import VERDICTS, exit_for

TICKS_S = (
    0.02,
    0.04,
    0.08,
    0.16,
    0.32,
)  # the first; and those of further tries when the machine was too busy
BLOCKING = (
    "differ",
    "unsupported",
    "crash",
    "hang",
    "blocked",
)  # of what a scenario needs, before any baseline
TIMEOUT_S = {"virtual": 4.0, "real": 10.0}  # by clock; waiting for a CPU does not count

Record = dict[str, Any]
Job = tuple[Scenario, Target, Target]


def timeout_for(wanted: float | None, clock: str, tick: float) -> float:
    """Return after how many seconds a run counts as hung: what was asked for, or the default of the clock.

    It grows with the tick, since all the delays of a scenario do: a repetition with a longer tick, because the
    machine was busy, must not count as a hang for that.
    """
    return (wanted or TIMEOUT_S[clock]) * tick / TICKS_S[0]


@dataclass(frozen=True)
class SessionOptions:
    """What to run and how.

    pairs: each target with its oracle.  timeout: seconds, None for the default.  statements: those that the
    scenarios cite, for the reports.  baseline: the differences that are accepted.  ids: those of all scenarios
    there are.  kept: the records of an earlier run that this one goes on with, its header first.
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


class Side:
    """One target or oracle during a session: its server, or why there is none."""

    def __init__(self, target: Target, setup: Setup) -> None:
        self.target = target
        self.server = Server(target, setup)
        self.error: ServerError | None = None

    async def start(self) -> None:
        """Start the server; keep the error if it does not start."""
        try:
            await self.server.start()
        except ServerError as exc:
            self.error = exc

    @property
    def description(self) -> Description:
        """What the target said about itself.  Only when it started."""
        assert self.server.description is not None
        return self.server.description


class Session:
    """A run of loopcheck.  ``await run(on_record)`` does it all."""

    def __init__(self, options: SessionOptions) -> None:
        self._options = options
        self._sides: dict[tuple[str, str], Side] = {}
        self._slots = asyncio.Semaphore(options.jobs)
        self._oracle_runs: dict[tuple[Any, ...], asyncio.Task[list[Trace]]] = {}
        self._outcomes: dict[tuple[str, str], asyncio.Future[str]] = {}  # of scenarios that others need
        self._verdicts: list[str] = []
        self._stale = False
        self._usage = False
        self._failure = bool(options.problems)
        self._begun = False
        self._work: asyncio.Task[None] | None = None

    async def run(self, on_record: Callable[[Record], None]) -> int:
        """Run the session; hand each record to on_record as it is complete; return the exit status.

        interrupt() ends it early, with a footer that says ``interrupted``.
        """
        interrupted = False
        with tempfile.TemporaryDirectory(prefix="loopcheck-") as folder:
            self._work = asyncio.create_task(self._start_and_run(Path(folder), on_record))
            try:
                await self._work
            except asyncio.CancelledError:
                interrupted = True
            finally:
                await asyncio.gather(
                    *(side.server.stop() for side in self._sides.values()), return_exceptions=True
                )
        if not self._begun:
            on_record(self._header())
        footer = self._footer(interrupted)
        on_record(footer)
        return int(footer["exit"])

    def interrupt(self) -> None:
        """End the work that is under way, not the tidying up after it.  More than once is no more than once."""
        if self._work is not None:
            self._work.cancel()

    async def _start_and_run(self, folder: Path, on_record: Callable[[Record], None]) -> None:
        await self._start_sides(folder)
        kept = self._options.kept
        if kept:
            check_same_run(kept[0], self._header())
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
        kept = {(r["id"], r["target"]): r["judged"] for r in self._options.kept if r["record"] == "scenario"}
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
        blocked = await self._blocked(
            scenario, target
        )  # not at the gate: what it waits for may come behind it
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
        judgement = self._not_run(scenario, target, oracle) or blocked
        runs = Runs()
        if judgement is None:
            judgement, runs = await self._judged(scenario, target, oracle)
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

    def _not_run(self, scenario: Scenario, target: Target, oracle: Target) -> Judgement | None:
        """Return a judgement for a scenario that does not apply, None for one that is to be run."""
        for side in (self._sides[oracle.key], self._sides[target.key]):
            about = side.description
            if not holds_for(scenario, about.python):
                span = " ".join(
                    filter(
                        None,
                        [
                            scenario.since and f"since {scenario.since}",
                            scenario.until and f"until {scenario.until}",
                        ],
                    )
                )
                sentence = f"it holds {span}; {side.target.name} is Python {about.python}."
                return Judgement("skipped", scenario.level, reason="version", sentence=sentence)
            if about.implementation == "cpython" and about.python in scenario.contradicted:
                sentence = f"CPython {about.python} itself contradicts what it shows."
                return Judgement("skipped", scenario.level, reason="contradicted", sentence=sentence)
            there = {"real-clock", *about.capabilities}
            if not side.target.own_futures:
                there.add("asyncio-futures")
            lacking = [need for need in scenario.requires if need not in there]
            if lacking:
                sentence = f"it requires {lacking[0]}, which is not to be had here."
                return Judgement("skipped", scenario.level, reason="requires", sentence=sentence)
            if scenario.module in about.broken_modules:
                error = about.broken_modules[scenario.module]
                sentence = f"{scenario.module}.py does not import on Python {about.python}: {error}"
                return Judgement("broken-scenario", scenario.level, sentence=sentence)
        return None

    # ---- one scenario on one target -----------------------------------------------------------------------

    async def _blocked(self, scenario: Scenario, target: Target) -> Judgement | None:
        """Return a judgement for a scenario that needs one that failed; wait for those it needs."""
        for need in scenario.needs:
            needed = self._outcomes.get((need, target.name))
            if needed is not None and await needed in BLOCKING:
                sentence = f"it needs what {need} shows, and that failed."
                return Judgement("blocked", scenario.level, sentence=sentence)
        return None

    async def _judged(self, scenario: Scenario, target: Target, oracle: Target) -> tuple[Judgement, Runs]:
        """Run and judge, again with longer ticks as long as the machine was too busy for what was found."""
        subject = Subject(
            oracle=oracle.name,
            target=target.name,
            level=scenario.level,
            demanded=self._options.level,
            target_is_asyncio=target.is_asyncio,
            habits_count=scenario.habits_count,
        )
        repeat = self._repeat(scenario)
        for tick in TICKS_S:
            oracle_traces, target_traces = await asyncio.gather(
                self._oracle_traces(scenario, oracle, tick),
                self._traces(scenario, target, tick, repeat),
            )
            judgement = judge(subject, oracle_traces, target_traces)
            doubtful_hang = judgement.verdict == "hang" and any(map(is_noisy, oracle_traces))
            if judgement.reason != NOISY and not doubtful_hang:
                break
        if not judgement.findings:
            return judgement, Runs(tuple(oracle_traces), tuple(target_traces))
        oracle_traces.append(await self._trace(scenario, oracle, tick))
        confirmations: list[Trace] = []
        judgement = judge(subject, oracle_traces, target_traces)
        for factor in CONFIRMATION_FACTORS:
            if not {"late", "slow"} & {finding.kind for finding in judgement.findings}:
                break
            confirmations.append(await self._trace(scenario, target, tick * factor))
            judgement = judge(subject, oracle_traces, target_traces, confirmations)
        target_traces.insert(0, target_traces.pop(judgement.shown))
        oracle_traces, target_traces = await asyncio.gather(
            self._numbered(scenario, oracle, oracle_traces, tick),
            self._numbered(scenario, target, target_traces, tick),
        )
        return judgement, Runs(tuple(oracle_traces), tuple(target_traces), tuple(confirmations))

    async def _oracle_traces(self, scenario: Scenario, oracle: Target, tick: float) -> list[Trace]:
        """Return the oracle's runs of a scenario, made once for all targets that are compared with it."""
        key = (oracle.key, scenario.id, tick)
        if key not in self._oracle_runs:
            traces = self._traces(scenario, oracle, tick, self._repeat(scenario))
            self._oracle_runs[key] = asyncio.create_task(traces)
        return list(await self._oracle_runs[key])

    def _repeat(self, scenario: Scenario) -> int:
        least = REAL_CLOCK_RUNS if "real-clock" in scenario.requires else 1
        return max(least, self._options.repeat)

    async def _traces(self, scenario: Scenario, target: Target, tick: float, repeat: int) -> list[Trace]:
        return list(await asyncio.gather(*(self._trace(scenario, target, tick) for _ in range(repeat))))

    async def _trace(
        self, scenario: Scenario, target: Target, tick: float, *, iterations: bool = False
    ) -> Trace:
        clock = self._clock_of(scenario, target)
        options = RunOptions(tick, timeout_for(self._options.timeout, clock, tick), clock, iterations)
        async with self._slots:
            return await self._sides[target.key].server.run(scenario, options)

    def _clock_of(self, scenario: Scenario, target: Target) -> str:
        virtual = self._sides[target.key].description.virtual_clock and "real-clock" not in scenario.requires
        return "virtual" if virtual else "real"

    async def _numbered(
        self, scenario: Scenario, target: Target, traces: list[Trace], tick: float
    ) -> list[Trace]:
        """Return traces with iteration numbers on the first, if a second pass shows the same events."""
        first = traces[0]
        again = await self._trace(scenario, target, tick, iterations=True)
        same = [event.key + event.values for event in first.events if event.kind == "user"]
        if same != [event.key + event.values for event in again.events if event.kind == "user"]:
            return traces
        numbers = iter([event.iteration for event in again.events if event.kind == "user"])
        events = tuple(replace(e, iteration=next(numbers)) if e.kind == "user" else e for e in first.events)
        return [replace(first, events=events), *traces[1:]]

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
            "baseline": self._options.baseline.file if self._options.baseline else "",
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
    """Raise ResultsError unless a results file's header is that of this very run, but for the command."""
    for name in now:
        if name != "command" and earlier[name] != now[name]:
            raise ResultsError(
                f"the results are of another run, so this one cannot go on with them: their header has another "
                f"“{name}”; give another file or leave out --resume"
            )


def run_session(options: SessionOptions, on_record: Callable[[Record], None]) -> int:
    """Run a session to its end or to Ctrl-C; return the exit status."""
    session = Session(options)

    async def main() -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, session.interrupt)
        return await session.run(on_record)

    return asyncio.run(main())


def default_jobs() -> int:
    """Return how many runs to have under way: most of them wait, so twice the CPUs."""
    return 2 * len(os.sched_getaffinity(0))
