# SPDX-License-Identifier: MIT
"""What a scenario needs: a loop with one fault fails once, and what rests on it is blocked, not failed too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loopcheck.resources import scenarios_folder, statements_folder
from loopcheck.scenarios import load_scenarios
from loopcheck.spec import load_statements

if TYPE_CHECKING:
    from conftest import Loopcheck

STATEMENTS = load_statements(statements_folder())
HEAD = "from loopcheck_target import scenario\n\n"
TWO = """
@scenario(statements=["call_soon.fifo-order"])
def base(loop, trace):
    "The base holds."
    trace("base", type(loop).__name__ == {good!r})


@scenario(statements=["call_soon.fifo-order"]{needs})
def rests_on_it(loop, trace):
    "It holds."
    trace("it", type(loop).__name__ == "another")
"""
BASE, RESTS = "area/base", "area/rests_on_it"


def topic(needs: str = ', needs=["area/base"]', head: str = "", good: str = "_UnixSelectorEventLoop") -> str:
    return HEAD + head + TWO.format(needs=needs, good=good)


@pytest.mark.parametrize(("needs", "head"), [(', needs=["area/base"]', ""), ("", 'NEEDS = ["area/base"]\n')])
def test_what_rests_on_a_failed_scenario_is_blocked(loopcheck: Loopcheck, needs: str, head: str) -> None:
    loopcheck.scenario_file("area/topic.py", topic(needs, head))
    finished = loopcheck.run(
        "failing_loops:InnocentLoop", "--scenarios", str(loopcheck.scenarios), "--jobs", "1"
    )
    assert finished.result(BASE).verdict == "differ"
    blocked = finished.result(RESTS).record
    assert (blocked["verdict"], blocked["needs"]) == ("blocked", [BASE])
    assert blocked["sentence"] == "it needs what area/base shows, and that failed."
    assert (finished.status, finished.results.footer and finished.results.footer["counts"]["differ"]) == (
        1,
        1,
    )


def test_what_rests_on_a_scenario_that_agrees_is_run(loopcheck: Loopcheck) -> None:
    loopcheck.scenario_file("area/topic.py", topic(good="none").replace('== "another"', '== "none"'))
    finished = loopcheck.run("failing_loops:InnocentLoop", "--scenarios", str(loopcheck.scenarios))
    assert [finished.result(id).verdict for id in (BASE, RESTS)] == ["agree", "agree"]


def test_scenario_that_is_selected_alone_is_not_blocked(loopcheck: Loopcheck) -> None:
    loopcheck.scenario_file("area/topic.py", topic())
    finished = loopcheck.run(
        "failing_loops:InnocentLoop", "-k", RESTS, "--scenarios", str(loopcheck.scenarios)
    )
    assert finished.result(RESTS).verdict == "agree"


def test_more_blocked_scenarios_than_jobs_do_not_wait_for_each_other(loopcheck: Loopcheck) -> None:
    """The needed scenario stands behind all that need it, so they all wait when it begins."""
    many = "".join(
        f'\n\n@scenario(statements=["call_soon.fifo-order"], needs=["zone/last"])\n'
        f'def number_{n}(loop, trace):\n    "It holds."\n    trace("it")\n'
        for n in range(12)
    )
    last = (
        '\n\n@scenario(statements=["call_soon.fifo-order"])\n'
        'def last(loop, trace):\n    "It ends."\n    trace(type(loop).__name__)\n'
    )
    loopcheck.scenario_file("area/many.py", HEAD + many)
    loopcheck.scenario_file("zone/last.py", HEAD + last)
    finished = loopcheck.run(
        "failing_loops:InnocentLoop", "--scenarios", str(loopcheck.scenarios), "--jobs", "1"
    )
    assert [finished.result(f"area/number_{n}").verdict for n in range(12)] == ["blocked"] * 12


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (topic(', needs=["area/nothing"]'), "rests_on_it: needs 'area/nothing', which is no scenario"),
        (
            topic(', needs=["area/rests_on_it"]'),
            "rests_on_it: needs area/rests_on_it, which has needs itself; name those instead",
        ),
        (topic("", "NEEDS = list()\n"), "NEEDS must be a literal list of scenarios' ids"),
        (topic("", "NEEDS = [1]\n"), "NEEDS must be a literal list of scenarios' ids"),
        (topic(", needs='area/base'"), "needs= must be a list"),
    ],
)
def test_need_that_cannot_be_met_is_said(tmp_path: Path, script: str, sentence: str) -> None:
    (tmp_path / "area").mkdir()
    (tmp_path / "area" / "topic.py").write_text(script)
    _, problems = load_scenarios(tmp_path, STATEMENTS)
    assert len(problems) == 1 and sentence in str(problems[0])


def test_shipped_scenarios_that_are_needed_need_nothing() -> None:
    scenarios, _ = load_scenarios(scenarios_folder(), STATEMENTS)
    needed = {need for scenario in scenarios for need in scenario.needs}
    assert needed and not [s.id for s in scenarios if s.id in needed and s.needs]


def test_loop_whose_only_fault_is_call_later_fails_once_in_the_timers(loopcheck: Loopcheck) -> None:
    module = (
        "import asyncio\n\n\nclass Loop(asyncio.SelectorEventLoop):\n"
        "    def call_later(self, delay, callback, *args, context=None):\n"
        "        return super().call_later(delay, lambda: None)\n"
    )
    (loopcheck.folder / "fault.py").write_text(module)
    words = ("fault:Loop", "--area", "timers", "--path", str(loopcheck.folder), "--timeout", "1")
    finished = loopcheck.run(*words, "--scenarios", str(scenarios_folder()))
    verdicts = {r.id: r.verdict for r in finished.results.scenarios}
    failed = [id for id, verdict in verdicts.items() if verdict not in ("agree", "blocked", "skipped")]
    assert failed == ["timers/timer_runs_exactly_once"]
    assert list(verdicts.values()).count("blocked") > 20
