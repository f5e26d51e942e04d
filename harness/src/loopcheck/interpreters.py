# SPDX-License-Identifier: MIT
"""Finding Python interpreters by name.

An interpreter counts only if running it prints its version: a pyenv shim on PATH may exist and not run.  The
search goes from what the user wrote to PATH to the folders of pyenv and uv.
"""

import functools
import glob
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST = (3, 8)


class InterpreterError(Exception):
    """No usable interpreter; the text is one sentence for the user."""


@dataclass(frozen=True)
class Interpreter:
    """An interpreter that runs: its path, its version such as "3.12.1", and "cpython" or "pypy"."""

    path: str
    version: str
    implementation: str

    @property
    def minor(self) -> tuple[int, int]:
        """The version as (major, minor)."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)


def this_interpreter() -> Interpreter:
    """Return the interpreter that the driver runs on."""
    return Interpreter(sys.executable, sys.version.split()[0], sys.implementation.name)


@functools.cache
def find_interpreter(name: str) -> Interpreter:
    """Return the interpreter called name: ``python3.12``, ``3.12``, ``pypy3`` or a path.

    Raises InterpreterError when there is none that runs, or it is older than OLDEST.
    """
    found = next((run for path in candidates(name) if (run := ask(path))), None)
    if found is None:
        raise InterpreterError(
            f"no interpreter {name!r} runs here; name one on PATH, under pyenv or uv, or by its path"
        )
    if found.minor < OLDEST:
        raise InterpreterError(
            f"{name} is Python {found.version}; loopcheck's targets need {OLDEST[0]}.{OLDEST[1]} or later"
        )
    return found


def candidates(name: str) -> Iterator[str]:
    """Yield the paths at which an interpreter called name could be, the likeliest first."""
    if os.sep in name:
        yield name
        return
    if re.fullmatch(r"\d+\.\d+(\.\d+)?", name):
        name = f"python{name}"
    on_path = shutil.which(name)
    if on_path:
        yield on_path
    version = re.fullmatch(r"python(\d[\d.]*)", name)
    pattern = f"{version[1]}*" if version else f"{glob.escape(name)}*"
    for folder in version_folders():
        for found in sorted(folder.glob(pattern), key=_numbers, reverse=True):
            if not version or re.fullmatch(rf"{re.escape(version[1])}(\.\d+)?", found.name):
                yield str(found / "bin" / ("python" if version else name))
        if version:
            for found in sorted(folder.glob(f"cpython-{version[1]}*"), key=_numbers, reverse=True):
                if not re.match(r"\d", found.name[len(f"cpython-{version[1]}") :]):
                    yield str(found / "bin" / "python")


def _numbers(folder: Path) -> list[int]:
    """What to sort folders by so that 3.12.10 is newer than 3.12.9."""
    return [int(number) for number in re.findall(r"\d+", folder.name)]


def version_folders() -> list[Path]:
    """Return the folders in which pyenv and uv keep their interpreters."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local/share/uv/python")
    return [pyenv, uv]


def ask(path: str) -> Interpreter | None:
    """Return what the interpreter at path says about itself, or None when it does not run."""
    question = "import sys; print(sys.version.split()[0], sys.implementation.name)"
    try:
        done = subprocess.run(
            [path, "-c", question],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):  # ValueError: what it prints is no text
        return None
    words = done.stdout.split()
    return Interpreter(path, words[0], words[1]) if done.returncode == 0 and len(words) == 2 else None
