# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""A request to cancel: where it comes out, and what the task may do with it."""

import asyncio


async def work() -> str:
    task = asyncio.current_task()
    assert task is not None
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        print("out of the await:", task.cancelling(), "request")
        print("taken back:", task.uncancel(), "left")
    await asyncio.sleep(0)
    return "went on"


async def main() -> None:
    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    print("cancel() says", task.cancel())
    print("done", task.done(), "cancelling", task.cancelling())
    print("the task", await task)
    print("cancelled", task.cancelled())


loop = asyncio.new_event_loop()
loop.run_until_complete(main())
loop.close()
