# SPDX-License-Identifier: MIT
"""Every way to fail gives one clear sentence, the right verdict or exit status, and spares the rest of the run.

Next to whatever fails there is something innocent, a scenario or a target, whose agreement is asserted.  The
loops are in ``failing_loops.py``, the scenarios in ``scenarios_failing``; ``conftest.py`` runs the command line
and sees to it that no run prints a traceback or leaves a process.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loopcheck.interpreters import InterpreterError, find_interpreter

if TYPE_CHECKING:
    from conftest import Finished, Loopcheck

MADE = "trouble/future_is_made"
AWAITED = "trouble/future_is_awaited"
INNOCENT = "innocent/callbacks_run_in_order"
INNOCENT_LOOP = "failing_loops:InnocentLoop"
SHORT = ("--timeout", "2")  # for runs in which something hangs; an innocent scenario needs milliseconds


def spared(finished: Finished, target: str = "failing_loops") -> None:
    """Check that the innocent scenario agreed on a target."""
    assert finished.result(INNOCENT, target).verdict == "agree"


# ---- the target fails in a scenario --------------------------------------------------------------------------

IN_A_SCENARIO = {
    "Segfaults": (MADE, "crash", 1, "failing_loops died with SIGSEGV after “before”."),
    "Aborts": (MADE, "crash", 1, "failing_loops died with SIGABRT after “before”."),
    "Exits": (MADE, "crash", 1, "failing_loops called _exit(7) after “before”."),
    "IsBusyForEver": (MADE, "hang", 1, "failing_loops did not end within … after “before”."),
    "BlocksInC": (MADE, "hang", 1, "failing_loops did not end within … after “before”."),
    "NeverResumes": (AWAITED, "hang", 1, "failing_loops did not end within … after “before”."),
    "HangsInClose": (MADE, "hang", 1, "failing_loops did not end within … after “after”."),
    "Raises": (MADE, "differ", 1, "ended with LookupError('no futures today') on failing_loops"),
    "LeavesByExit": (MADE, "differ", 1, "ended with SystemExit('5') on failing_loops"),
    "LacksFutures": (MADE, "unsupported", 0, "ended with NotImplementedError() on failing_loops"),
    "RaisesInClose": (MADE, "differ", 1, "closing the loop of failing_loops raised ArithmeticError"),
    "ScribblesOnTrace": (MADE, "harness-error", 3, "the trace is damaged after “before”"),
    "ScribblesJson": (MADE, "harness-error", 3, "the trace is damaged after “before”"),
    "ClosesTrace": (MADE, "crash", 1, "after “before”"),
    "factory_gives_asyncios_own_later": (MADE, "harness-error", 3, "gave asyncio's own loop"),
    "factory_gives_a_loop_that_cannot_close": (MADE, "differ", 1, "closing the loop of failing_loops raised"),
    "factory_raises_later": (MADE, "harness-error", 3, "OSError: only one loop per process"),
}


@pytest.mark.parametrize("loop", IN_A_SCENARIO)
def test_failure_in_one_scenario_is_its_verdict(loopcheck: Loopcheck, loop: str) -> None:
    scenario, verdict, status, words = IN_A_SCENARIO[loop]
    timeout = SHORT if verdict == "hang" else ()
    finished = loopcheck.run(f"failing_loops:{loop}", "-k", scenario, "-k", INNOCENT, *timeout)
    result = finished.result(scenario)
    assert (result.verdict, finished.status) == (verdict, status)
    assert all(part in result.record["sentence"] for part in words.split("…"))
    assert result.record["sentence"] in finished.stdout
    assert finished.stderr == ""
    if not loop.startswith("factory"):  # these are wrong in every scenario
        spared(finished)


def test_targets_that_fail_in_every_scenario_spare_the_others(loopcheck: Loopcheck) -> None:
    wrong = ("failing_loops:factory_gives_asyncios_own_later", "failing_loops:factory_raises_later")
    finished = loopcheck.run(*wrong, INNOCENT_LOOP, "-k", INNOCENT)
    assert [finished.result(INNOCENT, target).verdict for target in wrong] == ["harness-error"] * 2
    spared(finished, INNOCENT_LOOP)


@pytest.mark.parametrize(
    ("loop", "what"),
    [
        ("BlocksInC", "os.read(os.pipe()[0], 1)"),
        ("NeverResumes", "await future"),
        ("Segfaults", "create_future"),
    ],
)
def test_report_shows_where_it_happened(loopcheck: Loopcheck, loop: str, what: str) -> None:
    finished = loopcheck.run(f"failing_loops:{loop}", "-k", AWAITED, "-k", INNOCENT, *SHORT)
    assert "what the process wrote last" in finished.stdout
    evidence = finished.stdout.partition("what the process wrote last")[2]
    assert what in evidence or f'failing_loops.py", line {line_of(what)}' in evidence
    spared(finished)


def line_of(code: str) -> int:
    """Return the first line of failing_loops.py that has this code; faulthandler shows numbers, not text."""
    lines = Path(__file__).with_name("failing_loops.py").read_text().splitlines()
    return next((number for number, line in enumerate(lines, start=1) if code in line), 0)


def test_printing_target_is_kept_out_of_the_report(loopcheck: Loopcheck) -> None:
    finished = loopcheck.run("failing_loops:Prints", "-k", MADE, "-k", INNOCENT)
    result = finished.result(MADE)
    assert (result.verdict, finished.status) == ("agree", 0)
    assert "printed to" not in finished.stdout and "written to" not in finished.stdout
    assert finished.stderr == ""
    assert {"printed to stdout", "written to stdout", "printed to stderr", "written to stderr"} <= set(
        result.target[0].outcome.output.splitlines()
    )
    spared(finished)


# ---- leftovers -----------------------------------------------------------------------------------------------

LEFT = {
    "LeaksDescriptor": "failing_loops left 1 descriptor (socket) open;",
    "LeaksThread": "failing_loops left 1 thread running;",
    "LeaksChild": "failing_loops left a child process;",
    "LeavesTask": "failing_loops left 1 task pending;",
}


@pytest.mark.parametrize("loop", LEFT)
def test_leftover_of_one_scenario_is_a_leak(loopcheck: Loopcheck, loop: str) -> None:
    finished = loopcheck.run(f"failing_loops:{loop}", "-k", MADE, "-k", INNOCENT, "--level", "observed")
    differences = finished.result(MADE).record["differences"]
    assert (finished.result(MADE).verdict, finished.status) == ("differ", 1)
    leaks = [found["sentence"] for found in differences if found["kind"] == "leak"]
    assert [sentence.startswith(LEFT[loop]) for sentence in leaks] == [True]
    assert leaks[0] in finished.stdout
    spared(finished)


def test_leak_counts_only_where_what_is_merely_observed_counts(loopcheck: Loopcheck) -> None:
    finished = loopcheck.run("failing_loops:LeaksDescriptor", "-k", MADE, "-k", INNOCENT)
    assert (finished.result(MADE).verdict, finished.status) == ("variant", 0)
    assert LEFT["LeaksDescriptor"] in finished.stdout
    spared(finished)


def test_leftover_of_every_loop_is_told_once(loopcheck: Loopcheck) -> None:
    loopcheck.scenario_file(
        "habits/every_loop.py",
        "from loopcheck_target import scenario\n\n\n"
        "@scenario(statements=['call_soon.fifo-order'], tags=['habits'])\n"
        "def leaves_nothing(loop):\n"
        "    '''A loop that is closed leaves nothing behind.'''\n"
        "    loop.call_soon(loop.stop)\n"
        "    loop.run_forever()\n",
    )
    options = ("--scenarios", str(loopcheck.scenarios), "--level", "observed")
    finished = loopcheck.run("failing_loops:LeavesByEveryLoop", *options)
    assert finished.result("habits/leaves_nothing").record["sentence"].startswith(LEFT["LeaksDescriptor"])
    assert finished.status == 1
    spared(finished)


# ---- the target gives no loop --------------------------------------------------------------------------------

NO_LOOP = {
    "failing_loops:factory_raises": (3, "the factory raised OSError: no loops today"),
    "failing_loops:factory_returns_nothing": (3, "the factory returned None, which is no event loop"),
    "failing_loops:factory_returns_something_else": (
        3,
        "the factory returned a dict, which is no event loop",
    ),
    "failing_loops:factory_returns_asyncios_own": (3, "its factory gives asyncio's own loop"),
    "failing_loops:factory_crashes": (3, "making a loop and running a callback on it ended with SIGSEGV"),
    "failing_loops:factory_exits": (3, "making a loop and running a callback on it called _exit(7)"),
    "failing_loops:factory_hangs": (
        3,
        "making a loop and running a callback on it did not end within 10 s",
    ),
    "failing_loops:not_callable": (2, "is a int, not a callable that returns a loop"),
    "failing_loops:there_is_none": (2, "module 'failing_loops' has no 'there_is_none'"),
    "no_such_module:new_event_loop": (2, "module 'no_such_module' does not import: ModuleNotFoundError"),
}


@pytest.mark.parametrize("target", NO_LOOP)
def test_target_without_a_loop_is_an_error_of_its_own(loopcheck: Loopcheck, target: str) -> None:
    status, words = NO_LOOP[target]
    finished = loopcheck.run(target, INNOCENT_LOOP, "-k", INNOCENT)
    assert_only_this_target_failed(finished, target, status, words)


def assert_only_this_target_failed(finished: Finished, target: str, status: int, words: str) -> None:
    """Check that a target gave one sentence and no verdict, and that the innocent loop was judged."""
    assert len(finished.errors) == 1
    assert finished.errors[0].startswith(f"{target}: ")
    assert words in finished.errors[0]
    assert finished.errors[0] in finished.stdout
    assert "\n" not in finished.errors[0]
    assert (finished.status, finished.stderr) == (status, "")
    assert [result.verdict for result in finished.results.scenarios] == ["agree"]


IMPORTS = {
    "raises": ("raise RuntimeError('not today')", 2, "does not import: RuntimeError: not today"),
    "leaves": ("import sys; sys.exit('good bye')", 2, "does not import: SystemExit: good bye"),
    "is_no_python": ("def (", 2, "does not import: SyntaxError"),
    "crashes": ("import ctypes; ctypes.string_at(0)", 3, "died with SIGSEGV while importing it"),
    "exits": ("import os; os._exit(9)", 3, "ended with status 9 while importing it"),
    "hangs": ("import os; os.read(os.pipe()[0], 1)", 3, "importing hangs did not end within 3 s"),
}


@pytest.mark.parametrize("module", IMPORTS)
def test_module_that_fails_to_import_is_an_error_of_its_own(loopcheck: Loopcheck, module: str) -> None:
    text, status, words = IMPORTS[module]
    (loopcheck.folder / f"{module}.py").write_text(text)
    target = f"{module}:new_event_loop"
    patch = "loopcheck.servers.SETUP_TIMEOUT_S = 3" if module == "hangs" else ""
    options = ("--path", str(loopcheck.folder), "-k", INNOCENT)
    finished = loopcheck.run(target, INNOCENT_LOOP, *options, patch=patch)
    assert_only_this_target_failed(finished, target, status, words)


def test_interpreter_that_cannot_run_the_target_is_an_error_of_its_own(loopcheck: Loopcheck) -> None:
    python = executable(
        loopcheck.folder / "fragile", 'if [ "$1" = -c ]; then echo 3.12.1 cpython; else exit 4; fi'
    )
    target = f"{INNOCENT_LOOP}@{python}"
    finished = loopcheck.run(target, INNOCENT_LOOP, "-k", INNOCENT)
    assert finished.status == 3
    assert finished.errors[0] == f"{target}: its interpreter ended with status 4 while importing it"
    assert [r.verdict for r in finished.results.scenarios] == ["agree"]


def executable(file: Path, text: str) -> Path:
    """Make a shell script; return it."""
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


# ---- a scenario fails ----------------------------------------------------------------------------------------

BROKEN = {
    "raises": ("broken-scenario", 'it raises ValueError("the author\'s mistake") on asyncio.'),
    "hangs": ("broken-scenario", "asyncio did not end within … after “waiting”."),
    "exits": ("broken-scenario", "asyncio called _exit(3) after “leaving”."),
    "makes_no_loop": ("harness-error", "the target's factory was never called"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_scenario_that_fails_on_asyncio_is_not_held_against_the_target(
    loopcheck: Loopcheck, name: str
) -> None:
    verdict, words = BROKEN[name]
    options = SHORT if name == "hangs" else ()
    finished = loopcheck.run(INNOCENT_LOOP, "-k", f"broken/{name}", "-k", INNOCENT, *options)
    result = finished.result(f"broken/{name}")
    assert (result.verdict, finished.status, finished.stderr) == (verdict, 3, "")
    assert all(part in result.record["sentence"] for part in words.split("…"))
    assert result.record["sentence"] in finished.stdout
    spared(finished)


UNREADABLE = {
    "does not parse": ("def (", "cannot be read: SyntaxError"),
    "is not UTF-8": ("# \udcff", "cannot be read: UnicodeDecodeError"),
    "has a null byte": ("\0", "cannot be read: SyntaxError"),
    "cites nothing": ("@scenario()\ndef f(loop):\n    'It.'\n", "f: cites no statement"),
    "has no such argument": (
        "@scenario(basis='observed: x')\ndef f(lop):\n    'It.'\n",
        "has the parameter 'lop'",
    ),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_scenario_file_that_is_wrong_costs_itself_only(loopcheck: Loopcheck, what: str) -> None:
    text, words = UNREADABLE[what]
    loopcheck.scenario_file("area/topic.py", text)
    finished = loopcheck.run(INNOCENT_LOOP, "--scenarios", str(loopcheck.scenarios))
    assert words in finished.errors[0] and len(finished.errors) == 1
    assert f"area/topic.py:{1 + text.startswith('@')}: {finished.errors[0]}" in finished.stdout
    assert (finished.status, finished.stderr) == (3, "")
    spared(finished)


SCENARIO = (
    "from loopcheck_target import scenario\n\n\n@scenario(basis='observed: it')\ndef f(loop):\n    'It.'\n"
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import no_such_module\n", "area/topic.py does not import on Python 3."),
        ("raise SystemExit(4)\n", "SystemExit: 4"),
    ],
)
def test_scenario_file_that_does_not_import_is_a_broken_scenario(
    loopcheck: Loopcheck, text: str, words: str
) -> None:
    loopcheck.scenario_file("area/topic.py", text + SCENARIO)
    finished = loopcheck.run(INNOCENT_LOOP, "--scenarios", str(loopcheck.scenarios))
    result = finished.result("area/f")
    assert (result.verdict, finished.status) == ("broken-scenario", 3)
    assert all(part in result.record["sentence"] for part in words.split("…"))
    assert result.record["sentence"] in finished.stdout
    spared(finished)


def test_scenario_file_too_new_for_one_target_is_run_on_the_other(loopcheck: Loopcheck) -> None:
    try:
        find_interpreter("3.8")
    except InterpreterError as exc:
        pytest.skip(f"not run: {exc}")
    new = SCENARIO + "    match loop:\n        case _:\n            loop.close()\n"
    loopcheck.scenario_file("area/topic.py", new)
    old = f"{INNOCENT_LOOP}@3.8"
    finished = loopcheck.run(INNOCENT_LOOP, old, "--scenarios", str(loopcheck.scenarios))
    verdicts = {(r.id, r.target_name): r.verdict for r in finished.results.scenarios}
    assert finished.status == 3
    assert verdicts == {
        ("area/f", "failing_loops"): "agree",
        ("area/f", "failing_loops@3.8"): "broken-scenario",
        (INNOCENT, "failing_loops"): "agree",
        (INNOCENT, "failing_loops@3.8"): "agree",
    }


# ---- the command line is wrong -------------------------------------------------------------------------------

WRONG_WORDS = {
    "nothing at all": ((), "required: COMMAND"),
    "unknown verb": (("walk",), "invalid choice: 'walk'"),
    "unknown option": (("run", INNOCENT_LOOP, "--fast"), "unrecognized arguments: --fast"),
    "no target": (("run",), "required: TARGET"),
    "no such name": (("run", "asincio"), "'asincio' is no target: write MODULE:CALLABLE"),
    "no module": (("run", ":f"), "MODULE:CALLABLE takes dotted Python names"),
    "no interpreter": (("run", "asyncio@"), "names no interpreter after the @"),
    "unknown interpreter": (("run", "asyncio@python9"), "no interpreter 'python9' runs here"),
    "target is the oracle": (("run", "asyncio"), "asyncio is its own oracle"),
    "target twice": (("run", INNOCENT_LOOP, INNOCENT_LOOP), "is named twice"),
    "unknown area": (("run", INNOCENT_LOOP, "--area", "moon"), "there is no area 'moon'"),
    "unknown statement": (("run", INNOCENT_LOOP, "--statement", "a.b"), "there is no statement 'a.b'"),
    "nothing matches": (("run", INNOCENT_LOOP, "-k", "zzz"), "nothing matches: none of the"),
    "no such folder": (("run", INNOCENT_LOOP, "--scenarios", "nowhere"), "there is no folder nowhere"),
    "unknown clock": (("run", INNOCENT_LOOP, "--clock", "sun"), "invalid choice: 'sun'"),
    "timeout is no number": (("run", INNOCENT_LOOP, "--timeout", "soon"), "'soon' is no number"),
    "timeout is nothing": (("run", INNOCENT_LOOP, "--timeout", "0"), "0 is not above zero"),
    "results in no folder": (
        ("run", INNOCENT_LOOP, "--results", "no/r.jsonl"),
        "no/r.jsonl cannot be written: No such file or directory",
    ),
    "results is a folder": (
        ("run", INNOCENT_LOOP, "--results", "."),
        "loopcheck: . cannot be written: Is a directory",
    ),
    "show what is not there": (("show", "no/such"), "'no/such'"),
    "export what is not there": (("export", "no/such"), "'no/such'"),
}


@pytest.mark.parametrize("what", WRONG_WORDS)
def test_wrong_command_line_gives_one_sentence_and_runs_nothing(loopcheck: Loopcheck, what: str) -> None:
    words, sentence = WRONG_WORDS[what]
    finished = loopcheck.command(*words)
    assert (finished.status, finished.stdout) == (2, "")
    assert finished.stderr.startswith("loopcheck: ")
    assert sentence in finished.stderr
    assert finished.stderr.count("\n") == 1
    assert not finished.file.exists()


def test_interpreter_that_is_too_old_is_refused(loopcheck: Loopcheck) -> None:
    python = executable(loopcheck.folder / "python2", "echo 2.7.18 cpython")
    finished = loopcheck.run(f"{INNOCENT_LOOP}@{python}", INNOCENT_LOOP)
    assert (finished.status, finished.stdout) == (2, "")
    assert f"{python} is Python 2.7.18; loopcheck's targets need 3.8 or later" in finished.stderr


def test_asyncio_is_compared_with_itself_when_the_oracle_is_named(loopcheck: Loopcheck) -> None:
    finished = loopcheck.run("asyncio", "--oracle", "asyncio", "-k", INNOCENT)
    assert finished.status == 0
    spared(finished, "asyncio")
