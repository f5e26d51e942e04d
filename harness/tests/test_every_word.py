# SPDX-License-Identifier: MIT
"""Every verdict, every exit status and every reason comes out of a real run of the command line.

The table of words is the vocabulary's: a word that is added there and that no run here produces fails.  RUNS are
made once, when the first test needs them; verdicts, reasons and exit statuses are looked up in them.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from loopcheck.interpreters import InterpreterError, find_interpreter
from loopcheck.resources import reference_folder
from loopcheck.vocabulary import EXITS, REASONS, VERDICTS

from .conftest import Finished, Loopcheck

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MADE = "trouble/future_is_made"
INNOCENT = "innocent/callbacks_run_in_order"
RANDOM = "broken/is_random_1"
LOOP = "failing_loops:InnocentLoop"

SCENARIOS = '''
import os
import subprocess
import sys

from loopcheck_target import scenario


@scenario(statements=["call_soon.fifo-order"])
def shows_the_class(loop, trace):
    """It differs on every loop that is not asyncio's."""
    trace("class", type(loop).__name__)


@scenario(statements=["call_soon.fifo-order"], needs=["words/shows_the_class"])
def rests_on_the_class(loop, trace):
    """It needs what differs."""
    trace("nothing")


@scenario(statements=["Handle.get_context"])
def holds_since_3_12(loop, trace):
    """It does not hold for Python 3.11."""
    trace("nothing")


@scenario(statements=["Task.get_coro.eager"])
def holds_but_for_3_12_1(loop, trace):
    """CPython 3.12.1 crashes where the statement is shown."""
    trace("nothing")


@scenario(statements=["call_soon.fifo-order"], requires=["asyncio-futures"])
def requires_futures_of_asyncio(loop, trace):
    """It does not apply to a loop with futures of its own."""
    trace("nothing")


def waited_for_a_cpu():
    """Return for how many seconds this thread has waited for a CPU until now."""
    with open("/proc/thread-self/schedstat") as file:
        return int(file.read().split()[1]) / 1e9


@scenario(statements=["call_soon.fifo-order"])
def differs_while_the_machine_is_busy(loop, trace, T):
    """Another process wants the one CPU that this one may use."""
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    start = waited_for_a_cpu()
    rival = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        while waited_for_a_cpu() - start < T:
            pass
    finally:
        rival.kill()
        rival.wait()
    trace("class", type(loop).__name__)
