# SPDX-License-Identifier: MIT
"""What asyncio does with sockets on this interpreter, asy does, too: their answers are compared."""

import asyncio
import contextlib
import errno
import gc
import inspect
import os
import socket
import ssl
import sys
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

import asy
import pytest

COROUTINE_FUNCTIONS = (
    "sock_recv",
    "sock_recv_into",
    "sock_recvfrom",
    "sock_recvfrom_into",
    "sock_sendall",
    "sock_sendto",
    "sock_connect",
    "sock_accept",
    "sock_sendfile",
    "getaddrinfo",
    "getnameinfo",
    "shutdown_asyncgens",
    "shutdown_default_executor",
)
WITH_ARGUMENTS = (*COROUTINE_FUNCTIONS[:11], "run_in_executor", "set_default_executor")

Body = Callable[[Any], Any]


def answer(factory: "Callable[[], Any]", body: Body) -> Any:
    """Return what the body says on a new loop, or the class and text of what it raises."""
    with contextlib.closing(factory()) as loop:
        try:
            return loop.run_until_complete(asyncio.wait_for(body(loop), 5))
        except (Exception, asyncio.CancelledError) as error:
            return type(error), str(error)


def same(body: Body) -> Any:
    """Require the same answer of both of asy's loops as of asyncio's, and return it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        expected = answer(asyncio.SelectorEventLoop, body)
        assert answer(asy.new_event_loop, body) == expected
        assert answer(asy.new_native_event_loop, body) == expected
        return expected


def full_pair() -> "tuple[socket.socket, socket.socket]":
    """Return two connected sockets, of which the first cannot send now."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    for size in (65536, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                ours.send(bytes(size))
    return ours, theirs


# ---- what they are ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COROUTINE_FUNCTIONS)
def test_coroutine_functions_are_known_as_such(name: str) -> None:
    async def body(loop: Any) -> Any:
        method = getattr(loop, name)
        return inspect.iscoroutinefunction(method), list(inspect.signature(method).parameters)

    assert same(body)[0]


@pytest.mark.parametrize("name", COROUTINE_FUNCTIONS)
def test_methods_have_the_names_of_the_classes_that_define_them(name: str) -> None:
    async def body(loop: Any) -> Any:
        return getattr(loop, name).__qualname__

    expected = same(body)
    assert expected.endswith(name)


@pytest.mark.parametrize("call", ["()", "(1,)", "(1, 2, 3, 4, 5, 6, 7)", "(1, 2, other=3)"])
@pytest.mark.parametrize("name", WITH_ARGUMENTS)
def test_wrong_arguments_are_refused_in_the_same_words(name: str, call: str) -> None:
    if call == "(1,)" and name in {"sock_accept", "getnameinfo", "set_default_executor"}:
        pytest.skip("these are its arguments")

    async def body(loop: Any) -> Any:
        with contextlib.closing(socket.socket()):
            return await eval(f"method{call}", {"method": getattr(loop, name)})

    if name == "run_in_executor" and call.startswith("(1, 2, 3"):
        pytest.skip("it takes any number")
    assert same(body)[0] is TypeError


def test_debug_mode_refuses_them_as_callbacks() -> None:
    async def body(loop: Any) -> Any:
        loop.set_debug(True)
        return loop.call_soon(loop.sock_recv, None, 1)

    assert same(body) == (TypeError, "coroutines cannot be used with call_soon()")


def test_executors_refuse_them_in_debug_mode() -> None:
    async def body(loop: Any) -> Any:
        loop.set_debug(True)
        return await loop.run_in_executor(None, loop.sock_recv, None, 1)

    assert same(body) == (TypeError, "coroutines cannot be used with run_in_executor()")


@pytest.mark.parametrize("name", COROUTINE_FUNCTIONS[:8])
def test_what_is_no_socket_fails_in_the_same_place(name: str) -> None:
    async def body(loop: Any) -> Any:
        arguments = {"sock_accept": 0, "sock_sendto": 2}.get(name, 1)
        return await getattr(loop, name)(None, *[b"a"] * arguments)

    assert same(body)[0] is AttributeError


@pytest.mark.parametrize("fileno", ["x", None, 1.5, -1])
def test_descriptors_that_are_none_are_refused(fileno: Any) -> None:
    class Odd(socket.socket):
        def recv(self, *args: Any) -> bytes:
            raise BlockingIOError

        def fileno(self) -> Any:
            return fileno

    async def body(loop: Any) -> Any:
        with Odd() as sock:
            sock.setblocking(False)
            return await loop.sock_recv(sock, 1)

    assert same(body)[0] is ValueError


def test_address_of_too_many_parts_is_refused_in_the_same_words() -> None:
    async def body(loop: Any) -> Any:
        with socket.socket() as sock:
            sock.setblocking(False)
            return await loop.sock_connect(sock, ("127.0.0.1", 1, 2, 3, 4))

    assert "_ipaddr_info()" in same(body)[1]


