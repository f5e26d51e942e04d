# SPDX-License-Identifier: MIT
"""The smallest program that still shows a difference.

The idea: make every program that is one step smaller, the boldest step first; ask which of them still show it;
go on with the smallest that does; stop when none does.  The question is asked for many programs at once, because
a child that runs forty programs takes hardly longer than one that runs one.
"""

import itertools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .operations import (
    AWAITED,
    OPERATIONS,
    OPTIONS,
    PARTS,
    TIMED,
    Node,
    Program,
    children,
    copied,
    is_allowed,
    place_inside,
    tidy,
    walk,
)

Failing = Callable[[Sequence[Program]], Awaitable[list[bool]]]

SORTS = {name: place for place, name in enumerate((*AWAITED, *OPERATIONS))}
MOST_TRIES = 500
ASKED_AT_ONCE = 40
SIMPLER = {
    "call_at": "call_later",
    "past": "call_soon",
    "zero": "call_soon",
    "threadsafe": "call_soon",
    "call_later": "call_soon",
    "add_reader": "call_soon",
    "add_writer": "call_soon",
    "on_done": "call_soon",
    "set_exception": "set_result",
    "cancel_future": "set_result",
    "sleep": "sleep0",
    "shield": "await",
    "wait_for": "await",
    "gather": "await",
    "wait": "await",
}


@dataclass(frozen=True)
class Shrunk:
    """A program that cannot be made smaller, and how many were tried; finished: whether tries sufficed."""

    program: Program
    tries: int
    finished: bool = True


async def shrink(
    program: Program, failing: Failing, most_tries: int = MOST_TRIES, at_once: int = ASKED_AT_ONCE
) -> Shrunk:
    """Return the smallest program found for which failing() holds, as it does for this one.

    failing: is asked about at_once programs at a time, and about most_tries altogether, or a few more.
    """
    best = Shrunk(program, 0)
    seen = {repr(program)}
    while True:
        found = None
        for candidates in _in_groups(_smaller(best.program, seen), at_once):
            tries = best.tries + len(candidates)
            answers = await failing(candidates)
            best = replace(best, tries=tries)
            failed = [one for one, answer in zip(candidates, answers, strict=True) if answer]
            if failed:
                found = min(failed, key=weight)
                break
            if tries >= most_tries:
                return replace(best, finished=False)
        if found is None:
            return best
        best = replace(best, program=found)


def weight(program: Program) -> tuple[int, int, int]:
    """Return what shrinking makes smaller: operations and parts, then their sort, then delays."""
    nodes = list(walk(program))
    options = sum(option in node for node in nodes for option in OPTIONS)
    parts = sum(part in program for part in PARTS) + sum(len(run) for run in program["runs"])
    sorts = sum(SORTS[node["op"]] for node in nodes)
    delays = sum(abs(node.get(field, 0)) for node in nodes for field in TIMED)
    return (4 * len(nodes) + 2 * parts + options, sorts, delays)


def _in_groups(programs: Iterator[Program], at_once: int) -> Iterator[list[Program]]:
    while group := list(itertools.islice(programs, at_once)):
        yield group


def _smaller(program: Program, seen: set[str]) -> Iterator[Program]:
    """Yield the programs that are one step smaller, each that has not been seen before."""
    own = weight(program)
    for step in (_without_runs, _without_parts, _without_nodes, _with_children, _simpler):
        for candidate in step(program):
            smaller = tidy(candidate)
            text = repr(smaller)
            if text not in seen and weight(smaller) < own:
                seen.add(text)
                yield smaller


# ---- steps -----------------------------------------------------------------------------------------------


def _without_runs(program: Program) -> Iterator[Program]:
    runs = program["runs"]
    for index in range(len(runs)):
        if len(runs) > 1:
            yield {**program, "runs": runs[:index] + runs[index + 1 :]}
            if index:
                joined = {**runs[index], "body": runs[index - 1]["body"] + runs[index]["body"]}
                yield {**program, "runs": [*runs[: index - 1], joined, *runs[index + 1 :]]}


def _without_parts(program: Program) -> Iterator[Program]:
    for part in PARTS:
        if part in program:
            yield {key: value for key, value in program.items() if key != part}
    for index, run in enumerate(program["runs"]):
        for smaller in _without_part(run):
            yield {**program, "runs": [*program["runs"][:index], smaller, *program["runs"][index + 1 :]]}


