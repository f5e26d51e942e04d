# SPDX-License-Identifier: MIT
"""Updating a baseline: what is added, changed, removed and left alone, and that the result is right."""

import datetime
import random
from pathlib import Path
from typing import Any

import pytest

from loopcheck.baseline import Baseline, load
from loopcheck.baseline_file import parse_entries
from loopcheck.baseline_update import HEADING, Updated, update
from loopcheck.baseline_when import environment_of, marker_between, parse_condition
from loopcheck.results import Results

from .baseline_records import (
    FILE,
    PLATFORM,
    TODAY,
    UVLOOP,
    Record,
    agreeing,
    baseline,
    differing,
    entry,
    head,
    judged,
    run_of,
    uvloop_records,
)

ZERO = "timers/zero_delay"
EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "uvloop-baseline.toml"


def updated(text: str | None, *runs: Results, **options: Any) -> Updated:
    """Return what an update makes of a baseline."""
    return update(text, FILE, runs, **{"today": TODAY, **options})


def essence(text: str) -> list[tuple[str, str, str]]:
    """Return scenario, signature and condition of each entry."""
    return [(e.scenario, e.signature, e.condition.text) for e in parse_entries(text, FILE)]


def shortcomings(text: str, run: Results) -> list[str]:
    """Return what a baseline still gets wrong about a run: problems, and differences that are not known."""
    listed = Baseline(FILE, parse_entries(text, FILE), TODAY)
    records = [listed.apply(result.record, run.header) for result in run.scenarios]
    problems = listed.check([record["id"] for record in records], run.header)
    problems += listed.problems_after(records, run.header)
    said = [f"{problem['kind']} {problem['sentence']}" for problem in problems]
    wrong = ("differ", "changed", "fixed", "crash", "hang")
    return said + [f"{r['verdict']} {r['id']} {r['target']}" for r in records if r["verdict"] in wrong]


# ---- adding ----------------------------------------------------------------------------------------------


def test_a_new_difference_gets_an_entry_that_asks_for_an_explanation() -> None:
    done = updated(None, run_of([differing(ZERO, "value:value:zero")]))
    assert done.text == HEADING + "\n" + entry(
        reason="TO EXPLAIN: “zero”: asyncio has one thing, uvloop has value."
    )
    assert (done.added, done.changed, done.removed, done.unexplained) == (1, 0, 0, 1)
    assert done.notes == ("a reason begins with TO EXPLAIN: say in your own words why (line 4)",)


def test_a_reason_that_is_given_stands_in_every_new_entry() -> None:
    done = updated("", run_of([differing(ZERO, "value:value:zero", "value:value:b")]), reason="Known.")
    assert [one.reason for one in parse_entries(done.text, FILE)] == ["Known.", "Known."]
    assert (done.unexplained, done.notes) == (0, ())


def test_the_sentence_in_a_reason_names_the_loop_without_its_interpreter() -> None:
    target = "uvloop@python3.14"
    record = differing(ZERO, "value:value:zero", target=target)
    record["differences"][0]["sentence"] = f"{target} has it."
    (one,) = parse_entries(updated("", run_of([record], head(target))).text, FILE)
    assert (one.target, one.reason) == ("uvloop", "TO EXPLAIN: uvloop has it.")


@pytest.mark.parametrize("verdict", ["agree", "variant", "unsupported", "inconclusive", "skipped"])
def test_what_is_no_difference_gets_no_entry(verdict: str) -> None:
    done = updated(None, run_of([judged(ZERO, verdict, "value:value:zero")]))
    assert (done.text, done.added) == (HEADING, 0)


def test_what_follows_from_a_difference_by_chance_gets_no_entry() -> None:
    record = differing(ZERO, "error:class:raised TypeError", "order:missing:a", "error:log:ERROR")
    assert essence(updated("", run_of([record])).text) == [(ZERO, "error:class:raised TypeError", "")]


