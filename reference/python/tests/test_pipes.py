# SPDX-License-Identifier: MIT
"""The transports of pipes as Python objects: what the scenarios of conformance/pipes do not ask.

What takes ``either`` holds for asyncio's loop too.
"""

import asyncio
import gc
import os
import sys
import weakref
from typing import Any

import pytest
from pipe_ends import MUCH, Protocol, methods_to_connect, new_pipe, reader, reports_of, run, writer

# ---- the types ---------------------------------------------------------------------------------------------


def types(loop: Any) -> "list[Any]":
    """Return the two types, with the class of asyncio that each derives from."""
    with new_pipe() as (source, sink):
        transports = (reader(loop, source), writer(loop, sink))
        found = [type(each) for each in transports]
        for each in transports:
            each.close()
        run(loop)
    return list(zip(found, (asyncio.ReadTransport, asyncio.Transport), strict=True))


def test_every_public_method_of_asyncios_classes_is_overridden(loop: Any) -> None:
    for type_, base in types(loop):
        names = [name for name in dir(base) if not name.startswith("_")]
        assert len(names) >= 8
        assert [name for name in names if name not in vars(type_)] == []
        assert [name for name in dir(type_) if not name.startswith("_") and name not in names] == []


def test_types_add_their_fields_behind_asyncios_slot(loop: Any) -> None:
    for type_, base in types(loop):
        assert type_.__base__ is base
        assert type_.__basicsize__ > base.__basicsize__
        assert type_.__module__ == "asy"


def test_types_make_no_instances_and_are_no_bases(loop: Any) -> None:
    for type_, _ in types(loop):
        with pytest.raises(TypeError):
            type_()
        with pytest.raises(TypeError):
            type("Derived", (type_,), {})


def test_transport_has_attributes_and_weak_references(either: Any, pipe: Any) -> None:
    transport = writer(either, pipe[1])
    transport.mine = transport
    end = weakref.ref(transport)
    transport.close()
    run(either)
    del transport
    gc.collect()
    assert end() is None


def test_attributes_of_a_transport_are_in_its_dictionary(either: Any, pipe: Any) -> None:
    transport = reader(either, pipe[0])
    transport.mine = 42
    assert vars(transport)["mine"] == transport.__dict__["mine"] == 42
    vars(transport)["other"] = 43
    assert transport.other == 43
    transport.close()
    run(either)


def test_errors_name_the_type_as_asyncio_does(either: Any, pipe: Any) -> None:
    for (connect, end, name, _), unknown in zip(
        methods_to_connect(either, pipe), ("write", "x"), strict=True
    ):
        transport = either.run_until_complete(connect(Protocol, end))[0]
        with pytest.raises(AttributeError, match=f"^'{name}' object has no attribute '{unknown}'"):
            getattr(transport, unknown)
        with pytest.raises(TypeError, match=f"^{name}.set_protocol\\(\\) missing 1 required"):
            transport.set_protocol()
        transport.close()
        run(either)


def test_extra_information_is_a_dictionary_of_the_transport(either: Any, pipe: Any) -> None:
    transport = reader(either, pipe[0])
    assert transport._extra == {"pipe": pipe[0]}
    transport._extra["mine"] = 42
    assert transport.get_extra_info("mine") == transport.get_extra_info(name="mine", default=1) == 42
    assert transport.get_extra_info(("any", "key"), "default") == "default"
    with pytest.raises(TypeError):
        transport.get_extra_info([])
    with pytest.raises(TypeError):
        transport.get_extra_info()
    transport.close()
    run(either)


def test_writer_has_the_methods_for_reading_but_cannot_read(either: Any, pipe: Any) -> None:
    transport = writer(either, pipe[1])
    for name in ("is_reading", "pause_reading", "resume_reading"):
        with pytest.raises(NotImplementedError) as caught:
            getattr(transport, name)()
        assert caught.value.args == ()
    transport.abort()
    run(either)


