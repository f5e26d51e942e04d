# SPDX-License-Identifier: MIT
"""What a command does when what it reads or writes is not as it should be: one sentence, and nothing is lost.

A reader that leaves is no error, a full disk is; a file that another one's name would overwrite stays; and
results that are not what one run wrote are refused.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Loopcheck

INNOCENT = "innocent/callbacks_run_in_order"
LOOP = "failing_loops:InnocentLoop"
TESTS = Path(__file__).resolve().parent

# Each with the status that it has when its output is read.
PRINTING = {
    "run": (("run", LOOP, "--path", str(TESTS), "-k", INNOCENT), 0),
    "run with a difference": (("run", "failing_loops:Raises", "--path", str(TESTS), "-k", "made"), 1),
    "list": (("list",), 0),
    "list statements": (("list", "statements"), 0),
    "show": (("show", "call_soon.fifo-order"), 0),
    "export": (("export", INNOCENT), 0),
    "doctor": (("doctor", "asyncio"), 0),
    "coverage": (("coverage", "--statements-only"), 0),
    "report": (("report", "run.jsonl", "-vv"), 1),
    "annotations": (("report", "run.jsonl", "--annotations", "github"), 1),
    "judge": (("judge", "run.jsonl"), 1),
    "diff": (("diff", "run.jsonl", "again.jsonl"), 0),
    "baseline update": (("baseline", "update", "known.toml", "run.jsonl"), 0),
}
OWN_SCENARIOS = ("run", "list", "export", "show")


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The results of a run."""
    runner = Loopcheck(tmp_path_factory.mktemp("run"))
    return runner.run("failing_loops:Raises", "-k", "made", "-k", INNOCENT).file.read_bytes()


@pytest.fixture
def folder(loopcheck: Loopcheck, content: bytes) -> Path:
    """A folder with the results of one run, twice."""
    for name in ("run.jsonl", "again.jsonl"):
        (loopcheck.folder / name).write_bytes(content)
    return loopcheck.folder


def command(what: str) -> tuple[list[str], int]:
    words, status = PRINTING[what]
    scenarios = ["--scenarios", str(TESTS / "scenarios_failing")] if words[0] in OWN_SCENARIOS else []
    return [
        sys.executable,
        "-m",
        "loopcheck",
        *words,
        *(scenarios if words[1:2] != ("statements",) else []),
    ], status


@pytest.mark.parametrize("what", PRINTING)
def test_reader_that_left_changes_neither_status_nor_anything_else(folder: Path, what: str) -> None:
    words, status = command(what)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as nobody_reads:
        ended = subprocess.run(words, cwd=folder, stdout=nobody_reads, stderr=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stderr) == (status, b"")


@pytest.mark.parametrize("what", ["run", "list", "report"])
def test_closed_output_is_output_that_nobody_reads(folder: Path, what: str) -> None:
    words, status = command(what)
    ended = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *words], cwd=folder, capture_output=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (status, b"")


@pytest.mark.parametrize("what", ["run", "list", "show", "report", "baseline update"])
def test_output_that_cannot_be_written_is_one_sentence(folder: Path, what: str) -> None:
    words, _ = command(what)
    results = ["--results", "kept.jsonl"] if words[3] == "run" else []
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            [*words, *results], cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 3
    assert ended.stderr == "loopcheck: the output cannot be written: No space left on device\n"
    if results:
        assert '"record": "footer"' in (folder / "kept.jsonl").read_text()


def test_ctrl_c_while_loopcheck_is_loaded_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "rich.py").write_text("raise KeyboardInterrupt\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    words = [sys.executable, "-m", "loopcheck", "list"]
    ended = subprocess.run(words, env={**os.environ, "PYTHONPATH": path}, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"loopcheck: interrupted\n")


# ---- files that would be lost --------------------------------------------------------------------------------

LOSING = {
    "the results by a report": ("report", "run.jsonl", "--junit", "run.jsonl"),
    "one report by another": ("report", "run.jsonl", "--junit", "out", "--html", "./out"),
    "the results by the comparison": ("diff", "run.jsonl", "again.jsonl", "--json", "again.jsonl"),
    "the results by JUnit": ("run", LOOP, "--results", "run.jsonl", "--junit", "run.jsonl"),
    "the baseline by the results": ("run", LOOP, "--results", "known.toml", "--baseline", "known.toml"),
    "the baseline by the judgement": (
        "judge",
        "run.jsonl",
        "--baseline",
        "known.toml",
        "--output",
        "known.toml",
    ),
}


@pytest.mark.parametrize("what", LOSING)
def test_file_that_is_named_twice_is_not_written_over(loopcheck: Loopcheck, folder: Path, what: str) -> None:
    (folder / "known.toml").write_text("")
    before = {file: file.read_bytes() for file in folder.iterdir()}
    ended = loopcheck.command(*LOSING[what])
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1 and "is named twice" in ended.stderr
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("name", "why"), [("nowhere/x", "No such file or directory"), (".", "Is a directory")]
)
def test_report_that_cannot_be_written_stops_the_run_before_it_begins(
    loopcheck: Loopcheck, name: str, why: str
) -> None:
    ended = loopcheck.run(LOOP, "-k", INNOCENT, "--junit", name)
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.stderr == f"loopcheck: {name} cannot be written: {why}\n"
    assert not ended.file.exists()


