# SPDX-License-Identifier: MIT
"""sock_sendfile: a file, or a part of it, through a socket."""

import asyncio
import contextlib
import io
import os
import socket
import threading

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


class WithDescriptor(io.FileIO):
    """A real file that notes when it is read."""

    def __init__(self, trace, path):
        super().__init__(path)
        self.trace = trace

    def readinto(self, buffer):
        self.trace("read")
        return super().readinto(buffer)


async def receive_all(loop, sock):
    """Receive until the peer closes."""
    received = bytearray()
    while True:
        data = await loop.sock_recv(sock, 1_000_000)
        if not data:
            return received
        received += data


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
        trace("watched", bool(loop.remove_writer(ours.fileno())))


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
            trace("raised", type(error))


@scenario(statements=["sendfile.error-type"])
async def sendfile_has_an_error_of_its_own(loop, trace):
    """SendfileNotAvailableError is a RuntimeError, and asyncio has it."""
    trace("bases", asyncio.SendfileNotAvailableError.__bases__)
    trace("public", "SendfileNotAvailableError" in asyncio.__all__)
    with socket_pair() as (ours, _):
        try:
            await loop.sock_sendfile(ours, io.BytesIO(b"data"), fallback=False)
        except RuntimeError as error:
            trace("raised", type(error) is asyncio.SendfileNotAvailableError)


@scenario(statements=["sock_sendfile.fallback-false", "sock_sendfile.position"])
async def first_piece_that_cannot_be_sent_is_no_error_of_the_connection(loop, trace, tmp):
    """Nobody listens any more: the system has sent nothing; without a fallback that is all that is known."""
    with socket_pair() as (ours, theirs), new_file(tmp, b"data") as file:
        theirs.close()
        try:
            await loop.sock_sendfile(ours, file, fallback=False)
        except asyncio.SendfileNotAvailableError as error:
            trace("raised", type(error))
        trace("position", file.tell())
        try:
            await loop.sock_sendfile(ours, file)
        except OSError as error:
            trace("raised", error)


@scenario(statements=["sock_sendfile.os-sendfile"])
async def real_file_is_not_read_by_the_program(loop, trace, tmp):
    """The system sends what has a descriptor: nobody calls the methods of the file."""
    new_file(tmp, b"0123456789").close()
    with socket_pair() as (ours, theirs), WithDescriptor(trace, os.path.join(str(tmp), "file")) as file:
        trace("sent", await loop.sock_sendfile(ours, file, 1))
        trace("received", theirs.recv(100))


@scenario(statements=["sock_sendfile.fallback-true", "sock_sendfile.offset-count", "sock_sendfile.position"])
async def sock_sendfile_reads_what_has_no_descriptor(loop, trace):
    """By default, what the system cannot send is read and sent; the position follows."""
    with socket_pair() as (ours, theirs):
        file = io.BytesIO(b"0123456789")
        for arguments in ((0, 2), (2, 3), (8, 100), (5,), (10,)):
            trace("sent", arguments, await loop.sock_sendfile(ours, file, *arguments))
            trace("position", file.tell())
        trace("received", theirs.recv(100))


@scenario(basis="observed: until 3.13 the position moves only where a part begins later or was sent")
async def sock_sendfile_moves_the_file_even_if_it_sends_nothing(loop, trace, tmp):
    """The position after an error, after nothing was left to send, and where the fallback begins at offset 0."""
    with socket_pair() as (ours, theirs), new_file(tmp, b"0123456789") as file:
        file.seek(3)
        trace("sent", await loop.sock_sendfile(ours, file, 20))
        trace("position", file.tell())
        buffer = io.BytesIO(b"0123456789")
        buffer.seek(3)
        trace("sent", await loop.sock_sendfile(ours, buffer, 0, 5))
        trace("position", buffer.tell())
        theirs.close()
        try:
            await loop.sock_sendfile(ours, file, 1, fallback=False)
        except asyncio.SendfileNotAvailableError:
            trace("position", file.tell())


