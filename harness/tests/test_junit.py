# SPDX-License-Identifier: MIT
"""JUnit XML: valid for the services that read it, and each verdict is what the vocabulary makes of it."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from loopcheck.junit import ERROR, FAILURE, PASSED, SKIPPED, junit_xml
from loopcheck.results import Results, assemble
from loopcheck.vocabulary import VERDICTS

from .building import footer, header
from .every_verdict import NASTY, agree, cut, differ, every_verdict, interrupted, run_of
from .golden_text import check_golden

# The rules of the schema of Jenkins' xUnit plugin (junit-10.xsd), for the elements used here:
# attributes that must be there, those that may, children that may.
RULES = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"time", "skipped", "timestamp", "hostname", "id", "package"},
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": (
        {"name"},
        {"time", "classname"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "skipped": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}
MIXED = ("failure", "error", "skipped", "system-out")
TIME = re.compile(r"[0-9]+\.[0-9]{3}")


def problems(element: Element, tag: str = "testsuites") -> Iterator[str]:
    """Yield what the schema forbids of an element and all in it."""
    must, may, children = RULES[tag]
    if element.tag != tag:
        yield f"{element.tag} instead of {tag}"
    if not must <= set(element.keys()) <= must | may:
        yield f"{tag} has the attributes {sorted(element.keys())}"
    if element.get("time") is not None and not TIME.fullmatch(element.get("time", "")):
        yield f"{tag} has the time {element.get('time')}"
    if tag not in MIXED and (element.text or "").strip():
        yield f"{tag} has text"
    for child in element:
        if child.tag not in children:
            yield f"{tag} has a {child.tag}"
        else:
            yield from problems(child, child.tag)


def parsed(results: Results) -> Element:
    """Return the document on results, checked."""
    root = ElementTree.fromstring(junit_xml(results))
    assert list(problems(root)) == []
    for suite in [root, *root]:
        cases = list(suite.iter("testcase"))
        assert suite.get("tests") == str(len(cases))
        assert suite.get("failures") == str(sum(case.find("failure") is not None for case in cases))
        assert suite.get("errors") == str(sum(case.find("error") is not None for case in cases))
    return root


def case(root: Element, name: str) -> Element:
    """Return the testcase of a name."""
    found = [one for one in root.iter("testcase") if one.get("name") == name]
    assert len(found) == 1
    return found[0]


def test_document_is_the_golden_one() -> None:
    check_golden("every-verdict.junit.xml", junit_xml(every_verdict()))


def test_schema_check_finds_what_is_wrong() -> None:
    for wrong in (
        "<testsuites><testcase name='a'/></testsuites>",
        "<testsuites><testsuite name='a' tests='1' failures='0'/></testsuites>",
        "<testsuites><testsuite name='a' tests='1' failures='0' errors='0' time='soon'/></testsuites>",
        "<testsuites>text</testsuites>",
        "<testsuite name='a' tests='1' failures='0' errors='0'/>",
    ):
        assert list(problems(ElementTree.fromstring(wrong))), wrong


def test_every_verdict_has_one_place() -> None:
    assert sorted([*FAILURE, *ERROR, *SKIPPED, *PASSED]) == sorted(VERDICTS)


def test_what_makes_the_exit_status_bad_is_a_failure_or_an_error() -> None:
    for word, about in VERDICTS.items():
        if about.counts in ("difference", "stale", "failure"):
            assert word in FAILURE or word in ERROR
        else:
            assert word in SKIPPED or word in PASSED


@pytest.mark.parametrize("result", every_verdict().scenarios, ids=lambda result: result.id)
def test_verdict_is_the_element_it_stands_for(result) -> None:  # type: ignore[no-untyped-def]
    found = case(parsed(every_verdict()), result.id.split("/")[1])
    places = {"failure": FAILURE, "error": ERROR, "skipped": SKIPPED}
    for tag, words in places.items():
        element = found.find(tag)
        assert (element is not None) == (result.verdict in words)
        if element is not None:
            assert element.get("type") == result.verdict
            assert element.get("message")
    shows = result.verdict != "agree" and bool(result.target)
    assert (found.find("system-out") is not None) == shows
    if shows:
        assert result.id in (found.findtext("system-out") or "")


def test_known_difference_is_skipped_with_its_reason() -> None:
    skipped = case(parsed(every_verdict()), "known").find("skipped")
    assert skipped is not None
    assert "known: upstream https://loop.test/1 (" in skipped.get("message", "")


def test_differences_that_did_not_always_show_say_how_often() -> None:
    assert "seen in 2 of 3 runs" in (case(parsed(every_verdict()), "differ").findtext("failure") or "")


def test_what_xml_cannot_hold_is_written_out() -> None:
    text = case(parsed(every_verdict()), "nasty").find("failure")
    assert text is not None
    shown = text.get("message", "")
    assert "</script> ]]>" in shown
    assert "\\x1b[31m" in shown
    assert not re.search("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]", junit_xml(every_verdict()))
    assert "\x1b" in NASTY


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x85", "\ud800", "\ufffe", "\r", "\U0010ffff", "\t"])
def test_any_character_can_stand_in_a_sentence(character: str) -> None:
    record = {**differ(), "sentence": f"<{character}>"}
    failure = case(parsed(run_of(record)), "differ").find("failure")
    assert failure is not None
    assert "\\" in failure.get("message", "") or character in "\U0010ffff\t"


def test_area_is_the_class() -> None:
    assert case(parsed(run_of(differ())), "differ").get("classname") == "order"


def test_classes_of_several_targets_are_told_apart() -> None:
    about = header("one", "two@python3.14")
    mine = [{**agree(), "target": "one"}, {**agree(), "target": "two@python3.14"}]
    root = parsed(assemble([about, *mine, footer(0)]))
    assert [one.get("classname") for one in root.iter("testcase")] == ["one.order", "two@python3_14.order"]


def test_time_is_that_of_the_targets_processes() -> None:
    results = run_of(agree())
    for trace in results.scenarios[0].record["traces"]["target"]:
        trace["outcome"]["wall"] = 1.5
    read_again = assemble([results.header, results.scenarios[0].record, footer(0)])
    root = parsed(read_again)
    assert [element.get("time") for element in (root, root[0], root[0][-1])] == ["1.500"] * 3


def test_incomplete_results_have_an_error_that_says_so() -> None:
    for results, why in ((cut(run_of(agree())), "no footer"), (interrupted(run_of(agree())), "interrupted")):
        error = case(parsed(results), "the run is complete").find("error")
        assert error is not None
        assert why in error.get("message", "")


def test_complete_results_have_no_testcase_but_scenarios() -> None:
    root = parsed(run_of(agree()))
    assert [one.get("name") for one in root.iter("testcase")] == ["agree"]


def test_target_that_did_not_start_has_an_error() -> None:
    error = case(parsed(every_verdict()), "the target starts").find("error")
    assert error is not None and error.get("message") == "gone: no module"


def test_problem_of_the_baseline_is_a_failure_once() -> None:
    root = parsed(every_verdict())
    assert case(root, "base.toml:21").find("failure") is not None
    assert not [
        one for one in root.iter("testcase") if one.get("name") == "base.toml:15"
    ]  # it is order/fixed


def test_several_files_make_one_document() -> None:
    root = ElementTree.fromstring(junit_xml(run_of(agree()), run_of(differ(), exit=1)))
    assert list(problems(root)) == []
    assert (root.get("tests"), root.get("failures"), len(root)) == ("2", "1", 2)
