# SPDX-License-Identifier: MIT
"""sock_sendfile(): what the scenarios of conformance/sockets do not ask."""

import asyncio
import contextlib
import io
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import asy
import pytest

BIG = 3_000_000


@pytest.fixture
def pair() -> "Iterator[tuple[socket.socket, socket.socket]]":
    """Two connected non-blocking sockets."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


@pytest.fixture
def file() -> "Iterator[Any]":
    """A file that is too large for a socket to take at once."""
    with tempfile.TemporaryFile() as file:
        file.write(bytes(range(250)) * (BIG // 250))
        file.flush()
        yield file


class WithExecutor(asy.EventLoop):
    """A loop whose executor is the loop itself."""

    async def run_in_executor(self, executor: Any, function: Any, *args: Any) -> Any:  # type: ignore[override]
        """Call the function here and now."""
        assert executor is None
        return function(*args)


def received(sock: socket.socket) -> bytes:
    """Return everything that has arrived."""
    data = bytearray()
    with contextlib.suppress(BlockingIOError):
        while piece := sock.recv(1_000_000):
            data += piece
    return bytes(data)


@pytest.mark.parametrize(
    "arguments", [(0, 0), (0, -1), (0, 1.5), (0, "1"), (-1,), (1.5,), ("1",), (None,)], ids=repr
)
def test_wrong_offsets_and_counts_are_refused(
    new_loop: "Callable[[], Any]", pair: Any, file: Any, arguments: Any
) -> None:
    with contextlib.closing(new_loop()) as loop, pytest.raises((TypeError, ValueError), match="must be a"):
        loop.run_until_complete(loop.sock_sendfile(pair[0], file, *arguments))
    assert received(pair[1]) == b""


@pytest.mark.parametrize("iterations", range(4))
def test_cancelling_leaves_the_position_and_no_watch(
    loop: Any, pair: Any, file: Any, iterations: int
) -> None:
    async def main() -> None:
        task = loop.create_task(loop.sock_sendfile(pair[0], file))
        file.seek(0)
        for _ in range(iterations):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not loop.remove_writer(pair[0])

    loop.run_until_complete(main())
    assert file.tell() == 0
    assert len(received(pair[1])) < BIG


def test_empty_file_is_nothing_to_send(loop: Any, pair: Any) -> None:
    with tempfile.TemporaryFile() as empty:
        assert loop.run_until_complete(loop.sock_sendfile(pair[0], empty)) == 0


@pytest.mark.parametrize("count", [None, 3, 100])
def test_what_the_system_cannot_send_is_copied(pair: Any, count: "int | None") -> None:
    source = io.BytesIO(b"0123456789")
    with contextlib.closing(WithExecutor()) as loop:  # type: ignore[abstract]
        sent = loop.run_until_complete(loop.sock_sendfile(pair[0], source, 2, count))
    assert received(pair[1]) == b"0123456789"[2:][:count]
    assert source.tell() == 2 + sent


def test_large_file_is_copied_in_pieces(pair: Any) -> None:
    ours, theirs = pair
    data = os.urandom(1_000_000)

    async def main(loop: Any) -> bytes:
        task = loop.create_task(loop.sock_sendfile(ours, io.BytesIO(data)))
        arrived = bytearray()
        while len(arrived) < len(data):
            arrived += await loop.sock_recv(theirs, 100_000)
        assert await task == len(data)
        return bytes(arrived)

    with contextlib.closing(WithExecutor()) as loop:  # type: ignore[abstract]
        assert loop.run_until_complete(main(loop)) == data


def test_broken_socket_raises_its_own_error_when_it_is_copied_to(pair: Any, file: Any) -> None:
    file.seek(0)  # before 3.14 an offset of 0 does not
    pair[1].close()
    file.seek(0)  # before 3.14 it is read from where it stands
    with contextlib.closing(WithExecutor()) as loop, pytest.raises(BrokenPipeError):  # type: ignore[abstract]
        loop.run_until_complete(loop.sock_sendfile(pair[0], file))
