# SPDX-License-Identifier: MIT
"""Times: what counts as early, late and slow, what excuses lateness, and what a session does to be sure."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from loopcheck.judge import Judgement, judge
from loopcheck.timing import CONFIRMATION_FACTORS
from loopcheck.traces import Event, Trace
from loopcheck_target.resources import WaitingForCpu

from .building import TICK_S, event, subject, trace
from .conftest import Loopcheck

FACTORS = (1, *CONFIRMATION_FACTORS)


def timer(due: float, lateness: float, waited: float | None = None) -> Event:
    """Return a timer's event."""
    return event("timer", due=due, t=due + lateness, waited=waited)


def series(lateness: Sequence[float], waited: float | None = None, **about: Any) -> list[Trace]:
    """Return runs with growing ticks, whose timer of one tick was late by so much."""
    ticks = [TICK_S * factor for factor in FACTORS]
    pairs = zip(ticks, lateness, strict=True)
    return [trace(timer(tick, late, waited), tick=tick, **about) for tick, late in pairs]


def timed(*lateness: float, waited: float | None = None, **about: Any) -> Judgement:
    """Judge a run and three confirmations that were late by so much; the oracle is on time."""
    runs = series(lateness, waited, **about)
    return judge(subject(), [trace(timer(TICK_S, 0.0))], runs[:1], runs[1:])


def test_delays_are_those_of_the_architecture() -> None:
    assert [TICK_S * factor for factor in FACTORS] == [0.02, 0.02, 0.04, 0.08]


# ---- early ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lateness", [-0.0010, 0.0, 0.0049])
def test_timer_within_the_tolerances_is_on_time(lateness: float) -> None:
    assert timed(lateness, lateness, lateness, lateness).verdict == "agree"


def test_early_timer_needs_no_confirmation() -> None:
    judgement = timed(-0.005, 0.0, 0.0, 0.0)
    assert judgement.signature == "timing:early:timer"
    assert judgement.findings[0].sentence == "“timer” came 5.0 ms before it was due."


def test_one_early_run_of_several_is_enough() -> None:
    runs = [trace(timer(0.02, late)) for late in (0.001, 0.03, -0.004)]
    judgement = judge(subject(), [trace(timer(0.02, 0.0))], runs)
    assert (judgement.signature, judgement.seen, judgement.shown) == ("timing:early:timer", (1, 3), 2)


def test_waiting_for_a_cpu_does_not_make_a_timer_early() -> None:
    assert timed(*[0.001] * 4, waited=0.01, clock="real").verdict == "agree"


# ---- late and slow -------------------------------------------------------------------------------------------


def test_timer_is_late_if_all_four_runs_are_by_the_least_of_them() -> None:
    judgement = timed(0.012, 0.011, 0.015, 0.012)
    assert judgement.signature == "timing:late:timer"
    assert judgement.findings[0].sentence == "“timer” came 11.0 ms after it was due."


@pytest.mark.parametrize("on_time", [0, 1, 2, 3])
def test_one_run_that_is_not_late_acquits(on_time: int) -> None:
    lateness = [0.012] * 4
    lateness[on_time] = 0.001
    assert timed(*lateness).verdict == "agree"


def test_lateness_that_grows_with_the_delay_is_slow() -> None:
    judgement = timed(0.010, 0.010, 0.020, 0.040)
    assert judgement.signature == "timing:slow:timer"
    assert judgement.findings[0].sentence == "“timer” came late by 50% of its delay."


def test_smallest_lateness_decides_between_late_and_slow() -> None:
    assert timed(0.100, 0.010, 0.020, 0.040).signature == "timing:slow:timer"
    assert timed(0.006, 0.100, 0.100, 0.0119).signature == "timing:late:timer"


def test_window_of_the_event_decides_what_waiting_for_a_cpu_excuses() -> None:
    late = [0.012] * 4
    assert timed(*late, waited=0.009, clock="real", run_delay=0.009).verdict == "agree"
    assert timed(*late, waited=0.005, clock="real", run_delay=0.009).verdict == "differ"


def test_run_that_does_not_know_the_window_is_excused_by_all_of_its_waiting() -> None:
    late = [0.012] * 4
    assert timed(*late, passed=1.0, run_delay=0.009).verdict == "agree"
    assert timed(*late, passed=1.0, run_delay=0.005).verdict == "differ"
    assert timed(*late, passed=0.0, run_delay=0.009).verdict == "differ"


def test_lateness_of_the_oracle_is_no_fault_of_the_target() -> None:
    on_oracle = [trace(timer(0.02, 0.01))]
    assert judge(subject(), on_oracle, series([0.012, 0.012, 0.022, 0.042])).verdict == "agree"
    assert judge(subject(), on_oracle, series([0.012, 0.012, 0.026, 0.046])).verdict == "agree"
    assert judge(subject(), on_oracle, series([0.016, 0.016, 0.026, 0.046])).verdict == "differ"


