# SPDX-License-Identifier: MIT
"""stop(): which callbacks still run after it, and which wait for the next run."""

import socket
import threading
import time

from loopcheck_target import scenario


@scenario(statements=["stop.next-opportunity", "stop.requests-exit"])
def stop_only_asks(loop, trace):
    """stop() returns at once: the callback goes on, the loop still runs, and the run ends after it."""

    def stopping():
        trace("stop returned", loop.stop())
        trace("still running", loop.is_running())

    loop.call_soon(stopping)
    loop.run_forever()
    trace("stopped", loop.is_running())


@scenario(statements=["run_forever.stop-during.batch-completes", "run_forever.stop-during.new-deferred"])
def stop_finishes_the_batch(loop, trace):
    """stop() in a callback: the rest of the batch runs, what the batch schedules waits for the next run."""

    def stopping():
        trace("stopping")
        loop.stop()
        loop.call_soon(trace, "scheduled after stop")

    loop.call_soon(stopping)
    loop.call_soon(trace, "same batch")
    loop.run_forever()
    trace("stopped")


@scenario(statements=["run_forever.deferred-run-next", "run_forever.stop-during.new-deferred"])
def deferred_callbacks_run_first_in_the_next_run(loop, trace):
    """What a run left behind when it was stopped runs in the next one, before what is scheduled later."""

    def stopping():
        loop.call_soon(trace, "scheduled before stop")
        loop.stop()
        loop.call_soon(trace, "scheduled after stop")

    loop.call_soon(stopping)
    loop.run_forever()
    trace("stopped")
    loop.call_soon(trace, "scheduled between the runs")
    loop.call_soon(loop.stop)
    loop.run_forever()
    trace("stopped again")


@scenario(
    statements=[
        "run_forever.stop-before.exits",
        "run_forever.stop-before.polls-once-zero",
        "run_forever.stop-before.scheduled-callbacks",
        "run_forever.stop-before.nested-deferred",
    ]
)
def stop_before_the_run_allows_one_pass(loop, trace, T):
    """After stop(), a run is one iteration that does not wait: what is scheduled runs, what that adds waits."""

    def callback(name):
        trace(name)
        loop.call_soon(trace, "scheduled in the iteration: " + name)

    loop.call_later(20 * T, trace, "timer")
    loop.call_soon(callback, "before stop")
    loop.stop()
    loop.call_soon(callback, "after stop")
    start = time.monotonic()
    loop.run_forever()
    trace("stopped", due=start)
    loop.call_soon(loop.stop)
    loop.run_forever()
    trace("stopped again")


@scenario(statements=["run_forever.stop-before.io-callbacks"])
def stop_before_the_run_allows_ready_readers(loop, trace):
    """After stop(), the one iteration of a run looks at the descriptors and runs the callbacks of those ready."""
    ours, theirs = socket.socketpair()
    loop.add_reader(ours.fileno(), trace, "readable")
    theirs.send(b"data")
    loop.stop()
    loop.run_forever()
    trace("stopped")
    loop.remove_reader(ours.fileno())
    ours.close()
    theirs.close()


@scenario(statements=["stop.flag-consumed"])
def stop_ends_one_run_only(loop, trace, T):
    """stop() is used up by the run that it ends, even if it was called twice."""
    loop.stop()
    loop.stop()
    loop.run_forever()
    trace("stopped")
    now = loop.time()
    loop.call_at(now + T, trace, "timer")
    loop.call_at(now + 5 * T, loop.stop)
    loop.run_forever()
    trace("stopped again")


@scenario(statements=["stop.from-thread"])
def other_thread_stops_the_loop(loop, trace, T):
    """Another thread stops a waiting loop by call_soon_threadsafe(loop.stop)."""

    def too_late():
        trace("nobody stopped the loop")
        loop.stop()

    def stopping():
        running.wait(10)
        loop.call_soon_threadsafe(loop.stop)

    running = threading.Event()
    now = loop.time()
    loop.call_at(now + T, running.set)
    loop.call_at(now + 100 * T, too_late)
    thread = threading.Thread(target=stopping)
    thread.start()
    loop.run_forever()
    trace("stopped", loop.is_running())
    thread.join()
