# SPDX-License-Identifier: MIT
# mypy: disable-error-code="no-untyped-def,no-untyped-call,no-any-return,attr-defined,override,misc,type-arg"
"""Deliberately wrong event loops: the cycle itself, that is callbacks, timers, running and closing.

Each class here and in ``wrong_edges.py`` is CPython's selector loop with one realistic bug, said in one
sentence by its docstring: a target that a conformance suite must not pass.  ``right_loop`` makes the control,
a loop without a bug.

Invariants.  The file runs inside a target's interpreter: standard library only, Python 3.8 and later.  To fit a
bug in a few lines the loops reach into private parts of asyncio, which no scenario may do.  A bug does not depend
on chance, and it leaves the loop able to end most runs: what hangs everywhere proves little.
"""

import asyncio
import collections
import contextlib
import contextvars
import heapq
import time


class _Right(asyncio.SelectorEventLoop):
    """A loop without a bug; a class of its own because loopcheck refuses to test asyncio's classes."""


def right_loop():
    """Return a loop without a bug."""
    return _Right()


# ---- callbacks and iterations ------------------------------------------------------------------------------


class _Stack(collections.deque):
    def popleft(self):
        return self.pop()


class LastInFirstOut(asyncio.SelectorEventLoop):
    """The ready queue is a stack: the callback that was scheduled last runs first."""

    def __init__(self):
        super().__init__()
        self._ready = _Stack()


class NewCallbacksRunInTheSameIteration(asyncio.SelectorEventLoop):
    """What a batch schedules runs in the same iteration, before timers and descriptors are looked at."""

    def _run_once(self):
        super()._run_once()
        for _ in range(50):
            if self._ready:
                handle = self._ready.popleft()
                if not handle._cancelled:
                    handle._run()


class OnlyTheFirstArgument(asyncio.SelectorEventLoop):
    """call_soon() passes on the first argument only."""

    def call_soon(self, callback, *args, context=None):
        return super().call_soon(callback, *args[:1], context=context)


class SameCallbackOnlyOnce(asyncio.SelectorEventLoop):
    """A callback that is already in the ready queue with the same arguments is not queued again."""

    def call_soon(self, callback, *args, context=None):
        for handle in self._ready:
            if not handle._cancelled and (handle._callback, handle._args) == (callback, args):
                return handle
        return super().call_soon(callback, *args, context=context)


class CallbackRunsInsideCallSoon(asyncio.SelectorEventLoop):
    """call_soon() from inside a callback runs a plain function at once instead of queueing it."""

    def call_soon(self, callback, *args, context=None):
        handle = super().call_soon(callback, *args, context=context)
        if context is None and self.is_running():
            self._ready.pop()._run()
        return handle


class CancelledCallbackRuns(asyncio.SelectorEventLoop):
    """cancel() marks the handle that call_soon() returned, but another one is in the queue and runs."""

    def call_soon(self, callback, *args, context=None):
        super().call_soon(callback, *args, context=context)
        return asyncio.Handle(callback, args, self, context)


class ContextIsLost(asyncio.SelectorEventLoop):
    """The keyword context is ignored: every callback and timer gets a copy of the current context."""

    def call_soon(self, callback, *args, context=None):
        return super().call_soon(callback, *args)

    def call_at(self, when, callback, *args, context=None):
        return super().call_at(when, callback, *args)


class ContextIsShared(asyncio.SelectorEventLoop):
    """Callbacks share one context instead of each running in that of its scheduling."""

    _shared = None

    def call_soon(self, callback, *args, context=None):
        if context is None:
            if self._shared is None:
                self._shared = contextvars.copy_context()
            context = self._shared
        return super().call_soon(callback, *args, context=context)


# ---- timers ------------------------------------------------------------------------------------------------


class TimersAreEarly(asyncio.SelectorEventLoop):
    """A timer of less than a minute fires five milliseconds before its deadline."""

    def call_at(self, when, callback, *args, context=None):
        early = (
            0.005 if when - self.time() < 60 else 0
        )  # an hour's must be right: it proves the virtual clock
        return super().call_at(when - early, callback, *args, context=context)


class TimersOfAMillisecondRunTogether(asyncio.SelectorEventLoop):
    """With a timer that is due runs every other that is due within the next millisecond."""

    def __init__(self):
        super().__init__()
        self._clock_resolution = 0.001


class TimersAreLate(asyncio.SelectorEventLoop):
    """A timer fires eight milliseconds after its deadline."""

    def call_at(self, when, callback, *args, context=None):
        return super().call_at(when + 0.008, callback, *args, context=context)


class TimersAreSlow(asyncio.SelectorEventLoop):
    """A timer takes a quarter longer than its delay."""

    def call_at(self, when, callback, *args, context=None):
        now = self.time()
        return super().call_at(now + (when - now) * 1.25, callback, *args, context=context)


class PastTimersAreDropped(asyncio.SelectorEventLoop):
    """A timer whose deadline has already passed is forgotten."""

    def call_at(self, when, callback, *args, context=None):
        handle = super().call_at(when, callback, *args, context=context)
        if when < self.time() - 0.0001:
            handle._callback, handle._args = int, ()
        return handle


class CancellingDropsTheNextTimer(asyncio.SelectorEventLoop):
    """Cancelling a timer takes the one with the nearest deadline off the heap, whichever that is."""

    def _timer_handle_cancelled(self, handle):
        super()._timer_handle_cancelled(handle)
        if len(self._scheduled) > 2 and self._scheduled[0] is not handle:
            heapq.heappop(self._scheduled)


class TimersFireTwice(asyncio.SelectorEventLoop):
    """Each timer is put on the heap two times."""

    def call_at(self, when, callback, *args, context=None):
        handle = super().call_at(when, callback, *args, context=context)
        heapq.heappush(self._scheduled, handle)
        return handle


