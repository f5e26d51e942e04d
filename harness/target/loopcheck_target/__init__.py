# SPDX-License-Identifier: MIT
"""The part of loopcheck that runs inside a target's interpreter.

This folder is the only thing of ours on that interpreter's path, so it is self-contained: standard library
only, Python 3.8 and later, PyPy too.  The driver (``harness/src/loopcheck``) starts ``server.py`` here, one
process for each target; the server forks a child for each scenario; the child writes a trace.

    scenario.py    the decorator that scenario files import
    server.py      the fork server: imports once, forks often, watches for hangs
    child.py       what one forked child does, from its first line to ``os._exit``
    factories.py   from a target's name to the callable that makes its loops
    probe.py       what a target says about itself before the first scenario
    tracer.py      ``trace(...)``: from a call in a scenario to a line in the trace
    values.py      from a Python value to JSON, without addresses, paths and durations
    observers.py   what a scenario cannot see itself: logs, warnings, unraisable exceptions
    iterations.py  which iteration of the loop an event belongs to
    recording.py   which documented names a scenario calls: for coverage, never for a verdict
    resources.py   what is left behind: descriptors, threads, children
    clock.py       the virtual clock, when the clock library was preloaded
"""

from .scenario import scenario

__all__ = ["scenario"]
