# SPDX-License-Identifier: MIT
"""Waiting for several tasks, or for a limited time, or shielded: gather, wait, wait_for, shield."""

import asyncio

from loopcheck_target import scenario


async def outcome(trace, name, awaitable):
    """Trace what awaiting gives or raises."""
    try:
        trace(name, await awaitable)
    except (Exception, asyncio.CancelledError) as exc:
        trace(name, exc)


def names(tasks):
    """Return the names of a set of tasks, sorted."""
    return sorted(task.get_name() for task in tasks)


@scenario(statements=["gather.results", "gather.schedules"])
async def gather_keeps_the_order_of_its_arguments(loop, trace):
    """gather() returns the results in the order of its arguments, whichever finishes first."""
    gates = [loop.create_future() for _ in range(3)]

    async def work(number):
        trace("started", number)
        result = await gates[number]
        trace("finished", number)
        return result

    together = asyncio.gather(*[work(number) for number in range(3)])
    await asyncio.sleep(0)
    for number in (2, 0, 1):
        gates[number].set_result(f"result {number}")
    trace("results", await together)
    trace("of nothing", await asyncio.gather())


@scenario(statements=["gather.first-exception", "gather.return_exceptions"])
async def gather_fails_with_the_first_exception(loop, trace):
    """gather() raises the first exception and leaves the others running, or returns exceptions as results."""
    gate = loop.create_future()

    async def fail():
        raise LookupError("nowhere")

    async def work():
        trace("result", await gate)
        return "result"

    task = loop.create_task(work())
    await outcome(trace, "gathered", asyncio.gather(task, fail()))
    trace("other task", task.done(), task.cancelled())
    gate.set_result("open")
    both = asyncio.gather(task, fail(), return_exceptions=True)
    await outcome(trace, "with exceptions returned", both)


@scenario(
    statements=[
        "wait.sets",
        "wait.first-completed",
        "wait.timeout",
        "wait.not-cancelled",
        "wait.all-completed",
    ]
)
async def wait_splits_done_from_pending(loop, trace, T):
    """wait() returns done and pending tasks: after the first, or when the time is up; it cancels nothing."""
    gates = {name: loop.create_future() for name in ("early", "late")}

    async def work(name):
        await gates[name]
        trace("finished", name)

    tasks = [loop.create_task(work(name), name=name) for name in gates]
    loop.call_soon(gates["early"].set_result, None)
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    trace("first completed", names(done), names(pending))
    done, pending = await asyncio.wait(pending, timeout=T)
    trace("time is up", names(done), names(pending))
    gates["late"].set_result(None)
    done, pending = await asyncio.wait(tasks)
    trace("all completed", names(done), names(pending))


@scenario(statements=["wait_for.result", "wait_for.none", "wait_for.timeout", "wait_for.waits-for-end"])
async def wait_for_cancels_what_takes_too_long(loop, trace, T):
    """wait_for() returns the result if in time, else cancels the coroutine, waits for its end, and raises."""

    async def work(seconds):
        try:
            await asyncio.sleep(seconds)
            return "result"
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            trace("cancelled and cleaned up")
            raise

    await outcome(trace, "in time", asyncio.wait_for(work(0), 50 * T))
    await outcome(trace, "without limit", asyncio.wait_for(work(0), None))
    await outcome(trace, "too long", asyncio.wait_for(work(50 * T), T))


@scenario(statements=["shield.protects", "shield.caller-cancelled", "shield.result"])
async def shield_keeps_cancellation_out(loop, trace):
    """Cancelling a task that awaits shield(inner) does not cancel inner, which goes on to its result."""
    gate = loop.create_future()

    async def work():
        trace("inner goes on", await gate)
        return "result"

    async def wait():
        await outcome(trace, "shielded", asyncio.shield(inner))

    inner = loop.create_task(work())
    outer = loop.create_task(wait())
    await asyncio.sleep(0)
    outer.cancel()
    await outer
    trace("inner", inner.done(), inner.cancelled())
    gate.set_result("open")
    await outcome(trace, "inner awaited", inner)
    trace("of a finished one", await asyncio.shield(inner))
