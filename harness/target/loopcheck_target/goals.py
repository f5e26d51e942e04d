# SPDX-License-Identifier: MIT
"""The situations that random programs must get a loop into: a generator that never does proves nothing.

``program.py`` notes each as it happens, on the oracle; the driver counts the programs that got there.
"""

from typing import List, Tuple

CANCELLED_DUE_TIMER = "a timer was cancelled when it was due"
CANCELLED_READY = "a callback was cancelled while it waited for its turn"
CANCELLED_ITSELF = "a callback cancelled its own handle"
CANCELLED_LATE = "a handle was cancelled after it had run"
CANCELLED_AGAIN = "a handle was cancelled twice"
QUEUED_TWICE = "one callback was queued twice"
TIMERS_TOGETHER = "several timers were due at once"
PAST_TIMER = "a timer with a deadline in the past ran"
ZERO_TIMER = "a timer without delay ran"
STOPPED_WITH_PENDING = "stop() was called with callbacks pending"
STOPPED_TWICE = "stop() was called twice in one run"
STOPPED_BEFORE = "stop() was called before the run"
LEFT_FOR_NEXT_RUN = "a callback waited from one run to the next"
CLOSED_WITH_PENDING = "a loop was closed with callbacks pending"
RAISED = "a callback raised"
LEFT_BY_EXCEPTION = "an exception left the run"
FROM_THREAD = "another thread scheduled a callback"
READER_AND_TIMER = "a reader ran while a timer was due"
READER_REMOVED_READY = "a reader was removed when there was something to read"
READER_REPLACED = "a reader replaced another one"
READER_AGAIN = "a reader ran again for what was left to read"
END_OF_FILE = "a reader met the end of the stream"
WRITER = "a writer ran"
OWN_CONTEXT = "a callback ran in a context that was given to it"
DONE_CALLBACK_REMOVED = "a done callback was removed"
DONE_CALLBACK_LATE = "a done callback was added to a future that was done"
TASK_FROM_TASK = "a task made a task"
EAGER = "a task ran its first step when it was made"
CANCELLED_BEFORE_START = "a task was cancelled before its first step"
CANCELLED_TWICE = "a task was cancelled again before it noticed"
CANCELLED_SELF = "a task cancelled itself"
CANCELLED_IN = {
    "await": "a task was cancelled while it waited for a future or a task",
    "sleep": "a task was cancelled in its sleep",
    "gather": "a task was cancelled while it waited in gather",
    "shield": "a task was cancelled while it waited in shield",
    "wait": "a task was cancelled while it waited in wait",
    "wait_for": "a task was cancelled while it waited in wait_for",
    "group": "a task was cancelled while it waited for its group",
}
SWALLOWED = "a task swallowed its cancellation"
WAIT_LEFT_SOME = "wait() returned with tasks pending"
WAIT_FOR_EXPIRED = "wait_for() ran out of time"
TIMEOUT_EXPIRED = "a timeout expired"
TIMEOUT_MOVED = "a timeout was rescheduled"
GATHERED_EXCEPTION = "gather() met an exception"
GROUP_FAILED = "a group of tasks failed"
SHIELD_HELD = "what was shielded went on after its waiter was cancelled"

IN_3_11 = (TIMEOUT_EXPIRED, TIMEOUT_MOVED, GROUP_FAILED, CANCELLED_IN["group"])
SINCE = {EAGER: (3, 14), **{goal: (3, 11) for goal in IN_3_11}}


def for_version(version: Tuple[int, ...]) -> List[str]:
    """Return the goals that programs can reach on a version of Python, in the order of this file."""
    found: List[str] = []
    for name, value in list(globals().items()):
        if name.isupper() and isinstance(value, str):
            found.append(value)
        elif name == "CANCELLED_IN":
            found.extend(value.values())
    return [goal for goal in found if version >= SINCE.get(goal, (3, 0))]
