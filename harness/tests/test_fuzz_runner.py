# SPDX-License-Identifier: MIT
"""Programs on real targets: every program has an outcome, whatever became of the one before it."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from loopcheck.fuzz.campaign import DEFAULT_PROGRAMS
from loopcheck.fuzz.generate import Grammar, generate
from loopcheck.fuzz.operations import FEATURES, Program
from loopcheck.fuzz.runner import FuzzError, Outcome, Runner
from loopcheck.targets import parse_target

TESTS = Path(__file__).resolve().parent
EVERYTHING = Grammar(frozenset(FEATURES), (3, 11))
BATCH = 250


def program_of(*operations: str) -> Program:
    """Return a program with operations beside each other."""
    nodes = [{"op": op, "id": id, "body": [], "ticks": id} for id, op in enumerate(operations, 1)]
    return {"runs": [{"body": nodes}], "horizon": 8}


def run(target: str, folder: Path, programs: list[Program], patience: float = 2.0) -> list[Outcome]:
    """Return what programs do on a target."""

    async def start_and_run() -> list[Outcome]:
        runner = Runner(parse_target(target), [str(TESTS)], folder)
        try:
            await runner.start()
            return await runner.run(programs, patience)
        finally:
            await runner.stop()

    return asyncio.run(start_and_run())


def test_events_of_a_program_come_back(tmp_path: Path) -> None:
    (outcome,) = run("asyncio", tmp_path, [program_of("call_later", "call_soon")])
    assert [event.name for event in outcome.events] == ["callback 2", "timer 1", "run 1 ended"]
    assert outcome.ending == ""


def test_crash_costs_no_other_program(tmp_path: Path) -> None:
    programs = [program_of("call_soon"), program_of("call_at"), program_of("stop"), program_of("call_at")]
    outcomes = run("fuzzed_loops:CrashesInCallAt", tmp_path, programs)
    assert [outcome.ending for outcome in outcomes] == ["", "SIGSEGV", "", "SIGSEGV"]
    assert outcomes[0].events[0].name == "callback 1"


def test_hang_costs_no_other_program(tmp_path: Path) -> None:
    programs = [program_of("call_soon"), program_of("call_at"), program_of("stop")]
    outcomes = run("fuzzed_loops:HangsInCallAt", tmp_path, programs, patience=0.5)
    assert [outcome.ending for outcome in outcomes] == ["", "hang", ""]


def test_asyncio_under_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FuzzError, match="asyncio's own loop"):
        run("failing_loops:factory_returns_asyncios_own", tmp_path, [])


def test_same_program_does_the_same_each_time(tmp_path: Path) -> None:
    programs = [generate(seed, EVERYTHING) for seed in range(100)]
    outcomes = run("asyncio", tmp_path, programs * 2)
    assert [outcome.text for outcome in outcomes[:100]] == [outcome.text for outcome in outcomes[100:]]


def test_default_number_of_programs_reaches_every_goal(tmp_path: Path) -> None:
    reached: Counter[str] = Counter()

    async def run_all() -> tuple[str, ...]:
        runner = Runner(parse_target("asyncio"), [], tmp_path)
        try:
            await runner.start()
            for first in range(0, DEFAULT_PROGRAMS, BATCH):
                programs = [generate(seed, EVERYTHING) for seed in range(first, first + BATCH)]
                for outcome in await runner.run(programs):
                    reached.update(outcome.reached)
        finally:
            await runner.stop()
        return runner.goals

    goals = asyncio.run(run_all())
    assert len(goals) >= 40
    assert [goal for goal in goals if not reached[goal]] == []
