# SPDX-License-Identifier: MIT
"""A cancelled handle keeps its place in the queue, and what cancel() lets go of is gone at once."""

import asyncio
import weakref


class Big:
    """An argument that one can see vanish."""


loop = asyncio.new_event_loop()
argument = Big()
seen = weakref.ref(argument)
handle = loop.call_soon(print, argument)
del argument
print("before cancel:", "alive" if seen() else "gone")
handle.cancel()
print("after cancel:", "alive" if seen() else "gone")
loop.call_soon(loop.stop)
loop.run_forever()
loop.close()