class TimersInSchedulingOrder(asyncio.SelectorEventLoop):
    """Timers are a queue: none fires before one that was scheduled earlier."""

    def call_at(self, when, callback, *args, context=None):
        latest = max((handle._when for handle in self._scheduled if not handle._cancelled), default=0)
        return super().call_at(max(when, latest + 1e-6), callback, *args, context=context)


class CancelledTimerRuns(asyncio.SelectorEventLoop):
    """cancel() marks the handle that call_at() returned, but another one is on the heap and runs."""

    def call_at(self, when, callback, *args, context=None):
        super().call_at(when, callback, *args, context=context)
        return asyncio.TimerHandle(when, callback, args, self, context)


class DeadlineIsTakenForADelay(asyncio.SelectorEventLoop):
    """call_at() counts its argument from now, as if it were a delay."""

    def call_at(self, when, callback, *args, context=None):
        return super().call_at(self.time() + when, callback, *args, context=context)

    def call_later(self, delay, callback, *args, context=None):
        return super().call_at(self.time() + delay, callback, *args, context=context)


class _TellsItsDelay(asyncio.TimerHandle):
    __slots__ = ()

    def when(self):
        return self._when - self._loop.time()


class DeadlineIsToldAsADelay(asyncio.SelectorEventLoop):
    """TimerHandle.when() returns the time that is left instead of the deadline."""

    def call_at(self, when, callback, *args, context=None):
        handle = super().call_at(when, callback, *args, context=context)
        handle.__class__ = _TellsItsDelay
        return handle


class ZeroDelayOvertakes(asyncio.SelectorEventLoop):
    """call_later(0, ...) puts its callback in front of those that wait already."""

    def call_later(self, delay, callback, *args, context=None):
        if delay > 0:
            return super().call_later(delay, callback, *args, context=context)
        self._check_closed()
        handle = asyncio.TimerHandle(self.time(), callback, args, self, context)
        self._ready.appendleft(handle)
        return handle


class TimeIsTheWallClock(asyncio.SelectorEventLoop):
    """time() is time.time(), which the administrator may set back."""

    def time(self):
        return time.time()


# ---- running, stopping, closing ----------------------------------------------------------------------------


class _StopsShort(collections.deque):
    """A ready queue that gives out nothing while its loop is stopping."""

    def __init__(self, loop):
        super().__init__()
        self._loop = loop
        self._nothing = asyncio.Handle(int, (), loop)

    def popleft(self):
        return self._nothing if self._loop._stopping else super().popleft()


class StopsAtOnce(asyncio.SelectorEventLoop):
    """stop() ends the iteration at once: the rest of the batch waits for the next run."""

    def __init__(self):
        super().__init__()
        self._ready = _StopsShort(self)


class StopsTooLate(asyncio.SelectorEventLoop):
    """stop() lets one more iteration happen, so what the batch scheduled still runs."""

    def stop(self):
        self.call_soon(super().stop)


class StopIsNotConsumed(asyncio.SelectorEventLoop):
    """A stop() is not forgotten when it has ended a run: it ends the next one too, after one iteration."""

    def run_forever(self):
        super().run_forever()
        self._stopping = True


class StoppedRunReturnsNothing(asyncio.SelectorEventLoop):
    """run_until_complete() returns None when the loop is stopped before the future is done."""

    def run_until_complete(self, future):
        future = asyncio.ensure_future(future, loop=self)
        try:
            return super().run_until_complete(future)
        except RuntimeError as exc:
            if future.done() or not str(exc).startswith("Event loop stopped"):
                raise
            return None


class RunUntilCompleteSwallows(asyncio.SelectorEventLoop):
    """run_until_complete() returns None instead of raising what the future has."""

    def run_until_complete(self, future):
        with contextlib.suppress(Exception):
            return super().run_until_complete(future)


class IsNeverRunning(asyncio.SelectorEventLoop):
    """is_running() is always False."""

    def is_running(self):
        return False


class NestedRunIsAccepted(asyncio.SelectorEventLoop):
    """run_forever() on a loop that runs already returns at once instead of refusing."""

    def run_forever(self):
        if not self.is_running():
            super().run_forever()


class StaysTheRunningLoop(asyncio.SelectorEventLoop):
    """After a run, get_running_loop() still returns the loop."""

    def _check_running(self):
        running = asyncio._get_running_loop()
        if running is not None and not running.is_running():
            asyncio._set_running_loop(None)
        super()._check_running()

    def run_forever(self):
        super().run_forever()
        asyncio._set_running_loop(self)


class ClosedLoopAcceptsCallbacks(asyncio.SelectorEventLoop):
    """call_soon() and the timers work on a closed loop: what they schedule never runs."""

    def _check_closed(self):
        pass


class CloseRunsWhatIsPending(asyncio.SelectorEventLoop):
    """close() first runs the callbacks that are still waiting."""

    def close(self):
        if not self.is_running() and not self.is_closed() and self._ready:
            self.stop()
            self.run_forever()
        super().close()


class RunningLoopCanBeClosed(asyncio.SelectorEventLoop):
    """close() does not refuse a loop that runs: it stops it."""

    def close(self):
        if self.is_running():
            self.stop()
        else:
            super().close()


class CloseLeavesADescriptor(asyncio.SelectorEventLoop):
    """close() forgets one end of the pair of sockets that wakes the loop, if callbacks are still pending."""

    def _close_self_pipe(self):
        if self._ready:
            self._csock.detach()
        super()._close_self_pipe()


class GeneratorsAreNotShutDown(asyncio.SelectorEventLoop):
    """shutdown_asyncgens() does nothing."""

    async def shutdown_asyncgens(self):
        pass
