# SPDX-License-Identifier: MIT
"""The tester tested: each deliberately wrong loop is caught, by the scenario that is meant to, in the right words.

WRONG says of each loop of ``wrong_loops.py`` and ``wrong_edges.py`` which scenario catches it, as which kind of
difference, and what the sentence must contain so that a reader understands the bug from it alone.  All of them are
judged at the level ``observed``.

The everyday run gives the right loop every scenario, and each wrong one those that the table names for the area
where it is wrong; with LOOPCHECK_TEST_FULL=1 each gets every scenario, which takes minutes.  The kill matrix
(which loop is caught how often) is printed, and kept in ``build/kill-matrix.txt``.
The loops run once, however many workers pytest has: the first that needs the results makes them, the others wait.
"""

import ast
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from loopcheck.results import Results, ScenarioResult, read_results
from loopcheck.vocabulary import EXITS

TESTS = Path(__file__).resolve().parent
MATRIX = TESTS.parents[1] / "build" / "kill-matrix.txt"
MODULES = ("wrong_loops", "wrong_edges")
CONTROL = "wrong_loops:right_loop"
FULL = bool(os.environ.get("LOOPCHECK_TEST_FULL"))
TIMEOUT_S = 3
STATUSES = (
    0,
    1,
    3,
)  # 3: what is wrong enough can keep a scenario from making its loop; the tests below see to it


@dataclass(frozen=True)
class Caught:
    """How a wrong loop is caught: the scenario, the kind of its first difference (or "hang"), telling words."""

    scenario: str
    kind: str
    words: str

    @property
    def area(self) -> str:
        """The area of the scenario."""
        return self.scenario.partition("/")[0]


