# SPDX-License-Identifier: MIT
"""What changed between two results files: each sort of change, and when "No changes" may be said."""

import io
import json
from typing import Any

import pytest
from rich.console import Console

from loopcheck.diff import DiffError, compare, verdict_at
from loopcheck.diff_report import delta_json, delta_markdown, print_delta
from loopcheck.results import Results, assemble

from .building import footer, header
from .every_verdict import (
    CRASH,
    EVERY,
    HANG,
    UNSUPPORTED,
    agree,
    cut,
    differ,
    every_verdict,
    interrupted,
    run_of,
)
from .every_verdict import verdict as without_traces
from .golden_text import check_golden
from .rendered import OURS, Page

Record = dict[str, Any]


def change(old: Record, new: Record) -> str | None:
    """Return the sort of the one change between two records of a scenario; None when there is none."""
    delta = compare(run_of({**old, "id": "a/b"}), run_of({**new, "id": "a/b"}))
    assert len(delta.changes) <= 1
    assert bool(delta.changes) == (not delta.headline.startswith("No changes"))
    return delta.changes[0].sort if delta.changes else None


def printed(old: Results, new: Results, verbose: int = 0) -> str:
    """Return what the terminal shows."""
    console = Console(file=io.StringIO(), width=100, force_terminal=False, color_system=None)
    print_delta(console, compare(old, new), verbose)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


VARIANT = differ(signature="resource:leak:x", level="observed")
NOISY = without_traces("a/b", "inconclusive", "The machine was too busy.", reason="noisy")
SKIPPED = without_traces("a/b", "skipped", "it holds since 3.14.", reason="version")

# ---- one scenario --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "sort"),
    [
        (agree(), agree(), None),
        (agree(), differ(), "broken"),
        (agree(), CRASH, "broken"),
        (agree(), HANG, "broken"),
        (agree(), UNSUPPORTED, "broken"),
        (agree(), VARIANT, "variant"),
        (agree(), NOISY, "lost"),
        (differ(), agree(), "fixed"),
        (differ(), VARIANT, "fixed"),
        (CRASH, agree(), "fixed"),
        (UNSUPPORTED, agree(), "fixed"),
        (differ(), differ(), None),
        (differ(), differ(signature="order:extra:b"), "changed"),
        (differ(), differ(signature="order:missing:c"), "changed"),
        (differ(), CRASH, "changed"),
        (CRASH, CRASH, None),
        (CRASH, HANG, "changed"),
        (differ(), UNSUPPORTED, "changed"),
        (UNSUPPORTED, differ(), "changed"),
        (UNSUPPORTED, UNSUPPORTED, None),
        (VARIANT, VARIANT, None),
        (VARIANT, agree(), "variant"),
        (VARIANT, differ(signature="resource:leak:y", level="observed"), "variant"),
        (VARIANT, differ(), "broken"),
        (differ(), NOISY, "lost"),
        (NOISY, differ(), "gained"),
        (SKIPPED, agree(), "gained"),
        (SKIPPED, NOISY, None),
    ],
)
def test_change_is_of_the_sort(old: Record, new: Record, sort: str | None) -> None:
    assert change(old, new) == sort


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one["id"])
def test_every_verdict_is_as_it_was_when_it_did_not_change(one: Record) -> None:
    assert change(one, one) is None


def test_second_difference_that_counts_changes_how() -> None:
    more = differ(more=["order:extra:c"])
    assert change(differ(), more) == change(more, differ()) == "changed"


def test_second_difference_that_does_not_count_moves_the_variant() -> None:
    more = differ(more=["resource:leak:x"])
    more["differences"][1]["level"] = "observed"
    assert change(differ(), more) == "variant"


def test_another_first_difference_changes_how_although_the_set_is_the_same() -> None:
    one, other = differ(more=["order:extra:c"]), differ(signature="order:extra:c", more=["order:missing:b"])
    assert change(one, other) == "changed"


def test_line_in_a_baseline_hides_nothing() -> None:
    known = next(one for one in EVERY if one["verdict"] == "known")
    delta = compare(run_of(agree("order/known")), run_of(known))
    assert delta.headline == "1 broken"
    assert "(known: upstream https://loop.test/1)" in delta.changes[0].sentence


