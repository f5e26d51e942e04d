# SPDX-License-Identifier: MIT
"""``loopcheck judge``: verdicts anew from stored traces, as the run itself would give them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loopcheck.judge import Judgement, judge
from loopcheck.rejudge import judge_again, scenario_level
from loopcheck.results import assemble, read_results, write_results

from .building import event, footer, header, result, statement, subject, trace

if TYPE_CHECKING:
    from conftest import Loopcheck

STATEMENTS = {"call_soon.fifo-order": statement("call_soon.fifo-order")}


def stored(ours: Any, theirs: Any, confirmations: Any = (), **fields: Any) -> Any:
    """Return results with one scenario whose verdict is a wrong one: what it is must come from the traces."""
    wrong = Judgement("agree", "guaranteed", seen=(0, 1))
    records = [header(), result(wrong, ours, theirs, confirmations, **fields), footer(agree=1)]
    return assemble(records)


def test_every_verdict_of_a_run_is_given_again(loopcheck: Loopcheck) -> None:
    loops = ("InnocentLoop", "Segfaults", "Exits", "BlocksInC", "Raises", "LeaksDescriptor", "LacksFutures")
    words = ("-k", "trouble", "-k", "callbacks_run_in_order", "-k", "raises", "-k", "random")
    ran = loopcheck.run(*(f"failing_loops:{loop}" for loop in loops), *words, "--timeout", "2")
    again = loopcheck.folder / "again.jsonl"
    judged = loopcheck.command("judge", str(ran.file), "--output", str(again))
    assert judged.status == ran.status
    assert again.read_bytes() == ran.file.read_bytes()
    assert len({r.verdict for r in ran.results.scenarios}) >= 6
    assert judged.stdout.splitlines()[-1] == ran.stdout.splitlines()[-1]


def test_level_that_is_asked_for_decides() -> None:
    ours, theirs = (trace(event("a", 1)),), (trace(event("a", 2)),)
    results = stored(ours, theirs, statements=[], basis="observed: so it is", scenario_level="observed")
    for level, verdict, status in (("guaranteed", "variant", 0), ("observed", "differ", 1)):
        again = judge_again(results, level, {})
        assert [r.verdict for r in again.scenarios] == [verdict]
        assert again.footer is not None and again.footer["exit"] == status
        assert again.footer["counts"] == {verdict: 1}
        assert again.header["level"] == level


def test_statement_whose_level_changed_changes_the_verdict() -> None:
    results = stored((trace(event("a", 1)),), (trace(event("a", 2)),))
    assert judge_again(results, "guaranteed", STATEMENTS).scenarios[0].verdict == "differ"
    weaker = {"call_soon.fifo-order": statement("call_soon.fifo-order", level="free")}
    assert judge_again(results, "guaranteed", weaker).scenarios[0].verdict == "variant"


def test_scenario_of_statements_that_are_gone_keeps_its_level() -> None:
    record = {"statements": ["gone.statement"], "basis": "", "scenario_level": "observed"}
    assert scenario_level(record, STATEMENTS) == "observed"


def test_confirmations_still_tell_late_from_noise() -> None:
    late = tuple(trace(event("timer", due=1.0, t=1.02)) for _ in range(4))
    in_time = trace(event("timer", due=1.0, t=1.0))
    confirmed = judge_again(stored((in_time,), late[:1], late[1:]), "guaranteed", STATEMENTS)
    assert confirmed.scenarios[0].record["signature"] == "timing:late:timer"
    refuted = judge_again(stored((in_time,), late[:1], (*late[2:], in_time)), "guaranteed", STATEMENTS)
    assert refuted.scenarios[0].verdict == "agree"


def test_noisy_runs_get_no_verdict_again() -> None:
    noisy = trace(event("a", 2), clock="real", run_delay=1.0)
    again = judge_again(stored((trace(event("a", 1)),), (noisy,)), "guaranteed", STATEMENTS)
    assert (again.scenarios[0].verdict, again.scenarios[0].record["reason"]) == ("inconclusive", "noisy")


def test_scenario_that_was_not_run_stays_as_it_was() -> None:
    skipped = result(Judgement("skipped", "guaranteed", reason="version", sentence="It holds since 3.14."))
    again = judge_again(assemble([header(), skipped, footer(skipped=1)]), "observed", STATEMENTS)
    assert [r.record for r in again.scenarios] == [skipped]


def test_what_went_wrong_around_the_scenarios_still_counts() -> None:
    failed = {"record": "target-error", "target": "target", "during": "factory", "sentence": "It raises."}
    missing = {**failed, "during": "import"}
    problem = {"record": "problem", "file": "a.py", "line": 1, "sentence": "cannot be read"}
    good = result(Judgement("agree", "guaranteed", seen=(0, 1)))
    for error, status in ((failed, 3), (missing, 2), (problem, 3)):
        again = judge_again(assemble([header(), error, good, footer(3)]), "guaranteed", STATEMENTS)
        assert again.footer is not None and again.footer["exit"] == status


def test_incomplete_file_stays_incomplete(loopcheck: Loopcheck) -> None:
    file = loopcheck.run("failing_loops:InnocentLoop", "-k", "callbacks_run_in_order").file
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    judged = loopcheck.command("judge", str(file))
    assert judged.status == 3
    assert "INCOMPLETE" in judged.stdout


def test_run_that_is_shown_first_stays_first(tmp_path: Path) -> None:
    ours = tuple(trace(event("a", 1)) for _ in range(2))
    theirs = (trace(event("a", 1)), trace(event("a", 2)))
    again = judge_again(stored(ours, theirs), "guaranteed", STATEMENTS)
    assert [t.events[0].values for t in again.scenarios[0].target] == [(2,), (1,)]
    write_results(tmp_path / "again.jsonl", again)
    read = read_results(tmp_path / "again.jsonl")
    assert [t.events[0].values for t in read.scenarios[0].target] == [(2,), (1,)]
    assert judge(subject(), *(tuple(side) for side in (read.scenarios[0].oracle, read.scenarios[0].target)))


def test_baseline_s_word_goes_and_the_judge_s_comes_back() -> None:
    results = stored((trace(event("a", 1)),), (trace(event("a", 2)),))
    known = {"signature": "value:value:a", "reason": "why", "url": "", "expires": "", "line": 1}
    record = {**results.scenarios[0].record, "verdict": "known", "judged": "differ", "known": known}
    results.scenarios[0] = dataclasses.replace(results.scenarios[0], record=record)
    again = judge_again(results, "guaranteed", STATEMENTS).scenarios[0].record
    assert (again["verdict"], again["judged"], again["known"]) == ("differ", "differ", None)


@pytest.mark.parametrize("content", ["", "no results\n", json.dumps(footer()) + "\n"])
def test_file_that_is_no_results_file_is_refused_in_one_sentence(loopcheck: Loopcheck, content: str) -> None:
    file = loopcheck.folder / "other.jsonl"
    file.write_text(content)
    judged = loopcheck.command("judge", str(file))
    assert judged.status == 2
    assert judged.stderr.count("\n") == 1 and str(file) in judged.stderr
