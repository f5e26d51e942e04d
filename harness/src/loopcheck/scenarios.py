# SPDX-License-Identifier: MIT
"""Finding scenarios and reading what they say about themselves, without importing them.

The driver may run on another Python than the targets, so it reads scenario files as text: the decorator's
arguments are literals, the docstring is the title, the source is what ``show`` and ``export`` print.  Everything
that is wrong with a file is found here, before a process is started, and costs that file only.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .spec import Statement, holds_between, intersect, weakest_level

PARAMETERS = ("loop", "new_event_loop", "trace", "T", "tmp")
REQUIREMENTS = ("real-clock", "ipv6", "root", "asyncio-futures")
KEYWORDS = {
    "statements": list,
    "basis": str,
    "requires": list,
    "needs": list,
    "tags": list,
    "debug": bool,
    "since": str,
    "until": str,
}


@dataclass(frozen=True)
class Scenario:
    """One scenario as its file describes it.

    since and until: the Python versions for which the script and all its statements hold, inclusive and
    exclusive, None without bound.  contradicted: releases of CPython that contradict one of the statements.
    level: the weakest of its statements' levels.  needs: scenarios without whose agreement this one says nothing.
    """

    id: str
    title: str
    file: Path
    line: int
    last_line: int
    module: str
    function: str
    parameters: tuple[str, ...]
    is_async: bool
    statements: tuple[str, ...]
    basis: str
    requires: tuple[str, ...]
    tags: tuple[str, ...]
    debug: bool
    level: str
    since: str | None
    until: str | None
    contradicted: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def habits_count(self) -> bool:
        """Whether what every loop of a target leaves behind counts in this scenario."""
        return "habits" in self.tags

    @property
    def area(self) -> str:
        """The first part of the id."""
        return self.id.split("/", 1)[0]

    @property
    def source(self) -> str:
        """The scenario's own lines, decorator included."""
        lines = self.file.read_text(encoding="utf-8").split("\n")
        return "\n".join(lines[self.line - 1 : self.last_line])


@dataclass(frozen=True)
class Problem:
    """What is wrong with a scenario file, as one sentence."""

    file: Path
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}"


def load_scenarios(folder: Path, statements: Mapping[str, Statement]) -> tuple[list[Scenario], list[Problem]]:
    """Return the scenarios below folder, in the order of their files, and what is wrong with the others."""
    scenarios: list[Scenario] = []
    problems: list[Problem] = []
    seen: dict[str, Scenario] = {}
    for file in sorted(folder.glob("*/*.py")):
        for found in _read_file(folder, file, statements):
            if isinstance(found, Problem):
                problems.append(found)
            elif found.id in seen:
                where = seen[found.id].file
                problems.append(Problem(file, found.line, f"{found.id} is already defined in {where}"))
            else:
                seen[found.id] = found
                scenarios.append(found)
    unmet = [(s, need) for s in scenarios for need in s.needs if need not in seen or seen[need].needs]
    problems += [Problem(s.file, s.line, _unmet(s, need, need in seen)) for s, need in unmet]
    wrong = {s.id for s, _ in unmet}
    return [scenario for scenario in scenarios if scenario.id not in wrong], problems


def _unmet(scenario: Scenario, need: str, exists: bool) -> str:
    if exists:
        return f"{scenario.function}: needs {need}, which has needs itself; name those instead"
    return f"{scenario.function}: needs {need!r}, which is no scenario"


def _read_file(folder: Path, file: Path, statements: Mapping[str, Statement]) -> list[Scenario | Problem]:
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    except (SyntaxError, ValueError, OSError) as exc:  # ValueError: no UTF-8, or a null byte
        line = getattr(exc, "lineno", None) or 1
        return [Problem(file, line, f"cannot be read: {exc.__class__.__name__}: {getattr(exc, 'msg', exc)}")]
    module = str(file.relative_to(folder).with_suffix(""))
    found: list[Scenario | Problem] = []
    try:
        needs = _needs_of_the_file(tree)
    except ValueError as exc:
        return [Problem(file, 1, str(exc))]
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        decorator = _decorator(node)
        if decorator is not None:
            try:
                _check_place(node, decorator, tree)
                scenario = _scenario(node, decorator, file, module, statements)
                more = tuple(need for need in needs if need != scenario.id and need not in scenario.needs)
                found.append(replace(scenario, needs=scenario.needs + more))
            except ValueError as exc:
                found.append(Problem(file, node.lineno, f"{node.name}: {exc}"))
    return sorted(found, key=lambda each: each.line)


