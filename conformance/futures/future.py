# SPDX-License-Identifier: MIT
"""The Future that create_future() returns: its states, its done callbacks, and waiting for it."""

import asyncio
from functools import partial

from loopcheck_target import scenario


def attempt(trace, name, function, *args):
    """Trace what the call returns or raises."""
    try:
        trace(name, function(*args))
    except (Exception, asyncio.CancelledError) as exc:
        trace(name, exc)


def run_for(loop, seconds):
    """Run the loop for a bounded time."""
    loop.call_later(seconds, loop.stop)
    loop.run_forever()


@scenario(statements=["create_future.attached", "create_future.alternative"])
def new_future_is_pending(loop, trace):
    """create_future() returns a pending Future attached to the loop, of a class of the loop's own choice."""
    future = loop.create_future()
    trace("is a future", asyncio.isfuture(future))
    trace("taken as it is", asyncio.ensure_future(future) is future)
    trace("attached", future.get_loop() is loop)
    trace("done", future.done())
    trace("cancelled", future.cancelled())


@scenario(
    basis="observed: what other code asks with isinstance(), though a loop may have futures of its own",
    requires=["asyncio-futures"],
)
def new_future_is_an_asyncio_future(loop, trace):
    """The futures of create_future() are instances of asyncio.Future."""
    trace("is a future", isinstance(loop.create_future(), asyncio.Future))


@scenario(
    statements=[
        "Future.result.pending",
        "Future.exception.pending",
        "Future.set_result.done",
        "Future.set_result.twice",
        "Future.set_exception.twice",
        "Future.result.value",
        "Future.exception.value",
    ]
)
def result_is_set_once(loop, trace):
    """A Future has no result before set_result(), and a second one is refused."""
    future = loop.create_future()
    attempt(trace, "result while pending", future.result)
    attempt(trace, "exception while pending", future.exception)
    future.set_result("first")
    trace("done", future.done(), future.cancelled())
    attempt(trace, "second result", future.set_result, "second")
    attempt(trace, "exception after the result", future.set_exception, ValueError())
    trace("result", future.result())
    trace("exception", future.exception())


@scenario(
    statements=[
        "Future.set_exception.done",
        "Future.result.exception",
        "Future.exception.value",
        "Future.set_result.twice",
    ]
)
def exception_is_raised_by_result(loop, trace):
    """result() raises the very exception that was set, and exception() returns it."""
    error = LookupError("nowhere")
    future = loop.create_future()
    future.set_exception(error)
    trace("done", future.done(), future.cancelled())
    trace("same exception", future.exception() is error)
    attempt(trace, "result", future.result)
    attempt(trace, "result after the exception", future.set_result, None)


@scenario(statements=["Future.set_exception.bad", "Future.set_exception.class"])
def only_exceptions_are_set_as_exceptions(loop, trace):
    """set_exception() refuses what is no exception; of a class it makes an instance."""
    future = loop.create_future()
    attempt(trace, "not an exception", future.set_exception, 42)
    trace("done", future.done())
    future.set_exception(KeyError)
    trace("from a class", future.exception())


@scenario(
    statements=[
        "Future.cancel.pending",
        "Future.cancel.done",
        "Future.cancelled",
        "Future.result.cancelled",
        "Future.exception.cancelled",
    ]
)
def cancel_finishes_the_future(loop, trace, T):
    """cancel() makes the Future done and cancelled at once; a Future that is done cannot be cancelled."""
    future = loop.create_future()
    future.add_done_callback(lambda done: trace("done callback", done.cancelled()))
    trace("cancel", future.cancel())
    trace("done", future.done(), future.cancelled())
    attempt(trace, "result", future.result)
    attempt(trace, "exception", future.exception)
    attempt(trace, "result after cancel", future.set_result, None)
    trace("cancel again", future.cancel())
    run_for(loop, T)
    finished = loop.create_future()
    finished.set_result("kept")
    trace("cancel a finished one", finished.cancel(), finished.result())


@scenario(
    statements=[
        "Future.add_done_callback.call_soon",
        "Future.add_done_callback.argument",
        "Future.add_done_callback.order",
    ]
)
def done_callbacks_wait_for_the_loop(loop, trace, T):
    """Done callbacks are scheduled with call_soon() when the Future is done, in the order of adding."""
    future = loop.create_future()

    def callback(name, argument):
        trace(name, argument is future)

    for name in ("added first", "added second"):
        future.add_done_callback(partial(callback, name))
    loop.call_soon(trace, "scheduled before")
    future.set_result(None)
    trace("result set")
    loop.call_soon(trace, "scheduled after")
    future.add_done_callback(partial(callback, "added when done"))
    trace("callback added")
    run_for(loop, T)
    trace("stopped")


