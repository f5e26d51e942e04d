# SPDX-License-Identifier: MIT
"""asyncio.create_task(): the function that asks the running loop for a task."""

import asyncio
import contextvars

from loopcheck_target import scenario


@scenario(statements=["create_task.running-loop"])
async def task_is_made_on_the_running_loop(loop, trace):
    """asyncio.create_task() schedules the coroutine on the loop that runs, and returns its task."""

    async def work():
        trace("working")
        return "result"

    coro = work()
    task = asyncio.create_task(coro)
    trace("task", task.get_coro() is coro, task.get_loop() is loop, task.done())
    trace("awaited", await task)


@scenario(
    basis="observed: what other code asks with isinstance(), though a loop may have tasks of its own",
    requires=["asyncio-futures"],
)
async def task_of_the_running_loop_is_an_asyncio_task(trace):
    """What asyncio.create_task() returns is an instance of asyncio.Task."""
    task = asyncio.create_task(asyncio.sleep(0))
    trace("is a task", isinstance(task, asyncio.Task))
    await task


@scenario(statements=["create_task.no-loop"])
def task_needs_a_running_loop(loop, trace):
    """asyncio.create_task() raises RuntimeError where no loop runs, though one is current."""

    async def work():
        trace("working")

    def in_callback():
        tasks.append(asyncio.create_task(work()))
        tasks[0].add_done_callback(lambda _: loop.stop())

    tasks = []
    asyncio.set_event_loop(loop)
    coro = work()
    try:
        asyncio.create_task(coro)
        trace("accepted")
    except RuntimeError as exc:
        trace("refused", exc)
    coro.close()
    loop.call_soon(in_callback)
    loop.run_forever()
    trace("done", tasks[0].done())
    asyncio.set_event_loop(None)


@scenario(statements=["create_task.function-name"])
async def task_is_named(trace):
    """asyncio.create_task() takes the keyword name, and no second positional argument."""
    task = asyncio.create_task(asyncio.sleep(0), name="reader")
    trace("named", task.get_name())
    await task
    coro = asyncio.sleep(0)
    try:
        asyncio.create_task(coro, "reader")
        trace("accepted")
    except TypeError as exc:
        trace("positional", type(exc))
    coro.close()


@scenario(statements=["create_task.function-context"])
async def task_runs_in_the_context_that_was_given(trace):
    """asyncio.create_task() takes the keyword context: what the coroutine sets can be read from it."""
    mark = contextvars.ContextVar("mark", default="unset")
    given = contextvars.copy_context()

    async def work():
        mark.set("set by the task")

    await asyncio.create_task(work(), context=given)
    trace("in the context", given[mark])
    trace("outside", mark.get())
