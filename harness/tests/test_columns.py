# SPDX-License-Identifier: MIT
"""Two traces side by side: which events stand in one row, which rows are marked, what is written in them."""

import pytest

from loopcheck.columns import Row, align, event_text, iteration_text
from loopcheck.traces import Event

from .building import event, events, exc, record


def rows(oracle: str, target: str) -> list[str]:
    """Return the rows as ``name=name``, with a gap where one side has nothing."""
    found = align(events(oracle), events(target))
    return [f"{event_text(row.oracle)}={event_text(row.target)}" for row in found]


def test_equal_traces_stand_side_by_side() -> None:
    assert rows("a b c", "a b c") == ["a=a", "b=b", "c=c"]
    assert not any(row.differs for row in align(events("a b"), events("a b")))


def test_event_that_moved_stands_twice_opposite_a_gap() -> None:
    assert rows("a b c", "b c a") == ["a=", "b=b", "c=c", "=a"]
    assert [row.differs for row in align(events("a b c"), events("b c a"))] == [True, False, False, True]


def test_missing_and_extra_events_stand_opposite_a_gap() -> None:
    assert rows("a b c", "a c") == ["a=a", "b=", "c=c"]
    assert rows("a c", "a b c") == ["a=a", "=b", "c=c"]
    assert rows("", "a") == ["=a"]
    assert rows("", "") == []


def test_events_of_one_name_and_two_actors_do_not_share_a_row() -> None:
    assert rows("x.a", "y.a") == ["x: a=", "=y: a"]


def test_barriers_are_not_shown() -> None:
    assert rows("a | b", "| a b |") == ["a=a", "b=b"]


@pytest.mark.parametrize(
    ("ours", "theirs", "differs"),
    [
        (event("a", 1), event("a", 1), False),
        (event("a", 1), event("a", 2), True),
        (event("a", True), event("a", 1), True),
        (event("a", exc("E", "x")), event("a", exc("E", "y")), False),
        (event("a", exc("E")), event("a", exc("F")), True),
        (event("a"), None, True),
        (None, event("a"), True),
    ],
)
def test_row_differs_by_more_than_wording(ours: Event | None, theirs: Event | None, differs: bool) -> None:
    assert Row(ours, theirs).differs is differs


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (None, ""),
        (event("a"), "a"),
        (event("a", 1, "b"), "a 1 'b'"),
        (event("a", None), "a None"),
        (event("a", actor="other"), "other: a"),
        (record("log", "ERROR", "text", None), "log: ERROR 'text'"),
        (record("raised", "raised", exc("E")), "raised E()"),
    ],
)
def test_event_is_one_line(one: Event | None, text: str) -> None:
    assert event_text(one) == text


def test_iteration_is_a_number_or_a_dot_or_nothing() -> None:
    assert [iteration_text(e) for e in (event("a", iteration=3), event("a"), None)] == ["3", "·", ""]
    assert iteration_text(event("a", iteration=0)) == "0"
