# SPDX-License-Identifier: MIT
"""How reliably faults of timers are found, and how often there is one where there is none.

    build/venv/bin/python harness/bench/timing.py --decisions 60 --counts build/timing.json

A *decision* is everything that ``loopcheck run`` does to one scenario on one loop, repetitions and confirmations
included.  Each loop of ``faulty_timers.py`` gets so many of them in each of four cells: on the virtual and on the
real clock, with and without burners.  The result is a Markdown table with one-sided 95 % bounds (Clopper and
Pearson): a lower bound for what was found, an upper one for what was claimed of the right loop.  The counts are
kept in a JSON file after every few decisions, and the next call goes on from them.
"""

import argparse
import asyncio
import json
import math
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from loopcheck.repetition import burdened_cores
from loopcheck.resources import scenarios_folder, statements_folder
from loopcheck.scenarios import Scenario, load_scenarios
from loopcheck.session import Session, SessionOptions, default_jobs
from loopcheck.spec import load_statements
from loopcheck.targets import oracle_for, parse_target, with_distinct_names

HERE = Path(__file__).resolve().parent
LOOPS = {
    "Right": "no fault",
    "Early5": "5 ms early",
    "Late10": "10 ms late",
    "Late30": "30 ms late",
    "Double": "twice the delay",
    "Slow25": "+25 %",
}
SCENARIOS = {
    "virtual": "timers/timer_runs_after_its_delay",
    "real": "timers/call_later_keeps_its_delay_in_real_time",
}
BURNERS = (0, 4)
BATCH = 10  # decisions between two times of writing
DOUBT = 0.05

Cell = dict[str, Counter[str]]  # by loop: how many decisions found what
Cells = dict[str, Cell]


def decide(clock: str, burners: int, decisions: int) -> Cell:
    """Return what so many decisions on each loop found.  Raises RuntimeError when loopcheck itself fails."""
    targets = with_distinct_names([parse_target(f"faulty_timers:{loop}") for loop in LOOPS])
    scenario = find(SCENARIOS[clock])
    options = SessionOptions(
        pairs=tuple((target, oracle_for(target)) for target in targets),
        scenarios=tuple(replace(scenario, id=f"{scenario.id}#{n}", needs=()) for n in range(decisions)),
        problems=(),
        total=decisions,
        path=(str(HERE),),
        jobs=default_jobs(),
    )
    found: Cell = {loop: Counter() for loop in LOOPS}

    def take(record: dict[str, Any]) -> None:
        if record["record"] == "target-error":
            raise RuntimeError(record["sentence"])
        if record["record"] == "scenario":
            found[record["target"].partition(":")[2]][outcome(record)] += 1

    with burdened_cores(burners):
        asyncio.run(Session(options).run(take))
    return found


def find(id: str) -> Scenario:
    """Return a shipped scenario."""
    scenarios, _ = load_scenarios(scenarios_folder(), load_statements(statements_folder()))
    return next(scenario for scenario in scenarios if scenario.id == id)


def outcome(record: dict[str, Any]) -> str:
    """Return what a decision found: the kind of the first difference in time, or the verdict."""
    kinds = [d["kind"] for d in record["differences"] if d["axis"] == "timing"]
    return str(kinds[0] if kinds else record["verdict"])


# ---- bounds --------------------------------------------------------------------------------------------------


def lower_bound(hits: int, of: int) -> float:
    """Return the share below which so many hits would be less likely than DOUBT."""
    return 0.0 if hits == 0 else solve(lambda p: at_least(hits, of, p) - DOUBT)


def upper_bound(hits: int, of: int) -> float:
    """Return the share above which so few hits would be less likely than DOUBT."""
    return 1.0 if hits == of else solve(lambda p: at_least(hits + 1, of, p) - (1 - DOUBT))


def at_least(hits: int, of: int, p: float) -> float:
    """Return the probability of so many hits, or more, if each has probability p."""
    return sum(math.comb(of, n) * p**n * (1 - p) ** (of - n) for n in range(hits, of + 1))


def solve(function: Callable[[float], float]) -> float:
    """Return where a function that grows from below zero to above it, between 0 and 1, is zero."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return low


# ---- the table -----------------------------------------------------------------------------------------------


def table(cells: Cells) -> str:
    """Return the results as a Markdown table: a row for each loop, a column for each cell."""
    lines = [f"| loop | {' | '.join(cells)} |", f"| --- |{' --- |' * len(cells)}"]
    for loop, fault in LOOPS.items():
        shown = (cell_text(loop, cell[loop]) for cell in cells.values())
        lines.append(f"| {fault} | {' | '.join(shown)} |")
    return "\n".join(lines)


def cell_text(loop: str, found: Counter[str]) -> str:
    """Return one cell: how many decisions found a difference, the bound, and as what."""
    of = found.total()
    hits = of - found["agree"] - found["inconclusive"]
    bound = f"≤ {upper_bound(hits, of):.1%}" if loop == "Right" else f"≥ {lower_bound(hits, of):.1%}"
    kinds = ", ".join(f"{count} {kind}" for kind, count in found.most_common() if kind != "agree")
    return f"{hits}/{of} ({bound}){': ' if kinds else ''}{kinds}"


def read_cells(file: Path) -> Cells:
    """Return what was counted so far."""
    stored = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return {
        f"{clock} clock, {burners} burners": {
            loop: Counter(stored.get(f"{clock} clock, {burners} burners", {}).get(loop, {})) for loop in LOOPS
        }
        for clock in SCENARIOS
        for burners in BURNERS
    }


def measure(file: Path, decisions: int) -> Cells:
    """Return the cells once each has so many decisions on each loop; keep them in a file meanwhile."""
    cells = read_cells(file)
    for clock in SCENARIOS:
        for burners in BURNERS:
            name = f"{clock} clock, {burners} burners"
            while (missing := decisions - cells[name]["Right"].total()) > 0:
                for loop, found in decide(clock, burners, min(BATCH, missing)).items():
                    cells[name][loop] += found
                file.write_text(json.dumps(cells, indent=1) + "\n", encoding="utf-8")
                print(f"{name}: {cells[name]['Right'].total()} of {decisions}", file=sys.stderr, flush=True)
    return cells


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure how reliably faults of timers are found.")
    parser.add_argument("--decisions", type=int, default=60, help="on each loop in each cell, default: 60")
    parser.add_argument("--counts", type=Path, default=Path("build/timing.json"), help="kept here")
    options = parser.parse_args()
    print(table(measure(options.counts, options.decisions)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
