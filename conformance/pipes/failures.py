# SPDX-License-Identifier: MIT
"""Protocols that raise, connections that are cancelled, the contexts of callbacks, and what debug mode logs."""

import asyncio
import contextlib
import contextvars
import logging
import os
import re

from loopcheck_target import scenario

NEEDS = [  # each scenario of this file
    "pipes/read_pipe_receives_what_is_written",
    "pipes/write_pipe_sends_what_is_written",
]

MUCH = 1_000_000  # bytes: far more than a pipe holds

variable = contextvars.ContextVar("variable", default="unset")


@contextlib.contextmanager
def new_pipe():
    """The reading and the writing end of a pipe, as file objects, closed at the end."""
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as source, open(writing, "wb", buffering=0) as sink:
        yield source, sink


class Failing(asyncio.Protocol):
    """A protocol that traces each of its callbacks, and raises in one of them."""

    def __init__(self, loop, trace, where):
        self.trace = trace
        self.where = where
        self.received = loop.create_future()
        self.resumed = loop.create_future()
        self.lost = loop.create_future()

    def happened(self, name, *values):
        """Trace it, and raise if this is the one."""
        self.trace(name, *values)
        if name == self.where:
            raise ZeroDivisionError(name)

    def connection_made(self, transport):
        self.happened("connection_made")

    def data_received(self, data):
        if not self.received.done():
            self.received.set_result(None)
        self.happened("data_received", data)

    def eof_received(self):
        self.happened("eof_received")

    def pause_writing(self):
        self.happened("pause_writing")

    def resume_writing(self):
        if not self.resumed.done():
            self.resumed.set_result(None)
        self.happened("resume_writing")

    def connection_lost(self, exc):
        self.lost.set_result(None)
        self.happened("connection_lost", exc)


class Looking(asyncio.Protocol):
    """A protocol that traces in which context each of its callbacks runs."""

    def __init__(self, loop, trace):
        self.trace = trace
        self.received = loop.create_future()
        self.resumed = loop.create_future()
        self.lost = loop.create_future()

    def connection_made(self, transport):
        self.trace("connection_made", variable.get())
        variable.set("by connection_made")

    def data_received(self, data):
        self.trace("data_received", variable.get())
        variable.set("by data_received")
        if not self.received.done():
            self.received.set_result(None)

    def eof_received(self):
        self.trace("eof_received", variable.get())
        variable.set("by eof_received")

    def pause_writing(self):
        self.trace("pause_writing", variable.get())

    def resume_writing(self):
        self.trace("resume_writing", variable.get())
        self.resumed.set_result(None)

    def connection_lost(self, exc):
        self.trace("connection_lost", variable.get())
        self.lost.set_result(None)


async def arrives(future):
    """Wait until the future is done; for a loop that never comes so far, not for ever."""
    await asyncio.wait([future], timeout=5)


def report_to(trace):
    """Return an exception handler that traces what it is given."""

    def handler(loop, context):
        trace("report", sorted(context), context.get("exception"))

    return handler


def read_always(loop, source):
    """Read from now on whatever comes out of the pipe, until it is at its end."""
    os.set_blocking(source.fileno(), False)

    def readable():
        if not source.read(100_000):
            loop.remove_reader(source.fileno())

    loop.add_reader(source.fileno(), readable)


@scenario(basis="observed: one failing callback of a reader must not stop the others")
async def failing_callback_of_a_reader_is_reported(loop, trace):
    """Whichever callback raises: the exception is reported, and the callbacks after it come as always."""
    loop.set_exception_handler(report_to(trace))
    for where in ("connection_made", "data_received", "eof_received", "connection_lost"):
        with new_pipe() as (source, sink):
            trace("raises", where)
            protocol = Failing(loop, trace, where)
            await loop.connect_read_pipe(lambda: protocol, source)
            sink.write(b"data")
            await arrives(protocol.received)
            protocol.received = loop.create_future()
            sink.write(b"more")
            await arrives(protocol.received)
            sink.close()
            await arrives(protocol.lost)
            await asyncio.sleep(0)
            trace("pipe is closed", source.closed)


@scenario(statements=["context.protocol", "context.transport"])
async def failing_flow_control_is_reported_with_its_transport(loop, trace):
    """pause_writing() or resume_writing() that raises is reported with protocol and transport; writing goes on."""

    def handler(loop, context):
        trace("report", sorted(context), context["message"], context["exception"])
        trace("identity", context["transport"] is transport, context["protocol"] is protocol)

    loop.set_exception_handler(handler)
    for where in ("pause_writing", "resume_writing"):
        with new_pipe() as (source, sink):
            protocol = Failing(loop, trace, where)
            transport, _ = await loop.connect_write_pipe(lambda: protocol, sink)
            transport.write(bytes(MUCH))
            read_always(loop, source)
            await arrives(protocol.resumed)
            transport.write(b"more")
            transport.close()
            await arrives(protocol.lost)
            loop.remove_reader(source.fileno())


