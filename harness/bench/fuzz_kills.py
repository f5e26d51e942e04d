# SPDX-License-Identifier: MIT
"""How long random programs alone need to find each deliberately wrong loop, and how small the program becomes.

    python harness/bench/fuzz_kills.py [--seconds S] [--seed N] [LOOP ...]

fuzzes asyncio against each loop of ``harness/tests/wrong_*.py`` whose bug is one of scheduling, on one core and
from the first program on, until something is found or the time is up, and prints a Markdown table.  The status
is 1 if fewer than nine of ten are found in time or one is not shrunk to eight operations.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from loopcheck.fuzz.campaign import Campaign, Plan
from loopcheck.fuzz.cluster import Cluster, Pair
from loopcheck.fuzz.generate import Grammar
from loopcheck.fuzz.operations import FEATURES, size
from loopcheck.fuzz.runner import Runner
from loopcheck.targets import parse_target

TESTS = Path(__file__).resolve().parents[1] / "tests"
DEMANDED_SHARE = 0.9
MOST_OPERATIONS = 8

# Bugs that no program can meet, with the reason.
OUT_OF_REACH = {
    "wrong_loops:TimeIsTheWallClock": "the origin of the clock, no order",
    "wrong_loops:CloseLeavesADescriptor": "a leak",
    "wrong_loops:GeneratorsAreNotShutDown": "programs have no asynchronous generators",
    "wrong_edges:GeneratorHooksStay": "programs have no asynchronous generators",
    "wrong_edges:InterruptIsTakenOver": "programs get no signals",
    "wrong_edges:WakeUpDescriptorStays": "programs get no signals",
    "wrong_edges:LosesEveryWakeUp": "threads end before the loop waits",
    "wrong_edges:WakesOnlyOnce": "threads end before the loop waits",
    "wrong_edges:TaskFactoryIsIgnored": "programs set no task factory",
    "wrong_edges:HandlerCannotBeTakenBack": "programs keep their exception handler",
    "wrong_edges:DebugModeIsIgnored": "debug mode",
    "wrong_edges:SlowCallbacksAreNotLogged": "debug mode",
}


@dataclass(frozen=True)
class Kill:
    """What became of one loop.  seconds: until the finding was shrunk; None: it was not found."""

    loop: str
    programs: int
    seconds: float | None = None
    cluster: Cluster | None = None

    @property
    def row(self) -> str:
        """The row of the table."""
        if self.cluster is None:
            return f"| {self.loop} | not found | | {self.programs} | |"
        operations = size(self.cluster.program)
        return (
            f"| {self.loop} | {self.seconds:.1f} | {operations} | {self.programs} | {self.cluster.sentence} |"
        )


def wrong_loops() -> list[str]:
    """Return the loops whose bug is one of scheduling, as targets."""
    sys.path.insert(0, str(TESTS))
    found = []
    for name in ("wrong_loops", "wrong_edges"):
        module = __import__(name)
        found += [
            f"{name}:{value.__name__}"
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, asyncio.SelectorEventLoop)
            and value.__module__ == name
            and not value.__name__.startswith("_")
        ]
    return [loop for loop in found if loop not in OUT_OF_REACH]


async def hunt(loop: str, seconds: float, seed: int) -> Kill:
    """Fuzz one loop until something is found or the time is up."""
    with tempfile.TemporaryDirectory(prefix="loopcheck-") as folder:
        runners = [Runner(parse_target(text), [str(TESTS)], Path(folder)) for text in ("asyncio", loop)]
        try:
            versions = [await runner.start() for runner in runners]
            plan = Plan(Grammar(frozenset(FEATURES), min(versions)), seed, None, seconds, 1, enough=1)
            found: list[tuple[Cluster, float]] = []
            campaign = Campaign(Pair(*runners), plan, lambda cluster, after: found.append((cluster, after)))
            await asyncio.wait_for(campaign.run(), seconds * 2)
        except TimeoutError:
            pass
        finally:
            for runner in runners:
                await runner.stop()
    cluster, after = found[0] if found else (None, None)
    return Kill(loop, campaign.tally.programs, after, cluster)


def main() -> int:
    """Print the table; return the status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("loops", nargs="*", metavar="LOOP")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    print("| loop | seconds | operations | programs | what it says |\n| --- | --- | --- | --- | --- |")
    kills = []
    start = time.monotonic()
    for loop in arguments.loops or wrong_loops():
        kills.append(asyncio.run(hunt(loop, arguments.seconds, arguments.seed)))
        print(kills[-1].row, flush=True)
    found = [kill for kill in kills if kill.seconds is not None and kill.seconds <= arguments.seconds]
    large = [
        kill for kill in found if kill.cluster is not None and size(kill.cluster.program) > MOST_OPERATIONS
    ]
    print(f"\n{len(found)} of {len(kills)} found within {arguments.seconds:g} s", end="")
    print(f", {len(found) - len(large)} with at most {MOST_OPERATIONS} operations", end="")
    print(f"; {time.monotonic() - start:.0f} s in all.  Not tried:")
    for loop, why in OUT_OF_REACH.items():
        print(f"- {loop}: {why}")
    return 0 if len(found) >= DEMANDED_SHARE * len(kills) and not large else 1


if __name__ == "__main__":
    sys.exit(main())
