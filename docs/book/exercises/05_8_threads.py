# SPDX-License-Identifier: MIT
# ruff: noqa: D103
"""Exercise 8: callbacks from another thread."""

import threading

from ten import loop, say


def hand_over(*names: str) -> None:
    for name in names:
        loop.call_soon_threadsafe(say, name)


def start() -> None:
    say("a")
    loop.call_soon(say, "b")
    thread = threading.Thread(target=hand_over, args=("c", "d"))
    thread.start()
    thread.join()  # wait for its end
    loop.call_soon(say, "e")
    loop.call_soon_threadsafe(last)


def last() -> None:
    say("f")
    threading.Thread(target=hand_over, args=("i", "j")).start()


loop.call_soon(start)
loop.call_soon(say, "g")
loop.call_at(loop.time() - 1, say, "h")
loop.run_forever()
loop.close()
