# SPDX-License-Identifier: MIT
"""``loopcheck baseline update`` as it is called: what it writes and prints, and with which status it ends."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from loopcheck.arguments import Parser, UsageError
from loopcheck.baseline import load
from loopcheck.baseline_verbs import add_parser, write_whole
from loopcheck.results import ResultsError, Writer

from .baseline_records import FILE, Record, differing, entry, head
from .building import footer

ZERO = "timers/zero_delay"
SHOWN = "value:value:zero"


@pytest.fixture
def verb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that runs ``loopcheck baseline`` with arguments, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    parser = Parser()
    add_parser(parser.add_subparsers(parser_class=Parser))

    def run(*words: str) -> int:
        arguments = parser.parse_args(["baseline", *words])
        return int(arguments.function(arguments))

    return run


def results_file(name: str, *records: Record, complete: bool = True, interrupted: bool = False) -> str:
    """Write a results file; return its name."""
    writer = Writer(Path(name))
    ending = [footer(1, interrupted=interrupted)] if complete else []
    for record in [head(), *records, *ending]:
        writer.write(record)
    writer.close()
    return name


def test_the_verb_writes_the_file_and_prints_the_difference(
    verb: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    results = results_file("r.jsonl", differing(ZERO, SHOWN))
    assert verb("update", FILE, results, "--reason", "It is so.") == 0
    assert [one.reason for one in load(Path(FILE)).entries] == ["It is so."]
    printed = capsys.readouterr().out.splitlines()
    assert printed[:2] == [f"--- {FILE}", f"+++ {FILE}"]
    assert '+signature = "value:value:zero"' in printed
    assert printed[-1] == f"{FILE}: 1 added, 0 changed, 0 removed"
    assert verb("update", FILE, results) == 0
    assert capsys.readouterr().out == f"{FILE}: nothing changes\n"


def test_check_writes_nothing_and_fails_if_something_would_change(
    verb: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    results = results_file("r.jsonl", differing(ZERO, SHOWN))
    assert verb("update", FILE, results, "--check") == 1
    assert not os.path.exists(FILE)
    assert f"{FILE}: 1 would be added, 0 changed, 0 removed" in capsys.readouterr().out
    Path(FILE).write_text(entry())
    assert verb("update", FILE, results, "--check") == 0


def test_check_fails_while_a_reason_is_to_be_explained(verb: Callable[..., int]) -> None:
    results = results_file("r.jsonl", differing(ZERO, SHOWN))
    assert verb("update", FILE, results) == 0
    assert verb("update", FILE, results, "--check") == 1
    Path(FILE).write_text(Path(FILE).read_text().replace("TO EXPLAIN", "Explained"))
    assert verb("update", FILE, results, "--check") == 0


@pytest.mark.parametrize("how", [{"complete": False}, {"interrupted": True}])
def test_results_of_a_run_that_did_not_end_are_refused(
    verb: Callable[..., int], capsys: pytest.CaptureFixture[str], how: dict[str, bool]
) -> None:
    good, cut = results_file("g.jsonl", differing(ZERO, SHOWN)), results_file("c.jsonl", **how)
    assert verb("update", FILE, good, cut) == 3
    assert not os.path.exists(FILE)
    assert "c.jsonl is of a run that did not end" in capsys.readouterr().err


def test_what_is_no_results_file_is_refused(verb: Callable[..., int]) -> None:
    with pytest.raises(ResultsError):
        verb("update", FILE, "none.jsonl")


def test_a_file_is_replaced_at_once_and_keeps_its_permissions_and_links(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "link.toml"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    inode = real.stat().st_ino
    write_whole(link, "new")
    assert (real.read_text(), link.is_symlink()) == ("new", True)
    assert real.stat().st_mode & 0o777 == 0o640
    assert real.stat().st_ino != inode
    assert sorted(os.listdir(tmp_path)) == ["link.toml", "real.toml"]


def test_a_file_that_cannot_be_replaced_stays_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x").touch()
    for file in (tmp_path / "folder", tmp_path / "no" / "file"):
        with pytest.raises(UsageError, match="cannot be written"):
            write_whole(file, "new")
    assert os.listdir(tmp_path) == ["folder"]
