# SPDX-License-Identifier: MIT
"""Judging one scenario at a time, from a program that is no event loop: the caller's side.

The work is done by a process of its own (``judge_server``), which holds a session open.  So nothing that the
caller does to its interpreter (an event loop policy, warnings that are errors, a debugger) reaches the
session, and nothing of the session reaches the caller: no thread, no signal handler.  Both ends talk in
lines of JSON over a socket.

Looking ahead is asking early: ``ask()`` returns at once, and the other process works on as many scenarios as
it has slots for; ``answer()`` waits for one.  Invariant: closing the socket ends the other process and all
that it started, however the caller ended, so a caller that is killed leaves nothing.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

PATIENCE_S = 10.0  # until a process that was told to end is killed
START = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from loopcheck.judge_server import main; sys.exit(main(int(sys.argv[2])))"
)

Key = tuple[str, str]  # a scenario's id, a target's name


class JudgeError(Exception):
    """No judging is possible; the text is one sentence.

    refused: whether that is because of what was asked for, which the user can put right.
    """

    def __init__(self, sentence: str, *, refused: bool = False) -> None:
        super().__init__(sentence)
        self.refused = refused


@dataclass(frozen=True)
class Request:
    """What a session is asked for.

    targets: as the user wrote them.  wanted: the names of those to be tested.  ids: of the scenarios, in
    order.  scenarios, baseline: a folder and a file, "" for the shipped scenarios and for no baseline.
    timeout: seconds.  share: how many such sessions the machine has at a time.  width: of the blocks of text,
    in columns.
    """

    targets: list[str]
    wanted: list[str]
    ids: list[str]
    command: list[str]
    scenarios: str = ""
    level: str = "guaranteed"
    clock: str = "auto"
    path: tuple[str, ...] = ()
    share: int = 1
    timeout: float | None = None
    baseline: str = ""
    verbose: int = 0
    width: int = 120


@dataclass(frozen=True)
class Answer:
    """A judged scenario: its record, and its block of the report as text ("" where the report has none)."""

    record: dict[str, Any]
    block: str


class JudgeClient:
    """A session in a process of its own.  Call ``close()`` at the end."""

    def __init__(self, request: Request, folder: Path) -> None:
        """Start it, in a folder.  Raises JudgeError when a target cannot be tested."""
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._lines: BinaryIO = ours.makefile("rb")
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (close() closes it)
        self._asked: set[Key] = set()
        self._answers: dict[Key, dict[str, Any]] = {}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", START, str(_packages()), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                cwd=folder,
                env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
                stdin=subprocess.DEVNULL,
                stdout=self._errors,
                stderr=self._errors,
                start_new_session=True,  # Ctrl-C is the caller's, who closes the socket
            )
        try:
            self._send(asdict(request))
            self.header: dict[str, Any] = self._read()["header"]
        except BaseException:
            self.close()
            raise

    def ask(self, key: Key) -> None:
        """Have a scenario judged on a target, unless that is asked for already."""
        if key not in self._asked:
            self._asked.add(key)
            self._send({"id": key[0], "target": key[1]})

    def answer(self, key: Key) -> Answer:
        """Wait for a scenario to be judged.  Asking for it again has it judged again.  Raises JudgeError."""
        self.ask(key)
        while key not in self._answers:
            said = self._read()
            self._answers[said["id"], said["target"]] = said
        said = self._answers.pop(key)
        self._asked.discard(key)
        if said["error"]:
            raise JudgeError(said["error"])
        return Answer(said["record"], said["block"])

    def _send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the other end is gone: reading says so, and why
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def _read(self) -> dict[str, Any]:
        try:
            line = self._lines.readline()
        except OSError:
            line = b""
        if not line:
            raise JudgeError(f"loopcheck's own process ended: {self._last_words()}")
        message: dict[str, Any] = json.loads(line)
        if "refused" in message:
            raise JudgeError(message["refused"], refused=True)
        return message

    def _last_words(self) -> str:
        self._wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"status {self._process.returncode}, without a word"

    def close(self) -> None:
        """End the process and what it started.  More than once is no more than once."""
        self._lines.close()
        with contextlib.suppress(OSError):  # also where a fork of the caller has the socket too
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._wait()
        self._errors.close()

    def _wait(self) -> None:
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _packages() -> Path:
    """Return the folder that loopcheck is imported from: the other process may not have it on its path."""
    return Path(__file__).resolve().parent.parent
