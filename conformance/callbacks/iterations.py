# SPDX-License-Identifier: MIT
"""Iterations: which callbacks run together, and how callbacks, descriptors and timers are ordered.

In one iteration asyncio polls, then queues the callbacks of ready descriptors, then those of due timers,
behind what call_soon() has queued already; then it runs exactly what is queued now.
"""

import contextlib
import socket
import time

from loopcheck_target import scenario


@contextlib.contextmanager
def readable_socket():
    """A socket with something to read in it, closed at the end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.send(b"x")
        yield ours


def watch(loop, sock, callback):
    """Call callback when sock is readable, once."""

    def readable():
        loop.remove_reader(sock.fileno())
        callback()

    loop.add_reader(sock.fileno(), readable)


def timers_become_due(loop, T, *callbacks):
    """Start a timer for each callback, and keep the loop busy until all of them are due."""
    now = loop.time()
    for number, callback in enumerate(callbacks, 1):
        loop.call_at(now + number * T, callback)
    time.sleep((len(callbacks) + 2) * T)


def run_for(loop, seconds):
    """Run the loop for a bounded time."""
    loop.call_later(seconds, loop.stop)
    loop.run_forever()


@scenario(statements=["call_soon.next-iteration"])
def scheduled_by_a_callback_runs_after_the_batch(loop, trace, T):
    """What a callback schedules runs in the next iteration: after every callback that was queued already."""

    def callback(name, depth):
        trace(name)
        if depth:
            loop.call_soon(callback, "scheduled by " + name, depth - 1)

    loop.call_soon(callback, "first", 2)
    loop.call_soon(callback, "second", 2)
    loop.call_soon(callback, "third", 0)
    run_for(loop, 20 * T)
    trace("stopped")


@scenario(statements=["call_later.due-after-ready"])
def queued_callbacks_run_before_a_due_timer(loop, trace, T):
    """A timer that becomes due while a callback runs waits for the next iteration, behind what is queued."""

    def busy():
        timers_become_due(loop, T, lambda: trace("timer"))
        loop.call_soon(trace, "queued")
        trace("busy ends")

    loop.call_soon(busy)
    loop.call_soon(trace, "same batch")
    run_for(loop, 50 * T)
    trace("stopped")


@scenario(statements=["iteration.timers-then-batch"])
def ready_descriptor_runs_before_a_due_timer(loop, trace, T):
    """In one iteration, the callbacks of ready descriptors run before those of due timers."""
    with readable_socket() as ours:

        def busy():
            watch(loop, ours, lambda: trace("readable"))
            timers_become_due(loop, T, lambda: trace("timer"))

        loop.call_soon(busy)
        run_for(loop, 50 * T)
        loop.remove_reader(ours.fileno())
    trace("stopped")


@scenario(statements=["iteration.timers-then-batch"])
def queued_callback_then_descriptor_then_timer(loop, trace, T):
    """One iteration runs what call_soon() has queued, then the ready descriptor, then the due timer."""
    with readable_socket() as ours:

        def busy():
            timers_become_due(loop, T, lambda: trace("timer"))
            watch(loop, ours, lambda: trace("readable"))
            loop.call_soon(trace, "queued")

        loop.call_soon(busy)
        run_for(loop, 50 * T)
        loop.remove_reader(ours.fileno())
    trace("stopped")


@scenario(statements=["iteration.timers-then-batch"])
def what_a_reader_schedules_runs_after_the_due_timer(loop, trace, T):
    """What a descriptor's callback schedules runs in the next iteration, after the timer due in this one."""
    with readable_socket() as ours:

        def readable():
            trace("readable")
            loop.call_soon(trace, "scheduled by the reader")

        def busy():
            watch(loop, ours, readable)
            timers_become_due(loop, T, lambda: trace("timer"))

        loop.call_soon(busy)
        run_for(loop, 50 * T)
        loop.remove_reader(ours.fileno())
    trace("stopped")


@scenario(statements=["iteration.timers-then-batch"])
def what_a_timer_schedules_runs_after_the_other_due_timers(loop, trace, T):
    """What a timer's callback schedules runs in the next iteration, after all timers due in this one."""

    def first():
        trace("first timer")
        loop.call_soon(trace, "scheduled by the first timer")

    loop.call_soon(timers_become_due, loop, T, first, lambda: trace("second timer"))
    run_for(loop, 50 * T)
    trace("stopped")


@scenario(statements=["iteration.no-timeout-when-ready"])
def poll_does_not_wait_while_callbacks_are_queued(loop, trace, T):
    """While callbacks are queued the loop does not sleep until its next timer."""

    def callback(turns_left):
        if turns_left:
            loop.call_soon(callback, turns_left - 1)
        else:
            trace("all turns")
            loop.stop()

    def far_timer():
        trace("the far timer")
        loop.stop()

    loop.call_later(100 * T, far_timer)
    loop.call_soon(callback, 50)
    loop.run_forever()
    trace("stopped")


@scenario(statements=["call_soon.reentrant-fair"])
def rescheduling_callback_does_not_starve_a_timer(loop, trace, T):
    """A callback that keeps scheduling itself does not keep a timer from running."""

    def callback(turns_left):
        if turns_left:
            loop.call_soon(callback, turns_left - 1)
        else:
            trace("starved")
            loop.stop()

    def timer():
        trace("timer")
        loop.stop()

    loop.call_later(T / 10, timer)
    loop.call_soon(callback, 100000)
    loop.run_forever()
    trace("stopped")
