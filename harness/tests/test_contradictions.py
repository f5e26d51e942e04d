# SPDX-License-Identifier: MIT
"""The page of contradictions is up to date, and its commands show what they say.

The commands are run as the page has them, with the command line of these tests in the place of ``ci/loopcheck``:
in the everyday matrix one of each kind, in the full one all of them.
"""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loopcheck.contradictions import command, page, shipped_page
from loopcheck.interpreters import InterpreterError, find_interpreter
from loopcheck.resources import scenarios_folder, statements_folder
from loopcheck.scenarios import load_scenarios
from loopcheck.spec import Statement, load_statements

from .building import statement

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/contradictions.md"
FULL = bool(os.environ.get("LOOPCHECK_TEST_FULL"))
STATEMENTS = load_statements(statements_folder())
SCENARIOS, _ = load_scenarios(scenarios_folder(), STATEMENTS)
FOUND = [s for s in STATEMENTS.values() if s.contradicted or s.contradiction]
COMMANDS = re.findall(r"^```sh\n(.*)\n```$", shipped_page(), re.MULTILINE)
EXPORTS = [line for line in COMMANDS if " export " in line]
RUNS = [line for line in COMMANDS if " run " in line]
SHOWN = SCENARIOS[0]


def contradicted(**fields: Any) -> Statement:
    """Return a statement that CPython contradicts, as SHOWN shows."""
    return replace(
        statement("a.promise"), **{"shown_by": SHOWN.id, "contradiction": "It does not.", **fields}
    )


def test_the_page_is_up_to_date() -> None:
    hint = "python -m loopcheck.contradictions --write docs/contradictions.md"
    assert PAGE.read_text(encoding="utf-8") == shipped_page(), hint


def test_every_contradicted_statement_has_a_section_with_a_command() -> None:
    sections = re.findall(r"^### `(.*)`$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(sections) == sorted(found.id for found in FOUND)
    assert len(COMMANDS) == len(sections)


# ---- what a section says -------------------------------------------------------------------------------------


def test_a_bug_of_single_releases_is_shown_by_a_script_against_a_release_that_keeps_the_promise() -> None:
    broken = contradicted(contradicted=("3.12.0", "3.12.1"))
    assert command(broken, SHOWN) == (
        f"ci/loopcheck export {SHOWN.id} --target asyncio@3.12.1 --oracle asyncio@3.14 > repro.py "
        "&& python3 repro.py"
    )
    ended = replace(broken, until="3.14")
    assert "--oracle asyncio@3.13 " in command(ended, SHOWN)


@pytest.mark.parametrize(
    ("until", "contradiction_until", "python"),
    [
        (None, None, "3.14"),
        (None, "3.12", "3.11"),
        ("3.14", None, "3.13"),
        ("3.10", "3.12", "3.9"),
        (None, "3.8.1", "3.8"),
        (None, "3.16", "3.14"),
    ],
)
def test_a_text_that_is_not_kept_is_shown_on_the_newest_series_that_breaks_it(
    until: str | None, contradiction_until: str | None, python: str
) -> None:
    never = contradicted(contradiction_since="3.7", until=until, contradiction_until=contradiction_until)
    assert command(never, SHOWN) == (
        f"ci/loopcheck run asyncio@{python} --oracle asyncio@{python} -vv -k {SHOWN.id}"
    )


def test_what_is_only_implied_is_not_called_a_promise() -> None:
    implied = contradicted(contradiction_since="3.7", status="implied")
    lines = page({"a.promise": implied}, SCENARIOS).splitlines()
    assert "- Implied: It holds." in lines


def test_a_section_says_what_is_promised_what_happens_where_and_how_to_see_it() -> None:
    never = contradicted(contradiction_since="3.7", doc="https://docs.python.org/3.14/library/x.html")
    text = page({"a.promise": never}, SCENARIOS)
    for line in (
        "| [`a.promise`](#apromise) | 3.7 and later |",
        "- Promised: It holds. ([documentation](https://docs.python.org/3.14/library/x.html))",
        "- CPython: It does not.",
        f"- Scenario: [`{SHOWN.id}`](../conformance/{SHOWN.module}.py): {SHOWN.title}",
    ):
        assert line in text.splitlines()
    assert "## Bugs of single releases" not in text


def test_kept_statements_are_not_on_the_page() -> None:
    assert "a.promise" not in page({"a.promise": statement("a.promise")}, SCENARIOS)


# ---- the commands --------------------------------------------------------------------------------------------


def run(line: str, folder: Path) -> str:
    """Run a command of the page; return what it prints.  Skips the test where an interpreter is missing."""
    for version in re.findall(r"asyncio@(\S+)", line):
        try:
            find_interpreter(version)
        except InterpreterError as exc:
            pytest.skip(f"not run: {exc}")
    line = line.replace("ci/loopcheck", f"{shlex.quote(sys.executable)} -m loopcheck")
    line = line.replace("&& python3 ", f"&& {shlex.quote(sys.executable)} ")
    done = subprocess.run(line, shell=True, cwd=folder, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize("line", EXPORTS if FULL else EXPORTS[-1:])
def test_the_script_shows_a_difference(line: str, tmp_path: Path) -> None:
    assert "DIFFERENT" in run(line, tmp_path)


@pytest.mark.parametrize("line", RUNS if FULL else RUNS[:1])
def test_the_run_prints_what_happened(line: str, tmp_path: Path) -> None:
    output = run(line, tmp_path)
    assert "AGREE" in output
    assert "exit 0" in output
