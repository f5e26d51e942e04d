# SPDX-License-Identifier: MIT
"""Results with every verdict, for the tests of reports: small, and with what is hard to show in them.

Traced texts hold markup, commands of CI services, control characters: whatever a report makes of them, they
must come out as text.
"""

from dataclasses import replace
from typing import Any

from loopcheck.judge import Finding, Judgement, judge
from loopcheck.results import Results, assemble
from loopcheck.vocabulary import VERDICTS

from .building import died, event, exc, footer, header, record, result, subject, trace

Record = dict[str, Any]

NASTY = "</script> ]]> `code` | @all ::error::x \x1b[31m\x00 <b>&amp;"
ENTRY = {"signature": "order:missing:b", "reason": "upstream", "url": "https://loop.test/1", "expires": ""}


def verdict(id: str, word: str, sentence: str = "", **fields: Any) -> Record:
    """Return the record of a scenario that was not judged by its traces."""
    reason = fields.pop("reason", "")
    return result(Judgement(word, "guaranteed", reason=reason, sentence=sentence), id=id, **fields)


def differ(id: str = "order/differ", signature: str = "order:missing:b", **fields: Any) -> Record:
    """Return the record of a scenario whose second event has the kind of difference that a signature names.

    fields: of the record; ``outcomes``: of its runs, as pairs of signature and number.
    """
    outcomes = tuple(fields.pop("outcomes", [(signature, 1)]))
    level = fields.pop("level", "guaranteed")
    names = [signature, *fields.pop("more", ())]
    findings = tuple(
        Finding(name.split(":")[1], name.split(":")[2], f"“{name.split(':')[2]}” is not right.", level)
        for name in names
    )
    word = "differ" if level == "guaranteed" else "variant"
    seen = (dict(outcomes)[signature], sum(number for _, number in outcomes))
    judgement = Judgement(word, level, findings, seen=seen, outcomes=outcomes)
    made = result(judgement, (trace(event("a"), event("b")),), (trace(event("a")),), id=id)
    return {**made, **fields}


def agree(id: str = "order/agree", **fields: Any) -> Record:
    """Return the record of a scenario that agrees."""
    same = (trace(event("a"), event("b")),)
    return {**result(judge(subject(), same, same), same, same, id=id), **fields}


NASTY_VALUE = result(
    judge(subject(), (trace(event("a", "plain")),), (trace(event("a", NASTY)),)),
    (trace(event("a", "plain")),),
    (trace(event("a", NASTY)),),
    id="values/nasty",
    title=f"Whatever is traced stays text: {NASTY}",
)
_DIED = (died(signal="SIGSEGV", code=None, output=f"Fatal Python error\n::error::no command\n{NASTY}\n"),)
CRASH = result(judge(subject(), (trace(event("a")),), _DIED), (trace(event("a")),), _DIED, id="process/crash")
_HUNG = (died(event("a"), hung=True, code=None, signal="SIGKILL"),)
HANG = result(judge(subject(), (trace(event("a")),), _HUNG), (trace(event("a")),), _HUNG, id="process/hang")
_LACKS = (trace(record("raised", "raised", exc("NotImplementedError")), status="raised"),)
UNSUPPORTED = result(
    judge(subject(), (trace(event("a")),), _LACKS), (trace(event("a")),), _LACKS, id="values/unsupported"
)
EVERY = [
    agree(),
    differ("order/variant", "resource:leak:socket", level="observed"),
    differ(outcomes=[("order:missing:b", 2), (None, 1)]),
    differ("order/known", verdict="known", known={**ENTRY, "line": 3}),
    differ("order/changed", "order:extra:c", verdict="changed", known={**ENTRY, "line": 9}),
    {**agree("order/fixed"), "verdict": "fixed", "known": {**ENTRY, "line": 15}},
    UNSUPPORTED,
    verdict("timers/blocked", "blocked", "it needs what timers/first shows, and that failed."),
    verdict("timers/skipped", "skipped", "it holds since 3.14; target is Python 3.12.1.", reason="version"),
    verdict("timers/noisy", "inconclusive", "The machine was too busy.", reason="noisy"),
    verdict("values/broken", "broken-scenario", "it raises KeyError() on asyncio."),
    CRASH,
    HANG,
    verdict("process/harness", "harness-error", "the trace is damaged."),
    NASTY_VALUE,
]
PROBLEM = {"record": "problem", "file": "area/topic.py", "line": 7, "sentence": "f: has no docstring"}
NO_START = {"record": "target-error", "target": "gone", "during": "import", "sentence": "gone: no module"}
STALE = {
    "record": "baseline-problem",
    "file": "base.toml",
    "line": 15,
    "kind": "stale",
    "scenario": "order/fixed",
    "target": "target",
    "signature": "order:missing:b",
    "sentence": "order/fixed agrees on target: remove this entry.",
}
UNKNOWN = {**STALE, "line": 21, "kind": "unknown", "scenario": "a/b", "sentence": "there is no scenario a/b."}


def every_verdict(exit: int = 3) -> Results:
    """Return results with every verdict, of a target that ran, and of one that did not start."""
    assert {one["verdict"] for one in EVERY} == set(VERDICTS)
    about = header("target", "gone", selected=len(EVERY), of=364, baseline="base.toml")
    about["targets"][1]["class"] = ""
    return assemble([about, PROBLEM, NO_START, *EVERY, STALE, UNKNOWN, footer(exit)])


def run_of(*records: Record, **fields: Any) -> Results:
    """Return the results of a run on one target that ended; fields: of the header, and ``exit``."""
    exit = fields.pop("exit", 0)
    about = header(selected=len(records), **{"plan": [one["id"] for one in records], **fields})
    return assemble([about, *records, footer(exit)])


def cut(results: Results) -> Results:
    """Return results without their footer, as a run has them that was killed."""
    return replace(results, footer=None)


def interrupted(results: Results) -> Results:
    """Return results as Ctrl-C leaves them."""
    return replace(results, footer=footer(130, interrupted=True))
