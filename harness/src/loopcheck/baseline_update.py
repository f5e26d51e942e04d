# SPDX-License-Identifier: MIT
"""Brings a baseline in line with results: new differences in, refuted entries out, everything else as it was.

Two steps, both pure.  ``plan`` compares the entries with the records of one or more runs (several interpreters,
several results files) and says what is to be done with each entry.  ``edited`` does it to the text: entry by
entry, so comments, order and the way an entry is written stay.

A difference that shows on some of the interpreters only gets a ``when`` that keeps these apart from the others;
one that shows and does not show in the same environment gets ``intermittent = true``.  A new entry's reason
begins with TO EXPLAIN: that a program found a difference is no reason to accept it.  What the results say
nothing about, and what ``when``, ``url`` and ``expires`` of other entries say, is left alone.

The rule that a test holds it to: with the updated baseline, the same results have no problem, and every
difference in them is known.
"""

import datetime
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import tomlkit

from .baseline import (
    EVIDENCE,
    Baseline,
    Record,
    environment,
    is_whole,
    judged_of,
    loop_of,
    sentence_about,
    shows,
    signatures_of,
    unlisted,
)
from .baseline_file import LEXEMES, TO_EXPLAIN, Entry, header_lines, parse_entries
from .baseline_when import Environment, both, marker_between
from .results import Results

HEADING = """\
# Differences from asyncio that have been looked at and are accepted: what they are, where, and why.
# `loopcheck run TARGET --baseline FILE` applies them; `loopcheck baseline update FILE RESULTS.jsonl` updates them.
"""

MOST_LINES = 8  # named in a note

Fields = dict[str, Any]  # of an entry that is to be written; None removes a key


@dataclass(frozen=True)
class Seen:
    """What one run saw of one scenario on one target."""

    record: Record
    header: Mapping[str, Any]
    environment: Environment

    @property
    def target(self) -> str:
        """The target's name without its interpreter."""
        return loop_of(self.record["target"])


@dataclass
class Plan:
    """What is to be done.  removed and changed: by index of the entry.  notes: what is left to the reader."""

    removed: set[int] = field(default_factory=set)
    changed: dict[int, Fields] = field(default_factory=dict)
    added: list[Fields] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Updated:
    """An updated baseline: its text, how many entries came, changed and went, and notes to print.

    unexplained: how many entries have a reason that begins with TO EXPLAIN.
    """

    text: str
    added: int
    changed: int
    removed: int
    notes: tuple[str, ...]
    unexplained: int


def update(
    text: str | None,
    file: str,
    results: Sequence[Results],
    *,
    reason: str = "",
    prune: bool = False,
    today: datetime.date | None = None,
) -> Updated:
    """Return a baseline brought in line with results.

    text: of the baseline, None when there is none yet.  file: its name.  reason: of new entries.  prune: remove
    what is expired, unknown or there twice, too.  today: the day on which entries may have expired.  Raises
    BaselineError when the text is no baseline.
    """
    before = HEADING if text is None else text
    baseline = Baseline(file, parse_entries(before, file), today or datetime.date.today())
    planned = Planner(baseline, results, reason).plan(prune)
    after = edited(before, planned)
    new = Baseline(file, parse_entries(after, file), baseline.today)
    if new.unexplained:
        planned.notes.append(_waiting(new.unexplained))
    counts = len(planned.added), len(planned.changed), len(planned.removed)
    return Updated(after, *counts, tuple(planned.notes), len(new.unexplained))


def _waiting(entries: Sequence[Entry]) -> str:
    """Return a note about entries that nobody has explained."""
    lines = [str(entry.line) for entry in entries]
    named = ", ".join(lines[:MOST_LINES])
    more = f" and {len(lines) - MOST_LINES} more" if len(lines) > MOST_LINES else ""
    which = f"{len(lines)} reasons begin" if len(lines) > 1 else "a reason begins"
    at = "lines" if len(lines) > 1 else "line"
    return f"{which} with {TO_EXPLAIN}: say in your own words why ({at} {named}{more})"


# ---- the plan --------------------------------------------------------------------------------------------


