# SPDX-License-Identifier: MIT
"""sock_connect and sock_accept: the two ends of a connection."""

import asyncio
import concurrent.futures
import contextlib
import os
import socket

from loopcheck_target import scenario

NEEDS = ["sockets/sock_accept_and_sock_connect_meet"]  # each scenario of this file


@contextlib.contextmanager
def listening():
    """A non-blocking socket that listens on the loopback address, closed at the end."""
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock


@contextlib.contextmanager
def unconnected(blocking=False):
    """A socket for a connection, closed at the end."""
    with socket.socket() as sock:
        sock.setblocking(blocking)
        yield sock


@scenario(statements=["sock_accept.pair", "sock_connect.connects"])
async def sock_accept_and_sock_connect_meet(loop, trace):
    """One end waits for a connection, the other makes it: each has the address of the other."""
    with listening() as listener, unconnected() as client:
        accepting = asyncio.ensure_future(loop.sock_accept(listener))
        trace("connected", await loop.sock_connect(client, listener.getsockname()))
        trace("peer of the client", client.getpeername() == listener.getsockname())
        conn, address = await accepting
        with conn:
            trace("peer of the server", address == client.getsockname())
            await loop.sock_sendall(client, b"hello")
            trace("received", await loop.sock_recv(conn, 100))


@scenario(statements=["sock_accept.conn-nonblocking"])
async def accepted_socket_does_not_block(loop, trace):
    """The new socket is non-blocking, whatever the default time-out is."""
    with listening() as listener, unconnected() as client:
        await loop.sock_connect(client, listener.getsockname())
        socket.setdefaulttimeout(5)
        try:
            conn, _ = await loop.sock_accept(listener)
        finally:
            socket.setdefaulttimeout(None)
        with conn:
            trace("timeout", conn.gettimeout(), "inherited", conn.get_inheritable())


@scenario(statements=["sock_accept.listening"])
async def sock_accept_needs_a_listening_socket(loop, trace):
    """A socket that does not listen raises OSError."""
    with unconnected() as sock:
        try:
            await loop.sock_accept(sock)
        except OSError as error:
            trace("raised", error)


@scenario(statements=["sock_accept.nonblocking"], debug=True)
async def sock_accept_refuses_blocking_sockets_in_debug_mode(loop, trace):
    """In debug mode a listening socket that blocks is a ValueError, although a connection is there already."""
    with listening() as listener, unconnected() as client:
        await loop.sock_connect(client, listener.getsockname())
        listener.setblocking(True)
        try:
            conn, _ = await loop.sock_accept(listener)
            conn.close()
        except ValueError as error:
            trace("raised", error)


@scenario(statements=["sock_accept.async-def-3.7"])
async def sock_accept_does_nothing_until_awaited(loop, trace):
    """Calling the method makes a coroutine; the connection waits until that is awaited."""
    with listening() as listener, unconnected() as client:
        await loop.sock_connect(client, listener.getsockname())
        accepting = loop.sock_accept(listener)
        trace("coroutine", asyncio.iscoroutine(accepting))
        conn, _ = listener.accept()
        conn.close()
        with unconnected() as second:
            await loop.sock_connect(second, listener.getsockname())
            conn, address = await accepting
            with conn:
                trace("the second one", address == second.getsockname())


@scenario(basis="observed: a cancelled accept loses no connection")
async def cancelled_sock_accept_loses_no_connection(loop, trace):
    """After a cancellation nobody watches the socket, and the next connection waits for the next call."""
    with listening() as listener, unconnected() as client:
        task = asyncio.ensure_future(loop.sock_accept(listener))
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            trace("cancelled")
        trace("watched", bool(loop.remove_reader(listener.fileno())))
        await loop.sock_connect(client, listener.getsockname())
        conn, _ = await loop.sock_accept(listener)
        with conn:
            trace("accepted")


