# SPDX-License-Identifier: MIT
"""The coverage pass: every scenario runs once on asyncio, and what it calls of the documented names is noted.

The pass is apart from ``loopcheck run``: what it measures feeds no verdict, and no verdict comes out of it.
Noting calls needs asyncio's methods replaced (``loopcheck_target/recording.py``), which no run that is judged may
see.  A scenario that crashes or hangs here leaves what it noted until then, and is reported: the measure is
incomplete.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .runner import TICKS_S, TIMEOUT_S
from .scenarios import Scenario, holds_for
from .servers import Description, RunOptions, Server, Setup
from .targets import Target

FAILED: Final = ("crash", "hang", "harness-error")


class CoverageError(Exception):
    """Coverage cannot be measured as asked; the text is one sentence."""


@dataclass(frozen=True)
class Call:
    """One kind of call: how many positional arguments, which keywords, what it raised, nearest class first."""

    name: str
    positional: int
    keywords: tuple[str, ...]
    raised: tuple[str, ...]


@dataclass(frozen=True)
class Measured:
    """What the pass saw on one interpreter.

    watched: the names whose calls were noted at all.  ran: how many scenarios.  failed: how those ended that did
    not come to their end, by id.
    """

    target: str
    python: str
    watched: frozenset[str]
    calls: frozenset[Call]
    ran: int
    failed: dict[str, str]


def measure(targets: Sequence[Target], scenarios: Sequence[Scenario], jobs: int) -> list[Measured]:
    """Run scenarios on asyncio and return what they call, for each target.

    Raises CoverageError for a target that is not asyncio, ServerError for one that does not start.
    """
    for target in targets:
        if not target.is_asyncio:
            raise CoverageError(f"coverage is measured on asyncio: {target.text} is another loop")

    async def main() -> list[Measured]:
        return [await _measure_one(target, tuple(scenarios), jobs) for target in targets]

    return asyncio.run(main())


async def _measure_one(target: Target, scenarios: tuple[Scenario, ...], jobs: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="loopcheck-") as name:
        folder = Path(name)
        server = Server(target, Setup((), "auto", scenarios, folder))
        about = await server.start()
        slots = asyncio.Semaphore(jobs)
        try:
            wanted = [scenario for scenario in scenarios if applies(scenario, about)]
            statuses = await asyncio.gather(
                *(
                    _run_one(server, scenario, about, folder / f"{n}.calls", slots)
                    for n, scenario in enumerate(wanted)
                )
            )
        finally:
            await server.stop()
        lines = [
            line for file in sorted(folder.glob("*.calls")) for line in file.read_text("utf-8").splitlines()
        ]
    broken = {s.id: "does not import" for s in scenarios if s.module in about.broken_modules}
    failed = {s.id: status for s, status in zip(wanted, statuses, strict=True) if status in FAILED}
    watched, calls = read_calls(lines)
    return Measured(target.text, about.python, watched, calls, len(wanted), {**broken, **failed})


def applies(scenario: Scenario, about: Description) -> bool:
    """Return whether a scenario can be run on an interpreter of this description."""
    lacking = [need for need in scenario.requires if need not in ("real-clock", *about.capabilities)]
    return (
        holds_for(scenario, about.python)
        and about.python not in scenario.contradicted
        and scenario.module not in about.broken_modules
        and not lacking
    )


async def _run_one(
    server: Server, scenario: Scenario, about: Description, file: Path, slots: asyncio.Semaphore
) -> str:
    clock = "virtual" if about.virtual_clock and "real-clock" not in scenario.requires else "real"
    options = RunOptions(TICKS_S[0], TIMEOUT_S[clock], clock, calls=str(file))
    async with slots:
        return (await server.run(scenario, options)).status


def read_calls(lines: Sequence[str]) -> tuple[frozenset[str], frozenset[Call]]:
    """Return which names were watched, and the calls; a line that a crash cut short is left out."""
    watched: set[str] = set()
    calls: set[Call] = set()
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if "recorded" in record:
            watched.update(record["recorded"])
        else:
            keywords, raised = tuple(record["keywords"]), tuple(record["raised"])
            calls.add(Call(record["name"], record["positional"], keywords, raised))
    return frozenset(watched), frozenset(calls)