class Planner:
    """Compares the entries of a baseline with what runs saw."""

    def __init__(self, baseline: Baseline, results: Sequence[Results], reason: str) -> None:
        self._baseline = baseline
        self._results = results
        self._reason = reason
        self._seen = [
            Seen(result.record, one.header, environment(one.header, result.target_name))
            for one in results
            for result in one.scenarios
        ]
        self._plan = Plan()
        self._refuted: list[int] = []

    def plan(self, prune: bool) -> Plan:
        """Return what is to be done."""
        if prune:
            self._prune()
        for index, entry in enumerate(self._baseline.entries):
            if index not in self._plan.removed:
                self._compare(index, entry)
        for seen in self._by_scenario():
            self._add_what_is_new(seen)
        self._plan.removed.update(self._refuted)
        return self._plan

    def _prune(self) -> None:
        """Remove expired and repeated entries, and those of scenarios that whole runs did not have."""
        whole = all(is_whole(one.header, [r.record for r in one.scenarios]) for one in self._results)
        kinds = ("expired", "duplicate", "unknown") if whole else ("expired", "duplicate")
        for one in self._results:
            problems = self._baseline.check([r.id for r in one.scenarios], one.header)
            lines = {problem["line"] for problem in problems if problem["kind"] in kinds}
            found = (i for i, entry in enumerate(self._baseline.entries) if entry.line in lines)
            self._plan.removed.update(found)

    def _fitting(self, entry: Entry) -> list[Seen]:
        return [seen for seen in self._seen if not self._baseline.mismatch(entry, seen.record, seen.header)]

    def _compare(self, index: int, entry: Entry) -> None:
        """Decide whether an entry stays, is narrowed, or is refuted."""
        where = f"{self._baseline.file}:{entry.line}"
        if self._baseline.is_expired(entry):
            self._plan.notes.append(
                f"{where} expired on {entry.expires} and is left as it is; give it another date, or --prune"
            )
            return
        if entry.intermittent:
            return
        fitting = [(seen, shows(seen.record, entry.signature)) for seen in self._fitting(entry)]
        shown = [seen for seen, there in fitting if there]
        unshown = [seen for seen, there in fitting if there is False]
        if entry.is_pattern:
            refuting = (one.header for one in self._results)
            whole = [self._problems_of_pattern(entry, header) for header in refuting]
            if whole and all(whole):
                self._plan.removed.add(index)
        elif unshown and not shown:
            self._refuted.append(index)
        elif any(_agreed_too(seen.record, entry.signature) for seen in shown):
            self._plan.changed[index] = {"intermittent": True}
        elif {seen.target for seen in shown} != {seen.target for seen in unshown} and unshown:
            self._plan.notes.append(
                f"{where} is about {entry.target}, which do not all show it; split it by target"
            )
        elif unshown:
            self._plan.changed[index] = _narrowed(entry.condition.text, shown, unshown)

    def _problems_of_pattern(self, entry: Entry, header: Mapping[str, Any]) -> bool:
        """Return whether a whole run has nothing that an entry with a pattern would excuse."""
        alone = Baseline(self._baseline.file, (entry,), self._baseline.today)
        records = [seen.record for seen in self._seen if seen.header is header]
        return bool(alone.problems_after(records, header))

    def _by_scenario(self) -> Iterable[list[Seen]]:
        """Yield what was seen of one scenario on one loop, on all interpreters, in the order of the results."""
        groups: dict[tuple[str, str], list[Seen]] = {}
        for seen in self._seen:
            groups.setdefault((seen.target, seen.record["id"]), []).append(seen)
        return groups.values()

    def _listed(self, seen: Seen) -> set[str]:
        """Return the signatures that entries which stay list for a record."""
        return {
            entry.signature
            for index, entry in enumerate(self._baseline.entries)
            if index not in self._plan.removed
            and index not in self._refuted
            and not self._baseline.mismatch(entry, seen.record, seen.header)
        }

    def _add_what_is_new(self, group: Sequence[Seen]) -> None:
        new: dict[str, Seen] = {}
        for seen in group:
            for signature in unlisted(seen.record, seen.header["level"], self._listed(seen)):
                new.setdefault(signature, seen)
        listed = {(e.scenario, e.target, e.signature) for e in self._baseline.entries}
        first_to_widen = sorted(new, key=lambda s: (group[0].record["id"], group[0].target, s) not in listed)
        for signature in first_to_widen:
            shown = [seen for seen in group if shows(seen.record, signature)]
            narrowed = _narrowed("", shown, *_apart(group, signature))
            if any(_agreed_too(seen.record, signature) for seen in shown):
                narrowed["intermittent"] = True
            self._write(signature, new[signature], narrowed)

    def _write(self, signature: str, example: Seen, narrowed: Fields) -> None:
        """Plan an entry for a new signature: a wider, a rewritten or a new one."""
        scenario, target = example.record["id"], example.target
        same = self._own_entry(scenario, target, lambda _, entry: entry.signature == signature)
        if same is not None:
            self._refuted = [index for index in self._refuted if index != same]
            self._plan.changed[same] = {**self._plan.changed.get(same, {}), **narrowed}
            return
        sentence = sentence_about(example.record, signature).replace(example.record["target"], target)
        reason = self._reason or f"{TO_EXPLAIN}: {sentence}"
        refuted = self._own_entry(scenario, target, lambda i, _: i in self._refuted)
        if refuted is None:
            fields = {"scenario": scenario, "target": target, "signature": signature, "reason": reason}
            self._plan.added.append(
                {**fields, **{key: value for key, value in narrowed.items() if value is not None}}
            )
            return
        self._refuted.remove(refuted)
        old = self._baseline.entries[refuted]
        if old.is_explained and not self._reason:
            reason += f" Until now: {old.reason}"
        self._plan.changed[refuted] = {"signature": signature, "reason": reason, **narrowed}

    def _own_entry(self, scenario: str, target: str, fits: Callable[[int, Entry], bool]) -> int | None:
        """Return the first entry that stays, is about just this scenario and target, and fits."""
        for index, entry in enumerate(self._baseline.entries):
            out = index in self._plan.removed or self._baseline.is_expired(entry)
            if (entry.scenario, entry.target) == (scenario, target) and not out and fits(index, entry):
                return index
        return None


