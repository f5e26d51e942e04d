# SPDX-License-Identifier: MIT
"""From a target's name to the callable that makes its loops.

A factory is what ``asyncio.Runner(loop_factory=...)`` takes: no arguments, returns a new loop.  The three
``asyncio_*`` ones are the oracles: CPython's selector loop over each selector.
"""

import asyncio
import importlib
import selectors
from typing import Any, Callable, List

Factory = Callable[[], Any]


class TargetError(Exception):
    """The target cannot be used; the text is one sentence for the user."""


def asyncio_default() -> asyncio.AbstractEventLoop:
    """Return asyncio's selector loop over the selector that asyncio itself would choose."""
    return asyncio.SelectorEventLoop()


def asyncio_poll() -> asyncio.AbstractEventLoop:
    """Return asyncio's selector loop over poll(2)."""
    return asyncio.SelectorEventLoop(selectors.PollSelector())


def asyncio_select() -> asyncio.AbstractEventLoop:
    """Return asyncio's selector loop over select(2)."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def load_factory(name: str) -> Factory:
    """Return the callable that ``MODULE:CALLABLE`` names.  Raises TargetError."""
    module_name, _, path = name.partition(":")
    if module_name == "loopcheck_target.factories":
        return globals()[path]  # type: ignore[no-any-return]
    try:
        value: Any = importlib.import_module(module_name)
    except BaseException as exc:
        raise TargetError(
            "module %r does not import: %s: %s" % (module_name, type(exc).__name__, exc)
        ) from exc
    for attribute in path.split("."):
        try:
            value = getattr(value, attribute)
        except AttributeError:
            raise TargetError("module %r has no %r" % (module_name, path)) from None
    if not callable(value):
        raise TargetError("%s is a %s, not a callable that returns a loop" % (name, type(value).__name__))
    return value  # type: ignore[no-any-return]


REQUIRED = ("run_forever", "run_until_complete", "stop", "close", "is_closed", "call_soon", "call_later")


def check_loop(loop: Any) -> Any:
    """Return loop if it is one.  Raises TargetError."""
    missing: List[str] = [name for name in REQUIRED if not callable(getattr(loop, name, None))]
    if missing:
        raise TargetError(
            "the factory returned %s, which is no event loop: it has no %s()"
            % ("None" if loop is None else "a %s" % type(loop).__name__, missing[0])
        )
    return loop


def close_quietly(loop: Any) -> None:
    """Close a loop that is not being judged: one whose close() raises is judged for that in the scenarios."""
    try:
        loop.close()
    except Exception:
        pass


def class_name(loop: Any) -> str:
    """Return a loop's class as ``module.QualifiedName``."""
    return "%s.%s" % (type(loop).__module__, type(loop).__qualname__)


def is_asyncios_own(loop: Any) -> bool:
    """Return whether the loop's exact class is one that asyncio itself ships."""
    return type(loop).__module__.split(".")[0] == "asyncio"
