# SPDX-License-Identifier: MIT
"""The figures of futures, coroutines and tasks, drawn from the traces of traces_await.py.

What a trace cannot show, the callbacks that wait at a future, is replayed from it, and has to agree with what ran.
"""

from drawing import BOX, STEP, Drawing, require
from traces_await import Note, chain_trace, future_trace, task_trace

# ---- a future's life --------------------------------------------------------------

# What happened, the state, the future's callbacks, what it has put into the loop's queue.
Row = tuple[str, str, list[str], list[str]]


def replay_future(notes: list[Note]) -> list[Row]:
    """Return the future after each deed, and require that its callbacks ran in the iteration after, in order."""
    state = "pending"
    done = 0
    callbacks: list[str] = []
    queued: list[str] = []
    rows: list[Row] = []
    for note in (note for note in notes if note.what != "runs"):
        if note.what == "set_result()":
            state, queued, callbacks = "finished", queued + callbacks, []
            done = note.iteration
        elif state == "pending":
            callbacks = [*callbacks, note.what.removeprefix("adds ")]
        else:
            queued = [*queued, note.what.removeprefix("adds ")]
        what = f"{note.who} {'calls ' if note.what.endswith('()') else ''}{note.what}"
        rows.append((what if note.iteration else f"before: {what}", state, callbacks, queued))
    ran = [note for note in notes if note.what == "runs"]
    require([note.who for note in ran] == queued, f"{ran} ran")
    require({note.iteration for note in ran} == {done + 1}, f"{ran} did not run one iteration later")
    rows.append((f"next iteration: {', '.join(queued)} run", state, [], []))
    return rows


def draw_future() -> str:
    """A future, its callbacks and the loop's queue after each thing that happens to it."""
    rows = replay_future(future_trace())
    drawing = Drawing("A future after each thing that happens to it", 640, 50 * len(rows) + 40)
    for x, title in ((230, "future"), (330, "its callbacks"), (480, "queued by it")):
        drawing.text(x, 18, title, size=13)
    for number, (what, state, callbacks, queued) in enumerate(rows):
        y = 50 * number + 32
        drawing.text(8, y + 22, what)
        drawing.text(230, y + 22, state)
        drawing.band(324, y - 4, 134, BOX + 8)
        drawing.band(474, y - 4, 134, BOX + 8)
        for place, name in enumerate(callbacks):
            drawing.box(330 + STEP * place, y, name)
        for place, name in enumerate(queued):
            drawing.box(480 + STEP * place, y, name)
    return drawing.svg()


# ---- a chain of coroutines ----------------------------------------------------------


def draw_chain() -> str:
    """The frames of a suspended coroutine, and the way of an exception through them."""
    chain, notes = chain_trace()
    path = {note.who: note.what for note in notes}
    require([note.who for note in notes] == ["future", *reversed(chain)], f"the exception went {notes}")
    require(len({note.iteration for note in notes[1:]}) == 1, "the exception took more than one iteration")
    names = ["task", *chain, "future"]
    drawing = Drawing("A chain of coroutines, and the way of an exception", 560, 72 * len(names) + 20)
    drawing.text(40, 16, "what waits for what", size=13)
    drawing.text(300, 16, "the way of the exception", size=13)
    for place, name in enumerate(names):
        y = 72 * place + 28
        drawing.box(40, y, name if name in ("task", "future") else f"{name}()", width=150)
        drawing.text(300, y + 22, path.get(name, "never sees it"))
        if place:
            drawing.arrow(115, y - 38, 115, y)
            drawing.text(124, y - 14, "steps" if place == 1 else "awaits", size=12)
    for place in range(len(names) - 1, names.index("fetch"), -1):
        y = 72 * place + 28
        drawing.arrow(270, y + 2, 270, y - 36)
        drawing.text(280, y - 14, "ValueError", size=12)
    return drawing.svg()


# ---- two tasks -----------------------------------------------------------------------


def draw_tasks() -> str:
    """The steps of two tasks, by iteration, with a request to cancel and its answer."""
    notes = task_trace()
    columns = {"main": 96, "work": 376}
    drawing = Drawing("The steps of two tasks, one of which cancels the other", 650, 56 * len(notes) + 40)
    for who, x in columns.items():
        drawing.text(x, 18, who, size=13)
    centres: dict[str, float] = {}
    for number, note in enumerate(notes):
        y = 56 * number + 32
        if number == 0 or notes[number - 1].iteration != note.iteration:
            drawing.text(8, y + 22, f"iteration {note.iteration}")
            drawing.line(8, y - 10, 642, y - 10)
        drawing.box(columns[note.who], y, note.what, width=266)
        centres[note.what] = y
    asked = centres["cancel(); awaits the task"]
    answered = centres["CancelledError; awaits sleep(0)"]
    require(answered > asked, "the request came out before it was made")
    drawing.arrow(362, asked + 16, 420, answered)
    return drawing.svg()
