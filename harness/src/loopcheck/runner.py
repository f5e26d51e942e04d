# SPDX-License-Identifier: MIT
"""One scenario on one target: the runs that it takes to a judgement.

For each pair of scenario and target the runner makes the oracle's runs (once, shared by all targets that have
this oracle), the target's runs, a judgement, and what the judgement asks for: another try with longer ticks
when the machine was too busy, confirmation when a timer was late, a second pass for iteration numbers when
there is a difference to show.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .judge import NOISY, Judgement, Subject, is_noisy, judge
from .results import Runs
from .scenarios import Scenario, holds_for
from .servers import Description, RunOptions, Server, ServerError, Setup
from .targets import Target
from .timing import CONFIRMATION_FACTORS, REAL_CLOCK_RUNS
from .traces import Trace

# The first, and those of further tries when the machine was too busy.
TICKS_S = (0.02, 0.04, 0.08, 0.16, 0.32)
TIMEOUT_S = {"virtual": 4.0, "real": 10.0}  # by clock; waiting for a CPU does not count


def timeout_for(wanted: float | None, clock: str, tick: float) -> float:
    """Return after how many seconds a run counts as hung: what was asked for, or the default of the clock.

    It grows with the tick, since all the delays of a scenario do: a repetition with a longer tick, because the
    machine was busy, must not count as a hang for that.
    """
    return (wanted or TIMEOUT_S[clock]) * tick / TICKS_S[0]


def is_doubtful(
    scenario: Scenario, judgement: Judgement, oracle: Sequence[Trace], target: Sequence[Trace]
) -> bool:
    """Return whether the machine was too busy for a judgement, so that it takes another try with a longer tick.

    A busy machine feigns differences and hangs; and it hides that a timer is early, which is what scenarios
    about real time are there to show: to agree while it is busy proves nothing for them.
    """
    if judgement.verdict == "hang":
        return any(map(is_noisy, oracle))
    hidden = judgement.verdict == "agree" and "real-clock" in scenario.requires
    return judgement.reason == NOISY or (hidden and any(map(is_noisy, target)))


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


class Runner:
    """Runs scenarios of a session and judges them; at most ``jobs`` runs are under way at a time."""

    def __init__(
        self,
        sides: Mapping[tuple[str, str], Side],
        *,
        level: str,
        jobs: int,
        repeat: int,
        timeout: float | None,
    ) -> None:
        """sides: the targets and oracles of the session by their keys, as far as they have started.

        level: which expectations must hold.  repeat: runs of each scenario.  timeout: seconds or None.
        """
        self._sides = sides
        self._level = level
        self._repeat = repeat
        self._timeout = timeout
        self._slots = asyncio.Semaphore(jobs)
        self._oracle_runs: dict[tuple[Any, ...], asyncio.Task[list[Trace]]] = {}

    def why_not_run(self, scenario: Scenario, target: Target, oracle: Target) -> Judgement | None:
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

    async def judged(self, scenario: Scenario, target: Target, oracle: Target) -> tuple[Judgement, Runs]:
        """Run and judge, again with longer ticks as long as the machine was too busy for what was found."""
        subject = Subject(
            oracle=oracle.name,
            target=target.name,
            level=scenario.level,
            demanded=self._level,
            target_is_asyncio=target.is_asyncio,
            habits_count=scenario.habits_count,
        )
        repeat = self._repetitions(scenario)
        for tick in TICKS_S:
            oracle_traces, target_traces = await asyncio.gather(
                self._oracle_traces(scenario, oracle, tick),
                self._traces(scenario, target, tick, repeat),
            )
            judgement = judge(subject, oracle_traces, target_traces)
            if not is_doubtful(scenario, judgement, oracle_traces, target_traces):
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
            self._oracle_runs[key] = asyncio.create_task(self._undisturbed(scenario, oracle, tick))
        return list(await self._oracle_runs[key])

    async def _undisturbed(self, scenario: Scenario, oracle: Target, tick: float) -> list[Trace]:
        """Return the oracle's runs; one that was killed is made once more.

        asyncio does not kill itself: somebody did, such as a system without memory, which says nothing about the
        scenario.  A scenario that does is killed again.
        """
        traces = await self._traces(scenario, oracle, tick, self._repetitions(scenario))
        killed = [trace.outcome.signal == "SIGKILL" and not trace.outcome.hung for trace in traces]
        return [
            await self._trace(scenario, oracle, tick) if again else trace
            for trace, again in zip(traces, killed, strict=True)
        ]

    def _repetitions(self, scenario: Scenario) -> int:
        least = REAL_CLOCK_RUNS if "real-clock" in scenario.requires else 1
        return max(least, self._repeat)

    async def _traces(self, scenario: Scenario, target: Target, tick: float, repeat: int) -> list[Trace]:
        return list(await asyncio.gather(*(self._trace(scenario, target, tick) for _ in range(repeat))))

    async def _trace(
        self, scenario: Scenario, target: Target, tick: float, *, iterations: bool = False
    ) -> Trace:
        clock = self._clock_of(scenario, target)
        options = RunOptions(tick, timeout_for(self._timeout, clock, tick), clock, iterations)
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
