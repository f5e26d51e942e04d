# SPDX-License-Identifier: MIT
"""Exported scripts: they stand alone, show on asyncio what the harness saw, and tell loops apart as it does.

What a script compares is what it prints.  So it cannot show what is not printed: something left behind, a timer
that is late or slow, a warning, an unraisable exception; a difference of these kinds alone is not expected of it.
It runs in real time, so a burdened machine may reorder what it prints: it has three tries.

Every script is compiled.  The everyday run executes every fifth; LOOPCHECK_TEST_FULL=1 executes all.
"""

import ast
import importlib.util
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loopcheck.export import RESERVED, ExportError, export_script
from loopcheck.resources import scenarios_folder, statements_folder
from loopcheck.results import ScenarioResult, read_results
from loopcheck.scenarios import Scenario, holds_for, load_scenarios
from loopcheck.show import ShowError
from loopcheck.spec import load_statements
from loopcheck.targets import Target, oracle_for, parse_target

from .building import target

FULL = bool(os.environ.get("LOOPCHECK_TEST_FULL"))
STEP = 1 if FULL else 5
TRIES = 3
AT_A_TIME = 4
NOT_PRINTED = ("leak", "late", "slow")
SHIPPED, _ = load_scenarios(scenarios_folder(), load_statements(statements_folder()))
HERE = [scenario for scenario in SHIPPED if holds_for(scenario, sys.version.split()[0])][::STEP]

HEAD = '"""A topic."""\nimport os, socket\nfrom functools import partial, wraps\n\n'


def scenario_of(folder: Path, text: str) -> list[Scenario]:
    """Return the scenarios of a topic file, of which one is called ``one``."""
    file = folder / "area/topic.py"
    file.parent.mkdir()
    file.write_text(
        f'{HEAD}{text}\n\n@scenario(basis="observed: why")\ndef one(loop, trace):\n    """Seen."""\n    use()\n'
    )
    scenarios, problems = load_scenarios(folder, {})
    assert problems == []
    return scenarios


def exported(id: str, scenarios: list[Scenario], loop: Target, path: Iterable[str] = ()) -> str:
    """Return the script that compares a loop with its oracle."""
    return export_script(id, scenarios, loop, oracle=oracle_for(loop), path=list(path))


