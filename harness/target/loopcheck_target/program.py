# SPDX-License-Identifier: MIT
"""Runs one random program on one loop: the interpreter of the trees that ``loopcheck fuzz`` generates.

A program is plain data: runs of the loop, one after the other, each with operations.  An operation is
``{"op": name, "id": number, ...}``; one that schedules something has its operations in ``"body"``, one that
waits has what it waits for in ``"of"``.  Operations refer to what others made by number.  Every program
is valid: a reference to what does not exist (yet) does nothing.  Futures and pairs of sockets have small
numbers of their own and are made when they are first used.

    {"runs": [{"body": [{"op": "call_soon", "id": 1, "body": [{"op": "stop", "id": 2}]}]}], "horizon": 4}

What happens is a list of events ``[name, *values]``, plain data.  Delays count in ticks.  A run ends by stop(),
by what it waits for, by an exception, or at the horizon, which lies behind every deadline of the program.

``program_tasks.py`` and ``program_descriptors.py`` have the operations that are not here; the driver's
``fuzz/render.py`` writes the same program as Python.
"""

import asyncio
import contextvars
import threading
import time
from typing import Any, Callable, Dict, List, Set

from . import goals
from .program_descriptors import DescriptorOperations
from .program_tasks import TaskOperations

Node = Dict[str, Any]

VARIABLE: "contextvars.ContextVar[int]" = contextvars.ContextVar("variable", default=0)
EARLY_S = 0.0011  # some pollers count in milliseconds
LATE_S = 0.005
LABELS = {
    "call_soon": "callback",
    "threadsafe": "threadsafe callback",
    "call_later": "timer",
    "call_at": "timer",
    "zero": "zero timer",
    "past": "past timer",
    "add_reader": "reader",
    "add_writer": "writer",
    "on_done": "done callback",
    "task": "task",
}


def ending(exc: Any) -> List[Any]:
    """Return an exception as plain data: its class, and what our own exceptions and cancellations carry."""
    if exc is None:
        return ["no exception"]
    members = getattr(exc, "exceptions", None)
    if isinstance(members, tuple):
        return [type(exc).__name__, *(ending(member) for member in members)]
    own = type(exc) in (LookupError, asyncio.CancelledError, SystemExit)
    return [type(exc).__name__, *(exc.args if own else ())]


