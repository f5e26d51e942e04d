# SPDX-License-Identifier: MIT
"""Two results files compared: what did a change of the loop, or of Python, do to its behaviour?

A pure function of the two files.  It compares *signatures*, never totals: one difference mended and another
made is two changes, although the numbers are the same.  It looks at the verdicts before the baselines, so that
a line added to a baseline hides nothing.  Where not every run of a scenario showed the same, chance is not taken
for a change: a signature nobody saw before is one; a frequency is one only if Fisher's exact test says so.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .arguments import UsageError
from .digest import (
    Record,
    counting_signatures,
    incomplete,
    judged,
    known_reason,
    loop_sentence,
    outcomes,
    plural,
    run_failed,
    signatures,
)
from .results import Results, ScenarioResult
from .vocabulary import EXITS, LEVELS, at_least

CHANCE = 0.01  # two frequencies differ if chance alone would part them so less often than this

# The sorts of change, in the order of the headline: how many there are of it, and what it means.
SORTS = {
    "fixed": ("fixed", "It differed, and does not any more."),
    "broken": ("broken", "It did not differ, and does now."),
    "changed": ("changed how", "It differed, and differs in another way now."),
    "variant": ("variant moved", "What differs where nothing is promised is not the same."),
    "frequency": ("more or less often", "The same differences, but not in as many runs as before."),
    "lost": ("without a verdict now", "It had a verdict, and has none now."),
    "gained": ("with a verdict now", "It had no verdict, and has one now."),
    "new": ("new", "The old file does not have this scenario."),
    "removed": ("removed", "The new file does not have this scenario."),
}
WORSE = ("broken", "changed")

DIFFERS = ("differ", "crash", "hang")
WITHOUT_VERDICT = ("inconclusive", "skipped", "blocked", "harness-error", "broken-scenario")


class DiffError(UsageError):
    """Two files that cannot be compared so; the text is one sentence."""


@dataclass(frozen=True)
class Pair:
    """A target of the old file and the one of the new file that it is compared with."""

    old: Record
    new: Record

    @property
    def names(self) -> str:
        """The target's name, or both if it has two."""
        old, new = self.old["name"], self.new["name"]
        return str(old) if old == new else f"{old} → {new}"


@dataclass(frozen=True)
class Change:
    """One scenario that is not as it was.  sort: one of SORTS.  old, new: None where it is not there."""

    sort: str
    id: str
    pair: Pair
    sentence: str
    old: ScenarioResult | None = None
    new: ScenarioResult | None = None


@dataclass(frozen=True)
class Delta:
    """What changed between two files.

    level: at which both are judged.  compared: how many results both have.  failures: a sentence for each file
    that is not of a whole run.
    """

    old: Results
    new: Results
    level: str
    pairs: tuple[Pair, ...]
    changes: tuple[Change, ...]
    compared: int
    failures: tuple[str, ...]

    def of_sort(self, sort: str) -> list[Change]:
        """Return the changes of a sort."""
        return [change for change in self.changes if change.sort == sort]

    @property
    def headline(self) -> str:
        """The whole delta in a few words."""
        said = ", ".join(filter(None, map(self._count, SORTS)))
        compared = plural(self.compared, "scenario")
        if self.failures:
            return f"Incomplete: {said or 'no changes'} in the {compared} that both files have"
        return said or f"No changes ({compared}, signatures identical)"

    def _count(self, sort: str) -> str:
        """Return how many changes of a sort there are, and how many differ that could not differ before."""
        found = self.of_sort(sort)
        differ = sum(verdict_at(c.new.record, self.level) in DIFFERS for c in found if c.new is not None)
        words = f"{len(found)} {SORTS[sort][0]}" if found else ""
        return f"{words} ({differ} differ)" if differ and sort in ("new", "gained") else words

    @property
    def status(self) -> int:
        """The exit status: 3 for a file that is not of a whole run, 1 when something got worse, else 0."""
        worse = any(change.sort in WORSE for change in self.changes)
        name = "failure" if self.failures else "difference" if worse else "good"
        return EXITS[name].status


