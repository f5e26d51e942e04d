# SPDX-License-Identifier: MIT
"""Futures and tasks of a native loop: the library's, with the whole surface of asyncio's."""

import asyncio
import contextvars
import gc
import operator
import os
import subprocess
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asy
import pytest

PACKAGE = Path(asy.__file__).parents[1]
SINCE_312 = sys.version_info >= (3, 12)
BEFORE_313 = sys.version_info < (3, 13)  # where the answer to a StopIteration changed in a patch release


@pytest.fixture
def loop() -> "Iterator[Any]":
    """A native loop that is closed after the test."""
    loop = asy.new_native_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def reports(loop: Any) -> "list[dict[str, Any]]":
    """What reaches the loop's exception handler."""
    reports: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda loop, context: reports.append(context))
    return reports


def run_some(loop: Any, iterations: int = 3) -> None:
    """Run a few iterations."""
    for _ in range(iterations):
        loop.call_soon(loop.stop)
        loop.run_forever()


async def returning(value: Any, waits: int = 0) -> Any:
    """A coroutine that lets others run, and returns."""
    for _ in range(waits):
        await asyncio.sleep(0)
    return value


async def raising(error: BaseException) -> Any:
    """A coroutine that raises."""
    raise error


# ---- the same as asyncio's -------------------------------------------------------------------------------


def test_random_coroutines_agree_in_iteration_and_event() -> None:
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("random_coroutines.py")), "400"]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("ours", "theirs"), [(asy.Future, asyncio.Future), (asy.Task, asyncio.Task)])
def test_every_public_name_of_asyncios_is_there(ours: type, theirs: type) -> None:
    assert {name for name in dir(theirs) if not name.startswith("_")} <= set(dir(ours))


def both_kinds() -> "list[Any]":
    return [
        pytest.param(asyncio.new_event_loop, id="asyncio"),
        pytest.param(asy.new_native_event_loop, id="asy"),
    ]


def answer(call: "Callable[[], Any]") -> "tuple[str, str]":
    """Return what a call returns or raises, as text."""
    try:
        return "returns", repr(call())
    except BaseException as exc:
        return type(exc).__qualname__, str(exc)


def test_answers_of_a_future_are_those_of_asyncios() -> None:
    found = [list(answers_of_futures(make())) for make in (asyncio.new_event_loop, asy.new_native_event_loop)]
    assert found[0] == found[1]


def answers_of_futures(loop: Any) -> "Iterator[Any]":
    """Ask a pending, a finished, a failed and a cancelled future everything."""

    def settings() -> "Iterator[Any]":
        yield lambda future: None
        yield lambda future: future.set_result((1, 2))
        yield lambda future: future.set_exception(ValueError("no"))
        yield lambda future: future.set_exception(ValueError)
        yield lambda future: future.cancel()
        yield lambda future: future.cancel(msg="why")

    asked: list[Callable[[Any], Any]] = [
        lambda future: (future.done(), future.cancelled()),
        operator.methodcaller("result"),
        operator.methodcaller("exception"),
        lambda future: future.set_exception(3),
        lambda future: future.set_exception(int),
        lambda future: None if BEFORE_313 else future.set_exception(StopIteration(3)),
        lambda future: future.set_result(None),
        lambda future: future.cancel("again"),
        lambda future: future.remove_done_callback(print),
        lambda future: future.add_done_callback(print, context=None),
        lambda future: future.remove_done_callback(print),
        lambda future: future.get_loop() is loop,
        lambda future: next(iter(future)) is future,
        lambda future: future.__await__().throw(KeyError(1)),
        lambda future: future.__await__().close(),
        lambda future: future._state,
        lambda future: future._callbacks is None or len(future._callbacks),
        lambda future: future._log_traceback,
        lambda future: setattr(future, "_log_traceback", True),
        operator.methodcaller("_make_cancelled_error"),
        lambda future: future._cancel_message,
        lambda future: future._asyncio_future_blocking,
        asyncio.isfuture,
        repr,
        lambda future: type(future)[int].__args__,
        lambda future: (setattr(future, "mine", 1), future.mine),
    ]
    for setting in settings():
        for question in asked:
            future = loop.create_future()
            setting(future)
            yield answer(lambda future=future, question=question: question(future))
            future._log_traceback = False
            future.remove_done_callback(print)
    loop.close()


