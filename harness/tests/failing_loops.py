# SPDX-License-Identifier: MIT
# mypy: disable-error-code="no-untyped-def,no-untyped-call,attr-defined,misc,type-arg"
"""Event loops that fail, each in one way that a conformance suite must survive and name.

Two sorts.  The classes work until a scenario asks for a future (``scenarios_failing/trouble``): so the target
starts, its other scenarios run, and one fails.  The functions are factories that give no loop to begin with.

Invariants.  The file runs inside a target's interpreter: standard library only, Python 3.8 and later.  Whoever
needs no future sees a loop without a fault.  No failure depends on chance or on time.
"""

import asyncio
import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import threading

kept: list = []  # what is leaked: referred to from here, so that it is not collected


class InnocentLoop(asyncio.SelectorEventLoop):
    """A loop without a fault; a class of its own because loopcheck refuses to test asyncio's classes."""


# ---- the process does not survive ----------------------------------------------------------------------------


class Segfaults(InnocentLoop):
    """Reads from address zero."""

    def create_future(self):
        return ctypes.string_at(0)


class Aborts(InnocentLoop):
    """Calls abort()."""

    def create_future(self):
        os.abort()


class Exits(InnocentLoop):
    """Calls _exit()."""

    def create_future(self):
        os._exit(7)


class KillsItsServer(InnocentLoop):
    """Kills the process that it was forked from."""

    def create_future(self):
        os.kill(os.getppid(), signal.SIGKILL)
        return super().create_future()


