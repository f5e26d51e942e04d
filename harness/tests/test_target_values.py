# SPDX-License-Identifier: MIT
"""The target's side of values: every Python value becomes JSON, and nothing volatile is left in it."""

import errno
import json
import math
import signal
from typing import Any

import pytest

from loopcheck.values import compare, show
from loopcheck_target import values
from loopcheck_target.values import hide_path, plain, plain_text

from .building import exc


class Silent(Exception):
    """Has no text: its str() raises."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class SilentKey:
    """A key of a dictionary whose str() raises."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def caused(exception: BaseException, cause: BaseException) -> BaseException:
    """Return exception with a cause."""
    exception.__cause__ = cause
    return exception


FORMS = [
    (None, None),
    (True, True),
    (7, 7),
    (1.5, 1.5),
    (math.inf, {"float": "inf"}),
    (math.nan, {"float": "nan"}),
    ("text", "text"),
    ([1, [2]], [1, [2]]),
    ((1, (2,)), {"tuple": [1, {"tuple": [2]}]}),
    ({3, 1, 2}, {"set": [1, 2, 3]}),
    (frozenset("ab"), {"set": ["a", "b"]}),
    ({"a": 1, 2: (3,)}, {"dict": {"a": 1, "2": {"tuple": [3]}}}),
    (b"ab", {"bytes": "b'ab'"}),
    (bytearray(b"ab"), {"bytes": "b'ab'"}),
    (memoryview(b"ab"), {"bytes": "b'ab'"}),
    (ValueError, {"type": "ValueError"}),
    (object(), {"obj": "object"}),
    (len, {"obj": "builtin_function_or_method"}),
    (signal.SIGINT, 2),
    (ValueError("no"), exc("ValueError", "no")),
    (OSError(errno.EBADF, "bad"), exc("OSError", "[Errno 9] bad", errno="EBADF")),
    (OSError("plain"), exc("OSError", "plain")),
    (OSError(99999, "strange"), exc("OSError", "[Errno 99999] strange", errno=99999)),
    (caused(KeyError("k"), ValueError("v")), exc("KeyError", "'k'", cause=exc("ValueError", "v"))),
    (Silent(), exc("Silent", "<str() raised RuntimeError>")),
]

VOLATILE = [
    ("<Handle at 0x7f1234abcd>", "<Handle at 0x…>"),
    ("0x1 is no address", "0x1 is no address"),
    ("<socket fd=12, family=1>", "<socket fd=…, family=1>"),
    ("laddr=('127.0.0.1', 43833), raddr=('::1', 80, 0, 0)", "laddr=('127.0.0.1', …), raddr=('::1', …, 0, 0)"),
    ("took 0.123 seconds", "took … seconds"),
    ("poll took 12.345s", "poll took …s"),
    ("<Task name='Task-12'>", "<Task name='Task-…'>"),
    ("<Event id=139876543210>", "<Event id=…>"),
    ("<TimerHandle when=123.45 f()>", "<TimerHandle when=… f()>"),
    ("File descriptor 7 is used", "File descriptor … is used"),
    ("Read pipe 8 connected: (x)", "Read pipe … connected: (x)"),
    ("pipe 8 was connected", "pipe 8 was connected"),
    ("f() at /usr/lib/python3/x.py:12>", "f() at x.py:…>"),
    ("cb=[f() at /usr/lib/python3/asyncio/tasks.py:12]", "cb=[f()]"),
    ("<Handle f() at /some/x.py:1 created at /usr/lib/python3/asyncio/e.py:12>", "<Handle f() at x.py:…>"),
    ("f() at /some/where/loop.pyx:1432", "f() at loop.pyx:…"),
    ("half past 10:30, 12 seconds", "half past 10:30, 12 seconds"),
]


@pytest.mark.parametrize(("value", "form"), FORMS, ids=[repr(form) for _, form in FORMS])
def test_value_has_its_form(value: Any, form: Any) -> None:
    assert plain(value) == form


@pytest.mark.parametrize(("value", "form"), FORMS, ids=[repr(form) for _, form in FORMS])
def test_form_survives_json_and_can_be_shown(value: Any, form: Any) -> None:
    arrived = json.loads(json.dumps(plain(value), allow_nan=False))
    assert compare(arrived, form) is None
    assert isinstance(show(arrived), str)


@pytest.mark.parametrize(
    "value", [None, True, 1, 1.5, "it's", [], [1], (), (1,), (1, [2]), set(), {1, 2}, b"x", {}]
)
def test_plain_data_is_shown_as_python_writes_it(value: Any) -> None:
    assert show(plain(value)) == repr(value)


def test_long_bytes_are_cut_and_still_told_apart() -> None:
    one, other = plain(b"x" * 1000 + b"a"), plain(b"x" * 1000 + b"b")
    assert one["length"] == 1001 and len(one["bytes"]) < 100
    assert compare(one, other) == "value"
    assert "length" not in plain(b"x" * 64) and "length" in plain(b"x" * 65)


def test_exception_group_has_its_members() -> None:
    group = ValueError("two")
    group.exceptions = (KeyError(1), Silent())  # type: ignore[attr-defined]
    assert plain(group)["members"] == [exc("KeyError", "1"), exc("Silent", "<str() raised RuntimeError>")]


def test_errno_of_an_exception_that_is_no_oserror_does_not_count() -> None:
    error = ValueError("no")
    error.errno = errno.EBADF  # type: ignore[attr-defined]
    assert plain(error) == exc("ValueError", "no")


def test_deep_and_endless_nesting_ends() -> None:
    endless: list[Any] = []
    endless.append(endless)
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one
    for value in (endless, {"self": endless}, one):
        assert len(json.dumps(plain(value))) < 1000
    assert '{"obj": "list"}' in json.dumps(plain(endless))


def test_key_that_has_no_text_does_not_end_the_scenario() -> None:
    assert plain({SilentKey(): 1}) == {"dict": {"<str() raised RuntimeError>": 1}}


@pytest.mark.parametrize(("text", "expected"), VOLATILE, ids=[text for text, _ in VOLATILE])
def test_volatile_parts_are_replaced_and_nothing_else(text: str, expected: str) -> None:
    assert plain_text(text) == expected


def test_volatile_parts_are_replaced_wherever_a_text_is() -> None:
    text, hidden = "<x at 0x7f0000001>", "<x at 0x…>"
    assert plain([text, (text,), {text: text}, ValueError(text)]) == [
        hidden,
        {"tuple": [hidden]},
        {"dict": {hidden: hidden}},
        exc("ValueError", hidden),
    ]


def test_hidden_path_is_replaced_before_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "_replacements", [*values._replacements])
    hide_path("/var/x+y/loopcheck-1", "tmp")
    assert plain("/var/x+y/loopcheck-1/socket") == "<tmp>/socket"
    assert plain_text("f() at /var/x+y/loopcheck-1/a.py:3") == "f() at <tmp>/a.py:3"
