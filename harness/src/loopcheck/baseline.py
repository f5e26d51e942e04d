# SPDX-License-Identifier: MIT
"""Baselines: the differences of a loop that somebody has looked at and accepts, so that a run shows new ones.

A baseline belongs to the loop, not to loopcheck.  Each entry (baseline_file.py) names a scenario, a target and a
signature: *which* difference it is, so that a loop that begins to differ in another way is seen.  Applied to
the record of a scenario, entries turn ``differ``, ``crash`` and ``hang`` into ``known`` or ``changed``, and
``agree`` into ``fixed``: a baseline must be as true as the loop it describes.  All of it is a function of
records, the header of their results and a date that is given; nothing is run.

**Which signatures an entry must list.**  A scenario can differ in several ways at once.  ``known`` asks that
each be listed that counts at the level of the run, for one that nobody has looked at is a new difference, even
beside an old one.  Not so what only *follows* from a listed difference and depends on chance, since then a
verdict would flicker between known and changed while the loop stays as it is:

- what is ``missing`` in a scenario that ended with an exception: how far the others got until then is a matter
  of who ran first, in every scenario with more than one actor;
- ``log`` and ``leak`` beside a difference of another kind: what is logged about an object that nobody waits for
  any more, and what it still holds, depends on when the garbage collector gets to it;
- of several ``late`` and ``slow`` events, all but one: a late timer makes late what it schedules, and which of
  them exceed the threshold is up to the machine.

For the same reasons an entry counts as unused only where the scenario was run to its end: behind a crash, a hang
or an exception nobody knows what else would have differed.  What one run in several shows is listed with
``intermittent = true``, and such an entry is never asked to show.

An entry whose scenario is a pattern excuses wherever it fits, and claims no more than that it fits somewhere.
"""

import datetime
import fnmatch
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .baseline_file import BaselineError, Entry, parse_entries, read_text
from .baseline_when import Environment, environment_of
from .vocabulary import KINDS, LEVELS, VERDICTS, at_least

__all__ = ["Baseline", "BaselineError", "Entry", "load"]

Record = dict[str, Any]

# The verdicts that say what the target did; after any other one nothing is known about an entry.
EVIDENCE = ("agree", "variant", "unsupported", "differ", "crash", "hang")
TIMING = ("late", "slow")
INCIDENTAL = ("log", "leak")


def load(path: Path, *, today: datetime.date | None = None) -> "Baseline":
    """Return the baseline in a file.  today: the day on which entries may have expired.  Raises BaselineError."""
    text = read_text(path)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Baseline(str(path), parse_entries(text, str(path)), today or datetime.date.today(), digest)


def in_header(baseline: "Baseline | None") -> dict[str, str]:
    """Return what the header of results says of the baseline that gave their verdicts."""
    return {
        "baseline": baseline.file if baseline else "",
        "baseline_digest": baseline.digest if baseline else "",
    }


# ---- what a record shows ---------------------------------------------------------------------------------


def judged_of(record: Mapping[str, Any]) -> str:
    """Return the verdict of a record before any baseline."""
    return str(record.get("judged") or record["verdict"])


def signature_of(difference: Mapping[str, Any]) -> str:
    """Return the signature of one difference of a record."""
    return f"{difference['axis']}:{difference['kind']}:{difference['event']}"


def signatures_of(record: Mapping[str, Any]) -> list[str]:
    """Return every signature of a record once, the first difference's first; those of its repetitions, too."""
    found = [record["signature"]] if record["signature"] else []
    found += [signature_of(difference) for difference in record["differences"]]
    outcomes = record["repeats"].get("outcomes", ())
    found += [outcome["signature"] for outcome in outcomes if outcome["signature"]]
    return list(dict.fromkeys(found))


def ended_by_exception(record: Mapping[str, Any]) -> bool:
    """Return whether the scenario ended with an exception on the target that asyncio does not raise."""
    return any(
        difference["kind"] == "class"
        and difference["event"].startswith("raised ")
        and difference["oracle"] is None
        for difference in record["differences"]
    )


def cut_short(record: Mapping[str, Any]) -> bool:
    """Return whether the scenario did not get to its end, so that its record does not show all there is."""
    return judged_of(record) in ("crash", "hang") or ended_by_exception(record)


def shows(record: Mapping[str, Any], signature: str) -> bool | None:
    """Return whether a record shows a difference; None: it is no evidence either way."""
    if judged_of(record) not in EVIDENCE:
        return None
    if signature in signatures_of(record):
        return True
    return None if cut_short(record) else False


def unlisted(record: Mapping[str, Any], demanded: str, listed: Collection[str]) -> list[str]:
    """Return the signatures of a difference that a baseline must list and does not.

    demanded: the level of the run.  listed: the signatures that entries list for it.  See the top of this file.
    """
    if VERDICTS[judged_of(record)].counts != "difference":
        return []
    counting = [s for s in signatures_of(record) if _counts(s, record["scenario_level"], demanded)]
    kinds = {signature: signature.split(":")[1] for signature in counting}
    follow = {"missing"} if ended_by_exception(record) else set()
    if any(kind not in INCIDENTAL for kind in kinds.values()):
        follow.update(INCIDENTAL)
    timing = [signature for signature in counting if kinds[signature] in TIMING]
    asked_timing = [] if any(s in listed for s in timing) else timing[:1]
    asked = [s for s in counting if kinds[s] not in follow and (s not in timing or s in asked_timing)]
    return [signature for signature in asked if signature not in listed]


