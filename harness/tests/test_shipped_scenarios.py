# SPDX-License-Identifier: MIT
"""The shipped scenarios keep the rules of ``conformance/README.md``, as far as a program can see it.

The last test runs those that call ``trace(name, *values)`` and nothing more with ``print`` in its place, on
asyncio without the harness, each in a process of its own.
"""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopcheck.export import cut_out
from loopcheck.resources import scenarios_folder, statements_folder, target_folder
from loopcheck.scenarios import Scenario, holds_for, load_scenarios
from loopcheck.spec import load_statements

FOLDER = scenarios_folder()
STATEMENTS = load_statements(statements_folder())
SHIPPED, PROBLEMS = load_scenarios(FOLDER, STATEMENTS)
FILES = sorted(FOLDER.glob("*/*.py"))
TREES = {file: ast.parse(file.read_text(encoding="utf-8")) for file in FILES}
NAMES = [f"{file.parent.name}/{file.name}" for file in FILES]

# Who blocks, and why it is no sleep as evidence.
BLOCKING = {
    "callbacks/iterations.py:timers_become_due": "time must pass without an iteration",
    "debug/slow_callbacks.py:busy": "being slow is what debug mode reports",
    "threads/call_soon_threadsafe.py:threadsafe_call_wakes_an_idle_loop": "in another thread",
    "timers/accuracy.py:busy_callback_makes_timers_late": "time must pass inside an iteration",
    "timers/accuracy.py:delay_counts_from_the_call": "time must pass inside an iteration",
    "timers/call_later.py:timer_outlives_the_run": "time must pass between two runs",
    "timers/cancelling.py:due_timer_is_cancelled_by_what_runs_before_it": "timers must become due together",
    "timers/clock.py:time_passes_while_a_callback_runs": "the clock must go on inside a callback",
}

every_file = pytest.mark.parametrize("file", FILES, ids=NAMES)


