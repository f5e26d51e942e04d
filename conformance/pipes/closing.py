# SPDX-License-Identifier: MIT
"""How the transport of a pipe ends: close, write_eof, abort, what is so afterwards; other protocols in between."""

import asyncio
import contextlib
import gc
import os

from loopcheck_target import scenario

NEEDS = [  # each scenario of this file
    "pipes/read_pipe_receives_what_is_written",
    "pipes/write_pipe_sends_what_is_written",
]

MUCH = 1_000_000  # bytes: far more than a pipe holds


@contextlib.contextmanager
def new_pipe():
    """The reading and the writing end of a pipe, as file objects, closed at the end."""
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as source, open(writing, "wb", buffering=0) as sink:
        yield source, sink


@contextlib.contextmanager
def two_pipes():
    """The reading end of a pipe, and the writing end of another one."""
    with new_pipe() as (source, _), new_pipe() as (_, sink):
        yield source, sink


class Recorder(asyncio.Protocol):
    """A protocol that traces each of its callbacks, with its name."""

    def __init__(self, loop, trace, name="protocol"):
        self.trace = trace
        self.name = name
        self.received = loop.create_future()
        self.lost = loop.create_future()

    def data_received(self, data):
        self.trace(self.name, "data_received", data)
        if not self.received.done():
            self.received.set_result(None)

    def eof_received(self):
        self.trace(self.name, "eof_received")

    def connection_lost(self, exc):
        self.trace(self.name, "connection_lost", exc)
        self.lost.set_result(None)


async def arrives(future):
    """Wait until the future is done; for a loop that never comes so far, not for ever."""
    await asyncio.wait([future], timeout=5)


async def connect(loop, trace, source, sink):
    """Connect a reading and a writing end; return for each of them its transport and its protocol."""
    reader = await loop.connect_read_pipe(lambda: Recorder(loop, trace, "reader"), source)
    writer = await loop.connect_write_pipe(lambda: Recorder(loop, trace, "writer"), sink)
    return reader, writer


async def count_until_the_end(loop, source):
    """Read until the end of the pipe and return how many bytes there were."""
    os.set_blocking(source.fileno(), False)
    count = 0
    ended = loop.create_future()

    def readable():
        nonlocal count
        data = source.read(100_000)
        count += len(data)
        if not data:
            loop.remove_reader(source.fileno())
            ended.set_result(None)

    loop.add_reader(source.fileno(), readable)
    await arrives(ended)
    loop.remove_reader(source.fileno())
    return count


@scenario(statements=["transport.is_closing"])
async def is_closing_is_true_from_close_on(loop, trace):
    """False before close(), True right after it and for ever."""
    with two_pipes() as (source, sink):
        for end, protocol in await connect(loop, trace, source, sink):
            trace("open", end.is_closing())
            trace("returned", end.close())
            trace("closed", end.is_closing())
            await arrives(protocol.lost)
            trace("lost", end.is_closing())


@scenario(statements=["transport.no-callback-sync"])
async def close_calls_nothing_itself(loop, trace):
    """connection_lost() is called by the loop later, not inside close() or abort()."""
    with two_pipes() as (source, sink):
        (reader, reading), (writer, writing) = await connect(loop, trace, source, sink)
        writer.abort()
        trace("abort() has returned")
        reader.close()
        trace("close() has returned")
        await arrives(writing.lost)
        await arrives(reading.lost)


@scenario(basis="observed: what a program queues around close() runs around connection_lost()")
async def connection_lost_is_queued_by_close(loop, trace):
    """connection_lost() takes its turn among callbacks, in the iteration after close()."""
    with two_pipes() as (source, sink):
        for end, protocol in await connect(loop, trace, source, sink):
            loop.call_soon(trace, "queued before")
            end.close()
            loop.call_soon(trace, "queued after")
            await arrives(protocol.lost)


@scenario(statements=["transport.close.idempotent", "protocol.connection_lost"])
async def closing_twice_closes_once(loop, trace):
    """A second close() has no effect: connection_lost() is called once."""
    with two_pipes() as (source, sink):
        for end, protocol in await connect(loop, trace, source, sink):
            end.close()
            end.close()
            await arrives(protocol.lost)
            end.close()
            await asyncio.sleep(0)


