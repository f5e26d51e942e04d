# SPDX-License-Identifier: MIT
"""Baselines: which entries are about a record, what they do to its verdict, and when they are wrong themselves."""

import datetime
from typing import Any

import pytest

from loopcheck.baseline import Baseline, unlisted
from loopcheck.vocabulary import exit_for

from .baseline_records import (
    FILE,
    TODAY,
    UVLOOP,
    Record,
    agreeing,
    baseline,
    differing,
    entry,
    head,
    judged,
    refusal,
    uvloop_records,
    verdict_of,
)

ZERO = "timers/zero_delay"
HEAD = head()


def kinds_of(listed: Baseline, records: list[Record], header: Record = HEAD) -> list[tuple[str, int]]:
    """Return kind and line of the problems that a run finds, after the baseline was applied to it."""
    applied = [listed.apply(record, header) for record in records]
    return [(problem["kind"], problem["line"]) for problem in listed.problems_after(applied, header)]


# ---- verdicts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "signature"),
    [
        ("differ", "value:value:zero"),
        ("variant", "value:value:zero"),
        ("unsupported", "order:extra:zero"),
        ("crash", "process:crash:SIGSEGV"),
        ("hang", "process:hang:the last event"),
        ("hang", "process:hang:"),
    ],
)
def test_a_listed_difference_is_known_and_the_record_names_its_entry(verdict: str, signature: str) -> None:
    listed = baseline(entry(signature=signature, url="https://example.org/1", expires=TODAY))
    record = judged(ZERO, verdict, signature)
    applied = listed.apply(record, HEAD)
    assert (applied["verdict"], applied["judged"]) == ("known", verdict)
    assert applied["known"] == {
        "signature": signature,
        "reason": "It calls call_soon().",
        "url": "https://example.org/1",
        "expires": "2026-06-01",
        "line": 1,
    }
    rest = record.keys() - {"verdict", "judged", "known"}
    assert {key: applied[key] for key in rest} == {key: record[key] for key in rest}


def test_applying_changes_no_record_that_it_was_given() -> None:
    record = differing(ZERO, "value:value:zero")
    before = repr(record)
    baseline(entry()).apply(record, HEAD)
    assert repr(record) == before


@pytest.mark.parametrize("verdict", ["differ", "crash", "hang"])
def test_another_difference_than_the_listed_one_is_changed(verdict: str) -> None:
    signature = "value:value:negative" if verdict == "differ" else f"process:{verdict}:x"
    applied = baseline(entry()).apply(judged(ZERO, verdict, signature), HEAD)
    assert (applied["verdict"], applied["known"]["line"]) == ("changed", 1)
    assert applied["sentence"].endswith(f"{FILE}:1 lists value:value:zero instead.")


def test_a_difference_beside_the_listed_one_is_changed_and_named() -> None:
    applied = baseline(entry()).apply(differing(ZERO, "value:value:zero", "value:value:negative"), HEAD)
    assert applied["verdict"] == "changed"
    assert applied["sentence"] == (
        "“negative”: asyncio has one thing, uvloop has value. "
        f"This is new: {FILE}:1 lists value:value:zero only."
    )


def test_a_difference_in_another_run_of_the_scenario_is_changed_and_named() -> None:
    outcomes = {"value:value:zero": 3, "value:value:negative": 1, None: 1}
    applied = baseline(entry()).apply(differing(ZERO, "value:value:zero", outcomes=outcomes), HEAD)
    assert applied["verdict"] == "changed"
    assert "In other runs of it, uvloop shows value:value:negative. This is new" in applied["sentence"]


def test_several_entries_together_make_it_known() -> None:
    listed = baseline(entry(signature="value:value:negative"), entry())
    applied = listed.apply(differing(ZERO, "value:value:zero", "value:value:negative"), HEAD)
    assert (applied["verdict"], applied["known"]["signature"]) == ("known", "value:value:zero")


@pytest.mark.parametrize("verdict", ["variant", "unsupported"])
def test_what_is_good_without_a_baseline_stays_so_when_another_difference_is_listed(verdict: str) -> None:
    listed, record = baseline(entry()), judged(ZERO, verdict, "value:value:negative")
    assert verdict_of(listed, record) == verdict
    assert kinds_of(listed, [record]) == [("unused", 1)]


