# SPDX-License-Identifier: MIT
"""Connecting pipes: what is refused, whose the pipe is then, and which methods of the protocol are queued.

What takes ``either`` holds for asyncio's loop too.
"""

import gc
import re
from pathlib import Path
from typing import Any

import asy
import pytest
from pipe_ends import Protocol, methods_to_connect, new_pipe, reader, reports_of, run

# ---- what is refused ---------------------------------------------------------------------------------------


class Unlike:
    """What is no pipe: it has no method fileno(), or a wrong one."""

    def __init__(self, result: Any) -> None:
        self.result = result

    def fileno(self) -> Any:
        return self.result

    def close(self) -> None:
        pass


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("pipe", "error"),
    [
        (0, AttributeError),
        (None, AttributeError),
        (Unlike("text"), TypeError),
        (Unlike(3.0), TypeError),
        (Unlike(2**40), OverflowError),
        (Unlike(-1), OSError),
    ],
)
def test_what_is_no_pipe_is_refused(either: Any, pipe: Any, error: "type[Exception]") -> None:
    for connect in (either.connect_read_pipe, either.connect_write_pipe):
        with pytest.raises(error):
            either.run_until_complete(connect(Protocol, pipe))
    run(either)
    gc.collect()


def test_transport_that_cannot_be_made_closes_the_pipe_when_the_exception_goes(
    either: Any, pipe: Any
) -> None:
    for connect, end, name, buffer in methods_to_connect(either, pipe):
        text = f"unclosed transport <{name} fd={end.fileno()} idle{buffer}>"
        with pytest.warns(ResourceWarning) as caught:
            try:
                either.run_until_complete(connect(object, end))
            except AttributeError as error:
                assert "connection_made" in str(error)
                assert not end.closed and len(caught) == 0
            gc.collect()
        assert end.closed
        assert [str(each.message) for each in caught] == [text]
        run(either)


def test_file_that_is_no_pipe_stays_open(either: Any, tmp_path: Path, recwarn: Any) -> None:
    with open(tmp_path / "file", "w+b") as file:
        for connect in (either.connect_read_pipe, either.connect_write_pipe):
            with pytest.raises(ValueError, match="Pipe transport is"):
                either.run_until_complete(connect(Protocol, file))
        gc.collect()
        assert not file.closed
    assert [str(each.message) for each in recwarn] == []


def test_closed_loop_connects_nothing_but_has_the_pipe(either: Any, pipe: Any) -> None:
    either.close()
    for connect, end, name, _ in methods_to_connect(either, pipe):
        with pytest.warns(ResourceWarning, match=f"unclosed transport <{name} fd={end.fileno()} open>"):
            coroutine = connect(Protocol, end)
            try:
                coroutine.send(None)
            except RuntimeError as error:
                assert "closed" in str(error)
            del coroutine
            gc.collect()
        assert end.closed


def test_loop_that_is_not_initialised_connects_nothing(pipe: Any) -> None:
    with pytest.raises(RuntimeError, match="not initialised"):
        asy.Loop.__new__(asy.Loop)._write_pipe_transport(pipe[1], pipe[1].fileno(), Protocol())
    assert not pipe[1].closed


# ---- methods that are queued --------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_debug_mode_refuses_to_queue_what_cannot_be_called(either: Any) -> None:
    async def coroutine_function(self: Any, transport: Any) -> None:
        pass

    either.set_debug(True)
    for wrong, text in (
        (None, "a callable object was expected by call_soon(), got None"),
        (coroutine_function, "coroutines cannot be used with call_soon()"),
    ):
        protocol = type("Wrong", (Protocol,), {"connection_made": wrong})
        with new_pipe() as pipe:
            for connect, end, _, _ in methods_to_connect(either, pipe):
                with pytest.raises(TypeError, match=re.escape(text)):
                    either.run_until_complete(connect(protocol, end))
    gc.collect()


def test_what_cannot_be_called_is_reported_when_it_is(either: Any, pipe: Any) -> None:
    reports = reports_of(either)
    reader(either, pipe[0], type("Wrong", (Protocol,), {"connection_made": None})()).close()
    run(either)
    assert [str(each["exception"]) for each in reports] == ["'NoneType' object is not callable"]
    assert reports[0]["message"].startswith("Exception in callback None(")


def test_queued_methods_are_those_of_the_moment_when_they_were_queued(either: Any, pipe: Any) -> None:
    class Changing(Protocol):
        @property
        def connection_made(self) -> Any:
            return self.lookup("made")

        @property
        def eof_received(self) -> Any:
            return self.lookup("eof")

        def lookup(self, name: str) -> Any:
            self.told.append(f"lookup {name}")
            count = len(self.told)
            return lambda *args: self.told.append((name, count, len(args)))

    protocol = Changing()
    reader(either, pipe[0], protocol)
    pipe[1].close()
    run(either, 5)
    assert protocol.told == ["lookup made", ("made", 1, 1), "lookup eof", ("eof", 3, 0), None]


def test_method_that_is_replaced_after_it_was_queued_is_called(either: Any, pipe: Any) -> None:
    class Replaced(Protocol):
        def connection_made(self, transport: Any) -> None:
            self.told.append("first")

    protocol = Replaced()
    coroutine = either.connect_read_pipe(lambda: protocol, pipe[0])
    coroutine.send(None)
    protocol.connection_made = lambda transport: protocol.told.append("second")  # type: ignore[method-assign]
    run(either, 1)
    assert protocol.told == ["first"]
    coroutine.close()
    run(either)


def test_result_of_eof_received_means_nothing_to_a_pipe(either: Any, pipe: Any) -> None:
    class Odd(Protocol):
        def __bool__(self) -> bool:
            raise ZeroDivisionError

        def eof_received(self) -> Any:
            return self

    reports = reports_of(either)
    protocol = Odd()
    transport = either.run_until_complete(either.connect_read_pipe(lambda: protocol, pipe[0]))[0]
    pipe[1].close()
    run(either)
    assert (protocol.told, reports, transport.is_closing()) == ([None], [], True)


def test_protocol_without_eof_received_is_not_told_of_the_end(either: Any, pipe: Any) -> None:
    class Without:
        def __init__(self) -> None:
            self.told: list[Any] = []

        def connection_made(self, transport: Any) -> None:
            pass

        def connection_lost(self, exc: Any) -> None:
            self.told.append(exc)

    reports = reports_of(either)
    protocol = Without()
    transport = reader(either, pipe[0], protocol)
    pipe[1].close()
    run(either)
    assert [type(each["exception"]) for each in reports] == [AttributeError]
    assert transport.is_closing() and protocol.told == [] and not pipe[0].closed
    reports.clear()
    with pytest.warns(ResourceWarning, match="unclosed transport"):
        del transport
        gc.collect()
    assert pipe[0].closed
