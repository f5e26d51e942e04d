# SPDX-License-Identifier: MIT
"""sock_recv and sock_recv_into: what they return, when, and what a cancellation leaves."""

import asyncio
import contextlib
import inspect
import socket

from loopcheck_target import scenario

NEEDS = ["sockets/sock_recv_returns_bytes"]  # each scenario of this file


@contextlib.contextmanager
def socket_pair():
    """Two connected non-blocking sockets, closed at the end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


@scenario(statements=["sock_recv.returns-bytes"])
async def sock_recv_returns_bytes(loop, trace):
    """At most so many bytes come as a bytes object; the next call gets the rest."""
    with socket_pair() as (ours, theirs):
        theirs.send(b"0123456789")
        theirs.close()  # so that nobody who has got it all waits for more
        trace("first", await loop.sock_recv(ours, 4))
        trace("rest", await loop.sock_recv(ours, 100))


@scenario(statements=["sock_recv.eof"])
async def sock_recv_returns_nothing_at_the_end(loop, trace):
    """When the peer has closed, what it had sent comes first, and then an empty result, again and again."""
    with socket_pair() as (ours, theirs):
        theirs.send(b"last words")
        theirs.close()
        for _ in range(3):
            trace("received", await loop.sock_recv(ours, 100))


@scenario(statements=["sock_recv.waits"])
async def sock_recv_waits_without_blocking(loop, trace, T):
    """Until data arrive the coroutine waits, and the loop goes on with other things."""
    with socket_pair() as (ours, theirs):
        now = loop.time()
        loop.call_at(now + T, trace, "timer")
        loop.call_at(now + 5 * T, theirs.send, b"data")
        trace("received", await loop.sock_recv(ours, 100))
        trace("it took time", loop.time() >= now + 5 * T)


@scenario(basis="observed: programs that never wait must give way to others themselves")
async def sock_recv_that_need_not_wait_lets_nobody_run(loop, trace):
    """Data that are there already are returned in the same iteration: a queued callback runs later."""
    with socket_pair() as (ours, theirs):
        theirs.send(b"data")
        loop.call_soon(trace, "queued before")
        trace("received", await loop.sock_recv(ours, 100))
        await asyncio.sleep(0)
        trace("end")


@scenario(basis="observed: how many iterations a wait takes decides the order of everything around it")
async def sock_recv_goes_on_two_iterations_after_the_data(loop, trace):
    """One iteration finds the socket readable, the next one goes on with the task."""
    with socket_pair() as (ours, theirs):
        task = asyncio.ensure_future(loop.sock_recv(ours, 100))
        task.add_done_callback(lambda task: trace("done", task.result()))
        await asyncio.sleep(0)
        theirs.send(b"data")
        for number in range(6):
            trace("iteration", number)
            await asyncio.sleep(0)


@scenario(statements=["sock_recv.async-def-3.7"])
async def sock_recv_does_nothing_until_awaited(loop, trace):
    """Calling the method makes a coroutine; nothing is received before that is awaited."""
    with socket_pair() as (ours, theirs):
        theirs.send(b"data")
        receiving = loop.sock_recv(ours, 100)
        trace("coroutine", asyncio.iscoroutine(receiving))
        trace("still there", ours.recv(100))
        theirs.send(b"more")
        trace("received", await receiving)


@scenario(statements=["sock_recv.cancel"])
async def cancelled_sock_recv_loses_nothing(loop, trace):
    """After a cancellation the socket is not watched any more, and what arrives later is not lost."""
    with socket_pair() as (ours, theirs):
        task = asyncio.ensure_future(loop.sock_recv(ours, 100))
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            trace("cancelled")
        trace("watched", bool(loop.remove_reader(ours.fileno())))
        theirs.send(b"data")
        await asyncio.sleep(0)
        trace("received", await loop.sock_recv(ours, 100))


@scenario(basis="observed: a socket can be closed right after what came from it was received")
async def sock_recv_ends_its_watch(loop, trace):
    """When the coroutine that had to wait has returned, nobody watches the socket."""
    with socket_pair() as (ours, theirs):
        loop.call_soon(theirs.send, b"data")
        trace("received", await loop.sock_recv(ours, 100))
        trace("watched", bool(loop.remove_reader(ours.fileno())))


@scenario(basis="observed: one reader for each socket; the second one takes its place")
async def second_sock_recv_takes_the_place_of_the_first(loop, trace, T):
    """Of two coroutines that wait for one socket the last gets the data; the first waits until it is cancelled."""
    with socket_pair() as (ours, theirs):
        first = asyncio.ensure_future(loop.sock_recv(ours, 100))
        second = asyncio.ensure_future(loop.sock_recv(ours, 100))
        await asyncio.sleep(0)
        theirs.send(b"data")
        done, pending = await asyncio.wait({first, second}, timeout=5 * T)
        trace("second", second in done and second.result())
        trace("first waits", first in pending)
        first.cancel()
        trace("first", await asyncio.gather(first, return_exceptions=True))


@scenario(statements=["sock_recv.nonblocking"], debug=True)
async def sock_recv_refuses_blocking_sockets_in_debug_mode(loop, trace):
    """In debug mode a socket that may block is a ValueError, even if there is something to receive."""
    with socket_pair() as (ours, theirs):
        theirs.send(b"data")
        for timeout in (None, 1.0):
            ours.settimeout(timeout)
            try:
                trace("received", await loop.sock_recv(ours, 100))
            except ValueError as error:
                trace("raised", error)


@scenario(statements=["sock_recv.param-n", "sock_recv.param-name"])
async def sock_recv_has_no_parameter_of_the_documented_name(loop, trace):
    """The size is documented as nbytes, but no such keyword is accepted: give it by its position."""
    with socket_pair() as (ours, theirs):
        theirs.send(b"data")
        try:
            trace("received", await loop.sock_recv(ours, nbytes=100))
        except TypeError as error:
            trace("raised", type(error))
        trace("received", await loop.sock_recv(sock=ours, n=100))


@scenario(statements=["sock_recv_into.count"])
async def sock_recv_into_fills_the_buffer(loop, trace):
    """The bytes are written to the start of the buffer, and counted, whether or not it had to wait."""
    with socket_pair() as (ours, theirs):
        buffer = bytearray(b"........")
        theirs.send(b"abc")
        trace("received", await loop.sock_recv_into(ours, buffer), bytes(buffer))
        loop.call_soon(theirs.send, b"more than there is room for")
        trace("received", await loop.sock_recv_into(ours, memoryview(buffer)[4:]), bytes(buffer))


@scenario(statements=["sock_recv_into.nonblocking"], debug=True)
async def sock_recv_into_refuses_blocking_sockets_in_debug_mode(loop, trace):
    """In debug mode a blocking socket is a ValueError, and nothing is received."""
    with socket_pair() as (ours, theirs):
        ours.setblocking(True)
        theirs.send(b"data")
        buffer = bytearray(8)
        try:
            trace("received", await loop.sock_recv_into(ours, buffer))
        except ValueError as error:
            trace("raised", error, bytes(buffer))


@scenario(basis="observed: a program may ask what it is before it calls it")
def methods_on_sockets_are_coroutine_functions(loop, trace):
    """inspect.iscoroutinefunction() says so of each, and asyncio refuses them as callbacks in debug mode."""
    for name in (
        "sock_recv",
        "sock_recv_into",
        "sock_sendall",
        "sock_connect",
        "sock_accept",
        "sock_sendfile",
    ):
        trace(name, inspect.iscoroutinefunction(getattr(loop, name)))
    loop.set_debug(True)
    try:
        loop.call_soon(loop.sock_recv, None, 1)
    except TypeError as error:
        trace("refused", error)
