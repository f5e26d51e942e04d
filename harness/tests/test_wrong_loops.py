# SPDX-License-Identifier: MIT
"""The tester tested: each deliberately wrong loop is caught, by the scenario that is meant to, in the right words.

``wrong_table.py`` says of each loop which scenario catches it, as which kind of difference, and in which words.
All of them are judged at the level ``observed``, on the driver's interpreter; those whose bug is in what came with
Python 3.12 on the newest one that is here.

The everyday run gives the right loop every scenario, and each wrong one those that the table names for the area
where it is wrong; with LOOPCHECK_TEST_FULL=1 each gets every scenario, which takes minutes.  The kill matrix
(which loop is caught how often) is printed, and kept in ``build/kill-matrix.txt``.
The loops run once, however many workers pytest has: the first that needs the results makes them, the others wait.
"""

import ast
import contextlib
import fcntl
import functools
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from loopcheck.interpreters import InterpreterError, find_interpreter
from loopcheck.results import Results, ScenarioResult, read_results
from loopcheck.vocabulary import EXITS

from .wrong_table import WRONG

TESTS = Path(__file__).resolve().parent
MATRIX = TESTS.parents[1] / "build" / "kill-matrix.txt"
MODULES = ("wrong_loops", "wrong_edges", "wrong_io", "wrong_pipes")
CONTROL = "wrong_loops:right_loop"
FULL = bool(os.environ.get("LOOPCHECK_TEST_FULL"))
TIMEOUT_S = 3
STATUSES = (
    0,
    1,
    3,
)  # 3: what is wrong enough can keep a scenario from making its loop; the tests below see to it


# ---- running them ------------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that a file stands for."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(results: Path, targets: list[str], scenarios: set[str], also: Sequence[int] = ()) -> None:
    """Run scenarios, all if none is named, on targets; the results file appears when it is complete.

    also: exit statuses that are as good as those of a run that found something.
    """
    unfinished = results.with_suffix(".part")
    command = [sys.executable, "-m", "loopcheck", "run", *targets, "--path", str(TESTS)]
    command += ["--level", "observed", "--timeout", str(TIMEOUT_S), "--results", str(unfinished)]
    command += [word for scenario in sorted(scenarios) for word in ("-k", scenario)]
    done = subprocess.run(command, cwd=results.parent, capture_output=True, text=True)
    assert done.returncode in (*STATUSES, *also), f"{done.returncode}: {done.stdout[-2000:]}{done.stderr}"
    unfinished.rename(results)


@functools.cache
def newest() -> str:
    """Return the newest interpreter here that is Python 3.12 or later; "" if there is none."""
    for name in ("python3.15", "python3.14", "python3.13", "python3.12"):
        with contextlib.suppress(InterpreterError):
            find_interpreter(name)
            return name
    return ""


def targets_of() -> dict[str, str]:
    """Return the target of each wrong loop that can be run here."""
    targets = {name: f"{name}@{newest()}" if caught.newer else name for name, caught in WRONG.items()}
    return {name: target for name, target in targets.items() if not target.endswith("@")}


def plan() -> dict[str, tuple[list[str], set[str]]]:
    """Return the runs to make: each with a name, its targets, and its scenarios (none named: all)."""
    if FULL:
        return {"all": ([CONTROL, *targets_of().values()], set())}
    runs: dict[str, tuple[list[str], set[str]]] = {"control": ([CONTROL], set())}
    for name, target in targets_of().items():
        caught = WRONG[name]
        interpreter = target[len(name) :]
        targets, scenarios = runs.setdefault(caught.area + interpreter, ([CONTROL + interpreter], set()))
        targets.append(target)
        scenarios.add(caught.scenario)
    return runs


def run_all(folder: Path) -> list[Results]:
    """Return the results of all loops, from files in folder; make those that are not there yet."""
    files = []
    for name, (targets, scenarios) in plan().items():
        files.append(folder / f"{name}.jsonl")
        if not files[-1].exists():
            run(files[-1], targets, scenarios)
    return [read_results(file) for file in files]


