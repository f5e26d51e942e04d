# SPDX-License-Identifier: MIT
"""Debug mode: switching it, where it comes from, and the mistakes that it notices."""

import functools
import gc
import os
import sys
import threading

from loopcheck_target import scenario


def in_thread(function):
    """Call function in another thread; return what it returned or raised."""
    results = []

    def body():
        try:
            results.append(function())
        except Exception as exc:
            results.append(exc)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    return results[0]


def attempt(trace, name, function):
    """Trace whether function() was refused, and how."""
    try:
        function()
        trace(name, "accepted")
    except Exception as exc:
        trace(name, exc)


@scenario(statements=["get_debug.bool", "set_debug.sets"])
def debug_mode_is_set_and_read(loop, trace):
    """set_debug() sets the debug mode and get_debug() returns it, as a bool."""
    trace("type", type(loop.get_debug()))
    for enabled in (True, False, True):
        loop.set_debug(enabled)
        trace("debug", loop.get_debug())


@scenario(statements=["set_debug.sets"])
def debug_mode_can_change_during_a_run(loop, trace):
    """set_debug() in a callback is seen at once, and the run goes on."""

    def change(enabled):
        loop.set_debug(enabled)
        trace("debug", loop.get_debug())

    loop.call_soon(change, True)
    loop.call_soon(change, False)
    loop.call_soon(loop.stop)
    loop.run_forever()
    trace("stopped", loop.get_debug())


@scenario(statements=["get_debug.default-env"])
def debug_mode_defaults_to_the_environment(new_event_loop, trace):
    """A new loop is in debug mode if PYTHONASYNCIODEBUG is a non-empty string, "0" included."""
    os.environ.pop("PYTHONASYNCIODEBUG", None)
    trace("unset", new_event_loop().get_debug())
    for value in ("", "0", "1"):
        os.environ["PYTHONASYNCIODEBUG"] = value
        trace("value", value, new_event_loop().get_debug())


@scenario(statements=["call_soon.debug-wrong-thread"], debug=True)
def scheduling_from_another_thread_is_refused(loop, trace, T):
    """In debug mode, scheduling from a thread that does not run the loop raises RuntimeError."""

    def try_from_a_thread():
        trace("call_soon", in_thread(lambda: loop.call_soon(trace, "ran: call_soon")))
        trace("call_later", in_thread(lambda: loop.call_later(T, trace, "ran: call_later")))
        trace("call_at", in_thread(lambda: loop.call_at(loop.time() + 2 * T, trace, "ran: call_at")))
        in_thread(lambda: loop.call_soon_threadsafe(trace, "ran: call_soon_threadsafe"))

    loop.slow_callback_duration = 1000  # while a thread lives time passes for real, and is none of the matter
    loop.call_soon(try_from_a_thread)
    loop.call_later(20 * T, loop.stop)
    loop.run_forever()
    trace("stopped")


@scenario(statements=["call_soon.debug-not-callable"], debug=True)
def scheduling_what_cannot_be_called_is_refused(loop, trace, T):
    """In debug mode, scheduling something that is not callable raises TypeError."""
    attempt(trace, "call_soon", lambda: loop.call_soon(42))
    attempt(trace, "call_later", lambda: loop.call_later(T, 42))
    attempt(trace, "call_at", lambda: loop.call_at(loop.time(), 42))
    attempt(trace, "call_soon_threadsafe", lambda: loop.call_soon_threadsafe(42))
    loop.call_later(5 * T, loop.stop)
    loop.run_forever()
    trace("stopped")


@scenario(statements=["call_soon.debug-not-callable"], debug=True)
def scheduling_a_coroutine_is_refused(loop, trace):
    """In debug mode, scheduling a coroutine function or a coroutine raises TypeError."""

    async def work():
        trace("ran")

    attempt(trace, "coroutine function", lambda: loop.call_soon(work))
    coroutine = work()
    attempt(trace, "coroutine", lambda: loop.call_soon(coroutine))
    coroutine.close()
    loop.call_soon(loop.stop)
    loop.run_forever()
    trace("stopped")


