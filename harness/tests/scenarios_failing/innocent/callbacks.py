# SPDX-License-Identifier: MIT
"""What works on every loop that works at all: run beside each failure, it shows that the run went on."""

from loopcheck_target import scenario


@scenario(statements=["call_soon.fifo-order"])
def callbacks_run_in_order(loop, trace):
    """Callbacks run in the order in which they were scheduled."""
    loop.call_soon(trace, "first")
    loop.call_soon(trace, "second")
    loop.call_soon(loop.stop)
    loop.run_forever()
    trace("stopped")
