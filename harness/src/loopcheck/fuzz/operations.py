# SPDX-License-Identifier: MIT
"""What random programs consist of: the table of operations, and functions on programs as trees.

A program is a JSON tree (``loopcheck_target/program.py`` says what it means).  Its *features* are what can be
taken out of it by name: operations, options such as a context of one's own, and parts such as what closes the
loop.  They are the words of ``--only`` and ``--without``, and a difference is known by the feature that it needs.

Invariant: every function returns a new tree, and every tree that it returns is a valid program.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Node = dict[str, Any]
Program = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One operation.

    where: anywhere, running (in callbacks and tasks), task (in tasks), or thread.  weight: how often it is chosen.
    refers: the field that names what another operation made.  since: the version of Python that has it.
    """

    where: str
    weight: int
    refers: str = ""
    timed: bool = False
    body: bool = False
    since: tuple[int, int] = (3, 8)


# From what every program has to what is special: of several features that a difference needs, the last is its
# cause.
OPERATIONS = {
    "call_soon": Operation("anywhere", 10, body=True),
    "task": Operation("anywhere", 10, body=True),
    "call_later": Operation("anywhere", 8, timed=True, body=True),
    "call_at": Operation("anywhere", 3, timed=True, body=True),
    "sleep0": Operation("task", 5),
    "sleep": Operation("task", 6, timed=True),
    "await": Operation("task", 8),
    "call": Operation("task", 2, body=True),
    "set_result": Operation("anywhere", 5, refers="future"),
    "set_exception": Operation("anywhere", 2, refers="future"),
    "on_done": Operation("anywhere", 4, body=True),
    "off_done": Operation("anywhere", 1, refers="callback"),
    "set_variable": Operation("anywhere", 2),
    "variable": Operation("anywhere", 2),
    "block": Operation("anywhere", 2, timed=True),
    "time": Operation("anywhere", 1),
    "cancel": Operation("anywhere", 5, refers="handle"),
    "when": Operation("anywhere", 1, refers="handle"),
    "again": Operation("anywhere", 2, refers="handle"),
    "threadsafe": Operation("anywhere", 3, body=True),
    "thread": Operation("anywhere", 1, body=True),
    "raise": Operation("running", 2),
    "report": Operation("anywhere", 1),
    "cancel_future": Operation("anywhere", 2, refers="future"),
    "cancel_task": Operation("anywhere", 7, refers="task"),
    "catch": Operation("task", 3, body=True),
    "gather": Operation("task", 4),
    "shield": Operation("task", 3),
    "wait": Operation("task", 4, timed=True),
    "wait_for": Operation("task", 4, timed=True),
    "timeout": Operation("task", 3, timed=True, body=True, since=(3, 11)),
    "group": Operation("task", 6, body=True, since=(3, 11)),
    "send": Operation("anywhere", 5, refers="pair"),
    "shut": Operation("anywhere", 1, refers="pair"),
    "add_reader": Operation("anywhere", 5, refers="pair", body=True),
    "add_writer": Operation("anywhere", 2, refers="pair", body=True),
    "remove_reader": Operation("anywhere", 2, refers="pair"),
    "remove_writer": Operation("anywhere", 1, refers="pair"),
    "past": Operation("anywhere", 1, timed=True, body=True),
    "zero": Operation("anywhere", 3, body=True),
    "state": Operation("anywhere", 1),
    "nested": Operation("running", 1),
    "close_running": Operation("running", 1),
    "stop": Operation("anywhere", 3),
    "exit": Operation("running", 1),
}
SCHEDULING = ("call_soon", "threadsafe", "call_later", "call_at", "zero", "past")
TIMED = ("ticks", "moved")  # fields that hold delays
AWAITED = ("future", "join")  # what stands in "of" beside tasks
# Fields of operations that can be left out.
OPTIONS = ("args", "context", "message", "moved", "at", "eager", "exceptions")
OPTIONS_SINCE = {"message": (3, 9), "eager": (3, 14)}
PARTS = ("outcomes", "rest", "close", "punctual", "until", "main")  # fields of programs and of their runs
GROUPS = {
    "ending": ("stop", "until", "main", "exit"),
    "reader": ("add_reader", "remove_reader", "add_writer", "remove_writer", "send", "shut"),
    "timer": ("call_later", "call_at", "zero", "past", "when", "sleep", "wait_for", "timeout"),
    "future": ("set_result", "set_exception", "cancel_future", "on_done", "off_done"),
    "threads": ("thread", "threadsafe"),
}
FEATURES = (*PARTS[:2], *OPERATIONS, *OPTIONS, *PARTS[2:])


def copied(tree: Any) -> Any:
    """Return a copy of a tree of dicts and lists; ten times as fast as the general way."""
    if isinstance(tree, dict):
        return {
            key: copied(value) if isinstance(value, dict | list) else value for key, value in tree.items()
        }
    return [copied(item) if isinstance(item, dict | list) else item for item in tree]


