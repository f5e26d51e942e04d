# SPDX-License-Identifier: MIT
"""asyncio.timeout(), new in Python 3.11: a deadline for the body of an async with statement."""

import asyncio

from loopcheck_target import scenario


async def interrupted(trace, name, seconds):
    """Sleep; trace whether a cancellation interrupted it."""
    try:
        await asyncio.sleep(seconds)
        trace(name, "slept")
    except asyncio.CancelledError:
        trace(name, "cancelled")
        raise


@scenario(statements=["timeout.cancels", "timeout.expired"])
async def timeout_cancels_the_body(trace, T):
    """When the deadline passes the body is cancelled, and outside of it this is a TimeoutError."""
    try:
        async with asyncio.timeout(T) as timeout:
            trace("expired at the start", timeout.expired())
            await interrupted(trace, "body", 50 * T)
    except TimeoutError as exc:
        trace("outside", exc)
    trace("expired", timeout.expired())
    trace("cancel requests left", asyncio.current_task().cancelling())


@scenario(statements=["timeout.in-time", "timeout.none", "timeout.expired"])
async def timeout_ends_with_its_body(trace, T):
    """A body that finishes in time is left alone, and so is what comes after it."""
    async with asyncio.timeout(10 * T) as timeout:
        await interrupted(trace, "body", 0)
    await interrupted(trace, "after the body", 12 * T)
    trace("expired", timeout.expired())
    async with asyncio.timeout(None) as timeout:
        await interrupted(trace, "without a deadline", T)
    trace("expired", timeout.when(), timeout.expired())


@scenario(statements=["timeout.reschedule", "timeout.past"])
async def timeout_can_be_rescheduled(loop, trace, T):
    """reschedule() replaces the deadline: None takes it away, one in the past expires at the next await."""
    async with asyncio.timeout(2 * T) as timeout:
        timeout.reschedule(None)
        trace("deadline", timeout.when())
        await interrupted(trace, "deadline taken away", 4 * T)
    try:
        async with asyncio.timeout(50 * T) as timeout:
            deadline = loop.time() - 1
            timeout.reschedule(deadline)
            trace("deadline", timeout.when() == deadline)
            await interrupted(trace, "deadline in the past", 10 * T)
    except TimeoutError:
        trace("expired", timeout.expired())


@scenario(statements=["timeout.nested", "timeout.expired"])
async def nested_timeouts_expire_alone(trace, T):
    """Of two nested timeouts, the one whose deadline passes raises TimeoutError, the other does not."""
    async with asyncio.timeout(50 * T) as outer:
        try:
            async with asyncio.timeout(T) as inner:
                await interrupted(trace, "inner is shorter", 10 * T)
        except TimeoutError:
            trace("inside the outer one", inner.expired(), outer.expired())
        await interrupted(trace, "outer body goes on", 0)
    try:
        async with asyncio.timeout(T) as outer:
            async with asyncio.timeout(50 * T) as inner:
                await interrupted(trace, "outer is shorter", 10 * T)
    except TimeoutError:
        trace("outside of both", inner.expired(), outer.expired())


@scenario(statements=["timeout.cancelled-outside"])
async def cancellation_from_outside_is_no_timeout(loop, trace, T):
    """A task cancelled by another while its timeout runs sees CancelledError, not TimeoutError."""

    async def work():
        try:
            async with asyncio.timeout(50 * T) as timeout:
                await interrupted(trace, "body", 10 * T)
        finally:
            trace("expired", timeout.expired())

    task = loop.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except (TimeoutError, asyncio.CancelledError) as exc:
        trace("outside", exc)
    trace("cancelled", task.cancelled())


@scenario(statements=["timeout.when", "timeout_at.deadline"])
async def deadline_is_a_moment_of_the_loop(loop, trace, T):
    """timeout_at() takes a moment on the loop's clock, timeout() a delay from now; when() tells the moment."""
    deadline = loop.time() + 5 * T
    try:
        async with asyncio.timeout_at(deadline) as timeout:
            trace("when", timeout.when() == deadline)
            await interrupted(trace, "body", 50 * T)
    except TimeoutError:
        trace("expired", timeout.expired(), loop.time() >= deadline)
    before = loop.time()
    async with asyncio.timeout(50 * T) as timeout:
        trace("delay", before + 50 * T <= timeout.when() <= loop.time() + 50 * T)
    async with asyncio.timeout_at(None) as timeout:
        trace("no deadline", timeout.when())


@scenario(statements=["timeout.past"])
async def deadline_in_the_past_cancels_at_the_next_await(trace, T):
    """With a delay of 0 or less the body begins, and is cancelled where it first waits."""
    for delay in (0, -5):
        try:
            async with asyncio.timeout(delay):
                trace("body begins")
                await interrupted(trace, "body", 50 * T)
        except TimeoutError:
            trace("expired")


@scenario(basis="observed: a Timeout that is used out of turn says so", since="3.11")
async def timeout_is_used_once_and_in_turn(loop, trace, T):
    """A Timeout can be rescheduled only inside its body, and entered once: else RuntimeError."""

    def attempt(name):
        try:
            timeout.reschedule(loop.time() + T)
            trace(name, "accepted")
        except RuntimeError as exc:
            trace(name, exc)

    timeout = asyncio.Timeout(loop.time() + 50 * T)
    attempt("before")
    async with timeout:
        attempt("inside")
    attempt("after")
    try:
        async with timeout:
            trace("entered again")
    except RuntimeError as exc:
        trace("again", exc)
    trace("expired", timeout.expired())
