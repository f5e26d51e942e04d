# SPDX-License-Identifier: MIT
"""What Python knows better than C of sockets: whether they can be used, what addresses mean, files.

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

READ_AT_ONCE = 256 * 1024  # bytes
ALWAYS_SEEKS = sys.version_info >= (3, 14)  # before, not to offset 0, nor where nothing was sent
MOST_AT_ONCE = sys.maxsize // 2 + 1  # what os.sendfile() takes where addresses are short


def check_socket(sock: Any, debug: bool) -> None:
    """Raise TypeError for a TLS socket, and in debug mode ValueError for one that may block.

    A socket can be of class ssl.SSLSocket only where somebody has imported that module.
    """
    ssl = sys.modules.get("ssl")
    if ssl is not None and isinstance(sock, ssl.SSLSocket):
        raise TypeError("Socket cannot be of type SSLSocket")
    if debug and sock.gettimeout() != 0:
        raise ValueError("the socket must be non-blocking")


class Sockets:
    """The methods of a loop on sockets that are not C, or not only."""

    async def sock_connect(self: Any, sock: Any, address: Any) -> None:
        """Connect a socket to an address, which is resolved first if it has to be.

        Spec: sock_connect.resolves
        """
        check_socket(sock, self.get_debug())
        if sock.family in INTERNET:
            address = await resolve(self, sock, address)
        await self._sock_connect(sock, address)

    async def sock_sendfile(
        self: Any, sock: Any, file: Any, offset: int = 0, count: "int | None" = None, *, fallback: bool = True
    ) -> int:
        """Send a file, or so many bytes from its offset on, and return how many were sent.

        Spec: sock_sendfile.fallback-true
        """
        check_socket(sock, self.get_debug())
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
    resolved = numeric_address(sock, host, port, *address[2:])
    if resolved is not None:
        return resolved
    infos = await loop.getaddrinfo(host, port, family=sock.family, type=sock.type, proto=sock.proto, flags=0)
    return infos[0][4]


def numeric_address(
    sock: Any, host: Any, port: Any, flowinfo: int = 0, scopeid: int = 0
) -> "tuple[Any, ...] | None":
    """Return the address if neither host nor port need resolving, otherwise None."""
    if sock.proto not in {0, socket.IPPROTO_TCP, socket.IPPROTO_UDP} or host is None:
        return None
    if sock.type not in {socket.SOCK_STREAM, socket.SOCK_DGRAM}:
        return None
    try:
        number = 0 if port is None or is_empty(port) else int(port)
    except (TypeError, ValueError):
        return None
    if isinstance(host, bytes):
        host = host.decode("idna")
    if "%" in host or not is_numeric(sock.family, host):
        return None
    return (host, number, flowinfo, scopeid) if sock.family == socket.AF_INET6 else (host, number)


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
        self.size = count or os.fstat(file).st_size
        self.sent = 0

    def send(self) -> bool:
        """Send a piece, and return whether there are no more.

        Raises SendfileNotAvailableError if the system cannot send even the first one, BlockingIOError if the
        socket is not ready, OSError.
        """
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


async def send_file(loop: Any, sock: Any, file: Any, offset: int, count: "int | None") -> int:
    """Send a part of a file by os.sendfile(), and return how many bytes; the file stands behind them then."""
    if not hasattr(os, "sendfile"):
        raise asyncio.SendfileNotAvailableError("os.sendfile() is not available")
    try:
        part = FilePart(sock, file.fileno(), offset, count)
    except (AttributeError, OSError, io.UnsupportedOperation):
        raise asyncio.SendfileNotAvailableError("not a regular file") from None
    if not part.size:
        return 0
    try:
        await loop._sock_send_pieces(sock, part.send)
    finally:
        if part.sent or ALWAYS_SEEKS:
            os.lseek(part.file, offset + part.sent, os.SEEK_SET)
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