@scenario(statements=["sock_sendfile.fallback-true", "sock_sendfile.total"])
async def sock_sendfile_reads_and_sends_more_than_fits(loop, trace):
    """A million bytes go through a buffer, part by part, while the loop goes on."""
    data = bytes(range(250)) * 4_000
    with socket_pair() as (ours, theirs):
        file = io.BytesIO(data)
        task = asyncio.ensure_future(receive_all(loop, theirs))
        trace("sent", await loop.sock_sendfile(ours, file, fallback=True))
        ours.close()
        trace("same", await task == data)
        trace("position", file.tell())


@scenario(basis="observed: what a file that is none must have: the documentation asks for a regular file")
async def sock_sendfile_reads_what_cannot_be_rewound(loop, trace):
    """The fallback needs one method of the file: readinto(), which it calls in the default executor."""
    loop_thread = threading.get_ident()

    class Source:
        """Something that can be read, and nothing else."""

        def __init__(self):
            self.parts = [b"one", b"two"]

        def readinto(self, buffer):
            part = self.parts.pop(0) if self.parts else b""
            trace("read", part, threading.get_ident() == loop_thread)
            buffer[: len(part)] = part
            return len(part)

    with socket_pair() as (ours, theirs):
        trace("sent", await loop.sock_sendfile(ours, Source()))
        trace("received", theirs.recv(100))


@scenario(statements=["sock_sendfile.fallback-true"])
async def error_of_reading_comes_out_of_sock_sendfile(loop, trace):
    """What the file raises in the fallback is raised to who waits; what was read before has been sent."""

    class Broken:
        """A file of which the second part cannot be read, by whichever method."""

        reads = 0

        def read(self, size=-1):
            self.reads += 1
            if self.reads == 2:
                raise LookupError("second read")
            return b"one"

        def readinto(self, buffer):
            buffer[:3] = self.read()
            return 3

    with socket_pair() as (ours, theirs):
        try:
            await loop.sock_sendfile(ours, Broken())
        except LookupError as error:
            trace("raised", error)
        trace("received", theirs.recv(100))


@scenario(statements=["sock_sendfile.total"])
async def cancelled_sock_sendfile_sends_no_more(loop, trace, tmp, T):
    """Cancelled in the middle, a part of the file has been sent, and the socket is not watched."""
    with socket_pair() as (ours, theirs), new_file(tmp, bytes(3_000_000)) as file:
        task = asyncio.ensure_future(loop.sock_sendfile(ours, file))
        loop.call_later(T, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            trace("cancelled")
        trace("watched", bool(loop.remove_writer(ours.fileno())))
        ours.close()
        received = len(await receive_all(loop, theirs))
        trace("sent some", 0 < received < 3_000_000)


@scenario(basis="observed: where a program finds its file after a send that was cut short")
async def cancelled_sock_sendfile_leaves_the_position_of_the_file(loop, trace, tmp, T):
    """The position is set at the end, and a cancellation is none: the file stands where it stood."""
    with socket_pair() as (ours, _), new_file(tmp, bytes(3_000_000)) as file:
        file.seek(10)
        task = asyncio.ensure_future(loop.sock_sendfile(ours, file, 20))
        loop.call_later(T, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            trace("position", file.tell())


@scenario(
    basis="observed: what selects no part is refused before anything is sent, as sendfile() documents it"
)
async def sock_sendfile_refuses_offsets_and_counts_that_are_none(loop, trace, tmp):
    """A count is a positive integer or None, an offset no negative integer."""
    with socket_pair() as (ours, _), new_file(tmp, b"0123456789") as file:
        for arguments in ((0, 0), (0, -1), (0, 1.5), (-1,), (1.5,), (None,)):
            try:
                await loop.sock_sendfile(ours, file, *arguments)
            except (TypeError, ValueError) as error:
                trace("raised", error)
