# SPDX-License-Identifier: MIT
"""asyncio does the same every time: twenty repetitions on every CPython, half of them with all cores burdened.

A scenario that is not deterministic on the oracle can judge nobody.  The whole matrix is run with
LOOPCHECK_TEST_FULL=1; without it, three repetitions under burden on one interpreter.
"""

import os
import sys
from pathlib import Path

import pytest

from loopcheck.interpreters import InterpreterError, find_interpreter
from loopcheck.repetition import Disagreement, burdened_cores, disagreements, run_repeatedly

SUPPORTED = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
FULL = bool(os.environ.get("LOOPCHECK_TEST_FULL"))


def disagreements_with_itself(python: str, folder: Path, repeat: int) -> list[Disagreement]:
    """Return the scenarios in which asyncio on an interpreter does not do the same every time."""
    target = f"asyncio@{python}"
    results = run_repeatedly(folder / "results.jsonl", [target, "--oracle", target], repeat)
    assert results.footer is not None
    return disagreements([results])


def skip_unless_it_runs(python: str) -> None:
    """Skip the test where there is no such interpreter."""
    try:
        find_interpreter(python)
    except InterpreterError as exc:
        pytest.skip(f"not run: {exc}")


def test_asyncio_agrees_with_itself_while_the_cores_are_burdened(tmp_path: Path) -> None:
    with burdened_cores():
        assert disagreements_with_itself(f"{sys.version_info[0]}.{sys.version_info[1]}", tmp_path, 3) == []


@pytest.mark.skipif(not FULL, reason="not run: takes minutes; LOOPCHECK_TEST_FULL=1 runs it")
@pytest.mark.parametrize("python", SUPPORTED)
def test_asyncio_agrees_with_itself_twenty_times(python: str, tmp_path: Path) -> None:
    skip_unless_it_runs(python)
    assert disagreements_with_itself(python, tmp_path, 10) == []
    with burdened_cores():
        assert disagreements_with_itself(python, tmp_path, 10) == []
