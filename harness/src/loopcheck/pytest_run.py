# SPDX-License-Identifier: MIT
"""A pytest run with ``--loop``: what was asked for, who judges, and what becomes of the verdicts.

Three sorts of process run this plugin.  Without pytest-xdist there is one, which does everything.  With it,
the controller checks what was asked for, gathers the verdicts and writes the results file; each worker
collects the same items in the same order and judges those that it is given, on servers of its own.  A verdict
gets from worker to controller in its test report, so both cases are one: what is gathered is reports.

The one process knows all its items and asks for them at once, so the suite takes what ``loopcheck run`` takes;
a worker knows this item and the next.  What the user got wrong is said before anything runs, as pytest's usage
error (status 4); a baseline or an interpreter is looked at only when there is something to run.
"""

from __future__ import annotations

import functools
import os
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from .arguments import UsageError
from .judge_client import Answer, JudgeClient, JudgeError, Key, Request
from .pytest_items import ScenarioItem, Suite
from .pytest_plugin import WANTED, is_ours
from .pytest_results import RecordsCollector, attach
from .resources import scenarios_folder, statements_folder
from .scenarios import Problem, Scenario, load_scenarios
from .spec import load_statements
from .targets import TargetError, distinct_names, read_configuration, split_target
from .vocabulary import VERDICTS, exit_for

WIDTH_IN_FILES = 120
HERE = Path(__file__).resolve().parent


