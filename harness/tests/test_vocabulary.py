# SPDX-License-Identifier: MIT
"""The words: each has a sentence, none is ambiguous, and the exit status follows from them."""

import json
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import jsonschema
import pytest

import loopcheck
from loopcheck.schema import results_schema
from loopcheck.spec import LEVELS as SPEC_LEVELS
from loopcheck.vocabulary import AXES, EXITS, KINDS, LEVELS, REASONS, VERDICTS, at_least, exit_for

SCHEMA = Path(loopcheck.__file__).with_name("results.schema.json")
COUNTS = {"good", "difference", "stale", "inconclusive", "failure", "none"}


def status(*verdicts: str, usage: bool = False, failure: bool = False, interrupted: bool = False) -> int:
    """Return the exit status of a run with these verdicts."""
    return exit_for(verdicts, usage=usage, failure=failure, interrupted=interrupted).status


# ---- words ---------------------------------------------------------------------------------------------------


def test_every_word_has_one_sentence() -> None:
    meanings = [*AXES.values(), *LEVELS.values(), *REASONS.values()]
    meanings += [word.means for words in (VERDICTS, KINDS, EXITS) for word in words.values()]
    for means in meanings:
        assert means[0].isupper() or means.startswith(("loopcheck", "asyncio")), means
        assert means.endswith(".") and "\n" not in means and ". " not in means, means
    assert len(set(meanings)) == len(meanings)


def test_every_verdict_has_a_symbol_of_its_own() -> None:
    symbols = [verdict.symbol for verdict in VERDICTS.values()]
    assert len(set(symbols)) == len(symbols)
    assert {len(symbol) for symbol in symbols} == {1}


def test_every_verdict_counts_as_something_that_has_a_meaning() -> None:
    assert {verdict.counts for verdict in VERDICTS.values()} == COUNTS
    assert set(EXITS) == (COUNTS - {"none"}) | {"usage", "interrupted"}


def test_every_kind_has_an_axis_and_a_level() -> None:
    assert {kind.axis for kind in KINDS.values()} == set(AXES)
    assert {kind.level for kind in KINDS.values()} == {"scenario", "observed"}


def test_levels_are_those_of_the_statements_in_the_same_order() -> None:
    assert tuple(LEVELS) == SPEC_LEVELS == ("guaranteed", "observed", "free")


def test_firmer_level_satisfies_a_weaker_demand_only() -> None:
    for firm, weak in combinations(LEVELS, 2):
        assert at_least(firm, weak) and not at_least(weak, firm)
        assert at_least(firm, firm)


# ---- exit status ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", VERDICTS)
def test_verdict_gives_the_status_that_it_counts_as(verdict: str) -> None:
    counts = VERDICTS[verdict].counts
    expected = "good" if counts in ("none", "inconclusive") else counts  # one inconclusive is not too many
    assert status("agree", verdict) == EXITS[expected].status


def test_status_numbers_are_the_documented_ones() -> None:
    documented = {
        "interrupted": 130,
        "usage": 2,
        "failure": 3,
        "difference": 1,
        "stale": 4,
        "inconclusive": 5,
    }
    assert {name: exit.status for name, exit in EXITS.items()} == {**documented, "good": 0}


def test_first_that_applies_is_the_status() -> None:
    everything = ["broken-scenario", "differ", "fixed", *["inconclusive"] * 9]
    assert status(*everything, usage=True, failure=True, interrupted=True) == 130
    assert status(*everything, usage=True, failure=True) == 2
    assert status(*everything) == 3
    assert status(*everything[1:]) == 1
    assert status(*everything[2:]) == 4
    assert status(*everything[3:]) == 5
    assert status("agree") == 0
    assert status("agree", failure=True) == 3


@pytest.mark.parametrize(
    ("inconclusive", "others", "expected"),
    [(3, 1, 0), (4, 1, 5), (4, 395, 5), (4, 396, 0), (10, 990, 0), (11, 989, 5), (1, 0, 5), (3, 0, 5)],
)
def test_inconclusive_may_be_three_or_one_in_a_hundred_but_not_all(
    inconclusive: int, others: int, expected: int
) -> None:
    assert status(*["inconclusive"] * inconclusive, *["agree"] * others) == expected
    assert status(*["inconclusive"] * inconclusive, *["agree"] * others, *["skipped"] * 999) == expected


def test_run_in_which_nothing_applies_is_no_success() -> None:
    assert status("skipped", "skipped") == EXITS["usage"].status
    assert status("skipped", "agree") == 0


# ---- schema --------------------------------------------------------------------------------------------------


def test_shipped_schema_is_the_one_that_the_vocabulary_makes() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "loopcheck.schema"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    assert SCHEMA.read_text(encoding="utf-8") == printed, (
        "write it again: python -m loopcheck.schema > results.schema.json"
    )
    assert json.loads(printed) == results_schema()


def test_schema_is_a_schema_and_knows_every_word() -> None:
    schema = results_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(schema)
    for word in (*VERDICTS, *AXES, *KINDS, *LEVELS, *REASONS):
        assert f'"{word}"' in text, word
