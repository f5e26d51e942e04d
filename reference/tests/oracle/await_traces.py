# SPDX-License-Identifier: MIT
"""What CPython's tasks do, iteration by iteration: the traces that the C tests of src/await expect.

Each function below is a small program around asyncio. It runs in a loop whose iterations are made one by one, and
whose clock moves only when the loop would wait. What happens is noted as ``iteration:event``; iteration 0 is
before the first. A C test of the same name does the same, and expects the line that this prints.

    python3.14 reference/tests/oracle/await_traces.py             all of them
    python3.14 reference/tests/oracle/await_traces.py gather_all  some

An event such as ``a>`` is what the coroutine ``a`` does: ``>`` begins, ``.`` returns, ``!`` is told of its
cancellation, ``x`` raises. ``w=LookupError`` is how that has ended which ``w`` awaits.
"""

import asyncio
import selectors
import sys
import threading
from asyncio import events
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

START = 1000.0
MODULE: Any = asyncio  # for what 3.11 does not have


class Selector(selectors.DefaultSelector):
    """A selector that moves the clock instead of waiting."""

    trace: "Trace"

    def select(self, timeout: float | None = None) -> list[Any]:
        """Return what is ready now; if nothing is, time passes."""
        ready = super().select(0)
        if not ready and timeout is not None and timeout > 0:
            self.trace.now += timeout
        return ready


