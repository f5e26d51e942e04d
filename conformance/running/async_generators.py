# SPDX-License-Identifier: MIT
"""Asynchronous generators that were not run to their end: who closes them, and when."""

import asyncio
import gc
import sys
import warnings

from loopcheck_target import scenario


async def numbers(trace, name):
    """An endless generator that says when it is closed; its clean-up has to wait."""
    try:
        while True:
            yield name
    finally:
        await asyncio.sleep(0)
        trace("closed", name)


async def take_one(generator):
    """Return the first value of an asynchronous generator and leave it open."""
    return await generator.__anext__()


@scenario(statements=["shutdown_asyncgens.empty"])
def shutdown_without_generators_completes(loop, trace):
    """With no generator open, shutdown_asyncgens() returns None; the loop can go on."""
    for number in (1, 2):
        trace("returned", number, loop.run_until_complete(loop.shutdown_asyncgens()))
    loop.call_soon(trace, "callback")
    loop.call_soon(loop.stop)
    loop.run_forever()
    trace("stopped")


@scenario(statements=["shutdown_asyncgens.acloses-open", "shutdown_asyncgens.coroutine"])
def shutdown_closes_the_open_generators(loop, trace):
    """shutdown_asyncgens() is a coroutine; it closes generators that have begun, and waits for their ends."""
    closing = trace.unordered()
    first, second, _ = (numbers(closing, name) for name in ("first", "second", "not begun"))
    loop.run_until_complete(take_one(first))
    loop.run_until_complete(take_one(second))
    shutdown = loop.shutdown_asyncgens()
    trace("coroutine", asyncio.iscoroutine(shutdown))
    loop.run_until_complete(shutdown)
    trace("complete")
    loop.close()
    trace("loop closed")


@scenario(statements=["shutdown_asyncgens.warns-new"])
def generator_begun_after_shutdown_is_warned_of(loop, trace):
    """After shutdown_asyncgens(), beginning another generator on the loop issues a ResourceWarning."""

    async def begin():
        generator = numbers(trace, "late")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            trace("value", await take_one(generator))
        trace("warned", [warning.category for warning in caught])
        trace("names it", ["numbers" in str(warning.message) for warning in caught])
        await generator.aclose()

    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(begin())


@scenario(basis="observed: most generators are left by break, and their clean-up needs the loop")
async def forgotten_generator_is_closed_by_the_loop(loop, trace, T):
    """A generator that is left half-way and collected is closed by the loop that iterated it."""

    async def leave():
        async for value in numbers(trace, "forgotten"):
            trace("value", value)
            break

    await leave()
    gc.collect()
    trace("left")
    await asyncio.sleep(5 * T)
    trace("complete")


@scenario(basis="observed: what a loop changes for its run must not stay behind for the rest of the thread")
def generator_hooks_last_as_long_as_the_run(loop, trace):
    """A run sets the thread's hooks for asynchronous generators and restores those that it found."""

    def hooks(when):
        found = sys.get_asyncgen_hooks()
        trace(when, found.firstiter is begun, found.finalizer is None)

    def begun(generator):
        trace("begun outside the loop")

    sys.set_asyncgen_hooks(begun, None)
    hooks("before")
    loop.call_soon(hooks, "during")
    loop.call_soon(loop.stop)
    loop.run_forever()
    hooks("after")
    sys.set_asyncgen_hooks(None, None)


@scenario(statements=["example.shutdown_asyncgens"])
def example_closes_generators_and_then_the_loop(loop, trace):
    """The documentation's example: run_forever(), and whatever ends it, shutdown_asyncgens() and close()."""

    async def work():
        trace("value", await take_one(generator))
        loop.stop()

    generator = numbers(trace, "left open")
    task = loop.create_task(work())
    try:
        loop.run_forever()
        trace("stopped", task.done())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    trace("loop closed", loop.is_closed())
