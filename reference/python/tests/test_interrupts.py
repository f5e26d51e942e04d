# SPDX-License-Identifier: MIT
"""A Ctrl-C is never lost, whenever it comes, and leaves nothing of the run behind.

What takes ``new_loop`` holds for asyncio's loop too.
"""

import asyncio
import ctypes
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import asy
import pytest

# signal.raise_signal() runs the Python handler at once; this only makes the signal pending.
make_pending = ctypes.CDLL(None)["raise"]


@pytest.fixture(autouse=True)
def no_running_loop() -> "Iterator[None]":
    """Whatever a test that fails has left behind, the next one begins without."""
    yield
    asyncio._set_running_loop(None)


def outside() -> "tuple[Any, ...]":
    """Return what a run changes in the interpreter."""
    return (
        asyncio._get_running_loop(),
        sys.get_asyncgen_hooks(),
        sys.get_coroutine_origin_tracking_depth(),
    )


@pytest.mark.parametrize("debug", [False, True])
def test_ctrl_c_at_the_end_of_a_run_leaves_it_and_the_interpreter_as_before(
    new_loop: "Callable[[], Any]", debug: bool
) -> None:
    before = outside()
    loop = new_loop()
    loop.set_debug(debug)
    # Nothing but C: from the signal on, the first instruction of Python code is one of the cleanup.
    loop.call_soon(loop.stop)
    loop.call_soon(make_pending, signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    assert outside() == before
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()


def test_ctrl_c_in_done_comes_out_of_run_until_complete(new_loop: "Callable[[], Any]") -> None:
    class Future(asyncio.Future[None]):
        def done(self) -> bool:
            raise KeyboardInterrupt

    loop = new_loop()
    future = Future(loop=loop)
    loop.call_soon(future.set_result, None)
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(future)
    loop.close()


@pytest.mark.parametrize("error", [KeyboardInterrupt, LookupError])
def test_exception_of_remove_done_callback_comes_out_of_run_until_complete(
    new_loop: "Callable[[], Any]", error: "type[BaseException]"
) -> None:
    class Future(asyncio.Future[None]):
        def remove_done_callback(self, callback: Any, /) -> int:
            raise error

    loop = new_loop()
    future = Future(loop=loop)
    loop.call_soon(future.set_result, None)
    with pytest.raises(error):
        loop.run_until_complete(future)
    loop.close()


class Interrupting:
    """A callable that cannot be shown."""

    def __call__(self) -> None:
        raise ValueError

    def __repr__(self) -> str:
        raise KeyboardInterrupt


def test_ctrl_c_while_a_callback_is_described_comes_out_of_the_run(new_loop: "Callable[[], Any]") -> None:
    loop = new_loop()
    loop.set_exception_handler(lambda loop, context: None)
    loop.call_soon(Interrupting())
    loop.call_soon(loop.stop)
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    loop.close()


def test_ctrl_c_while_a_cancelled_handle_is_described_is_raised(new_loop: "Callable[[], Any]") -> None:
    loop = new_loop()
    loop.set_debug(True)
    handle = loop.call_soon(Interrupting())
    with pytest.raises(KeyboardInterrupt):
        handle.cancel()
    loop.close()


def test_setters_refuse_a_loop_that_is_not_initialised() -> None:
    loop = asy.EventLoop.__new__(asy.EventLoop)
    for change in (
        lambda: loop.set_exception_handler(print),
        lambda: loop.set_debug(True),
        lambda: loop.set_task_factory(None),
        lambda: setattr(loop, "slow_callback_duration", 1),
        loop.stop,
    ):
        with pytest.raises(RuntimeError, match=r"not initialised: call super\(\).__init__\(\) first"):
            change()
    other = asy.EventLoop.__new__(asy.EventLoop)
    assert not other.get_debug() and other.slow_callback_duration == 0.1
    assert loop.get_exception_handler() is None
