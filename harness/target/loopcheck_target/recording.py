# SPDX-License-Identifier: MIT
"""Which documented names a scenario calls, how, and what they raise: for coverage, never for a verdict.

Only the coverage pass asks for it, and only on asyncio.  It replaces the public callables of asyncio and the
public methods of its loop, handles, futures and tasks by ones that note the call and then do the same.  Futures
and tasks are C types, so asyncio gets subclasses of them.

A call counts when the scenario makes it: not when asyncio calls itself, nor when the harness does.  The one
caller inside asyncio that counts is a handle that runs a callback which *is* the noted method, as after
``call_soon(loop.stop)``.  An exception counts when it comes from the callee: one that the scenario raised
itself and that merely passes through, as through ``run_until_complete``, does not, unless it is made to end
everything, like KeyboardInterrupt.

A line of the file is ``{"recorded": [names]}``, the first, or one call, each kind of call once:
``{"name", "positional": number, "keywords": [names], "raised": [class names, nearest first]}``.
"""

import asyncio
import functools
import inspect
import json
import os
import sys
from typing import Any, Callable, Dict, List, Set, Tuple

LOOP = "loop"
SPECIAL = ("__aenter__", "__aexit__", "__await__")  # methods that are public under these names
NOT_WRAPPED = ("Abstract", "Base")  # prefixes of classes that are derived from, not called
USERS_OWN = (
    "Protocol",
    "Transport",
)  # suffixes of classes whose methods the loop calls, or that are made inside it


class CallLog:
    """Writes each kind of call once, as it happens, so that a crash leaves what came before it."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._seen: Set[Tuple[Any, ...]] = set()

    def line(self, record: Dict[str, Any]) -> None:
        """Write one record."""
        os.write(self._fd, (json.dumps(record) + "\n").encode())

    def call(self, name: str, positional: int, keywords: Any, raised: Any = ()) -> None:
        """Note a call: how many positional arguments, which keywords, what it raised."""
        key = (name, positional, tuple(sorted(keywords)), tuple(raised))
        if key not in self._seen:
            self._seen.add(key)
            self.line({"name": name, "positional": key[1], "keywords": key[2], "raised": key[3]})


def record_calls(path: str) -> None:
    """Note in a new file at path what the scenario of this process calls.  It cannot be taken back."""
    log = CallLog(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    recorded: List[str] = []
    futures_and_tasks(log, recorded)
    class_methods(log, recorded, asyncio.SelectorEventLoop, LOOP)
    for name, value in list(vars(asyncio).items()):
        if name not in asyncio.__all__ or name.startswith("_"):
            continue
        if inspect.isclass(value):
            if wanted(value):
                class_methods(log, recorded, value, name)
        elif callable(value):
            setattr(asyncio, name, noted(log, name, value, skip=0))
            recorded.append(name)
    log.line({"recorded": sorted(recorded)})


def wanted(cls: type) -> bool:
    """Return whether a class of asyncio is one that scenarios call; the loop and futures are seen to before."""
    return not (
        cls.__name__.startswith(NOT_WRAPPED)
        or cls.__name__.endswith(USERS_OWN)
        or issubclass(cls, (BaseException, asyncio.AbstractEventLoop, asyncio.Future))
    )


# ---- replacing -----------------------------------------------------------------------------------------------


def class_methods(log: CallLog, recorded: List[str], cls: Any, prefix: str) -> None:
    """Replace the public methods, properties and the constructor of a Python class, inherited ones too."""
    for attribute in dir(cls):
        value = inspect.getattr_static(cls, attribute)
        name = "%s.%s" % (prefix, attribute)
        if attribute == "__init__":
            name = "SelectorEventLoop" if prefix == LOOP else prefix
        elif attribute.startswith("_") and attribute not in SPECIAL:
            continue
        if isinstance(value, property):
            setattr(cls, attribute, property(noted(log, name, value.fget), value.fset, value.fdel))
        elif inspect.isfunction(value):
            setattr(cls, attribute, noted(log, name, value))
        else:
            continue
        recorded.append(name)
    if prefix == LOOP:
        cls.slow_callback_duration = NotedAttribute(log, "loop.slow_callback_duration")
        recorded.append("loop.slow_callback_duration")


class NotedAttribute:
    """An attribute of instances whose every use by the scenario is noted."""

    def __init__(self, log: CallLog, name: str) -> None:
        self._log = log
        self._name = name
        self._attribute = name.rpartition(".")[2]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        if counts(sys._getframe(1), None):
            self._log.call(self._name, 0, ())
        return vars(instance)[self._attribute]

    def __set__(self, instance: Any, value: Any) -> None:
        if counts(sys._getframe(1), None):
            self._log.call(self._name, 1, ())
        vars(instance)[self._attribute] = value


class Stand(type):
    """The type of a class that stands in for its first base: what is one of those is one of these."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__bases__[0])


