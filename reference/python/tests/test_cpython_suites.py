# SPDX-License-Identifier: MIT
"""CPython's own tests of asyncio pass on asy's loops, but for those that cpython_suites.toml lists.

A listed test that passes fails here, as does one that fails with another exception than it is listed with, one
that ran without a loop of asy's, or with one of asyncio's.  Python 3.11 and the newest there is, each with either
kind of futures; with LOOPCHECK_TEST_FULL=1 every version over every selector.  Most of their time the tests sleep,
so that several interpreters run side by side.
"""

import concurrent.futures
import fnmatch
import functools
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asy
import pytest
from packaging.specifiers import SpecifierSet

from loopcheck.interpreters import candidates

BUILDS = Path(asy.__file__).parents[2]
RUNNER = Path(__file__).with_name("cpython_suites.py")
TABLE = tomllib.loads(RUNNER.with_suffix(".toml").read_text())
FULL = bool(os.environ.get("LOOPCHECK_TEST_FULL"))
VERSIONS = ["3.11", "3.12", "3.13", "3.14", "3.15"]
KINDS = ["epoll", "native", "poll", "select"] if FULL else ["epoll", "native"]
FEWEST = {"epoll": 350, "native": 350, "poll": 30, "select": 30}  # tests that pass

# ---- the interpreters --------------------------------------------------------------------------------


@functools.cache
def find(version: str) -> "str | None":
    """Return an interpreter of this version that ships CPython's tests and has a build of asy, or None."""
    paths = [sys.executable, *candidates(f"python{version}")]
    return next((path for path in paths if os.path.exists(path) and has_tests(path, version)), None)


def has_tests(python: str, version: str) -> bool:
    """Return whether this is such an interpreter."""
    question = (
        "import sys, asy, test.test_asyncio.test_sock_lowlevel;"
        f"sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
    )
    done = subprocess.run(
        [python, "-c", question], capture_output=True, check=False, env=environment(version)
    )
    return done.returncode == 0


def environment(version: str) -> "dict[str, str]":
    """Return the environment in which an interpreter finds asy."""
    package = BUILDS / ("3.11" if version == "3.11" else "abi3")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LD_PRELOAD"))
    }
    return {**kept, "PYTHONPATH": str(package)}


def chosen() -> "Iterator[Any]":
    """Yield the versions that this run is for, each with an interpreter or the reason why there is none."""
    newest = next(filter(find, reversed(VERSIONS)), "3.11")
    for version in VERSIONS if FULL else sorted({"3.11", newest}):
        reason = f"not run: no python{version} with CPython's test suite and a build of asy"
        marks = () if find(version) else pytest.mark.skip(reason=reason)
        yield pytest.param(find(version), version, id=version, marks=marks)


# ---- the table ---------------------------------------------------------------------------------------


def entries(version: str, kind: str) -> "list[dict[str, Any]]":
    """Return the entries of the table that are for a version and a kind of loop."""
    return [
        entry
        for entry in TABLE["failing"]
        if kind in entry.get("loops", [kind]) and version in SpecifierSet(entry.get("python", ""))
    ]


def listed(entry: "dict[str, Any]", test: str) -> bool:
    """Return whether an entry names a test."""
    return any(fnmatch.fnmatchcase(test, pattern) for pattern in entry["tests"])


def judge(line: "dict[str, Any]", failing: "list[dict[str, Any]]") -> "str | None":
    """Return what is wrong with the outcome of a test, or None."""
    test, outcome, reason = line["test"], line["outcome"], line["reason"]
    entry = next((entry for entry in failing if listed(entry, test)), None)
    if outcome == "skip":
        return None
    if line["loops"] == 0 and not listed(TABLE["without_asys_loop"], test):
        return f"{test}: made no loop of asy"
    if line["asyncio_loops"] and not listed(TABLE["with_asyncios_loop"], test):
        return f"{test}: made {line['asyncio_loops']} of asyncio's loops"
    if entry is None:
        return None if outcome == "pass" else f"{test}: {reason}"
    if outcome == "pass":
        return f"{test}: passes now; take it out of {RUNNER.stem}.toml"
    return None if entry["error"] in reason else f"{test}: listed with {entry['error']}, but: {reason}"


