# SPDX-License-Identifier: MIT
"""Draws the figures of the book from traces: ``python docs/book/figures/draw.py`` writes every SVG beside itself.

The traces come from programs that run now, on this interpreter's asyncio (traces.py, traces_await.py and
traces_io.py).  They hold names and iterations and no times, so the files are always the same; a test compares the
committed ones with what this makes.  What the traces cannot show, the queue between two iterations and the heap's
array, is replayed from them with ``deque`` and ``heapq``, and every step of the replay must agree with what ran.

The figures of chapters 6 to 8 are in draw_await.py, those of 9 and 10 in draw_io.py; what all are drawn with is in
drawing.py.
"""

import heapq
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from draw_await import draw_chain, draw_future, draw_tasks  # noqa: E402
from draw_io import draw_job, draw_receiving  # noqa: E402
from drawing import BOX, STEP, Drawing, require  # noqa: E402
from traces import TIMERS, Event, iteration_trace, queue_trace, timer_trace  # noqa: E402

# ---- the ready queue ------------------------------------------------------------


@dataclass
class Batch:
    """What an iteration ran: the names in the queue at its start, the cancelled ones, and what each one did."""

    names: list[str]
    cancelled: list[str]
    deeds: dict[str, str]


def replay_queue(events: list[Event]) -> list[Batch]:
    """Return the batches of a trace of call_soon(), and require that they ran first in, first out."""
    queue: deque[str] = deque(e.name for e in events if e.iteration == 0 and e.what == "call_soon")
    cancelled: set[str] = set()
    batches = []
    for number in range(1, max(e.iteration for e in events) + 1):
        here = [e for e in events if e.iteration == number]
        names = list(queue)
        queue = deque(e.name for e in here if e.what == "call_soon")
        ran = [e.name for e in here if e.what == "run"]
        gone = [name for name in names if name in cancelled]
        require(ran == [name for name in names if name not in cancelled], f"iteration {number} ran {ran}")
        deeds: dict[str, str] = {}
        for e in here:
            if e.what != "run":
                deed = f"{'cancels' if e.what == 'cancel' else 'adds'} {e.name}"
                deeds[e.by] = f"{deeds[e.by]}, {e.name}" if e.by in deeds else deed
        cancelled |= {e.name for e in here if e.what == "cancel"}
        batches.append(Batch(names, gone, deeds))
    require(not queue, f"{list(queue)} never ran")
    return batches


def draw_queue() -> str:
    """The ready queue at the start of five iterations."""
    batches = replay_queue(queue_trace())
    drawing = Drawing("The ready queue at the start of each of five iterations", 640, 66 * len(batches) + 34)
    drawing.text(110, 18, "queue, first on the left", size=13)
    drawing.text(330, 18, "what its callbacks do", size=13)
    for number, batch in enumerate(batches, start=1):
        y = 66 * number - 34
        drawing.text(8, y + 22, f"iteration {number}")
        drawing.band(104, y - 6, 200, BOX + 12)
        for place, name in enumerate(batch.names):
            drawing.box(112 + STEP * place, y, name, name in batch.cancelled)
        deeds = [f"{name} {deed}" for name, deed in batch.deeds.items()]
        deeds += [f"{name} is skipped" for name in batch.cancelled]
        drawing.text(330, y + 22, "; ".join(deeds) or ("the last callback stops the loop"))
    return drawing.svg()


# ---- the heap of timers ---------------------------------------------------------

Heap = list[tuple[int, str]]


