# SPDX-License-Identifier: MIT
"""What socket objects know better than C: whether they can be used, and what their addresses mean.

An address of the Internet may have a name in the place of its number.  Numbers are told from names by
``inet_pton``, and only names are given to ``loop.getaddrinfo()``.
"""

import socket
import sys
from typing import Any


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
