# SPDX-License-Identifier: MIT
"""What the page says, as plain data: one row for each scenario, one column for each target of each file.

``page_facts`` returns what the template prints (the head of the page, and all differences for readers without
JavaScript) and ``data``, from which the scripts draw the rest.  A *result* is one cell: a scenario on a target.
"""

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .. import __version__
from ..report import export_command, without_our_frames
from ..results import Results, ScenarioResult
from ..vocabulary import AXES, EXITS, KINDS, LEVELS, REASONS, VERDICTS, at_least
from .lanes import drawing

PROCESS = "process"  # where an axis stands, for what has none: crash and hang
DIFFERS = ("differ", "variant", "known", "changed")
MOST_OUTPUT = 200  # lines that are kept of what a process wrote; the last ones
LABELS = ("{name} {version}", "{name} {version} on {python}", "{text}", "{text} {version} on {python}")
SAID = ("verdict", "axis", "level", "sentence", "findings", "known", "output")  # without JavaScript
LINKED = ("https://", "http://")

Facts = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """One target of one results file."""

    results: Results
    target: dict[str, Any]
    label: str
    scenarios: list[ScenarioResult]

    @property
    def oracle(self) -> str:
        """The name that results use for the oracle."""
        return next((str(r.record["oracle"]) for r in self.scenarios), str(self.target["oracle"]).split()[0])

    @property
    def commands(self) -> list[str]:
        """The commands that reproduce a scenario, with ``{id}`` where its id belongs."""
        if not self.scenarios:
            return []
        first = self.scenarios[0]
        words = export_command(first, self.results.header).replace(first.id, "{id}", 1)
        run = words.replace("loopcheck export {id} --target ", "loopcheck run ", 1)
        return [f"{run} -k {{id}}", f"{words} > repro.py"]


def page_facts(several: Sequence[Results]) -> Facts:
    """Return the facts of a page on several results files."""
    columns = _columns(several)
    scenarios = _scenarios(columns)
    return {
        "title": "loopcheck: " + ", ".join(column.label for column in columns),
        "version": __version__,
        "files": [_file_facts(results) for results in several],
        "columns": [_column_facts(column) for column in columns],
        "articles": _articles(scenarios, columns),
        "verdicts": VERDICTS,
        "axes": {**AXES, PROCESS: "How the process ended: it crashed or hung."},
        "levels": LEVELS,
        "kinds": KINDS,
        "reasons": REASONS,
        "statements": _statements(columns),
        "data": {
            "words": _words(),
            "columns": [
                {"label": c.label, "name": c.target["name"], "oracle": c.oracle, "commands": c.commands}
                for c in columns
            ],
            "scenarios": [_without_nothing(scenario) for scenario in scenarios],
            "statements": _statements(columns),
        },
    }


def _without_nothing(scenario: Facts) -> Facts:
    """Return a scenario without what is empty in its results: most of it is, in most of them."""
    results = [
        result and {key: value for key, value in result.items() if value not in ("", None, [])}
        for result in scenario["results"]
    ]
    return {**scenario, "results": results}


def _words() -> Facts:
    return {
        "verdict": {
            word: {"symbol": v.symbol, "counts": v.counts, "means": v.means} for word, v in VERDICTS.items()
        },
        "axis": AXES,
        "kind": {word: {"axis": k.axis, "means": k.means} for word, k in KINDS.items()},
        "level": LEVELS,
        "reason": REASONS,
    }


def _articles(scenarios: Sequence[Facts], columns: Sequence[Column]) -> list[Facts]:
    """Return what a reader without JavaScript is told one by one: all but agreement, what counts most first.

    What is said of several targets in the same words is said once.
    """
    articles: list[Facts] = []
    for scenario in scenarios:
        said: list[Facts] = []
        for number, result in enumerate(scenario["results"]):
            if result and result["verdict"] != "agree" and VERDICTS[result["verdict"]].counts != "none":
                words = {name: result[name] for name in SAID}
                same = [one for one in said if {name: one["result"][name] for name in SAID} == words]
                if same:
                    same[0]["columns"].append(columns[number])
                else:
                    said.append({**scenario, "result": result, "columns": [columns[number]]})
        articles += said
    return sorted(articles, key=lambda article: VERDICTS[article["result"]["verdict"]].counts == "good")