def test_a_listed_difference_that_is_gone_is_fixed_and_the_sentence_names_the_entries() -> None:
    applied = baseline(entry(), entry(signature="value:value:negative")).apply(agreeing(ZERO), HEAD)
    assert applied["verdict"] == "fixed"
    assert applied["sentence"] == (
        f"uvloop agrees with asyncio, but {FILE}:1 and 7 list "
        "value:value:zero and value:value:negative: remove these entries."
    )


def test_agreeing_is_fixed_unless_all_entries_are_intermittent() -> None:
    some = entry(signature="value:value:negative", intermittent=True)
    assert verdict_of(baseline(some), agreeing(ZERO)) == "agree"
    assert verdict_of(baseline(some, entry()), agreeing(ZERO)) == "fixed"
    assert kinds_of(baseline(some, entry()), [agreeing(ZERO)]) == [("stale", 8)]


@pytest.mark.parametrize(
    "verdict", ["inconclusive", "skipped", "blocked", "harness-error", "broken-scenario"]
)
def test_what_is_no_evidence_stays_and_makes_no_problem(verdict: str) -> None:
    listed, record = baseline(entry(), entry(scenario="*", signature="value:value:x")), judged(ZERO, verdict)
    assert verdict_of(listed, record) == verdict
    assert kinds_of(listed, [record], head(of=1)) == []


@pytest.mark.parametrize("record", [differing(ZERO, "value:value:zero"), agreeing(ZERO)])
@pytest.mark.parametrize(
    "fields",
    [
        {"scenario": "timers/other"},
        {"target": "other"},
        {"when": "python_version >= '3.12'"},
        {"expires": datetime.date(2026, 5, 31)},
    ],
)
def test_an_entry_that_is_not_about_it_leaves_the_verdict(record: Record, fields: dict[str, Any]) -> None:
    listed = baseline(entry(**fields))
    assert verdict_of(listed, record) == record["verdict"]
    assert kinds_of(listed, [record]) == []


def test_the_interpreter_is_no_part_of_the_targets_name() -> None:
    record = differing(ZERO, "value:value:zero", target="uvloop@python3.14")
    assert verdict_of(baseline(entry()), record, head("uvloop@python3.14")) == "known"


@pytest.mark.parametrize("target", ["uv*", "uvloo[ps]", "*"])
def test_a_target_can_be_a_pattern(target: str) -> None:
    assert verdict_of(baseline(entry(target=target)), differing(ZERO, "value:value:zero")) == "known"
    assert verdict_of(baseline(entry(target=target)), agreeing(ZERO)) == "fixed"


def test_a_pattern_of_scenarios_excuses_and_claims_nothing_of_a_single_one() -> None:
    listed = baseline(entry(scenario="timers/*"))
    assert verdict_of(listed, differing(ZERO, "value:value:zero")) == "known"
    assert verdict_of(listed, agreeing(ZERO)) == "agree"
    assert verdict_of(listed, differing(ZERO, "value:value:negative")) == "differ"
    both = differing(ZERO, "value:value:zero", "value:value:negative")
    assert verdict_of(listed, both) == "changed"


def test_an_entry_excuses_through_the_day_on_which_it_expires() -> None:
    text = entry(expires=TODAY)
    record = differing(ZERO, "value:value:zero")
    assert verdict_of(baseline(text, today=TODAY), record) == "known"
    assert verdict_of(baseline(text, today=TODAY + datetime.timedelta(days=1)), record) == "differ"


# ---- which signatures an entry must list -----------------------------------------------------------------

ENDED = "error:class:raised TypeError"


