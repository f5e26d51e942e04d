# SPDX-License-Identifier: MIT
"""A baseline in a run: what ``--baseline`` does to verdicts, to the exit status and to what is printed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Finished, Loopcheck

MADE = "trouble/future_is_made"
INNOCENT = "innocent/callbacks_run_in_order"
RAISES = "error:class:raised LookupError"
CRASH = "process:crash:SIGSEGV"
ENTRY = """[[known]]
scenario = "{scenario}"
target = "failing_loops"
signature = "{signature}"
reason = "It is old."
"""


def entry(scenario: str = MADE, signature: str = RAISES, more: str = "") -> str:
    return ENTRY.format(scenario=scenario, signature=signature) + more + "\n"


def ran(loopcheck: Loopcheck, loop: str, baseline: str, *more: str) -> Finished:
    file = loopcheck.folder / "known.toml"
    file.write_text(baseline)
    return loopcheck.run(f"failing_loops:{loop}", "-k", MADE, "-k", INNOCENT, "--baseline", str(file), *more)


@pytest.mark.parametrize(("loop", "signature"), [("Raises", RAISES), ("Segfaults", CRASH)])
def test_known_difference_passes(loopcheck: Loopcheck, loop: str, signature: str) -> None:
    finished = ran(loopcheck, loop, entry(signature=signature))
    record = finished.result(MADE).record
    assert (finished.status, record["verdict"], record["judged"]) == (
        0,
        "known",
        "differ" if loop == "Raises" else "crash",
    )
    assert record["known"]["reason"] == "It is old."
    assert finished.results.footer and finished.results.footer["counts"] == {"agree": 1, "known": 1}


def test_difference_of_another_kind_is_changed(loopcheck: Loopcheck) -> None:
    finished = ran(loopcheck, "Segfaults", entry())
    assert (finished.status, finished.result(MADE).verdict) == (1, "changed")
    assert "CHANGED" in finished.stdout


def test_agreement_where_a_difference_is_listed_is_fixed(loopcheck: Loopcheck) -> None:
    finished = ran(loopcheck, "InnocentLoop", entry())
    assert (finished.status, finished.result(MADE).verdict) == (4, "fixed")
    assert [problem["kind"] for problem in finished.results.baseline_problems] == ["stale"]
    assert f"known.toml:1: {finished.result(MADE).record['sentence']}" in finished.stdout
    assert "exit 4" in finished.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        (entry("trouble/nothing_of_that_name"), "unknown"),
        (entry(), "duplicate"),
        (entry(INNOCENT, "order:order:b", 'expires = "2020-01-01"\n'), "expired"),
    ],
)
def test_wrong_entry_beside_a_right_one_is_exit_status_4(loopcheck: Loopcheck, more: str, kind: str) -> None:
    finished = ran(loopcheck, "Raises", entry() + more)
    assert finished.status == 4
    assert [problem["kind"] for problem in finished.results.baseline_problems] == [kind]
    assert kind.upper() in finished.stdout


def test_entry_that_does_not_show_is_unused(loopcheck: Loopcheck) -> None:
    finished = ran(loopcheck, "LeaksDescriptor", entry(signature="value:value:never"), "--level", "observed")
    assert finished.result(MADE).verdict == "changed"
    assert [problem["kind"] for problem in finished.results.baseline_problems] == ["unused"]
    leak = finished.result(MADE).record["signature"]
    both = entry(signature="value:value:never") + entry(signature=leak)
    finished = ran(loopcheck, "LeaksDescriptor", both, "--level", "observed")
    assert (finished.status, finished.result(MADE).verdict) == (4, "known")


def test_new_difference_outweighs_a_stale_entry(loopcheck: Loopcheck) -> None:
    finished = ran(loopcheck, "Raises", entry(INNOCENT, "order:order:b"))
    assert finished.status == 1
    assert finished.result(INNOCENT).verdict == "fixed" and finished.result(MADE).verdict == "differ"


@pytest.mark.parametrize(
    "text", ["[[known]", '[[known]]\nscenario = "a/b"\n', entry(more='colour = "red"\n')]
)
def test_baseline_that_cannot_be_read_is_a_wrong_command_line(loopcheck: Loopcheck, text: str) -> None:
    finished = ran(loopcheck, "InnocentLoop", text)
    assert finished.status == 2
    assert finished.stderr.count("\n") == 1 and "known.toml" in finished.stderr


def test_missing_baseline_is_a_wrong_command_line(loopcheck: Loopcheck) -> None:
    finished = loopcheck.run("failing_loops:InnocentLoop", "--baseline", "nothing.toml")
    assert finished.status == 2
    assert finished.stderr.count("\n") == 1 and "nothing.toml" in finished.stderr


def test_judging_again_applies_another_baseline_without_running(loopcheck: Loopcheck) -> None:
    first = loopcheck.run("failing_loops:Raises", "-k", MADE, "-k", INNOCENT)
    assert first.status == 1
    known = loopcheck.folder / "known.toml"
    known.write_text(entry())
    judged = loopcheck.command("judge", str(first.file), "--baseline", str(known))
    assert (judged.status, "1 known" in judged.stdout) == (0, True)
    known.write_text(entry() + entry("trouble/nothing_of_that_name"))
    assert loopcheck.command("judge", str(first.file), "--baseline", str(known)).status == 4


def test_run_that_goes_on_counts_what_is_kept(loopcheck: Loopcheck) -> None:
    finished = ran(loopcheck, "Raises", entry())
    lines = finished.file.read_text().splitlines(keepends=True)
    finished.file.write_text("".join(lines[:-1]))
    again = ran(loopcheck, "Raises", entry(), "--resume")
    assert (again.status, again.results.baseline_problems) == (0, [])
    again.file.write_text("".join(lines[:2]))
    assert ran(loopcheck, "Raises", entry(), "--resume").status == 0


def test_update_makes_a_run_pass_and_the_next_update_changes_nothing(loopcheck: Loopcheck) -> None:
    first = loopcheck.run("failing_loops:Raises", "-k", MADE, "-k", INNOCENT)
    file = str(loopcheck.folder / "made.toml")
    updated = loopcheck.command("baseline", "update", file, str(first.file), "--reason", "It is old.")
    assert updated.status == 0
    assert loopcheck.command("judge", str(first.file), "--baseline", file).status == 0
    assert "nothing changes" in loopcheck.command("baseline", "update", file, str(first.file)).stdout


def test_run_that_goes_on_says_once_what_is_wrong_with_the_baseline(loopcheck: Loopcheck) -> None:
    baseline = entry() + entry("trouble/nothing_of_that_name")
    first = ran(loopcheck, "Raises", baseline)
    assert (first.status, len(first.results.baseline_problems)) == (4, 1)
    again = ran(loopcheck, "Raises", baseline, "--resume")
    assert (again.status, again.results.baseline_problems) == (4, first.results.baseline_problems)


# ---- a run that goes on with another baseline -------------------------------------------------------------


def cut(finished: Finished) -> None:
    """Take the footer and what is said of the baseline from the results, as if the run had been killed."""
    lines = finished.file.read_text().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["record"] not in ("footer", "baseline-problem")]
    finished.file.write_text("".join(kept))


def told(finished: Finished) -> list[tuple[str, str, str]]:
    return [(r.id, r.verdict, r.record["sentence"]) for r in finished.results.scenarios]


@pytest.mark.parametrize(("before", "after"), [("", entry()), (entry(), ""), (entry(), entry(INNOCENT))])
def test_what_is_kept_has_the_verdicts_of_the_baseline_as_it_is_now(
    loopcheck: Loopcheck, before: str, after: str
) -> None:
    whole = ran(loopcheck, "Raises", after)
    status, expected, results = whole.status, told(whole), whole.results
    first = ran(loopcheck, "Raises", before)
    assert told(first) != expected
    cut(first)
    again = ran(loopcheck, "Raises", after, "--resume")
    assert (again.status, told(again)) == (status, expected)
    assert again.results.footer == results.footer
    assert again.results.baseline_problems == results.baseline_problems
    assert again.results.header["baseline_digest"] == hashlib.sha256(after.encode()).hexdigest()
    assert '"record": "resumed", "kept": 2' in again.file.read_text()
    assert list(again.file.parent.glob(".*.jsonl.*")) == []


def test_run_goes_on_with_a_baseline_that_it_began_without_and_without_it_again(loopcheck: Loopcheck) -> None:
    words = ("failing_loops:Raises", "-k", MADE, "-k", INNOCENT)
    known = loopcheck.folder / "known.toml"
    known.write_text(entry())
    without = loopcheck.run(*words)
    expected = told(without)
    cut(without)
    assert loopcheck.run(*words, "--baseline", str(known), "--resume").status == 0
    again = loopcheck.run(*words, "--resume")
    assert (again.status, told(again), again.results.header["baseline"]) == (1, expected, "")


def test_same_baseline_changes_nothing_of_what_is_kept(loopcheck: Loopcheck) -> None:
    first = ran(loopcheck, "Raises", entry())
    cut(first)
    content = first.file.read_text()
    assert ran(loopcheck, "Raises", entry(), "--resume").file.read_text().startswith(content)


def test_results_of_another_run_stay_as_they_are_whatever_the_baseline(loopcheck: Loopcheck) -> None:
    first = ran(loopcheck, "Raises", entry())
    content = first.file.read_bytes()
    other = ran(loopcheck, "Raises", "", "--resume", "--level", "observed")
    assert (other.status, first.file.read_bytes()) == (2, content)


def test_results_whose_header_has_no_digest_are_gone_on_with(loopcheck: Loopcheck) -> None:
    first = ran(loopcheck, "Raises", entry())
    header, *rest = first.file.read_text().splitlines(keepends=True)
    old = {name: value for name, value in json.loads(header).items() if name != "baseline_digest"}
    first.file.write_text(json.dumps(old) + "\n" + "".join(rest))
    assert ran(loopcheck, "Raises", "", "--resume").status == 1