def test_answers_of_a_task_are_those_of_asyncios() -> None:
    found = [list(answers_of_tasks(make())) for make in (asyncio.new_event_loop, asy.new_native_event_loop)]
    assert found[0] == found[1]


def answers_of_tasks(loop: Any) -> "Iterator[Any]":
    """Ask tasks in several states everything."""

    async def waiting() -> Any:
        await loop.create_future()

    states = (
        (waiting, 0),
        (waiting, 1),
        (lambda: returning(1), 1),
        (lambda: raising(ValueError("no")), 1),
        (lambda: raising(asyncio.CancelledError("no")), 1),
    )
    asked: list[Callable[[Any], Any]] = [
        lambda task: (task.done(), task.cancelled()),
        operator.methodcaller("result"),
        operator.methodcaller("exception"),
        lambda task: task.set_result(1),
        lambda task: task.set_exception(ValueError()),
        lambda task: (
            task.cancelling(),
            task.uncancel(),
            task.cancel("x"),
            task.cancelling(),
            task.uncancel(),
        ),
        lambda task: (task.cancel(), task.cancel(msg=1), task.cancelling(), task._must_cancel),
        operator.methodcaller("get_name"),
        lambda task: (task.set_name(7), task.get_name()),
        lambda task: asyncio.iscoroutine(task.get_coro()),
        lambda task: type(task.get_context()) if SINCE_312 else None,
        lambda task: [frame.f_code.co_name for frame in task.get_stack()],
        lambda task: [frame.f_code.co_name for frame in task.get_stack(limit=1)],
        lambda task: (task._coro is task.get_coro(), task._must_cancel, task._log_destroy_pending),
        lambda task: task._fut_waiter,
        repr,
    ]
    for question in asked:
        for make, iterations in states:
            task = loop.create_task(make(), name="the name")
            run_some(loop, iterations)
            text = answer(lambda task=task, question=question: question(task))
            yield [part.replace("TaskWakeupMethWrapper", "").split(" cb=")[0] for part in text]
            task._log_traceback = False
            task.cancel()
            run_some(loop)
    loop.close()


# ---- futures ---------------------------------------------------------------------------------------------


def test_callbacks_get_the_future_in_their_order_and_their_context(loop: Any) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="outside")
    context = contextvars.copy_context()
    context.run(variable.set, "inside")
    seen: list[Any] = []
    future = loop.create_future()
    future.add_done_callback(lambda done: seen.append((done is future, variable.get())))
    future.add_done_callback(lambda done: seen.append((done is future, variable.get())), context=context)
    future.set_result(None)
    assert seen == []
    run_some(loop, 1)
    assert seen == [(True, "outside"), (True, "inside")]


def test_remove_done_callback_compares_and_survives_what_comparing_does(loop: Any) -> None:
    future = loop.create_future()

    class Equal:
        def __call__(self, future: Any) -> None: ...

        def __eq__(self, other: object) -> bool:
            future.add_done_callback(print)
            if other is broken:
                raise LookupError("eq")
            return True

        __hash__ = None  # type: ignore[assignment]

    broken = object()
    future.add_done_callback(Equal())
    with pytest.raises(LookupError):
        future.remove_done_callback(broken)
    assert future.remove_done_callback(max) >= 1
    assert Equal  # the class outlives the comparison


def test_exception_comes_back_as_the_same_object_and_its_traceback_does_not_grow(loop: Any) -> None:
    future = loop.create_future()
    error = ValueError("the one")
    future.set_exception(error)
    for _ in range(3):
        with pytest.raises(ValueError) as caught:
            future.result()
        assert caught.value is error
    depth = 0
    traceback: Any = error.__traceback__
    while traceback:
        traceback, depth = traceback.tb_next, depth + 1
    assert depth <= 2
    assert future.exception() is error


def test_forgotten_exception_is_reported_with_the_future(loop: Any, reports: "list[dict[str, Any]]") -> None:
    future = loop.create_future()
    future.set_exception(ValueError("forgotten"))
    text = repr(future)
    del future
    gc.collect()
    (report,) = reports
    assert report["message"] == "Future exception was never retrieved"
    assert repr(report["exception"]) == "ValueError('forgotten')" and repr(report["future"]) == text
    reports.clear()
    del report
    gc.collect()
    assert reports == []


