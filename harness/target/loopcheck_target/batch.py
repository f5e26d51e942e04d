# SPDX-License-Identifier: MIT
"""What one forked child does for ``loopcheck fuzz``: it runs a batch of random programs, each on a new loop.

The programs come as JSON lines; for each, one line goes to the trace as soon as it has ended: the events, a
tab, the goals that were reached, both as JSON.  So the first program without a line is the one that
crashed or hung: a program that does not end in time is ended by SIGALRM, and the child with it.
"""

import asyncio
import contextvars
import gc
import json
import logging
import os
import signal
import sys
import warnings
from typing import Any, Dict

from . import clock, goals
from .factories import Factory
from .program import Program


def run_batch(request: Dict[str, Any], factory: Factory, fd: int) -> None:
    """Run the programs of a request and write what happened to fd.  Exit the process after it."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda unraisable: None
    gc.disable()  # the process does not live long enough to need it
    with open(request["programs"]) as file:
        lines = file.read().splitlines()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    virtual = request["clock"] == "virtual" and clock.switch_on()
    os.write(fd, (json.dumps(goals.for_version(sys.version_info[:2])) + "\n").encode())
    for line in lines:
        signal.setitimer(signal.ITIMER_REAL, request["patience"])
        program = Program(factory(), json.loads(line), request["tick"], virtual)
        contextvars.Context().run(program.run)
        asyncio._set_running_loop(None)  # a loop that stays marked is not to spoil the next program
        events = json.dumps(program.events, separators=(",", ":"))
        os.write(fd, ("%s\t%s\n" % (events, json.dumps(sorted(program.reached)))).encode())
    signal.setitimer(signal.ITIMER_REAL, 0)