class Trace:
    """A loop, the number of its iterations, and what has happened in them."""

    def __init__(self) -> None:
        """Make the loop."""
        self.now = START
        self.iteration = 0
        self.notes: list[str] = []
        selector = Selector()
        selector.trace = self
        loop: Any = asyncio.SelectorEventLoop(selector)
        self.loop = loop
        loop.time = lambda: self.now
        loop._clock_resolution = 1e-9
        loop.set_exception_handler(lambda loop, context: self.note("report:" + context["message"][:24]))

    def note(self, what: str) -> None:
        """Add to the trace."""
        self.notes.append(f"{self.iteration}:{what}")

    def run(self, iterations: int) -> None:
        """Run so many iterations."""
        for _ in range(iterations):
            self.iteration += 1
            self.loop._thread_id = threading.get_ident()
            events._set_running_loop(self.loop)
            try:
                self.loop._run_once()
            finally:
                self.loop._thread_id = None
                events._set_running_loop(None)

    def task(self, coroutine: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Make a task."""
        task: asyncio.Task[Any] = self.loop.create_task(coroutine)
        return task

    def eager(self, coroutine: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Make a task that takes its first step at once, if the loop runs."""
        task: asyncio.Task[Any] = MODULE.Task(coroutine, loop=self.loop, eager_start=True)
        return task

    def future(self) -> "asyncio.Future[Any]":
        """Make a future."""
        future: asyncio.Future[Any] = self.loop.create_future()
        return future

    def note_done(self, name: str, future: "asyncio.Future[Any]") -> None:
        """Add to the trace when the future's callbacks run."""
        future.add_done_callback(lambda _: self.note(name))

    # ---- coroutines ------------------------------------------------------------------------------------------

    async def nap(self, name: str, naps: int, raises: bool = False) -> None:
        """Let others run some times."""
        self.note(name + ">")
        try:
            for _ in range(naps):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.note(name + "!")
            raise
        self.note(name + ("x" if raises else "."))
        if raises:
            raise LookupError(name)

    async def stubborn(self, name: str, naps: int) -> None:
        """Nap, and when cancelled, nap as many times again, and return."""
        try:
            await self.nap(name, naps)
        except asyncio.CancelledError:
            await self.nap(name, naps)

    async def watch(self, name: str, awaitable: Awaitable[Any]) -> None:
        """Await something, note how it ends, and let it be."""
        self.note(name + ">")
        try:
            await awaitable
            self.note(name + "=ok")
        except BaseException as exception:
            self.note(f"{name}={type(exception).__name__}")

    async def relay(self, name: str, awaitable: Awaitable[Any]) -> None:
        """Await something, note how it ends, and end in the same way."""
        self.note(name + ">")
        try:
            await awaitable
            self.note(name + "=ok")
        except BaseException as exception:
            self.note(f"{name}={type(exception).__name__}")
            raise

    async def within(self, name: str, seconds: float, awaitable: Awaitable[Any]) -> None:
        """Await something within a timeout."""
        try:
            async with asyncio.timeout(seconds):
                try:
                    await awaitable
                    self.note(name + "=ok")
                except BaseException as exception:
                    self.note(f"{name}={type(exception).__name__}")
                    raise
        except BaseException as exception:
            self.note(f"{name}:{type(exception).__name__}")
            raise


# ---- tasks and cancelling ------------------------------------------------------------------------------------


def tasks_take_turns(t: Trace) -> None:
    """Two tasks that nap."""
    t.task(t.nap("a", 2))
    t.task(t.nap("b", 1))
    t.run(5)


def a_task_waits_for_a_task(t: Trace) -> None:
    """One hop from the end of a task to whoever waits for it."""
    a = t.task(t.nap("a", 1))
    t.note_done("a done", a)
    t.note_done("w done", t.task(t.watch("w", a)))
    t.run(6)


def cancelled_before_it_begins(t: Trace) -> None:
    """The coroutine never runs."""
    a = t.task(t.nap("a", 1))
    a.cancel()
    t.note_done("done", a)
    t.run(3)
    t.note("cancelled" if a.cancelled() else "not")


def cancelled_while_it_naps(t: Trace) -> None:
    """A step is queued: it throws."""
    a = t.task(t.nap("a", 9))
    t.note_done("done", a)
    t.run(2)
    a.cancel()
    t.run(3)


def cancelled_while_it_waits(t: Trace) -> None:
    """The future is cancelled, and wakes the task."""
    future = t.future()
    a = t.task(t.relay("a", future))
    t.note_done("done", a)
    t.run(2)
    a.cancel()
    t.note("cancelled" if future.cancelled() else "not")
    t.run(3)


def cancelled_when_what_it_waits_for_is_done(t: Trace) -> None:
    """The wake-up is queued: it throws instead."""
    future = t.future()
    a = t.task(t.relay("a", future))
    t.note_done("done", a)
    t.run(2)
    future.set_result(None)
    a.cancel()
    t.run(3)
    t.note("cancelled" if a.cancelled() else "not")


def cancelled_twice_in_one_iteration(t: Trace) -> None:
    """The future is done after the first; the second makes the wake-up throw, as it does anyway."""
    future = t.future()
    a = t.task(t.watch("a", future))
    t.run(2)
    a.cancel()
    a.cancel()
    t.note(str(a.cancelling()))
    t.run(3)
    t.note("cancelled" if a.cancelled() else "not")


def cancels_go_down_the_tasks_and_come_up(t: Trace) -> None:
    """Three tasks, each waiting for the next."""
    c = t.task(t.nap("c", 9))
    b = t.task(t.relay("b", c))
    a = t.task(t.relay("a", b))
    t.note_done("a done", a)
    t.run(3)
    a.cancel()
    t.run(6)


def an_inner_task_refuses_to_be_cancelled(t: Trace) -> None:
    """The outer one then goes on as if nothing had happened."""
    b = t.task(t.stubborn("b", 3))
    a = t.task(t.relay("a", b))
    t.note_done("a done", a)
    t.run(2)
    a.cancel()
    t.run(8)
    t.note("cancelled" if a.cancelled() else "not")


def cancels_itself_and_returns(t: Trace) -> None:
    """A request that comes too late to be thrown still cancels."""

    async def itself() -> None:
        task = asyncio.current_task()
        assert task
        task.cancel()
        t.note("a.")

    a = t.task(itself())
    t.note_done("done", a)
    t.run(3)
    t.note("cancelled" if a.cancelled() else "not")


def cancels_itself_and_waits(t: Trace) -> None:
    """The request reaches what it waits for at once."""
    future = t.future()

    async def itself() -> None:
        task = asyncio.current_task()
        assert task
        task.cancel()
        await t.relay("a", future)

    a = t.task(itself())
    t.note_done("done", a)
    t.run(1)
    t.note("cancelled" if future.cancelled() else "not")
    t.run(3)


def cancels_itself_and_waits_for_what_refuses(t: Trace) -> None:
    """The request has been passed on, and is not thrown as well."""
    b = t.task(t.stubborn("b", 2))

    async def itself() -> None:
        task = asyncio.current_task()
        assert task
        task.cancel()
        await t.relay("a", b)

    a = t.task(itself())
    t.note_done("done", a)
    t.run(8)
    t.note("cancelled" if a.cancelled() else "not")


def cancelled_when_what_it_waits_for_is_cancelled(t: Trace) -> None:
    """The CancelledError of the future is thrown, not another one."""
    future = t.future()

    async def waits() -> None:
        try:
            await future
        except asyncio.CancelledError as error:
            t.note(str(error))

    a = t.task(waits())
    t.run(1)
    future.cancel("theirs")
    a.cancel("mine")
    t.run(3)
    t.note("cancelled" if a.cancelled() else "not")


def uncancels_itself(t: Trace) -> None:
    """Taken back before it was thrown: since 3.13 nothing is."""

    async def itself() -> None:
        task = asyncio.current_task()
        assert task
        task.cancel()
        task.uncancel()
        await t.nap("a", 1)

    a = t.task(itself())
    t.note_done("done", a)
    t.run(4)
    t.note("cancelled" if a.cancelled() else "not")


# ---- eager tasks ---------------------------------------------------------------------------------------------


def eager_tasks_begin_at_once(t: Trace) -> None:
    """One that needs no more than a step, one that needs two, and one while the loop does not run."""

    async def main() -> None:
        task = asyncio.current_task()
        t.note("m>")
        a = t.eager(t.nap("a", 0))
        t.note("a done" if a.done() else "not")
        t.note("none" if a.get_coro() is None else "coro")
        b = t.eager(t.nap("b", 1))
        t.note("b done" if b.done() else "not")
        t.note("same" if asyncio.current_task() is task else "other")
        await b
        t.note("m.")

    t.eager(main())
    t.note("made")
    t.run(5)


def eager_tasks_are_current_meanwhile(t: Trace) -> None:
    """The task that makes one is hidden; both are among all_tasks()."""

    async def inner() -> None:
        task = asyncio.current_task()
        assert task
        t.note(task.get_name())
        t.note(str(len(asyncio.all_tasks())))

    async def main() -> None:
        task = asyncio.current_task()
        assert task
        t.note(task.get_name())
        MODULE.Task(inner(), loop=t.loop, name="inner", eager_start=True)
        t.note(task.get_name())
        t.note(str(len(asyncio.all_tasks())))

    t.loop.create_task(main(), name="main")
    t.run(2)


def eager_task_raises(t: Trace) -> None:
    """Its exception is its own."""

    async def main() -> None:
        t.note_done("x done", t.eager(t.nap("x", 0, raises=True)))
        await t.nap("m", 2)

    t.task(main())
    t.run(4)


def eager_factory(t: Trace) -> None:
    """The factory makes every task eager, as soon as the loop runs."""

    async def main() -> None:
        t.note("m>")
        t.task(t.nap("a", 1))
        t.note("m.")

    t.loop.set_task_factory(MODULE.eager_task_factory)
    t.task(main())
    t.run(4)


# ---- sleep ---------------------------------------------------------------------------------------------------


def sleepers_wake_in_order(t: Trace) -> None:
    """By deadline; those of no time first."""
    t.task(t.watch("b", asyncio.sleep(2)))
    t.task(t.watch("a", asyncio.sleep(1)))
    t.task(t.watch("n", asyncio.sleep(0)))
    t.task(t.watch("m", asyncio.sleep(-1)))
    t.run(7)
    t.note(str(t.now))


def cancelled_sleeper(t: Trace) -> None:
    """The timer is cancelled when the coroutine ends."""
    a = t.task(t.relay("a", asyncio.sleep(5)))
    t.run(1)
    a.cancel()
    t.note(str(t.loop._timer_cancelled_count))
    t.run(1)
    t.note(str(t.loop._timer_cancelled_count))
    t.run(2)


# ---- gather --------------------------------------------------------------------------------------------------


def gather_all(t: Trace) -> None:
    """Until the last child."""
    a, b = t.task(t.nap("a", 3)), t.task(t.nap("b", 1))
    g = asyncio.gather(a, b)
    t.note_done("g done", g)
    t.task(t.watch("w", g))
    t.run(8)


def gather_first_exception(t: Trace) -> None:
    """The other child goes on."""
    a, b = t.task(t.nap("a", 1, raises=True)), t.task(t.nap("b", 4))
    t.task(t.watch("w", asyncio.gather(a, b)))
    t.run(8)


def gather_two_exceptions(t: Trace) -> None:
    """Nobody is told of the second."""
    a, b = t.task(t.nap("a", 1, raises=True)), t.task(t.nap("b", 2, raises=True))
    t.task(t.watch("w", asyncio.gather(a, b)))
    t.run(8)
    del a, b


def gather_is_cancelled(t: Trace) -> None:
    """By the task that waits for it."""
    a, b = t.task(t.nap("a", 9)), t.task(t.nap("b", 9))
    w = t.task(t.relay("w", asyncio.gather(a, b)))
    t.note_done("w done", w)
    t.run(3)
    w.cancel()
    t.run(6)


def gather_is_cancelled_with_exceptions(t: Trace) -> None:
    """return_exceptions or not: a request to cancel comes out."""
    a, b = t.task(t.nap("a", 9)), t.task(t.stubborn("b", 2))
    w = t.task(t.relay("w", asyncio.gather(a, b, return_exceptions=True)))
    t.note_done("w done", w)
    t.run(2)
    w.cancel()
    t.run(8)


def gather_child_is_cancelled(t: Trace) -> None:
    """That is an exception as any other."""
    a, b = t.task(t.nap("a", 9)), t.task(t.nap("b", 6))
    g = asyncio.gather(a, b)
    t.task(t.watch("w", g))
    t.run(2)
    a.cancel()
    t.run(7)
    t.note("cancelled" if g.cancelled() else "not")


def gather_child_is_cancelled_with_exceptions(t: Trace) -> None:
    """And is a result with return_exceptions."""
    a, b = t.task(t.nap("a", 9)), t.task(t.nap("b", 4))
    g = asyncio.gather(a, b, return_exceptions=True)
    t.task(t.watch("w", g))
    t.run(2)
    a.cancel()
    t.run(7)
    t.note(" ".join(type(each).__name__ for each in g.result()))


def gather_the_same_twice(t: Trace) -> None:
    """And one that is done."""
    done = t.future()
    done.set_result(None)
    a, b = t.task(t.nap("a", 1)), t.task(t.nap("b", 0))
    g = asyncio.gather(a, done, b, a)
    t.note_done("g done", g)
    t.run(5)
    t.note(str(len(g.result())))


def gather_of_what_is_done(t: Trace) -> None:
    """It is done at once."""
    done = t.future()
    done.set_result(None)
    g = asyncio.gather(done, done)
    t.note("done" if g.done() else "not")


# ---- wait ----------------------------------------------------------------------------------------------------


def wait_for_all(t: Trace) -> None:
    """Two hops after the last."""
    a, b = t.task(t.nap("a", 1)), t.task(t.nap("b", 3, raises=True))
    t.task(t.watch("w", asyncio.wait([a, b])))
    t.run(9)
    b.exception()


def wait_for_the_first(t: Trace) -> None:
    """The other goes on."""
    a, b = t.task(t.nap("a", 1)), t.task(t.nap("b", 4))
    t.task(t.watch("w", asyncio.wait([a, b], return_when=asyncio.FIRST_COMPLETED)))
    t.run(8)


def wait_for_the_first_exception(t: Trace) -> None:
    """Not for the first result."""
    a, b, c = t.task(t.nap("a", 1)), t.task(t.nap("b", 2, raises=True)), t.task(t.nap("c", 6))
    t.task(t.watch("w", asyncio.wait([a, b, c], return_when=asyncio.FIRST_EXCEPTION)))
    t.run(9)


def wait_times_out(t: Trace) -> None:
    """The task that is not done goes on."""
    a = t.task(t.watch("a", asyncio.sleep(3)))
    t.task(t.watch("w", asyncio.wait([a], timeout=1)))
    t.run(8)
    t.note(str(t.now))


def wait_is_cancelled_in_the_iteration_of_the_end(t: Trace) -> None:
    """The future's callback is queued, and runs after the end of wait()."""
    future = t.future()
    w = t.task(t.relay("w", asyncio.wait([future])))
    t.note_done("w done", w)
    t.run(2)
    w.cancel()
    future.set_result(None)
    t.run(4)


# ---- wait_for ------------------------------------------------------------------------------------------------


def wait_for_in_time(t: Trace) -> None:
    """One hop, as without it."""
    a = t.task(t.nap("a", 2))
    t.task(t.watch("w", asyncio.wait_for(a, 5)))
    t.run(6)


def wait_for_too_long(t: Trace) -> None:
    """The future is cancelled."""
    a = t.task(t.relay("a", asyncio.sleep(5)))
    t.task(t.watch("w", asyncio.wait_for(a, 1)))
    t.run(8)
    t.note(str(t.now))


def wait_for_no_time(t: Trace) -> None:
    """What is not done is cancelled, and its end waited for."""
    a = t.task(t.nap("a", 1))
    t.task(t.watch("w", asyncio.wait_for(a, 0)))
    t.run(6)


def wait_for_no_time_what_refuses(t: Trace) -> None:
    """Its end is waited for all the same."""
    a = t.task(t.stubborn("a", 2))
    t.run(1)
    t.task(t.watch("w", asyncio.wait_for(a, 0)))
    t.run(7)


def wait_for_no_time_is_cancelled(t: Trace) -> None:
    """What refuses to end is not waited for any more."""
    a = t.task(t.stubborn("a", 3))
    t.run(1)
    w = t.task(t.relay("w", asyncio.wait_for(a, 0)))
    t.run(2)
    w.cancel()
    t.run(1)
    t.note(str(len(a._callbacks or ())))
    t.run(3)
    t.note("cancelled" if w.cancelled() else "not")


def wait_for_what_ends_when_the_time_is_over(t: Trace) -> None:
    """The sleeper's timer is the first of two in one iteration, but its task is cancelled before it wakes."""
    a = t.task(asyncio.sleep(1))
    w = t.task(t.relay("w", asyncio.wait_for(a, 1)))
    t.note_done("w done", w)
    t.run(7)
    t.note("cancelled" if a.cancelled() else "not")


def wait_for_is_cancelled(t: Trace) -> None:
    """So is the future."""
    a = t.task(t.relay("a", asyncio.sleep(5)))
    w = t.task(t.relay("w", asyncio.wait_for(a, 9)))
    t.note_done("w done", w)
    t.run(2)
    w.cancel()
    t.run(5)


# ---- timeout -------------------------------------------------------------------------------------------------


def timeout_expires(t: Trace) -> None:
    """CancelledError within, TimeoutError without."""
    a = t.task(t.within("a", 1, asyncio.sleep(5)))
    t.note_done("done", a)
    t.run(5)
    a.exception()
    t.note(str(a.cancelling()))


def timeout_does_not_expire(t: Trace) -> None:
    """Its timer is cancelled."""
    a = t.task(t.within("a", 5, asyncio.sleep(1)))
    t.note_done("done", a)
    t.run(5)
    t.note(str(t.now))


def timeout_of_no_time(t: Trace) -> None:
    """Expires in the next iteration."""
    a = t.task(t.within("a", 0, asyncio.sleep(5)))
    t.note_done("done", a)
    t.run(5)
    a.exception()


def timeout_of_no_time_goes_before_timers(t: Trace) -> None:
    """Even those that were made before it, in the same iteration."""
    future = t.future()

    def look() -> None:
        t.note("cancelled" if future.cancelled() else "not")

    t.loop.call_soon(t.loop.call_at, START, look)
    t.task(t.within("a", 0, future)).add_done_callback(lambda a: a.exception())
    t.run(4)


def timeout_and_cancel_in_one_iteration(t: Trace) -> None:
    """It has expired, but somebody else wants the task to end, too: that stays a CancelledError."""
    a = t.task(t.within("a", 1, asyncio.sleep(5)))
    t.note_done("done", a)
    t.run(1)
    t.loop.call_at(START + 1, a.cancel)
    t.run(4)
    t.note("cancelled" if a.cancelled() else "not")


def outer_timeout_expires_first(t: Trace) -> None:
    """The inner one lets the CancelledError pass."""
    a = t.task(t.within("o", 1, t.within("i", 2, asyncio.sleep(5))))
    t.note_done("done", a)
    t.run(5)
    a.exception()


def both_timeouts_expire_in_one_iteration(t: Trace) -> None:
    """The inner one sees a request that is not its own."""
    a = t.task(t.within("o", 1, t.within("i", 1, asyncio.sleep(5))))
    t.note_done("done", a)
    t.run(5)
    a.exception()


# ---- shield --------------------------------------------------------------------------------------------------


def shield_passes_the_end_on(t: Trace) -> None:
    """One hop more than without it."""
    a = t.task(t.nap("a", 1))
    t.task(t.watch("w", asyncio.shield(a)))
    t.run(6)


def shield_is_cancelled(t: Trace) -> None:
    """The inner task goes on."""
    a = t.task(t.nap("a", 4))
    w = t.task(t.relay("w", asyncio.shield(a)))
    t.note_done("w done", w)
    t.run(2)
    w.cancel()
    t.run(6)


def shielded_task_is_cancelled(t: Trace) -> None:
    """That does come out."""
    a = t.task(t.nap("a", 9))
    s = asyncio.shield(a)
    w = t.task(t.relay("w", s))
    t.note_done("w done", w)
    t.run(2)
    a.cancel()
    t.run(6)
    t.note("cancelled" if s.cancelled() else "not")


def shielded_exception_after_the_cancellation(t: Trace) -> None:
    """Reported when the inner future goes."""
    a = t.task(t.nap("a", 3, raises=True))
    w = t.task(t.relay("w", asyncio.shield(a)))
    t.run(2)
    w.cancel()
    t.run(6)
    del a
    w = None  # type: ignore[assignment]


def shielded_exception_in_the_iteration_of_the_cancellation(t: Trace) -> None:
    """Up to 3.13 nobody hears of it."""
    inner = t.future()
    outer = asyncio.shield(inner)
    t.run(1)
    inner.set_exception(LookupError("inner"))
    outer.cancel()
    t.run(3)
    del inner, outer


# ---- how long operations take: the C tests cancel them before each of these iterations -----------------------


def iterations(make: Callable[[Trace], Coroutine[Any, Any, Any]]) -> int:
    """Return how many it takes until the coroutine has ended."""
    t = Trace()
    task = t.task(make(t))
    while not task.done():
        t.run(1)
    task.exception()
    taken = t.iteration
    t.run(9)
    t.loop.close()
    return taken


async def chain(depth: int) -> None:
    """Nap, await the next one, and sleep."""
    await asyncio.sleep(0)
    if depth > 0:
        await chain(depth - 1)
    await asyncio.sleep(1)


async def end_of(future: "asyncio.Future[Any]") -> None:
    """Await a future."""
    await future


def swept_operations(t: Trace) -> None:
    """Those of the cancel sweeps."""
    operations: dict[str, Callable[[Trace], Coroutine[Any, Any, Any]]] = {
        "sleep": lambda _: asyncio.sleep(1),
        "yield": lambda _: asyncio.sleep(0),
        "wait": lambda t: asyncio.wait([t.task(asyncio.sleep(2))], timeout=5),
        "wait-times-out": lambda t: asyncio.wait([t.task(asyncio.sleep(2))], timeout=1),
        "wait_for": lambda t: asyncio.wait_for(t.task(asyncio.sleep(2)), 5),
        "wait_for-too-long": lambda t: asyncio.wait_for(t.task(asyncio.sleep(2)), 1),
        "wait_for-no-time": lambda t: asyncio.wait_for(t.task(asyncio.sleep(2)), 0),
        "gather": lambda t: end_of(
            asyncio.gather(t.task(asyncio.sleep(2)), t.task(t.nap("b", 3)), t.task(asyncio.sleep(1)))
        ),
        "shield": lambda t: end_of(asyncio.shield(t.task(asyncio.sleep(2)))),
        "timeout-expires": lambda t: t.within("o", 3, t.within("i", 1, asyncio.sleep(2))),
        "timeout-in-time": lambda t: t.within("o", 3, t.within("i", 2, asyncio.sleep(1))),
        "chain": lambda _: chain(3),
        "nested-tasks": lambda t: end_of(t.task(end_of(t.task(chain(1))))),
    }
    for name, make in operations.items():
        t.note(f"{name}={iterations(make)}")


# ---- the program ---------------------------------------------------------------------------------------------


def programs() -> dict[str, Callable[[Trace], None]]:
    """Return the functions above that are programs."""
    return {
        name: value
        for name, value in globals().items()
        if getattr(value, "__annotations__", {}).get("t") is Trace
    }


def main(names: list[str]) -> None:
    """Print a line for each."""
    for name, program in programs().items():
        if names and name not in names:
            continue
        trace = Trace()
        try:
            program(trace)
        except (TypeError, AttributeError) as error:
            print(f"{name}: not in this version: {error}")
        else:
            print(f"{name}: {' '.join(trace.notes)}")
        trace.note = lambda what: None  # type: ignore[method-assign]
        trace.loop.close()


if __name__ == "__main__":
    main(sys.argv[1:])
