# SPDX-License-Identifier: MIT
"""sock_sendall: that all is sent, in its order, and what happens when it cannot be."""

import asyncio
import contextlib
import socket

from loopcheck_target import scenario

NEEDS = ["sockets/sock_sendall_sends_and_returns_none"]  # each scenario of this file


@contextlib.contextmanager
def socket_pair():
    """Two connected non-blocking sockets, closed at the end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


def numbered(size):
    """So many bytes that are not the same wherever one begins."""
    return bytes(number * number % 251 for number in range(1000)) * (size // 1000)


@scenario(statements=["sock_sendall.none"])
async def sock_sendall_sends_and_returns_none(loop, trace):
    """What fits is sent at once; the result is None."""
    with socket_pair() as (ours, theirs):
        trace("result", await loop.sock_sendall(ours, b"data"))
        trace("received", theirs.recv(100))


@scenario(statements=["sock_sendall.all"])
async def sock_sendall_sends_more_than_fits(loop, trace):
    """Ten million bytes arrive, all of them and in their order, at a reader that takes its time."""
    with socket_pair() as (ours, theirs):
        data = numbered(10_000_000)
        task = asyncio.ensure_future(loop.sock_sendall(ours, data))
        await asyncio.sleep(0)
        trace("done at once", task.done())
        received = bytearray()
        while len(received) < len(data):
            received += await loop.sock_recv(theirs, 1_000_000)
        trace("all", received == data)
        trace("result", await task)


@scenario(statements=["sock_sendall.all"])
async def all_has_been_sent_when_sock_sendall_returns(loop, trace):
    """When the coroutine returns, the socket has taken the last byte: nothing is still to be sent."""
    with socket_pair() as (ours, theirs):
        data = numbered(2_000_000)
        received = bytearray()

        def receive():
            with contextlib.suppress(BlockingIOError):
                while True:
                    received.extend(theirs.recv(1_000_000))

        loop.add_reader(theirs.fileno(), receive)
        await loop.sock_sendall(ours, data)
        loop.remove_reader(theirs.fileno())
        receive()
        trace("arrived", len(received), "as they were sent", received == data[: len(received)])


@scenario(statements=["sock_sendall.error"])
async def sock_sendall_raises_when_nobody_listens(loop, trace):
    """A peer that has closed: the error of the socket, as a ConnectionError."""
    with socket_pair() as (ours, theirs):
        theirs.close()
        try:
            await loop.sock_sendall(ours, b"data")
        except ConnectionError as error:
            trace("raised", error)


@scenario(statements=["sock_sendall.error"])
async def waiting_sock_sendall_raises_when_the_peer_closes(loop, trace, T):
    """The peer closes while the coroutine waits for room: it is woken, and raises a ConnectionError."""
    with socket_pair() as (ours, theirs):
        loop.call_later(T, theirs.close)
        try:
            await loop.sock_sendall(ours, numbered(10_000_000))
        except ConnectionError as error:
            trace("raised", isinstance(error, (BrokenPipeError, ConnectionResetError)))
        trace("watched", bool(loop.remove_writer(ours.fileno())))


@scenario(basis="observed: how many iterations a wait takes decides the order of everything around it")
async def sock_sendall_goes_on_two_iterations_after_there_is_room(loop, trace):
    """One iteration sends the last piece, the next one goes on with the task."""
    with socket_pair() as (ours, theirs):
        with contextlib.suppress(BlockingIOError):
            while True:
                ours.send(bytes(1_000_000))
        task = asyncio.ensure_future(loop.sock_sendall(ours, b"data"))
        task.add_done_callback(lambda task: trace("done", task.result()))
        await asyncio.sleep(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                theirs.recv(1_000_000)
        for number in range(6):
            trace("iteration", number)
            await asyncio.sleep(0)


@scenario(statements=["sock_sendall.async-def-3.7"])
async def sock_sendall_does_nothing_until_awaited(loop, trace):
    """Calling the method makes a coroutine; nothing is sent before that is awaited."""
    with socket_pair() as (ours, theirs):
        sending = loop.sock_sendall(ours, b"data")
        trace("coroutine", asyncio.iscoroutine(sending))
        theirs_has = asyncio.ensure_future(loop.sock_recv(theirs, 100))
        await asyncio.sleep(0)
        trace("arrived", theirs_has.done())
        await sending
        trace("received", await theirs_has)


@scenario(basis="observed: after a cancellation the socket can be closed")
async def cancelled_sock_sendall_ends_its_watch(loop, trace):
    """A cancelled coroutine does not watch the socket any more, and sends nothing more."""
    with socket_pair() as (ours, theirs):
        task = asyncio.ensure_future(loop.sock_sendall(ours, numbered(10_000_000)))
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            trace("cancelled")
        trace("watched", bool(loop.remove_writer(ours.fileno())))
        with contextlib.suppress(BlockingIOError):
            while True:
                theirs.recv(1_000_000)
        await asyncio.sleep(0)
        try:
            theirs.recv(1)
        except BlockingIOError:
            trace("nothing more")


@scenario(statements=["sock_sendall.nonblocking"], debug=True)
async def sock_sendall_refuses_blocking_sockets_in_debug_mode(loop, trace):
    """In debug mode a blocking socket is a ValueError, and nothing is sent."""
    with socket_pair() as (ours, theirs):
        ours.setblocking(True)
        try:
            trace("result", await loop.sock_sendall(ours, b"data"))
        except ValueError as error:
            trace("raised", error)
        try:
            trace("received", theirs.recv(100))
        except BlockingIOError:
            trace("nothing was sent")


@scenario(basis="observed: what has ended holds nothing of what it was given")
async def buffer_is_free_after_sock_sendall_was_cancelled(loop, trace):
    """A bytearray can be resized again when its sock_sendall() was cancelled, even while the task is kept."""
    with socket_pair() as (ours, _theirs):
        data = bytearray(10_000_000)
        task = asyncio.ensure_future(loop.sock_sendall(ours, data))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        trace("cancelled", task.cancelled())
        data.append(0)
        trace("resized", len(data))
