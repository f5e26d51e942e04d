# SPDX-License-Identifier: MIT
"""Level-triggered: a descriptor is reported as long as it is readable, not once for each byte that arrives."""

import selectors
import socket

here, there = socket.socketpair()
selector = selectors.EpollSelector()
selector.register(here, selectors.EVENT_READ)
print("nothing sent:", len(selector.select(timeout=0)))
there.send(b"x")
print("one byte sent:", len(selector.select(timeout=0)))
print("asked again:", len(selector.select(timeout=0)))
here.recv(1)
print("after reading it:", len(selector.select(timeout=0)))
selector.close()
here.close()
there.close()
