# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Nobody is called when a future is done: its callbacks are queued, behind what is queued already."""

import asyncio


def fulfil() -> None:
    print("fulfil begins")
    loop.call_soon(print, "queued before")
    future.set_result("the answer")
    loop.call_soon(print, "queued after")
    print("fulfil ends:", future.result())


loop = asyncio.new_event_loop()
future = loop.create_future()
future.add_done_callback(lambda _: print("first callback"))
future.add_done_callback(lambda _: print("second callback"))
future.add_done_callback(lambda _: loop.stop())
loop.call_soon(fulfil)
loop.call_soon(print, "in the same batch as fulfil")
loop.run_forever()
loop.close()
