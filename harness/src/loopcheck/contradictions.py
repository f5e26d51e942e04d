# SPDX-License-Identifier: MIT
"""The page of what CPython does otherwise than its documentation says, each with a command that shows it.

Two kinds.  A bug of single releases: there the scenario that shows it gives no verdict, so the command exports it
as a script, which compares the release with one that keeps the promise.  A text that no release of a range meets:
there the command runs the scenario on CPython itself and prints what happened.

``python -m loopcheck.contradictions`` prints the page; ``--write FILE`` writes it.  docs/contradictions.md is this
page; a test keeps the two equal.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from .resources import scenarios_folder, statements_folder
from .scenarios import Scenario, load_scenarios
from .show import contradicted_in
from .spec import Statement, load_statements, version_key

NEWEST: Final = "3.14"
"""The newest series that is released: where a promise that has no end is kept, or broken."""

INTRODUCTION: Final = """\
# Where CPython contradicts its documentation

The statements of [spec/](../spec/README.md) that CPython does not keep, with what it does instead. Each has one
command, run from the root of a clone, that shows it; an interpreter is named by its version and must be there,
from pyenv, uv, PATH or `ci/pythons`.

This page is made by `python -m loopcheck.contradictions --write docs/contradictions.md`.
"""
SINGLE: Final = """\
## Bugs of single releases

In these releases the scenario gives no verdict, since a target is not to be measured by a bug. The script
compares the release with one that keeps the promise.
"""
RANGE: Final = """\
## Texts that are not kept

What CPython does in every release of a range. A target is compared with what CPython does, not with the text. The
command prints what happened on CPython.
"""


def page(statements: Mapping[str, Statement], scenarios: Sequence[Scenario]) -> str:
    """Return the page as Markdown."""
    found = [s for s in statements.values() if s.contradicted or s.contradiction]
    by_id = {scenario.id: scenario for scenario in scenarios}
    blocks = [INTRODUCTION, "\n".join(_overview(found)) + "\n"]
    for heading, single in ((SINGLE, True), (RANGE, False)):
        of_kind = [statement for statement in found if bool(statement.contradicted) is single]
        if of_kind:
            blocks.append(heading)
        blocks += [_section(statement, by_id, scenarios) for statement in of_kind]
    return "\n".join(blocks)


def _overview(found: Iterable[Statement]) -> Iterator[str]:
    yield "| statement | CPython versions |"
    yield "| --- | --- |"
    for statement in found:
        yield f"| [`{statement.id}`](#{_anchor(statement.id)}) | {contradicted_in(statement)} |"


def _anchor(id: str) -> str:
    """Return the name by which a link reaches the heading of an id, made as code hosts make it."""
    return "".join(letter for letter in id.lower() if letter.isalnum() or letter in "_-")


def _section(statement: Statement, by_id: Mapping[str, Scenario], scenarios: Sequence[Scenario]) -> str:
    scenario = shown_by(statement, by_id, scenarios)
    source = f"../conformance/{scenario.module}.py" if scenario else ""
    text = statement.text + (f" ([documentation]({statement.doc}))" if statement.doc else "")
    word = "Implied" if statement.status == "implied" else "Promised"
    lines = [f"### `{statement.id}`", "", f"- {word}: {text}"]
    if statement.contradiction:
        lines.append(f"- CPython: {statement.contradiction}")
    lines.append(f"- Versions: {contradicted_in(statement)}")
    if scenario:
        lines += [f"- Scenario: [`{scenario.id}`]({source}): {scenario.title}", ""]
        lines += ["```sh", command(statement, scenario), "```"]
    return "\n".join([*lines, ""])


def shown_by(
    statement: Statement, by_id: Mapping[str, Scenario], scenarios: Sequence[Scenario]
) -> Scenario | None:
    """Return the scenario that shows a contradiction: the one that its record names, else one that cites it."""
    if statement.shown_by in by_id:
        return by_id[statement.shown_by]
    return next((scenario for scenario in scenarios if statement.id in scenario.statements), None)


def command(statement: Statement, scenario: Scenario) -> str:
    """Return the one command that shows a contradiction."""
    if statement.contradicted:
        target, oracle = f"asyncio@{statement.contradicted[-1]}", f"asyncio@{_kept_in(statement)}"
        export = f"ci/loopcheck export {scenario.id} --target {target} --oracle {oracle}"
        return f"{export} > repro.py && python3 repro.py"
    python = f"asyncio@{_broken_in(statement)}"
    return f"ci/loopcheck run {python} --oracle {python} -vv -k {scenario.id}"


def _kept_in(statement: Statement) -> str:
    """Return the newest series in which a statement holds."""
    return _before(statement.until)


def _broken_in(statement: Statement) -> str:
    """Return the newest series that contradicts a statement."""
    ends = [end for end in (statement.until, statement.contradiction_until) if end is not None]
    return _before(min(ends, key=version_key)) if ends else NEWEST


def _before(bound: str | None) -> str:
    """Return the newest series that lies before a bound."""
    if bound is None or version_key(bound) > version_key(NEWEST):
        return NEWEST
    major, minor, patch = version_key(bound)
    return f"{major}.{minor}" if patch else f"{major}.{minor - 1}"


def shipped_page() -> str:
    """Return the page of what ships with loopcheck."""
    statements = load_statements(statements_folder())
    return page(statements, load_scenarios(scenarios_folder(), statements)[0])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the page or write it."""
    parser = argparse.ArgumentParser(prog="python -m loopcheck.contradictions")
    parser.add_argument("--write", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    text = shipped_page()
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
