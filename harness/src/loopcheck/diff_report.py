# SPDX-License-Identifier: MIT
"""What changed between two results files, printed: for the terminal, as Markdown for a pull request, as JSON.

The headline first; then how many verdicts there are of each sort before and after; then every change, what got
worse before what got better.  "No changes" is the whole report when there are none.
"""

import json
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .diff import SORTS, WORSE, Change, Delta, Pair, verdict_at
from .digest import Record, block, counting_signatures, judged, loop_name, signatures, visible
from .markdown_summary import code, code_block, escaped, folded, plain, table
from .report import export_command
from .results import Results, ScenarioResult
from .vocabulary import VERDICTS

FORMAT = 1
BUDGET = 60_000  # characters; a comment on GitHub holds 65,536
ORDER = ("broken", "changed", "lost", "gained", "fixed", "variant", "frequency", "new", "removed")
STYLES = {"broken": "bold red", "changed": "bold red", "fixed": "green"}


def _ordered(delta: Delta) -> Iterator[tuple[str, list[Change]]]:
    """Yield each sort of change there is, with its changes."""
    return ((sort, delta.of_sort(sort)) for sort in ORDER if delta.of_sort(sort))


def _side(results: Results, target: Record) -> str:
    """Return what ran on one side: the loop, the oracle, the Python, the suite."""
    python = f"{target['implementation']} {target['python']}"
    suite = f"loopcheck {results.header['loopcheck']}"
    return f"{loop_name(target)} against {target['oracle']}, {python}, {target['clock']} clock, {suite}"


def _verdicts(delta: Delta, pair: Pair) -> list[tuple[str, int, int]]:
    """Return each verdict that either side has, with its number in the old and in the new file.

    The verdicts are those before any baseline, at the level of the comparison.
    """
    sides = ((delta.old, pair.old), (delta.new, pair.new))
    old, new = (
        [verdict_at(result.record, delta.level) for result in results.of_target(target["name"])]
        for results, target in sides
    )
    return [(word, old.count(word), new.count(word)) for word in VERDICTS if word in {*old, *new}]


def _command(delta: Delta, change: Change) -> str:
    """Return the command that makes a script of what is shown now; "" when there is nothing to reproduce."""
    if change.new is None or not change.new.target or judged(change.new.record) == "agree":
        return ""
    return f"{export_command(change.new, delta.new.header)} > repro.py"


# ---- the terminal ----------------------------------------------------------------------------------------


def print_delta(console: Console, delta: Delta, verbose: int = 0) -> None:
    """Print what changed.  verbose: 1 shows the traces of what got worse, 2 those of every change."""
    worse = any(change.sort in WORSE for change in delta.changes)
    _line(console, delta.headline, "bold red" if worse else "bold")
    for failure in delta.failures:
        _line(console, f"  {failure}", "bold magenta")
    for pair in delta.pairs:
        _line(console, f"  old  {_side(delta.old, pair.old)}", "dim")
        _line(console, f"  new  {_side(delta.new, pair.new)}", "dim")
    for sort, changes in _ordered(delta):
        words, means = SORTS[sort]
        _line(console)
        console.print(
            Text.assemble((f"{words.upper()} ({len(changes)})", STYLES.get(sort, "bold")), f"  {means}"),
            highlight=False,
            soft_wrap=True,
        )
        for change in changes:
            _print_change(console, delta, change, verbose)
    if delta.changes:
        for pair in delta.pairs:
            _print_verdicts(console, delta, pair)


def _line(console: Console, text: str = "", style: str = "") -> None:
    console.print(Text(visible(text), style=style), highlight=False, soft_wrap=True)


def _print_change(console: Console, delta: Delta, change: Change, verbose: int) -> None:
    _line(console, f"  {change.id}  {change.pair.names}", "bold")
    _line(console, f"    {change.sentence}")
    if change.new is not None and change.new.target and (verbose > 1 or (verbose and change.sort in WORSE)):
        for line in block(change.new, delta.new.header).splitlines()[3:]:
            _line(console, f"  {line}".rstrip())
    elif _command(delta, change):
        _line(console, f"    reproduce: {_command(delta, change)}", "dim")


def _print_verdicts(console: Console, delta: Delta, pair: Pair) -> None:
    shown = Table(box=None, padding=(0, 2), pad_edge=False, header_style="dim", title_justify="left")
    for heading in (f"  {pair.names}", "old", "new", ""):
        shown.add_column(heading, no_wrap=True, justify="left" if heading.startswith("  ") else "right")
    for word, old, new in _verdicts(delta, pair):
        shown.add_row(f"  {word}", str(old), str(new), f"{new - old:+}" if new != old else "")
    _line(console)
    console.print(shown, highlight=False, markup=False)


# ---- Markdown --------------------------------------------------------------------------------------------


