# SPDX-License-Identifier: MIT
"""``export``: one scenario as a script that runs without loopcheck, to be pasted into a bug report.

The scenario's function, the helpers that it uses and the imports that these use are cut out of the topic file;
``reproduction.py.in`` has the rest.  The script runs in real time, on both loops, and compares what it prints.
"""

import ast
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from . import __version__
from .interpreters import this_interpreter
from .scenarios import Scenario
from .show import find_scenario
from .targets import ORACLE_FACTORIES, Target

TEMPLATE_IMPORTS = (
    "import asyncio",
    "import functools",
    "import gc",
    "import importlib",
    "import logging",
    "import re",
    "import selectors",
    "import shutil",
    "import subprocess",
    "import sys",
    "import tempfile",
    "import time",
)


# What the script defines beside the scenario.
RESERVED = {"show_value", "Trace", "LogLines", "factory_of", "run_on", "events_by_lane"}


class ExportError(Exception):
    """A scenario that cannot be exported; the text is one sentence."""


def export_script(
    id: str, scenarios: Sequence[Scenario], target: Target, oracle: Target, path: Sequence[str] = ()
) -> str:
    """Return the script that reproduces a scenario on a target and its oracle.

    path: folders that the target's module is imported from.  Raises ShowError for an unknown id, ExportError.
    """
    scenario = find_scenario(id, scenarios)
    imports, body = cut_out(scenario)
    clashes = RESERVED & set(re.findall(r"^(?:class|def|async def) (\w+)", body, re.MULTILINE))
    if clashes:
        raise ExportError(
            f"{id} cannot be exported: it defines {min(clashes)}, which the script needs itself"
        )
    values = {
        "TITLE": scenario.title,
        "ID": scenario.id,
        "VERSION": __version__,
        "ORACLE": repr(_loop(oracle)),
        "TARGET": repr(_loop(target)),
        "NAME": target.name,
        "ORACLE_NAME": oracle.name,
        "ORACLE_PYTHON": _interpreter(oracle),
        "TARGET_PYTHON": _interpreter(target),
        "PATH": repr([str(Path(folder).resolve()) for folder in (*path, *target.path)]),
        "IMPORTS": "\n".join(sorted({*imports, *TEMPLATE_IMPORTS}, key=_import_order)),
        "SCENARIO": body,
        "DEBUG": str(scenario.debug),
        "CALL": _call(scenario),
    }
    script = (Path(__file__).parent / "reproduction.py.in").read_text()
    for name, value in values.items():
        script = script.replace(f"@{name}@", value)
    return script


def _interpreter(target: Target) -> str:
    """Return the expression for an interpreter: the script's own one if it is the driver's."""
    own = target.interpreter.path == this_interpreter().path
    return "sys.executable" if own else repr(target.interpreter.path)


def _loop(target: Target) -> str:
    """Return how the script names a loop: asyncio, asyncio-poll, asyncio-select, or MODULE:CALLABLE."""
    names = {factory: name for name, factory in ORACLE_FACTORIES.items()}
    return names.get(target.factory, target.factory)


def _import_order(line: str) -> tuple[bool, str]:
    return (line.startswith("from"), line)


def _call(scenario: Scenario) -> str:
    """Return the lines that call the scenario with the arguments it names."""
    lines = []
    if "loop" in scenario.parameters or scenario.is_async:
        lines.append("loop = new_event_loop()")
    arguments = ", ".join(f"{name}={name}" for name in scenario.parameters)
    call = f"{scenario.function}({arguments})"
    lines.append(f"loop.run_until_complete({call})" if scenario.is_async else call)
    return "\n".join(" " * 8 + line for line in lines)


def cut_out(scenario: Scenario) -> tuple[list[str], str]:
    """Return the imports that a scenario needs, and its source with the helpers it uses, decorator removed."""
    text = scenario.file.read_text()
    tree = ast.parse(text)
    needed = _needed(tree, scenario.function)
    imports, parts = [], []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports += _import_lines(node, needed)
        elif _defined(node) & needed:
            parts.append(_source(text, node))
    return imports, "\n\n\n".join(parts)


def _needed(tree: ast.Module, function: str) -> set[str]:
    """Return the module-level names that a function uses, directly or through others."""
    definitions = {name: node for node in tree.body for name in _defined(node)}
    needed: set[str] = set()
    waiting = [function]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            if name in definitions:
                waiting += _used(definitions[name])
    return needed


def _used(node: ast.AST) -> Iterable[str]:
    return [child.id for child in ast.walk(node) if isinstance(child, ast.Name) and child.id != "scenario"]


def _defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {target.id for target in targets if isinstance(target, ast.Name)}
    return set()


def _import_lines(node: ast.Import | ast.ImportFrom, needed: set[str]) -> list[str]:
    if isinstance(node, ast.ImportFrom) and node.module == "loopcheck_target":
        return []
    used = [alias for alias in node.names if (alias.asname or alias.name).split(".")[0] in needed]
    return [ast.unparse(_with_one(node, alias)) for alias in used]


def _with_one(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.stmt:
    if isinstance(node, ast.Import):
        return ast.Import(names=[alias])
    return ast.ImportFrom(module=node.module, names=[alias], level=node.level)


def _source(text: str, node: ast.stmt) -> str:
    """Return a definition's lines; of its decorators, all but ``@scenario``."""
    lines = text.splitlines()
    kept = [
        "\n".join(lines[decorator.lineno - 1 : decorator.end_lineno])
        for decorator in getattr(node, "decorator_list", [])
        if "scenario" not in ast.unparse(decorator).split("(")[0]
    ]
    return "\n".join([*kept, *lines[node.lineno - 1 : node.end_lineno]])
