# SPDX-License-Identifier: MIT
"""The methods of a loop on sockets, and what Python knows better than C: what addresses mean, and files.

The methods are coroutine functions, as programs may ask.  Most await a coroutine in C of the same name
(``socket_call.c``), which does everything.

An address of the Internet may have a name in the place of its number.  Numbers are told from names by
``inet_pton``, and only names are given to ``loop.getaddrinfo()``.

A file is sent by ``os.sendfile()``, piece by piece, as the socket takes them (``FilePart``); where that cannot be,
it is read in the default executor and sent by ``sock_sendall()``.
"""

import asyncio
import errno
import io
import os
import socket
import sys
from typing import Any

from . import _host

READ_AT_ONCE = 256 * 1024  # bytes
ALWAYS_SEEKS = sys.version_info >= (3, 14)  # before, not to offset 0, nor where nothing was sent
MOST_AT_ONCE = sys.maxsize // 2 + 1  # bytes: on 32 bits, a larger size is an OverflowError of os.sendfile()


def check_socket(sock: Any, debug: bool) -> None:
    """Raise TypeError for a TLS socket, and in debug mode ValueError for one that may block."""
    check_class(sock)
    check_blocking(sock, debug)


def check_class(sock: Any) -> None:
    """Raise TypeError for a TLS socket; there are some only where somebody has imported ssl."""
    ssl = sys.modules.get("ssl")
    if ssl is not None and isinstance(sock, ssl.SSLSocket):
        raise TypeError("Socket cannot be of type SSLSocket")


def check_blocking(sock: Any, debug: bool) -> None:
    """Raise ValueError in debug mode for a socket that may block."""
    if debug and sock.gettimeout() != 0:
        raise ValueError("the socket must be non-blocking")


@_host.of_class("BaseSelectorEventLoop")
class Sockets:
    """The methods of a loop on sockets.

    Each raises TypeError for a TLS socket, in debug mode ValueError for one that may block, and what the
    methods of the socket raise.
    """

    async def sock_recv(self: Any, sock: Any, n: int) -> bytes:
        """Receive what there is, at most n bytes; none: the peer has ended the stream.

        Spec: sock_recv.returns-bytes, sock_recv.param-name, sock_recv.async-def-3.7
        """
        data: bytes = await self._sock_recv(sock, n)
        return data

    async def sock_recv_into(self: Any, sock: Any, buf: Any) -> int:
        """Receive into a buffer, and return how many bytes."""
        count: int = await self._sock_recv_into(sock, buf)
        return count

    async def sock_recvfrom(self: Any, sock: Any, bufsize: int) -> "tuple[bytes, Any]":
        """Receive a datagram; return so many bytes of it, and the sender's address."""
        datagram: tuple[bytes, Any] = await self._sock_recvfrom(sock, bufsize)
        return datagram

    async def sock_recvfrom_into(self: Any, sock: Any, buf: Any, nbytes: int = 0) -> "tuple[int, Any]":
        """Receive a datagram into a buffer, or its first nbytes bytes; return how many, and the sender's address.

        Spec: sock_recvfrom_into.nbytes
        """
        received: tuple[int, Any] = await self._sock_recvfrom_into(sock, buf, nbytes)
        return received

    async def sock_sendall(self: Any, sock: Any, data: Any) -> None:
        """Send all of the data, in as many pieces as it takes.

        Spec: sock_sendall.async-def-3.7
        """
        await self._sock_sendall(sock, data)

    async def sock_sendto(self: Any, sock: Any, data: Any, address: Any) -> int:
        """Send a datagram, and return how many bytes of it were sent."""
        count: int = await self._sock_sendto(sock, data, address)
        return count

    async def sock_connect(self: Any, sock: Any, address: Any) -> None:
        """Connect a socket to an address, which is resolved first if it has to be.

        Spec: sock_connect.resolves
        """
        check_socket(sock, self.get_debug())
        if sock.family in INTERNET:
            address = await resolve(self, sock, address)
        await self._sock_connect(sock, address)

    async def sock_accept(self: Any, sock: Any) -> "tuple[Any, Any]":
        """Accept a connection; return its socket, which does not block, and the address of the peer.

        Spec: sock_accept.conn-nonblocking, sock_accept.async-def-3.7
        """
        conn, address = await self._sock_accept(sock)
        conn.setblocking(False)
        return conn, address


@_host.of_class("BaseEventLoop")
class SendingFiles:
    """The method of a loop that sends files to sockets."""

    async def sock_sendfile(
        self: Any, sock: Any, file: Any, offset: int = 0, count: "int | None" = None, *, fallback: bool = True
    ) -> int:
        """Send a file, or so many bytes from its offset on, and return how many were sent.

        Spec: sock_sendfile.fallback-true
        """
        check_blocking(sock, self.get_debug())
        check_class(sock)
        check_file(sock, file, offset, count)
        try:
            return await send_file(self, sock, file, offset, count)
        except asyncio.SendfileNotAvailableError:
            if not fallback:
                raise
        return await copy_file(self, sock, file, offset, count)


INTERNET = {socket.AF_INET, socket.AF_INET6}


async def resolve(loop: Any, sock: Any, address: Any) -> Any:
    """Return the address with numbers only: itself, or the first of those that its name has."""
    host, port = address[:2]
    resolved = numeric_address(host, port, sock.family, sock.type, sock.proto, *address[2:])
    if resolved is not None:
        return resolved
    infos = await loop.getaddrinfo(host, port, family=sock.family, type=sock.type, proto=sock.proto, flags=0)
    return infos[0][4]


