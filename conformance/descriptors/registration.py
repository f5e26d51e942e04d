# SPDX-License-Identifier: MIT
"""What can be watched: numbers, objects with a descriptor, and what a loop refuses."""

import asyncio
import contextlib
import os
import socket

from loopcheck_target import scenario


@contextlib.contextmanager
def socket_pair():
    """Two connected non-blocking sockets, closed at the end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


def run_bounded(loop, T):
    """Run the loop until a callback stops it, but not for long."""
    bound = loop.call_later(20 * T, loop.stop)
    loop.run_forever()
    bound.cancel()


class Owner:
    """An object with a descriptor, and nothing else."""

    def __init__(self, number):
        self.number = number

    def fileno(self):
        return self.number


def attempt(trace, name, function):
    """Trace what function() returned, or the class of what it raised: the text can name a descriptor."""
    try:
        trace(name, function())
    except Exception as exc:
        trace(name, type(exc))


@scenario(statements=["add_reader.fileobj"])
def descriptor_is_a_number_or_an_object(loop, trace, T):
    """A descriptor's number, a socket and any object with fileno() all stand for the same descriptor."""
    with socket_pair() as (ours, theirs):
        theirs.send(b"data")

        def readable(name):
            trace(name, ours.recv(1))
            loop.remove_reader(Owner(ours.fileno()))
            loop.stop()

        for name, fd in (("socket", ours), ("number", ours.fileno()), ("object", Owner(ours.fileno()))):
            loop.add_reader(fd, readable, name)
            run_bounded(loop, T)
        trace("unread", ours.recv(10))


@scenario(statements=["add_reader.no-result"])
def registration_returns_nothing(loop, trace):
    """add_reader() and add_writer() return None."""
    with socket_pair() as (ours, _):
        trace("add_reader", loop.add_reader(ours, trace, "readable"))
        trace("add_writer", loop.add_writer(ours, trace, "writable"))
        loop.remove_reader(ours)
        loop.remove_writer(ours)


@scenario(basis="observed: a descriptor's number is used again at once after close()")
def number_in_use_again_is_watched_anew(loop, trace, T):
    """When a number stands for another file after remove_reader(), a new reader sees that file."""
    with socket_pair() as (old, old_peer), socket_pair() as (new, new_peer):
        number = os.dup(old.fileno())
        loop.add_reader(number, trace, "old reader")
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.remove_reader(number)
        os.dup2(new.fileno(), number)
        loop.add_reader(number, lambda: trace("new reader", os.read(number, 10)))
        old_peer.send(b"old")
        new_peer.send(b"new")
        loop.call_later(15 * T, loop.stop)
        loop.run_forever()
        loop.remove_reader(number)
        os.close(number)
    trace("stopped")


@scenario(statements=["add_reader.bad-fd"])
def what_has_no_descriptor_is_refused(loop, trace):
    """An invalid descriptor is refused with ValueError."""
    closed = socket.socket()
    closed.close()
    attempt(trace, "an object", lambda: loop.add_reader(object(), trace, "readable"))
    attempt(trace, "a string", lambda: loop.add_reader("0", trace, "readable"))
    attempt(trace, "a closed socket", lambda: loop.add_reader(closed, trace, "readable"))
    attempt(trace, "a negative number", lambda: loop.add_reader(-1, trace, "readable"))


@scenario(statements=["add_reader.transport-owned"])
def descriptor_of_a_transport_is_refused(loop, trace):
    """A descriptor that a transport uses cannot be watched by hand: RuntimeError."""
    with socket_pair() as (ours, _):
        connecting = loop.connect_accepted_socket(asyncio.Protocol, ours)
        transport, _ = loop.run_until_complete(connecting)
        attempt(trace, "add_reader", lambda: loop.add_reader(ours.fileno(), trace, "readable"))
        attempt(trace, "remove_reader", lambda: loop.remove_reader(ours.fileno()))
        attempt(trace, "add_writer", lambda: loop.add_writer(ours.fileno(), trace, "writable"))
        attempt(trace, "remove_writer", lambda: loop.remove_writer(ours.fileno()))
        transport.close()
        loop.run_until_complete(asyncio.sleep(0))


@scenario(statements=["close.add_reader-raises"])
def closed_loop_watches_nothing(loop, trace):
    """On a closed loop add_reader() and add_writer() raise RuntimeError."""
    with socket_pair() as (ours, _):
        loop.add_reader(ours, trace, "readable")
        loop.close()
        attempt(trace, "add_reader", lambda: loop.add_reader(ours, trace, "readable"))
        attempt(trace, "add_writer", lambda: loop.add_writer(ours, trace, "writable"))
