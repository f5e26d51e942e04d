# SPDX-License-Identifier: MIT
"""Coverage for people: on the terminal, and as a Markdown page.

The whole table comes first, a line each, then what is missing where something is built, and last the numbers by
part: the end of the output is what one wants to see.  Lines of the table are tab-separated, as in ``list``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .coverage import (
    NAME_STATES,
    STATEMENT_STATES,
    Coverage,
    NameCoverage,
    PartSummary,
    StatementCoverage,
    summary,
)

NOT_COUNTED: Final = (
    "An error counts for a name if a call of that name raised it, by the nearest class that is documented; "
    "one class for two reasons counts by either.",
    "Constants, keys of contexts and what only asyncio itself makes or calls are not measured; "
    "the numbers leave them out.",
)
"""What the numbers of the names do not say."""


def print_coverage(console: Console, coverage: Coverage, *, brief: bool = False) -> None:
    """Print a coverage.  brief: without the whole table."""
    if not brief:
        for heading, lines in _table(coverage):
            _line(console, Text(f"\n{heading}", style="bold"))
            for state, rest in lines:
                console.file.write(f"{state}\t{rest}\n")
    _print_missing(console, coverage)
    _line(console)
    console.print(_summary_table(summary(coverage)), highlight=False, markup=False)
    for line in _closing(coverage):
        _line(console, line)


def _line(console: Console, text: Text | str = "") -> None:
    console.print(text, highlight=False, markup=False, emoji=False, soft_wrap=True)


def _table(coverage: Coverage) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield a heading and its lines, state and rest, for each part: statements first, then names."""
    for what, rows in (("statements", coverage.statements), ("names", coverage.names)):
        for part in dict.fromkeys(row.part for row in rows):
            of_part = [row for row in rows if row.part == part]
            yield f"{what}: {coverage.parts.get(part) or part}", [(row.state, _row(row)) for row in of_part]


def _row(row: StatementCoverage | NameCoverage) -> str:
    if isinstance(row, StatementCoverage):
        return f"{row.id}\t{about_statement(row)}"
    return f"{row.name}\t{about_name(row)}"


def about_statement(statement: StatementCoverage) -> str:
    """Return what to say of a statement beside its state: the scenarios, or why there is none."""
    return "; ".join(filter(None, [", ".join(statement.scenarios), statement.why]))


def about_name(name: NameCoverage) -> str:
    """Return which of a name's parameters were given, and which of its errors came out."""
    if name.state not in ("called", "not called"):
        return ""
    pairs = {
        "given": name.given,
        "never given": name.never_given,
        "raised": name.provoked,
        "never raised": name.never_provoked,
    }
    return "; ".join(f"{word}: {', '.join(which)}" for word, which in pairs.items() if which)


# ---- what is missing, and the numbers ------------------------------------------------------------------------


def _print_missing(console: Console, coverage: Coverage) -> None:
    """Print the gaps of the parts that exist."""
    gaps = {
        "Untested statements": [statement.id for statement in coverage.untested],
        "Names that no scenario calls": [n.name for n in coverage.names if n.state == "not called"],
        "Parameters that no scenario gives": missing_parameters(coverage),
        "Errors that no scenario provokes": missing_errors(coverage),
        "Scenarios that did not end well while they were measured": [
            f"{id} ({how})" for id, how in coverage.failed.items()
        ],
    }
    for heading, items in gaps.items():
        if items:
            _line(console, Text(f"\n{heading}: {len(items)}", style="bold yellow"))
            for item in items:
                _line(console, f"  {item}")


def missing_parameters(coverage: Coverage) -> list[str]:
    """Return the parameters of called names that no scenario gives, each as ``name(parameter)``."""
    called = [name for name in coverage.names if name.state == "called" and name.part in coverage.built]
    return [f"{name.name}({parameter})" for name in called for parameter in name.never_given]


