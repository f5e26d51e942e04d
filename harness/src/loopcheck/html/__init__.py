# SPDX-License-Identifier: MIT
"""The report as one HTML file that needs nothing else: no network, no font, no second file.

Four steps.  ``facts`` turns results into what the page says, as plain data; ``lanes`` finds, for each scenario,
which events stand opposite each other and where the judge's findings belong; ``sharing`` puts what is the same
into one place; here a template puts style, scripts and data into one page.  The browser draws: the data have no
coordinates and the page fits every width.

Invariants.  Whatever was traced is data: it reaches the page as JSON in which no tag can begin, or through the
template, which escapes.  Where the page would be larger than BUDGET, the scenarios that agree lose their drawings,
then their sources, and say so.
"""

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import jinja2

from ..results import Results
from .facts import page_facts
from .sharing import shared

BUDGET = 1_000_000  # bytes
STYLE = ("page.css", "drawing.css")
SCRIPTS = ("words.js", "timeline.js", "clock.js", "scenario.js", "list.js", "page.js")


def render(results: Results | Sequence[Results]) -> str:
    """Return the page on one results file, or on several: a row for each scenario, a column for each target."""
    several = [results] if isinstance(results, Results) else list(results)
    facts = page_facts(several)
    page = _page(facts)
    for slim in (_without_agreeing_drawings, _without_agreeing_sources):
        if len(page.encode()) > BUDGET:
            slim(facts["data"])
            page = _page(facts)
    return page


def _page(facts: dict[str, Any]) -> str:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.from_string(_text("page.html.j2")).render(
        facts, style=_joined(STYLE), script=_joined(SCRIPTS), data=_as_json(shared(facts["data"]))
    )
    return page.encode("utf-8", "replace").decode()  # half of a surrogate pair has no place in a file


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _joined(names: Sequence[str]) -> str:
    return "\n".join(map(_text, names))


def _as_json(data: Any) -> str:
    """Return data as JSON that can stand inside a script element whatever the texts in it are."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _without_agreeing_drawings(data: dict[str, Any]) -> None:
    for scenario in data["scenarios"]:
        for result in scenario["results"]:
            if result and result["verdict"] == "agree":
                result.pop("lanes", None)


def _without_agreeing_sources(data: dict[str, Any]) -> None:
    for scenario in data["scenarios"]:
        if all(result is None or result["verdict"] in ("agree", "skipped") for result in scenario["results"]):
            scenario["source"] = ""
