# SPDX-License-Identifier: MIT
"""Transports of pipes go when nobody uses them any more, through every cycle, and nothing grows with their use."""

import asyncio
import contextlib
import contextvars
import gc
import os
import sys
from collections.abc import Callable
from typing import Any

import asy
import pytest
from pipe_ends import MUCH, Protocol, new_pipe, reader, run, writer


class Knot(Protocol):
    """A protocol that leads to its transport and its loop."""

    transport: Any = None
    loop: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport


def begin(loop: Any, source: Any, sink: Any) -> None:
    """Everything is queued still."""
    loop._read_pipe_transport(source, source.fileno(), knot_in(loop))
    loop._write_pipe_transport(sink, sink.fileno(), knot_in(loop))


def watch(loop: Any, source: Any, sink: Any) -> None:
    """Both are watched, one of them for writing too, and one is paused."""
    reader(loop, source, knot_in(loop))
    transport = writer(loop, sink, knot_in(loop))
    transport.write(bytes(MUCH))
    with new_pipe() as (other, _):
        paused = reader(loop, os.fdopen(os.dup(other.fileno()), "rb"), knot_in(loop))
        paused.pause_reading()


def end(loop: Any, source: Any, sink: Any) -> None:
    """connection_lost() is queued, one with an exception."""
    reader(loop, source, knot_in(loop)).close()
    source.close()
    transport = writer(loop, sink, knot_in(loop))
    transport.write(b"data")
    assert transport.is_closing()


def remember(loop: Any, source: Any, sink: Any) -> None:
    """Nothing leads to the loop but the contexts of what is watched and queued."""

    def connect() -> None:
        variable.set(knot_in(loop))
        reader(loop, source)
        writer(loop, sink).write(bytes(MUCH))
        reader(loop, os.fdopen(os.dup(source.fileno()), "rb")).close()

    variable = contextvars.ContextVar[Knot]("variable")
    contextvars.Context().run(connect)


def fail(loop: Any, source: Any, sink: Any) -> None:
    """Nothing leads to the loop but the exception of connection_lost(), which is queued."""
    directory = os.open("/", os.O_RDONLY)
    transport = reader(loop, source)
    contexts: list[Any] = []
    loop.set_exception_handler(lambda loop, context: contexts.append(context))
    os.write(sink.fileno(), b"x")
    loop.call_soon(os.dup2, directory, source.fileno())
    run(loop, 1)
    os.close(directory)
    assert transport.is_closing()
    contexts[0]["exception"].knot = knot_in(loop)
    loop.set_exception_handler(None)


def knot_in(loop: Any) -> Knot:
    """Return a protocol that leads back to the loop."""
    protocol = Knot()
    protocol.loop = loop
    return protocol


def knots() -> "list[Any]":
    """Collect garbage, and return the protocols, transports and loops that are left."""
    gc.collect()
    kinds = (Knot, asyncio.BaseTransport, asy.Loop)
    return [each for each in gc.get_objects() if isinstance(each, kinds)]


@pytest.mark.filterwarnings("ignore:unclosed")
@pytest.mark.parametrize("close", [True, False], ids=["closed loop", "forgotten loop"])
@pytest.mark.parametrize(
    ("new_loop", "state"),
    [
        (asy.Loop, begin),
        (asy.new_event_loop, begin),
        (asy.new_event_loop, watch),
        (asy.new_event_loop, end),
        (asy.new_event_loop, remember),
        (asy.new_event_loop, fail),
        (asy.new_native_event_loop, watch),
        (asy.new_native_event_loop, end),
    ],
)
def test_cycles_through_transports_are_collected(new_loop: Any, state: Any, close: bool) -> None:
    assert knots() == []
    descriptors = len(os.listdir("/proc/self/fd"))
    with new_pipe() as (source, sink):
        loop = new_loop()
        state(loop, source, sink)
        if close:
            loop.close()
        del loop
        assert knots() == []
    assert len(os.listdir("/proc/self/fd")) == descriptors