@scenario(basis="observed: what a factory raises is the caller's")
async def failing_factory_leaves_the_pipe_alone(loop, trace):
    """What the factory raises comes out of the call; the pipe is open and blocks as before."""

    def factory():
        raise ZeroDivisionError("factory")

    with new_pipe() as (source, sink):
        for connect, pipe in ((loop.connect_read_pipe, source), (loop.connect_write_pipe, sink)):
            try:
                await connect(factory, pipe)
            except ZeroDivisionError as error:
                trace("raised", error)
            trace("pipe", pipe.closed, os.get_blocking(pipe.fileno()))


@scenario(
    basis="observed: a protocol may be of any class, and needs only the methods that the transport calls"
)
async def missing_method_of_a_protocol_is_reported_when_it_is_called(loop, trace):
    """A protocol without connection_lost() is one until that is called; then its lack is reported."""

    class OnlyMade:
        def connection_made(self, transport):
            trace("connection_made")

    loop.set_exception_handler(report_to(trace))
    with new_pipe() as (_, sink):
        transport, _ = await loop.connect_write_pipe(OnlyMade, sink)
        transport.close()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        trace("pipe", sink.closed)


@scenario(basis="observed: a cancellation must not leave a transport that nobody knows")
async def cancelled_connecting_closes_the_pipe(loop, trace):
    """When the call is cancelled the transport is closed: connection_made() and connection_lost() are called."""
    with new_pipe() as (source, _), new_pipe() as (_, sink):
        for connect, pipe in ((loop.connect_read_pipe, source), (loop.connect_write_pipe, sink)):
            protocol = Failing(loop, trace, "nowhere")
            task = asyncio.ensure_future(connect(lambda: protocol, pipe))
            await asyncio.sleep(0)
            task.cancel()
            trace("result", await asyncio.gather(task, return_exceptions=True))
            await arrives(protocol.lost)
            await asyncio.sleep(0)
            trace("pipe", pipe.closed)


@scenario(basis="observed: cancelled before its first step, the call has not touched the pipe")
async def connect_pipe_that_was_cancelled_before_it_began_leaves_the_pipe_alone(loop, trace):
    """No protocol is made, and the pipe is as it was."""
    with new_pipe() as (source, _):
        protocol = Failing(loop, trace, "nowhere")
        task = asyncio.ensure_future(loop.connect_read_pipe(lambda: trace("factory") or protocol, source))
        task.cancel()
        trace("result", await asyncio.gather(task, return_exceptions=True))
        trace("pipe", source.closed, os.get_blocking(source.fileno()))


@scenario(basis="observed: which context variables the callbacks of a reader see")
async def callbacks_of_a_reader_run_in_the_context_of_what_led_to_them(loop, trace):
    """connection_made(), reading and resumed reading each have a copy of the context in which they were begun."""
    with new_pipe() as (source, sink):
        variable.set("at connecting")
        protocol = Looking(loop, trace)
        transport, _ = await loop.connect_read_pipe(lambda: protocol, source)
        variable.set("after connecting")
        for _ in range(2):
            sink.write(b"data")
            protocol.received = loop.create_future()
            await arrives(protocol.received)
        transport.pause_reading()
        variable.set("at resuming")
        transport.resume_reading()
        sink.write(b"data")
        protocol.received = loop.create_future()
        await arrives(protocol.received)
        sink.close()
        await arrives(protocol.lost)
        trace("outside", variable.get())


@scenario(basis="observed: which context variables connection_lost() sees")
async def connection_lost_runs_in_the_context_of_close(loop, trace):
    """connection_lost() has a copy of the context in which close() was called."""
    with new_pipe() as (source, sink):
        for connect, pipe in ((loop.connect_read_pipe, source), (loop.connect_write_pipe, sink)):
            variable.set("at connecting")
            protocol = Looking(loop, trace)
            transport, _ = await connect(lambda: protocol, pipe)
            variable.set("at closing")
            transport.close()
            variable.set("after closing")
            await arrives(protocol.lost)


