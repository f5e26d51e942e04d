# SPDX-License-Identifier: MIT
"""close(): what it drops, what it refuses, and what can be done with a loop afterwards."""

import gc
import socket
import threading
import weakref

from loopcheck_target import scenario


def attempt(trace, name, function, *args):
    """Trace whether function(*args) was refused, and how."""
    try:
        function(*args)
        trace(name, "accepted")
    except Exception as exc:
        trace(name, exc)


@scenario(statements=["is_closed.initial", "is_closed.after-close", "close.idempotent"])
def is_closed_turns_true_with_close(loop, trace):
    """is_closed() is false until close() is called, then true; closing again does nothing."""
    trace("new", loop.is_closed())
    loop.call_soon(lambda: trace("running", loop.is_closed()))
    loop.call_soon(loop.stop)
    loop.run_forever()
    trace("stopped", loop.is_closed())
    for number in (1, 2):
        trace("close", number, loop.close())
        trace("closed", number, loop.is_closed())


@scenario(statements=["close.not-running"])
def running_loop_cannot_be_closed(loop, trace):
    """close() in a callback raises RuntimeError; the loop is not closed and the run goes on."""

    def closing():
        attempt(trace, "close", loop.close)
        trace("closed", loop.is_closed())
        loop.call_soon(trace, "next iteration")
        loop.call_soon(loop.stop)

    loop.call_soon(closing)
    loop.call_soon(trace, "same batch")
    loop.run_forever()
    trace("stopped", loop.is_closed())
    loop.close()
    trace("closed", loop.is_closed())


@scenario(statements=["close.discards-pending"])
def pending_callbacks_are_dropped(loop, trace, T):
    """close() drops callbacks and timers that have not run: they never do."""
    loop.call_soon(trace, "ran: callback")
    loop.call_soon_threadsafe(trace, "ran: threadsafe callback")
    loop.call_at(loop.time() - T, trace, "ran: timer that is due")
    loop.call_later(T, trace, "ran: timer")
    trace("closing")
    loop.close()
    trace("closed", loop.is_closed())


@scenario(statements=["close.clears-queues"])
def close_releases_what_was_scheduled(loop, trace, T):
    """After close() the loop holds no callback any more, nor its arguments."""

    class Argument:
        """Something that can be referred to weakly."""

    def alive():
        gc.collect()
        return [reference() is not None for reference in references]

    arguments = [Argument(), Argument(), Argument()]
    references = [weakref.ref(argument) for argument in arguments]
    loop.call_soon(trace, "ran: callback", arguments[0])
    loop.call_soon_threadsafe(trace, "ran: threadsafe callback", arguments[1])
    loop.call_later(T, trace, "ran: timer", arguments[2])
    arguments.clear()
    trace("alive before", alive())
    loop.close()
    trace("alive after", alive())


@scenario(statements=["close.irreversible"])
def closed_loop_does_not_run(loop, trace):
    """A closed loop cannot be run or opened again: RuntimeError."""
    future = loop.create_future()
    loop.close()
    attempt(trace, "run_forever", loop.run_forever)
    attempt(trace, "run_until_complete", loop.run_until_complete, future)
    attempt(trace, "call_soon", loop.call_soon, trace, "ran: callback")
    trace("closed", loop.is_closed(), loop.is_running())


@scenario(statements=["close.call_soon-raises", "close.add_reader-raises"])
def closed_loop_accepts_no_callbacks(loop, trace, T):
    """Scheduling on a closed loop and watching a descriptor with it raise RuntimeError, in every form."""
    ours, theirs = socket.socketpair()
    loop.add_reader(ours.fileno(), trace, "ran: reader")
    theirs.send(b"data")
    now = loop.time()
    loop.close()
    attempt(trace, "call_soon", loop.call_soon, trace, "ran")
    attempt(trace, "call_later", loop.call_later, T, trace, "ran")
    attempt(trace, "call_later without delay", loop.call_later, 0, trace, "ran")
    attempt(trace, "call_at", loop.call_at, now + T, trace, "ran")
    attempt(trace, "call_soon_threadsafe", loop.call_soon_threadsafe, trace, "ran")
    attempt(trace, "add_reader", loop.add_reader, ours, trace, "ran")
    attempt(trace, "add_writer", loop.add_writer, ours, trace, "ran")
    trace("a reader was left to remove", bool(loop.remove_reader(ours.fileno())))
    ours.close()
    theirs.close()


@scenario(statements=["close.executor-nowait"])
def close_does_not_wait_for_the_executor(loop, trace, T):
    """close() shuts the default executor down without waiting for the job that it runs."""
    started, release, finished = threading.Event(), threading.Event(), threading.Event()
    threads = []

    def job():
        threads.append(threading.current_thread())
        started.set()
        release.wait(50 * T)
        finished.set()

    loop.run_in_executor(None, job).cancel()  # nobody wants the result; the job itself goes on
    started.wait(10)
    loop.close()
    trace("closed, job finished", finished.is_set())
    release.set()
    threads[0].join()
    trace("job finished", finished.is_set())


@scenario(
    basis="observed: a program that makes one loop after the other must not run out of descriptors",
    tags=["habits"],
)
def closed_loop_leaves_nothing_behind(loop, trace):
    """A loop that ran and was closed leaves no descriptor open, no thread running, and warns of nothing."""
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    trace("closed", loop.is_closed())