def _without_part(run: Node) -> Iterator[Node]:
    if "until" in run:
        yield {"body": run["body"]}
    if "main" in run:
        yield {"body": run["body"]}
        yield {"body": [*run["body"], run["main"]]}
        inside = [node for node in run["main"]["body"] if is_allowed(node, "root")]
        yield {"body": run["body"] + inside}


def _lists(program: Program) -> Iterator[tuple[list[Node], str, Any]]:
    """Yield each list of operations of a program with the place it is and the operation that has it."""
    waiting: list[tuple[Any, str]] = [(run, "root") for run in program["runs"]]
    while waiting:
        owner, place = waiting.pop(0)
        for field in ("body", "of"):
            if owner.get(field):
                yield owner[field], _place_of(owner, field, place), owner
        inner = children(owner) if "op" in owner else [*owner["body"], *filter(None, [owner.get("main")])]
        waiting += [(node, place_inside(node, place)) for node in inner if node["op"] not in AWAITED]


def _place_of(owner: Node, field: str, place: str) -> str:
    if field == "body":
        return place
    return "members" if owner["op"] == "group" else "awaited"


def _edited(program: Program, edit: Callable[[list[Node], str], Iterator[list[Node]]]) -> Iterator[Program]:
    """Yield the program with one of its lists replaced, for each list and each of what edit() makes of it."""
    for nodes, place, _ in list(_lists(program)):
        before = list(nodes)
        for after in edit(before, place):
            nodes[:] = after
            changed = copied(program)
            nodes[:] = before
            yield changed


def _without_nodes(program: Program) -> Iterator[Program]:
    def edit(nodes: list[Node], place: str) -> Iterator[list[Node]]:
        half = len(nodes) // 2
        if half > 1:
            yield nodes[half:]
            yield nodes[:half]
        for index in range(len(nodes)):
            yield nodes[:index] + nodes[index + 1 :]

    return _edited(copied(program), edit)


def _with_children(program: Program) -> Iterator[Program]:
    def edit(nodes: list[Node], place: str) -> Iterator[list[Node]]:
        for index, node in enumerate(nodes):
            hoisted = [child for child in children(node) if is_allowed(child, place)]
            if hoisted and place not in ("awaited", "members"):
                yield nodes[:index] + hoisted + nodes[index + 1 :]

    return _edited(copied(program), edit)


def _simpler(program: Program) -> Iterator[Program]:
    def edit(nodes: list[Node], place: str) -> Iterator[list[Node]]:
        for index, node in enumerate(nodes):
            for simpler in _simpler_nodes(node, place):
                yield [*nodes[:index], simpler, *nodes[index + 1 :]]

    return _edited(copied(program), edit)


def _simpler_nodes(node: Node, place: str) -> Iterator[Node]:
    for option in OPTIONS:
        if option == "exceptions" and node.get(option):
            yield {**node, option: False}
        elif option in node and option != "exceptions":
            yield {key: value for key, value in node.items() if key != option}
    if node.get("size", 1) > 1:
        yield {**node, "size": 1}
    if node["op"] == "wait" and "ticks" in node:
        yield {key: value for key, value in node.items() if key != "ticks"}
    if node.get("then", "raise") != "raise":
        yield {**node, "then": "raise"}
    for field in ("future", "pair"):
        if node.get(field, 0) > 0:
            yield {**node, field: 0}
    if node["op"] in ("task", "join") and place == "awaited":
        yield {"op": "future", "future": 0}
    simpler = SIMPLER.get(node["op"])
    if simpler is not None and place != "thread":
        yield _as(node, simpler)


def _as(node: Node, name: str) -> Node:
    """Return an operation as a simpler one: with the fields that this one has."""
    keep = {"id", "future", "context", "args"}
    operation = OPERATIONS[name]
    keep |= {"body"} if operation.body else set()
    keep |= {"ticks"} if operation.timed else set()
    simpler = {key: value for key, value in node.items() if key in keep}
    if "of" in node:
        simpler["of"] = node["of"][:1]
    if operation.timed and simpler.get("ticks", 0) <= 0:
        simpler["ticks"] = 1
    return {**simpler, "op": name}
