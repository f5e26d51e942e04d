# SPDX-License-Identifier: MIT
"""The default exception handler: when it is used, and what it logs."""

import logging

from loopcheck_target import scenario


class Records(logging.Handler):
    """Traces each record of the logger `asyncio`: its level, its exception and, if asked, its lines."""

    def __init__(self, trace, lines=False):
        super().__init__()
        self.trace = trace.actor("logger")
        self.lines = lines
        logging.getLogger("asyncio").addHandler(self)

    def emit(self, record):
        exc = record.exc_info[1] if record.exc_info else None
        lines = record.getMessage().splitlines() if self.lines else []
        self.trace("record", record.levelname, exc, *lines)


def fail():
    raise LookupError("on purpose")


def run_batch(loop):
    """Run the callbacks that are scheduled now."""
    loop.call_soon(loop.stop)
    loop.run_forever()


@scenario(statements=["default_exception_handler.used"])
def default_handler_logs_what_no_handler_takes(loop, trace):
    """Without a custom handler each error is reported once, by the default handler."""
    Records(trace)
    loop.call_soon(fail)
    loop.call_soon(trace, "next callback")
    run_batch(loop)
    trace("stopped")


@scenario(statements=["set_exception_handler.none"])
def none_restores_the_default_handler(loop, trace):
    """set_exception_handler(None) restores the default handler, which logs."""
    Records(trace)
    loop.set_exception_handler(lambda loop, context: trace("handler"))
    loop.call_soon(fail)
    loop.call_soon(loop.set_exception_handler, None)
    loop.call_soon(fail)
    run_batch(loop)
    trace("stopped")


@scenario(statements=["default_exception_handler.callable-by-custom", "default_exception_handler.context"])
def handler_can_defer_to_the_default(loop, trace):
    """A custom handler can call default_exception_handler() with the context that it got."""
    Records(trace)

    def handler(loop, context):
        trace("deferring", context["exception"])
        loop.default_exception_handler(context)
        trace("deferred")

    loop.set_exception_handler(handler)
    loop.call_soon(fail)
    run_batch(loop)
    trace("stopped")


@scenario(statements=["default_exception_handler.logs"])
def default_handler_logs_message_keys_and_exception(loop, trace):
    """The default handler logs the message, the other keys and the exception, at level ERROR."""
    Records(trace, lines=True)
    error = LookupError("on purpose")
    loop.default_exception_handler({"message": "by hand", "exception": error, "extra": 42})
    loop.default_exception_handler({"message": "no exception"})


@scenario(statements=["call_exception_handler.no-message"])
def context_without_message_is_handled(loop, trace):
    """A context without a message is passed to a custom handler and logged by the default one."""
    Records(trace)
    loop.call_exception_handler({})
    trace("default handler returned")
    loop.set_exception_handler(lambda loop, context: trace("handler", context))
    loop.call_exception_handler({})


@scenario(statements=["call_exception_handler.handler-raises"])
def raising_handler_is_reported_and_swallowed(loop, trace):
    """An error inside the handler is logged; the loop goes on and calls the handler for the next error."""
    Records(trace)

    def handler(loop, context):
        trace("handler", context.get("exception"))
        raise KeyError("the handler's own")

    loop.set_exception_handler(handler)
    loop.call_soon(fail)
    loop.call_soon(trace, "between")
    loop.call_soon(fail)
    run_batch(loop)
    trace("stopped")
