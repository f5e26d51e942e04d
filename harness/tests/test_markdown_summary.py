# SPDX-License-Identifier: MIT
"""The Markdown summary: golden text, and what keeps traced texts from becoming markup."""

import re

import pytest

from loopcheck.markdown_summary import code_block, plain, summary
from loopcheck.results import assemble

from .building import footer, header
from .every_verdict import ENTRY, NASTY, agree, cut, differ, every_verdict, run_of
from .golden_text import check_golden
from .rendered import OURS, Page


def test_summary_is_the_golden_one() -> None:
    check_golden("every-verdict.summary.md", summary(every_verdict()))


def outside_of_blocks(text: str) -> str:
    """Return a Markdown text without its blocks of code."""
    return re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", text)


def test_headline_counts_what_counts() -> None:
    results = run_of(agree("a/a"), agree("a/b"), differ("a/c"), exit=1)
    first = summary(results).splitlines()[0]
    assert first == "### loopcheck: target 1.0 differs from asyncio 3.12.1 in 1 of 3 scenarios"


def test_headline_of_a_good_run_says_none() -> None:
    first = summary(run_of(agree())).splitlines()[0]
    assert first == "### loopcheck: target 1.0 differs from asyncio 3.12.1 in none of 1 scenario"


def test_headline_leaves_out_what_the_baseline_knows() -> None:
    known = differ("a/b", verdict="known", known={**ENTRY, "line": 3})
    first = summary(run_of(agree("a/a"), known)).splitlines()[0]
    assert (
        first == "### loopcheck: target 1.0 differs from asyncio 3.12.1 in none of 2 scenarios beyond 1 known"
    )


def test_incomplete_results_say_so_first() -> None:
    lines = summary(cut(run_of(agree()))).splitlines()
    assert lines[0].startswith("### loopcheck: incomplete: ")
    assert lines[2].startswith("**INCOMPLETE:** The results have no footer")


def test_each_target_has_a_row() -> None:
    mine = [{**agree(), "target": "one"}, {**differ("order/agree"), "target": "two"}]
    text = summary(assemble([header("one", "two", selected=1), *mine, footer(1)]))
    assert "| one 1.0 | cpython 3.12.1 | asyncio 3.12.1 | virtual | 1 | 0 | 1 of 3 |" in text
    assert "| two 1.0 | cpython 3.12.1 | asyncio 3.12.1 | virtual | 0 | 1 | 1 of 3 |" in text


def test_every_difference_ends_with_a_line_to_paste() -> None:
    text = summary(run_of(differ("a/b"), differ("a/c"), exit=1))
    assert text.count("  reproduce: loopcheck export ") == 2


def test_traced_texts_are_no_markup() -> None:
    text = outside_of_blocks(summary(every_verdict()))
    assert NASTY.split()[0] not in text  # </script>
    assert "&lt;/script&gt;" in text
    assert not re.search("[\x00-\x08\x0b-\x1f]", text)
    assert text.count("<details>") == text.count("</details>")
    for line in text.splitlines():
        if "nasty" in line:
            assert "<b>&amp;" not in line


def test_what_no_page_shows_is_written_out() -> None:
    text = summary(run_of({**differ(), "sentence": "a\x1bb\x00c\x85d\ud800e"}))
    assert r"</code>: a\x1bb\x00c\x85d\ud800e</summary>" in text
    assert text.replace("\n", "").isprintable()


def test_page_has_no_tag_but_ours_and_each_is_closed() -> None:
    page = Page(summary(every_verdict()))
    assert page.wrong == []
    assert set(page.tags) <= OURS
    assert len(page.blocks) == 9
    assert all(block.startswith(block.split()[0].upper()) for block in page.blocks)
    assert any("</script> ]]> `code` | @all ::error::x \\x1b[31m\\x00 <b>&amp;" in b for b in page.blocks)


@pytest.mark.parametrize("text", ["```", "a `` b", "````\n```\n", "no backquote"])
def test_block_of_code_ends_at_its_own_fence(text: str) -> None:
    first, *inside, last = code_block(text).splitlines()
    assert first == f"{last}text"
    assert "\n".join(inside) == text.rstrip()
    assert not any(line.startswith(last) for line in inside)


def test_special_characters_are_escaped() -> None:
    assert plain("a*b_c|d\n<e> [f](g) `h`") == r"a\*b\_c\|d \<e\> \[f\](g) \`h\`"


def test_what_is_beyond_the_budget_is_counted() -> None:
    many = run_of(*(differ(f"order/number_{n}") for n in range(50)), exit=1)
    whole, short = summary(many), summary(many, 8000)
    assert len(short) < 8500 < len(whole)
    assert "would not fit" not in whole
    shown = short.count("</details>") - 1  # the legend is one
    assert 0 < shown < 50
    assert f"{50 - shown} more would not fit here" in short


def test_long_lists_keep_to_the_budget() -> None:
    many = run_of(*(differ(f"order/number_{n}", "resource:leak:x", level="observed") for n in range(500)))
    assert len(summary(many, 8000)) < 8500
    assert "more would not fit here" in summary(many, 8000)
