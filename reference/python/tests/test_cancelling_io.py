# SPDX-License-Identifier: MIT
"""Everything that waits for the kernel or for a thread, cancelled at any time: nothing is lost, nothing is left.

An operation runs again and again, each time on a loop of its own, and is cancelled in iteration 0, 1, 2, ...
until it has ended before that: between two iterations; in one, before or after the callbacks of what is ready; or
by a timeout. What a cancelled one has not received or accepted, the next one does. No watch, descriptor, thread or
task is left. The same for C programs is in reference/tests, test_sock_cancel.c and test_executor_cancel.c.
"""

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import gc
import io
import os
import socket
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import asy
import pytest

BIG = 1 << 20  # more than the system keeps for a socket
DATA = bytes(i % 251 for i in range(BIG))
ACTS_IN = 2  # the iteration before which the peer does what the operation waits for
MOST_ITERATIONS = 500
PATIENCE = 30  # seconds, for what is sure to happen


@dataclasses.dataclass
class Case:
    """One run of an operation, and what its peer does."""

    awaitable: Any
    act: Callable[[], Any] = int
    check: "Callable[[Any], Any]" = lambda result: None  # given the result, or None if it was cancelled
    sockets: "tuple[socket.socket, ...]" = ()
    each: Callable[[], Any] = int  # what the peer does in each iteration
    threads: bool = False
    acted: bool = False


Operation = Callable[[Any], "contextlib.AbstractContextManager[Case]"]


# ---- the sweep --------------------------------------------------------------------------------------


def step(loop: Any) -> None:
    """Run one iteration, which does not wait."""
    loop.call_soon(loop.stop)
    loop.run_forever()


def finish(loop: Any, awaitable: "Awaitable[Any]") -> Any:
    """Run another coroutine of the loop to its end."""
    return loop.run_until_complete(asyncio.wait_for(awaitable, PATIENCE))


def go_on(loop: Any, case: Case, iteration: int) -> None:
    """Run one iteration of the operation."""
    if iteration == ACTS_IN:
        case.acted = True
        case.act()
    case.each()
    if case.threads:
        time.sleep(0.001)  # so that the thread is ready after few iterations; nothing depends on it
    step(loop)


class Timed:
    """A coroutine within a timeout that has no end yet."""

    def __init__(self, awaitable: "Awaitable[Any]") -> None:
        self.awaitable = awaitable
        self.timeout = asyncio.Timeout(None)
        self.running = False

    async def run(self) -> Any:
        """Await it."""
        async with self.timeout:
            self.running = True
            try:
                return await self.awaitable
            finally:
                self.running = False

    def expire(self) -> None:
        """Let the time be over now, unless the coroutine has been quicker."""
        if self.running:
            self.timeout.reschedule(0)


def cancel(loop: Any, task: "asyncio.Task[Any]", way: str, timed: Timed) -> None:
    """Cancel the task before the next iteration, in it, or at its end."""
    if way == "between":
        task.cancel()
    elif way == "early":
        loop.call_soon(task.cancel)
    elif way == "late":
        loop.call_later(0, task.cancel)
    else:
        loop.call_soon(timed.expire)


def outcome(task: "asyncio.Future[Any]") -> Any:
    """Return the result, or None of a task that was cancelled or timed out."""
    try:
        return task.result()
    except (asyncio.CancelledError, TimeoutError):
        return None


def run_once(loop: Any, operation: Operation, way: str, iterations: int) -> bool:
    """One run: cancelled after so many iterations. Return whether it had ended before."""
    with operation(loop) as case:
        timed = Timed(case.awaitable)
        task = loop.create_task(timed.run() if way == "timeout" else case.awaitable)
        for iteration in range(iterations):
            if not task.done():
                go_on(loop, case, iteration)
        won: bool = task.done()
        if not won:
            cancel(loop, task, way, timed)
        for iteration in range(iterations, iterations + MOST_ITERATIONS):
            if not task.done():
                go_on(loop, case, iteration)
        assert task.done()
        result = outcome(task)
        assert not won or result is not None
        for sock in case.sockets:
            assert not loop.remove_reader(sock)
            assert not loop.remove_writer(sock)
        case.check(result)
        remains = weakref.ref(task)
        del task, timed, result, case.awaitable
        step(loop)
        if remains():
            gc.collect()
        assert remains() is None
    return won


def count_fds() -> int:
    """How many descriptors the process has."""
    return len(os.listdir("/proc/self/fd"))


