# SPDX-License-Identifier: MIT
"""Loops that run in other threads, several at a time."""

import asyncio
import threading

from loopcheck_target import scenario

NEEDS = ["threads/threadsafe_call_wakes_an_idle_loop"]  # each scenario of this file


def start(function, *args):
    """Start function in another thread; return the thread."""
    thread = threading.Thread(target=function, args=args)
    thread.start()
    return thread


def bound(loop, T):
    """Stop the loop if nothing else does; return it."""
    loop.call_later(90 * T, loop.stop)
    return loop


@scenario(statements=["get_running_loop.per-thread"])
def running_loop_is_the_threads_own(new_event_loop, trace, T):
    """While one loop runs in this thread and one in another, each thread sees its own."""
    ours, theirs = bound(new_event_loop(), T), bound(new_event_loop(), T)
    other = trace.actor("other thread")

    def in_other_thread():
        running.wait(10)
        try:
            asyncio.get_running_loop()
        except Exception as exc:
            other("before its run", exc)
        theirs.call_soon(lambda: other("running", asyncio.get_running_loop() is theirs))
        theirs.call_soon(theirs.stop)
        theirs.run_forever()
        ours.call_soon_threadsafe(ours.stop)

    running = threading.Event()
    thread = start(in_other_thread)
    ours.call_soon(lambda: trace("running", asyncio.get_running_loop() is ours))
    ours.call_soon(running.set)
    ours.run_forever()
    thread.join()
    trace("stopped")


@scenario(statements=["call_soon_threadsafe.thread-safe"])
def loops_of_two_threads_talk_to_each_other(new_event_loop, trace, T):
    """Two running loops schedule on each other; each callback runs in the thread of its loop."""
    ours, theirs = bound(new_event_loop(), T), bound(new_event_loop(), T)
    here, there = trace.actor("our loop"), trace.actor("their loop")
    thread = threading.Thread(target=theirs.run_forever)

    def ping(number):
        here("ping", number, threading.current_thread() is thread)
        if number < 3:
            theirs.call_soon_threadsafe(pong, number)
        else:
            theirs.call_soon_threadsafe(theirs.stop)
            ours.stop()

    def pong(number):
        there("pong", number, threading.current_thread() is thread)
        ours.call_soon_threadsafe(ping, number + 1)

    ours.call_soon(ping, 0)
    thread.start()
    ours.run_forever()
    thread.join()
    trace("both stopped", ours.is_running(), theirs.is_running())


@scenario(basis="observed: a loop is not bound to the thread that made it, only to the one that runs it")
def loop_runs_in_one_thread_after_another(loop, trace):
    """A loop made in this thread runs in another one, and then here; its callbacks follow it."""
    main = threading.get_ident()

    def run():
        loop.call_soon(lambda: trace("callback", threading.get_ident() == main, loop.is_running()))
        loop.call_soon(loop.stop)
        loop.run_forever()

    start(run).join()
    run()
    trace("stopped", loop.is_running())


@scenario(basis="observed: is_running() asks about the loop, not about the thread that asks")
def running_is_seen_from_other_threads(loop, trace, T):
    """is_running() is true for a loop that runs in another thread; running it again here is refused."""
    running = threading.Event()
    loop.call_soon(running.set)
    thread = start(bound(loop, T).run_forever)
    running.wait(10)
    trace("running", loop.is_running())
    try:
        loop.run_forever()
    except Exception as exc:
        trace("refused", exc)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    trace("stopped", loop.is_running())


@scenario(statements=["run_coroutine_threadsafe.result", "run_coroutine_threadsafe.exception"])
def coroutine_of_a_thread_returns_its_result(loop, trace, T):
    """run_coroutine_threadsafe() runs a coroutine in the loop; the thread gets its result or exception."""
    main = threading.get_ident()
    other = trace.actor("other thread")

    async def halve(number):
        trace("coroutine", number, threading.get_ident() == main)
        await asyncio.sleep(0)
        if number % 2:
            raise LookupError("odd")
        return number // 2

    def in_other_thread():
        for number in (6, 7):
            try:
                other("result", asyncio.run_coroutine_threadsafe(halve(number), loop).result(100 * T))
            except Exception as exc:
                other("exception", exc)
        loop.call_soon_threadsafe(loop.stop)

    thread = start(in_other_thread)
    bound(loop, T).run_forever()
    thread.join()
    trace("stopped")


@scenario(statements=["run_coroutine_threadsafe.cancel"])
def thread_cancels_its_coroutine(loop, trace, T):
    """Cancelling the future that run_coroutine_threadsafe() returned cancels the coroutine in the loop."""
    other = trace.actor("other thread")
    started = threading.Event()

    async def work():
        started.set()
        try:
            await loop.create_future()
        except asyncio.CancelledError:
            trace("cancelled")
            loop.stop()
            raise

    def in_other_thread():
        future = asyncio.run_coroutine_threadsafe(work(), loop)
        started.wait(10)
        other("cancel", future.cancel(), future.cancelled())

    thread = start(in_other_thread)
    bound(loop, T).run_forever()
    thread.join()
    trace("stopped")
