# SPDX-License-Identifier: MIT
"""What comes out of futures and tasks as an exception: its __context__, its traceback, its last resort.

What takes ``new_loop`` holds for asyncio's futures and tasks too.
"""

import asyncio
import gc
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import asy
import pytest

WRAPS_STOP_ITERATION = sys.version_info >= (3, 13)  # 3.12 began to in a patch release
REFUSES_STOP_ITERATION = sys.version_info < (3, 12)


@pytest.fixture(params=["asyncio", "asy"])
def new_loop(request: pytest.FixtureRequest) -> "Callable[[], Any]":
    """What makes a loop: asyncio's, or a native one."""
    return asyncio.new_event_loop if request.param == "asyncio" else asy.new_native_event_loop


@pytest.fixture
def loop(new_loop: "Callable[[], Any]") -> "Iterator[Any]":
    """A loop that is closed after the test."""
    loop = new_loop()
    yield loop
    loop.close()


def failed(loop: Any) -> Any:
    """Return a future with an exception."""
    future = loop.create_future()
    future.set_exception(ValueError("kept"))
    return future


def cancelled(loop: Any) -> Any:
    """Return a cancelled future."""
    future = loop.create_future()
    future.cancel()
    return future


def frames(error: BaseException) -> "list[str]":
    """Return the functions in the traceback of an exception, the one that raised it last."""
    names = []
    traceback: Any = error.__traceback__
    while traceback:
        names.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    return names


def origin() -> None:
    """Raise."""
    raise ValueError("raised")


def raised_exception() -> ValueError:
    """Return an exception with a traceback."""
    try:
        origin()
    except ValueError as exc:
        return exc
    raise AssertionError


async def outcome(future: Any) -> BaseException:
    """Return what awaiting the future raises."""
    try:
        await future
    except (Exception, asyncio.CancelledError) as exc:
        return exc
    raise AssertionError


# ---- the exception that is being handled -----------------------------------------------------------------


@pytest.mark.parametrize("make", [failed, cancelled])
@pytest.mark.parametrize("ask", ["result", "exception", "await"])
def test_kept_exception_has_the_one_being_handled_as_context(
    loop: Any, make: "Callable[[Any], Any]", ask: str
) -> None:
    async def main() -> "tuple[BaseException, BaseException | None]":
        future, handled = make(loop), KeyError("handled")
        try:
            raise handled
        except KeyError:
            try:
                returned = await future if ask == "await" else getattr(future, ask)()
            except (ValueError, asyncio.CancelledError) as exc:
                return handled, exc.__context__
        return handled, returned.__context__ or handled  # future.exception() does not raise it

    handled, context = loop.run_until_complete(main())
    assert context is handled


def test_each_raise_sets_the_context_anew(loop: Any) -> None:
    future = failed(loop)
    contexts = []
    for handled in (KeyError(), IndexError()):
        try:
            raise handled
        except LookupError:
            with pytest.raises(ValueError) as caught:
                future.result()
            contexts.append((caught.value.__context__, handled))
    assert all(context is handled for context, handled in contexts)


def test_context_stays_when_nothing_is_handled(loop: Any) -> None:
    future, error = loop.create_future(), ValueError()
    error.__context__ = before = KeyError()
    future.set_exception(error)
    with pytest.raises(ValueError):
        future.result()
    assert error.__context__ is before


def test_exception_does_not_become_its_own_context(loop: Any) -> None:
    future = failed(loop)
    try:
        future.result()
    except ValueError as exc:
        with pytest.raises(ValueError) as caught:
            future.result()
        assert caught.value is exc and exc.__context__ is None


def test_error_of_a_callable_that_a_future_calls_keeps_its_context(loop: Any) -> None:
    class Callback:
        def __call__(self, future: Any) -> None: ...

        def __eq__(self, other: object) -> bool:
            try:
                raise IndexError
            except IndexError:
                raise ValueError from None

        __hash__ = None  # type: ignore[assignment]

    future = loop.create_future()
    future.add_done_callback(Callback())
    try:
        raise KeyError
    except KeyError:
        with pytest.raises(ValueError) as caught:
            future.remove_done_callback(print)
    assert isinstance(caught.value.__context__, IndexError)


