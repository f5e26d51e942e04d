# SPDX-License-Identifier: MIT
"""The pytest plugin in somebody's project: beside other tests, with a baseline, ended early.

pytest runs in a process of its own (conftest.py: ``project``, which also waits for the end of what that started).
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from loopcheck import pytest_plugin
from loopcheck.judge_client import JudgeClient, JudgeError, Request
from loopcheck.results import read_results
from loopcheck.vocabulary import VERDICTS

from .conftest import wait_until
from .pytest_words import INNOCENT, OURS, SUITE, TESTS, Run, loops

pytest_plugins = ["pytester"]

DOCUMENTATION = TESTS.parents[1] / "docs" / "pytest.md"
PATIENCE_S = 120.0  # for what is sure to happen


# ---- in somebody's project -------------------------------------------------------------------------------


def test_a_project_that_does_not_ask_for_it_has_nothing_of_it_but_the_options(
    run_pytest: Run, project: Path
) -> None:
    (project / "test_own.py").write_text(
        "import sys\n"
        "def test_imports(request):\n"
        "    ours = sorted(name for name in sys.modules if name.partition('.')[0] == 'loopcheck')\n"
        "    assert ours == ['loopcheck', 'loopcheck.pytest_plugin']\n"
        "    assert not {'rich', 'jsonschema', 'tomlkit'} & set(sys.modules)\n"
        "    assert not request.config.pluginmanager.has_plugin('loopcheck-run')\n"
    )
    result = run_pytest("-W", "error")
    result.assert_outcomes(passed=1)
    assert "loopcheck:" not in result.stdout.str()


def test_a_project_runs_its_own_tests_and_the_suite_by_the_recipe_of_the_documentation(
    run_pytest: Run, project: Path
) -> None:
    (project / "tests").mkdir()
    (project / "tests" / "test_own.py").write_text("def test_passes(): pass\n")
    options = json.dumps(["--pyargs", f"--loop={INNOCENT}", *OURS, "--deselect=loopcheck/broken"])
    (project / "pyproject.toml").write_text(
        f'[tool.pytest.ini_options]\ntestpaths = ["tests", "loopcheck"]\naddopts = {options}\n'
    )
    run_pytest().assert_outcomes(passed=4, deselected=8)
    run_pytest("tests").assert_outcomes(passed=1)
    run_pytest("loopcheck/innocent").assert_outcomes(passed=1)


def test_marks_of_a_project_skip_scenarios_and_leave_the_results_whole(
    run_pytest: Run, project: Path
) -> None:
    (project / "conftest.py").write_text(
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        "    for item in items:\n"
        "        if item.nodeid.startswith('loopcheck/innocent'):\n"
        "            item.add_marker(pytest.mark.skip(reason='not here'))\n"
    )
    words = [*SUITE, *OURS, "--loop", INNOCENT, "--deselect=loopcheck/broken", "--loop-results=results.jsonl"]
    run_pytest(*words).assert_outcomes(passed=2, skipped=1, deselected=8)
    footer = read_results(project / "results.jsonl").footer
    assert footer == {"record": "footer", "counts": {"agree": 2}, "exit": 0, "interrupted": False}


def test_what_a_project_does_to_its_own_interpreter_does_not_reach_the_suite(
    run_pytest: Run, project: Path
) -> None:
    (project / "conftest.py").write_text(
        "import asyncio, pytest\n"
        "asyncio.new_event_loop = asyncio.run = asyncio.create_subprocess_exec = None\n"
        "@pytest.fixture(autouse=True)\n"
        "def never():\n"
        "    raise AssertionError\n"
    )
    (project / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\nxfail_strict = true\n")
    words = [*SUITE, *OURS, "--loop", INNOCENT, "--loop-area", "trouble"]
    run_pytest(*words).assert_outcomes(passed=2)
    run_pytest(*words, "-n", "2").assert_outcomes(passed=2)


def test_the_documentation_has_every_option_and_every_verdict() -> None:
    page = DOCUMENTATION.read_text()
    options = re.findall(r'"(--loop[a-z-]*)"', Path(pytest_plugin.__file__).read_text())
    assert [option for option in options if f"| `{option} " not in page] == []
    table = page.partition("| verdict | in pytest |")[2]
    words = {
        word.strip() for row in table.splitlines() for word in row.strip("| ").split(" | ")[0].split(",")
    }
    assert set(VERDICTS) <= words


# ---- ending early ----------------------------------------------------------------------------------------


BLOCKS = """
import asyncio, os, pathlib

class Blocks(asyncio.SelectorEventLoop):
    def create_future(self):
        pathlib.Path({reached!r}).touch()
        return os.read(os.pipe()[0], 1)