# ---- arguments ---------------------------------------------------------------------------------------------


def test_arguments_may_be_given_by_name(either: Any, pipe: Any) -> None:
    protocol, other = Protocol(), Protocol()
    transport = writer(either, pipe[1], protocol)
    transport.write(data=b"some")
    transport.writelines(list_of_data=[b" ", b"data"])
    transport.set_write_buffer_limits(low=1, high=2)
    transport.set_protocol(protocol=other)
    assert pipe[0].read(100) == b"some data"
    assert transport.get_protocol() is other
    transport.close()
    run(either)
    assert (protocol.told, other.told) == ([], [None])


def test_wrong_arguments_are_refused(either: Any, pipe: Any) -> None:
    transport = writer(either, pipe[1])
    for call in (
        transport.write,
        lambda: transport.write(b"", b""),
        lambda: transport.write(text=b""),
        lambda: transport.writelines(1),
        lambda: transport.writelines(["text"]),
        transport.set_protocol,
        lambda: transport.set_write_buffer_limits(1, 2, 3),
        lambda: transport.set_write_buffer_limits(high="much"),
    ):
        with pytest.raises(TypeError):
            call()
    transport.close()
    run(either)


@pytest.mark.parametrize("least", [-1, -(2**63) + 1, -(2**63)])
def test_limits_below_zero_are_refused_however_low(either: Any, pipe: Any, least: int) -> None:
    transport = writer(either, pipe[1])
    for limits in ((least, None), (None, least), (least, least), (0, least)):
        with pytest.raises(ValueError, match="must be >= 0"):
            transport.set_write_buffer_limits(*limits)
    assert transport.get_write_buffer_limits() == (16384, 65536)
    transport.close()
    run(either)


def test_limits_are_whole_numbers_of_64_bits(loop: Any, pipe: Any) -> None:
    transport = writer(loop, pipe[1])
    transport.set_write_buffer_limits(high=2**62)
    assert transport.get_write_buffer_limits() == (2**60, 2**62)
    with pytest.raises(TypeError):
        transport.set_write_buffer_limits(high=1.5)
    with pytest.raises(OverflowError):
        transport.set_write_buffer_limits(high=2**64)
    assert transport.get_write_buffer_limits() == (2**60, 2**62)
    transport.close()
    run(loop)


def test_written_data_are_let_go_of(either: Any, pipe: Any) -> None:
    transport = writer(either, pipe[1])
    data = bytearray(MUCH)
    transport.write(data)
    data.clear()
    assert transport.get_write_buffer_size() > 0
    transport.abort()
    run(either)


def test_every_byte_of_a_view_is_written(loop: Any, pipe: Any) -> None:
    transport = writer(loop, pipe[1])
    transport.write(memoryview(b"12345678").cast("I"))
    assert pipe[0].read(100) == b"12345678"
    with pytest.raises(BufferError):
        transport.write(memoryview(b"12345678")[::2])
    assert transport.get_write_buffer_size() == 0
    transport.close()
    run(loop)


# ---- protocols ---------------------------------------------------------------------------------------------


def test_protocol_may_be_none(either: Any, pipe: Any) -> None:
    reports = reports_of(either)
    transport = reader(either, pipe[0])
    transport.set_protocol(None)
    assert transport.get_protocol() is None
    pipe[1].write(b"data")
    run(either)
    assert [str(each["exception"]) for each in reports] == [
        "'NoneType' object has no attribute 'data_received'"
    ]
    transport.set_protocol(Protocol())
    transport.close()
    run(either)


