# SPDX-License-Identifier: MIT
"""Where loopcheck's own files are: beside the package when installed, in the tree when run from a checkout."""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_TREE = _PACKAGE.parents[2]
CLOCK_LIBRARY = "libloopcheck_clock.so"


def _folder(installed: str, in_tree: str) -> Path:
    candidate = _PACKAGE / "data" / installed
    return candidate if candidate.exists() else _TREE / in_tree


def statements_folder() -> Path:
    """Return the folder of statement files."""
    return _folder("statements", "spec/statements")


def surface_file() -> Path:
    """Return the file of documented names."""
    return _folder("surface.toml", "spec/surface.toml")


def retired_file() -> Path:
    """Return the file of statement ids that are not used any more."""
    return _folder("retired.toml", "spec/retired.toml")


def scenarios_folder() -> Path:
    """Return the folder of the scenarios that ship with loopcheck."""
    return _folder("conformance", "conformance")


def target_folder() -> Path:
    """Return the folder that goes on a target's path."""
    return _folder("target", "harness/target")


def reference_folder(minor: tuple[int, int]) -> Path | None:
    """Return where this tree has built the reference loop for a version of Python, None if it has not."""
    folder = _TREE / "build/reference/python" / ("3.11" if minor == (3, 11) else "abi3")
    return folder if (folder / "asy").exists() else None


def clock_library() -> Path | None:
    """Return the clock library, or None where it was not built.  ``LOOPCHECK_CLOCK`` overrides the search."""
    override = os.environ.get("LOOPCHECK_CLOCK")
    candidates = [_PACKAGE / "data" / CLOCK_LIBRARY, _TREE / "build/release/harness/clock" / CLOCK_LIBRARY]
    return (
        next((path for path in [Path(override)] if path.exists()), None) if override else _first(candidates)
    )


def _first(candidates: list[Path]) -> Path | None:
    return next((path for path in candidates if path.exists()), None)
