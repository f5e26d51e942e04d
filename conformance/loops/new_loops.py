# SPDX-License-Identifier: MIT
"""A new loop: its state, its independence of others, and the classes that it belongs to."""

import asyncio
import inspect
import selectors

from loopcheck_target import scenario


def run(loop):
    """Run what is scheduled on the loop."""
    loop.call_soon(loop.stop)
    loop.run_forever()


@scenario(statements=["new_event_loop.creates"])
def new_loops_are_independent(new_event_loop, trace, T):
    """Each call makes another loop, with callbacks, timers and an end of its own."""
    first, second = new_event_loop(), new_event_loop()
    trace("distinct", first is not second)
    now = first.time()
    first.call_soon(trace, "callback of the first")
    first.call_at(now + 20 * T, trace, "timer of the first")
    first.call_at(now + 40 * T, first.stop)
    second.call_soon(trace, "callback of the second")
    second.call_later(T, second.stop)
    second.run_forever()
    trace("second stopped")
    second.close()
    trace("closed", first.is_closed(), second.is_closed())
    first.run_forever()
    trace("first stopped")


@scenario(statements=["new_event_loop.initial-state", "new_event_loop.not-set"])
def new_loop_has_nothing_to_do(loop, new_event_loop, trace):
    """A new loop is neither running nor closed nor current, and has neither callbacks nor tasks."""

    def current():
        try:
            return asyncio.get_event_loop() is loop
        except RuntimeError as exc:
            return exc

    trace("running", loop.is_running())
    trace("closed", loop.is_closed())
    trace("tasks", len(asyncio.all_tasks(loop)))
    loop.stop()
    trace("run", loop.run_forever())
    asyncio.set_event_loop(loop)
    run(new_event_loop())
    trace("still current", current())
    asyncio.set_event_loop(None)
    run(new_event_loop())
    trace("still none", current())


def what_it_raises(method):
    """Call a method, with None for each argument that it must have; return the exception."""
    parameters = inspect.signature(method).parameters.values()
    required = [p for p in parameters if p.default is p.empty and p.kind == p.POSITIONAL_OR_KEYWORD]
    try:
        result = method(*[None] * len(required))
        if inspect.iscoroutine(result):
            result.send(None)
    except Exception as exc:
        return exc


@scenario(statements=["AbstractEventLoop.base", "AbstractEventLoop.all-methods"])
def loop_defines_every_method(loop, trace):
    """A loop is an AbstractEventLoop and defines all its methods: what it only inherits is not implemented."""
    trace("is a loop", isinstance(loop, asyncio.AbstractEventLoop))
    names = [name for name in dir(asyncio.AbstractEventLoop) if not name.startswith("_")]
    trace("missing", [name for name in names if not callable(getattr(loop, name, None))])
    base = asyncio.AbstractEventLoop
    for name in names:
        if getattr(type(loop), name, None) is getattr(base, name):
            trace("what it inherits raises", name, what_it_raises(getattr(loop, name)))


@scenario(statements=["SelectorEventLoop.subclass", "EventLoop.alias", "loops.default-eventloop"])
def asyncios_own_classes_stay_what_they_are(loop, trace):
    """A loop that comes from elsewhere replaces neither asyncio's classes nor what asyncio itself makes."""
    run(loop)
    own = asyncio.new_event_loop()
    trace("default", type(own) is asyncio.EventLoop)
    trace("alias", asyncio.EventLoop is asyncio.SelectorEventLoop, asyncio.EventLoop.__module__)
    trace("base class", issubclass(asyncio.SelectorEventLoop, asyncio.AbstractEventLoop))
    own.close()


@scenario(statements=["SelectorEventLoop.custom-selector", "SelectorEventLoop.selectors"])
def loops_of_two_classes_share_a_thread(loop, trace, T):
    """A SelectorEventLoop with a given selector runs between two runs of the loop, but not inside one."""

    def nested():
        try:
            selector_loop.run_forever()
        except RuntimeError as exc:
            trace("inside a run", exc)

    selector_loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    loop.call_soon(nested)
    run(loop)
    trace("stopped")
    now = selector_loop.time()
    selector_loop.call_at(now + T, trace, "timer of the selector loop")
    selector_loop.call_at(now + 5 * T, selector_loop.stop)
    selector_loop.run_forever()
    selector_loop.close()
    loop.call_soon(trace, "callback of the loop")
    run(loop)
    trace("stopped again")


@scenario(statements=["loops.default-unix", "SelectorEventLoop.platforms"])
def default_loop_of_asyncio_is_a_selector_loop(loop, trace):
    """On Unix, asyncio.new_event_loop() makes a SelectorEventLoop, also where another loop has run."""
    run(loop)
    own = asyncio.new_event_loop()
    trace("default", isinstance(own, asyncio.SelectorEventLoop))
    own.close()
