# SPDX-License-Identifier: MIT
"""The HTML page in a real browser, headless Chromium: what it draws, how it is used, whether all can read it.

Every page is opened from a file.  Whatever a test does, the browser may ask for no other address and report no
error; that is checked when the page is closed.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loopcheck.html import render
from loopcheck.results import Results

from .html_pages import (
    crash,
    every_verdict,
    hostile,
    late_timer,
    long_trace,
    order_difference,
    results,
    value_difference,
)

if TYPE_CHECKING:
    from conftest import Loopcheck
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM = shutil.which("chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CONTRAST = 4.5
WIDTHS = (360, 800, 1400)

CONTRASTS = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser, of which each context has an empty profile of its own."""
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


Opened = Callable[..., "Page"]


@contextmanager
def watched(context: BrowserContext) -> Iterator[Page]:
    """Yield a page; at the end, check that it asked for nothing but files and that nothing failed in it."""
    asked: list[str] = []
    errors: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: errors.append(message.text) if message.type in ("error", "warning") else None,
    )
    yield page
    assert asked and all(url.startswith("file://") for url in asked), asked
    assert errors == []


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    """A function that opens the page on results: opened(results, "#id=…", width, scheme)."""
    closing: list[Any] = []

    def open_page(
        of: Results, state: str = "", width: int = 1400, scheme: str = "light", **options: Any
    ) -> Page:
        file = tmp_path / "report.html"
        file.write_text(render(of), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )
        manager = watched(context)
        page = manager.__enter__()
        closing.append((manager, context))
        page.goto(f"{file.as_uri()}{state}")
        return page

    yield open_page
    for manager, context in closing:
        manager.__exit__(None, None, None)
        context.close()


def everything() -> Results:
    """Return results with one scenario of each sort of drawing."""
    return results(
        order_difference(id="area/order"),
        value_difference(id="area/value"),
        value_difference(id="area/variant", level="observed"),
        late_timer(id="timers/late"),
        crash(id="area/crash"),
        long_trace(id="area/long"),
        hostile(id="area/hostile"),
    )


def current(page: Page) -> str | None:
    """Return the id of the scenario that the list shows as the current one."""
    found = page.locator(".row.current")
    return found.get_attribute("data-id") if found.count() else None


def ids(page: Page) -> list[str | None]:
    """Return the ids of the list's rows."""
    return [row.get_attribute("data-id") for row in page.locator(".row").all()]


# ---- drawings ------------------------------------------------------------------------------------------------


def test_event_that_moved_is_a_heavy_line_that_crosses_the_others(opened: Opened) -> None:
    page = opened(results(order_difference()), "#id=area/scenario")
    [fault] = page.locator("#pane path.fault").all()
    threads = page.locator("#pane path.thread").all()
    assert len(threads) == 2
    start, end = ends(fault.get_attribute("d"))
    assert all(
        (start - one) * (end - other) < 0 for one, other in (ends(t.get_attribute("d")) for t in threads)
    )


def ends(path: str | None) -> tuple[float, float]:
    """Return the heights at which a line begins and ends."""
    numbers = [float(number) for number in re.findall(r"[\d.]+", path or "")]
    return numbers[1], numbers[-1]


def test_other_value_is_a_heavy_straight_line(opened: Opened) -> None:
    page = opened(results(value_difference()), "#id=area/scenario")
    [fault] = page.locator("#pane path.fault").all()
    start, end = ends(fault.get_attribute("d"))
    assert start == end
    assert page.locator("#pane text.fault-text").first.text_content().startswith("toldFalse")


def test_missing_event_is_a_line_with_an_open_end(opened: Opened) -> None:
    page = opened(results(long_trace()), "#id=area/scenario")
    assert page.locator("#pane circle.ring.fault").count() > 0


def test_each_band_is_an_iteration_and_dashed_is_outside(opened: Opened) -> None:
    page = opened(results(order_difference()), "#id=area/scenario")
    assert page.locator("#pane rect.band title").all_text_contents() == [
        "iteration 1 of the loop",
        "iteration 2 of the loop",
        "iteration 2 of the loop",
        "iteration 1 of the loop",
    ]