def wait_until(condition: "Callable[[], bool]") -> None:
    """Wait for what threads do on their way out."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def sweep(factory: "Callable[[], Any]", operation: Operation, way: str) -> int:
    """Cancel in every iteration, and return how many there are."""
    for iterations in range(
        way == "timeout", MOST_ITERATIONS
    ):  # before the first it is not within its timeout
        fds, threads = count_fds(), threading.active_count()
        with contextlib.closing(factory()) as loop:
            won = run_once(loop, operation, way, iterations)
        wait_until(lambda threads=threads: threading.active_count() == threads)  # type: ignore[misc]
        assert count_fds() == fds
        if won:
            return iterations
    raise AssertionError("it has no end")


# ---- receiving ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def pair(kind: int = socket.SOCK_STREAM) -> "Iterator[tuple[socket.socket, socket.socket]]":
    """Two connected non-blocking sockets."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


@contextlib.contextmanager
def receiving(
    loop: Any,
    kind: int,
    begin: "Callable[[socket.socket, bytearray], Any]",
    text_of: "Callable[[Any], bytes]",
) -> "Iterator[Case]":
    """An operation that receives b"data"; who is cancelled leaves it to the next."""
    with pair(kind) as (ours, theirs):
        buffer = bytearray(10)

        def check(result: Any) -> None:
            if result is not None:
                assert (text_of(result) or bytes(buffer[:4])) == b"data"
            elif case.acted:
                assert bytes(buffer) == bytes(10)
                assert finish(loop, loop.sock_recv(ours, 10)) == b"data"

        case = Case(begin(ours, buffer), lambda: theirs.send(b"data"), check, (ours,))
        yield case


def sock_recv(loop: Any) -> Any:
    """sock_recv."""
    return receiving(loop, socket.SOCK_STREAM, lambda sock, _: loop.sock_recv(sock, 10), bytes)


def sock_recv_into(loop: Any) -> Any:
    """sock_recv_into."""
    return receiving(loop, socket.SOCK_STREAM, loop.sock_recv_into, lambda _: b"")


def sock_recvfrom(loop: Any) -> Any:
    """sock_recvfrom."""
    return receiving(
        loop, socket.SOCK_DGRAM, lambda sock, _: loop.sock_recvfrom(sock, 10), lambda pair: pair[0]
    )


def sock_recvfrom_into(loop: Any) -> Any:
    """sock_recvfrom_into."""
    return receiving(loop, socket.SOCK_DGRAM, loop.sock_recvfrom_into, lambda _: b"")


# ---- connections ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def listening() -> "Iterator[tuple[socket.socket, socket.socket]]":
    """A non-blocking socket that listens on the loopback address, and one that may connect."""
    with socket.socket() as sock, socket.socket() as client:
        sock.setblocking(False)
        client.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock, client


@contextlib.contextmanager
def sock_accept(loop: Any) -> "Iterator[Case]":
    """sock_accept: a connection that a cancelled one has not accepted waits for the next."""
    with listening() as (sock, client):

        def check(result: Any) -> None:
            if result is None and case.acted:
                result = finish(loop, loop.sock_accept(sock))
            if result is not None:
                assert result[1] == client.getsockname()
                result[0].close()

        def act() -> None:
            client.connect_ex(sock.getsockname())

        case = Case(loop.sock_accept(sock), act, check, (sock,))
        yield case


@contextlib.contextmanager
def sock_connect(loop: Any, host: str = "127.0.0.1") -> "Iterator[Case]":
    """sock_connect."""
    with listening() as (sock, client):

        async def connect() -> bool:
            await loop.sock_connect(client, (host, sock.getsockname()[1]))
            return client.getpeername() == sock.getsockname()

        yield Case(connect(), sockets=(client,))


@contextlib.contextmanager
def sock_connect_by_name(loop: Any) -> "Iterator[Case]":
    """sock_connect: a thread finds the address first."""
    with sock_connect(loop, "localhost") as case, own_executor(loop):
        case.threads = True
        yield case


# ---- sending -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def sending(
    loop: Any, begin: "Callable[[socket.socket], Awaitable[Any]]", position: "Callable[[], int] | None" = None
) -> "Iterator[Case]":
    """Send DATA to a peer that reads from time to time. What arrives is its beginning, and later nothing more."""
    received = bytearray()

    with pair() as (ours, theirs):

        def drain() -> None:
            with contextlib.suppress(BlockingIOError):
                while True:
                    received.extend(theirs.recv(1 << 16))

        async def send() -> bool:
            await begin(ours)
            return True

        def check(result: Any) -> None:
            drain()
            count = len(received)
            assert received == DATA[:count]
            for _ in range(3):
                step(loop)
            drain()
            assert len(received) == count
            if result:
                assert count == BIG
            if position:
                assert position() == count or (not result and position() == 0)

        yield Case(send(), check=check, sockets=(ours,), each=drain)


def sock_sendall(loop: Any) -> Any:
    """sock_sendall."""
    return sending(loop, lambda sock: loop.sock_sendall(sock, DATA))


