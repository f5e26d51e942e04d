# SPDX-License-Identifier: MIT
"""The proof that a new scenario has to pass: what chance or load decides is caught, what does not vary passes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from loopcheck.judge import Judgement
from loopcheck.repetition import disagreements
from loopcheck.results import assemble
from loopcheck.traces import Trace

from .building import barrier, event, events, header, result, trace

ROOT = Path(__file__).resolve().parents[2]
CHECK = ROOT / "ci/checks/prove.py"
SHIPPED = "callbacks/call_soon_runs_in_order"

HEAD = """\
import os
import random

from loopcheck_target import scenario


def rest():
    \"\"\"Do nothing.\"\"\"
    return 0


"""
STEADY = '''\
@scenario(basis="observed: for a test")
def steady(loop, trace):
    """One callback runs."""
    loop.call_soon(trace, "callback")
    loop.call_soon(loop.stop)
    loop.run_forever()
    trace("stopped", rest())


'''
BY_CHANCE = '''\
@scenario(basis="observed: for a test")
def by_chance(loop, trace):
    """Chance decides the order."""
    for name in random.sample("abcde", 5):
        trace(name)
    loop.close()


'''
BY_LOAD = '''\
def parent(pid):
    """Return a process's parent."""
    with open("/proc/%d/stat" % pid) as file:
        return int(file.read().rpartition(")")[2].split()[1])


@scenario(basis="observed: for a test")
def by_load(loop, trace):
    """What else the check has running decides: a stand-in for load, of which this machine may have enough."""
    check = parent(parent(os.getppid()))  # of its child loopcheck, of its child the fork server
    with open("/proc/%d/task/%d/children" % (check, check)) as file:
        trace("burdened", len(file.read().split()) > 1)
    loop.close()


