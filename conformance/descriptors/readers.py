# SPDX-License-Identifier: MIT
"""add_reader: when the callback runs, how often, with which arguments."""

import contextlib
import contextvars
import functools
import os
import socket

from loopcheck_target import scenario

NEEDS = ["descriptors/example_receives_what_the_peer_sends"]  # each scenario of this file

place = contextvars.ContextVar("place", default="unset")


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


@scenario(statements=["example.add_reader", "remove_reader.from-callback"])
def example_receives_what_the_peer_sends(loop, trace, T):
    """The documentation's example: a reader receives, removes itself and stops the loop."""
    with socket_pair() as (ours, theirs):

        def reader():
            trace("received", ours.recv(100).decode())
            loop.remove_reader(ours)
            loop.stop()

        loop.add_reader(ours, reader)
        loop.call_soon(theirs.send, b"abc")
        run_bounded(loop, T)
    trace("stopped")


@scenario(statements=["add_reader.calls-when-readable"])
def reader_runs_each_time_the_peer_has_sent(loop, trace, T):
    """The callback runs once there is something to read, not before, and again for what comes later."""
    with socket_pair() as (ours, theirs):

        def send(data):
            trace("sending", data)
            theirs.send(data)

        loop.add_reader(ours, lambda: trace("readable", ours.recv(100)))
        now = loop.time()
        loop.call_at(now + T, send, b"first")
        loop.call_at(now + 5 * T, send, b"second")
        loop.call_at(now + 20 * T, loop.stop)
        loop.run_forever()
        loop.remove_reader(ours)
    trace("stopped")


@scenario(statements=["add_reader.args", "add_reader.partial"])
def reader_gets_arguments(loop, trace, T):
    """Extra positional arguments go to the callback; keywords need functools.partial()."""
    with socket_pair() as (ours, theirs):

        def readable(*args, **kwargs):
            trace("readable", args, kwargs)
            loop.remove_reader(ours)
            loop.stop()

        theirs.send(b"data")
        with_keyword = functools.partial(readable, key=2)
        for callback, args in ((readable, ()), (readable, (1, None)), (with_keyword, (1,))):
            loop.add_reader(ours, callback, *args)
            run_bounded(loop, T)
    trace("stopped")


@scenario(statements=["add_reader.partial"])
def reader_takes_no_keywords(loop, trace):
    """add_reader() does not accept keyword arguments for the callback."""
    with socket_pair() as (ours, _):
        try:
            loop.add_reader(ours, trace, "readable", key=2)
        except Exception as exc:
            trace("refused", exc)


@scenario(statements=["add_reader.level-triggered"])
def reader_repeats_while_data_remain(loop, trace, T):
    """The callback runs again and again while there is unread data."""
    with socket_pair() as (ours, theirs):

        def readable():
            data = ours.recv(1)
            trace("readable", data)
            if data == b"c":
                loop.remove_reader(ours)
                loop.stop()

        loop.add_reader(ours, readable)
        theirs.send(b"abc")
        run_bounded(loop, T)
    trace("stopped")


@scenario(statements=["add_reader.replace"])
def second_reader_replaces_the_first(loop, trace, T):
    """Registering a descriptor again replaces its callback."""
    with socket_pair() as (ours, theirs):
        loop.add_reader(ours, trace, "first reader")
        loop.add_reader(ours, lambda: trace("second reader", ours.recv(10)))
        theirs.send(b"data")
        run_bounded(loop, T)
        loop.remove_reader(ours)
    trace("stopped")


@scenario(statements=["add_reader.eof-readable"])
def end_of_file_is_readable(loop, trace, T):
    """A socket whose peer has closed is readable: recv() returns b""."""
    with socket_pair() as (ours, theirs):

        def readable():
            data = ours.recv(10)
            trace("readable", data)
            if not data:
                loop.remove_reader(ours)
                loop.stop()

        loop.add_reader(ours, readable)
        theirs.send(b"last words")
        theirs.close()
        run_bounded(loop, T)
    trace("stopped")


@scenario(statements=["add_reader.eof-readable"])
def end_of_a_pipe_is_readable(loop, trace, T):
    """The reading end of a pipe is readable when data arrive and when the last writer has gone."""
    ours, theirs = os.pipe()

    def readable():
        data = os.read(ours, 10)
        trace("readable", data)
        if data:
            os.close(theirs)
        else:
            loop.remove_reader(ours)
            loop.stop()

    loop.add_reader(ours, readable)
    os.write(theirs, b"data")
    run_bounded(loop, T)
    os.close(ours)
    trace("stopped")


@scenario(statements=["call_soon.reentrant-fair"])
def busy_callbacks_do_not_starve_a_reader(loop, trace):
    """A callback that keeps scheduling itself does not keep a reader from running."""
    with socket_pair() as (ours, theirs):

        def readable():
            trace("readable", ours.recv(10))
            loop.stop()

        def spin(turns_left):
            if turns_left:
                loop.call_soon(spin, turns_left - 1)
            else:
                trace("starved")
                loop.stop()

        loop.add_reader(ours, readable)
        theirs.send(b"data")
        loop.call_soon(spin, 1000)
        loop.run_forever()
        loop.remove_reader(ours)
    trace("stopped")


@scenario(statements=["add_reader.context"])
def reader_runs_in_the_context_of_its_registration(loop, trace, T):
    """The callback runs in the context in which add_reader() was called."""
    with socket_pair() as (ours, theirs):

        def readable():
            trace("readable", place.get())
            loop.remove_reader(ours)
            loop.stop()

        def register():
            place.set("registration")
            loop.add_reader(ours, readable)

        contextvars.copy_context().run(register)
        place.set("run")
        theirs.send(b"data")
        run_bounded(loop, T)


@scenario(basis="observed: an error in a reader must not silence a connection")
def failing_reader_stays_registered(loop, trace, T):
    """A reader that raises is reported and runs again for the rest of the data."""
    with socket_pair() as (ours, theirs):

        def readable():
            data = ours.recv(1)
            trace("readable", data)
            if data == b"b":
                loop.remove_reader(ours)
                loop.stop()
            raise LookupError("on purpose")

        loop.set_exception_handler(lambda loop, context: trace("report", context["exception"]))
        loop.add_reader(ours, readable)
        theirs.send(b"ab")
        run_bounded(loop, T)


@scenario(statements=["run_forever.stop-during.batch-completes"])
def stopping_reader_does_not_run_again(loop, trace, T):
    """When a reader calls stop(), the run ends with this batch, although its data are still unread."""
    with socket_pair() as (ours, theirs):

        def readable():
            trace("readable")
            loop.stop()

        loop.add_reader(ours, readable)
        theirs.send(b"data")
        run_bounded(loop, T)
        trace("stopped")
        run_bounded(loop, T)
        trace("stopped")
        loop.remove_reader(ours)
