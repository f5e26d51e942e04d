# SPDX-License-Identifier: MIT
# mypy: disable-error-code="no-untyped-def,no-untyped-call,no-any-return,attr-defined,override,misc,type-arg"
"""Deliberately wrong event loops: where the cycle meets threads, descriptors, futures, tasks and errors.

The rest of them, and the rules that hold for all, are in ``wrong_loops.py``.
"""

import asyncio
import math
import selectors
import signal
import sys
import threading

# ---- threads -----------------------------------------------------------------------------------------------


class LosesEveryWakeUp(asyncio.SelectorEventLoop):
    """call_soon_threadsafe() does not wake a loop that waits."""

    def _write_to_self(self):
        pass


class WakesOnlyOnce(asyncio.SelectorEventLoop):
    """The flag that saves needless wake-ups is never cleared, so only the first one reaches the loop."""

    _woken = False

    def _write_to_self(self):
        if not self._woken:
            self._woken = True
            super()._write_to_self()


class ThreadsafeCallbackRunsTwice(asyncio.SelectorEventLoop):
    """call_soon_threadsafe() from another thread queues the callback twice."""

    def call_soon_threadsafe(self, callback, *args, context=None):
        if self._thread_id not in (None, threading.get_ident()):
            super().call_soon_threadsafe(callback, *args, context=context)
        return super().call_soon_threadsafe(callback, *args, context=context)


class ThreadsafeCallbacksAreReversed(asyncio.SelectorEventLoop):
    """What other threads schedule is collected on a stack, and the last comes first."""

    def __init__(self):
        self._collected = []
        super().__init__()

    def call_soon_threadsafe(self, callback, *args, context=None):
        if self._thread_id in (None, threading.get_ident()):
            return super().call_soon_threadsafe(callback, *args, context=context)
        handle = asyncio.Handle(callback, args, self, context)
        self._collected.append(handle)
        self._write_to_self()
        return handle

    def _process_events(self, event_list):
        super()._process_events(event_list)
        while self._collected:
            self._ready.append(self._collected.pop())


# ---- descriptors -------------------------------------------------------------------------------------------


class ReplacedReaderStillRuns(asyncio.SelectorEventLoop):
    """add_reader() on a watched descriptor adds to its callback instead of replacing it."""

    def add_reader(self, fd, callback, *args):
        key = None if self.is_closed() else self._selector.get_map().get(fd)
        if key is None or key.data[0] is None:
            super().add_reader(fd, callback, *args)
        else:
            replaced = key.data[0]
            super().add_reader(fd, self._both, replaced._callback, replaced._args, callback, args)

    def _both(self, replaced, its_args, callback, args):
        replaced(*its_args)
        callback(*args)


class RemoveReaderReturnsNothing(asyncio.SelectorEventLoop):
    """remove_reader() returns None."""

    def remove_reader(self, fd):
        super().remove_reader(fd)


class RemovedReaderStillRuns(asyncio.SelectorEventLoop):
    """A reader that is already in the ready queue runs after remove_reader()."""

    def remove_reader(self, fd):
        key = None if self.is_closed() else self._selector.get_map().get(fd)
        if key is not None and key.data[0] is not None:
            spare = asyncio.Handle(int, (), self)
            self._selector.modify(fd, key.events, (spare, key.data[1]))
        return super().remove_reader(fd)


class ReadersAreEdgeTriggered(asyncio.SelectorEventLoop):
    """A reader runs once for what has come, not again for what it left unread."""

    def __init__(self):
        self._ready_before = set()
        super().__init__()

    def _process_events(self, event_list):
        read = {key.fd for key, mask in event_list if mask & selectors.EVENT_READ} - {self._ssock.fileno()}
        stale, self._ready_before = read & self._ready_before, read
        super()._process_events([event for event in event_list if event[0].fd not in stale])


# ---- futures and tasks -------------------------------------------------------------------------------------


def _take_new(loop, before):
    """Take back the handles that were appended to the ready queue since it held before of them."""
    return [loop._ready.pop() for _ in range(len(loop._ready) - before)][::-1]


class _Impatient(asyncio.Future):
    def set_result(self, result):
        loop = self.get_loop()
        before = len(loop._ready)
        super().set_result(result)
        for handle in _take_new(loop, before):
            handle._run()


class DoneCallbacksRunInsideSetResult(asyncio.SelectorEventLoop):
    """set_result() calls the done callbacks itself instead of scheduling them."""

    def create_future(self):
        return _Impatient(loop=self)


class _Backwards(asyncio.Future):
    def set_result(self, result):
        loop = self.get_loop()
        before = len(loop._ready)
        super().set_result(result)
        loop._ready.extend(reversed(_take_new(loop, before)))