USES = 100


def growth(use: "Callable[[], None]") -> int:
    """Return by how many memory blocks USES uses grow the process at least, in one of several rounds."""
    smallest = sys.maxsize
    for _ in range(8):
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(USES):
            use()
        gc.collect()
        smallest = min(smallest, sys.getallocatedblocks() - before)
    return smallest


class Failing(Knot):
    """Raises in every callback."""

    def data_received(self, data: bytes) -> None:
        raise ZeroDivisionError

    def eof_received(self) -> None:
        raise ZeroDivisionError

    pause_writing = resume_writing = eof_received

    def connection_lost(self, exc: "Exception | None") -> None:
        raise ZeroDivisionError


def use_both_ends(loop: Any, protocol: "type[Knot]" = Knot) -> None:
    with new_pipe() as (source, sink):
        receiving, sending = reader(loop, source, protocol()), writer(loop, sink, protocol())
        sending.writelines([b"some", bytearray(b"data")])
        sending.write(bytes(MUCH))
        repr((receiving, sending))
        run(loop, 20)
        receiving.pause_reading()
        receiving.resume_reading()
        sending.close()
        run(loop, 20)


def use_failing(loop: Any) -> None:
    use_both_ends(loop, Failing)


def use_protocols(loop: Any) -> None:
    with new_pipe() as (source, sink):
        receiving = reader(loop, source)
        for _ in range(3):
            receiving.set_protocol(Protocol())
        receiving.get_protocol()
        sink.close()
        run(loop)


def use_refusals(loop: Any) -> None:
    with contextlib.suppress(ValueError), open(__file__, "rb") as file:
        reader(loop, file)
    with new_pipe() as (source, sink):
        with contextlib.suppress(AttributeError):
            reader(loop, source, 1)
        sending = writer(loop, sink)
        for call in (lambda: sending.write(1), lambda: sending.set_write_buffer_limits(1, 2)):
            with contextlib.suppress(AssertionError, ValueError):
                call()
        source.close()
        sending.write(b"data")
        run(loop)


def use_forgetting(loop: Any) -> None:
    with new_pipe() as (source, _):
        reader(loop, source).pause_reading()


@pytest.mark.filterwarnings("ignore:unclosed")
@pytest.mark.parametrize(
    "use",
    [use_both_ends, use_failing, use_protocols, use_refusals, use_forgetting],
    ids=lambda use: use.__name__,
)
@pytest.mark.parametrize("debug", [False, True], ids=["", "debug"])
def test_use_loses_no_memory(loop: Any, use: "Callable[[Any], None]", debug: bool) -> None:
    loop.set_debug(debug)
    loop.set_exception_handler(lambda loop, context: None)
    assert growth(lambda: use(loop)) < USES / 3


@pytest.mark.filterwarnings("ignore:unclosed")
def test_references_of_long_lived_objects_stay_the_same(loop: Any) -> None:
    loop.set_exception_handler(lambda loop, context: None)
    uses = (use_both_ends, use_failing, use_protocols, use_refusals)
    for use in uses:
        use(loop)
    with new_pipe() as (source, sink):
        transports = [reader(loop, source), writer(loop, sink)]
        watched = [None, loop, Protocol, (), *[type(each) for each in transports]]
        watched += [asyncio.ReadTransport, asyncio.Transport]
        for each in transports:
            each.close()
        run(loop)
    del transports, each
    smallest = [sys.maxsize] * len(watched)
    for _ in range(3):  # caches change in one round, what is lost is lost in each
        gc.collect()
        before = [sys.getrefcount(each) for each in watched]
        for _ in range(50):
            for use in uses:
                use(loop)
        gc.collect()
        changes = [sys.getrefcount(each) - then for each, then in zip(watched, before, strict=True)]
        smallest = [min(pair, key=abs) for pair in zip(changes, smallest, strict=True)]
    assert all(abs(change) < 25 for change in smallest), smallest
