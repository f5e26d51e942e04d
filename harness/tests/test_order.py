# SPDX-License-Identifier: MIT
"""The order model: what the oracle's trace allows is no difference, and what it forbids is one, said once."""

import random

import pytest

from loopcheck.order import Difference, differences, pair
from loopcheck.traces import Event

from .building import event, events, exc, record

Said = tuple[str, str, str]


def said(difference: Difference) -> Said:
    """Return a difference as (kind, event, the others that it came before or after)."""
    others = [f"<{e.name}" for e in difference.before] + [f">{e.name}" for e in difference.after]
    return difference.kind, difference.event.name, " ".join(others)


def compared(oracle: list[Event], target: list[Event]) -> list[Said]:
    """Return the differences, for comparison with what is expected."""
    return [said(difference) for difference in differences(oracle, target)]


ALLOWED = [
    pytest.param("a b c", "a b c", id="the same"),
    pytest.param("x.a y.b", "y.b x.a", id="actors are free of each other"),
    pytest.param("x.a y.b x.c", "x.a x.c y.b", id="one actor may overtake another"),
    pytest.param("a a a", "a a a", id="one name three times"),
    pytest.param("x.a | y.b", "x.a y.b |", id="a barrier is no event: only what it orders counts"),
    pytest.param("x.a | y.b", "| x.a y.b", id="nor does its own place matter"),
    pytest.param("x.a y.b | z.c", "y.b x.a | z.c", id="on one side of a barrier actors stay free"),
    pytest.param("x.a |", "x.a", id="a barrier that the target does not reach is no difference"),
]

FORBIDDEN = [
    pytest.param("a b", "b a", [("order", "b", "<a")], id="two of one actor"),
    pytest.param("x.a x.b y.c", "y.c x.b x.a", [("order", "b", "<a")], id="one actor's order among others"),
    pytest.param("a b c", "b c a", [("order", "a", ">b >c")], id="late by two"),
    pytest.param("a b c d", "d a b c", [("order", "d", "<a <b <c")], id="one early event, one difference"),
    pytest.param("a b c d", "b c d a", [("order", "a", ">b >c >d")], id="one late event, one difference"),
    pytest.param("x.a | y.b", "y.b x.a |", [("order", "b", "<a")], id="over a barrier"),
    pytest.param("x.a | y.b", "y.b | x.a", [("order", "b", "<a")], id="over a barrier that moved too"),
    pytest.param("x.a | | y.b", "y.b x.a", [("order", "b", "<a")], id="over two barriers"),
    pytest.param("a b c", "a c", [("missing", "b", "")], id="missing, and what follows is in order"),
    pytest.param("a b c d", "b c d", [("missing", "a", "")], id="the first is missing"),
    pytest.param("a", "", [("missing", "a", "")], id="nothing happened"),
    pytest.param("", "a", [("extra", "a", "")], id="something happened"),
    pytest.param("a b", "a x b", [("extra", "x", "")], id="extra, and what follows is in order"),
    pytest.param("a a", "a", [("missing", "a", "")], id="one of two of a name"),
    pytest.param("a", "a a a", [("extra", "a", "")] * 2, id="one becomes three"),
    pytest.param("x.a", "y.a", [("extra", "a", ""), ("missing", "a", "")], id="another actor"),
]


@pytest.mark.parametrize(("oracle", "target"), ALLOWED)
def test_what_the_model_allows_is_no_difference(oracle: str, target: str) -> None:
    assert compared(events(oracle), events(target)) == []


@pytest.mark.parametrize(("oracle", "target", "expected"), FORBIDDEN)
def test_what_the_model_forbids_is_said_once(oracle: str, target: str, expected: list[Said]) -> None:
    assert sorted(compared(events(oracle), events(target))) == sorted(expected)


def test_unordered_group_is_free_within_itself_and_ordered_against_the_rest() -> None:
    oracle = [event("a"), event("g1", group=1), event("g2", group=1), event("b")]
    a, g1, g2, b = oracle
    assert differences(oracle, [a, g2, g1, b]) == []
    assert compared(oracle, [g2, a, g1, b]) == [("order", "g2", "<a")]
    assert compared(oracle, [a, b, g2, g1]) == [("order", "b", "<g1 <g2")]


def test_two_groups_of_one_actor_are_ordered() -> None:
    oracle = [event("one", group=1), event("two", group=2)]
    assert compared(oracle, oracle[::-1]) == [("order", "two", "<one")]


def test_late_event_is_folded_without_losing_what_else_came_early() -> None:
    oracle, target = events("x y a b c"), events("a y b c x")
    assert compared(oracle, target) == [("order", "a", "<x <y"), ("order", "x", ">y >b >c")]


def test_differences_come_in_the_order_of_the_target() -> None:
    oracle, target = events("a b c d e"), events("a extra c e d")
    assert [name for _, name, _ in compared(oracle, target)] == ["b", "extra", "e"]


# ---- pairing -------------------------------------------------------------------------------------------------


def test_events_of_one_name_are_told_apart_by_their_values() -> None:
    oracle = [event("ran", 1), event("ran", 2), event("ran", 3)]
    target = [oracle[2], oracle[0], oracle[1]]
    assert pair(oracle, target) == {0: 2, 1: 0, 2: 1}
    assert compared(oracle, target) == [("order", "ran", "<ran <ran")]


def test_missing_one_of_a_name_is_the_one_whose_value_is_missing() -> None:
    oracle = [event("ran", 1), event("ran", 2), event("ran", 3)]
    found = differences(oracle, [oracle[0], oracle[2]])
    assert [(d.kind, d.event.values) for d in found] == [("missing", (2,))]


