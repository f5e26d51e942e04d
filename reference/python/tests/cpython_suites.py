# SPDX-License-Identifier: MIT
"""Runs CPython's own tests of asyncio on loops of asy, in an interpreter that ships its test suite.

    python cpython_suites.py KIND      # "epoll", "poll", "select" or "native"

The tests are the interpreter's (``test.test_asyncio``); here are the names of the classes only.  Each is
subclassed so that whatever makes a loop makes one of asy's, and every loop is counted, so that a test that never
touched one is not taken for a success.  The current folder is written to.

A line of JSON for each test: ``test`` (class and method), ``outcome`` ("pass", "fail" or "skip"), ``reason``
(the exception, or why it was skipped), ``loops`` and ``asyncio_loops`` (how many of each were made).  Before it,
one that has ``begins`` only, so that a test that ends the process is known by its name.
"""

import asyncio
import asyncio.base_events
import asyncio.events
import contextlib
import faulthandler
import importlib
import json
import os
import socket
import sys
import threading
import unittest
from collections.abc import Iterator
from typing import Any, TextIO

import asy

LIMIT = 60  # seconds that one test may take
MAKERS = {
    "epoll": lambda: asy.EventLoop("epoll"),  # type: ignore[abstract]
    "poll": asy.new_poll_event_loop,
    "select": asy.new_select_event_loop,
    "native": asy.new_native_event_loop,
}


class Loops:
    """Makes the loops, and counts them and asyncio's."""

    def __init__(self, kind: str) -> None:
        self.maker = MAKERS[kind]
        self.made: list[asyncio.AbstractEventLoop] = []
        self.made_by_asyncio = 0

    def new(self) -> asyncio.AbstractEventLoop:
        """Return another loop of asy."""
        loop = self.maker()
        self.made.append(loop)
        return loop

    def new_as_asyncio(self) -> asyncio.AbstractEventLoop:
        """Return what asyncio.new_event_loop() does: a policy of a test's own decides."""
        get_policy = getattr(asyncio.events, "_get_event_loop_policy", None) or asyncio.get_event_loop_policy
        policy: Any = get_policy()
        return policy.new_event_loop() if type(policy).__module__.startswith("test.") else self.new()

    def forget(self) -> None:
        """Begin to count again."""
        self.made.clear()
        self.made_by_asyncio = 0

    def stop(self) -> None:
        """Stop those that are not closed, from another thread."""
        for loop in self.made:
            if not loop.is_closed():
                loop.call_soon_threadsafe(loop.stop)

    @contextlib.contextmanager
    def in_place_of_asyncios(self) -> "Iterator[None]":
        """Until the end of the with statement, asyncio.new_event_loop() makes a loop of asy."""
        base = asyncio.base_events.BaseEventLoop
        initialise, package = base.__init__, (asyncio.new_event_loop, asyncio.events.new_event_loop)

        def count(loop: Any, *args: Any, **keywords: Any) -> None:
            self.made_by_asyncio += 1
            initialise(loop, *args, **keywords)

        base.__init__ = count  # type: ignore[method-assign]
        asyncio.new_event_loop = asyncio.events.new_event_loop = self.new_as_asyncio
        try:
            yield
        finally:
            base.__init__ = initialise  # type: ignore[method-assign]
            asyncio.new_event_loop, asyncio.events.new_event_loop = package


# ---- the classes -------------------------------------------------------------------------------------