def delta_markdown(delta: Delta, budget: int = BUDGET) -> str:
    """Return what changed as Markdown.  budget: about how many characters it may have."""
    parts = [f"### Loop conformance: {plain(delta.headline)}"]
    parts += [f"**INCOMPLETE:** {plain(failure)}" for failure in delta.failures]
    if delta.changes:
        parts += [_verdict_table(delta, pair) for pair in delta.pairs]
    sides = [_sides_markdown(delta, pair) for pair in delta.pairs]
    budget -= sum(map(len, [*parts, *sides]))
    for sort, changes in _ordered(delta):
        part = _changes_markdown(delta, sort, changes, budget)
        budget -= len(part)
        parts.append(part)
    return "\n\n".join([*parts, *sides]) + "\n"


def _verdict_table(delta: Delta, pair: Pair) -> str:
    rows = []
    for word, old, new in _verdicts(delta, pair):
        moved = sum(_stays(delta, change, word) for change in delta.changes if change.pair == pair)
        note = f" ({moved} changed how)" if moved else ""
        rows.append([word, str(old), str(new), f"{new - old:+}{note}" if new != old else f"0{note}"])
    return table([plain(f"{pair.names}, {delta.level}"), "old", "new", ""], rows)


def _stays(delta: Delta, change: Change, verdict: str) -> bool:
    """Return whether a scenario has the same verdict as before, but for another reason: no number shows that."""
    if change.old is None or change.new is None or change.sort not in ("changed", "variant"):
        return False
    return {verdict_at(one.record, delta.level) for one in (change.old, change.new)} == {verdict}


def _sides_markdown(delta: Delta, pair: Pair) -> str:
    old, new = _side(delta.old, pair.old), _side(delta.new, pair.new)
    return f"<sub>old: {escaped(old)}<br>new: {escaped(new)}</sub>"


def _changes_markdown(delta: Delta, sort: str, changes: list[Change], budget: int) -> str:
    """Return the folded list of the changes of a sort; what the budget does not hold is counted."""
    words, means = SORTS[sort]
    items: list[str] = []
    for number, change in enumerate(changes):
        item = _change_markdown(delta, change)
        budget -= len(item)
        if budget < 0:
            items.append(f"- {len(changes) - number} more would not fit here; the results files have them.")
            break
        items.append(item)
    heading = f"{words.capitalize()} ({len(changes)}): {escaped(means)}"
    return folded(heading, "\n".join(items))


def _change_markdown(delta: Delta, change: Change) -> str:
    text = f"- {code(change.id)} {code(change.pair.names)}: {plain(change.sentence)}"
    if change.sort in WORSE and change.new is not None and change.new.target:
        shown = code_block(block(change.new, delta.new.header))
        return "\n\n  ".join((text, *[shown.replace("\n", "\n  ")])) + "\n"
    return text


# ---- JSON ------------------------------------------------------------------------------------------------


def delta_json(delta: Delta) -> str:
    """Return what changed as JSON: ``format``, ``headline``, ``status``, both sides, counts, every change."""
    record = {
        "format": FORMAT,
        "headline": delta.headline,
        "status": delta.status,
        "level": delta.level,
        "compared": delta.compared,
        "failures": list(delta.failures),
        "pairs": [_pair_record(delta, pair) for pair in delta.pairs],
        "counts": {sort: len(delta.of_sort(sort)) for sort in SORTS},
        "changes": [_change_record(delta, change) for _, found in _ordered(delta) for change in found],
    }
    return json.dumps(record, indent=1) + "\n"


def _pair_record(delta: Delta, pair: Pair) -> dict[str, Any]:
    verdicts = {word: {"old": old, "new": new} for word, old, new in _verdicts(delta, pair)}
    sides = (("old", delta.old, pair.old), ("new", delta.new, pair.new))
    about = {
        side: {
            **{name: target[name] for name in ("name", "version", "python", "implementation", "clock")},
            "oracle": target["oracle"],
            "loopcheck": results.header["loopcheck"],
        }
        for side, results, target in sides
    }
    return {**about, "verdicts": verdicts}


def _change_record(delta: Delta, change: Change) -> dict[str, Any]:
    return {
        "sort": change.sort,
        "id": change.id,
        "old_target": change.pair.old["name"],
        "new_target": change.pair.new["name"],
        "sentence": change.sentence,
        "old": _state_record(delta, change.old),
        "new": _state_record(delta, change.new),
        "reproduce": _command(delta, change),
    }


def _state_record(delta: Delta, result: ScenarioResult | None) -> dict[str, Any] | None:
    if result is None:
        return None
    return {
        "verdict": result.verdict,
        "judged": verdict_at(result.record, delta.level),
        "signature": result.record["signature"],
        "signatures": signatures(result.record),
        "counting": sorted(counting_signatures(result.record, delta.level)),
        "repeats": result.record["repeats"],
    }