def missing_errors(coverage: Coverage) -> list[str]:
    """Return the errors of called names that no scenario provokes, each as ``name: error``."""
    called = [name for name in coverage.names if name.state == "called" and name.part in coverage.built]
    return [f"{name.name}: {error}" for name in called for error in name.never_provoked]


def _summary_table(rows: Sequence[PartSummary]) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="dim")
    for heading, *options in (("part",), ("statements", "right"), *((s, "right") for s in STATEMENT_STATES)):
        table.add_column(heading, justify="right" if options else "left", no_wrap=True)
    for heading in ("names", "parameters", "errors"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        if row.statements or row.names[1]:
            table.add_row(row.part, *_numbers(row))
    table.add_row("all", *_numbers(_total(rows)), style="bold")
    return table


def _numbers(row: PartSummary) -> list[str]:
    counts = [str(row.statements.get(state, "")) for state in STATEMENT_STATES]
    pairs = [f"{reached}/{of}" if of else "" for reached, of in (row.names, row.parameters, row.errors)]
    return [str(sum(row.statements.values()) or ""), *counts, *pairs]


def _total(rows: Sequence[PartSummary]) -> PartSummary:
    states = {state: sum(row.statements.get(state, 0) for row in rows) for state in STATEMENT_STATES}

    def both(pairs: list[tuple[int, int]]) -> tuple[int, int]:
        return sum(reached for reached, _ in pairs), sum(of for _, of in pairs)

    return PartSummary(
        part="all",
        title="",
        statements={state: count for state, count in states.items() if count},
        names=both([row.names for row in rows]),
        parameters=both([row.parameters for row in rows]),
        errors=both([row.errors for row in rows]),
    )


def _closing(coverage: Coverage) -> Iterator[Text]:
    for measured in coverage.measured:
        yield Text(
            f"names measured on {measured.target}, Python {measured.python}, {measured.ran} scenarios", "dim"
        )
    if coverage.measured:
        yield from (Text(sentence, "dim") for sentence in NOT_COUNTED)
    else:
        yield Text("names not measured", "dim")
    untested = len(coverage.untested)
    if untested:
        plural = "s" * (untested > 1)
        yield Text(f"{untested} untested statement{plural} in the parts that exist", "bold red")
    else:
        yield Text("every statement of the parts that exist is tested or says why not", "green")


# ---- Markdown ------------------------------------------------------------------------------------------------


def markdown(coverage: Coverage) -> str:
    """Return a coverage as a Markdown page."""
    lines = ["# Coverage", "", *_legend(), "## By part", "", *_summary_markdown(summary(coverage)), ""]
    for heading, rows in _table(coverage):
        what = heading.partition(":")[0].removesuffix("s")
        lines += [f"## {heading[0].upper()}{heading[1:]}", "", f"| {what} | state | |", "| --- | --- | --- |"]
        for state, rest in rows:
            name, _, about = rest.partition("\t")
            lines.append(f"| `{name}` | {state} | {_escaped(about)} |")
        lines.append("")
    return "\n".join(lines)


def _legend() -> Iterator[str]:
    """Yield what the words and numbers mean, and what the numbers leave out."""
    for what, states in (("A statement", STATEMENT_STATES), ("A name", NAME_STATES)):
        yield f"{what} is:"
        yield ""
        yield from (f"- **{state}**: {means}" for state, means in states.items())
        yield ""
    for sentence in NOT_COUNTED:
        yield from (sentence, "")


def _summary_markdown(rows: Sequence[PartSummary]) -> Iterator[str]:
    yield f"| part | statements | {' | '.join(STATEMENT_STATES)} | names | parameters | errors |"
    yield "| --- " + "| ---: " * (len(STATEMENT_STATES) + 4) + "|"
    for row in (*rows, _total(rows)):
        if row.statements or row.names[1]:
            yield f"| {row.title or row.part} | {' | '.join(_numbers(row))} |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
