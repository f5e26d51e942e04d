# SPDX-License-Identifier: MIT
"""Clusters: a cause is found once and counted from then on; what does not repeat is no cluster."""

import asyncio
import itertools
import json
from collections.abc import Callable, Sequence

from loopcheck.fuzz.cluster import Cluster, Clusters, Different, Pair
from loopcheck.fuzz.compare import Names, compare
from loopcheck.fuzz.generate import Grammar, generate
from loopcheck.fuzz.operations import FEATURES, Program, size, walk
from loopcheck.fuzz.runner import Outcome

EVERYTHING = Grammar(frozenset(FEATURES), (3, 11))
Behaviour = Callable[[Program], Outcome]


def events(*names: str) -> Outcome:
    """Return an outcome with some events."""
    return Outcome(json.dumps([[name] for name in names]))


def right(program: Program) -> Outcome:
    """Do every operation, in its order."""
    return events(*(node["op"] for node in walk(program)))


def lacks(*broken: str) -> Behaviour:
    """Return a behaviour that leaves operations out."""
    return lambda program: events(*(node["op"] for node in walk(program) if node["op"] not in broken))


def dies_of(broken: str, how: str) -> Behaviour:
    """Return a behaviour that ends badly at an operation."""
    return lambda program: Outcome("", how) if broken in [n["op"] for n in walk(program)] else right(program)


class PretendedPair(Pair):
    """Two targets that do what functions say; counts the programs that it is asked about."""

    def __init__(self, oracle: Behaviour, target: Behaviour) -> None:
        self.names = Names("the oracle", "the target")
        self.asked = 0
        self._behaviours = (oracle, target)

    async def run(self, programs: Sequence[Program], **options: object) -> list[tuple[Outcome, Outcome]]:
        self.asked += len(programs)
        oracle, target = self._behaviours
        return [(oracle(program), target(program)) for program in programs]


class Findings:
    """What a pair shows in the first programs, sorted into clusters."""

    def __init__(self, oracle: Behaviour, target: Behaviour, programs: int = 300) -> None:
        self.pair = PretendedPair(oracle, target)
        self.reported: list[Cluster] = []
        self.clusters = Clusters(self.pair, self.reported.append)
        self.differences = [found for seed in range(programs) if (found := self._run(seed)) is not None]
        asyncio.run(self.clusters.take(self.differences))

    def _run(self, seed: int) -> Different | None:
        program = generate(seed, EVERYTHING)
        ((ours, theirs),) = asyncio.run(self.pair.run([program]))
        finding = compare(ours, theirs, self.pair.names)
        return None if finding is None else Different(seed, program, ours, theirs, finding)

    @property
    def names(self) -> set[str]:
        """The names of the clusters."""
        return {cluster.name for cluster in self.clusters.found.values()}


def test_equal_loops_make_no_cluster() -> None:
    found = Findings(right, right)
    assert not found.differences and not found.names


def test_one_cause_makes_one_cluster_with_its_smallest_program() -> None:
    found = Findings(right, lacks("stop"))
    assert found.names == {"stop-missing"}
    (cluster,) = found.clusters.found.values()
    assert [node["op"] for node in walk(cluster.program)] == ["stop"]
    assert cluster.sentence == "“stop” did not happen on the target; it does on the oracle."


def test_every_program_with_a_known_cause_is_counted_and_not_shrunk_again() -> None:
    found = Findings(right, lacks("stop"))
    (cluster,) = found.clusters.found.values()
    assert cluster.count == len(found.differences) > 10
    for_one = Findings(right, lacks("stop"), programs=1 + found.differences[0].seed).pair.asked
    assert found.pair.asked < for_one + 300 + 2 * len(found.differences)


def test_two_causes_make_two_clusters() -> None:
    found = Findings(right, lacks("stop", "sleep"))
    assert found.names == {"stop-missing", "sleep-missing"}
    assert sum(cluster.count for cluster in found.clusters.found.values()) == len(found.differences)


def test_cause_is_the_most_special_of_what_a_difference_needs() -> None:
    def loses_timers_of_tasks(program: Program) -> Outcome:
        names = [node["op"] for node in walk(program)]
        return events(*(name for name in names if name != "call_later" or "catch" not in names))

    assert Findings(right, loses_timers_of_tasks).names == {"catch-missing"}


def test_crash_and_hang_are_findings_with_a_sentence() -> None:
    crash = Findings(right, dies_of("stop", "SIGSEGV"))
    assert crash.names == {"stop-crash"}
    assert crash.reported[0].sentence == "the target died with SIGSEGV; the oracle does not."
    hang = Findings(right, dies_of("stop", "hang"))
    assert hang.names == {"stop-hang"}
    assert hang.reported[0].sentence == "the program does not end on the target; it does on the oracle."


def test_hang_of_the_oracle_is_said_of_the_oracle() -> None:
    found = Findings(dies_of("stop", "hang"), right)
    assert found.reported[0].sentence == "the program does not end on the oracle; it does on the target."


def test_both_dying_alike_is_no_difference() -> None:
    assert not Findings(dies_of("stop", "SIGSEGV"), dies_of("stop", "SIGSEGV")).differences


def test_target_that_does_not_always_do_it_is_intermittent() -> None:
    turn = itertools.count()
    found = Findings(right, lambda program: right(program) if next(turn) % 4 else events("else"), programs=1)
    assert not found.names
    (one,) = found.clusters.intermittent
    assert (one.different.seed, one.seen, one.runs) == (0, 1 + 5, 1 + 20)


def test_what_is_seen_once_and_not_again_is_set_aside() -> None:
    turn = itertools.count()
    found = Findings(right, lambda program: right(program) if next(turn) else events("else"))
    assert not found.names and not found.clusters.intermittent
    assert [different.seed for different in found.clusters.seen_once] == [0]


def test_oracle_that_does_not_do_it_again_is_set_aside() -> None:
    turn = itertools.count()

    def sometimes(program: Program) -> Outcome:
        return events("else") if next(turn) == 0 else right(program)

    found = Findings(sometimes, right)
    assert not found.names and not found.clusters.intermittent
    assert [different.seed for different in found.clusters.nondeterministic] == [0]


def test_each_cluster_is_reported_once_and_keeps_where_it_was_found() -> None:
    found = Findings(right, lacks("stop", "raise"))
    assert len(found.reported) == len(found.names) == 2
    for cluster in found.reported:
        assert cluster.original == generate(cluster.seed, EVERYTHING)
        assert size(cluster.program) <= 2
