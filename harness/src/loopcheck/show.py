# SPDX-License-Identifier: MIT
"""``list`` and ``show``: what scenarios, statements and names there are, and one of them whole."""

import difflib
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.syntax import Syntax

from .arguments import plain_console
from .scenarios import Problem, Scenario
from .spec import Statement
from .surface import Name, Parameter, Surface


class ShowError(Exception):
    """No such id; the text is one sentence."""


def print_list(scenarios: Iterable[Scenario], problems: Iterable[Problem]) -> None:
    """Print one line for each scenario, ``id<TAB>level<TAB>title``, then what is wrong with files."""
    console = plain_console()
    for scenario in scenarios:
        console.file.write(f"{scenario.id}\t{scenario.level}\t{scenario.title}\n")
    for problem in problems:
        console.print(f"ERROR  {problem}", style="bold magenta")


def print_statements(statements: Iterable[Statement]) -> None:
    """Print one line for each statement, ``id<TAB>level<TAB>text``."""
    console = plain_console()
    for statement in statements:
        console.file.write(f"{statement.id}\t{statement.level}\t{statement.text}\n")


def print_names(names: Iterable[Name]) -> None:
    """Print one line for each documented name, ``name<TAB>kind<TAB>signature``."""
    console = plain_console()
    for name in names:
        console.file.write(f"{name.name}\t{name.kind}\t{name.signature}\n")


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


def print_show(
    id: str, scenarios: Sequence[Scenario], statements: Mapping[str, Statement], surface: Surface
) -> None:
    """Print a scenario with its statements and source, a statement with its scenarios, or a name with both.

    What is a statement and a name at once, such as ``Future.get_loop``, is printed as both.  Raises ShowError.
    """
    console = plain_console()
    name = surface.find(id)
    found = [scenario for scenario in scenarios if scenario.id == id]
    if id not in statements and name is None and not found:
        known = [*(scenario.id for scenario in scenarios), *statements, *surface.names]
        raise ShowError(_unknown(id, known))
    for scenario in found:
        _print_scenario(console, scenario, statements)
    if id in statements:
        _print_statement(console, statements[id])
        _print_about_statement(console, statements[id])
        _print_scenarios(console, [s for s in scenarios if id in (*s.statements, statements[id].shown_by)])
    if name is not None:
        about = [s for s in statements.values() if name in map(surface.find, s.names)]
        _print_name(console, name)
        for statement in about:
            console.print(f"  statement  {statement.id}: {statement.text}")
        cited = {statement.id for statement in about}
        _print_scenarios(console, [s for s in scenarios if cited & {*s.statements}])


def _print_scenarios(console: Console, scenarios: Iterable[Scenario]) -> None:
    for scenario in scenarios:
        console.print(f"  scenario   {scenario.id}: {scenario.title}")


def _print_statement(console: Console, statement: Statement) -> None:
    console.print(statement.id, style="bold")
    console.print(f"  {statement.text}")
    until = f", until {statement.until}" if statement.until else ""
    console.print(f"  {statement.status} ({statement.level}), since {statement.since}{until}")


def _print_about_statement(console: Console, statement: Statement) -> None:
    """Print what a statement's record has beside what every page shows of it."""
    otherwise = statement.contradiction or (statement.contradicted and "It does otherwise.")
    rows = {
        "names": ", ".join(statement.names),
        "documents": ", ".join(statement.documents) or "none of the five",
        "see": statement.doc,
        "untestable": statement.untestable,
        "CPython": otherwise and f"{otherwise} ({contradicted_in(statement)})",
    }
    for word, text in rows.items():
        if text:
            console.print(f"  {word:<10} {text}")


def contradicted_in(statement: Statement) -> str:
    """Return the versions of CPython that contradict a statement, as people write them."""
    if statement.contradicted:
        return ", ".join(statement.contradicted)
    if statement.contradiction_until:
        return f"{statement.contradiction_since} up to, not including, {statement.contradiction_until}"
    return f"{statement.contradiction_since} and later"


def _print_name(console: Console, name: Name) -> None:
    console.print(name.name, style="bold")
    console.print(f"  {name.signature or name.name}")
    console.print(f"  {name.kind}, {_span(name)}{f', {name.availability} only' if name.availability else ''}")
    for change in name.changed:
        console.print(f"  {'in ' + change.version:<10} {change.what}")
    console.print(f"  {'documents':<10} {', '.join(name.documents) or 'none of the five'}")
    if name.errors:
        console.print(f"  {'raises':<10} {', '.join(name.errors)}")
    for parameter in name.parameters:
        console.print(f"  {'parameter':<10} {_parameter_text(parameter, name)}")


def _parameter_text(parameter: Parameter, name: Name) -> str:
    """Return one line about a parameter; what it has from its name is left out."""
    default = f"={parameter.default}" if parameter.default is not None else ""
    said = [parameter.kind]
    if (parameter.since, parameter.removed) != (name.since, name.removed):
        said.append(_span(parameter))
    if parameter.given_as != parameter.name:
        said.append(f"CPython calls it {parameter.given_as}")
    said += [f"in {change.version} {change.what}" for change in parameter.changed]
    return f"{parameter.name}{default}  ({', '.join(said)})"


def _span(of: Name | Parameter) -> str:
    return f"since {of.since}" + (f", removed in {of.removed}" if of.removed else "")


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