class LoopRun:
    """The plugin of a run with ``--loop``."""

    def __init__(self, config: pytest.Config) -> None:
        """Check what was asked for.  Raises pytest.UsageError."""
        option = config.option
        self.config = config
        self.folder = Path(option.loop_scenarios).resolve() if option.loop_scenarios else scenarios_folder()
        self.wanted = config.option.pyargs and any(map(is_ours, config.args))
        self._only: list[str] = []  # node ids
        self._client: JudgeClient | None = None
        self._header: dict[str, Any] = {}  # of results, once a session was open
        self._verdicts: dict[str, tuple[str, str]] = {}  # by node id: the target and the verdict
        self._others = False  # whether anything but scenarios ran
        self._notes: list[str] = []
        self._records: RecordsCollector | None = None
        try:
            self.target_names = _target_names(option.loop_targets, config.invocation_params.dir)
            if self.wanted:
                self._select()
        except (UsageError, TargetError) as exc:
            raise pytest.UsageError(f"loopcheck: {exc}") from exc

    # ---- what was asked for -------------------------------------------------------------------------------

    @functools.cached_property
    def corpus(self) -> tuple[list[Scenario], list[Problem]]:
        """The scenarios, and what is wrong with the others."""
        return load_scenarios(self.folder, load_statements(statements_folder()))

    @functools.cached_property
    def _nodes(self) -> dict[str, Key]:
        """Every node id there can be, selected or not."""
        return {
            f"loopcheck/{scenario.area}::{scenario.function}[{target}]": (scenario.id, target)
            for scenario in self.corpus[0]
            for target in self.target_names
        }

    def _select(self) -> None:
        """Take the arguments that name parts of loopcheck apart: pytest itself knows the package only."""
        if not self.folder.is_dir():
            raise UsageError(f"there is no folder {self.folder} to read scenarios from")
        timeout = self.config.option.loop_timeout
        if timeout is not None and not timeout > 0:
            raise UsageError(f"--loop-timeout {timeout:g} is not above zero")
        areas = {scenario.area for scenario in self.corpus[0]}
        for area in self.config.option.loop_area or ():
            if area not in areas:
                raise UsageError(f"there is no area {area!r}; there is {', '.join(sorted(areas))}")
        ours = [argument for argument in self.config.args if is_ours(argument)]
        if "loopcheck" not in ours:
            self._only = [argument.replace("loopcheck::", "loopcheck/", 1).rstrip("/") for argument in ours]
        for only in self._only:
            if not any(_is_within(nodeid, only) for nodeid in self._nodes):
                raise UsageError(f"there is nothing called {only}; pytest --collect-only shows what there is")
        others = [argument for argument in self.config.args if argument not in ours]
        self.config.args[:] = [*others, "loopcheck"]

    def has_area(self, area: str) -> bool:
        """Return whether an area is selected, or a part of it."""
        node = f"loopcheck/{area}"
        wanted = self.config.option.loop_area
        return (not wanted or area in wanted) and (
            not self._only or any(_is_within(only, node) for only in self._only)
        )

    def selects(self, nodeid: str) -> bool:
        """Return whether an item of a selected area is selected."""
        return not self._only or any(_is_within(nodeid, only) for only in self._only)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> Suite | None:
        """Collect loopcheck's package, named as an argument, in our way."""
        if self.wanted and path.resolve() == HERE and isinstance(parent, pytest.Session):
            return Suite.from_parent(parent, path=path, nodeid="loopcheck", run=self)
        return None

    # ---- who judges ---------------------------------------------------------------------------------------

    @property
    def _is_worker(self) -> bool:
        return hasattr(self.config, "workerinput")

    @property
    def _is_controller(self) -> bool:
        return self.config.pluginmanager.has_plugin("dsession")

    @property
    def _keeps_records(self) -> bool:
        return bool(self.config.option.loop_results or self.config.option.loop_baseline)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Open the files that were named; with workers, see that they will be able to start."""
        if self._is_worker or not self.wanted or self.config.option.collectonly:
            return
        if self._keeps_records:
            option = self.config.option
            self._records = RecordsCollector(option.loop_results, option.loop_baseline)
        if self._is_controller:
            self._start([])
            self._stop()  # self._header stays

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Start the process that judges: only now is it known that there is something to run."""
        items = _scenario_items(session.items)
        if items and not self.config.option.collectonly:
            self._start(items)
            self._plan([item.nodeid for item in items])

    def _start(self, items: Sequence[ScenarioItem]) -> None:
        option = self.config.option
        names = {item.key[1] for item in items} or set(self.target_names)
        workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) if self._is_worker else 1
        request = Request(
            targets=option.loop_targets,
            wanted=[name for name in self.target_names if name in names],
            ids=list(dict.fromkeys(item.key[0] for item in items)),
            command=["pytest", *map(str, self.config.invocation_params.args)],
            scenarios=str(self.folder) if option.loop_scenarios else "",
            level=option.loop_level,
            clock=option.loop_clock,
            path=tuple(str(Path(folder).resolve()) for folder in option.loop_path),
            share=workers,
            timeout=option.loop_timeout,
            baseline=str(Path(option.loop_baseline).resolve()) if option.loop_baseline else "",
            verbose=max(0, option.verbose),
            width=_width(),
        )
        try:
            self._client = JudgeClient(request, self.config.invocation_params.dir)
        except JudgeError as exc:
            raise pytest.UsageError(f"loopcheck: {exc}") from exc
        self._header = self._client.header

    def _stop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Have judged what comes next while this item is reported: a worker knows no more than that."""
        if isinstance(item, ScenarioItem) and self._client is not None:
            coming = [item, nextitem] if self._is_worker else item.session.items
            for each in _scenario_items(coming):
                self._client.ask(each.key)

    def answer(self, key: Key) -> Answer:
        """Wait for a scenario to be judged.  Raises JudgeError."""
        if self._client is None:
            raise JudgeError("the process that judges is not there")
        return self._client.answer(key)

    # ---- what becomes of the verdicts ---------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        """Attach the record to the report, so that it reaches the process that writes results."""
        report = yield
        if self._client is None or not self._keeps_records:
            return report
        if isinstance(item, ScenarioItem) and item.record and call.when == "setup":
            attach(report, item.record)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather a verdict, in the process that the user talks to."""
        if self._is_worker or not self.wanted:
            return
        properties = dict(report.user_properties)
        if "loopcheck_verdict" in properties:
            about = (str(properties["loopcheck_target"]), str(properties["loopcheck_verdict"]))
            self._verdicts[report.nodeid] = about
        elif report.nodeid not in self._nodes:
            self._others = True
        if self._records is not None:
            self._records.take(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Learn the plan from a worker."""
        self._plan([id for id in ids if id in self._nodes])

    def _plan(self, nodeids: list[str]) -> None:
        if self._records is not None and nodeids:
            keys = [self._nodes[nodeid] for nodeid in nodeids]
            plan = list(dict.fromkeys(id for id, _ in keys))
            names = {name for _, name in keys}
            targets = [target for target in self._header["targets"] if target["name"] in names]
            header = {**self._header, "targets": targets, "plan": plan, "selected": len(plan)}
            self._records.begin(header, nodeids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """End what was started, and fail a session that proves less than it seems to."""
        self._stop()
        if self._is_worker or not self.wanted:
            return
        if self._records is not None:
            interrupted = exitstatus == pytest.ExitCode.INTERRUPTED
            problems = self._records.finish([s.id for s in self.corpus[0]], interrupted=interrupted)
        else:
            problems = []
        status, notes = self._what_else_is_wrong(exitstatus, problems)
        session.exitstatus = status
        self._notes = [f"ERROR: loopcheck: {note}" for note in notes]

    def _what_else_is_wrong(self, exitstatus: int, problems: list[str]) -> tuple[int, list[str]]:
        """Return the status and why, given pytest's own and the sentences about the baseline."""
        verdicts = [verdict for _, verdict in self._verdicts.values()]
        exit = exit_for(verdicts, usage=False, failure=False, interrupted=False)
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            count = len(self.corpus[0])
            sentence = f"nothing matches: none of the {count} scenarios is selected"
            return pytest.ExitCode.USAGE_ERROR, [sentence]
        if exitstatus != pytest.ExitCode.OK:
            return exitstatus, problems
        if problems:
            return pytest.ExitCode.TESTS_FAILED, problems
        if exit.name == "inconclusive":
            return pytest.ExitCode.TESTS_FAILED, [exit.means]
        if exit.name == "usage" and not self._others:
            return pytest.ExitCode.USAGE_ERROR, ["none of the selected scenarios applies here"]
        return exitstatus, []

    def pytest_unconfigure(self) -> None:
        """End what was started, also after a failure that left no time for a proper end."""
        self._stop()

    # ---- what is printed ----------------------------------------------------------------------------------

    def pytest_report_header(self) -> str:
        """Say what is tested."""
        option = self.config.option
        if not self.wanted:
            return "loopcheck: nothing is tested by it, for that takes the arguments --pyargs loopcheck too"
        return f"loopcheck: {', '.join(option.loop_targets)} at level {option.loop_level}"

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the verdicts of each target in loopcheck's words, and why the session failed if it did."""
        for target in self.target_names:
            counts = Counter(verdict for name, verdict in self._verdicts.values() if name == target)
            if counts:
                tally = ", ".join(f"{counts[word]} {word}" for word in VERDICTS if word in counts)
                terminalreporter.write_line(f"loopcheck: {target}: {tally}")
        for note in self._notes:
            terminalreporter.write_line(note, red=True, bold=True)


def _target_names(texts: Sequence[str], folder: Path) -> list[str]:
    """Return what reports call the targets.  Raises UsageError or TargetError."""
    if "" in texts:
        raise UsageError(WANTED)
    repeated = [text for text in texts if texts.count(text) > 1]
    if repeated:
        raise UsageError(f"{repeated[0]} is named twice")
    configured = read_configuration(folder)
    return distinct_names([split_target(text, configured)[0] for text in texts], list(texts))


def _width() -> int:
    to_terminal = sys.__stdout__ is not None and sys.__stdout__.isatty()
    return shutil.get_terminal_size().columns if to_terminal else WIDTH_IN_FILES


def _is_within(nodeid: str, other: str) -> bool:
    """Return whether a node is another one or stands below it, as a scenario does without its target."""
    return nodeid.startswith(other) and nodeid[len(other) :][:1] in ("", ":", "[")


def _scenario_items(items: Sequence[pytest.Item | None]) -> list[ScenarioItem]:
    return [item for item in items if isinstance(item, ScenarioItem)]
