# SPDX-License-Identifier: MIT
"""asy: an asyncio event loop written in C, which behaves as CPython's own does.

    asyncio.run(main(), loop_factory=asy.new_event_loop)          # Python 3.12 and later
    with asyncio.Runner(loop_factory=asy.new_event_loop) as runner:
        runner.run(main())

The loop, its handles and its timers are C (asy._asy); futures and tasks are asyncio's.  What is here besides is
what the interpreter and the logging module know better than C: ``_running`` keeps the async generators,
``_host`` logs, ``_format`` writes texts for people.

Methods of ``asyncio.AbstractEventLoop`` that are not there raise NotImplementedError.
"""

import asyncio
import warnings
from collections.abc import Callable
from typing import Any

from . import _host
from ._asy import Loop
from ._running import Running

__all__ = ("EventLoop", "new_event_loop", "new_poll_event_loop", "new_select_event_loop")


class EventLoop(Loop, Running, asyncio.AbstractEventLoop):  # type: ignore[misc]
    """An event loop over the selector that is named "epoll", "poll" or "select"; None is the best there is.

    Raises ValueError or TypeError for another selector, OSError when no descriptors are left.
    """

    def __init__(self, selector: "str | None" = None) -> None:
        Running.__init__(self)
        Loop.__init__(self, selector, debug=_host.debug_at_start())

    async def shutdown_default_executor(self, timeout: "float | None" = None) -> None:
        """Return at once: a loop without run_in_executor() never has an executor to shut down."""

    def __del__(self, _warn: "Callable[..., Any]" = warnings.warn) -> None:
        if not self.is_closed():
            _warn(f"unclosed event loop {self!r}", ResourceWarning, source=self)
            if not self.is_running():
                self.close()


def new_event_loop() -> EventLoop:
    """Return a new loop over the best selector of this platform."""
    return EventLoop()  # type: ignore[abstract]


def new_poll_event_loop() -> EventLoop:
    """Return a new loop over poll(2)."""
    return EventLoop("poll")  # type: ignore[abstract]


def new_select_event_loop() -> EventLoop:
    """Return a new loop over select(2)."""
    return EventLoop("select")  # type: ignore[abstract]
