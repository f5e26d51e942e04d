# SPDX-License-Identifier: MIT
"""The HTML page, read as a text: what it contains, what it must not contain, and that traced texts stay texts.

What a browser makes of it is in ``test_html_browser.py``.
"""

import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest

from loopcheck.html import BUDGET, SCRIPTS, STYLE, render
from loopcheck.html.facts import page_facts
from loopcheck.html.lanes import drawing
from loopcheck.html.sharing import shared
from loopcheck.judge import judge
from loopcheck.results import Results
from loopcheck.vocabulary import AXES, KINDS, LEVELS, REASONS, VERDICTS

from .building import event, events, footer, header, result, subject, trace
from .html_pages import (
    HOSTILE,
    crash,
    every_verdict,
    full_size,
    hostile,
    judged,
    late_timer,
    order_difference,
    results,
    value_difference,
)


class Page(HTMLParser):
    """The elements of a page, with their attributes and the text that is directly inside them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))

    def handle_data(self, data: str) -> None:
        if self.elements:
            self.elements[-1][2].append(data)

    def named(self, tag: str) -> list[tuple[str, dict[str, str | None], list[str]]]:
        return [element for element in self.elements if element[0] == tag]

    @property
    def data(self) -> dict[str, Any]:
        """What the scripts make of what they are given: everything in its place."""
        found = self.stored
        for scenario in found["scenarios"]:
            usual = {"verdict": "agree", "level": scenario.pop("level")}
            stored = [
                one if one is None or isinstance(one, int) else usual | one for one in scenario["results"]
            ]
            scenario["results"] = [stored[one] if isinstance(one, int) else one for one in stored]
            pieces = [found["lines"][one] if isinstance(one, int) else one for one in scenario["source"]]
            scenario["source"] = "".join(scenario["title"] if one is None else one for one in pieces)
        for statement in found["statements"].values():
            statement["url"] = statement["url"] and found["pages"][statement["url"][0]] + statement["url"][1]
        return found

    @property
    def stored(self) -> dict[str, Any]:
        """What the page has in it."""
        [(_, _, text)] = [element for element in self.elements if element[1].get("id") == "data"]
        found: dict[str, Any] = json.loads("".join(text))
        return found


def lanes_of(record: dict[str, Any]) -> dict[str, Any]:
    """Return the drawing of a record."""
    made = drawing(results(record).scenarios[0])
    assert made is not None
    assert all(made.get(name, True) for name in ("marks", "end"))  # what is empty is left out
    return {"marks": [], "end": "", **made}


def sentence(*records: dict[str, Any]) -> str:
    """Return the sentence at the head of a page with these records."""
    return str(page_facts([results(*records)])["columns"][0]["sentence"])


def banner(of: Results) -> str:
    """Return what the page says about a run that did not end."""
    return str(page_facts([of])["files"][0]["problem"])


# ---- nothing else is needed ----------------------------------------------------------------------------------


def test_page_refers_to_nothing_outside_itself() -> None:
    page = Page(render(every_verdict()))
    for tag, attributes, _ in page.elements:
        assert not {"src", "srcset", "action", "data", "poster", "background"} & attributes.keys(), tag
        if tag != "a":
            assert (attributes.get("href") or "data:,") == "data:,", tag
    assert {tag for tag, _, _ in page.elements} & {"img", "iframe", "object", "embed", "video"} == set()


def test_style_and_scripts_fetch_nothing() -> None:
    for name in (*STYLE, *SCRIPTS):
        text = files("loopcheck.html").joinpath(name).read_text()
        assert not re.search(
            r"url\(|@import|@font-face|fetch\(|XMLHttp|WebSocket|import\(|sendBeacon", text
        ), name


def test_policy_of_the_page_forbids_every_request() -> None:
    [policy] = [a["content"] for _, a, _ in Page(render(every_verdict())).named("meta") if "http-equiv" in a]
    assert policy is not None and policy.startswith("default-src 'none';")
    assert "http" not in policy


def test_scripts_build_no_markup_from_texts() -> None:
    for name in SCRIPTS:
        text = files("loopcheck.html").joinpath(name).read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(", text), (
            name
        )


# ---- traced texts are texts ----------------------------------------------------------------------------------


def test_traced_markup_is_no_markup() -> None:
    plain, page = Page(render(results(order_difference()))), Page(render(results(hostile())))
    for tag in ("script", "style", "img"):
        assert len(page.named(tag)) == len(plain.named(tag)), tag
    assert "hacked" not in {name for _, attributes, _ in page.elements for name in attributes}


def test_traced_texts_arrive_as_they_were() -> None:
    [scenario] = Page(render(results(hostile()))).data["scenarios"]
    assert scenario["title"] == HOSTILE.replace("\ud800", "?")
    assert scenario["source"] == scenario["title"]


def test_only_web_addresses_become_links() -> None:
    page = Page(render(results(hostile())))
    assert "javascript:" not in {(attributes.get("href") or "")[:11] for _, attributes, _ in page.elements}
    assert page.data["statements"]["call_soon.fifo-order"]["url"] == ""
    assert page.data["scenarios"][0]["results"][0]["known"]["link"] == ""


def test_command_line_cannot_leave_its_element() -> None:
    made = results(order_difference())
    made.header["command"] = ["loopcheck", "run", '"><img src=x>']
    assert Page(render(made)).named("img") == []


# ---- what it says --------------------------------------------------------------------------------------------


def test_each_word_of_the_vocabulary_is_in_the_legend() -> None:
    text = " ".join(
        " ".join(part for _, _, texts in Page(render(every_verdict())).elements for part in texts).split()
    )
    for verdict in VERDICTS.values():
        assert verdict.name in text and verdict.means in text
    for means in (
        *AXES.values(),
        *LEVELS.values(),
        *REASONS.values(),
        *(kind.means for kind in KINDS.values()),
    ):
        assert means in text


def test_each_verdict_is_in_the_data_with_its_sentence() -> None:
    found = {
        s["results"][0]["verdict"]: s["results"][0]["sentence"]
        for s in Page(render(every_verdict())).data["scenarios"]
    }
    assert found.keys() == VERDICTS.keys()
    assert all(found.values())


def test_sentence_counts_differences_by_level() -> None:
    observed = value_difference(id="area/second", level="observed")
    assert sentence(order_difference(), observed) == (
        "target 1.0 differs from asyncio 3.12.1 in 1 guaranteed and 1 observed behaviours."
    )


def test_sentence_names_crashes() -> None:
    assert sentence(crash()) == "target 1.0 crashes in 1 scenario."


def test_sentence_of_a_loop_without_differences_says_so() -> None:
    same = trace(event("first"))
    assert sentence(judged(same, same)) == (
        "target 1.0 does what asyncio 3.12.1 does in all 1 scenarios that ran."
    )


def test_incomplete_results_have_a_banner() -> None:
    assert banner(results(order_difference(), ended=False)).startswith("Incomplete: ")
    assert 'role="alert"' in render(results(order_difference(), ended=False))


def test_interrupted_run_has_a_banner() -> None:
    made = Results(header(selected=3), footer=footer(130, interrupted=True))
    assert banner(made) == "Interrupted: the run was stopped before its end; these are 0 of 3 results."


def test_complete_run_has_no_banner() -> None:
    assert banner(results(order_difference())) == ""
    assert 'role="alert"' not in render(results(order_difference()))


def test_without_scripts_each_difference_is_listed_with_its_sentence_and_command() -> None:
    [plain] = re.findall(
        r"<noscript>(.*)</noscript>", render(results(order_difference(), crash(id="area/second"))), re.DOTALL
    )
    assert "“timer” came before “soon” and “reader”" in plain
    assert "target died with SIGSEGV after “first”." in plain
    assert "loopcheck export area/second --target target:new" in plain


def test_what_is_said_of_several_targets_in_the_same_words_is_said_once_without_javascript() -> None:
    names = ("one", "two", "three")
    other = value_difference(target="two")
    made = results(order_difference(target="one"), other, order_difference(target="three"), names=names)
    [plain] = re.findall(r"<noscript>(.*)</noscript>", render(made), re.DOTALL)
    heads = re.findall(r"<strong>differ</strong> on ([^·]*) ·", plain)
    assert sorted(heads) == ["one 1.0, three 1.0", "two 1.0"]


def test_problem_of_the_baseline_is_a_banner() -> None:
    made = results(order_difference())
    problem = {"record": "baseline-problem", "file": "known.toml", "line": 3, "sentence": "It is stale."}
    made.baseline_problems.append(problem)
    assert page_facts([made])["files"][0]["errors"] == ["known.toml:3: It is stale."]


def test_without_scripts_what_counts_comes_first() -> None:
    observed = value_difference(id="area/first", level="observed")
    articles = page_facts([results(observed, order_difference(id="area/second"))])["articles"]
    assert [article["id"] for article in articles] == ["area/second", "area/first"]


# ---- several targets -----------------------------------------------------------------------------------------


def test_same_difference_has_the_same_letter() -> None:
    made = results(
        order_difference(target="one"),
        order_difference(target="two"),
        value_difference(target="three"),
        names=("one", "two", "three"),
    )
    [scenario] = Page(render(made)).data["scenarios"]
    assert [one["letter"] for one in scenario["results"]] == ["a", "a", "b"]


def test_several_files_make_one_row_a_scenario() -> None:
    page = Page(render([results(order_difference()), results(value_difference(), crash(id="area/other"))]))
    assert [len(scenario["results"]) for scenario in page.data["scenarios"]] == [2, 2]
    assert page.data["scenarios"][1]["results"][0] is None
    labels = [column["label"] for column in page.data["columns"]]
    assert len(set(labels)) == 2


def test_targets_of_one_name_keep_their_results_apart() -> None:
    made = results(order_difference(), value_difference(), names=("target", "target"))
    [scenario] = Page(render(made)).data["scenarios"]
    assert [one["axis"] for one in scenario["results"]] == ["order", "value"]


# ---- size ----------------------------------------------------------------------------------------------------


def test_full_run_on_two_targets_is_within_the_budget_with_every_drawing() -> None:
    text = render(full_size("one", "two"))
    assert len(text.encode()) < BUDGET
    assert all("lanes" in one for scenario in Page(text).data["scenarios"] for one in scenario["results"])


def test_run_on_seven_targets_is_within_the_budget_with_every_drawing() -> None:
    text = render(full_size(*(f"target{n}" for n in range(7))))
    assert len(text.encode()) < BUDGET
    assert all("lanes" in one for scenario in Page(text).data["scenarios"] for one in scenario["results"])


def test_result_that_several_targets_have_is_there_once() -> None:
    names = ("one", "two", "three", "four")
    other = value_difference(target="three")
    made = [order_difference(target=name) for name in ("one", "two", "four")]
    page = Page(render(results(*made[:2], other, made[2], names=names)))
    [stored], [complete] = ([s["results"] for s in data["scenarios"]] for data in (page.stored, page.data))
    assert [one if isinstance(one, int) else one["axis"] for one in stored] == ["order", 0, "value", 0]
    assert [one["axis"] for one in complete] == ["order", "order", "value", "order"]


def test_sources_and_addresses_are_put_together_again_as_they_were() -> None:
    odd = ("", "title", "one line\n", "a line that is here twice\n\n\na line that is here twice\r\nthe end")
    scenarios = [
        {"id": str(n), "title": title, "source": source, "results": []}
        for n, source in enumerate((*odd, *odd))
        for title in ("", "here twice", "title")
    ]
    urls = (
        "",
        "https://a.example/page.html#a.b.c",
        "https://a.example/page.html",
        "https://a.example/page.html#x",
    )
    statements = {url: {"text": "", "status": "", "url": url} for url in urls}
    data = {"scenarios": scenarios, "statements": statements, "words": {}}
    stored = shared(data)
    page = Page(f'<script id="data">{json.dumps(stored)}</script>')
    assert page.data == {**data, "lines": stored["lines"], "pages": stored["pages"]}
    assert "a line that is here twice\n" in stored["lines"] and len(stored["pages"]) == 3


def test_larger_run_loses_the_drawings_of_what_agrees_and_no_other() -> None:
    targets = tuple(f"target{n}" for n in range(5))
    text = render(full_size(*targets, alike=False))
    assert len(text.encode()) < BUDGET
    for scenario in Page(text).data["scenarios"]:
        for one in scenario["results"]:
            assert ("lanes" in one) == (one["verdict"] != "agree")


# ---- drawings ------------------------------------------------------------------------------------------------


def test_mark_of_an_order_difference_is_at_the_event_that_moved() -> None:
    lanes = lanes_of(order_difference())
    assert lanes["marks"] == [{"i": 2, "j": 0, "others": [0, 1]}]
    assert lanes["links"] == [[0, 1], [1, 2], [2, 0]]


def test_order_that_is_left_open_is_not_marked() -> None:
    record = judged(trace(*events("a.one b.two")), trace(*events("b.two a.one")))
    assert record["verdict"] == "agree"
    assert lanes_of(record)["marks"] == []
    assert lanes_of(record)["links"] == [[0, 1], [1, 0]]


def test_mark_of_what_is_missing_or_extra_has_one_end() -> None:
    lanes = lanes_of(judged(trace(*events("same only")), trace(*events("same other"))))
    assert sorted((mark["i"], mark["j"]) for mark in lanes["marks"] if mark["j"] is None) == [(1, None)]
    assert [(mark["i"], mark["j"]) for mark in lanes["marks"] if mark["i"] is None] == [(None, 1)]


def test_mark_of_a_late_timer_is_at_its_event() -> None:
    record = late_timer()
    assert record["signature"] == "timing:late:after 2 ticks"
    assert lanes_of(record)["marks"] == [{"i": 1, "j": 1, "others": [], "tries": [[20, 30000]]}]


def test_mark_of_a_late_timer_has_its_lateness_in_every_run() -> None:
    runs = [trace(event("timer", t=late + 0.04, due=0.04)) for late in (0.01, 0.011, 0.012)]
    judgement = judge(subject(), [trace(event("timer", t=0.04, due=0.04))], runs[:1], runs[1:])
    record = result(judgement, (trace(event("timer", t=0.04, due=0.04)),), (runs[0],), (runs[1], runs[2]))
    assert [late for _, late in lanes_of(record)["marks"][0]["tries"]] == [10000, 11000, 12000]


def test_finding_that_is_about_no_event_has_no_mark() -> None:
    record = judged(trace(event("first")), trace(event("first"), left={"fds": ["socket"]}))
    assert [finding["kind"] for finding in record["differences"]] == ["leak"]
    assert lanes_of(record)["marks"] == [None]


def test_nothing_is_marked_but_what_the_record_finds() -> None:
    record = order_difference()
    record["differences"] = []
    assert lanes_of(record)["marks"] == []


def test_two_findings_of_one_sentence_are_marked_at_two_events() -> None:
    record = judged(trace(*events("x x x")), trace(*events("x")))
    marks = lanes_of(record)["marks"]
    assert len(marks) == 2 and len({mark["i"] for mark in marks}) == 2


def test_drawing_of_a_crash_says_how_the_process_ended() -> None:
    assert lanes_of(crash())["end"] == "SIGSEGV"
    assert lanes_of(crash())["marks"] == []


def test_long_values_are_cut_and_say_by_how_much() -> None:
    lanes = lanes_of(value_difference("x" * 5000, "y"))
    assert lanes["ours"][1][1].endswith("… (3002 more characters)")


@pytest.mark.parametrize("wanted", [order_difference, value_difference, late_timer])
def test_events_opposite_each_other_are_said_only_where_they_are_not_the_rule(wanted: Any) -> None:
    assert ("rows" in lanes_of(wanted())) == (wanted is order_difference)
