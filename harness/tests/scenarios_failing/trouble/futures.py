# SPDX-License-Identifier: MIT
"""What the loops of ``failing_loops.py`` fail at, each in its own way: they are asked for a future."""

from loopcheck_target import scenario


@scenario(statements=["create_future.attached"])
def future_is_made(loop, trace):
    """create_future() returns a future, which is not done."""
    trace("before")
    future = loop.create_future()
    trace("after", future.done())
    loop.call_soon(loop.stop)
    loop.run_forever()


@scenario(statements=["create_future.attached"])
async def future_is_awaited(loop, trace):
    """Awaiting a future ends when it gets its result."""
    future = loop.create_future()
    loop.call_soon(future.set_result, "value")
    trace("before")
    trace("after", await future)