@scenario(statements=["protocol.connection_lost"])
async def regular_close_has_no_exception(loop, trace):
    """connection_lost() is called with None when the program has closed the transport."""
    with new_pipe() as (source, sink):
        reading, writing = Recorder(loop, trace.actor("reader")), Recorder(loop, trace.actor("writer"))
        await loop.connect_read_pipe(lambda: reading, source)
        writer, _ = await loop.connect_write_pipe(lambda: writing, sink)
        writer.write(b"data")
        await arrives(reading.received)
        writer.close()
        await arrives(writing.lost)
        await arrives(reading.lost)


@scenario(statements=["transport.close"])
async def close_sends_what_waits_first(loop, trace):
    """After close() everything that was written arrives; then the reader is at its end."""
    with new_pipe() as (source, sink):
        protocol = Recorder(loop, trace)
        transport, _ = await loop.connect_write_pipe(lambda: protocol, sink)
        transport.write(bytes(MUCH))
        transport.close()
        trace("received", await count_until_the_end(loop, source))
        await arrives(protocol.lost)


@scenario(statements=["write_transport.abort"])
async def abort_drops_what_waits(loop, trace):
    """After abort() nothing more is sent: the reader gets what was in the pipe, and its end."""
    with new_pipe() as (source, sink):
        protocol = Recorder(loop, trace)
        transport, _ = await loop.connect_write_pipe(lambda: protocol, sink)
        transport.write(bytes(MUCH))
        transport.abort()
        trace("aborted", transport.is_closing())
        await arrives(protocol.lost)
        trace("received less", await count_until_the_end(loop, source) < MUCH)


@scenario(basis="observed: abort() is how a program ends a close() that takes too long")
async def abort_ends_a_close_that_drains(loop, trace):
    """abort() after close() drops what still waits; connection_lost(None) is called once."""
    with new_pipe() as (source, sink):
        protocol = Recorder(loop, trace)
        transport, _ = await loop.connect_write_pipe(lambda: protocol, sink)
        transport.write(bytes(MUCH))
        transport.close()
        await asyncio.sleep(0)
        transport.abort()
        await arrives(protocol.lost)
        trace("received less", await count_until_the_end(loop, source) < MUCH)


@scenario(statements=["write_transport.can_write_eof"])
async def write_eof_ends_the_pipe(loop, trace):
    """A pipe can be told its end: write_eof() closes the transport once everything has been sent."""
    with new_pipe() as (source, sink):
        protocol = Recorder(loop, trace)
        transport, _ = await loop.connect_write_pipe(lambda: protocol, sink)
        trace("can", transport.can_write_eof())
        transport.write(bytes(MUCH))
        trace("returned", transport.write_eof())
        transport.write_eof()
        trace("received", await count_until_the_end(loop, source))
        await arrives(protocol.lost)


@scenario(basis="observed: write_eof() of a pipe is close(), also for who writes on")
async def write_after_write_eof_is_dropped(loop, trace):
    """write_eof() makes the transport of a pipe closing; what is written then is dropped, and is no error."""
    with new_pipe() as (source, sink):
        protocol = Recorder(loop, trace)
        transport, _ = await loop.connect_write_pipe(lambda: protocol, sink)
        transport.write_eof()
        trace("closing", transport.is_closing())
        try:
            transport.write(b"too late")
            trace("written")
        except RuntimeError as error:
            trace("refused", error)
        trace("received", await count_until_the_end(loop, source))
        await arrives(protocol.lost)
        transport.close()


@scenario(basis="observed: data that were not read before close() are lost with the pipe")
async def closed_reader_receives_nothing(loop, trace):
    """What was in the pipe when close() was called does not reach data_received()."""
    with new_pipe() as (source, sink):
        protocol = Recorder(loop, trace)
        transport, _ = await loop.connect_read_pipe(lambda: protocol, source)
        sink.write(b"data")
        transport.close()
        await arrives(protocol.lost)
        for _ in range(3):
            await asyncio.sleep(0)


@scenario(basis="observed: a protocol that has had enough ends its transport itself")
async def data_received_may_close(loop, trace):
    """close() in data_received() ends reading, although there is more to read."""

    class Closing(Recorder):
        def data_received(self, data):
            super().data_received(data)
            transport.close()
            sink.write(b"more")

    with new_pipe() as (source, sink):
        protocol = Closing(loop, trace)
        transport, _ = await loop.connect_read_pipe(lambda: protocol, source)
        sink.write(b"data")
        await arrives(protocol.lost)


