# SPDX-License-Identifier: MIT
"""Shared fixtures: the command line in a process of its own, as a user or a CI job has it.

``loopcheck`` runs commands and returns what came of them.  Every run carries a mark of its own in its
environment, which everything that it starts inherits: so a test can tell which processes a run left behind.
No run may print a traceback, and none may leave a process.
"""

import os
import signal
import subprocess
import sys
import time
import tomllib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import loopcheck as loopcheck_package
from loopcheck.results import Results, ScenarioResult, read_results

TESTS = Path(__file__).resolve().parent
MARK = "LOOPCHECK_TEST_MARK"
PATIENCE_S = 60.0  # for what is sure to happen; how long it takes says nothing
PATCHED = "import sys, loopcheck.cli, loopcheck.servers; {}; sys.exit(loopcheck.cli.main())"


# A job in the background of a shell has SIGINT ignored, and so would everything that it starts; tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Return when condition() holds.  Fails the test when it never does; what: for the message."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.01)


@dataclass(frozen=True)
class Finished:
    """A run that ended: exit status (negative: the signal), what it printed, its results file."""

    status: int
    stdout: str
    stderr: str
    file: Path

    @property
    def results(self) -> Results:
        """The results."""
        return read_results(self.file)

    @property
    def errors(self) -> list[str]:
        """The sentences of what went wrong around the scenarios."""
        return [error["sentence"] for error in self.results.errors]

    def result(self, scenario: str, target: str = "failing_loops") -> ScenarioResult:
        """Return the result of a scenario on a target."""
        found = [r for r in self.results.of_target(target) if r.id == scenario]
        assert len(found) == 1, f"{scenario} has {len(found)} results on {target}"
        return found[0]


class Running:
    """A command that runs."""

    def __init__(self, words: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.file = folder / "results.jsonl"
        self._mark = uuid.uuid4().hex
        self.process = subprocess.Popen(
            words,
            cwd=folder,
            env={**os.environ, **environment, MARK: self._mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def processes(self) -> list[int]:
        """Return the processes that carry this run's mark, the command itself left out."""
        mark = f"{MARK}={self._mark}".encode()
        return [pid for pid in process_ids() if pid != self.process.pid and mark in environment_of(pid)]

    def servers(self) -> list[int]:
        """Return the fork servers of this run: its own children."""
        return self.children_of(self.process.pid)

    def children_of(self, parent: int) -> list[int]:
        """Return the processes of this run that a process started."""
        return [pid for pid in self.processes() if parent_of(pid) == parent]

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Return when condition() holds; fail the test when it never does."""
        wait_until(condition, what)

    def wait_for(self, file: Path, text: str) -> None:
        """Return when a file has a text in it."""
        wait_until(lambda: file.exists() and text in file.read_text(), f"{text} in {file}")

    def finish(self) -> Finished:
        """Wait for the command's end; it and what it started are gone then."""
        stdout, stderr = self.process.communicate(timeout=PATIENCE_S)
        wait_until(lambda: not self.processes(), "the end of every process that the run started")
        assert "Traceback" not in stderr and "never awaited" not in stderr, stderr
        return Finished(self.process.returncode, stdout, stderr, self.file)

    def clean_up(self) -> None:
        """Kill what a failed test left behind."""
        for pid in [*self.processes(), *([self.process.pid] if self.process.poll() is None else [])]:
            os.kill(pid, signal.SIGKILL)
        self.process.communicate()


def process_ids() -> list[int]:
    """Return the processes of this machine."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def environment_of(pid: int) -> bytes:
    """Return a process's environment; nothing for one that is gone, dead or somebody else's."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def parent_of(pid: int) -> int:
    """Return a process's parent; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


class Loopcheck:
    """Runs the command line in a folder; each method takes its words."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[Running] = []

    def start(self, *words: str, patch: str = "", environment: dict[str, str] | None = None) -> Running:
        """Start ``loopcheck WORDS``.  patch: a statement to be run before, for a shorter time-out."""
        command = [sys.executable, *(["-c", PATCHED.format(patch)] if patch else ["-m", "loopcheck"])]
        running = Running([*command, *words], self.folder, environment or {})
        self.started.append(running)
        return running

    @property
    def scenarios(self) -> Path:
        """The folder that scenario_file writes to."""
        return self.folder / "scenarios"

    def scenario_file(self, name: str, text: str) -> None:
        """Write a scenario file, into a folder that has the innocent scenario too."""
        innocent = "innocent/callbacks.py"
        for path, content in ((innocent, (TESTS / "scenarios_failing" / innocent).read_text()), (name, text)):
            (self.scenarios / path).parent.mkdir(parents=True, exist_ok=True)
            (self.scenarios / path).write_bytes(content.encode("utf-8", "surrogateescape"))

    def command(self, *words: str) -> Finished:
        """Run ``loopcheck WORDS`` to its end."""
        return self.start(*words).finish()

    def start_run(self, *words: str, patch: str = "", environment: dict[str, str] | None = None) -> Running:
        """Start ``loopcheck run WORDS`` with the failing loops and their scenarios, results in a file."""
        options = ["--path", str(TESTS), "--results", str(self.folder / "results.jsonl")]
        if "--scenarios" not in words:
            options += ["--scenarios", str(TESTS / "scenarios_failing")]
        return self.start("run", *words, *options, patch=patch, environment=environment)

    def run(self, *words: str, patch: str = "", environment: dict[str, str] | None = None) -> Finished:
        """Run ``loopcheck run WORDS`` to its end, as start_run does."""
        return self.start_run(*words, patch=patch, environment=environment).finish()


@pytest.fixture
def loopcheck(tmp_path: Path) -> Iterator[Loopcheck]:
    """The command line, run in a temporary folder."""
    runner = Loopcheck(tmp_path)
    yield runner
    for running in runner.started:
        running.clean_up()


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty project, for the pytest plugin: its environment has loopcheck installed, with the entry points
    that pyproject.toml declares.  No process that the test starts may stay.
    """
    site = pytester.mkdir("site")
    about = site / "loopcheck-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: loopcheck\nVersion: 0\n")
    points = tomllib.loads((TESTS.parents[1] / "pyproject.toml").read_text())["project"]["entry-points"]
    lines = [f"{name} = {module}" for name, module in points["pytest11"].items()]
    (about / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines]))
    folders = [str(site), str(Path(loopcheck_package.__file__).parents[1]), os.environ.get("PYTHONPATH")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, folders)))
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    for variable in [name for name in os.environ if name.startswith(("PYTEST_XDIST", "PYTEST_ADDOPTS"))]:
        monkeypatch.delenv(variable)
    yield pytester.path
    monkeypatch.undo()
    marked = f"{MARK}={mark}".encode()
    wait_until(
        lambda: not any(marked in environment_of(pid) for pid in process_ids()),
        "the end of every process that pytest started",
    )


@pytest.fixture
def run_pytest(project: Path, pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Run pytest in the project, in a process of its own and without its cache."""

    def run(*words: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", *words, timeout=2 * PATIENCE_S)

    return run