def nameless(failing: "list[dict[str, Any]]", tests: "list[str]") -> "Iterator[str]":
    """Yield a sentence for each name of the table that no test has; for poll and select not every class runs."""
    classes = {test.partition(".")[0] for test in tests}
    for pattern in (pattern for entry in failing for pattern in entry["tests"]):
        if pattern.partition(".")[0] in classes and not fnmatch.filter(tests, pattern):
            yield f"{pattern}: no test has this name"


# ---- the tests ---------------------------------------------------------------------------------------


def run(python: str, version: str, kind: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the tests on one kind of loop."""
    return subprocess.run(
        [python, str(RUNNER), kind],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment(version),
        stdin=subprocess.DEVNULL,
        timeout=400,
    )


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Any]":
    """The runs of all tests that were selected, under way, by version and kind."""
    tests = [item for item in request.session.items if getattr(item, "module", None) is request.module]
    items = [item for item in tests if "runs" in getattr(item, "fixturenames", ())]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        yield {
            (each["version"], each["kind"]): pool.submit(run, **each, folder=tmp_path_factory.mktemp("run"))
            for each in (item.callspec.params for item in items)
            if each["python"]
        }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("python", "version"), list(chosen()))
def test_cpythons_own_tests_pass(python: str, version: str, kind: str, runs: Any) -> None:
    done = runs[version, kind].result()
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    ran = [line for line in lines if "outcome" in line]
    assert done.returncode == 0, f"in {lines[-1:]}: {done.stderr[-3000:]}"
    failing = entries(version, kind)
    wrong = [sentence for line in ran if (sentence := judge(line, failing))]
    wrong += nameless(failing, [line["test"] for line in ran])
    assert not wrong, "\n".join(["", *wrong])
    passed = sum(line["outcome"] == "pass" for line in ran)
    assert passed >= FEWEST[kind], f"only {passed} of {len(ran)} tests passed"


# ---- the judge ---------------------------------------------------------------------------------------

LISTED = [{"tests": ["Case.test_not_yet*"], "error": "NotImplementedError", "reason": "There is none."}]
RAN = {"test": "Case.test", "outcome": "pass", "reason": "", "loops": 1, "asyncio_loops": 0}
NOT_YET = {**RAN, "test": "Case.test_not_yet_there"}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (RAN, None),
        ({**RAN, "outcome": "skip", "loops": 0}, None),
        ({**RAN, "outcome": "fail", "reason": "KeyError: 1"}, "Case.test: KeyError: 1"),
        ({**RAN, "loops": 0}, "Case.test: made no loop of asy"),
        ({**RAN, "asyncio_loops": 2}, "Case.test: made 2 of asyncio's loops"),
        ({**NOT_YET, "outcome": "fail", "reason": "NotImplementedError: "}, None),
        (NOT_YET, "Case.test_not_yet_there: passes now; take it out of cpython_suites.toml"),
        (
            {**NOT_YET, "outcome": "fail", "reason": "KeyError: 1"},
            "Case.test_not_yet_there: listed with NotImplementedError, but: KeyError: 1",
        ),
    ],
)
def test_outcome_is_what_the_table_says_or_wrong(line: "dict[str, Any]", sentence: "str | None") -> None:
    assert judge(line, LISTED) == sentence


def test_name_in_the_table_that_no_test_has_is_wrong() -> None:
    assert list(nameless(LISTED, ["Case.test"])) == ["Case.test_not_yet*: no test has this name"]
    assert list(nameless(LISTED, ["Case.test_not_yet_there"])) == []
    assert list(nameless(LISTED, ["Other.test"])) == []


def test_every_entry_of_the_table_has_its_sentence() -> None:
    assert all(entry["reason"].endswith(".") and entry["error"] for entry in TABLE["failing"])