@pytest.mark.parametrize(
    ("shown", "listed", "new"),
    [
        (["value:value:a", "value:value:b"], ["value:value:a"], ["value:value:b"]),
        (["value:value:a", "value:value:a"], ["value:value:a"], []),
        (["order:extra:a", "order:missing:b"], ["order:extra:a"], ["order:missing:b"]),
        ([ENDED, "order:missing:a", "order:missing:b"], [ENDED], []),
        ([ENDED, "order:missing:a", "value:value:b"], [ENDED], ["value:value:b"]),
        ([ENDED, "order:missing:a"], ["order:missing:a"], [ENDED]),
        (["value:value:a", "error:log:ERROR", "resource:leak:socket"], ["value:value:a"], []),
        (["timing:late:a", "timing:slow:b", "timing:late:c"], [], ["timing:late:a"]),
        (["timing:late:a", "timing:slow:b"], ["timing:slow:b"], []),
        (["timing:late:a", "timing:early:b"], ["timing:late:a"], ["timing:early:b"]),
    ],
)
def test_what_follows_from_a_listed_difference_by_chance_need_not_be_listed(
    shown: list[str], listed: list[str], new: list[str]
) -> None:
    assert unlisted(differing(ZERO, *shown), "guaranteed", listed) == new
    verdict = "changed" if new else "known"
    if listed:
        entries = [entry(signature=signature) for signature in listed]
        assert verdict_of(baseline(*entries), differing(ZERO, *shown)) == verdict


def test_logs_and_leaks_must_be_listed_where_nothing_else_differs() -> None:
    record = differing(ZERO, "error:log:ERROR", "resource:leak:socket", level="observed")
    assert unlisted(record, "observed", []) == ["error:log:ERROR", "resource:leak:socket"]


@pytest.mark.parametrize(("level", "new"), [("guaranteed", []), ("observed", ["error:wording:b"])])
def test_only_what_counts_at_the_level_of_the_run_must_be_listed(level: str, new: list[str]) -> None:
    record = differing(ZERO, "value:value:zero", "error:wording:b")
    assert unlisted(record, level, ["value:value:zero"]) == new
    assert verdict_of(baseline(entry()), record, head(level=level)) == ("changed" if new else "known")


@pytest.mark.parametrize("verdict", ["agree", "variant", "unsupported", "inconclusive"])
def test_nothing_must_be_listed_for_what_is_no_difference(verdict: str) -> None:
    assert unlisted(judged(ZERO, verdict, "value:value:a"), "guaranteed", []) == []


# ---- problems of the baseline ----------------------------------------------------------------------------

IDS = [ZERO, "timers/other", "running/stop"]


def checked(*entries: str, header: Record = HEAD) -> list[tuple[str, int]]:
    """Return kind and line of the problems that entries have before anything runs."""
    return [(problem["kind"], problem["line"]) for problem in baseline(*entries).check(IDS, header)]


def test_a_scenario_that_does_not_exist_is_unknown() -> None:
    assert checked(entry(scenario="timers/none"), entry(scenario="tls/*"), entry(scenario="timers/*")) == [
        ("unknown", 1),
        ("unknown", 7),
    ]


def test_an_expired_entry_is_a_problem_also_when_its_scenario_is_not_selected() -> None:
    assert checked(
        entry(expires=TODAY), entry(scenario="running/stop", expires=datetime.date(2026, 5, 31))
    ) == [("expired", 8)]


@pytest.mark.parametrize(
    ("one", "other", "twice"),
    [
        ({}, {}, True),
        ({}, {"reason": "another", "url": "https://example.org"}, True),
        ({}, {"signature": "value:value:negative"}, False),
        ({}, {"target": "other"}, False),
        ({}, {"target": "uv*"}, True),
        ({}, {"scenario": "timers/*"}, False),
        ({"target": "other"}, {"target": "other"}, True),
        ({}, {"when": "python_version < '3.12'"}, True),
        ({}, {"when": "python_version >= '3.12'"}, False),
        ({"when": "python_version < '3.12'"}, {"when": "python_version >= '3.12'"}, False),
    ],
)
def test_entries_that_say_the_same_of_a_target_are_duplicates(
    one: dict[str, Any], other: dict[str, Any], twice: bool
) -> None:
    problems = checked(entry(**one), entry(**other))
    assert [kind for kind, _ in problems] == (["duplicate"] if twice else [])


