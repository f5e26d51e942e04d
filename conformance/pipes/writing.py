# SPDX-License-Identifier: MIT
"""connect_write_pipe: what reaches the reader of the pipe, and what happens when there is none any more."""

import asyncio
import contextlib
import os

from loopcheck_target import scenario

NEEDS = ["pipes/write_pipe_sends_what_is_written"]  # each scenario of this file


@contextlib.contextmanager
def new_pipe():
    """The reading and the writing end of a pipe, as file objects, closed at the end."""
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as source, open(writing, "wb", buffering=0) as sink:
        yield source, sink


class Recorder(asyncio.BaseProtocol):
    """A protocol that traces each of its callbacks."""

    def __init__(self, loop, trace):
        self.trace = trace
        self.lost = loop.create_future()

    def connection_made(self, transport):
        self.trace("connection_made")

    def connection_lost(self, exc):
        self.trace("connection_lost", exc)
        self.lost.set_result(None)


async def arrives(future):
    """Wait until the future is done; for a loop that never comes so far, not for ever."""
    await asyncio.wait([future], timeout=5)


async def read_all(loop, source):
    """Return what comes out of the reading end until it is at its end."""
    os.set_blocking(source.fileno(), False)
    received = bytearray()
    ended = loop.create_future()

    def readable():
        data = source.read(100_000)
        received.extend(data)
        if not data:
            loop.remove_reader(source.fileno())
            ended.set_result(None)

    loop.add_reader(source.fileno(), readable)
    await arrives(ended)
    loop.remove_reader(source.fileno())
    return bytes(received)


@scenario(statements=["write_pipe.registers", "write_transport.write"])
async def write_pipe_sends_what_is_written(loop, trace):
    """What is given to write() reaches the reader of the pipe, in its order."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        transport.write(b"some ")
        transport.write(b"data")
        transport.close()
        await arrives(protocol.lost)
        trace("received", await read_all(loop, source))


@scenario(statements=["write_pipe.pair", "write_pipe.factory"])
async def connect_write_pipe_returns_transport_and_protocol(loop, trace):
    """The result is a pair: a transport with the methods for writing, and what the factory has made."""
    made = []

    def factory():
        made.append(Recorder(loop, trace))
        return made[-1]

    with new_pipe() as (_, sink):
        pair = await loop.connect_write_pipe(factory, sink)
        trace("pair", type(pair), len(pair), len(made))
        transport, protocol = pair
        trace("the one that was made", protocol is made[0], transport.get_protocol() is protocol)
        names = ["write", "writelines", "write_eof", "can_write_eof", "abort", "get_write_buffer_size"]
        trace("methods", [callable(getattr(transport, name, None)) for name in names])
        transport.close()
        await arrives(protocol.lost)


@scenario(basis="observed: a StreamWriter and others ask for its methods without looking at its class")
async def transport_of_a_writing_end_can_read_by_its_class(loop, trace):
    """The transport of a writing end is a WriteTransport; by its class it is a ReadTransport, too."""
    with new_pipe() as (_, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        for kind in (asyncio.BaseTransport, asyncio.WriteTransport, asyncio.ReadTransport, asyncio.Transport):
            trace("instance", kind, isinstance(transport, kind))
        transport.close()
        await arrives(protocol.lost)


@scenario(statements=["write_pipe.sets-nonblocking"])
async def connect_write_pipe_makes_the_pipe_nonblocking(loop, trace):
    """A pipe that blocks does not any more afterwards."""
    with new_pipe() as (_, sink):
        trace("blocking", os.get_blocking(sink.fileno()))
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        trace("blocking", os.get_blocking(sink.fileno()))
        transport.close()
        await arrives(protocol.lost)


@scenario(statements=["write_pipe.file-like"])
async def write_pipe_may_be_a_buffered_file(loop, trace):
    """Any file object with a descriptor will do, a buffered one, too."""
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as source, open(writing, "wb") as sink:
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        transport.write(b"data")
        transport.close()
        await arrives(protocol.lost)
        trace("received", await read_all(loop, source))


@scenario(basis="observed: how the steps of connecting are interleaved with what else the loop has to do")
async def connect_write_pipe_takes_two_iterations(loop, trace):
    """connection_made() runs in the next iteration, and the coroutine goes on in the one after that."""
    with new_pipe() as (_, sink):
        connecting = asyncio.ensure_future(loop.connect_write_pipe(lambda: Recorder(loop, trace), sink))
        connecting.add_done_callback(lambda task: trace("connected"))
        for number in range(6):
            trace("iteration", number)
            await asyncio.sleep(0)
        transport, protocol = connecting.result()
        transport.close()
        await arrives(protocol.lost)


@scenario(basis="observed: small answers leave at once, without a turn of the loop")
async def write_tries_to_send_at_once(loop, trace):
    """What fits into the pipe has left when write() returns, even in connection_made()."""

    class Greeting(Recorder):
        def connection_made(self, transport):
            transport.write(b"hello")
            trace("received", source.read(100))

    with new_pipe() as (source, sink):
        os.set_blocking(source.fileno(), False)  # for a loop that sends later
        transport, protocol = await loop.connect_write_pipe(lambda: Greeting(loop, trace), sink)
        transport.write(b"data")
        trace("received", source.read(100), transport.get_write_buffer_size())
        transport.write(bytes(1_000_000))
        trace("more than fits", 0 < transport.get_write_buffer_size() < 1_000_000)
        transport.abort()
        await arrives(protocol.lost)


@scenario(basis="observed: a program that asks is_closing() after write() learns at once that nobody listens")
async def write_without_a_reader_makes_the_transport_closing(loop, trace):
    """The write that fails has made the transport closing when it returns."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        source.close()
        transport.write(b"data")
        trace("closing", transport.is_closing())
        await arrives(protocol.lost)


