# SPDX-License-Identifier: MIT
"""What the tests of the pytest plugin share: words of command lines, and what they read of the outcome."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
SUITE = ("--pyargs", "loopcheck")
PATH = f"--loop-path={TESTS}"  # with "=": pytest looks for its root where words are folders
OURS = (PATH, f"--loop-scenarios={TESTS / 'scenarios_failing'}")
INNOCENT = "failing_loops:InnocentLoop"

Run = Callable[..., pytest.RunResult]


def loops(*names: str) -> list[str]:
    return [word for name in names for word in ("--loop", f"failing_loops:{name}")]


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
