# SPDX-License-Identifier: MIT
"""run_until_complete(): what it runs, how long, and what it returns or raises."""

import asyncio
import time

from loopcheck_target import scenario


def attempt(trace, name, function, *args):
    """Trace what function(*args) returns or raises."""
    try:
        trace(name, function(*args))
    except (Exception, asyncio.CancelledError) as exc:
        trace(name, exc)


@scenario(
    statements=[
        "run_until_complete.blocks-until-done",
        "run_until_complete.result",
        "run_until_complete.future-arg",
    ]
)
def run_lasts_until_the_future_has_its_result(loop, trace, T):
    """The loop runs until the future is done, and no longer; the call returns the result of the future."""
    future = loop.create_future()
    now = loop.time()
    loop.call_at(now + T, trace, "timer before")
    loop.call_at(now + 5 * T, future.set_result, "result")
    loop.call_at(now + 10 * T, trace, "timer after")
    trace("returned", loop.run_until_complete(future))
    trace("running", loop.is_running())


@scenario(statements=["run_until_complete.coroutine-as-task", "run_until_complete.result"])
def coroutine_runs_as_a_task(loop, trace):
    """A coroutine becomes a task, made by the task factory; the call returns what the coroutine returns."""

    def factory(loop, coro, **options):
        trace("task factory", coro is coroutine)
        return asyncio.Task(coro, loop=loop, **options)

    async def work():
        trace("task", isinstance(asyncio.current_task(), asyncio.Task))
        await asyncio.sleep(0)
        return 42

    coroutine = work()
    loop.set_task_factory(factory)
    trace("returned", loop.run_until_complete(coroutine))


@scenario(statements=["run_until_complete.exception"])
def exception_comes_out_of_the_call(loop, trace):
    """The exception of a future or of a coroutine is raised by the call, the same object."""
    error = KeyError("on purpose")

    async def work():
        await asyncio.sleep(0)
        raise error

    future = loop.create_future()
    loop.call_soon(future.set_exception, error)
    for awaitable in (work(), future):
        try:
            loop.run_until_complete(awaitable)
            trace("returned")
        except Exception as exc:
            trace("raised", exc, exc is error)


@scenario(statements=["run_until_complete.already-done"])
def finished_future_returns_promptly(loop, trace, T):
    """A future that is done already needs no waiting; scheduled callbacks run on the way."""
    future = loop.create_future()
    future.set_result("result")
    loop.call_soon(trace, "callback")
    loop.call_later(20 * T, trace, "timer")
    start = time.monotonic()
    trace("returned", loop.run_until_complete(future), due=start)


@scenario(statements=["run_until_complete.cancelled"])
def cancelled_future_raises_cancelled_error(loop, trace, T):
    """When the future or the task is cancelled, the call raises CancelledError."""

    async def wait():
        try:
            await asyncio.sleep(20 * T)
        finally:
            trace("leaving")

    future, task = loop.create_future(), loop.create_task(wait())
    loop.call_later(T, future.cancel)
    attempt(trace, "future", loop.run_until_complete, future)
    loop.call_later(T, task.cancel)
    attempt(trace, "task", loop.run_until_complete, task)
    trace("cancelled", future.cancelled(), task.cancelled())


@scenario(statements=["run_until_complete.stopped-early", "run_until_complete.loop-reusable"])
def stop_before_the_result_raises_runtime_error(loop, trace, T):
    """If the loop is stopped first, the call raises RuntimeError; the future's end stops no later run."""
    future = loop.create_future()
    loop.call_soon(loop.stop)
    attempt(trace, "stopped", loop.run_until_complete, future)
    trace("done", future.done(), future.cancelled())
    now = loop.time()
    loop.call_at(now + T, future.set_result, "result")
    loop.call_at(now + 5 * T, trace, "timer")
    loop.call_at(now + 10 * T, loop.stop)
    loop.run_forever()
    trace("stopped again", future.done())
    attempt(trace, "second call", loop.run_until_complete, future)


@scenario(statements=["run_until_complete.bad-arg", "run_until_complete.foreign-future"])
def unfit_arguments_are_refused(loop, new_event_loop, trace):
    """What cannot be awaited raises TypeError, a future of another loop ValueError; the loop stays usable."""

    async def work():
        return "result"

    attempt(trace, "number", loop.run_until_complete, 42)
    attempt(trace, "coroutine function", loop.run_until_complete, work)
    attempt(trace, "foreign future", loop.run_until_complete, new_event_loop().create_future())
    attempt(trace, "coroutine", loop.run_until_complete, work())


@scenario(statements=["run_until_complete.nested"])
def nested_call_is_refused(loop, new_event_loop, trace, T):
    """In a running loop's thread, run_until_complete() of this or another loop raises RuntimeError."""
    other = new_event_loop()

    async def outer():
        for name, inner in (("same loop", loop), ("other loop", other)):
            future = inner.create_future()
            inner.call_later(5 * T, future.set_result, "was run")
            attempt(trace, name, inner.run_until_complete, future)
            trace("outer run", loop.is_running(), asyncio.get_running_loop() is loop)
        await asyncio.sleep(0)
        return "result"

    attempt(trace, "outer", loop.run_until_complete, outer())
    trace("running", loop.is_running(), other.is_running())


@scenario(statements=["run_until_complete.drains-deferred"])
def deferred_callbacks_run_in_the_next_call(loop, trace):
    """What a stopped run_forever() left behind runs when run_until_complete() is called."""

    def stopping():
        loop.stop()
        loop.call_soon(trace, "deferred")

    loop.call_soon(stopping)
    loop.run_forever()
    trace("stopped")
    loop.run_until_complete(asyncio.sleep(0))
    trace("complete")


@scenario(statements=["run_until_complete.awaitable-arg"])
def any_awaitable_is_run(loop, trace):
    """run_until_complete() takes any object that can be awaited, not only coroutines and futures."""

    class Awaitable:
        def __await__(self):
            trace("awaited in a run", loop.is_running())
            yield from asyncio.sleep(0).__await__()
            return "result"

    trace("returned", loop.run_until_complete(Awaitable()))