@pytest.mark.parametrize("signature", ["process:crash:SIGSEGV", 'process:hang:last \\ "one"'])
def test_a_crash_and_a_hang_get_entries(signature: str) -> None:
    run = run_of([judged(ZERO, signature.split(":")[1], signature)])
    text = updated("", run).text
    assert essence(text) == [(ZERO, signature, "")]
    assert shortcomings(text, run) == []


@pytest.mark.parametrize(
    ("outcomes", "intermittent"),
    [
        ({"value:value:zero": 3}, [False]),
        ({"value:value:zero": 2, None: 1}, [True]),
        ({"value:value:zero": 2, "value:value:b": 1}, [True, True]),
    ],
)
def test_what_shows_in_some_repetitions_only_is_intermittent(
    outcomes: dict[str | None, int], intermittent: list[bool]
) -> None:
    run = run_of([differing(ZERO, "value:value:zero", outcomes=outcomes)])
    text = updated("", run).text
    assert [one.intermittent for one in parse_entries(text, FILE)] == intermittent
    assert shortcomings(text, run) == []
    assert [one.intermittent for one in parse_entries(updated(entry(), run).text, FILE)] == intermittent


def test_runs_that_disagree_in_the_same_environment_make_an_entry_intermittent() -> None:
    runs = [run_of([differing(ZERO, "value:value:zero")]), run_of([agreeing(ZERO)])]
    for before in ("", entry()):
        text = updated(before, *runs).text
        assert "intermittent = true" in text
        assert [shortcomings(text, run) for run in runs] == [[], []]


# ---- several interpreters --------------------------------------------------------------------------------

OLD, MIDDLE, NEW = "uvloop@python3.12", "uvloop@python3.13", "uvloop@python3.14"
SHOWN = "value:value:zero"


def on(target: str, *signatures: str) -> Record:
    """Return the record of the scenario on a target."""
    return differing(ZERO, *signatures, target=target) if signatures else agreeing(ZERO, target=target)


@pytest.mark.parametrize(
    ("records", "when"),
    [
        ([on(OLD, SHOWN), on(MIDDLE, SHOWN), on(NEW, SHOWN)], ""),
        ([on(OLD), on(MIDDLE, SHOWN), on(NEW, SHOWN)], "python_version >= '3.13'"),
        ([on(OLD, SHOWN), on(MIDDLE), on(NEW)], "python_version < '3.13'"),
        ([on(OLD), on(MIDDLE, SHOWN), on(NEW)], "python_version >= '3.13' and python_version < '3.14'"),
        ([on(OLD, SHOWN), on(MIDDLE), on(NEW, SHOWN)], "python_version < '3.13' or python_version >= '3.14'"),
        ([judged(ZERO, "skipped", target=OLD), on(MIDDLE, SHOWN)], ""),
        ([judged(ZERO, "inconclusive", target=OLD), on(MIDDLE, SHOWN)], ""),
        (
            [judged(ZERO, "variant", "value:value:b", target=OLD), on(MIDDLE, SHOWN)],
            "python_version >= '3.13'",
        ),
    ],
)
def test_a_condition_is_added_only_where_a_difference_does_not_show_on_all_interpreters(
    records: list[Record], when: str
) -> None:
    run = run_of(records, head(OLD, MIDDLE, NEW))
    text = updated("", run).text
    assert essence(text) == [(ZERO, SHOWN, when)]
    assert shortcomings(text, run) == []


def test_an_entry_is_narrowed_to_where_it_still_shows_and_keeps_its_own_condition() -> None:
    run = run_of([on(OLD), on(MIDDLE, SHOWN)], head(OLD, MIDDLE))
    own = "sys_platform == 'linux' or sys_platform == 'darwin'"
    text = updated(entry(when=own), run).text
    assert essence(text) == [(ZERO, SHOWN, f"({own}) and python_version >= '3.13'")]
    assert shortcomings(text, run) == []


