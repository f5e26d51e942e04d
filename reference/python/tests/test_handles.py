# SPDX-License-Identifier: MIT
"""Handles: their types, their attributes, and what they let go of."""

import asyncio
import gc
import sys
import weakref
from typing import Any

import pytest


def test_handles_are_asyncios(loop: Any) -> None:
    handle, timer, threadsafe = (
        loop.call_soon(print),
        loop.call_later(1, print),
        loop.call_soon_threadsafe(print),
    )
    assert isinstance(handle, asyncio.Handle) and not isinstance(handle, asyncio.TimerHandle)
    assert isinstance(timer, asyncio.TimerHandle) and isinstance(timer, type(handle))
    assert isinstance(threadsafe, type(handle))


@pytest.mark.parametrize("kind", ["call_soon", "call_later"])
def test_no_public_method_is_asyncios_own(loop: Any, kind: str) -> None:
    handle = loop.call_soon(print) if kind == "call_soon" else loop.call_later(1, print)
    base = asyncio.TimerHandle if kind == "call_later" else asyncio.Handle
    slots = {"__repr__"} | (
        {"__eq__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__"} if kind == "call_later" else set()
    )
    names = {name for name in dir(base) if not name.startswith("_")} | slots
    for name in names:
        assert getattr(type(handle), name) is not getattr(base, name), name


def test_no_method_of_the_loop_is_asyncios_but_those_that_are_not_implemented(loop: Any) -> None:
    for name in dir(loop):
        method = getattr(type(loop), name, None)
        module = getattr(method, "__module__", None) or ""
        if module.startswith("asyncio") and not name.startswith("_"):
            assert method is getattr(asyncio.AbstractEventLoop, name), name


def test_underscored_attributes_are_there_to_read(loop: Any) -> None:
    handle = loop.call_soon(print, 1, 2)
    assert (handle._callback, handle._args, handle._loop) == (print, (1, 2), loop)
    assert (handle._cancelled, handle._source_traceback, handle._repr) == (False, None, None)
    handle.cancel()
    assert (handle._callback, handle._args, handle._cancelled) == (None, None, True)
    with pytest.raises(AttributeError):
        handle._loop = None


def test_debug_mode_keeps_the_place_and_the_text(loop: Any) -> None:
    loop.set_debug(True)
    for handle in (loop.call_soon(print, "x"), loop.call_later(1, print, "x")):
        assert handle._source_traceback[-1].filename == __file__
        handle.cancel()
        assert "print('x') created at" in repr(handle) and "cancelled" in repr(handle)


def test_handles_cannot_be_made_or_derived_from(loop: Any) -> None:
    for handle in (loop.call_soon(print), loop.call_later(1, print)):
        with pytest.raises(TypeError):
            type(handle)(print, (), loop)
        with pytest.raises(TypeError):
            type("Derived", (type(handle),), {})
        with pytest.raises(TypeError):
            type("Derived", (asyncio.TimerHandle, type(handle)), {})


def test_when_is_what_was_given(loop: Any) -> None:
    moment = int(loop.time()) + 1000
    assert loop.call_at(moment, print).when() is moment


def test_timers_compare_by_deadline(loop: Any) -> None:
    early, late = loop.call_at(1e9, print), loop.call_at(2e9, print)
    twin = loop.call_at(1e9, print)
    foreign = asyncio.TimerHandle(1e9, print, (), loop)
    assert early < late and late > early and early <= twin and early >= twin and early != late
    assert early == twin and early == foreign and hash(early) == hash(twin) == hash(1e9)
    twin.cancel()
    assert early != twin
    with pytest.raises(TypeError):
        early < 1  # noqa: B015


def test_callback_may_cancel_its_own_handle(loop: Any) -> None:
    handles: list[Any] = []
    ran: list[int] = []

    def callback(item: object) -> None:
        handles[0].cancel()
        gc.collect()
        ran.append(sys.getrefcount(item))

    handles.append(loop.call_soon(callback, object()))
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert len(ran) == 1 and handles[0].cancelled()


class Thing:
    """Something that can be seen to go."""


def test_cancel_lets_go_of_callback_and_arguments(loop: Any) -> None:
    thing = Thing()
    gone = weakref.ref(thing)
    handle = loop.call_later(1, print, thing)
    del thing
    assert gone() is not None
    handle.cancel()
    assert gone() is None


def test_handle_can_be_referenced_weakly(loop: Any) -> None:
    handle = loop.call_later(1, print)
    reference = weakref.ref(handle)
    assert reference() is handle
    handle.cancel()
    del handle
    loop.close()
    assert reference() is None
