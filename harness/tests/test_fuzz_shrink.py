# SPDX-License-Identifier: MIT
"""The shrinker: what it returns still shows the difference, and nothing in it can go."""

import asyncio
import itertools
from collections.abc import Callable, Sequence

import pytest

from loopcheck.fuzz.generate import Grammar, generate
from loopcheck.fuzz.operations import FEATURES, Node, Program, children, features, size, tidy, walk
from loopcheck.fuzz.shrink import MOST_TRIES, Shrunk, shrink

EVERYTHING = Grammar(frozenset(FEATURES), (3, 11))
Predicate = Callable[[Program], bool]


def has(program: Program, *names: str) -> bool:
    """Return whether a program has operations."""
    return set(names) <= {node["op"] for node in walk(program)}


def inside(outer: str, inner: str) -> Predicate:
    """Return whether a program has an operation somewhere inside another."""

    def below(node: Node) -> bool:
        return any(child["op"] == inner or below(child) for child in children(node))

    return lambda program: any(node["op"] == outer and below(node) for node in walk(program))


def cancelled_timer(program: Program) -> bool:
    """Return whether a program cancels one of its timers."""
    timers = {node["id"] for node in walk(program) if node["op"] == "call_later"}
    return any(node["op"] == "cancel" and node["handle"] in timers for node in walk(program))


# What must show, and how many operations show it.
PREDICATES: dict[str, tuple[Predicate, int]] = {
    "anything": (lambda program: True, 0),
    "one operation": (lambda program: has(program, "stop"), 1),
    "two operations": (lambda program: has(program, "stop", "sleep0"), 3),  # a task must do the sleeping
    "one in another": (inside("call_soon", "stop"), 2),
    "one in a task": (inside("task", "call_later"), 2),
    "a reference": (cancelled_timer, 2),
    "an option": (lambda program: any("context" in node for node in walk(program)), 1),
    "a part": (lambda program: bool(program.get("close")), 0),
    "two runs": (lambda program: len(program["runs"]) > 1, 0),
    "the awaited": (lambda program: any(len(node.get("of", ())) > 1 for node in walk(program)), 2),
}


def shrink_with(program: Program, predicate: Predicate) -> tuple[Shrunk, list[Program]]:
    """Shrink a program; return what came of it and every program that was tried."""
    tried: list[Program] = []

    async def failing(programs: Sequence[Program]) -> list[bool]:
        tried.extend(programs)
        return [predicate(one) for one in programs]

    return asyncio.run(shrink(program, failing)), tried


def programs_with(predicate: Predicate, count: int = 5) -> list[Program]:
    """Return some large programs for which a predicate holds."""
    programs = (generate(seed, EVERYTHING) for seed in itertools.count())
    found = (program for program in programs if size(program) >= 10 and predicate(program))
    return list(itertools.islice(found, count))


@pytest.mark.parametrize("name", PREDICATES)
def test_smallest_program_is_found(name: str) -> None:
    predicate, smallest = PREDICATES[name]
    for program in programs_with(predicate):
        shrunk, tried = shrink_with(program, predicate)
        assert predicate(shrunk.program)
        assert size(shrunk.program) == smallest, shrunk.program
        assert shrunk.finished and len(tried) == shrunk.tries <= MOST_TRIES


def test_every_program_that_is_tried_is_tidy_and_new() -> None:
    _, tried = shrink_with(programs_with(cancelled_timer)[0], cancelled_timer)
    assert all(tidy(program) == program for program in tried)
    assert len({repr(program) for program in tried}) == len(tried)


def test_shrunk_program_does_not_get_smaller() -> None:
    for predicate, _ in PREDICATES.values():
        once, _ = shrink_with(programs_with(predicate)[0], predicate)
        again, _ = shrink_with(once.program, predicate)
        assert again.program == once.program


def test_operation_becomes_the_simplest_of_its_sort() -> None:
    program = programs_with(lambda one: has(one, "call_at"))[0]
    shrunk, _ = shrink_with(program, lambda one: any("body" in node for node in walk(one)))
    assert [node["op"] for node in walk(shrunk.program)] == ["call_soon"]
    assert features(shrunk.program) == ["call_soon"]


def test_shrinking_ends_after_some_tries_and_says_so() -> None:
    program = programs_with(cancelled_timer)[0]

    async def failing(programs: Sequence[Program]) -> list[bool]:
        return [False] * len(programs)

    shrunk = asyncio.run(shrink(program, failing, most_tries=10, at_once=5))
    assert (shrunk.finished, shrunk.tries, shrunk.program) == (False, 10, program)
