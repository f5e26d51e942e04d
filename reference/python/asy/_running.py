# SPDX-License-Identifier: MIT
"""What surrounds a run in the interpreter: the running loop, async generators, the origin of coroutines.

The C loop calls ``_run_enter`` and ``_run_leave`` around every run.  In between, the interpreter tells the loop
about each async generator that is iterated for the first time, and about each that is collected before it ended;
so the loop can close them all in ``shutdown_asyncgens``.
"""

import asyncio
import sys
import warnings
import weakref
from collections.abc import AsyncGenerator
from typing import Any

COROUTINE_ORIGIN_DEPTH = 10


class Running:
    """The part of a loop that prepares the interpreter for its runs.  Its attributes belong to the loop."""

    def __init__(self) -> None:
        self._asyncgens: weakref.WeakSet[AsyncGenerator[Any, Any]] = weakref.WeakSet()
        self._asyncgens_shutdown_called = False
        self._hooks_outside: Any = None
        self._origin_tracking = False
        self._origin_depth_outside = 0

    def _run_enter(self: Any) -> None:
        self._set_coroutine_origin_tracking(self.get_debug())
        self._hooks_outside = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(
            firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook
        )
        asyncio._set_running_loop(self)

    def _run_leave(self: Any) -> None:
        asyncio._set_running_loop(None)
        self._set_coroutine_origin_tracking(False)
        if self._hooks_outside is not None:
            sys.set_asyncgen_hooks(*self._hooks_outside)
            self._hooks_outside = None

    def _set_coroutine_origin_tracking(self, enabled: bool) -> None:
        """In debug mode every coroutine remembers where it was made."""
        if enabled == self._origin_tracking:
            return
        if enabled:
            self._origin_depth_outside = sys.get_coroutine_origin_tracking_depth()
            sys.set_coroutine_origin_tracking_depth(COROUTINE_ORIGIN_DEPTH)
        else:
            sys.set_coroutine_origin_tracking_depth(self._origin_depth_outside)
        self._origin_tracking = enabled

    def _asyncgen_firstiter_hook(self, agen: "AsyncGenerator[Any, Any]") -> None:
        if self._asyncgens_shutdown_called:
            warnings.warn(
                f"asynchronous generator {agen!r} was scheduled after loop.shutdown_asyncgens() call",
                ResourceWarning,
                stacklevel=1,
                source=self,
            )
        self._asyncgens.add(agen)

    def _asyncgen_finalizer_hook(self: Any, agen: "AsyncGenerator[Any, Any]") -> None:
        self._asyncgens.discard(agen)
        if not self.is_closed():
            self.call_soon_threadsafe(self.create_task, agen.aclose())

    async def shutdown_asyncgens(self: Any) -> None:
        """Close every async generator that was begun and has not ended; report those that fail at it."""
        self._asyncgens_shutdown_called = True
        if not self._asyncgens:
            return
        closing = list(self._asyncgens)
        self._asyncgens.clear()
        results = await asyncio.gather(*[agen.aclose() for agen in closing], return_exceptions=True)
        for result, agen in zip(results, closing, strict=True):
            if isinstance(result, Exception):
                self.call_exception_handler(
                    {
                        "message": f"an error occurred during closing of asynchronous generator {agen!r}",
                        "exception": result,
                        "asyncgen": agen,
                    }
                )
