# SPDX-License-Identifier: MIT
"""Targets: what the user may write, what it means, which oracle it gets, and what is said about anything else."""

import sys
from pathlib import Path

import pytest

from loopcheck import targets
from loopcheck.interpreters import Interpreter, InterpreterError, this_interpreter
from loopcheck.targets import (
    ORACLE_FACTORIES,
    REFERENCE_FACTORIES,
    Target,
    TargetError,
    oracle_for,
    parse_target,
    read_configuration,
    with_distinct_names,
)

OTHER = Interpreter("/opt/python3.9/bin/python", "3.9.1", "cpython")


@pytest.fixture(autouse=True)
def one_other_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be one other interpreter, whatever this machine has: 3.9."""

    def find(name: str) -> Interpreter:
        if "3.9" in name:
            return OTHER
        raise InterpreterError(f"no interpreter {name!r} runs here")

    monkeypatch.setattr(targets, "find_interpreter", find)


GRAMMAR = [
    ("asyncio", "asyncio", ORACLE_FACTORIES["asyncio"], False),
    ("asyncio-poll", "asyncio-poll", ORACLE_FACTORIES["asyncio-poll"], False),
    ("asyncio-select@3.9", "asyncio-select@3.9", ORACLE_FACTORIES["asyncio-select"], True),
    ("reference", "reference", REFERENCE_FACTORIES["reference"], False),
    ("reference-native@python3.9", "reference-native@python3.9", "asy:new_native_event_loop", True),
    ("uvloop:new_event_loop", "uvloop", "uvloop:new_event_loop", False),
    ("a.b.c:d.e", "a", "a.b.c:d.e", False),
    ("uvloop:Loop@/opt/python3.9/bin/python", "uvloop@python", "uvloop:Loop", True),
    ("uvloop:Loop@/opt/@/python3.9", "uvloop@python3.9", "uvloop:Loop", True),
    ("mine", "mine", "my.loops:make", False),
    ("mine@3.9", "mine@3.9", "my.loops:make", True),
]


@pytest.mark.parametrize(("text", "name", "factory", "other"), GRAMMAR)
def test_target_is_read(text: str, name: str, factory: str, other: bool) -> None:
    expected = Target(text, name, factory, OTHER if other else this_interpreter())
    assert parse_target(text, {"mine": "my.loops:make"}) == expected


WRONG = [
    ("nothing", "'nothing' is no target: write MODULE:CALLABLE, or one of asyncio, asyncio-poll, "),
    ("", "'' is no target"),
    ("@3.9", "'' is no target"),
    ("module:", "'module:' is no target: MODULE:CALLABLE takes dotted Python names"),
    (":callable", "takes dotted Python names"),
    ("a:b:c", "takes dotted Python names"),
    ("my-module:loop", "takes dotted Python names"),
    ("my/module.py:loop", "takes dotted Python names"),
    ("a..b:c", "takes dotted Python names"),
    ("asyncio@", "'asyncio@' names no interpreter after the @"),
]


@pytest.mark.parametrize(("text", "words"), WRONG, ids=[text for text, _ in WRONG])
def test_text_that_is_no_target_is_refused(text: str, words: str) -> None:
    with pytest.raises(TargetError) as caught:
        parse_target(text)
    assert words in str(caught.value)


def test_configured_names_are_offered() -> None:
    with pytest.raises(TargetError, match=r"reference-native, mine$"):
        parse_target("nothing", {"mine": "my.loops:make"})


def test_interpreter_that_does_not_run_is_refused() -> None:
    with pytest.raises(InterpreterError, match=r"no interpreter '2\.7' runs here"):
        parse_target("asyncio@2.7")


# ---- oracles -------------------------------------------------------------------------------------------------

ORACLES = [
    ("uvloop:new_event_loop", "asyncio", sys.executable),
    ("uvloop:new_event_loop@3.9", "asyncio", OTHER.path),
    ("reference", "asyncio", sys.executable),
    ("reference-poll@3.9", "asyncio-poll", OTHER.path),
    ("reference-select", "asyncio-select", sys.executable),
    ("reference-native@3.9", "asyncio", OTHER.path),
    ("asyncio@3.9", "asyncio", sys.executable),
    ("asyncio-poll@3.9", "asyncio-poll", sys.executable),
    ("mine-poll@3.9", "asyncio-poll", OTHER.path),
]


@pytest.mark.parametrize(("text", "name", "path"), ORACLES)
def test_oracle_is_asyncio_with_the_same_selector(text: str, name: str, path: str) -> None:
    oracle = oracle_for(parse_target(text, {"mine-poll": "my.loops:make"}))
    assert (oracle.name, oracle.factory, oracle.interpreter.path) == (name, ORACLE_FACTORIES[name], path)
    assert oracle.is_asyncio


@pytest.mark.parametrize("name", ORACLE_FACTORIES)
def test_asyncio_on_the_drivers_interpreter_is_its_own_oracle(name: str) -> None:
    target = parse_target(name)
    assert oracle_for(target).key == target.key
    assert oracle_for(parse_target(f"{name}@3.9")).key != parse_target(f"{name}@3.9").key


def test_name_of_a_module_does_not_make_it_asyncio() -> None:
    assert not parse_target("asyncio:SelectorEventLoop").is_asyncio
    assert parse_target("asyncio:SelectorEventLoop").selector == ""


@pytest.mark.parametrize(
    ("text", "own"), [("reference-native", True), ("reference", False), ("uvloop:Loop", False)]
)
def test_only_the_native_reference_is_excused_from_asyncios_futures(text: str, own: bool) -> None:
    assert parse_target(text).own_futures is own


# ---- names in reports ----------------------------------------------------------------------------------------


def names(*texts: str) -> list[str]:
    """Return the names in reports of targets."""
    return [target.name for target in with_distinct_names([parse_target(text) for text in texts])]


def test_short_names_that_coincide_become_what_the_user_wrote() -> None:
    assert names("uvloop:Loop", "asyncio", "uvloop:new") == ["uvloop:Loop", "asyncio", "uvloop:new"]
    assert names("a.b:c", "a.d:e", "a:f@3.9") == ["a.b:c", "a.d:e", "a@3.9"]
    assert names("uvloop:Loop", "uvloop:Loop@3.9") == ["uvloop", "uvloop@3.9"]


# ---- loopcheck.toml ------------------------------------------------------------------------------------------


def test_configuration_defines_targets(tmp_path: Path) -> None:
    (tmp_path / "loopcheck.toml").write_text('[targets]\nmine = "my.loops:make"\n')
    assert read_configuration(tmp_path) == {"mine": "my.loops:make"}


@pytest.mark.parametrize("text", [None, "", "[other]\n", "[targets]\n"])
def test_configuration_need_not_define_any(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "loopcheck.toml").write_text(text)
    assert read_configuration(tmp_path) == {}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[targets\n", "cannot be read: Expected"),
        (b"\xff\n", "cannot be read: "),
        (b"targets = 1\n", "targets must be a table"),
        (b'targets = "a:b"\n', "targets must be a table"),
        (b"[targets]\nmine = 1\n", 'mine must be a text of the form "MODULE:CALLABLE"'),
        (b'[targets]\nmine = "loops"\n', "mine must be a text of the form"),
        (b"[targets.mine]\nfactory = 1\n", "mine must be a text of the form"),
        (b'[targets]\nmine = "loops:"\n', "of the form"),
        (b'[targets]\nreference = "my:loop"\n', "reference is built in; give your target another name"),
    ],
)
def test_configuration_that_is_wrong_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "loopcheck.toml").write_bytes(content)
    with pytest.raises(TargetError) as caught:
        read_configuration(tmp_path)
    assert str(tmp_path / "loopcheck.toml") in str(caught.value) and words in str(caught.value)


def test_configured_name_does_not_become_the_oracle() -> None:
    configured = {"asyncio": "my.loops:make"}
    target = parse_target("asyncio", configured)
    assert not target.is_asyncio
    assert oracle_for(target).factory == ORACLE_FACTORIES["asyncio"]