def test_sentence_of_a_difference_has_the_number_of_its_line(opened: Opened) -> None:
    page = opened(results(order_difference()), "#id=area/scenario")
    assert page.locator("#pane .numeral").all_inner_texts() == ["1"]
    assert page.locator("#pane .numeral-text").all_text_contents() == ["1"]


def test_sentences_stand_beside_the_drawing_on_a_wide_window(opened: Opened) -> None:
    page = opened(results(order_difference()), "#id=area/scenario")
    drawing, sentences = (
        page.locator("#pane .drawing").bounding_box(),
        page.locator("#pane .findings").bounding_box(),
    )
    assert drawing and sentences
    assert sentences["x"] >= drawing["x"] + drawing["width"]
    assert sentences["y"] < drawing["y"] + drawing["height"]


def test_crash_shows_where_the_target_ended_and_what_it_wrote(opened: Opened) -> None:
    page = opened(results(crash()), "#id=area/scenario")
    assert page.locator("#pane rect.died").count() == 1
    assert "✗ SIGSEGV" in page.locator("#pane svg").text_content()
    assert "Fatal Python error" in page.locator("#pane pre.output").inner_text()


def test_difference_that_not_every_run_showed_has_its_frequencies(opened: Opened) -> None:
    outcomes = [{"signature": None, "count": 7}, {"signature": "value:value:told", "count": 3}]
    record = value_difference(repeats={"seen": 3, "of": 10, "outcomes": outcomes})
    text = opened(results(record), "#id=area/scenario").locator("#pane").inner_text()
    assert "Seen in 3 of 10 runs." in text and "agreed" in text


def test_known_difference_has_its_entry_in_the_baseline(opened: Opened) -> None:
    page = opened(every_verdict(), "#id=area/known")
    assert "In the baseline: Reported." in page.locator("#pane").inner_text()


def test_timers_have_a_view_against_the_clock(opened: Opened) -> None:
    page = opened(results(late_timer()), "#id=area/scenario&view=time")
    assert page.locator("#pane .arrival.fault").count() == 1
    assert "+30.00 ms" in page.locator("#pane svg").text_content()


def test_scenario_without_timers_has_no_such_view(opened: Opened) -> None:
    page = opened(results(order_difference()), "#id=area/scenario&view=time")
    assert page.locator("#pane .tabs button").all_inner_texts() == ["in order", "as a table"]
    assert page.locator("#pane path.fault").count() == 1


def test_table_has_every_event_whole(opened: Opened) -> None:
    page = opened(results(value_difference("x" * 1000, "y")), "#id=area/scenario&view=table")
    assert "x" * 1000 in page.locator("#pane table.traces").inner_text()


def test_long_trace_is_folded_and_a_key_unfolds_it(opened: Opened) -> None:
    page = opened(results(long_trace()), "#id=area/scenario")
    before = page.locator("#pane svg > text").count()
    assert before < 120
    fold = page.get_by_role("button", name="rows alike").first
    fold.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"document.querySelectorAll('#pane svg > text').length > {before}")


def test_what_was_cut_is_whole_in_the_title(opened: Opened) -> None:
    page = opened(results(value_difference("x" * 1000, "y")), "#id=area/scenario")
    [text] = [t for t in page.locator("#pane svg > text").all() if "…" in (t.text_content() or "")]
    assert "x" * 1000 in text.locator("title").first.text_content()


# ---- use -----------------------------------------------------------------------------------------------------


def test_link_to_a_scenario_opens_it(opened: Opened) -> None:
    page = opened(everything(), "#id=timers/late")
    assert page.locator("#pane code").first.inner_text() == "timers/late"
    assert current(page) == "timers/late"


def test_link_to_an_unknown_scenario_says_so(opened: Opened) -> None:
    page = opened(everything(), "#id=timers/never")
    assert "There is no scenario “timers/never”" in page.locator("#pane").inner_text()


def test_keys_walk_through_the_open_groups(opened: Opened) -> None:
    page = opened(everything())
    seen = []
    for key in ("j", "j", "ArrowDown", "k", "ArrowUp"):
        page.keyboard.press(key)
        seen.append(current(page))
    assert seen == ["area/order", "area/value", "timers/late", "area/value", "area/order"]
    assert "id=area/order" in page.url


