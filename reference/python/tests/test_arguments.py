# SPDX-License-Identifier: MIT
"""How methods take their arguments: by position and by name, and what is refused.

What takes ``new_loop`` holds for asyncio's loop too.
"""

import _thread
import asyncio
import fractions
import threading
from collections.abc import Callable
from typing import Any

import pytest

METHODS = [
    ("set_debug", "enabled", True, None),
    ("set_exception_handler", "handler", None, None),
    ("set_task_factory", "factory", None, None),
    ("call_exception_handler", "context", {"message": "m"}, None),
    ("default_exception_handler", "context", {"message": "m"}, None),
    ("remove_reader", "fd", 0, False),
    ("remove_writer", "fd", 0, False),
]


@pytest.mark.parametrize(("method", "name", "value", "result"), METHODS)
def test_only_argument_may_be_given_by_name(
    new_loop: "Callable[[], Any]", method: str, name: str, value: Any, result: Any
) -> None:
    loop = new_loop()
    assert getattr(loop, method)(**{name: value}) is result
    assert getattr(loop, method)(value) is result
    loop.close()


@pytest.mark.parametrize(
    ("method", "name"),
    [*(row[:2] for row in METHODS), ("run_until_complete", "future"), ("create_task", "coro")],
)
def test_wrong_arguments_of_such_methods_are_refused(
    new_loop: "Callable[[], Any]", method: str, name: str
) -> None:
    class_name = "BaseSelectorEventLoop" if name == "fd" else "BaseEventLoop"
    call = getattr(loop := new_loop(), method)
    for args, keywords, text in (
        ((), {}, f"missing 1 required positional argument: '{name}'"),
        ((1, 2), {}, "takes 2 positional arguments but 3 were given"),
        ((1,), {name: 1}, f"got multiple values for argument '{name}'"),
    ):
        with pytest.raises(TypeError) as caught:
            call(*args, **keywords)
        assert str(caught.value) == f"{class_name}.{method}() {text}"
    if method != "create_task":
        with pytest.raises(TypeError, match=rf"{method}\(\) got an unexpected keyword argument 'x'"):
            call(1, x=1)
    loop.close()


def test_coroutine_may_be_given_by_name(new_loop: "Callable[[], Any]") -> None:
    async def answer() -> int:
        return 42

    loop = new_loop()
    first = loop.create_task(name="first", coro=answer(), context=None)
    second = loop.create_task(coro=answer())
    assert loop.run_until_complete(future=first) == loop.run_until_complete(second) == 42
    assert first.get_name() == "first"
    loop.close()


@pytest.mark.parametrize("error", [KeyboardInterrupt, LookupError])
def test_exception_of_time_comes_out_of_call_later(
    new_loop: "Callable[[], Any]", error: "type[BaseException]"
) -> None:
    (plain := new_loop()).close()

    class Loop(type(plain)):  # type: ignore[misc]
        broken = False

        def time(self) -> float:
            if self.broken:
                raise error
            return super().time()  # type: ignore[no-any-return]

    loop = Loop()
    loop.broken = True
    with pytest.raises(error):
        loop.call_later(1, print)
    loop.broken = False
    loop.close()


def test_when_has_the_type_that_time_plus_delay_has(new_loop: "Callable[[], Any]") -> None:
    (plain := new_loop()).close()

    class Loop(type(plain)):  # type: ignore[misc]
        def time(self) -> fractions.Fraction:
            return fractions.Fraction(1000)

    loop = Loop()
    when = loop.call_later(fractions.Fraction(1, 3), print).when()
    assert type(when) is fractions.Fraction and when == fractions.Fraction(3001, 3)
    loop.close()


def test_time_cannot_be_assigned_to_a_loop(loop: Any) -> None:
    with pytest.raises(AttributeError, match=r"override time\(\) in a subclass"):
        loop.time = lambda: 1000.0
    loop.timeout = 1
    assert loop.timeout == 1 and loop.time() != 1000


def test_time_of_a_class_that_overrides_it_may_be_assigned() -> None:
    import asy

    class Loop(asy.EventLoop):
        def time(self) -> float:
            return 1.0

    loop = Loop()  # type: ignore[abstract]
    loop.time = lambda: 1000.0  # type: ignore[method-assign]
    assert loop.call_later(5, print).when() == 1005
    loop.close()


@pytest.mark.parametrize("number", [2**31, 2**40, 2**80])
def test_number_too_large_for_a_descriptor_is_not_watched(new_loop: "Callable[[], Any]", number: int) -> None:
    loop = new_loop()
    assert loop.remove_reader(number) is False and loop.remove_writer(number) is False
    with pytest.raises(OverflowError):
        loop.add_reader(number, print)
    loop.close()
    assert loop.remove_reader(number) is False


@pytest.mark.parametrize("number", [-1, -(2**40), -(2**80)])
def test_negative_number_is_refused(new_loop: "Callable[[], Any]", number: int) -> None:
    loop = new_loop()
    for call in (loop.remove_reader, loop.remove_writer, lambda fd: loop.add_reader(fd, print)):
        with pytest.raises(ValueError, match=f"Invalid file descriptor: {number}"):
            call(number)
    loop.close()


def test_debug_mode_needs_no_python_code_that_calls(new_loop: "Callable[[], Any]") -> None:
    loop = new_loop()
    loop.set_debug(True)
    loop.call_later(10, loop.stop)  # if nothing is scheduled
    contexts: list[Any] = []

    def keep(_: Any, context: Any) -> None:
        contexts.append(context)
        loop.stop()

    loop.set_exception_handler(keep)
    ended = threading.Event()
    _thread.start_new_thread(loop.call_soon_threadsafe, (Fails(ended),))
    loop.run_forever()
    loop.close()
    assert ended.is_set() and "source_traceback" not in contexts[0]
    assert isinstance(contexts[0]["handle"], asyncio.Handle)


class Fails:
    """A callback that sets an event and fails."""

    def __init__(self, event: threading.Event) -> None:
        self.event = event

    def __call__(self) -> None:
        self.event.set()
        raise ValueError
