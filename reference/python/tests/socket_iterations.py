# SPDX-License-Identifier: MIT
"""In which iteration does each socket coroutine go on, and what runs around it?

Each program has a coroutine wait for a socket, makes that ready in a known iteration, and notes everything
that runs: callbacks of ``call_soon``, the readers of other sockets, a timer that is due, the done callback of the
task. Two loops that schedule alike have the same notes.

    python socket_iterations.py MODULE:FACTORY      print the notes of a loop, as JSON
"""

import asyncio
import contextlib
import importlib
import json
import os
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

MOST_ITERATIONS = 500
READY_AT = 3  # the iteration in which a callback makes the socket ready; the poll after it finds that
BIG = 1 << 20  # more than the system keeps for a socket


class Notes:
    """What ran, and in which iteration; a callback in each iteration counts them."""

    def __init__(self, loop: Any) -> None:
        self.loop = loop
        self.iteration = 0
        self.events: list[str] = []
        self.at: dict[int, Callable[[], Any]] = {}
        self.each: Callable[[], Any] | None = None
        self.ended = False

    def note(self, *what: Any) -> None:
        """Note an event with the number of its iteration."""
        self.events.append(" ".join(map(str, (self.iteration, *what))))

    def tick(self) -> None:
        """The first callback of an iteration: do what the program wants done in it."""
        self.iteration += 1
        if self.ended or self.iteration > MOST_ITERATIONS:
            self.loop.stop()
            return
        self.loop.call_soon(self.tick)
        action = self.at.get(self.iteration)
        if action:
            action()
        if self.each:
            self.each()

    def end(self, task: "asyncio.Future[Any]") -> None:
        """The done callback of the task: one iteration more."""
        self.note("done callback")
        self.loop.call_soon(setattr, self, "ended", True)


@contextlib.contextmanager
def pair(kind: int = socket.SOCK_STREAM) -> "Iterator[tuple[socket.socket, socket.socket]]":
    """Two connected non-blocking sockets."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


@contextlib.contextmanager
def listening() -> "Iterator[socket.socket]":
    """A non-blocking socket that listens on the loopback address."""
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock


def run(loop: Any, notes: Notes, awaitable: "Awaitable[Any]") -> None:
    """Run the program: its coroutine, between two neighbours that become ready in the same poll, and a timer."""

    async def wait() -> None:
        notes.note("begins")
        try:
            result = await awaitable
        except OSError as error:
            result = type(error).__name__
        notes.note("goes on:", result)
        await asyncio.sleep(0)
        notes.note("ends")

    with pair() as (ours, theirs), pair() as (later, later_peer):
        loop.add_reader(ours, neighbour, notes, "reader before", ours)
        loop.call_soon(notes.tick)
        task = loop.create_task(wait())
        task.add_done_callback(notes.end)
        notes.at.setdefault(2, lambda: loop.add_reader(later, neighbour, notes, "reader after", later))
        make_ready = notes.at.get(READY_AT, int)

        def all_ready() -> None:
            theirs.send(b"x")
            make_ready()
            later_peer.send(b"x")
            loop.call_later(0, notes.note, "timer")
            loop.call_soon(notes.note, "soon")

        notes.at[READY_AT] = all_ready
        loop.run_forever()
        loop.remove_reader(ours)
        loop.remove_reader(later)
    if not task.done():
        raise RuntimeError(f"it does not end: {notes.events}")


def neighbour(notes: Notes, name: str, sock: socket.socket) -> None:
    """Receive what there is, and let something follow."""
    notes.note(name, sock.recv(10))
    notes.loop.call_soon(notes.note, "after", name)


# ---- the programs ----------------------------------------------------------------------------------


def recv(loop: Any, notes: Notes) -> None:
    """sock_recv: the data come in a known iteration."""
    with pair() as (ours, theirs):
        notes.at[READY_AT] = lambda: theirs.send(b"data")
        run(loop, notes, loop.sock_recv(ours, 10))


def recv_at_once(loop: Any, notes: Notes) -> None:
    """sock_recv: the data are there already."""
    with pair() as (ours, theirs):
        theirs.send(b"data")
        run(loop, notes, loop.sock_recv(ours, 10))


def recv_into(loop: Any, notes: Notes) -> None:
    """sock_recv_into."""
    with pair() as (ours, theirs):
        notes.at[READY_AT] = lambda: theirs.send(b"data")
        run(loop, notes, loop.sock_recv_into(ours, bytearray(10)))


def recvfrom(loop: Any, notes: Notes) -> None:
    """sock_recvfrom: a datagram."""
    with pair(socket.SOCK_DGRAM) as (ours, theirs):
        notes.at[READY_AT] = lambda: theirs.send(b"data")
        run(loop, notes, loop.sock_recvfrom(ours, 10))


def recvfrom_into(loop: Any, notes: Notes) -> None:
    """sock_recvfrom_into: a datagram."""
    with pair(socket.SOCK_DGRAM) as (ours, theirs):
        notes.at[READY_AT] = lambda: theirs.send(b"data")
        run(loop, notes, loop.sock_recvfrom_into(ours, bytearray(10)))


def recv_end_of_stream(loop: Any, notes: Notes) -> None:
    """sock_recv: the peer closes, which makes the descriptor readable and writable."""
    with pair() as (ours, theirs):
        notes.at[READY_AT] = theirs.close
        run(loop, notes, loop.sock_recv(ours, 10))


def accept(loop: Any, notes: Notes) -> None:
    """sock_accept: the connection comes in a known iteration."""
    with listening() as sock, socket.socket() as client:
        client.setblocking(False)
        notes.at[READY_AT] = lambda: client.connect_ex(sock.getsockname())

        async def take() -> str:
            conn, _ = await loop.sock_accept(sock)
            conn.close()
            return "a connection"

        run(loop, notes, take())


def accept_at_once(loop: Any, notes: Notes) -> None:
    """sock_accept: the connection is there already."""
    with listening() as sock, socket.socket() as client:
        client.connect(sock.getsockname())

        async def take() -> str:
            conn, _ = await loop.sock_accept(sock)
            conn.close()
            return "a connection"

        run(loop, notes, take())


def connect(loop: Any, notes: Notes) -> None:
    """sock_connect: it is accepted."""
    with listening() as sock, socket.socket() as client:
        client.setblocking(False)
        run(loop, notes, loop.sock_connect(client, sock.getsockname()))


def connect_refused(loop: Any, notes: Notes) -> None:
    """sock_connect: it is refused."""
    with socket.socket() as holder, socket.socket() as client:
        holder.bind(("127.0.0.1", 0))
        client.setblocking(False)
        run(loop, notes, loop.sock_connect(client, holder.getsockname()))


def connect_at_once(loop: Any, notes: Notes) -> None:
    """sock_connect: a socket that has a file connects without waiting."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as sock:
        sock.bind(os.path.join(folder, "socket"))
        sock.listen()
        with socket.socket(socket.AF_UNIX) as client:
            client.setblocking(False)
            run(loop, notes, loop.sock_connect(client, sock.getsockname()))


