# SPDX-License-Identifier: MIT
"""Context variables: in which contextvars.Context callbacks, tasks and the exception handler run."""

import asyncio
import contextvars
import gc
import socket
import threading

from loopcheck_target import scenario

variable = contextvars.ContextVar("variable", default="unset")


def context_with(value):
    """Return a copy of the current context in which the variable has this value."""
    context = contextvars.copy_context()
    context.run(variable.set, value)
    return context


def run_for(loop, seconds):
    """Run the loop for a bounded time."""
    loop.call_later(seconds, loop.stop)
    loop.run_forever()


@scenario(
    statements=[
        "call_soon.context-default-current",
        "call_soon.context-custom",
        "call_soon.context-kwonly",
    ]
)
def call_soon_runs_in_its_context(loop, trace, T):
    """A callback runs in the context given by the keyword, else in the one that was current at scheduling."""

    def callback(name, *args):
        trace(name, variable.get(), [type(arg) for arg in args])
        variable.set("changed by " + name)

    variable.set("at scheduling")
    given = context_with("given")
    loop.call_soon(callback, "default")
    loop.call_soon(callback, "keyword", context=given)
    loop.call_soon(callback, "positional", given)
    variable.set("after scheduling")
    run_for(loop, T)
    trace("outside", variable.get())
    trace("in the given context", given[variable])


@scenario(statements=["call_later.context-kwonly", "call_later.context-default", "call_at.context"])
def timers_run_in_their_context(loop, trace, T):
    """call_later() and call_at() run the callback in the given context, else in that of the scheduling."""

    def callback(name):
        trace(name, variable.get())

    variable.set("at scheduling")
    given = context_with("given")
    now = loop.time()
    loop.call_at(now + T, callback, "call_at")
    loop.call_at(now + 2 * T, callback, "call_at with context", context=given)
    loop.call_later(4 * T, callback, "call_later")
    loop.call_later(6 * T, callback, "call_later with context", context=given)
    variable.set("after scheduling")
    run_for(loop, 10 * T)
    trace("stopped")


@scenario(statements=["call_soon_threadsafe.context"])
def call_soon_threadsafe_runs_in_its_context(loop, trace, T):
    """From another thread too, the callback runs in the given context, else in that of the scheduling."""

    def callback(name):
        trace(name, variable.get())

    def schedule(given):
        variable.set("of the thread")
        loop.call_soon_threadsafe(callback, "default")
        loop.call_soon_threadsafe(callback, "keyword", context=given)
        variable.set("after scheduling")
        loop.call_soon_threadsafe(loop.stop)

    variable.set("of the loop")
    thread = threading.Thread(target=schedule, args=(context_with("given"),))
    loop.call_soon(thread.start)
    run_for(loop, 50 * T)
    thread.join()
    trace("outside", variable.get())


@scenario(statements=["add_reader.context"])
def reader_runs_in_the_context_of_add_reader(loop, trace, T):
    """The callbacks of add_reader() and add_writer() run in the context that was current at the call."""
    left, right = socket.socketpair()
    reading, writing = trace.actor("reader"), trace.actor("writer")

    def readable():
        reading("readable", variable.get())
        variable.set("changed by the reader")
        if right.recv(1) == b"b":
            loop.remove_reader(right.fileno())

    def writable():
        writing("writable", variable.get())
        loop.remove_writer(left.fileno())

    with left, right:
        left.send(b"ab")
        variable.set("of the reader")
        loop.add_reader(right.fileno(), readable)
        variable.set("of the writer")
        loop.add_writer(left.fileno(), writable)
        variable.set("later")
        run_for(loop, 5 * T)
        loop.remove_reader(right.fileno())
        loop.remove_writer(left.fileno())


@scenario(statements=["Future.add_done_callback.context"])
def done_callback_runs_in_its_context(loop, trace, T):
    """A done callback runs in the given context, else in that of add_done_callback(), not of set_result()."""
    future = loop.create_future()
    variable.set("at adding")
    future.add_done_callback(lambda _: trace("default", variable.get()))
    future.add_done_callback(lambda _: trace("keyword", variable.get()), context=context_with("given"))
    variable.set("at set_result")
    future.set_result(None)
    future.add_done_callback(lambda _: trace("added when done", variable.get()))
    variable.set("later")
    run_for(loop, T)


@scenario(statements=["create_task.context-default-copy", "Task.context"])
async def task_runs_in_a_copy_of_the_context(loop, trace):
    """Without a context each task runs in a copy of that of its create_task(): what it sets stays inside."""

    async def work(name):
        trace(name, variable.get())
        variable.set("changed by " + name)
        await asyncio.sleep(0)
        trace(name, variable.get())

    tasks = []
    for name in ("first", "second"):
        variable.set("for " + name)
        tasks.append(loop.create_task(work(name)))
    variable.set("after create_task")
    await asyncio.wait(tasks)
    trace("outside", variable.get())


@scenario(statements=["create_task.context"])
def task_runs_in_the_given_context(loop, trace):
    """With the keyword context every step runs in that very context, and the changes stay in it."""

    async def work():
        trace("first step", variable.get())
        variable.set("changed by the task")
        await asyncio.sleep(0)
        trace("second step", variable.get())

    given = context_with("given")
    task = loop.create_task(work(), context=given)
    loop.run_until_complete(task)
    trace("outside", variable.get())
    trace("in the given context", given[variable])


@scenario(statements=["set_exception_handler.runs-in-context"])
def exception_handler_runs_in_the_context_of_the_origin(loop, trace, T):
    """The exception handler runs in the context of the handle or task that it is told about."""

    def handler(_, context):
        trace("handler", type(context["exception"]), variable.get())

    def failing_callback():
        raise ValueError("from a callback")

    async def failing_task():
        raise LookupError("from a task that nobody awaits")

    loop.set_exception_handler(handler)
    variable.set("of the loop")
    loop.call_soon(failing_callback, context=context_with("of the callback"))
    loop.create_task(failing_task(), context=context_with("of the task"))
    run_for(loop, T)
    gc.collect()
    trace("collected")


@scenario(statements=["Handle.get_context"])
def handle_tells_its_context(loop, trace, T):
    """Handle.get_context() returns the context in which the callback will run."""
    variable.set("at scheduling")
    given = context_with("given")
    now = loop.time()
    for name, schedule in (
        ("call_soon", lambda **options: loop.call_soon(trace, "call_soon", **options)),
        ("call_at", lambda **options: loop.call_at(now + T, trace, "call_at", **options)),
    ):
        trace(name + " with context", schedule(context=given).get_context() is given)
        default = schedule()
        trace(name + " without", type(default.get_context()), default.get_context()[variable])
        default.cancel()
    run_for(loop, 2 * T)