WRONG = {
    "wrong_loops:LastInFirstOut": Caught(
        "callbacks/call_soon_runs_in_order", "order", "“third” came before “first” and “second”"
    ),
    "wrong_loops:NewCallbacksRunInTheSameIteration": Caught(
        "running/stop_finishes_the_batch", "extra", "“scheduled after stop” happened"
    ),
    "wrong_loops:OnlyTheFirstArgument": Caught(
        "callbacks/call_soon_passes_arguments", "value", "OnlyTheFirstArgument has (1,) {}"
    ),
    "wrong_loops:SameCallbackOnlyOnce": Caught(
        "callbacks/callback_scheduled_twice_runs_twice", "missing", "“callback” did not happen"
    ),
    "wrong_loops:CallbackRunsInsideCallSoon": Caught(
        "callbacks/call_soon_does_not_call_at_once",
        "order",
        "“scheduled by the callback” came before “callback ends”",
    ),
    "wrong_loops:CancelledCallbackRuns": Caught(
        "handles/cancelled_callback_does_not_run", "extra", "“callback” happened"
    ),
    "wrong_loops:ContextIsLost": Caught(
        "contexts/call_soon_runs_in_its_context", "value", "“keyword”: asyncio has 'given'"
    ),
    "wrong_loops:ContextIsShared": Caught(
        "contexts/call_soon_runs_in_its_context", "value", "ContextIsShared has 'changed by default'"
    ),
    "wrong_loops:TimersAreEarly": Caught("timers/timer_runs_after_its_delay", "early", "before it was due"),
    "wrong_loops:TimersOfAMillisecondRunTogether": Caught(
        "timers/no_timer_is_early_at_all", "value", "“some came early”: asyncio has False"
    ),
    "wrong_loops:TimersAreLate": Caught(
        "timers/delay_may_be_an_int_or_a_float", "late", "ms after it was due"
    ),
    "wrong_loops:TimersAreSlow": Caught(
        "timers/cancelled_earliest_timer_leaves_the_next_on_time", "slow", "of its delay"
    ),
    "wrong_loops:PastTimersAreDropped": Caught(
        "timers/negative_delay_runs_after_queued_callbacks", "missing", "“negative delay” did not happen"
    ),
    "wrong_loops:CancellingDropsTheNextTimer": Caught(
        "timers/many_cancelled_timers_leave_the_others_in_order", "value", "asyncio has True 100"
    ),
    "wrong_loops:TimersFireTwice": Caught("timers/timer_runs_exactly_once", "extra", "happened on"),
    "wrong_loops:TimersInSchedulingOrder": Caught(
        "timers/deadlines_within_a_millisecond_keep_their_order",
        "order",
        "“timer 3” came before “timer 1” and “timer 2”",
    ),
    "wrong_loops:CancelledTimerRuns": Caught(
        "timers/cancelled_timer_never_runs", "extra", "“cancelled before the run” happened"
    ),
    "wrong_loops:DeadlineIsTakenForADelay": Caught(
        "timers/call_at_and_call_later_share_a_clock", "missing", "“call_at, 2 ticks” did not happen"
    ),
    "wrong_loops:DeadlineIsToldAsADelay": Caught(
        "handles/when_is_the_moment_given_to_call_at", "value", "“near”: asyncio has True"
    ),
    "wrong_loops:ZeroDelayOvertakes": Caught(
        "timers/zero_delay_runs_after_queued_callbacks", "order", "“zero delay” came before “queued before”"
    ),
    "wrong_loops:TimeIsTheWallClock": Caught(
        "timers/time_is_not_the_wall_clock", "value", "“a day apart at least”: asyncio has True"
    ),
    "wrong_loops:StopsAtOnce": Caught(
        "running/stop_finishes_the_batch", "missing", "“same batch” did not happen"
    ),
    "wrong_loops:StopsTooLate": Caught(
        "running/stop_finishes_the_batch", "extra", "“scheduled after stop” happened"
    ),
    "wrong_loops:StopIsNotConsumed": Caught(
        "running/stop_ends_one_run_only", "missing", "“timer” did not happen"
    ),
    "wrong_loops:StoppedRunReturnsNothing": Caught(
        "running/stop_before_the_result_raises_runtime_error", "class", "StoppedRunReturnsNothing has None"
    ),
    "wrong_loops:RunUntilCompleteSwallows": Caught(
        "running/exception_comes_out_of_the_call", "missing", "“raised” did not happen"
    ),
    "wrong_loops:IsNeverRunning": Caught(
        "running/is_running_follows_the_run", "value", "“callback”: asyncio has True"
    ),
    "wrong_loops:NestedRunIsAccepted": Caught(
        "running/run_inside_a_run_is_refused", "class", "'This event loop is already running'"
    ),
    "wrong_loops:StaysTheRunningLoop": Caught(
        "loops/no_loop_is_seen_from_outside", "class", "asyncio has RuntimeError('no running event loop')"
    ),
    "wrong_loops:ClosedLoopAcceptsCallbacks": Caught(
        "running/closed_loop_accepts_no_callbacks", "class", "ClosedLoopAcceptsCallbacks has 'accepted'"
    ),
    "wrong_loops:CloseRunsWhatIsPending": Caught(
        "running/pending_callbacks_are_dropped", "extra", "“ran: callback” happened"
    ),
    "wrong_loops:RunningLoopCanBeClosed": Caught(
        "running/running_loop_cannot_be_closed", "class", "RunningLoopCanBeClosed has 'accepted'"
    ),
    "wrong_loops:CloseLeavesADescriptor": Caught(
        "running/pending_callbacks_are_dropped", "leak", "left 1 descriptor (socket) open"
    ),
    "wrong_loops:GeneratorsAreNotShutDown": Caught(
        "running/shutdown_closes_the_open_generators", "missing", "“closed” did not happen"
    ),
    "wrong_edges:LosesEveryWakeUp": Caught(
        "threads/threadsafe_call_wakes_an_idle_loop", "extra", "“the far timer” happened"
    ),
    "wrong_edges:WakesOnlyOnce": Caught(
        "threads/every_threadsafe_call_wakes_the_loop", "value", "“answers”: asyncio has 100 True"
    ),
    "wrong_edges:ThreadsafeCallbackRunsTwice": Caught(
        "threads/threadsafe_call_wakes_an_idle_loop", "extra", "“woken” happened"
    ),
    "wrong_edges:ThreadsafeCallbacksAreReversed": Caught(
        "threads/callbacks_that_pile_up_keep_their_order",
        "order",
        "“third” came before “first” and “second”",
    ),
    "wrong_edges:ReplacedReaderStillRuns": Caught(
        "descriptors/second_reader_replaces_the_first", "extra", "“first reader” happened"
    ),
    "wrong_edges:RemoveReaderReturnsNothing": Caught(
        "descriptors/remove_reader_returns_true_for_a_watched_descriptor", "value", "asyncio has True"
    ),
    "wrong_edges:RemovedReaderStillRuns": Caught(
        "descriptors/removal_cancels_a_queued_reader", "extra", "“one of them” happened"
    ),
    "wrong_edges:ReadersAreEdgeTriggered": Caught(
        "descriptors/reader_repeats_while_data_remain", "missing", "“readable” did not happen"
    ),
    "wrong_edges:DoneCallbacksRunInsideSetResult": Caught(
        "futures/done_callbacks_wait_for_the_loop", "order", "“added first” came before “result set”"
    ),
    "wrong_edges:DoneCallbacksAreReversed": Caught(
        "futures/done_callbacks_wait_for_the_loop", "order", "“added second” came before “added first”"
    ),
    "wrong_edges:TasksStartEagerly": Caught(
        "tasks/task_waits_for_its_turn", "order", "“first step” came before “created”"
    ),
    "wrong_edges:TaskNameIsLost": Caught("tasks/task_has_a_name", "value", "asyncio has 'reader'"),
    "wrong_edges:TaskContextIsLost": Caught(
        "contexts/task_runs_in_the_given_context", "value", "“first step”: asyncio has 'given'"
    ),
    "wrong_edges:TaskFactoryIsIgnored": Caught(
        "tasks/task_factory_makes_the_tasks", "missing", "“factory” did not happen"
    ),
    "wrong_edges:ErrorsAreSwallowed": Caught(
        "errors/failing_callback_leaves_the_others_running", "missing", "“report” did not happen"
    ),
    "wrong_edges:ErrorEndsTheRun": Caught(
        "errors/system_exit_in_the_handler_leaves_the_run", "class", "ErrorEndsTheRun has LookupError"
    ),
    "wrong_edges:InterruptIsSwallowed": Caught(
        "errors/system_exit_leaves_the_run", "missing", "“run_forever raised” did not happen"
    ),
    "wrong_edges:HandlerGetsAnotherKey": Caught(
        "errors/failing_callback_is_reported_with_its_handle", "value", "has ['handle', 'message']"
    ),
    "wrong_edges:HandlerCannotBeTakenBack": Caught(
        "errors/handler_can_be_asked_for", "value", "“removed”: asyncio has None"
    ),
    "wrong_edges:DebugModeIsIgnored": Caught(
        "debug/debug_mode_is_set_and_read", "value", "“debug”: asyncio has True"
    ),
    "wrong_edges:SlowCallbacksAreNotLogged": Caught(
        "debug/slow_callback_is_logged", "log", "does not have the log record WARNING 'Executing"
    ),
    "wrong_edges:InterruptIsTakenOver": Caught(
        "running/closed_loop_leaves_nothing_behind", "leak", "left another handler of SIGINT (function)"
    ),
    "wrong_edges:WakeUpDescriptorStays": Caught(
        "running/closed_loop_leaves_nothing_behind", "leak", "left the wake-up descriptor of signals set"
    ),
    "wrong_edges:GeneratorHooksStay": Caught(
        "running/closed_loop_leaves_nothing_behind", "leak", "left the finalizer hook of asynchronous"
    ),
    "wrong_edges:MarkStaysWhenClosed": Caught(
        "running/closed_loop_leaves_nothing_behind", "leak", "left a loop marked as the running one"
    ),
}


