# SPDX-License-Identifier: MIT
"""The sentence that explains a difference: who did what, in words that need no manual."""

from collections.abc import Sequence
from typing import Any

from .order import Difference
from .traces import Event, Trace
from .values import show, show_all

MOST_NAMED = 3
RECORDS = {"log": "log record", "warn": "warning", "unraisable": "unraisable exception"}


def name_of(event: Event, *, with_values: bool = False) -> str:
    """Return an event's name as a sentence mentions it."""
    values = f" {show_all(event.values)}" if with_values and event.values else ""
    return f"“{event.name}{values}”" + ("" if event.actor == "main" else f" ({event.actor})")


def names_of(events: Sequence[Event], *, with_values: bool = False) -> str:
    """Return the names of several events; of many, the first few and how many more."""
    named = [name_of(event, with_values=with_values) for event in events[:MOST_NAMED]]
    more = len(events) - len(named)
    if more:
        return f"{', '.join(named)} and {more} more"
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def difference_sentence(difference: Difference, oracle: str, target: str) -> str:
    """Return the sentence for a difference that the order model found; oracle and target are their names."""
    what = name_of(difference.event)
    if difference.event.kind in RECORDS and not difference.before and not difference.after:
        return _record_sentence(difference, oracle, target)
    if difference.kind == "missing":
        return f"{what} did not happen on {target}; it does on {oracle}."
    if difference.kind == "extra":
        return _extra_sentence(difference, oracle, target)
    if difference.before or difference.after:
        return _order_sentence(difference, oracle)
    assert difference.oracle is not None and difference.target is not None
    ours, theirs = show_all(difference.oracle.values), show_all(difference.target.values)
    return f"{what}: {oracle} has {ours or 'nothing'}, {target} has {theirs or 'nothing'}."


def _order_sentence(difference: Difference, oracle: str) -> str:
    others = difference.after or difference.before
    names = [event.name for event in (difference.event, *others)]
    ambiguous = len(set(names)) < len(names)
    what = name_of(difference.event, with_values=ambiguous)
    than = names_of(others, with_values=ambiguous)
    came, comes = ("after", "before") if difference.after else ("before", "after")
    return f"{what} came {came} {than}; on {oracle} it comes {comes}."


def _extra_sentence(difference: Difference, oracle: str, target: str) -> str:
    event = difference.event
    if event.kind == "raised":
        return f"the scenario ended with {show_all(event.values)} on {target}; it does not on {oracle}."
    return f"{name_of(event)} happened on {target}; it does not on {oracle}."


def _record_sentence(difference: Difference, oracle: str, target: str) -> str:
    what = RECORDS[difference.event.kind]
    if difference.oracle is None:
        return f"{target} has the {what} {_record(difference.event)}; {oracle} has not."
    if difference.target is None:
        return f"{target} does not have the {what} {_record(difference.event)}; {oracle} has."
    return f"{what}: {oracle} has {_record(difference.oracle)}, {target} has {_record(difference.target)}."


def _record(event: Event) -> str:
    shown = " ".join(show(value) for value in event.values if value is not None)
    return f"{event.name} {shown}"


def timing_sentence(kind: str, event: Event, amount: float) -> str:
    """Return the sentence for an event that was early, late (amount: seconds) or slow (amount: a share)."""
    what = name_of(event)
    if kind == "early":
        return f"{what} came {amount * 1e3:.1f} ms before it was due."
    if kind == "late":
        return f"{what} came {amount * 1e3:.1f} ms after it was due."
    return f"{what} came late by {amount:.0%} of its delay."


def leak_sentence(sort: str, what: str, count: int, target: str, oracle: str) -> str:
    """Return the sentence for something left behind."""
    things = {
        "fds": f"{count} descriptor{'s' * (count > 1)} ({what}) open",
        "threads": f"{count} thread{'s' * (count > 1)} running",
        "children": "a child process",
        "pending_tasks": f"{count} task{'s' * (count > 1)} pending",
        "signals": f"another handler of {what}",
        "wakeup": "the wake-up descriptor of signals set",
        "hooks": f"the {what} hook of asynchronous generators set",
        "running": "a loop marked as the running one",
    }[sort]
    return f"{target} left {things}; {oracle} does not."


def ending_sentence(trace: Trace, target: str) -> str:
    """Return the sentence for a run that hung or crashed."""
    last = trace.last_event
    after = f"after {name_of(last)}" if last is not None else "before anything happened"
    if trace.status == "hang":
        return f"{target} did not end within {_timeout(trace)} {after}."
    if trace.outcome.signal:
        return f"{target} died with {trace.outcome.signal} {after}."
    return f"{target} called _exit({trace.outcome.code}) {after}."


def _timeout(trace: Trace) -> str:
    timeout = trace.header.get("timeout")
    return "its time-out" if timeout is None else f"{timeout:g} s"


def close_sentence(target: str, errors: Sequence[Any]) -> str:
    """Return the sentence for a loop whose close() raised."""
    return f"closing the loop of {target} raised {show(errors[0])}."
