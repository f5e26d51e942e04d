# SPDX-License-Identifier: MIT
"""Results as Markdown: for a job's summary page on GitHub, a merge request's note on GitLab, an issue.

One sentence, a small table, and everything else folded: nobody scrolls past what they did not ask for.  Both
services limit the size of such a text, so there is a budget; what does not fit is counted, never dropped in
silence.  Traced texts are data: they stand in code blocks and escaped, and cannot become markup.
"""

import html
import re
from collections.abc import Callable, Iterable, Sequence

from .digest import (
    Record,
    block,
    frequency,
    headline,
    incomplete,
    known_reason,
    loop_name,
    plural,
    problem_text,
    sentence,
    tally,
    visible,
)
from .results import Results, ScenarioResult
from .vocabulary import VERDICTS

BUDGET = 900_000  # characters; a summary on GitHub and a note on GitLab hold about a million bytes
IN_FULL = ("difference", "stale", "failure", "inconclusive")
FOLDED_LISTS = ("variant", "known", "unsupported")

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&@!])")


def summary(results: Results, budget: int = BUDGET) -> str:
    """Return the summary of a results file.  budget: about how many characters it may have."""
    parts = [f"### loopcheck: {plain(headline(results))}"]
    if incomplete(results):
        parts.append(f"**INCOMPLETE:** {plain(incomplete(results))}")
    problems = [*results.errors, *results.baseline_problems]
    if problems:
        parts.append("\n".join(f"- **{_kind(one)}:** {plain(problem_text(one))}" for one in problems))
    parts.append(_table(results))
    budget -= sum(map(len, parts))
    shown = [result for result in results.scenarios if VERDICTS[result.verdict].counts in IN_FULL]
    folded = within(budget, shown, lambda result: _details(result, results.header))
    if folded:
        parts.append("\n".join(folded))
    budget -= sum(map(len, folded))
    parts += filter(None, (_list(results, verdict, budget // 3) for verdict in FOLDED_LISTS))
    parts.append(_legend(results))
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return SPECIAL.sub(r"\\\1", _one_line(text))


def code(text: str) -> str:
    """Return a text as code within HTML, on one line."""
    return f"<code>{escaped(text)}</code>"


def escaped(text: str) -> str:
    """Return a text that HTML shows as it is, on one line."""
    return html.escape(_one_line(text), quote=False)


def _one_line(text: str) -> str:
    return " ".join(visible(text).split())


def code_block(text: str) -> str:
    """Return a text as a block of code, which no run of backquotes in it can end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.rstrip()}\n{fence}"


def folded(heading: str, content: str) -> str:
    """Return content folded under a heading, which is HTML.  The empty lines make the content Markdown."""
    return f"<details><summary>{heading}</summary>\n\n{content}\n\n</details>"


def within(
    budget: int, results: Sequence[ScenarioResult], show: Callable[[ScenarioResult], str]
) -> list[str]:
    """Return the texts of as many results as a budget of characters holds; a last line counts the others."""
    texts: list[str] = []
    for number, result in enumerate(results):
        text = show(result)
        budget -= len(text)
        if budget < 0:
            texts.append(f"\n{len(results) - number} more would not fit here; the results file has them.\n")
            break
        texts.append(text)
    return texts


def _kind(problem: Record) -> str:
    return f"{problem['kind']} in the baseline" if problem["record"] == "baseline-problem" else "error"


# ---- the table -------------------------------------------------------------------------------------------


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _table(results: Results) -> str:
    words = list(tally(results.scenarios))
    heads = ["loop", "Python", "oracle", "clock", *words, "selected"]
    rows = []
    for target in results.header["targets"]:
        found = tally(results.of_target(target["name"]))
        about = [loop_name(target), f"{target['implementation']} {target['python']}", target["oracle"]]
        cells = [plain(text) for text in (*about, target["clock"])]
        numbers = [str(found.get(word, 0)) for word in words]
        rows.append([*cells, *numbers, f"{results.header['selected']} of {results.header['of']}"])
    return table(heads, rows)


# ---- scenarios -------------------------------------------------------------------------------------------


def _heading(result: ScenarioResult) -> str:
    record = result.record
    often = f" ({frequency(record)})" if frequency(record) else ""
    said = escaped(f"{sentence(record)}{often}")
    return f"<b>{result.verdict}</b> {code(result.id)} {code(result.target_name)}: {said}"


def _details(result: ScenarioResult, header: Record) -> str:
    return folded(_heading(result), code_block(block(result, header)))


def _list(results: Results, verdict: str, budget: int) -> str:
    """Return the folded list of the scenarios with a verdict that needs no action; "" if there is none."""
    found = [result for result in results.scenarios if result.verdict == verdict]
    if not found:
        return ""
    lines = within(budget, found, _line)
    means = escaped(VERDICTS[verdict].means)
    return folded(f"{plural(len(found), 'scenario')} <b>{verdict}</b>: {means}", "\n".join(lines))


def _line(result: ScenarioResult) -> str:
    said = known_reason(result.record) or sentence(result.record)
    return f"- {code(result.id)} {code(result.target_name)}: {plain(said)}"


def _legend(results: Results) -> str:
    rows = [[word, plain(VERDICTS[word].means)] for word in tally(results.scenarios)]
    return folded("What the words mean", table(["verdict", "meaning"], rows))
