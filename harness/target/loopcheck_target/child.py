# SPDX-License-Identifier: MIT
"""What one forked child does: it runs one scenario on one loop and writes the trace.

The order of the steps matters.  A warm-up loop comes before the snapshot of resources, because some loops open
descriptors once per process.  The clock is switched on last before the trace starts.  Leftover tasks are
counted before loops are closed, leftover descriptors after.

A trace is a header line, the events, and an end line.  No end line means that the process did not get there:
the supervisor's record says whether it crashed or hung.
"""

import asyncio
import gc
import inspect
import os
import shutil
import signal
import sys
import tempfile
import warnings
from typing import Any, Callable, Dict, List

from . import clock, stacks
from .factories import Factory, check_loop, class_name, close_quietly
from .iterations import Iterations
from .observers import observe
from .recording import record_calls
from .resources import Settings, Snapshot, WaitingForCpu, how_many, run_delay
from .tracer import Recorder, Tracer
from .values import hide_path, plain, plain_exception

TRACE_FORMAT = 1
PATIENCE_S = 2.0


class Loops:
    """The loops of one run: made by the target's factory, counted, closed at the end."""

    def __init__(self, factory: Factory, debug: bool) -> None:
        self.made: List[Any] = []
        self.watch: Callable[[Any], None] = lambda loop: None
        self._factory = factory
        self._debug = debug

    def new(self) -> Any:
        """Return a new loop of the target."""
        loop = check_loop(self._factory())
        self.made.append(loop)
        if self._debug:
            loop.set_debug(True)
        self.watch(loop)
        return loop

    def pending_tasks(self) -> int:
        """Return how many tasks of these loops are not done."""
        return sum(len(asyncio.all_tasks(loop)) for loop in self.made)

    def close(self) -> List[Dict[str, Any]]:
        """Close what is still open; return the exceptions that this raised."""
        errors = []
        for loop in self.made:
            try:
                if not loop.is_closed():
                    loop.close()
            except Exception as exc:
                errors.append(plain_exception(exc))
        return errors


def run(request: Dict[str, Any], function: Callable[..., Any], factory: Factory, trace_fd: int) -> None:
    """Run one scenario and write its trace to trace_fd.  Leaves the process in no fit state: exit after it."""
    settings = Settings()
    habits = warm_up(factory, settings)
    if request["calls"]:
        record_calls(request["calls"])
    recorder = Recorder(trace_fd)
    loops = Loops(factory, request["debug"])
    arguments = Arguments(request, recorder, loops)
    gc.collect()
    gc.disable()  # collections at their own moment would move warnings and destructors around
    waiting = WaitingForCpu()
    snapshot = Snapshot()
    virtual = request["clock"] == "virtual" and clock.switch_on()
    delay_before = run_delay()
    recorder.start_clock()
    if not virtual:
        recorder.watch_waiting(waiting)
    recorder.line(header(request, virtual, habits))
    observe(recorder)
    if request["iterations"]:
        iterations = Iterations()
        loops.watch = iterations.watch
        recorder.iteration_of = iterations.current
    status = call(function, arguments, recorder, loops)
    patience = min(PATIENCE_S, request["timeout"] / 4)  # which is less than the supervisor has
    recorder.line(end(status, loops, snapshot, settings, habits, patience, delay_before))


def warm_up(factory: Factory, settings: Settings) -> Dict[str, Any]:
    """Make and close two loops; return the target's *habits*.

    The first opens what a process opens only once.  What the second one, which does next to nothing, leaves
    behind or warns of is what every loop of this target leaves: it would show in every scenario, so the judge
    counts it in one of them and discounts it in the others.
    """
    use_and_close(factory)
    gc.collect()
    snapshot = Snapshot()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        use_and_close(factory)
        gc.collect()
    found = [[warning.category.__name__, plain(str(warning.message).split("\n", 1)[0])] for warning in caught]
    return {"warnings": found, "left": dict(snapshot.look(), **settings.changed())}


