# SPDX-License-Identifier: MIT
"""The programs behind the figures of threads and sockets: what is drawn is what happened.

As in traces_await.py, each thing is noted with its iteration.  A thread does its part while the loop's thread
waits for it, within one callback, so that it always falls into the same iteration.
"""

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

from traces_await import Note, Notes


def job_trace() -> list[Note]:
    """A job of an executor, from the call to the task that has its result."""
    notes = Notes()
    gate = threading.Event()

    def job() -> str:
        gate.wait()
        notes.note("thread", "runs the job")
        return "result"

    async def main() -> None:
        with ThreadPoolExecutor(max_workers=1) as pool:
            notes.note("task", "run_in_executor()")
            future = notes.loop.run_in_executor(pool, job)

            def look() -> None:
                notes.note("future", "done" if future.done() else "pending")

            notes.loop.call_soon(look)
            gate.set()
            pool.submit(int).result()  # by then the thread has handed over the result of the job
            notes.loop.call_soon(look)
            notes.note("task", "awaits the future")
            notes.note("task", f"has the {await future}")

    return notes.run(main())


class NotedSocket(socket.socket):
    """A socket that notes who receives from it: the step of a task, or a callback of the loop."""

    notes: Notes

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Receive, and note it."""
        who = "task" if asyncio.current_task() else "callback"
        try:
            data = super().recv(size, flags)
        except BlockingIOError:
            self.notes.note(who, "recv(): not now")
            raise
        self.notes.note(who, f"recv(): {data.decode()}")
        return data


def receive_trace() -> list[Note]:
    """A task that receives, and a peer that sends after two iterations."""
    notes = Notes()
    near, there = socket.socketpair()
    here = NotedSocket(fileno=near.detach())
    here.notes = notes
    here.setblocking(False)

    def send() -> None:
        notes.note("peer", "send()")
        there.send(b"data")

    async def main() -> None:
        notes.note("task", "sock_recv()")
        notes.loop.call_soon(send)
        await notes.loop.sock_recv(here, 100)
        notes.note("task", "goes on")

    with here, there:
        return notes.run(main())
