# SPDX-License-Identifier: MIT
"""From a number to a program.

Three ideas.  Each program draws its own *mask* over the operations (swarm testing): what never meets in a
program that has everything meets in one that has little else.  All delays of a program are different powers of
two, so that no two sums of them are equal and no two timers are due at once by accident: the documents leave open
which is first then.  And who waits for whom makes no circle: a task waits only for tasks that come before it in
the text and that it does not stand in, or for its own.

Invariant: the same number, features and version make the same program, on any machine.
"""

import bisect
import itertools
import random
from dataclasses import dataclass

from .operations import (
    OPERATIONS,
    OPTIONS_SINCE,
    SCHEDULING,
    TIMED,
    Node,
    Program,
    walk,
    without_dangling,
)

SIZES = (4, 6, 8, 8, 10, 12, 14, 18)
BODIES = (0, 0, 1, 1, 1, 2, 2, 3)
TASK_BODIES = (1, 1, 2, 2, 3, 4)
FUTURES = (0, 0, 0, 1, 1, 2)
PAIRS = (0, 0, 0, 1)
SEQUELS = {
    "add_reader": ("send", "send", "remove_reader"),
    "task": ("cancel_task",),
    "call_soon": ("cancel",),
    "call_later": ("cancel", "block"),
    "on_done": ("on_done", "set_result", "off_done"),
}
WAITING = 3
NOTHING = (["call_soon"], [1])
CORE = frozenset({"call_soon", "task", "call_later"})
FOLLOWED = 0.5  # the chance of an operation to have a sequel
KEPT = 0.45  # the chance of an operation to be in a program's mask
SHARES = {"punctual": 0.3, "rest": 0.4, "outcomes": 0.5, "close": 0.3}


@dataclass(frozen=True)
class Grammar:
    """Which features programs may have.

    version: of the older of two interpreters.  pairs: of sockets, each as often as it is to be chosen.
    delays: how many at most; each doubles the time that a program takes.
    """

    wanted: frozenset[str]
    version: tuple[int, int]
    pairs: tuple[int, ...] = PAIRS
    delays: int = max(SIZES)

    def allows(self, feature: str) -> bool:
        """Return whether programs may have a feature."""
        operation = OPERATIONS.get(feature)
        since = operation.since if operation else OPTIONS_SINCE.get(feature, (3, 8))
        return feature in self.wanted and since <= self.version


def generate(seed: int, grammar: Grammar) -> Program:
    """Return the program that a number stands for."""
    program = Generator(random.Random(seed), grammar).program()
    attempts = itertools.count()
    while program["horizon"] > 1 << grammar.delays:
        program = Generator(random.Random(f"{seed}.{next(attempts)}"), grammar).program()
    return program


