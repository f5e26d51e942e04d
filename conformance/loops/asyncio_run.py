# SPDX-License-Identifier: MIT
"""asyncio.run(): what it returns, what it refuses, what it cleans up. Here, it is given the loop under test."""

import asyncio
import selectors
import sys

from loopcheck_target import scenario


def asyncio_run(main, new_event_loop, **options):
    """Call asyncio.run() with loops of new_event_loop: before Python 3.12 it takes a policy to do so."""
    if sys.version_info >= (3, 12):
        return asyncio.run(main, loop_factory=new_event_loop, **options)

    class Policy(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self):
            return new_event_loop()

    asyncio.set_event_loop_policy(Policy())
    try:
        return asyncio.run(main, **options)
    finally:
        asyncio.set_event_loop_policy(None)


@scenario(statements=["run.result", "run.own-loop"])
def each_run_has_a_loop_of_its_own(new_event_loop, trace):
    """asyncio.run() returns the result or raises the exception, and closes the loop that it made, each time."""
    loops = []

    async def main(error):
        loops.append(asyncio.get_running_loop())
        await asyncio.sleep(0)
        if error:
            raise error
        return "result"

    trace("returned", asyncio_run(main(None), new_event_loop))
    try:
        asyncio_run(main(LookupError("on purpose")), new_event_loop)
    except LookupError as exc:
        trace("raised", exc)
    trace("same loop", loops[0] is loops[1])
    trace("closed", [loop.is_closed() for loop in loops])


@scenario(statements=["run.nested-raises"])
async def run_inside_a_running_loop_is_refused(loop, trace):
    """asyncio.run() raises RuntimeError where a loop is running in the thread, and runs nothing."""

    async def main():
        trace("must not run")

    coro = main()
    try:
        asyncio.run(coro)
        trace("accepted")
    except RuntimeError as exc:
        trace("refused", exc)
    coro.close()
    await asyncio.sleep(0)
    trace("outer run goes on", asyncio.get_running_loop() is loop, loop.is_running())


@scenario(statements=["run.cancels-tasks"])
def tasks_left_by_main_are_cancelled(new_event_loop, trace, T):
    """Tasks that are still pending when the main coroutine ends are cancelled, and their ends waited for."""

    async def background(name):
        try:
            await asyncio.sleep(50 * T)
            trace(name, "was not cancelled")
        finally:
            await asyncio.sleep(0)
            any_order(name, "cleaned up")

    async def main():
        tasks.extend(asyncio.ensure_future(background(name)) for name in ("first", "second"))
        await asyncio.sleep(0)
        trace("main ends")

    any_order = trace.unordered()
    tasks = []
    asyncio_run(main(), new_event_loop)
    trace("cancelled", [task.cancelled() for task in tasks])


@scenario(statements=["run.debug"])
def run_can_be_in_debug_mode(new_event_loop, trace):
    """asyncio.run(debug=True) runs the loop in debug mode, debug=False does not."""

    async def main():
        return asyncio.get_running_loop().get_debug()

    for debug in (True, False):
        trace("debug", debug, asyncio_run(main(), new_event_loop, debug=debug))


@scenario(statements=["run.loop_factory"])
def loop_factory_makes_the_loop(new_event_loop, trace):
    """asyncio.run(loop_factory=...) runs the coroutine on the loop that the factory returns, and closes it."""
    made = []

    def factory():
        made.append(new_event_loop())
        return made[-1]

    async def main():
        trace("running", asyncio.get_running_loop() is made[0])

    asyncio.run(main(), loop_factory=factory)
    trace("made", len(made), made[0].is_closed())


@scenario(statements=["example.loop_factory-selector"])
def example_loop_factory_chooses_a_selector(loop, trace):
    """The documentation's example: asyncio.run() with a factory of loops that have a SelectSelector."""

    async def main():
        trace("class", type(asyncio.get_running_loop()) is asyncio.SelectorEventLoop)
        return await asyncio.sleep(0, "result")

    loop.call_soon(loop.stop)
    loop.run_forever()
    loop_factory = lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())  # noqa: E731 - as in the example
    trace("returned", asyncio.run(main(), loop_factory=loop_factory))


@scenario(basis="observed: what cannot be run is refused before a callback runs")
def run_of_what_is_no_coroutine_is_refused(new_event_loop, trace):
    """asyncio.run() of a function or of a number raises an exception; a loop that it made is closed."""
    made = []

    def factory():
        made.append(new_event_loop())
        return made[-1]

    trace("coroutine", asyncio_run(asyncio.sleep(0, "result"), factory))
    for name, wrong in (("function", asyncio.sleep), ("number", 42)):
        try:
            trace(name, asyncio_run(wrong, factory))
        except (TypeError, ValueError) as exc:
            trace(name, exc)
    trace("closed", [loop.is_closed() for loop in made])