def run(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script without anything of ours around it."""
    command = [sys.executable, "-I", "-X", "utf8", str(file), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=file.parent)


# ---- what is cut out -----------------------------------------------------------------------------------------


def test_script_has_the_helpers_that_are_used_and_no_others(tmp_path: Path) -> None:
    text = """
LIMIT: int = 3
UNUSED = 4


def deep():
    return LIMIT


@partial(
    wraps,
)
def use():
    return deep() + os.getpid()


def unused():
    return socket
"""
    script = exported("area/one", scenario_of(tmp_path, text), target())
    for wanted in ("LIMIT: int = 3", "def deep():", "@partial(\n    wraps,\n)\ndef use():", "import os\n"):
        assert wanted in script
    for unwanted in ("UNUSED", "unused", "import socket", "@scenario", "basis="):
        assert unwanted not in script
    compile(script, "script", "exec")


@pytest.mark.parametrize("name", sorted(RESERVED))
@pytest.mark.parametrize("definition", ["def {}(): pass", "class {}: pass", "async def {}(): pass"])
def test_name_that_the_script_needs_itself_is_refused(tmp_path: Path, name: str, definition: str) -> None:
    scenarios = scenario_of(tmp_path, f"{definition.format(name)}\n\n\ndef use():\n    {name}()\n")
    with pytest.raises(ExportError, match=f"area/one cannot be exported: it defines {name}"):
        exported("area/one", scenarios, target())


def test_unknown_id_is_refused_with_the_nearest_there_is() -> None:
    with pytest.raises(ShowError, match="did you mean running/stop_finishes_the_batch"):
        exported("running/stop_finishes_a_batch", SHIPPED, target())


def test_script_names_both_loops_and_where_they_come_from(tmp_path: Path) -> None:
    scenarios = scenario_of(tmp_path, "def use(): pass")
    there = target("t:new@/opt/python", "t:new", "t@python")
    script = exported("area/one", scenarios, there, [str(tmp_path)])
    assert "ORACLE, ORACLE_PYTHON = 'asyncio', '/somewhere/python3.12'" in script
    assert "TARGET, TARGET_PYTHON = 't:new', '/somewhere/python3.12'" in script
    assert f"TARGET_PATH = {[str(tmp_path)]!r}" in script
    assert "Compares t@python with asyncio." in script
    script = exported("area/one", scenarios, parse_target("asyncio-poll"))
    assert "TARGET, TARGET_PYTHON = 'asyncio-poll', sys.executable" in script


@pytest.mark.parametrize("loop", ["asyncio", "asyncio-poll", "asyncio-select", "asyncio:SelectorEventLoop"])
def test_script_runs_every_asyncio_and_a_callable(tmp_path: Path, loop: str) -> None:
    file = script_for("callbacks/call_soon_runs_in_order", tmp_path, "asyncio")
    done = run(file, loop)
    assert (done.returncode, done.stdout, done.stderr) == (0, "main\tfirst\nmain\tsecond\nmain\tthird\n", "")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scenario", SHIPPED, ids=lambda scenario: scenario.id)
def test_shipped_scenario_becomes_a_script_of_its_own(scenario: Scenario) -> None:
    script = exported(scenario.id, SHIPPED, target())
    assert not re.search(r"@[A-Z]+@", script)
    tree = ast.parse(script)
    compile(tree, scenario.id, "exec")
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert imported <= set(sys.stdlib_module_names)
    assert ast.get_docstring(tree, clean=False)
    assert scenario.title in script and scenario.id in script


# ---- what they do --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ScenarioResult]:
    """What the harness finds out about uvloop, or about nothing but asyncio where there is no uvloop."""
    file = tmp_path_factory.mktemp("export") / "results.jsonl"
    has_uvloop = importlib.util.find_spec("uvloop") is not None
    targets = ["uvloop:new_event_loop"] if has_uvloop else ["asyncio", "--oracle", "asyncio"]
    selection = [word for scenario in HERE for word in ("-k", scenario.id)]
    command = [sys.executable, "-m", "loopcheck", "run", *targets, *selection, "--results", str(file)]
    subprocess.run(command, capture_output=True, check=False)
    found = {result.id: result for result in read_results(file).scenarios}
    return {scenario.id: found[scenario.id] for scenario in HERE if found[scenario.id].oracle}


def failures(judge: Callable[[str], str], ids: Iterable[str]) -> dict[str, str]:
    """Return what judge says against scripts; it has TRIES tries for each."""

    def tried(id: str) -> str:
        said = ""
        for _ in range(TRIES):
            said = judge(id)
            if not said:
                break
        return said

    ids = list(ids)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return {id: said for id, said in zip(ids, pool.map(tried, ids), strict=True) if said}


def script_for(id: str, folder: Path, loop: str) -> Path:
    """Write the script of a scenario and return its path."""
    file = folder / f"{id.replace('/', '_')}.py"
    file.write_text(exported(id, SHIPPED, parse_target(loop)), encoding="utf-8")
    return file


def events_printed(output: str) -> Counter[tuple[str, str]]:
    """Return the events that a script prints, as (actor, text)."""
    pairs = [line.partition("\t")[::2] for line in output.splitlines()]
    return Counter((lane.partition(", any order")[0], text) for lane, text in pairs if lane != "log")


def difference_on_asyncio(result: ScenarioResult, output: str) -> str:
    """Say where a script prints other events than the harness recorded; "" if it does not."""
    left = events_printed(output)
    for event in sorted(
        result.oracle[0].events, key=lambda event: -len(event.name)
    ):  # “body begins” before “body”
        if event.kind == "user":
            match = next(
                (p for p in left if p[0] == event.actor and f"{p[1]} ".startswith(f"{event.name} ")), None
            )
            if match is None:
                return f"{event.actor}: {event.name} is not printed in {output!r}"
            left -= Counter([match])
    return f"{left} is printed, and no event of the harness" if left else ""


def test_script_shows_on_asyncio_what_the_harness_saw(
    results: dict[str, ScenarioResult], tmp_path: Path
) -> None:
    def judge(id: str) -> str:
        done = run(script_for(id, tmp_path, "asyncio"), "asyncio")
        return done.stderr if done.returncode else difference_on_asyncio(results[id], done.stdout)

    assert len(results) > len(HERE) * 0.8
    assert failures(judge, results) == {}


def is_printed(result: ScenarioResult) -> bool:
    """Return whether a script can show one of the differences, or that the loop has crashed."""
    return result.verdict == "crash" or any(
        difference["kind"] not in NOT_PRINTED
        and "has the warning" not in difference["sentence"]
        and "have the warning" not in difference["sentence"]
        and "unraisable exception" not in difference["sentence"]
        for difference in result.record["differences"]
    )


def test_script_finds_uvloop_different_exactly_where_the_harness_does(
    results: dict[str, ScenarioResult], tmp_path: Path
) -> None:
    if importlib.util.find_spec("uvloop") is None:
        pytest.skip("not run: uvloop is not installed")
    expected = {id: 1 if is_printed(result) else 0 for id, result in results.items()}

    def judge(id: str) -> str:
        """A script has the real clock only, and a busy machine can part its timers: what lasts is believed."""
        script = script_for(id, tmp_path, "uvloop:new_event_loop")
        for _ in range(5):
            done = run(script)
            if done.returncode == expected[id]:
                return ""
        return f"exit status {done.returncode}\n{done.stdout}{done.stderr}"

    assert set(expected.values()) == {0, 1}
    assert failures(judge, results) == {}