# ---- running them ------------------------------------------------------------------------------------------


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that a file stands for."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(results: Path, targets: list[str], scenarios: set[str], also: Sequence[int] = ()) -> None:
    """Run scenarios, all if none is named, on targets; the results file appears when it is complete.

    also: exit statuses that are as good as those of a run that found something.
    """
    unfinished = results.with_suffix(".part")
    command = [sys.executable, "-m", "loopcheck", "run", *targets, "--path", str(TESTS)]
    command += ["--level", "observed", "--timeout", str(TIMEOUT_S), "--results", str(unfinished)]
    command += [word for scenario in sorted(scenarios) for word in ("-k", scenario)]
    done = subprocess.run(command, cwd=results.parent, capture_output=True, text=True)
    assert done.returncode in (*STATUSES, *also), f"{done.returncode}: {done.stdout[-2000:]}{done.stderr}"
    unfinished.rename(results)


def plan() -> dict[str, tuple[list[str], set[str]]]:
    """Return the runs to make: each with a name, its targets, and its scenarios (none named: all)."""
    if FULL:
        return {"all": ([CONTROL, *WRONG], set())}
    runs: dict[str, tuple[list[str], set[str]]] = {"control": ([CONTROL], set())}
    for name, caught in WRONG.items():
        targets, scenarios = runs.setdefault(caught.area, ([CONTROL], set()))
        targets.append(name)
        scenarios.add(caught.scenario)
    return runs


