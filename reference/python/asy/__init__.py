# SPDX-License-Identifier: MIT
"""asy: an asyncio event loop written in C, which behaves as CPython's own does.

    asyncio.run(main(), loop_factory=asy.new_event_loop)          # Python 3.12 and later
    with asyncio.Runner(loop_factory=asy.new_event_loop) as runner:
        runner.run(main())

The loop, its handles and its timers are C (asy._asy); futures and tasks are asyncio's.  Those of a NativeEventLoop
are the library's: asy.Future and asy.Task.  ``await asy.sleep(delay)`` works in both.  What is here besides is
what the interpreter and the logging module know better than C: ``_running`` keeps the async generators,
``_executors`` the default executor, ``_sockets`` resolves names, ``_pipes`` connects pipes, ``_host`` logs,
``_format`` writes texts for people.

Methods of ``asyncio.AbstractEventLoop`` that are not there raise NotImplementedError.
"""

import asyncio
import importlib
import warnings
from collections.abc import Callable
from typing import Any

from . import _host
from ._asy import Coroutine, Future, Loop, Task, sleep
from ._executors import Executors
from ._pipes import Pipes
from ._running import Running
from ._sockets import SendingFiles, Sockets

__all__ = (
    "Coroutine",
    "EventLoop",
    "Future",
    "NativeEventLoop",
    "Task",
    "new_event_loop",
    "new_native_event_loop",
    "new_poll_event_loop",
    "new_select_event_loop",
    "sleep",
)


class EventLoop(  # type: ignore[misc]
    Loop, Sockets, SendingFiles, Pipes, Running, Executors, asyncio.AbstractEventLoop
):
    """An event loop over the selector that is named "epoll", "poll" or "select"; None is the best there is.

    Raises ValueError or TypeError for another selector, OSError when no descriptors are left.

    Spec: AbstractEventLoop.base, get_event_loop.implements-interface
    """

    _native = False

    def __init__(self, selector: "str | None" = None) -> None:
        Running.__init__(self)
        Loop.__init__(self, selector, debug=_host.debug_at_start(), native=self._native)

    def close(self) -> None:
        """Forget every callback, release the descriptors, and shut down the default executor without waiting.

        Does nothing if the loop is closed.  Raises RuntimeError if it runs.

        Spec: close.executor-nowait, close.idempotent
        """
        if not self.is_closed():
            super().close()
            self._close_default_executor()

    def __del__(self, _warn: "Callable[..., Any]" = warnings.warn) -> None:
        if not self.is_closed():
            _warn(f"unclosed event loop {self!r}", ResourceWarning, source=self)
            if not self.is_running():
                self.close()


class NativeEventLoop(EventLoop):
    """An event loop whose create_future() and create_task() return the library's own objects.

    They are asy.Future and asy.Task, which are no instances of asyncio's; asyncio's functions accept them.
    """

    _native = True


def new_event_loop() -> EventLoop:
    """Return a new loop over the best selector of this platform."""
    return EventLoop()  # type: ignore[abstract]


def new_native_event_loop() -> NativeEventLoop:
    """Return a new loop over the best selector of this platform, with futures and tasks of the library."""
    return NativeEventLoop()  # type: ignore[abstract]


def new_poll_event_loop() -> EventLoop:
    """Return a new loop over poll(2)."""
    return EventLoop("poll")  # type: ignore[abstract]


def new_select_event_loop() -> EventLoop:
    """Return a new loop over select(2)."""
    return EventLoop("select")  # type: ignore[abstract]


def __getattr__(name: str) -> Any:
    """Import EventLoopPolicy when it is asked for: from Python 3.14 on, its mere definition warns."""
    if name != "EventLoopPolicy":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module("._policy", __name__).EventLoopPolicy