def children(node: Node) -> Iterator[Node]:
    """Yield the operations inside one."""
    yield from node.get("body", ())
    yield from node.get("of", ())


def roots(program: Program) -> Iterator[Node]:
    """Yield the outermost operations of a program."""
    for run in program["runs"]:
        yield from run.get("body", ())
        if "main" in run:
            yield run["main"]


def walk(program: Program) -> Iterator[Node]:
    """Yield every operation of a program, from the outside to the inside, in the order of its text."""
    waiting = list(roots(program))[::-1]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += list(children(node))[::-1]


def size(program: Program) -> int:
    """Return how many operations a program has; what is merely waited for is none."""
    return sum(node["op"] not in AWAITED for node in walk(program))


def features(program: Program) -> list[str]:
    """Return the features of a program, the most special first."""
    found = {part for part in PARTS if program.get(part) or any(part in run for run in program["runs"])}
    for node in walk(program):
        found.add(node["op"])
        found.update(option for option in OPTIONS if node.get(option))
        if node.get("ticks") == 0:
            found.add("zero")
    return [feature for feature in reversed(FEATURES) if feature in found]


def without(program: Program, unwanted: set[str]) -> Program:
    """Return a program without some features; what an operation has inside goes with it."""
    smaller: Program = copied(program)
    for part in unwanted & set(PARTS):
        smaller.pop(part, None)
        for run in smaller["runs"]:
            run.pop(part, None)
    for run in smaller["runs"]:
        if "main" in run and run["main"]["op"] in unwanted:
            del run["main"]
    _keep(smaller, lambda node: node["op"] not in unwanted and not ("zero" in unwanted and _is_zero(node)))
    for node in walk(smaller):
        for option in unwanted & set(OPTIONS) & node.keys():
            if option == "exceptions":
                node[option] = False
            else:
                del node[option]
    return smaller


def _is_zero(node: Node) -> bool:
    return bool(node.get("ticks") == 0)


def _keep(program: Program, wanted: Callable[[Node], bool]) -> None:
    for run in program["runs"]:
        run["body"] = [node for node in run.get("body", ()) if wanted(node)]
    for node in walk(program):
        for field in ("body", "of"):
            if field in node:
                node[field] = [child for child in node[field] if wanted(child)]


def is_allowed(node: Node, place: str) -> bool:
    """Return whether an operation may stand directly in a place: root, callback, task or thread."""
    operation = OPERATIONS.get(node["op"])
    if place == "thread":
        return bool(node["op"] == "threadsafe")
    return operation is not None and (
        operation.where == "anywhere"
        or (operation.where == "running" and place != "root")
        or (operation.where == "task" and place == "task")
    )


def place_inside(node: Node, place: str) -> str:
    """Return the place that an operation's body is, where the operation itself stands in a place."""
    if node["op"] == "thread":
        return "thread"
    if node["op"] == "task" or OPERATIONS[node["op"]].where == "task":
        return "task"
    return "callback"


def tidy(program: Program) -> Program:
    """Return a program with numbers and delays as small as their order allows, without dangling references."""
    result = without_dangling(program)
    _renumber(result)
    _shorten(result)
    return result


def without_dangling(program: Program) -> Program:
    """Return a program without what refers to nothing, and what waits for nothing: it would do nothing."""
    result: Program = copied(program)
    while True:
        made = {node["id"] for node in walk(result) if "id" in node} | {None}
        before = sum(1 for _ in walk(result))
        _keep(result, lambda node: _refers_to(node) in made and node.get("of") != [])  # noqa: B023
        if before == sum(1 for _ in walk(result)):
            return result


def _refers_to(node: Node) -> int | None:
    return next((node[field] for field in ("handle", "task", "callback") if field in node), None)


def _renumber(program: Program) -> None:
    new: dict[str, dict[int, int]] = {"id": {}, "future": {}, "pair": {}}
    for node in walk(program):
        if "id" in node:
            new["id"][node["id"]] = len(new["id"]) + 1
        for field in ("future", "pair"):
            if field in node:
                new[field].setdefault(node[field], len(new[field]))
    for run in program["runs"]:
        if "until" in run:
            run["until"] = new["future"].setdefault(run["until"], len(new["future"]))
    for node in walk(program):
        for field in ("id", "handle", "task", "callback"):
            if field in node:
                node[field] = new["id"][node[field]]
        for field in ("future", "pair"):
            if field in node:
                node[field] = new[field][node[field]]


def _shorten(program: Program) -> None:
    """Give the delays the smallest powers of two that keep their order."""
    fields = [(node, field) for node in walk(program) for field in TIMED if node.get(field)]
    delays = sorted({abs(node[field]) for node, field in fields})
    power = {delay: 1 << index for index, delay in enumerate(delays)}
    for node, field in fields:
        node[field] = power[abs(node[field])] * (1 if node[field] > 0 else -1)
    program["horizon"] = 1 << len(delays)