def test_busy_machine_under_the_oracle_excuses_nothing() -> None:
    disturbed = trace(timer(0.02, 0.2, waited=0.2), clock="real")
    assert judge(subject(), [disturbed], series([0.012] * 4)).verdict == "differ"
    assert judge(
        subject(), [trace(timer(0.02, 0.2)), trace(timer(0.02, 0.0))], series([0.012] * 4)
    ).verdict == ("differ")


def test_timer_that_is_due_at_the_very_start_can_be_late() -> None:
    run = trace(timer(0.0, 0.012))
    judgement = judge(subject(), [trace(timer(0.0, 0.0))], [run], [run] * 3)
    assert judgement.signature == "timing:late:timer"


def test_of_several_events_with_a_name_the_same_one_is_compared() -> None:
    oracle = [trace(timer(0.02, 0.0), timer(0.04, 0.0))]
    run = trace(timer(0.02, 0.001), timer(0.04, 0.012))
    judgement = judge(subject(), oracle, [run], [run] * 3)
    assert [finding.kind for finding in judgement.findings] == ["late"]


# ---- waiting for a CPU, as the target's side counts it -------------------------------------------------------


class Counter(WaitingForCpu):
    """A kernel's counter that the test moves."""

    total = 0.0

    def _total(self, thread: int) -> float:
        return self.total


def test_waiting_is_counted_from_the_last_reading_before_the_deadline() -> None:
    counter = Counter()
    start = time.monotonic()
    for total, moment in ((0.5, start + 1), (0.7, start + 2), (1.5, start + 3)):
        counter.total = total
        counter.since(None, moment)
    counter.total = 1.6
    assert counter.since(start + 2.5, start + 4) == pytest.approx(0.9)
    assert counter.since(start + 2, start + 4) == pytest.approx(0.9)
    assert counter.since(start + 1.9, start + 4) == pytest.approx(1.1)


def test_each_thread_has_a_count_of_its_own() -> None:
    counter = WaitingForCpu()
    counter.since(None, time.monotonic())
    found: list[float] = []
    thread = threading.Thread(target=lambda: found.append(counter.since(0.0, time.monotonic())))
    thread.start()
    thread.join()
    assert found[0] >= 0.0


# ---- what a session does to be sure --------------------------------------------------------------------------

SCENARIOS = str(Path(__file__).resolve().parents[2] / "conformance")
VIRTUAL = "timers/timer_runs_after_its_delay"
REAL = "timers/call_later_keeps_its_delay_in_real_time"


def test_series_of_runs_ends_with_the_first_that_is_not_late(loopcheck: Loopcheck) -> None:
    loops = ("IsLate", "IsLateWhenShort", "InnocentLoop")
    targets = [f"failing_loops:{loop}" for loop in loops]
    finished = loopcheck.run(*targets, "--scenarios", SCENARIOS, "-k", VIRTUAL)
    results = {loop: finished.result(VIRTUAL, f"failing_loops:{loop}") for loop in loops}
    assert [results[loop].verdict for loop in loops] == ["differ", "agree", "agree"]
    assert [len(results[loop].confirmations) for loop in loops] == [3, 2, 0]
    ticks = [run.tick for run in (*results["IsLate"].target, *results["IsLate"].confirmations)]
    assert ticks == [0.02, 0.02, 0.04, 0.08]
    assert results["IsLate"].record["signature"] == "timing:late:after 2 ticks"


def test_scenario_about_real_time_runs_three_times_and_counts_the_waiting(loopcheck: Loopcheck) -> None:
    finished = loopcheck.run("failing_loops:IsEarly", "--scenarios", SCENARIOS, "-k", REAL)
    result = finished.result(REAL)
    assert result.verdict == "differ"
    assert result.record["signature"].startswith("timing:early:after ")  # which of the three, load decides
    assert (len(result.target), result.record["repeats"]["of"]) == (3, 3)
    for run in (*result.oracle, *result.target):
        assert run.header["clock"] == "real"
        assert all(e.waited is not None and 0 <= e.waited <= run.run_delay + 1e-5 for e in run.events)


def test_virtual_time_passes_without_waiting(loopcheck: Loopcheck) -> None:
    finished = loopcheck.run("failing_loops:InnocentLoop", "--scenarios", SCENARIOS, "-k", VIRTUAL)
    events = finished.result(VIRTUAL).target[0].events
    assert {(e.due is not None, e.waited) for e in events} == {(True, None), (False, None)}