def _agreed_too(record: Record, signature: str) -> bool:
    """Return whether repeated runs of one record showed a difference in some of them only."""
    repeats = record["repeats"]
    outcomes = {outcome["signature"]: outcome["count"] for outcome in repeats.get("outcomes", ())}
    return None in outcomes or 0 < outcomes.get(signature, 0) < repeats["of"]


def _apart(group: Sequence[Seen], signature: str) -> tuple[list[Seen], list[Seen]]:
    """Return what an entry for a signature is kept apart from: if possible all that does not show it.

    Second, if that is not possible: what is sure not to show it, having come to its end.
    """
    without = [seen for seen in group if signature not in signatures_of(seen.record)]
    evidence = [seen for seen in without if judged_of(seen.record) in EVIDENCE]
    return evidence, [seen for seen in evidence if shows(seen.record, signature) is False]


def _narrowed(when: str, shown: Sequence[Seen], *unshown: Sequence[Seen]) -> Fields:
    """Return what an entry must say so that it is for where a difference shows, and not for the others.

    unshown: the others; if nothing keeps them apart, fewer.
    """
    for others in unshown:
        marker = marker_between([s.environment for s in shown], [s.environment for s in others])
        if marker is not None:
            return {"when": both(when, marker) or None}
    return {"when": when or None, "intermittent": True}


# ---- the text --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Span:
    """The lines of an entry, from 0: first of its own comment, its ``[[known]]``, and one behind its last."""

    first: int
    header: int
    end: int


def edited(text: str, plan: Plan) -> str:
    """Return the text of a baseline with a plan carried out."""
    if plan == Plan(notes=plan.notes):
        return text
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    for index, span in reversed(list(enumerate(spans(text)))):
        if index in plan.removed:
            end = span.end
            while end < len(lines) and not lines[end].strip():
                end += 1
            lines[span.first : end] = []
        elif index in plan.changed:
            block = _with_fields("".join(lines[span.header : span.end]), plan.changed[index])
            lines[span.header : span.end] = block.splitlines(keepends=True)
    blocks = ["".join(lines).rstrip() + newline] if "".join(lines).strip() else []
    blocks += [_new_block(fields).replace("\n", newline) for fields in plan.added]
    return newline.join(blocks)


def spans(text: str) -> list[Span]:
    """Return which lines belong to each entry.

    A comment belongs to the entry that it touches; one that begins the file, or stands between empty lines, to
    none.
    """
    bare = [line.strip() for line in LEXEMES.sub(_blanked, text).splitlines()]
    headers = [line - 1 for line in header_lines(text)]
    firsts = [_first_of_comment(bare, header) for header in headers]
    found = []
    for first, header, following in zip(firsts, headers, [*firsts, len(bare)][1:], strict=True):
        end = max(n for n in range(header, following) if bare[n] and bare[n][0] != "#") + 1
        while end < following and bare[end].startswith("#"):
            end += 1
        found.append(Span(first, header, end))
    return found


def _first_of_comment(bare: Sequence[str], header: int) -> int:
    """Return the first line of the comment that touches a header; the header's, if it has none of its own."""
    first = header
    while first and bare[first - 1].startswith("#"):
        first -= 1
    return first or header


def _blanked(lexeme: re.Match[str]) -> str:
    """Return a text with its characters replaced, so that no line of it looks like a comment or an empty one."""
    if lexeme.lastgroup:
        return lexeme[0]
    return re.sub(r"(?m)^.*$", lambda line: "x" * max(1, len(line[0])), lexeme[0])


def _with_fields(block: str, fields: Fields) -> str:
    """Return the lines of an entry with some of its keys set or, for None, taken away."""
    document = tomlkit.parse(block)
    table: Any = document["known"][0]
    for key, value in fields.items():
        if value is not None:
            table[key] = value
        elif key in table:
            table.remove(key)
    return tomlkit.dumps(document)


def _new_block(fields: Fields) -> str:
    table = tomlkit.table()
    for key, value in fields.items():
        table.add(key, value)
    tables = tomlkit.aot()
    tables.append(table)
    document = tomlkit.document()
    document.add("known", tables)
    return tomlkit.dumps(document)
