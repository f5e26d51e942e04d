# SPDX-License-Identifier: MIT
"""Eager tasks, new in Python 3.12: create_task() itself runs the first step of the coroutine."""

import asyncio

from loopcheck_target import scenario


@scenario(statements=["eager_task_factory.starts"])
async def eager_task_starts_inside_create_task(loop, trace):
    """The first step runs inside create_task(), everything after the first await in the loop."""
    loop.set_task_factory(asyncio.eager_task_factory)

    async def work():
        trace("first step")
        await asyncio.sleep(0)
        trace("second step")
        return "result"

    trace("in force", loop.get_task_factory() is asyncio.eager_task_factory)
    loop.call_soon(trace, "scheduled before")
    task = loop.create_task(work(), name="eager")
    trace("created", task.get_name(), task.done())
    loop.call_soon(trace, "scheduled after")
    trace("awaited", await task)


@scenario(statements=["eager_task_factory.finished"])
async def eager_task_may_finish_at_once(loop, trace):
    """A coroutine that does not wait is done when create_task() returns; awaiting it does not wait either."""
    loop.set_task_factory(asyncio.eager_task_factory)

    async def work():
        return "result"

    loop.call_soon(trace, "callback")
    task = loop.create_task(work())
    trace("done", task.done(), task.result())
    task.add_done_callback(lambda _: trace("done callback"))
    trace("awaited", await task)
    await asyncio.sleep(0)
    trace("left", [left.get_name() for left in asyncio.all_tasks() - {asyncio.current_task()}])


@scenario(statements=["eager_task_factory.current"])
async def eager_task_is_current_while_it_starts(loop, trace):
    """During its first step the new task is current_task(), afterwards its creator is again."""
    loop.set_task_factory(asyncio.eager_task_factory)
    creator = asyncio.current_task()
    starting = []

    async def work(name):
        task = asyncio.current_task()
        trace(name, "starts", task is creator, task in starting)
        starting.append(task)
        if name == "outer":
            await loop.create_task(work("inner"))
        trace(name, "after its task", asyncio.current_task() is task)
        await asyncio.sleep(0)
        trace(name, "resumed", asyncio.current_task() is task)

    task = loop.create_task(work("outer"))
    trace("creator", asyncio.current_task() is creator, starting[0] is task)
    await task


@scenario(statements=["eager_task_factory.exception"])
async def eager_task_keeps_its_exception(loop, trace):
    """An exception in the first step does not come out of create_task() but of the task."""
    loop.set_task_factory(asyncio.eager_task_factory)

    async def fail():
        raise LookupError("nowhere")

    try:
        task = loop.create_task(fail())
        trace("created", task.done(), task.cancelled())
        await task
    except LookupError as exc:
        trace("awaited", exc, task.exception() is exc)


@scenario(statements=["create_task.eager_start", "create_task.kwargs-3.14"])
async def eager_start_is_chosen_for_one_task(loop, trace):
    """create_task(coro, eager_start=True) starts this one task eagerly; a factory is handed the keyword."""

    async def work(name):
        trace(name)

    def factory(active, coro, **options):
        trace("factory", options.get("eager_start"))
        return asyncio.Task(coro, loop=active, **options)

    tasks = [loop.create_task(work("lazy")), loop.create_task(work("eager"), eager_start=True)]
    trace("created", [task.done() for task in tasks])
    loop.set_task_factory(factory)
    tasks.append(loop.create_task(work("eager by the factory"), eager_start=True))
    trace("created", tasks[-1].done())
    await asyncio.gather(*tasks)


@scenario(statements=["create_eager_task_factory.constructor"])
async def own_class_of_tasks_can_be_eager(loop, trace):
    """create_eager_task_factory() makes a factory that starts the tasks of a given constructor eagerly."""

    class OwnTask(asyncio.Task):
        pass

    async def work():
        trace("first step")
        await asyncio.sleep(0)
        trace("second step")

    loop.set_task_factory(asyncio.create_eager_task_factory(OwnTask))
    task = loop.create_task(work(), name="own")
    trace("created", type(task) is OwnTask, task.get_name(), task.done())
    await task


@scenario(statements=["Task.eager_start"])
async def task_starts_inside_its_constructor(loop, trace):
    """Task(coro, eager_start=True) runs the first step at once, while the loop runs."""

    async def work(name):
        trace(name, "first step")
        await asyncio.sleep(0)
        trace(name, "second step")

    tasks = []
    for name, eager in (("lazy", False), ("eager", True)):
        tasks.append(asyncio.Task(work(name), loop=loop, eager_start=eager))
        trace(name, "created", tasks[-1].done())
    await asyncio.wait(tasks)


@scenario(statements=["Task.get_coro.eager"])
async def task_that_finished_eagerly_has_no_coroutine(loop, trace):
    """get_coro() of a task that was done when create_task() returned is None."""
    loop.set_task_factory(asyncio.eager_task_factory)

    async def work():
        return "result"

    task = loop.create_task(work())
    trace("done", task.done(), task.get_coro())