class KillsItsServerOnce(InnocentLoop):
    """Kills the process that it was forked from unless the file FAILING_LOOPS_ONCE is there, and makes it."""

    def create_future(self):
        try:
            os.close(os.open(os.environ["FAILING_LOOPS_ONCE"], os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return super().create_future()
        os.kill(os.getppid(), signal.SIGKILL)
        select.select([], [], [])  # its answer would have nobody to go to


# ---- it does not end -----------------------------------------------------------------------------------------


class IsBusyForEver(InnocentLoop):
    """Loops in Python and never returns."""

    def create_future(self):
        while True:
            pass


class BlocksInC(InnocentLoop):
    """Reads from a pipe that nobody writes to: a system call that never returns."""

    def create_future(self):
        return os.read(os.pipe()[0], 1)


class _Deaf(asyncio.Future):
    def set_result(self, result):
        pass


class NeverResumes(InnocentLoop):
    """Its futures ignore their result, so that who awaits one waits for ever."""

    def create_future(self):
        return _Deaf(loop=self)


class _HangsInClose(InnocentLoop):
    asked = False

    def create_future(self):
        self.asked = True
        return super().create_future()


class HangsInClose(_HangsInClose):
    """Does not return from close() once it has made a future."""

    def close(self):
        if self.asked and not self.is_closed():
            os.read(os.pipe()[0], 1)
        super().close()


class RaisesInClose(_HangsInClose):
    """Raises in close() once it has made a future."""

    def close(self):
        closed = self.is_closed()
        super().close()
        if self.asked and not closed:
            raise ArithmeticError("close() failed")


# ---- something is left behind --------------------------------------------------------------------------------


class LeaksDescriptor(InnocentLoop):
    """Leaves a socket open."""

    def create_future(self):
        kept.append(socket.socket())
        return super().create_future()


class LeaksThread(InnocentLoop):
    """Leaves a thread running."""

    def create_future(self):
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        return super().create_future()


class LeaksChild(InnocentLoop):
    """Leaves a child process running."""

    def create_future(self):
        kept.append(subprocess.Popen([sys.executable, "-c", "import select; select.select([], [], [])"]))
        return super().create_future()


class LeavesTask(InnocentLoop):
    """Leaves a task pending."""

    def create_future(self):
        kept.append(self.create_task(self.wait_for_nothing()))
        return super().create_future()

    async def wait_for_nothing(self):
        await asyncio.Future(loop=self)


class LeavesSignalHandler(InnocentLoop):
    """Takes over a signal."""

    def create_future(self):
        signal.signal(signal.SIGUSR1, lambda number, frame: None)
        return super().create_future()


class IgnoresSignal(InnocentLoop):
    """Leaves a signal ignored that had its default handler."""

    def create_future(self):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        return super().create_future()


class LeavesWakeUpDescriptor(InnocentLoop):
    """Has signals written to a descriptor of its own, which it closes, for ever."""

    def create_future(self):
        signal.set_wakeup_fd(self._csock.fileno())
        return super().create_future()


class LeavesGeneratorHooks(InnocentLoop):
    """Sets the finalizer hook of asynchronous generators for good."""

    def create_future(self):
        sys.set_asyncgen_hooks(finalizer=self._asyncgen_finalizer_hook)
        return super().create_future()


class LeavesItsMark(_HangsInClose):
    """Is marked as the running loop once it is closed."""

    def close(self):
        super().close()
        if self.asked:
            asyncio._set_running_loop(self)


class ForgetsALoop(InnocentLoop):
    """Makes a loop for itself, and loses it without closing it."""

    def create_future(self):
        asyncio.SelectorEventLoop()
        return super().create_future()


class KeepsALoop(InnocentLoop):
    """Makes a loop for itself, and keeps it open."""

    def create_future(self):
        kept.append(asyncio.SelectorEventLoop())
        return super().create_future()


class ForgetsATransport(InnocentLoop):
    """Makes a transport for itself, and does not close it."""

    def create_future(self):
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._make_socket_transport(ours, asyncio.Protocol())
        theirs.close()
        return super().create_future()


class RaisesInDestructor(InnocentLoop):
    """Makes an object whose destructor raises."""

    def create_future(self):
        _Fragile()
        return super().create_future()


class _Fragile:
    def __del__(self):
        raise BufferError("not now")


# ---- timers --------------------------------------------------------------------------------------------------


class _WrongTimers(InnocentLoop):
    def call_at(self, when, callback, *args, context=None):
        delay = when - self.time()
        more = self.lateness(delay) if delay < 60 else 0  # an hour's timer proves the virtual clock
        return super().call_at(when + more, callback, *args, context=context)


class IsLate(_WrongTimers):
    """Runs each timer ten milliseconds late."""

    def lateness(self, delay):
        return 0.01


class IsLateWhenShort(_WrongTimers):
    """Runs timers of less than fifty milliseconds ten milliseconds late."""

    def lateness(self, delay):
        return 0.01 if delay < 0.05 else 0


class IsEarly(_WrongTimers):
    """Runs each timer five milliseconds early."""

    def lateness(self, delay):
        return -0.005


# ---- other mischief ------------------------------------------------------------------------------------------


class Raises(InnocentLoop):
    """Raises an exception that nobody expects."""

    def create_future(self):
        raise LookupError("no futures today")


class LeavesByExit(InnocentLoop):
    """Raises SystemExit, as sys.exit() does."""

    def create_future(self):
        sys.exit(5)


class LacksFutures(InnocentLoop):
    """Says that it has no futures."""

    def create_future(self):
        raise NotImplementedError


class Prints(InnocentLoop):
    """Writes to both standard streams, as text and straight to their descriptors."""

    def create_future(self):
        print("printed to stdout")
        print("printed to stderr", file=sys.stderr, flush=True)
        os.write(1, b"written to stdout\n")
        os.write(2, b"written to stderr\n")
        return super().create_future()


def trace_descriptors():
    """Return the descriptors of this process that lead to a trace."""
    paths = {name: "/proc/self/fd/" + name for name in os.listdir("/proc/self/fd")}
    return [int(n) for n, path in paths.items() if os.path.exists(path) and ".trace" in os.readlink(path)]


class ScribblesOnTrace(InnocentLoop):
    """Writes what is no JSON to a descriptor that is not its own, the trace's."""

    def create_future(self):
        os.write(trace_descriptors()[0], b"\xff\x00 no JSON\n")
        return super().create_future()


class ScribblesJson(InnocentLoop):
    """Writes JSON that is no event to a descriptor that is not its own, the trace's."""

    def create_future(self):
        os.write(trace_descriptors()[0], b'[1]\n{"k": "user"}\n')
        return super().create_future()


class ClosesTrace(InnocentLoop):
    """Closes a descriptor that is not its own, the trace's."""

    def create_future(self):
        os.close(trace_descriptors()[0])
        return super().create_future()


class LeavesByEveryLoop(InnocentLoop):
    """Leaves a descriptor open for every loop, whether it makes a future or not."""

    def close(self):
        if not self.is_closed():
            kept.append(socket.socket())
        super().close()


# ---- factories that give no loop -----------------------------------------------------------------------------

not_callable = 3


def factory_raises():
    """Raise."""
    raise OSError("no loops today")


def factory_returns_nothing():
    """Return None."""


def factory_returns_something_else():
    """Return what is no loop."""
    return {"a": "dictionary"}


def factory_returns_asyncios_own():
    """Return a loop of asyncio's own class."""
    return asyncio.SelectorEventLoop()


def factory_crashes():
    """Crash."""
    return ctypes.string_at(0)


def factory_exits():
    """Leave the process."""
    os._exit(7)


def factory_hangs():
    """Never return."""
    os.read(os.pipe()[0], 1)


def factory_gives_a_loop_that_cannot_close():
    """Return a loop whose close() raises every time."""
    loop = RaisesInClose()
    loop.asked = True
    return loop


class _Counted:
    calls = 0


def factory_gives_asyncios_own_later():
    """Return a loop without a fault twice in a process, then one of asyncio's own class."""
    _Counted.calls += 1
    return InnocentLoop() if _Counted.calls <= 2 else asyncio.SelectorEventLoop()


def factory_raises_later():
    """Return a loop without a fault once in a process, then raise."""
    _Counted.calls += 1
    if _Counted.calls > 1:
        raise OSError("only one loop per process")
    return InnocentLoop()
