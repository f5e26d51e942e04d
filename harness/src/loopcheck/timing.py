# SPDX-License-Identifier: MIT
"""When an event that has a deadline was early, late or slow, and when only the machine was.

*Early* needs no second look.  A scenario reads the clock before it schedules, so nothing but the loop can make
the event come before that reading plus the delay.  What is tolerated is the resolution of the loop's clock.  A
busy machine hides earliness, which is why scenarios on the real clock run more than once; it never feigns it.

*Late* does: whoever waits for a CPU is late.  So the time that the thread waited for a CPU since the deadline,
as the kernel counts it, is taken off; what is left must exceed LATE_THRESHOLD_S in every run of a series whose
ticks grow by CONFIRMATION_FACTORS.  The first run that is not late acquits.

*Slow* is late by an amount that grows with the delay: by more than SLOW_SHARE seconds a second, comparing the
smallest lateness at the shortest tick with that at the longest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .traces import Event, Trace

# The documentation leaves a loop the resolution of its clock, and loops count in whole milliseconds.  Whether a
# loop is early by a fraction of one is observed by a scenario of its own, timers/no_timer_is_early_at_all.
EARLY_TOLERANCE_S = 0.0011
LATE_THRESHOLD_S = 0.005
SLOW_SHARE = 0.1
CONFIRMATION_FACTORS = (1, 2, 4)  # of the first run's tick: with 20 ms that makes 20, 20, 40 and 80 ms
REAL_CLOCK_RUNS = 3  # of a scenario that is about real time; measured: one run in sixty hides 5 ms under load


@dataclass(frozen=True)
class Fault:
    """What is wrong with when an event happened: early, late (amount in seconds), or slow (a share)."""

    kind: str
    amount: float


@dataclass(frozen=True)
class Late:
    """One run's part in the question whether an event was late: its tick, the deadline, and late by how much."""

    tick: float
    due: float
    by: float


def fault_of(
    index: int, target: Trace, match: int, oracle: Sequence[Trace], runs: Sequence[Trace]
) -> Fault | None:
    """Return what is wrong with when target.events[index] happened, None if nothing is.

    match: the index of the same event in oracle[0].  runs: every run of the target, this one among them.
    """
    event = target.events[index]
    if event.lateness is None:
        return None
    on_oracle = same_event(match, oracle[0], oracle)
    if event.lateness < min([0.0, *(e.lateness or 0.0 for _, e in on_oracle)]) - EARLY_TOLERANCE_S:
        return Fault("early", -event.lateness)
    allowed = max(0.0, min(own_lateness(trace, e) / trace.tick for trace, e in on_oracle))
    same = [
        Late(trace.tick, e.due or 0.0, own_lateness(trace, e) - allowed * trace.tick)
        for trace, e in same_event(index, target, runs)
    ]
    return _late_or_slow(same) if all(one.by > LATE_THRESHOLD_S for one in same) else None


def same_event(index: int, trace: Trace, runs: Sequence[Trace]) -> list[tuple[Trace, Event]]:
    """Return the same event of each run that has it: of several events with a name, the n-th is the same."""
    key = trace.events[index].key
    n = sum(event.key == key for event in trace.events[:index])
    named = [(run, [event for event in run.events if event.key == key]) for run in runs]
    return [(run, events[n]) for run, events in named if len(events) > n]


def own_lateness(trace: Trace, event: Event) -> float:
    """Return an event's lateness in seconds without what waiting for a CPU explains of it.

    An event that says nothing of that wait (a virtual clock that had to let time pass) gets the whole run's.
    """
    waited = trace.run_delay if event.waited is None else event.waited
    return (event.lateness or 0.0) - (waited if trace.real_time_mattered else 0.0)


def _late_or_slow(runs: Sequence[Late]) -> Fault:
    """Tell late from slow by the runs at the shortest tick and those at the longest."""
    shortest = _least(runs, min(run.tick for run in runs))
    longest = _least(runs, max(run.tick for run in runs))
    if longest.due > shortest.due:
        share = (longest.by - shortest.by) / (longest.due - shortest.due)
        if share > SLOW_SHARE:
            return Fault("slow", share)
    return Fault("late", min(run.by for run in runs))


def _least(runs: Sequence[Late], tick: float) -> Late:
    """Return the least disturbed of the runs at a tick."""
    return min((run for run in runs if run.tick == tick), key=lambda run: run.by)
