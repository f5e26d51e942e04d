# SPDX-License-Identifier: MIT
"""What the C loop asks Python to do for it: log, and look at callbacks in debug mode."""

import asyncio
import inspect
import logging
import os
import sys
import traceback
from collections.abc import Callable, MutableMapping
from typing import Any

logger = logging.getLogger("asyncio")

if sys.version_info >= (3, 14):  # asyncio's own function is deprecated from here on
    iscoroutinefunction: "Callable[[Any], bool]" = inspect.iscoroutinefunction
else:
    iscoroutinefunction = asyncio.iscoroutinefunction


def debug_at_start() -> bool:
    """Return whether a new loop is in debug mode: python -X dev, or PYTHONASYNCIODEBUG."""
    from_environment = not sys.flags.ignore_environment and bool(os.environ.get("PYTHONASYNCIODEBUG"))
    return sys.flags.dev_mode or from_environment


def of_class(name: str) -> "Callable[[type], type]":
    """Return a decorator that names the methods of a class as if another class defined them.

    A method's name stands in what the interpreter says of wrong arguments, in the repr() of its coroutines and of
    their tasks, and in "was never awaited".
    """

    def rename(mixin: type) -> type:
        for method in vars(mixin).values():
            if inspect.isfunction(method):
                method.__qualname__ = f"{name}.{method.__name__}"
        return mixin

    return rename


def log(level: int, message: str, exception: "BaseException | None") -> None:
    """Write a record to asyncio's logger."""
    logger.log(level, message, exc_info=exception or False)


def check_callback(callback: Any, method: str) -> None:
    """Raise TypeError if callback is none that method could call, or is a coroutine by mistake."""
    if asyncio.iscoroutine(callback) or iscoroutinefunction(callback):
        raise TypeError(f"coroutines cannot be used with {method}()")
    if not callable(callback):
        raise TypeError(f"a callable object was expected by {method}(), got {callback!r}")


def default_exception_handler(loop: Any, context: "MutableMapping[str, Any]") -> None:
    """Log the context of an exception handler: the message, and below it a line for each other key.

    Spec: context.handle_traceback
    """
    message = context.get("message") or "Unhandled exception in event loop"
    exception = context.get("exception")
    exc_info: Any = False
    if exception is not None:
        exc_info = (type(exception), exception, exception.__traceback__)
    current = loop._current_handle
    if "source_traceback" not in context and current is not None and current._source_traceback:
        context["handle_traceback"] = current._source_traceback
    lines = [message]
    lines += [
        f"{key}: {describe(key, context[key])}" for key in sorted(context) if key not in SHOWN_ELSEWHERE
    ]
    logger.error("\n".join(lines), exc_info=exc_info)


SHOWN_ELSEWHERE = {"message", "exception"}
TRACEBACKS = {"source_traceback": "Object created at", "handle_traceback": "Handle created at"}


def describe(key: str, value: Any) -> str:
    """Return the text for one key of an exception handler's context."""
    if key not in TRACEBACKS:
        return repr(value)
    stack = "".join(traceback.format_list(value)).rstrip()
    return f"{TRACEBACKS[key]} (most recent call last):\n{stack}"
