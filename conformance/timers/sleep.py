# SPDX-License-Identifier: MIT
"""asyncio.sleep: the timer of coroutines."""

import asyncio
import time

from loopcheck_target import scenario

NEEDS = ["timers/timer_runs_exactly_once"]  # each scenario of this file


@scenario(statements=["sleep.delay", "sleep.result"])
async def sleep_lasts_as_long_as_its_delay(loop, trace, T):
    """sleep() lasts as long as its delay, not less and not much more, and returns its result."""
    for ticks in (1, 4, 20):
        due = time.monotonic() + ticks * T
        result = await asyncio.sleep(ticks * T, f"result of {ticks}")
        trace("slept", result, due=due)


@scenario(statements=["sleep.order"])
async def sleepers_wake_in_the_order_of_their_deadlines(loop, trace, T):
    """Tasks that sleep at the same time wake in the order of their deadlines, among timers and callbacks."""

    async def sleeper(ticks):
        await asyncio.sleep(ticks * T)
        trace("sleeper", ticks)

    now = loop.time()
    loop.call_at(now + 15 * T, trace, "timer", 15)
    tasks = [loop.create_task(sleeper(ticks)) for ticks in (30, 10, 20)]
    loop.call_soon(trace, "callback")
    trace("waiting")
    await asyncio.wait(tasks)
    trace("done")


@scenario(statements=["sleep.suspends", "sleep.zero-one-iteration"])
async def sleep_zero_lasts_one_iteration(loop, trace):
    """After sleep(0) a task goes on in the next iteration: everything that was ready has run once."""

    async def worker(name):
        for turn in (1, 2, 3):
            trace(name, turn)
            await asyncio.sleep(0)

    def callback(turn):
        trace("callback", turn)
        if turn < 3:
            loop.call_soon(callback, turn + 1)

    tasks = [loop.create_task(worker("first"))]
    loop.call_soon(callback, 1)
    tasks.append(loop.create_task(worker("second")))
    await asyncio.wait(tasks)
    trace("done")


@scenario(statements=["sleep.negative"])
async def negative_sleep_lasts_one_iteration(loop, trace):
    """sleep() with a negative delay returns its result after one iteration, as sleep(0) does."""
    for delay in (-5, 0):
        loop.call_soon(trace, "callback")
        trace("result", await asyncio.sleep(delay, f"slept {delay}"))


@scenario(statements=["sleep.cancel"])
async def cancelled_sleep_ends_at_once(loop, trace, T):
    """A task that is cancelled while it sleeps wakes at once, and its timer does nothing any more."""

    async def sleeper():
        try:
            await asyncio.sleep(20 * T)
        except asyncio.CancelledError:
            trace("cancelled", due=due)
            raise
        trace("slept to the end")

    task = loop.create_task(sleeper())
    due = time.monotonic() + 5 * T
    loop.call_later(5 * T, task.cancel)
    await asyncio.wait([task])
    trace("task", task.cancelled())
    await asyncio.sleep(40 * T)
    trace("later")


@scenario(statements=["sleep.suspends"])
async def sleep_lets_the_other_tasks_run(loop, trace):
    """sleep() always suspends the task, even with a delay of 0: another task that is ready runs meanwhile."""

    async def other():
        trace("other task")

    loop.create_task(other())
    trace("before")
    await asyncio.sleep(0)
    trace("after")


@scenario(statements=["sleep.nan"])
async def sleep_refuses_what_is_no_number(trace):
    """sleep() raises ValueError for a delay of nan, which no clock ever reaches."""
    try:
        await asyncio.sleep(float("nan"))
        trace("slept")
    except ValueError as exc:
        trace("refused", exc)
