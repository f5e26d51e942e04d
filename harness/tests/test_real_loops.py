# SPDX-License-Identifier: MIT
"""Real loops and real interpreters: what loopcheck is for.

uvloop's differences named here are facts about uvloop, found by running it; the test proves that loopcheck
finds them and says them in words.  Interpreters that this machine does not have are reported as ``not run``.
"""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopcheck.interpreters import InterpreterError, find_interpreter
from loopcheck.results import Results, ScenarioResult, read_results

from .findings_page import findings

SUPPORTED = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
EVERYDAY = ("3.8", "3.15")  # the oldest and the newest
FULL = bool(os.environ.get("LOOPCHECK_TEST_FULL"))


def run(folder: Path, *arguments: str) -> tuple[int, Results]:
    """Run ``loopcheck run`` and return its exit status and results."""
    file = folder / "results.jsonl"
    command = [sys.executable, "-m", "loopcheck", "run", *arguments, "--results", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, read_results(file)


def interpreter(name: str) -> str:
    """Return name if such an interpreter runs here; else skip the test."""
    try:
        find_interpreter(name)
    except InterpreterError as exc:
        pytest.skip(f"not run: {exc}")
    return name


# ---- uvloop --------------------------------------------------------------------------------------------------

UVLOOP = [
    pytest.param(
        "running/deferred_callbacks_run_first_in_the_next_run",
        "differ",
        "“stopped” came after “scheduled before stop” and “scheduled after stop”",
        id="callbacks scheduled while stopping run before run_forever returns",
    ),
    pytest.param(
        "timers/zero_delay_returns_a_timer_handle",
        "differ",
        "“zero”: asyncio has TimerHandle, uvloop has Handle.",
        id="call_later(0) returns a plain Handle",
    ),
    pytest.param(
        "timers/zero_delay_runs_after_queued_callbacks",
        "variant",
        "“zero delay” came before “queued after”",
        id="call_later(0) overtakes call_soon",
    ),
    pytest.param(
        "callbacks/queued_callback_then_descriptor_then_timer",
        "variant",
        "“queued” came after “readable” and “timer”",
        id="a ready descriptor and a due timer run before a pending call_soon",
    ),
    pytest.param(
        "descriptors/remove_reader_returns_true_for_a_watched_descriptor",
        "differ",
        "“number”: asyncio has True, uvloop has None.",
        id="remove_reader of a socket returns None",
    ),
]


@pytest.fixture(scope="module")
def uvloop_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, dict[str, ScenarioResult]]]:
    """The status and results of a run of all scenarios on uvloop."""
    if importlib.util.find_spec("uvloop") is None:
        pytest.skip("not run: uvloop is not installed")
    status, results = run(tmp_path_factory.mktemp("uvloop"), "uvloop:new_event_loop")
    yield status, {result.id: result for result in results.scenarios}


@pytest.mark.parametrize(("scenario", "verdict", "words"), UVLOOP)
def test_uvloops_difference_is_found_and_said(
    uvloop_run: tuple[int, dict[str, ScenarioResult]], scenario: str, verdict: str, words: str
) -> None:
    result = uvloop_run[1][scenario]
    assert result.verdict == verdict
    assert words in result.record["sentence"]


def test_uvloop_is_told_apart_without_false_alarm(uvloop_run: tuple[int, dict[str, ScenarioResult]]) -> None:
    status, results = uvloop_run
    verdicts = [result.verdict for result in results.values()]
    assert status == 1
    assert verdicts.count("agree") > 150
    assert not {"inconclusive", "broken-scenario", "harness-error", "hang"} & set(verdicts)


def test_uvloop_dies_only_of_what_epoll_refuses(uvloop_run: tuple[int, dict[str, ScenarioResult]]) -> None:
    """libuv calls abort() when a descriptor that it was given cannot be polled."""
    died = {
        result.id: result.record["signature"]
        for result in uvloop_run[1].values()
        if result.verdict == "crash"
    }
    assert died == {
        "pipes/null_device_can_be_written": "process:crash:SIGABRT",
        "pipes/regular_file_cannot_be_read_as_a_pipe": "process:crash:SIGABRT",
        "pipes/regular_file_cannot_be_written_as_a_pipe": "process:crash:SIGABRT",
    }


@pytest.mark.parametrize("scenario", [one.scenario for one in findings() if one.loop == "uvloop"])
def test_uvloop_still_differs_as_the_page_of_findings_says(
    uvloop_run: tuple[int, dict[str, ScenarioResult]], scenario: str
) -> None:
    verdict = uvloop_run[1][scenario].verdict
    if verdict == "skipped":
        pytest.skip("not run: it takes a newer CPython than the one that these tests run on")
    assert verdict in ("differ", "variant", "unsupported", "crash")


def test_differences_are_shown_with_iteration_numbers(
    uvloop_run: tuple[int, dict[str, ScenarioResult]],
) -> None:
    result = uvloop_run[1]["running/deferred_callbacks_run_first_in_the_next_run"]
    numbers = {event.name: event.iteration for event in result.oracle[0].events}
    assert numbers["stopped"] is None
    assert numbers["scheduled before stop"] == numbers["scheduled after stop"] is not None
    on_uvloop = {event.name: event.iteration for event in result.target[0].events}
    assert on_uvloop["scheduled before stop"] != on_uvloop["scheduled between the runs"]


# ---- interpreters --------------------------------------------------------------------------------------------


def test_a_change_between_two_cpythons_is_explained(tmp_path: Path) -> None:
    old, new = interpreter("3.8"), interpreter("3.12")
    oracle = ("--oracle", f"asyncio@{old}")
    status, results = run(tmp_path, f"asyncio@{new}", *oracle, "--level", "observed", "--area", "tasks")
    result = {r.id: r for r in results.scenarios}["tasks/wait_for_cancels_what_takes_too_long"]
    assert status == 1
    assert result.verdict == "differ"
    assert "asyncio@3.12 has TimeoutError() from CancelledError()" in result.record["sentence"]


def test_pypy_is_a_target_like_any_other(tmp_path: Path) -> None:
    pypy = interpreter("pypy3")
    status, results = run(tmp_path, f"asyncio@{pypy}")
    verdicts = {r.verdict for r in results.scenarios}
    assert results.header["targets"][0]["implementation"] == "pypy"
    assert status == 0
    assert verdicts <= {"agree", "variant", "skipped"}


@pytest.mark.parametrize("version", SUPPORTED)
def test_asyncio_agrees_with_itself(version: str, tmp_path: Path) -> None:
    if not FULL and version not in EVERYDAY:
        pytest.skip("not run: LOOPCHECK_TEST_FULL=1 runs every version")
    oracle = f"asyncio@{interpreter(version)}"
    assert disagreements(tmp_path, oracle, oracle) == []


@pytest.mark.parametrize("version", SUPPORTED if FULL else ("3.13",))
@pytest.mark.parametrize("selector", ["poll", "select"])
def test_asyncio_agrees_with_itself_over_another_selector(
    version: str, selector: str, tmp_path: Path
) -> None:
    python = interpreter(version)
    assert disagreements(tmp_path, f"asyncio-{selector}@{python}", f"asyncio@{python}") == []


def disagreements(folder: Path, target: str, oracle: str) -> list[tuple[str, str]]:
    """Return the scenarios in which target does not agree with oracle, and why."""
    _, results = run(folder, target, "--oracle", oracle, "--level", "observed")
    assert results.footer is not None
    good = ("agree", "skipped")
    return [(r.id, r.record["sentence"]) for r in results.scenarios if r.verdict not in good]