class Generator:
    """Makes one program."""

    def __init__(self, source: random.Random, grammar: Grammar) -> None:
        self._random = source
        self._grammar = grammar
        self._left = self._random.choice(SIZES)
        self._id = 0
        self._tasks: list[tuple[int, tuple[int, ...]]] = []
        self._made: dict[str, list[int]] = {"handle": [], "task": [], "callback": []}
        self._references: list[Node] = []
        self._timed: list[tuple[Node, str]] = []
        self._tables: dict[str, tuple[list[str], list[int]]] = {}
        self._mask = {
            name
            for name in OPERATIONS
            if grammar.allows(name) and (name in CORE or self._random.random() < KEPT)
        }

    def program(self) -> Program:
        """Return the program."""
        chance = self._random.random
        runs = [self._run() for _ in range(1 + (chance() < 0.3) + (chance() < 0.1))]
        while self._left > 0:
            self._append(self._random.choice(runs)["body"], "root", ())
        program: Program = {"runs": runs}
        for part, share in SHARES.items():
            if self._grammar.allows(part) and chance() < share:
                program[part] = True
        if not self._resolve():
            program = without_dangling(program)
            self._timed = [(node, field) for node in walk(program) for field in TIMED if node.get(field)]
        self._delay(program)
        if "punctual" in program and not self._is_punctual(program):
            del program["punctual"]
        return program

    def _run(self) -> Node:
        run: Node = {"body": []}
        chance = self._random.random()
        for _ in range(self._random.choice((1, 1, 2, 3))):
            self._append(run["body"], "root", ())
        if chance < 0.2 and self._grammar.allows("main") and "task" in self._mask and self._left > 0:
            run["main"] = self._make("task", "root", ())
        elif chance < 0.28 and self._grammar.allows("until"):
            run["until"] = self._random.choice(FUTURES)
        return run

    # ---- operations in a place -----------------------------------------------------------------------------

    def _append(self, body: list[Node], place: str, inside: tuple[int, ...]) -> None:
        """Add an operation, and perhaps one that makes it interesting, while there is room."""
        if self._left > 0:
            node = self._operation(place, inside)
            body.append(node)
            self._give_awaited(node, inside)
            if node["op"] in SEQUELS and self._left > 0 and self._random.random() < FOLLOWED:
                self._follow(body, node, place, inside)

    def _follow(self, body: list[Node], node: Node, place: str, inside: tuple[int, ...]) -> None:
        """Let something happen to what an operation has made: something to read, a cancellation."""
        name = self._random.choice([name for name in SEQUELS[node["op"]] if name in self._mask] or [""])
        if not name:
            return
        if name in ("send", "on_done") or self._left < 2 or self._random.random() < 0.3:
            sequel = self._make(name, place, inside)
            body.append(sequel)
        else:
            ways = [way for way in ("call_soon", "call_later") if way in self._mask]
            later = self._random.choice(ways)
            body.append(self._make(later, place, inside, empty=True))
            sequel = self._make(name, "callback", inside)
            body[-1]["body"].append(sequel)
        for field in ("pair", "future"):
            if field in sequel and field in node:
                sequel[field] = node[field]
        if OPERATIONS[name].refers in ("handle", "task", "callback"):
            sequel[OPERATIONS[name].refers] = node["id"]
            self._references = [other for other in self._references if other is not sequel]

    # ---- one operation -------------------------------------------------------------------------------------

    def _operation(self, place: str, inside: tuple[int, ...]) -> Node:
        names, weights = self._table(place)
        name = names[bisect.bisect(weights, self._random.random() * weights[-1])]
        return self._make(name, place, inside)

    def _table(self, place: str) -> tuple[list[str], list[int]]:
        if place not in self._tables:
            names = [name for name in OPERATIONS if name in self._mask and _fits(name, place)]
            weights = [_weight(name, place) for name in names]
            self._tables[place] = (names, list(itertools.accumulate(weights))) if names else NOTHING
        return self._tables[place]

    def _make(self, name: str, place: str, inside: tuple[int, ...], empty: bool = False) -> Node:
        self._left -= 1
        self._id += 1
        operation = OPERATIONS[name]
        node: Node = {"op": name, "id": self._id}
        if operation.timed:
            self._give_delay(node)
        if name == "zero":
            node["ticks"] = 0
        if operation.refers:
            self._refer(node, operation.refers)
        self._give_options(node, name)
        if name in SCHEDULING:
            self._made["handle"].append(node["id"])
        elif name == "on_done":
            self._made["callback"].append(node["id"])
        if operation.body:
            node["body"] = [] if empty else self._body(node, inside)
        if name == "task":
            self._made["task"].append(node["id"])
            self._tasks.append((node["id"], inside))
        return node

    def _give_delay(self, node: Node) -> None:
        chance = self._random.random()
        may_be_zero = self._grammar.allows("zero") and node["op"] in ("wait", "wait_for", "timeout")
        if may_be_zero and chance < 0.15:
            node["ticks"] = 0
        elif node["op"] != "wait" or chance < 0.6:
            self._later(node, "ticks")

    def _later(self, node: Node, field: str) -> None:
        """Let a field have one of the delays when it is known how many there are."""
        node[field] = 1
        self._timed.append((node, field))

    def _refer(self, node: Node, field: str) -> None:
        if field == "future":
            node["future"] = self._random.choice(FUTURES)
        elif field == "pair":
            node["pair"] = self._random.choice(self._grammar.pairs)
        else:
            self._references.append(node)
            node[field] = 0

    def _give_options(self, node: Node, name: str) -> None:
        chance = self._random.random
        takes_context = name in SCHEDULING or name == "on_done"
        takes_context = takes_context or (name == "task" and self._grammar.version >= (3, 11))
        if takes_context and self._grammar.allows("context") and chance() < 0.12:
            node["context"] = node["id"]
        if (name in SCHEDULING or name == "add_reader") and self._grammar.allows("args") and chance() < 0.1:
            node["args"] = ["one", "two"]
        if name in ("cancel_task", "cancel_future") and self._grammar.allows("message") and chance() < 0.4:
            node["message"] = f"message {node['id']}"
        special = getattr(self, f"_give_{name}", None)
        if special is not None:
            special(node)

    def _give_task(self, node: Node) -> None:
        if self._grammar.allows("eager") and self._random.random() < 0.2:
            node["eager"] = True

    def _give_send(self, node: Node) -> None:
        node["size"] = self._random.choice((1, 1, 2))

    def _give_on_done(self, node: Node) -> None:
        tasks = self._made["task"]
        if tasks and self._random.random() < 0.5:
            node["task"] = self._random.choice(tasks)
        else:
            node["future"] = self._random.choice(FUTURES)

    def _give_catch(self, node: Node) -> None:
        ways = ["raise", "swallow"]
        if self._grammar.version >= (3, 11):
            ways.append("uncancel")
        node["then"] = self._random.choice(ways)

    def _give_wait(self, node: Node) -> None:
        node["when"] = self._random.choice(("first", "first", "exception", "all"))

    def _give_gather(self, node: Node) -> None:
        node["exceptions"] = self._grammar.allows("exceptions") and self._random.random() < 0.5

    def _give_timeout(self, node: Node) -> None:
        if self._grammar.allows("moved") and self._random.random() < 0.4:
            self._later(node, "moved")
        if self._grammar.allows("at") and self._random.random() < 0.3:
            node["at"] = True

    def _body(self, node: Node, inside: tuple[int, ...]) -> list[Node]:
        if node["op"] == "thread":
            count = self._random.choice((1, 1, 2)) if self._grammar.allows("threadsafe") else 0
            return [self._make("threadsafe", "thread", inside) for _ in range(count)]
        in_task = node["op"] == "task" or OPERATIONS[node["op"]].where == "task"
        if node["op"] == "task":
            inside = (*inside, node["id"])
        body: list[Node] = []
        for _ in range(self._random.choice(TASK_BODIES if in_task else BODIES)):
            self._append(body, "task" if in_task else "callback", inside)
        return body

    # ---- what is waited for --------------------------------------------------------------------------------

    def _give_awaited(self, node: Node, inside: tuple[int, ...]) -> None:
        counts = {"await": (1,), "shield": (1,), "wait_for": (1,), "wait": (1, 2, 3), "gather": (1, 2, 3)}
        if node["op"] == "group":  # with one member: a set decides which of several is cancelled first
            node["of"] = [self._make("task", "task", inside)]
        elif node["op"] in counts:
            count = self._random.choice(counts[node["op"]])
            node["of"] = [self._awaited(inside) for _ in range(count)]

    def _awaited(self, inside: tuple[int, ...]) -> Node:
        chance = self._random.random()
        others = [id for id, _ in self._tasks if id not in inside]
        if chance < 0.45 and self._left > 0 and self._grammar.allows("task"):
            return self._make("task", "task", inside)
        if chance < 0.7 and others:
            return {"op": "join", "task": self._random.choice(others)}
        return {"op": "future", "future": self._random.choice(FUTURES)}

    # ---- when the whole program is known -------------------------------------------------------------------

    def _resolve(self) -> bool:
        """Let operations refer to what there is; return whether there is something for each."""
        for node in self._references:
            field = OPERATIONS[node["op"]].refers
            if self._made[field]:
                node[field] = self._random.choice(self._made[field])
        return all(node[OPERATIONS[node["op"]].refers] for node in self._references)

    def _delay(self, program: Program) -> None:
        powers = list(range(len(self._timed)))
        self._random.shuffle(powers)
        for (node, field), power in zip(self._timed, powers, strict=True):
            node[field] = -(1 << power) if node["op"] == "past" else 1 << power
        program["horizon"] = 1 << len(powers)

    def _is_punctual(self, program: Program) -> bool:
        """Return whether nothing in a program makes its timers late."""
        waiting = [node for run in program["runs"] for node in (*run["body"], run.get("main", {}))]
        while waiting:
            node = waiting.pop()
            if node.get("op") in ("block", "thread", "past"):
                return False
            waiting += [*node.get("body", ()), *node.get("of", ())]
        return True


def _weight(name: str, place: str) -> int:
    """Return how often an operation is chosen in a place: what tasks are for is to wait."""
    operation = OPERATIONS[name]
    return operation.weight * (WAITING if operation.where == "task" and place == "task" else 1)


def _fits(name: str, place: str) -> bool:
    where = OPERATIONS[name].where
    return where == "anywhere" or (where == "running" and place != "root") or where == place
