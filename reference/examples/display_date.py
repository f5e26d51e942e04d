# SPDX-License-Identifier: MIT
"""Display the current date with call_later(): the documentation's program, which display_date.c is in C.

Instead of the date, it prints the whole seconds since its beginning.
"""

import asyncio
from asyncio import AbstractEventLoop


def display_date(end_time: float, loop: AbstractEventLoop) -> None:
    """Show how late it is, and come back in a second, unless it is time to end."""
    print(int(loop.time() - (end_time - 5.0)))
    if (loop.time() + 1.0) < end_time:
        loop.call_later(1, display_date, end_time, loop)
    else:
        loop.stop()


loop = asyncio.new_event_loop()

# Schedule the first call to display_date()
end_time = loop.time() + 5.0
loop.call_soon(display_date, end_time, loop)

# Blocking call interrupted by loop.stop()
try:
    loop.run_forever()
finally:
    loop.close()
