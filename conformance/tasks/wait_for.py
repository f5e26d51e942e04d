# SPDX-License-Identifier: MIT
"""asyncio.wait_for(): what happens to the task, and what comes out, when the time is up or somebody cancels."""

import asyncio

from loopcheck_target import scenario


async def outcome(trace, name, awaitable):
    """Trace what awaiting gives or raises."""
    try:
        trace(name, await awaitable)
    except (Exception, asyncio.CancelledError) as exc:
        trace(name, exc)


@scenario(statements=["wait_for.result", "wait_for.none"])
async def outcome_in_time_is_handed_on(loop, trace, T):
    """wait_for() returns the result or raises the exception of what it waits for: coroutine, task or future."""

    async def fail():
        raise LookupError("on purpose")

    future = loop.create_future()
    loop.call_soon(future.set_result, "of a future")
    await outcome(trace, "future", asyncio.wait_for(future, 50 * T))
    await outcome(trace, "coroutine", asyncio.wait_for(fail(), 50 * T))
    task = loop.create_task(asyncio.sleep(T, "of a task"))
    await outcome(trace, "task, no limit", asyncio.wait_for(task, None))


@scenario(statements=["wait_for.cancelled"])
async def cancelled_wait_for_cancels_its_task(loop, trace, T):
    """Cancelling the wait cancels what it waits for, too, and raises CancelledError, not TimeoutError."""

    async def work():
        try:
            await asyncio.sleep(50 * T)
            trace("was not cancelled")
        except asyncio.CancelledError:
            trace("work cancelled")
            raise

    task = loop.create_task(work())
    waiting = loop.create_task(asyncio.wait_for(task, 25 * T))
    loop.call_later(T, waiting.cancel)
    await outcome(trace, "waiting", waiting)
    trace("cancelled", task.cancelled(), waiting.cancelled())


@scenario(statements=["wait_for.shield"])
async def shield_keeps_the_task_from_its_timeout(loop, trace, T):
    """With shield() around it, the task is not cancelled when the time is up, and goes on to its result."""
    gate = loop.create_future()

    async def work():
        return await gate

    task = loop.create_task(work())
    await outcome(trace, "waiting", asyncio.wait_for(asyncio.shield(task), T))
    trace("task", task.done(), task.cancelled())
    gate.set_result("result")
    trace("task", await task)


@scenario(statements=["wait_for.suppressed"])
async def result_despite_the_timeout_is_returned(trace, T):
    """A task that catches the cancellation and returns a value has this value returned, not TimeoutError."""

    async def work():
        try:
            await asyncio.sleep(50 * T)
        except asyncio.CancelledError:
            trace("suppressed")
        return "result"

    await outcome(trace, "waiting", asyncio.wait_for(work(), T))


@scenario(statements=["wait_for.error-in-cancellation"])
async def error_of_the_cancelled_task_comes_out(trace, T):
    """If the task that is cancelled for its timeout fails while it cleans up, this exception is raised."""

    async def work():
        try:
            await asyncio.sleep(50 * T)
        finally:
            trace("cleaning up")
            raise LookupError("in the clean-up")

    await outcome(trace, "waiting", asyncio.wait_for(work(), T))


@scenario(statements=["wait_for.builtin-timeout"])
async def timeout_error_is_the_built_in_one(trace, T):
    """When the time is up the exception is the built-in TimeoutError, which asyncio.TimeoutError names too."""
    try:
        await asyncio.wait_for(asyncio.sleep(50 * T), T)
    except TimeoutError as exc:
        trace("caught", type(exc) is TimeoutError)
    trace("same", asyncio.TimeoutError is TimeoutError)


@scenario(statements=["wait_for.expired"])
async def no_time_at_all_is_enough_for_what_is_done(loop, trace):
    """With a timeout of 0 or less, what is done already gives its result, anything else TimeoutError."""
    for timeout in (0, -1):
        done = loop.create_future()
        done.set_result("result")
        pending = loop.create_future()
        await outcome(trace, "done", asyncio.wait_for(done, timeout))
        await outcome(trace, "pending", asyncio.wait_for(pending, timeout))
        trace("cancelled", pending.cancelled())
