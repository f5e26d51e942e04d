# SPDX-License-Identifier: MIT
"""Pipes, and protocols and transports for them: what the tests of pipes share."""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from typing import Any

MUCH = 1_000_000  # bytes: far more than a pipe holds


@contextlib.contextmanager
def new_pipe() -> "Iterator[tuple[Any, Any]]":
    """The reading and the writing end of a pipe, closed at the end."""
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as source, open(writing, "wb", buffering=0) as sink:
        yield source, sink


class Protocol(asyncio.Protocol):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def data_received(self, data: bytes) -> None:
        self.told.append(data)

    def eof_received(self) -> None:
        self.told.append("eof")

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, exc: "Exception | None") -> None:
        self.told.append(exc)


def reader(loop: Any, source: Any, protocol: Any = None) -> Any:
    """Return a transport that reads."""
    return loop.run_until_complete(loop.connect_read_pipe(lambda: protocol or Protocol(), source))[0]


def writer(loop: Any, sink: Any, protocol: Any = None) -> Any:
    """Return a transport that writes."""
    return loop.run_until_complete(loop.connect_write_pipe(lambda: protocol or Protocol(), sink))[0]


def run(loop: Any, iterations: int = 3) -> None:
    """Run some iterations."""
    for _ in range(iterations):
        loop.call_soon(loop.stop)
        loop.run_forever()


def reports_of(loop: Any) -> "list[Any]":
    """Return the list that the loop's exception handler will fill."""
    reports: list[Any] = []
    loop.set_exception_handler(lambda loop, context: reports.append(context))
    return reports


def methods_to_connect(loop: Any, pipe: Any) -> "list[tuple[Any, Any, str, str]]":
    """Return for reading and for writing: the method, the end, the type, what stands at the end of its repr()."""
    return [
        (loop.connect_read_pipe, pipe[0], "_UnixReadPipeTransport", ""),
        (loop.connect_write_pipe, pipe[1], "_UnixWritePipeTransport", " bufsize=0"),
    ]
