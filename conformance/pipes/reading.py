# SPDX-License-Identifier: MIT
"""connect_read_pipe: what arrives in the protocol, and in which order."""

import asyncio
import contextlib
import fcntl
import os

from loopcheck_target import scenario

NEEDS = ["pipes/read_pipe_receives_what_is_written"]  # each scenario of this file

SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ of Linux, which the module fcntl names since 3.10 only


@contextlib.contextmanager
def new_pipe():
    """The reading and the writing end of a pipe, as file objects, closed at the end."""
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as source, open(writing, "wb", buffering=0) as sink:
        yield source, sink


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


@scenario(statements=["read_pipe.registers", "protocol.data_received"])
async def read_pipe_receives_what_is_written(loop, trace):
    """Bytes that are written to the pipe arrive in data_received()."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), source)
        sink.write(b"data")
        await arrives(protocol.received)
        transport.close()
        await arrives(protocol.lost)


@scenario(statements=["read_pipe.pair", "read_pipe.factory"])
async def connect_read_pipe_returns_transport_and_protocol(loop, trace):
    """The result is a pair: a transport with the methods for reading, and what the factory has made."""
    made = []

    def factory():
        made.append(Recorder(loop, trace))
        return made[-1]

    with new_pipe() as (source, _):
        pair = await loop.connect_read_pipe(factory, source)
        trace("pair", type(pair), len(pair), len(made))
        transport, protocol = pair
        trace("the one that was made", protocol is made[0], transport.get_protocol() is protocol)
        names = ["pause_reading", "resume_reading", "close", "is_closing", "get_extra_info"]
        trace("methods", [callable(getattr(transport, name, None)) for name in names])
        transport.close()
        await arrives(protocol.lost)


@scenario(basis="observed: programs tell by isinstance() what they may do with a transport")
async def transport_of_a_reading_end_can_only_read(loop, trace):
    """The transport of a reading end is a ReadTransport and no WriteTransport."""
    with new_pipe() as (source, _):
        transport, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), source)
        for kind in (asyncio.BaseTransport, asyncio.ReadTransport, asyncio.WriteTransport):
            trace("instance", kind, isinstance(transport, kind))
        transport.close()
        await arrives(protocol.lost)


@scenario(statements=["pipes.coroutines"])
async def connect_read_pipe_does_nothing_until_awaited(loop, trace):
    """Calling the method makes a coroutine; no protocol is made before that is awaited."""
    with new_pipe() as (source, _):

        def factory():
            trace("factory")
            return Recorder(loop, trace)

        connecting = loop.connect_read_pipe(factory, source)
        trace("coroutine", asyncio.iscoroutine(connecting), os.get_blocking(source.fileno()))
        transport, protocol = await connecting
        transport.close()
        await arrives(protocol.lost)


@scenario(statements=["read_pipe.sets-nonblocking"])
async def connect_read_pipe_makes_the_pipe_nonblocking(loop, trace):
    """A pipe that blocks does not any more afterwards."""
    with new_pipe() as (source, _):
        trace("blocking", os.get_blocking(source.fileno()))
        transport, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), source)
        trace("blocking", os.get_blocking(source.fileno()))
        transport.close()
        await arrives(protocol.lost)


@scenario(statements=["protocol.connection_made"])
async def connection_made_comes_before_data_that_are_there(loop, trace):
    """connection_made() is called once, and first, even if there is something to read from the start."""
    with new_pipe() as (source, sink):
        sink.write(b"early")
        transport, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), source)
        await arrives(protocol.received)
        transport.close()
        await arrives(protocol.lost)


@scenario(basis="observed: how the steps of connecting are interleaved with what else the loop has to do")
async def connect_read_pipe_takes_two_iterations(loop, trace):
    """connection_made() runs in the next iteration; in the one after that the coroutine goes on, and data come."""
    with new_pipe() as (source, sink):
        sink.write(b"early")
        connecting = asyncio.ensure_future(loop.connect_read_pipe(lambda: Recorder(loop, trace), source))
        connecting.add_done_callback(lambda task: trace("connected"))
        for number in range(6):
            trace("iteration", number)
            await asyncio.sleep(0)
        transport, protocol = connecting.result()
        transport.close()
        await arrives(protocol.lost)


@scenario(statements=["protocol.data_received"])
async def all_data_come_in_their_order(loop, trace):
    """The pieces of a stream are bytes, none is empty, and joined they are what was written."""
    received, sizes = [], []
    lost = loop.create_future()

    class Collector(asyncio.Protocol):
        def data_received(self, data):
            sizes.append(len(data))
            received.append(data)
            if not room.done():
                room.set_result(None)

        def connection_lost(self, exc):
            lost.set_result(exc)

    with new_pipe() as (source, sink):
        await loop.connect_read_pipe(Collector, source)
        for number in range(20):
            room = loop.create_future()
            sink.write(bytes([number]) * 5000)
            await arrives(room)
        sink.close()
        await arrives(lost)
    trace("all", b"".join(received) == b"".join(bytes([number]) * 5000 for number in range(20)))
    trace("pieces", {type(data) for data in received} == {bytes}, min(sizes) > 0)


@scenario(basis="observed: a long stream must not keep the loop from everything else")
async def at_most_256_kilobytes_are_read_in_one_iteration(loop, trace):
    """A pipe that holds more is read in several iterations, and other callbacks run in between."""

    class Sizes(Recorder):
        def data_received(self, data):
            self.trace("data_received", len(data))
            loop.call_soon(self.trace, "something else")

    with new_pipe() as (source, sink):
        fcntl.fcntl(sink.fileno(), SET_PIPE_SIZE, 1024 * 1024)
        sink.write(bytes(600_000))
        sink.close()
        _, protocol = await loop.connect_read_pipe(lambda: Sizes(loop, trace), source)
        await arrives(protocol.lost)


@scenario(statements=["read_pipe.eof"])
async def end_of_the_pipe_is_told(loop, trace):
    """After the writing end is closed: first what was written, then eof_received() and connection_lost(None)."""
    with new_pipe() as (source, sink):
        _, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), source)
        sink.write(b"last words")
        sink.close()
        await arrives(protocol.lost)


@scenario(statements=["protocol.eof_received", "protocol.eof_received.false-closes"])
async def eof_received_comes_once_and_the_transport_closes(loop, trace):
    """At the end of the pipe eof_received() is called once; a false result closes the transport."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), source)
        sink.close()
        await arrives(protocol.lost)
        trace("closing", transport.is_closing())