def test_file_that_another_run_writes_is_left_alone(loopcheck: Loopcheck) -> None:
    words = ("failing_loops:BlocksInC", "-k", "future_is_made", "-k", INNOCENT, "--timeout", "1000")
    running = loopcheck.start_run(*words)
    running.wait_for(running.file, '"verdict": "agree"')
    for more in ((), ("--resume",)):
        ended = loopcheck.run(*words, *more)
        sentence = f"loopcheck: the results file {running.file} is being written by another run\n"
        assert (ended.status, ended.stdout, ended.stderr) == (2, "", sentence)
    running.process.send_signal(signal.SIGINT)
    finished = running.finish()
    assert (finished.status, finished.result(INNOCENT).verdict) == (130, "agree")
    assert loopcheck.run(LOOP, "-k", INNOCENT).status == 0  # the file is free again, and begins anew


def test_results_are_judged_in_their_own_place(loopcheck: Loopcheck, folder: Path) -> None:
    before = sorted(folder.iterdir())
    assert loopcheck.command("judge", "run.jsonl", "--output", "run.jsonl").status == 1
    assert (folder / "run.jsonl").read_bytes() == (folder / "again.jsonl").read_bytes()
    assert sorted(folder.iterdir()) == before


def test_folder_of_the_target_s_path_that_is_not_there_is_told(loopcheck: Loopcheck) -> None:
    for words in (("run", LOOP), ("doctor", LOOP), ("export", "timers/x")):
        ended = loopcheck.command(*words, "--path", "nowhere")
        assert (ended.status, ended.stdout) == (2, "")
        assert ended.stderr == "loopcheck: there is no folder nowhere to put on the target's path\n"


# ---- results that no run wrote -------------------------------------------------------------------------------


def glued(lines: list[str]) -> list[str]:
    """Return the lines of two runs in one file."""
    return lines * 2


def gone_on_behind_its_end(lines: list[str]) -> list[str]:
    """Return a scenario's record behind the footer."""
    return [*lines, lines[1]]


def said_twice(lines: list[str]) -> list[str]:
    """Return a scenario's record twice."""
    return [*lines[:2], *lines[1:]]


def about_another_target(lines: list[str]) -> list[str]:
    """Return the record of a target that the header does not have."""
    return [lines[0], lines[1].replace('"target": "failing_loops"', '"target": "moon"', 1), *lines[2:]]


def of_a_later_format(lines: list[str]) -> list[str]:
    """Return a header of another format."""
    header = {**json.loads(lines[0]), "format": 99, "loopcheck": "9.9"}
    return [json.dumps(header), *lines[1:]]


def too_deep(lines: list[str]) -> list[str]:
    """Return a line that is nested deeper than the reader can follow."""
    return [lines[0], "[" * 100_000, *lines[1:]]


REFUSED = {
    glued: "begins another run's results",
    gone_on_behind_its_end: "comes behind the end of the run",
    said_twice: "as a record before it is",
    about_another_target: "is about moon, which is no target of the run",
    of_a_later_format: "is of format 99, written by loopcheck 9.9",
    too_deep: "run.jsonl:2 is no JSON",
}


@pytest.mark.parametrize("change", REFUSED, ids=lambda change: change.__name__)
def test_results_that_no_run_wrote_are_refused(
    loopcheck: Loopcheck, folder: Path, change: Callable[[list[str]], list[str]]
) -> None:
    file = folder / "run.jsonl"
    file.write_text("\n".join(change(file.read_text().splitlines())) + "\n")
    ended = loopcheck.command("report", "run.jsonl")
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1 and REFUSED[change] in ended.stderr


# ---- which scenarios -----------------------------------------------------------------------------------------


def test_whole_id_selects_that_scenario_only(loopcheck: Loopcheck) -> None:
    def listed(*words: str) -> list[str]:
        return [line.partition("\t")[0] for line in loopcheck.command("list", *words).stdout.splitlines()]

    scenario, longer = "area/stops", "area/stops_twice"
    text = "from loopcheck_target import scenario\n"
    for id in (scenario, longer):
        name = id.partition("/")[2]
        text += f"\n\n@scenario(basis='observed: it')\ndef {name}(loop):\n    'It.'\n"
    loopcheck.scenario_file("area/topic.py", text)
    own = ("--scenarios", str(loopcheck.scenarios))
    assert listed("-k", scenario, *own) == [scenario]
    assert listed("-k", "area/stop", *own) == [scenario, longer]
    assert listed("-k", f"{scenario}*", *own) == [scenario, longer]
    assert listed("-k", scenario, "-k", longer, *own) == [scenario, longer]
    assert listed("statements", "-k", "call_soon.fifo-order") == ["call_soon.fifo-order"]