def test_cancellation_of_a_sleep_has_the_exception_being_handled_as_context() -> None:
    for make, sleep in ((asyncio.new_event_loop, asyncio.sleep), (asy.new_native_event_loop, asy.sleep)):
        loop: Any = make()

        async def main(sleep: Any = sleep) -> Any:
            try:
                raise KeyError
            except KeyError:
                try:
                    await sleep(1000)
                except asyncio.CancelledError as exc:
                    return exc.__context__

        task = loop.create_task(main())
        loop.call_soon(task.cancel)
        assert isinstance(loop.run_until_complete(task), KeyError)
        loop.close()


# ---- tracebacks ------------------------------------------------------------------------------------------


def test_each_of_several_waiters_sees_its_own_part_of_the_traceback(loop: Any) -> None:
    async def waiter(future: Any) -> "list[str]":
        try:
            await future
        except ValueError as exc:
            return frames(exc)
        return []

    async def main() -> "list[list[str]]":
        future = loop.create_future()
        tasks = [loop.create_task(waiter(future)) for _ in range(4)]
        await asyncio.sleep(0)
        future.set_exception(ValueError())
        return [await task for task in tasks]

    assert loop.run_until_complete(main()) == [["waiter"]] * 4


def test_traceback_that_came_with_the_exception_is_for_the_first_who_asks(loop: Any) -> None:
    future = loop.create_future()
    future.set_exception(raised_exception())
    found = []
    for _ in range(3):
        try:
            future.result()
        except ValueError as exc:
            found.append(frames(exc)[1:])
    assert found == [["raised_exception", "origin"], [], []]


def test_traceback_of_a_failed_task_is_for_the_first_who_waits(loop: Any) -> None:
    async def failing() -> None:
        origin()

    async def main() -> "list[list[str]]":
        task = loop.create_task(failing())
        waiters = [loop.create_task(outcome(task)) for _ in range(2)]
        await asyncio.sleep(0)
        found = []
        for waiter in waiters:
            waiter.add_done_callback(lambda done: found.append(frames(done.result())))
        await asyncio.wait(waiters)
        return found

    # The same exception object: what the last one has begun with is what all see in the end.
    found = loop.run_until_complete(main())
    assert found[-1] == ["outcome"]
    assert not any("origin" in each for each in found[1:])


def test_exception_method_leaves_the_traceback_as_it_is(loop: Any) -> None:
    future, error = loop.create_future(), raised_exception()
    future.set_exception(error)
    error.__traceback__ = None
    assert future.exception().__traceback__ is None


def test_frames_of_an_exception_that_was_looked_at_are_given_back(loop: Any) -> None:
    class Local:
        pass

    def leave() -> "tuple[Any, Any]":
        local = Local()
        try:
            origin()
        except ValueError as exc:
            return exc, weakref.ref(local)
        raise AssertionError

    future = loop.create_future()
    error, end = leave()
    future.set_exception(error)
    for _ in range(2):
        with pytest.raises(ValueError):
            future.result()
    error.__traceback__ = None
    gc.collect()
    assert end() is None


# ---- StopIteration ---------------------------------------------------------------------------------------


def raised_stop_iteration(local: Any) -> StopIteration:
    """Return a StopIteration whose traceback keeps ``local``."""
    try:
        raise StopIteration(3)
    except StopIteration as exc:
        return exc


