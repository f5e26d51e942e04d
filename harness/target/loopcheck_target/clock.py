# SPDX-License-Identifier: MIT
"""The virtual clock, as seen from Python: one function to switch it on and two counters.

The library (``harness/clock``) is loaded with LD_PRELOAD when the fork server starts and does nothing until a
child switches it on.  Without the library every function here says so by its result; nothing fails.
"""

import ctypes
from typing import Any, Optional

_library: Optional[Any] = None


def load() -> bool:
    """Look for the preloaded library; return whether it is there.  Called in the server, before any fork."""
    global _library
    try:
        library = ctypes.CDLL(None)
        library.loopcheck_clock_on.restype = None
        library.loopcheck_clock_passed_ns.restype = ctypes.c_int64
    except (AttributeError, OSError):
        return False
    _library = library
    return True


def switch_on() -> bool:
    """Make this process's time virtual; return False when the library is not there."""
    if _library is None:
        return False
    _library.loopcheck_clock_on()
    return True


def passed() -> float:
    """Return the seconds that passed for real since the clock was switched on: 0.0 if time only jumped."""
    return _library.loopcheck_clock_passed_ns() / 1e9 if _library is not None else 0.0
