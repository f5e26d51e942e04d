# SPDX-License-Identifier: MIT
"""sock_recv() and its siblings: what the scenarios of conformance/sockets do not ask."""

import array
import asyncio
import contextlib
import gc
import socket
import ssl
import threading
import warnings
import weakref
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import asy
import pytest

METHODS = (
    "sock_recv",
    "sock_recv_into",
    "sock_recvfrom",
    "sock_recvfrom_into",
    "sock_sendall",
    "sock_sendto",
    "sock_connect",
    "sock_accept",
)


@pytest.fixture
def pair() -> "Iterator[tuple[socket.socket, socket.socket]]":
    """Two connected non-blocking sockets."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


@pytest.fixture
def listener() -> "Iterator[socket.socket]":
    """A non-blocking socket that listens on the loopback address."""
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock


def arguments(method: str, sock: Any) -> "tuple[Any, ...]":
    """Return arguments for one of the methods."""
    rest: dict[str, tuple[Any, ...]] = {
        "sock_recv": (10,),
        "sock_recv_into": (bytearray(10),),
        "sock_recvfrom": (10,),
        "sock_recvfrom_into": (bytearray(10),),
        "sock_sendall": (b"data",),
        "sock_sendto": (b"data", ("127.0.0.1", 9)),
        "sock_connect": (("127.0.0.1", 9),),
    }
    return (sock, *rest.get(method, ()))


class Unready(socket.socket):
    """A socket that says "not now" to the first calls, by one exception and then the other."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.refusals: list[type[OSError]] = []

    def recv(self, *args: Any) -> bytes:
        """Receive, or refuse."""
        if self.refusals:
            raise self.refusals.pop()
        return super().recv(*args)

    def send(self, *args: Any) -> int:
        """Send one byte, or refuse."""
        if self.refusals:
            raise self.refusals.pop()
        return super().send(args[0][:1])


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_tls_sockets_are_refused(new_loop: "Callable[[], Any]", method: str) -> None:
    with contextlib.closing(new_loop()) as loop:
        ours, theirs = socket.socketpair()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls = context.wrap_socket(ours, do_handshake_on_connect=False, server_hostname="name")
        with tls, theirs, pytest.raises(TypeError, match="Socket cannot be of type SSLSocket"):
            loop.run_until_complete(getattr(loop, method)(*arguments(method, tls)))


@pytest.mark.parametrize("method", METHODS)
def test_debug_mode_refuses_sockets_with_a_timeout(new_loop: "Callable[[], Any]", method: str) -> None:
    with contextlib.closing(new_loop()) as loop, socket.socket() as sock:
        loop.set_debug(True)
        sock.settimeout(1)
        with pytest.raises(ValueError, match="the socket must be non-blocking"):
            loop.run_until_complete(getattr(loop, method)(*arguments(method, sock)))


@pytest.mark.parametrize("method", METHODS)
def test_closed_sockets_raise_oserror(new_loop: "Callable[[], Any]", method: str) -> None:
    with contextlib.closing(new_loop()) as loop:
        sock = socket.socket()
        sock.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            loop.run_until_complete(getattr(loop, method)(*arguments(method, sock)))


@pytest.mark.parametrize("call", ["()", "(1,)", "(1, 2, 3, 4, 5)", "(1, sock=1)", "(1, 2, other=3)"])
@pytest.mark.parametrize("method", [each for each in METHODS if each != "sock_connect"])
def test_wrong_arguments_are_refused_in_cpythons_words(method: str, call: str) -> None:
    said = []
    for factory in (asyncio.new_event_loop, asy.new_event_loop):
        with contextlib.closing(factory()) as loop:
            try:
                made = eval(f"loop.{method}{call}", {"loop": loop})
            except TypeError as error:
                said.append(str(error))
            else:
                made.close()
                said.append("nothing")
    assert said[0] == said[1]


def test_closed_loop_receives_what_is_there_and_cannot_wait(pair: Any) -> None:
    ours, theirs = pair
    loop = asy.new_event_loop()
    first, second = loop.sock_recv(ours, 10), loop.sock_recv(ours, 10)
    loop.close()
    theirs.send(b"data")
    with pytest.raises(StopIteration) as stop:
        first.send(None)
    assert stop.value.value == b"data"
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        second.send(None)


