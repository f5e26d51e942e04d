# SPDX-License-Identifier: MIT
"""Where a scenario hangs: stacks on request, written to standard error.

The supervisor asks with two signals shortly before it kills.  One is answered by faulthandler, in C, whatever
the process does; it shows the threads.  A hung ``await`` shows there only as a wait in the selector, so the
other one is answered in Python and shows the tasks; a loop that never returns to the interpreter cannot answer
it.  No watchdog thread: it would be a second thread, and then virtual time would stop jumping.
"""

import asyncio
import faulthandler
import signal
import sys
from typing import Any

THREADS_SIGNAL = signal.SIGRTMAX - 1
TASKS_SIGNAL = signal.SIGRTMAX - 2


def dump_on_request() -> None:
    """Answer both signals from now on, and a fatal signal too."""
    faulthandler.enable()
    if hasattr(faulthandler, "register"):
        faulthandler.register(THREADS_SIGNAL, all_threads=True)
    else:
        signal.signal(THREADS_SIGNAL, signal.SIG_IGN)
    signal.signal(TASKS_SIGNAL, _print_tasks)


def _print_tasks(number: int, frame: Any) -> None:
    loop = asyncio._get_running_loop()
    if loop is None:
        return
    for task in asyncio.all_tasks(loop):
        task.print_stack(limit=8, file=sys.stderr)
    sys.stderr.flush()
