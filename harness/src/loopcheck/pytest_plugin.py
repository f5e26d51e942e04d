# SPDX-License-Identifier: MIT
"""The pytest plugin's door: the options, and nothing else as long as no ``--loop`` is given.

    pytest --pyargs loopcheck --loop uvloop:new_event_loop

pytest imports this module in every project that has loopcheck installed.  So it imports nothing but pytest,
and only a run with ``--loop`` gets the rest, ``pytest_run``, registered as a plugin of its own.
"""

from __future__ import annotations

import pytest

OLDEST = (8, 2)  # before it, what --pyargs names is not collected, or by way of every folder above it
WANTED = "name the loop to be tested: --loop MODULE:CALLABLE, such as --loop uvloop:new_event_loop"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, all of which begin with ``--loop``."""
    group = parser.getgroup("loopcheck", "loopcheck: does an event loop behave like asyncio's?")
    add = group.addoption
    add(
        "--loop",
        action="append",
        nargs="?",
        const="",
        default=[],
        dest="loop_targets",
        metavar="TARGET",
        help="test this loop, (NAME | MODULE:CALLABLE)[@INTERPRETER], with --pyargs loopcheck; "
        "several are tested side by side",
    )
    add("--loop-level", dest="loop_level", choices=("guaranteed", "observed"), default="guaranteed")
    add("--loop-baseline", dest="loop_baseline", metavar="FILE", help="known differences, which xfail")
    add("--loop-area", dest="loop_area", action="append", metavar="AREA", help="scenarios of an area")
    add(
        "--loop-path",
        dest="loop_path",
        action="append",
        default=[],
        metavar="DIR",
        help="put in front of the sys.path of the loop under test",
    )
    add("--loop-timeout", dest="loop_timeout", type=float, metavar="S", help="seconds until a hang is one")
    add("--loop-clock", dest="loop_clock", choices=("auto", "virtual", "real"), default="auto")
    add("--loop-results", dest="loop_results", metavar="FILE", help="write loopcheck's results as JSON lines")
    add(
        "--loop-scenarios",
        dest="loop_scenarios",
        metavar="DIR",
        help="scenarios from here instead of the shipped ones",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register what does the work, if there is any."""
    if config.option.help or config.option.version:
        return
    if config.option.loop_targets:
        if pytest.version_tuple < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise pytest.UsageError(
                f"loopcheck: the suite needs pytest {oldest} or later, and this is pytest {pytest.__version__}; "
                "loopcheck run needs none"
            )
        from .pytest_run import LoopRun  # noqa: PLC0415 (only now: it would cost every other run its time)

        config.pluginmanager.register(LoopRun(config), "loopcheck-run")
    elif config.option.pyargs and any(is_ours(argument) for argument in config.args):
        raise pytest.UsageError(f"loopcheck: {WANTED}")


def is_ours(argument: str) -> bool:
    """Return whether an argument of the command line names loopcheck, an area of it or one of its items."""
    return argument.startswith("loopcheck") and argument[9:10] in ("", "/", ":")
