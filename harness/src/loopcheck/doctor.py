# SPDX-License-Identifier: MIT
"""``doctor TARGET``: can this loop be tested here, with which clock, and what does it lack?"""

import asyncio
import tempfile
from pathlib import Path

from rich.console import Console

from .arguments import output_may_close, plain_console
from .runner import TICKS_S, TIMEOUT_S
from .scenarios import Scenario
from .servers import Description, RunOptions, Server, ServerError, Setup
from .targets import Target
from .traces import Trace
from .vocabulary import EXITS

FIRST_SCENARIO = "callbacks/call_soon_runs_in_order"


def print_doctor(target: Target, scenarios: tuple[Scenario, ...], path: tuple[str, ...]) -> int:
    """Print what there is to know about a target; return the exit status."""
    console = plain_console()
    interpreter = target.interpreter
    with output_may_close():
        console.print(f"target       {target.text}: {target.factory}")
        console.print(f"interpreter  {interpreter.implementation} {interpreter.version}")
    try:
        about, smoke = asyncio.run(_examine(target, scenarios, path))
    except ServerError as exc:
        with output_may_close():
            console.print(f"FAILED       {exc}")
        return EXITS["usage" if exc.during == "import" else "failure"].status
    pointless = about.asyncios_own and not target.is_asyncio
    with output_may_close():
        _print_description(console, about)
        console.print(f"first run    {FIRST_SCENARIO}: {smoke.status}, {len(smoke.events)} events")
        if pointless:
            console.print("FAILED       the factory gives asyncio's own loop: there is nothing to test")
    if pointless:
        return EXITS["failure"].status
    return 0 if smoke.status == "ok" else EXITS["difference"].status


async def _examine(
    target: Target, scenarios: tuple[Scenario, ...], path: tuple[str, ...]
) -> tuple[Description, Trace]:
    with tempfile.TemporaryDirectory(prefix="loopcheck-") as folder:
        server = Server(target, Setup((*path, *target.path), "auto", scenarios, Path(folder)))
        try:
            about = await server.start()
            first = next(s for s in scenarios if s.id == FIRST_SCENARIO)
            clock = "virtual" if about.virtual_clock else "real"
            trace = await server.run(first, RunOptions(TICKS_S[0], TIMEOUT_S[clock], clock))
            return about, trace
        finally:
            await server.stop()


def _print_description(console: Console, about: Description) -> None:
    console.print(f"loop         {about.loop_class} {about.version}".rstrip())
    if not about.abstract_event_loop:
        console.print("             it does not derive from asyncio.AbstractEventLoop")
    why = f" ({about.clock_why})" if about.clock_why else ""
    console.print(f"clock        {'virtual' if about.virtual_clock else 'real'}{why}")
    console.print(f"lacks        {', '.join(about.missing) or 'no documented method'}")
    for module, error in about.broken_modules.items():
        console.print(f"skips        {module}.py, which does not import here: {error}")
