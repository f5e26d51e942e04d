# SPDX-License-Identifier: MIT
"""asyncio.TaskGroup, new in Python 3.11: tasks that end together, and what the failure of one does."""

import asyncio

from loopcheck_target import scenario


async def wait_long(trace, name, T):
    """Wait until cancelled, and say so."""
    trace(name, "waits")
    try:
        await asyncio.sleep(50 * T)
        trace(name, "was not cancelled")
    except asyncio.CancelledError:
        trace(name, "cancelled")
        raise


async def fail(trace, error):
    """Raise error."""
    trace("fails")
    raise error


@scenario(basis="observed: nothing that a group started may outlive it", since="3.11")
async def group_waits_for_its_tasks(trace):
    """The end of the async with statement waits for every task, also those that tasks of the group add."""

    async def work(name):
        trace(name, asyncio.current_task().get_name())
        await asyncio.sleep(0)
        trace(name, "done")
        return name

    async def starter():
        await asyncio.sleep(0)
        group.create_task(work("added"), name="third")
        trace("starter", "done")

    async with asyncio.TaskGroup() as group:
        task = group.create_task(work("direct"), name="first")
        group.create_task(starter(), name="second")
        trace("end of the body", task.done())
    trace("after the group", task.result())


@scenario(basis="observed: after a failure the rest of the group only does useless work", since="3.11")
async def failing_task_cancels_its_group(trace, T):
    """A task that fails cancels the other tasks and the body; the exceptions are raised as a group."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(wait_long(trace, "sibling", T))
            group.create_task(fail(trace, LookupError("first")))
            group.create_task(fail(trace, ValueError("second")))
            await wait_long(trace, "body", T)
    except BaseException as exc:
        trace("raised", exc)
    trace("cancel requests left", asyncio.current_task().cancelling())


@scenario(basis="observed: leaving the body with an exception must not leave tasks behind", since="3.11")
async def failing_body_cancels_its_group(trace, T):
    """An exception in the body cancels the tasks and is raised in a group, after they are over."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(wait_long(trace, "task", T))
            await asyncio.sleep(0)
            await fail(trace, LookupError("from the body"))
    except BaseException as exc:
        trace("raised", exc)


@scenario(basis="observed: cancelling a task must reach the whole tree below it", since="3.11")
async def cancelled_parent_cancels_its_group(loop, trace, T):
    """Cancelling the task that holds the group cancels the tasks and raises CancelledError, not a group."""

    started = loop.create_future()

    async def child():
        started.set_result(None)
        await wait_long(trace, "child", T)

    async def parent():
        async with asyncio.TaskGroup() as group:
            group.create_task(child())
            trace("end of the body")

    task = loop.create_task(parent())
    await started
    trace("cancel", task.cancel())
    try:
        await task
    except BaseException as exc:
        trace("raised", exc)
    trace("cancelled", task.cancelled())


@scenario(basis="observed: a task that nobody waits for is what groups exist to prevent", since="3.11")
async def group_takes_tasks_only_while_open(trace):
    """create_task() is refused before the async with statement, and after it."""

    async def work():
        trace("must not run")

    def refused(name):
        coro = work()
        try:
            group.create_task(coro)
            trace(name, "accepted")
        except RuntimeError as exc:
            trace(name, exc)
        coro.close()

    group = asyncio.TaskGroup()
    refused("before")
    async with group:
        trace("empty body")
    refused("after")
    await asyncio.sleep(0)
