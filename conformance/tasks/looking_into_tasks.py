# SPDX-License-Identifier: MIT
"""What a Task tells about itself: its coroutine, context, name and stack."""

import asyncio
import contextvars
import io

from loopcheck_target import scenario


async def sleep_in_here(gate):
    await gate


async def wait_here(gate):
    await sleep_in_here(gate)


def raise_it():
    raise LookupError("on purpose")


async def fail_here():
    raise_it()


def functions(frames):
    """Return the names of the functions that frames belong to."""
    return [frame.f_code.co_name for frame in frames]


@scenario(statements=["Task.get_coro"])
async def task_tells_its_coroutine(loop, trace):
    """get_coro() returns the coroutine that the task wraps, while it runs and after its end."""
    coro = wait_here(loop.create_future())
    task = loop.create_task(coro)
    trace("new", task.get_coro() is coro)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    trace("done", task.get_coro() is coro)


@scenario(statements=["Task.get_context"])
async def task_tells_its_context(loop, trace):
    """get_context() returns the context that the task runs in: the given one, or a copy of its own."""
    given = contextvars.copy_context()
    mark = contextvars.ContextVar("mark", default="unset")

    async def work():
        mark.set("set by the task")

    task = loop.create_task(work(), context=given)
    trace("given", task.get_context() is given)
    await task
    own = loop.create_task(work())
    await own
    trace("of its own", own.get_context()[mark], mark.get())


@scenario(statements=["Task.set_name", "Task.set_name.str"])
async def task_can_be_renamed(loop, trace):
    """set_name() changes the name, as a string whatever object it was given."""
    task = loop.create_task(asyncio.sleep(0), name="first")
    trace("first", task.get_name())
    task.set_name("second")
    trace("renamed", task.get_name())
    task.set_name(7)
    trace("a number", task.get_name())
    await task
    task.set_name("after its end")
    trace("done", task.get_name())


@scenario(statements=["Task.get_stack.suspended"])
async def suspended_task_has_one_frame(loop, trace):
    """get_stack() of a suspended task has one frame, that of its coroutine, however deep it waits."""
    gate = loop.create_future()
    task = loop.create_task(wait_here(gate))
    trace("not begun", functions(task.get_stack()))
    await asyncio.sleep(0)
    trace("suspended", functions(task.get_stack()))
    gate.set_result(None)
    await task


@scenario(statements=["Task.get_stack.finished"])
async def finished_task_has_no_stack(loop, trace):
    """get_stack() of a task that has returned, or was cancelled, is an empty list."""
    returned = loop.create_task(asyncio.sleep(0))
    cancelled = loop.create_task(wait_here(loop.create_future()))
    await returned
    cancelled.cancel()
    await asyncio.wait([cancelled])
    trace("returned", returned.get_stack())
    trace("cancelled", cancelled.cancelled(), cancelled.get_stack())


@scenario(statements=["Task.get_stack.failed", "Task.get_stack.limit"])
async def failed_task_has_the_frames_of_its_traceback(loop, trace):
    """get_stack() of a failed task is its traceback, the oldest frame first; limit keeps the oldest ones.

    Frames of other functions are left out. A Task written in Python, as PyPy's, has a frame of its own in each
    traceback, one written in C has none, and no document says which of the two a Task is.
    """
    task = loop.create_task(fail_here())
    await asyncio.wait([task])
    frames = task.get_stack()
    trace("own frames", [name for name in functions(frames) if name in ("fail_here", "raise_it")])
    trace("limit 1 is the oldest", task.get_stack(limit=1) == frames[:1])
    trace("exception", task.exception())


@scenario(statements=["Task.print_stack"])
async def stack_is_printed_to_a_file(loop, trace):
    """print_stack() writes the stack or the traceback, as the module traceback does, to the file given."""
    waiting = loop.create_task(wait_here(loop.create_future()))
    failed = loop.create_task(fail_here())
    await asyncio.wait([failed])
    for name, task in (("waiting", waiting), ("failed", failed)):
        file = io.StringIO()
        trace(name, task.print_stack(file=file))
        text = file.getvalue()
        trace(
            "mentions",
            [word for word in ("wait_here", "fail_here", "raise_it", "LookupError") if word in text],
        )
    file = io.StringIO()
    failed.print_stack(limit=1, file=file)
    trace("frames with limit=1", file.getvalue().count("File "))
    trace("exception", failed.exception())
    waiting.cancel()
    await asyncio.wait([waiting])
