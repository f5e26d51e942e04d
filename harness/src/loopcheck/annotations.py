# SPDX-License-Identifier: MIT
"""Results as annotations: GitHub's workflow commands, and the code-quality report of GitLab.

What is annotated is what the exit status is about: differences, stale baseline entries, failures.  A difference
points to its scenario, a baseline that is wrong to its own line.  GitHub shows ten annotations of a step and
drops the others in silence, so the tenth says how many there are.
"""

import hashlib
import json
from dataclasses import dataclass

from .digest import frequency, incomplete, sentence, visible
from .results import Results, ScenarioResult
from .vocabulary import VERDICTS

MOST_SHOWN = 10  # by GitHub, of one step and one severity
SEVERITIES = {"difference": "major", "stale": "minor", "failure": "critical"}


@dataclass(frozen=True)
class Annotation:
    """One thing to be seen.  file: "" when there is none to point to; line: from 1.

    severity: one of GitLab's words.  key: what makes it the same annotation in another run.
    """

    severity: str
    title: str
    sentence: str
    file: str
    line: int
    key: tuple[str, ...]
    check: str


def annotations(*several: Results) -> list[Annotation]:
    """Return what there is to be annotated in results, the runs' own failures first."""
    of_runs = [found for results in several for found in _of_run(results)]
    return of_runs + [found for results in several for found in _of_scenarios(results)]


def _of_run(results: Results) -> list[Annotation]:
    found = []
    why = incomplete(results)
    if why:
        key = ("incomplete", *(target["name"] for target in results.header["targets"]))
        found.append(Annotation("critical", "loopcheck: incomplete run", why, "", 1, key, "incomplete"))
    for error in [*results.errors, *results.baseline_problems]:
        kind = error["record"]
        file, line = error.get("file", ""), max(1, error.get("line", 1))
        key = (kind, file, error.get("target", ""), error["sentence"])
        title = f"loopcheck: {kind.replace('-', ' ')}"
        severity = "minor" if kind == "baseline-problem" else "critical"
        found.append(Annotation(severity, title, error["sentence"], file, line, key, kind))
    return found


def _of_scenarios(results: Results) -> list[Annotation]:
    pointed_at = {(problem["file"], problem["line"]) for problem in results.baseline_problems}
    found = []
    for result in sorted(results.scenarios, key=_urgency):
        if VERDICTS[result.verdict].counts in SEVERITIES:
            file, line = _place(results, result)
            if result.verdict != "fixed" or (file, line) not in pointed_at:
                found.append(_of_scenario(result, file, line))
    return found


def _urgency(result: ScenarioResult) -> int:
    """Return where a result stands: what the target does wrong comes before what is wrong with the run."""
    order = list(SEVERITIES)
    counts = VERDICTS[result.verdict].counts
    return order.index(counts) if counts in order else len(order)


def _place(results: Results, result: ScenarioResult) -> tuple[str, int]:
    """Return where a verdict points to: the baseline's entry that is wrong, or the scenario."""
    known, about = result.record["known"], result.record["about"]
    if known and result.verdict in ("fixed", "changed"):
        return str(results.header["baseline"]), max(1, known["line"])
    return (about["file"], max(1, about["line"])) if about else ("", 1)


def _of_scenario(result: ScenarioResult, file: str, line: int) -> Annotation:
    record = result.record
    often = f" ({frequency(record)})" if frequency(record) else ""
    return Annotation(
        severity=SEVERITIES[VERDICTS[result.verdict].counts],
        title=f"{result.verdict}: {result.id} on {result.target_name}",
        sentence=f"{sentence(record)}{often}",
        file=file,
        line=line,
        key=(result.target_name, result.id, record["signature"] or result.verdict),
        check=f"loopcheck/{result.verdict}",
    )


# ---- GitHub ----------------------------------------------------------------------------------------------


def github(*several: Results) -> str:
    """Return a workflow command for each annotation, one a line."""
    found = annotations(*several)
    if len(found) > MOST_SHOWN:
        more = len(found) - (MOST_SHOWN - 1)
        said = f"{more} more of {len(found)} are in the job's summary and in the results file."
        last = Annotation("critical", "loopcheck: more than GitHub shows", said, "", 1, (), "more")
        found = [*found[: MOST_SHOWN - 1], last]
    return visible("".join(f"{_command(one)}\n" for one in found))


def _command(one: Annotation) -> str:
    place = {"file": one.file, "line": str(one.line)} if one.file else {}
    properties = {**place, "title": one.title}
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::error {written}::{_data(one.sentence)}"


def _data(text: str) -> str:
    """Return a text as the data of a workflow command, which ends with its line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Return a text as a property of a workflow command, where commas and colons have a meaning too."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# ---- GitLab ----------------------------------------------------------------------------------------------


def gitlab(*several: Results) -> str:
    """Return a code-quality report: a JSON list.  Each entry must have a path, so one stands in."""
    entries = [
        {
            "description": f"{one.title}: {one.sentence}",
            "check_name": one.check,
            "fingerprint": hashlib.sha256("\0".join(one.key).encode("utf-8", "replace")).hexdigest(),
            "severity": one.severity,
            "location": {"path": one.file or "loopcheck.toml", "lines": {"begin": one.line}},
        }
        for one in annotations(*several)
    ]
    return json.dumps(entries, indent=1) + "\n"
