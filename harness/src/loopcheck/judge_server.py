# SPDX-License-Identifier: MIT
"""Judging one scenario at a time: the process that holds the session (``judge_client`` has the other side).

It reads what is asked for, opens the session and says so (``header``) or says why not (``refused``); then it
judges whatever it is asked to, as much at a time as a run of ``loopcheck`` does, and answers in any order.
The end of its input is the end of its work, whatever is under way.
"""

import asyncio
import contextlib
import io
import json
import socket
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from .arguments import UsageError, checked_path
from .baseline import BaselineError, load
from .interpreters import InterpreterError
from .judge_client import Request
from .report import print_scenario
from .resources import scenarios_folder, statements_folder
from .results import assemble
from .scenarios import load_scenarios
from .session import Record, Session, SessionOptions, default_jobs
from .spec import load_statements
from .targets import Target, TargetError, oracle_for, parse_target, read_configuration, with_distinct_names
from .vocabulary import VERDICTS

LONGEST_LINE = 1 << 20  # bytes, of a request
SHOWN = ("difference", "failure", "stale", "inconclusive")  # what the verdicts that have a block count as

Pairs = tuple[tuple[Target, Target], ...]
Say = Callable[[dict[str, Any]], None]


def main(descriptor: int) -> int:
    """Serve a socket until its end."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(_serve(socket.socket(fileno=descriptor)))
    return 0


async def _serve(connection: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=connection, limit=LONGEST_LINE)
    questions: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def read() -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                questions.put_nowait(json.loads(line))

    def say(message: dict[str, Any]) -> None:
        writer.write(json.dumps(message).encode() + b"\n")

    reading = asyncio.create_task(read())
    work = asyncio.create_task(_work(questions, say))
    await asyncio.wait({reading, work}, return_when=asyncio.FIRST_COMPLETED)
    for task in (work, reading):
        task.cancel()
    await asyncio.wait({reading, work})
    with contextlib.suppress(ConnectionError):
        writer.close()
        await writer.wait_closed()
    if not work.cancelled():
        work.result()  # raises what it raised: the last line of the traceback is what the caller shows


async def _work(questions: asyncio.Queue[dict[str, Any]], say: Say) -> None:
    asked = await questions.get()
    request = Request(**asked)
    try:
        options = _session_options(request)
    except (UsageError, TargetError, InterpreterError, BaselineError) as exc:
        say({"refused": str(exc)})
        return
    session = Session(options)
    async with session.opened() as (header, *errors):
        if errors:
            say({"refused": errors[0]["sentence"]})
            return
        say({"header": header})
        await _Judge(session, request, header).answer_all(questions, say)


def _session_options(request: Request) -> SessionOptions:
    folder = Path(request.scenarios) if request.scenarios else scenarios_folder()
    statements = load_statements(statements_folder())
    scenarios, _ = load_scenarios(folder, statements)
    by_id = {scenario.id: scenario for scenario in scenarios}
    return SessionOptions(
        pairs=_pairs(request),
        scenarios=tuple(by_id[id] for id in request.ids),
        problems=(),  # the caller has told its user
        total=len(scenarios),
        level=request.level,
        clock=request.clock,
        path=checked_path(request.path),
        jobs=max(2, default_jobs() // request.share),
        timeout=request.timeout,
        command=tuple(request.command),
        statements=statements,
        baseline=load(Path(request.baseline)) if request.baseline else None,
    )


def _pairs(request: Request) -> Pairs:
    configured = read_configuration(Path.cwd())
    named = with_distinct_names([parse_target(text, configured) for text in request.targets])
    pairs = tuple((target, oracle_for(target)) for target in named if target.name in request.wanted)
    for target, oracle in pairs:
        if target.is_same_loop_as(oracle):
            raise UsageError(
                f"{target.text} is what loops are compared with: comparing it with itself tests nothing"
            )
    return pairs


class _Judge:
    """Answers questions in an open session."""

    def __init__(self, session: Session, request: Request, header: Record) -> None:
        self._session = session
        self._request = request
        self._header = header
        self._scenarios = {scenario.id: scenario for scenario in session.options.scenarios}
        self._pairs = {target.name: (target, oracle) for target, oracle in session.options.pairs}
        self._gate = asyncio.Semaphore(session.options.jobs * 2)  # first come, first served

    async def answer_all(self, questions: asyncio.Queue[dict[str, Any]], say: Say) -> None:
        """Answer until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                question = await questions.get()
                group.create_task(self._answer(question["id"], question["target"], say))

    async def _answer(self, id: str, name: str, say: Say) -> None:
        answer: dict[str, Any] = {"id": id, "target": name, "error": "", "record": None, "block": ""}
        try:
            async with self._gate:
                target, oracle = self._pairs[name]
                record = await self._session.judge_one(self._scenarios[id], target, oracle)
            baseline = self._session.options.baseline
            answer["record"] = baseline.apply(record, self._header) if baseline else record
            answer["block"] = self._block(answer["record"])
        except Exception as exc:  # whatever it is, it is ours, and must not keep the caller waiting
            where = traceback.extract_tb(exc.__traceback__)[-1]
            answer["error"] = (
                f"a mistake in loopcheck itself, at {Path(where.filename).name}:{where.lineno}: {exc!r}"
            )
        say(answer)

    def _block(self, record: Record) -> str:
        """Return the record's block of the terminal report, which is as wide as the caller's terminal."""
        if VERDICTS[record["verdict"]].counts not in SHOWN and record["verdict"] not in ("variant", "known"):
            return ""
        out = io.StringIO()
        console = Console(file=out, width=self._request.width, color_system=None, force_terminal=False)
        result = assemble([self._header, record]).scenarios[0]
        print_scenario(console, result, self._header, self._request.verbose)
        return "\n".join(line.rstrip() for line in out.getvalue().strip("\n").splitlines())
