# SPDX-License-Identifier: MIT
"""TimerHandle: what call_later and call_at return, and the moment that it knows."""

from loopcheck_target import scenario


def run_for(loop, seconds):
    """Run the loop for a bounded time."""
    loop.call_later(seconds, loop.stop)
    loop.run_forever()


@scenario(statements=["call_later.returns-TimerHandle", "call_at.returns-TimerHandle"])
def timers_return_a_timer_handle(loop, trace, T):
    """call_later() and call_at() return a TimerHandle, by which the call can be cancelled."""
    now = loop.time()
    later = loop.call_later(2 * T, trace, "call_later")
    at = loop.call_at(now + 4 * T, trace, "call_at")
    loop.call_at(now + 6 * T, trace, "not cancelled")
    trace("types", type(later), type(at))
    later.cancel()
    at.cancel()
    trace("cancelled", later.cancelled(), at.cancelled())
    run_for(loop, 20 * T)
    trace("stopped")


@scenario(statements=["TimerHandle.subclass"])
def timer_handle_is_a_handle(loop, trace, T):
    """TimerHandle is a subclass of Handle: whatever takes the one takes the other."""
    handle = loop.call_soon(trace, "callback")
    timer = loop.call_later(T, trace, "timer")
    trace("instance of the class of call_soon()'s handle", isinstance(timer, type(handle)))
    trace("not the other way round", isinstance(handle, type(timer)))
    timer.cancel()
    handle.cancel()


@scenario(statements=["TimerHandle.when", "TimerHandle.when.float"])
def when_is_the_moment_given_to_call_at(loop, trace, T):
    """when() returns the moment that was given to call_at(), a float."""
    now = loop.time()
    for name, when in (("near", now + T), ("far", now + 10**5)):
        handle = loop.call_at(when, trace, "ran: " + name)
        # A loop may round the moment to the millisecond that its timers have.
        trace(name, abs(handle.when() - when) < 0.001, type(handle.when()))
        handle.cancel()


@scenario(statements=["TimerHandle.when", "TimerHandle.when.float"])
def when_of_call_later_is_absolute(loop, trace, T):
    """when() of a call_later() is a moment on the loop's clock: that of the call plus the delay."""
    for name, delay in (("near", T), ("far", 1000)):
        before = loop.time()
        handle = loop.call_later(delay, trace, "ran: " + name)
        after = loop.time()
        # A loop may round the moment to the millisecond that its timers have.
        expected = before + delay - 0.001 <= handle.when() <= after + delay + 0.001
        trace(name, expected, type(handle.when()))
        handle.cancel()


@scenario(statements=["TimerHandle.ordering"])
def timer_handles_compare_by_their_moments(loop, trace, T):
    """Timer handles are ordered by when(): programs put them into sorted lists and heaps."""
    now = loop.time()
    names = {}
    for ticks in (30, 10, 20):
        names[loop.call_at(now + ticks * T, trace, f"ran: {ticks}")] = ticks
    first, second = sorted(names)[:2]
    trace("sorted", [names[handle] for handle in sorted(names)])
    trace("compared", first < second, first <= second, first > second, first >= second, first == second)
    for handle in names:
        handle.cancel()


@scenario(basis="observed: programs find their timers again by the moment that they gave")
def when_is_not_rounded(loop, trace, T):
    """when() is exactly the moment given to call_at(), fractions of a millisecond included."""
    when = loop.time() + T + 0.0004
    handle = loop.call_at(when, trace, "ran")
    trace("same moment", handle.when() == when)
    handle.cancel()


@scenario(statements=["TimerHandle.when.as-given"])
def when_keeps_the_type_of_the_moment(loop, trace):
    """when() gives back the very number that call_at() was given: of an int, an int."""
    moment = int(loop.time()) + 10**5
    for when in (moment, float(moment)):
        handle = loop.call_at(when, trace, "ran")
        trace("when", type(handle.when()), handle.when() == when)
        handle.cancel()
