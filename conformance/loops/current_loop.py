# SPDX-License-Identifier: MIT
"""Which loop runs, and which one is current: get_running_loop(), get_event_loop(), set_event_loop()."""

import asyncio
import socket
import threading

from loopcheck_target import scenario


def answer(function, loop):
    """Return whether function() gives this loop; or the exception that it raises."""
    try:
        return function() is loop
    except RuntimeError as exc:
        return exc


@scenario(statements=["get_running_loop.returns-running"])
def running_loop_is_seen_from_inside(loop, trace, T):
    """In coroutines, callbacks, timers, readers and done callbacks, get_running_loop() is the loop that runs."""
    ours, theirs = socket.socketpair()
    future = loop.create_future()

    def check(where, *_):
        trace(where, answer(asyncio.get_running_loop, loop))

    def readable():
        check("reader")
        loop.remove_reader(ours.fileno())
        future.set_result(None)

    async def work():
        check("coroutine")
        await future
        check("coroutine, resumed")
        loop.call_soon(check, "callback")
        loop.call_later(T, check, "timer")
        await asyncio.sleep(5 * T)

    future.add_done_callback(lambda _: check("done callback"))
    loop.add_reader(ours.fileno(), readable)
    theirs.send(b"data")
    loop.run_until_complete(work())
    ours.close()
    theirs.close()


@scenario(statements=["get_running_loop.none.raises"])
def no_loop_is_seen_from_outside(loop, new_event_loop, trace):
    """get_running_loop() raises RuntimeError before and after a run, however the run ended."""

    def raising(exc):
        raise exc

    def run(each, name, *callback):
        each.call_soon(*callback)
        each.call_soon(each.stop)
        try:
            each.run_forever()
        except KeyboardInterrupt as exc:
            trace("raised", type(exc))
        trace("after " + name, answer(asyncio.get_running_loop, each))

    trace("before", answer(asyncio.get_running_loop, loop))
    run(loop, "stop", lambda: trace("inside", answer(asyncio.get_running_loop, loop)))
    run(loop, "an interrupt", raising, KeyboardInterrupt())
    other = new_event_loop()
    run(other, "another loop", lambda: trace("inside", answer(asyncio.get_running_loop, other)))


@scenario(
    statements=["get_running_loop.ignores-set", "set_event_loop.not-running", "set_event_loop.none-clears"]
)
def current_loop_need_not_run(loop, trace):
    """set_event_loop() makes a loop current without running it; set_event_loop(None) removes it."""
    asyncio.set_event_loop(loop)
    trace("current", answer(asyncio.get_event_loop, loop))
    trace("running", answer(asyncio.get_running_loop, loop), loop.is_running())
    asyncio.set_event_loop(None)
    trace("removed", answer(asyncio.get_event_loop, loop))


@scenario(
    statements=[
        "set_event_loop.sets-current",
        "get_event_loop.never-none",
        "get_event_loop.implements-interface",
    ]
)
def set_loop_becomes_current(loop, new_event_loop, trace):
    """With no loop running, get_event_loop() is the loop that was set last: a loop, never None."""
    for name, each in (("first", loop), ("second", new_event_loop()), ("first again", loop)):
        asyncio.set_event_loop(each)
        trace(name, answer(asyncio.get_event_loop, each))
        trace("is a loop", isinstance(asyncio.get_event_loop(), asyncio.AbstractEventLoop))
    loop.run_until_complete(asyncio.sleep(0))
    trace("after a run", answer(asyncio.get_event_loop, loop))
    asyncio.set_event_loop(None)


@scenario(statements=["get_event_loop.in-callback.running"])
def running_loop_goes_before_the_current_one(loop, new_event_loop, trace):
    """In a callback or coroutine, get_event_loop() is the running loop, whichever loop was made current."""
    current = new_event_loop()

    def check(where):
        trace(where, answer(asyncio.get_event_loop, loop))

    async def work():
        check("coroutine")
        asyncio.set_event_loop(current)
        check("coroutine, after set_event_loop")

    asyncio.set_event_loop(current)
    loop.call_soon(check, "callback")
    loop.run_until_complete(work())
    trace("after the run", answer(asyncio.get_event_loop, current))
    asyncio.set_event_loop(None)


@scenario(statements=["set_event_loop.bad-type"])
def only_loops_and_none_are_set(loop, trace):
    """set_event_loop() refuses with TypeError what is no loop, and the current loop stays."""
    for name, value in (("loop", loop), ("number", 42), ("class", type(loop))):
        try:
            asyncio.set_event_loop(value)
            trace(name, "accepted")
        except TypeError as exc:
            trace(name, exc)
    trace("current", answer(asyncio.get_event_loop, loop))
    asyncio.set_event_loop(None)


@scenario(
    statements=[
        "get_running_loop.per-thread",
        "set_event_loop.per-thread",
        "get_event_loop.no-create.raises",
    ]
)
def other_thread_has_its_own_loop(loop, new_event_loop, trace):
    """Which loop runs and which is current is a matter of each thread; a new thread has neither."""
    other = new_event_loop()

    def in_other_thread():
        trace("thread, running", answer(asyncio.get_running_loop, loop))
        trace("thread, current", answer(asyncio.get_event_loop, loop))
        asyncio.set_event_loop(other)
        trace("thread, current after set", answer(asyncio.get_event_loop, other))

    def callback():
        thread = threading.Thread(target=in_other_thread)
        thread.start()
        thread.join()
        trace("running", answer(asyncio.get_running_loop, loop))
        loop.stop()

    asyncio.set_event_loop(loop)
    loop.call_soon(callback)
    loop.run_forever()
    trace("current", answer(asyncio.get_event_loop, loop))
    asyncio.set_event_loop(None)
