# SPDX-License-Identifier: MIT
"""Two traces side by side: the rows of the picture that shows a difference.

Each row has an event of the oracle, an event of the target, or both.  Rows are aligned on actor and name, so
an event that moved stands in two rows, each time opposite a gap; a mark says which rows differ.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from .traces import Event
from .values import compare_all, show_all


@dataclass(frozen=True)
class Row:
    """One row: the event on either side, and whether the two differ."""

    oracle: Event | None
    target: Event | None

    @property
    def differs(self) -> bool:
        """Whether one side is missing, or the values are not the same."""
        if self.oracle is None or self.target is None:
            return True
        return compare_all(self.oracle.values, self.target.values) not in (None, "wording")


def align(oracle: Sequence[Event], target: Sequence[Event]) -> list[Row]:
    """Return the rows for two sequences of events."""
    ours = [event for event in oracle if event.kind != "barrier"]
    theirs = [event for event in target if event.kind != "barrier"]
    matcher = difflib.SequenceMatcher(
        None, [event.key for event in ours], [event.key for event in theirs], autojunk=False
    )
    rows: list[Row] = []
    for operation, i1, i2, j1, j2 in matcher.get_opcodes():
        if operation == "equal":
            rows += [Row(a, b) for a, b in zip(ours[i1:i2], theirs[j1:j2], strict=True)]
        else:
            rows += [Row(event, None) for event in ours[i1:i2]]
            rows += [Row(None, event) for event in theirs[j1:j2]]
    return rows


def iteration_text(event: Event | None) -> str:
    """Return an event's iteration, "·" for one outside the loop or without a number, "" for no event."""
    if event is None:
        return ""
    return "·" if event.iteration is None else str(event.iteration)


def event_text(event: Event | None) -> str:
    """Return an event as one line: its actor unless it is the main one, its name, its values."""
    if event is None:
        return ""
    actor = "" if event.actor == "main" else f"{event.actor}: "
    values = show_all(value for value in event.values if event.kind == "user" or value is not None)
    return f"{actor}{event.name} {values}".rstrip()
