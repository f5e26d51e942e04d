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
from .timing import fault_of
from .traces import Event, Trace
from .values import show_all
from .vocabulary import KINDS, LEVELS, REASONS, at_least

NOISY = "noisy"
NONDETERMINISTIC = "nondeterministic-on-oracle"


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
    outcomes: the first finding's signature, or None for agreement, and in how many runs; most frequent first.
    ending: of a crash or hang, what its signature says after the verdict.
    """

    verdict: str
    level: str
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    sentence: str = ""
    seen: tuple[int, int] = (0, 0)
    shown: int = 0
    outcomes: tuple[tuple[str | None, int], ...] = ()
    ending: str = ""

    @property
    def axis(self) -> str | None:
        """The axis of the first difference that counts."""
        return self.findings[0].axis if self.findings else None

    @property
    def signature(self) -> str | None:
        """The signature of the first difference that counts, or of how the process ended; None where it agreed."""
        if self.verdict in ("crash", "hang"):
            return f"process:{self.verdict}:{self.ending}"
        return self.findings[0].signature if self.findings else None


def judge(
    subject: Subject, oracle: Sequence[Trace], target: Sequence[Trace], confirmations: Sequence[Trace] = ()
) -> Judgement:
    """Return the verdict on the target's runs.

    oracle: as many runs as of the target, and perhaps one more, made because there was a difference.
    confirmations: further runs of the target with longer ticks, made because the first ones were late.
    """
    judgement = _judge(subject, oracle, target, confirmations)
    noisy = any(map(is_noisy, [*oracle[: len(target)], *target]))
    doubtful = judgement.verdict in ("differ", "variant")
    return despite_noise(judgement, subject) if noisy and doubtful else judgement


def _judge(
    subject: Subject, oracle: Sequence[Trace], target: Sequence[Trace], confirmations: Sequence[Trace]
) -> Judgement:
    return (
        _failed_harness([*oracle, *target, *confirmations], subject)
        or _broken_scenario(oracle, subject)
        or _nondeterministic_oracle(oracle, subject)
        or _no_loop_of_its_own(target, subject)
        or _ended_badly(subject, oracle, [*target, *confirmations])
        or _compare(subject, oracle, target, confirmations)
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
    calm = [trace for trace in oracle if not is_noisy(trace)]  # what noise did is nobody's nondeterminism
    for trace in calm[1:]:
        found = [f for f in _order_findings(subject, calm[0], trace) if at_least(f.level, subject.level)]
        if found:
            sentence = f"{REASONS[NONDETERMINISTIC]} {found[0].sentence}"
            return Judgement("inconclusive", subject.level, reason=NONDETERMINISTIC, sentence=sentence)
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


def _ended_badly(subject: Subject, oracle: Sequence[Trace], target: Sequence[Trace]) -> Judgement | None:
    bad = [trace for trace in target if trace.status in ("hang", "crash")]
    if not bad:
        return None
    well = [trace for trace in target if trace not in bad]
    per_run = [_telling_first(_findings(subject, oracle, trace, well), subject) for trace in well]
    return Judgement(
        bad[0].status,
        subject.level,
        sentence=sentences.ending_sentence(bad[0], subject.target),
        seen=(len(bad), len(target)),
        ending=_ending(bad[0]),
        outcomes=_frequencies([*map(_process_signature, bad), *map(_first_signature, per_run)]),
    )


def _ending(trace: Trace) -> str:
    """Return how a process ended, as its signature says it: by which signal or status, or after which event."""
    if trace.status == "hang":
        return trace.last_event.name if trace.last_event else ""
    return trace.outcome.signal or f"exit-{trace.outcome.code}"


def _process_signature(trace: Trace) -> str:
    return f"process:{trace.status}:{_ending(trace)}"


def _first_signature(findings: Sequence[Finding]) -> str | None:
    return findings[0].signature if findings else None


def _frequencies(signatures: Iterable[str | None]) -> tuple[tuple[str | None, int], ...]:
    return tuple(Counter(signatures).most_common())


def _compare(
    subject: Subject, oracle: Sequence[Trace], target: Sequence[Trace], confirmations: Sequence[Trace]
) -> Judgement:
    all_target = [*target, *confirmations]
    per_run = [_telling_first(_findings(subject, oracle, trace, all_target), subject) for trace in target]
    outcomes = _frequencies(map(_first_signature, per_run))
    showing = [index for index, findings in enumerate(per_run) if findings]
    if not showing:
        return Judgement("agree", subject.level, seen=(0, len(target)), outcomes=outcomes)
    shown = min(showing, key=lambda index: not _counts(per_run[index], subject))
    findings = per_run[shown]
    verdict = "differ" if _counts(findings, subject) else "variant"
    if _is_unsupported(findings):
        verdict = "unsupported"
    signature = findings[0].signature
    seen = sum(any(finding.signature == signature for finding in per_run[index]) for index in showing)
    firmest = min((finding.level for finding in findings), key=list(LEVELS).index)
    return Judgement(
        verdict, firmest, tuple(findings), seen=(seen, len(target)), shown=shown, outcomes=outcomes
    )


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


def _findings(
    subject: Subject, oracle: Sequence[Trace], target: Trace, all_target: Sequence[Trace]
) -> list[Finding]:
    return [
        *_order_findings(subject, oracle[0], target),
        *_timing_findings(subject, oracle, target, all_target),
        *_resource_findings(subject, oracle[0], target),
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
    ended_it = found.event.kind == "raised"
    return _finding(
        subject,
        "class" if ended_it else found.kind,
        f"raised {class_of(found.event)}" if ended_it else found.event.name,
        sentences.difference_sentence(found, subject.oracle, subject.target),
        list(found.oracle.values) if found.oracle is not None else None,
        list(found.target.values) if found.target is not None else None,
        ended_it=ended_it,
    )


def class_of(raised: Event) -> str:
    """Return the class of the exception that ended a scenario: another one is another difference."""
    form = raised.values[0] if raised.values else None
    return str(form.get("exc", "")) if isinstance(form, dict) else ""


# ---- times -----------------------------------------------------------------------------------------------


def _timing_findings(
    subject: Subject, oracle: Sequence[Trace], target: Trace, all_target: Sequence[Trace]
) -> list[Finding]:
    found = []
    for index, match in sorted(pair(oracle[0].events, target.events).items()):
        fault = fault_of(index, target, match, oracle, all_target)
        if fault is not None:
            event = target.events[index]
            sentence = sentences.timing_sentence(fault.kind, event, fault.amount)
            found.append(_finding(subject, fault.kind, event.name, sentence))
    return found


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
    return trace.real_time_mattered and trace.run_delay > trace.tick / 2


def despite_noise(judgement: Judgement, subject: Subject) -> Judgement:
    """Return what can be said of runs that differ but were all noisy.

    No noise changes the text of an exception or makes a timer early; whatever else was found is left open.
    """
    if all(finding.kind == "wording" for finding in judgement.findings):
        return judgement
    early = tuple(finding for finding in judgement.findings if finding.kind == "early")
    if early:
        return replace(judgement, verdict="differ" if _counts(early, subject) else "variant", findings=early)
    sentence = f"{REASONS['noisy']} It would be: {judgement.verdict}."
    return replace(judgement, verdict="inconclusive", reason=NOISY, sentence=sentence, findings=())
