# SPDX-License-Identifier: MIT
"""An exception that nobody has asked for is reported when its future goes."""

import asyncio

loop = asyncio.new_event_loop()
loop.set_exception_handler(lambda _, report: print(report["message"], "/", report["exception"]))
seen = loop.create_future()
seen.set_exception(ValueError("one"))
print("asked:", seen.exception())
del seen
lost = loop.create_future()
lost.set_exception(ValueError("two"))
del lost
loop.close()
