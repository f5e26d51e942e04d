# SPDX-License-Identifier: MIT
"""The figures of threads and sockets, drawn from the traces of traces_io.py."""

from drawing import Drawing, require
from traces_await import Note
from traces_io import job_trace, receive_trace

WIDTH = 190  # of a box
ROW = 56


def draw_notes(title: str, notes: list[Note], columns: dict[str, tuple[int, str]]) -> Drawing:
    """Draw each note as a box in the column of who did it, below a line where an iteration begins."""
    drawing = Drawing(title, 700, ROW * len(notes) + 40)
    for x, words in columns.values():
        drawing.text(x, 18, words, size=13)
    for number, note in enumerate(notes):
        y = row(number)
        if number == 0 or notes[number - 1].iteration != note.iteration:
            drawing.text(8, y + 22, f"iteration {note.iteration}")
            drawing.line(8, y - 10, 692, y - 10)
        drawing.box(columns[note.who][0], y, note.what, width=WIDTH)
    return drawing


def row(number: int) -> int:
    """Return the upper edge of the boxes of a row."""
    return ROW * number + 32


def draw_job() -> str:
    """The way of a job to a thread and of its result to the task."""
    notes = job_trace()
    whats = [note.what for note in notes]
    require(whats.index("runs the job") < whats.index("pending"), f"the job ran late: {notes}")
    columns = {
        "task": (96, "the task"),
        "future": (296, "the future"),
        "thread": (496, "a thread of the pool"),
    }
    drawing = draw_notes("A job of an executor, and the way of its result", notes, columns)
    job = row(whats.index("runs the job"))
    drawing.line(190, row(0) + 34, 190, job + 17)
    drawing.arrow(190, job + 17, 496, job + 17)
    drawing.text(300, job + 10, "the job", size=12)
    done = row(whats.index("done"))
    drawing.line(590, job + 34, 590, done + 17)
    drawing.line(590, done + 17, 296 + WIDTH, done + 17)
    drawing.text(500, done + 34, "call_soon_threadsafe()", size=12)
    return drawing.svg()


def draw_receiving() -> str:
    """Who receives when a task waits in sock_recv()."""
    notes = receive_trace()
    received = next(note for note in notes if note.what == "recv(): data")
    require(received.who == "callback", f"{received} is not by the callback")
    require(notes[-1] == Note(received.iteration + 1, "task", "goes on"), f"{notes[-1]} comes last")
    columns = {
        "task": (96, "the task"),
        "callback": (296, "the callback of the watch"),
        "peer": (496, "the peer"),
    }
    drawing = draw_notes("A task that waits in sock_recv(), on CPython", notes, columns)
    last = row(len(notes) - 1)
    drawing.line(390, last - ROW + 34, 390, last + 17)
    drawing.line(390, last + 17, 96 + WIDTH, last + 17)
    drawing.text(400, last + 22, "the data wait in the future")
    return drawing.svg()
