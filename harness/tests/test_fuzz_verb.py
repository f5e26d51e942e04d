# SPDX-License-Identifier: MIT
"""The command: its exit statuses, what it prints, and the files that it writes and reads."""

import json
import re
from pathlib import Path

import pytest

from .conftest import TESTS, Finished, Loopcheck

STOPS_TOO_LATE = "fuzzed_loops:StopsTooLate"
FEW = ("--programs", "50", "--path", str(TESTS), "--only", "task,stop,on_done")


@pytest.fixture
def found(loopcheck: Loopcheck) -> Finished:
    """The run that finds that a loop stops too late."""
    return loopcheck.command(
        "fuzz", "asyncio", STOPS_TOO_LATE, *FEW, "--save", "kept", "--export", "found.py"
    )


def test_loop_against_itself_shows_nothing(loopcheck: Loopcheck) -> None:
    done = loopcheck.command("fuzz", "asyncio", "asyncio", "--programs", "400")
    assert (done.status, done.stderr) == (0, "")
    assert "no difference" in done.stdout
    assert "400 programs" in done.stdout


def test_difference_is_printed_as_a_program_with_a_sentence(found: Finished) -> None:
    assert found.status == 1
    assert "stop (extra)" in found.stdout
    assert re.search(r"“\w+ \d” happened on fuzzed_loops; it does not on asyncio\.", found.stdout)
    assert "loop.stop()" in found.stdout and "def stop_extra_" in found.stdout
    assert "a task made a task" in found.stdout


def test_right_loop_shows_nothing(loopcheck: Loopcheck) -> None:
    done = loopcheck.command("fuzz", "asyncio", "fuzzed_loops:RightLoop", *FEW)
    assert done.status == 0, done.stdout


def test_same_seed_finds_the_same(loopcheck: Loopcheck, found: Finished) -> None:
    again = loopcheck.command("fuzz", "asyncio", STOPS_TOO_LATE, *FEW, "--save", "again")
    assert again.status == 1
    kept, repeated = (sorted((loopcheck.folder / name).iterdir()) for name in ("kept", "again"))
    assert [file.name for file in kept] == [file.name for file in repeated]
    assert [file.read_text() for file in kept] == [file.read_text() for file in repeated]


def saved(folder: Path) -> Path:
    """Return one of the files that were written."""
    return next(file for file in sorted(folder.iterdir()) if "stop" in file.name)


def test_saved_program_is_replayed(loopcheck: Loopcheck, found: Finished) -> None:
    file = str(saved(loopcheck.folder / "kept"))
    words = ("--replay", file, "--path", str(TESTS))
    again = loopcheck.command("fuzz", "asyncio", STOPS_TOO_LATE, *words)
    assert again.status == 1
    assert "stop (extra)" in again.stdout
    right = loopcheck.command("fuzz", "asyncio", "fuzzed_loops:RightLoop", *words)
    assert right.status == 0
    assert "do the same" in right.stdout and "loop.stop()" in right.stdout


def test_program_is_replayed_by_its_number(loopcheck: Loopcheck, found: Finished) -> None:
    seed = json.loads(saved(loopcheck.folder / "kept").read_text())["seed"]
    again = loopcheck.command("fuzz", "asyncio", STOPS_TOO_LATE, *FEW[2:], "--replay", str(seed))
    assert again.status == 1
    assert f"shrunk from program {seed}" in again.stdout


def test_exported_scenarios_show_the_difference_to_run(loopcheck: Loopcheck, found: Finished) -> None:
    folder = loopcheck.folder / "conformance/fuzz"
    folder.mkdir(parents=True)
    (loopcheck.folder / "found.py").rename(folder / "found.py")
    options = ("--scenarios", str(folder.parent), "--level", "observed", "-k", "stop_extra")
    done = loopcheck.command("run", STOPS_TOO_LATE, "--path", str(TESTS), *options)
    assert done.status == 1, done.stdout
    done = loopcheck.command("run", "fuzzed_loops:RightLoop", "--path", str(TESTS), *options)
    assert done.status == 0, done.stdout


def test_crash_is_found_and_shrunk(loopcheck: Loopcheck) -> None:
    words = ("--programs", "50", "--only", "call_at,call_later", "--path", str(TESTS))
    done = loopcheck.command("fuzz", "asyncio", "fuzzed_loops:CrashesInCallAt", *words)
    assert done.status == 1
    assert "call_at (crash)" in done.stdout
    assert "fuzzed_loops died with SIGSEGV; asyncio does not." in done.stdout


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["asyncio", "asyncio", "--only", "nothing"], "there is no operation 'nothing'"),
        (["asyncio", "asyncio", "--without", "call_soon"], "call_soon cannot be left out"),
        (["asyncio", "asyncio", "--seed", "-1"], "is no natural number"),
        (["asyncio", "asyncio", "--seconds", "0"], "is not above zero"),
        (["asyncio", "asyncio", "--replay", "missing.json"], "missing.json cannot be read"),
        (["asyncio", "nowhere:loop"], "module 'nowhere' does not import"),
        (["asyncio", "nowhere"], "'nowhere' is no target"),
        (["asyncio"], "required: B"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(loopcheck: Loopcheck, words: list[str], sentence: str) -> None:
    done = loopcheck.command("fuzz", *words)
    assert done.status == 2
    assert sentence in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("{", "cannot be read"),
        ("[]", "holds no finding"),
        ('{"loopcheck-fuzz": 1}', "has no 'cause'"),
        (
            '{"loopcheck-fuzz": 1, "cause": "", "kind": "", "sentence": "", "seed": 1, "program": {}}',
            "is damaged",
        ),
        (
            '{"loopcheck-fuzz": 1, "cause": "", "kind": "", "sentence": "", "seed": 1,'
            ' "program": {"runs": [{"body": [{"op": "fly"}]}], "horizon": 1}}',
            "not known here: 'fly'",
        ),
    ],
)
def test_file_that_is_no_finding_is_refused(loopcheck: Loopcheck, text: str, sentence: str) -> None:
    (loopcheck.folder / "one.json").write_text(text)
    done = loopcheck.command("fuzz", "asyncio", "asyncio", "--replay", "one.json")
    assert done.status == 2
    assert sentence in done.stderr


def test_loop_that_is_asyncios_own_is_a_failure(loopcheck: Loopcheck) -> None:
    own = "failing_loops:factory_returns_asyncios_own"
    done = loopcheck.command("fuzz", "asyncio", own, "--path", str(TESTS))
    assert done.status == 3
    assert "asyncio's own loop" in done.stderr
