# SPDX-License-Identifier: MIT
"""What a drawing of two traces needs, without coordinates: events, rows, lines, and where each finding belongs.

Nothing is judged here.  Which events stand opposite each other is ``columns.align``; which are the same event is
``order.pair``; what is wrong are the findings in the record, and nothing else is ever marked.  A finding has no
index of its event, so ``order.differences`` and ``timing.fault_of``, which made it, are asked again for the
events, and what they find counts only where its sentence is that of a finding.
"""

from collections.abc import Sequence
from typing import Any

from ..columns import align
from ..order import Difference, differences, pair, without_barriers
from ..results import ScenarioResult
from ..sentences import difference_sentence, timing_sentence
from ..timing import fault_of, own_lateness, same_event
from ..traces import Event, Trace
from ..values import show_all

LONGEST = 2000  # characters of the values of one event; beyond that, how many more there are
TIMING = ("early", "late", "slow")

Place = dict[str, Any]


def drawing(result: ScenarioResult) -> dict[str, Any] | None:
    """Return the drawing of a result, None for one that did not run.  What is empty is left out.

    ours, theirs: the events of oracle and target; theirs is left out where it is the same.  rows: pairs of
    indexes, null for a gap.  links: [index of the oracle's, index of the target's].  Both are left out where
    event n of either side stands opposite event n of the other, which is the rule.  marks: one for each finding,
    null for one that is about no event.  end: how the target's process ended, where it ended badly.
    """
    if not result.oracle or not result.target:
        return None
    shown = _shown(result)
    lanes = _Lanes(result, shown)
    rows, links = lanes.rows(), sorted([i, j] for j, i in lanes.pairs.items())
    level = [[n, n] for n in range(len(lanes.ours))]
    both = [*lanes.ours, *lanes.theirs]
    timed = result.verdict != "agree" or any(event.due is not None for event in both)
    facts: dict[str, Any] = {
        "ours": [event_facts(event, timed) for event in lanes.ours],
        "theirs": [event_facts(event, timed) for event in lanes.theirs],
    }
    said = {"marks": lanes.marks(result.record), "end": _ending(shown)}
    facts |= {name: value for name, value in said.items() if value}
    if facts["theirs"] == facts["ours"]:
        del facts["theirs"]
    return facts if rows == links == level else facts | {"rows": rows, "links": links}


def _shown(result: ScenarioResult) -> Trace:
    """Return the target's run that the verdict is about: the first, unless another one crashed or hung."""
    bad = [trace for trace in result.target if trace.status == result.verdict]
    return bad[0] if bad else result.target[0]


def _events(trace: Trace, result: ScenarioResult) -> Sequence[Event]:
    return trace.events if result.record["habits_count"] else trace.events_without_habits()


def _ending(trace: Trace) -> str:
    if trace.status == "hang":
        return "did not end"
    if trace.status == "crash":
        return trace.outcome.signal or f"_exit({trace.outcome.code})"
    return ""


def event_facts(event: Event, timed: bool) -> list[Any]:
    """Return an event as [name, values, iteration, t, due, kind, actor], without what is empty at the end.

    Times are in microseconds, and left out unless timed.
    """
    values = show_all(value for value in event.values if event.kind == "user" or value is not None)
    if len(values) > LONGEST:
        values = f"{values[:LONGEST]}… ({len(values) - LONGEST} more characters)"
    actor = "" if event.actor in ("main", event.kind) else event.actor
    kind = None if event.kind == "user" else event.kind
    due = None if event.due is None else round(event.due * 1e6)
    at = round(event.t * 1e6) if timed else None
    facts = [event.name, values, event.iteration, at, due, kind, actor]
    while len(facts) > 1 and facts[-1] in (None, ""):
        facts.pop()
    return facts


class _Lanes:
    """The events of both sides, which belong together, and where to find one."""

    def __init__(self, result: ScenarioResult, shown: Trace) -> None:
        """shown: the target's run that is drawn, opposite the oracle's first."""
        ours, theirs = _events(result.oracle[0], result), _events(shown, result)
        self._all = (ours, theirs)
        self._result = result
        self._shown = shown
        self.ours = without_barriers(ours)
        self.theirs = without_barriers(theirs)
        self.pairs = pair(self.ours, self.theirs)
        self._counterparts = {i: j for j, i in self.pairs.items()}
        self._place = {id(event): (i, None) for i, event in enumerate(self.ours)} | {
            id(event): (None, j) for j, event in enumerate(self.theirs)
        }

    def rows(self) -> list[list[int | None]]:
        aligned = align(self.ours, self.theirs)
        return [[self._index(row.oracle)[0], self._index(row.target)[1]] for row in aligned]

    def _index(self, event: Event | None) -> tuple[int | None, int | None]:
        return (None, None) if event is None else self._place[id(event)]

    def _both(self, event: Event) -> tuple[int | None, int | None]:
        """Return an event's index in either lane, its counterpart's where it is only in the other."""
        i, j = self._index(event)
        if i is not None:
            return i, self._counterparts.get(i)
        assert j is not None
        return self.pairs.get(j), j

    def marks(self, record: dict[str, Any]) -> list[Place | None]:
        """Return where each finding of a record belongs: indexes ``i`` and ``j``, ``others`` of the oracle's.

        One about time also has ``tries``: for each run the tick in milliseconds, the lateness in microseconds.
        """
        found = differences(*self._all)
        said = [difference_sentence(one, record["oracle"], record["target"]) for one in found]
        taken: set[int] = set()
        marks: list[Place | None] = []
        for finding in record["differences"]:
            if finding["kind"] in TIMING:
                marks.append(self._timing_mark(finding, taken))
                continue
            at = [n for n, sentence in enumerate(said) if sentence == finding["sentence"]]
            marks.append(self._mark(found[at[0]]) if at else None)
            if at:  # the same sentence can be said of two events of one name
                said[at[0]] = ""
        return marks

    def _mark(self, found: Difference) -> Place:
        i, j = self._both(found.event)
        others = [self._index(event)[0] for event in found.before]
        others += [self._both(event)[0] for event in found.after]
        return {"i": i, "j": j, "others": [other for other in others if other is not None]}

    def _timing_mark(self, finding: dict[str, Any], taken: set[int]) -> Place | None:
        """Return the event of a finding about time: the one with its sentence, or the first of its name."""
        said = [index for index, sentence in self._faults() if sentence == finding["sentence"]]
        events = self._shown.events
        named = [
            n for n, event in enumerate(events) if event.name == finding["event"] and event.due is not None
        ]
        index = next((n for n in (*said, *named) if n not in taken), None)
        if index is None:
            return None
        taken.add(index)
        i, j = self._both(events[index])
        tries = [
            [round(run.tick * 1e3), round(own_lateness(run, event) * 1e6)]
            for run, event in same_event(index, self._shown, self._runs)
        ]
        return {"i": i, "j": j, "others": [], "tries": tries}

    @property
    def _runs(self) -> tuple[Trace, ...]:
        return (*self._result.target, *self._result.confirmations)

    def _faults(self) -> list[tuple[int, str]]:
        """Return what the judge says of the target's times: the event's index in the trace, the sentence."""
        oracle, events = self._result.oracle, self._shown.events
        found = []
        for index, match in sorted(pair(oracle[0].events, events).items()):
            fault = fault_of(index, self._shown, match, oracle, self._runs)
            if fault is not None:
                found.append((index, timing_sentence(fault.kind, events[index], fault.amount)))
        return found
