# SPDX-License-Identifier: MIT
"""sock_recvfrom, sock_recvfrom_into and sock_sendto: datagrams, of Python 3.11 and later."""

import contextlib
import os
import socket

from loopcheck_target import scenario

NEEDS = ["sockets/sock_sendto_and_sock_recvfrom_meet"]  # each scenario of this file


@contextlib.contextmanager
def datagram_socket(blocking=False):
    """A socket for datagrams on the loopback address, closed at the end."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.setblocking(blocking)
        sock.bind(("127.0.0.1", 0))
        yield sock


@scenario(statements=["sock_recvfrom.tuple", "sock_sendto.count"])
async def sock_sendto_and_sock_recvfrom_meet(loop, trace):
    """Sending returns how many bytes, receiving the datagram and the address that it came from."""
    with datagram_socket() as ours, datagram_socket() as theirs:
        trace("sent", await loop.sock_sendto(theirs, b"data", ours.getsockname()))
        data, address = await loop.sock_recvfrom(ours, 100)
        trace("received", data, address == theirs.getsockname())


@scenario(statements=["sock_recvfrom.tuple"])
async def sock_recvfrom_waits_for_one_datagram(loop, trace, T):
    """It waits for a datagram, and returns one of them, cut at the size of the call."""
    with datagram_socket() as ours, datagram_socket() as theirs:

        def send():
            theirs.sendto(b"0123456789", ours.getsockname())
            theirs.sendto(b"second", ours.getsockname())

        loop.call_later(T, send)
        for _ in range(2):
            data, address = await loop.sock_recvfrom(ours, 4)
            trace("received", data, address == theirs.getsockname())


@scenario(statements=["sock_recvfrom_into.tuple"])
async def sock_recvfrom_into_fills_the_buffer(loop, trace, T):
    """The result is how many bytes were stored, and the address that they came from."""
    with datagram_socket() as ours, datagram_socket() as theirs:
        buffer = bytearray(b"......")
        loop.call_later(T, theirs.sendto, b"data", ours.getsockname())
        count, address = await loop.sock_recvfrom_into(ours, buffer)
        trace("received", count, bytes(buffer), address == theirs.getsockname())


@scenario(statements=["sock_recvfrom_into.nbytes"])
async def sock_recvfrom_into_stores_as_many_as_it_is_told(loop, trace):
    """nbytes limits what is stored; 0 and nothing mean the whole buffer."""
    with datagram_socket() as ours, datagram_socket() as theirs:
        for arguments in ((3,), (0,), ()):
            buffer = bytearray(b"......")
            theirs.sendto(b"0123456789", ours.getsockname())
            count, _ = await loop.sock_recvfrom_into(ours, buffer, *arguments)
            trace("received", arguments, count, bytes(buffer))


@scenario(basis="observed: a datagram that does not fit yet waits", since="3.11")
async def sock_sendto_waits_for_room(loop, trace, T, tmp):
    """When the peer's queue is full the coroutine waits until there is room, and then sends."""
    path = os.path.relpath(os.path.join(str(tmp), "socket"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as theirs:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
            theirs.bind(path)
            ours.setblocking(False)
            ours.connect(path)
            count = 0
            with contextlib.suppress(BlockingIOError):
                while True:
                    count += ours.send(b"x")
            loop.call_later(T, theirs.recv, 100)
            trace("sent", await loop.sock_sendto(ours, b"last", path))
            for _ in range(count - 1):
                theirs.recv(100)
            trace("received", theirs.recv(100))


@scenario(
    statements=[
        "sock_recvfrom.nonblocking",
        "sock_recvfrom_into.nonblocking",
        "sock_sendto.nonblocking",
    ],
    debug=True,
)
async def datagram_methods_refuse_blocking_sockets_in_debug_mode(loop, trace):
    """In debug mode a blocking socket is a ValueError."""
    with datagram_socket(blocking=True) as sock:
        sock.sendto(b"data", sock.getsockname())
        for coroutine in (
            loop.sock_recvfrom(sock, 100),
            loop.sock_recvfrom_into(sock, bytearray(8)),
            loop.sock_sendto(sock, b"data", sock.getsockname()),
        ):
            try:
                trace("result", await coroutine)
            except ValueError as error:
                trace("raised", error)