ByTarget = dict[str, dict[str, ScenarioResult]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> ByTarget:
    """The results of every loop, by scenario."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with locked(folder / "wrong-loops.lock"):
        (folder / "wrong-loops").mkdir(exist_ok=True)
        found: ByTarget = {}
        for one in run_all(folder / "wrong-loops"):
            loop_of = {target["name"]: target["text"].partition("@")[0] for target in one.header["targets"]}
            for result in one.scenarios:
                found.setdefault(loop_of[result.target_name], {})[result.id] = result
        for name, target in targets_of().items():
            scenario = WRONG[name].scenario
            if found[name][scenario].record["reason"] == "noisy":
                found[name][scenario] = alone(target, scenario, folder / "wrong-loops")
    return found


def alone(target: str, scenario: str, folder: Path) -> ScenarioResult:
    """Return the result of a scenario that a busy machine left without a verdict: of a run of its own."""
    file = folder / f"alone-{target.replace(':', '-')}.jsonl"
    if not file.exists():
        run(file, [target], {scenario}, also=[EXITS["inconclusive"].status])
    return next(result for result in read_results(file).scenarios if result.id == scenario)


def kind_of(result: ScenarioResult) -> str:
    """Return the kind of the first difference, or the verdict where there is none."""
    differences = result.record["differences"]
    return str(differences[0]["kind"]) if differences else result.verdict


def kills(results: dict[str, ScenarioResult]) -> list[ScenarioResult]:
    """Return the results that tell a loop from asyncio by more than the text of a message."""
    bad = [result for result in results.values() if result.verdict in ("differ", "hang", "crash")]
    return [result for result in bad if kind_of(result) != "wording"]


# ---- the tests ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRONG)
def test_wrong_loop_is_caught_by_its_scenario_with_the_right_sentence(results: ByTarget, name: str) -> None:
    if name not in results:
        pytest.skip("not run: it needs Python 3.12 or later")
    caught = WRONG[name]
    result = results[name][caught.scenario]
    if result.record["reason"] == "noisy":
        pytest.skip(f"not run: {result.record['sentence']}")
    expected_verdict = "hang" if caught.kind == "hang" else "differ"
    assert (result.verdict, kind_of(result)) == (expected_verdict, caught.kind), result.record["sentence"]
    assert caught.words in result.record["sentence"]


def test_right_loop_shows_no_difference(results: ByTarget) -> None:
    verdicts = {id: result.verdict for id, result in results[CONTROL].items()}
    assert {id: v for id, v in verdicts.items() if v not in ("agree", "skipped")} == {}
    assert list(verdicts.values()).count("agree") > len(verdicts) * 0.8


def test_every_wrong_loop_is_in_the_table() -> None:
    loops = {
        f"{module}:{node.name}"
        for module in MODULES
        for node in ast.parse((TESTS / f"{module}.py").read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }
    assert loops == set(WRONG)


def test_every_wrong_loop_says_its_bug_in_one_sentence() -> None:
    for module in MODULES:
        for node in ast.parse((TESTS / f"{module}.py").read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                text = ast.get_docstring(node) or ""
                assert text.endswith(".") and text.count(". ") == 0, node.name


def test_kill_matrix_is_printed(results: ByTarget, capsys: pytest.CaptureFixture[str]) -> None:
    text = kill_matrix(results)
    MATRIX.parent.mkdir(exist_ok=True)
    MATRIX.write_text(text, encoding="utf-8")
    with capsys.disabled():
        print(f"\n\n{text}")
    assert text.count("\n    ") == len(targets_of())


def kill_matrix(results: ByTarget) -> str:
    """Return the table: each wrong loop, how many scenarios catch it, the one that must, and what it says."""
    lines = [f"{'wrong loop':46} {'caught by':>11}  scenario that must catch it (kind, level)"]
    for name in targets_of():
        caught, own = WRONG[name], results[name]
        ran = sum(result.verdict != "skipped" for result in own.values())
        named = own[caught.scenario]
        count = f"{len(kills(own))} of {ran}"
        about = f"{caught.scenario} ({kind_of(named)}, {named.record['level']})"
        lines += [f"{name:46} {count:>11}  {about}", f"    {named.record['sentence']}"]
    return "\n".join(lines) + "\n"