def test_what_the_baseline_says_of_a_difference_is_no_part_of_it() -> None:
    changed = {**differ("a/b"), "verdict": "changed", "sentence": "“b” is not right. This is new: b.toml:1."}
    assert compare(run_of(agree("a/b")), run_of(changed, exit=1)).changes[0].sentence == "“b” is not right."


def test_baseline_alone_is_no_change() -> None:
    known = next(one for one in EVERY if one["verdict"] == "known")
    plain = {**known, "verdict": "differ", "known": None}
    assert change(plain, known) is None


# ---- chance --------------------------------------------------------------------------------------------------

B, C = "order:missing:b", "order:missing:c"


@pytest.mark.parametrize(
    ("old", "new", "sort"),
    [
        ([(B, 3), (None, 2)], [(B, 4), (None, 1)], None),
        ([(B, 1), (None, 19)], [(B, 19), (None, 1)], "frequency"),
        ([(B, 20)], [(B, 5), (None, 15)], "frequency"),
        ([(B, 20)], [(B, 19), (None, 1)], None),
        ([(B, 3), (C, 2)], [(B, 5)], None),
        ([(B, 5)], [(B, 3), (C, 2)], "changed"),
        ([(B, 10), (C, 10)], [(C, 10), (B, 10)], None),
        ([(B, 1), (None, 4)], None, "frequency"),
        ([(B, 15), (None, 5)], None, "fixed"),
        ([(B, 5)], None, "fixed"),
        (None, [(B, 1), (None, 4)], "broken"),
    ],
)
def test_frequency_is_told_from_chance(old: Any, new: Any, sort: str | None) -> None:
    def made(outcomes: Any, other: Any) -> Record:
        if outcomes is not None:
            return differ(signature=outcomes[0][0], outcomes=outcomes)
        runs = sum(number for _, number in other)
        return agree(repeats={"seen": 0, "of": runs, "outcomes": [{"signature": None, "count": runs}]})

    assert change(made(old, new), made(new, old)) == sort


def test_frequency_says_how_often() -> None:
    old = run_of(differ(outcomes=[(B, 1), (None, 19)]))
    new = run_of(differ(outcomes=[(B, 19), (None, 1)]))
    assert compare(old, new).changes[0].sentence == f"{B} in 19 of 20 runs, was 1 of 20."


# ---- whole files ---------------------------------------------------------------------------------------------


def test_equal_totals_are_not_equal_results() -> None:
    old = run_of(agree("a/a"), differ("a/b"), differ("a/c"))
    new = run_of(differ("a/a"), agree("a/b"), differ("a/c"))
    assert compare(old, new).headline == "1 fixed, 1 broken"
    moved = compare(run_of(differ("a/a", B), differ("a/b", C)), run_of(differ("a/a", C), differ("a/b", B)))
    assert moved.headline == "2 changed how"


def test_no_changes_says_how_many_scenarios_were_compared() -> None:
    results = run_of(agree("a/a"), differ("a/b"))
    assert compare(results, results).headline == "No changes (2 scenarios, signatures identical)"


def test_new_and_removed_scenarios_are_told() -> None:
    old, new = run_of(agree("a/a"), agree("a/old")), run_of(agree("a/a"), differ("a/new"))
    delta = compare(old, new)
    assert delta.headline == "1 new (1 differ), 1 removed"
    assert [(c.sort, c.id) for c in delta.changes] == [("new", "a/new"), ("removed", "a/old")]


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (run_of(agree()), run_of(agree()), 0),
        (run_of(differ("order/agree")), run_of(agree()), 0),
        (run_of(agree("a/b")), run_of(differ("a/b")), 1),
        (run_of(differ("a/b")), run_of(differ("a/b", C)), 1),
        (run_of(VARIANT), run_of(agree("order/differ")), 0),
        (run_of(agree()), cut(run_of(agree())), 3),
        (cut(run_of(agree())), run_of(agree()), 3),
        (run_of(agree()), interrupted(run_of(agree())), 3),
        (run_of(agree("a/b")), cut(run_of(differ("a/b"))), 3),
        (run_of(agree()), run_of(agree(), exit=3), 3),
        (run_of(agree()), run_of(agree(), exit=1), 0),
        (run_of(agree()), run_of(agree(), exit=5), 0),
    ],
)
def test_status_is(old: Results, new: Results, status: int) -> None:
    assert compare(old, new).status == status


