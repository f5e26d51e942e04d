# SPDX-License-Identifier: MIT
"""getaddrinfo(): answers without a thread are those of socket.getaddrinfo(), and nothing documented tells them."""

import asyncio
import concurrent.futures
import itertools
import logging
import os
import re
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

HOSTS = [
    *("127.0.0.1", "0.0.0.0", "255.255.255.255", "8.8.8.8", b"10.0.0.1"),
    *("::1", "::", "2001:db8::1", "fe80::1", "::ffff:1.2.3.4", "2001:DB8:0:0::1", b"::2"),
    *("127.1", "1", "0x7f.1", "010.0.0.1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "127.0.0.1 ", " 127.0.0.1"),
    *("fe80::1%lo", "::1%1", ":::1", "[::1]", "12::g", "127.0.0.1\0", "", b"", "١٢٧.0.0.1"),
]
PORTS = [
    None,
    0,
    80,
    65535,
    "80",
    "080",
    b"443",
    "0",
    True,
    -1,
    65536,
    99999,
    2**70,
    "65536",
    "99999",
    "123456",
]
PORTS += ["", " 80", "80 ", "+80", "-1", "no service", b"", "8\0", 80.0, "٨٠"]
FAMILIES = [0, socket.AF_INET, socket.AF_INET6, 2, socket.AF_UNIX, 12345, -1]
KINDS = [0, socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, 1, socket.SOCK_SEQPACKET, 12345, -1]
PROTOS = [0, socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMP, 132, 262, -1, 70000]

LOCALHOST = ("127.0.0.1", 80)


class OtherText(str):
    """A class derived from str."""


def questions() -> "Iterator[tuple[Any, ...]]":
    """Yield arguments of getaddrinfo(): all pairs of host and port, and of the others for some of these."""
    yield from ((host, port, 0, 0, 0) for host, port in itertools.product(HOSTS, PORTS))
    for host, port in [*itertools.product(["127.0.0.1", "::1", b"::1"], [None, 80, "80"]), ("127.1", 80)]:
        yield from ((host, port, *rest) for rest in itertools.product(FAMILIES, KINDS, PROTOS))
    yield from ((OtherText("127.0.0.1"), 80, 0, 0, 0), ("127.0.0.1", OtherText("80"), 0, 0, 0))
    yield from (
        (None, 80, 0, 0, 0),
        (None, None, 0, 0, 0),
        (1, 80, 0, 0, 0),
        (bytearray(b"::1"), 80, 0, 0, 0),
    )


def outcome(question: "tuple[Any, ...]") -> Any:
    """Return what socket.getaddrinfo() answers, or the exception it raises."""
    try:
        return socket.getaddrinfo(*question)
    except (OSError, TypeError, ValueError, OverflowError) as error:
        return error


def is_safe(question: "tuple[Any, ...]") -> bool:
    """Return whether socket.getaddrinfo() needs no name server: the host consists of digits, more or less."""
    host = question[0]
    text = host.decode() if isinstance(host, (bytes, bytearray)) else str(host)
    return all(char in "0123456789abcdefxDB.:% \0" for char in text.replace("lo", ""))


@pytest.fixture
def loop() -> "Iterator[Any]":
    """A loop that is not in debug mode, whatever the environment says."""
    import asy

    loop = asy.new_event_loop()
    loop.set_debug(False)
    yield loop
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def run_without_threads(coroutine: Any) -> Any:
    """Run a coroutine that has to end without a thread, and before it waits for anything."""
    before = threading.active_count()
    with pytest.raises(StopIteration) as stopped:
        coroutine.send(None)
    assert threading.active_count() == before
    return stopped.value.value


def has_to_wait(loop: Any, coroutine: Any) -> bool:
    """Return whether a coroutine waits for a thread; it is run to its end."""
    jobs = []
    original = loop.run_in_executor

    def run_in_executor(*args: Any) -> Any:
        jobs.append(args)
        return original(*args)

    loop.run_in_executor = run_in_executor
    try:
        loop.run_until_complete(coroutine)
    finally:
        del loop.run_in_executor
    return bool(jobs)


# ---- the answers ------------------------------------------------------------------------


def test_every_answer_without_a_thread_is_that_of_the_socket_module(loop: Any) -> None:
    answered = 0
    for question in filter(is_safe, questions()):
        try:
            answer = loop._literal_addresses(*question, 0)
        except BaseException as error:
            raise AssertionError(f"{question} raised") from error
        if answer is None:
            continue
        expected = outcome(question)
        assert answer == expected, question
        assert repr(answer) == repr(expected), question  # the names of the enumerations, too
        answered += 1
    assert answered > 300


@pytest.mark.parametrize(
    "question",
    [("no address", 80), ("127.1", "no service"), ("127.0.0.1", "no service"), ("127.0.0.1", 80.0), (1, 80)],
    ids=str,
)
def test_every_error_is_that_of_the_socket_module(loop: Any, question: Any) -> None:
    expected = outcome((*question, 0, 0, 0, socket.AI_NUMERICHOST))
    with pytest.raises(type(expected)) as raised:
        loop.run_until_complete(loop.getaddrinfo(*question, flags=socket.AI_NUMERICHOST))
    assert raised.value.args == expected.args


@pytest.mark.parametrize("family", [socket.AF_INET, 0])
@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM, 0])
def test_usual_questions_need_no_thread(loop: Any, family: int, kind: int) -> None:
    for port in (80, "80", b"80", None):
        answer = run_without_threads(loop.getaddrinfo("127.0.0.1", port, family=family, type=kind))
        assert answer == socket.getaddrinfo("127.0.0.1", port, family=family, type=kind)


