# SPDX-License-Identifier: MIT
"""asyncio does the same every time: twenty repetitions on every CPython, half of them with all cores burdened.

A scenario that is not deterministic on the oracle can judge nobody.  The whole matrix is run with
LOOPCHECK_TEST_FULL=1; without it, three repetitions under burden on one interpreter.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopcheck.interpreters import InterpreterError, find_interpreter
from loopcheck.results import read_results

SUPPORTED = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
FULL = bool(os.environ.get("LOOPCHECK_TEST_FULL"))
BURNERS_PER_CORE = 2


@contextlib.contextmanager
def burdened_cores() -> Iterator[None]:
    """Keep every core busy with more processes than it can run at once."""
    count = BURNERS_PER_CORE * len(os.sched_getaffinity(0))
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def disagreements(python: str, folder: Path, repeat: int) -> list[tuple[str, str]]:
    """Return the scenarios in which asyncio on an interpreter does not agree with itself."""
    file = folder / "results.jsonl"
    target = f"asyncio@{python}"
    command = [sys.executable, "-m", "loopcheck", "run", target, "--oracle", target]
    options = ["--repeat", str(repeat), "--level", "observed", "--results", str(file)]
    subprocess.run([*command, *options], capture_output=True, check=False)
    results = read_results(file)
    assert results.footer is not None
    return [(r.id, r.record["sentence"]) for r in results.scenarios if r.verdict not in ("agree", "skipped")]


def skip_unless_it_runs(python: str) -> None:
    """Skip the test where there is no such interpreter."""
    try:
        find_interpreter(python)
    except InterpreterError as exc:
        pytest.skip(f"not run: {exc}")


def test_asyncio_agrees_with_itself_while_the_cores_are_burdened(tmp_path: Path) -> None:
    with burdened_cores():
        assert disagreements(f"{sys.version_info[0]}.{sys.version_info[1]}", tmp_path, 3) == []


@pytest.mark.skipif(not FULL, reason="not run: takes minutes; LOOPCHECK_TEST_FULL=1 runs it")
@pytest.mark.parametrize("python", SUPPORTED)
def test_asyncio_agrees_with_itself_twenty_times(python: str, tmp_path: Path) -> None:
    skip_unless_it_runs(python)
    assert disagreements(python, tmp_path, 10) == []
    with burdened_cores():
        assert disagreements(python, tmp_path, 10) == []
