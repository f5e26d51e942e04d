# SPDX-License-Identifier: MIT
"""What a scenario cannot see itself: log records, warnings and unraisable exceptions.

They go to actors of their own, because when a message is written against the order of callbacks is nobody's
promise.  No exception handler is installed and no user callback is wrapped: both would change the behaviour
that is being observed.
"""

import logging
import sys
import warnings
from typing import Any, Optional

from .tracer import Recorder


class _LogHandler(logging.Handler):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def emit(self, record: logging.LogRecord) -> None:
        try:
            first_line = record.getMessage().split("\n", 1)[0]
        except Exception as error:  # a record whose arguments do not fit its text
            first_line = "<%s: %s>" % (type(error).__name__, record.msg)
        exc = record.exc_info[1] if record.exc_info else None
        self._recorder.event("log", "log", record.levelname, (first_line, exc))


def observe(recorder: Recorder) -> None:
    """Record asyncio's log, all warnings and unraisable exceptions of this process from now on."""
    logger = logging.getLogger("asyncio")
    logger.addHandler(_LogHandler(recorder))
    logger.propagate = False
    logger.setLevel(logging.INFO)  # the debug level only names the selector in use

    def show_warning(message: Any, category: Any, *where: Any, **more: Any) -> None:
        first_line = str(message).split("\n", 1)[0]
        recorder.event("warn", "warn", category.__name__, (first_line,))

    warnings.simplefilter("always")
    warnings.showwarning = show_warning

    def unraisable(hook: Any) -> None:
        exc: Optional[BaseException] = hook.exc_value
        recorder.event("unraisable", "unraisable", "unraisable", (exc,))

    sys.unraisablehook = unraisable