def test_future_of_debug_mode_knows_where_it_was_made(loop: Any, reports: "list[dict[str, Any]]") -> None:
    loop.set_debug(True)
    future = loop.create_future()
    assert future._source_traceback[-1].name == "test_future_of_debug_mode_knows_where_it_was_made"
    assert "created at" in repr(future)
    future.set_exception(ValueError())
    del future
    assert reports[0]["source_traceback"][-1].filename == __file__
    loop.set_debug(False)


def test_future_needs_a_loop_of_asy(loop: Any) -> None:
    other = asyncio.new_event_loop()
    with pytest.raises(TypeError, match="needs an event loop of asy"):
        asy.Future(loop=other)
    other.close()
    assert asy.Future(loop=loop).get_loop() is loop


def test_futures_are_no_base_types() -> None:
    for base in (asy.Future, asy.Task):
        with pytest.raises(TypeError):
            type("Derived", (base,), {})


def test_future_has_attributes_and_weak_references(loop: Any) -> None:
    future = loop.create_future()
    future.mine = future
    end = weakref.ref(future)
    del future
    gc.collect()
    assert end() is None


@pytest.mark.skipif(SINCE_312, reason="not run: from 3.12 on it is wrapped")
def test_stop_iteration_is_refused(loop: Any) -> None:
    future = loop.create_future()
    with pytest.raises(TypeError, match="StopIteration interacts badly"):
        future.set_exception(StopIteration())
    assert not future.done()


# ---- tasks -----------------------------------------------------------------------------------------------


def test_task_of_asyncio_waits_for_a_native_future_and_the_other_way_round(loop: Any) -> None:
    native = loop.create_future()
    theirs = asyncio.Future(loop=loop)
    trace: list[Any] = []

    async def wait_for(future: Any, name: str) -> None:
        trace.append((name, await future))

    tasks = [
        asyncio.Task(wait_for(native, "asyncio.Task"), loop=loop),
        loop.create_task(wait_for(theirs, "Task")),
    ]
    run_some(loop, 1)
    native.set_result(1)
    theirs.set_result(2)
    run_some(loop, 1)  # one hop, in both directions
    assert trace == [("asyncio.Task", 1), ("Task", 2)]
    assert all(task.done() for task in tasks)


def test_cancelling_reaches_a_foreign_future_with_its_message(loop: Any) -> None:
    class Foreign:
        _asyncio_future_blocking = False
        cancelled_with: Any = None

        def __await__(self) -> Any:
            self._asyncio_future_blocking = True
            yield self

        def get_loop(self) -> Any:
            return loop

        def add_done_callback(self, function: Any, *, context: Any) -> None:
            self.callback, self.context = function, context

        def cancel(self, msg: Any = None) -> bool:
            self.cancelled_with = msg
            return True

        def result(self) -> Any:
            raise error

    async def main() -> Any:
        await foreign

    foreign, error = Foreign(), asyncio.CancelledError("mine")
    task = loop.create_task(main())
    run_some(loop, 1)
    assert task._fut_waiter is foreign and foreign.context is task.get_context()
    assert not foreign._asyncio_future_blocking
    assert task.cancel("message") and foreign.cancelled_with == "message"
    loop.call_soon(foreign.callback, foreign, context=foreign.context)
    with pytest.raises(asyncio.CancelledError) as caught:
        loop.run_until_complete(task)
    assert caught.value is error


def test_error_of_a_foreign_futures_method_is_thrown_into_the_coroutine(loop: Any) -> None:
    class Broken:
        _asyncio_future_blocking = True

        def __await__(self) -> Any:
            yield self

        def get_loop(self) -> Any:
            raise LookupError("get_loop")

    async def main() -> str:
        try:
            await Broken()
        except LookupError as exc:
            return str(exc)
        return "nothing"

    assert loop.run_until_complete(main()) == "'get_loop'" or loop.run_until_complete(main()) == "get_loop"


def test_cancelled_error_is_one_object_from_the_coroutine_to_whoever_awaits(loop: Any) -> None:
    error = asyncio.CancelledError("mine")

    async def outer() -> Any:
        try:
            await loop.create_task(raising(error))
        except asyncio.CancelledError as exc:
            return exc

    assert loop.run_until_complete(outer()) is error