def test_a_problem_record_says_which_entry_and_why() -> None:
    listed = baseline(entry(), entry())
    (problem,) = listed.check(IDS, HEAD)
    assert problem == {
        "record": "baseline-problem",
        "file": FILE,
        "line": 7,
        "kind": "duplicate",
        "scenario": ZERO,
        "target": "uvloop",
        "signature": "value:value:zero",
        "sentence": f"it says the same as line 1: {ZERO}, value:value:zero.",
    }


def test_stale_and_unused_problems_name_the_target_with_its_interpreter() -> None:
    target = "uvloop@python3.14"
    listed, header = baseline(entry()), head(target)
    for record, kind in [
        (agreeing(ZERO, target=target), "stale"),
        (differing(ZERO, "value:value:b", target=target), "unused"),
    ]:
        (problem,) = listed.problems_after([listed.apply(record, header)], header)
        assert (problem["kind"], problem["target"]) == (kind, target)


def test_an_entry_that_excused_nothing_is_unused_where_the_scenario_differs_otherwise() -> None:
    listed = baseline(entry(), entry(signature="value:value:negative"))
    assert kinds_of(listed, [differing(ZERO, "value:value:zero")]) == [("unused", 7)]


def test_an_entry_for_a_difference_that_does_not_count_is_not_unused() -> None:
    listed = baseline(entry(), entry(signature="error:wording:b"))
    assert kinds_of(listed, [differing(ZERO, "value:value:zero", "error:wording:b")]) == []


@pytest.mark.parametrize(
    "record",
    [
        judged(ZERO, "crash", "process:crash:SIGSEGV"),
        judged(ZERO, "hang", "process:hang:x"),
        differing(ZERO, ENDED),
    ],
)
def test_nothing_is_unused_behind_what_ended_the_scenario_early(record: Record) -> None:
    assert kinds_of(baseline(entry()), [record]) == []


def test_an_intermittent_entry_is_never_unused() -> None:
    listed = baseline(entry(intermittent=True), entry(signature="value:value:b"))
    assert kinds_of(listed, [differing(ZERO, "value:value:b")]) == []


@pytest.mark.parametrize(
    ("of", "records", "problems"),
    [
        (2, [agreeing(ZERO), agreeing("running/stop")], [("unused", 1)]),
        (2, [agreeing(ZERO), differing("timers/other", "value:value:b")], [("unused", 1)]),
        (2, [agreeing(ZERO), differing("timers/other", "value:value:zero")], []),
        (2, [agreeing(ZERO), judged("timers/other", "inconclusive")], []),
        (2, [agreeing(ZERO), judged("timers/other", "skipped")], [("unused", 1)]),
        (2, [agreeing("loops/a"), agreeing("running/stop")], []),
        (3, [agreeing(ZERO), agreeing("timers/other")], []),
    ],
)
def test_a_pattern_is_unused_only_if_a_whole_run_shows_it_nowhere(
    of: int, records: list[Record], problems: list[tuple[str, int]]
) -> None:
    header = head(scenarios=len(records), of=of)
    assert kinds_of(baseline(entry(scenario="timers/*")), records, header) == problems


def test_a_run_of_a_part_finds_no_fault_with_entries_of_the_rest() -> None:
    full = [differing(ZERO, "value:value:zero"), differing("running/stop", "value:value:x")]
    listed = baseline(entry(), entry(scenario="running/stop", signature="value:value:x"))
    for records in ([], full[:1], full[1:], full):
        assert kinds_of(listed, records) == []


# ---- flip any one field ------------------------------------------------------------------------------------

SCENARIOS = ["timers/zero_delay_returns_a_timer_handle", "callbacks/callbacks_run_in_order"]
REAL = {
    "scenario": "tasks/eager_task_starts_inside_create_task",
    "signature": "order:order:first step",
    "when": "python_version >= '3.14'",
    "expires": datetime.date(2026, 12, 31),
}
REST = [
    entry(scenario=scenario, signature=signature)
    for scenario, signature in [
        ("timers/zero_delay_returns_a_timer_handle", "value:value:zero"),
        ("timers/zero_delay_returns_a_timer_handle", "value:value:negative"),
        ("timers/zero_delay_returns_a_timer_handle", "value:value:in the past"),
        ("running/stop_finishes_the_batch", "order:extra:scheduled after stop"),
        ("descriptors/stopping_reader_does_not_run_again", "order:order:readable"),
        ("descriptors/stopping_reader_does_not_run_again", "order:extra:readable"),
        ("debug/slow_reader_is_logged", "order:missing:record"),
        (
            "handles/timer_handle_is_a_handle",
            "value:value:instance of the class of call_soon()'s handle",
        ),
    ]
] + [
    entry(
        scenario=REAL["scenario"],
        signature="error:class:raised TypeError",
        when="python_version >= '3.13' and python_version < '3.14'",
    ),
    entry(scenario=REAL["scenario"], signature="order:order:scheduled after", when=REAL["when"]),
]


