# SPDX-License-Identifier: MIT
"""Puts the package on sys.path: from the folder ASY_PACKAGE, or else from build/reference/python."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BUILD = "3.11" if sys.version_info[:2] == (3, 11) else "abi3"
PACKAGE = (
    os.environ.get("ASY_PACKAGE") or Path(__file__).parents[3] / "build" / "reference" / "python" / BUILD
)
sys.path.insert(0, str(PACKAGE))


@pytest.fixture
def loop() -> Iterator[Any]:
    """A loop that is closed after the test."""
    import asy

    loop = asy.new_event_loop()
    yield loop
    loop.close()
