# SPDX-License-Identifier: MIT
"""Does a scenario do the same every time?  Repeated runs, half of them while every core is burdened.

A scenario that is not deterministic on the oracle can judge nobody, and one that depends on how busy the machine
is will one day accuse a loop of what the machine did.  So the runs of a scenario are compared with each other as
strictly as the model of order allows: every event, value and text, and what was left behind.  A run that was
noisy (see ``judge.is_noisy``) and differs proves nothing, here as in any other run.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .columns import align, event_text
from .judge import is_noisy
from .order import differences
from .results import Results, ScenarioResult, read_results
from .sentences import difference_sentence
from .traces import Trace

BURNERS_PER_CORE = 2
AS_EXPECTED = ("agree", "skipped", "blocked", "unsupported")


@contextlib.contextmanager
def burdened_cores(burners: int | None = None) -> Iterator[None]:
    """Keep processes busy with nothing meanwhile.  burners: how many; None for more than every core can run."""
    count = BURNERS_PER_CORE * len(os.sched_getaffinity(0)) if burners is None else burners
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def run_repeatedly(file: Path, words: Sequence[str], repeat: int) -> Results:
    """Return the results of ``loopcheck run WORDS`` with every run repeated, at the level ``observed``.

    file: for the results.  Raises ResultsError when there are none.
    """
    command = [sys.executable, "-m", "loopcheck", "run", *words]
    options = ["--repeat", str(repeat), "--level", "observed", "--results", str(file)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    sys.stderr.write(done.stderr)
    return read_results(file)


@dataclass(frozen=True)
class Disagreement:
    """A scenario that did not do the same every time, or got another verdict than agreement.

    side: on which loop.  runs: two that differ, if it is that.
    """

    id: str
    side: str
    sentence: str
    runs: tuple[Trace, Trace] | None = None

    def __str__(self) -> str:
        return f"{self.id} on {self.side}: {self.sentence}"

    def picture(self) -> list[str]:
        """Return the lines that show the two runs side by side."""
        if self.runs is None:
            return []
        rows = align(self.runs[0].events, self.runs[1].events)
        cells = [(event_text(row.oracle), event_text(row.target), row.differs) for row in rows]
        width = max((len(cell[0]) for cell in cells), default=0)
        return [f"  {'!' if differs else ' '} {ours:{width}}  {theirs}" for ours, theirs, differs in cells]


def disagreements(several: Sequence[Results]) -> list[Disagreement]:
    """Return which scenarios do not do the same in all of several results, on either side."""
    by_scenario: dict[tuple[str, str], list[ScenarioResult]] = {}
    for results in several:
        for result in results.scenarios:
            by_scenario.setdefault((result.id, result.target_name), []).append(result)
    return [found for group in by_scenario.values() for found in _disagreements_of_one(group)]


def _disagreements_of_one(group: Sequence[ScenarioResult]) -> Iterator[Disagreement]:
    first = group[0]
    oracle, target = str(first.record["oracle"]), first.target_name
    found = [
        _first_difference(first.id, oracle, [trace for result in group for trace in result.oracle]),
        _first_difference(first.id, target, [trace for result in group for trace in result.target]),
    ]
    yield from (each for each in found if each is not None)
    bad = [result for result in group if result.verdict not in AS_EXPECTED]
    if bad and not any(found):
        yield Disagreement(first.id, target, f"{bad[0].verdict}: {bad[0].record['sentence']}")


def _first_difference(id: str, side: str, traces: Sequence[Trace]) -> Disagreement | None:
    """Return how one of the runs differs from the first; None if none does."""
    calm = [(number, trace) for number, trace in enumerate(traces, 1) if not is_noisy(trace)]
    for number, trace in calm[1:]:
        first_number, first = calm[0]
        sentence = _difference(first, trace, f"run {first_number}", f"run {number}")
        if sentence:
            return Disagreement(id, side, sentence, (first, trace))
    return None


def _difference(first: Trace, other: Trace, first_name: str, other_name: str) -> str:
    """Return a sentence on how two runs differ under the model of order; an empty one if they do not."""
    if first.status != other.status:
        return f"{first_name} ended with {first.status}, {other_name} with {other.status}."
    found = differences(first.events, other.events)
    if found:
        return difference_sentence(found[0], first_name, other_name)
    ours, theirs = (trace.end or {} for trace in (first, other))
    for what in ("left", "pending_tasks", "close_errors"):
        if ours.get(what) != theirs.get(what):
            return f"{first_name} has {ours.get(what)} as {what}, {other_name} {theirs.get(what)}."
    return ""