def test_incomplete_file_never_says_that_nothing_changed() -> None:
    delta = compare(run_of(agree("a/a"), agree("a/b")), cut(run_of(agree("a/a"))))
    assert delta.headline == "Incomplete: no changes in the 1 scenario that both files have"
    assert delta.changes == ()  # what the run did not get to is not removed
    assert delta.failures[0].startswith("new file: The results have no footer")


def test_target_that_did_not_start_removes_nothing() -> None:
    about = header(selected=2)
    about["targets"][0]["class"] = ""
    error = {"record": "target-error", "target": "target", "during": "factory", "sentence": "it raised."}
    delta = compare(run_of(agree("a/a"), agree("a/b")), assemble([about, error, footer(3)]))
    assert (delta.changes, delta.status) == ((), 3)
    assert delta.failures == ("new file: The run ended with status 3: it raised.",)


def test_failed_scenario_is_named() -> None:
    broken = without_traces("a/b", "harness-error", "the trace is damaged.")
    delta = compare(run_of(agree("a/b")), run_of(broken, exit=3))
    assert delta.failures == ("new file: The run ended with status 3: a/b: the trace is damaged.",)


def test_nothing_in_common_is_refused() -> None:
    with pytest.raises(DiffError, match="no scenario has a result in both"):
        compare(run_of(agree("a/a")), run_of(agree("a/b")))


# ---- what can be compared ------------------------------------------------------------------------------------


def of_targets(*names: str, **fields: Any) -> Results:
    """Return results of one scenario on several targets."""
    mine = [{**agree(), "target": name} for name in names]
    return assemble([header(*names, selected=1, **fields), *mine, footer(0)])


def test_only_targets_are_a_pair_whatever_their_names() -> None:
    (pair,) = compare(of_targets("uvloop"), of_targets("uvloop@python3.14")).pairs
    assert (pair.old["name"], pair.new["name"]) == ("uvloop", "uvloop@python3.14")
    assert pair.names == "uvloop → uvloop@python3.14"


def test_targets_of_one_name_are_a_pair() -> None:
    delta = compare(of_targets("a", "b"), of_targets("b", "a"))
    assert [pair.names for pair in delta.pairs] == ["a", "b"]
    assert delta.compared == 2


def test_other_targets_are_refused_until_paired() -> None:
    old, new = of_targets("a", "b"), of_targets("a", "c")
    with pytest.raises(DiffError, match="the old file has a, b; the new file has a, c; say with --pair"):
        compare(old, new)
    assert [pair.names for pair in compare(old, new, ["b=c"]).pairs] == ["b → c"]
    assert len(compare(old, new, ["b=c", "a=a", "b=c"]).pairs) == 2


@pytest.mark.parametrize("text", ["b", "b=", "=c", "c=b", "b=d", ""])
def test_pair_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(DiffError, match="names no OLD=NEW of the targets"):
        compare(of_targets("a", "b"), of_targets("a", "c"), [text])


def test_other_version_of_loopcheck_is_refused_unless_asked_for() -> None:
    old, new = of_targets("a", loopcheck="1.0"), of_targets("a", loopcheck="1.1")
    with pytest.raises(DiffError, match=r"different versions of loopcheck \(1.0 and 1.1\)"):
        compare(old, new)
    assert compare(old, new, across_versions=True).headline.startswith("No changes")


def test_other_level_is_refused_and_then_compared_at_the_less_demanding() -> None:
    at_observed = {**VARIANT, "verdict": "differ", "judged": "differ"}
    old, new = run_of(VARIANT), run_of(at_observed, level="observed", exit=1)
    with pytest.raises(DiffError, match="different levels"):
        compare(old, new)
    assert compare(old, new, across_versions=True).headline.startswith("No changes")
    appeared = compare(run_of(agree("order/differ")), new, across_versions=True)
    assert (appeared.level, appeared.headline) == ("guaranteed", "1 variant moved")
    assert verdict_at(at_observed, "guaranteed") == "variant"
    assert verdict_at(VARIANT, "observed") == "differ"


