# SPDX-License-Identifier: MIT
"""asyncio.Runner: one loop for several coroutines. Here, its loop_factory makes loops under test."""

import asyncio
import contextvars
import signal

from loopcheck_target import scenario

VARIABLE = contextvars.ContextVar("VARIABLE", default="unset")


async def value_of(variable):
    return variable.get()


async def set_to(variable, value):
    variable.set(value)


@scenario(statements=["Runner.run.result", "Runner.loop_factory"])
def runner_runs_each_coroutine_in_the_same_loop(new_event_loop, trace):
    """run() returns the result of a coroutine or raises its exception, each time in the loop of the Runner."""
    made = []

    def factory():
        made.append(new_event_loop())
        return made[-1]

    async def main(error=None):
        trace("in the loop", asyncio.get_running_loop() is made[0])
        if error:
            raise error
        return "result"

    with asyncio.Runner(loop_factory=factory) as runner:
        trace("returned", runner.run(main()))
        try:
            runner.run(main(LookupError("on purpose")))
        except LookupError as exc:
            trace("raised", exc)
        trace("returned", runner.run(main()))
        trace("get_loop", runner.get_loop() is made[0])
    trace("loops made", len(made))


@scenario(statements=["Runner.lazy"])
def runner_makes_its_loop_when_it_is_needed(new_event_loop, trace):
    """The constructor makes no loop; entering the block, get_loop() and run() do, the first of them."""
    made = []

    def factory():
        made.append(new_event_loop())
        return made[-1]

    for name in ("with", "get_loop", "run"):
        runner = asyncio.Runner(loop_factory=factory)
        before = len(made)
        if name == "with":
            runner.__enter__()
        elif name == "get_loop":
            runner.get_loop()
        else:
            runner.run(value_of(VARIABLE))
        trace(name, before, len(made))
        runner.close()
    asyncio.Runner(loop_factory=factory).close()
    trace("never used", len(made))


@scenario(statements=["Runner.run.default-context"])
def runs_of_a_runner_share_a_context(new_event_loop, trace):
    """What one run() sets in its context the next one sees, and the caller does not."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(set_to(VARIABLE, "set by the first"))
        trace("the second run", runner.run(value_of(VARIABLE)))
    trace("the caller", VARIABLE.get())


@scenario(statements=["Runner.run.context"])
def run_takes_a_context(new_event_loop, trace):
    """With context= the coroutine runs in that context, and the Runner's own is left alone."""
    context = contextvars.copy_context()
    context.run(VARIABLE.set, "of the context")
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        trace("given", runner.run(value_of(VARIABLE), context=context))
        runner.run(set_to(VARIABLE, "changed"), context=context)
        trace("its own", runner.run(value_of(VARIABLE)))
    trace("the context", context[VARIABLE])


@scenario(statements=["Runner.debug"])
def runner_decides_on_debug_mode(new_event_loop, trace):
    """debug=True and debug=False decide for the loop of the Runner."""
    for debug in (True, False):
        with asyncio.Runner(debug=debug, loop_factory=new_event_loop) as runner:
            trace("debug", debug, runner.get_loop().get_debug())


@scenario(statements=["Runner.run.nested-raises"])
def runner_is_refused_inside_a_running_loop(new_event_loop, trace):
    """run() raises RuntimeError where a loop is running in the thread, and runs nothing."""

    async def inner():
        trace("must not run")

    async def main(other):
        coro = inner()
        try:
            other.run(coro)
            trace("accepted")
        except RuntimeError as exc:
            trace("refused", exc)
        coro.close()

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        with asyncio.Runner(loop_factory=new_event_loop) as other:
            runner.run(main(other))
            trace("afterwards", other.run(value_of(VARIABLE)))


@scenario(statements=["Runner.close"])
def closing_a_runner_closes_generators_and_the_loop(new_event_loop, trace):
    """close() runs an open asynchronous generator to its end, then closes the loop."""
    kept = []

    async def numbers():
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            trace("generator closed")

    async def main():
        kept.append(numbers())
        trace("first", await kept[0].__anext__())

    runner = asyncio.Runner(loop_factory=new_event_loop)
    runner.run(main())
    loop = runner.get_loop()
    trace("closed before", loop.is_closed())
    runner.close()
    trace("closed after", loop.is_closed())


@scenario(statements=["Runner.close.cancels-tasks"])
def closing_a_runner_cancels_what_is_left(new_event_loop, trace, T):
    """A task that is left when close() is called is cancelled, and has ended when close() returns."""

    async def background():
        try:
            await asyncio.sleep(100 * T)
        except asyncio.CancelledError:
            trace("cancelled")
            await asyncio.sleep(0)
            trace("ended")
            raise

    async def main():
        tasks.append(asyncio.ensure_future(background()))
        await asyncio.sleep(0)

    tasks = []
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
        trace("left", tasks[0].done())
    trace("afterwards", tasks[0].cancelled())


@scenario(statements=["Runner.run.keyboard-interrupt"])
def ctrl_c_cancels_the_main_task(new_event_loop, trace, T):
    """At SIGINT the main task is cancelled; once it has ended run() raises KeyboardInterrupt."""

    async def main():
        asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)
        try:
            await asyncio.sleep(100 * T)
        except asyncio.CancelledError:
            trace("cancelled")
            raise
        finally:
            trace("main ends")

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        try:
            runner.run(main())
            trace("returned")
        except KeyboardInterrupt as exc:
            trace("raised", exc)
        trace("handler is back", signal.getsignal(signal.SIGINT) is signal.default_int_handler)
