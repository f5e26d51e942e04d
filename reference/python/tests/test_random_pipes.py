# SPDX-License-Identifier: MIT
"""Transports of pipes do in every iteration what asyncio's do in it: random programs agree, event by event.

A thousand programs on this interpreter; ten thousand on each that has a build, with LOOPCHECK_TEST_FULL=1.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import asy
import pytest

PACKAGE = Path(asy.__file__).parents[1]
PROGRAMS = Path(__file__).with_name("random_pipes.py")
FULL = bool(os.environ.get("LOOPCHECK_TEST_FULL"))


def run(python: str, package: Path, count: str) -> subprocess.CompletedProcess[str]:
    """Run random_pipes.py on an interpreter with a build of asy."""
    environment = {**os.environ, "PYTHONPATH": str(package)}
    command = [python, str(PROGRAMS), count]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_random_programs_on_pipes_agree_in_iteration_and_event() -> None:
    done = run(sys.executable, PACKAGE, "10000" if FULL else "1000")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not FULL, reason="not run: LOOPCHECK_TEST_FULL=1 runs the other interpreters too")
@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14", "3.15"])
def test_random_programs_on_pipes_agree_on_other_interpreters(version: str) -> None:
    python = shutil.which(f"python{version}")
    package = PACKAGE.parent / "abi3"
    if python is None or not package.exists() or run(python, package, "0").returncode != 0:
        pytest.skip(f"not run: no python{version} with a build of asy")
    done = run(python, package, "10000")
    assert done.returncode == 0, done.stdout + done.stderr
