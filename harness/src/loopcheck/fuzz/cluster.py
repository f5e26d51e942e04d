# SPDX-License-Identifier: MIT
"""Which differences are the same one: a cause is the feature without which the two loops agree.

A new difference is first tried without the causes that are known, one by one and all together.  If the loops
agree then, it counts for that cause and is not shrunk; if they do not, what is left is looked at: it is run
again, shrunk, and tried without each of its features; the most special of those that it needs is its cause.
Cause and kind make a *cluster*, which keeps its smallest program.

What does not happen every time is no cluster: it is intermittent, or it was seen once and then never again, or
the oracle itself is not deterministic.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .compare import Finding, Names, compare
from .operations import Program, features, size, tidy, without
from .runner import MORE_PATIENCE_S, Outcome, Runner
from .shrink import Shrunk, shrink, weight

CONFIRMATIONS = 3
MORE_CONFIRMATIONS = 20  # of what did not happen every time
HANG_PATIENCE_S = 0.25  # while a hang is shrunk
HANG_TRIES = 120
HANGS_ASKED_AT_ONCE = 8


@dataclass(frozen=True)
class Different:
    """A program on which two targets differ: the number it came from, and what they did."""

    seed: int
    program: Program
    oracle: Outcome
    target: Outcome
    finding: Finding


@dataclass(frozen=True)
class Intermittent:
    """A difference that does not show every time.  seen: in how many of how many runs."""

    different: Different
    seen: int
    runs: int


@dataclass
class Cluster:
    """Differences with one cause and kind.

    kinds: what the difference looked like in programs that were not shrunk.  count: of programs.
    """

    cause: str
    kind: str
    sentence: str
    seed: int
    program: Program
    original: Program
    tries: int
    count: int = 1
    kinds: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """A name for a person and for a file."""
        return f"{self.cause}-{self.kind}"


class Pair:
    """Two targets that run the same programs."""

    def __init__(self, oracle: Runner, target: Runner) -> None:
        self.oracle, self.target = oracle, target
        ours, theirs = oracle.target.name, target.target.name
        self.names = Names(ours, theirs if theirs != ours else f"the other {theirs}")

    @property
    def virtual(self) -> bool:
        """Whether the clock is virtual on both, so that waiting costs nothing."""
        return self.oracle.virtual and self.target.virtual

    async def run(self, programs: Sequence[Program], **options: Any) -> list[tuple[Outcome, Outcome]]:
        """Return what each program did on either."""
        ours, theirs = await asyncio.gather(
            self.oracle.run(programs, **options), self.target.run(programs, **options)
        )
        return list(zip(ours, theirs, strict=True))

    async def findings(self, programs: Sequence[Program], **options: Any) -> list[Finding | None]:
        """Return the first difference on each program."""
        return [compare(ours, theirs, self.names) for ours, theirs in await self.run(programs, **options)]


def _alone_and_together(clusters: list[Cluster]) -> list[list[Cluster]]:
    """Return each cluster by itself, and then, if they are several, all of them."""
    alone = [[cluster] for cluster in clusters]
    return [*alone, clusters] if len(clusters) > 1 else alone


class Clusters:
    """The differences of a campaign, sorted by cause."""

    def __init__(self, pair: Pair, report: Callable[[Cluster], None] = lambda cluster: None) -> None:
        """report: called with each new cluster."""
        self.found: dict[tuple[str, str], Cluster] = {}
        self.intermittent: list[Intermittent] = []
        self.seen_once: list[Different] = []
        self.nondeterministic: list[Different] = []
        self._pair = pair
        self._report = report

    async def take(self, differences: Sequence[Different]) -> None:
        """Sort differences in, those in small programs first."""
        waiting = sorted(differences, key=lambda different: weight(different.program))
        while waiting := await self._without_known(waiting):
            await self._examine(waiting.pop(0))

    async def _without_known(self, differences: Sequence[Different]) -> list[Different]:
        """Count what known causes explain; return the rest, of which no known cause is a part any more."""
        rest: list[Different] = []
        waiting = list(differences)
        while waiting:
            known = [self._known_in(different) for different in waiting]
            rest += [different for different, clusters in zip(waiting, known, strict=True) if not clusters]
            tries = [
                (different, clusters)
                for different, several in zip(waiting, known, strict=True)
                for clusters in _alone_and_together(several)
            ]
            waiting = await self._without(tries)
        return rest

    async def _without(self, tries: Sequence[tuple[Different, list[Cluster]]]) -> list[Different]:
        """Try programs without the causes of clusters; return what is left of those that differ without all."""
        programs = [
            without(different.program, {cluster.cause for cluster in clusters})
            for different, clusters in tries
        ]
        outcomes = await self._pair.run(programs) if programs else []
        left: dict[int, Different] = {}
        explained: set[int] = set()
        for (different, clusters), program, (ours, theirs) in zip(tries, programs, outcomes, strict=True):
            finding = compare(ours, theirs, self._pair.names)
            if finding is not None:  # the last try of each is the one without all
                left[id(different)] = Different(different.seed, program, ours, theirs, finding)
            elif id(different) not in explained:
                explained.add(id(different))
                clusters[0].count += 1
        return [different for key, different in left.items() if key not in explained]

    def _known_in(self, different: Different) -> list[Cluster]:
        """Return the clusters that may explain a difference: by their cause and by what it looks like."""
        present = set(features(different.program))
        return [
            cluster
            for cluster in self.found.values()
            if cluster.cause in present and different.finding.kind in cluster.kinds
        ]

    async def _examine(self, different: Different) -> None:
        """Shrink a difference and find its cause; or note that it does not happen every time."""
        if different.finding.kind == "hang":
            again = await self._pair.run([different.program], patience=MORE_PATIENCE_S)
        else:
            again = await self._pair.run([different.program] * CONFIRMATIONS)
        if any(not ours.is_same(different.oracle) for ours, _ in again):
            self.nondeterministic.append(different)
            return
        if any(compare(ours, theirs, self._pair.names) is None for ours, theirs in again):
            await self._examine_intermittent(different)
            return
        shrunk = await self._shrink(different)
        (finding,) = await self._pair.findings([shrunk.program])
        if finding is None:
            shrunk, finding = Shrunk(different.program, shrunk.tries, finished=False), different.finding
        cause = await self._cause(shrunk.program)
        self._add(different, shrunk, finding, cause)

    async def _examine_intermittent(self, different: Different) -> None:
        runs = await self._pair.run([different.program] * MORE_CONFIRMATIONS)
        differ = [compare(ours, theirs, self._pair.names) is not None for ours, theirs in runs]
        if any(differ):
            self.intermittent.append(Intermittent(different, 1 + sum(differ), 1 + len(runs)))
        else:
            self.seen_once.append(different)

    async def _shrink(self, different: Different) -> Shrunk:
        start = tidy(different.program)
        if different.finding.kind != "hang":

            async def differs(programs: Sequence[Program]) -> list[bool]:
                found = await self._pair.findings(programs)
                return [finding is not None and finding.kind != "hang" for finding in found]

            return await shrink(start if (await differs([start]))[0] else different.program, differs)

        async def hangs(programs: Sequence[Program]) -> list[bool]:
            found = await self._pair.findings(programs, patience=HANG_PATIENCE_S)
            return [finding is not None and finding.kind == "hang" for finding in found]

        start = start if (await hangs([start]))[0] else different.program
        return await shrink(start, hangs, HANG_TRIES, HANGS_ASKED_AT_ONCE)

    async def _cause(self, program: Program) -> str:
        """Return the most special of the features without which the targets agree."""
        present = features(program)
        findings = await self._pair.findings([without(program, {feature}) for feature in present])
        needed = [one for one, finding in zip(present, findings, strict=True) if finding is None]
        return needed[0] if needed else "any program"

    def _add(self, different: Different, shrunk: Shrunk, finding: Finding, cause: str) -> None:
        key = (cause, finding.kind)
        known = self.found.get(key)
        if known is not None:
            known.count += 1
            known.kinds.add(different.finding.kind)
            if size(shrunk.program) < size(known.program):
                known.program, known.sentence = shrunk.program, finding.sentence
                known.seed, known.original = different.seed, different.program
            return
        self.found[key] = Cluster(
            cause=cause,
            kind=finding.kind,
            sentence=finding.sentence,
            seed=different.seed,
            program=shrunk.program,
            original=different.program,
            tries=shrunk.tries,
            kinds={finding.kind, different.finding.kind},
        )
        self._report(self.found[key])
