# SPDX-License-Identifier: MIT
"""The order within one iteration: what was queued, the descriptors, the timers."""

import asyncio
import socket

loop = asyncio.new_event_loop()
here, there = socket.socketpair()
there.send(b"x")
loop.call_at(loop.time() - 1, print, "timer")
loop.add_reader(here, print, "reader")
loop.call_soon(print, "queued")
loop.stop()
loop.run_forever()
loop.close()
here.close()
there.close()