def test_ipv6_has_flow_and_scope(loop: Any) -> None:
    answer = run_without_threads(loop.getaddrinfo("2001:db8::1", 443, type=socket.SOCK_STREAM))
    assert answer[0][4] == ("2001:db8::1", 443, 0, 0)


@pytest.mark.parametrize(
    "question", [("localhost", 80), ("127.1", 80), (None, 80), ("127.0.0.1", ""), (OtherText("::1"), 80)]
)
def test_what_is_no_number_beyond_doubt_waits_for_a_thread(loop: Any, question: Any) -> None:
    assert has_to_wait(loop, loop.getaddrinfo(*question))


# ---- who could tell ------------------------------------------------------------------------


def test_flags_are_for_the_socket_module(loop: Any) -> None:
    assert has_to_wait(loop, loop.getaddrinfo(*LOCALHOST, flags=socket.AI_NUMERICHOST))


@pytest.mark.parametrize("flags", [None, "", 0.0])
def test_flags_that_are_no_number_are_refused(loop: Any, flags: Any) -> None:
    with pytest.raises(TypeError) as expected:
        socket.getaddrinfo(*LOCALHOST, 0, 0, 0, flags)
    with pytest.raises(TypeError, match=f"^{re.escape(str(expected.value))}$"):
        loop.run_until_complete(loop.getaddrinfo(*LOCALHOST, flags=flags))


def test_executor_of_the_program_gets_the_job(loop: Any) -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        loop.set_default_executor(pool)
        assert has_to_wait(loop, loop.getaddrinfo(*LOCALHOST))


def test_debug_mode_logs_the_question(loop: Any, caplog: pytest.LogCaptureFixture) -> None:
    loop.set_debug(True)
    with caplog.at_level(logging.DEBUG, logger="asyncio"):
        loop.run_until_complete(loop.getaddrinfo(*LOCALHOST))
    assert "Get address info 127.0.0.1:80" in caplog.messages


def test_busy_default_executor_delays_the_answer(loop: Any) -> None:
    release = threading.Event()
    most = min(32, (os.cpu_count() or 1) + 4)

    async def main() -> None:
        jobs = [loop.run_in_executor(None, release.wait, 10) for _ in range(most)]
        answer = loop.create_task(loop.getaddrinfo(*LOCALHOST))
        await asyncio.sleep(0.05)
        assert not answer.done()
        release.set()
        assert await answer == socket.getaddrinfo(*LOCALHOST)
        await asyncio.gather(*jobs)

    loop.run_until_complete(main())
    run_without_threads(loop.getaddrinfo(*LOCALHOST))


def test_jobs_are_counted_until_they_are_over_however_they_end(loop: Any) -> None:
    release = threading.Event()

    async def main() -> None:
        jobs = [loop.run_in_executor(None, release.wait, 10) for _ in range(50)]
        jobs += [loop.run_in_executor(None, int, "no number") for _ in range(50)]
        for job in jobs[10:50]:
            job.cancel()
        release.set()
        await asyncio.gather(*jobs, return_exceptions=True)

    for _ in range(3):
        loop.run_until_complete(main())
    run_without_threads(loop.getaddrinfo(*LOCALHOST))


def test_jobs_of_other_executors_do_not_count(loop: Any) -> None:
    release = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        jobs = [loop.run_in_executor(pool, release.wait, 10) for _ in range(50)]
        run_without_threads(loop.getaddrinfo(*LOCALHOST))
        release.set()
        loop.run_until_complete(asyncio.gather(*jobs))


def test_executor_that_is_shut_down_answers_no_more(loop: Any) -> None:
    loop.run_until_complete(loop.shutdown_default_executor())
    with pytest.raises(RuntimeError, match="Executor shutdown has been called"):
        loop.run_until_complete(loop.getaddrinfo(*LOCALHOST))


def test_closed_loop_answers_no_more() -> None:
    import asy

    loop: Any = asy.new_event_loop()
    loop.close()
    question = loop.getaddrinfo(*LOCALHOST)
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        question.send(None)


def test_replaced_function_of_the_socket_module_is_called(loop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *question: question)
    assert loop.run_until_complete(loop.getaddrinfo(*LOCALHOST)) == (*LOCALHOST, 0, 0, 0, 0)


class Refused(Exception):
    """What an audit hook raises."""


audited: list[Any] = []
refusing = False


def audit(event: str, args: Any) -> None:
    """Keep the questions that are asked in this module's thread; an audit hook is never taken away again."""
    if event == "socket.getaddrinfo" and args[0] == "192.0.2.77":
        audited.append(args)
        if refusing:
            raise Refused


def test_audit_hooks_hear_of_the_question(loop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sys.addaudithook(audit)
    socket.getaddrinfo("192.0.2.77", "80", socket.AF_INET, socket.SOCK_STREAM)
    run_without_threads(loop.getaddrinfo("192.0.2.77", "80", family=socket.AF_INET, type=socket.SOCK_STREAM))
    assert len(audited) == 2
    assert repr(audited[0]) == repr(audited[1])
    monkeypatch.setattr(sys.modules[__name__], "refusing", True)
    with pytest.raises(Refused):
        loop.run_until_complete(loop.getaddrinfo("192.0.2.77", 80))


def test_nothing_is_asked_before_the_await(loop: Any) -> None:
    question = loop.getaddrinfo(*LOCALHOST)
    assert asyncio.iscoroutine(question)
    question.close()
