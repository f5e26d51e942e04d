# SPDX-License-Identifier: MIT
"""add_writer: when the callback runs; readers and writers of one descriptor."""

import contextlib
import functools
import os
import socket

from loopcheck_target import scenario

NEEDS = ["descriptors/writer_runs_at_once_when_there_is_room"]  # each scenario of this file


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


def fill(write):
    """Write until there is no more room."""
    with contextlib.suppress(BlockingIOError):
        while True:
            write(bytes(65536))


def drain(sock):
    """Read until there is nothing left."""
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.recv(65536)


@scenario(statements=["add_writer.calls-when-writable"])
def writer_runs_at_once_when_there_is_room(loop, trace, T):
    """A fresh socket can be written to: the callback runs without anything having happened."""
    with socket_pair() as (ours, _):

        def writable():
            trace("writable")
            loop.remove_writer(ours)

        loop.add_writer(ours, writable)
        trace("registered")
        run_bounded(loop, T)
    trace("stopped")


@scenario(statements=["add_writer.calls-when-writable"])
def writer_waits_for_room(loop, trace, T):
    """While the socket is full the callback does not run; once the peer has read, it does."""
    with socket_pair() as (ours, theirs):

        def let_the_peer_read():
            trace("peer reads")
            drain(theirs)

        def writable():
            trace("writable")
            loop.remove_writer(ours)

        fill(ours.send)
        loop.add_writer(ours, writable)
        now = loop.time()
        loop.call_at(now + T, trace, "timer")
        loop.call_at(now + 5 * T, let_the_peer_read)
        loop.call_at(now + 15 * T, loop.stop)
        loop.run_forever()
    trace("stopped")


@scenario(statements=["add_writer.args", "add_writer.partial"])
def writer_gets_arguments(loop, trace, T):
    """Extra positional arguments go to the callback; keywords need functools.partial()."""
    with socket_pair() as (ours, _):

        def writable(*args, **kwargs):
            trace("writable", args, kwargs)
            loop.remove_writer(ours)
            loop.stop()

        with_keyword = functools.partial(writable, key=2)
        for callback, args in ((writable, ()), (writable, (1, None)), (with_keyword, (1,))):
            loop.add_writer(ours, callback, *args)
            run_bounded(loop, T)
    trace("stopped")


@scenario(statements=["add_writer.level-triggered"])
def writer_repeats_while_there_is_room(loop, trace, T):
    """The callback runs again and again while there is room."""
    with socket_pair() as (ours, theirs):
        left = [b"a", b"b", b"c"]

        def writable():
            trace("writable", ours.send(left.pop(0)))
            if not left:
                loop.remove_writer(ours)
                loop.stop()

        loop.add_writer(ours, writable)
        run_bounded(loop, T)
        trace("peer received", theirs.recv(10))


@scenario(statements=["add_writer.replace"])
def second_writer_replaces_the_first(loop, trace, T):
    """Registering a descriptor again replaces its callback."""
    with socket_pair() as (ours, _):

        def second():
            trace("second writer")
            loop.remove_writer(ours)

        loop.add_writer(ours, trace, "first writer")
        loop.add_writer(ours, second)
        run_bounded(loop, T)
    trace("stopped")


@scenario(statements=["reader-writer.independent"])
def removing_the_reader_leaves_the_writer(loop, trace, T):
    """Removing the reader of a descriptor leaves its writer."""
    with socket_pair() as (ours, theirs):

        def writable():
            trace("writable")
            loop.remove_writer(ours)

        loop.add_reader(ours, trace, "readable")
        loop.add_writer(ours, writable)
        loop.remove_reader(ours)
        theirs.send(b"data")
        run_bounded(loop, T)
    trace("stopped")


@scenario(statements=["reader-writer.independent"])
def removing_the_writer_leaves_the_reader(loop, trace, T):
    """Removing the writer of a descriptor leaves its reader."""
    with socket_pair() as (ours, theirs):

        def readable():
            trace("readable", ours.recv(10))
            loop.remove_reader(ours)

        loop.add_reader(ours, readable)
        loop.add_writer(ours, trace, "writable")
        loop.remove_writer(ours)
        theirs.send(b"data")
        run_bounded(loop, T)
    trace("stopped")


@scenario(basis="observed: what a peer said before is seen before more is written to it")
def reader_runs_before_writer(loop, trace, T):
    """When a descriptor is ready for both, its reader runs before its writer, whichever was added first."""
    with socket_pair() as (ours, theirs):

        def writable():
            trace("writable")
            loop.remove_writer(ours)
            loop.stop()

        loop.add_writer(ours, writable)
        loop.add_reader(ours, lambda: trace("readable", ours.recv(10)))
        theirs.send(b"data")
        run_bounded(loop, T)
        loop.remove_reader(ours)


@scenario(basis="observed: a reader that closes a socket must keep its writer from running after that")
def reader_can_remove_a_queued_writer(loop, trace, T):
    """When both are ready and the reader removes the writer, the writer does not run."""
    with socket_pair() as (ours, theirs):

        def readable():
            trace("readable", ours.recv(10))
            loop.remove_writer(ours)

        loop.add_reader(ours, readable)
        loop.add_writer(ours, trace, "writable")
        theirs.send(b"data")
        run_bounded(loop, T)
        loop.remove_reader(ours)
    trace("stopped")


@scenario(basis="observed: a writer must learn that nobody reads any more, full pipe or not")
def writer_of_a_broken_pipe_runs(loop, trace, T):
    """When the last reader of a full pipe goes away, the writer's callback runs: write() fails."""
    theirs, ours = os.pipe()
    os.set_blocking(ours, False)

    def close_the_reading_end():
        trace("closing the reading end")
        os.close(theirs)

    def writable():
        try:
            os.write(ours, b"more")
        except OSError as exc:
            trace("writable", exc)
        loop.remove_writer(ours)

    fill(functools.partial(os.write, ours))
    loop.add_writer(ours, writable)
    loop.call_later(T, close_the_reading_end)
    run_bounded(loop, T)
    os.close(ours)
