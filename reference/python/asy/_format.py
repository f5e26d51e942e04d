# SPDX-License-Identifier: MIT
"""Texts for people about handles and callbacks, in the words of asyncio's own.

Since 3.13 the arguments of callbacks are shown in debug mode only, because they may be secret.
"""

import asyncio
import functools
import inspect
import reprlib
import sys
import traceback
from typing import Any

SHOWS_ARGUMENTS_ALWAYS = sys.version_info < (3, 13)


def extract_stack(frames: int) -> "traceback.StackSummary":
    """Return the innermost frames of the calling Python code, the innermost last; none if no such code calls."""
    caller = sys._getframe().f_back
    if caller is None:
        return traceback.StackSummary()
    stack = traceback.StackSummary.extract(traceback.walk_stack(caller), limit=frames, lookup_lines=False)
    stack.reverse()
    return stack


def handle_repr(handle: Any) -> str:
    """Return repr(handle) of a Handle or TimerHandle."""
    info = [type(handle).__name__]
    if handle._cancelled:
        info.append("cancelled")
    if isinstance(handle, asyncio.TimerHandle):
        info.append(f"when={handle.when()}")
    if handle._callback is not None:
        info.append(describe_callback(handle))
    if handle._source_traceback:
        frame = handle._source_traceback[-1]
        info.append(f"created at {frame[0]}:{frame[1]}")
    return "<{}>".format(" ".join(info))


def describe_handle(handle: Any) -> str:
    """Return what a slow callback is called in the log: its task, if it is the step of one."""
    owner = getattr(handle._callback, "__self__", None)
    is_task = asyncio.isfuture(owner) and hasattr(owner, "get_coro")
    return repr(owner) if is_task else str(handle)


def describe_callback(handle: Any) -> str:
    """Return the callback of a handle with its arguments and the place of its source."""
    return describe_method(handle._loop, handle._callback, handle._args)


def describe_method(loop: Any, function: Any, args: Any) -> str:
    """Return a callback of this loop with its arguments and the place of its source."""
    shows_arguments = SHOWS_ARGUMENTS_ALWAYS or loop.get_debug()
    text = format_call(function, args, None, "", shows_arguments)
    source = source_of(function)
    return f"{text} at {source[0]}:{source[1]}" if source else text


def describe_call(loop: Any, class_name: str, method: str, args: Any) -> str:
    """Return the call of a method of the loop's own, which is C and has no source."""
    return f"{class_name}.{method}" + format_arguments(args, None, SHOWS_ARGUMENTS_ALWAYS or loop.get_debug())


def format_call(function: Any, args: Any, keywords: Any, suffix: str, shows_arguments: bool) -> str:
    """Return the call as source code would show it; of a partial object, the calls it is made of.

    Spec: call_soon.partial-display
    """
    if isinstance(function, functools.partial):
        suffix = format_arguments(args, keywords, shows_arguments) + suffix
        return format_call(function.func, function.args, function.keywords, suffix, shows_arguments)
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None) or repr(function)
    return name + format_arguments(args, keywords, shows_arguments) + suffix


def format_arguments(args: Any, keywords: Any, shows_arguments: bool) -> str:
    """Return the arguments in parentheses, each cut to a sensible length."""
    if not shows_arguments:
        return "()"
    items = [reprlib.repr(arg) for arg in args or ()]
    items += [f"{name}={reprlib.repr(value)}" for name, value in (keywords or {}).items()]
    return "({})".format(", ".join(items))


def source_of(function: Any) -> "tuple[str, int] | None":
    """Return file and line of a Python function, also of one that is wrapped; None for anything else."""
    function = inspect.unwrap(function)
    if inspect.isfunction(function):
        return function.__code__.co_filename, function.__code__.co_firstlineno
    if isinstance(function, (functools.partial, functools.partialmethod)):
        return source_of(function.func)
    return None