def test_an_entry_is_widened_to_where_the_same_difference_shows_too() -> None:
    run = run_of([on(OLD), on(MIDDLE, SHOWN), on(NEW, SHOWN)], head(OLD, MIDDLE, NEW))
    done = updated(entry(when="python_version >= '3.14'"), run)
    assert essence(done.text) == [(ZERO, SHOWN, "python_version >= '3.13'")]
    assert (done.added, done.changed) == (0, 1)
    text = updated(
        entry(when="python_version == '3.12'"), run_of([on(OLD, SHOWN), on(NEW, SHOWN)], head(OLD, NEW))
    ).text
    assert text == entry()


def test_results_of_several_files_count_together() -> None:
    runs = [run_of([on(OLD)], head(OLD)), run_of([on(NEW, SHOWN)], head(NEW))]
    assert essence(updated("", *runs).text) == [(ZERO, SHOWN, "python_version >= '3.14'")]


def test_a_hang_on_one_interpreter_and_a_difference_on_another_get_an_entry_each() -> None:
    run = run_of([on(OLD, SHOWN), judged(ZERO, "hang", "process:hang:x", target=NEW)], head(OLD, NEW))
    text = updated("", run).text
    assert essence(text) == [
        (ZERO, SHOWN, "python_version < '3.14'"),
        (ZERO, "process:hang:x", "python_version >= '3.14'"),
    ]
    assert shortcomings(text, run) == []


def environments(*described: tuple[str, str, str]) -> list[dict[str, str]]:
    """Return environments: implementation, Python and the loop's version of each."""
    keys = ("implementation", "python", "version")
    return [environment_of(dict(zip(keys, one, strict=True)), PLATFORM) for one in described]


C, P = "cpython", "pypy"


@pytest.mark.parametrize(
    ("shown", "unshown", "marker"),
    [
        ([(P, "3.11.9", "1")], [(C, "3.11.7", "1"), (C, "3.12.1", "1")], "implementation_name == 'pypy'"),
        ([(C, "3.9.1", "1")], [(C, "3.10.1", "1")], "python_version < '3.10'"),
        ([(C, "3.12.1", "0.9")], [(C, "3.12.1", "0.10")], "loop_version < '0.10'"),
        ([(C, "3.12.9", "1")], [(C, "3.12.10", "1")], "python_full_version < '3.12.10'"),
        ([(C, "3.12.1", "")], [(C, "3.12.10", "")], "python_full_version < '3.12.10'"),
        (
            [(P, "3.11.9", "1"), (C, "3.14.1", "1")],
            [(C, "3.11.9", "1")],
            "implementation_name == 'cpython' and python_version >= '3.14' or implementation_name == 'pypy'",
        ),
        ([(C, "3.12.1", "1")], [(C, "3.12.1", "1")], None),
        ([(C, "3.12.1", "")], [(C, "3.12.1", "1")], None),
        ([(C, "3.12.1", "1.0.dev1")], [(C, "3.12.1", "1.0")], None),
        ([(C, "3.12.1", "1")], [], ""),
    ],
)
def test_a_marker_keeps_environments_apart_in_the_simplest_terms(
    shown: list[Any], unshown: list[Any], marker: str | None
) -> None:
    inside, outside = environments(*shown), environments(*unshown)
    assert marker_between(inside, outside) == marker
    if marker is not None:
        condition = parse_condition(marker)
        assert all(map(condition.holds, inside))
        assert not any(map(condition.holds, outside))


# ---- changing and removing -------------------------------------------------------------------------------