@pytest.mark.parametrize("sent", [-1, -2, 3])
def test_counts_that_no_socket_returns_are_added_all_the_same(sent: int) -> None:
    class Odd(socket.socket):
        answers: "list[int]"

        def send(self, data: Any, *args: Any) -> int:
            return self.answers.pop(0) if self.answers else len(data)

    async def body(loop: Any) -> Any:
        ours, theirs = socket.socketpair()
        with theirs, Odd(fileno=ours.detach()) as sock:
            sock.setblocking(False)
            sock.answers = [sent]
            task = loop.create_task(loop.sock_sendall(sock, b"abc"))
            for _ in range(5):
                await asyncio.sleep(0)
            done = task.done()
            task.cancel()
            await asyncio.wait([task])
            return done

    assert same(body) is True


# ---- what an ended one holds -----------------------------------------------------------------------------


def test_buffer_is_free_after_a_cancellation_while_the_task_lives() -> None:
    async def body(loop: Any) -> Any:
        ours, theirs = full_pair()
        data = bytearray(100)
        with ours, theirs:
            task = loop.create_task(loop.sock_sendall(ours, data))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            data.append(0)
            return task.cancelled()

    assert same(body) is True


def test_buffer_is_free_after_a_timeout_while_the_error_lives() -> None:
    async def body(loop: Any) -> Any:
        ours, theirs = full_pair()
        data = bytearray(100)
        with ours, theirs:
            try:
                await asyncio.wait_for(loop.sock_sendall(ours, data), 0.01)
            except TimeoutError:
                data.append(0)
            return len(data)

    assert same(body) == 101


def test_socket_goes_while_the_finished_task_lives() -> None:
    async def body(loop: Any) -> Any:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            theirs.send(b"x")
            task = loop.create_task(loop.sock_recv(ours, 1))
            await task
            del ours
            gc.collect()
            theirs.settimeout(5)
            return theirs.recv(1), task.done()

    assert same(body) == (b"", True)


def test_closing_one_in_the_middle_of_its_call_is_survived() -> None:
    class Closing(socket.socket):
        coroutine: Any = None

        def send(self, data: Any, *args: Any) -> int:
            if self.coroutine is None:
                raise BlockingIOError
            self.coroutine.close()
            return len(data)

    for factory in (asy.new_event_loop, asy.new_native_event_loop):
        with contextlib.closing(factory()) as loop:
            ours, theirs = socket.socketpair()
            with theirs, Closing(fileno=ours.detach()) as sock:
                sock.setblocking(False)
                coroutine = loop._sock_sendall(sock, b"abc")
                coroutine.send(None)
                sock.coroutine = coroutine
                loop.run_until_complete(asyncio.sleep(0.01))
                assert coroutine.cr_running is False
                sock.coroutine = None


# ---- files -------------------------------------------------------------------------------------------------


def test_position_after_a_cancellation() -> None:
    async def body(loop: Any, fill: bool) -> Any:
        ours, theirs = full_pair() if fill else socket.socketpair()
        ours.setblocking(False)
        with ours, theirs, tempfile.TemporaryFile() as file:
            file.write(bytes(4_000_000))
            file.flush()
            os.lseek(file.fileno(), 7, os.SEEK_SET)
            task = loop.create_task(loop.sock_sendfile(ours, file, 100))
            for _ in range(3):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            return os.lseek(file.fileno(), 0, os.SEEK_CUR)

    assert same(lambda loop: body(loop, fill=True)) == 7
    assert same(lambda loop: body(loop, fill=False)) == 7


class Numbered:
    """A file of which only the descriptor is known."""

    def __init__(self, number: Any) -> None:
        self.number = number

    def fileno(self) -> int:
        """Return it, or raise it."""
        if isinstance(self.number, BaseException):
            raise self.number
        number: int = self.number
        return number


@pytest.mark.parametrize("fallback", [False, True])
@pytest.mark.parametrize("count", [None, 3])
@pytest.mark.parametrize("kind", ["closed", "raising", "pipe"])
def test_files_that_cannot_be_sent(kind: str, count: "int | None", fallback: bool) -> None:
    async def body(loop: Any) -> Any:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        reading, writing = os.pipe()
        os.write(writing, b"abc")
        os.close(writing)
        number: Any = {"closed": 1_000_000, "raising": OSError(5, "text"), "pipe": reading}[kind]
        try:
            with ours, theirs:
                return await loop.sock_sendfile(ours, Numbered(number), 0, count, fallback=fallback)
        finally:
            os.close(reading)

    same(body)


def test_sendfile_looks_at_blocking_first() -> None:
    async def body(loop: Any) -> Any:
        loop.set_debug(True)
        ours, theirs = socket.socketpair()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls = context.wrap_socket(ours, do_handshake_on_connect=False, server_hostname="name")
        with tls, theirs, tempfile.TemporaryFile() as file:
            return await loop.sock_sendfile(tls, file)

    assert same(body)[0] is ValueError


# ---- better than asyncio ---------------------------------------------------------------------------------------


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere such a connection is refused")
def test_full_queue_of_a_unix_listener_is_no_connection() -> None:
    async def main(loop: Any) -> "int | None":
        with contextlib.ExitStack() as stack:
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind("")
            listener.listen(0)
            for _ in range(3):
                sock = stack.enter_context(socket.socket(socket.AF_UNIX))
                sock.setblocking(False)
                try:
                    await loop.sock_connect(sock, listener.getsockname())
                except BlockingIOError as error:
                    return error.errno
        return None

    for factory in (asy.new_event_loop, asy.new_native_event_loop):
        with contextlib.closing(factory()) as loop:
            assert loop.run_until_complete(main(loop)) == errno.EAGAIN
