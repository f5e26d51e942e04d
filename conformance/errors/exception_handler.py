# SPDX-License-Identifier: MIT
"""The exception handler: installing it, asking for it, calling it, and the context in which it runs."""

import asyncio
import contextvars
import gc

from loopcheck_target import scenario

origin = contextvars.ContextVar("origin", default="nowhere")


def fail():
    raise LookupError("on purpose")


def run_batch(loop):
    """Run the callbacks that are scheduled now."""
    loop.call_soon(loop.stop)
    loop.run_forever()


@scenario(
    statements=[
        "set_exception_handler.custom",
        "set_exception_handler.loop-arg",
        "set_exception_handler.context-dict",
    ]
)
def handler_gets_the_loop_and_a_dictionary(loop, trace):
    """The handler is called once for an error, with the loop and a dictionary of details."""

    def handler(*args):
        trace("handler", len(args), args[0] is loop, type(args[1]), args[1].get("exception"))

    loop.set_exception_handler(handler)
    loop.call_soon(fail)
    run_batch(loop)
    trace("stopped")


@scenario(statements=["get_exception_handler.value", "get_exception_handler.default-none"])
def handler_can_be_asked_for(loop, trace):
    """get_exception_handler() returns the handler in force, None when no custom one is set."""

    def handler(loop, context):
        trace("handler")

    trace("at first", loop.get_exception_handler())
    loop.set_exception_handler(handler)
    trace("installed", loop.get_exception_handler() is handler)
    loop.set_exception_handler(None)
    trace("removed", loop.get_exception_handler())


@scenario(statements=["set_exception_handler.custom", "get_exception_handler.default-none"])
def handler_belongs_to_one_loop(new_event_loop, trace):
    """A handler is used for the errors of the loop that it was set on; another loop has none."""
    one, other = new_event_loop(), new_event_loop()
    one.set_exception_handler(lambda loop, context: trace("handler", loop is one))
    trace("other", other.get_exception_handler())
    for loop in (one, other):
        loop.call_soon(fail)
        run_batch(loop)
    trace("stopped")


@scenario(statements=["call_exception_handler.calls-current"])
def handler_in_force_is_called(loop, trace):
    """An error goes to the handler that is current when it happens."""
    loop.set_exception_handler(lambda loop, context: trace("first handler", context["exception"]))
    loop.call_soon(fail)
    loop.call_soon(loop.set_exception_handler, lambda loop, context: trace("second handler"))
    loop.call_soon(fail)
    run_batch(loop)


@scenario(statements=["call_exception_handler.calls-current"])
def call_exception_handler_passes_its_dictionary(loop, trace):
    """call_exception_handler() calls the handler at once, with the very dictionary that it was given."""
    given = {"message": "by hand", "key of our own": 1}
    loop.set_exception_handler(lambda loop, context: trace("handler", context is given, context))
    trace("before")
    loop.call_exception_handler(given)
    trace("after")


@scenario(statements=["set_exception_handler.bad"])
def handler_must_be_callable(loop, trace):
    """What cannot be called is refused, and the handler in force stays."""

    def handler(loop, context):
        trace("handler")

    loop.set_exception_handler(handler)
    for bad in (42, "a name"):
        try:
            loop.set_exception_handler(bad)
        except Exception as exc:
            trace("refused", exc)
    trace("still the same", loop.get_exception_handler() is handler)


@scenario(statements=["set_exception_handler.runs-in-context"])
def handler_runs_in_the_context_of_the_handle(loop, trace):
    """When a callback fails, the handler runs in the context of its Handle."""
    context_of_callback = contextvars.copy_context()
    context_of_callback.run(origin.set, "callback")
    loop.set_exception_handler(lambda loop, context: trace("handler", origin.get()))
    loop.call_soon(fail, context=context_of_callback)
    loop.call_soon(fail)
    run_batch(loop)
    trace("outside", origin.get())


@scenario(statements=["set_exception_handler.runs-in-context"])
def handler_runs_in_the_context_of_the_task(loop, trace):
    """When a Task is the origin of a report, the handler runs in the Task's context."""

    async def work():
        origin.set("task")
        raise LookupError("on purpose")

    loop.set_exception_handler(lambda loop, context: trace("handler", origin.get()))
    task = loop.create_task(work())
    loop.run_until_complete(asyncio.wait([task]))
    loop.call_exception_handler({"message": "by hand", "task": task})
    del task
    gc.collect()  # its exception was never retrieved: another report
    trace("outside", origin.get())
