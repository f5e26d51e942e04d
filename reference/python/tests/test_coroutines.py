# SPDX-License-Identifier: MIT
"""Coroutines of the library, as Python awaits them: asy.sleep() is the first."""

import asyncio
import collections.abc
import gc
import inspect
import weakref
from collections.abc import Iterator
from typing import Any

import asy
import pytest


@pytest.fixture(params=[asy.new_event_loop, asy.new_native_event_loop])
def loop(request: Any) -> "Iterator[Any]":
    """A loop with asyncio's futures and tasks, and one with the library's."""
    loop = request.param()
    yield loop
    loop.close()


def run(loop: Any, function: Any) -> Any:
    """Run an async function with a coroutine of asy.sleep() of a long time."""

    async def main() -> Any:
        return await function(asy.sleep(1000, "result"))

    return loop.run_until_complete(main())


def test_sleep_gives_its_result_after_its_delay(loop: Any) -> None:
    async def main() -> Any:
        before = loop.time()
        return await asy.sleep(0.01, "result"), await asy.sleep(0), loop.time() - before

    result, nothing, seconds = loop.run_until_complete(main())
    assert (result, nothing) == ("result", None) and seconds >= 0.009


def test_sleep_takes_the_iterations_that_asyncios_takes(loop: Any) -> None:
    def iterations(sleep: Any, delay: float) -> int:
        count = 0

        def tick() -> None:
            nonlocal count
            count += 1
            loop.call_soon(tick)

        async def main() -> int:
            loop.call_soon(tick)
            before = count
            await sleep(delay)
            return count - before

        return loop.run_until_complete(main())

    for delay in (0, -1):
        assert iterations(asy.sleep, delay) == iterations(asyncio.sleep, delay) == 1


def test_sleep_needs_a_running_loop_of_asy() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        asy.sleep(1)

    async def main() -> None:
        with pytest.raises(RuntimeError, match="needs an event loop of asy to run"):
            asy.sleep(1)
        with pytest.raises(TypeError):
            asy.sleep("soon")

    asyncio.run(main())


def test_it_is_a_coroutine_for_asyncio_and_the_abstract_classes(loop: Any) -> None:
    async def look(coroutine: Any) -> None:
        assert asyncio.iscoroutine(coroutine) and inspect.isawaitable(coroutine)
        assert isinstance(coroutine, collections.abc.Coroutine)
        assert (coroutine.cr_running, coroutine.cr_suspended, coroutine.cr_await) == (False, False, None)
        assert coroutine.__name__ == coroutine.__qualname__ == "sleep" and coroutine.cr_frame is None
        assert coroutine.__await__() is coroutine is iter(coroutine)
        assert repr(coroutine).startswith("<coroutine object sleep at ")
        coroutine.close()

    run(loop, look)


def test_it_waits_by_yielding_the_future_itself(loop: Any) -> None:
    async def look(coroutine: Any) -> None:
        future = coroutine.send(None)
        assert isinstance(future, asy.Future) and future._asyncio_future_blocking
        assert coroutine.cr_await is future and coroutine.cr_suspended
        with pytest.raises(RuntimeError, match="coroutine is being awaited already"):
            await coroutine
        future.set_result("ignored")
        with pytest.raises(StopIteration) as caught:
            coroutine.send(None)
        assert caught.value.value == "result"
        assert coroutine.cr_await is None and not coroutine.cr_suspended
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            coroutine.send(None)
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            await coroutine

    run(loop, look)


def test_nothing_runs_before_it_is_awaited(loop: Any) -> None:
    async def look(coroutine: Any) -> None:
        assert not loop.create_future()._callbacks
        with pytest.raises(TypeError, match="can't send non-None value to a just-started coroutine"):
            coroutine.send(1)
        coroutine.close()
        coroutine.close()

    run(loop, look)


@pytest.mark.parametrize("begun", [False, True])
def test_throw_comes_out_as_the_same_object(loop: Any, begun: bool) -> None:
    error = LookupError("thrown")

    async def look(coroutine: Any) -> None:
        if begun:
            coroutine.send(None)
        with pytest.raises(LookupError) as caught:
            coroutine.throw(error)
        assert caught.value is error
        with pytest.raises(RuntimeError, match="cannot reuse"):
            coroutine.send(None)

    run(loop, look)