def compare(old: Results, new: Results, pairs: Sequence[str] = (), *, across_versions: bool = False) -> Delta:
    """Return what changed between two results files.

    pairs: texts ``OLD=NEW``, the targets to compare; without any, those of the same name, or the only ones.
    across_versions: also for different versions of loopcheck or levels.  Raises DiffError.
    """
    _check_alike(old.header, new.header, across_versions)
    levels = (old.header["level"], new.header["level"])
    terms = Terms(min(levels, key=list(LEVELS).index), levels[0] == levels[1])
    paired = pair_targets(old.header, new.header, pairs)
    changes = [change for pair in paired for change in _changes(old, new, pair, terms)]
    common = [_by_id(old, pair.old).keys() & _by_id(new, pair.new).keys() for pair in paired]
    compared = sum(map(len, common))
    failures = [
        f"{which} file: {run_failed(results)}"
        for which, results in (("old", old), ("new", new))
        if run_failed(results)
    ]
    if not compared and not failures:
        raise DiffError("there is nothing to compare: no scenario has a result in both files")
    return Delta(old, new, terms.level, tuple(paired), tuple(changes), compared, tuple(failures))


def _check_alike(old: Record, new: Record, across_versions: bool) -> None:
    if across_versions:
        return
    for what, name in (("versions of loopcheck", "loopcheck"), ("levels", "level")):
        if old[name] != new[name]:
            raise DiffError(
                f"the files were made with different {what} ({old[name]} and {new[name]}), so a change may be "
                "that of loopcheck; run one of them again, or insist with --across-versions"
            )


def pair_targets(old: Record, new: Record, asked: Sequence[str] = ()) -> list[Pair]:
    """Return which targets of two headers are compared.  Raises DiffError when that is not clear."""
    ours = {target["name"]: target for target in old["targets"]}
    theirs = {target["name"]: target for target in new["targets"]}
    possible = {f"{a}={b}": Pair(ours[a], theirs[b]) for a in ours for b in theirs}
    there_is = f"the old file has {', '.join(ours)}; the new file has {', '.join(theirs)}"
    for text in asked:
        if text not in possible:
            raise DiffError(f"--pair {text} names no OLD=NEW of the targets: {there_is}")
    if asked:
        return [possible[text] for text in dict.fromkeys(asked)]
    if len(possible) == 1:
        return list(possible.values())
    if ours.keys() != theirs.keys():
        raise DiffError(f"the targets are not the same: {there_is}; say with --pair OLD=NEW which to compare")
    return [Pair(ours[name], theirs[name]) for name in ours]


@dataclass(frozen=True)
class Terms:
    """How records are compared.

    level: what counts; of two levels the less demanding.  same_level: whether both files have it, so that the
    difference that is put first, because it counts, is the same one.
    """

    level: str
    same_level: bool


# ---- changes ---------------------------------------------------------------------------------------------


def _by_id(results: Results, target: Record) -> dict[str, ScenarioResult]:
    return {result.id: result for result in results.of_target(target["name"])}


def _changes(old: Results, new: Results, pair: Pair, terms: Terms) -> Iterator[Change]:
    """Yield the changes of one pair of targets.

    What an incomplete file does not have, or a target that did not start, is not new and not removed.
    """
    before, after = _by_id(old, pair.old), _by_id(new, pair.new)
    for id, result in after.items():
        if id in before:
            found = _change(before[id].record, result.record, terms)
            if found is not None:
                yield Change(found[0], id, pair, found[1], before[id], result)
        elif pair.old["class"] and not incomplete(old):
            yield Change("new", id, pair, _state(result.record), None, result)
    if pair.new["class"] and not incomplete(new):
        for id, result in before.items():
            if id not in after:
                yield Change("removed", id, pair, f"was {_state(result.record)}", result, None)


def verdict_at(record: Record, level: str) -> str:
    """Return a record's verdict at a level, before any baseline."""
    verdict = judged(record)
    if verdict in ("differ", "variant"):
        return "differ" if any(at_least(d["level"], level) for d in record["differences"]) else "variant"
    return verdict


def _state(record: Record) -> str:
    verdict = judged(record)
    return "agree." if verdict == "agree" else f"{verdict}: {loop_sentence(record)}"