def test_escape_closes_the_scenario(opened: Opened) -> None:
    page = opened(everything(), "#id=timers/late")
    page.keyboard.press("Escape")
    page.wait_for_function("!document.documentElement.classList.contains('open')")
    assert page.locator("#overview").is_visible()


def test_browsers_back_button_goes_back(opened: Opened) -> None:
    page = opened(everything())
    page.locator("a.name").nth(1).click()
    page.wait_for_selector("#pane h2")
    page.go_back()
    page.wait_for_function("!document.documentElement.classList.contains('open')")


FILTERS = {
    "axis:order": {"area/order", "area/long"},
    "crash": {"area/crash", "area/hostile"},
    "late": {"timers/late"},
    "area:timers": {"timers/late"},
    "axis:value differ": {"area/value"},
    "observed": {"area/variant"},
    "verdict:variant": {"area/variant"},
    "statement:call_soon.fifo axis:timing": {"timers/late"},
    '"after 2 ticks"': {"timers/late"},
    "axis: -crash -differ": {"area/variant"},
    "overtakes": set(),
}


def test_filter_keeps_what_every_term_matches(opened: Opened) -> None:
    page = opened(everything())
    found = {}
    for text in FILTERS:
        page.keyboard.press("/")
        page.keyboard.type(text)
        found[text] = set(ids(page))
        assert page.locator("#matches").inner_text() == f"{len(found[text])} of 7"
        page.keyboard.press("Escape")
    assert found == FILTERS


def test_filter_is_part_of_the_link(opened: Opened) -> None:
    page = opened(everything(), "#q=axis:timing")
    assert ids(page) == ["timers/late"]
    assert page.locator("#filter").input_value() == "axis:timing"


def test_count_of_a_verdict_is_a_filter(opened: Opened) -> None:
    page = opened(everything())
    page.locator(".counts a", has_text="crash").click()
    page.wait_for_function("document.querySelectorAll('.row').length === 2")


def test_each_number_of_the_table_leads_to_as_many_scenarios(opened: Opened) -> None:
    page = opened(everything())
    links = page.locator(".axes a").all()
    assert len(links) > 3
    for link in links:
        link.click()
        page.wait_for_function("document.getElementById('filter').value !== ''")
        assert str(page.locator(".row").count()) == link.inner_text()


def test_question_mark_shows_the_keys(opened: Opened) -> None:
    page = opened(everything())
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#help").is_visible()


def test_inconclusive_and_skipped_rows_have_their_reason(opened: Opened) -> None:
    page = opened(every_verdict(), "#q=noisy")
    assert "It is said why." in page.locator(".row .under").inner_text()


