# SPDX-License-Identifier: MIT
"""Random programs on pipes, run on asyncio and on asy: what happens must be the same, iteration by iteration.

A program is a list of steps on one end of a pipe or of a pair of sockets: what a program does to its transport,
what the other end does, and iterations of the loop in between; some steps are done in callbacks of the protocol,
and some callbacks fail.  Whatever a protocol is told, what each step raises, what is reported, and how the
transport shows itself after each step, is a line of the record.

No program closes a transport that writes in connection_made(): asyncio's would go on watching its descriptor,
which is closed by then.

    python random_pipes.py COUNT [FIRST_SEED]

prints the first program on which the two differ.  Exit status: 0 none differs; 1 one does.
"""

import asyncio
import contextlib
import logging
import os
import random
import re
import selectors
import socket
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

Step = tuple[Any, ...]
SIZES = (1, 10, 4096, 60_000, 65_536, 200_000)  # bytes: a pipe holds 65536
LIMITS = (0, 10, 1000, 100_000)
ENDS = ("close", "write_eof", "abort")
CALLBACKS = (
    "connection_made",
    "data_received",
    "eof_received",
    "pause_writing",
    "resume_writing",
    "connection_lost",
)


class Recorder(asyncio.Protocol):
    """Records what it is told, and does some of the steps of its program in its callbacks."""

    def __init__(self, name: str, execution: "Execution") -> None:
        self.name = name
        self.execution = execution
        self.reactions = dict(execution.program.reactions)

    def told(self, what: str, *values: Any) -> None:
        """Record it, do what the program does then, once, and fail if it fails there."""
        self.execution.record.append(f"{self.name} {what} {values}")
        if what in self.reactions:
            self.execution.react(self.reactions.pop(what))
        if what == self.execution.program.fails:
            raise ZeroDivisionError(what)

    def data_received(self, data: bytes) -> None:
        self.told("data_received", len(data))

    def eof_received(self) -> None:
        self.told("eof_received")

    def pause_writing(self) -> None:
        self.told("pause_writing")

    def resume_writing(self) -> None:
        self.told("resume_writing")

    def connection_made(self, transport: Any) -> None:
        self.execution.transport = transport
        self.told("connection_made")

    def connection_lost(self, exc: "Exception | None") -> None:
        self.told("connection_lost", repr(exc))


def random_step(chance: random.Random, writes: bool) -> Step:
    """Return a step; those that end the transport are rare."""
    if chance.random() < 0.08:
        return (chance.choice((*ENDS, "hang up") if writes else ("close", "hang up")),)
    if writes:
        return chance.choice(
            (
                ("write", chance.choice(SIZES)),
                ("writelines", chance.choice(SIZES)),
                ("set_write_buffer_limits", chance.choice(LIMITS)),
                ("take", chance.choice(SIZES)),
                ("take", chance.choice(SIZES)),
                ("set_protocol",),
                ("run", chance.randrange(1, 4)),
                ("run", chance.randrange(1, 4)),
            )
        )
    return chance.choice(
        (
            ("pause_reading",),
            ("resume_reading",),
            ("give", chance.choice(SIZES[:4])),
            ("give", chance.choice(SIZES[:4])),
            ("set_protocol",),
            ("run", chance.randrange(1, 4)),
            ("run", chance.randrange(1, 4)),
        )
    )


