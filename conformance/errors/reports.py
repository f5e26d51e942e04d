# SPDX-License-Identifier: MIT
"""What reaches the exception handler, and with which keys: callbacks, futures, tasks, transports, servers."""

import asyncio
import functools
import gc
import os
import resource
import socket

from loopcheck_target import scenario

KEYS = {"message", "exception", "future", "task", "handle", "protocol", "transport", "socket", "asyncgen"}


def report_to(trace, loop):
    """Trace each report: which of the documented keys it has, and its exception."""

    def handler(loop, context):
        trace("report", sorted(KEYS.intersection(context)), context.get("exception"))

    loop.set_exception_handler(handler)


def fail():
    raise LookupError("on purpose")


def forbid_descriptors():
    """Keep this process from opening anything more; return what allows it again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    return functools.partial(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))


class Failing(asyncio.Protocol):
    """A protocol that cannot stand data."""

    def __init__(self, trace, lost):
        self.trace = trace
        self.lost = lost

    def data_received(self, data):
        self.trace("data_received", data)
        fail()

    def connection_lost(self, exc):
        self.trace("connection_lost", exc)
        self.lost.set_result(None)


class Accepted(asyncio.Protocol):
    """A protocol that closes its connection when it is made."""

    def __init__(self, trace, lost):
        self.trace = trace
        self.lost = lost

    def connection_made(self, transport):
        self.trace("accepted")
        transport.close()

    def connection_lost(self, exc):
        self.lost.set_result(None)


@scenario(statements=["call_soon.exception-isolated"])
def failing_callback_leaves_the_others_running(loop, trace, T):
    """An exception in a callback is reported and stops neither the loop nor later callbacks."""
    report_to(trace, loop)
    loop.call_soon(fail)
    loop.call_soon(trace, "same batch")
    now = loop.time()
    loop.call_at(now + T, trace, "timer")
    loop.call_at(now + 10 * T, loop.stop)
    loop.run_forever()
    trace("stopped")


@scenario(statements=["context.message", "context.exception", "context.handle"])
def failing_callback_is_reported_with_its_handle(loop, trace):
    """The report of a failed callback has a message, the exception itself and the Handle."""
    error = LookupError("on purpose")

    def failing():
        raise error

    def handler(loop, context):
        trace("report", sorted(KEYS.intersection(context)), type(context["message"]))
        trace("identity", context["exception"] is error, context["handle"] is handle)

    loop.set_exception_handler(handler)
    handle = loop.call_soon(failing)
    loop.call_soon(loop.stop)
    loop.run_forever()


@scenario(statements=["context.exception", "context.handle"])
def failing_timer_is_reported_with_its_handle(loop, trace, T):
    """The report of a failed timer has the exception and the TimerHandle that call_at() returned."""

    def handler(loop, context):
        trace("report", context["exception"], context["handle"] is handle)

    loop.set_exception_handler(handler)
    now = loop.time()
    handle = loop.call_at(now + T, fail)
    loop.call_at(now + 10 * T, loop.stop)
    loop.run_forever()


@scenario(statements=["context.message", "context.exception"])
def failing_reader_is_reported(loop, trace, T):
    """A reader that raises is reported, and other callbacks go on."""
    ours, theirs = socket.socketpair()

    def readable():
        trace("read", ours.recv(10))
        fail()

    report_to(trace, loop)
    loop.add_reader(ours.fileno(), readable)
    theirs.send(b"data")
    now = loop.time()
    loop.call_at(now + 5 * T, trace, "timer")
    loop.call_at(now + 15 * T, loop.stop)
    loop.run_forever()
    loop.remove_reader(ours.fileno())
    ours.close()
    theirs.close()


@scenario(statements=["context.message", "context.exception"])
def failing_done_callback_is_reported(loop, trace):
    """A done callback of a Future that raises is reported, and the next one runs."""
    report_to(trace, loop)
    future = loop.create_future()
    future.add_done_callback(lambda future: fail())
    future.add_done_callback(lambda future: trace("second done callback", future.result()))
    future.set_result("result")
    loop.call_soon(loop.stop)
    loop.run_forever()
    trace("stopped")


@scenario(statements=["context.future", "context.exception", "future.never-retrieved"])
def forgotten_exception_of_a_future_is_reported(loop, trace):
    """A Future that goes away with an exception that nobody looked at is reported; a looked-at one is not."""
    report_to(trace, loop)
    for looked_at in (True, False):
        future = loop.create_future()
        future.set_exception(LookupError("on purpose"))
        trace("looked at", looked_at and future.exception())
        del future
        gc.collect()
    trace("collected")


@scenario(statements=["task.never-retrieved"])
def forgotten_exception_of_a_task_is_reported(loop, trace):
    """A task that failed and that nobody awaited is reported when it is collected, not before."""
    report_to(trace, loop)

    async def work():
        fail()

    task = loop.create_task(work())
    loop.run_until_complete(asyncio.wait([task]))
    trace("done", task.done())
    del task
    gc.collect()
    trace("collected")


@scenario(basis="observed: an error that somebody takes care of must not look like a forgotten one")
def awaited_exception_is_not_reported(loop, trace):
    """An exception that comes out of run_until_complete() or of an await does not reach the handler."""
    report_to(trace, loop)

    async def work():
        fail()

    async def careful():
        try:
            await loop.create_task(work())
        except LookupError as exc:
            trace("caught by the task", exc)
        fail()

    try:
        loop.run_until_complete(careful())
    except LookupError as exc:
        trace("caught by the caller", exc)
    gc.collect()
    trace("collected")


@scenario(statements=["context.task"])
def destroyed_pending_task_is_reported(loop, trace):
    """A task that is collected while it is pending is reported under the key task."""
    report_to(trace, loop)

    async def wait_for_nothing():
        await loop.create_future()  # only the task knows this future, and only the future knows the task

    loop.create_task(wait_for_nothing())
    loop.run_until_complete(asyncio.sleep(0))
    trace("waiting")
    gc.collect()
    trace("collected")


@scenario(statements=["context.asyncgen"])
def failing_aclose_is_reported_with_its_generator(loop, trace):
    """A generator that raises when shutdown_asyncgens() closes it is reported under the key asyncgen."""

    async def numbers():
        try:
            yield 1
        finally:
            fail()

    async def first_number():
        return await generator.__anext__()

    def handler(loop, context):
        trace("report", context["exception"], context["asyncgen"] is generator)

    loop.set_exception_handler(handler)
    generator = numbers()
    trace("first", loop.run_until_complete(first_number()))
    loop.run_until_complete(loop.shutdown_asyncgens())
    trace("shut down")


@scenario(statements=["context.protocol", "context.transport"])
def failing_protocol_is_reported_with_its_transport(loop, trace):
    """data_received() that raises is reported with the protocol and the transport."""
    ours, theirs = socket.socketpair()
    lost = loop.create_future()

    def handler(loop, context):
        trace("report", context["exception"])
        trace("identity", context["protocol"] is protocol, context["transport"] is transport)

    loop.set_exception_handler(handler)
    transport, protocol = loop.run_until_complete(
        loop.connect_accepted_socket(lambda: Failing(trace, lost), ours)
    )
    theirs.send(b"data")
    loop.run_until_complete(asyncio.wait([lost], timeout=5))
    theirs.close()


@scenario(statements=["context.socket"], tags=["limits"])
async def server_without_descriptors_is_reported_with_its_socket(loop, trace):
    """accept() that lacks descriptors is reported with the socket; the connection is served later."""
    lost = loop.create_future()
    listener = socket.create_server(("127.0.0.1", 0))
    server = await loop.create_server(lambda: Accepted(trace, lost), sock=listener)

    def handler(loop, context):
        allow_descriptors()
        trace("report", context["exception"], context["socket"].fileno() == listener.fileno())

    loop.set_exception_handler(handler)
    client = socket.create_connection(listener.getsockname())  # waits in the backlog
    allow_descriptors = forbid_descriptors()
    await asyncio.wait([lost], timeout=5)
    allow_descriptors()
    trace("client", client.recv(1))
    client.close()
    server.close()
    await server.wait_closed()
