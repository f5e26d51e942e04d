# SPDX-License-Identifier: MIT
"""Puts the package on sys.path, from ASY_PACKAGE or build/reference/python, and what tests share, from here."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BUILD = "3.11" if sys.version_info[:2] == (3, 11) else "abi3"
PACKAGE = (
    os.environ.get("ASY_PACKAGE") or Path(__file__).parents[3] / "build" / "reference" / "python" / BUILD
)
sys.path[:0] = [str(PACKAGE), str(Path(__file__).parent)]

# A job in the background of a shell has SIGINT ignored, and so would everything that it starts; tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def loop() -> Iterator[Any]:
    """A loop that is closed after the test."""
    import asy

    loop = asy.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture(params=["asyncio", "asy"])
def new_loop(request: pytest.FixtureRequest) -> "Callable[[], Any]":
    """What makes a loop, for what has to hold for asyncio's loop too."""
    import asy

    return asyncio.new_event_loop if request.param == "asyncio" else asy.new_event_loop


@pytest.fixture
def either(new_loop: "Callable[[], Any]") -> "Iterator[Any]":
    """A loop of either kind that is closed after the test."""
    loop = new_loop()
    yield loop
    loop.close()


@pytest.fixture
def pipe() -> "Iterator[tuple[Any, Any]]":
    """The reading and the writing end of a pipe."""
    from pipe_ends import new_pipe

    with new_pipe() as ends:
        yield ends
