# SPDX-License-Identifier: MIT
"""What a run leaves when it does not end as planned: a full disk, Ctrl-C, a killed driver, a killed fork server.

As in ``test_failures.py`` something innocent runs beside whatever fails, and ``conftest.py`` sees to it that no
run prints a traceback or leaves a process.  Then the results file itself, and the table of exit statuses.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from loopcheck.schema import results_schema
from loopcheck.vocabulary import EXITS, exit_for

if TYPE_CHECKING:
    from conftest import Finished, Loopcheck, Running

TESTS = Path(__file__).resolve().parent
MADE = "trouble/future_is_made"
INNOCENT = "innocent/callbacks_run_in_order"
INNOCENT_LOOP = "failing_loops:InnocentLoop"


def spared(finished: Finished, target: str = "failing_loops") -> None:
    """Check that the innocent scenario agreed on a target."""
    assert finished.result(INNOCENT, target).verdict == "agree"


# ---- the results file ----------------------------------------------------------------------------------------


def test_disk_that_fills_up_ends_the_run_with_a_sentence(loopcheck: Loopcheck) -> None:
    finished = loopcheck.command(
        "run", INNOCENT_LOOP, "--path", str(Path(__file__).parent), "--results", "/dev/full"
    )
    assert finished.status == 3
    assert (
        finished.stderr
        == "loopcheck: the results file /dev/full cannot be written: No space left on device\n"
    )


def test_disk_that_fills_up_in_the_middle_keeps_what_there_is(loopcheck: Loopcheck) -> None:
    words = (INNOCENT_LOOP, "-k", MADE, "-k", INNOCENT)
    *_, last, footer = loopcheck.run(*words).file.read_bytes().splitlines(keepends=True)
    room = (loopcheck.folder / "results.jsonl").stat().st_size - len(footer) - len(last) // 2
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))"
    finished = loopcheck.run(*words, patch=limit)
    assert finished.status == 3
    assert (
        finished.stderr == f"loopcheck: the results file {finished.file} cannot be written: File too large\n"
    )
    assert finished.results.footer is None
    spared(finished)


def test_every_line_of_every_sort_meets_the_schema(loopcheck: Loopcheck) -> None:
    loops = ("InnocentLoop", "Segfaults", "Raises", "LeaksDescriptor", "LacksFutures", "factory_raises")
    loopcheck.scenario_file("broken/topic.py", "def (")
    for area in ("trouble", "broken"):
        for file in Path(__file__).with_name("scenarios_failing").glob(f"{area}/*.py"):
            loopcheck.scenario_file(f"{area}/{file.name}", file.read_text())
    selection = ("-k", "trouble", "-k", "raises", "-k", "random", "-k", INNOCENT, "--repeat", "2")
    options = (*selection, "--scenarios", str(loopcheck.scenarios))
    finished = loopcheck.run(*(f"failing_loops:{loop}" for loop in loops), *options)
    records = [json.loads(line) for line in finished.file.read_text().split("\n")[:-1]]
    validator = jsonschema.Draft202012Validator(results_schema())
    assert [error.message for record in records for error in validator.iter_errors(record)] == []
    assert {record["record"] for record in records} == {
        "header",
        "problem",
        "target-error",
        "scenario",
        "footer",
    }
    verdicts = {record["verdict"] for record in records if record["record"] == "scenario"}
    assert verdicts == {
        "agree",
        "variant",
        "differ",
        "crash",
        "unsupported",
        "inconclusive",
        "broken-scenario",
    }


@pytest.mark.parametrize("text", ["next\u2028line", "next\x85line", "\u2029", "\x1c", "a\nb", "\ud800"])
def test_line_separators_in_a_value_do_not_break_trace_or_results(loopcheck: Loopcheck, text: str) -> None:
    script = (
        "from loopcheck_target import scenario\n\n\n"
        "@scenario(statements=['call_soon.fifo-order'])\n"
        "def f(loop, trace):\n"
        "    'A text is traced.'\n"
        f"    trace('text', {text!r})\n"
    )
    loopcheck.scenario_file("area/topic.py", script)
    finished = loopcheck.run(INNOCENT_LOOP, "--scenarios", str(loopcheck.scenarios))
    assert (finished.result("area/f").verdict, finished.status) == ("agree", 0)
    assert len(finished.result("area/f").target[0].events) == 1
    spared(finished)


# ---- the run itself is ended ---------------------------------------------------------------------------------


def start_and_hang(loopcheck: Loopcheck, loop: str = "BlocksInC", patch: str = "") -> Running:
    """Start a run; return when the innocent scenario is recorded, while the other hangs on and on."""
    words = (f"failing_loops:{loop}", "-k", MADE, "-k", INNOCENT, "--timeout", "1000")
    running = loopcheck.start_run(*words, patch=patch)
    running.wait_for(running.file, '"verdict": "agree"')
    return running


@pytest.mark.parametrize("loop", ["BlocksInC", "IsBusyForEver"])
def test_ctrl_c_gives_what_there_is_and_leaves_no_process(loopcheck: Loopcheck, loop: str) -> None:
    running = start_and_hang(loopcheck, loop)
    assert running.processes() != []
    running.process.send_signal(signal.SIGINT)
    finished = running.finish()
    assert (finished.status, finished.stderr) == (130, "")
    assert finished.results.footer is not None
    assert finished.results.footer["interrupted"] is True
    assert finished.results.footer["exit"] == 130
    assert f"exit 130: {EXITS['interrupted'].means}" in finished.stdout
    spared(finished)


def test_ctrl_c_while_a_target_starts_gives_header_and_footer(loopcheck: Loopcheck) -> None:
    begun = loopcheck.folder / "begun"
    module = f"import os\nopen({str(begun)!r}, 'w').write('begun')\nos.read(os.pipe()[0], 1)\n"
    (loopcheck.folder / "hangs.py").write_text(module)
    running = loopcheck.start_run("hangs:loop", "-k", INNOCENT, "--path", str(loopcheck.folder))
    running.wait_for(begun, "begun")
    running.process.send_signal(signal.SIGINT)
    finished = running.finish()
    assert (finished.status, finished.stderr) == (130, "")
    assert finished.results.header["selected"] == 1
    assert finished.results.footer == {"record": "footer", "counts": {}, "exit": 130, "interrupted": True}


CTRL_C_WHEN_STOPPING = (
    "import os, signal; "
    "stop = loopcheck.servers.Server.stop; "
    "loopcheck.servers.Server.stop = lambda self: (os.kill(os.getpid(), signal.SIGINT), stop(self))[1]"
)


def test_second_ctrl_c_does_not_disturb_the_tidying_up_after_the_first(loopcheck: Loopcheck) -> None:
    running = start_and_hang(loopcheck, patch=CTRL_C_WHEN_STOPPING)
    running.process.send_signal(signal.SIGINT)
    finished = running.finish()
    assert (finished.status, finished.stderr) == (130, "")
    spared(finished)


def test_ctrl_c_when_all_is_done_does_not_disturb_the_tidying_up(loopcheck: Loopcheck) -> None:
    finished = loopcheck.run(INNOCENT_LOOP, "-k", INNOCENT, patch=CTRL_C_WHEN_STOPPING)
    assert (finished.status, finished.stderr) == (0, "")
    spared(finished)


def test_ctrl_c_before_anything_runs_is_one_word(loopcheck: Loopcheck) -> None:
    raising = "loopcheck.cli.Corpus = lambda folder: (_ for _ in ()).throw(KeyboardInterrupt)"
    finished = loopcheck.run(INNOCENT_LOOP, patch=raising)
    assert (finished.status, finished.stdout, finished.stderr) == (130, "", "loopcheck: interrupted\n")


def test_killed_driver_leaves_incomplete_results_and_no_process(loopcheck: Loopcheck) -> None:
    running = start_and_hang(loopcheck)
    running.process.kill()
    finished = running.finish()
    assert finished.status == -signal.SIGKILL
    assert finished.results.footer is None
    spared(finished)


@pytest.mark.parametrize("target", ["hangs:loop", "failing_loops:factory_hangs"])
def test_driver_killed_while_a_target_starts_leaves_no_process(loopcheck: Loopcheck, target: str) -> None:
    (loopcheck.folder / "hangs.py").write_text("import os\nos.read(os.pipe()[0], 1)\n")
    running = loopcheck.start_run(target, "-k", INNOCENT, "--path", str(loopcheck.folder))
    running.wait_until(lambda: running.servers() != [], "a server")
    running.process.kill()
    assert running.finish().status == -signal.SIGKILL
    assert running.file.read_text() == ""


# ---- the fork server is ended --------------------------------------------------------------------------------


def test_runs_under_way_are_made_again_when_the_server_dies(loopcheck: Loopcheck) -> None:
    once = {"FAILING_LOOPS_ONCE": str(loopcheck.folder / "once")}
    finished = loopcheck.run("failing_loops:KillsItsServerOnce", "-k", MADE, "-k", INNOCENT, environment=once)
    assert (loopcheck.folder / "once").exists()
    assert finished.result(MADE).verdict == "agree"
    assert (finished.status, finished.stderr) == (0, "")
    spared(finished)


def test_run_that_kills_its_server_every_time_is_blamed(loopcheck: Loopcheck) -> None:
    words = ("failing_loops:KillsItsServer", INNOCENT_LOOP, "-k", MADE, "-k", INNOCENT)
    finished = loopcheck.run(*words)
    result = finished.result(MADE, "failing_loops:KillsItsServer")
    assert (result.verdict, finished.status) == ("harness-error", 3)
    assert "the fork server of failing_loops:KillsItsServer died" in result.record["sentence"]
    assert finished.result(MADE, INNOCENT_LOOP).verdict == "agree"
    spared(finished, "failing_loops:KillsItsServer")
    spared(finished, INNOCENT_LOOP)


def new_server_with_a_child(running: Running, killed: list[int]) -> bool:
    """Return whether a server that is not one of the killed has a child: a run under way."""
    return any(len(running.children_of(server)) > 0 for server in running.servers() if server not in killed)


def test_server_killed_from_outside_is_started_again(loopcheck: Loopcheck) -> None:
    running = start_and_hang(loopcheck)
    killed = running.servers()
    for server in killed:
        os.kill(server, signal.SIGKILL)
    running.wait_until(
        lambda: new_server_with_a_child(running, killed), "a new server that runs the scenario"
    )
    running.process.send_signal(signal.SIGINT)
    finished = running.finish()
    assert (finished.status, finished.stderr) == (130, "")
    spared(finished)


# ---- exit statuses -------------------------------------------------------------------------------------------


STATUSES = {
    0: ("good", (INNOCENT_LOOP, "-k", INNOCENT)),
    1: ("difference", ("failing_loops:Raises", "-k", MADE, "-k", INNOCENT)),
    3: ("failure", (INNOCENT_LOOP, "-k", "broken/raises", "-k", INNOCENT)),
    5: ("inconclusive", (INNOCENT_LOOP, "-k", "is_random", "-k", INNOCENT, "--repeat", "2")),
}


@pytest.mark.parametrize("status", STATUSES)
def test_exit_status_is_the_footers_and_the_last_line_says_why(loopcheck: Loopcheck, status: int) -> None:
    name, words = STATUSES[status]
    finished = loopcheck.run(*words)
    assert finished.results.footer is not None
    assert finished.status == finished.results.footer["exit"] == status
    assert finished.stdout.splitlines()[-1] == f"exit {status}: {EXITS[name].means}"
    spared(finished)


def test_few_scenarios_without_a_verdict_do_not_count(loopcheck: Loopcheck) -> None:
    finished = loopcheck.run(INNOCENT_LOOP, "-k", "is_random_1", "-k", INNOCENT, "--repeat", "2")
    result = finished.result("broken/is_random_1")
    assert (result.verdict, result.record["reason"]) == ("inconclusive", "nondeterministic-on-oracle")
    assert "asyncio itself does not do the same every time" in result.record["sentence"]
    assert finished.status == 0
    spared(finished)


@pytest.mark.parametrize(
    ("verdicts", "failed", "status"),
    [
        (["agree", "variant", "known", "unsupported", "skipped", "blocked"], {}, 0),
        (["agree", "differ"], {}, 1),
        (["agree", "changed"], {}, 1),
        (["agree", "crash"], {}, 1),
        (["agree", "hang"], {}, 1),
        (["agree", "differ"], {"usage"}, 2),
        (["harness-error"], {"usage"}, 2),
        (["differ", "broken-scenario"], {}, 3),
        (["differ", "harness-error"], {}, 3),
        (["differ"], {"failure"}, 3),
        (["agree", "fixed"], {}, 4),
        (["differ", "fixed"], {}, 1),
        (["fixed", *["inconclusive"] * 4], {}, 4),
        (["inconclusive"] * 4, {}, 5),
        ([*["inconclusive"] * 3, "agree"], {}, 0),
        (["inconclusive", "skipped"], {}, 5),
        (["skipped", "blocked"], {}, 2),
        ([*["inconclusive"] * 4, *["agree"] * 400], {}, 0),
        (["differ"], {"interrupted", "usage", "failure"}, 130),
        ([], {}, 0),
    ],
)
def test_first_exit_status_that_applies_is_taken(verdicts: list[str], failed: set[str], status: int) -> None:
    flags = {name: name in failed for name in ("usage", "failure", "interrupted")}
    assert exit_for(verdicts, **flags).status == status
