# SPDX-License-Identifier: MIT
"""What exception handlers see: the exception being handled, contexts, and texts of any kind.

What takes ``new_loop`` holds for asyncio's loop too.
"""

import contextvars
import sys
from collections.abc import Callable
from typing import Any

import pytest

SINCE_3_12 = sys.version_info >= (3, 12)


def divide() -> None:
    """Fail."""
    raise ZeroDivisionError


def run(loop: Any, *callbacks: "Callable[[], object]") -> None:
    """Run the callbacks and close the loop."""
    for callback in callbacks:
        loop.call_soon(callback)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()


class WithDefaultHandler:
    """A loop that keeps what its default exception handler gets, and what is being handled then."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Any, Any]] = []

    def default_exception_handler(self, context: Any) -> None:
        """Keep the context."""
        self.seen.append((context, sys.exc_info()[1]))


def with_default_handler(new_loop: "Callable[[], Any]") -> Any:
    """Return a new loop of a class derived from that of new_loop()."""
    plain = new_loop()
    plain.close()
    return type("Derived", (WithDefaultHandler, type(plain)), {})()


def test_exception_handler_runs_inside_the_except_clause(new_loop: "Callable[[], Any]") -> None:
    loop = new_loop()
    seen: list[Any] = []
    loop.set_exception_handler(lambda _, context: seen.extend([context["exception"], sys.exc_info()[1]]))
    run(loop, divide, lambda: seen.append(sys.exc_info()[1]))
    assert isinstance(seen[0], ZeroDivisionError) and seen[1] is seen[0] and seen[2] is None
    assert sys.exc_info()[1] is None


def test_exception_that_was_handled_before_the_run_is_so_afterwards(new_loop: "Callable[[], Any]") -> None:
    loop = new_loop()
    loop.set_exception_handler(lambda _, context: None)
    try:
        raise LookupError
    except LookupError as error:
        run(loop, divide)
        assert sys.exc_info()[1] is error


def test_default_exception_handler_runs_inside_the_except_clause(new_loop: "Callable[[], Any]") -> None:
    loop = with_default_handler(new_loop)
    run(loop, divide)
    ((context, handled),) = loop.seen
    assert isinstance(handled, ZeroDivisionError) and handled is context["exception"]


def test_bare_raise_of_a_handler_raises_the_exception_of_the_callback(new_loop: "Callable[[], Any]") -> None:
    def reraise(_: Any, context: Any) -> None:
        raise  # noqa: PLE0704 - what it raises is the question

    loop = with_default_handler(new_loop)
    loop.set_exception_handler(reraise)
    run(loop, divide)
    ((context, handled),) = loop.seen
    assert context["exception"] is context["context"]["exception"] is handled


def test_exception_of_a_handler_has_that_of_the_callback_as_context(new_loop: "Callable[[], Any]") -> None:
    def fail(_: Any, context: Any) -> None:
        raise LookupError

    loop = with_default_handler(new_loop)
    loop.set_exception_handler(fail)
    run(loop, divide)
    ((context, handled),) = loop.seen
    assert isinstance(context["exception"], LookupError) and handled is context["exception"]
    assert isinstance(handled.__context__, ZeroDivisionError)


def test_nothing_is_handled_while_a_program_reports(new_loop: "Callable[[], Any]") -> None:
    loop = new_loop()
    seen: list[Any] = []
    loop.set_exception_handler(lambda _, context: seen.append(sys.exc_info()[1]))
    loop.call_exception_handler({"message": "m", "exception": ValueError()})
    loop.close()
    assert seen == [None]


def test_error_of_the_loop_has_the_exception_being_handled_as_context(new_loop: "Callable[[], Any]") -> None:
    loop = new_loop()
    loop.close()
    with pytest.raises(RuntimeError, match="Event loop is closed") as caught:
        try:
            raise LookupError
        except LookupError:
            loop.call_soon(print)
    assert isinstance(caught.value.__context__, LookupError)


class Subject:
    """A task, for a report: its context is what it is made with, or raised if that is an exception."""

    def __init__(self, own: Any) -> None:
        self.own = own

    def get_context(self) -> Any:
        """Return or raise it."""
        if isinstance(self.own, BaseException):
            raise self.own
        return self.own


VARIABLE: "contextvars.ContextVar[str]" = contextvars.ContextVar("VARIABLE", default="outside")


@pytest.mark.parametrize("key", ["task", "future", "handle"])
def test_handler_runs_in_the_context_of_the_subject_since_3_12(
    new_loop: "Callable[[], Any]", key: str
) -> None:
    own = contextvars.copy_context()
    own.run(VARIABLE.set, "inside")
    seen: list[str] = []
    loop = new_loop()
    loop.set_exception_handler(lambda _, context: seen.append(VARIABLE.get()))
    for subject in (Subject(own), Subject(None), Subject("cannot run anything"), object()):
        loop.call_exception_handler({"message": "m", key: subject})
    loop.close()
    assert seen == ["inside" if SINCE_3_12 else "outside", "outside", "outside", "outside"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_fatal_error_of_get_context_comes_out_since_3_12(
    new_loop: "Callable[[], Any]", error: "type[BaseException]"
) -> None:
    seen: list[Any] = []
    loop = new_loop()
    loop.set_exception_handler(lambda _, context: seen.append(context))
    raised = None
    try:
        loop.call_exception_handler({"message": "m", "task": Subject(error())})
    except (KeyboardInterrupt, SystemExit) as caught:
        raised = type(caught)
    loop.close()
    assert (raised, len(seen)) == ((error, 0) if SINCE_3_12 else (None, 1))


def test_error_of_get_context_goes_to_the_default_handler_since_3_12(new_loop: "Callable[[], Any]") -> None:
    seen: list[Any] = []
    error = LookupError()
    report = {"message": "m", "task": Subject(error)}
    loop = with_default_handler(new_loop)
    loop.set_exception_handler(lambda _, context: seen.append(context))
    loop.call_exception_handler(report)
    loop.close()
    if SINCE_3_12:
        ((context, handled),) = loop.seen
        assert seen == [] and handled is error
        assert context["context"] is report and context["exception"] is error
    else:
        assert seen == [report] and loop.seen == []


@pytest.mark.parametrize(
    "text",
    ["a\0b", "\0", b"caf\xe9".decode("utf-8", "surrogateescape"), "caf\u00e9 \U0001f600"],
)
def test_message_shows_any_text(new_loop: "Callable[[], Any]", text: str) -> None:
    class Callback:
        def __call__(self) -> None:
            raise ValueError

        def __repr__(self) -> str:
            return text

    messages: list[str] = []
    loop = new_loop()
    loop.set_exception_handler(lambda _, context: messages.append(context["message"]))
    run(loop, Callback())
    assert messages == [f"Exception in callback {text}()"]


def test_log_shows_any_text(new_loop: "Callable[[], Any]", caplog: pytest.LogCaptureFixture) -> None:
    name = b"caf\xe9.py".decode("utf-8", "surrogateescape")
    namespace: dict[str, Any] = {}
    exec(compile("def slow(): pass", name, "exec"), namespace)
    loop = new_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0
    run(loop, namespace["slow"])
    assert [record for record in caplog.records if f"slow() at {name}:1" in record.getMessage()]


def test_text_with_other_surrogates_is_shown_with_escapes(loop: Any) -> None:
    class Callback:
        def __call__(self) -> None:
            raise ValueError

        def __repr__(self) -> str:
            return "a\ud800b"

    messages: list[str] = []
    loop.set_exception_handler(lambda _, context: messages.append(context["message"]))
    loop.call_soon(Callback())
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert messages == ["Exception in callback a\\ud800b()"]
