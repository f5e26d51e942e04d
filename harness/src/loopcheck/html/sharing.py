# SPDX-License-Identifier: MIT
"""What is on the page once, although it is said of several targets, scenarios or statements.

``shared`` makes the data smaller without loss; ``words.js`` puts everything back in its place when the page is
opened.  A number stands for something that is elsewhere:

    results[n] = m          the result of target n is that of target m, before it
    results[n].level        left out where it is the scenario's ``level``, and ``verdict`` where that is agree
    source = [piece, ...]   joined: a text is itself, null the scenario's title, m the line ``lines[m]``
    url = [m, text]         ``pages[m]`` and the text behind it; "" where there is none
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

SHORTEST = 8  # characters of a line that is worth a number

Facts = dict[str, Any]
Piece = str | int | None


def shared(data: Facts) -> Facts:
    """Return the data of a page with everything that can be shared in one place; see above."""
    texts = [scenario["source"] for scenario in data["scenarios"]]
    numbers = _repeated_lines(texts)
    pages: dict[str, int] = {}
    scenarios = [
        {
            **scenario,
            **_results(scenario["results"]),
            "source": _source(scenario["source"], scenario["title"], numbers),
        }
        for scenario in data["scenarios"]
    ]
    statements = {id: {**one, "url": _url(one["url"], pages)} for id, one in data["statements"].items()}
    tables = {"lines": list(numbers), "pages": list(pages)}
    return {**data, "scenarios": scenarios, "statements": statements, **tables}


def _results(results: Sequence[Facts | None]) -> Facts:
    level = next((result["level"] for result in results if result), "")
    usual = {"verdict": "agree", "level": level}
    first = [results.index(result) for result in results]
    stored = [
        result and ({k: v for k, v in result.items() if usual.get(k) != v} if first[n] == n else first[n])
        for n, result in enumerate(results)
    ]
    return {"level": level, "results": stored}


def _repeated_lines(texts: Sequence[str]) -> dict[str, int]:
    """Return a number for each line, with its end, that there is more than once: small ones for frequent lines."""
    counts = Counter(line for text in texts for line in text.splitlines(keepends=True))
    worth = [line for line, count in counts.most_common() if count > 1 and len(line) >= SHORTEST]
    return {line: number for number, line in enumerate(worth)}


def _source(text: str, title: str, numbers: Mapping[str, int]) -> list[Piece]:
    before, found, after = text.partition(title) if title else (text, "", "")
    return [*_pieces(before, numbers), *([None] if found else []), *_pieces(after, numbers)]


def _pieces(text: str, numbers: Mapping[str, int]) -> list[Piece]:
    pieces: list[Piece] = []
    for number, group in groupby(text.splitlines(keepends=True), numbers.get):
        lines = list(group)
        pieces += ["".join(lines)] if number is None else [number] * len(lines)
    return pieces


def _url(url: str, pages: dict[str, int]) -> list[int | str] | str:
    """Return an address in two parts, "" for none; pages gets those that are not in it yet."""
    if not url:
        return ""
    page, separator, rest = url.rpartition("." if "." in url.partition("#")[2] else "#")
    return [pages.setdefault(page + separator, len(pages)), rest]
