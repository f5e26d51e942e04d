# SPDX-License-Identifier: MIT
"""What a run leaves behind: descriptors, threads, child processes, and settings of the process that it changed.

A snapshot before and a look afterwards.  What is on its way out (a pool's thread that was told to end, a child
that is being reaped) gets a moment; what is still there then is left behind.  Shared objects that the run
loaded are not: the loader closes them by itself or keeps them mapped.  Settings do not go away by waiting: they
are looked at once, and compared with what they were before the target's first loop was made.
"""

import asyncio
import bisect
import os
import re
import signal
import sys
import threading
import time
from typing import Any, Dict, List, Optional, Tuple

Left = Dict[str, List[str]]


def how_many(left: Left) -> int:
    """Return how many things are left behind, of those that may yet go by themselves."""
    return sum(len(left.get(sort, ())) for sort in ("fds", "threads", "children"))


def descriptors() -> Dict[int, str]:
    """Return the open descriptors of this process with what they are: socket, pipe, eventpoll, a file."""
    found: Dict[int, str] = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink("/proc/self/fd/" + name)
        except OSError:
            continue  # the one that listdir itself had open
        if not re.search(r"\.so(\.|$)", target):
            found[int(name)] = _kind_of(target)
    return found


def _kind_of(target: str) -> str:
    if target.startswith("anon_inode:"):
        return target[len("anon_inode:") :].strip("[]")
    if ":[" in target:
        return target.split(":", 1)[0]
    return "file"


def threads() -> int:
    """Return the number of threads of this process."""
    return len(os.listdir("/proc/self/task"))


def has_children() -> bool:
    """Return whether this process has a child, alive or not yet waited for."""
    for thread in os.listdir("/proc/self/task"):
        try:
            with open("/proc/self/task/%s/children" % thread) as file:
                if file.read().split():
                    return True
        except OSError:
            pass  # a thread that has just ended, or a kernel without this file
    return False


class Snapshot:
    """The resources of this process at one moment."""

    def __init__(self) -> None:
        self._descriptors = descriptors()
        self._threads = threads()

    def left_behind(self, patience: float, expected: int = 0) -> Left:
        """Return what is there now and was not then, by sort: ``{"fds": ["socket"], "threads": [..]}``.

        patience: seconds to give to what is on its way out; only runs that do leave something pay them.
        expected: how many things are left behind anyhow; there is no waiting for them to go.
        """
        deadline = time.monotonic() + patience
        while True:
            left = self.look()
            if how_many(left) <= expected or time.monotonic() >= deadline:
                return left
            time.sleep(0.005)

    def look(self) -> Left:
        """Return what is there at this moment and was not then."""
        left: Left = {}
        now = descriptors()
        fds = sorted(kind for fd, kind in now.items() if self._descriptors.get(fd) != kind)
        if fds:
            left["fds"] = fds
        more_threads = threads() - self._threads
        if more_threads > 0:
            left["threads"] = ["thread"] * more_threads
        if has_children():
            left["children"] = ["child"]
        return left


class Settings:
    """What loops change in a process and must put back: signals, hooks, the mark of the running loop.

    Only the main thread can look: the others have no signals, and marks and hooks of their own.
    """

    def __init__(self) -> None:
        self._handlers = signal_handlers()
        self._wakeup = wakeup_descriptor()
        self._hooks = asyncgen_hooks()

    def changed(self) -> Left:
        """Return what is other than it was, by sort: ``{"signals": ["SIGINT (function)"], ...}``."""
        handlers = signal_handlers()
        found: Left = {
            "signals": [
                "%s (%s)" % (name, kind_of_handler(handler))
                for name, handler in handlers.items()
                if handler != self._handlers.get(name)
            ],
            "wakeup": ["wake-up descriptor"] if wakeup_descriptor() != self._wakeup else [],
            "hooks": [name for name, hook in asyncgen_hooks().items() if hook != self._hooks[name]],
            "running": ["running loop"] if asyncio._get_running_loop() is not None else [],
        }
        return {sort: things for sort, things in found.items() if things}


def signal_handlers() -> Dict[str, Any]:
    """Return what Python knows to be the handler of each signal, by the signal's name."""
    return {number.name: signal.getsignal(number) for number in signal.Signals}


def kind_of_handler(handler: Any) -> str:
    """Return what a signal's handler is: the default one, none, a function, or none of Python's."""
    if handler is None:
        return "not Python's"
    if handler in (signal.SIG_DFL, signal.SIG_IGN):
        return "default" if handler == signal.SIG_DFL else "ignored"
    return "function"


def wakeup_descriptor() -> int:
    """Return the descriptor that signals are written to, -1 if there is none."""
    fd = signal.set_wakeup_fd(-1)
    if fd != -1:
        try:
            signal.set_wakeup_fd(fd)
        except (ValueError, OSError):
            pass  # it was left set and has been closed: nothing could be written to it
    return fd


def asyncgen_hooks() -> Dict[str, Any]:
    """Return the hooks for asynchronous generators of this thread."""
    hooks = sys.get_asyncgen_hooks()
    return {"firstiter": hooks.firstiter, "finalizer": hooks.finalizer}


def run_delay() -> float:
    """Return the seconds that the main thread has waited for a CPU so far; 0 where the kernel does not say."""
    try:
        with open("/proc/self/schedstat", "rb") as file:
            return _waited(file.read())
    except OSError:
        return 0.0


def _waited(schedstat: bytes) -> float:
    try:
        return int(schedstat.split()[1]) / 1e9
    except (IndexError, ValueError):
        return 0.0


class WaitingForCpu:
    """How long threads waited for a CPU, by readings of the kernel's counter at moments that matter.

    The main thread's counter stays open, which makes a reading a single system call; a thread that writes an
    event now and then has its own opened each time.
    """

    def __init__(self) -> None:
        self._main = threading.main_thread().ident
        self._counter = -1
        try:
            self._counter = os.open("/proc/self/schedstat", os.O_RDONLY)
        except OSError:
            pass  # a kernel that does not count: nobody ever waited
        self._readings: Dict[int, Tuple[List[float], List[float]]] = {}
        self.since(None, time.monotonic())

    def since(self, moment: Optional[float], now: float) -> float:
        """Take a reading; return the seconds that this thread waited since the last one before moment.

        moment and now: on the clock of ``time.monotonic()``.  Without an earlier reading: since its beginning.
        """
        thread = threading.get_ident()
        moments, totals = self._readings.setdefault(thread, ([], []))
        total = self._total(thread)
        before = bisect.bisect_right(moments, now if moment is None else moment)
        waited = total - (totals[before - 1] if before else 0.0)
        moments.append(now)
        totals.append(total)
        return round(waited, 6)

    def _total(self, thread: int) -> float:
        try:
            if thread == self._main:
                return _waited(os.pread(self._counter, 100, 0))
            with open("/proc/thread-self/schedstat", "rb") as file:
                return _waited(file.read())
        except OSError:
            return 0.0
