# SPDX-License-Identifier: MIT
"""call_soon: when the callback runs, in which order, with which arguments."""

from loopcheck_target import scenario


@scenario(statements=["call_soon.fifo-order"])
def call_soon_runs_in_order(loop, trace):
    """Callbacks run in the order in which they were scheduled."""
    for name in ("first", "second", "third"):
        loop.call_soon(trace, name)
    loop.call_soon(loop.stop)
    loop.run_forever()
