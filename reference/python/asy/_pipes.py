# SPDX-License-Identifier: MIT
"""Pipes as transports: how the two methods of the loop that connect them wait until that is done.

A pipe belongs to its transport while that is still being made.  Of one that cannot be made, CPython's constructor
leaves an object that goes when the exception does, and then warns and closes the pipe.  ``HalfMade`` is that one.
"""

import asyncio
import warnings
from collections.abc import Callable
from typing import Any

from ._host import logger, of_class

READING, WRITING = "_UnixReadPipeTransport", "_UnixWritePipeTransport"  # asyncio's names of the types


@of_class("BaseEventLoop")
class Pipes:
    """The methods of a loop that connect pipes."""

    async def connect_read_pipe(
        self: Any, protocol_factory: "Callable[[], Any]", pipe: Any
    ) -> "tuple[Any, Any]":
        """Return a transport that reads from the pipe, which it owns from now on, and its protocol.

        Raises ValueError for a file that is no pipe, and what the factory raises.

        Spec: read_pipe.pair, read_pipe.factory, read_pipe.file-like, pipes.coroutines
        """
        protocol = protocol_factory()
        waiter = self.create_future()
        transport = new_transport(self, READING, pipe, protocol)
        await connected(self, transport, waiter)
        if self.get_debug():
            logger.debug("Read pipe %r connected: (%r, %r)", pipe.fileno(), transport, protocol)
        return transport, protocol

    async def connect_write_pipe(
        self: Any, protocol_factory: "Callable[[], Any]", pipe: Any
    ) -> "tuple[Any, Any]":
        """Return a transport that writes to the pipe, which it owns from now on, and its protocol.

        Raises ValueError for a file that is no pipe, and what the factory raises.

        Spec: write_pipe.pair, write_pipe.factory, write_pipe.file-like, pipes.coroutines
        """
        protocol = protocol_factory()
        waiter = self.create_future()
        transport = new_transport(self, WRITING, pipe, protocol)
        await connected(self, transport, waiter)
        if self.get_debug():
            logger.debug("Write pipe %r connected: (%r, %r)", pipe.fileno(), transport, protocol)
        return transport, protocol


class HalfMade:
    """The owner of a pipe, until there is a transport."""

    def __init__(self, loop: Any, name: str, pipe: Any, fd: Any) -> None:
        self.loop = loop
        self.name = name
        self.pipe = pipe
        self.fd = fd

    def __repr__(self) -> str:
        watched = "idle" if self.name == READING else "idle bufsize=0"
        return f"<{self.name} fd={self.fd} {'open' if self.loop.is_closed() else watched}>"

    def __del__(self) -> None:
        if self.pipe is not None:
            try:
                warnings.warn(f"unclosed transport {self!r}", ResourceWarning, stacklevel=1, source=self)
            finally:
                self.pipe.close()


def new_transport(loop: Any, name: str, pipe: Any, protocol: Any) -> Any:
    """Return a transport of the type with this name.

    Raises ValueError for a file that is no pipe, and leaves it open; what else makes it fail.
    """
    fd = pipe.fileno()
    half_made = HalfMade(loop, name, pipe, fd)  # lives as long as the traceback of an exception
    make = loop._read_pipe_transport if name == READING else loop._write_pipe_transport
    try:
        transport = make(pipe, fd, protocol)
    except ValueError:
        half_made.pipe = None
        raise
    half_made.pipe = None
    return transport


async def connected(loop: Any, transport: Any, waiter: "asyncio.Future[None]") -> None:
    """Wait until connection_made() was called; close the transport when that is cancelled."""
    loop.call_soon(set_unless_cancelled, waiter)
    try:
        await waiter
    except:
        transport.close()
        raise


def set_unless_cancelled(waiter: "asyncio.Future[None]") -> None:
    """End the wait for a future."""
    if not waiter.cancelled():
        waiter.set_result(None)
