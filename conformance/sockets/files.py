# SPDX-License-Identifier: MIT
"""sock_sendfile: a file, or a part of it, through a socket."""

import asyncio
import contextlib
import io
import os
import socket

from loopcheck_target import scenario

NEEDS = ["sockets/sock_sendfile_sends_a_file"]  # each scenario of this file


@contextlib.contextmanager
def socket_pair():
    """Two connected non-blocking sockets, closed at the end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


def new_file(tmp, data, mode="rb"):
    """A file with the data, open in the mode."""
    path = os.path.join(str(tmp), "file")
    with open(path, "wb") as file:
        file.write(data)
    return open(path, mode)


@scenario(statements=["sock_sendfile.total"])
async def sock_sendfile_sends_a_file(loop, trace, tmp):
    """The result is how many bytes were sent; they arrive as they are in the file."""
    with socket_pair() as (ours, theirs), new_file(tmp, b"0123456789") as file:
        trace("sent", await loop.sock_sendfile(ours, file))
        trace("received", theirs.recv(100))


@scenario(statements=["sock_sendfile.total"])
async def sock_sendfile_sends_more_than_fits(loop, trace, tmp):
    """A file of three million bytes arrives complete at a reader that takes its time."""
    data = bytes(range(250)) * 12_000
    with socket_pair() as (ours, theirs), new_file(tmp, data) as file:
        task = asyncio.ensure_future(loop.sock_sendfile(ours, file))
        received = bytearray()
        while len(received) < len(data):
            received += await loop.sock_recv(theirs, 1_000_000)
        trace("sent", await task)
        trace("same", received == data)
        trace("watched", bool(loop.remove_writer(ours)))


@scenario(statements=["sock_sendfile.offset-count", "sock_sendfile.position"])
async def sock_sendfile_sends_a_part(loop, trace, tmp):
    """From the offset on, so many bytes; the file then stands behind them."""
    with socket_pair() as (ours, theirs), new_file(tmp, b"0123456789") as file:
        for arguments in ((2, 3), (8, 100), (5,), (0, None), (10,)):
            trace("sent", arguments, await loop.sock_sendfile(ours, file, *arguments))
            trace("position", file.tell())
        trace("received", theirs.recv(100))


@scenario(statements=["sock_sendfile.position"])
async def failed_sock_sendfile_leaves_the_position_behind_what_was_sent(loop, trace, tmp, T):
    """The peer closes in the middle: an error, and the file stands where sending has ended."""
    with socket_pair() as (ours, theirs), new_file(tmp, bytes(3_000_000)) as file:
        loop.call_later(T, theirs.close)
        try:
            await loop.sock_sendfile(ours, file, fallback=False)
        except OSError as error:
            trace("raised", isinstance(error, ConnectionError))
        trace("sent some", 0 < file.tell() < 3_000_000)


@scenario(statements=["sock_sendfile.binary-file"])
async def sock_sendfile_needs_a_binary_file(loop, trace, tmp):
    """A file that is open as text is a ValueError."""
    with socket_pair() as (ours, _), new_file(tmp, b"text", "r") as file:
        try:
            await loop.sock_sendfile(ours, file)
        except ValueError as error:
            trace("raised", error)


@scenario(statements=["sock_sendfile.stream-nonblocking"], debug=True)
async def sock_sendfile_needs_a_stream_socket_that_does_not_block(loop, trace, tmp):
    """A socket for datagrams is a ValueError, and so is, in debug mode, one that blocks."""
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams, socket_pair() as (ours, _):
        datagrams.setblocking(False)
        ours.setblocking(True)
        with new_file(tmp, b"data") as file:
            for sock in (datagrams, ours):
                try:
                    await loop.sock_sendfile(sock, file)
                except ValueError as error:
                    trace("raised", error)


@scenario(statements=["sock_sendfile.fallback-false"])
async def sock_sendfile_without_fallback_needs_a_real_file(loop, trace):
    """What has no descriptor cannot be sent by the system; without a fallback that is an error of its own."""
    with socket_pair() as (ours, _):
        try:
            await loop.sock_sendfile(ours, io.BytesIO(b"data"), fallback=False)
        except asyncio.SendfileNotAvailableError as error:
            trace("raised", error)