class Program:
    """The steps that belong to a seed, and their execution on a loop."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        self.writes = chance.random() < 0.6
        self.sockets = chance.random() < 0.3
        self.steps = [random_step(chance, self.writes) for _ in range(chance.randrange(5, 25))]
        self.reactions = {
            callback: random_step(chance, self.writes) for callback in CALLBACKS if chance.random() < 0.25
        }
        if self.writes and self.reactions.get("connection_made", ("",))[0] in ENDS:
            del self.reactions["connection_made"]
        self.fails = chance.choice((None, None, *CALLBACKS))

    def __str__(self) -> str:
        what = "writes" if self.writes else "reads"
        return (
            f"{what}, sockets={self.sockets}, reactions={self.reactions}, fails in {self.fails}\n{self.steps}"
        )

    def run(self, loop: Any) -> "list[str]":
        """Return the record of the program on the loop, which is closed then."""
        record: list[str] = []
        with contextlib.closing(loop), ends(self.sockets) as (source, sink):
            Execution(self, loop, record, source, sink).run()
        return record


@contextlib.contextmanager
def ends(sockets: bool) -> "Iterator[tuple[Any, Any]]":
    """A reading and a writing end, neither of which blocks."""
    if sockets:
        source, sink = socket.socketpair()
        fds = source.detach(), sink.detach()
    else:
        fds = os.pipe()
    for fd in fds:
        os.set_blocking(fd, False)
    mode = "r+b" if sockets else "rb"
    with open(fds[0], mode, buffering=0) as reading, open(fds[1], "wb", buffering=0) as writing:
        yield reading, writing


class Execution:
    """One run of a program."""

    def __init__(self, program: Program, loop: Any, record: "list[str]", source: Any, sink: Any) -> None:
        self.program = program
        self.loop = loop
        self.record = record
        self.ours, self.theirs = (sink, source) if program.writes else (source, sink)
        self.transport: Any = None
        self.protocols = 0
        loop.set_exception_handler(self.report)

    def new_protocol(self) -> Recorder:
        """Return another protocol."""
        self.protocols += 1
        return Recorder(f"protocol {self.protocols}", self)

    def react(self, step: Step) -> None:
        """Do a step in a callback, unless it is to run the loop."""
        if step[0] != "run":
            self.do(step)

    def report(self, loop: Any, context: "dict[str, Any]") -> None:
        """Record what the exception handler is told."""
        message = re.sub("callback .*", "callback", context["message"])
        self.record.append(f"report {sorted(context)} {message} {context['exception']!r}")

    def run(self) -> None:
        """Connect, do the steps, end."""
        connect = self.loop.connect_write_pipe if self.program.writes else self.loop.connect_read_pipe
        self.transport, _ = self.loop.run_until_complete(connect(self.new_protocol, self.ours))
        for step in self.program.steps:
            self.do(step)
        self.do(("close",))
        self.do(("hang up",))
        self.do(("run", 6))

    def do(self, step: Step) -> None:
        """Do a step, and record what it raises and how the transport is then."""
        name, *arguments = step
        self.record.append(f"> {name} {arguments}")
        method = getattr(self, "do_" + name.replace(" ", "_"), None) or getattr(self.transport, name)
        try:
            result = method(*arguments)
        except Exception as error:
            result = repr(error)
        state = re.sub("fd=[0-9]+", "fd", repr(self.transport))
        self.record.append(f"{result} {state} {self.transport.is_closing()}")

    def do_write(self, size: int) -> None:
        self.transport.write(bytes(size))

    def do_writelines(self, size: int) -> None:
        self.transport.writelines([bytes(size), b"", bytearray(b"more")])

    def do_set_protocol(self) -> None:
        self.transport.set_protocol(self.new_protocol())

    def do_hang_up(self) -> None:
        self.theirs.close()

    def do_take(self, size: int) -> int:
        """The other end reads."""
        return -1 if self.theirs.closed else len(self.theirs.read(size) or b"")

    def do_give(self, size: int) -> "int | None":
        """The other end writes."""
        return -1 if self.theirs.closed else self.theirs.write(bytes(size))

    def do_run(self, iterations: int) -> None:
        """Run some iterations."""
        for _ in range(iterations):
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()
            self.record.append("-")


def main() -> int:
    """Compare the loops on so many programs, one kind of loop and selector after the other."""
    import asy

    warnings.simplefilter("ignore", ResourceWarning)
    logging.getLogger("asyncio").setLevel(
        logging.ERROR
    )  # it says of each write after the end that it is lost
    count, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    pairs: list[tuple[Callable[[], Any], Callable[[], Any]]] = [
        (selectors.EpollSelector, asy.new_event_loop),
        (selectors.EpollSelector, asy.new_native_event_loop),
        (selectors.PollSelector, asy.new_poll_event_loop),
        (selectors.SelectSelector, asy.new_select_event_loop),
    ]
    for seed in range(first, first + count):
        program = Program(seed)
        selector, new_loop = pairs[seed % len(pairs)]
        one = program.run(asyncio.SelectorEventLoop(selector()))
        other = program.run(new_loop())
        if one != other:
            place = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), -1)
            print(f"seed {seed}: {program}\n", *one[:place], sep="\n")
            print("asyncio:", *one[place : place + 3], "asy:", *other[place : place + 3], sep="\n")
            return 1
    print(f"{count} programs, all the same")
    return 0


if __name__ == "__main__":
    sys.exit(main())
