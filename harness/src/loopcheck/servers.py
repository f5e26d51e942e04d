# SPDX-License-Identifier: MIT
"""The driver's side of a fork server: starts it, asks it to run scenarios, turns what it says into traces.

One server for each target.  Requests overlap: each run has a name of its own and a future that the answer
resolves.  A server that dies takes only the runs that were under way with it: they are tried once more on a
new server, one after the other, and the one that was under way both times is blamed.
"""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .resources import clock_library, target_folder
from .scenarios import Scenario
from .targets import Target
from .traces import Outcome, Trace, parse_trace

SETUP_TIMEOUT_S = 60.0
OUTPUT_KEPT = 4000
HIDDEN_VARIABLES = ("PYTHONASYNCIODEBUG", "PYTHONDEVMODE", "PYTHONWARNINGS", "PYTHONSTARTUP", "PYTHONINSPECT")


class ServerError(Exception):
    """A target that cannot be used; the text is one sentence.

    during: ``import`` (the name is wrong) or ``factory`` (the target's loop does not work).
    """

    def __init__(self, sentence: str, during: str) -> None:
        super().__init__(sentence)
        self.during = during


class ServerLostError(Exception):
    """The server died while a run was under way."""


@dataclass(frozen=True)
class Setup:
    """How a target is to be set up.

    path: folders for the front of its sys.path.  clock: auto, virtual or real.  scenarios: whose modules it
    imports.  folder: for traces; it must exist.
    """

    path: tuple[str, ...]
    clock: str
    scenarios: tuple[Scenario, ...]
    folder: Path


@dataclass(frozen=True)
class Description:
    """What a target said about itself."""

    python: str
    implementation: str
    version: str
    loop_class: str
    asyncios_own: bool
    missing: tuple[str, ...]
    capabilities: tuple[str, ...]
    virtual_clock: bool
    clock_why: str
    broken_modules: dict[str, str]
    abstract_event_loop: bool = True


@dataclass(frozen=True)
class RunOptions:
    """How one run is to be done.

    tick and timeout: seconds.  calls: the file in which the target's side notes what the scenario calls, for
    coverage; empty, it notes nothing.
    """

    tick: float
    timeout: float
    clock: str
    iterations: bool = False
    calls: str = ""


