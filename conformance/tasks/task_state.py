# SPDX-License-Identifier: MIT
"""The Task itself: how it advances, when it is done, what comes out of it, and its done callbacks."""

import asyncio

from loopcheck_target import scenario


def attempt(trace, name, function, *args):
    """Trace what the call returns or raises."""
    try:
        trace(name, function(*args))
    except (Exception, asyncio.CancelledError) as exc:
        trace(name, exc)


async def outcome(trace, name, awaitable):
    """Trace what awaiting gives or raises."""
    try:
        trace(name, await awaitable)
    except (Exception, asyncio.CancelledError) as exc:
        trace(name, exc)


async def fail(error):
    raise error


async def wait_for_ever(loop):
    await loop.create_future()


@scenario(statements=["Task.steps"])
async def task_resumes_when_its_future_is_done(loop, trace):
    """A task that awaits a Future is suspended while other work goes on, and resumed when the Future is done."""
    gate = loop.create_future()

    async def work():
        trace("task waits")
        trace("task resumed", await gate)

    def callback(turns):
        trace("callback", turns)
        if turns:
            loop.call_soon(callback, turns - 1)
        else:
            gate.set_result("open")

    task = loop.create_task(work())
    loop.call_soon(callback, 3)
    await task
    trace("done")


@scenario(statements=["Task.one-at-a-time"])
async def tasks_change_only_at_an_await(loop, trace):
    """The loop runs one task at a time: what a task does between two awaits, no other task interrupts."""
    inside = []

    async def work(name):
        for turn in (1, 2):
            inside.append(name)
            for _ in range(1000):
                inside.append(name)
                inside.pop()
            trace("alone", inside == [name], turn)
            inside.pop()
            await asyncio.sleep(0)

    await asyncio.wait([loop.create_task(work(name)) for name in "abc"])
    trace("done", inside)


@scenario(
    statements=[
        "Task.done",
        "Task.result.value",
        "Task.result.exception",
        "Task.result.pending",
        "Task.awaitable",
    ]
)
async def task_ends_as_its_coroutine_ends(loop, trace):
    """A task is done when its coroutine has returned or raised; its result is the coroutine's."""
    value, error = object(), LookupError("on purpose")

    async def give():
        return value

    returning, raising = loop.create_task(give()), loop.create_task(fail(error))
    for task in (returning, raising):
        trace("before", task.done(), task.cancelled())
        attempt(trace, "result", task.result)
        attempt(trace, "exception", task.exception)
    trace("awaited", await returning is value)
    await outcome(trace, "awaited", raising)
    trace("returned", returning.done(), returning.result() is value, returning.exception())
    trace("raised", raising.done(), raising.exception() is error)
    attempt(trace, "result", raising.result)


@scenario(statements=["Task.done", "Task.cancelled", "Task.result.cancelled"])
async def cancelled_task_has_no_result(loop, trace):
    """A task that is cancelled is done when its coroutine lets the CancelledError out: no result comes of it."""
    task = loop.create_task(wait_for_ever(loop))
    await asyncio.sleep(0)
    task.cancel()
    trace("asked to cancel", task.done(), task.cancelled())
    await asyncio.wait([task])
    trace("cancelled", task.done(), task.cancelled())
    attempt(trace, "result", task.result)
    attempt(trace, "exception", task.exception)


@scenario(statements=["Task.cancelled.by-itself"])
async def task_that_raises_cancelled_error_is_cancelled(loop, trace):
    """A coroutine that raises CancelledError, though nobody cancelled it, makes its task a cancelled one."""

    async def cancel_itself():
        raise asyncio.CancelledError()

    task = loop.create_task(cancel_itself())
    await asyncio.wait([task])
    trace("done", task.done(), task.cancelled())
    attempt(trace, "result", task.result)


@scenario(statements=["Task.add_done_callback", "Task.remove_done_callback"])
async def done_callbacks_get_the_task(loop, trace):
    """A done callback is called with the task, after its end; a removed one is not, and each removal counts."""

    def kept(*args):
        trace("kept", len(args), args[0] is task, task.done())

    def removed(_):
        trace("removed")

    task = loop.create_task(asyncio.sleep(0, "result"))
    for callback in (removed, kept, removed):
        task.add_done_callback(callback)
    trace("copies removed", task.remove_done_callback(removed))
    trace("none left", task.remove_done_callback(removed))
    trace("awaited", await task)
    await asyncio.sleep(0)
    trace("later")


@scenario(statements=["Task.future-api"])
async def task_serves_as_a_future(loop, trace):
    """A task can do what a Future can: it is awaited twice, waited for, asked for its loop and its state."""
    task = loop.create_task(asyncio.sleep(0, "result"))
    trace("is one", asyncio.isfuture(task))
    trace("loop", task.get_loop() is loop)
    names = "add_done_callback cancel cancelled done exception get_loop remove_done_callback result".split()
    trace("missing", [name for name in names if not callable(getattr(task, name, None))])
    trace("awaited", await task, await task)
    trace("as it is", asyncio.ensure_future(task) is task)


@scenario(
    basis="observed: what other code asks with isinstance(), though a loop may have tasks of its own",
    requires=["asyncio-futures"],
)
async def task_is_an_asyncio_future(loop, trace):
    """A task is an instance of asyncio.Future, too."""
    task = loop.create_task(asyncio.sleep(0))
    trace("is a future", isinstance(task, asyncio.Future))
    await task


@scenario(statements=["Task.set_result"])
async def result_of_a_task_cannot_be_set(loop, trace):
    """set_result() and set_exception() of a task raise RuntimeError: only its coroutine decides."""
    task = loop.create_task(asyncio.sleep(0, "its own"))
    attempt(trace, "set_result", task.set_result, "another")
    attempt(trace, "set_exception", task.set_exception, LookupError())
    trace("awaited", await task)


@scenario(statements=["Task.await-self", "Task.bad-yield"])
async def task_cannot_wait_for_just_anything(loop, new_event_loop, trace):
    """Waiting for itself, for another loop's Future, or for no Future at all raises RuntimeError in the task."""

    class Odd:
        def __await__(self):
            yield 42

    async def wait_for_itself():
        await asyncio.current_task()

    async def wait_for(awaitable):
        await awaitable

    foreign = new_event_loop().create_future()
    await outcome(trace, "itself", loop.create_task(wait_for_itself()))
    await outcome(trace, "future of another loop", loop.create_task(wait_for(foreign)))
    await outcome(trace, "no future", loop.create_task(wait_for(Odd())))
