# SPDX-License-Identifier: MIT
"""Random programs: the same from the same number, valid, within what was asked for, and never in a circle."""

import asyncio
import contextvars
import gc
import logging
import sys
import warnings
from collections.abc import Iterator

import pytest

from loopcheck.fuzz.generate import Grammar, generate
from loopcheck.fuzz.operations import (
    AWAITED,
    FEATURES,
    OPERATIONS,
    Node,
    Program,
    features,
    is_allowed,
    place_inside,
    tidy,
    walk,
    without,
)
from loopcheck_target.program import Program as Interpreter

EVERYTHING = Grammar(frozenset(FEATURES), (3, 11))
SEEDS = range(300)
PROGRAMS = [generate(seed, EVERYTHING) for seed in SEEDS]
NEWEST = [generate(seed, Grammar(frozenset(FEATURES), (3, 14))) for seed in SEEDS]
MISTAKES = ("KeyError", "TypeError", "AttributeError", "NameError", "IndexError", "ValueError")


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop that does not wait: its clock jumps to where it would wait to."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 1000.0
        self._look = self._selector.select  # type: ignore[attr-defined]
        self._selector.select = self._jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._now

    def _jump(self, timeout: float | None = None) -> object:
        self._now += timeout or 0.0
        return self._look(0)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Programs leave tasks and exceptions behind, which says nothing about them."""
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
        gc.collect()  # here, not in whatever test comes next
    logging.disable(logging.NOTSET)


def run(program: Program) -> list[list[object]]:
    """Return the events of a program on asyncio, without waiting."""
    interpreter = Interpreter(JumpingLoop(), program, 0.25, False)
    contextvars.Context().run(interpreter.run)
    return interpreter.events


def test_same_number_makes_same_program() -> None:
    assert [generate(seed, EVERYTHING) for seed in SEEDS] == PROGRAMS


def test_numbers_make_different_programs() -> None:
    assert len({repr(program) for program in PROGRAMS}) > len(SEEDS) * 0.99


def test_every_program_runs_on_asyncio_without_a_mistake_of_the_interpreter() -> None:
    fast = Grammar(frozenset(FEATURES) - {"block"}, (3, 11))
    for seed in SEEDS:
        text = repr(run(generate(seed, fast)))
        assert "the program raised" not in text, (seed, text)
        assert not any(mistake in text for mistake in MISTAKES), (seed, text)


def test_every_feature_is_generated() -> None:
    newest = Grammar(frozenset(FEATURES), (3, 14))
    found = {feature for seed in range(1000) for feature in features(generate(seed, newest))}
    assert found - set(AWAITED) == set(FEATURES)


@pytest.mark.parametrize("feature", [feature for feature in FEATURES if feature != "call_soon"])
def test_feature_that_is_not_wanted_is_not_generated(feature: str) -> None:
    grammar = Grammar(frozenset(FEATURES) - {feature}, (3, 11))
    assert all(feature not in features(generate(seed, grammar)) for seed in range(60))


@pytest.mark.parametrize("feature", [feature for feature in FEATURES if feature != "call_soon"])
def test_feature_is_taken_out_of_a_program(feature: str) -> None:
    programs = [program for program in NEWEST if feature in features(program)]
    assert programs
    assert all(feature not in features(without(program, {feature})) for program in programs)


def test_older_interpreter_gets_no_operation_that_it_lacks() -> None:
    old = Grammar(frozenset(FEATURES), (3, 8))
    nodes = [node for seed in SEEDS for node in walk(generate(seed, old))]
    assert not [node for node in nodes if node["op"] in ("timeout", "group") or "message" in node]
    assert not [node for node in nodes if node["op"] == "task" and "context" in node]
    assert not [node for node in nodes if node.get("then") == "uncancel"]


def delays(program: Program) -> list[int]:
    """Return the delays of a program that are not zero."""
    nodes = list(walk(program))
    return [abs(node[field]) for node in nodes for field in ("ticks", "moved") if node.get(field)]


def test_no_two_sums_of_delays_are_equal_and_all_end_before_the_horizon() -> None:
    for seed in SEEDS:
        program = PROGRAMS[seed]
        found = delays(program)
        assert len(set(found)) == len(found), seed
        assert all(delay.bit_count() == 1 for delay in found), seed
        assert sum(found) < program["horizon"], seed


def test_delays_are_limited_where_time_is_real() -> None:
    real = Grammar(frozenset(FEATURES), (3, 11), delays=4)
    programs = [generate(seed, real) for seed in SEEDS]
    assert max(len(delays(program)) for program in programs) == 4
    assert max(program["horizon"] for program in programs) == 1 << 4
    assert programs == [generate(seed, real) for seed in SEEDS]


def waits(program: Program) -> dict[int, set[int]]:
    """Return for each task which tasks it waits for."""
    found: dict[int, set[int]] = {}

    def look(node: Node, owner: int) -> None:
        if node["op"] == "join":
            found.setdefault(owner, set()).add(node["task"])
        inside = node["id"] if node["op"] == "task" else owner
        for item in node.get("of", ()):
            if item["op"] == "task":
                found.setdefault(owner, set()).add(item["id"])
            look(item, inside)
        for child in node.get("body", ()):
            look(child, inside)

    for run in program["runs"]:
        for node in (*run["body"], *([run["main"]] if "main" in run else [])):
            look(node, 0)
    return found


def has_circle(edges: dict[int, set[int]]) -> bool:
    """Return whether somebody waits for himself, directly or through others."""
    done: set[int] = set()

    def visit(task: int, above: frozenset[int]) -> bool:
        if task in above:
            return True
        if task in done:
            return False
        found = any(visit(other, above | {task}) for other in edges.get(task, ()))
        done.add(task)
        return found

    return any(visit(task, frozenset()) for task in list(edges))


def test_no_task_waits_for_itself() -> None:
    assert has_circle({1: {2}, 2: {1}})
    for seed in range(1000):
        assert not has_circle(waits(generate(seed, EVERYTHING))), seed


def test_operations_stand_where_they_may() -> None:
    def check(node: Node, place: str) -> None:
        assert is_allowed(node, place), (node["op"], place)
        inside = place_inside(node, place)
        for child in node.get("body", ()):
            check(child, inside)
        for item in node.get("of", ()):
            assert item["op"] in (*AWAITED, "task")
            if item["op"] == "task":
                check(item, "task")

    for seed in SEEDS:
        for one in PROGRAMS[seed]["runs"]:
            for node in one["body"]:
                check(node, "root")


def test_tidy_program_does_what_it_did_under_new_numbers() -> None:
    numbered = {"time", "when", "outcomes", "rest"}  # where numbers are values, or decide on the order
    grammar = Grammar(frozenset(FEATURES) - {"block", *numbered}, (3, 11))
    for seed in SEEDS:
        program = generate(seed, grammar)
        kinds = [[str(event[0]).split()[0] for event in run(one)] for one in (program, tidy(program))]
        assert kinds[0] == kinds[1], seed


def test_tidy_program_has_numbers_from_one_on_and_nothing_that_refers_to_nothing() -> None:
    for seed in SEEDS:
        nodes = list(walk(tidy(PROGRAMS[seed])))
        numbers = [node["id"] for node in nodes if node["op"] in OPERATIONS]
        assert numbers == list(range(1, len(numbers) + 1))
        asked = {node[field] for node in nodes for field in ("handle", "task", "callback") if field in node}
        assert asked <= set(numbers)
