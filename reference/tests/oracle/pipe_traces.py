# SPDX-License-Identifier: MIT
"""What CPython's transports for pipes do, iteration by iteration: the traces that the C tests of src/io expect.

Each function below is a small program, as those of await_traces.py are: ``iteration:event``. A C test of the same
name does the same, and expects the line that this prints.

    python3.14 reference/tests/oracle/pipe_traces.py

A witness is a protocol that notes which of its methods are called, and then does what the program wants.
"""

import asyncio
import os
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any

from await_traces import Trace

BIG = 1 << 20  # more than the system keeps for a pipe
Act = Callable[[str], None]


def nothing(event: str) -> None:
    """Do nothing."""


class Witness(asyncio.Protocol):
    """A protocol that notes what it is told."""

    def __init__(self, trace: Trace, name: str = "") -> None:
        """Have a name that stands before all that it notes."""
        self.trace = trace
        self.name = name
        self.transport: Any = None
        self.act: Act = nothing

    def note(self, event: str, text: str = "") -> None:
        """Note the event, and act."""
        self.trace.note(self.name + event + text)
        self.act(event)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport
        self.note("made")

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the reason."""
        self.note("lost", f"={type(exc).__name__}" if exc else "")

    def data_received(self, data: bytes) -> None:
        """Note a few bytes, or how many they are."""
        self.note("data", f"={data.decode()}" if len(data) < 10 else f"#{len(data)}")

    def eof_received(self) -> None:
        """Note it."""
        self.note("eof")

    def pause_writing(self) -> None:
        """Note how much waits."""
        self.note("pause", f"#{self.transport.get_write_buffer_size()}")

    def resume_writing(self) -> None:
        """Note how much waits."""
        self.note("resume", f"#{self.transport.get_write_buffer_size()}")


def begin(t: Trace, reads: bool, fd: int, witness: Witness) -> "asyncio.Task[Any]":
    """Start to connect a descriptor, as c."""
    loop: Any = t.loop
    connect = loop.connect_read_pipe if reads else loop.connect_write_pipe
    pipe = os.fdopen(fd, "rb" if reads else "wb", 0)
    return t.task(t.relay("c", connect(lambda: witness, pipe)))


def connect(t: Trace, reads: bool, fd: int) -> Witness:
    """Connect a descriptor, and begin to count and note after that."""
    witness = Witness(t)
    begin(t, reads, fd, witness)
    t.run(3)
    t.notes.clear()
    t.iteration = 0
    return witness


def reader(t: Trace) -> tuple[Witness, int]:
    """Return a transport that reads from a pipe, and the other end."""
    ours, theirs = os.pipe()
    return connect(t, True, ours), theirs


def writer(t: Trace) -> tuple[Witness, int]:
    """Return a transport that writes to a pipe, and the other end."""
    theirs, ours = os.pipe()
    os.set_blocking(theirs, False)
    return connect(t, False, ours), theirs


def receive(fd: int) -> int:
    """Receive all there is, and return how much that was."""
    count = 0
    try:
        while data := os.read(fd, BIG):
            count += len(data)
    except BlockingIOError:
        pass
    return count


def mark(t: Trace, name: str) -> None:
    """Note the name in the next iteration."""
    t.loop.call_soon(t.note, name)


# ---- reading ---------------------------------------------------------------------------------------------------


def reading_begins_after_connection_made(t: Trace) -> None:
    """What is there already is read when all is connected."""
    ours, theirs = os.pipe()
    os.write(theirs, b"abc")
    begin(t, True, ours, Witness(t))
    t.run(4)
    os.close(theirs)


def data_end_and_connection_lost(t: Trace) -> None:
    """The end takes an iteration more than the data do."""
    _, theirs = reader(t)
    os.write(theirs, b"abc")
    t.run(1)
    os.close(theirs)
    t.run(3)


def close_queues_connection_lost(t: Trace) -> None:
    """It stands between what was queued before and after."""
    witness, theirs = reader(t)
    os.write(theirs, b"never read")
    mark(t, "x")
    witness.transport.close()
    witness.transport.close()
    mark(t, "y")
    t.run(2)
    os.close(theirs)


def pausing_in_connection_made(t: Trace) -> None:
    """Nothing is read before it is resumed."""
    ours, theirs = os.pipe()
    os.write(theirs, b"abc")
    witness = Witness(t)
    witness.act = lambda event: witness.transport.pause_reading() if event == "made" else None
    begin(t, True, ours, witness)
    t.run(4)
    witness.transport.resume_reading()
    t.run(1)
    os.close(theirs)


def closing_in_connection_made(t: Trace) -> None:
    """It is lost before the coroutine goes on."""
    ours, theirs = os.pipe()
    witness = Witness(t)
    witness.act = lambda event: witness.transport.close() if event == "made" else None
    begin(t, True, ours, witness)
    t.run(5)
    os.close(theirs)


def pausing_takes_the_data_from_the_queue(t: Trace) -> None:
    """A callback that stands before the data in the queue may pause."""
    witness, theirs = reader(t)
    os.write(theirs, b"abc")
    t.loop.call_soon(witness.transport.pause_reading)
    t.run(2)
    witness.transport.resume_reading()
    t.run(1)
    os.close(theirs)


def closing_while_paused(t: Trace) -> None:
    """It is lost as ever; resuming has no effect then."""
    witness, theirs = reader(t)
    witness.transport.pause_reading()
    os.close(theirs)
    t.run(1)
    witness.transport.close()
    witness.transport.resume_reading()
    t.run(2)


def error_in_data_received_is_reported(t: Trace) -> None:
    """And reading goes on."""
    witness, theirs = reader(t)

    def act(event: str) -> None:
        if event == "data":
            raise LookupError

    witness.act = act
    os.write(theirs, b"abc")
    t.run(1)
    os.write(theirs, b"def")
    t.run(1)
    os.close(theirs)


def error_in_connection_lost_is_reported(t: Trace) -> None:
    """The descriptor is closed all the same."""
    witness, theirs = reader(t)

    def act(event: str) -> None:
        raise LookupError

    witness.act = act
    witness.transport.close()
    t.run(2)
    t.note(f"none={witness.transport.get_protocol() is None}")
    os.close(theirs)


def protocol_that_is_set_gets_the_rest(t: Trace) -> None:
    """What is queued already goes to the one before."""
    witness, theirs = reader(t)
    second = Witness(t, "2")
    os.write(theirs, b"abc")
    t.run(1)
    witness.transport.set_protocol(second)
    os.write(theirs, b"def")
    t.run(1)
    witness.transport.set_protocol(witness)
    os.close(theirs)
    t.loop.call_at(t.now, witness.transport.set_protocol, second)
    t.run(2)


def reset_connection_is_reported(t: Trace) -> None:
    """An error of the system other than EIO."""
    listener = socket.create_server(("127.0.0.1", 0))
    ours = socket.create_connection(listener.getsockname())
    theirs, _ = listener.accept()
    listener.close()
    connect(t, True, ours.detach())
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    t.run(3)


def data_and_closing_by_the_protocol(t: Trace) -> None:
    """data_received() closes: nothing more is read."""
    witness, theirs = reader(t)
    witness.act = lambda event: witness.transport.close() if event == "data" else None
    os.write(theirs, b"abc")
    t.run(1)
    os.write(theirs, b"def")
    os.close(theirs)
    t.run(2)


# ---- writing ---------------------------------------------------------------------------------------------------


def writing_is_done_at_once(t: Trace) -> None:
    """Without an iteration."""
    ours, theirs = os.pipe()[::-1]
    os.set_blocking(theirs, False)
    witness = Witness(t)
    begin(t, False, ours, witness)
    t.run(3)
    witness.transport.write(b"abc")
    t.note(f"received#{receive(theirs)}")
    os.close(theirs)
    t.run(2)


def what_cannot_be_written_is_kept(t: Trace) -> None:
    """The protocol pauses in write(), and resumes when all is written."""
    witness, theirs = writer(t)
    witness.transport.set_write_buffer_limits(high=4096)
    witness.transport.write(b"x" * 65536)
    witness.transport.write(b"y" * 4096)
    witness.transport.write(b"z")
    witness.transport.write(b"z")
    mark(t, "x")
    t.run(1)
    t.note(f"received#{receive(theirs)}")
    mark(t, "y")
    t.run(1)
    t.note(f"received#{receive(theirs)}")
    os.close(theirs)
    t.run(3)


def closing_writes_what_is_kept(t: Trace) -> None:
    """connection_lost() comes from the callback that writes the last of it."""
    witness, theirs = writer(t)
    witness.transport.write(b"x" * 65536)
    witness.transport.write(b"y" * 10)
    witness.transport.close()
    witness.transport.write(b"never written")
    mark(t, "x")
    t.run(1)
    t.note(f"received#{receive(theirs)}")
    mark(t, "y")
    t.loop.call_at(t.now, t.note, "z")
    t.run(2)
    t.note(f"received#{receive(theirs)}")
    os.close(theirs)


def closing_with_nothing_to_write(t: Trace) -> None:
    """connection_lost() is queued."""
    witness, theirs = writer(t)
    mark(t, "x")
    witness.transport.write_eof()
    witness.transport.close()
    mark(t, "y")
    t.run(2)
    os.close(theirs)


def aborting_drops_what_is_kept(t: Trace) -> None:
    """connection_lost() is queued."""
    witness, theirs = writer(t)
    witness.transport.write(b"x" * 65536)
    witness.transport.write(b"y" * 10)
    mark(t, "x")
    witness.transport.abort()
    t.note(f"size#{witness.transport.get_write_buffer_size()}")
    t.run(2)
    t.note(f"received#{receive(theirs)}")
    os.close(theirs)


def aborting_twice_is_reported(t: Trace) -> None:
    """The second one finds nothing to close."""
    witness, theirs = writer(t)
    witness.transport.abort()
    witness.transport.abort()
    t.run(2)
    try:
        witness.transport.abort()
    except AttributeError as error:
        t.note(str(error))
    os.close(theirs)


def reader_that_goes_is_noticed(t: Trace) -> None:
    """Without anything being written."""
    _, theirs = writer(t)
    os.close(theirs)
    t.run(3)


def reader_that_goes_with_data_in_the_pipe(t: Trace) -> None:
    """What is kept is lost, and that is an error."""
    witness, theirs = writer(t)
    witness.transport.write(b"x" * 65536)
    witness.transport.write(b"y" * 10)
    os.close(theirs)
    t.run(3)
    t.note(f"size#{witness.transport.get_write_buffer_size()}")


def writing_to_nobody(t: Trace) -> None:
    """The error ends the transport; no exception is raised, nor reported."""
    witness, theirs = writer(t)
    os.close(theirs)
    witness.transport.write(b"abc")
    t.note(f"closing={witness.transport.is_closing()}")
    t.run(2)


def socket_peer_that_goes_is_noticed(t: Trace) -> None:
    """As that of a pipe is."""
    ours, theirs = socket.socketpair()
    connect(t, False, ours.detach())
    theirs.close()
    t.run(3)


def closing_in_resume_writing(t: Trace) -> None:
    """connection_lost() comes twice: the second time there is nothing to close."""
    witness, theirs = writer(t)
    witness.transport.set_write_buffer_limits(high=0)
    witness.act = lambda event: witness.transport.close() if event == "resume" else None
    witness.transport.write(b"x" * 65536)
    witness.transport.write(b"y")
    receive(theirs)
    t.run(2)
    os.close(theirs)


def error_in_pause_writing_is_reported(t: Trace) -> None:
    """By a report of its own; and the same when resuming."""
    witness, theirs = writer(t)

    def act(event: str) -> None:
        raise LookupError

    witness.act = act
    witness.transport.write(b"x" * 65536)
    witness.transport.write(b"y")
    witness.transport.set_write_buffer_limits(high=0)
    t.note("between")
    receive(theirs)
    t.run(1)
    os.close(theirs)


# ---- connecting ------------------------------------------------------------------------------------------------


def cancelled_connecting(t: Trace) -> None:
    """Cancelled before each of its iterations."""
    for at in range(3):
        for reads in (True, False):
            t.iteration = 0
            t.note(f"{'read' if reads else 'write'}-{at}")
            ours, theirs = os.pipe() if reads else os.pipe()[::-1]
            task = begin(t, reads, ours, Witness(t))
            t.run(at)
            task.cancel()
            t.run(5 - at)
            os.close(theirs)


# What is no program, although its first argument is t.
SHARED = ("begin", "connect", "reader", "writer", "mark")


def programs() -> dict[str, Callable[[Trace], None]]:
    """Return the functions above that are programs."""
    return {
        name: value
        for name, value in globals().items()
        if getattr(value, "__annotations__", {}).get("t") is Trace and name not in SHARED
    }


def main(names: list[str]) -> None:
    """Print a line for each."""
    for name, program in programs().items():
        if names and name not in names:
            continue
        trace = Trace()
        program(trace)
        print(f"{name}: {' '.join(trace.notes)}")
        trace.note = lambda what: None  # type: ignore[method-assign]
        trace.loop.close()


if __name__ == "__main__":
    main(sys.argv[1:])
