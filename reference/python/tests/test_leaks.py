# SPDX-License-Identifier: MIT
"""No reference is lost: what nobody uses any more goes, through every cycle, and nothing grows with use."""

import asyncio
import gc
import os
import socket
import sys
import weakref
from collections.abc import Callable
from typing import Any

import asy
import pytest


class Thing:
    """Something that can be seen to go, and that can be watched: it has a descriptor."""

    def __init__(self) -> None:
        self.descriptor, self.other_end = os.pipe()

    def fileno(self) -> int:
        """Return what can be read from."""
        return self.descriptor

    def __del__(self) -> None:
        os.close(self.descriptor)
        os.close(self.other_end)


def fill(loop: Any, thing: Thing) -> None:
    """Queue, schedule and watch, so that every structure of the loop leads to thing and back to the loop."""
    thing.loop = loop  # type: ignore[attr-defined]
    thing.handles = [  # type: ignore[attr-defined]
        loop.call_soon(print, thing),
        loop.call_later(1, print, thing),
        loop.call_soon_threadsafe(print, thing),
    ]
    loop.add_reader(thing, print, thing)
    loop.add_writer(thing.other_end, lambda: thing)
    loop.set_exception_handler(lambda loop, context: thing)
    loop.set_task_factory(lambda loop, coroutine, **keywords: thing)


def collect() -> "list[Any]":
    """Collect garbage, and return the things and loops that are left."""
    gc.collect()
    return [each for each in gc.get_objects() if type(each) is Thing or isinstance(each, asy.Loop)]


def test_cycle_of_a_closed_loop_is_collected() -> None:
    assert collect() == []
    loop = asy.new_event_loop()
    fill(loop, Thing())
    loop.close()
    del loop
    assert collect() == []


def test_cycle_of_a_loop_that_is_not_closed_is_collected_with_a_warning() -> None:
    fill(asy.new_event_loop(), Thing())
    with pytest.warns(ResourceWarning, match="unclosed event loop <EventLoop") as caught:
        gc.collect()
    caught.list.clear()  # it holds the loop
    assert collect() == []


def test_cycle_of_a_plain_loop_is_collected_and_its_descriptors_are_closed() -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    fill(asy.Loop(), Thing())
    assert len(os.listdir("/proc/self/fd")) > descriptors
    assert collect() == []
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_handle_keeps_its_loop_alive() -> None:
    loop = asy.new_event_loop()
    handle = loop.call_later(1, print)
    loop.close()
    end = weakref.ref(loop)
    del loop
    gc.collect()
    assert end() is not None and handle._loop is end()
    handle.cancel()
    del handle
    assert end() is None


USES = 300


def growth(use: Callable[[], None]) -> int:
    """Return by how many memory blocks USES uses grow the process at least, in one of several rounds.

    What a use loses once more each time is USES blocks in every round; caches fill up in some rounds only.
    """
    smallest = sys.maxsize
    for _ in range(5):
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(USES):
            use()
        gc.collect()
        smallest = min(smallest, sys.getallocatedblocks() - before)
    return smallest


def fail(*args: Any) -> None:
    raise ValueError


async def program() -> None:
    await asyncio.gather(*[asyncio.sleep(0) for _ in range(3)])


def use_handles(loop: Any) -> None:
    loop.call_soon(int, 1)
    loop.call_later(0, int)
    loop.call_soon_threadsafe(int).cancel()
    loop.call_later(1000, int).cancel()
    loop.call_soon(loop.stop)
    loop.run_forever()


def use_errors(loop: Any) -> None:
    loop.set_exception_handler(lambda *args: None)
    loop.call_soon(fail)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.set_exception_handler(None)
    for call, error in [
        (loop.call_soon, TypeError),
        (lambda: loop.call_soon(print, x=1), TypeError),
        (lambda: loop.add_reader(-1, print), ValueError),
        (lambda: loop.remove_reader("x"), ValueError),
        (lambda: loop.call_later("x", print), TypeError),
    ]:
        with pytest.raises(error):
            call()


def use_descriptors(loop: Any) -> None:
    ours, theirs = socket.socketpair()
    theirs.send(b"x")
    loop.add_reader(ours, loop.stop)
    loop.add_reader(ours, loop.stop)
    loop.add_writer(theirs.fileno(), int)
    loop.run_forever()
    loop.remove_reader(ours)
    loop.remove_writer(theirs)
    ours.close()
    theirs.close()


def use_debug(loop: Any) -> None:
    loop.set_debug(True)
    loop.call_later(1000, int).cancel()
    loop.call_soon(int)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.set_debug(False)


def use_tasks(loop: Any) -> None:
    loop.run_until_complete(program())
    with pytest.raises(ValueError):
        loop.run_until_complete(failing())


async def failing() -> None:
    raise ValueError


@pytest.mark.parametrize("use", [use_handles, use_errors, use_descriptors, use_debug, use_tasks])
def test_use_loses_no_memory(loop: Any, use: "Callable[[Any], None]") -> None:
    assert growth(lambda: use(loop)) < USES / 3


def test_making_loops_loses_no_memory() -> None:
    assert growth(lambda: asy.new_event_loop().close()) < USES / 3


def test_references_of_long_lived_objects_stay_the_same(loop: Any) -> None:
    watched = [
        None,
        loop,
        type(loop.call_soon(int)),
        type(loop.call_later(0, int)),
        asyncio.Future,
        asyncio.Task,
        (),
    ]
    uses = (use_handles, use_errors, use_debug, use_tasks)
    for use in uses:
        use(loop)
    gc.collect()
    before = [sys.getrefcount(each) for each in watched]
    for _ in range(100):
        for use in uses:
            use(loop)
    gc.collect()
    after = [sys.getrefcount(each) for each in watched]
    assert all(abs(b - a) < 50 for a, b in zip(before, after, strict=True)), (before, after)
