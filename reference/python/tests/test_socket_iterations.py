# SPDX-License-Identifier: MIT
"""A socket coroutine of asy goes on in the iteration in which asyncio's does, and all around it runs as there.

That holds though asyncio takes data from the system one iteration earlier, as
docs/decisions/0006-when-socket-coroutines-take-data.md has it; the second half of this file shows that difference.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asy
import pytest
import socket_iterations

PACKAGE = Path(asy.__file__).parents[1]
FULL = bool(os.environ.get("LOOPCHECK_TEST_FULL"))


@pytest.mark.parametrize("factory", [asy.new_event_loop, asy.new_native_event_loop])
@pytest.mark.parametrize("program", socket_iterations.PROGRAMS)
def test_each_socket_coroutine_goes_on_in_the_same_iteration(
    program: "Callable[[Any, Any], None]", factory: "Callable[[], Any]"
) -> None:
    expected = socket_iterations.notes_of(asyncio.new_event_loop, program)
    assert socket_iterations.notes_of(factory, program) == expected


def notes_on(python: str, factory: str) -> Any:
    """Return the notes of all programs on another interpreter, or None where there is no build of asy for it."""
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent / "abi3")}
    command = [python, socket_iterations.__file__, factory]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return json.loads(done.stdout) if done.returncode == 0 else None


@pytest.mark.skipif(not FULL, reason="not run: LOOPCHECK_TEST_FULL=1 runs the other interpreters too")
@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14", "3.15"])
def test_the_same_iterations_on_other_interpreters(version: str) -> None:
    python = shutil.which(f"python{version}")
    expected = python and notes_on(python, "asyncio:new_event_loop")
    if python is None or expected is None or not (PACKAGE.parent / "abi3").exists():
        pytest.skip(f"not run: no python{version} with a build of asy")
    for factory in ("asy:new_event_loop", "asy:new_native_event_loop"):
        assert notes_on(python, factory) == expected


# ---- the difference ----------------------------------------------------------------------------------

TAKEN_EARLIER = 2  # iterations after the data have come: asyncio has received them, its task has not gone on


async def cancel_after(iterations: int) -> "tuple[str, bytes]":
    """Cancel sock_recv() so many iterations after data have come; return what it and the next one say."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        task = asyncio.ensure_future(loop.sock_recv(ours, 100))
        await asyncio.sleep(0)
        theirs.send(b"first")
        for _ in range(iterations):
            await asyncio.sleep(0)
        task.cancel()
        try:
            outcome = (await task).decode()
        except asyncio.CancelledError:
            outcome = "cancelled"
        theirs.send(b" second")
        return outcome, await loop.sock_recv(ours, 100)


def outcomes(factory: "Callable[[], Any]") -> "list[tuple[str, bytes]]":
    """Return what the program says for each moment of the cancellation."""
    loop = factory()
    try:
        return [loop.run_until_complete(cancel_after(iterations)) for iterations in range(5)]
    finally:
        loop.close()


def test_only_the_data_of_a_task_cancelled_in_the_iteration_between_differ() -> None:
    theirs, ours = outcomes(asyncio.new_event_loop), outcomes(asy.new_event_loop)
    assert theirs[TAKEN_EARLIER] == ("cancelled", b" second")
    assert ours[TAKEN_EARLIER] == ("cancelled", b"first second")
    assert (
        theirs[:TAKEN_EARLIER] + theirs[TAKEN_EARLIER + 1 :]
        == ours[:TAKEN_EARLIER] + ours[TAKEN_EARLIER + 1 :]
    )
    assert outcomes(asy.new_native_event_loop) == ours


def test_what_comes_in_the_iteration_between_comes_with_the_rest() -> None:
    async def receive() -> bytes:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            task = asyncio.ensure_future(loop.sock_recv(ours, 100))
            await asyncio.sleep(0)
            theirs.send(b"first")
            for _ in range(TAKEN_EARLIER):
                await asyncio.sleep(0)
            theirs.send(b" second")
            return await task

    received = []
    for factory in (asyncio.new_event_loop, asy.new_event_loop):
        loop = factory()
        received.append(loop.run_until_complete(receive()))
        loop.close()
    assert received == [b"first", b"first second"]
