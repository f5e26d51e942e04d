# SPDX-License-Identifier: MIT
"""What the pytest plugin promises, each seen from outside: pytest in a process of its own.

The plugin is found as that of an installed loopcheck is, by the entry point that pyproject.toml declares.  The
loops are those of failing_loops.py and the scenarios mostly those of scenarios_failing, for they are few.
Whatever a test does, no process may be left behind.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import loopcheck
from loopcheck import pytest_plugin
from loopcheck.judge_client import JudgeClient, JudgeError, Request
from loopcheck.results import read_results
from loopcheck.vocabulary import VERDICTS

pytest_plugins = ["pytester"]

TESTS = Path(__file__).resolve().parent
PYPROJECT = TESTS.parents[1] / "pyproject.toml"
MARK = "LOOPCHECK_TEST_MARK"
PATIENCE_S = 120.0  # for what is sure to happen
PATH = f"--loop-path={TESTS}"  # with "=": pytest looks for its root where words are folders
OURS = (PATH, f"--loop-scenarios={TESTS / 'scenarios_failing'}")
SUITE = ("--pyargs", "loopcheck")
INNOCENT = "failing_loops:InnocentLoop"
ORDER = "loopcheck/innocent::callbacks_run_in_order[failing_loops]"
MADE = "loopcheck/trouble::future_is_made[failing_loops]"
AWAITED = "loopcheck/trouble::future_is_awaited[failing_loops]"

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def mark() -> str:
    """What every process that a test starts has in its environment."""
    return uuid.uuid4().hex


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, mark: str) -> Iterator[Path]:
    """An empty project whose environment has loopcheck installed.  Nothing it starts may stay."""
    site = pytester.mkdir("site")
    about = site / "loopcheck-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: loopcheck\nVersion: 0\n")
    points = tomllib.loads(PYPROJECT.read_text())["project"]["entry-points"]["pytest11"]
    lines = [f"{name} = {module}" for name, module in points.items()]
    (about / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines]))
    folders = [str(site), str(Path(loopcheck.__file__).parents[1]), os.environ.get("PYTHONPATH")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, folders)))
    monkeypatch.setenv(MARK, mark)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    for variable in [name for name in os.environ if name.startswith("PYTEST_XDIST")]:
        monkeypatch.delenv(variable)
    yield pytester.path
    monkeypatch.undo()
    wait_until(lambda: not marked(mark), "the end of every process that pytest started")


@pytest.fixture
def run(project: Path, pytester: pytest.Pytester) -> Run:
    """Run pytest with words, without its cache."""

    def runs(*words: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", *words, timeout=PATIENCE_S)

    return runs


def marked(mark: str) -> list[int]:
    """Return the processes that carry a mark."""
    found = []
    for pid in [int(name) for name in os.listdir("/proc") if name.isdigit()]:
        with contextlib.suppress(OSError):
            if f"{MARK}={mark}".encode() in Path(f"/proc/{pid}/environ").read_bytes():
                found.append(pid)
    return found


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.01)


def loops(*names: str) -> list[str]:
    return [word for name in names for word in ("--loop", f"failing_loops:{name}")]


def selected(result: pytest.RunResult) -> list[str]:
    """Return the node ids that --collect-only -q printed."""
    return [line for line in result.outlines if line.startswith("loopcheck/") and "::" in line]


def outcomes(file: Path) -> dict[str, str]:
    """Return what a JUnit file says became of each item."""
    words = {"failure": "failed", "error": "error", "skipped": "skipped"}
    found = {}
    for case in ET.parse(file).getroot().iter("testcase"):
        ends = [words[child.tag] for child in case if child.tag in words]
        found[f"{case.get('classname')}::{case.get('name')}"] = ends[0] if ends else "passed"
    return found


def properties(file: Path, name: str) -> dict[str, str]:
    """Return the properties of an item in a JUnit file."""
    case = next(c for c in ET.parse(file).getroot().iter("testcase") if c.get("name") == name)
    return {p.get("name", ""): p.get("value", "") for p in case.iter("property")}


# ---- verdicts --------------------------------------------------------------------------------------------


def test_every_verdict_has_its_outcome_and_several_loops_are_tested_side_by_side(
    run: Run, project: Path
) -> None:
    names = ("InnocentLoop", "Raises", "Segfaults", "BlocksInC", "LacksFutures", "LeaksDescriptor")
    words = [*SUITE, *OURS, *loops(*names), "--loop-timeout", "1", "-k", "future_is_made or hangs"]
    result = run(*words, "--junitxml", "junit.xml", "-rA")
    found = outcomes(project / "junit.xml")
    trouble = "loopcheck.trouble::future_is_made"
    assert {name: found[f"{trouble}[failing_loops:{name}]"] for name in names} == {
        "InnocentLoop": "passed",
        "Raises": "failed",
        "Segfaults": "failed",
        "BlocksInC": "failed",
        "LacksFutures": "skipped",
        "LeaksDescriptor": "passed",
    }
    assert {found[f"loopcheck.broken::hangs[failing_loops:{name}]"] for name in names} == {"error"}
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    verdicts = {
        name: properties(project / "junit.xml", f"future_is_made[failing_loops:{name}]") for name in names
    }
    assert [verdicts[name]["loopcheck_verdict"] for name in names] == [
        "agree",
        "differ",
        "crash",
        "hang",
        "unsupported",
        "variant",
    ]
    assert verdicts["LeaksDescriptor"]["loopcheck_sentence"]
    result.stdout.fnmatch_lines(["*VARIANT  trouble/future_is_made  failing_loops:LeaksDescriptor*"])


def test_a_failure_shows_the_sentence_and_the_block_of_loopchecks_report(run: Run) -> None:
    result = run(*SUITE, *OURS, *loops("Raises"), "-k", "future_is_made")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "*_ trouble/future_is_made*failing_loops* _*",
            "*LookupError*",
            "DIFFER   trouble/future_is_made  failing_loops*",
            "*iter*asyncio*iter*failing_loops*",
            "*before*before*",
            "  reproduce: loopcheck export trouble/future_is_made --target failing_loops:Raises --path*",
            "loopcheck: failing_loops: 1 differ",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_the_level_decides_whether_a_variant_fails(run: Run) -> None:
    words = [*SUITE, *OURS, *loops("LeaksDescriptor"), "-k", "future_is_made"]
    assert run(*words).ret == pytest.ExitCode.OK
    assert run(*words, "--loop-level", "observed").ret == pytest.ExitCode.TESTS_FAILED


def test_a_few_without_a_verdict_are_skipped_and_too_many_fail_the_session(run: Run) -> None:
    words = [*SUITE, *OURS, *loops("InnocentLoop")]
    few = run(*words, "-k", "is_random_1 or innocent", "-rs")
    few.assert_outcomes(passed=1, skipped=1)
    assert few.ret == pytest.ExitCode.OK
    few.stdout.fnmatch_lines(["SKIPPED*nondeterministic-on-oracle*"])
    many = run(*words, "-k", "is_random or innocent")
    many.assert_outcomes(passed=1, skipped=4)
    assert many.ret == pytest.ExitCode.TESTS_FAILED
    many.stdout.fnmatch_lines(["ERROR: loopcheck: More than 1 % of the scenarios*"])


def test_what_needs_a_scenario_that_failed_is_skipped_also_where_that_comes_later(
    run: Run, project: Path
) -> None:
    folder = project / "mine" / "area"
    folder.mkdir(parents=True)
    head = "from loopcheck_target import scenario\n\n\n"
    needs = "@scenario(statements=['create_future.attached'], needs=['area/z_works'])\n"
    (folder / "a.py").write_text(
        f'{head}{needs}def builds_on_it(loop, trace):\n    """It."""\n    trace("a")\n'
    )
    works = "@scenario(statements=['create_future.attached'])\n"
    body = '    """It."""\n    trace("done", loop.create_future().done())\n'
    (folder / "z.py").write_text(f"{head}{works}def z_works(loop, trace):\n{body}")
    words = [*SUITE, PATH, "--loop-scenarios", "mine", *loops("Raises"), "-rs"]
    for more in ([], ["-n", "2"]):
        result = run(*words, *more)
        result.assert_outcomes(failed=1, skipped=1)
        result.stdout.fnmatch_lines(["SKIPPED*it needs what area/z_works shows, and that failed."])


def test_a_broken_scenario_file_is_an_error_of_its_area(run: Run, project: Path) -> None:
    folder = project / "mine" / "area"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text("def is not python\n")
    result = run(*SUITE, "--loop-scenarios", "mine", "--loop", INNOCENT)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        ["*ERROR collecting loopcheck/area*", "*a.py:1: cannot be read: SyntaxError*"]
    )


# ---- selecting -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words, expected",
    [
        ([*SUITE, "-k", "future_is_made"], [MADE]),
        ([*SUITE, "-k", "trouble/future_is_made"], [MADE]),
        ([*SUITE, "-k", "innocent or future_is_awaited"], [ORDER, AWAITED]),
        ([*SUITE, "--loop-area", "trouble"], [MADE, AWAITED]),
        ([*SUITE, "--loop-area", "trouble", "--deselect", MADE], [AWAITED]),
        ([*SUITE, "--loop-area", "trouble", "--deselect", "loopcheck/trouble"], []),
        (["--pyargs", MADE], [MADE]),
        (["--pyargs", "loopcheck/trouble"], [MADE, AWAITED]),
        (["--pyargs", "loopcheck::trouble::future_is_made"], [MADE]),
        (["--pyargs", AWAITED, ORDER], [ORDER, AWAITED]),
    ],
)
def test_items_are_selected_by_what_pytest_has_for_that(
    run: Run, words: list[str], expected: list[str]
) -> None:
    result = run(*words, *OURS, "--loop", INNOCENT, "--collect-only", "-q")
    assert selected(result) == expected
    assert result.ret == (pytest.ExitCode.OK if expected else pytest.ExitCode.USAGE_ERROR)


def test_collecting_starts_no_interpreter_and_imports_no_loop(run: Run, project: Path) -> None:
    (project / "myloop.py").write_text(
        "import asyncio, pathlib\n"
        "pathlib.Path('imported').touch()\n"
        "class Loop(asyncio.SelectorEventLoop): pass\n"
    )
    words = [*SUITE, *OURS, "--loop", "myloop:Loop", "--loop-path", ".", "-k", "innocent"]
    elsewhere = run(
        *SUITE, *OURS, "--loop", "myloop:Loop@python9.9", "--collect-only", "-q", "-k", "innocent"
    )
    assert selected(elsewhere) == ["loopcheck/innocent::callbacks_run_in_order[myloop@python9.9]"]
    assert run(*words, "--collect-only").ret == pytest.ExitCode.OK
    assert not (project / "imported").exists()
    assert run(*words).ret == pytest.ExitCode.OK
    assert (project / "imported").exists()


def test_last_failed_runs_what_failed(project: Path, pytester: pytest.Pytester) -> None:
    words = [*SUITE, *OURS, *loops("Raises"), "--loop-area", "trouble", "--loop-area", "innocent"]
    first = pytester.runpytest_subprocess(*words, timeout=PATIENCE_S)
    first.assert_outcomes(failed=2, passed=1)
    again = pytester.runpytest_subprocess(*words, "--lf", timeout=PATIENCE_S)
    again.assert_outcomes(failed=2, deselected=1)


# ---- results, workers ------------------------------------------------------------------------------------


def test_a_results_file_is_one_of_loopchecks(run: Run, project: Path) -> None:
    words = [*SUITE, *OURS, *loops("Raises", "InnocentLoop"), "-k", "in_order or future"]
    assert run(*words, "--loop-results", "results.jsonl").ret == pytest.ExitCode.TESTS_FAILED
    results = read_results(project / "results.jsonl")
    assert results.header["command"][0] == "pytest"
    assert results.header["plan"] == [
        "innocent/callbacks_run_in_order",
        "trouble/future_is_made",
        "trouble/future_is_awaited",
    ]
    assert [(r.id, r.target_name) for r in results.scenarios] == [
        (id, f"failing_loops:{name}") for id in results.header["plan"] for name in ("Raises", "InnocentLoop")
    ]
    assert results.footer == {
        "record": "footer",
        "counts": {"agree": 4, "differ": 2},
        "exit": 1,
        "interrupted": False,
    }


def test_stopping_at_the_first_failure_leaves_results_that_say_so(run: Run, project: Path) -> None:
    words = [*SUITE, *OURS, *loops("Raises"), "--loop-area", "trouble", "-x"]
    run(*words, "--loop-results", "results.jsonl").assert_outcomes(failed=1)
    results = read_results(project / "results.jsonl")
    assert [result.id for result in results.scenarios] == ["trouble/future_is_made"]
    assert results.footer is not None and results.footer["interrupted"]


def test_workers_collect_the_same_and_their_results_are_written_in_the_order_of_the_plan(
    run: Run, project: Path
) -> None:
    words = [*SUITE, "--loop", INNOCENT, PATH, "--loop-area", "handles"]
    collected = selected(run(*words, "--collect-only", "-q"))
    for name, more in (("one", []), ("two", ["-n", "2"])):
        result = run(*words, *more, "--loop-results", f"{name}.jsonl", "--junitxml", f"{name}.xml")
        assert result.ret == pytest.ExitCode.OK
    assert outcomes(project / "one.xml") == outcomes(project / "two.xml")
    assert len(outcomes(project / "two.xml")) == len(collected) > 2
    one, two = (read_results(project / f"{name}.jsonl") for name in ("one", "two"))
    assert [r.id for r in one.scenarios] == [r.id for r in two.scenarios] == one.header["plan"]
    assert [id.rpartition("/")[2] for id in one.header["plan"]] == [
        nodeid.rpartition("::")[2].partition("[")[0] for nodeid in collected
    ]
    assert {**one.header, "command": []} == {**two.header, "command": []}
    assert one.footer == two.footer


# ---- what is wrong with the command line -----------------------------------------------------------------


@pytest.mark.parametrize(
    "words, sentence",
    [
        ([], "name the loop to be tested: --loop MODULE:CALLABLE*"),
        (["--loop"], "name the loop to be tested: --loop MODULE:CALLABLE*"),
        (["--loop", "nonsense"], "'nonsense' is no target: write MODULE:CALLABLE*"),
        (["--loop", "no.such:thing"], "no.such:thing: module 'no.such' does not import: *"),
        (["--loop", "no.such:thing", "-n", "2"], "no.such:thing: module 'no.such' does not import: *"),
        (["--loop", "failing_loops:no_such"], "failing_loops:no_such: * has no *"),
        (["--loop", "failing_loops:factory_raises"], "*OSError: no loops today*"),
        (["--loop", "asyncio"], "asyncio is what loops are compared with: *"),
        (["--loop", INNOCENT, "--loop", INNOCENT], "failing_loops:InnocentLoop is named twice"),
        (["--loop", f"{INNOCENT}@python9.9"], "no interpreter 'python9.9' runs here*"),
        (["--loop", INNOCENT, "--loop-area", "nix"], "there is no area 'nix'; there is broken, *"),
        (["--loop", INNOCENT, "--loop-timeout", "-1"], "--loop-timeout -1 is not above zero"),
        (["--loop", INNOCENT, "--loop-results", "no/such/file"], "the results file no/such/file cannot be*"),
        (["--loop", INNOCENT, "--loop-scenarios", "nowhere"], "there is no folder *nowhere to read*"),
        (["--loop", INNOCENT, "--loop-baseline", "nowhere.toml"], "*nowhere.toml*"),
        (["--loop", INNOCENT, "--loop-baseline", "nowhere.toml", "-n", "2"], "*nowhere.toml*"),
        (["--loop", INNOCENT, "loopcheck/no::such"], "there is nothing called loopcheck/no::such; *"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_usage_error(
    run: Run, words: list[str], sentence: str
) -> None:
    suite = ["--pyargs"] if "loopcheck/no::such" in words else SUITE
    result = run(*suite, *OURS, *words)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = [line for line in result.errlines if line]
    assert len(said) == 1 and "Traceback" not in result.stdout.str()
    result.stderr.fnmatch_lines([f"ERROR: loopcheck: {sentence}"])


@pytest.mark.parametrize("more", [[], ["-n", "2"]])
def test_selecting_nothing_is_a_usage_error_and_never_a_pass(run: Run, more: list[str]) -> None:
    result = run(*SUITE, *OURS, "--loop", INNOCENT, "-k", "nothing_of_this_name", *more)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["ERROR: loopcheck: nothing matches: none of the * scenarios is selected"])


def test_a_run_in_which_nothing_applies_is_a_usage_error_unless_other_tests_ran(
    run: Run, project: Path
) -> None:
    folder = project / "mine" / "area"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text(
        "from loopcheck_target import scenario\n\n\n"
        "@scenario(statements=['create_future.attached'], until='3.5')\n"
        'def was_so_once(loop, trace):\n    """It."""\n    trace("a")\n'
    )
    (project / "test_own.py").write_text("def test_passes(): pass\n")
    words = [*SUITE, "--loop-scenarios", "mine", "--loop", INNOCENT, PATH]
    alone = run(*words)
    assert alone.ret == pytest.ExitCode.USAGE_ERROR
    alone.stdout.fnmatch_lines(["ERROR: loopcheck: none of the selected scenarios applies here"])
    assert run(*words, "test_own.py").ret == pytest.ExitCode.OK


# ---- in somebody's project -------------------------------------------------------------------------------


def test_a_project_that_does_not_ask_for_it_has_nothing_of_it_but_the_options(
    run: Run, project: Path
) -> None:
    (project / "test_own.py").write_text(
        "import sys\n"
        "def test_imports(request):\n"
        "    ours = sorted(name for name in sys.modules if name.partition('.')[0] == 'loopcheck')\n"
        "    assert ours == ['loopcheck', 'loopcheck.pytest_plugin']\n"
        "    assert not {'rich', 'jsonschema', 'tomlkit'} & set(sys.modules)\n"
        "    assert not request.config.pluginmanager.has_plugin('loopcheck-run')\n"
    )
    result = run("-W", "error")
    result.assert_outcomes(passed=1)
    assert "loopcheck:" not in result.stdout.str()


def test_a_project_runs_its_own_tests_and_the_suite_by_the_recipe_of_the_documentation(
    run: Run, project: Path
) -> None:
    (project / "tests").mkdir()
    (project / "tests" / "test_own.py").write_text("def test_passes(): pass\n")
    options = json.dumps(["--pyargs", f"--loop={INNOCENT}", *OURS, "--deselect=loopcheck/broken"])
    (project / "pyproject.toml").write_text(
        f'[tool.pytest.ini_options]\ntestpaths = ["tests", "loopcheck"]\naddopts = {options}\n'
    )
    run().assert_outcomes(passed=4, deselected=8)
    run("tests").assert_outcomes(passed=1)
    run("loopcheck/innocent").assert_outcomes(passed=1)


def test_marks_of_a_project_skip_scenarios_and_leave_the_results_whole(run: Run, project: Path) -> None:
    (project / "conftest.py").write_text(
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        "    for item in items:\n"
        "        if item.nodeid.startswith('loopcheck/innocent'):\n"
        "            item.add_marker(pytest.mark.skip(reason='not here'))\n"
    )
    words = [*SUITE, *OURS, "--loop", INNOCENT, "--deselect=loopcheck/broken", "--loop-results=results.jsonl"]
    run(*words).assert_outcomes(passed=2, skipped=1, deselected=8)
    footer = read_results(project / "results.jsonl").footer
    assert footer == {"record": "footer", "counts": {"agree": 2}, "exit": 0, "interrupted": False}


def test_what_a_project_does_to_its_own_interpreter_does_not_reach_the_suite(run: Run, project: Path) -> None:
    (project / "conftest.py").write_text(
        "import asyncio, pytest\n"
        "asyncio.new_event_loop = asyncio.run = asyncio.create_subprocess_exec = None\n"
        "@pytest.fixture(autouse=True)\n"
        "def never():\n"
        "    raise AssertionError\n"
    )
    (project / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\nxfail_strict = true\n")
    words = [*SUITE, *OURS, "--loop", INNOCENT, "--loop-area", "trouble"]
    run(*words).assert_outcomes(passed=2)
    run(*words, "-n", "2").assert_outcomes(passed=2)


def test_the_documentation_has_every_option_and_every_verdict() -> None:
    page = (PYPROJECT.parent / "docs" / "pytest.md").read_text()
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


def test_known_differences_are_expected_failures_and_others_are_not(run: Run, project: Path) -> None:
    words = [*SUITE, *OURS, *loops("Raises"), "-k", "future_is_made or innocent", "-rx"]
    run(*words, "--loop-results", "results.jsonl")
    result = next(r for r in read_results(project / "results.jsonl").scenarios if r.verdict == "differ")
    entry: dict[str, Any] = {
        "scenario": result.id,
        "target": "failing_loops",
        "signature": result.record["signature"],
        "reason": "futures are for tomorrow",
    }
    write_baseline(project, entry)
    known = run(*words, "--loop-baseline", "known.toml")
    known.assert_outcomes(passed=1, xfailed=1)
    assert known.ret == pytest.ExitCode.OK
    known.stdout.fnmatch_lines(["XFAIL*futures are for tomorrow*"])
    run(*words, "--loop-baseline", "known.toml", "--runxfail").assert_outcomes(passed=1, failed=1)
    write_baseline(project, {**entry, "signature": "order:missing:nothing"})
    run(*words, "--loop-baseline", "known.toml").assert_outcomes(passed=1, failed=1)


def test_an_entry_that_is_no_longer_so_fails(run: Run, project: Path) -> None:
    entry = {"target": "failing_loops", "signature": "order:missing:after", "reason": "it was so"}
    words = [*SUITE, *OURS, "--loop", INNOCENT, "--loop-baseline", "known.toml"]
    write_baseline(project, {**entry, "scenario": "trouble/future_is_made"})
    fixed = run(*words, "-k", "future_is_made")
    fixed.assert_outcomes(failed=1)
    fixed.stdout.fnmatch_lines(["*XPASS(strict)*known.toml:1*remove*"])
    write_baseline(project, {**entry, "scenario": "trouble/no_such"})
    for more in ([], ["-n", "2"]):
        unknown = run(*words, "-k", "future_is_made", *more)
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