def replay_heap(events: list[Event]) -> list[tuple[str, Heap, set[str]]]:
    """Return what happened to the heap, its array after that, and what is cancelled by then."""
    heap: Heap = []
    gone: set[str] = set()
    rows: list[tuple[str, Heap, set[str]]] = []
    for e in events:
        if e.what == "timer":
            heapq.heappush(heap, (TIMERS[e.name], e.name))
            rows.append((f"push {e.name}, deadline {TIMERS[e.name]}", list(heap), set(gone)))
        elif e.what == "cancel":
            gone.add(e.name)
            rows.append((f"cancel {e.name}", list(heap), set(gone)))
    for number in range(1, max(e.iteration for e in events) + 1):
        while heap and heap[0][1] in gone:
            name = heapq.heappop(heap)[1]
            rows.append((f"time {number}: {name} is in front: dropped", list(heap), set(gone)))
        due = []
        while heap and heap[0][0] <= number:
            due.append(heapq.heappop(heap)[1])
            rows.append((f"time {number}: {due[-1]} is due", list(heap), set(gone)))
        ran = [e.name for e in events if e.what == "run" and e.iteration == number]
        require(ran == due, f"at time {number} the loop ran {ran}, and the heap had {due}")
    return rows


def draw_heap() -> str:
    """The array of the heap after each step."""
    rows = replay_heap(timer_trace())
    drawing = Drawing("The array of the timer heap after each step", 560, 46 * len(rows) + 40)
    for place in range(len(TIMERS)):
        drawing.text(293 + 52 * place, 18, f"[{place}]", "middle", 12)
    for number, (what, heap, gone) in enumerate(rows):
        y = 46 * number + 28
        drawing.text(8, y + 22, what)
        for place, (when, name) in enumerate(heap):
            drawing.box(270 + 52 * place, y, f"{name} {when}", name in gone, 46)
    return drawing.svg()


# ---- one iteration --------------------------------------------------------------

SOURCES = [
    ("call_soon", "1  queued before"),
    ("watch", "2  ready descriptors"),
    ("timer", "3  due timers"),
]


def draw_iteration() -> str:
    """One iteration as a band: where its callbacks come from, the order they run in, what is left for the next."""
    events = iteration_trace()
    source = {e.name: e.what for e in events if e.what not in ("run", "cancel")}
    first, second = ([e.name for e in events if e.what == "run" and e.iteration == n] for n in (1, 2))
    groups = [(title, [name for name in first if source[name] == what]) for what, title in SOURCES]
    require(first == [name for _, names in groups for name in names], f"the first iteration ran {first}")
    added = {e.name: e.by for e in events if e.iteration == 1 and e.what in ("call_soon", "timer")}
    require(sorted(second) == sorted(added), f"the second iteration ran {second}")

    drawing = Drawing("One iteration: where its callbacks come from and in which order they run", 620, 262)
    for place, (title, names) in enumerate(groups):
        x = 90 + 172 * place
        drawing.band(x, 8, 160, 84)
        drawing.text(x + 10, 28, title)
        for index, name in enumerate(names):
            drawing.box(x + 20 + STEP * index, 44, name)
        drawing.arrow(x + 80, 92, x + 80, 122)
    drawing.text(8, 28, "collect")
    drawing.text(8, 150, "4  run")
    drawing.band(90, 122, 504, 46)
    for index, name in enumerate(first):
        drawing.box(110 + 86 * index - (0 if index % 2 == 0 else 44), 128, name)
    drawing.text(8, 222, "next batch")
    drawing.band(90, 194, 504, 46)
    for index, name in enumerate(second):
        drawing.box(110 + 172 * index, 200, name)
        what = "timer" if source[name] == "timer" else "call_soon"
        drawing.text(152 + 172 * index, 222, f"{what} by {added[name]}", size=13)
    return drawing.svg()


def figures() -> dict[str, str]:
    """Return every figure: file name to text."""
    return {
        "await_chain.svg": draw_chain(),
        "future_life.svg": draw_future(),
        "job.svg": draw_job(),
        "one_iteration.svg": draw_iteration(),
        "ready_queue.svg": draw_queue(),
        "receiving.svg": draw_receiving(),
        "timer_heap.svg": draw_heap(),
        "two_tasks.svg": draw_tasks(),
    }


def main() -> None:
    """Write every figure beside this file."""
    for name, text in figures().items():
        (HERE / name).write_text(text, encoding="utf-8")
        print(f"{name}: {len(text)} bytes")


if __name__ == "__main__":
    main()