'''

ENTRY = '[[known]]\nscenario = "{}"\ntarget = "{}"\nsignature = "{}"\nreason = "It is old."\n\n'
RAISES = "error:class:raised LookupError"


def on(*loops: str) -> tuple[str, ...]:
    """Return targets from failing_loops.py."""
    return tuple(f"failing_loops:{loop}" for loop in loops)


def baseline(*entries: tuple[str, str, str]) -> str:
    """Return the text of a baseline: scenario, target and signature of each entry."""
    return "".join(ENTRY.format(*entry) for entry in entries)


# name of a run -> its words, and its baseline.
RUNS: dict[str, tuple[tuple[str, ...], str]] = {
    "good": ((LOOP, "-k", INNOCENT), ""),
    "loops": (
        (
            *on("Raises", "Segfaults", "BlocksInC", "LacksFutures", "LeaksThread"),
            "-k",
            MADE,
            "--timeout",
            "2",
        ),
        "",
    ),
    "listed": (
        (*on("Raises", "Segfaults", "InnocentLoop"), "-k", MADE),
        baseline(*((MADE, loop, RAISES) for loop in on("Raises", "Segfaults", "InnocentLoop"))),
    ),
    "stale": ((LOOP, "-k", MADE), baseline((MADE, "failing_loops", RAISES))),
    "ours": ((LOOP, "-k", "broken/raises", "-k", "broken/makes_no_loop"), ""),
    "random": ((LOOP, "-k", "is_random", "-k", INNOCENT, "--repeat", "2"), ""),
    "own": ((LOOP, "--area", "words", "-k", "*class", "-k", "*3_12"), ""),
    "contradicted": ((f"{LOOP}@3.12", "--area", "words", "-k", "*3_12_1"), ""),
    "requiring": (("reference-native", "--area", "words", "-k", "*futures_of_asyncio", "-k", "*class"), ""),
    "busy": ((LOOP, "--area", "words", "-k", "*busy", "--clock", "real"), ""),
    "no match": ((LOOP, "-k", "zzz"), ""),
}

# verdict -> run, scenario, target.
VERDICT_CASES = {
    "agree": ("good", INNOCENT, "failing_loops"),
    "variant": ("loops", MADE, "failing_loops:LeaksThread"),
    "differ": ("loops", MADE, "failing_loops:Raises"),
    "known": ("listed", MADE, "failing_loops:Raises"),
    "changed": ("listed", MADE, "failing_loops:Segfaults"),
    "fixed": ("listed", MADE, "failing_loops:InnocentLoop"),
    "unsupported": ("loops", MADE, "failing_loops:LacksFutures"),
    "blocked": ("own", "words/rests_on_the_class", "failing_loops"),
    "skipped": ("own", "words/holds_since_3_12", "failing_loops"),
    "inconclusive": ("random", RANDOM, "failing_loops"),
    "broken-scenario": ("ours", "broken/raises", "failing_loops"),
    "crash": ("loops", MADE, "failing_loops:Segfaults"),
    "hang": ("loops", MADE, "failing_loops:BlocksInC"),
    "harness-error": ("ours", "broken/makes_no_loop", "failing_loops"),
}

# reason -> run, scenario, target, and the verdict that it is the reason of.
REASON_CASES = {
    "noisy": ("busy", "words/differs_while_the_machine_is_busy", "failing_loops", "inconclusive"),
    "nondeterministic-on-oracle": ("random", RANDOM, "failing_loops", "inconclusive"),
    "contradicted": ("contradicted", "words/holds_but_for_3_12_1", "failing_loops@3.12", "skipped"),
    "version": ("own", "words/holds_since_3_12", "failing_loops", "skipped"),
    "requires": ("requiring", "words/requires_futures_of_asyncio", "reference-native", "skipped"),
    "no-loop": ("ours", "broken/makes_no_loop", "failing_loops", "harness-error"),
}

# name of an exit status -> run; the interrupted one has a test of its own.
EXIT_CASES = {
    "usage": "no match",
    "failure": "ours",
    "difference": "loops",
    "stale": "stale",
    "inconclusive": "random",
    "good": "good",
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Finished]]:
    """Return a function that gives a run of RUNS, made when it is asked for the first time."""
    finished: dict[str, Finished] = {}
    runners: list[Loopcheck] = []

    def run(name: str) -> Finished:
        if name not in finished:
            runners.append(Loopcheck(tmp_path_factory.mktemp("run")))
            finished[name] = one(runners[-1], *RUNS[name])
        return finished[name]

    yield run
    for runner in runners:
        for running in runner.started:
            running.clean_up()


def one(runner: Loopcheck, words: tuple[str, ...], known: str) -> Finished:
    """Run one of RUNS."""
    more: list[str] = []
    if "words" in words:
        runner.scenario_file("words/verdicts.py", SCENARIOS)
        more += ["--scenarios", str(runner.scenarios)]
    if known:
        (runner.folder / "known.toml").write_text(known)
        more += ["--baseline", "known.toml"]
    return runner.run(*words, *more)


def skip_unless_it_can_be_had(reason: str) -> None:
    """Skip the test of a reason that takes an interpreter, or a loop, which this machine lacks."""
    if reason == "requires" and reference_folder((3, 11)) is None:
        pytest.skip("not run: the reference is not built")
    if reason == "contradicted":
        try:
            version = find_interpreter("3.12").version
        except InterpreterError as exc:
            pytest.skip(f"not run: {exc}")
        if version != "3.12.1":
            pytest.skip(f"not run: Python {version} is not the release that contradicts the statement")


@pytest.mark.parametrize("verdict", VERDICTS)
def test_verdict_comes_out_of_a_run(ran: Callable[[str], Finished], verdict: str) -> None:
    assert verdict in VERDICT_CASES, f"no run here produces {verdict}"
    run, scenario, target = VERDICT_CASES[verdict]
    result = ran(run).result(scenario, target)
    assert result.verdict == verdict
    footer = ran(run).results.footer
    assert footer is not None and footer["counts"][verdict] >= 1
    assert f"{verdict}\t{scenario}\t{target}\t" in ran(run).stdout


@pytest.mark.parametrize("reason", REASONS)
def test_reason_comes_out_of_a_run(ran: Callable[[str], Finished], reason: str) -> None:
    assert reason in REASON_CASES, f"no run here produces {reason}"
    skip_unless_it_can_be_had(reason)
    run, scenario, target, verdict = REASON_CASES[reason]
    result = ran(run).result(scenario, target)
    assert (result.verdict, result.record["reason"]) == (verdict, reason)
    assert result.record["sentence"]


@pytest.mark.parametrize("name", EXITS)
def test_exit_status_comes_out_of_a_run(
    ran: Callable[[str], Finished], loopcheck: Loopcheck, name: str
) -> None:
    if name == "interrupted":
        finished = interrupted(loopcheck)
    else:
        assert name in EXIT_CASES, f"no run here ends with {name}"
        finished = ran(EXIT_CASES[name])
    assert finished.status == EXITS[name].status
    if name == "usage":
        assert (finished.stdout, finished.stderr.count("\n")) == ("", 1)
    else:
        assert finished.stdout.splitlines()[-1] == f"exit {finished.status}: {EXITS[name].means}"


def interrupted(loopcheck: Loopcheck) -> Finished:
    """Return a run that was ended by Ctrl-C while a scenario was under way."""
    running = loopcheck.start_run(*on("BlocksInC"), "-k", MADE, "-k", INNOCENT, "--timeout", "1000")
    running.wait_for(running.file, '"verdict": "agree"')
    running.process.send_signal(signal.SIGINT)
    return running.finish()
