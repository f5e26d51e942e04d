# SPDX-License-Identifier: MIT
"""``--resume``: a run that did not end is gone on with, and loses nothing of what it had."""

from __future__ import annotations

import json
import random
import signal
from typing import TYPE_CHECKING

import pytest

from loopcheck.results import read_kept

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Finished, Loopcheck

MADE = "trouble/future_is_made"
INNOCENT = "innocent/callbacks_run_in_order"
LOOPS = ("failing_loops:Segfaults", "failing_loops:InnocentLoop", "failing_loops:Raises")
SELECTION = ("-k", MADE, "-k", INNOCENT)


def ran_on(loopcheck: Loopcheck, *more: str) -> Finished:
    return loopcheck.run(*LOOPS, *SELECTION, "--resume", *more)


def verdicts(finished: Finished) -> set[tuple[str, str, str, str]]:
    """Return what a report is made of, for each scenario on each target."""
    return {
        (r.id, r.target_name, r.verdict, str(len(r.oracle) and len(r.target)))
        for r in finished.results.scenarios
    }


def test_file_cut_at_any_place_is_completed_to_the_same_results(loopcheck: Loopcheck) -> None:
    whole = loopcheck.run(*LOOPS, *SELECTION)
    expected, content = verdicts(whole), whole.file.read_bytes()
    ends = [index + 1 for index, byte in enumerate(content) if byte == 10]
    places = [0, 10, ends[0], ends[1], ends[1] - 1, ends[2] + 5, ends[-2], ends[-1] - 1, ends[-1]]
    for place in [*places, random.Random(7).randrange(len(content))]:
        whole.file.write_bytes(content[:place])
        finished = ran_on(loopcheck)
        assert (finished.status, verdicts(finished)) == (whole.status, expected), place
        assert len(finished.results.scenarios) == len(expected), place
        assert finished.results.footer is not None and whole.results.footer is not None
        assert finished.results.footer["counts"] == whole.results.footer["counts"]


def test_what_was_judged_is_not_run_again(loopcheck: Loopcheck) -> None:
    whole = loopcheck.run(*LOOPS, *SELECTION)
    lines = whole.file.read_text().splitlines(keepends=True)
    for index, line in enumerate(lines):
        record = json.loads(line)
        if record["record"] == "scenario" and record["verdict"] == "agree":
            lines[index] = json.dumps({**record, "title": "This record was kept."}) + "\n"
            break
    whole.file.write_text("".join(lines[:-1]))
    finished = ran_on(loopcheck)
    assert [r.record["title"] for r in finished.results.scenarios].count("This record was kept.") == 1
    assert "This record was kept." in finished.stdout or finished.status == whole.status


def test_killed_driver_s_run_is_completed(loopcheck: Loopcheck) -> None:
    words = ("failing_loops:BlocksInC", *SELECTION, "--timeout", "1000")
    running = loopcheck.start_run(*words)
    running.wait_for(running.file, '"verdict": "agree"')
    running.process.kill()
    killed = running.finish()
    assert (killed.status, killed.results.footer) == (-signal.SIGKILL, None)
    finished = loopcheck.run("failing_loops:BlocksInC", *SELECTION, "--timeout", "1", "--resume")
    assert finished.result(MADE).verdict == "hang"
    assert finished.result(INNOCENT).verdict == "agree"
    assert finished.status == 1
    assert '"record": "resumed", "kept": 1' in finished.file.read_text()


def test_interrupted_run_is_completed_and_its_footer_is_gone(loopcheck: Loopcheck) -> None:
    running = loopcheck.start_run("failing_loops:BlocksInC", *SELECTION, "--timeout", "1000")
    running.wait_for(running.file, '"verdict": "agree"')
    running.process.send_signal(signal.SIGINT)
    assert running.finish().status == 130
    finished = loopcheck.run("failing_loops:BlocksInC", *SELECTION, "--timeout", "1", "--resume")
    assert finished.status == 1
    footers = [line for line in finished.file.read_text().splitlines() if '"record": "footer"' in line]
    assert len(footers) == 1 and json.loads(footers[0])["interrupted"] is False


def test_without_an_earlier_file_it_is_a_run_like_any_other(loopcheck: Loopcheck) -> None:
    finished = ran_on(loopcheck)
    assert (finished.status, len(finished.results.scenarios)) == (1, 6)
    assert "resumed" not in finished.file.read_text()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ((*LOOPS, "-k", MADE), "plan"),
        ((*LOOPS[:2], *SELECTION), "targets"),
        ((*LOOPS, *SELECTION, "--level", "observed"), "level"),
        ((*LOOPS, *SELECTION, "--repeat", "2"), "repeat"),
    ],
)
def test_other_run_than_the_file_s_is_refused_and_the_file_stays(
    loopcheck: Loopcheck, words: tuple[str, ...], name: str
) -> None:
    file = loopcheck.run(*LOOPS, *SELECTION).file
    content = file.read_bytes()
    finished = loopcheck.run(*words, "--resume")
    assert finished.status == 2
    assert finished.stderr.count("\n") == 1 and f"“{name}”" in finished.stderr
    assert file.read_bytes() == content


def test_resume_needs_a_results_file(loopcheck: Loopcheck) -> None:
    finished = loopcheck.command("run", "asyncio@python3", "--resume")
    assert (finished.status, finished.stderr) == (
        2,
        "loopcheck: --resume goes on with the file that --results names\n",
    )


def test_file_that_is_no_results_file_is_not_written_to(loopcheck: Loopcheck) -> None:
    file = loopcheck.folder / "results.jsonl"
    file.write_text("precious\n")
    finished = ran_on(loopcheck)
    assert (finished.status, file.read_text()) == (2, "precious\n")


def test_size_of_what_is_kept_ends_at_a_whole_line(tmp_path: Path, loopcheck: Loopcheck) -> None:
    content = loopcheck.run(*LOOPS, *SELECTION).file.read_bytes()
    for cut in range(len(content) - 400, len(content) + 1, 7):
        (tmp_path / "cut.jsonl").write_bytes(content[:cut])
        kept = read_kept(tmp_path / "cut.jsonl")
        assert kept is not None
        assert kept.size <= cut and content[kept.size - 1 : kept.size] == b"\n"


def test_interrupt_before_it_is_clear_what_to_go_on_with_leaves_the_file_as_it_is(
    loopcheck: Loopcheck,
) -> None:
    content = loopcheck.run(*LOOPS, *SELECTION).file.read_bytes()
    begun = loopcheck.folder / "begun"
    (loopcheck.folder / "slow_import.py").write_text(
        f"import pathlib, time\npathlib.Path({str(begun)!r}).write_text('begun')\ntime.sleep(1000)\n"
    )
    running = loopcheck.start_run("slow_import:Loop", *SELECTION, "--path", str(loopcheck.folder), "--resume")
    running.wait_for(begun, "begun")
    running.process.send_signal(signal.SIGINT)
    finished = running.finish()
    assert (finished.status, finished.file.read_bytes()) == (130, content)
    assert "Traceback" not in finished.stderr