def drain(sock: socket.socket) -> None:
    """Receive what there is."""
    with contextlib.suppress(BlockingIOError):
        while sock.recv(1 << 16):
            pass


def sendall(loop: Any, notes: Notes) -> None:
    """sock_sendall: many pieces, one for each iteration in which the peer reads."""
    with pair() as (ours, theirs):
        notes.each = lambda: drain(theirs)
        run(loop, notes, loop.sock_sendall(ours, bytes(BIG)))


def sendall_late(loop: Any, notes: Notes) -> None:
    """sock_sendall: the peer begins to read in a known iteration."""
    with pair() as (ours, theirs):
        notes.at[READY_AT] = lambda: setattr(notes, "each", lambda: drain(theirs))
        run(loop, notes, loop.sock_sendall(ours, bytes(BIG)))


def sendall_at_once(loop: Any, notes: Notes) -> None:
    """sock_sendall: the system takes it all."""
    with pair() as (ours, _):
        run(loop, notes, loop.sock_sendall(ours, b"data"))


def sendall_broken(loop: Any, notes: Notes) -> None:
    """sock_sendall: the peer closes while it waits."""
    with pair() as (ours, theirs):
        notes.at[READY_AT] = theirs.close
        run(loop, notes, loop.sock_sendall(ours, bytes(BIG)))


def sendto(loop: Any, notes: Notes) -> None:
    """sock_sendto: the peer's queue is full until a known iteration."""
    with pair(socket.SOCK_DGRAM) as (ours, _), tempfile.TemporaryDirectory() as folder:
        address = os.path.join(folder, "socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
            peer.setblocking(False)
            peer.bind(address)
            ours.connect(address)  # a writer waits for the queue of the peer that it is connected with
            with contextlib.suppress(BlockingIOError):
                while True:
                    ours.sendto(b"full", address)
            notes.at[READY_AT] = lambda: drain(peer)
            run(loop, notes, loop.sock_sendto(ours, b"data", address))


def sendto_at_once(loop: Any, notes: Notes) -> None:
    """sock_sendto: the datagram is sent without waiting."""
    with socket.socket(type=socket.SOCK_DGRAM) as peer, socket.socket(type=socket.SOCK_DGRAM) as ours:
        peer.bind(("127.0.0.1", 0))
        ours.setblocking(False)
        run(loop, notes, loop.sock_sendto(ours, b"data", peer.getsockname()))


def sendfile(loop: Any, notes: Notes) -> None:
    """sock_sendfile: a whole file, in many pieces."""
    with pair() as (ours, theirs), tempfile.TemporaryFile() as file:
        file.write(bytes(BIG))
        file.seek(0)
        notes.each = lambda: drain(theirs)
        run(loop, notes, loop.sock_sendfile(ours, file, fallback=False))


def sendfile_part(loop: Any, notes: Notes) -> None:
    """sock_sendfile: a part of a file, which the system takes at once."""
    with pair() as (ours, _), tempfile.TemporaryFile() as file:
        file.write(bytes(1000))
        file.flush()
        run(loop, notes, loop.sock_sendfile(ours, file, 10, 50, fallback=False))


PROGRAMS = (
    recv,
    recv_at_once,
    recv_into,
    recvfrom,
    recvfrom_into,
    recv_end_of_stream,
    accept,
    accept_at_once,
    connect,
    connect_refused,
    connect_at_once,
    sendall,
    sendall_late,
    sendall_at_once,
    sendall_broken,
    sendto,
    sendto_at_once,
    sendfile,
    sendfile_part,
)


def notes_of(factory: "Callable[[], Any]", program: "Callable[[Any, Notes], None]") -> "list[str]":
    """Run a program on a new loop and return its notes."""
    with contextlib.closing(factory()) as loop:
        notes = Notes(loop)
        program(loop, notes)
        return notes.events


def main() -> None:
    """Print the notes of all programs on the loop that the command line names."""
    module, _, name = sys.argv[1].partition(":")
    factory = getattr(importlib.import_module(module), name)
    json.dump({program.__name__: notes_of(factory, program) for program in PROGRAMS}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