"""


@pytest.mark.parametrize("more", [[], ["-n", "2"]])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_whatever_ends_pytest_leaves_no_process(
    project: Path, pytester: pytest.Pytester, number: signal.Signals, more: list[str]
) -> None:
    """The project fixture waits for the end of every process."""
    (project / "blocking.py").write_text(BLOCKS.format(reached=str(project / "reached")))
    words = ["--loop=blocking:Blocks", "--loop-path=.", "--loop-timeout=600", "--loop-results=results.jsonl"]
    out = project / "out.txt"
    with out.open("wb") as output:
        process = pytester.popen(
            [sys.executable, "-m", "pytest", *SUITE, *OURS, *words, "-k", "innocent or future", *more],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until((project / "reached").exists, "a scenario that blocks")
        os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
        process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    if number == signal.SIGINT:
        assert process.returncode == pytest.ExitCode.INTERRUPTED, out.read_text()
        assert "INTERNALERROR" not in out.read_text()
        footer = read_results(project / "results.jsonl").footer
        assert footer is not None and footer["interrupted"]


# ---- baselines -------------------------------------------------------------------------------------------


def test_known_differences_are_expected_failures_and_others_are_not(run_pytest: Run, project: Path) -> None:
    words = [*SUITE, *OURS, *loops("Raises"), "-k", "future_is_made or innocent", "-rx"]
    run_pytest(*words, "--loop-results", "results.jsonl")
    result = next(r for r in read_results(project / "results.jsonl").scenarios if r.verdict == "differ")
    entry: dict[str, Any] = {
        "scenario": result.id,
        "target": "failing_loops",
        "signature": result.record["signature"],
        "reason": "futures are for tomorrow",
    }
    write_baseline(project, entry)
    known = run_pytest(*words, "--loop-baseline", "known.toml")
    known.assert_outcomes(passed=1, xfailed=1)
    assert known.ret == pytest.ExitCode.OK
    known.stdout.fnmatch_lines(["XFAIL*futures are for tomorrow*"])
    run_pytest(*words, "--loop-baseline", "known.toml", "--runxfail").assert_outcomes(passed=1, failed=1)
    write_baseline(project, {**entry, "signature": "order:missing:nothing"})
    run_pytest(*words, "--loop-baseline", "known.toml").assert_outcomes(passed=1, failed=1)


def test_an_entry_that_is_no_longer_so_fails(run_pytest: Run, project: Path) -> None:
    entry = {"target": "failing_loops", "signature": "order:missing:after", "reason": "it was so"}
    words = [*SUITE, *OURS, "--loop", INNOCENT, "--loop-baseline", "known.toml"]
    write_baseline(project, {**entry, "scenario": "trouble/future_is_made"})
    fixed = run_pytest(*words, "-k", "future_is_made")
    fixed.assert_outcomes(failed=1)
    fixed.stdout.fnmatch_lines(["*XPASS(strict)*known.toml:1*remove*"])
    write_baseline(project, {**entry, "scenario": "trouble/no_such"})
    for more in ([], ["-n", "2"]):
        unknown = run_pytest(*words, "-k", "future_is_made", *more)
        unknown.assert_outcomes(passed=1)
        assert unknown.ret == pytest.ExitCode.TESTS_FAILED
        unknown.stdout.fnmatch_lines(
            ["ERROR: loopcheck: *known.toml:1: there is no scenario trouble/no_such*"]
        )


def write_baseline(folder: Path, entry: dict[str, Any]) -> None:
    lines = [f"{name} = {json.dumps(value)}" for name, value in entry.items()]
    (folder / "known.toml").write_text("\n".join(["[[known]]", *lines, ""]))


# ---- the process that judges -----------------------------------------------------------------------------


def test_a_judging_process_that_dies_is_one_sentence(project: Path) -> None:
    folder = TESTS / "scenarios_failing"
    request = Request(
        targets=[INNOCENT],
        wanted=["failing_loops"],
        ids=["innocent/callbacks_run_in_order"],
        command=[],
        scenarios=str(folder),
        path=(str(TESTS),),
    )
    key = ("innocent/callbacks_run_in_order", "failing_loops")
    with contextlib.closing(JudgeClient(request, project)) as client:
        assert client.answer(key).record["verdict"] == "agree"
        assert client.answer(key).record["verdict"] == "agree"
        client._process.kill()
        with pytest.raises(JudgeError, match=r"^loopcheck's own process ended: status -9, without a word$"):
            client.answer(key)
    client.close()


# ---- older versions of pytest ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [(7, 4, 4), (8, 0, 2), (8, 1, 2), (8, 2, 0), (9, 2, 0)])
def test_pytest_that_is_too_old_is_told_so_in_one_sentence_and_only_by_who_asks_for_a_loop(
    run_pytest: Run, project: Path, version: tuple[int, int, int]
) -> None:
    (project / "older.py").write_text(
        f"import pytest\npytest.version_tuple = {version}\npytest.__version__ = '{version[0]}.{version[1]}'\n"
    )
    (project / "test_own.py").write_text("def test_passes(): pass\n")
    run_pytest("-p", "older", "test_own.py").assert_outcomes(passed=1)
    result = run_pytest("-p", "older", *SUITE, *OURS, "--loop", INNOCENT, "-k", "future_is_made")
    if version >= pytest_plugin.OLDEST:
        result.assert_outcomes(passed=1, deselected=10)
    else:
        sentence = f"the suite needs pytest 8.2 or later, and this is pytest {version[0]}.{version[1]}"
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert sentence in result.stderr.str() and "Traceback" not in result.stderr.str()


def test_oldest_pytest_is_the_one_that_the_package_and_its_documentation_name() -> None:
    oldest = ".".join(map(str, pytest_plugin.OLDEST))
    project = tomllib.loads((TESTS.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["optional-dependencies"]["pytest"] == [f"pytest >= {oldest}"]
    assert f"It takes pytest {oldest} or later" in DOCUMENTATION.read_text(encoding="utf-8")
