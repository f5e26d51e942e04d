# SPDX-License-Identifier: MIT
"""The async generators of a loop: which there are, and how they are closed.

While the loop runs, the interpreter tells it about each async generator that is iterated for the first time, and
about each that is collected before it ended (``running.c`` sets these hooks); so the loop can close them all in
``shutdown_asyncgens``.

Spec: shutdown_asyncgens.coroutine, shutdown_asyncgens.acloses-open, shutdown_asyncgens.warns-new, context.asyncgen
"""

import asyncio
import warnings
import weakref
from collections.abc import AsyncGenerator
from typing import Any

from . import _host


@_host.of_class("BaseEventLoop")
class Running:
    """The part of a loop that knows its async generators.  Its attributes belong to the loop."""

    def __init__(self) -> None:
        self._asyncgens: weakref.WeakSet[AsyncGenerator[Any, Any]] = weakref.WeakSet()
        self._asyncgens_shutdown_called = False

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
