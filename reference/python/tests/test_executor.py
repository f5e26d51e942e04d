# SPDX-License-Identifier: MIT
"""Executors of Python's loops: what is no scenario, because it is about asy, or about what is left behind."""

import asyncio
import concurrent.futures
import gc
import logging
import socket
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Fails a test that leaves a thread running that was not there before."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture(params=["asyncio", "asy", "native"])
def any_loop(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A loop of asyncio, and of either kind of asy: what holds for the first has to hold for the others."""
    import asy

    factories: dict[str, Callable[[], Any]] = {
        "asyncio": asyncio.new_event_loop,
        "asy": asy.new_event_loop,
        "native": asy.new_native_event_loop,
    }
    loop = factories[request.param]()
    yield loop
    loop.close()


def test_future_of_a_job_is_of_the_loops_own_kind(any_loop: Any) -> None:
    job = any_loop.run_in_executor(None, str)
    future = any_loop.create_future()
    assert type(job) is type(future)
    assert job.get_loop() is any_loop
    assert any_loop.run_until_complete(job) == ""


def test_default_executor_names_its_threads_asyncio(any_loop: Any) -> None:
    thread = any_loop.run_until_complete(any_loop.run_in_executor(None, threading.current_thread))
    assert thread.name.startswith("asyncio_0")


def test_keyboard_interrupt_of_a_job_is_raised_where_it_is_awaited(any_loop: Any) -> None:
    def job() -> None:
        raise KeyboardInterrupt

    async def main() -> str:
        try:
            await any_loop.run_in_executor(None, job)
        except KeyboardInterrupt:
            return "caught"
        return "not raised"

    assert any_loop.run_until_complete(main()) == "caught"


def test_job_that_ends_after_close_is_dropped(any_loop: Any, caplog: pytest.LogCaptureFixture) -> None:
    release, threads = threading.Event(), []

    def job() -> None:
        threads.append(threading.current_thread())
        release.wait(10)

    future = any_loop.run_in_executor(None, job)
    any_loop.close()
    release.set()
    threads[0].join(10)
    assert not future.done()
    assert caplog.records == []


def test_close_lets_the_threads_of_the_default_executor_end(any_loop: Any) -> None:
    thread = any_loop.run_until_complete(any_loop.run_in_executor(None, threading.current_thread))
    any_loop.close()
    thread.join(10)
    assert not thread.is_alive()


def test_second_close_does_not_touch_an_executor_that_was_set_after_the_first(any_loop: Any) -> None:
    any_loop.close()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        any_loop.set_default_executor(pool)
        any_loop.close()
        assert pool.submit(str).result(10) == ""


def test_running_loop_that_refuses_close_keeps_its_executor(any_loop: Any) -> None:
    async def main() -> str:
        await any_loop.run_in_executor(None, str)
        with pytest.raises(RuntimeError, match="Cannot close a running event loop"):
            any_loop.close()
        result: str = await any_loop.run_in_executor(None, str, "still there")
        return result

    assert any_loop.run_until_complete(main()) == "still there"


def test_closed_loop_goes_away_with_what_it_refers_to(any_loop: Any) -> None:
    import asy

    loop = asy.new_event_loop()
    loop.run_until_complete(loop.run_in_executor(None, str))
    loop.close()
    gone = weakref.ref(loop)
    del loop
    gc.collect()
    assert gone() is None


def test_to_thread_runs_in_the_default_executor(any_loop: Any) -> None:
    thread = any_loop.run_until_complete(asyncio.to_thread(threading.current_thread))
    assert thread is not threading.current_thread()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the timeout is new in 3.12")
@pytest.mark.parametrize("timeout", [0, -1])
def test_shutdown_without_time_warns_in_the_words_of_asyncio(loop: Any, timeout: float) -> None:
    release = threading.Event()
    job = loop.run_in_executor(None, release.wait, 10)
    text = f"The executor did not finishing joining its threads within {timeout} seconds."
    with pytest.warns(RuntimeWarning) as caught:
        loop.run_until_complete(loop.shutdown_default_executor(timeout))
    assert [str(warning.message) for warning in caught] == [text]
    release.set()
    assert loop.run_until_complete(job) is True


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the timeout is new in 3.12")
def test_shutdown_has_no_timeout_before_3_12(any_loop: Any) -> None:
    with pytest.raises(TypeError):
        any_loop.shutdown_default_executor(timeout=1)


def test_error_of_an_executors_shutdown_is_raised_by_the_loops(any_loop: Any) -> None:
    class Failing(concurrent.futures.ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait, cancel_futures=cancel_futures)
            if wait:
                raise LookupError("on purpose")

    any_loop.set_default_executor(Failing(1))
    with pytest.raises(LookupError, match="on purpose"):
        any_loop.run_until_complete(any_loop.shutdown_default_executor())


def test_cancelled_shutdown_leaves_no_thread(any_loop: Any) -> None:
    release = threading.Event()

    async def main() -> None:
        job = any_loop.run_in_executor(None, release.wait, 10)
        shutdown = any_loop.create_task(any_loop.shutdown_default_executor())
        await asyncio.sleep(0)
        release.set()
        shutdown.cancel()
        with pytest.raises(asyncio.CancelledError):
            await shutdown
        assert await job is True

    any_loop.run_until_complete(main())


def test_loop_without_init_refuses_jobs() -> None:
    import asy

    loop: Any = asy.EventLoop.__new__(asy.EventLoop)
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop.run_in_executor(None, str)
    loop.close()


def test_debug_mode_logs_the_options_of_a_resolution(any_loop: Any, caplog: pytest.LogCaptureFixture) -> None:
    any_loop.set_debug(True)
    any_loop.slow_callback_duration = 3600
    with caplog.at_level(logging.DEBUG, logger="asyncio"):
        any_loop.run_until_complete(
            any_loop.getaddrinfo("127.0.0.1", "80", family=2, type=1, proto=6, flags=socket.AI_NUMERICHOST)
        )
    texts = [text for text in caplog.messages if "ddress info" in text]
    question = "127.0.0.1:'80', family=2, type=1, proto=6, flags="
    assert texts[0].startswith(f"Get address info {question}")
    assert texts[1].startswith(f"Getting address info {question}")
    assert texts[1].endswith("('127.0.0.1', 80))]")


def test_no_method_of_executors_is_asyncios_own(loop: Any) -> None:
    for name in (
        "run_in_executor",
        "set_default_executor",
        "shutdown_default_executor",
        "getaddrinfo",
        "getnameinfo",
    ):
        assert getattr(type(loop), name).__module__ == "asy._executors"
