# SPDX-License-Identifier: MIT
"""Pipes that block: the flag is of the open file, and somebody else who has it may have changed it.

Nothing here differs between asyncio's loop and asy's. A signal is sent when the main thread is in a call of the
system on a descriptor, which that call then never ends by itself.
"""

import asyncio
import contextlib
import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asy
import pytest
from pipe_ends import MUCH, Protocol, new_pipe, reader, run, writer

CALL = Path(f"/proc/self/task/{threading.main_thread().native_id}/syscall")


@pytest.fixture(autouse=True)
def no_standstill() -> "Iterator[None]":
    """A loop that keeps the lock of the interpreter stops every thread: end the process, and say where."""
    faulthandler.dump_traceback_later(60, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def when_blocked(descriptor: int, act: "Callable[[], object]") -> threading.Thread:
    """Start a thread that acts once when the main thread stays in a call of the system on the descriptor."""

    def wait() -> None:
        seen = [""]
        while len(seen) < 5:
            call = CALL.read_text()
            is_blocked = call.split()[1:2] == [hex(descriptor)]
            seen = [*seen, call] if is_blocked and seen[-1] in ("", call) else [""]
            time.sleep(0.001)
        act()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def interrupt() -> None:
    """Send the main thread a signal."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)


class Case:
    """A loop, and a transport whose call of the system waits."""

    def __init__(self, loop: Any, source: Any, sink: Any) -> None:
        self.loop, self.source, self.sink = loop, source, sink
        self.protocol, self.log = Protocol(), list[Any]()
        loop.set_exception_handler(lambda loop, context: self.report(context))

    def report(self, context: "dict[str, Any]") -> None:
        self.log.append((context["message"][:21], type(context["exception"])))

    def read(self) -> None:
        """The loop finds that there is a byte, which then somebody else takes."""
        self.descriptor = self.source.fileno()
        self.transport = reader(self.loop, self.source, self.protocol)
        self.begin()
        self.sink.write(b"x")
        self.loop.call_soon(os.read, self.descriptor, 1)
        run(self.loop, 1)

    def write(self) -> None:
        """The pipe is full already."""
        self.descriptor = self.sink.fileno()
        self.transport = writer(self.loop, self.sink, self.protocol)
        self.fill()
        self.begin()
        self.transport.write(b"data")

    def write_buffer(self) -> None:
        """The loop finds that there is room, which then somebody else fills."""
        self.descriptor = self.sink.fileno()
        self.transport = writer(self.loop, self.sink, self.protocol)
        self.transport.write(bytes(MUCH))
        os.read(self.source.fileno(), MUCH)
        self.loop.call_soon(self.fill)
        self.loop.call_soon(self.begin)
        run(self.loop, 1)

    def fill(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(self.descriptor, bytes(4096))

    def begin(self) -> None:
        os.set_blocking(self.descriptor, True)
        self.thread = when_blocked(self.descriptor, interrupt)

    def handle(self, signum: int, frame: Any, act: "Callable[[Any], object]") -> None:
        """The signal's handler: the call is to wait no longer."""
        self.log.append("handler")
        os.set_blocking(self.descriptor, False)
        act(self.transport)


def story(
    new_loop: "Callable[[], Any]", wait: "Callable[[Case], None]", act: "Callable[[Any], object]"
) -> Any:
    """Return what happens when the handler acts while a call waits."""
    loop = new_loop()
    with new_pipe() as (source, sink):
        case = Case(loop, source, sink)
        before = signal.signal(signal.SIGUSR1, lambda signum, frame: case.handle(signum, frame, act))
        for step in (lambda: wait(case), lambda: run(loop)):
            try:
                step()
            except BaseException as error:
                case.log.append((type(error), error.args))
        case.thread.join()
        signal.signal(signal.SIGUSR1, before)
        closing = case.transport.is_closing()
        if not closing:
            case.transport.close()
        source.close()
        run(loop)
    loop.close()
    return [*case.log, closing, [type(each) for each in case.protocol.told]]


def raising(error: "type[BaseException]") -> "Callable[[Any], object]":
    def act(transport: Any) -> None:
        raise error("here")

    return act


def test_other_threads_run_while_a_read_waits(new_loop: "Callable[[], Any]") -> None:
    loop, protocol = new_loop(), Protocol()
    with new_pipe() as (source, sink):
        transport = reader(loop, source, protocol)
        os.set_blocking(source.fileno(), True)
        sink.write(b"x")
        loop.call_soon(os.read, source.fileno(), 1)
        when_blocked(source.fileno(), lambda: sink.write(b"late"))
        run(loop, 1)
        assert protocol.told == [b"late"]
        transport.close()
        run(loop)
    loop.close()


def test_other_threads_run_while_a_write_waits(new_loop: "Callable[[], Any]") -> None:
    loop, received = new_loop(), bytearray()

    def drain() -> None:
        while len(received) < MUCH:
            received.extend(os.read(source.fileno(), MUCH))

    with new_pipe() as (source, sink):
        transport = writer(loop, sink)
        os.set_blocking(sink.fileno(), True)
        thread = when_blocked(sink.fileno(), drain)
        transport.write(bytes(MUCH))
        thread.join()
        assert len(received) == MUCH
        assert transport.get_write_buffer_size() == 0
        transport.close()
        run(loop)
    loop.close()


@pytest.mark.parametrize("wait", [Case.read, Case.write, Case.write_buffer], ids=lambda wait: wait.__name__)
@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt, SystemExit, asyncio.CancelledError, LookupError, PermissionError, InterruptedError],
)
def test_exception_of_a_signal_handler_comes_out_as_from_asyncio(
    wait: "Callable[[Case], None]", error: "type[BaseException]"
) -> None:
    expected = story(asyncio.new_event_loop, wait, raising(error))
    assert expected[0] == "handler"
    assert story(asy.new_event_loop, wait, raising(error)) == expected


@pytest.mark.parametrize(
    "act",
    [
        lambda transport: transport.write(b"more"),
        lambda transport: transport.abort(),
        lambda transport: transport.close(),
    ],
    ids=["write", "abort", "close"],
)
def test_what_a_signal_handler_does_to_a_buffer_that_is_written_is_as_in_asyncio(
    act: "Callable[[Any], object]",
) -> None:
    expected = story(asyncio.new_event_loop, Case.write_buffer, act)
    assert expected[0] == "handler"
    assert story(asy.new_event_loop, Case.write_buffer, act) == expected