def _needs_of_the_file(tree: ast.Module) -> list[str]:
    """Return what ``NEEDS = [...]`` at the top level of a file says of each scenario in it."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and [getattr(to, "id", "") for to in node.targets] == ["NEEDS"]:
            try:
                needs = ast.literal_eval(node.value)
            except ValueError:
                needs = None
            if not isinstance(needs, list) or not all(isinstance(need, str) for need in needs):
                raise ValueError(
                    "NEEDS must be a literal list of scenarios' ids: the file is read, not imported"
                )
            return needs
    return []


def _decorator(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    for decorator in node.decorator_list:
        function = decorator.func if isinstance(decorator, ast.Call) else decorator
        if "scenario" in (getattr(function, "id", None), getattr(function, "attr", None)):
            return decorator
    return None


def _check_place(node: ast.FunctionDef | ast.AsyncFunctionDef, decorator: ast.expr, tree: ast.Module) -> None:
    """Raise ValueError for a scenario that would not be found when its file is run."""
    if node not in tree.body:
        raise ValueError(
            "stands inside something else; a scenario is a function at the top level of its file"
        )
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    if not isinstance(function, ast.Name):
        raise ValueError(
            "is decorated by an attribute; write “from loopcheck_target import scenario” and “@scenario(...)”"
        )


def _scenario(
    node: ast.FunctionDef | ast.AsyncFunctionDef,
    decorator: ast.expr,
    file: Path,
    module: str,
    statements: Mapping[str, Statement],
) -> Scenario:
    arguments = _decorator_arguments(decorator)
    cited = _cited(arguments, statements)
    since, until = intersect(cited)
    title = (ast.get_docstring(node) or "").strip()
    if not title:
        raise ValueError("has no docstring; its first sentence says what should be seen")
    parameters = tuple(argument.arg for argument in node.args.args)
    _check_names("parameter", parameters, PARAMETERS)
    _check_names("requirement", arguments["requires"], REQUIREMENTS)
    return Scenario(
        id=f"{module.split('/', maxsplit=1)[0]}/{node.name}",
        title=" ".join(title.split("\n\n")[0].split()),
        file=file,
        line=min(decorator.lineno for decorator in node.decorator_list),
        last_line=node.end_lineno or node.lineno,
        module=module,
        function=node.name,
        parameters=parameters,
        is_async=isinstance(node, ast.AsyncFunctionDef),
        statements=tuple(arguments["statements"]),
        basis=arguments["basis"],
        requires=tuple(arguments["requires"]),
        tags=tuple(arguments["tags"]),
        debug=arguments["debug"],
        level=weakest_level([s.level for s in cited] + (["observed"] if arguments["basis"] else [])),
        since=_later(since, arguments["since"]),
        until=_earlier(until, arguments["until"]),
        contradicted=tuple(sorted({release for statement in cited for release in statement.contradicted})),
        needs=tuple(arguments["needs"]),
    )


def _decorator_arguments(decorator: ast.expr) -> dict[str, Any]:
    if not isinstance(decorator, ast.Call) or decorator.args:
        raise ValueError("@scenario takes keyword arguments: statements=[...] or basis='observed: ...'")
    values: dict[str, Any] = {name: kind() for name, kind in KEYWORDS.items()}
    for keyword in decorator.keywords:
        if keyword.arg not in KEYWORDS:
            raise ValueError(f"@scenario has no argument {keyword.arg!r}; it has {', '.join(KEYWORDS)}")
        try:
            value = ast.literal_eval(keyword.value)
        except (ValueError, TypeError):
            raise ValueError(f"{keyword.arg}= must be a literal: the file is read, not imported") from None
        if not isinstance(value, KEYWORDS[keyword.arg]):
            raise ValueError(f"{keyword.arg}= must be a {KEYWORDS[keyword.arg].__name__}")
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise ValueError(f"{keyword.arg}= must be a list of texts")
        if keyword.arg in ("since", "until") and not re.fullmatch(r"\d+\.\d+", str(value)):
            raise ValueError(f"{keyword.arg}= must be a version such as '3.12', not {value!r}")
        values[keyword.arg] = value
    return values


def _cited(arguments: Mapping[str, Any], statements: Mapping[str, Statement]) -> list[Statement]:
    if not arguments["statements"] and not arguments["basis"]:
        raise ValueError("cites no statement and gives no basis='observed: ...'")
    if arguments["basis"] and not arguments["basis"].startswith("observed: "):
        raise ValueError("basis= must begin with 'observed: '")
    unknown = [id for id in arguments["statements"] if id not in statements]
    if unknown:
        raise ValueError(f"cites {unknown[0]!r}, which is no statement in spec/statements")
    return [statements[id] for id in arguments["statements"]]


def _check_names(what: str, names: tuple[str, ...] | list[str], allowed: tuple[str, ...]) -> None:
    for name in names:
        if name not in allowed:
            raise ValueError(f"has the {what} {name!r}; there is {', '.join(allowed)}")


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _later(*versions: str | None) -> str | None:
    return max((v for v in versions if v), key=_key, default=None)


def _earlier(*versions: str | None) -> str | None:
    return min((v for v in versions if v), key=_key, default=None)


def holds_for(scenario: Scenario, python: str) -> bool:
    """Return whether a scenario holds for a version of Python such as "3.12.1", also for one not yet released."""
    release = re.match(r"\d+\.\d+(\.\d+)?", python)
    assert release is not None, python
    return holds_between(scenario.since, scenario.until, release[0])
