# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Two threads with a loop each: a coroutine goes from one to the other, and its result comes back."""

import asyncio
import threading


async def shout(text: str) -> str:
    print("in the thread of the second loop:", asyncio.get_running_loop() is second)
    return text.upper()


async def main() -> None:
    result = asyncio.run_coroutine_threadsafe(shout("hello"), second)
    print(await asyncio.wrap_future(result))
    strange = second.create_future()
    try:
        await strange
    except RuntimeError:
        print("RuntimeError: a future of another loop")
    second.call_soon_threadsafe(second.stop)


first = asyncio.new_event_loop()
second = asyncio.new_event_loop()
thread = threading.Thread(target=second.run_forever)
thread.start()
first.run_until_complete(main())
thread.join()
first.close()
second.close()