def _change(old: Record, new: Record, terms: Terms) -> tuple[str, str] | None:
    """Return the sort of the change between two records of a scenario, and its sentence; None for none."""
    before, after = verdict_at(old, terms.level), verdict_at(new, terms.level)
    if before in WITHOUT_VERDICT or after in WITHOUT_VERDICT:
        return _change_of_having_one(old, new, before, after)
    known = f" (known: {known_reason(new)})" if known_reason(new) else ""
    if before in DIFFERS and after in DIFFERS:
        found = _change_of_difference(old, new, terms)
        return found and (found[0], found[1] + known)
    if before in DIFFERS or before == "unsupported" != after:
        return _change_to_better(old, new, before, after)
    if after in DIFFERS or after == "unsupported" != before:
        often = f" (seen in {_showing(new)} of {_runs(new)} runs)" if _is_chancy(new) else ""
        return "broken", f"{loop_sentence(new)}{often}{known}"
    if set(signatures(old)) != set(signatures(new)) and not _is_chancy(old) and not _is_chancy(new):
        return "variant", _was_and_is(old, new)
    return _change_of_frequency(old, new)


def _change_of_having_one(old: Record, new: Record, before: str, after: str) -> tuple[str, str] | None:
    if before in WITHOUT_VERDICT and after in WITHOUT_VERDICT:
        return None
    return ("lost" if after in WITHOUT_VERDICT else "gained"), _was_and_is(old, new)


def _change_to_better(old: Record, new: Record, before: str, after: str) -> tuple[str, str]:
    """Return the change of what differed or was not there; it can still be wrong, in another way."""
    if after in DIFFERS or after == "unsupported":
        return "changed", _was_and_is(old, new)
    if _is_chancy(old) and not _differ_by_more_than_chance(_showing(old), _runs(old), 0, _runs(new)):
        showed = f"{loop_sentence(old)} It showed in {_showing(old)} of {_runs(old)} runs"
        return "frequency", f"{showed}, now in none of {_runs(new)}, which may be chance."
    return "fixed", f"was: {loop_sentence(old)}" + (f" It is a {after} now." if after == "variant" else "")


def _change_of_difference(old: Record, new: Record, terms: Terms) -> tuple[str, str] | None:
    """Return the change between two records that both differ."""
    before, after = set(outcomes(old)) - {None}, set(outcomes(new)) - {None}
    if after - before and terms.same_level:
        return "changed", _was_and_is(old, new)
    if not _is_chancy(old) and not _is_chancy(new):
        if counting_signatures(old, terms.level) != counting_signatures(new, terms.level):
            return "changed", _was_and_is(old, new)
        if set(signatures(old)) != set(signatures(new)):
            return "variant", _was_and_is(old, new)
    return _change_of_frequency(old, new)


def _was_and_is(old: Record, new: Record) -> str:
    """Say both states; where one sentence would stand twice, say which signatures came and went."""
    if _state(old) != _state(new):
        return f"was {_state(old)} Now {_state(new)}"
    ours, theirs = signatures(old), signatures(new)
    gone = [f"not any more {signature}" for signature in ours if signature not in theirs]
    come = [f"now also {signature}" for signature in theirs if signature not in ours]
    return f"{loop_sentence(new)} {', '.join([*come, *gone])}".rstrip()


# ---- chance ----------------------------------------------------------------------------------------------


def _runs(record: Record) -> int:
    return sum(outcomes(record).values())


def _showing(record: Record) -> int:
    return _runs(record) - outcomes(record).get(None, 0)


def _is_chancy(record: Record) -> bool:
    """Return whether not all runs of a scenario showed the same."""
    return len(outcomes(record)) > 1


def _change_of_frequency(old: Record, new: Record) -> tuple[str, str] | None:
    before, after = outcomes(old), outcomes(new)
    said = []
    for signature in sorted({*before, *after} - {None}, key=str):
        ours, theirs = before.get(signature, 0), after.get(signature, 0)
        if _differ_by_more_than_chance(ours, _runs(old), theirs, _runs(new)):
            said.append(f"{signature} in {theirs} of {_runs(new)} runs, was {ours} of {_runs(old)}")
    return ("frequency", "; ".join(said) + ".") if said else None


def _differ_by_more_than_chance(a: int, of_a: int, b: int, of_b: int) -> bool:
    """Return whether a of of_a and b of of_b are too far apart for chance: Fisher's exact test, two-sided."""
    total, showing = of_a + of_b, a + b

    def ways(ours: int) -> int:
        return math.comb(of_a, ours) * math.comb(of_b, showing - ours)

    possible = range(max(0, showing - of_b), min(of_a, showing) + 1)
    as_far = sum(ways(ours) for ours in possible if ways(ours) <= ways(a))
    return as_far < CHANCE * math.comb(total, showing)
