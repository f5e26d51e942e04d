# SPDX-License-Identifier: MIT
"""Objects that descriptors are given as are kept while they are watched, and no longer.

What takes ``loop`` holds for asyncio's loop too.
"""

import gc
import os
import socket
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture
def loop(new_loop: "Callable[[], Any]") -> "Iterator[Any]":
    """A loop of either kind that is closed after the test."""
    loop = new_loop()
    yield loop
    loop.close()


def readable() -> "tuple[socket.socket, socket.socket]":
    """Return a socket that can be read, and its other end."""
    ours, theirs = socket.socketpair()
    theirs.send(b"x")
    return ours, theirs


def other_with_number(number: int) -> socket.socket:
    """Return a new socket that has this number, which no open descriptor has."""
    ours, theirs = socket.socketpair()
    theirs.close()
    if ours.fileno() != number:
        os.dup2(ours.fileno(), number)
        ours.close()
        ours = socket.socket(fileno=number)
    return ours


def run_once(loop: Any) -> None:
    """Run an iteration, and another one for what that has queued."""
    for _ in range(2):
        loop.call_soon(loop.stop)
        loop.run_forever()


def end_by_cancelling(loop: Any, watched: socket.socket) -> None:
    """Watch, and let the loop find that the handle was cancelled."""

    def fail() -> None:
        raise ValueError

    loop.set_exception_handler(lambda loop, context: context["handle"].cancel())
    loop.add_reader(watched, fail)
    run_once(loop)
    loop.set_exception_handler(None)


def end_by_removing(loop: Any, watched: socket.socket) -> None:
    """Watch, and remove by number, in the callback itself."""
    loop.add_reader(watched, lambda: loop.remove_reader(watched.fileno()))
    run_once(loop)


def end_by_failing(loop: Any, watched: socket.socket) -> None:
    """Watch for both purposes, and close the descriptor, so that the remove fails."""
    loop.add_reader(watched, print)
    loop.add_writer(watched, print)
    copy = os.dup(watched.fileno())
    os.close(watched.fileno())
    with pytest.raises(OSError, match="descriptor"):
        loop.remove_writer(watched.fileno())
    os.dup2(copy, watched.fileno())
    os.close(copy)


ENDS = [end_by_cancelling, end_by_removing, end_by_failing]


@pytest.mark.parametrize("end", ENDS)
def test_object_goes_when_its_watch_has_ended(loop: Any, end: "Callable[[Any, socket.socket], None]") -> None:
    watched, theirs = readable()
    gone = weakref.ref(watched)
    end(loop, watched)
    watched.close()
    del watched
    gc.collect()
    assert gone() is None
    theirs.close()


@pytest.mark.parametrize("end", ENDS)
def test_closed_object_whose_watch_has_ended_does_not_lead_to_its_number(
    loop: Any, end: "Callable[[Any, socket.socket], None]"
) -> None:
    watched, theirs = readable()
    number = watched.fileno()
    end(loop, watched)
    watched.close()
    other = other_with_number(number)
    loop.add_reader(number, print)
    loop.add_writer(number, print)
    for remove in (loop.remove_reader, loop.remove_writer):
        with pytest.raises(ValueError, match="Invalid file descriptor: -1"):
            remove(watched)
    assert loop.remove_reader(number) and loop.remove_writer(number)
    other.close()
    theirs.close()


def test_closed_object_can_be_removed_between_cancel_and_the_next_iteration(loop: Any) -> None:
    def fail() -> None:
        raise ValueError

    def end(_: Any, context: Any) -> None:
        context["handle"].cancel()
        watched.close()
        removed.append(loop.remove_reader(watched))

    removed: list[bool] = []
    watched, theirs = readable()
    loop.set_exception_handler(end)
    loop.add_reader(watched, fail)
    run_once(loop)
    assert removed == [True]
    theirs.close()


def test_closed_object_that_is_watched_for_one_purpose_is_known_for_the_other(loop: Any) -> None:
    watched, theirs = readable()
    loop.add_reader(watched, print)
    watched.close()
    assert loop.remove_writer(watched) is False and loop.remove_reader(watched) is True
    theirs.close()


def test_object_that_takes_the_place_of_another_is_the_one_that_is_known() -> None:
    import asy

    loop = asy.new_event_loop()
    first, theirs = readable()
    number = first.fileno()
    loop.add_reader(first, print)
    first.close()
    second = other_with_number(number)
    loop.add_reader(second, print)
    with pytest.raises(ValueError, match="Invalid file descriptor: -1"):
        loop.remove_reader(first)
    second.close()
    assert loop.remove_reader(second) is True
    theirs.close()
    loop.close()


def test_number_that_takes_the_place_of_an_object_lets_it_go() -> None:
    import asy

    loop = asy.new_event_loop()
    watched, theirs = readable()
    gone = weakref.ref(watched)
    loop.add_reader(watched, print)
    loop.add_reader(watched.fileno(), print)
    watched.close()
    with pytest.raises(ValueError, match="Invalid file descriptor: -1"):
        loop.remove_reader(watched)
    del watched
    assert gone() is None
    theirs.close()
    loop.close()
