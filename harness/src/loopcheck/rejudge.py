# SPDX-License-Identifier: MIT
"""``loopcheck judge``: verdicts anew from the traces of a results file, without running anything.

What is judged again: the traces that are stored, by the judge and the statements' levels of *this* loopcheck, at
the level that is asked for.  So a repaired judge, a statement whose level changed or another ``--level`` needs no
new run.  What was not run (skipped, blocked) stays as it is, and an incomplete file stays incomplete.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from .baseline import Baseline, in_header
from .judge import Subject, judge
from .results import Results, ScenarioResult, judgement_fields
from .spec import Statement, weakest_level
from .vocabulary import VERDICTS, exit_for

Record = dict[str, Any]


def judge_again(
    results: Results,
    level: str,
    statements: Mapping[str, Statement],
    baseline: Baseline | None = None,
    ids: Collection[str] = (),
) -> Results:
    """Return the results with every verdict given anew.

    level: which expectations must hold.  baseline: the differences that are accepted.  ids: those of all
    scenarios there are.
    """
    header = {**results.header, "level": level, **in_header(baseline)}
    asyncios_own = {target["name"]: target["asyncios_own"] for target in header["targets"]}
    scenarios = [
        _judged_again(result, level, statements, asyncios_own[result.target_name])
        for result in results.scenarios
    ]
    problems: list[Record] = []
    if baseline is not None:
        scenarios = [replace(r, record=baseline.apply(r.record, header)) for r in scenarios]
        problems = baseline.check(ids, header)
        problems += baseline.problems_after([r.record for r in scenarios], header)
    footer = _footer(results, scenarios, stale=bool(problems))
    return replace(results, header=header, scenarios=scenarios, baseline_problems=problems, footer=footer)


def _judged_again(
    result: ScenarioResult, level: str, statements: Mapping[str, Statement], target_is_asyncio: bool
) -> ScenarioResult:
    record = result.record
    if not result.target:
        return replace(result, record={**record, "verdict": record["judged"], "known": None})
    subject = Subject(
        oracle=record["oracle"],
        target=record["target"],
        level=scenario_level(record, statements),
        demanded=level,
        target_is_asyncio=target_is_asyncio,
        habits_count=record["habits_count"],
    )
    judgement = judge(subject, result.oracle, result.target, result.confirmations)
    runs = list(result.target)
    runs.insert(0, runs.pop(judgement.shown))
    fields = {"scenario_level": subject.level, **judgement_fields(judgement)}
    return replace(result, record={**record, **fields}, target=tuple(runs))


def scenario_level(record: Record, statements: Mapping[str, Statement]) -> str:
    """Return the level of a recorded scenario by today's statements; as recorded if one of them is not there."""
    cited = record["statements"]
    if not all(id in statements for id in cited):
        return str(record["scenario_level"])
    levels = [statements[id].level for id in cited]
    return weakest_level([*levels, "observed"] if record["basis"] else levels)


def _footer(results: Results, scenarios: list[ScenarioResult], *, stale: bool) -> Record | None:
    """Return the footer for verdicts given anew; what went wrong around the scenarios went wrong then, too."""
    if results.footer is None:
        return None
    verdicts = [result.verdict for result in scenarios]
    during = [error["during"] for error in results.errors if error["record"] == "target-error"]
    exit = exit_for(
        verdicts,
        usage="import" in during,
        failure=any(error["record"] == "problem" for error in results.errors) or "factory" in during,
        interrupted=results.footer["interrupted"],
        stale=stale,
    )
    counts = {word: verdicts.count(word) for word in VERDICTS if word in verdicts}
    return {**results.footer, "counts": counts, "exit": exit.status}
