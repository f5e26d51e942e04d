# SPDX-License-Identifier: MIT
"""KeyboardInterrupt and SystemExit leave the run; every other BaseException goes to the exception handler."""

import asyncio
import socket

from loopcheck_target import scenario


class Odd(BaseException):
    """Neither an Exception nor one of the two that leave the run."""


def raising(exc):
    """Return a callback that raises exc."""

    def callback(*args):
        raise exc

    return callback


def run_bounded(loop, trace, T):
    """Run the loop until it is stopped or something comes out of it, but not for long."""
    bound = loop.call_later(50 * T, loop.stop)
    try:
        loop.run_forever()
        trace("run_forever returned")
    except BaseException as exc:
        trace("run_forever raised", exc)
    bound.cancel()


def report_to(trace, loop):
    """Trace the exception of each report."""
    loop.set_exception_handler(lambda loop, context: trace("handler", context.get("exception")))


@scenario(statements=["run_forever.base-exception"])
def system_exit_leaves_the_run(loop, trace, T):
    """SystemExit in a callback comes out of run_forever() and does not reach the handler."""
    report_to(trace, loop)
    loop.call_soon(raising(SystemExit(3)))
    loop.call_soon(loop.stop)
    run_bounded(loop, trace, T)
    trace("state", loop.is_running(), loop.is_closed())


@scenario(statements=["run_forever.base-exception"])
def keyboard_interrupt_leaves_the_rest_of_the_batch(loop, trace, T):
    """After KeyboardInterrupt in a callback, the rest of its batch runs in the next run."""
    report_to(trace, loop)
    loop.call_soon(trace, "before")
    loop.call_soon(raising(KeyboardInterrupt()))
    loop.call_soon(trace, "after")
    loop.call_soon(loop.stop)
    run_bounded(loop, trace, T)
    run_bounded(loop, trace, T)


@scenario(statements=["run_forever.base-exception"])
def keyboard_interrupt_in_a_timer_leaves_the_run(loop, trace, T):
    """KeyboardInterrupt in a timer comes out of run_forever(); later timers fire in the next run."""
    report_to(trace, loop)
    now = loop.time()
    loop.call_at(now + T, raising(KeyboardInterrupt()))
    loop.call_at(now + 3 * T, trace, "later timer")
    loop.call_at(now + 8 * T, loop.stop)
    run_bounded(loop, trace, T)
    run_bounded(loop, trace, T)


@scenario(statements=["run_forever.base-exception"])
def keyboard_interrupt_in_a_reader_leaves_the_run(loop, trace, T):
    """KeyboardInterrupt in a reader comes out of run_forever()."""
    ours, theirs = socket.socketpair()
    report_to(trace, loop)
    loop.add_reader(ours.fileno(), raising(KeyboardInterrupt()))
    theirs.send(b"data")
    run_bounded(loop, trace, T)
    loop.remove_reader(ours.fileno())
    ours.close()
    theirs.close()


@scenario(statements=["Task.keyboard-interrupt"])
def keyboard_interrupt_in_a_task_leaves_the_run(loop, trace):
    """KeyboardInterrupt in a task comes out of run_until_complete(), and is the task's exception too."""
    report_to(trace, loop)

    async def work():
        raise KeyboardInterrupt

    task = loop.create_task(work())
    try:
        loop.run_until_complete(task)
    except BaseException as exc:
        trace("run_until_complete raised", exc)
    trace("task", task.done(), type(task.exception()))


@scenario(basis="observed: which exceptions end a run is decided by exactly two classes")
def other_base_exceptions_reach_the_handler(loop, trace, T):
    """A BaseException that is neither KeyboardInterrupt nor SystemExit goes to the handler."""
    report_to(trace, loop)
    for exc in (Odd("odd"), GeneratorExit(), asyncio.CancelledError()):
        loop.call_soon(raising(exc))
    loop.call_soon(loop.stop)
    run_bounded(loop, trace, T)


@scenario(basis="observed: a handler that decides to end the program by SystemExit is not swallowed")
def system_exit_in_the_handler_leaves_the_run(loop, trace, T):
    """SystemExit in the exception handler comes out of run_forever()."""
    loop.set_exception_handler(raising(SystemExit(3)))
    loop.call_soon(raising(LookupError("on purpose")))
    loop.call_soon(trace, "after")
    loop.call_soon(loop.stop)
    run_bounded(loop, trace, T)
    run_bounded(loop, trace, T)
