# SPDX-License-Identifier: MIT
"""Handle: what call_soon returns, and what cancelling does before, during and after the callback."""

import asyncio
import gc
import weakref

from loopcheck_target import scenario


def run_batch(loop):
    """Run the callbacks that are scheduled now."""
    loop.call_soon(loop.stop)
    loop.run_forever()


class Argument:
    """An object that can be watched by a weak reference."""


@scenario(statements=["call_soon.returns-handle", "call_soon_threadsafe.returns-handle"])
def call_soon_returns_a_handle(loop, trace):
    """call_soon() and call_soon_threadsafe() return a Handle, by which the callback can be cancelled."""
    soon = loop.call_soon(trace, "call_soon")
    threadsafe = loop.call_soon_threadsafe(trace, "call_soon_threadsafe")
    # The class of the second may be a private subclass: CPython has had one since 3.14.
    trace("types", type(soon), isinstance(threadsafe, type(soon)), soon is threadsafe)
    soon.cancel()
    threadsafe.cancel()
    run_batch(loop)
    trace("stopped")


@scenario(statements=["call_soon.returns-handle", "call_later.returns-TimerHandle"])
def handles_are_instances_of_the_public_classes(loop, trace, T):
    """What the loop returns is an asyncio.Handle or asyncio.TimerHandle: isinstance() says so."""
    soon = loop.call_soon(trace, "ran: call_soon")
    later = loop.call_later(2 * T, trace, "ran: call_later")
    trace("call_soon", isinstance(soon, asyncio.Handle), isinstance(soon, asyncio.TimerHandle))
    trace("call_later", isinstance(later, asyncio.Handle), isinstance(later, asyncio.TimerHandle))
    soon.cancel()
    later.cancel()


@scenario(statements=["Handle.cancel"])
def cancelled_callback_does_not_run(loop, trace):
    """cancel() cancels that one callback; the same function scheduled again, and its neighbours, run."""
    loop.call_soon(trace, "callback", 1)
    second = loop.call_soon(trace, "callback", 2)
    loop.call_soon(trace, "callback", 3)
    trace("cancel returns", second.cancel())
    run_batch(loop)
    trace("stopped")


@scenario(statements=["Handle.cancel.twice"])
def cancelling_again_has_no_effect(loop, trace):
    """cancel() of a callback that is cancelled already does nothing, before the run and after it."""
    handle = loop.call_soon(trace, "cancelled")
    loop.call_soon(trace, "other")
    handle.cancel()
    handle.cancel()
    run_batch(loop)
    handle.cancel()
    run_batch(loop)
    trace("stopped", handle.cancelled())


@scenario(statements=["Handle.cancel.after-run"])
def cancelling_after_the_callback_has_no_effect(loop, trace, T):
    """cancel() after the callback has run, or while it runs, does nothing: neither to it nor to others."""

    def cancels_itself():
        handles[0].cancel()
        trace("cancelled itself")

    handles = [
        loop.call_soon(cancels_itself),
        loop.call_soon(trace, "callback"),
        loop.call_later(2 * T, trace, "timer"),
    ]
    loop.call_later(10 * T, loop.stop)
    loop.run_forever()
    for handle in handles:
        handle.cancel()
    loop.call_soon(trace, "afterwards")
    run_batch(loop)
    trace("stopped")


@scenario(statements=["Handle.cancel.same-batch"])
def callback_of_the_same_batch_can_be_cancelled(loop, trace):
    """A callback can cancel one that is queued behind it in the same iteration."""

    def cancelling():
        trace("cancelling")
        handle.cancel()

    loop.call_soon(cancelling)
    handle = loop.call_soon(trace, "cancelled")
    loop.call_soon(trace, "not cancelled")
    run_batch(loop)
    trace("stopped", handle.cancelled())


@scenario(statements=["Handle.cancelled.true", "Handle.cancelled.false"])
def cancelled_says_whether_it_was_cancelled(loop, trace):
    """cancelled() is true once the callback was cancelled, false before, and false when it has run."""

    def callback():
        trace("while it runs", runs.cancelled())

    runs = loop.call_soon(callback)
    cancelled = loop.call_soon(trace, "ran, though cancelled")
    trace("before", runs.cancelled(), cancelled.cancelled())
    cancelled.cancel()
    trace("after cancel()", runs.cancelled(), cancelled.cancelled())
    run_batch(loop)
    trace("after the run", runs.cancelled(), cancelled.cancelled())


@scenario(statements=["Handle.cancel.releases"])
def cancelling_releases_the_callback_and_its_arguments(loop, trace, T):
    """A cancelled handle keeps neither its callback nor the arguments alive, though the loop still has it."""

    def references(schedule):
        argument = Argument()
        callback = lambda _: argument  # noqa: E731 - an object that only the handle knows
        return schedule(callback, argument), weakref.ref(callback), weakref.ref(argument)

    for name, schedule in (
        ("call_soon", loop.call_soon),
        ("call_later", lambda *args: loop.call_later(100 * T, *args)),
    ):
        handle, callback, argument = references(schedule)
        gc.collect()
        trace(name, callback() is None, argument() is None)
        handle.cancel()
        gc.collect()
        trace(name + ", cancelled", callback() is None, argument() is None)


@scenario(basis="observed: a loop that keeps what it has run keeps every object of the program alive")
def callback_is_released_after_it_has_run(loop, trace, T):
    """Once a callback has run, the loop keeps neither it nor its arguments alive."""

    def reference(schedule):
        argument = Argument()
        schedule(lambda _: None, argument)
        return weakref.ref(argument)

    soon = reference(loop.call_soon)
    later = reference(lambda *args: loop.call_later(2 * T, *args))
    gc.collect()
    trace("pending", soon() is None, later() is None)
    loop.call_later(20 * T, loop.stop)
    loop.run_forever()
    gc.collect()
    trace("run", soon() is None, later() is None)


@scenario(basis="observed: programs cancel their timers while they clean up, when the loop is closed already")
def cancelling_after_close_is_harmless(loop, trace, T):
    """cancel() on a loop that is closed raises nothing, for callbacks and for timers."""
    soon = loop.call_soon(trace, "callback")
    later = loop.call_later(2 * T, trace, "timer")
    loop.close()
    soon.cancel()
    later.cancel()
    trace("cancelled", soon.cancelled(), later.cancelled())


@scenario(statements=["Handle.cancelled.after-run"])
def late_cancel_still_shows(loop, trace):
    """cancel() after the callback has run changes nothing, but cancelled() says true from then on."""
    handle = loop.call_soon(trace, "callback")
    run_batch(loop)
    trace("run", handle.cancelled())
    handle.cancel()
    trace("cancelled too late", handle.cancelled())
