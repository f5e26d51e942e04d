# SPDX-License-Identifier: MIT
"""Work in threads and processes: run_in_executor(), the default executor, and name resolution, which runs in it.

An executor is one of ``concurrent.futures``.  Its future is connected with one of the loop's own kind: a result
goes from the thread to the loop by ``call_soon_threadsafe``; a cancellation goes the other way, where it reaches
only a job that has not begun.  That is C (``loop_executors.c``), but for executors with futures of their own.

The default executor is a ThreadPoolExecutor, made when it is first needed.  ``shutdown_default_executor`` shuts it
down and waits for its threads, and ``close`` does not wait; after either, no other one is made, and none is used.
Either may be called again: what has ended is waited for in no time, and one that was set meanwhile ends, too.

An address in digits needs no resolver.  ``getaddrinfo()`` answers such a question itself, unless the program could
tell by what is documented that no thread did.
"""

import asyncio
import concurrent.futures
import socket
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

from . import _host


@_host.of_class("BaseEventLoop")
class Executors:
    """The part of a loop that knows its default executor.  Its attributes belong to the loop."""

    _default_executor: "concurrent.futures.Executor | None" = None
    _executor_shutdown_called = False
    _executor_is_private = True  # not set by the program, and not shut down

    def run_in_executor(
        self: Any, executor: "concurrent.futures.Executor | None", func: "Callable[..., Any]", *args: Any
    ) -> "asyncio.Future[Any]":
        """Have the executor, or the default one for None, call func(*args); return a future of the result.

        Raises RuntimeError if the loop is closed, or for None if the default executor was shut down; in debug mode
        TypeError if func is a coroutine function or not callable; what the executor's submit() raises.

        Spec: run_in_executor.runs, run_in_executor.executor-arg, run_in_executor.none-default,
        run_in_executor.returns-future, run_in_executor.partial, run_in_executor.process-pool,
        run_in_executor.not-blocking, run_in_executor.exception, run_in_executor.closed
        """
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        if self.get_debug():
            _host.check_callback(func, "run_in_executor")
        is_default = executor is None
        if executor is None:
            executor = self._get_default_executor()
        job = executor.submit(func, *args)
        if type(job) is not concurrent.futures.Future:
            return asyncio.wrap_future(job, loop=self)
        future: asyncio.Future[Any] = self.create_future()
        self._follow_job(job, future, is_default)
        return future

    def _get_default_executor(self) -> "concurrent.futures.Executor":
        """Return the default executor; make it if there is none.  Raises RuntimeError after its shutdown.

        Spec: run_in_executor.default-lazy, run_in_executor.default-threadpool, run_in_executor.max_workers,
        shutdown_default_executor.then-raises, shutdown_default_executor.custom-ok
        """
        if self._executor_shutdown_called:
            raise RuntimeError("Executor shutdown has been called")
        if self._default_executor is None:
            self._default_executor = concurrent.futures.ThreadPoolExecutor(thread_name_prefix="asyncio")
        return self._default_executor

    def set_default_executor(self, executor: "concurrent.futures.Executor") -> None:
        """Have run_in_executor(None, ...) use this executor from now on; the one before it is not shut down.

        Raises TypeError if it is no ThreadPoolExecutor.

        Spec: set_default_executor.must-be-threadpool, run_in_executor.set-default-used
        """
        if not isinstance(executor, concurrent.futures.ThreadPoolExecutor):
            raise TypeError("executor must be ThreadPoolExecutor instance")
        self._executor_is_private = False
        self._default_executor = executor

    if sys.version_info >= (3, 12):

        async def shutdown_default_executor(self: Any, timeout: "float | None" = None) -> None:
            """Wait until the threads of the default executor have ended, but no longer than timeout seconds.

            Warns with a RuntimeWarning, and leaves the threads to themselves, when the time is over.

            Spec: shutdown_default_executor.coroutine, shutdown_default_executor.joins,
            shutdown_default_executor.timeout-none, shutdown_default_executor.timeout-seconds,
            shutdown_default_executor.timeout-warns, shutdown_default_executor.timeout-terminates
            """
            self._refuse_jobs()
            if self._default_executor is None:
                return
            joined, thread = self._join_in_thread()
            try:
                async with asyncio.timeout(timeout):
                    await joined
            except TimeoutError:
                warnings.warn(
                    f"The executor did not finishing joining its threads within {timeout} seconds.",
                    RuntimeWarning,
                    stacklevel=2,
                )
                self._default_executor.shutdown(wait=False)
            else:
                thread.join()

    else:

        async def shutdown_default_executor(self: Any) -> None:
            """Wait until the threads of the default executor have ended.

            Spec: shutdown_default_executor.joins
            """
            self._refuse_jobs()
            if self._default_executor is None:
                return
            joined, thread = self._join_in_thread()
            try:
                await joined
            finally:
                thread.join()

    def _refuse_jobs(self) -> None:
        """Have the default executor, or that there will be none, known to the program."""
        self._executor_shutdown_called = True
        self._executor_is_private = False

    def _join_in_thread(self: Any) -> "tuple[asyncio.Future[None], threading.Thread]":
        """Shut the default executor down in a thread; return that, and a future which is done when it is."""
        joined = self.create_future()
        thread = threading.Thread(target=self._join_default_executor, args=(joined,))
        thread.start()
        return joined, thread

    def _join_default_executor(self: Any, joined: "asyncio.Future[None]") -> None:
        try:
            self._default_executor.shutdown(wait=True)
            if not self.is_closed():
                self.call_soon_threadsafe(_set_result, joined)
        except Exception as error:
            if not self.is_closed() and not joined.cancelled():
                self.call_soon_threadsafe(joined.set_exception, error)

    def _close_default_executor(self) -> None:
        """Shut it down without waiting for its threads."""
        self._refuse_jobs()
        executor, self._default_executor = self._default_executor, None
        if executor is not None:
            executor.shutdown(wait=False)

    async def getaddrinfo(
        self: Any,
        host: "bytes | str | None",
        port: "bytes | str | int | None",
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> "list[Any]":
        """Return what socket.getaddrinfo() does; it runs in the default executor, if anything has to be resolved.

        Debug mode logs the question and how long the answer took.

        Spec: getaddrinfo.async, getaddrinfo.defaults, getaddrinfo.nonblocking, dns.coroutines-3.7,
        dns.default-executor, dns.saturation-delays, dns.error
        """
        if self._executor_is_private and socket.getaddrinfo is GETADDRINFO:
            addresses: list[Any] | None = self._literal_addresses(host, port, family, type, proto, flags)
            if addresses is not None:
                return addresses
        resolve = self._getaddrinfo_logged if self.get_debug() else socket.getaddrinfo
        answer: list[Any] = await self.run_in_executor(None, resolve, host, port, family, type, proto, flags)
        return answer

    async def getnameinfo(self: Any, sockaddr: "tuple[Any, ...]", flags: int = 0) -> "tuple[str, str]":
        """Return what socket.getnameinfo() does; it runs in the default executor.

        Spec: getnameinfo.async
        """
        answer: tuple[str, str] = await self.run_in_executor(None, socket.getnameinfo, sockaddr, flags)
        return answer

    def _getaddrinfo_logged(
        self: Any, host: Any, port: Any, family: int, type: int, proto: int, flags: int
    ) -> "list[Any]":
        options = {"family": family, "type": type, "proto": proto, "flags": flags}
        question = ", ".join(
            [f"{host}:{port!r}", *(f"{name}={value!r}" for name, value in options.items() if value)]
        )
        _host.logger.debug("Get address info %s", question)
        start = self.time()
        answer = socket.getaddrinfo(host, port, family, type, proto, flags)
        seconds = self.time() - start
        text = f"Getting address info {question} took {seconds * 1e3:.3f}ms: {answer!r}"
        if seconds >= self.slow_callback_duration:
            _host.logger.info(text)
        else:
            _host.logger.debug(text)
        return answer


GETADDRINFO: "Callable[..., Any] | None" = socket.getaddrinfo
if socket.getaddrinfo.__globals__ is not vars(socket):  # a replacement, which is to be called
    GETADDRINFO = None

CONVERTED: "dict[type[BaseException], type[BaseException]]" = {
    concurrent.futures.CancelledError: asyncio.CancelledError,
    concurrent.futures.InvalidStateError: asyncio.InvalidStateError,
}
if sys.version_info < (3, 13):  # the same class, but CPython made a new exception of it
    CONVERTED[TimeoutError] = TimeoutError


def convert_exception(exception: BaseException) -> BaseException:
    """Return the exception of a job as that of a future: some of concurrent.futures' become asyncio's.

    The traceback of these is lost before 3.13.
    """
    converted_class = CONVERTED.get(type(exception))
    if converted_class is None:
        return exception
    converted = converted_class(*exception.args)
    return converted.with_traceback(exception.__traceback__) if sys.version_info >= (3, 13) else converted


def _set_result(joined: "asyncio.Future[None]") -> None:
    """Finish the future.  Before 3.12, also one that was cancelled meanwhile, which raises InvalidStateError."""
    if sys.version_info < (3, 12) or not joined.cancelled():
        joined.set_result(None)