def nodes(file: Path, kind: type[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes of one kind in a file."""
    return (node for node in ast.walk(TREES[file]) if isinstance(node, kind))


def test_nothing_is_wrong_with_any_of_them() -> None:
    assert [str(problem) for problem in PROBLEMS] == []
    assert len(SHIPPED) >= 120


def test_ids_are_unique_and_well_formed() -> None:
    ids = [scenario.id for scenario in SHIPPED]
    assert len(set(ids)) == len(ids)
    assert [id for id in ids if not re.fullmatch(r"[a-z]+/[a-z][a-z0-9_]+", id)] == []


def test_every_decorated_function_is_found() -> None:
    decorated = [
        node.name
        for file in FILES
        for node in ast.walk(TREES[file])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and any("scenario" in ast.unparse(decorator).split("(")[0] for decorator in node.decorator_list)
    ]
    assert sorted(decorated) == sorted(scenario.function for scenario in SHIPPED)


@pytest.mark.parametrize("scenario", SHIPPED, ids=lambda scenario: scenario.id)
def test_title_is_one_paragraph_that_ends_in_a_full_stop(scenario: Scenario) -> None:
    assert scenario.title[0].isalnum() or scenario.title[0] in "_“"
    assert scenario.title.endswith(".")
    assert len(scenario.title) <= 160


@every_file
def test_file_imports_the_standard_library_and_the_decorator_at_its_top(file: Path) -> None:
    imported = [n.name for node in nodes(file, ast.Import) for n in getattr(node, "names", [])]
    imported += [str(getattr(node, "module", "")) for node in nodes(file, ast.ImportFrom)]
    modules = {name.split(".")[0] for name in imported}
    assert modules - {"loopcheck_target"} <= set(sys.stdlib_module_names)
    assert [ast.unparse(n) for n in nodes(file, ast.ImportFrom) if "loopcheck" in ast.unparse(n)] == [
        "from loopcheck_target import scenario"
    ]
    inside = [node for kind in (ast.Import, ast.ImportFrom) for node in nodes(file, kind)]
    assert [ast.unparse(node) for node in inside if node not in TREES[file].body] == []


@every_file
def test_file_uses_no_private_attribute_and_no_mock(file: Path) -> None:
    names = [node.attr for node in nodes(file, ast.Attribute) if isinstance(node, ast.Attribute)]
    for node in nodes(file, ast.Call):
        assert isinstance(node, ast.Call)
        if ast.unparse(node.func) in ("getattr", "setattr", "hasattr", "delattr") and len(node.args) > 1:
            names += [
                str(argument.value) for argument in node.args[1:2] if isinstance(argument, ast.Constant)
            ]
    names += [n.name for node in nodes(file, ast.ImportFrom) for n in getattr(node, "names", [])]
    assert [name for name in names if name.startswith("_") and not re.fullmatch("__[a-z]+__", name)] == []
    assert "mock" not in file.read_text(encoding="utf-8").lower()


def test_only_what_is_about_blocking_blocks() -> None:
    places = {
        f"{name}:{getattr(node, 'name', '')}"
        for name, file in zip(NAMES, FILES, strict=True)
        for node in TREES[file].body
        if any(ast.unparse(n) == "time.sleep" for n in ast.walk(node) if isinstance(n, ast.Attribute))
    }
    assert places == set(BLOCKING)


@every_file
def test_sleep_is_called_by_its_full_name(file: Path) -> None:
    assert not re.search(r"from time import|import time as", file.read_text(encoding="utf-8"))


# ---- trace = print -------------------------------------------------------------------------------------------

RUNNER = """
import asyncio, importlib.util, inspect, json, os, shutil, sys, tempfile

AT_A_TIME = 8

def run_one(module, name, debug):
    file = os.path.join(os.environ["SCENARIOS"], module + ".py")
    spec = importlib.util.spec_from_file_location("scenarios." + module, file)  # an area may be called as a module
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    function = getattr(loaded, name)
    tmp = tempfile.mkdtemp()
    loops = []

    def new_event_loop():
        loops.append(asyncio.SelectorEventLoop())
        loops[-1].set_debug(debug)
        return loops[-1]

    make = {"loop": new_event_loop, "new_event_loop": lambda: new_event_loop,
            "trace": lambda: print, "T": lambda: 0.02, "tmp": lambda: tmp}
    values = {name: make[name]() for name in inspect.signature(function).parameters}
    if inspect.iscoroutinefunction(function):
        (values.get("loop") or new_event_loop()).run_until_complete(function(**values))
    else:
        function(**values)
    shutil.rmtree(tmp)

def child(id, module, name, debug):
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    status = 1
    try:
        run_one(module, name, debug)
        sys.stdout.flush()
        status = 0
    except BaseException as exc:
        os.write(2, ("%s: %r\\n" % (id, exc)).encode())
    os._exit(status)

waiting = json.load(sys.stdin)
running, failed = {}, []
while waiting or running:
    while waiting and len(running) < AT_A_TIME:
        job = waiting.pop()
        running[child(*job)] = job[0]
    pid, status = os.wait()
    if pid in running:
        id = running.pop(pid)
        if status:
            failed.append([id, status])
print(json.dumps(failed))
"""


def takes_print(scenario: Scenario) -> bool:
    """Return whether a scenario, helpers included, calls ``trace(name, *values)`` and nothing more."""
    _, source = cut_out(scenario)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in ("actor", "unordered", "barrier"):
            return False
        if isinstance(node, ast.keyword) and node.arg == "due":
            return False
    return True


def test_print_stands_in_for_trace() -> None:
    version = sys.version.split()[0]
    simple = [s for s in SHIPPED if takes_print(s) and holds_for(s, version)]
    assert len(simple) > len(SHIPPED) / 2
    jobs = [[s.id, s.module, s.function, s.debug] for s in simple]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUNNER],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        check=False,
        env={
            "PYTHONPATH": str(target_folder()),
            "SCENARIOS": str(FOLDER),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [], done.stderr