'''


def write(root: Path, *scenarios: str) -> None:
    """Write a project of these scenarios."""
    file = root / "conformance/area/topic.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(HEAD + "".join(scenarios), encoding="utf-8")
    statements = root / "spec/statements"
    if not statements.exists():
        statements.parent.mkdir()
        statements.symlink_to(ROOT / "spec/statements")


def prove(*words: str, root: Path = ROOT) -> tuple[int, str]:
    """Run the check; return its exit status and what it prints."""
    command = [sys.executable, str(CHECK), "--root", str(root), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def commit(root: Path) -> None:
    """Commit what is there."""
    name = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "conformance"], [*name, "commit", "-q", "-m", "some"]):
        subprocess.run(["git", "-C", str(root), *words], check=True)


# ---- the protocol --------------------------------------------------------------------------------------------


def test_shipped_scenario_passes() -> None:
    status, text = prove(SHIPPED, "--runs", "4")
    assert (status, text) == (0, "1 scenarios, 4 runs each on two loops: none not the same every time\n")


def test_scenario_that_chance_decides_is_caught_with_two_runs_side_by_side(tmp_path: Path) -> None:
    write(tmp_path, STEADY, BY_CHANCE)
    status, text = prove("area/by_chance", "area/steady", "--runs", "6", root=tmp_path)
    assert status == 1
    # Which of its entries moved, and which way, is chance, too.
    assert re.search(r"(?m)^area/by_chance on asyncio: “.”.*on run 1 it comes (before|after)", text), text
    assert [line for line in text.splitlines() if line.startswith("  ! ")]
    assert "area/steady" not in text


def test_scenario_that_the_load_decides_is_caught(tmp_path: Path) -> None:
    write(tmp_path, BY_LOAD)
    status, text = prove("area/by_load", "--runs", "6", root=tmp_path)
    assert status == 1
    assert "area/by_load on " in text


def test_only_what_is_new_or_changed_has_to_be_proved(tmp_path: Path) -> None:
    write(tmp_path, STEADY, BY_LOAD)
    commit(tmp_path)
    assert prove("--changed-since", "HEAD", "--list", root=tmp_path) == (0, "")
    write(tmp_path, BY_CHANCE, STEADY.replace("    loop.run", "    # a comment\n\n    loop.run"), BY_LOAD)
    status, text = prove("--changed-since", "HEAD", "--runs", "6", root=tmp_path)
    assert (status, text.splitlines()[-1].partition(" ")[0]) == (1, "1")
    assert "area/by_chance on asyncio" in text


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("return 0", "return 1"), id="a helper"),
        pytest.param(("for a test", "for another"), id="the decorator"),
        pytest.param(('"callback")', '"called back")'), id="the function"),
    ],
)
def test_scenario_has_changed_with_whatever_it_uses(tmp_path: Path, change: tuple[str, str]) -> None:
    write(tmp_path, STEADY)
    commit(tmp_path)
    file = tmp_path / "conformance/area/topic.py"
    file.write_text(file.read_text().replace(*change))
    assert prove("--changed-since", "HEAD", "--list", root=tmp_path) == (0, "area/steady\n")


def test_scenario_counts_as_proved_until_it_changes(tmp_path: Path) -> None:
    write(tmp_path, STEADY)
    refuse = ("--unproved", "--list", "--refuse")
    status, text = prove(*refuse, root=tmp_path)
    assert (status, text.splitlines()[0]) == (1, "area/steady")
    assert prove("--unproved", "--record", root=tmp_path)[0] == 0
    assert prove(*refuse, root=tmp_path) == (0, "")
    file = tmp_path / "conformance/area/topic.py"
    file.write_text(file.read_text().replace("    loop.run", "    # a comment\n\n    loop.run"))
    assert prove(*refuse, root=tmp_path) == (0, "")
    file.write_text(file.read_text().replace('"callback"', '"called back"'))
    assert prove(*refuse, root=tmp_path)[0] == 1


def test_scenario_that_fails_is_not_recorded(tmp_path: Path) -> None:
    write(tmp_path, STEADY, BY_CHANCE)
    assert prove("--unproved", "--record", root=tmp_path)[0] == 1
    assert prove("--unproved", "--list", root=tmp_path) == (0, "area/by_chance\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["area/none"], "there is no scenario 'area/none'\n"),
        ([], "name scenarios, or a revision with --changed-since, or --unproved\n"),
        ([SHIPPED, "--record", "--runs", "3"], "--record takes 20 runs, not 3\n"),
        (["--changed-since", "nowhere"], "the scenarios of nowhere are not to be had: "),
        (
            [SHIPPED, "--target", "nowhere:loop", "--runs", "2"],
            "nowhere:loop: module 'nowhere' does not import",
        ),
    ],
)
def test_what_cannot_be_proved_is_said_in_one_sentence(words: list[str], sentence: str) -> None:
    status, text = prove(*words)
    assert (status, text.count("\n")) == (2, 1)
    assert text.startswith(sentence)


# ---- comparing runs ------------------------------------------------------------------------------------------


def found_in(*runs: Trace, verdict: str = "agree") -> list[str]:
    """Return what is said of these runs of the oracle, of which the target has the first."""
    record = result(Judgement(verdict, "guaranteed", sentence="so it is."), runs, runs[:1])
    return [str(each) for each in disagreements([assemble([header(), record])])]


def test_runs_that_the_model_allows_do_not_disagree() -> None:
    assert found_in(trace(*events("x.a y.b")), trace(*events("y.b x.a"))) == []


def test_runs_that_differ_disagree_in_what_comes_first() -> None:
    a, b = event("a"), event("b")
    assert found_in(trace(a, b), trace(a, b), trace(a)) == [
        "area/scenario on asyncio: “b” did not happen on run 3; it does on run 1."
    ]
    assert (
        len(found_in(trace(a, barrier(), event("b", actor="x")), trace(event("b", actor="x"), barrier(), a)))
        == 1
    )


def test_leftovers_are_compared_too() -> None:
    assert found_in(trace(), trace(left={"fds": ["socket"]})) == [
        "area/scenario on asyncio: run 1 has {} as left, run 2 {'fds': ['socket']}."
    ]


def test_run_that_was_noisy_proves_nothing() -> None:
    noisy = trace(event("a"), clock="real", run_delay=1.0)
    assert found_in(trace(), noisy) == found_in(noisy, trace()) == []
    assert len(found_in(noisy, trace(), trace(event("b")))) == 1


def test_verdict_other_than_agreement_is_a_disagreement() -> None:
    assert found_in(trace(), verdict="differ") == ["area/scenario on target: differ: so it is."]
    assert found_in(trace(), verdict="unsupported") == []


def test_runs_of_several_results_are_compared_with_each_other() -> None:
    each = [
        assemble([header(), result(Judgement("agree", "guaranteed"), (run,), (run,))])
        for run in (trace(), trace(event("a")))
    ]
    assert [found.side for found in disagreements(each)] == ["asyncio", "target"]