def test_loop_without_init_refuses_to_wait(pair: Any) -> None:
    loop = asy.EventLoop.__new__(asy.EventLoop)
    with pytest.raises(RuntimeError, match="closed"):
        loop.sock_recv(pair[0], 10).send(None)


def test_coroutine_that_is_never_awaited_is_warned_of(new_loop: "Callable[[], Any]", pair: Any) -> None:
    with contextlib.closing(new_loop()) as loop, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loop.sock_recv(pair[0], 10)
        gc.collect()
    texts = [str(each.message) for each in caught]
    assert texts == ["coroutine 'BaseSelectorEventLoop.sock_recv' was never awaited"]


# ---- waiting --------------------------------------------------------------------------------------


def test_socket_that_is_not_ready_after_all_is_tried_again(loop: Any) -> None:
    with Unready() as ours, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        ours.connect(listener.getsockname())
        ours.setblocking(False)
        theirs, _ = listener.accept()
        with theirs:
            theirs.send(b"data")
            ours.refusals = [BlockingIOError, InterruptedError, BlockingIOError]
            assert loop.run_until_complete(loop.sock_recv(ours, 10)) == b"data"
            ours.refusals = [InterruptedError, BlockingIOError]
            assert loop.run_until_complete(loop.sock_sendall(ours, bytearray(b"in pieces"))) is None
            assert theirs.recv(100) == b"in pieces"


def test_sendall_counts_bytes_and_not_items(loop: Any, pair: Any) -> None:
    ours, theirs = pair
    loop.run_until_complete(loop.sock_sendall(ours, array.array("i", [1, 2, 3])))
    assert theirs.recv(100) == array.array("i", [1, 2, 3]).tobytes()


def test_interrupt_of_a_piece_leaves_the_loop(loop: Any, pair: Any) -> None:
    class Interrupted(socket.socket):
        calls = 0

        def send(self, *args: Any) -> int:
            self.calls += 1
            if self.calls == 1:
                raise BlockingIOError
            raise KeyboardInterrupt

    with Interrupted(fileno=pair[0].detach()) as sock:
        sock.setblocking(False)
        task = loop.create_task(loop.sock_sendall(sock, b"data"))
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(task)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
        assert not loop.remove_writer(sock)


def test_error_of_a_piece_ends_the_wait(loop: Any, pair: Any) -> None:
    class Failing(socket.socket):
        calls = 0

        def send(self, *args: Any) -> int:
            self.calls += 1
            if self.calls == 1:
                raise BlockingIOError
            raise LookupError("of the socket")

    with Failing(fileno=pair[0].detach()) as sock:
        sock.setblocking(False)
        with pytest.raises(LookupError, match="of the socket"):
            loop.run_until_complete(loop.sock_sendall(sock, b"data"))
        assert not loop.remove_writer(sock)


def test_reader_that_took_the_watch_over_keeps_it(loop: Any, pair: Any) -> None:
    ours, _ = pair

    async def main() -> bool:
        task = loop.create_task(loop.sock_recv(ours, 10))
        await asyncio.sleep(0)
        loop.add_reader(ours, print)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return bool(loop.remove_reader(ours))

    assert loop.run_until_complete(main())


@pytest.mark.parametrize("iterations", range(5))
def test_cancelling_at_any_time_loses_no_data(pair: Any, iterations: int) -> None:
    ours, theirs = pair

    async def main(loop: Any) -> bytes:
        task = loop.create_task(loop.sock_recv(ours, 10))
        loop.call_soon(theirs.send, b"data")
        for _ in range(iterations):
            await asyncio.sleep(0)
        task.cancel()
        try:
            return bytes(await task)
        except asyncio.CancelledError:
            assert not loop.remove_reader(ours)
            return bytes(await loop.sock_recv(ours, 10))

    for factory in (asy.new_event_loop, asy.new_native_event_loop):
        with contextlib.closing(factory()) as loop:
            assert loop.run_until_complete(main(loop)) == b"data"


