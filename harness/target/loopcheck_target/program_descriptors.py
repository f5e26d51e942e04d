# SPDX-License-Identifier: MIT
"""What random programs do with descriptors: pairs of sockets, of which the loop watches the first.

A reader takes one byte at a time, so that what is left makes it run again; at the end of the stream it takes
itself away, as a writer does at once: no program is kept busy for ever.
"""

import socket
import time
from typing import Any, Callable, Dict, List, Set

from . import goals

Node = Dict[str, Any]


class DescriptorOperations:
    """The part of a program that concerns descriptors."""

    loop: Any
    reached: Set[str]
    event: Callable[..., None]
    execute: Callable[[Any], None]
    _due: Dict[int, float]
    _pairs: Dict[int, Any]
    _unread: Dict[int, int]
    _readers: Dict[int, int]

    def _pair(self, number: int) -> Any:
        if number not in self._pairs:
            self._pairs[number] = socket.socketpair()
            self._unread[number] = 0
            for end in self._pairs[number]:
                end.setblocking(False)
        return self._pairs[number]

    def _do_add_reader(self, node: Node) -> None:
        number, label = node["pair"], "reader %d" % node["id"]
        watched = self._pair(number)[0]
        calls: List[bytes] = []

        def reader(*args: Any) -> None:
            data = watched.recv(1)
            calls.append(data)
            self._unread[number] -= len(data)
            self._note_reader(data, len(calls))
            self.event(label, *args, len(data))
            if not data:
                self.loop.remove_reader(watched)
            if len(calls) == 1:
                self.execute(node["body"])

        if number in self._readers:
            self.reached.add(goals.READER_REPLACED)
        self._readers[number] = node["id"]
        self.loop.add_reader(watched, reader, *node.get("args", ()))

    def _note_reader(self, data: bytes, calls: int) -> None:
        if not data:
            self.reached.add(goals.END_OF_FILE)
        if calls > 1:
            self.reached.add(goals.READER_AGAIN)
        if self._due and min(self._due.values()) <= time.monotonic():
            self.reached.add(goals.READER_AND_TIMER)

    def _do_remove_reader(self, node: Node) -> None:
        number = node["pair"]
        if self._readers.pop(number, None) is not None and self._unread[number]:
            self.reached.add(goals.READER_REMOVED_READY)
        self.event("remove_reader %d" % number, self.loop.remove_reader(self._pair(number)[0]))

    def _do_add_writer(self, node: Node) -> None:
        label, watched = "writer %d" % node["id"], self._pair(node["pair"])[0]

        def writer(*args: Any) -> None:
            self.reached.add(goals.WRITER)
            self.event(label, *args)
            self.loop.remove_writer(watched)
            self.execute(node["body"])

        self.loop.add_writer(watched, writer, *node.get("args", ()))

    def _do_remove_writer(self, node: Node) -> None:
        watched = self._pair(node["pair"])[0]
        self.event("remove_writer %d" % node["pair"], self.loop.remove_writer(watched))

    def _do_send(self, node: Node) -> None:
        pair = self._pair(node["pair"])
        try:
            self._unread[node["pair"]] += pair[1].send(b"x" * node["size"])
        except OSError:
            pass  # it has been shut

    def _do_shut(self, node: Node) -> None:
        self._pair(node["pair"])[1].shutdown(socket.SHUT_WR)