def test_extra_one_of_a_name_is_the_one_whose_value_is_new() -> None:
    target = [event("ran", 1), event("ran", 2), event("ran", 3)]
    found = differences([target[0], target[2]], target)
    assert [(d.kind, d.event.values) for d in found] == [("extra", (2,))]


def test_one_changed_value_among_equal_names_is_one_difference() -> None:
    oracle = [event("ran", 1), event("ran", 2), event("ran", 3)]
    found = differences(oracle, [oracle[0], event("ran", 9), oracle[2]])
    assert [(d.kind, d.target.values if d.target else None) for d in found] == [("value", (9,))]


def test_early_event_with_another_value_is_two_differences() -> None:
    assert compared([event("a"), event("b", 1)], [event("b", 2), event("a")]) == [
        ("order", "b", "<a"),
        ("value", "b", ""),
    ]


# ---- records -------------------------------------------------------------------------------------------------

BOOM = exc("ValueError", "boom")


@pytest.mark.parametrize("kind", ["log", "warn", "unraisable"])
def test_record_that_is_missing_or_extra_is_soft(kind: str) -> None:
    one = record(kind, "ERROR", "text", BOOM)
    assert compared([one], []) == [("log", "ERROR", "")]
    assert compared([], [one]) == [("log", "ERROR", "")]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param(("text", BOOM), [], id="equal"),
        pytest.param(("other text", BOOM), ["wording"], id="another text"),
        pytest.param(("text", exc("ValueError", "bang")), ["wording"], id="another text of the exception"),
        pytest.param(("text", exc("KeyError", "boom")), ["log"], id="another exception"),
        pytest.param(("text", None), ["log"], id="no exception"),
    ],
)
def test_record_of_one_name_differs_by_wording_or_as_log(
    other: tuple[object, ...], expected: list[str]
) -> None:
    found = differences([record("log", "ERROR", "text", BOOM)], [record("log", "ERROR", *other)])
    assert [difference.kind for difference in found] == expected


def test_records_in_another_order_are_soft_and_do_not_disturb_the_events() -> None:
    first, second = record("log", "INFO", "1"), record("log", "ERROR", "2")
    oracle, target = [event("a"), first, second], [second, event("a"), first]
    assert compared(oracle, target) == [("log", "ERROR", "<INFO")]


def test_exception_that_ended_the_scenario_is_an_event_like_any_other() -> None:
    ended = record("raised", "raised", BOOM)
    assert compared([event("a")], [event("a"), ended]) == [("extra", "raised", "")]


# ---- the property --------------------------------------------------------------------------------------------


def random_trace(dice: random.Random) -> list[Event]:
    """Return a trace of distinct events over some actors, groups and barriers."""
    made = []
    for number in range(dice.randrange(2, 12)):
        if dice.random() < 0.12:
            made.append(events("|")[0])
        actor = dice.choice("xyz")
        group = dice.choice((None, None, "xyz".index(actor) * 2, "xyz".index(actor) * 2 + 1))
        made.append(event(f"e{number}", actor=actor, group=group))
    return made


def must_precede(oracle: list[Event], earlier: int, later: int) -> bool:
    """The rules of the model, said a second time: whether two events of the oracle are ordered."""
    between = oracle[earlier:later]
    if any(e.kind == "barrier" for e in between):
        return True
    one, other = oracle[earlier], oracle[later]
    return one.actor == other.actor and (one.group is None or one.group != other.group)


def happened(oracle: list[Event]) -> list[int]:
    """Return the indexes of the events, barriers left out."""
    return [index for index, e in enumerate(oracle) if e.kind != "barrier"]


def linear_extension(oracle: list[Event], dice: random.Random) -> list[int]:
    """Return the events in some order that the model allows."""
    waiting, order = happened(oracle), []
    while waiting:
        ready = [i for i in waiting if not any(j < i and must_precede(oracle, j, i) for j in waiting)]
        order.append(dice.choice(ready))
        waiting.remove(order[-1])
    return order


def test_every_linear_extension_agrees_and_every_forbidden_swap_is_reported() -> None:
    dice = random.Random(20240229)
    swaps = 0
    for _ in range(400):
        oracle = random_trace(dice)
        order = linear_extension(oracle, dice)
        assert differences(oracle, [oracle[i] for i in order]) == []
        for place in range(len(order) - 1):
            swapped = [*order]
            swapped[place : place + 2] = reversed(order[place : place + 2])
            first, second = order[place], order[place + 1]
            forbidden = first < second and must_precede(oracle, first, second)
            expected = [("order", oracle[second].name, f"<{oracle[first].name}")] if forbidden else []
            assert compared(oracle, [oracle[i] for i in swapped]) == expected
            swaps += forbidden
    assert swaps > 300


def test_random_order_is_reported_exactly_if_it_breaks_the_model() -> None:
    dice = random.Random(19991231)
    broken = 0
    for _ in range(600):
        oracle = random_trace(dice)
        order = happened(oracle)
        dice.shuffle(order)
        inversions = {
            (order[j], order[i])
            for i in range(len(order))
            for j in range(i + 1, len(order))
            if order[j] < order[i] and must_precede(oracle, order[j], order[i])
        }
        found = differences(oracle, [oracle[i] for i in order])
        names = {(earlier.name, d.event.name) for d in found for earlier in d.before}
        names |= {(d.event.name, later.name) for d in found for later in d.after}
        assert names == {(oracle[earlier].name, oracle[later].name) for earlier, later in inversions}
        broken += bool(found)
    assert 200 < broken < 600