def outcome(listed: Baseline) -> tuple[int, list[str]]:
    """Return the exit status of the run of uvloop with a baseline, and what it says about difference."""
    records = uvloop_records()
    applied = [listed.apply(record, UVLOOP) for record in records]
    problems = [
        *listed.check([record["id"] for record in records], UVLOOP),
        *listed.problems_after(applied, UVLOOP),
    ]
    exit = exit_for([record["verdict"] for record in applied], usage=False, failure=False, interrupted=False)
    said = [record["sentence"] for record in applied if record["verdict"] in ("differ", "changed", "fixed")]
    said += [
        f"{problem['file']}:{problem['line']} {problem['kind']} {problem['sentence']}" for problem in problems
    ]
    return exit.status or (4 if problems else 0), said


def test_the_unflipped_baseline_of_a_real_run_is_good() -> None:
    assert outcome(baseline(entry(**REAL), *REST)) == (0, [])


@pytest.mark.parametrize(
    ("field", "value", "status", "says"),
    [
        (
            "scenario",
            "tasks/eager_task_starts_inside_create_tusk",
            1,
            "there is no scenario tasks/eager_task",
        ),
        ("scenario", "callbacks/callbacks_run_in_order", 1, "agrees with asyncio, but uvloop.toml:1 lists"),
        ("target", "zuvloop", 1, "uvloop.toml:1 lists it, but is about the target zuvloop."),
        ("signature", "order:order:second step", 1, "uvloop.toml:1 unused tasks/eager"),
        ("signature", "order:missing:first step", 1, "This is new: uvloop.toml:"),
        ("when", "python_version >= '3.15'", 1, "uvloop.toml:1 lists it, but is for where python_version"),
        ("when", "python_version >= '3.12'", 4, "uvloop@python3.12 agrees with asyncio, but uvloop.toml:1"),
        ("when", "loop_version < '0.23'", 1, "uvloop.toml:1 lists it, but is for where loop_version"),
        ("expires", datetime.date(2026, 5, 31), 1, "uvloop.toml:1 expired the entry for tasks/eager"),
    ],
)
def test_flipping_a_field_of_an_entry_fails_the_run_with_a_line_that_says_which_and_why(
    field: str, value: Any, status: int, says: str
) -> None:
    exit, said = outcome(baseline(entry(**{**REAL, field: value}), *REST))
    assert exit == status
    assert any(says in sentence for sentence in said), said


@pytest.mark.parametrize(("field", "value"), [("reason", ""), ("url", "nowhere"), ("intermittent", "true")])
def test_flipping_a_field_to_what_it_cannot_be_is_a_usage_error_that_says_which(
    field: str, value: Any
) -> None:
    assert refusal(entry(**{**REAL, field: value})).startswith(f"{FILE}:1: ")


def test_flipping_intermittent_fails_the_run_that_agrees() -> None:
    agrees = "callbacks/callbacks_run_in_order"
    text = entry(scenario=agrees, intermittent=True)
    assert outcome(baseline(text, entry(**REAL), *REST)) == (0, [])
    exit, said = outcome(baseline(entry(scenario=agrees, intermittent=False), entry(**REAL), *REST))
    assert exit == 4
    assert any(f"{FILE}:1 stale" in sentence for sentence in said)


def test_taking_any_entry_away_fails_the_run() -> None:
    entries = [entry(**REAL), *REST]
    for index in range(len(entries)):
        status, said = outcome(baseline(*entries[:index], *entries[index + 1 :]))
        assert (status, bool(said)) == (1, True)
