# SPDX-License-Identifier: MIT
"""``list`` and ``show``: what scenarios and statements there are, and one of them whole."""

import difflib
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.syntax import Syntax

from .scenarios import Problem, Scenario
from .spec import Statement


class ShowError(Exception):
    """No such id; the text is one sentence."""


def _console() -> Console:
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def print_list(scenarios: Iterable[Scenario], problems: Iterable[Problem]) -> None:
    """Print one line for each scenario, ``id<TAB>level<TAB>title``, then what is wrong with files."""
    console = _console()
    for scenario in scenarios:
        console.file.write(f"{scenario.id}\t{scenario.level}\t{scenario.title}\n")
    for problem in problems:
        console.print(f"ERROR  {problem}", style="bold magenta")


def find_scenario(id: str, scenarios: Sequence[Scenario]) -> Scenario:
    """Return the scenario with an id.  Raises ShowError, with the nearest ids there are."""
    found = next((scenario for scenario in scenarios if scenario.id == id), None)
    if found is None:
        raise ShowError(_unknown(id, [scenario.id for scenario in scenarios]))
    return found


def _unknown(id: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(id, known, n=1, cutoff=0.4)
    return f"there is no {id!r}" + (
        f"; did you mean {near[0]}?" if near else "; loopcheck list shows what there is"
    )


def print_show(id: str, scenarios: Sequence[Scenario], statements: Mapping[str, Statement]) -> None:
    """Print a scenario with its statements and source, or a statement with its scenarios.  Raises ShowError."""
    console = _console()
    if id in statements:
        _print_statement(console, statements[id])
        for scenario in scenarios:
            if id in scenario.statements:
                console.print(f"  scenario   {scenario.id}: {scenario.title}")
    elif any(scenario.id == id for scenario in scenarios):
        _print_scenario(console, find_scenario(id, scenarios), statements)
    else:
        raise ShowError(_unknown(id, [*(scenario.id for scenario in scenarios), *statements]))


def _print_statement(console: Console, statement: Statement) -> None:
    console.print(statement.id, style="bold")
    console.print(f"  {statement.text}")
    until = f", until {statement.until}" if statement.until else ""
    console.print(f"  {statement.status} ({statement.level}), since {statement.since}{until}")


def _print_scenario(console: Console, scenario: Scenario, statements: Mapping[str, Statement]) -> None:
    console.print(scenario.id, style="bold")
    console.print(f"  {scenario.title}")
    console.print(
        f"  {scenario.file.parent.name}/{scenario.file.name}, line {scenario.line}; level {scenario.level}"
    )
    if scenario.basis:
        console.print(f"  {scenario.basis}")
    for id in scenario.statements:
        _print_statement(console, statements[id])
    console.print()
    if console.is_terminal:
        console.print(Syntax(scenario.source, "python", background_color="default"))
    else:
        console.print(scenario.source)