def test_protocol_may_be_replaced_while_it_is_called(either: Any, pipe: Any) -> None:
    class Replacing(Protocol):
        def data_received(self, data: bytes) -> None:
            transport.set_protocol(second)
            ends.append(weakref.ref(self))

    ends: list[Any] = []
    second = Protocol()
    transport = reader(either, pipe[0], Replacing())
    pipe[1].write(b"one")
    run(either)
    gc.collect()
    assert ends[0]() is None
    pipe[1].write(b"two")
    run(either)
    transport.close()
    run(either)
    assert second.told == [b"two", None]


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_exit_in_a_protocol_leaves_the_loop(either: Any, pipe: Any, error: "type[BaseException]") -> None:
    class Leaving(Protocol):
        def data_received(self, data: bytes) -> None:
            raise error

        def pause_writing(self) -> None:
            raise error

    with new_pipe() as (_, sink):
        sending = writer(either, sink, Leaving())
        with pytest.raises(error):
            sending.write(bytes(MUCH))
        sending.abort()
        transport = reader(either, pipe[0], Leaving())
        pipe[1].write(b"data")
        with pytest.raises(error):
            either.run_forever()
        transport.close()
        run(either)


def test_failing_callback_is_reported_with_a_handle(either: Any, pipe: Any) -> None:
    class Failing(Protocol):
        def data_received(self, data: bytes) -> None:
            raise ZeroDivisionError

    reports = reports_of(either)
    transport = reader(either, pipe[0], Failing())
    pipe[1].write(b"data")
    run(either)
    (report,) = reports
    assert sorted(report) == ["exception", "handle", "message"]
    assert report["message"] == "Exception in callback _UnixReadPipeTransport._read_ready()"
    assert isinstance(report["handle"], asyncio.Handle)
    assert repr(report["handle"]) == "<Handle _UnixReadPipeTransport._read_ready()>"
    assert not report["handle"].cancelled()
    reports.clear()
    transport.close()
    run(either)


def test_handle_of_a_callback_that_has_closed_the_transport_is_cancelled(either: Any, pipe: Any) -> None:
    class Closing(Protocol):
        def data_received(self, data: bytes) -> None:
            transport.close()
            raise ZeroDivisionError

    reports = reports_of(either)
    transport = reader(either, pipe[0], Closing())
    pipe[1].write(b"data")
    run(either)
    (report,) = reports
    assert report["message"] == "Exception in callback None()"
    assert repr(report["handle"]) == "<Handle cancelled>"
    assert report["handle"].cancelled()
    reports.clear()


def test_debug_mode_keeps_the_text_of_a_cancelled_handle(either: Any, pipe: Any) -> None:
    class Closing(Protocol):
        def data_received(self, data: bytes) -> None:
            transport.close()
            raise ZeroDivisionError

    reports = reports_of(either)
    transport = reader(either, pipe[0], Closing())
    either.set_debug(True)
    transport.pause_reading()
    transport.resume_reading()
    pipe[1].write(b"data")
    run(either)
    (report,) = reports
    assert report["message"].startswith("Exception in callback None()")
    assert repr(report["handle"]).startswith("<Handle cancelled _UnixReadPipeTransport._read_ready()")
    reports.clear()


@pytest.mark.parametrize("debug", [False, True])
def test_failing_connection_lost_is_reported_with_its_argument(either: Any, debug: bool) -> None:
    class Failing(Protocol):
        def connection_lost(self, exc: "Exception | None") -> None:
            raise ZeroDivisionError

    either.set_debug(debug)
    reports = reports_of(either)
    argument = "None" if debug or sys.version_info < (3, 13) else ""
    with new_pipe() as pipe:
        for connect, end, name, _ in methods_to_connect(either, pipe):
            either.run_until_complete(connect(Failing, end))[0].close()
            run(either)
            callback = f"{name}._call_connection_lost({argument})"
            assert reports[-1]["message"].startswith(f"Exception in callback {callback}")
            assert repr(reports[-1]["handle"]).startswith(f"<Handle {callback}")
    reports.clear()


def test_failing_connection_made_is_reported_by_its_name(either: Any, pipe: Any) -> None:
    class Failing(Protocol):
        def connection_made(self, transport: Any) -> None:
            raise ZeroDivisionError

    reports = reports_of(either)
    transport = reader(either, pipe[0], Failing())
    shown = "<_UnixReadPip" if sys.version_info < (3, 13) else ")"
    name = f"{Failing.__qualname__}.connection_made({shown}"
    assert reports[0]["message"].startswith(f"Exception in callback {name}")
    assert repr(reports[0]["handle"]).startswith(f"<Handle {name}")
    transport.close()
    run(either)


