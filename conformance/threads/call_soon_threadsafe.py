# SPDX-License-Identifier: MIT
"""call_soon_threadsafe: scheduling from other threads, in which order, and waking the loop."""

import asyncio
import contextvars
import os
import signal
import threading
import time

from loopcheck_target import scenario

NEEDS = ["threads/threadsafe_call_wakes_an_idle_loop"]  # each scenario of this file

place = contextvars.ContextVar("place", default="unset")


def start(function, *args):
    """Start function in another thread; return the thread."""
    thread = threading.Thread(target=function, args=args)
    thread.start()
    return thread


def run_bounded(loop, T):
    """Run the loop until a callback stops it, but not for so long that the run would count as a hang."""
    bound = loop.call_later(90 * T, loop.stop)
    loop.run_forever()
    bound.cancel()


def run_batch(loop):
    """Run the callbacks that are scheduled now."""
    loop.call_soon(loop.stop)
    loop.run_forever()


@scenario(statements=["call_soon_threadsafe.like-call_soon"])
def threadsafe_calls_keep_the_order_of_call_soon(loop, trace):
    """In the loop's own thread it is like call_soon(): same order, same arguments, not at once."""

    def schedule():
        loop.call_soon(trace, "first")
        loop.call_soon_threadsafe(trace, "second", 1, None)
        loop.call_soon(trace, "third")
        loop.call_soon_threadsafe(loop.stop)
        trace("scheduled")

    loop.call_soon(schedule)
    loop.run_forever()
    trace("stopped")


@scenario(statements=["call_soon_threadsafe.thread-safe"])
def callback_of_a_thread_runs_in_the_loops_thread(loop, trace, T):
    """A callback that another thread schedules runs in the thread that runs the loop."""
    main = threading.get_ident()

    def callback(scheduled_by):
        trace("callback", threading.get_ident() == main, scheduled_by == main)
        loop.stop()

    def other():
        running.wait(10)
        loop.call_soon_threadsafe(callback, threading.get_ident())

    running = threading.Event()
    loop.call_soon(running.set)
    thread = start(other)
    run_bounded(loop, T)
    thread.join()
    trace("stopped")


@scenario(statements=["call_soon_threadsafe.thread-safe"])
def threads_can_schedule_before_the_run(loop, trace):
    """What a thread schedules while the loop does not run, waits for the run."""
    start(loop.call_soon_threadsafe, trace, "from a thread").join()
    loop.call_soon(trace, "from the loop's thread")
    trace("before the run")
    run_batch(loop)


@scenario(statements=["call_soon_threadsafe.returns-handle"])
def threadsafe_call_returns_a_handle(loop, trace):
    """It returns a Handle, with which the callback can be cancelled."""
    kept = loop.call_soon_threadsafe(trace, "kept")
    cancelled = loop.call_soon_threadsafe(trace, "cancelled")
    trace("is a Handle", isinstance(kept, asyncio.Handle), isinstance(cancelled, asyncio.Handle))
    cancelled.cancel()
    trace("cancelled", kept.cancelled(), cancelled.cancelled())
    run_batch(loop)


@scenario(statements=["call_soon_threadsafe.closed-raises"])
def threadsafe_call_on_a_closed_loop_is_refused(loop, trace):
    """On a closed loop it raises RuntimeError, in whichever thread it is called."""

    def attempt(thread):
        try:
            loop.call_soon_threadsafe(trace, "ran")
        except Exception as exc:
            trace(thread, exc)

    loop.close()
    attempt("the loop's thread")
    start(attempt, "another thread").join()


@scenario(statements=["call_soon_threadsafe.context"])
def threadsafe_callback_runs_in_the_given_context(loop, trace):
    """With context= the callback runs in that context."""
    context = contextvars.copy_context()
    context.run(place.set, "given")

    def callback():
        trace("callback", place.get())
        place.set("changed")

    start(lambda: loop.call_soon_threadsafe(callback, context=context)).join()
    run_batch(loop)
    trace("afterwards", context[place], place.get())


@scenario(statements=["call_soon_threadsafe.like-call_soon"])
def threadsafe_callback_runs_in_the_threads_context(loop, trace):
    """Without context= the callback runs in the context in which it was scheduled: the thread's."""

    def other():
        place.set("thread")
        loop.call_soon_threadsafe(lambda: trace("callback", place.get()))
        place.set("thread, later")

    place.set("loop")
    start(other).join()
    run_batch(loop)