@scenario(statements=["call_soon.partial-display"], debug=True)
def partial_is_shown_with_its_arguments(loop, trace):
    """In debug mode, a Handle of a partial object shows the function and its arguments."""

    def send_report(*args):
        trace("report", *args)

    handle = loop.call_soon(functools.partial(send_report, "first argument"))
    trace("function", "send_report" in repr(handle))
    trace("argument", "first argument" in repr(handle))
    loop.call_soon(loop.stop)
    loop.run_forever()


@scenario(statements=["debug.coroutine-origin"])
def debug_mode_tracks_where_coroutines_are_made(loop, trace):
    """While a loop in debug mode runs, and only then, Python notes where each coroutine is made."""

    def tracking(when):
        trace(when, sys.get_coroutine_origin_tracking_depth() > 0)

    for enabled in (True, False):
        loop.set_debug(enabled)
        tracking("before")
        loop.call_soon(tracking, "during")
        loop.call_soon(loop.stop)
        loop.run_forever()
        tracking("after")


def failing_partial_shows_its_argument(loop, trace):
    """Trace whether the report of a failing partial has its function and its argument in the message."""

    def fail_to_send(argument):
        raise LookupError("on purpose")

    def handler(loop, context):
        trace("function", "fail_to_send" in context["message"])
        trace("argument", "the argument" in context["message"])

    loop.set_exception_handler(handler)
    loop.call_soon(functools.partial(fail_to_send, "the argument"))
    loop.call_soon(loop.stop)
    loop.run_forever()


@scenario(statements=["call_soon.partial-display.error-messages"], until="3.13")
def failed_partial_is_shown_with_its_arguments(loop, trace):
    """The report of a partial object that failed shows the function and its arguments, in any mode."""
    failing_partial_shows_its_argument(loop, trace)


@scenario(basis="observed: reports end up in log files, and arguments may be secret", since="3.13")
def failed_partial_is_shown_without_its_arguments(loop, trace):
    """Outside debug mode, the report of a partial object that failed shows the function, not its arguments."""
    failing_partial_shows_its_argument(loop, trace)


@scenario(statements=["debug.source_traceback"], debug=True)
def forgotten_exception_is_reported_with_its_origin(loop, trace):
    """In debug mode, the report of an exception that nobody retrieved says where the Future or Task was made."""

    def handler(loop, context):
        made_in = [frame.name for frame in context.get("source_traceback", ())]
        trace("report", context.get("exception"), [name for name in made_in if name.startswith("make_")])

    def make_future():
        loop.create_future().set_exception(LookupError("of the future"))

    async def fail():
        raise LookupError("of the task")

    def make_task():
        loop.create_task(fail())

    loop.set_exception_handler(handler)
    for make in (make_future, make_task):
        loop.call_soon(make)
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.call_soon(loop.stop)
        loop.run_forever()
        gc.collect()
    trace("collected")


@scenario(statements=["context.source_traceback"], debug=True)
def failing_callback_is_reported_with_its_origin(loop, trace):
    """In debug mode, the report of a failing callback says under the key source_traceback who scheduled it."""

    def fail():
        raise LookupError("on purpose")

    def schedule_it():
        loop.call_soon(fail)

    def handler(loop, context):
        names = [frame.name for frame in context.get("source_traceback", ())]
        trace("report", context["exception"], [name for name in names if name == "schedule_it"])

    loop.set_exception_handler(handler)
    schedule_it()
    loop.call_soon(loop.stop)
    loop.run_forever()


@scenario(statements=["context.handle_traceback"], debug=True)
def default_handler_tells_who_scheduled_the_callback(loop, trace):
    """In debug mode, a report made inside a callback gets the key handle_traceback: who scheduled the callback."""

    def report_it():
        context = {"message": "by hand"}
        loop.call_exception_handler(context)
        names = [frame.name for frame in context.get("handle_traceback", ())]
        trace("reported", [name for name in names if name == "schedule_it"])

    def schedule_it():
        loop.call_soon(report_it)

    schedule_it()
    loop.call_soon(loop.stop)
    loop.run_forever()
