# SPDX-License-Identifier: MIT
"""Processes are killed at random while a run is under way: what was not hit is judged, and nothing is lost.

Two sorts of victims.  A scenario's process, or the fork server of a loop: the driver goes on, and the file is
complete.  The driver itself: ``--resume`` completes the file to the verdicts of a run that nobody disturbed.
Who is hit, and when, follows from a seed; whatever it is, the same must hold.  A scenario writes down which
process it runs in, so that a verdict other than agreement can be traced to a kill.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Finished, Loopcheck, Running

COUNT = 40
MOST_KILLS = 25
SERVER_SHARE = 0.15  # of the kills
LONGEST_PAUSE_S = 0.1
FAULTLESS = ("failing_loops:InnocentLoop", "failing_loops:Prints")
FAULTY = ("failing_loops:InnocentLoop", "failing_loops:Raises")

HEAD = """
import os

from loopcheck_target import scenario


def note(name):
    with open(os.path.join(os.environ["UNDER_WAY"], str(os.getpid())), "w") as file:
        file.write(name)
"""
ONE = '''

@scenario(statements=["call_soon.fifo-order"])
def number_{number}(loop, trace, T):
    """It takes a moment."""
    note("many/number_{number}")
    trace("begins")
    {middle}
    loop.call_later({ticks} * T, loop.stop)
    loop.run_forever()
    trace("ends")
'''


def start(loopcheck: Loopcheck, targets: tuple[str, ...], *more: str) -> Running:
    """Start a run of many scenarios, of which every fifth asks its loop for a future."""
    middles = ["trace('a future', loop.create_future().done())" if n % 5 == 0 else "" for n in range(COUNT)]
    ticks = 1 if targets == FAULTY else 5  # so that a process that is hit is mostly in its scenario
    text = HEAD + "".join(ONE.format(number=n, middle=m, ticks=ticks) for n, m in enumerate(middles))
    loopcheck.scenario_file("many/topic.py", text)
    under_way(loopcheck).mkdir(exist_ok=True)
    options = ("--scenarios", str(loopcheck.scenarios), "--area", "many", "--clock", "real", *more)
    return loopcheck.start_run(*targets, *options, environment={"UNDER_WAY": str(under_way(loopcheck))})


def under_way(loopcheck: Loopcheck) -> Path:
    """Return the folder in which scenarios note their processes."""
    return loopcheck.folder / "under_way"


class Killer:
    """Kills processes of a run, until it ends; remembers which scenarios were under way in them.

    hit: the scenarios whose process was killed.  unknown: the processes among them that had not yet begun with
    their scenario, or were gone already.  servers: how many fork servers were killed.
    """

    def __init__(self, running: Running, notes: Path, seed: int) -> None:
        self.hit: set[str] = set()
        self.unknown = 0
        self.servers = 0
        self._running = running
        self._notes = notes
        self._random = random.Random(seed)
        self._thread = threading.Thread(target=self._work)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()

    def _work(self) -> None:
        pause = threading.Event()
        for _ in range(MOST_KILLS):
            pause.wait(self._random.uniform(0, LONGEST_PAUSE_S))
            if self._running.process.poll() is not None:
                break
            servers = self._running.servers()
            children = [child for server in servers for child in self._running.children_of(server)]
            if servers and self._random.random() < SERVER_SHARE:
                self._kill(self._random.choice(servers))
                self.servers += 1
            elif children:
                child = self._random.choice(children)
                self._kill(child)
                note = self._notes / str(child)
                if note.exists():
                    self.hit.add(note.read_text())
                else:
                    self.unknown += 1

    @staticmethod
    def _kill(pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def verdicts(finished: Finished) -> dict[tuple[str, str], str]:
    """Return the verdict of each scenario on each target.  Fails when one has several."""
    results = finished.results.scenarios
    counts = Counter((result.id, result.target_name) for result in results)
    assert set(counts.values()) <= {1}
    return {(result.id, result.target_name): result.verdict for result in results}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_processes_cost_their_own_scenarios_only(loopcheck: Loopcheck, seed: int) -> None:
    running = start(loopcheck, FAULTLESS)
    running.wait_for(running.file, '"record": "scenario"')
    killer = Killer(running, under_way(loopcheck), seed)
    killer.start()
    finished = running.finish()
    killer.join()
    found = verdicts(finished)
    assert (len(found), finished.errors, finished.stderr) == (COUNT * len(FAULTLESS), [], "")
    assert finished.results.footer is not None and not finished.results.footer["interrupted"]
    killed = {id for (id, _), verdict in found.items() if verdict in ("crash", "broken-scenario")}
    assert len(killed - killer.hit) <= killer.unknown
    blamed = {id for (id, _), verdict in found.items() if verdict == "harness-error"}
    assert len(blamed) <= killer.servers
    assert {id for (id, _), verdict in found.items() if verdict != "agree"} == killed | blamed
    assert killer.hit or killer.servers, "nothing was killed"


def test_run_whose_driver_is_killed_again_and_again_is_completed(loopcheck: Loopcheck) -> None:
    undisturbed = start(loopcheck, FAULTY).finish()
    expected = verdicts(undisturbed)
    assert Counter(expected.values()) == {"agree": 2 * COUNT - COUNT // 5, "differ": COUNT // 5}
    chance = random.Random(4)
    undisturbed.file.unlink()
    for _ in range(2):
        running = start(loopcheck, FAULTY, "--resume")
        had = records(running.file)
        more = chance.randrange(1, COUNT // 2)
        running.wait_until(lambda: records(running.file) >= had + more, "more records")  # noqa: B023
        running.process.kill()
        killed = running.finish()
        assert (killed.status, killed.results.footer) == (-signal.SIGKILL, None)
        assert verdicts(killed).items() <= expected.items()
    finished = start(loopcheck, FAULTY, "--resume").finish()
    assert (finished.status, verdicts(finished)) == (undisturbed.status, expected)
    assert finished.results.footer is not None
    assert finished.results.footer["counts"] == Counter(expected.values())


def test_oracle_s_process_that_is_killed_once_is_not_held_against_the_scenario(loopcheck: Loopcheck) -> None:
    once = loopcheck.folder / "once"
    text = '''
import os
import signal

from loopcheck_target import scenario


@scenario(statements=["call_soon.fifo-order"])
def killed_{name}(loop, trace):
    """Its process is killed."""
    trace("begins")
    if type(loop).__name__ == "_UnixSelectorEventLoop" and not os.path.exists({once!r}):
        {mark}
        os.kill(os.getpid(), signal.SIGKILL)
'''
    for name, mark in (("once", f"open({str(once)!r}, 'w').close()"), ("always", "pass")):
        path = str(once if name == "once" else loopcheck.folder / "never")
        loopcheck.scenario_file(f"many/{name}.py", text.format(name=name, mark=mark, once=path))
    finished = loopcheck.run(FAULTLESS[0], "--scenarios", str(loopcheck.scenarios), "--area", "many")
    assert finished.result("many/killed_once").verdict == "agree"
    always = finished.result("many/killed_always")
    assert always.verdict == "broken-scenario"
    assert always.record["sentence"] == "asyncio died with SIGKILL after “begins”."


def records(file: Path) -> int:
    """Return how many records of scenarios a file has."""
    return file.read_bytes().count(b'"record": "scenario"') if file.exists() else 0
