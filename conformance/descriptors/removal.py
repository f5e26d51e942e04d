# SPDX-License-Identifier: MIT
"""remove_reader and remove_writer: what stops, what is cancelled, what is returned."""

import contextlib
import socket

from loopcheck_target import scenario

NEEDS = [  # each scenario of this file
    "descriptors/example_receives_what_the_peer_sends",
    "descriptors/writer_runs_at_once_when_there_is_room",
]


@contextlib.contextmanager
def socket_pair():
    """Two connected non-blocking sockets, closed at the end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


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


@scenario(statements=["remove_writer.returns-false"])
def remove_writer_returns_false_otherwise(loop, trace):
    """remove_writer() returns False for a descriptor that is not watched, or only for reading."""
    with socket_pair() as (ours, _):
        trace("never added", loop.remove_writer(ours))
        loop.add_reader(ours, trace, "readable")
        trace("only a reader", loop.remove_writer(ours))
        loop.remove_reader(ours)
        loop.close()
        trace("closed loop", loop.remove_writer(ours))


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