@scenario(statements=["write_transport.write"])
async def write_takes_more_than_the_pipe_holds(loop, trace):
    """write() returns at once with much more than fits; all of it arrives, in its order."""
    data = [bytes([number]) * 100_000 for number in range(10)]
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        for piece in data:
            transport.write(piece)
        trace("written")
        loop.call_soon(transport.close)
        received = await read_all(loop, source)
        trace("same", received == b"".join(data))
        await arrives(protocol.lost)


@scenario(statements=["write_transport.writelines"])
async def writelines_writes_each_of_them(loop, trace):
    """The reader gets the pieces joined: those of a list, and those of a generator."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        transport.writelines([b"one ", bytearray(b"two "), memoryview(b"three ")])
        transport.writelines(text.encode() for text in ("four ", "five"))
        transport.writelines([])
        transport.close()
        await arrives(protocol.lost)
        trace("received", await read_all(loop, source))


@scenario(statements=["write_transport.write-empty"])
async def writing_nothing_has_no_effect(loop, trace):
    """An empty write, of whatever type, sends nothing and does nothing to what was written."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        for data in (b"", bytearray(), memoryview(b"")):
            transport.write(data)
        trace("size", transport.get_write_buffer_size())
        transport.write(b"data")
        transport.close()
        transport.write(b"")
        await arrives(protocol.lost)
        trace("received", await read_all(loop, source))


@scenario(
    basis="observed: of a pipe, asyncio refuses other types with an assertion, whose argument is the data"
)
async def write_accepts_bytes_only(loop, trace):
    """What is neither bytes nor bytearray nor memoryview is refused, also if it is empty."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        for data in ("text", "", 42, None, [b"bytes"]):
            try:
                transport.write(data)
                trace("accepted", data)
            except Exception as error:
                trace("refused", data, error)
        transport.close()
        await arrives(protocol.lost)
        trace("received", await read_all(loop, source))


@scenario(basis="observed: a program may use its buffer again as soon as write() has returned")
async def data_may_be_changed_after_write(loop, trace):
    """write() keeps what it cannot send yet: what the program does to its buffer then does not matter."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        data = bytearray(b"a" * 200_000)
        transport.write(data)
        data[:] = b"b" * 200_000
        transport.write(memoryview(data)[:10])
        transport.close()
        received = await read_all(loop, source)
        trace("same", received == b"a" * 200_000 + b"b" * 10)
        await arrives(protocol.lost)


@scenario(statements=["write_transport.write-after-close"])
async def write_after_close_is_dropped(loop, trace):
    """What is written after close() does not arrive, and is no error."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        transport.write(b"before")
        transport.close()
        transport.write(b"after")
        await arrives(protocol.lost)
        trace("received", await read_all(loop, source))


@scenario(statements=["write_pipe.reader-gone"])
async def idle_writer_is_told_that_its_reader_is_gone(loop, trace):
    """When the reading end is closed, connection_lost() is called, although nothing is being written."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        source.close()
        await arrives(protocol.lost)
        trace("closing", transport.is_closing())


@scenario(basis="observed: the iteration in which a program gets to know that its reader is gone")
async def reader_that_is_gone_is_told_in_the_next_iteration(loop, trace):
    """One iteration finds that the reading end was closed; connection_lost() runs in the one after that."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        await asyncio.sleep(0)
        source.close()
        for number in range(4):
            trace("iteration", number, transport.is_closing())
            loop.call_soon(trace, "queued in iteration", number)
            await asyncio.sleep(0)
        await arrives(protocol.lost)


@scenario(basis="observed: data that nobody will read are an error, and a pipe that was idle is none")
async def reader_that_is_gone_is_an_error_while_data_wait(loop, trace):
    """With something in the write buffer, connection_lost() gets a BrokenPipeError."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        transport.write(bytes(200_000))
        source.close()
        await arrives(protocol.lost)
        trace("size", transport.get_write_buffer_size())


@scenario(statements=["protocol.connection_lost"])
async def write_without_a_reader_ends_the_transport(loop, trace):
    """write() to a pipe without reader raises nothing; connection_lost() gets the BrokenPipeError, once."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        source.close()
        transport.write(b"data")
        transport.write(b"more")
        await arrives(protocol.lost)
        await asyncio.sleep(0)
        trace("closing", transport.is_closing())


@scenario(basis="observed: the warning comes once a program does not stop writing")
async def writes_to_a_lost_pipe_are_logged_from_the_sixth_on(loop, trace):
    """Without a reader the first five writes are lost in silence; each one after them is logged."""
    with new_pipe() as (source, sink):
        transport, protocol = await loop.connect_write_pipe(lambda: Recorder(loop, trace), sink)
        source.close()
        for number in range(8):
            trace("write", number)
            transport.write(b"data")
        await arrives(protocol.lost)