def numeric_address(
    host: Any, port: Any, family: int, type: int, proto: int, flowinfo: int = 0, scopeid: int = 0
) -> "tuple[Any, ...] | None":
    """Return the address if neither host nor port need resolving, otherwise None."""
    if proto not in {0, socket.IPPROTO_TCP, socket.IPPROTO_UDP} or host is None:
        return None
    if type not in {socket.SOCK_STREAM, socket.SOCK_DGRAM}:
        return None
    try:
        number = 0 if port is None or is_empty(port) else int(port)
    except (TypeError, ValueError):
        return None
    if isinstance(host, bytes):
        host = host.decode("idna")
    if "%" in host or not is_numeric(family, host):
        return None
    return (host, number, flowinfo, scopeid) if family == socket.AF_INET6 else (host, number)


numeric_address.__qualname__ = "_ipaddr_info"  # CPython's, in its message for an address of too many parts


def is_empty(port: Any) -> bool:
    """Return whether the port is an empty text."""
    return isinstance(port, (str, bytes)) and not port


def is_numeric(family: int, host: str) -> bool:
    """Return whether the host is an address of the family, as a text."""
    try:
        socket.inet_pton(family, host)
    except OSError:
        return False
    return True


def check_file(sock: Any, file: Any, offset: Any, count: Any) -> None:
    """Raise TypeError or ValueError for what sock_sendfile() cannot send.

    Spec: sock_sendfile.binary-file
    """
    if "b" not in getattr(file, "mode", "b"):
        raise ValueError("file should be opened in binary mode")
    if sock.type != socket.SOCK_STREAM:
        raise ValueError("only SOCK_STREAM type sockets are supported")
    if count is not None and not isinstance(count, int):
        raise TypeError(f"count must be a positive integer (got {count!r})")
    if count is not None and count <= 0:
        raise ValueError(f"count must be a positive integer (got {count!r})")
    if not isinstance(offset, int):
        raise TypeError(f"offset must be a non-negative integer (got {offset!r})")
    if offset < 0:
        raise ValueError(f"offset must be a non-negative integer (got {offset!r})")


class FilePart:
    """What of a file is to be sent by os.sendfile(), and how many bytes of it have been."""

    def __init__(self, sock: Any, file: int, offset: int, count: "int | None") -> None:
        self.sock = sock
        self.file = file
        self.offset = offset
        self.count = count
        size = os.fstat(file).st_size  # also where it is not needed: whether there is a file
        self.size = count or size
        self.sent = 0

    def send(self) -> bool:
        """Send a piece, and return whether there are no more: then, and after an error, the position is set.

        A cancellation comes from elsewhere, and leaves it, as CPython's does.

        Raises SendfileNotAvailableError if the system cannot send even the first one, BlockingIOError if the
        socket is not ready, OSError.
        """
        try:
            is_last = self.send_piece()
        except (BlockingIOError, InterruptedError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException:
            self.seek()
            raise
        if is_last:
            self.seek()
        return is_last

    def send_piece(self) -> bool:
        """Do so, but for the position."""
        size = self.count - self.sent if self.count else self.size
        if size <= 0:
            return True
        try:
            sent = os.sendfile(
                self.sock.fileno(), self.file, self.offset + self.sent, min(size, MOST_AT_ONCE)
            )
        except (BlockingIOError, InterruptedError):
            raise
        except OSError as error:
            if self.sent == 0:
                raise asyncio.SendfileNotAvailableError("os.sendfile call failed") from None
            if error.errno == errno.ENOTCONN:  # not every system says it by this class
                raise ConnectionError("socket is not connected", errno.ENOTCONN) from error
            raise
        self.sent += sent
        return sent == 0

    def seek(self) -> None:
        """Have the file stand behind what was sent."""
        if self.sent or ALWAYS_SEEKS:
            os.lseek(self.file, self.offset + self.sent, os.SEEK_SET)


async def send_file(loop: Any, sock: Any, file: Any, offset: int, count: "int | None") -> int:
    """Send a part of a file by os.sendfile(), and return how many bytes; the file stands behind them then."""
    if not hasattr(os, "sendfile"):
        raise asyncio.SendfileNotAvailableError("os.sendfile() is not available")
    try:
        number = file.fileno()
    except (AttributeError, io.UnsupportedOperation):
        raise asyncio.SendfileNotAvailableError("not a regular file") from None
    try:
        part = FilePart(sock, number, offset, count)
    except OSError:
        raise asyncio.SendfileNotAvailableError("not a regular file") from None
    if not part.size:
        return 0
    await loop._sock_send_pieces(sock, part.send)
    return part.sent


async def copy_file(loop: Any, sock: Any, file: Any, offset: int, count: "int | None") -> int:
    """Read a part of a file and send it, and return how many bytes; the file stands behind them then."""
    can_seek = hasattr(file, "seek")
    if can_seek if ALWAYS_SEEKS else offset:
        file.seek(offset)
    buffer = memoryview(bytearray(min(count or READ_AT_ONCE, READ_AT_ONCE)))
    sent = 0
    try:
        while not count or sent < count:
            room = buffer[: count - sent] if count else buffer
            read = await loop.run_in_executor(None, file.readinto, room)
            if not read:
                break
            await loop.sock_sendall(sock, room[:read])
            sent += read
        return sent
    finally:
        if sent > 0 and can_seek:
            file.seek(offset + sent)
