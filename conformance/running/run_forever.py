# SPDX-License-Identifier: MIT
"""run_forever(): how long it runs, what it refuses, and what one iteration of it does."""

import asyncio
import socket
import time

from loopcheck_target import scenario


def attempt(trace, name, function):
    """Trace what function() returns or raises."""
    try:
        trace(name, function())
    except Exception as exc:
        trace(name, exc)


def stop_twice(loop, T):
    """End the run soon; if the first stop() ends a run inside it, the second ends the outer one."""
    now = loop.time()
    loop.call_at(now + 5 * T, loop.stop)
    loop.call_at(now + 15 * T, loop.stop)


def sees_itself_running(loop):
    """Return whether the loop runs: by its own word, and by what get_running_loop() says here."""
    try:
        return loop.is_running(), asyncio.get_running_loop() is loop
    except RuntimeError:
        return loop.is_running(), False


@scenario(statements=["run_forever.until-stop", "stop.requests-exit"])
def run_lasts_until_stop(loop, trace, T):
    """run_forever() runs callbacks and timers until stop() is called, and then returns."""
    now = loop.time()
    loop.call_soon(trace, "callback")
    loop.call_at(now + T, trace, "timer before stop")
    loop.call_at(now + 5 * T, loop.stop)
    loop.call_at(now + 10 * T, trace, "timer after stop")
    trace("returned", loop.run_forever())


@scenario(statements=["is_running.true-while-running", "is_running.false-otherwise"])
def is_running_follows_the_run(loop, trace, T):
    """is_running() is true in callbacks, timers and coroutines, and false before, between and after runs."""

    async def work():
        trace("coroutine", loop.is_running())

    trace("before", loop.is_running())
    loop.call_soon(lambda: trace("callback", loop.is_running()))
    now = loop.time()
    loop.call_at(now + T, lambda: trace("timer", loop.is_running()))
    loop.call_at(now + 5 * T, loop.stop)
    loop.run_forever()
    trace("between", loop.is_running())
    loop.run_until_complete(work())
    trace("after", loop.is_running())
    loop.close()
    trace("closed", loop.is_running())


@scenario(statements=["run_forever.restartable"])
def stopped_loop_runs_again(loop, trace, T):
    """A stopped loop can run again any number of times; its timers go on to the next run."""
    now = loop.time()
    for number in range(4):
        loop.call_at(now + (4 * number + 3) * T, trace, "timer", number)
    for number in range(4):
        loop.call_soon(trace, "callback", number)
        loop.call_at(now + (4 * number + 1) * T, loop.stop)
        loop.run_forever()
        trace("stopped", number)


@scenario(statements=["run_forever.nested.raises"])
def run_inside_a_run_is_refused(loop, new_event_loop, trace, T):
    """While a loop runs, run_forever() of it and of any other loop of the thread raises RuntimeError."""
    other = new_event_loop()

    def nested():
        attempt(trace, "other loop", other.run_forever)
        attempt(trace, "same loop", loop.run_forever)
        loop.call_soon(trace, "next iteration")

    other.call_soon(trace, "callback of the other loop")
    other.call_soon(other.stop)
    loop.call_soon(nested)
    stop_twice(loop, T)
    loop.run_forever()
    trace("stopped")
    other.call_soon(other.stop)
    other.run_forever()
    trace("other loop stopped")


@scenario(statements=["run_forever.nested.outer-intact"])
def refused_run_leaves_the_outer_run_intact(loop, new_event_loop, trace, T):
    """After a refused run_forever() the outer loop still runs, and is seen to do so until it is stopped."""
    other = new_event_loop()

    def nested():
        for name, inner in (("other loop", other), ("same loop", loop)):
            attempt(trace, name, inner.run_forever)
            trace("outer run", *sees_itself_running(loop))
        loop.call_soon(lambda: trace("next iteration", *sees_itself_running(loop)))

    other.call_soon(other.stop)
    loop.call_soon(nested)
    stop_twice(loop, T)
    loop.run_forever()
    trace("stopped", *sees_itself_running(loop))


@scenario(statements=["run_forever.idle-blocks"], requires=["real-clock"])
def idle_run_sleeps(loop, trace, T):
    """With nothing to do the loop sleeps: ten ticks of waiting cost less than one tick of processor time."""
    loop.call_later(10 * T, loop.stop)
    before = time.process_time()
    loop.run_forever()
    trace("stopped, busy", time.process_time() - before > T)


@scenario(statements=["iteration.no-timeout-when-ready"])
def loop_does_not_wait_while_callbacks_are_ready(loop, trace, T):
    """A callback that schedules itself runs without pause, however far the next timer is."""

    def turn(left):
        if left:
            loop.call_soon(turn, left - 1)
        else:
            trace("all turns done", due=start)
            loop.stop()

    start, now = time.monotonic(), loop.time()
    loop.call_at(now + 50 * T, trace, "timer")
    loop.call_at(now + 60 * T, loop.stop)
    loop.call_soon(turn, 50)
    loop.run_forever()
    trace("stopped")


@scenario(statements=["iteration.timers-then-batch"])
def iteration_runs_callbacks_then_readers_then_timers(loop, trace, T):
    """One iteration runs what was scheduled, then callbacks of ready descriptors, then timers that are due."""
    ours, theirs = socket.socketpair()

    def readable():
        trace("reader", ours.recv(10))
        loop.remove_reader(ours.fileno())

    loop.add_reader(ours.fileno(), readable)
    theirs.send(b"data")
    loop.call_at(loop.time() - T, trace, "timer that is due")
    loop.call_soon(trace, "callback")
    loop.call_later(20 * T, loop.stop)
    loop.run_forever()
    trace("stopped")
    ours.close()
    theirs.close()


@scenario(statements=["iteration.cancelled-timer-no-wait"])
def cancelled_timers_do_not_hold_the_loop(loop, trace, T):
    """Cancelled timers, however many, neither run nor change when the others do."""
    start, now = time.monotonic(), loop.time()
    timers = [loop.call_at(now + (1 + number / 100) * T, trace, "cancelled timer") for number in range(200)]
    loop.call_at(now + 5 * T, lambda: trace("timer", due=start + 5 * T))
    loop.call_at(now + 8 * T, loop.stop)
    for timer in timers:
        timer.cancel()
    loop.run_forever()
    trace("stopped", due=start + 8 * T)