@contextlib.contextmanager
def sock_sendfile(loop: Any) -> "Iterator[Case]":
    """sock_sendfile: the position of the file is behind what was sent; or, if that was cancelled, where it was."""
    with tempfile.TemporaryFile() as file:
        file.write(DATA)
        file.seek(0)
        with sending(loop, lambda sock: loop.sock_sendfile(sock, file, fallback=False), file.tell) as case:
            yield case


@contextlib.contextmanager
def sock_sendfile_fallback(loop: Any) -> "Iterator[Case]":
    """sock_sendfile of what is no file of the system: read in a thread, sent by sock_sendall."""
    file = io.BytesIO(DATA)
    with own_executor(loop), sending(loop, lambda sock: loop.sock_sendfile(sock, file)) as case:
        case.threads = True
        yield case


@contextlib.contextmanager
def sock_sendto(loop: Any) -> "Iterator[Case]":
    """sock_sendto: the peer has no room at first. Of a cancelled task nothing is sent."""
    with pair(socket.SOCK_DGRAM) as (ours, _), tempfile.TemporaryDirectory() as folder:
        address = os.path.join(folder, "socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
            peer.setblocking(False)
            peer.bind(address)
            ours.connect(address)  # a writer waits for the queue of the peer that it is connected with
            with contextlib.suppress(BlockingIOError):
                while True:
                    ours.sendto(b"full", address)

            def receive() -> "list[bytes]":
                datagrams = []
                with contextlib.suppress(BlockingIOError):
                    while True:
                        datagrams.append(peer.recv(10))
                return datagrams

            def check(result: Any) -> None:
                assert receive().count(b"data") == (result is not None)

            yield Case(loop.sock_sendto(ours, b"data", address), receive, check, (ours,))


# ---- threads ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def own_executor(loop: Any) -> "Iterator[concurrent.futures.ThreadPoolExecutor]":
    """A default executor of one thread, which is waited for."""
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        loop.set_default_executor(executor)
        yield executor


@contextlib.contextmanager
def busy(loop: Any) -> "Iterator[threading.Event]":
    """The thread of the default executor waits for an event, which is set at the end."""
    gate = threading.Event()
    with own_executor(loop) as executor:
        executor.submit(gate.wait)
        try:
            yield gate
        finally:
            gate.set()


@contextlib.contextmanager
def run_in_executor(loop: Any) -> "Iterator[Case]":
    """run_in_executor: a job runs once or not at all."""
    runs: list[int] = []

    async def work() -> bool:
        await loop.run_in_executor(None, runs.append, 1)
        return True

    def check(result: Any) -> None:
        assert len(runs) == 1 if result else len(runs) <= 1

    with busy(loop) as gate:
        yield Case(work(), gate.set, check, threads=True)


@contextlib.contextmanager
def shutdown_default_executor(loop: Any) -> "Iterator[Case]":
    """shutdown_default_executor: the jobs are done, whichever way it ends."""

    async def shut_down() -> bool:
        await loop.shutdown_default_executor()
        return True

    with busy(loop) as gate:
        if sys.version_info < (
            3,
            12,
        ):  # a cancelled one blocks until the threads have ended, as CPython's does
            gate.set()
        yield Case(shut_down(), gate.set, threads=True)


@contextlib.contextmanager
def getaddrinfo(loop: Any) -> "Iterator[Case]":
    """getaddrinfo."""
    with busy(loop) as gate:
        yield Case(loop.getaddrinfo("localhost", 80), gate.set, threads=True)


@contextlib.contextmanager
def getnameinfo(loop: Any) -> "Iterator[Case]":
    """getnameinfo."""
    flags = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    with busy(loop) as gate:
        yield Case(loop.getnameinfo(("127.0.0.1", 80), flags), gate.set, threads=True)


OPERATIONS: "tuple[Operation, ...]" = (
    sock_recv,
    sock_recv_into,
    sock_recvfrom,
    sock_recvfrom_into,
    sock_accept,
    sock_connect,
    sock_connect_by_name,
    sock_sendall,
    sock_sendfile,
    sock_sendfile_fallback,
    sock_sendto,
    run_in_executor,
    shutdown_default_executor,
    getaddrinfo,
    getnameinfo,
)


@pytest.fixture(autouse=True)
def only_new_objects() -> "Iterator[None]":
    """Let the garbage collector look at nothing else: it is called often."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize("way", ["between", "early", "late", "timeout"])
@pytest.mark.parametrize("factory", [asy.new_event_loop, asy.new_native_event_loop])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_cancelled_at_any_time_it_loses_nothing_and_leaves_nothing(
    operation: Operation, factory: "Callable[[], Any]", way: str
) -> None:
    assert sweep(factory, operation, way) >= 2
