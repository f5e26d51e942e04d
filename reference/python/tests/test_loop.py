# SPDX-License-Identifier: MIT
"""The loop as asyncio's programs use it, and what the conversion between Python and C has to get right."""

import asyncio
import contextvars
import errno
import fractions
import os
import signal
import socket
import threading
import time
from typing import Any

import asy
import pytest


def test_runner_runs_a_program_of_many_parts() -> None:
    async def worker(queue: "asyncio.Queue[int]", results: "list[int]") -> None:
        while (item := await queue.get()) >= 0:
            await asyncio.sleep(0)
            results.append(item)

    async def main() -> "list[int]":
        queue: asyncio.Queue[int] = asyncio.Queue(1)
        results: list[int] = []
        async with asyncio.TaskGroup() as group:
            group.create_task(worker(queue, results))
            for item in [1, 2, 3, -1]:
                await queue.put(item)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        return results

    with asyncio.Runner(loop_factory=asy.new_event_loop) as runner:
        assert runner.run(main()) == [1, 2, 3]


@pytest.mark.parametrize("selector", ["epoll", "poll", "select", None])
def test_every_selector_reports_a_readable_socket(selector: "str | None") -> None:
    loop = asy.EventLoop(selector)
    ours, theirs = socket.socketpair()
    theirs.send(b"x")
    loop.add_reader(ours, loop.stop)
    loop.run_forever()
    assert loop.remove_reader(ours) and not loop.remove_reader(ours)
    loop.close()
    ours.close()
    theirs.close()


def test_unknown_selector_is_refused() -> None:
    with pytest.raises(ValueError, match="selector must be 'epoll'"):
        asy.EventLoop("kqueue")
    with pytest.raises(TypeError, match="selector must be 'epoll'"):
        asy.EventLoop(3)


def test_loop_without_init_is_a_closed_loop() -> None:
    loop = asy.EventLoop.__new__(asy.EventLoop)
    assert loop.is_closed() and not loop.is_running()
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop.call_soon(print)


def test_second_init_is_refused(loop: Any) -> None:
    with pytest.raises(RuntimeError, match="initialised already"):
        loop.__init__()


def test_exception_of_a_callback_arrives_as_the_same_object(loop: Any) -> None:
    seen: list[BaseException] = []
    error = ValueError("mine")

    def fail() -> None:
        raise error

    loop.set_exception_handler(lambda _, context: seen.append(context["exception"]))
    loop.call_soon(fail)
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert seen[0] is error


def test_context_of_call_exception_handler_arrives_as_the_same_object(loop: Any) -> None:
    seen: list[Any] = []
    context = {"message": "hello"}
    loop.set_exception_handler(lambda _, context: seen.append(context))
    loop.call_exception_handler(context)
    assert seen[0] is context


def test_system_exit_of_a_callback_leaves_the_rest_queued(loop: Any) -> None:
    ran: list[int] = []

    def leave() -> None:
        raise SystemExit(3)

    loop.call_soon(leave)
    loop.call_soon(ran.append, 1)
    with pytest.raises(SystemExit):
        loop.run_forever()
    assert ran == []
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert ran == [1]


def test_keyboard_interrupt_while_the_loop_waits(loop: Any) -> None:
    loop.call_later(3600, print)
    timer = threading.Timer(0.05, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    timer.join()
    loop.call_soon(loop.stop)
    loop.run_forever()


def test_runner_turns_ctrl_c_into_a_cancelled_task() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(os.kill, os.getpid(), signal.SIGINT)
        await asyncio.sleep(3600)

    with asyncio.Runner(loop_factory=asy.new_event_loop) as runner, pytest.raises(KeyboardInterrupt):
        runner.run(main())


def test_threads_wake_the_loop(loop: Any) -> None:
    seen: list[int] = []

    def report() -> None:
        for number in range(100):
            loop.call_soon_threadsafe(seen.append, number)
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=report)
    loop.call_soon(thread.start)
    loop.run_forever()
    thread.join()
    assert seen == list(range(100))


def test_context_is_anything_with_a_run_method(loop: Any) -> None:
    class Context:
        def run(self, function: Any, *args: Any) -> Any:
            return contextvars.Context().run(function, *args, "through run")

    seen: list[Any] = []
    loop.call_soon(lambda *args: seen.append(args), 1, context=Context())
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert seen == [(1, "through run")]


