# SPDX-License-Identifier: MIT
"""Eager tasks of native loops: their first step runs in the middle of any other task, the library's or asyncio's.

A nesting of tasks is run on asyncio, too, and the traces must be equal.
"""

import asyncio
import itertools
import sys
from collections.abc import Callable
from typing import Any

import asy
import pytest

HAS_EAGER_TASKS = sys.version_info >= (3, 12)

Way = tuple[str, bool]  # how a task is made: of the "own" kind of its loop or "asyncio"'s; eagerly or not
WAYS: "list[Way]" = [("own", False), ("own", True), ("asyncio", False), ("asyncio", True)]


def name_of_current() -> "str | None":
    """Return the name of the task that asyncio says is running."""
    task = asyncio.current_task()
    return task.get_name() if task else None


class Nesting:
    """Tasks that make one another, each in its own way, and note which task is the current one."""

    def __init__(self, own: Any, loop: Any, ways: "tuple[Way, ...]") -> None:
        self.own = own
        self.loop = loop
        self.ways = ways
        self.trace: list[Any] = []

    def make(self, way: Way, coroutine: Any, name: str) -> Any:
        """Make a task."""
        kind, eager = way
        task_class = self.own if kind == "own" else asyncio.Task
        options = {"eager_start": True} if eager else {}
        return task_class(coroutine, loop=self.loop, name=name, **options)

    def note(self, *values: Any) -> None:
        """Leave a trace, with the task that is current."""
        self.trace.append((*values, name_of_current()))

    async def level(self, depth: int) -> None:
        """Make the next task, wait for it, or at the last level for an iteration."""
        self.note("begins", depth)
        if depth == len(self.ways):
            await asyncio.sleep(0)
        else:
            task = self.make(self.ways[depth], self.level(depth + 1), f"task {depth + 1}")
            self.note("has made", depth, task.done())
            await task
        self.note("ends", depth)

    def run(self) -> "list[Any]":
        """Run it all; return the trace."""
        self.loop.run_until_complete(self.make(("own", False), self.level(0), "task 0"))
        self.trace.append((asyncio.current_task(self.loop), asyncio.all_tasks(self.loop)))
        self.loop.close()
        return self.trace


@pytest.mark.skipif(not HAS_EAGER_TASKS, reason="not run: eager tasks are of 3.12")
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_tasks_of_both_kinds_start_in_one_another_as_asyncios_do(depth: int) -> None:
    for ways in itertools.product(WAYS, repeat=depth):
        theirs = Nesting(asyncio.Task, asyncio.new_event_loop(), ways).run()
        ours = Nesting(asy.Task, asy.new_native_event_loop(), ways).run()
        assert ours == theirs, ways


@pytest.mark.parametrize("outer", [asyncio.Task, asy.Task])
def test_outer_task_of_either_kind_is_current_again_after_an_eager_start(outer: Any) -> None:
    loop: Any = asy.new_native_event_loop()
    seen: list[Any] = []

    async def inner() -> None:
        seen.append(name_of_current())

    async def main() -> None:
        asy.Task(inner(), loop=loop, name="inner", eager_start=True)
        seen.append(name_of_current())
        await asyncio.sleep(0)
        seen.append(name_of_current())

    loop.run_until_complete(outer(main(), loop=loop, name="outer"))
    assert seen == ["inner", "outer", "outer"] and asyncio.current_task(loop) is None
    loop.close()


def test_eager_start_in_a_callback_leaves_no_task_current() -> None:
    loop: Any = asy.new_native_event_loop()
    seen: list[Any] = []

    async def inner() -> None:
        seen.append(name_of_current())
        await asyncio.sleep(0)
        seen.append(name_of_current())

    def callback() -> None:
        seen.append(asy.Task(inner(), loop=loop, name="inner", eager_start=True))
        seen.append(name_of_current())

    loop.call_soon(callback)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.run_until_complete(seen[1])
    assert [seen[0], *seen[2:]] == ["inner", None, "inner"]
    loop.close()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("outer", [asyncio.Task, asy.Task])
def test_outer_task_is_current_again_whatever_the_eager_step_raises(
    outer: Any, error: "type[BaseException]"
) -> None:
    loop: Any = asy.new_native_event_loop()

    async def inner() -> None:
        raise error

    async def main() -> "tuple[Any, Any]":
        raised = None
        try:
            task = asy.Task(inner(), loop=loop, eager_start=True)
            assert isinstance(task.exception(), error)
        except KeyboardInterrupt as exc:
            raised = type(exc)
        return raised, name_of_current()

    loop.set_exception_handler(lambda *args: None)
    raised = KeyboardInterrupt if error is KeyboardInterrupt else None
    assert loop.run_until_complete(outer(main(), loop=loop, name="outer")) == (raised, "outer")
    assert asyncio.current_task(loop) is None
    loop.close()


def test_task_whose_context_is_entered_is_not_started_and_the_outer_one_goes_on() -> None:
    loop: Any = asy.new_native_event_loop()

    async def inner() -> None: ...

    async def main() -> "tuple[str, Any]":
        current: Any = asyncio.current_task()
        coroutine = inner()
        with pytest.raises(RuntimeError, match="cannot enter context") as caught:
            asy.Task(coroutine, loop=loop, context=current.get_context(), eager_start=True)
        coroutine.close()
        await asyncio.sleep(0)
        return type(caught.value).__name__, name_of_current()

    task = asy.Task(main(), loop=loop, name="outer")
    assert loop.run_until_complete(task) == ("RuntimeError", "outer")
    loop.close()


@pytest.mark.skipif(not HAS_EAGER_TASKS, reason="not run: eager tasks are of 3.12")
@pytest.mark.parametrize("make", [asyncio.new_event_loop, asy.new_native_event_loop])
def test_factory_of_eager_tasks_runs_a_child_to_its_first_wait(make: "Callable[[], Any]") -> None:
    own: Any = asy.Task if make is asy.new_native_event_loop else asyncio.Task
    loop: Any = make()
    notes: list[str] = []
    loop.set_task_factory(
        lambda loop, coroutine, **options: own(coroutine, **{**options, "loop": loop, "eager_start": True})
    )

    async def child() -> str:
        notes.append("child begins")
        await asyncio.sleep(0)
        notes.append("child ends")
        return "result"

    async def parent() -> None:
        task = asyncio.create_task(child())
        notes.append("parent has made the task")
        notes.append(await task)

    loop.run_until_complete(parent())
    assert notes == ["child begins", "parent has made the task", "child ends", "result"]
    loop.close()