class Program(TaskOperations, DescriptorOperations):
    """One program on one loop: ``run()`` it, then read ``events`` and ``reached``.

    tick: seconds.  virtual: whether the clock is, so that a timer that is late is the loop's fault.
    """

    def __init__(self, loop: Any, program: Node, tick: float, virtual: bool) -> None:
        self.loop = loop
        self.events: List[List[Any]] = []
        self.reached: Set[str] = set()
        self.futures: Dict[int, Any] = {}
        self.tasks: Dict[int, Any] = {}
        self.names: Dict[Any, str] = {}  # of futures and tasks
        self.waiting: Dict[int, str] = {}  # what a task waits in
        self.cancelled: Set[int] = set()  # tasks that were, and have not noticed
        self.tick = tick
        self._program = program
        self._virtual = virtual
        self._punctual = bool(program.get("punctual"))
        self._labels: Dict[int, str] = {}
        self._handles: Dict[int, Any] = {}
        self._callbacks: Dict[int, Any] = {}  # what a handle calls
        self._done_callbacks: Dict[int, Any] = {}
        self._queued: Dict[int, int] = {}  # handles that have not run, and the run in which they were made
        self._due: Dict[int, float] = {}  # timers that have not run
        self._pairs: Dict[int, Any] = {}
        self._unread: Dict[int, int] = {}  # bytes, by pair
        self._readers: Dict[int, int] = {}  # by pair
        self._inside = 0  # whose callback runs
        self._number = 0  # of the run
        self._stops = 0
        self._running = False
        self._operations: Dict[str, Callable[[Node], None]] = {
            name[4:]: getattr(self, name) for name in OPERATIONS
        }

    def event(self, *event: Any) -> None:
        """Note that something happened."""
        self.events.append(list(event))

    def run(self) -> None:
        """Run the program and close its loop.  What a loop does wrong comes out as events, not as exceptions."""
        self.start = self.loop.time()
        self.loop.set_exception_handler(self._report)
        try:
            for run in self._program["runs"]:
                self._run(run)
            if self._program.get("rest"):
                self._cancel_the_rest()
            if self._program.get("outcomes"):
                for _, future in sorted(self.tasks.items()):
                    self.event("%s is" % self.names[future], *self.outcome(future))
            if self._program.get("close"):
                self._close()
        except Exception as exc:
            self.event("the program raised", type(exc).__name__)
        self.event = lambda *event: None  # type: ignore[method-assign]
        self._tidy_up()

    def _run(self, run: Node) -> None:
        self._number += 1
        self._stops = 0
        self.execute(run.get("body", ()))
        name = "run %d" % self._number
        guard = self.loop.call_later(self._program["horizon"] * self.tick, self.loop.stop)
        self._running = True
        try:
            if "until" in run:
                value = self.loop.run_until_complete(self.future(run["until"]))
            elif "main" in run:
                value = self.loop.run_until_complete(self.new_task(run["main"]))
            else:
                value = self.loop.run_forever()
        except BaseException as exc:
            self.event(name + " raised", *ending(exc))
            self.reached.add(goals.LEFT_BY_EXCEPTION)
        else:
            self.event(name + " ended", self.plain(value))
        self._running = False
        guard.cancel()

    def _cancel_the_rest(self) -> None:
        for _ in range(2):
            pending = [id for id, task in sorted(self.tasks.items()) if not task.done()]
            if pending:
                for id in pending:
                    self.event("cancel task %d at the end" % id, self.tasks[id].cancel())
                self._run({})

    def _close(self) -> None:
        if self._queued.keys() - self._due.keys():
            self.reached.add(goals.CLOSED_WITH_PENDING)
        try:
            self.loop.close()
            running = asyncio._get_running_loop()
            self.event("closed", self.loop.is_closed(), running is self.loop)
            self.loop.call_soon(self.event, "called after close()")
        except Exception as exc:
            self.event("call_soon() after close()", type(exc).__name__)

    def _tidy_up(self) -> None:
        try:
            if not self.loop.is_closed():
                self._let_tasks_end()
                self.loop.close()
        except BaseException:
            pass  # the program has been traced; its loop may be as broken as it likes
        for ends in self._pairs.values():
            for end in ends:
                end.close()

    def _let_tasks_end(self) -> None:
        pending = [task for task in self.tasks.values() if not task.done()]
        for task in pending:
            task.cancel()
        if pending:
            for _ in range(4):
                self.loop.call_soon(self.loop.stop)
                self.loop.run_forever()

    def _report(self, loop: Any, context: Dict[str, Any]) -> None:
        if context.get("message", "").endswith(("never retrieved", "is pending!")):
            return  # said by destructors, whose moment nothing promises
        keys = sorted(key for key in context if not key.endswith("traceback"))
        self.event("reported", ", ".join(keys), *ending(context.get("exception")))

    def execute(self, nodes: Any) -> None:
        """Do operations, in a callback, outside a run or in a thread."""
        for node in nodes:
            self._operations[node["op"]](node)

    def future(self, number: int) -> Any:
        """Return a future, made when it is first asked for."""
        if number not in self.futures:
            self.futures[number] = self.loop.create_future()
            self.names[self.futures[number]] = "future %d" % number
        return self.futures[number]

    # ---- callbacks and timers ------------------------------------------------------------------------------

    def _callback(self, node: Node) -> Callable[..., None]:
        id = node["id"]
        label = self._labels[id] = "%s %d" % (LABELS[node["op"]], id)
        body = [node["body"]]  # done once, however often the callback is called
        self._queued[id] = self._number

        def callback(*args: Any) -> None:
            if self._queued.pop(id, self._number) != self._number:
                self.reached.add(goals.LEFT_FOR_NEXT_RUN)
            self.event(label, *args)
            self._inside = id
            if body:
                self.execute(body.pop())
            self._inside = 0

        self._callbacks[id] = callback
        return callback

    def _timer(self, node: Node, due: float) -> Callable[..., None]:
        id = node["id"]
        label = self._labels[id] = "%s %d" % (LABELS[node["op"]], id)
        body = [node["body"]]
        self._due[id] = due
        self._queued[id] = self._number

        def timer(*args: Any) -> None:
            now = time.monotonic()
            self._queued.pop(id, None)
            self._due.pop(id, None)
            if self._due and min(self._due.values()) <= now:
                self.reached.add(goals.TIMERS_TOGETHER)
            self.event(label, *args, *self._punctuality(due, now))
            self._inside = id
            if body:
                self.execute(body.pop())
            self._inside = 0

        self._callbacks[id] = timer
        return timer

    def _punctuality(self, due: float, now: float) -> List[str]:
        if not self._punctual:
            return []
        if now < due - EARLY_S:
            return ["early"]
        return ["late"] if self._virtual and now > due + LATE_S else []

    def _options(self, node: Node) -> Dict[str, Any]:
        """Return the keyword context, if the operation has a context of its own."""
        if "context" not in node:
            return {}
        context = contextvars.copy_context()
        context.run(VARIABLE.set, node["context"])
        self.reached.add(goals.OWN_CONTEXT)
        return {"context": context}

    def _do_call_soon(self, node: Node) -> None:
        callback = self._callback(node)
        self._handles[node["id"]] = self.loop.call_soon(
            callback, *node.get("args", ()), **self._options(node)
        )

    def _do_threadsafe(self, node: Node) -> None:
        callback = self._callback(node)
        self._handles[node["id"]] = self.loop.call_soon_threadsafe(
            callback, *node.get("args", ()), **self._options(node)
        )

    def _do_call_later(self, node: Node) -> None:
        delay = node["ticks"] * self.tick
        callback = self._timer(node, time.monotonic() + delay)
        self._handles[node["id"]] = self.loop.call_later(
            delay, callback, *node.get("args", ()), **self._options(node)
        )

    def _do_zero(self, node: Node) -> None:
        self.reached.add(goals.ZERO_TIMER)
        self._do_call_later(node)

    def _do_call_at(self, node: Node) -> None:
        delay = node["ticks"] * self.tick
        callback = self._timer(node, time.monotonic() + delay)
        self._handles[node["id"]] = self.loop.call_at(
            self.loop.time() + delay, callback, *node.get("args", ()), **self._options(node)
        )

    def _do_past(self, node: Node) -> None:
        self.reached.add(goals.PAST_TIMER)
        self._do_call_at(node)

    def _do_again(self, node: Node) -> None:
        if node["handle"] in self._callbacks:
            if node["handle"] in self._queued:
                self.reached.add(goals.QUEUED_TWICE)
            self.loop.call_soon(self._callbacks[node["handle"]])

    def _do_cancel(self, node: Node) -> None:
        id = node["handle"]
        handle = self._handles.get(id)
        if handle is not None:
            self._note_cancel(id, handle)
            handle.cancel()
            self.event("cancel %s" % self._labels[id], handle.cancelled())

    def _note_cancel(self, id: int, handle: Any) -> None:
        if handle.cancelled():
            self.reached.add(goals.CANCELLED_AGAIN)
        elif id == self._inside:
            self.reached.add(goals.CANCELLED_ITSELF)
        elif id not in self._queued:
            self.reached.add(goals.CANCELLED_LATE)
        elif id not in self._due:
            self.reached.add(goals.CANCELLED_READY)
        elif self._due[id] <= time.monotonic():
            self.reached.add(goals.CANCELLED_DUE_TIMER)
        self._due.pop(id, None)
        self._queued.pop(id, None)

    def _do_when(self, node: Node) -> None:
        handle = self._handles.get(node["handle"])
        if handle is not None and hasattr(handle, "when"):
            ticks = round((handle.when() - self.start) / self.tick)
            self.event("when() of %s" % self._labels[node["handle"]], ticks)

    def _do_thread(self, node: Node) -> None:
        self.reached.add(goals.FROM_THREAD)
        thread = threading.Thread(target=self.execute, args=(node["body"],))
        thread.start()
        thread.join()

    def _do_block(self, node: Node) -> None:
        time.sleep(node["ticks"] * self.tick)

    # ---- the run -------------------------------------------------------------------------------------------

    def _do_stop(self, node: Node) -> None:
        self._stops += 1
        if not self._running:
            self.reached.add(goals.STOPPED_BEFORE)
        elif self._stops == 2:
            self.reached.add(goals.STOPPED_TWICE)
        if self._queued.keys() - self._due.keys():
            self.reached.add(goals.STOPPED_WITH_PENDING)
        self.loop.stop()

    def _do_raise(self, node: Node) -> None:
        if self._running:
            self.reached.add(goals.RAISED)
            raise LookupError(node["id"])

    def _do_exit(self, node: Node) -> None:
        if self._running:
            raise SystemExit(node["id"])

    def _do_report(self, node: Node) -> None:
        self.loop.call_exception_handler({"message": "report", "exception": LookupError(node["id"])})

    def _do_time(self, node: Node) -> None:
        self.event("time", round((self.loop.time() - self.start) / self.tick))

    def _do_state(self, node: Node) -> None:
        running = asyncio._get_running_loop()
        self.event("state", self.loop.is_running(), self.loop.is_closed(), running is self.loop)

    def _do_nested(self, node: Node) -> None:
        if self._running:
            self._refused("nested run", self.loop.run_forever)

    def _do_close_running(self, node: Node) -> None:
        if self._running:
            self._refused("close() in a run", self.loop.close)

    def _refused(self, name: str, function: Callable[[], Any]) -> None:
        try:
            function()
        except RuntimeError as exc:
            self.event(name, type(exc).__name__)
        else:
            self.event(name, "accepted")

    def _do_set_variable(self, node: Node) -> None:
        VARIABLE.set(node["id"])

    def _do_variable(self, node: Node) -> None:
        self.event("variable", VARIABLE.get())

    # ---- futures and tasks, from callbacks -----------------------------------------------------------------

    def _do_set_result(self, node: Node) -> None:
        future = self.future(node["future"])
        if not future.done():
            future.set_result(node["id"])

    def _do_set_exception(self, node: Node) -> None:
        future = self.future(node["future"])
        if not future.done():
            future.set_exception(LookupError(node["id"]))

    def _do_cancel_future(self, node: Node) -> None:
        message = [node["message"]] if "message" in node else []
        future = self.future(node["future"])
        self.event("cancel future %d" % node["future"], future.cancel(*message))

    def _do_on_done(self, node: Node) -> None:
        future = self.tasks.get(node["task"]) if "task" in node else self.future(node["future"])
        if future is None:
            return
        if future.done():
            self.reached.add(goals.DONE_CALLBACK_LATE)
        label = "done callback %d" % node["id"]

        def done_callback(done: Any) -> None:
            self.event(label, *self.outcome(done))
            self.execute(node["body"])

        self._done_callbacks[node["id"]] = (future, done_callback)
        future.add_done_callback(done_callback, **self._options(node))

    def _do_off_done(self, node: Node) -> None:
        if node["callback"] in self._done_callbacks:
            future, callback = self._done_callbacks[node["callback"]]
            count = future.remove_done_callback(callback)
            self.event("remove done callback %d" % node["callback"], count)
            if count:
                self.reached.add(goals.DONE_CALLBACK_REMOVED)

    def outcome(self, future: Any) -> List[Any]:
        """Return what became of a future."""
        if not future.done():
            return ["pending"]
        if future.cancelled():
            return ["cancelled"]
        exc = future.exception()
        return [self.plain(future.result())] if exc is None else ending(exc)


OPERATIONS = [name for name in dir(Program) if name.startswith("_do_")]
