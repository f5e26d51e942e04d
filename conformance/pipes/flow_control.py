# SPDX-License-Identifier: MIT
"""Flow control: the limits of the write buffer, pausing and resuming the protocol that writes, pausing reading."""

import asyncio
import contextlib
import os

from loopcheck_target import scenario

NEEDS = [  # each scenario of this file
    "pipes/read_pipe_receives_what_is_written",
    "pipes/write_pipe_sends_what_is_written",
]

MUCH = 1_000_000  # bytes: far more than a pipe holds


@contextlib.contextmanager
def new_pipe():
    """The reading and the writing end of a pipe, as file objects that do not block, closed at the end."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with open(reading, "rb", buffering=0) as source, open(writing, "wb", buffering=0) as sink:
        yield source, sink


class Recorder(asyncio.Protocol):
    """A protocol that traces each of its callbacks."""

    def __init__(self, loop, trace):
        self.trace = trace
        self.received = loop.create_future()
        self.resumed = loop.create_future()
        self.lost = loop.create_future()

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.trace("data_received", data)
        if not self.received.done():
            self.received.set_result(None)

    def pause_writing(self):
        self.trace("pause_writing")

    def resume_writing(self):
        self.trace("resume_writing")
        if not self.resumed.done():
            self.resumed.set_result(None)

    def connection_lost(self, exc):
        self.trace("connection_lost", exc)
        self.lost.set_result(None)


async def arrives(future):
    """Wait until the future is done; for a loop that never comes so far, not for ever."""
    await asyncio.wait([future], timeout=5)


def read_always(loop, source):
    """Read from now on whatever comes out of the pipe, until it is at its end."""

    def readable():
        if not source.read(100_000):
            loop.remove_reader(source.fileno())

    loop.add_reader(source.fileno(), readable)


@scenario(statements=["write_transport.limits"])
async def write_buffer_limits_have_defaults(loop, trace):
    """The high-water mark is 64 KiB, the low-water mark 16 KiB; either follows from the other one."""
    with new_pipe() as (_, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        trace("limits", transport.get_write_buffer_limits())
        for limits in ({"high": 1000}, {"low": 1000}, {"high": 10, "low": 5}, {"high": 0}, {}):
            trace("returned", transport.set_write_buffer_limits(**limits))
            trace("limits", limits, transport.get_write_buffer_limits())
        transport.set_write_buffer_limits(7, 3)
        trace("by position", transport.get_write_buffer_limits())
        transport.close()
        await arrives(protocol.lost)


@scenario(statements=["write_transport.limits"])
async def wrong_write_buffer_limits_are_refused(loop, trace):
    """A low-water mark above the high-water mark or below zero is a ValueError, and the old limits stay."""
    with new_pipe() as (_, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        for limits in ({"high": 10, "low": 11}, {"high": -1}, {"high": 10, "low": -1}, {"low": -4}):
            try:
                transport.set_write_buffer_limits(**limits)
                trace("accepted", limits)
            except ValueError as error:
                trace("refused", limits, error)
        trace("limits", transport.get_write_buffer_limits())
        transport.close()
        await arrives(protocol.lost)


@scenario(statements=["write_transport.buffer-size"])
async def write_buffer_size_is_what_waits(loop, trace):
    """It is zero before anything was written, more when the pipe is full, and zero again at the end."""
    with new_pipe() as (source, sink):
        protocol = Recorder(loop, trace.actor("protocol"))
        transport, _ = await loop.connect_write_pipe(lambda: protocol, sink)
        trace("idle", transport.get_write_buffer_size())
        transport.write(bytes(MUCH))
        full = transport.get_write_buffer_size()
        trace("full", full > 0)
        transport.write(b"more")
        trace("more", transport.get_write_buffer_size() - full)
        read_always(loop, source)
        await arrives(protocol.resumed)
        trace("idle", transport.get_write_buffer_size())
        transport.close()
        await arrives(protocol.lost)
        loop.remove_reader(source.fileno())


@scenario(statements=["protocol.pause_writing"])
async def pause_writing_and_resume_writing_alternate(loop, trace):
    """Above the high-water mark pause_writing() is called, once; when the buffer has drained, resume_writing()."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        for _ in range(2):
            protocol.resumed = loop.create_future()
            for number in range(3):
                trace("write", number)
                transport.write(bytes(MUCH))
            read_always(loop, source)
            await arrives(protocol.resumed)
            loop.remove_reader(source.fileno())
        transport.close()
        await arrives(protocol.lost)


