# SPDX-License-Identifier: MIT
"""A whole run of ``fuzz``: batches of programs on both targets, several at a time, until enough have run.

Differences are sorted in by one job at a time, so that each knows what the one before it has found.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from .cluster import Cluster, Clusters, Different, Pair
from .compare import compare
from .generate import Grammar, generate

DEFAULT_PROGRAMS = 10_000
FIRST_BATCH = 50
BATCH = 250


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    seed: of the first program; the next has the next number.  programs: how many, or None: until the time is up.
    seconds: how long, or None.  jobs: batches under way at a time.  enough: clusters, or None.
    """

    grammar: Grammar
    seed: int
    programs: int | None
    seconds: float | None
    jobs: int
    enough: int | None = None


@dataclass
class Tally:
    """What has been run, and which goals were reached by how many programs."""

    programs: int = 0
    events: int = 0
    seconds: float = 0.0
    reached: Counter[str] = field(default_factory=Counter)
    goals: tuple[str, ...] = ()

    @property
    def never_reached(self) -> list[str]:
        """The goals that no program reached."""
        return [goal for goal in self.goals if not self.reached[goal]]


class Campaign:
    """One run: make it, ``await`` run(), then look at tally and clusters."""

    def __init__(self, pair: Pair, plan: Plan, report: Callable[[Cluster, float], None]) -> None:
        """report: called with each new cluster and the seconds since the beginning."""
        self.tally = Tally()
        self.clusters = Clusters(pair, lambda cluster: report(cluster, time.monotonic() - self._start))
        self._pair = pair
        self._plan = plan
        self._next = 0
        self._sorting = asyncio.Lock()
        self._start = time.monotonic()

    async def run(self) -> None:
        """Run until enough programs have run or the time is up."""
        self._start = time.monotonic()
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._plan.jobs):
                    group.create_task(self._work())
        except* Exception as errors:
            raise errors.exceptions[0] from None
        finally:
            self.tally.seconds = time.monotonic() - self._start
            theirs = set(self._pair.target.goals)  # an older Python has fewer
            self.tally.goals = tuple(goal for goal in self._pair.oracle.goals if goal in theirs)

    async def _work(self) -> None:
        while seeds := self._take_seeds():
            programs = [generate(seed, self._plan.grammar) for seed in seeds]
            differences = []
            outcomes = await self._pair.run(programs)
            for seed, program, (ours, theirs) in zip(seeds, programs, outcomes, strict=True):
                self.tally.programs += 1
                self.tally.events += ours.text.count("],[") + 1
                self.tally.reached.update(ours.reached)
                finding = compare(ours, theirs, self._pair.names)
                if finding is not None:
                    differences.append(Different(seed, program, ours, theirs, finding))
            if differences:
                async with self._sorting:
                    await self.clusters.take(differences)

    def _take_seeds(self) -> range:
        """Return the numbers of the next batch: none when it is enough."""
        plan = self._plan
        if plan.seconds is not None and time.monotonic() - self._start >= plan.seconds:
            return range(0)
        if plan.enough is not None and len(self.clusters.found) >= plan.enough:
            return range(0)
        count = BATCH if self._next and self._pair.virtual else FIRST_BATCH
        if plan.programs is not None:
            count = min(count, plan.programs - self._next)
        first = plan.seed + self._next
        self._next += count
        return range(first, first + count)