def test_failing_pause_writing_is_being_handled_while_it_is_reported(either: Any, pipe: Any) -> None:
    class Failing(Protocol):
        def pause_writing(self) -> None:
            raise ZeroDivisionError

    handled: list[Any] = []
    either.set_exception_handler(lambda loop, context: handled.append((sys.exc_info()[1], context)))
    protocol = Failing()
    transport = writer(either, pipe[1], protocol)
    transport.write(bytes(MUCH))
    ((exception, context),) = handled
    assert isinstance(exception, ZeroDivisionError) and context["exception"] is exception
    assert context["transport"] is transport and context["protocol"] is protocol
    transport.abort()
    run(either)


def test_streams_work_on_pipes(either: Any, pipe: Any) -> None:
    async def main() -> bytes:
        incoming = asyncio.StreamReader()
        await either.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(incoming), pipe[0])
        made, protocol = await either.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), pipe[1]
        )
        outgoing = asyncio.StreamWriter(made, protocol, None, either)

        async def send() -> None:
            for _ in range(10):
                outgoing.write(bytes(100_000))
                await outgoing.drain()
            outgoing.close()
            await outgoing.wait_closed()

        sending = asyncio.ensure_future(send())
        received = await incoming.read()
        await sending
        return received

    assert either.run_until_complete(main()) == bytes(MUCH)


# ---- the end -----------------------------------------------------------------------------------------------


def test_failing_close_of_the_pipe_is_reported(either: Any) -> None:
    class Failing(Protocol):
        def connection_lost(self, exc: "Exception | None") -> None:
            raise LookupError

    class Pipe:
        def __init__(self, fd: int) -> None:
            self.fd = fd

        def fileno(self) -> int:
            return self.fd

        def close(self) -> None:
            os.close(self.fd)
            handled.append(sys.exc_info()[0])
            raise ZeroDivisionError

    handled: list[Any] = []
    reports = reports_of(either)
    reading, writing = os.pipe()
    transport = reader(either, Pipe(reading), Failing())
    transport.close()
    run(either)
    assert [type(each["exception"]) for each in reports] == [ZeroDivisionError]
    assert type(reports[0]["exception"].__context__) is handled[0] is LookupError
    os.close(writing)
    transport._pipe = None  # asyncio's still has it, and would close it again


def test_forgotten_transport_warns_with_its_text_and_as_the_source(loop: Any, pipe: Any) -> None:
    transport = reader(loop, pipe[0])
    transport.pause_reading()
    text = repr(transport)
    with pytest.warns(ResourceWarning) as caught:
        del transport
    assert [str(each.message) for each in caught] == [f"unclosed transport {text}"]
    assert [type(each.source).__name__ for each in caught] == ["_UnixReadPipeTransport"]
    assert pipe[0].closed


@pytest.mark.filterwarnings("error")
def test_warning_that_is_an_error_does_not_keep_the_pipe_open(
    loop: Any, pipe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: shown.append(unraisable.exc_type))
    transport = reader(loop, pipe[0])
    transport.pause_reading()
    with pytest.raises(ZeroDivisionError):
        try:
            raise ZeroDivisionError
        finally:
            del transport
    assert pipe[0].closed and shown == [ResourceWarning]


def test_transport_of_a_closed_loop_cannot_be_closed_but_forgotten(either: Any, pipe: Any) -> None:
    transport = reader(either, pipe[0])
    either.close()
    with pytest.raises(RuntimeError, match="closed"):
        transport.close()
    assert transport.is_closing()
    with pytest.warns(ResourceWarning, match="unclosed transport"):
        del transport
        gc.collect()
    assert pipe[0].closed