@pytest.mark.filterwarnings("ignore:the .type, exc, tb. signature of throw")  # 3.12 and later
def test_throw_takes_what_throw_of_a_coroutine_takes(loop: Any) -> None:
    cases: list[Any] = [
        ((ValueError,), ValueError, "^$"),
        ((ValueError, "text"), ValueError, "text"),
        ((ValueError, ("a", "b")), ValueError, r"\('a', 'b'\)"),
        ((ValueError, ValueError("instance"), None), ValueError, "instance"),
        ((ValueError("x"), 1), TypeError, "instance exception may not have a separate value"),
        ((3,), TypeError, "exceptions must be classes or instances deriving from BaseException"),
        ((), TypeError, "throw expected"),
    ]

    async def look(coroutine: Any) -> None:
        for args, error, text in cases:
            each = asy.sleep(1000)
            with pytest.raises(error, match=text):
                each.throw(*args)
            each.close()
        coroutine.close()

    run(loop, look)


def test_cancelling_its_task_cancels_it_with_the_message_and_stops_the_timer(loop: Any) -> None:
    async def main() -> None:
        task = loop.create_task(asy.sleep(1000))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert "coro=<sleep()> wait_for=<Future pending cb=[" in repr(task)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await task

    loop.run_until_complete(main())


def test_error_that_is_thrown_by_cancelling_is_the_one_that_leaves(loop: Any) -> None:
    error = asyncio.CancelledError("mine")

    async def look(coroutine: Any) -> None:
        coroutine.send(None)
        with pytest.raises(asyncio.CancelledError) as caught:
            coroutine.throw(error)
        assert caught.value is error

    run(loop, look)


def test_one_that_was_never_awaited_is_warned_of(loop: Any) -> None:
    async def main() -> None:
        asy.sleep(1)

    with pytest.warns(RuntimeWarning, match="coroutine 'sleep' was never awaited"):
        loop.run_until_complete(main())


def test_it_works_with_the_functions_of_asyncio(loop: Any) -> None:
    async def main() -> Any:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asy.sleep(1000)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asy.sleep(1000), 0.001)
        return await asyncio.gather(asy.sleep(0, 1), asy.sleep(0.001, 2), asyncio.shield(asy.sleep(0, 3)))

    assert loop.run_until_complete(main()) == [1, 2, 3]


def test_not_a_number_is_treated_as_asyncio_treats_it(loop: Any) -> None:
    async def outcome(sleep: Any) -> str:
        try:
            await asyncio.wait_for(sleep(float("nan")), 0.01)
        except (ValueError, TimeoutError) as exc:
            return repr(exc)
        return "slept"

    assert loop.run_until_complete(outcome(asy.sleep)) == loop.run_until_complete(outcome(asyncio.sleep))


def test_it_is_collected_with_what_it_keeps(loop: Any) -> None:
    class Thing:
        pass

    async def main() -> Any:
        thing = Thing()
        coroutine = asy.sleep(1000, thing)
        coroutine.send(None)
        thing.cycle = coroutine  # type: ignore[attr-defined]
        return weakref.ref(thing)

    end = loop.run_until_complete(main())
    gc.collect()
    assert end() is None


def test_they_cannot_be_made_by_hand() -> None:
    with pytest.raises(TypeError):
        asy.Coroutine()  # type: ignore[abstract]


def test_one_that_waits_ends_with_its_loop_and_is_collected(recwarn: Any) -> None:
    def leave_one_behind(make: Any) -> "list[weakref.ref[Any]]":
        loop = make()
        loop.set_exception_handler(lambda *args: None)

        async def main() -> Any:
            task = loop.create_task(asy.sleep(1000))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return task

        task = loop.run_until_complete(main())
        loop.close()
        return [weakref.ref(task), weakref.ref(loop), weakref.ref(task.get_coro())]

    for make in (asy.new_event_loop, asy.new_native_event_loop):
        ends = leave_one_behind(make)
        gc.collect()
        assert [end() for end in ends] == [None, None, None]
    assert not [each for each in recwarn if "never awaited" in str(each.message)]