@pytest.mark.parametrize("iterations", range(5))
def test_cancelling_at_any_time_loses_no_connection(listener: Any, iterations: int) -> None:
    async def main(loop: Any) -> bool:
        task = loop.create_task(loop.sock_accept(listener))
        with socket.socket() as client:
            loop.call_soon(client.connect, listener.getsockname())
            for _ in range(iterations):
                await asyncio.sleep(0)
            task.cancel()
            try:
                conn, address = await task
            except asyncio.CancelledError:
                assert not loop.remove_reader(listener)
                conn, address = await loop.sock_accept(listener)
            with conn:
                return bool(address == client.getsockname())

    with contextlib.closing(asy.new_event_loop()) as loop:
        assert loop.run_until_complete(main(loop))


def test_closing_a_waiting_coroutine_ends_its_watch(loop: Any, pair: Any) -> None:
    coroutine = loop.sock_recv(pair[0], 10)
    coroutine.send(None)
    coroutine.close()
    assert not loop.remove_reader(pair[0])


def test_blocking_socket_lets_other_threads_run(loop: Any, pair: Any) -> None:
    ours, theirs = pair
    ours.setblocking(True)
    thread = threading.Thread(target=theirs.send, args=(b"from a thread",))
    coroutine = loop.sock_recv(ours, 100)
    thread.start()
    assert loop.run_until_complete(coroutine) == b"from a thread"
    thread.join()


# ---- resolving ------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", b"127.0.0.1"])
@pytest.mark.parametrize("as_port", [int, str])
def test_numbers_need_no_resolving(listener: Any, host: Any, as_port: Any) -> None:
    with contextlib.closing(asy.new_event_loop()) as loop, socket.socket() as sock:
        sock.setblocking(False)
        port = as_port(listener.getsockname()[1])
        loop.run_until_complete(loop.sock_connect(sock, (host, port)))
        assert sock.getpeername() == listener.getsockname()


@pytest.mark.parametrize("address", [("localhost", 9), ("127.0.0.1", "discard"), ("::1%lo", 9), (None, 9)])
def test_names_are_given_to_getaddrinfo(address: Any) -> None:
    asked = []

    class Loop(asy.EventLoop):
        async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
            asked.append((host, port, options))
            raise socket.gaierror("nobody knows")

    with contextlib.closing(Loop()) as loop, socket.socket() as sock:  # type: ignore[abstract]
        sock.setblocking(False)
        with pytest.raises(socket.gaierror):
            loop.run_until_complete(loop.sock_connect(sock, address))
    options = {"family": socket.AF_INET, "type": socket.SOCK_STREAM, "proto": 0, "flags": 0}
    assert asked == [(*address, options)]


# ---- nothing is left --------------------------------------------------------------------------------


def test_what_a_call_holds_goes_with_it(loop: Any, pair: Any) -> None:
    class Socket(socket.socket):
        pass

    def make() -> "tuple[weakref.ref[Any], Coroutine[Any, Any, Any]]":
        sock = Socket(fileno=pair[0].detach())
        sock.setblocking(False)
        return weakref.ref(sock), loop.sock_recv(sock, 10)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        reference, coroutine = make()
        task = loop.create_task(coroutine)
        del coroutine
        loop.run_until_complete(asyncio.sleep(0))
        assert reference() is not None
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        del task
        gc.collect()
        assert reference() is None


def test_buffer_is_free_after_a_cancelled_sendall(loop: Any, pair: Any) -> None:
    data = bytearray(10_000_000)

    async def main() -> None:
        task = loop.create_task(loop.sock_sendall(pair[0], data))
        await asyncio.sleep(0)
        with pytest.raises(BufferError):
            data.append(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    loop.run_until_complete(main())
    gc.collect()
    data.append(0)


def test_closing_the_loop_ends_coroutines_that_wait(pair: Any) -> None:
    loop = asy.new_event_loop()
    task = loop.create_task(loop.sock_recv(pair[0], 10))
    loop.run_until_complete(asyncio.sleep(0))
    reference = weakref.ref(task)
    task._log_destroy_pending = False
    loop.close()
    del task
    gc.collect()
    assert reference() is None