TIDY = f"""\
# SPDX-License-Identifier: MIT
# Ours.

# -- timers, which we call early --

# about zero
[[known]]
scenario   = "{ZERO}"  # the only one
target     = "uvloop"
signature  = "value:value:zero"   # [[known]]
reason     = '''
It calls
# this is no comment

call_soon().'''

# about stopping: [[known]]
[[known]]
scenario = "running/stop"
target = "uvloop"
signature = "order:extra:late"
reason = "It runs them all."
expires = 2027-03-01
# until then

# -- the rest --
"""
STOPPING = "running/stop"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("zero", "stopping", "gone"),
    [
        ([SHOWN], ["order:extra:late"], []),
        ([], ["order:extra:late"], range(5, 16)),
        ([SHOWN], [], range(16, 25)),
        ([], [], range(5, 25)),
    ],
)
def test_removing_takes_an_entry_with_its_own_comment_and_leaves_every_other_line(
    zero: list[str], stopping: list[str], gone: range, newline: str
) -> None:
    records = [
        differing(ZERO, *zero) if zero else agreeing(ZERO),
        differing(STOPPING, *stopping) if stopping else agreeing(STOPPING),
    ]
    lines = TIDY.replace("\n", newline).splitlines(keepends=True)
    done = updated("".join(lines), run_of(records))
    assert done.text.splitlines(keepends=True) == [line for n, line in enumerate(lines) if n not in gone]


def test_a_changed_signature_is_rewritten_in_place_and_its_reason_asks_again() -> None:
    run = run_of([differing(ZERO, SHOWN), differing(STOPPING, "order:missing:late")])
    done = updated(TIDY, run)
    sentence = "“late”: asyncio has one thing, uvloop has missing."
    assert done.text == TIDY.replace("order:extra:late", "order:missing:late").replace(
        "It runs them all.", f"TO EXPLAIN: {sentence} Until now: It runs them all."
    )
    assert (done.added, done.changed, done.removed, done.unexplained) == (0, 1, 0, 1)
    again = updated(done.text, run_of([differing(ZERO, SHOWN), differing(STOPPING, "order:extra:other")]))
    assert "Until now" not in again.text


def test_a_rewritten_entry_gets_the_condition_of_what_it_now_lists() -> None:
    run = run_of([on(OLD), on(NEW, "value:value:b")], head(OLD, NEW))
    before = entry(when="python_version >= '3.0'")
    assert essence(updated(before, run).text) == [(ZERO, "value:value:b", "python_version >= '3.14'")]
    run = run_of([on(OLD, "value:value:b"), on(NEW, "value:value:b")], head(OLD, NEW))
    assert essence(updated(before, run).text) == [(ZERO, "value:value:b", "")]


def test_keys_are_set_with_comments_and_spacing_kept() -> None:
    run = run_of([differing(ZERO, "value:value:other"), differing(STOPPING, "order:extra:late")])
    done = updated(TIDY, run, reason="Another one.")
    assert (
        'signature  = "value:value:other"   # [[known]]\nreason     = "Another one."\n\n# about stopping'
        in done.text
    )


def test_an_unused_entry_beside_a_known_one_is_removed() -> None:
    text = entry() + "\n" + entry(signature="value:value:b")
    assert updated(text, run_of([differing(ZERO, SHOWN)])).text == entry()


@pytest.mark.parametrize(
    "fields",
    [
        {"scenario": "timers/not_selected"},
        {"target": "other"},
        {"when": "python_version >= '3.14'"},
        {"intermittent": True},
    ],
)
def test_an_entry_of_which_the_results_say_nothing_stays(fields: dict[str, Any]) -> None:
    text = "# mine\n\n" + entry(**fields) + "\n\n"
    assert updated(text, run_of([agreeing(ZERO)]), prune=True).text == text


def test_an_expired_entry_stays_with_a_note_and_its_difference_is_not_added_again() -> None:
    text = entry(expires=datetime.date(2026, 5, 31))
    done = updated(text, run_of([differing(ZERO, SHOWN)]))
    assert done.text == text
    assert done.notes == (
        f"{FILE}:1 expired on 2026-05-31 and is left as it is; give it another date, or --prune",
    )


def test_pruning_removes_what_is_expired_repeated_or_unknown() -> None:
    good, expired = entry(), entry(scenario="a/b", expires=datetime.date(2026, 5, 31))
    unknown = entry(scenario="no/such", signature="value:value:b")
    text = "\n".join([expired, good, entry(reason="Again."), unknown])
    whole = run_of([differing(ZERO, SHOWN)], head(scenarios=1, of=1))
    assert updated(text, whole).text == text
    assert updated(text, whole, prune=True).text == good
    part = run_of([differing(ZERO, SHOWN)], head(scenarios=1, of=2))
    assert updated(text, part, prune=True).text == good + "\n" + unknown


