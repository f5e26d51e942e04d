# SPDX-License-Identifier: MIT
"""Finding interpreters: where they are looked for, in which order, and that one counts only if it runs.

The interpreters are shell scripts in folders of the test's own, so the machine's play no part.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loopcheck.interpreters import (
    Interpreter,
    InterpreterError,
    ask,
    candidates,
    find_interpreter,
    this_interpreter,
)

Install = Callable[..., str]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """A machine without interpreters, and a function that installs one: a script that prints and exits."""
    folders = {"PATH": "bin", "PYENV_ROOT": "pyenv", "UV_PYTHON_INSTALL_DIR": "uv"}
    for variable, folder in folders.items():
        monkeypatch.setenv(variable, str(tmp_path / folder))
    find_interpreter.cache_clear()

    def write(name: str, prints: str, status: int = 0) -> str:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\nprintf '%b' '{prints}'\nexit {status}\n")
        file.chmod(0o755)
        return str(file)

    return write


def found(name: str) -> tuple[str, str]:
    """Return the path and version of the interpreter found."""
    interpreter = find_interpreter(name)
    return interpreter.path, interpreter.version


def test_interpreter_says_what_it_is(install: Install) -> None:
    path = install("bin/python3.12", "3.12.1 cpython\\n")
    assert find_interpreter("python3.12") == Interpreter(path, "3.12.1", "cpython")
    assert find_interpreter("python3.12").minor == (3, 12)


def test_version_alone_names_the_interpreter(install: Install) -> None:
    path = install("bin/python3.12", "3.12.1 cpython")
    assert found("3.12") == (path, "3.12.1")


def test_path_is_taken_as_it_is(install: Install) -> None:
    path = install("elsewhere/my-python", "3.13.0 cpython")
    install("bin/my-python", "3.9.0 cpython")
    assert found(path) == (path, "3.13.0")


def test_pypy_is_found_by_its_name(install: Install) -> None:
    path = install("pyenv/versions/pypy3.10-7.3/bin/pypy3.10", "3.10.14 pypy")
    assert find_interpreter("pypy3.10") == Interpreter(path, "3.10.14", "pypy")


def test_prerelease_has_a_minor_version() -> None:
    assert Interpreter("/x", "3.15.0a1+", "cpython").minor == (3, 15)


def test_path_comes_before_pyenv_before_uv(install: Install) -> None:
    places = [
        install("bin/python3.12", "3.12.1 cpython"),
        install("pyenv/versions/3.12.2/bin/python", "3.12.2 cpython"),
        install("uv/cpython-3.12.3-linux-x86_64-gnu/bin/python", "3.12.3 cpython"),
    ]
    assert list(candidates("3.12")) == places
    for place in places:
        assert found("3.12")[0] == place
        Path(place).unlink()
        find_interpreter.cache_clear()


@pytest.mark.parametrize(
    "layout", ["pyenv/versions/{}/bin/python", "uv/cpython-{}-linux-x86_64-gnu/bin/python"]
)
def test_newest_patch_release_is_preferred(install: Install, layout: str) -> None:
    places = {v: install(layout.format(v), f"{v} cpython") for v in ("3.12.2", "3.12.10", "3.12.9", "3.1.0")}
    assert found("3.12") == (places["3.12.10"], "3.12.10")
    assert found("3.12.2") == (places["3.12.2"], "3.12.2")
    assert list(candidates("3.1")) == [places["3.1.0"]]


@pytest.mark.parametrize(
    ("prints", "status"),
    [
        pytest.param("pyenv: python3.12: command not found", 127, id="a shim that finds nothing"),
        pytest.param("3.12.1 cpython", 1, id="fails"),
        pytest.param("", 0, id="says nothing"),
        pytest.param("this is not Python", 0, id="says something else"),
        pytest.param("\\0377\\0376 \\0377", 0, id="says no text"),
    ],
)
def test_shim_that_does_not_run_is_passed_over(install: Install, prints: str, status: int) -> None:
    shim = install("bin/python3.12", prints, status)
    real = install("pyenv/versions/3.12.2/bin/python", "3.12.2 cpython")
    assert ask(shim) is None
    assert found("3.12") == (real, "3.12.2")


@pytest.mark.parametrize(
    "name", ["python3.12", "3.12", "pypy3", "nothing", "**", "a[", "/no/such/python", "-c"]
)
def test_interpreter_that_is_nowhere_is_refused(install: Install, name: str) -> None:
    with pytest.raises(InterpreterError) as caught:
        find_interpreter(name)
    assert f"no interpreter {name!r} runs here" in str(caught.value)


def test_file_that_is_no_program_is_refused(install: Install, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    for path in (tmp_path, tmp_path / "text"):
        with pytest.raises(InterpreterError, match="runs here"):
            find_interpreter(str(path))


@pytest.mark.parametrize(("version", "old"), [("2.7.18", True), ("3.7.17", True), ("3.8.0", False)])
def test_interpreter_that_is_too_old_is_refused_with_its_version(
    install: Install, version: str, old: bool
) -> None:
    path = install("bin/some-python", f"{version} cpython")
    if not old:
        assert found("some-python") == (path, version)
        return
    with pytest.raises(InterpreterError) as caught:
        find_interpreter("some-python")
    assert str(caught.value) == f"some-python is Python {version}; loopcheck's targets need 3.8 or later"


def test_this_interpreter_says_the_same_of_itself() -> None:
    assert ask(sys.executable) == this_interpreter()