class DoneCallbacksAreReversed(asyncio.SelectorEventLoop):
    """The done callbacks of a future run in the opposite order."""

    def create_future(self):
        return _Backwards(loop=self)


class TasksStartEagerly(asyncio.SelectorEventLoop):
    """create_task() in a running loop runs the first step of the task at once."""

    def create_task(self, coro, **options):
        before = len(self._ready)
        task = super().create_task(coro, **options)
        if self.is_running():
            creator = asyncio.current_task(self)
            if creator is not None:
                asyncio.tasks._leave_task(self, creator)
            for handle in _take_new(self, before):
                handle._run()
            if creator is not None:
                asyncio.tasks._enter_task(self, creator)
        return task


class TaskNameIsLost(asyncio.SelectorEventLoop):
    """create_task() ignores the keyword name."""

    def create_task(self, coro, *, name=None, **options):
        return super().create_task(coro, **options)


class TaskContextIsLost(asyncio.SelectorEventLoop):
    """create_task() ignores the keyword context."""

    def create_task(self, coro, *, context=None, **options):
        return super().create_task(coro, **options)


class TaskFactoryIsIgnored(asyncio.SelectorEventLoop):
    """create_task() makes its own Task, whatever factory is set."""

    def create_task(self, coro, *, name=None, **options):
        task = asyncio.Task(coro, loop=self, **options)
        if name is not None:
            task.set_name(name)
        return task


# ---- errors and debug mode ---------------------------------------------------------------------------------


class ErrorsAreSwallowed(asyncio.SelectorEventLoop):
    """An exception in a callback is reported to nobody."""

    def call_exception_handler(self, context):
        pass


class ErrorEndsTheRun(asyncio.SelectorEventLoop):
    """An exception in a callback comes out of run_forever() instead of going to the handler."""

    def call_exception_handler(self, context):
        if "handle" in context:
            raise context["exception"]
        super().call_exception_handler(context)


class InterruptIsSwallowed(asyncio.SelectorEventLoop):
    """KeyboardInterrupt and SystemExit in a callback are reported, and the run goes on."""

    def _run_once(self):
        try:
            super()._run_once()
        except (KeyboardInterrupt, SystemExit) as exc:
            self.call_exception_handler({"message": "interrupted", "exception": exc})


class HandlerGetsAnotherKey(asyncio.SelectorEventLoop):
    """The exception handler finds the exception under the key error."""

    def call_exception_handler(self, context):
        if "exception" in context:
            context["error"] = context.pop("exception")
        super().call_exception_handler(context)


class HandlerCannotBeTakenBack(asyncio.SelectorEventLoop):
    """set_exception_handler(None) leaves the handler that is in force."""

    def set_exception_handler(self, handler):
        if handler is not None:
            super().set_exception_handler(handler)


class DebugModeIsIgnored(asyncio.SelectorEventLoop):
    """set_debug() does nothing."""

    def set_debug(self, enabled):
        self._debug = False


class SlowCallbacksAreNotLogged(asyncio.SelectorEventLoop):
    """While callbacks run, slow_callback_duration is infinite: none counts as slow."""

    def _run_once(self):
        limit, self.slow_callback_duration = self.slow_callback_duration, math.inf
        try:
            super()._run_once()
        finally:
            if self.slow_callback_duration == math.inf:
                self.slow_callback_duration = limit


# ---- what a loop changes in its process ------------------------------------------------------------------------


class InterruptIsTakenOver(asyncio.SelectorEventLoop):
    """A run in the main thread handles SIGINT in its own way and does not give it back."""

    def run_forever(self):
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._interrupted)
        super().run_forever()

    def _interrupted(self, number, frame):
        raise KeyboardInterrupt


class WakeUpDescriptorStays(asyncio.SelectorEventLoop):
    """A run in the main thread has signals written to a socket of its own, also after it has ended."""

    def run_forever(self):
        if threading.current_thread() is threading.main_thread() and not self.is_closed():
            signal.set_wakeup_fd(self._csock.fileno())
        super().run_forever()


class GeneratorHooksStay(asyncio.SelectorEventLoop):
    """A run does not put back the hooks for asynchronous generators that it found."""

    def run_forever(self):
        super().run_forever()
        sys.set_asyncgen_hooks(self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook)


class MarkStaysWhenClosed(asyncio.SelectorEventLoop):
    """close() looks at the loop's state in a way that leaves it marked as the running one."""

    def _check_running(self):
        running = asyncio._get_running_loop()
        if running is not None and not running.is_running():
            asyncio._set_running_loop(None)
        super()._check_running()

    def close(self):
        super().close()
        if not self.is_running():
            asyncio._set_running_loop(self)
