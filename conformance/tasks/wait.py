# SPDX-License-Identifier: MIT
"""asyncio.wait(): until when it waits, and what it accepts."""

import asyncio

from loopcheck_target import scenario


async def outcome(trace, name, awaitable):
    """Trace the exception that awaiting raises."""
    try:
        await awaitable
        trace(name, "accepted")
    except (Exception, asyncio.CancelledError) as exc:
        trace(name, exc)


def members(futures, names):
    """Return the names of a set of futures, sorted."""
    return sorted(name for name, future in names.items() if future in futures)


@scenario(statements=["wait.future-args", "wait.sets"])
async def futures_are_waited_for_like_tasks(loop, trace, T):
    """wait() takes futures; it returns a set of those that are done and a set of those that are not."""
    names = {"early": loop.create_future(), "late": loop.create_future()}
    loop.call_soon(names["early"].set_result, "result")
    done, pending = await asyncio.wait(names.values(), timeout=T)
    trace("sets", type(done), type(pending))
    trace("done", members(done, names), "pending", members(pending, names))


@scenario(statements=["wait.first-exception"])
async def first_exception_ends_the_wait(loop, trace, T):
    """With FIRST_EXCEPTION a result does not end the wait, an exception does; without one it waits for all."""

    async def wait(futures):
        done, pending = await asyncio.wait(futures.values(), return_when=asyncio.FIRST_EXCEPTION)
        trace("returned", members(done, futures), members(pending, futures))

    def finish(futures, *ends):
        now = loop.time()
        for number, (name, method, value) in enumerate(ends, 1):
            loop.call_at(now + 10 * number * T, trace, "finishing", name)
            loop.call_at(now + (10 * number + 5) * T, getattr(futures[name], method), value)

    futures = {name: loop.create_future() for name in "abc"}
    finish(futures, ("a", "set_result", 1), ("b", "set_exception", LookupError()))
    await wait(futures)
    trace("exception", futures["b"].exception())
    futures = {name: loop.create_future() for name in "ab"}
    finish(futures, ("b", "set_result", 1), ("a", "set_result", 2))
    await wait(futures)


@scenario(statements=["wait.all-completed"])
async def cancelled_task_counts_as_completed(loop, trace, T):
    """By default wait() returns when every task is done or cancelled, and raises none of their exceptions."""

    async def fail():
        raise LookupError("on purpose")

    names = {
        "cancelled": loop.create_task(asyncio.sleep(50 * T)),
        "failed": loop.create_task(fail()),
        "returned": loop.create_task(asyncio.sleep(0)),
    }
    loop.call_soon(names["cancelled"].cancel)
    done, pending = await asyncio.wait(names.values())
    trace("done", members(done, names), "pending", members(pending, names))
    trace("exception", names["failed"].exception())


@scenario(statements=["wait.cancelled"])
async def cancelled_wait_leaves_its_tasks_alone(loop, trace):
    """Cancelling a task that waits does not cancel what it waits for."""
    gate = loop.create_future()

    async def work():
        return await gate

    task = loop.create_task(work())
    waiting = loop.create_task(asyncio.wait([task]))
    await asyncio.sleep(0)
    waiting.cancel()
    await outcome(trace, "waiting", waiting)
    trace("task", task.done())
    gate.set_result("result")
    trace("task", await task)


@scenario(statements=["wait.empty", "wait.return_when"])
async def unfit_arguments_of_wait_are_refused(loop, trace):
    """wait() refuses an empty set, and a return_when that is none of its three."""
    future = loop.create_future()
    future.set_result(None)
    await outcome(trace, "empty", asyncio.wait([]))
    await outcome(trace, "return_when", asyncio.wait([future], return_when="SOMETIMES"))
    await outcome(trace, "fit", asyncio.wait([future]))


@scenario(statements=["wait.coroutines"])
async def coroutines_are_refused_by_wait(trace):
    """wait() refuses coroutines: whoever passes one could not find it again in the sets."""

    async def work():
        trace("must not run")

    coro = work()
    await outcome(trace, "coroutine", asyncio.wait([coro]))
    coro.close()
    await asyncio.sleep(0)


@scenario(statements=["wait.generators"])
async def generator_of_tasks_is_waited_for(loop, trace):
    """wait() takes a generator that yields tasks."""
    tasks = {name: loop.create_task(asyncio.sleep(0)) for name in ("first", "second")}
    done, pending = await asyncio.wait(task for task in tasks.values())
    trace("done", members(done, tasks), "pending", members(pending, tasks))