@scenario(statements=["protocol.pause_writing"])
async def nothing_pauses_below_the_high_water_mark(loop, trace):
    """As much as the high-water mark may wait in the buffer; one byte more, and writing is paused."""
    with new_pipe() as (_, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        transport.write(bytes(MUCH))
        size = transport.get_write_buffer_size()
        transport.abort()
        await arrives(protocol.lost)
    trace("again")
    with new_pipe() as (_, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        transport.set_write_buffer_limits(high=size)
        transport.write(bytes(MUCH))
        trace("as much", transport.get_write_buffer_size() == size)
        transport.write(b"!")
        trace("one more")
        transport.abort()
        await arrives(protocol.lost)


@scenario(basis="observed: who lowers the limits below what waits hears of it inside that call")
async def lower_limits_pause_at_once(loop, trace):
    """set_write_buffer_limits() calls pause_writing() itself if more than that waits already; it never resumes."""
    with new_pipe() as (_, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        transport.set_write_buffer_limits(high=2 * MUCH)
        transport.write(bytes(MUCH))
        trace("written")
        transport.set_write_buffer_limits(high=1000)
        trace("lowered")
        transport.set_write_buffer_limits(high=2 * MUCH)
        trace("raised")
        transport.abort()
        await arrives(protocol.lost)


@scenario(basis="observed: with a high-water mark of zero a program knows of every byte that waits")
async def high_water_mark_of_zero_pauses_at_the_first_byte(loop, trace):
    """pause_writing() is called when one byte has to wait; resume_writing() when none does."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        transport.set_write_buffer_limits(high=MUCH)
        transport.write(bytes(70_000))
        transport.set_write_buffer_limits(high=0)
        trace("some wait", transport.get_write_buffer_size() > 0)
        read_always(loop, source)
        await arrives(protocol.resumed)
        transport.write(b"this does not wait")
        transport.close()
        await arrives(protocol.lost)
        loop.remove_reader(source.fileno())


@scenario(basis="observed: what resume_writing() writes must neither be lost nor end in a recursion")
async def resume_writing_may_write_more(loop, trace):
    """resume_writing() that fills the buffer again is followed by another pause_writing()."""

    class Eager(Recorder):
        rounds = 0

        def resume_writing(self):
            self.rounds += 1
            self.trace("resume_writing", self.transport.get_write_buffer_size())
            if self.rounds < 3:
                self.transport.write(bytes(MUCH))
                self.trace("written")
            else:
                loop.call_soon(self.transport.close)

    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Eager(loop, trace), sink)
        transport.write(bytes(MUCH))
        read_always(loop, source)
        await arrives(protocol.lost)
        loop.remove_reader(source.fileno())


@scenario(basis="observed: a pipe that is closed while its writer is paused drains without a word")
async def closing_drains_and_resumes(loop, trace):
    """After close() the buffer drains; resume_writing() and connection_lost() come in this order."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        transport.write(bytes(MUCH))
        transport.close()
        trace("waits", transport.get_write_buffer_size() > 0)
        read_always(loop, source)
        await arrives(protocol.lost)
        loop.remove_reader(source.fileno())


@scenario(statements=["read_transport.pause"])
async def nothing_is_received_while_reading_is_paused(loop, trace, T):
    """After pause_reading() no data come until resume_reading(); then they do."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), source)
        trace("returned", transport.pause_reading())
        sink.write(b"data")
        await asyncio.sleep(3 * T)
        trace("resumed", transport.resume_reading())
        await arrives(protocol.received)
        transport.close()
        await arrives(protocol.lost)


@scenario(statements=["read_transport.pause"])
async def reading_can_be_paused_in_data_received(loop, trace, T):
    """data_received() that pauses gets nothing more, although something is there."""

    class Pausing(Recorder):
        def data_received(self, data):
            self.trace("data_received", data)
            self.transport.pause_reading()
            sink.write(b"next")
            if not self.received.done():
                self.received.set_result(None)

    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_read_pipe(lambda: Pausing(loop, trace), source)
        sink.write(b"first")
        await arrives(protocol.received)
        await asyncio.sleep(3 * T)
        for _ in range(2):
            protocol.received = loop.create_future()
            trace("resume")
            transport.resume_reading()
            await arrives(protocol.received)
        transport.close()
        await arrives(protocol.lost)


@scenario(statements=["read_transport.pause"], since="3.11")
async def reading_can_be_paused_in_connection_made(loop, trace, T):
    """A transport that is paused in connection_made() does not begin to read before resume_reading()."""

    class Pausing(Recorder):
        def connection_made(self, transport):
            transport.pause_reading()

    with new_pipe() as (source, sink):
        sink.write(b"early")
        transport, protocol = await loop.connect_read_pipe(lambda: Pausing(loop, trace), source)
        await asyncio.sleep(3 * T)
        trace("resume", transport.is_reading())
        transport.resume_reading()
        await arrives(protocol.received)
        transport.close()
        await arrives(protocol.lost)


@scenario(statements=["read_transport.pause-idempotent"])
async def pause_and_resume_do_not_count(loop, trace, T):
    """After several pauses one resume_reading() is enough, and the other way round."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), source)
        transport.resume_reading()
        transport.pause_reading()
        transport.pause_reading()
        transport.resume_reading()
        sink.write(b"data")
        await arrives(protocol.received)
        transport.resume_reading()
        transport.pause_reading()
        sink.write(b"more")
        await asyncio.sleep(3 * T)
        trace("paused")
        transport.close()
        transport.pause_reading()
        transport.resume_reading()
        await arrives(protocol.lost)


@scenario(statements=["read_transport.is_reading"], since="3.11")
async def is_reading_tells_whether_data_may_come(loop, trace):
    """True, False while paused, True again, and False from close() on."""
    with new_pipe() as (source, _):
        transport, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), source)
        trace("connected", transport.is_reading())
        transport.pause_reading()
        trace("paused", transport.is_reading())
        transport.resume_reading()
        trace("resumed", transport.is_reading())
        transport.close()
        trace("closed", transport.is_reading())
        await arrives(protocol.lost)
        trace("lost", transport.is_reading())


@scenario(basis="observed: in which iteration data come after resume_reading()")
async def resumed_reading_takes_one_iteration(loop, trace):
    """What has been there all the time is received in the iteration after resume_reading()."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_read_pipe(lambda: Recorder(loop, trace), source)
        transport.pause_reading()
        sink.write(b"data")
        await asyncio.sleep(0)
        transport.resume_reading()
        for number in range(3):
            loop.call_soon(trace, "queued in iteration", number)
            await asyncio.sleep(0)
        transport.close()
        await arrives(protocol.lost)
