# SPDX-License-Identifier: MIT
"""ensure_future(), wrap_future(), isfuture(), iscoroutine(): telling awaitables apart, making futures of them."""

import asyncio
import concurrent.futures
import threading

from loopcheck_target import scenario


class Awaitable:
    """An object that can be awaited and is neither a coroutine nor a Future."""

    def __await__(self):
        return asyncio.sleep(0, "result of an awaitable").__await__()


async def work():
    return "result of a coroutine"


@scenario(statements=["ensure_future.future"])
async def future_or_task_is_taken_as_it_is(loop, trace):
    """ensure_future() returns a Future or Task that it is given, itself."""
    future, task = loop.create_future(), loop.create_task(work())
    trace("future", asyncio.ensure_future(future) is future)
    trace("task", asyncio.ensure_future(task) is task)
    trace("result", await task)


@scenario(statements=["ensure_future.coroutine", "ensure_future.awaitable"])
async def other_awaitables_become_tasks(loop, trace):
    """ensure_future() makes a scheduled Task of a coroutine, and of any other object that can be awaited."""
    for name, awaitable in (("coroutine", work()), ("awaitable", Awaitable())):
        task = asyncio.ensure_future(awaitable)
        trace(name, asyncio.isfuture(task), task.get_loop() is loop, task.done())
        trace(name, await task)


@scenario(
    basis="observed: what other code asks with isinstance(), though a loop may have tasks of its own",
    requires=["asyncio-futures"],
)
async def other_awaitables_become_asyncio_tasks(trace):
    """What ensure_future() makes of a coroutine or another awaitable is an instance of asyncio.Task."""
    for name, awaitable in (("coroutine", work()), ("awaitable", Awaitable())):
        task = asyncio.ensure_future(awaitable)
        trace(name, isinstance(task, asyncio.Task))
        await task


@scenario(statements=["ensure_future.other"])
async def what_cannot_be_awaited_becomes_no_future(trace):
    """ensure_future() refuses what cannot be awaited with TypeError, a coroutine function too."""
    for name, other in (("number", 42), ("function", work), ("none", None)):
        try:
            asyncio.ensure_future(other)
            trace(name, "accepted")
        except TypeError as exc:
            trace(name, exc)


@scenario(statements=["wrap_future.outcome"])
async def future_of_a_thread_can_be_awaited(loop, trace):
    """wrap_future() makes a Future of a concurrent.futures.Future: what a thread sets comes out of its await."""
    for method, outcome in (("set_result", "result"), ("set_exception", LookupError("on purpose"))):
        source = concurrent.futures.Future()
        wrapped = asyncio.wrap_future(source, loop=loop)
        trace("wrapped", asyncio.isfuture(wrapped), wrapped.done())
        thread = threading.Thread(target=getattr(source, method), args=(outcome,))
        thread.start()
        try:
            trace("awaited", await wrapped)
        except LookupError as exc:
            trace("raised", exc is outcome)
        thread.join()


@scenario(statements=["isfuture.answers", "iscoroutine.answers"])
async def futures_and_coroutines_are_told_apart(loop, trace):
    """isfuture() is true of a Future and a Task, iscoroutine() of a coroutine, neither of anything else."""
    coro = work()
    task = loop.create_task(work())
    for name, each in (
        ("future", loop.create_future()),
        ("task", task),
        ("coroutine", coro),
        ("coroutine function", work),
        ("awaitable", Awaitable()),
        ("number", 42),
    ):
        trace(name, asyncio.isfuture(each), asyncio.iscoroutine(each))
    coro.close()
    await task


@scenario(statements=["iscoroutine.generator"])
def generator_counts_as_a_coroutine(loop, trace):
    """iscoroutine() is true of a generator, as coroutines could be based on them; a list is none."""
    loop.call_soon(loop.stop)
    loop.run_forever()
    trace("generator", asyncio.iscoroutine(number for number in (1, 2)))
    trace("list", asyncio.iscoroutine([1, 2]))


@scenario(basis="observed: the loop= of ensure_future() is how code outside of a run makes tasks")
def awaitables_become_tasks_of_the_given_loop(loop, trace):
    """Outside of a run, ensure_future(..., loop=...) makes a task of that loop, which runs with it."""
    task = asyncio.ensure_future(work(), loop=loop)
    trace("pending", task.done(), task.get_loop() is loop)
    trace("result", loop.run_until_complete(task))


@scenario(basis="observed: what is no coroutine is refused in the caller's thread, not in the loop's")
def only_coroutines_are_run_threadsafe(loop, trace):
    """run_coroutine_threadsafe() raises TypeError for a future and for a coroutine function."""
    for name, wrong in (("future", loop.create_future()), ("function", work), ("nothing", None)):
        try:
            asyncio.run_coroutine_threadsafe(wrong, loop)
            trace(name, "accepted")
        except TypeError as exc:
            trace(name, exc)