def test_a_pruned_entry_whose_difference_still_shows_is_to_be_explained_again() -> None:
    done = updated(entry(expires=datetime.date(2026, 5, 31)), run_of([differing(ZERO, SHOWN)]), prune=True)
    assert (done.added, done.removed, done.unexplained) == (1, 1, 1)


def test_a_pattern_goes_only_when_a_whole_run_shows_it_nowhere() -> None:
    text = entry(scenario="timers/*")
    for of, record, stays in [
        (1, agreeing(ZERO), False),
        (2, agreeing(ZERO), True),
        (1, on("uvloop", SHOWN), True),
    ]:
        done = updated(text, run_of([record], head(of=of)))
        assert (done.text, done.removed, done.added) == (text if stays else "", 1 - stays, 0)


def test_an_entry_for_several_targets_is_left_to_the_user_when_they_part() -> None:
    text = entry(target="uv*")
    done = updated(
        text, run_of([on("uvloop", SHOWN), agreeing(ZERO, target="uvother")], head("uvloop", "uvother"))
    )
    assert done.text == text
    assert "split it by target" in done.notes[0]


# ---- the rule --------------------------------------------------------------------------------------------


def test_a_baseline_made_from_a_real_run_makes_all_of_it_known() -> None:
    run = run_of(uvloop_records(), UVLOOP)
    done = updated(None, run)
    assert shortcomings(done.text, run) == []
    assert updated(done.text, run).text == done.text
    assert [when for scenario, _, when in essence(done.text) if "eager" in scenario] == [
        "python_version >= '3.13' and python_version < '3.14'",
        "python_version >= '3.14'",
        "python_version >= '3.14'",
    ]


def some_run(chance: random.Random) -> Results:
    """Return a run on three interpreters in which everything happens by chance."""
    signatures = [
        "value:value:a",
        "order:order:b",
        "error:class:raised TypeError",
        "order:missing:c",
        "timing:late:d",
    ]
    signatures += ["timing:slow:e", "resource:leak:socket", "error:log:ERROR", "error:wording:f"]
    records = []
    for scenario in ("a/one", "a/two", "b/three"):
        for target in (OLD, MIDDLE, NEW):
            verdict = chance.choice(
                ["agree", "differ", "differ", "differ", "crash", "hang", "variant", "skipped"]
            )
            found = chance.sample(signatures, chance.randint(1, 4))
            found.sort(key=lambda signature: signature != "error:class:raised TypeError")
            if verdict in ("crash", "hang"):
                found = [f"process:{verdict}:{chance.choice('xy')}"]
            if verdict in ("agree", "skipped"):
                found = []
            level = "observed" if verdict == "variant" else "guaranteed"
            if verdict == "differ" and not any(
                s.startswith(("val", "ord", "tim", "error:class")) for s in found
            ):
                found.append("value:value:a")
            records.append(judged(scenario, verdict, *found, target=target, level=level))
    return run_of(records, head(OLD, MIDDLE, NEW, scenarios=3, of=3))


@pytest.mark.parametrize("seed", range(60))
def test_after_an_update_the_same_results_have_no_problem_and_all_differences_are_known(seed: int) -> None:
    chance = random.Random(seed)
    text: str | None = None
    for _ in range(4):
        run = some_run(chance)
        text = updated(text, run).text
        assert shortcomings(text, run) == []
        assert updated(text, run).text == text


def test_the_shipped_example_loads_and_everything_in_it_is_explained() -> None:
    shipped = load(EXAMPLE, today=TODAY)
    assert len(shipped.entries) >= 20
    assert shipped.unexplained == []
    assert shipped.check([one.scenario for one in shipped.entries], head()) == []
    assert baseline() == Baseline(FILE, (), TODAY)
