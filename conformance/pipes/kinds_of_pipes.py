# SPDX-License-Identifier: MIT
"""What can be connected as a pipe: FIFOs, sockets, terminals, devices; and what cannot."""

import asyncio
import contextlib
import os
import select
import socket
import tty

from loopcheck_target import scenario

NEEDS = [  # each scenario of this file
    "pipes/read_pipe_receives_what_is_written",
    "pipes/write_pipe_sends_what_is_written",
]


class Recorder(asyncio.Protocol):
    """A protocol that traces each of its callbacks."""

    def __init__(self, loop, trace):
        self.trace = trace
        self.received = loop.create_future()
        self.lost = loop.create_future()

    def connection_made(self, transport):
        self.trace("connection_made")

    def data_received(self, data):
        self.trace("data_received", data)
        if not self.received.done():
            self.received.set_result(None)

    def eof_received(self):
        self.trace("eof_received")

    def connection_lost(self, exc):
        self.trace("connection_lost", exc)
        self.lost.set_result(None)


async def arrives(future):
    """Wait until the future is done; for a loop that never comes so far, not for ever."""
    await asyncio.wait([future], timeout=5)


@contextlib.contextmanager
def terminal():
    """The two sides of a pseudo terminal that changes no byte, as file objects, closed at the end."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    with open(ours, "r+b", buffering=0) as master, open(theirs, "r+b", buffering=0) as slave:
        yield master, slave


async def read_once(loop, source):
    """Wait until there is something to read, and return it."""
    readable = loop.create_future()
    loop.add_reader(source.fileno(), lambda: readable.done() or readable.set_result(None))
    await arrives(readable)
    loop.remove_reader(source.fileno())
    return os.read(source.fileno(), 100) if readable.done() else None


async def try_to_connect(trace, connecting):
    """Trace how connecting is refused."""
    try:
        await connecting
        trace("accepted")
    except Exception as error:
        trace("refused", error)


@scenario(statements=["read_pipe.registers"])
async def fifo_can_be_read(loop, trace, tmp):
    """A FIFO, a pipe with a name, can be read like any other."""
    path = os.path.join(str(tmp), "fifo")
    os.mkfifo(path)
    source = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0)
    with source, open(path, "wb", buffering=0) as sink:
        _, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), source)
        sink.write(b"data")
        await arrives(protocol.received)
        sink.close()
        await arrives(protocol.lost)


@scenario(statements=["write_pipe.registers"])
async def fifo_can_be_written(loop, trace, tmp):
    """A FIFO, a pipe with a name, can be written like any other."""
    path = os.path.join(str(tmp), "fifo")
    os.mkfifo(path)
    source = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0)
    with source, open(path, "wb", buffering=0) as sink:
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        transport.write(b"data")
        transport.close()
        await arrives(protocol.lost)
        trace("received", source.read(100))


@scenario(basis="observed: child processes are often given a socket for their input and output")
async def socket_can_be_read_as_a_pipe(loop, trace):
    """A connected socket passes for the reading end of a pipe; the transport closes it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        transport, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), ours)
        trace("pipe", transport.get_extra_info("pipe") is ours, transport.get_extra_info("socket"))
        theirs.send(b"data")
        await arrives(protocol.received)
        theirs.shutdown(socket.SHUT_WR)
        await arrives(protocol.lost)
        await asyncio.sleep(0)
        trace("closed", ours.fileno() == -1)


@scenario(basis="observed: child processes are often given a socket for their input and output")
async def socket_can_be_written_as_a_pipe(loop, trace):
    """A connected socket passes for the writing end of a pipe; a peer that closes it ends the transport."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), ours)
        transport.write(b"data")
        trace("received", await loop.sock_recv(theirs, 100))
        theirs.close()
        await arrives(protocol.lost)
        await asyncio.sleep(0)
        trace("closed", ours.fileno() == -1)


@scenario(basis="observed: what can be read from the writing end means that its peer has gone")
async def peer_that_sends_ends_a_socket_that_is_written_as_a_pipe(loop, trace):
    """A socket that is connected for writing only is closed when something arrives there."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        _, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), ours)
        theirs.send(b"data")
        await arrives(protocol.lost)


@scenario(basis="observed: an error of the system that nobody asked for must not go unnoticed")
async def read_error_is_reported_and_ends_the_transport(loop, trace):
    """A reset by the peer is reported with transport and protocol; connection_lost() gets the exception."""

    def handler(loop, context):
        trace("report", sorted(context), context["exception"])
        trace("identity", context["transport"] is transport, context["protocol"] is protocol)

    loop.set_exception_handler(handler)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        transport, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), ours)
        ours.send(b"nobody reads this")
        theirs.close()
        await arrives(protocol.lost)


@scenario(basis="observed: programs that talk to terminals")
async def terminal_can_be_read(loop, trace):
    """A pseudo terminal can be read like a pipe."""
    with terminal() as (master, slave):
        transport, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), master)
        slave.write(b"data")
        select.select([master], [], [])  # what was written takes a moment, which no clock knows of
        await arrives(protocol.received)
        transport.close()
        await arrives(protocol.lost)


@scenario(basis="observed: a terminal whose other side was closed is at its end in a way of its own")
async def end_of_a_terminal_is_an_error_that_is_not_reported(loop, trace):
    """When the other side closes a terminal, connection_lost() gets OSError with EIO; no handler hears of it."""
    loop.set_exception_handler(lambda loop, context: trace("report", context["exception"]))
    with terminal() as (master, slave):
        _, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), master)
        slave.close()
        await arrives(protocol.lost)


@scenario(basis="observed: programs that talk to terminals")
async def terminal_can_be_written(loop, trace):
    """A pseudo terminal can be written like a pipe; it may send something, too, and is not closed by that."""
    with terminal() as (master, slave):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), master)
        transport.write(b"data")
        trace("received", await read_once(loop, slave))
        slave.write(b"an answer")
        select.select([master], [], [])
        for _ in range(3):
            await asyncio.sleep(0)
        trace("closing", transport.is_closing())
        transport.close()
        await arrives(protocol.lost)


@scenario(basis="observed: output that nobody wants")
async def null_device_can_be_written(loop, trace):
    """Everything that is written to the null device is gone at once."""
    with open(os.devnull, "wb", buffering=0) as sink:
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        transport.write(bytes(1_000_000))
        trace("size", transport.get_write_buffer_size())
        transport.close()
        await arrives(protocol.lost)


@scenario(statements=["read_pipe.regular-file"])
async def regular_file_cannot_be_read_as_a_pipe(loop, trace, tmp):
    """A regular file is refused with a ValueError, and is left as it was."""
    with open(os.path.join(str(tmp), "file"), "w+b", buffering=0) as file:
        await try_to_connect(trace, loop.connect_read_pipe(lambda: Recorder(loop, trace), file))
        trace("file", file.closed, os.get_blocking(file.fileno()))


@scenario(basis="observed: output that was redirected to a file cannot be a pipe transport")
async def regular_file_cannot_be_written_as_a_pipe(loop, trace, tmp):
    """A regular file is refused with a ValueError, and is left as it was."""
    with open(os.path.join(str(tmp), "file"), "w+b", buffering=0) as file:
        await try_to_connect(trace, loop.connect_write_pipe(lambda: Recorder(loop, trace), file))
        trace("file", file.closed, os.get_blocking(file.fileno()))