@scenario(basis="observed: a pipe has one direction, so there is nothing to keep open")
async def true_from_eof_received_keeps_no_pipe_open(loop, trace):
    """connection_lost() follows also if eof_received() returns True."""

    class Keeping(Recorder):
        def eof_received(self):
            self.trace("eof_received")
            return True

    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_read_pipe(lambda: Keeping(loop, trace), source)
        sink.close()
        await arrives(protocol.lost)
        trace("closing", transport.is_closing())


@scenario(basis="observed: what a program sees between the end of the pipe and the end of the transport")
async def eof_received_and_connection_lost_run_in_the_iteration_after_the_read(loop, trace):
    """One iteration finds the end; in the next one both callbacks run, before what was queued afterwards."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), source)
        await asyncio.sleep(0)
        sink.close()
        for number in range(4):
            trace("iteration", number, transport.is_closing())
            loop.call_soon(trace, "queued in iteration", number)
            await asyncio.sleep(0)
        await arrives(protocol.lost)


@scenario(basis="observed: an end that was not read is not known")
async def end_of_the_pipe_waits_while_reading_is_paused(loop, trace, T):
    """While reading is paused the closed writing end goes unnoticed; after resume_reading() it is told."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), source)
        transport.pause_reading()
        sink.close()
        await asyncio.sleep(3 * T)
        trace("resumed", transport.is_closing())
        transport.resume_reading()
        await arrives(protocol.lost)


@scenario(statements=["read_pipe.file-like"])
async def read_pipe_may_be_any_object_with_a_descriptor(loop, trace):
    """The pipe may be an object of the program: fileno() and close() are all it needs."""

    class Pipe:
        def __init__(self, fd):
            self.fd = fd

        def fileno(self):
            return self.fd

        def close(self):
            trace.actor("pipe")("close")
            os.close(self.fd)

    reading, writing = os.pipe()
    with open(writing, "wb", buffering=0) as sink:
        _, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), Pipe(reading))
        sink.write(b"data")
        await arrives(protocol.received)
        sink.close()
        await arrives(protocol.lost)
        await asyncio.sleep(0)


@scenario(statements=["read_pipe.transport-closes-pipe"])
async def transport_owns_the_reading_end(loop, trace):
    """The transport closes the pipe object, right after connection_lost() has returned."""

    class Looking(Recorder):
        def connection_lost(self, exc):
            self.trace("connection_lost", exc, source.closed)
            loop.call_soon(lambda: self.lost.set_result(trace("after it", source.closed)))

    with new_pipe() as (source, _):
        transport, protocol = await loop.connect_read_pipe(lambda: Looking(loop, trace), source)
        transport.close()
        trace("close() has returned", source.closed)
        await arrives(protocol.lost)