@scenario(statements=["call_soon_threadsafe.per-thread-order"])
def callbacks_of_one_thread_keep_their_order(loop, trace, T):
    """Callbacks run in the order in which their thread scheduled them, while the loop runs."""
    seen = []

    def other():
        for number in range(20):
            loop.call_soon_threadsafe(seen.append, number)
        loop.call_soon_threadsafe(loop.stop)

    thread = start(other)
    run_bounded(loop, T)
    thread.join()
    trace("seen", seen)


@scenario(statements=["call_soon_threadsafe.thread-safe"])
def callbacks_of_many_threads_run_once_each(loop, trace, T):
    """Of what many threads schedule at the same time, nothing is lost and nothing runs twice."""
    seen = []

    def other(name):
        for number in range(250):
            loop.call_soon_threadsafe(seen.append, (name, number))

    def finish():
        for thread in threads:
            thread.join()
        loop.call_soon_threadsafe(loop.stop)

    threads = [start(other, name) for name in range(4)]
    finisher = start(finish)
    run_bounded(loop, T)
    finisher.join()
    trace("seen", len(seen), len(set(seen)))


@scenario(statements=["call_soon_threadsafe.wakes"])
def threadsafe_call_wakes_an_idle_loop(loop, trace, T):
    """A loop that waits for a far timer runs at once what another thread schedules."""

    def other():
        idle.wait(10)
        time.sleep(T)  # most likely the loop waits by now; if not, the trace is the same
        loop.call_soon_threadsafe(woken)

    def woken():
        trace("woken")
        loop.stop()

    idle = threading.Event()
    thread = start(other)
    loop.call_soon(idle.set)
    loop.call_later(75 * T, trace, "the far timer")
    run_bounded(loop, T)
    trace("stopped")
    thread.join()


@scenario(statements=["call_soon_threadsafe.wakes"])
def every_threadsafe_call_wakes_the_loop(loop, trace, T):
    """No wake-up is lost, however near it comes to the moment at which the loop goes to sleep."""
    answers = []

    def other():
        for _ in range(100):
            answered = threading.Event()
            loop.call_soon_threadsafe(answered.set)
            answers.append(answered.wait(40 * T))
            if not answers[-1]:
                break
        loop.call_soon_threadsafe(loop.stop)

    thread = start(other)
    run_bounded(loop, T)
    thread.join()
    trace("answers", len(answers), all(answers))


@scenario(statements=["call_soon_threadsafe.reentrant"])
def signal_handler_schedules_a_callback(loop, trace, T):
    """A handler of signal.signal() may call it, in the midst of a callback: what it schedules runs in the loop."""

    def handler(number, frame):
        loop.call_soon_threadsafe(trace, "scheduled by the handler", number == signal.SIGUSR1)
        loop.call_soon_threadsafe(loop.stop)

    def callback():
        os.kill(os.getpid(), signal.SIGUSR1)
        trace("callback ends")

    before = signal.signal(signal.SIGUSR1, handler)
    loop.call_soon(callback)
    run_bounded(loop, T)
    signal.signal(signal.SIGUSR1, before)
    trace("stopped")


@scenario(statements=["call_soon_threadsafe.reentrant"], requires=["real-clock"])
def signal_handler_wakes_an_idle_loop(loop, trace, T):
    """A handler of signal.signal() that calls it wakes a loop which has nothing to do but wait."""

    def handler(number, frame):
        loop.call_soon_threadsafe(trace, "scheduled by the handler")
        loop.call_soon_threadsafe(loop.stop)

    before = signal.signal(signal.SIGALRM, handler)
    loop.call_later(75 * T, trace, "the far timer")
    signal.setitimer(signal.ITIMER_REAL, 2 * T)
    run_bounded(loop, T)
    signal.signal(signal.SIGALRM, before)
    trace("stopped")


@scenario(statements=["stop.from-thread"])
def thread_stops_the_loop(loop, trace, T):
    """Another thread stops the loop by scheduling stop()."""

    def other():
        running.wait(10)
        loop.call_soon_threadsafe(loop.stop)

    running = threading.Event()
    loop.call_soon(running.set)
    loop.call_later(75 * T, trace, "the far timer")
    thread = start(other)
    run_bounded(loop, T)
    thread.join()
    trace("stopped", loop.is_running())


@scenario(statements=["call_soon_threadsafe.per-thread-order"])
def callbacks_that_pile_up_keep_their_order(loop, trace, T):
    """What a thread schedules while a callback runs waits for its end, and keeps its order."""

    def other():
        for name in ("first", "second", "third"):
            loop.call_soon_threadsafe(trace, name)
        loop.call_soon_threadsafe(loop.stop)

    def busy():
        start(other).join()
        trace("busy ends")

    loop.call_soon(busy)
    run_bounded(loop, T)
    trace("stopped")