def futures_and_tasks(log: CallLog, recorded: List[str]) -> None:
    """Give asyncio a Future and a Task of ours, each of which is one of its own."""
    future_base: Any = asyncio.Future
    task_base: Any = asyncio.Task
    future: Any = Stand("Future", (future_base,), members(log, recorded, future_base, "Future"))
    task: Any = Stand("Task", (task_base, future), members(log, recorded, task_base, "Task"))
    asyncio.Future = asyncio.futures.Future = future  # type: ignore[misc]
    asyncio.Task = asyncio.tasks.Task = task  # type: ignore[misc]
    make_factory: Any = getattr(asyncio, "create_eager_task_factory", None)
    if make_factory is not None:
        setattr(asyncio, "eager_task_factory", make_factory(task))  # noqa: B010, the name is new in 3.12


def members(log: CallLog, recorded: List[str], base: Any, prefix: str) -> Dict[str, Any]:
    """Return what a class derived from a C type of asyncio has in place of the public methods."""
    replaced: Dict[str, Any] = {"__module__": base.__module__, "__slots__": ()}
    for attribute in dir(base):
        value = inspect.getattr_static(base, attribute)
        public = not attribute.startswith("_") or attribute in ("__init__", "__await__")
        if public and callable(value):
            name = prefix if attribute == "__init__" else "%s.%s" % (prefix, attribute)
            replaced[attribute] = noted(log, name, value)
            recorded.append(name)
    return replaced


# ---- noting --------------------------------------------------------------------------------------------------


def noted(log: CallLog, name: str, function: Any, skip: int = 1) -> Callable[..., Any]:
    """Return a function that notes a call and makes it.  skip: arguments that say nothing, self."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not counts(sys._getframe(1), call):
            return function(*args, **kwargs)
        positional = len(args) - skip
        try:
            result = function(*args, **kwargs)
        except BaseException as exc:
            log.call(name, positional, kwargs, () if passes_through(exc, args) else raised(exc))
            raise
        log.call(name, positional, kwargs)
        if inspect.iscoroutine(result):
            return awaited(log, name, positional, kwargs, result)
        return result

    return call


async def awaited(log: CallLog, name: str, positional: int, keywords: Any, coroutine: Any) -> Any:
    """Await what a call returned; note what that raises."""
    try:
        return await coroutine
    except BaseException as exc:
        log.call(name, positional, keywords, raised(exc))
        raise


def passes_through(exc: BaseException, args: Any) -> bool:
    """Return whether an exception is that of a future which was among the arguments."""
    return any(
        asyncio.isfuture(value) and value.done() and not value.cancelled() and value.exception() is exc
        for value in args[1:]
    )


def raised(exc: BaseException) -> List[str]:
    """Return the classes of an exception, nearest first; none when the scenario raised it itself."""
    traceback = exc.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    innermost = traceback.tb_frame.f_globals.get("__name__", "") if traceback is not None else ""
    if isinstance(exc, Exception) and innermost.startswith("scenarios."):
        return []
    return [cls.__name__ for cls in type(exc).__mro__ if cls is not object]


def counts(caller: Any, callee: Any) -> bool:
    """Return whether a call from this frame is one that the scenario makes."""
    module = caller.f_globals.get("__name__", "")
    if module.startswith("loopcheck_target"):
        return False
    if module == "asyncio" or module.startswith("asyncio."):
        return callee is not None and runs_callback(caller, callee)
    return True


def runs_callback(frame: Any, callee: Any) -> bool:
    """Return whether a frame is that of a handle which runs a callee as its callback."""
    if frame.f_code.co_name != "_run":
        return False
    callback = getattr(frame.f_locals.get("self"), "_callback", None)
    while isinstance(callback, functools.partial):
        callback = callback.func
    return getattr(callback, "__func__", callback) is callee