class Retargeted:
    """What the tests call to make a loop, and to run it until it has nothing to do."""

    loops: Loops

    def create_event_loop(self) -> asyncio.AbstractEventLoop:
        """Return what the tests of a mixin run on."""
        return self.loops.new()

    def new_test_loop(self, generator: Any = None) -> asyncio.AbstractEventLoop:
        """Return what takes the place of CPython's TestLoop, which has a clock of its own."""
        if generator is not None:
            self.skipTest("needs the clock of CPython's TestLoop")  # type: ignore[attr-defined]
        loop = self.loops.new()
        self.set_event_loop(loop)  # type: ignore[attr-defined]
        return loop

    def _run_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run until no callback is left: those of the gather() tests are done after a few iterations."""
        for _ in range(5):
            loop.run_until_complete(asyncio.sleep(0))


class Sink:
    """What the tests of sock_sendfile() see of the other end, which receives in a thread."""

    def __init__(self, listener: socket.socket) -> None:
        self.data = bytearray()
        self.listener = listener
        self.thread = threading.Thread(target=self.receive)
        self.thread.start()

    def receive(self) -> None:
        """Take one connection and receive until its end."""
        conn, _ = self.listener.accept()
        with conn:
            while piece := conn.recv(1 << 16):
                self.data += piece

    async def wait_closed(self) -> None:
        """Wait for the end of the connection."""
        await asyncio.to_thread(self.thread.join)


def prepare_socksendfile(test: Any) -> "tuple[socket.socket, Sink]":
    """Return a connected socket and the other end; CPython's makes a server of the loop's for it."""
    listener = socket.create_server(("127.0.0.1", 0))
    test.addCleanup(listener.close)
    listener.settimeout(LIMIT / 2)
    test.reduce_receive_buffer_size(listener)
    sink = Sink(listener)
    sock = test.make_socket()
    test.addCleanup(sink.thread.join)
    test.addCleanup(sock.close)
    test.run_loop(test.loop.sock_connect(sock, listener.getsockname()))
    test.reduce_send_buffer_size(sock)
    return sock, sink


def make_loop(test: Any) -> None:
    """Set a test up as EventLoopTestsMixin does."""
    test.loop = test.create_event_loop()
    test.set_event_loop(test.loop)


def new_loop(test: Any) -> Any:
    """Return a loop that tells whether its async generators were shut down: the tests of asyncio.run() ask."""
    loop = test.loops.new()
    shutdown = loop.shutdown_asyncgens
    loop.shutdown_ag_run = False

    async def shutdown_asyncgens() -> None:
        loop.shutdown_ag_run = True
        await shutdown()

    loop.shutdown_asyncgens = shutdown_asyncgens
    return loop


def classes_of_io() -> "dict[str, tuple[str, dict[str, Any]]]":
    """Return the classes about what a selector finds: their module, and what their subclass has besides."""
    return {
        "BaseSockTestsMixin": ("test_sock_lowlevel", {}),
        "EventLoopTestsMixin": ("test_events", {}),
        "SubprocessTestsMixin": ("test_events", {"setUp": make_loop}),
        "SendfileTestsBase": ("test_sendfile", {"prepare_socksendfile": prepare_socksendfile}),
        "TestFunctional": ("test_unix_events", {}),
    }


def classes_of_tasks(native: bool) -> "dict[str, tuple[str, dict[str, Any]]]":
    """Return the other classes in the same way.  native: with futures and tasks of the library."""
    future, task = (asy.Future, asy.Task) if native else (asyncio.Future, asyncio.Task)
    kinds: dict[str, Any] = {
        "cls": future,
        "Future": future,
        "Task": task,
        "all_tasks": staticmethod(asyncio.all_tasks),
        "current_task": staticmethod(asyncio.current_task),
        "_get_future_cls": lambda test: future,
    }
    with_loop = ("RunCoroutineThreadsafeTests", "SleepTests", "FutureGatherTests", "CoroutineGatherTests")
    eager = ("EagerTaskFactoryLoopTests", "NonEagerTests", "EagerTests")
    queues = ("QueueBasicTests", "QueueGetTests", "QueuePutTests", "QueueJoinTests", "QueueShutdownTests")
    locks = ("LockTests", "EventTests", "ConditionTests", "SemaphoreTests", "BarrierTests")
    return {
        "BaseFutureTests": ("test_futures", kinds),
        "BaseFutureDoneCallbackTests": (
            "test_futures",
            {"_new_future": lambda test: future(loop=test.loop)},
        ),
        "BaseFutureInheritanceTests": ("test_futures", kinds),
        "FutureTests": ("test_futures2", {**kinds, "cls": task}),
        "BaseTaskTests": ("test_tasks", kinds),
        **{name: ("test_tasks", {}) for name in with_loop},
        **{name: ("test_eager_task_factory", kinds) for name in eager},
        "RunTests": ("test_runners", {"new_loop": new_loop}),
        "RunnerTests": ("test_runners", {"new_loop": new_loop}),
        "ToThreadTests": ("test_threads", {}),
        "DecimalContextTest": ("test_context", {}),
        "StaggeredTests": ("test_staggered", {}),
        "TestTaskGroup": ("test_taskgroups", {}),
        "TimeoutTests": ("test_timeouts", {}),
        "AsyncioWaitForTest": ("test_waitfor", {}),
        "WaitForShieldTests": ("test_waitfor", {}),
        **{name: ("test_queues", {}) for name in queues},
        **{name: ("test_locks", {}) for name in locks},
    }


def retargeted(loops: Loops, kind: str) -> "Iterator[type[unittest.TestCase]]":
    """Return the subclasses, as far as this version has the classes."""
    classes = classes_of_io()
    if kind in {"epoll", "native"}:
        classes |= classes_of_tasks(kind == "native")
    for name, (module, attributes) in classes.items():
        try:
            original = getattr(importlib.import_module(f"test.test_asyncio.{module}"), name, None)
        except ModuleNotFoundError:
            continue
        if original is None:
            continue
        yield type(
            name,
            (Retargeted, *bases_of(original)),
            {
                **attributes,
                **{
                    "loops": loops,
                    "loop_factory": staticmethod(loops.new),
                },
            },
        )


def bases_of(original: type) -> "tuple[type, ...]":
    """Return the class, and the one that makes it a test case unless it is one."""
    if issubclass(original, unittest.TestCase):
        return (original,)
    if original.__module__.endswith("test_futures2"):
        return original, unittest.IsolatedAsyncioTestCase
    return original, importlib.import_module("test.test_asyncio.utils").TestCase


class Logger:
    """The logger that asyncio's loop has at the time: tests replace it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio.base_events.logger, name)  # type: ignore[attr-defined]


