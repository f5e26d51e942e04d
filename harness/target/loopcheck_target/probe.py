# SPDX-License-Identifier: MIT
"""What a target says about itself before the first scenario.

Each probe runs in a forked child of the fork server, because a factory may crash, hang or lie, and a loop must
not exist in the server before it forks (io_uring and threads do not survive a fork).
"""

import asyncio
import inspect
import os
import socket
import sys
import time
from typing import Any, Dict, List

from . import clock
from .factories import Factory, TargetError, check_loop, class_name, close_quietly, is_asyncios_own

HOUR_S = 3600.0
ALMOST_S = HOUR_S - 1  # a loop whose timers are early is to be judged, on the virtual clock


def probe_loop(factory: Factory) -> Dict[str, Any]:
    """Make one loop and describe it.  Raises TargetError."""
    try:
        loop = factory()
    except BaseException as exc:
        raise TargetError("the factory raised %s: %s" % (type(exc).__name__, exc)) from exc
    check_loop(loop)
    description = {
        "class": class_name(loop),
        "asyncios_own": is_asyncios_own(loop),
        "abstract_event_loop": isinstance(loop, asyncio.AbstractEventLoop),
        "missing": missing_methods(loop),
        "debug": bool(loop.get_debug()) if hasattr(loop, "get_debug") else False,
    }
    loop.call_soon(loop.stop)
    loop.run_forever()
    close_quietly(loop)
    return description


def missing_methods(loop: Any) -> List[str]:
    """Return the documented methods that a loop lacks or leaves to AbstractEventLoop, which only raises."""
    missing = []
    for name, function in inspect.getmembers(asyncio.AbstractEventLoop, inspect.isfunction):
        if not name.startswith("_") and getattr(type(loop), name, function) is function:
            missing.append(name)
    return missing


def probe_clock(factory: Factory) -> Dict[str, Any]:
    """Try the virtual clock: a timer of an hour and a sleep of an hour.

    With a clock that works this takes no time; with one that this loop or interpreter escapes (raw system
    calls, a static libc) it would take two hours, so the server gives up on it after a moment.
    """
    if not clock.switch_on():
        return {"virtual": False, "why": "the clock library is not there"}
    start = time.monotonic()
    loop = factory()
    loop.call_later(HOUR_S, loop.stop)
    loop.run_forever()
    close_quietly(loop)
    after_timer = time.monotonic()
    time.sleep(HOUR_S)
    if after_timer - start < ALMOST_S or time.monotonic() - after_timer < ALMOST_S:
        return {"virtual": False, "why": "an hour's timer fired without an hour on time.monotonic()"}
    return {"virtual": True, "why": ""}


def capabilities() -> List[str]:
    """Return which of the things that a scenario may require this machine has."""
    found = []
    if os.geteuid() == 0:
        found.append("root")
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
        found.append("ipv6")
    except OSError:
        pass
    return found


def loop_version(module_name: str) -> str:
    """Return the version of the package that a factory comes from, or an empty string."""
    top = module_name.split(".", maxsplit=1)[0]
    version = getattr(sys.modules.get(top), "__version__", None)
    if isinstance(version, str):
        return version
    try:
        from importlib.metadata import version as distribution_version

        return distribution_version(top)
    except Exception:
        return ""
