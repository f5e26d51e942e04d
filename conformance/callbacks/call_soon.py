# SPDX-License-Identifier: MIT
"""call_soon: when the callback runs, in which order, with which arguments."""

import functools

from loopcheck_target import scenario


def run_batch(loop):
    """Run the callbacks that are scheduled now."""
    loop.call_soon(loop.stop)
    loop.run_forever()


@scenario(statements=["call_soon.fifo-order"])
def call_soon_runs_in_order(loop, trace):
    """Callbacks run in the order in which they were scheduled."""
    for name in ("first", "second", "third"):
        loop.call_soon(trace, name)
    loop.call_soon(loop.stop)
    loop.run_forever()


@scenario(statements=["call_soon.fifo-order"])
def long_queue_keeps_its_order(loop, trace):
    """A thousand callbacks run in order, half of them scheduled before the run and half by a callback."""
    seen = []

    def schedule(numbers):
        for number in numbers:
            loop.call_soon(seen.append, number)

    schedule(range(500))
    loop.call_soon(schedule, range(500, 1000))
    loop.call_soon(loop.call_soon, loop.stop)
    loop.run_forever()
    trace("seen", len(seen), seen == sorted(seen))


@scenario(statements=["call_soon.not-synchronous"])
def call_soon_does_not_call_at_once(loop, trace):
    """The callback never runs inside call_soon(), but once control is back in the loop."""

    def callback():
        loop.call_soon(trace, "scheduled by the callback")
        trace("callback ends")

    loop.call_soon(callback)
    trace("before the run")
    run_batch(loop)
    run_batch(loop)
    trace("stopped")


@scenario(statements=["call_soon.args"])
def call_soon_passes_arguments(loop, trace):
    """What follows the callback in call_soon() is handed to it: the same objects, not copies."""

    def callback(*args, **kwargs):
        trace("called with", args, kwargs, [arg is things for arg in args])

    things = ["at scheduling"]
    loop.call_soon(callback)
    loop.call_soon(callback, None)
    loop.call_soon(callback, 1, "two", (3,), {"four": 4})
    loop.call_soon(callback, things)
    things.append("after scheduling")
    run_batch(loop)


@scenario(statements=["call_soon.no-keywords"])
def call_soon_takes_no_keywords_for_the_callback(loop, trace):
    """call_soon() refuses keyword arguments for the callback; functools.partial binds them."""

    def callback(*args, **kwargs):
        trace("called with", args, kwargs)

    try:
        loop.call_soon(callback, 1, end="")
        trace("accepted")
    except TypeError as exc:
        trace("refused", type(exc))  # the text is that of Python's own check of arguments
    loop.call_soon(functools.partial(callback, 1, end=""), 2)
    run_batch(loop)


@scenario(statements=["call_soon.exactly-once"])
def callback_runs_exactly_once(loop, trace):
    """A callback runs once for its call_soon(), however long the loop goes on and however often it is run."""

    def turn(turns_left):
        trace("turn")
        if turns_left:
            loop.call_soon(turn, turns_left - 1)
        else:
            loop.stop()

    loop.call_soon(trace, "callback")
    loop.call_soon(turn, 3)
    loop.run_forever()
    trace("stopped")
    run_batch(loop)
    trace("stopped again")


@scenario(statements=["call_soon.twice-two-calls"])
def callback_scheduled_twice_runs_twice(loop, trace):
    """Scheduling the same callable twice, with equal arguments, makes two calls."""
    callback = functools.partial(trace, "callback")
    loop.call_soon(callback, "same arguments")
    loop.call_soon(trace, "between")
    loop.call_soon(callback, "same arguments")
    run_batch(loop)
    trace("stopped")


@scenario(statements=["call_soon.return-ignored"])
def return_value_of_a_callback_is_ignored(loop, trace):
    """The loop does nothing with what a callback returns, be it false, an exception or another callable."""

    def returning(value):
        trace("returning", type(value))
        return value

    for value in (False, ValueError("returned, not raised"), lambda: trace("the returned callable ran")):
        loop.call_soon(returning, value)
    loop.call_soon(trace, "same batch")
    run_batch(loop)
    run_batch(loop)
    trace("stopped")


@scenario(statements=["example.hello-call_soon"])
def example_prints_hello_world_and_stops(loop, trace):
    """The documentation's example: a callback says Hello World and stops the loop, which is then closed."""

    def hello_world(its_loop):
        trace("Hello World", its_loop is loop)
        its_loop.stop()

    loop.call_soon(hello_world, loop)
    try:
        loop.run_forever()
    finally:
        loop.close()
    trace("closed", loop.is_closed())