def run_all(folder: Path) -> list[Results]:
    """Return the results of all loops, from files in folder; make those that are not there yet."""
    files = []
    for name, (targets, scenarios) in plan().items():
        files.append(folder / f"{name}.jsonl")
        if not files[-1].exists():
            run(files[-1], targets, scenarios)
    return [read_results(file) for file in files]


ByTarget = dict[str, dict[str, ScenarioResult]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> ByTarget:
    """The results of every loop, by scenario."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with locked(folder / "wrong-loops.lock"):
        (folder / "wrong-loops").mkdir(exist_ok=True)
        found: ByTarget = {}
        for one in run_all(folder / "wrong-loops"):
            text_of = {target["name"]: target["text"] for target in one.header["targets"]}
            for result in one.scenarios:
                found.setdefault(text_of[result.target_name], {})[result.id] = result
        for name, caught in WRONG.items():
            if found[name][caught.scenario].record["reason"] == "noisy":
                found[name][caught.scenario] = alone(name, caught.scenario, folder / "wrong-loops")
    return found


def alone(name: str, scenario: str, folder: Path) -> ScenarioResult:
    """Return the result of a scenario that a busy machine left without a verdict: of a run of its own."""
    file = folder / f"alone-{name.replace(':', '-')}.jsonl"
    if not file.exists():
        run(file, [name], {scenario}, also=[EXITS["inconclusive"].status])
    return next(result for result in read_results(file).scenarios if result.id == scenario)


def kind_of(result: ScenarioResult) -> str:
    """Return the kind of the first difference, or the verdict where there is none."""
    differences = result.record["differences"]
    return str(differences[0]["kind"]) if differences else result.verdict


def kills(results: dict[str, ScenarioResult]) -> list[ScenarioResult]:
    """Return the results that tell a loop from asyncio by more than the text of a message."""
    bad = [result for result in results.values() if result.verdict in ("differ", "hang", "crash")]
    return [result for result in bad if kind_of(result) != "wording"]


# ---- the tests ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRONG)
def test_wrong_loop_is_caught_by_its_scenario_with_the_right_sentence(results: ByTarget, name: str) -> None:
    caught = WRONG[name]
    result = results[name][caught.scenario]
    if result.record["reason"] == "noisy":
        pytest.skip(f"not run: {result.record['sentence']}")
    expected_verdict = "hang" if caught.kind == "hang" else "differ"
    assert (result.verdict, kind_of(result)) == (expected_verdict, caught.kind), result.record["sentence"]
    assert caught.words in result.record["sentence"]


def test_right_loop_shows_no_difference(results: ByTarget) -> None:
    verdicts = {id: result.verdict for id, result in results[CONTROL].items()}
    assert {id: v for id, v in verdicts.items() if v not in ("agree", "skipped")} == {}
    assert list(verdicts.values()).count("agree") > len(verdicts) * 0.8


def test_every_wrong_loop_is_in_the_table() -> None:
    loops = {
        f"{module}:{node.name}"
        for module in MODULES
        for node in ast.parse((TESTS / f"{module}.py").read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }
    assert loops == set(WRONG)


def test_every_wrong_loop_says_its_bug_in_one_sentence() -> None:
    for module in MODULES:
        for node in ast.parse((TESTS / f"{module}.py").read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                text = ast.get_docstring(node) or ""
                assert text.endswith(".") and text.count(". ") == 0, node.name


def test_kill_matrix_is_printed(results: ByTarget, capsys: pytest.CaptureFixture[str]) -> None:
    text = kill_matrix(results)
    MATRIX.parent.mkdir(exist_ok=True)
    MATRIX.write_text(text, encoding="utf-8")
    with capsys.disabled():
        print(f"\n\n{text}")
    assert text.count("\n    ") == len(WRONG)


def kill_matrix(results: ByTarget) -> str:
    """Return the table: each wrong loop, how many scenarios catch it, the one that must, and what it says."""
    lines = [f"{'wrong loop':46} {'caught by':>11}  scenario that must catch it (kind, level)"]
    for name, caught in WRONG.items():
        own = results.get(name, {})
        ran = sum(result.verdict != "skipped" for result in own.values())
        named = own[caught.scenario]
        count = f"{len(kills(own))} of {ran}"
        about = f"{caught.scenario} ({kind_of(named)}, {named.record['level']})"
        lines += [f"{name:46} {count:>11}  {about}", f"    {named.record['sentence']}"]
    return "\n".join(lines) + "\n"