def test_task_that_never_began_is_cancelled_without_a_warning(
    loop: Any, recwarn: "pytest.WarningsRecorder"
) -> None:
    task = loop.create_task(returning(1))
    task.cancel("early")
    with pytest.raises(asyncio.CancelledError, match="early"):
        loop.run_until_complete(task)
    del task
    gc.collect()
    assert not [str(each.message) for each in recwarn if "never awaited" in str(each.message)]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_fatal_error_leaves_the_loop_and_stays_in_the_task(loop: Any, error: "type[BaseException]") -> None:
    task = loop.create_task(raising(error("stop")))
    with pytest.raises(error, match="stop"):
        loop.run_forever()
    assert isinstance(task.exception(), error)


def test_task_that_is_destroyed_while_pending_is_reported(loop: Any, reports: "list[dict[str, Any]]") -> None:
    async def forgotten() -> None:
        await loop.create_future()

    loop.create_task(forgotten(), name="forgotten")
    run_some(loop)
    gc.collect()
    (report,) = reports
    assert report["message"] == "Task was destroyed but it is pending!"
    assert report["task"].get_name() == "forgotten" and "future" not in report
    report["task"]._log_destroy_pending = False


def test_task_whose_exception_nobody_looked_at_is_reported(
    loop: Any, reports: "list[dict[str, Any]]"
) -> None:
    loop.create_task(raising(ValueError("forgotten")))
    run_some(loop)
    gc.collect()
    (report,) = reports
    assert report["message"] == "Task exception was never retrieved" and "task" not in report
    assert isinstance(report["future"], asy.Task)


def test_current_and_all_tasks_are_asyncios(loop: Any) -> None:
    seen: list[Any] = []

    async def main() -> None:
        seen.append(asyncio.current_task())
        seen.append(asyncio.all_tasks())

    task = loop.create_task(main())
    assert asyncio.all_tasks(loop) == {task}
    loop.run_until_complete(task)
    assert seen == [task, {task}] and asyncio.all_tasks(loop) == set()
    assert asyncio.current_task(loop) is None


def test_names_are_made_text_and_keep_what_utf_8_cannot_say(loop: Any) -> None:
    tasks = [loop.create_task(returning(1), name=name) for name in (12, "\ud800", "a\0b")]
    assert [task.get_name() for task in tasks] == ["12", "\ud800", "a\0b"]
    loop.run_until_complete(asyncio.gather(*tasks))


def test_what_is_no_coroutine_is_refused(loop: Any) -> None:
    with pytest.raises(TypeError, match="a coroutine was expected, got 3"):
        loop.create_task(3)


def test_coroutine_of_any_class_is_accepted(loop: Any) -> None:
    class Plain:
        sent = 0

        def __await__(self) -> Any:
            return self

        def send(self, value: Any) -> Any:
            self.sent += 1
            if self.sent == 2:
                raise StopIteration(("a", "tuple"))

        def throw(self, *error: Any) -> Any: ...

        def close(self) -> None: ...

    assert loop.run_until_complete(loop.create_task(Plain())) == ("a", "tuple")


def test_print_stack_writes_the_place_where_the_coroutine_stands(loop: Any, tmp_path: Path) -> None:
    task = loop.create_task(returning(1, 9))
    run_some(loop, 1)
    with (tmp_path / "out").open("w") as file:
        task.print_stack(file=file)
    text = (tmp_path / "out").read_text()
    assert text.startswith("Stack for <Task pending") and "in returning" in text
    loop.run_until_complete(task)


@pytest.mark.skipif(not SINCE_312, reason="not run: eager tasks are of 3.12")
def test_eager_task_that_does_not_wait_is_done_at_once_and_lets_its_coroutine_go(loop: Any) -> None:
    async def main() -> Any:
        task = asy.Task(returning(asyncio.current_task), loop=loop, eager_start=True)
        return task.done(), task.get_coro(), asyncio.current_task()

    outer = loop.create_task(main())
    assert loop.run_until_complete(outer) == (True, None, outer)


def test_context_is_the_one_that_was_given(loop: Any) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="outside")
    context = contextvars.copy_context()
    context.run(variable.set, "inside")

    async def main() -> str:
        return variable.get()

    task = loop.create_task(main(), context=context)
    assert task.get_context() is context and loop.run_until_complete(task) == "inside"