@scenario(statements=["Future.remove_done_callback.removes", "Future.remove_done_callback.count"])
def removed_done_callbacks_do_not_run(loop, trace, T):
    """remove_done_callback() removes every copy and returns how many; what is scheduled still runs."""
    future = loop.create_future()

    def removed(_):
        trace("removed")

    def kept(_):
        trace("kept")

    for callback in (removed, kept, removed):
        future.add_done_callback(callback)
    trace("copies removed", future.remove_done_callback(removed))
    trace("none left", future.remove_done_callback(removed))
    future.set_result(None)
    trace("scheduled already", future.remove_done_callback(kept))
    run_for(loop, T)
    trace("stopped")


@scenario(statements=["Future.add_done_callback.raises"])
def failing_done_callback_is_reported(loop, trace, T):
    """An exception in a done callback goes to the exception handler; the other callbacks still run."""

    def failing(_):
        trace("failing")
        raise ValueError("from the callback")

    loop.set_exception_handler(lambda _, context: trace("reported", sorted(context), context["exception"]))
    future = loop.create_future()
    future.add_done_callback(failing)
    future.add_done_callback(lambda _: trace("next callback"))
    future.set_result("unharmed")
    run_for(loop, T)
    trace("result", future.result())


@scenario(statements=["Future.awaitable", "Future.await-order", "Future.await-done"])
async def waiting_coroutines_resume_in_order(loop, trace):
    """The result resumes waiting coroutines later, first come first served; a done Future makes none wait."""
    future = loop.create_future()

    async def wait(name):
        trace(name, "waits")
        trace(name, await future)

    tasks = [loop.create_task(wait(name)) for name in ("first", "second")]
    await asyncio.sleep(0)
    future.set_result("result")
    trace("result set")
    await asyncio.wait(tasks)
    loop.call_soon(trace, "callback")
    trace("did not wait", await future)
    await asyncio.sleep(0)


@scenario(statements=["Future.set_exception.stop-iteration"])
def stop_iteration_is_refused(loop, trace):
    """set_exception() refuses StopIteration, which no coroutine can raise; the Future stays pending."""
    future = loop.create_future()
    attempt(trace, "set", future.set_exception, StopIteration("value"))
    trace("done", future.done())


@scenario(statements=["Future.set_exception.stop-iteration-converted"])
def stop_iteration_becomes_a_runtime_error(loop, trace):
    """set_exception() puts a RuntimeError in the place of StopIteration, with it as the cause."""
    future = loop.create_future()
    attempt(trace, "set", future.set_exception, StopIteration("value"))
    trace("done", future.done())
    trace("exception", future.exception(), type(future.exception().__cause__))


@scenario(statements=["Future.done.any-outcome"])
def future_is_done_in_three_ways(loop, trace):
    """A Future is done by a result, an exception or a cancellation, and cancelled only by the last."""
    for name, method, *args in (
        ("result", "set_result", 1),
        ("exception", "set_exception", LookupError()),
        ("cancelled", "cancel"),
    ):
        future = loop.create_future()
        before = future.done()
        getattr(future, method)(*args)
        trace(name, before, future.done(), future.cancelled())
        attempt(trace, "exception", future.exception)


@scenario(statements=["Future.add_done_callback.call_soon", "Future.add_done_callback.argument"])
def done_callback_is_scheduled_not_called(loop, trace, T):
    """A done callback runs in the loop, not inside set_result() or add_done_callback(), with the Future alone."""

    def callback(*args):
        trace("callback", len(args), args[0] is future)

    for name in ("added before", "added when done"):
        future = loop.create_future()
        if name == "added when done":
            future.set_result(None)
        future.add_done_callback(callback)
        if name == "added before":
            future.set_result(None)
        trace(name, future.done())
        run_for(loop, T)


@scenario(statements=["Future.awaitable"])
async def future_hands_its_outcome_to_who_awaits_it(loop, trace, T):
    """A coroutine that awaits a Future goes on when it is done: with the result, or the exception raised."""
    for method, outcome in (("set_result", "result"), ("set_exception", LookupError("on purpose"))):
        future = loop.create_future()
        loop.call_later(T, trace, method)
        loop.call_later(5 * T, getattr(future, method), outcome)
        try:
            trace("awaited", await future)
        except LookupError as exc:
            trace("raised", exc is outcome)


@scenario(statements=["Future.get_loop", "Future.loop-arg"])
def future_belongs_to_its_loop(loop, new_event_loop, trace):
    """A Future knows its loop: the one whose create_future() made it, or the one given to Future()."""
    other = new_event_loop()
    asyncio.set_event_loop(other)
    trace("create_future", loop.create_future().get_loop() is loop)
    trace("argument", asyncio.Future(loop=loop).get_loop() is loop)
    trace("current loop", asyncio.Future(loop=other).get_loop() is other)
    asyncio.set_event_loop(None)
