# SPDX-License-Identifier: MIT
"""What a program did on two loops, compared with the judge's order rules and put into a sentence."""

from dataclasses import dataclass

from ..order import differences
from ..sentences import difference_sentence
from .runner import Outcome


@dataclass(frozen=True)
class Names:
    """What sentences call the two targets."""

    oracle: str
    target: str


@dataclass(frozen=True)
class Finding:
    """The first difference between two outcomes: its kind, the name of the event, and the sentence."""

    kind: str
    event: str
    sentence: str


def compare(oracle: Outcome, target: Outcome, names: Names) -> Finding | None:
    """Return the first difference, or None."""
    if oracle.is_same(target):
        return None
    for outcome, name, other in (
        (target, names.target, oracle),
        (oracle, names.oracle, target),
    ):
        if outcome.ending and outcome.ending != other.ending:
            return _ending(outcome, name, names.oracle if name == names.target else names.target)
    found = differences(oracle.events, target.events)
    if not found:
        return None
    first = found[0]
    return Finding(first.kind, first.event.name, difference_sentence(first, names.oracle, names.target))


def _ending(outcome: Outcome, name: str, other: str) -> Finding:
    if outcome.ending == "hang":
        return Finding("hang", "", f"the program does not end on {name}; it does on {other}.")
    return Finding("crash", "", f"{name} died with {outcome.ending}; {other} does not.")
