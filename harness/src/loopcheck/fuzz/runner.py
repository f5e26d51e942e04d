# SPDX-License-Identifier: MIT
"""Programs in, events out: one target that runs batches of programs, each batch in a forked child.

A batch is a file with a program a line.  The child answers with a line for each program that ended, so the first
one without a line is the one that the child crashed or hung in; the rest of the batch goes to a new child.
"""

import contextlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..servers import Server, ServerLostError, Setup
from ..targets import Target
from ..traces import Event
from .operations import Program

# By whether the clock is virtual.  Then waiting costs nothing, and a tick is longer than a busy machine keeps a
# process waiting: while a program has a thread, time passes for real.
TICK_S = {True: 4.0, False: 0.04}
PATIENCE_S = 2.0  # for one program of a batch; one that took longer is tried again before it counts
MORE_PATIENCE_S = 5.0
STARTUP_S = 20.0


class FuzzError(Exception):
    """loopcheck itself failed; the text is one sentence."""


@dataclass(frozen=True)
class Outcome:
    """What a program did on a target.

    text: its events as JSON; empty if it did not end.  ending: "", "hang", or how the process died.
    """

    text: str
    ending: str = ""
    reached: tuple[str, ...] = ()

    @property
    def events(self) -> tuple[Event, ...]:
        """The events, as the judge takes them."""
        found: list[list[Any]] = json.loads(self.text) if self.text else []
        return tuple(Event("user", "main", name, tuple(values), 0.0) for name, *values in found)

    def is_same(self, other: "Outcome") -> bool:
        """Return whether the same things happened."""
        return (self.text, self.ending) == (other.text, other.ending)


class Runner:
    """One target: ``await`` start(), run() any number of times, several at a time, then stop()."""

    def __init__(self, target: Target, path: Sequence[str], folder: Path) -> None:
        self.target = target
        self.folder = folder
        self.goals: tuple[str, ...] = ()
        self._files = itertools.count()
        self._server = Server(target, Setup((*path, *target.path), "auto", (), folder))
        self.virtual = True

    async def start(self) -> tuple[int, int]:
        """Start the target; return its version of Python.  Raises ServerError, FuzzError."""
        about = await self._server.start()
        if about.asyncios_own and not self.target.is_asyncio:
            raise FuzzError(
                f"the factory of {self.target.name} gave asyncio's own loop: nothing would be tested"
            )
        self.virtual = about.virtual_clock
        major, minor = about.python.split(".")[:2]
        return int(major), int(minor)

    async def stop(self) -> None:
        """End the target's processes."""
        await self._server.stop()

    async def run(self, programs: Sequence[Program], patience: float = PATIENCE_S) -> list[Outcome]:
        """Return what each program did.  Raises FuzzError."""
        outcomes: list[Outcome] = []
        while len(outcomes) < len(programs):
            outcomes += await self._run_batch(programs[len(outcomes) :], patience)
        return outcomes

    async def _run_batch(self, programs: Sequence[Program], patience: float) -> list[Outcome]:
        """Run programs in one child; return the outcomes up to the first that did not end."""
        file = self.folder / f"{self.target.name.replace('/', '-')}-{id(self):x}-{next(self._files)}.programs"
        file.write_text("".join(json.dumps(program) + "\n" for program in programs))
        request = {
            "op": "programs",
            "programs": str(file),
            "tick": TICK_S[self.virtual],
            "clock": "virtual" if self.virtual else "real",
            "patience": patience,
            "timeout": STARTUP_S + patience * len(programs),
        }
        try:
            text, outcome = await self._ask(request)
        finally:
            file.unlink()
        found = self._parse(text)
        if len(found) < len(programs):
            hung = outcome.hung or outcome.signal == "SIGALRM"
            how = "hang" if hung else outcome.signal or f"_exit({outcome.code})"
            found.append(Outcome("", how))
        return found

    async def _ask(self, request: dict[str, Any]) -> Any:
        for _ in range(2):
            with contextlib.suppress(ServerLostError):
                return await self._server.request(request)
            await self._server.stop()
            await self._server.start()
        raise FuzzError(f"the fork server of {self.target.name} died twice")

    def _parse(self, text: str) -> list[Outcome]:
        *lines, _ = text.split("\n")
        found: list[Outcome] = []
        for number, line in enumerate(lines):
            if line.startswith('{"k": "harness"'):
                raise FuzzError(f"a program could not be run: {json.loads(line)['text'].splitlines()[-1]}")
            if number == 0:
                self.goals = tuple(json.loads(line))
            else:
                events, _, reached = line.partition("\t")
                found.append(Outcome(events, "", tuple(json.loads(reached))))
        return found