def test_theme_follows_the_system_until_it_is_chosen(opened: Opened) -> None:
    page = opened(everything(), scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.keyboard.press("t")
    light = page.evaluate(background)
    assert dark != light
    for _ in range(20):  # the browser stores in a process of its own: a page may be loaded before it has
        page.reload()
        if page.evaluate(background) == light:
            return
    pytest.fail("the choice is forgotten")


def test_command_is_copied_by_its_button(opened: Opened) -> None:
    page = opened(everything(), permissions=["clipboard-read", "clipboard-write"])
    page.locator("header .copy").click()
    page.wait_for_function("document.querySelector('header .copy').textContent === 'copied'")


def test_cell_of_a_matrix_opens_its_target(opened: Opened) -> None:
    made = results(order_difference(target="one"), value_difference(target="two"), names=("one", "two"))
    page = opened(made)
    page.locator("a.cell").nth(1).click()
    page.wait_for_selector("#pane h2")
    assert page.locator('#pane .tabs [aria-pressed="true"]').first.inner_text().endswith("two 1.0: differ")
    assert "asyncio has True, two has False" in page.locator("#pane .findings").inner_text()


# ---- safety, reading, printing -------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["order", "table"])
def test_traced_markup_becomes_no_element(opened: Opened, view: str) -> None:
    page = opened(results(hostile()), f"#id=area/scenario&view={view}")
    assert "<img src=x" in page.locator("#pane h2").inner_text()
    assert page.locator("img").count() == 0
    assert page.evaluate("window.hacked") is None


STATES = (
    "#",
    "#id=area/order",
    "#id=area/variant",
    "#id=area/crash",
    "#id=area/long",
    "#id=timers/late&view=time",
    "#id=area/value&view=table",
    "#id=area/hostile",
)


def go(page: Page, state: str) -> None:
    """Go to a state of the page that is open, with every fold open."""
    page.evaluate("state => { location.hash = state; }", state)
    page.wait_for_function("state => shown !== null && (readState().id === shown.id)", arg=state)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(opened: Opened, scheme: str) -> None:
    page = opened(everything(), scheme=scheme)
    for state in STATES:
        go(page, state)
        found = page.evaluate(CONTRASTS)
        assert len(found) > 30
        assert [one for one in found if one[0] < CONTRAST] == [], state


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_verdict_has_enough_contrast(opened: Opened, scheme: str) -> None:
    page = opened(every_verdict(), scheme=scheme)
    go(page, "#")
    assert [one for one in page.evaluate(CONTRASTS) if one[0] < CONTRAST] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(opened: Opened, width: int) -> None:
    page = opened(everything(), width=width)
    for state in STATES:
        go(page, state)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, state


@pytest.mark.parametrize("width", WIDTHS)
def test_matrix_of_many_loops_fits_the_window(opened: Opened, width: int) -> None:
    names = tuple(f"a_loop_{n}" for n in range(8))
    page = opened(results(*(order_difference(target=name) for name in names), names=names), width=width)
    assert page.locator("a.cell").count() == 8
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    [heads, row] = [page.locator(one).last.bounding_box() for one in (".heads .head", "a.cell")]
    assert heads and row and abs(heads["x"] - row["x"]) < 3


def test_narrow_window_shows_the_list_or_the_scenario(opened: Opened) -> None:
    page = opened(everything(), width=360)
    assert page.locator("#list").is_visible() and not page.locator("#pane").is_visible()
    page.locator("a.name").first.click()
    page.wait_for_selector("#pane h2")
    assert not page.locator("#list").is_visible()
    page.locator("#back").click()
    page.wait_for_selector("#list", state="visible")


def test_without_scripts_the_differences_are_there(opened: Opened) -> None:
    page = opened(everything(), java_script_enabled=False)
    assert page.locator(".plain article").count() == 7
    assert "“timer” came before “soon” and “reader”" in page.locator(".plain").inner_text()
    assert not page.locator("#list").is_visible()


def test_paper_has_every_difference_drawn(opened: Opened) -> None:
    page = opened(everything())
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#printed .scenario svg").count() == 7
    assert page.locator("#printed").is_visible() and not page.locator("#list").is_visible()


# ---- real runs -----------------------------------------------------------------------------------------------


def test_real_crash_and_real_hang_are_drawn(loopcheck: Loopcheck, opened: Opened) -> None:
    finished = loopcheck.run(
        "failing_loops:Segfaults",
        "failing_loops:NeverResumes",
        "-k",
        "trouble",
        "-k",
        "innocent",
        "--timeout",
        "2",
    )
    page = opened(finished.results, "#id=trouble/future_is_awaited")
    assert "SIGSEGV" in page.locator("#pane").inner_text()
    page.locator("#pane .tabs button", has_text="NeverResumes").click()
    assert "✗ did not end" in page.locator("#pane svg").text_content()


def test_real_loop_with_late_timers_is_drawn_against_the_clock(loopcheck: Loopcheck, opened: Opened) -> None:
    conformance = Path(__file__).resolve().parents[2] / "conformance"
    finished = loopcheck.run(
        "wrong_loops:TimersAreLate",
        "-k",
        "timers/timer_runs_after_its_delay",
        "--scenarios",
        str(conformance),
    )
    page = opened(finished.results, "#id=timers/timer_runs_after_its_delay&view=time", scheme="dark")
    assert page.locator("#pane .arrival.fault").count() >= 1
    assert [one for one in page.evaluate(CONTRASTS) if one[0] < CONTRAST] == []