# ---- columns -----------------------------------------------------------------------------------------------


def _columns(several: Sequence[Results]) -> list[Column]:
    """Return the columns, with labels as short as tells them apart."""
    targets = [(results, target) for results in several for target in results.header["targets"]]
    labels = _labels([target for _, target in targets])
    return [
        Column(results, target, label, _found_on(results, target))
        for (results, target), label in zip(targets, labels, strict=True)
    ]


def _labels(targets: Sequence[dict[str, Any]]) -> list[str]:
    """Return a label for each target: the first of LABELS that no other target has, or numbered."""
    in_form = [[" ".join(form.format(**target).split()) for form in LABELS] for target in targets]
    labels = []
    for number, mine in enumerate(in_form):
        others = {label for other, theirs in enumerate(in_form) if other != number for label in theirs}
        alone = [label for label in mine if label not in others]
        labels.append(alone[0] if alone else f"{mine[-1]} ({number + 1})")
    return labels


def _found_on(results: Results, target: dict[str, Any]) -> list[ScenarioResult]:
    """Return what was found on a target.

    Targets can share a name, as two factories of one module do; their records then come in their order.
    """
    name = target["name"]
    named = [one for one in results.header["targets"] if one["name"] == name and one["class"]]
    if target not in named:
        return []
    seen: Counter[str] = Counter()
    found = []
    for result in results.of_target(name):
        if named[seen[result.id] % len(named)] is target:
            found.append(result)
        seen[result.id] += 1
    return found


def _column_facts(column: Column) -> Facts:
    scenarios = column.scenarios
    counts = Counter((_axis(r), r.verdict) for r in scenarios if r.verdict in DIFFERS or _axis(r) == PROCESS)
    used = [word for word in VERDICTS if any(verdict == word for _, verdict in counts)]
    return {
        "target": column.target,
        "label": column.label,
        "sentence": _sentence(column),
        "selected": column.results.header["selected"],
        "of": column.results.header["of"],
        "verdicts": {word: n for word in VERDICTS if (n := sum(r.verdict == word for r in scenarios))},
        "table_words": used,
        "table": [
            (axis, [counts[axis, word] for word in used])
            for axis in (*AXES, PROCESS)
            if any(counts[axis, word] for word in used)
        ],
    }


def _axis(result: ScenarioResult) -> str:
    return PROCESS if result.verdict in ("crash", "hang") else str(result.record["axis"] or "")


def _sentence(column: Column) -> str:
    """Return the one sentence about a target: how much of it differs, how firmly that is promised."""
    scenarios = column.scenarios
    if not column.target["class"]:
        return f"{column.label} did not start."
    differing = Counter(r.record["level"] for r in scenarios if r.verdict in DIFFERS)
    counts = [f"{differing[level]} {level}" for level in LEVELS if differing[level]]
    oracle = column.target["oracle"]
    parts = []
    if counts:
        one = sum(differing.values()) == 1
        parts.append(f"differs from {oracle} in {_and(counts)} behaviour{'' if one else 's'}")
    for verdict, does in (("crash", "crashes in"), ("hang", "hangs in")):
        number = sum(r.verdict == verdict for r in scenarios)
        if number:
            parts.append(f"{does} {number} scenario{'s' * (number > 1)}")
    if parts:
        return f"{column.label} {_and(parts)}."
    ran = sum(VERDICTS[r.verdict].counts != "none" for r in scenarios)
    agreed = sum(r.verdict == "agree" for r in scenarios)
    if ran and agreed == ran:
        return f"{column.label} does what {oracle} does in all {ran} scenarios that ran."
    return f"{column.label} was compared with {oracle} in {ran} scenarios; {agreed} agree."


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _file_facts(results: Results) -> Facts:
    header, footer = results.header, results.footer
    return {
        "loopcheck": header["loopcheck"],
        "platform": header["platform"],
        "level": header["level"],
        "command": shlex.join(header["command"]),
        "baseline": header["baseline"],
        "repeat": header["repeat"],
        "problem": _incomplete(results),
        "errors": [_error_sentence(error) for error in (*results.errors, *results.baseline_problems)],
        "exit": None if footer is None else next(e for e in EXITS.values() if e.status == footer["exit"]),
    }


