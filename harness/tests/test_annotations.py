# SPDX-License-Identifier: MIT
"""Annotations for GitHub and GitLab, and the badge: what the services read, and nothing they would misread."""

import json
import re

import pytest

from loopcheck.annotations import MOST_SHOWN, annotations, github, gitlab
from loopcheck.badge import badge
from loopcheck.results import Results
from loopcheck.vocabulary import VERDICTS

from .every_verdict import agree, cut, differ, every_verdict, interrupted, run_of, verdict
from .golden_text import check_golden

COMMAND = re.compile(r"::error (?P<properties>[^:]*)::(?P<message>.*)")


def unescape(text: str) -> str:
    """Return what GitHub's runner makes of a property."""
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def commands(text: str) -> list[dict[str, str]]:
    """Return the properties and messages of workflow commands, as the runner reads them."""
    found = []
    for line in text.splitlines():
        match = COMMAND.fullmatch(line)
        assert match, line
        fields = dict(part.split("=", 1) for part in match["properties"].split(","))
        found.append({name: unescape(value) for name, value in fields.items()} | {"": match["message"]})
    return found


def test_github_commands_are_the_golden_ones() -> None:
    check_golden("every-verdict.github.txt", github(every_verdict()))


def test_gitlab_report_is_the_golden_one() -> None:
    check_golden("every-verdict.gitlab.json", gitlab(every_verdict()))


def test_what_the_exit_status_is_about_is_annotated() -> None:
    about = {one.key[1] for one in annotations(every_verdict())}
    for result in every_verdict().scenarios:
        counts = VERDICTS[result.verdict].counts in ("difference", "failure")
        assert (result.id in about) == counts or result.verdict == "fixed"


def test_difference_points_to_its_scenario() -> None:
    (only,) = commands(github(run_of(differ())))
    assert (only["file"], only["line"]) == ("area/topic.py", "7")
    assert only["title"] == "differ: order/differ on target"


def test_what_the_baseline_has_wrong_points_to_its_line() -> None:
    places = [(one.get("file"), one.get("line")) for one in commands(github(every_verdict()))]
    assert ("base.toml", "15") in places and ("base.toml", "21") in places
    changed = next(one for one in annotations(every_verdict()) if one.title.startswith("changed"))
    assert (changed.file, changed.line) == ("base.toml", 9)


def test_stale_entry_is_annotated_once() -> None:
    at = [(one.file, one.line) for one in annotations(every_verdict())]
    assert at.count(("base.toml", 15)) == 1


def test_scenario_that_is_not_described_has_no_place() -> None:
    assert commands(github(run_of(differ(about=None))))[0].keys() == {"title", ""}


@pytest.mark.parametrize("text", ["a, b: c", "100%", "%0A", "one\ntwo", "x::y", "::error::z"])
def test_texts_survive_the_command(text: str) -> None:
    (only,) = commands(github(run_of({**differ(f"a/{text}"), "sentence": text})))
    assert only["title"] == f"differ: a/{text} on target"
    message = only[""]
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        message = message.replace(code, character)
    assert message == text


def test_more_than_github_shows_are_counted() -> None:
    found = commands(github(run_of(*(differ(f"a/n{n}") for n in range(30)))))
    assert len(found) == MOST_SHOWN
    assert found[-1][""].startswith("21 more of 30 ")
    assert len(commands(github(run_of(*(differ(f"a/n{n}") for n in range(10)))))) == MOST_SHOWN


def test_differences_come_before_failures() -> None:
    broken = verdict("a/broken", "broken-scenario", "it raises.")
    found = commands(github(run_of(broken, differ("a/b"), exit=3)))
    assert [one["title"].split(":")[0] for one in found] == ["differ", "broken-scenario"]


def test_good_run_has_no_annotation() -> None:
    assert github(run_of(agree())) == ""
    assert json.loads(gitlab(run_of(agree()))) == []


def test_gitlab_entries_have_what_gitlab_demands() -> None:
    entries = json.loads(gitlab(every_verdict()))
    for entry in entries:
        assert entry.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert entry["location"]["path"]
        assert entry["location"]["lines"]["begin"] >= 1
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)


def test_fingerprint_tells_differences_and_survives_words() -> None:
    def fingerprint(**fields: str) -> str:
        return str(json.loads(gitlab(run_of({**differ(), **fields})))[0]["fingerprint"])

    assert fingerprint() == fingerprint(sentence="other words") == fingerprint(title="another")
    assert fingerprint() != fingerprint(signature="order:extra:b")
    assert fingerprint() != fingerprint(id="order/other")


@pytest.mark.parametrize("break_off", [cut, interrupted])
def test_incomplete_run_is_annotated_and_never_green(break_off) -> None:  # type: ignore[no-untyped-def]
    results = break_off(run_of(agree()))
    assert commands(github(results))[0]["title"] == "loopcheck: incomplete run"
    shown = json.loads(badge(results))
    assert (shown["message"], shown["isError"]) == ("run failed", True)


@pytest.mark.parametrize(
    ("results", "message", "color"),
    [
        (run_of(agree("a/a"), agree("a/b")), "no difference in 2 scenarios", "brightgreen"),
        (
            run_of(agree("a/a"), differ("a/b", verdict="known")),
            "1 known difference of 2 scenarios",
            "yellowgreen",
        ),
        (run_of(agree("a/a"), differ("a/b"), exit=1), "1 difference of 2 scenarios", "red"),
        (
            run_of(differ("a/b", verdict="known"), differ(), exit=1),
            "1 difference, 1 known of 2 scenarios",
            "red",
        ),
        (every_verdict(3), "run failed", "lightgrey"),
    ],
)
def test_badge_says(results: Results, message: str, color: str) -> None:
    shown = json.loads(badge(results))
    assert (shown["schemaVersion"], shown["label"]) == (1, "asyncio conformance")
    assert (shown["message"], shown["color"]) == (message, color)


def test_badge_of_several_files_counts_them_together() -> None:
    shown = json.loads(badge(run_of(agree()), run_of(differ(), exit=1)))
    assert shown["message"] == "1 difference of 2 scenarios"