# ---- in print ------------------------------------------------------------------------------------------------


def before_and_after() -> tuple[Results, Results]:
    """Return two files with every sort of change between them."""
    b19, b1 = [(B, 19), (None, 1)], [(B, 1), (None, 19)]
    old = [
        agree("a/broken"), differ("a/changed"), differ("a/fixed"), agree("a/lost"), {**NOISY, "id": "a/gained"},
        {**VARIANT, "id": "a/variant"}, differ("a/frequency", outcomes=b1), agree("a/removed"), agree("a/same"),
    ]  # fmt: skip
    new = [
        differ("a/broken"), differ("a/changed", C), agree("a/fixed"), {**SKIPPED, "id": "a/lost"},
        differ("a/gained"), agree("a/variant"), differ("a/frequency", outcomes=b19), agree("a/new"),
        agree("a/same"),
    ]  # fmt: skip
    return run_of(*old, exit=1), run_of(*new, exit=1)


def test_terminal_report_is_the_golden_one() -> None:
    check_golden("delta.txt", printed(*before_and_after()))
    check_golden("delta-v.txt", printed(*before_and_after(), verbose=1))


def test_markdown_is_the_golden_one() -> None:
    check_golden("delta.md", delta_markdown(compare(*before_and_after())))


def test_json_is_the_golden_one() -> None:
    check_golden("delta.json", delta_json(compare(*before_and_after())))


def test_without_changes_the_headline_is_the_report() -> None:
    results = run_of(agree())
    assert printed(results, results).splitlines() == [
        "No changes (1 scenario, signatures identical)",
        "  old  target 1.0 against asyncio 3.12.1, cpython 3.12.1, virtual clock, loopcheck 0.1.0",
        "  new  target 1.0 against asyncio 3.12.1, cpython 3.12.1, virtual clock, loopcheck 0.1.0",
    ]


def test_headline_is_first_everywhere() -> None:
    delta = compare(*before_and_after())
    assert printed(*before_and_after()).startswith(delta.headline + "\n")
    assert delta_markdown(delta).startswith(f"### Loop conformance: {delta.headline}\n")
    assert json.loads(delta_json(delta))["headline"] == delta.headline


def test_failure_is_told_everywhere() -> None:
    delta = compare(run_of(agree()), cut(run_of(agree())))
    assert delta.failures[0] in printed(run_of(agree()), cut(run_of(agree())))
    assert "**INCOMPLETE:** new file: The results have no footer" in delta_markdown(delta)
    assert json.loads(delta_json(delta))["failures"] == list(delta.failures)


def test_markdown_keeps_to_the_budget() -> None:
    old = run_of(*(agree(f"a/n{n}") for n in range(300)))
    new = run_of(*(differ(f"a/n{n}") for n in range(300)), exit=1)
    whole, short = delta_markdown(compare(old, new), 10**6), delta_markdown(compare(old, new))
    assert len(short) < 65_536 < len(whole)
    assert "more would not fit here" in short


def test_traced_texts_are_no_markup() -> None:
    nasty = next(one for one in EVERY if one["id"] == "values/nasty")
    text = delta_markdown(compare(run_of(agree("values/nasty")), run_of(nasty)))
    before_the_block = text[: text.index("```text")]
    assert "</script>" not in before_the_block
    assert "\x1b" not in text


def test_page_has_no_tag_but_ours_and_each_is_closed() -> None:
    nasty = [{**one, "id": f"a/{n}"} for n, one in enumerate(EVERY) if one["id"].startswith("values/")]
    old = [agree(one["id"]) for one in nasty]
    for delta in (compare(*before_and_after()), compare(run_of(*old), run_of(*nasty, exit=1))):
        page = Page(delta_markdown(delta))
        assert page.wrong == []
        assert set(page.tags) <= OURS
        assert len(page.blocks) == len([c for c in delta.changes if c.sort in ("broken", "changed")])
        assert all("reproduce: loopcheck export " in block for block in page.blocks)


def test_every_verdict_compares_with_itself() -> None:
    assert compare(every_verdict(1), every_verdict(1)).headline.startswith("No changes (15 scenarios")