@scenario(statements=["transport.set_protocol"])
async def another_protocol_gets_what_comes_from_now_on(loop, trace):
    """After set_protocol() data and the end go to the new protocol."""
    with new_pipe() as (source, sink):
        first, second = Recorder(loop, trace, "first"), Recorder(loop, trace, "second")
        transport, _ = await loop.connect_read_pipe(lambda: first, source)
        sink.write(b"one")
        await arrives(first.received)
        trace("returned", transport.set_protocol(second))
        trace("protocol", transport.get_protocol() is second)
        sink.write(b"two")
        await arrives(second.received)
        transport.close()
        await arrives(second.lost)


@scenario(basis="observed: who gets the end of a connection when the protocol changes in its last moments")
async def protocol_may_change_between_close_and_connection_lost(loop, trace):
    """connection_lost() goes to the protocol that is in force when it is called."""
    with two_pipes() as (source, sink):
        first, second = Recorder(loop, trace, "first"), Recorder(loop, trace, "second")
        transport, _ = await loop.connect_read_pipe(lambda: first, source)
        transport.close()
        transport.set_protocol(second)
        await arrives(second.lost)
        writer, _ = await loop.connect_write_pipe(lambda: Recorder(loop, trace, "first"), sink)
        third = Recorder(loop, trace, "third")
        writer.abort()
        writer.set_protocol(third)
        await arrives(third.lost)


@scenario(basis="observed: who gets the end of a stream when the protocol changes in its last moments")
async def protocol_may_change_between_the_end_of_the_pipe_and_connection_lost(loop, trace):
    """When it changes after the end was found, the old one gets eof_received(), the new one connection_lost()."""
    first, second = Recorder(loop, trace, "first"), Recorder(loop, trace, "second")
    with new_pipe() as (source, sink):
        transport, _ = await loop.connect_read_pipe(lambda: first, source)
        sink.close()
        while not transport.is_closing():
            await asyncio.sleep(0)
        transport.set_protocol(second)
        await arrives(second.lost)


@scenario(basis="observed: a transport that has ended keeps nothing alive but what was said about it")
async def lost_transport_still_answers(loop, trace):
    """After connection_lost() the transport has no protocol any more; extra information is as before."""
    with two_pipes() as (source, sink):
        ends = await connect(loop, trace, source, sink)
        for pipe, (end, protocol) in zip((source, sink), ends):
            end.close()
            await arrives(protocol.lost)
            await asyncio.sleep(0)
            trace("protocol", end.get_protocol())
            trace("extra", end.get_extra_info("pipe") is pipe, pipe.closed)
            trace("closing", end.is_closing(), end.close())


@scenario(statements=["transport.get_extra_info"])
async def extra_information_is_the_pipe(loop, trace):
    """get_extra_info() returns the pipe object under the name "pipe", and the default for other names."""
    with two_pipes() as (source, sink):
        ends = await connect(loop, trace, source, sink)
        for pipe, (end, protocol) in zip((source, sink), ends):
            trace("pipe", end.get_extra_info("pipe") is pipe, end.get_extra_info("pipe", "default") is pipe)
            trace("unknown", end.get_extra_info("unknown"), end.get_extra_info("unknown", "default"))
            trace("by name", end.get_extra_info(name="unknown", default=42))
            end.close()
            await arrives(protocol.lost)


@scenario(basis="observed: a transport that nobody has closed is told of, and leaks no descriptor")
async def forgotten_transport_warns_and_closes_its_pipe(loop, trace):
    """A transport that is collected unclosed warns with a ResourceWarning, and its pipe is closed."""
    with new_pipe() as (source, _):
        transport, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), source)
        transport.pause_reading()
        trace("open", source.closed)
        del transport, protocol
        gc.collect()
        trace("collected", source.closed)


@scenario(basis="observed: from the moment that a transport is being made, the pipe is its own")
async def pipe_whose_transport_cannot_be_made_is_closed(loop, trace):
    """A protocol without connection_made() is refused; the pipe is closed when the exception is let go of."""
    with two_pipes() as (source, sink):
        for connect, pipe in ((loop.connect_read_pipe, source), (loop.connect_write_pipe, sink)):
            try:
                await connect(object, pipe)
            except AttributeError as error:
                trace("raised", error)
                trace("pipe is closed", pipe.closed)
            gc.collect()
            trace("afterwards", pipe.closed)