@scenario(basis="observed: which context variables the callbacks of a writer see")
async def callbacks_of_a_writer_run_in_the_context_of_write(loop, trace):
    """pause_writing() runs inside write(); what is called later has the context of the write that had to wait."""
    with new_pipe() as (source, sink):
        variable.set("at connecting")
        protocol = Looking(loop, trace)
        transport, _ = await loop.connect_write_pipe(lambda: protocol, sink)
        variable.set("at the first write")
        transport.write(b"data")
        variable.set("at the write that waits")
        transport.write(bytes(MUCH))
        variable.set("at the next write")
        transport.write(b"data")
        variable.set("at closing")
        transport.close()
        read_always(loop, source)
        await arrives(protocol.resumed)
        await arrives(protocol.lost)
        loop.remove_reader(source.fileno())


@contextlib.contextmanager
def log_traced(trace):
    """Trace what asyncio's logger is given, without the numbers."""

    class Handler(logging.Handler):
        def emit(self, record):
            trace(record.levelname, re.sub("[0-9]+", "N", record.getMessage()))

    logger, handler = logging.getLogger("asyncio"), Handler()
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@scenario(basis="observed: the log of debug mode is what one looks at when a pipe hangs", debug=True)
async def debug_mode_logs_what_happens_to_pipes(loop, trace):
    """In debug mode connecting, pausing, resuming and the end of each transport are logged, with its state."""

    class Named(Failing):
        def __repr__(self):
            return "<protocol>"

    with new_pipe() as (source, sink), log_traced(trace):
        reading, writing = Named(loop, trace, "nowhere"), Named(loop, trace, "nowhere")
        reader, _ = await loop.connect_read_pipe(lambda: reading, source)
        writer, _ = await loop.connect_write_pipe(lambda: writing, sink)
        reader.pause_reading()
        reader.resume_reading()
        writer.write(bytes(MUCH))
        reader.close()
        await arrives(reading.lost)
        await arrives(writing.lost)


@scenario(basis="observed: the text of a transport is part of logs and reports")
async def transports_show_their_state(loop, trace):
    """repr() of a transport says whether it is polling, closing or closed, and how much waits to be written."""

    def show(name, transport):
        trace(name, re.sub("[0-9]+", "N", repr(transport)))

    with new_pipe() as (source, _), new_pipe() as (_, sink):
        reading, writing = Failing(loop, trace, "nowhere"), Failing(loop, trace, "nowhere")
        reader, _ = await loop.connect_read_pipe(lambda: reading, source)
        writer, _ = await loop.connect_write_pipe(lambda: writing, sink)
        show("connected", reader)
        show("connected", writer)
        reader.pause_reading()
        writer.write(bytes(MUCH))
        show("paused", reader)
        show("full", writer)
        reader.close()
        writer.abort()
        show("closing", reader)
        show("closing", writer)
        await arrives(reading.lost)
        await arrives(writing.lost)
        await asyncio.sleep(0)
        show("lost", reader)
        show("lost", writer)


@scenario(basis="observed: loop.call_soon(protocol.connection_made, transport), and likewise eof_received")
async def queued_method_is_the_one_of_the_moment_when_it_was_queued(loop, trace):
    """connection_made() and eof_received() are looked up when they are queued, and each only once."""

    class Changing(asyncio.BaseProtocol):
        lost = loop.create_future()

        @property
        def connection_made(self):
            trace("lookup of connection_made")
            return lambda transport: trace("connection_made")

        @property
        def eof_received(self):
            trace("lookup of eof_received")
            return lambda: trace("eof_received")

        def connection_lost(self, exc):
            trace("connection_lost", exc)
            self.lost.set_result(None)

    with new_pipe() as (source, sink):
        protocol = Changing()
        task = asyncio.ensure_future(loop.connect_read_pipe(lambda: protocol, source))
        await asyncio.sleep(0)
        trace("next iteration")
        await task
        sink.close()
        await arrives(protocol.lost)


@scenario(basis="observed: connection_made() is queued by loop.call_soon(), which checks it", debug=True)
async def debug_mode_refuses_a_protocol_whose_connection_made_cannot_be_called(loop, trace):
    """In debug mode, connecting raises TypeError for a connection_made that is None or a coroutine function."""

    async def coroutine_function(self, transport):
        trace("never called")

    for wrong in (None, coroutine_function):
        protocol = type("Wrong", (asyncio.Protocol,), {"connection_made": wrong})
        with new_pipe() as (source, sink):
            for connect, pipe in ((loop.connect_read_pipe, source), (loop.connect_write_pipe, sink)):
                try:
                    await connect(protocol, pipe)
                    trace("accepted")
                except TypeError as error:
                    trace("refused", type(error))