def follow_private_names() -> None:
    """Give asy what tests look at under names of asyncio's own.

    That is the logger of its loop, and the class of what call_soon_threadsafe() returns: in asy, Handle.
    """
    asy._host.logger = Logger()  # type: ignore[assignment]
    asyncio.events._ThreadSafeHandle = asyncio.Handle  # type: ignore[attr-defined]


# ---- running -----------------------------------------------------------------------------------------


class Lines(unittest.TestResult):
    """Prints each test, with what has become of it."""

    def __init__(self, loops: Loops, output: TextIO) -> None:
        super().__init__()
        self.loops = loops
        self.output = output
        self.found: tuple[str, str] = ("pass", "")

    def startTest(self, test: unittest.TestCase) -> None:
        """Say which begins."""
        super().startTest(test)
        faulthandler.dump_traceback_later(LIMIT, exit=True)
        self.loops.forget()
        self.found = ("pass", "")
        print(json.dumps({"begins": name_of(test)}), file=self.output, flush=True)

    def stopTest(self, test: unittest.TestCase) -> None:
        """Say how it has ended."""
        super().stopTest(test)
        faulthandler.cancel_dump_traceback_later()
        outcome, reason = self.found
        line = {
            "test": name_of(test),
            "outcome": outcome,
            "reason": reason,
            "loops": len(self.loops.made),
            "asyncio_loops": self.loops.made_by_asyncio,
        }
        print(json.dumps(line), file=self.output, flush=True)

    def fail_in_thread(self, error: Any) -> None:
        """Note that a thread of the test has failed, and let the loop not wait for it for ever."""
        self.fail(error[:3])
        self.loops.stop()

    def fail(self, error: Any) -> None:
        """Note the first failure of a test: what comes after it follows from it."""
        if self.found[0] != "fail":
            kind, value = error[:2]
            self.found = ("fail", f"{kind.__name__}: {value}")

    def addError(self, test: Any, err: Any) -> None:
        """Note it; what a whole class fails with is a test of its own."""
        super().addError(test, err)
        self.fail(err)
        if not isinstance(test, unittest.TestCase):
            self.stopTest(test)

    def addFailure(self, test: Any, err: Any) -> None:
        """Note it."""
        super().addFailure(test, err)
        self.fail(err)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        """Note it."""
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.fail(err)

    def addSkip(self, test: Any, reason: str) -> None:
        """Note it."""
        super().addSkip(test, reason)
        if self.found[0] == "pass":
            self.found = ("skip", reason)


def name_of(test: Any) -> str:
    """Return "Class.method", or how unittest describes what is no test."""
    method = getattr(test, "_testMethodName", None)
    return f"{type(test).__name__}.{method}" if method else str(test)


def main() -> int:
    """Run all tests on the kind of loop that is named."""
    kind, *patterns = sys.argv[1:]
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # some tests print
    loops = Loops(kind)
    loader = unittest.TestLoader()
    loader.testNamePatterns = patterns or None
    follow_private_names()
    with loops.in_place_of_asyncios():
        suite = unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in retargeted(loops, kind))
        lines = Lines(loops, output)
        threading.excepthook = lines.fail_in_thread
        suite.run(lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
