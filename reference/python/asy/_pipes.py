# SPDX-License-Identifier: MIT
"""Pipes as transports: how the two methods of the loop that connect them wait until that is done."""

import asyncio
from collections.abc import Callable
from typing import Any

from ._host import logger, of_class


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
        transport = self._read_pipe_transport(pipe, protocol)
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
        transport = self._write_pipe_transport(pipe, protocol)
        await connected(self, transport, waiter)
        if self.get_debug():
            logger.debug("Write pipe %r connected: (%r, %r)", pipe.fileno(), transport, protocol)
        return transport, protocol


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