def use_and_close(factory: Factory) -> None:
    """Make a loop, run one callback on it, close it."""
    loop = check_loop(factory())
    loop.call_soon(loop.stop)
    loop.run_forever()
    close_quietly(loop)


def header(request: Dict[str, Any], virtual: bool, habits: Dict[str, Any]) -> Dict[str, Any]:
    """Return the first line of a trace."""
    return {
        "k": "run",
        "format": TRACE_FORMAT,
        "scenario": request["id"],
        "python": sys.version.split()[0],
        "T": request["tick"],
        "timeout": request["timeout"],
        "clock": "virtual" if virtual else "real",
        "habits": habits,
    }


class Arguments:
    """The arguments that a scenario can ask for, by name; each is made when it is asked for."""

    NAMES = ("loop", "new_event_loop", "trace", "T", "tmp")

    def __init__(self, request: Dict[str, Any], recorder: Recorder, loops: Loops) -> None:
        self._request = request
        self._recorder = recorder
        self._loops = loops
        self._tmp = ""

    def of(self, function: Callable[..., Any]) -> Dict[str, Any]:
        """Return what function's parameters name.  Raises TypeError for a name that is not in NAMES."""
        return {name: self._make(name) for name in inspect.signature(function).parameters}

    def _make(self, name: str) -> Any:
        if name == "loop":
            return self._loops.new()
        if name == "new_event_loop":
            return self._loops.new
        if name == "trace":
            return Tracer(self._recorder)
        if name == "T":
            return self._request["tick"]
        if name == "tmp":
            return self._make_tmp()
        raise TypeError("a scenario has no argument %r: use %s" % (name, ", ".join(self.NAMES)))

    def _make_tmp(self) -> str:
        self._tmp = tempfile.mkdtemp(dir=self._request["folder"])
        hide_path(self._tmp, "tmp")
        return self._tmp

    def clean_up(self) -> None:
        """Remove the temporary folder, if there is one."""
        if self._tmp:
            shutil.rmtree(self._tmp, ignore_errors=True)


def call(function: Callable[..., Any], arguments: Arguments, recorder: Recorder, loops: Loops) -> str:
    """Call the scenario; return "ok", or "raised" after recording what came out of it."""
    try:
        if inspect.iscoroutinefunction(function):
            call_async(function, arguments, loops)
        else:
            function(**arguments.of(function))
        return "ok"
    except BaseException as exc:
        recorder.event("raised", "main", "raised", (exc,))
        return "raised"
    finally:
        arguments.clean_up()


def call_async(function: Callable[..., Any], arguments: Arguments, loops: Loops) -> None:
    """Run an ``async def`` scenario on the loop it asks for, or on one made for it."""
    values = arguments.of(function)
    loop = values["loop"] if "loop" in values else loops.new()
    loop.run_until_complete(function(**values))


def end(
    status: str,
    loops: Loops,
    snapshot: Snapshot,
    settings: Settings,
    habits: Dict[str, Any],
    patience: float,
    delay_before: float,
) -> Dict[str, Any]:
    """Collect garbage, close the loops and return the last line of the trace."""
    gc.collect()
    pending_tasks = loops.pending_tasks()
    close_errors = loops.close()
    classes = sorted({class_name(loop) for loop in loops.made})
    loops_made = len(loops.made)
    loops.made.clear()
    gc.collect()
    delay = run_delay() - delay_before  # without that of waiting for leftovers, which excuses no event
    changed = settings.changed()
    left = snapshot.left_behind(patience, expected=how_many(habits["left"]) * loops_made)
    return {
        "k": "end",
        "status": status,
        "loops": loops_made,
        "classes": classes,
        "left": dict(left, **changed),
        "pending_tasks": pending_tasks,
        "close_errors": close_errors,
        "run_delay": round(delay, 6),
        "passed": round(clock.passed(), 6),
    }


def prepare_process(output_path: str) -> None:
    """Make the forked child a process of its own: group, signals, standard streams."""
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(output_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(nothing)
    os.close(output)
    stacks.dump_on_request()