def _counts(signature: str, scenario_level: str, demanded: str) -> bool:
    axis, kind, _ = signature.split(":", 2)
    if axis == "process":
        return True
    capped = scenario_level if KINDS[kind].level == "scenario" else KINDS[kind].level
    return at_least(max(scenario_level, capped, key=list(LEVELS).index), demanded)


def sentence_about(record: Mapping[str, Any], signature: str) -> str:
    """Return the sentence for one signature of a record."""
    for difference in record["differences"]:
        if signature_of(difference) == signature:
            return str(difference["sentence"])
    if signature == record["signature"]:
        return str(record["sentence"])
    return f"In other runs of it, {record['target']} shows {signature}."


# ---- the baseline ----------------------------------------------------------------------------------------


def about_target(header: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return what the header of results says about a target."""
    about: Mapping[str, Any] = next(target for target in header["targets"] if target["name"] == name)
    return about


def loop_of(target: str) -> str:
    """Return the name of a target without its interpreter."""
    return target.partition("@")[0]


def environment(header: Mapping[str, Any], name: str) -> Environment:
    """Return the environment of a target of a run."""
    return environment_of(about_target(header, name), header["platform"])


def is_whole(header: Mapping[str, Any], records: Sequence[Record]) -> bool:
    """Return whether a run had every scenario there is, and came to its end."""
    ran = {record["id"] for record in records}
    return bool(header["selected"] == header["of"] == len(ran))


@dataclass(frozen=True)
class Baseline:
    """The entries of a file.  today: the day to which ``expires`` is compared.  digest: SHA-256 of the text."""

    file: str
    entries: tuple[Entry, ...]
    today: datetime.date
    digest: str = ""

    @property
    def unexplained(self) -> list[Entry]:
        """The entries whose reason nobody has written yet."""
        return [entry for entry in self.entries if not entry.is_explained]

    def is_expired(self, entry: Entry) -> bool:
        """Return whether an entry excuses no longer."""
        return entry.expires is not None and entry.expires < self.today

    def applicable(self, record: Mapping[str, Any], header: Mapping[str, Any]) -> list[Entry]:
        """Return the entries that are about a record and hold there: those that name its scenario first."""
        found = [e for e in self.entries if not self.is_expired(e) and not self.mismatch(e, record, header)]
        return sorted(found, key=lambda entry: entry.is_pattern)

    def mismatch(self, entry: Entry, record: Mapping[str, Any], header: Mapping[str, Any]) -> str:
        """Return why an entry is not about a record, "" if it is; expired or not."""
        if not fnmatch.fnmatchcase(record["id"], entry.scenario):
            return f"is about the scenario {entry.scenario}"
        if not fnmatch.fnmatchcase(loop_of(record["target"]), entry.target):
            return f"is about the target {entry.target}"
        if not entry.condition.holds(environment(header, record["target"])):
            return f"is for where {entry.condition.text}"
        return ""

    # ---- verdicts -----------------------------------------------------------------------------------------

    def apply(self, record: Record, header: Mapping[str, Any]) -> Record:
        """Return a judged record with the verdict that it has with this baseline.

        Sets ``judged`` (the verdict before), ``verdict``, ``known`` (the entry that decided, or None) and, where
        the baseline is part of what there is to say, ``sentence``.
        """
        judged = judged_of(record)
        record = {**record, "judged": judged, "known": None}
        if judged not in EVIDENCE:
            return record
        entries = self.applicable(record, header)
        if judged == "agree":
            return self._agreeing(record, entries)
        if VERDICTS[judged].counts != "difference":
            known = next((e for e in entries if e.signature == record["signature"]), None)
            return {**record, "verdict": "known", "known": known.record()} if known else record
        return self._differing(record, header, entries)

    def _agreeing(self, record: Record, entries: Sequence[Entry]) -> Record:
        fixed = [entry for entry in entries if not entry.intermittent and not entry.is_pattern]
        if not fixed:
            return record
        sentence = self._fixed_sentence(record, fixed)
        return {**record, "verdict": "fixed", "known": fixed[0].record(), "sentence": sentence}

    def _differing(self, record: Record, header: Mapping[str, Any], entries: Sequence[Entry]) -> Record:
        shown = signatures_of(record)
        listed = [entry for entry in entries if entry.signature in shown]
        new = unlisted(record, header["level"], {entry.signature for entry in listed})
        first = next((entry for entry in listed if entry.signature == record["signature"]), None)
        deciding = first or next(iter(listed or entries), None)
        if listed and not new:
            assert deciding is not None
            return {**record, "verdict": "known", "known": deciding.record()}
        named = [entry for entry in entries if not entry.is_pattern]
        miss = self._near_miss(record, header, new)
        if not listed and not named:
            return {**record, "sentence": record["sentence"] + miss}
        assert deciding is not None
        about = sentence_about(record, new[0]) if new else record["sentence"]
        remark = f"This is new: {self._saying(listed)} only." if listed else f"{self._saying(named)} instead."
        return {
            **record,
            "verdict": "changed",
            "known": deciding.record(),
            "sentence": f"{about} {remark}{miss}",
        }

    def _near_miss(self, record: Record, header: Mapping[str, Any], new: Collection[str]) -> str:
        """Return a remark about an entry that lists a new difference, but not here or not any more."""
        for entry in self.entries:
            if entry.signature in new and fnmatch.fnmatchcase(record["id"], entry.scenario):
                why = self.mismatch(entry, record, header)
                if why or self.is_expired(entry):
                    return f" {self.file}:{entry.line} lists it, but {why or f'expired on {entry.expires}'}."
        return ""

    def _fixed_sentence(self, record: Record, entries: Sequence[Entry]) -> str:
        those = "the entry" if len(entries) == 1 else "these entries"
        target, oracle = record["target"], record["oracle"]
        return f"{target} agrees with {oracle}, but {self._saying(entries)}: remove {those}."

    def _saying(self, entries: Sequence[Entry]) -> str:
        """Return which lines of the file list what."""
        lines = listing([str(entry.line) for entry in entries])
        verb = "lists" if len(entries) == 1 else "list"
        return f"{self.file}:{lines} {verb} {listing([entry.signature for entry in entries])}"

    # ---- problems of the baseline itself ------------------------------------------------------------------

    def check(self, scenario_ids: Collection[str], header: Mapping[str, Any]) -> list[Record]:
        """Return what is wrong with the entries before anything runs: unknown, expired and duplicate ones.

        scenario_ids: all there are, not only those of the run.
        """
        problems = []
        for index, entry in enumerate(self.entries):
            fitting = fnmatch.filter(scenario_ids, entry.scenario)
            if not fitting:
                what = "no scenario fits" if entry.is_pattern else "there is no scenario"
                sentence = f"{what} {entry.scenario}; loopcheck list shows what there is."
                problems.append(self._problem("unknown", entry, sentence))
            if self.is_expired(entry):
                sentence = f"the entry for {entry.scenario} expired on {entry.expires}: look at it again."
                problems.append(self._problem("expired", entry, sentence))
            for other in self.entries[:index]:
                if self._overlap(entry, other, header):
                    sentence = f"it says the same as line {other.line}: {entry.scenario}, {entry.signature}."
                    problems.append(self._problem("duplicate", entry, sentence))
                    break
        return problems

    def _overlap(self, one: Entry, other: Entry, header: Mapping[str, Any]) -> bool:
        """Return whether two entries say the same by their words, or for a target of this run."""
        if (one.scenario, one.signature) != (other.scenario, other.signature):
            return False
        if (one.target, one.condition) == (other.target, other.condition):
            return True
        return any(
            _is_for(one, header, target["name"]) and _is_for(other, header, target["name"])
            for target in header["targets"]
        )

    def problems_after(self, records: Sequence[Record], header: Mapping[str, Any]) -> list[Record]:
        """Return which entries a run has refuted: stale ones (it agrees) and unused ones (it differs otherwise).

        An entry of which the run says nothing is no problem: scenario not selected or without a verdict, target
        not in the run, condition that does not hold.
        """
        problems: list[Record] = []
        whole = is_whole(header, records)
        for entry in self.entries:
            if entry.intermittent or self.is_expired(entry) or (entry.is_pattern and not whole):
                continue
            about = [r for r in records if not self.mismatch(entry, r, header) and r["verdict"] != "skipped"]
            verdicts = [(r, shows(r, entry.signature)) for r in about]
            if entry.is_pattern:
                if verdicts and all(shown is False for _, shown in verdicts):
                    sentence = f"none of the scenarios that {entry.scenario} fits shows {entry.signature}."
                    problems.append(self._problem("unused", entry, sentence))
            else:
                problems += [self._refuted(entry, record) for record, shown in verdicts if shown is False]
        return problems

    def _refuted(self, entry: Entry, record: Record) -> Record:
        if judged_of(record) == "agree":
            return self._problem("stale", entry, self._fixed_sentence(record, [entry]), record["target"])
        sentence = (
            f"{entry.scenario} does not show {entry.signature} on {record['target']}, "
            f"but {record['signature']}."
        )
        return self._problem("unused", entry, sentence, record["target"])

    def _problem(self, kind: str, entry: Entry, sentence: str, target: str = "") -> Record:
        return {
            "record": "baseline-problem",
            "file": self.file,
            "line": entry.line,
            "kind": kind,
            "scenario": entry.scenario,
            "target": target or entry.target,
            "signature": entry.signature,
            "sentence": sentence,
        }


def _is_for(entry: Entry, header: Mapping[str, Any], target: str) -> bool:
    """Return whether an entry is for a target of a run."""
    fits = fnmatch.fnmatchcase(loop_of(target), entry.target)
    return fits and entry.condition.holds(environment(header, target))


def listing(words: Sequence[str]) -> str:
    """Return words as a sentence lists them."""
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