def test_task_cannot_await_itself_or_a_future_of_another_loop(loop: Any) -> None:
    other = asy.new_native_event_loop()

    async def itself() -> None:
        await tasks[0]

    async def of_another() -> None:
        await other.create_future()

    tasks = [loop.create_task(itself())]
    with pytest.raises(RuntimeError, match="Task cannot await on itself: <Task pending"):
        loop.run_until_complete(tasks[0])
    with pytest.raises(
        RuntimeError, match=r"Task <Task pending .* got Future <Future pending> attached to a diff"
    ):
        loop.run_until_complete(of_another())
    other.close()


def test_generator_that_yields_what_cannot_be_waited_for_is_told_so(loop: Any) -> None:
    @types.coroutine
    def yields(value: Any) -> Any:
        yield value

    for value, text in [
        (1, "bad yield: 1"),
        (loop.create_future(), "yield was used"),
        (iter([]), "bad yield"),
    ]:
        with pytest.raises(RuntimeError, match=text):
            loop.run_until_complete(yields(value))


# ---- what is left ----------------------------------------------------------------------------------------


def collect() -> "list[Any]":
    gc.collect()
    return [each for each in gc.get_objects() if isinstance(each, (asy.Future, asy.Coroutine, asy.Loop))]


def make_cycles() -> None:
    """Leave a closed loop behind, with futures, callbacks, tasks and exceptions that all lead to one another."""
    loop: Any = asy.new_native_event_loop()
    loop.set_exception_handler(lambda *args: None)

    async def main(other: Any) -> None:
        await other

    future = loop.create_future()
    future.add_done_callback(lambda done: (loop, future))
    task = loop.create_task(main(future))
    failed = loop.create_future()
    failed.set_exception(ValueError(failed))
    failed._log_traceback = False
    future.attribute = [
        future,
        task,
        loop.create_task(main(task)),
        loop.create_task(main(asyncio.Future(loop=loop))),
        loop.create_task(main(asyncio.gather(future, task))),
        failed,
    ]
    run_some(loop)
    loop.call_soon(print, task)
    loop.close()


def test_cycles_of_loop_future_callback_and_task_are_collected() -> None:
    before = len(collect())
    make_cycles()
    assert len(collect()) == before


@pytest.mark.skipif(sys.version_info < (3, 12), reason="not run: from 3.12 on a StopIteration is wrapped")
def test_cycle_through_the_cause_of_an_exception_is_collected() -> None:
    before = len(collect())
    loop = asy.new_native_event_loop()
    future = loop.create_future()
    future.set_exception(StopIteration(future, loop))
    assert type(future.exception().__cause__) is StopIteration
    loop.close()
    del loop, future
    assert len(collect()) == before


def use_native(loop: Any) -> None:
    async def main() -> None:
        await asyncio.gather(*[asyncio.sleep(0) for _ in range(3)])
        with pytest.raises(ValueError):
            await loop.create_task(raising(ValueError()))
        task = loop.create_task(asy.sleep(100))
        await asyncio.sleep(0)
        task.cancel("message")
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(loop.create_future(), 0)

    loop.run_until_complete(main())
    future = loop.create_future()
    future.add_done_callback(print)
    future.remove_done_callback(print)
    future.cancel("text")
    asy.Task(returning(1), loop=loop, name="x", context=contextvars.copy_context())
    run_some(loop)


def test_use_loses_no_memory(loop: Any) -> None:
    uses, growths = 100, []
    for _ in range(12):  # caches fill up in the first rounds
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(uses):
            use_native(loop)
        gc.collect()
        growths.append(sys.getallocatedblocks() - before)
    assert min(growths) < uses / 3, growths


def test_process_ends_in_order_with_everything_still_there() -> None:
    program = """if 1:
        import asyncio, asy
        loop = asy.new_native_event_loop()
        async def main():
            loop.future = loop.create_future()
            loop.tasks = [loop.create_task(asy.sleep(9)), loop.create_task(asyncio.sleep(9))]
            await asyncio.sleep(0)
            loop.cycle = loop
        loop.run_until_complete(main())
        asy.kept = loop, asy.Future(loop=loop)
        print("end")
    """
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE), "PYTHONDEVMODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.returncode, done.stdout) == (0, "end\n"), done.stderr
    assert "Fatal" not in done.stderr
