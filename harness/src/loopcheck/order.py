# SPDX-License-Identifier: MIT
"""The order model: is the target's trace one that the oracle's trace allows?

The oracle's trace and three rules make a partial order.  Events of one actor are ordered; events of one
``unordered()`` group are not; what comes before a ``barrier()`` precedes what comes after it.  The target
conforms if its trace is a linear extension of that order with equal values.

The algorithm has two steps.  *Pairing*: each event of the target gets its counterpart in the oracle's trace;
what finds none is ``extra`` or ``missing``.  *Replay*: the target's events are consumed one
after the other, and one whose paired predecessors have not all been consumed came too early; those that are
outstanding say before what, which is the explanation.  It is consumed all the same, so one early event is one
difference and not a cascade.
"""

import difflib
import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .traces import Event
from .values import compare_all


@dataclass(frozen=True)
class Difference:
    """One difference: its kind and the event on either side.

    For kind ``order``: before has the events that this one came before and must follow; or after has those
    that it came after and must precede.
    """

    kind: str
    oracle: Event | None
    target: Event | None
    before: tuple[Event, ...] = ()
    after: tuple[Event, ...] = ()

    @property
    def event(self) -> Event:
        """The event that the difference is about."""
        event = self.target or self.oracle
        assert event is not None
        return event


class Expected:
    """The partial order that the oracle's trace makes: its events, barriers left out, by index."""

    def __init__(self, trace: Sequence[Event]) -> None:
        self.events = without_barriers(trace)
        barriers = itertools.accumulate(event.kind == "barrier" for event in trace)
        self._era = [era for era, event in zip(barriers, trace, strict=True) if event.kind != "barrier"]

    def must_precede(self, earlier: int, later: int) -> bool:
        """Return whether one event, which comes before another in the oracle's trace, must do so everywhere."""
        if self._era[earlier] != self._era[later]:
            return True
        one, other = self.events[earlier], self.events[later]
        same_group = one.group is not None and one.group == other.group
        return one.actor == other.actor and not same_group


def without_barriers(trace: Sequence[Event]) -> list[Event]:
    """Return the events that happened; a barrier only says something about their order."""
    return [event for event in trace if event.kind != "barrier"]


def pair(oracle: Sequence[Event], target: Sequence[Event]) -> dict[int, int]:
    """Return which event of the oracle each event of the target corresponds to, by index: target -> oracle.

    Counterparts have the same actor and name.
    """
    sides: dict[tuple[str, str], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for index, event in enumerate(oracle):
        sides[event.key][0].append(index)
    for index, event in enumerate(target):
        sides[event.key][1].append(index)
    pairs: dict[int, int] = {}
    for ours, theirs in sides.values():
        pairs.update(_pair_same_name(oracle, target, ours, theirs))
    return pairs


def _pair_same_name(
    oracle: Sequence[Event], target: Sequence[Event], ours: list[int], theirs: list[int]
) -> Iterator[tuple[int, int]]:
    """Pair events of one name: equal values, if one side is a rearrangement of the other; else in order.

    Where one side has more of them, those that are aligned by equal values go first.
    """
    our_values = [repr(oracle[i].values) for i in ours]
    their_values = [repr(target[i].values) for i in theirs]
    if sorted(our_values) == sorted(their_values):
        yield from zip(_stably_sorted(theirs, their_values), _stably_sorted(ours, our_values), strict=True)
        return
    if len(ours) != len(theirs):
        matcher = difflib.SequenceMatcher(None, our_values, their_values, autojunk=False)
        for block in reversed(matcher.get_matching_blocks()):
            for offset in reversed(range(block.size)):
                yield theirs.pop(block.b + offset), ours.pop(block.a + offset)
    yield from zip(theirs, ours, strict=False)


def _stably_sorted(indexes: list[int], values: list[str]) -> list[int]:
    return [index for _, index in sorted(zip(values, indexes, strict=True))]


def differences(oracle: Sequence[Event], target: Sequence[Event]) -> list[Difference]:
    """Return every way in which the target's events differ from the oracle's, in the order of the target."""
    expected = Expected(oracle)
    happened = without_barriers(target)
    pairs = pair(expected.events, happened)
    found = _replay(expected, happened, pairs) + _missing(expected, pairs)
    found.sort(key=lambda positioned: positioned[0])
    return _fold([_soften(difference) for _, difference in found])


Positioned = tuple[float, Difference]


def _replay(expected: Expected, target: Sequence[Event], pairs: dict[int, int]) -> list[Positioned]:
    oracle = expected.events
    outstanding = sorted(pairs.values())
    found: list[Positioned] = []
    for position, event in enumerate(target):
        if position not in pairs:
            found.append((position, Difference("extra", None, event)))
            continue
        index = pairs[position]
        match = oracle[index]
        outstanding.remove(index)
        before = tuple(oracle[i] for i in outstanding if i < index and expected.must_precede(i, index))
        if before:
            found.append((position, Difference("order", match, event, before=before)))
        kind = compare_all(match.values, event.values)
        if kind is not None:
            found.append((position, Difference(kind, match, event)))
    return found


def _missing(expected: Expected, pairs: dict[int, int]) -> list[Positioned]:
    """The oracle's events without counterpart, each just after the last event that must precede it."""
    position_of = {index: position for position, index in pairs.items()}
    found: list[Positioned] = []
    for index, event in enumerate(expected.events):
        if index not in position_of:
            predecessors = (i for i in range(index) if i in position_of and expected.must_precede(i, index))
            position = max((position_of[i] for i in predecessors), default=-1)
            found.append((position + 0.5, Difference("missing", event, None)))
    return found


def _fold(found: list[Difference]) -> list[Difference]:
    """Say "X came after A, B, C" once instead of "A came before X", "B came before X", "C came before X"."""
    victims: dict[int, list[Difference]] = defaultdict(list)
    for difference in found:
        if difference.kind == "order" and len(difference.before) == 1:
            victims[id(difference.before[0])].append(difference)
    folded: list[Difference] = []
    for difference in found:
        group = victims.get(id(difference.before[0]), []) if len(difference.before) == 1 else []
        if len(group) < 2:
            folded.append(difference)
        elif difference is group[0]:
            late = difference.before[0]
            after = tuple(member.event for member in group)
            folded.append(replace(difference, oracle=late, target=late, before=(), after=after))
    return folded


def _soften(difference: Difference) -> Difference:
    """Logs, warnings and unraisable exceptions differ as ``log``, or as ``wording`` if only their text does."""
    if difference.event.kind not in ("log", "warn", "unraisable"):
        return difference
    oracle, target = difference.oracle, difference.target
    same_event = oracle is not None and target is not None and difference.kind != "order"
    kind = "wording" if same_event and _same_but_text(difference) else "log"
    return replace(difference, kind=kind)


def _same_but_text(difference: Difference) -> bool:
    """Return whether a record differs in its text only: its first value, or the text of its exception."""
    assert difference.oracle is not None and difference.target is not None
    return compare_all(difference.oracle.values[1:], difference.target.values[1:]) in (None, "wording")
