# SPDX-License-Identifier: MIT
"""remove_reader and remove_writer, and the descriptors that a loop refuses to watch."""

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


def attempt(trace, name, function):
    """Trace what function() returned, or the class of what it raised: the text can name a descriptor."""
    try:
        trace(name, function())
    except Exception as exc:
        trace(name, type(exc))


@scenario(statements=["remove_reader.stops"])
def removed_reader_does_not_run(loop, trace, T):
    """After remove_reader() the callback does not run, whatever arrives."""
    with socket_pair() as (ours, theirs):
        loop.add_reader(ours, trace, "readable")
        loop.remove_reader(ours)
        theirs.send(b"data")
        now = loop.time()
        loop.call_at(now + 3 * T, trace, "timer")
        loop.call_at(now + 15 * T, loop.stop)
        loop.run_forever()
        trace("unread", ours.recv(10))


@scenario(statements=["remove_writer.stops"])
def removed_writer_does_not_run(loop, trace, T):
    """After remove_writer() the callback does not run."""
    with socket_pair() as (ours, _):
        loop.add_writer(ours, trace, "writable")
        loop.remove_writer(ours)
        now = loop.time()
        loop.call_at(now + 3 * T, trace, "timer")
        loop.call_at(now + 15 * T, loop.stop)
        loop.run_forever()


@scenario(statements=["remove_reader.from-callback"])
def reader_removes_itself(loop, trace, T):
    """A reader that removes itself does not run again, although its data are still there."""
    with socket_pair() as (ours, theirs):

        def readable():
            trace("readable")
            loop.remove_reader(ours)

        loop.add_reader(ours, readable)
        theirs.send(b"data")
        loop.call_later(15 * T, loop.stop)
        loop.run_forever()
        trace("unread", ours.recv(10))


@scenario(statements=["remove_reader.returns-true"])
def remove_reader_returns_true_for_a_watched_descriptor(loop, trace):
    """remove_reader() returns True if the descriptor was watched."""
    with socket_pair() as (ours, _):
        loop.add_reader(ours, trace, "readable")
        trace("number", loop.remove_reader(ours.fileno()))
        loop.add_reader(ours, trace, "readable")
        trace("socket", loop.remove_reader(ours))


@scenario(statements=["remove_reader.returns-false"])
def remove_reader_returns_false_otherwise(loop, trace):
    """remove_reader() returns False for a descriptor that is not watched, or only for writing."""
    with socket_pair() as (ours, _):
        trace("never added", loop.remove_reader(ours))
        loop.add_reader(ours, trace, "readable")
        loop.remove_reader(ours)
        trace("removed before", loop.remove_reader(ours))
        loop.add_writer(ours, trace, "writable")
        trace("only a writer", loop.remove_reader(ours))
        loop.remove_writer(ours)
        loop.close()
        trace("closed loop", loop.remove_reader(ours))


@scenario(statements=["remove_writer.returns-true"])
def remove_writer_tells_whether_it_was_watched(loop, trace):
    """remove_writer() returns True if the descriptor was watched, and False the second time."""
    with socket_pair() as (ours, _):
        loop.add_writer(ours, trace, "writable")
        trace("first", loop.remove_writer(ours))
        trace("second", loop.remove_writer(ours))


@scenario(statements=["remove_reader.cancels-queued"])
def removal_cancels_a_queued_reader(loop, trace, T):
    """Of two readers that are ready together and that remove each other, one runs."""
    with socket_pair() as (one, peer_of_one), socket_pair() as (other, peer_of_other):

        def readable(sock, rival):
            trace("one of them", sock.recv(10))
            loop.remove_reader(rival)

        loop.add_reader(one, readable, one, other)
        loop.add_reader(other, readable, other, one)
        peer_of_one.send(b"data")
        peer_of_other.send(b"data")
        loop.call_later(15 * T, loop.stop)
        loop.run_forever()
        loop.remove_reader(one)
        loop.remove_reader(other)
    trace("stopped")


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
