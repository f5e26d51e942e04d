# SPDX-License-Identifier: MIT
"""gather(), shield() and as_completed(): several awaitables as one, and what cancelling one of them does."""

import asyncio

from loopcheck_target import scenario


async def outcome(trace, name, awaitable):
    """Trace what awaiting gives or raises."""
    try:
        trace(name, await awaitable)
    except (Exception, asyncio.CancelledError) as exc:
        trace(name, exc)


async def wait_long(trace, name, T):
    """Wait until cancelled, and say so."""
    try:
        await asyncio.sleep(50 * T)
        trace(name, "was not cancelled")
    except asyncio.CancelledError:
        trace(name, "cancelled")
        raise


@scenario(statements=["gather.cancel"])
async def cancelled_gather_cancels_what_is_left(loop, trace, T):
    """Cancelling gather() cancels every one that is not done yet, and CancelledError comes out of it."""
    any_order = trace.unordered()
    done = loop.create_task(asyncio.sleep(0, "result"))
    together = asyncio.gather(done, *[wait_long(any_order, name, T) for name in ("first", "second")])
    loop.call_later(T, together.cancel)
    await outcome(trace, "gathered", together)
    trace("done before", done.cancelled(), done.result())


@scenario(statements=["gather.child-cancelled"])
async def cancelled_member_leaves_the_others_alone(loop, trace):
    """A task that is cancelled counts as one that raised CancelledError: neither gather() nor the others are."""
    gate = loop.create_future()

    async def work():
        return await gate

    victim, other = loop.create_task(work()), loop.create_task(asyncio.sleep(0))
    survivor = loop.create_future()
    together = asyncio.gather(victim, other, survivor)
    await asyncio.sleep(0)
    victim.cancel()
    await outcome(trace, "gathered", together)
    trace("gather", together.done(), together.cancelled())
    trace("others", other.cancelled(), survivor.done())
    survivor.set_result("result")
    trace("survivor", await survivor)


@scenario(statements=["gather.empty", "gather.duplicates"])
async def nothing_and_the_same_twice_can_be_gathered(loop, trace):
    """gather() of nothing gives an empty list; the same coroutine twice runs once and has two places."""

    async def work():
        trace("working")
        return "result"

    trace("of nothing", await asyncio.gather())
    coro = work()
    trace("twice", await asyncio.gather(coro, asyncio.sleep(0), coro))


@scenario(statements=["shield.inner-cancelled"])
async def cancelled_inside_ends_the_shield(loop, trace, T):
    """If what shield() protects is cancelled by somebody else, whoever waits for the shield sees it."""
    inner = loop.create_task(wait_long(trace, "inner", T))
    shield = asyncio.shield(inner)
    loop.call_later(T, inner.cancel)
    await outcome(trace, "shield", shield)
    trace("cancelled", shield.cancelled(), inner.cancelled())


@scenario(statements=["shield.result"])
async def shield_hands_the_outcome_on(trace):
    """Undisturbed, shield() gives the result or the exception of what it protects."""

    async def fail():
        raise LookupError("on purpose")

    await outcome(trace, "result", asyncio.shield(asyncio.sleep(0, "result")))
    await outcome(trace, "exception", asyncio.shield(fail()))


@scenario(statements=["as_completed.order"])
async def results_come_as_they_are_completed(loop, trace):
    """as_completed() gives the results in the order in which they become available, failures too."""
    gates = {name: loop.create_future() for name in "abc"}

    async def work(name):
        if await gates[name] == "fail":
            raise LookupError(name)
        return name

    tasks = [loop.create_task(work(name)) for name in gates]
    opening = [("c", "open"), ("a", "fail"), ("b", "open")]
    for awaitable in asyncio.as_completed(tasks):
        name, how = opening.pop(0)
        loop.call_soon(gates[name].set_result, how)
        await outcome(trace, "next", awaitable)


@scenario(statements=["as_completed.timeout"])
async def time_runs_out_for_as_completed(loop, trace, T):
    """When the time is up, TimeoutError comes instead of what is not done; the tasks are not cancelled."""
    gate = loop.create_future()

    async def work():
        return await gate

    slow = loop.create_task(work())
    for awaitable in asyncio.as_completed([slow, loop.create_task(asyncio.sleep(0, "quick"))], timeout=T):
        await outcome(trace, "next", awaitable)
    trace("slow", slow.done())
    gate.set_result("result")
    trace("slow", await slow)


@scenario(statements=["as_completed.async-for"])
async def async_for_gives_the_tasks_themselves(loop, trace, T):
    """async for over as_completed() gives the very tasks that were passed, each when it is done."""
    tasks = {name: loop.create_task(asyncio.sleep(ticks * T)) for name, ticks in (("late", 5), ("early", 1))}
    async for task in asyncio.as_completed(tasks.values()):
        trace("next", [name for name, each in tasks.items() if each is task], task.done())


@scenario(statements=["as_completed.generators"])
async def generator_of_tasks_is_taken_as_completed(loop, trace):
    """as_completed() takes a generator that yields tasks."""
    tasks = [loop.create_task(asyncio.sleep(0, number)) for number in (1, 2)]
    results = [await awaitable for awaitable in asyncio.as_completed(task for task in tasks)]
    trace("results", sorted(results))
