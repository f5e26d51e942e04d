# SPDX-License-Identifier: MIT
"""Task.cancel(): when the cancellation arrives, with which message, and what the coroutine makes of it."""

import asyncio

from loopcheck_target import scenario


async def outcome(trace, name, awaitable):
    """Trace what awaiting gives or raises."""
    try:
        trace(name, await awaitable)
    except (Exception, asyncio.CancelledError) as exc:
        trace(name, exc)


@scenario(
    statements=[
        "Task.cancel.throws",
        "Task.cancel.cancels-awaited",
        "Task.cancel.cleanup",
        "Task.cancel.not-yet",
        "Task.cancel.returns",
        "Task.cancelled",
    ]
)
async def cancellation_arrives_at_the_await(loop, trace):
    """cancel() cancels what the task awaits; later CancelledError is raised there, and cleaned up after."""
    future = loop.create_future()

    async def work():
        try:
            await future
        except asyncio.CancelledError:
            trace("cancelled", future.cancelled())
            await asyncio.sleep(0)
            trace("cleaned up")
            raise

    task = loop.create_task(work())
    await asyncio.sleep(0)
    trace("cancel", task.cancel())
    trace("not done yet", task.done(), task.cancelled())
    await outcome(trace, "awaited", task)
    trace("done", task.done(), task.cancelled())
    trace("cancel a finished task", task.cancel())


@scenario(statements=["Task.cancel.before-start"])
async def cancelled_before_its_start_it_never_runs(loop, trace):
    """A task cancelled before its first step runs nothing of its coroutine; its done callbacks run."""

    async def work():
        trace("must not run")

    task = loop.create_task(work())
    task.add_done_callback(lambda done: trace("done callback", done.cancelled()))
    trace("cancel", task.cancel())
    trace("not done yet", task.done())
    await outcome(trace, "awaited", task)


@scenario(statements=["Task.cancel.suppressed"])
async def coroutine_may_suppress_cancellation(loop, trace, T):
    """A coroutine that catches CancelledError goes on: its task is not cancelled, its result is kept."""

    async def work():
        try:
            await asyncio.sleep(50 * T)
            trace("was not cancelled")
        except asyncio.CancelledError:
            trace("suppressed")
        await asyncio.sleep(0)
        return "result"

    task = loop.create_task(work())
    await asyncio.sleep(0)
    trace("cancel", task.cancel())
    await outcome(trace, "awaited", task)
    trace("cancelled", task.cancelled())


@scenario(statements=["Task.cancel.msg", "Future.cancel.msg"])
async def cancel_message_arrives(loop, trace, T):
    """The message given to cancel() is the argument of the CancelledError, from a Task and from a Future."""
    future = loop.create_future()

    async def work(awaitable):
        try:
            await awaitable
        except asyncio.CancelledError as exc:
            trace("in the coroutine", list(exc.args))
            raise

    async def cancel(name, task, target):
        await asyncio.sleep(0)
        trace(name, target.cancel(msg=name))
        await asyncio.wait([task])
        trace("cancelled", task.cancelled())

    task = loop.create_task(work(asyncio.sleep(50 * T)))
    await cancel("task cancelled", task, task)
    await cancel("future cancelled", loop.create_task(work(future)), future)


@scenario(statements=["Task.cancelling.counts", "Task.uncancel"])
async def cancel_requests_are_counted(loop, trace, T):
    """cancelling() counts the requests to cancel; uncancel() takes one back and returns how many are left."""

    async def work():
        try:
            await asyncio.sleep(50 * T)
            trace("was not cancelled")
        except asyncio.CancelledError:
            trace("requests", task.cancelling())
        trace("left", task.uncancel(), task.uncancel(), task.uncancel())
        await asyncio.sleep(0)
        trace("goes on", task.cancelling())

    task = loop.create_task(work())
    await asyncio.sleep(0)
    trace("before", task.cancelling())
    trace("cancel twice", task.cancel(), task.cancel())
    await outcome(trace, "awaited", task)
    trace("cancelled", task.cancelled())


@scenario(statements=["Task.cancel.msg-propagates"])
async def cancel_message_reaches_the_awaiting_task(loop, trace, T):
    """The message given to cancel() is also in the CancelledError that awaiting the cancelled task raises."""
    task = loop.create_task(asyncio.sleep(50 * T))
    await asyncio.sleep(0)
    task.cancel("the reason")
    try:
        await task
    except asyncio.CancelledError as exc:
        trace("awaiting task", list(exc.args))


@scenario(statements=["Task.uncancel.ends-cancellation"])
async def cancellation_that_is_pending_can_be_taken_back(loop, trace):
    """uncancel() that brings the count to 0 takes back a cancellation that no await has received yet."""

    async def work():
        task = asyncio.current_task()
        trace("cancel", task.cancel())
        trace("left", task.uncancel())
        await asyncio.sleep(0)
        return "not disturbed"

    task = loop.create_task(work())
    await outcome(trace, "awaited", task)
    trace("cancelled", task.cancelled(), task.cancelling())
