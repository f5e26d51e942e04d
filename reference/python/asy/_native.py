# SPDX-License-Identifier: MIT
"""Texts for people about the futures and tasks of native loops, in the shape of asyncio's own; their stacks."""

import linecache
import reprlib
import sys
import traceback
from types import FrameType
from typing import Any, TextIO

from ._format import SHOWS_ARGUMENTS_ALWAYS, format_call, source_of


@reprlib.recursive_repr()
def future_repr(future: Any) -> str:
    """Return repr(future): its state, what came out of it, its callbacks, where it was made."""
    return f"<{type(future).__name__} {' '.join(future_info(future))}>"


@reprlib.recursive_repr()
def task_repr(task: Any) -> str:
    """Return repr(task): what a future shows, and its name, its coroutine, what it waits for."""
    state, *rest = future_info(task)
    if task.cancelling() and not task.done():
        state = "cancelling"
    own = [f"name={task.get_name()!r}"]
    if task._coro is not None:
        own.append(f"coro=<{describe_coroutine(task._coro)}>")
    if task._fut_waiter is not None:
        own.append(f"wait_for={task._fut_waiter!r}")
    return f"<{type(task).__name__} {' '.join([state, *own, *rest])}>"


def future_info(future: Any) -> "list[str]":
    """Return the parts of repr(future), the state first."""
    info = [future._state.lower()]
    if future._state == "FINISHED" and future._exception is not None:
        info.append(f"exception={future._exception!r}")
    elif future._state == "FINISHED":
        info.append(f"result={reprlib.repr(future._result)}")
    if future._callbacks:
        info.append(f"cb=[{describe_callbacks([callback for callback, _ in future._callbacks])}]")
    if future._source_traceback:
        frame = future._source_traceback[-1]
        info.append(f"created at {frame[0]}:{frame[1]}")
    return info


def describe_callbacks(callbacks: "list[Any]") -> str:
    """Return the callbacks as text; of more than two only the first and the last."""
    if len(callbacks) <= 2:
        return ", ".join(describe_function(each) for each in callbacks)
    return (
        f"{describe_function(callbacks[0])}, <{len(callbacks) - 2} more>, {describe_function(callbacks[-1])}"
    )


def describe_function(function: Any) -> str:
    """Return a callback as a call without arguments, and the place of its source."""
    text = format_call(function, (), None, "", SHOWS_ARGUMENTS_ALWAYS)
    source = source_of(function)
    return f"{text} at {source[0]}:{source[1]}" if source else text


def describe_coroutine(coroutine: Any) -> str:
    """Return the name of a coroutine, whether it runs, and where it stands or was defined."""
    name = getattr(coroutine, "__qualname__", None) or getattr(coroutine, "__name__", None)
    name = name or f"<{type(coroutine).__name__} without __name__>"
    running = getattr(coroutine, "cr_running", False) or getattr(coroutine, "gi_running", False)
    code = getattr(coroutine, "cr_code", None) or getattr(coroutine, "gi_code", None)
    if code is None:
        return f"{name}() running" if running else f"{name}()"
    frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
    file = code.co_filename or "<empty co_filename>"
    if frame is None:
        return f"{name}() done, defined at {file}:{code.co_firstlineno}"
    return f"{name}() running at {file}:{frame.f_lineno}"


def get_stack(task: Any, *, limit: "int | None" = None) -> "list[FrameType]":
    """Return the frames of a task: where its coroutine stands, or where its exception came from.

    Spec: Task.get_stack.suspended, Task.get_stack.finished, Task.get_stack.failed, Task.get_stack.limit
    """
    coroutine = task._coro
    for attribute in ("cr_frame", "gi_frame", "ag_frame"):
        if hasattr(coroutine, attribute):
            frame = getattr(coroutine, attribute)
            if frame is not None:
                return frames_around(frame, limit)
            break
    if task._exception is None:
        return []
    frames = [each for each, _ in traceback.walk_tb(task._exception.__traceback__)]
    return frames if limit is None else frames[: max(limit, 0)]


def frames_around(frame: "FrameType | None", limit: "int | None") -> "list[FrameType]":
    """Return the frame and those that called it, the innermost last."""
    frames: list[FrameType] = []
    while frame is not None and (limit is None or len(frames) < limit):
        frames.append(frame)
        frame = frame.f_back
    return frames[::-1]


def print_stack(task: Any, *, limit: "int | None" = None, file: "TextIO | None" = None) -> None:
    """Print the frames of a task, or its exception with its traceback, to file or to stderr.

    Spec: Task.print_stack
    """
    out = sys.stderr if file is None else file
    frames = task.get_stack(limit=limit)
    exception = task._exception
    lines = []
    for frame in frames:
        code = frame.f_code
        linecache.checkcache(code.co_filename)
        source = linecache.getline(code.co_filename, frame.f_lineno, frame.f_globals)
        lines.append((code.co_filename, frame.f_lineno, code.co_name, source))
    if not lines:
        print(f"No stack for {task!r}", file=out)
    elif exception is not None:
        print(f"Traceback for {task!r} (most recent call last):", file=out)
    else:
        print(f"Stack for {task!r} (most recent call last):", file=out)
    traceback.print_list(lines, file=out)  # type: ignore[arg-type]
    if exception is not None:
        for line in traceback.format_exception_only(type(exception), exception):
            print(line, file=out, end="")