class Server:
    """The fork server of one target: ``await`` its start(), then run() any number of times, then stop()."""

    def __init__(self, target: Target, setup: Setup) -> None:
        self.target = target
        self.description: Description | None = None
        self._setup = setup
        self._numbers = itertools.count()
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listener: asyncio.Task[None] | None = None
        self._restart = asyncio.Lock()
        self._retry = (
            asyncio.Lock()
        )  # one at a time: else a run that kills its server takes others with it twice
        self._name = f"{os.getpid()}-{id(self):x}"

    async def start(self) -> Description:
        """Start the server and set the target up.  Raises ServerError."""
        ours, theirs = socket.socketpair()
        error_log = self._setup.folder / f"{self._name}.server"
        with theirs, error_log.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                self.target.interpreter.path,
                "-B",
                str(target_folder() / "loopcheck_target" / "server.py"),
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                env=self._environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=1 << 24)
        self._listener = asyncio.create_task(self._listen(reader))
        answer = await self._set_up(error_log)
        self.description = _description(answer)
        return self.description

    def _environment(self) -> dict[str, str]:
        environment = {key: value for key, value in os.environ.items() if key not in HIDDEN_VARIABLES}
        environment["PYTHONHASHSEED"] = "0"
        library = clock_library()
        if library is not None and self._setup.clock != "real":
            preloads = [str(library), environment.get("LD_PRELOAD", "")]
            environment["LD_PRELOAD"] = " ".join(filter(None, preloads))
        return environment

    async def _set_up(self, error_log: Path) -> dict[str, Any]:
        modules = {s.module: str(s.file) for s in self._setup.scenarios}
        request = {
            "op": "setup",
            "factory": self.target.factory,
            "path": list(self._setup.path),
            "modules": [{"name": name, "file": file} for name, file in modules.items()],
            "clock": self._setup.clock,
        }
        try:
            answer = await asyncio.wait_for(self._ask("setup", request), SETUP_TIMEOUT_S)
        except TimeoutError:
            await self.stop()
            raise ServerError(
                f"importing {self.target.factory.partition(':')[0]} did not end within {SETUP_TIMEOUT_S:g} s",
                "factory",
            ) from None
        except ServerLostError:
            raise ServerError(await self._last_words(error_log), "factory") from None
        if answer["op"] == "failed":
            await self.stop()
            raise ServerError(answer["why"], answer["during"])
        return answer

    async def _last_words(self, error_log: Path) -> str:
        assert self._process is not None
        code = await self._process.wait()
        how = f"died with {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        lines = error_log.read_text(errors="replace").strip().splitlines()
        return f"its interpreter {how} while importing it" + (f": {lines[-1]}" if lines else "")

    # ---- requests and answers -----------------------------------------------------------------------------

    async def _ask(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        assert self._writer is not None
        if self._listener is None or self._listener.done():
            raise ServerLostError
        future = self._waiting[name] = asyncio.get_running_loop().create_future()
        self._writer.write((json.dumps(request) + "\n").encode())
        answer: dict[str, Any] = await future
        return answer

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                answer: dict[str, Any] = json.loads(line)
                name = answer.get("run", "setup")
                future = self._waiting.pop(name, None)
                if future is not None and not future.done():
                    future.set_result(answer)
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(ServerLostError())

    # ---- runs ---------------------------------------------------------------------------------------------

    async def run(self, scenario: Scenario, options: RunOptions) -> Trace:
        """Run a scenario once; return its trace, whatever happened to it.

        A trace whose ``harness_error`` is set says that the server died twice under this run.
        """
        for turn in (contextlib.nullcontext(), self._retry):
            async with turn:
                listener = self._listener
                try:
                    return await self._run_once(scenario, options)
                except ServerLostError:
                    await self._start_again(listener)
        return Trace(
            {}, (), None, Outcome(), harness_error=f"the fork server of {self.target.name} died twice"
        )

    async def _start_again(self, lost: asyncio.Task[None] | None) -> None:
        async with self._restart:
            if self._listener is lost:  # the first of the runs that noticed; the others find it done
                await self.stop()
                with contextlib.suppress(ServerError):
                    await self.start()

    async def _run_once(self, scenario: Scenario, options: RunOptions) -> Trace:
        request = {
            "op": "run",
            "id": scenario.id,
            "module": scenario.module,
            "function": scenario.function,
            "debug": scenario.debug,
            "tick": options.tick,
            "timeout": options.timeout,
            "clock": options.clock,
            "iterations": options.iterations,
            "calls": options.calls,
        }
        return parse_trace(*await self.request(request))

    async def request(self, request: dict[str, Any]) -> tuple[str, Outcome]:
        """Have a child do something; return what it wrote to its trace, and how it ended.

        Raises ServerLostError.
        """
        name = f"{self._name}-{next(self._numbers)}"
        answer = await self._ask(name, {**request, "run": name, "folder": str(self._setup.folder)})
        base = self._setup.folder / name
        output = _read(base.with_suffix(".output"))[-OUTPUT_KEPT:]
        outcome = Outcome(answer["hung"], answer["signal"], answer["code"], answer["wall"], output)
        return _read(base.with_suffix(".trace")), outcome

    async def stop(self) -> None:
        """End the server and whatever it has running."""
        if self._writer is not None:
            self._writer.close()
        if self._process is not None and self._process.returncode is None:
            try:
                await asyncio.wait_for(self._process.wait(), 5)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._listener is not None:
            await self._listener


def _read(path: Path) -> str:
    """Return a file's text and remove it; an empty string when it is not there."""
    try:
        text = path.read_text(errors="replace")
        path.unlink()
    except FileNotFoundError:
        return ""
    return text


def _description(answer: dict[str, Any]) -> Description:
    return Description(
        python=answer["python"],
        implementation=answer["implementation"],
        version=answer["version"],
        loop_class=answer["loop"]["class"],
        asyncios_own=answer["loop"]["asyncios_own"],
        abstract_event_loop=answer["loop"]["abstract_event_loop"],
        missing=tuple(answer["loop"]["missing"]),
        capabilities=tuple(answer["capabilities"]),
        virtual_clock=answer["clock"]["virtual"],
        clock_why=answer["clock"]["why"],
        broken_modules=answer["broken"],
    )