def test_time_of_a_subclass_is_the_clock_of_its_timers() -> None:
    class Loop(asy.EventLoop):
        offset = 1000.0

        def time(self) -> float:
            return super().time() + self.offset

    loop = Loop()
    assert abs(loop.time() - time.monotonic() - 1000) < 500
    timer = loop.call_later(0, loop.stop)
    assert timer.when() > time.monotonic() + 500
    loop.run_forever()
    loop.close()


def test_exception_of_time_leaves_the_loop() -> None:
    class Loop(asy.EventLoop):
        def time(self) -> float:
            raise LookupError("no clock")

    loop = Loop()
    loop.call_soon(loop.stop)
    with pytest.raises(LookupError, match="no clock"):
        loop.run_forever()
    loop.close()


def test_delay_is_any_number(loop: Any) -> None:
    assert isinstance(loop.call_later(1, print).when(), float)
    assert isinstance(loop.call_later(fractions.Fraction(1, 2), print).when(), float)
    with pytest.raises(TypeError):
        loop.call_later("1", print)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda loop: loop.call_soon(), "missing 1 required positional argument: 'callback'"),
        (lambda loop: loop.call_later(), "missing 2 required positional arguments: 'delay' and 'callback'"),
        (lambda loop: loop.call_at(1), "missing 1 required positional argument: 'callback'"),
        (lambda loop: loop.call_soon(print, x=1), "got an unexpected keyword argument 'x'"),
        (lambda loop: loop.call_soon(print, callback=print), "got multiple values for argument 'callback'"),
        (lambda loop: loop.call_at(None, print), "when cannot be None"),
        (lambda loop: loop.call_later(None, print), "delay must not be None"),
        (lambda loop: loop.set_exception_handler(3), "A callable object or None is expected, got 3"),
        (lambda loop: loop.set_task_factory(3), "task factory must be a callable or None"),
    ],
)
def test_wrong_arguments_are_refused_in_asyncios_words(loop: Any, call: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        call(loop)


def test_arguments_may_be_given_by_name(loop: Any) -> None:
    seen: list[int] = []
    loop.call_soon(callback=lambda: seen.append(1))
    loop.call_later(callback=loop.stop, delay=0)
    loop.run_forever()
    assert seen == [1]


@pytest.mark.parametrize(
    ("descriptor", "text"),
    [
        (-1, "Invalid file descriptor: -1"),
        ("x", "Invalid file object: 'x'"),
        (None, "Invalid file object: None"),
    ],
)
def test_wrong_descriptors_are_refused_in_selectors_words(loop: Any, descriptor: Any, text: str) -> None:
    for method in (loop.remove_reader, loop.remove_writer):
        with pytest.raises(ValueError, match=text):
            method(descriptor)
    with pytest.raises(ValueError, match=text):
        loop.add_reader(descriptor, print)


def test_socket_can_be_removed_after_it_was_closed(loop: Any) -> None:
    ours, theirs = socket.socketpair()
    loop.add_reader(ours, print)
    ours.close()
    theirs.close()
    assert loop.remove_reader(ours) is True


def test_system_error_has_the_class_that_python_picks(loop: Any) -> None:
    with open(__file__) as file, pytest.raises(PermissionError) as caught:
        loop.add_reader(file, print)
    assert caught.value.errno == errno.EPERM
    assert str(caught.value) == "[Errno 1] Operation not permitted"


def test_debug_mode_refuses_calls_from_another_thread(loop: Any) -> None:
    errors: list[BaseException] = []

    def call() -> None:
        try:
            loop.call_soon(print)
        except RuntimeError as error:
            errors.append(error)
        loop.call_soon_threadsafe(loop.stop)

    loop.set_debug(True)
    thread = threading.Thread(target=call)
    loop.call_soon(thread.start)
    loop.run_forever()
    thread.join()
    assert "Non-thread-safe operation" in str(errors[0])


def test_what_is_out_of_scope_is_not_implemented(loop: Any) -> None:
    with pytest.raises(NotImplementedError):
        loop.add_signal_handler(signal.SIGUSR1, print)
