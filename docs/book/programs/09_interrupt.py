# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Ctrl-C while the loop waits: the main task is cancelled, and cleans up, before KeyboardInterrupt is raised."""

import asyncio
import signal


async def main() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        print("main: CancelledError")
        raise
    finally:
        print("main: finally")


def ctrl_c(*_: object) -> None:
    print("the signal handler")
    signal.raise_signal(signal.SIGINT)


signal.signal(signal.SIGALRM, ctrl_c)
with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
    try:
        runner.run(main())
    except KeyboardInterrupt:
        print("run: KeyboardInterrupt")
