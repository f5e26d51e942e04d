# SPDX-License-Identifier: MIT
"""Comparing and showing values: each form, how two of them differ, and which difference is the gravest."""

from typing import Any

import pytest

from loopcheck.values import GRAVITY, compare, compare_all, show, show_all
from loopcheck.vocabulary import KINDS

from .building import exc

EQUAL = [
    None,
    True,
    0,
    1.5,
    "text",
    [1, [2]],
    {"tuple": [1, "a"]},
    {"set": [1, 2]},
    {"dict": {"a": 1}},
    {"bytes": "b'x'"},
    {"float": "nan"},
    {"type": "Handle"},
    {"obj": "socket"},
    exc("OSError", "no", errno="EBADF", cause=exc("KeyError"), members=[exc("ValueError")]),
]

DIFFERENT = [
    pytest.param(1, 2, "value", id="numbers"),
    pytest.param(True, 1, "value", id="True is not 1"),
    pytest.param(1, 1.0, "value", id="1 is not 1.0"),
    pytest.param([True], [1], "value", id="True is not 1 in a list"),
    pytest.param({"tuple": [0, [1]]}, {"tuple": [False, [1]]}, "value", id="False is not 0 in a tuple"),
    pytest.param({"dict": {"a": 1}}, {"dict": {"a": 1.0}}, "value", id="1 is not 1.0 in a dictionary"),
    pytest.param(None, False, "value", id="None is not False"),
    pytest.param("a", "b", "value", id="texts"),
    pytest.param([1, 2], [1], "value", id="another length"),
    pytest.param([1], {"tuple": [1]}, "value", id="a list is no tuple"),
    pytest.param({"tuple": [1]}, {"set": [1]}, "value", id="a tuple is no set"),
    pytest.param({"bytes": "b'a'"}, {"bytes": "b'b'"}, "value", id="bytes"),
    pytest.param({"bytes": "b'a'…", "crc": 1}, {"bytes": "b'a'…", "crc": 2}, "value", id="long bytes"),
    pytest.param({"bytes": "b'a'"}, "a", "value", id="bytes are no text"),
    pytest.param({"type": "Handle"}, {"type": "TimerHandle"}, "value", id="types"),
    pytest.param({"obj": "Handle"}, {"type": "Handle"}, "value", id="an object is no type"),
    pytest.param({"dict": {"a": 1}}, {"dict": {"b": 1}}, "context", id="other keys"),
    pytest.param({"dict": {"a": 1}}, {"dict": {"a": 1, "b": 1}}, "context", id="one more key"),
    pytest.param({"dict": {"a": 1}}, {"dict": {"a": 2}}, "value", id="another value of a key"),
    pytest.param(
        {"dict": {"message": "a"}}, {"dict": {"message": "b"}}, "wording", id="the context's message"
    ),
    pytest.param(
        {"dict": {"message": "a"}}, {"dict": {"message": 1}}, "value", id="a message that is no text"
    ),
    pytest.param(exc("KeyError"), exc("ValueError"), "class", id="classes of exceptions"),
    pytest.param(exc("KeyError"), None, "class", id="no exception"),
    pytest.param("fine", exc("KeyError"), "class", id="an exception instead of a result"),
    pytest.param(exc("E", errno="EBADF"), exc("E", errno="EPERM"), "errno", id="errno"),
    pytest.param(exc("E", errno="EBADF"), exc("E"), "errno", id="no errno"),
    pytest.param(exc("E", "a"), exc("E", "b"), "wording", id="the text of an exception"),
    pytest.param(exc("E", cause=exc("A")), exc("E"), "class", id="no cause"),
    pytest.param(exc("E", cause=exc("A")), exc("E", cause=exc("B")), "class", id="another cause"),
    pytest.param(
        exc("E", cause=exc("A", "x")), exc("E", cause=exc("A", "y")), "wording", id="text of a cause"
    ),
    pytest.param(exc("G", members=[exc("A")]), exc("G", members=[exc("B")]), "class", id="another member"),
    pytest.param(exc("G", members=[exc("A")]), exc("G", members=[]), "value", id="fewer members"),
    pytest.param({"dict": {"exception": exc("A")}}, {"dict": {"exception": exc("B")}}, "class", id="nested"),
]

SHOWN: list[tuple[Any, str]] = [
    (None, "None"),
    (True, "True"),
    (1.5, "1.5"),
    ("it's", '"it\'s"'),
    ([1, "a"], "[1, 'a']"),
    ([], "[]"),
    ({"tuple": []}, "()"),
    ({"tuple": [1]}, "(1,)"),
    ({"tuple": [1, 2]}, "(1, 2)"),
    ({"set": []}, "set()"),
    ({"set": [1, 2]}, "{1, 2}"),
    ({"dict": {}}, "{}"),
    ({"dict": {"a": 1, "b": [2]}}, "{a: 1, b: [2]}"),
    ({"bytes": "b'x'"}, "b'x'"),
    ({"bytes": "b'xx'…", "length": 99, "crc": 1}, "b'xx'…"),
    ({"float": "nan"}, "nan"),
    ({"type": "Handle"}, "Handle"),
    ({"obj": "socket"}, "<socket>"),
    (exc("KeyError"), "KeyError()"),
    (exc("OSError", "no", errno="EBADF"), "OSError(EBADF, 'no')"),
    (exc("E", cause=exc("A", "why")), "E() from A('why')"),
    (exc("Group", "two", members=[exc("A"), exc("B")]), "Group('two', A(), B())"),
]


@pytest.mark.parametrize("value", EQUAL, ids=repr)
def test_value_equals_itself(value: Any) -> None:
    assert compare(value, value) is None


@pytest.mark.parametrize("value", EQUAL, ids=repr)
def test_value_differs_from_every_other(value: Any) -> None:
    assert [other for other in EQUAL if compare(value, other) is None] == [value]


@pytest.mark.parametrize(("oracle", "target", "kind"), DIFFERENT)
def test_how_two_values_differ_does_not_depend_on_which_is_the_oracles(
    oracle: Any, target: Any, kind: str
) -> None:
    assert compare(oracle, target) == compare(target, oracle) == kind


def test_gravest_of_several_differences_is_the_answer() -> None:
    kinds = {
        "class": (exc("A"), exc("B")),
        "errno": (exc("A", errno="EPERM"), exc("A")),
        "context": ({"dict": {"a": 1}}, {"dict": {}}),
        "value": (1, 2),
        "wording": (exc("A", "x"), exc("A", "y")),
    }
    assert tuple(kinds) == GRAVITY
    for index, kind in enumerate(GRAVITY):
        ours, theirs = zip(*(kinds[other] for other in reversed(GRAVITY[index:])), strict=True)
        assert compare_all(ours, theirs) == kind


def test_every_way_to_differ_is_a_kind_of_the_vocabulary() -> None:
    assert set(GRAVITY) <= set(KINDS)


@pytest.mark.parametrize(("value", "text"), SHOWN, ids=[text for _, text in SHOWN])
def test_value_is_shown_as_a_person_writes_it(value: Any, text: str) -> None:
    assert show(value) == text


def test_values_of_an_event_are_shown_one_after_the_other() -> None:
    assert show_all([1, {"tuple": [2]}, "a"]) == "1 (2,) 'a'"