def _incomplete(results: Results) -> str:
    expected = results.header["selected"] * len(results.header["targets"])
    there = f"these are {len(results.scenarios)} of {expected} results"
    if results.footer is None:
        return f"Incomplete: the results have no footer, so the run did not end; {there}."
    if results.footer["interrupted"]:
        return f"Interrupted: the run was stopped before its end; {there}."
    return ""


def _error_sentence(error: dict[str, Any]) -> str:
    where = f"{error['file']}:{error['line']}: " if error.get("file") else ""
    return where + str(error["sentence"])


# ---- scenarios ---------------------------------------------------------------------------------------------


def _scenarios(columns: Sequence[Column]) -> list[Facts]:
    found: dict[str, Facts] = {}
    for number, column in enumerate(columns):
        for result in column.scenarios:
            if result.id not in found:
                found[result.id] = {**_about(result), "results": [None] * len(columns)}
            found[result.id]["results"][number] = _result_facts(result, column.results.header)
    for scenario in found.values():
        _letter(scenario["results"])
    return list(found.values())


def _letter(results: Sequence[Facts | None]) -> None:
    """Give results of one scenario that differ in the same way the same letter."""
    letters: dict[str, str] = {}
    for result in results:
        if result and result["signature"]:
            number = len(letters)
            letter = letters.setdefault(result["signature"], chr(ord("a") + min(number, 25)))
            result["letter"] = letter


def _about(result: ScenarioResult) -> Facts:
    about = result.record["about"]
    return {
        "id": result.id,
        "title": result.record["title"],
        "statements": result.record["statements"],
        "basis": result.record["basis"],
        **{key: about[key] for key in ("file", "line", "source")},
    }


def _statements(columns: Iterable[Column]) -> dict[str, Facts]:
    """Return the statements that scenarios cite: text, status, and the address to link to, if it is one."""
    found: dict[str, Facts] = {}
    for column in columns:
        for result in column.scenarios:
            for statement in result.record["about"]["statements"]:
                url = statement["url"] or ""
                found[statement["id"]] = {
                    "text": statement["text"],
                    "status": statement["status"],
                    "url": url if url.startswith(LINKED) else "",
                }
    return found


def _result_facts(result: ScenarioResult, header: dict[str, Any]) -> Facts:
    record = result.record
    return {
        "verdict": result.verdict,
        "axis": _axis(result),
        "level": record["level"],
        "signature": record["signature"],
        "reason": record["reason"],
        "sentence": record["sentence"],
        "findings": [
            {
                "kind": finding["kind"],
                "event": finding["event"],
                "axis": finding["axis"],
                "level": finding["level"],
                "counts": at_least(finding["level"], header["level"]),
                "sentence": finding["sentence"],
            }
            for finding in record["differences"]
        ],
        "repeats": record["repeats"] if record["repeats"]["of"] > 1 else None,
        "known": _known(record),
        "lanes": drawing(result),
        "output": _output(result),
    }


def _known(record: dict[str, Any]) -> Facts | None:
    known = record["known"]
    if not known:
        return None
    facts = {key: known.get(key) or "" for key in ("signature", "reason", "url", "expires", "line")}
    return {**facts, "link": facts["url"] if str(facts["url"]).startswith(LINKED) else ""}


def _output(result: ScenarioResult) -> str:
    """Return what a process that crashed or hung wrote, its last lines."""
    bad = [trace for trace in (*result.target, *result.oracle) if trace.status in ("crash", "hang")]
    if not bad:
        return ""
    lines = without_our_frames(bad[0].outcome.output.strip().splitlines())
    left_out = len(lines) - MOST_OUTPUT
    return "\n".join([f"… {left_out} lines before this", *lines[-MOST_OUTPUT:]] if left_out > 0 else lines)