@scenario(basis="observed: how many iterations a wait takes decides the order of everything around it")
async def sock_accept_goes_on_two_iterations_after_the_connection(loop, trace):
    """One iteration finds the connection, the next one goes on with the task."""
    with listening() as listener, unconnected(blocking=True) as client:
        task = asyncio.ensure_future(loop.sock_accept(listener))
        task.add_done_callback(lambda task: trace("done", task.result()[1] == client.getsockname()))
        await asyncio.sleep(0)
        client.connect(listener.getsockname())
        for number in range(6):
            trace("iteration", number)
            await asyncio.sleep(0)
        conn, _ = await task
        conn.close()


@scenario(statements=["sock_connect.refused"])
async def sock_connect_to_nobody_is_refused(loop, trace):
    """Where nobody listens, ConnectionRefusedError comes out of the await."""
    with socket.socket() as holder, unconnected() as client:
        holder.bind(("127.0.0.1", 0))
        try:
            await loop.sock_connect(client, holder.getsockname())
        except OSError as error:
            trace("raised", type(error), error.errno)
        trace("watched", bool(loop.remove_writer(client.fileno())))


@scenario(statements=["sock_connect.nonblocking"], debug=True)
async def sock_connect_refuses_blocking_sockets_in_debug_mode(loop, trace):
    """In debug mode a blocking socket is a ValueError, and there is no connection."""
    with listening() as listener, unconnected(blocking=True) as client:
        try:
            await loop.sock_connect(client, listener.getsockname())
        except ValueError as error:
            trace("raised", error)
        try:
            listener.accept()
        except BlockingIOError:
            trace("no connection")


@scenario(statements=["sock_connect.resolves"])
async def sock_connect_resolves_names_with_the_loop(loop, trace):
    """A host that is no number is given to the loop's getaddrinfo; one that is a number is not."""
    with listening() as listener, unconnected() as first, unconnected() as second:
        address = listener.getsockname()

        async def getaddrinfo(host, port, **_):
            trace("resolving", host, port == address[1])
            return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)]

        loop.getaddrinfo = getaddrinfo
        await loop.sock_connect(first, address)
        trace("connected to a number", first.getpeername() == address)
        await loop.sock_connect(second, ("example.invalid", address[1]))
        trace("connected to a name", second.getpeername() == address)


class Pool(concurrent.futures.ThreadPoolExecutor):
    """A pool that notes its jobs."""

    def __init__(self, trace):
        super().__init__(1)
        self.trace = trace

    def submit(self, fn, *args, **kwargs):
        self.trace("submit")
        return super().submit(fn, *args, **kwargs)


@scenario(statements=["sock_connect.resolves", "dns.default-executor"])
async def sock_connect_resolves_names_in_the_default_executor(loop, trace):
    """A name is looked up by a job of the default executor; a number needs none."""
    with Pool(trace) as pool, listening() as listener, unconnected() as first, unconnected() as second:
        loop.set_default_executor(pool)
        address = listener.getsockname()
        await loop.sock_connect(first, address)
        trace("connected to a number", first.getpeername() == address)
        await loop.sock_connect(second, ("localhost", address[1]))
        trace("connected to a name", second.getpeername() == address)


@scenario(statements=["sock_connect.resolves"])
async def error_of_resolving_comes_out_of_sock_connect(loop, trace):
    """An address of the other family has none of this one, which is an error of name resolution."""
    with unconnected() as sock:
        try:
            await loop.sock_connect(sock, ("::1", 80))
        except socket.gaierror as error:
            trace("raised", error)


@scenario(statements=["sock_connect.connects"])
async def sock_connect_connects_to_a_path(loop, trace, tmp):
    """The address of a Unix socket is a path."""
    path = os.path.relpath(os.path.join(str(tmp), "socket"))
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.setblocking(False)
        client.setblocking(False)
        try:
            await loop.sock_connect(client, path)
        except OSError as error:
            trace("raised", error)
        listener.bind(path)
        listener.listen()
        trace("connected", await loop.sock_connect(client, path))
        conn, address = await loop.sock_accept(listener)
        with conn:
            trace("accepted", address)
