# SPDX-License-Identifier: MIT
"""Results for the tests of the HTML page: small ones about one thing, every verdict, and a full-sized run."""

from typing import Any

from loopcheck.judge import Finding, Judgement, judge
from loopcheck.results import Results, assemble
from loopcheck.traces import Event, Trace
from loopcheck.vocabulary import VERDICTS

from .building import ABOUT, died, event, events, exc, footer, header, record, result, subject, trace

HOSTILE = '</script><img src=x onerror="window.hacked=1"><!--<script>&amp;\'\u2028\ud800'
FULL_SIZE = 500  # scenarios
SOURCE = '@scenario(statements=["call_soon.fifo-order"])\ndef scenario(loop, trace):\n    trace("first")'


def about(source: str = SOURCE, **fields: Any) -> dict[str, Any]:
    """Return what a results file has about a scenario itself."""
    return {**ABOUT, "source": source, **fields}


def judged(ours: Trace, theirs: Trace, level: str = "guaranteed", **fields: Any) -> dict[str, Any]:
    """Return the record of a scenario with these two runs, judged; fields: of the record."""
    given = {key: fields.pop(key) for key in list(fields) if key in ("id", "title", "target")}
    judgement = judge(subject(level, target=given.get("target", "target")), [ours], [theirs])
    return {**result(judgement, (ours,), (theirs,), **given), **fields}


def results(*records: dict[str, Any], names: tuple[str, ...] = (), ended: bool = True) -> Results:
    """Return the results of a run with these records."""
    end = [footer(1)] if ended else []
    return assemble([header(*names, selected=len(records)), *records, *end])


def order_difference(**fields: Any) -> dict[str, Any]:
    """Return a record in which the timer overtakes: the target has “timer” before “soon”."""
    numbered = [event("soon", t=0.001, iteration=1), event("reader", t=0.002, iteration=1)]
    timer = event("timer", t=0.003, iteration=2)
    return judged(trace(*numbered, timer), trace(timer, *numbered), **fields)


def value_difference(ours: Any = True, theirs: Any = False, **fields: Any) -> dict[str, Any]:
    """Return a record in which one event has another value."""
    return judged(
        trace(event("same"), event("told", ours)), trace(event("same"), event("told", theirs)), **fields
    )


def late_timer(**fields: Any) -> dict[str, Any]:
    """Return a record with a timer that is 30 ms late, after one in time."""

    def run(t: float) -> Trace:
        return trace(event("in time", t=0.02, due=0.02), event("after 2 ticks", t=t, due=0.04))

    return judged(run(0.04), run(0.07), **fields)


def crash(**fields: Any) -> dict[str, Any]:
    """Return a record whose target died after its first event, and wrote something before."""
    output = 'Fatal Python error\n  File "loop.py", line 3 in call_soon'
    return judged(
        trace(*events("first second")), died(event("first"), signal="SIGSEGV", output=output), **fields
    )


def long_trace(**fields: Any) -> dict[str, Any]:
    """Return a record with hundreds of events, of which two are exchanged and a stretch is missing."""
    ours = [event(f"callback {n}", n, iteration=1 + n // 7) for n in range(300)]
    theirs = [*ours[:40], ours[41], ours[40], *ours[42:150], *ours[200:]]
    return judged(trace(*ours), trace(*[Event(**vars(one)) for one in theirs]), **fields)


def hostile(**fields: Any) -> dict[str, Any]:
    """Return a record in which every text that a scenario or a loop can choose is markup."""
    ours = [event(HOSTILE, HOSTILE, actor=HOSTILE), record("log", "WARNING", HOSTILE, exc(HOSTILE, HOSTILE))]
    made = judged(trace(*ours), died(event(HOSTILE, "other"), signal="SIGABRT", output=HOSTILE))
    known = {
        "signature": HOSTILE,
        "reason": HOSTILE,
        "url": "javascript:hacked()",
        "expires": None,
        "line": 3,
    }
    statements = [
        {"id": "call_soon.fifo-order", "text": HOSTILE, "status": "guaranteed", "url": "javascript:1"}
    ]
    return {
        **made,
        "title": HOSTILE,
        "basis": HOSTILE,
        "known": known,
        "about": about(HOSTILE, statements=statements),
        **fields,
    }


def every_verdict() -> Results:
    """Return results that have each verdict of the vocabulary once."""
    records = []
    for verdict in VERDICTS:
        finding = Finding(
            "value", "told", "“told”: asyncio has True, target has False.", "guaranteed", [True], [False]
        )
        found = (finding,) if verdict in ("differ", "variant", "known", "changed") else ()
        reason = {"inconclusive": "noisy", "skipped": "version"}.get(verdict, "")
        judgement = Judgement(
            verdict, "guaranteed", found, reason=reason, sentence="It is said why.", seen=(1, 1)
        )
        made = result(
            judgement, (trace(event("told", True)),), (trace(event("told", False)),), id=f"area/{verdict}"
        )
        known = {
            "signature": "value:value:told",
            "reason": "Reported.",
            "url": "",
            "expires": None,
            "line": 2,
        }
        records.append({**made, "known": known if verdict == "known" else None})
    return results(*records)


def full_size(*targets: str, alike: bool = True) -> Results:
    """Return a run as large as one of everything: scenarios of six events and 12 lines, on each target.

    alike: whether the same happens on all targets; else each has its own values, and so has its oracle.
    """
    source = "\n".join(
        [SOURCE, *(f'    loop.call_soon(trace, "number {n}", {n})  # and why' for n in range(9))]
    )
    records = []
    for number in range(FULL_SIZE):
        for target in targets:
            value = "" if alike else target
            happened = [event(f"event {n}", n, value, t=n / 1000, iteration=n) for n in range(6)]
            moved = happened[::-1] if number % 9 == 0 else happened
            made = judged(
                trace(*happened),
                trace(*moved),
                id=f"area/scenario_with_a_longer_name_{number}",
                target=target,
            )
            records.append({**made, "about": about(source)})
    return results(*records, names=targets)
