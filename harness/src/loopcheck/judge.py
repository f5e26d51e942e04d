# SPDX-License-Identifier: MIT
"""From traces to a verdict: a pure function, so that stored results can be judged again without running.

The steps, each of which can end it: does the scenario work on the oracle; does the oracle do the same every
time; did the target's process survive; do events, times and leftovers agree.  What is found counts at the
level of the statements that the scenario cites; some kinds of difference never count for more than
``observed`` (see the vocabulary).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import sentences
from .order import Difference, differences, pair
from .traces import Event, Trace
from .values import show_all
from .vocabulary import KINDS, LEVELS, REASONS, at_least

EARLY_TOLERANCE_S = 0.0011  # a timer may be early by the clock's resolution, which is 1 ms for some pollers
LATE_THRESHOLD_S = 0.005
SLOW_SHARE = 0.1


@dataclass(frozen=True)
class Subject:
    """What is judged: names for the sentences, the scenario's level, and which level is demanded.

    habits_count: whether what every loop of the target leaves behind counts in this scenario.
    """

    oracle: str
    target: str
    level: str
    demanded: str
    target_is_asyncio: bool = False
    habits_count: bool = False


@dataclass(frozen=True)
class Finding:
    """One difference, judged and put into words.

    ended_it: it is an exception that came out of the scenario.
    """

    kind: str
    event: str
    sentence: str
    level: str
    oracle: Any = None
    target: Any = None
    ended_it: bool = False

    @property
    def axis(self) -> str:
        """The axis that this kind of difference belongs to."""
        return KINDS[self.kind].axis

    @property
    def signature(self) -> str:
        """``axis:kind:event``: what a baseline recognises a difference by."""
        return f"{self.axis}:{self.kind}:{self.event}"


@dataclass(frozen=True)
class Judgement:
    """A verdict with its evidence.

    reason: a word of the vocabulary, where there is no verdict.  sentence: why, where there are no findings.
    seen: in how many of the target's runs the first finding showed, and of how many.
    shown: which of these runs the findings are about.
    """

    verdict: str
    level: str
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    sentence: str = ""
    seen: tuple[int, int] = (0, 0)
    shown: int = 0

    @property
    def axis(self) -> str | None:
        """The axis of the first difference that counts."""
        return self.findings[0].axis if self.findings else None

    @property
    def signature(self) -> str | None:
        """The signature of the first difference that counts."""
        return self.findings[0].signature if self.findings else None


def judge(
    subject: Subject, oracle: Sequence[Trace], target: Sequence[Trace], confirmations: Sequence[Trace] = ()
) -> Judgement:
    """Return the verdict on the target's runs.

    confirmations: further runs of the target with longer ticks, made because the first ones were late.
    """
    return (
        _failed_harness([*oracle, *target, *confirmations], subject)
        or _broken_scenario(oracle, subject)
        or _nondeterministic_oracle(oracle, subject)
        or _no_loop_of_its_own(target, subject)
        or _ended_badly([*target, *confirmations], subject)
        or _compare(subject, oracle[0], target, confirmations)
    )


def _failed_harness(traces: Sequence[Trace], subject: Subject) -> Judgement | None:
    for trace in traces:
        if trace.status == "harness-error":
            last_line = trace.harness_error.strip().splitlines()[-1]
            return Judgement("harness-error", subject.level, sentence=last_line)
    return None


def _broken_scenario(oracle: Sequence[Trace], subject: Subject) -> Judgement | None:
    for trace in oracle:
        if trace.status in ("hang", "crash"):
            sentence = sentences.ending_sentence(trace, subject.oracle)
            return Judgement("broken-scenario", subject.level, sentence=sentence)
        if trace.status == "raised":
            raised = [event for event in trace.events if event.kind == "raised"]
            sentence = f"it raises {show_all(raised[-1].values)} on {subject.oracle}."
            return Judgement("broken-scenario", subject.level, sentence=sentence)
    return None


def _nondeterministic_oracle(oracle: Sequence[Trace], subject: Subject) -> Judgement | None:
    for trace in oracle[1:]:
        found = [f for f in _order_findings(subject, oracle[0], trace) if at_least(f.level, subject.level)]
        if found:
            reason = "nondeterministic-on-oracle"
            return Judgement(
                "inconclusive",
                subject.level,
                reason=reason,
                sentence=f"{REASONS[reason]} {found[0].sentence}",
            )
    return None


def _no_loop_of_its_own(target: Sequence[Trace], subject: Subject) -> Judgement | None:
    for trace in target:
        if trace.end is None:
            continue
        if trace.end["loops"] == 0 and trace.status == "ok":
            return Judgement("harness-error", subject.level, reason="no-loop", sentence=REASONS["no-loop"])
        own = [name for name in trace.end["classes"] if name.split(".")[0] == "asyncio"]
        if own and not subject.target_is_asyncio:
            sentence = (
                f"the factory of {subject.target} gave asyncio's own loop ({own[0]}): nothing was tested."
            )
            return Judgement("harness-error", subject.level, sentence=sentence)
    return None


def _ended_badly(target: Sequence[Trace], subject: Subject) -> Judgement | None:
    bad = [trace for trace in target if trace.status in ("hang", "crash")]
    if not bad:
        return None
    sentence = sentences.ending_sentence(bad[0], subject.target)
    return Judgement(bad[0].status, subject.level, sentence=sentence, seen=(len(bad), len(target)))


def _compare(
    subject: Subject, oracle: Trace, target: Sequence[Trace], confirmations: Sequence[Trace]
) -> Judgement:
    all_target = [*target, *confirmations]
    per_run = [_telling_first(_findings(subject, oracle, trace, all_target), subject) for trace in target]
    showing = [index for index, findings in enumerate(per_run) if findings]
    if not showing:
        return Judgement("agree", subject.level, seen=(0, len(target)))
    shown = min(showing, key=lambda index: not _counts(per_run[index], subject))
    findings = per_run[shown]
    verdict = "differ" if _counts(findings, subject) else "variant"
    if _is_unsupported(findings):
        verdict = "unsupported"
    signature = findings[0].signature
    seen = sum(any(finding.signature == signature for finding in per_run[index]) for index in showing)
    firmest = min((finding.level for finding in findings), key=list(LEVELS).index)
    return Judgement(verdict, firmest, tuple(findings), seen=(seen, len(target)), shown=shown)


def _counts(findings: Iterable[Finding], subject: Subject) -> bool:
    """Return whether one of the findings is as firm as the demanded level."""
    return any(at_least(finding.level, subject.demanded) for finding in findings)


def _telling_first(findings: Sequence[Finding], subject: Subject) -> list[Finding]:
    """Put first what ended the scenario, for it explains what did not happen; then what the level counts."""
    return sorted(findings, key=lambda f: (not f.ended_it, not at_least(f.level, subject.demanded)))


def _is_unsupported(findings: Sequence[Finding]) -> bool:
    """Return whether the target says that it does not have this, and whether that explains all the rest."""
    says_so = [finding for finding in findings if _says_not_implemented(finding)]
    explained = ("missing", "log", "wording", "leak")
    return bool(says_so) and all(f in says_so or f.kind in explained for f in findings)


def _says_not_implemented(finding: Finding) -> bool:
    form = "'exc': 'NotImplementedError'"
    return form in repr(finding.target) and form not in repr(finding.oracle)


def _findings(subject: Subject, oracle: Trace, target: Trace, all_target: Sequence[Trace]) -> list[Finding]:
    return [
        *_order_findings(subject, oracle, target),
        *_timing_findings(subject, oracle, target, all_target),
        *_resource_findings(subject, oracle, target),
    ]


def _finding(
    subject: Subject,
    kind: str,
    event: str,
    sentence: str,
    oracle: Any = None,
    target: Any = None,
    ended_it: bool = False,
) -> Finding:
    order = list(LEVELS)
    level = (
        subject.level
        if KINDS[kind].level == "scenario"
        else max(subject.level, KINDS[kind].level, key=order.index)
    )
    return Finding(kind, event, sentence, level, oracle, target, ended_it)


# ---- events ----------------------------------------------------------------------------------------------


def _order_findings(subject: Subject, oracle: Trace, target: Trace) -> list[Finding]:
    if subject.habits_count:
        found = differences(oracle.events, target.events)
    else:
        found = differences(oracle.events_without_habits(), target.events_without_habits())
    return [_order_finding(subject, difference) for difference in found]


def _order_finding(subject: Subject, found: Difference) -> Finding:
    kind = found.kind
    if found.event.kind == "raised":
        kind = "class"
    return _finding(
        subject,
        kind,
        found.event.name,
        sentences.difference_sentence(found, subject.oracle, subject.target),
        list(found.oracle.values) if found.oracle is not None else None,
        list(found.target.values) if found.target is not None else None,
        ended_it=found.event.kind == "raised",
    )


# ---- times -----------------------------------------------------------------------------------------------


def _timing_findings(
    subject: Subject, oracle: Trace, target: Trace, all_target: Sequence[Trace]
) -> list[Finding]:
    found = []
    for index, match in sorted(pair(oracle.events, target.events).items()):
        event, on_oracle = target.events[index], oracle.events[match]
        if event.lateness is None:
            continue
        late_on_oracle = on_oracle.lateness or 0.0
        if event.lateness < min(late_on_oracle, 0.0) - EARLY_TOLERANCE_S:
            found.append(_timing_finding(subject, "early", event, -event.lateness))
            continue
        same = _same_in_other_runs(target, index, all_target)
        if all(_is_late(trace, other, late_on_oracle) for trace, other in same):
            found.append(_late_or_slow(subject, event, [other for _, other in same]))
    return found


def _same_in_other_runs(target: Trace, index: int, runs: Sequence[Trace]) -> list[tuple[Trace, Event]]:
    """Return the same event of each run that has it: of several events with a name, the n-th is the same."""
    key = target.events[index].key
    n = sum(event.key == key for event in target.events[:index])
    named = [(trace, [event for event in trace.events if event.key == key]) for trace in runs]
    return [(trace, events[n]) for trace, events in named if len(events) > n]


def _is_late(trace: Trace, event: Event, late_on_oracle: float) -> bool:
    """Return whether an event was late in a run, by more than the oracle and the machine can explain."""
    excuse = max(late_on_oracle, 0.0) + (trace.run_delay if trace.real_time_mattered else 0.0)
    return (event.lateness or 0.0) - excuse > LATE_THRESHOLD_S


def _late_or_slow(subject: Subject, event: Event, runs: Sequence[Event]) -> Finding:
    """Tell late (by an amount) from slow (by a share): does the lateness grow with the delay?"""
    points = [(e.due, e.lateness or 0.0) for e in runs if e.due is not None]
    shortest, longest = min(points), max(points)
    if longest[0] > shortest[0]:
        share = (longest[1] - shortest[1]) / (longest[0] - shortest[0])
        if share > SLOW_SHARE:
            return _timing_finding(subject, "slow", event, share)
    return _timing_finding(subject, "late", event, event.lateness or 0.0)


def _timing_finding(subject: Subject, kind: str, event: Event, amount: float) -> Finding:
    return _finding(subject, kind, event.name, sentences.timing_sentence(kind, event, amount))


# ---- leftovers -------------------------------------------------------------------------------------------


def _resource_findings(subject: Subject, oracle: Trace, target: Trace) -> list[Finding]:
    ours, theirs = oracle.end or {}, target.end or {}
    found = []
    for sort, things in theirs.get("left", {}).items():
        more = Counter(things) - Counter(ours.get("left", {}).get(sort, []))
        if not subject.habits_count:
            more -= Counter(target.habits["left"].get(sort, []) * target.loops_made)
        found += [_leak(subject, sort, what, count) for what, count in sorted(more.items())]
    more_tasks = theirs.get("pending_tasks", 0) - ours.get("pending_tasks", 0)
    if more_tasks > 0:
        found.append(_leak(subject, "pending_tasks", "task", more_tasks))
    if theirs.get("close_errors") and not ours.get("close_errors"):
        sentence = sentences.close_sentence(subject.target, theirs["close_errors"])
        found.append(_finding(subject, "class", "close", sentence, [], theirs["close_errors"]))
    return found


def _leak(subject: Subject, sort: str, what: str, count: int) -> Finding:
    sentence = sentences.leak_sentence(sort, what, count, subject.target, subject.oracle)
    return _finding(subject, "leak", what, sentence)


def is_noisy(trace: Trace) -> bool:
    """Return whether the machine was too busy in a run for its differences to count."""
    return trace.real_time_mattered and trace.run_delay > float(trace.header.get("T", 0.0)) / 2


def may_be_noise(judgement: Judgement) -> bool:
    """Return whether a busy machine may be the cause of what was found: not if only words differ."""
    if judgement.verdict in ("differ", "variant"):
        return any(finding.kind != "wording" for finding in judgement.findings)
    return judgement.verdict == "hang"


def without_verdict(judgement: Judgement) -> Judgement:
    """Return the judgement of runs that differ but were all noisy."""
    sentence = f"{REASONS['noisy']} It would be: {judgement.verdict}."
    return replace(judgement, verdict="inconclusive", reason="noisy", sentence=sentence, findings=())