@pytest.mark.skipif(not REFUSES_STOP_ITERATION, reason="not run: from 3.12 on it is wrapped")
def test_exception_that_was_refused_leaves_nothing_behind(loop: Any) -> None:
    class Local:
        def __del__(self) -> None:
            try:
                future.set_exception(KeyError("of the finalizer"))
            except asyncio.InvalidStateError as exc:
                refused.append(exc)

    refused: list[Any] = []
    future = loop.create_future()
    with pytest.raises(TypeError, match="StopIteration interacts badly"):
        future.set_exception(raised_stop_iteration(Local()))
    gc.collect()
    assert isinstance(future.exception(), KeyError) and not refused
    with pytest.raises(asyncio.InvalidStateError):
        future.set_exception(ValueError())


@pytest.mark.skipif(not WRAPS_STOP_ITERATION, reason="not run: before 3.13 it is refused")
def test_wrapped_stop_iteration_is_cause_and_context_and_keeps_its_traceback(loop: Any) -> None:
    future, stop = loop.create_future(), raised_stop_iteration(None)
    future.set_exception(stop)
    error = future.exception()
    assert isinstance(error, RuntimeError) and error.__cause__ is stop and error.__context__ is stop
    for _ in range(2):
        with pytest.raises(RuntimeError):
            future.result()
        assert "raised_stop_iteration" not in frames(error)
    assert frames(stop) == ["raised_stop_iteration"]


# ---- the last resort -------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_fatal_error_of_the_handler_of_a_finalizer_is_unraisable(
    loop: Any, error: "type[BaseException]", monkeypatch: pytest.MonkeyPatch
) -> None:
    unraisable: list[Any] = []

    def fail(loop: Any, context: Any) -> None:
        raise error(context["message"])

    async def waiting() -> None:
        await loop.create_future()

    monkeypatch.setattr(sys, "unraisablehook", lambda info: unraisable.append(repr(info.exc_value)))
    loop.set_exception_handler(fail)
    failed(loop)
    loop.create_task(waiting())
    loop.call_soon(loop.stop)
    loop.run_forever()
    gc.collect()
    assert unraisable == [
        repr(error("Future exception was never retrieved")),
        repr(error("Task was destroyed but it is pending!")),
    ]


# ---- what is given out to be waited for ------------------------------------------------------------------


def test_task_that_yields_itself_cannot_await_itself(loop: Any) -> None:
    class YieldsItsTask:
        def __await__(self) -> Any:
            yield asyncio.current_task()

    async def main() -> None:
        await YieldsItsTask()

    with pytest.raises(RuntimeError, match="Task cannot await on itself"):
        loop.run_until_complete(main())


def test_sent_on_too_early_it_gives_the_future_out_again_and_then_complains() -> None:
    async def main(sleep: Any) -> "list[str]":
        coroutine = sleep(1000)
        task = asyncio.create_task(coroutine)
        await asyncio.sleep(0)
        found = [type(coroutine.send(None)).__name__]
        try:
            coroutine.send(None)
        except RuntimeError as exc:
            found.append(str(exc))
        task.cancel()
        await asyncio.wait([task])
        return [*found, repr(task.cancelled())]

    found = []
    for make, sleep in ((asyncio.new_event_loop, asyncio.sleep), (asy.new_native_event_loop, asy.sleep)):
        loop: Any = make()
        found.append(loop.run_until_complete(main(sleep)))
        loop.close()
    assert found[0] == found[1] and found[0][:2] == ["Future", "await wasn't used with future"]


def test_callbacks_are_those_of_the_moment_of_asking() -> None:
    loop: Any = asy.new_native_event_loop()

    class Garbage:
        def __del__(self) -> None:
            future.remove_done_callback(print)

    future = loop.create_future()
    for _ in range(50):
        future.add_done_callback(print)
    thresholds = gc.get_threshold()
    gc.collect()
    gc.disable()
    try:
        garbage = Garbage()
        garbage.cycle = garbage  # type: ignore[attr-defined]
        del garbage
        gc.set_threshold(1)
        gc.enable()
        callbacks = future._callbacks
    finally:
        gc.enable()
        gc.set_threshold(*thresholds)
    assert len(callbacks) == 50 and {pair[0] for pair in callbacks} == {print}
    gc.collect()
    assert future._callbacks is None
    loop.close()
