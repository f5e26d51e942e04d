# SPDX-License-Identifier: MIT
"""The linter of the specification: statements, surface, retired ids and scenarios, each against the others.

Each reader checks its own files; what only shows when two of them are put side by side is found here: a
statement about a name that the surface lacks, a retired id that is used again, a scenario that cites what is
not there, a range that no version is in.  One sentence a problem, with the file and the id.

``python -m loopcheck.lint [--spec DIR] [--scenarios DIR]`` prints them; it exits 0 if there are none, 1 if
there are some, 2 if it was called wrongly.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .resources import retired_file, scenarios_folder, statements_folder, surface_file
from .scenarios import Scenario, load_scenarios
from .spec import Statement, lint_statements, read_statements, version_key
from .surface import Surface, lint_surface, read_surface

_RETIRED_KEYS: Final[Mapping[str, type]] = {"id": str, "reason": str, "replaced_by": list}


@dataclass(frozen=True)
class Retired:
    """An id that is not used any more, why, and the statements that say it now."""

    id: str
    reason: str
    replaced_by: tuple[str, ...]


@dataclass(frozen=True)
class Specification:
    """Where the parts of the specification are."""

    statements: Path
    surface: Path
    retired: Path
    scenarios: Path


def shipped() -> Specification:
    """Return the specification that ships with loopcheck."""
    return Specification(statements_folder(), surface_file(), retired_file(), scenarios_folder())


def lint(specification: Specification) -> list[str]:
    """Return one sentence for each problem of a specification; none means all is well."""
    problems = lint_statements(specification.statements)
    problems += lint_surface(specification.surface)
    statements = read_statements(specification.statements)
    surface = read_surface(specification.surface)[0]
    retired, retired_problems = read_retired(specification.retired)
    problems += retired_problems
    problems += _retired_problems(specification.retired, retired, statements)
    problems += _statement_problems(statements, surface)
    scenarios, broken = load_scenarios(specification.scenarios, statements)
    problems += [_with_successor(str(problem), retired) + "." for problem in broken]
    problems += _scenario_problems(statements, scenarios)
    return problems


def read_retired(file: Path) -> tuple[dict[str, Retired], list[str]]:
    """Return the retired ids of a file, and one sentence for each problem; without a file there are none."""
    if not file.exists():
        return {}, []
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return {}, [f"{file}: the file cannot be read: {error}."]
    problems = [
        f'{file}: the table or key "{key}" is unknown; a file holds [[retired]] records only.'
        for key in document
        if key != "retired"
    ]
    retired: dict[str, Retired] = {}
    for record in document.get("retired", []):
        found = [*_retired_record_problems(record)]
        identity = record.get("id", "a record without an id")
        if identity in retired:
            found.append("the id is already retired above; keep one record")
        problems += [f"{file}: {identity}: {problem}." for problem in found]
        if not found:
            retired[identity] = Retired(identity, record["reason"], tuple(record["replaced_by"]))
    return retired, problems


def _retired_record_problems(record: dict[str, Any]) -> Iterator[str]:
    for key, value in record.items():
        if key not in _RETIRED_KEYS:
            yield f'the key "{key}" is unknown; a record has {", ".join(_RETIRED_KEYS)}'
        elif not isinstance(value, _RETIRED_KEYS[key]):
            yield f"{key} must be {'a string' if _RETIRED_KEYS[key] is str else 'an array of strings'}"
        elif isinstance(value, list) and not all(isinstance(item, str) for item in value):
            yield f"{key} must be an array of strings"
        elif isinstance(value, str) and not value.strip():
            yield f"{key} is empty"
    for key in _RETIRED_KEYS:
        if key not in record:
            yield f"{key} is missing; add it"


# ---- one against the other -----------------------------------------------------------------------------------


def _retired_problems(
    file: Path, retired: Mapping[str, Retired], statements: Mapping[str, Statement]
) -> Iterator[str]:
    for record in retired.values():
        if record.id in statements:
            where = _place(statements[record.id])
            yield f"{where}: {record.id}: the id is retired and must never be used again; choose another."
        for successor in record.replaced_by:
            if successor not in statements:
                yield f"{file}: {record.id}: replaced_by has {successor}, which is no statement."


def _statement_problems(statements: Mapping[str, Statement], surface: Surface) -> Iterator[str]:
    for statement in statements.values():
        for name in statement.names:
            found = surface.find(name)
            if found is None and not surface.has_parameter(name):
                yield f"{_place(statement)}: {statement.id}: names has {name}, which is not in the surface."
        if list(statement.documents) != sorted(statement.documents):
            yield f"{_place(statement)}: {statement.id}: documents must be sorted."
        if statement.status == "implied" and (statement.documents or statement.doc):
            yield (
                f"{_place(statement)}: {statement.id}: it is implied, so no document says it in words: "
                "leave out documents and doc, or change the status."
            )
        yield from _range_problems(statement, surface)


def _range_problems(statement: Statement, surface: Surface) -> Iterator[str]:
    """Yield what is wrong with a statement's versions beside those of its subject: its first name."""
    subject = surface.find(statement.names[0])
    if subject is None:
        return
    for word, bound in (("since", statement.since), ("until", statement.until)):
        early = version_key(bound) < version_key(subject.since) if bound else False
        if early or (word == "until" and bound == subject.since):
            yield (
                f"{_place(statement)}: {statement.id}: it holds {word} {bound}, "
                f"but {subject.name} exists since {subject.since} only."
            )
    if subject.removed is not None and version_key(statement.since) >= version_key(subject.removed):
        yield (
            f"{_place(statement)}: {statement.id}: it holds since {statement.since}, "
            f"but {subject.name} was removed in {subject.removed}."
        )


def _scenario_problems(statements: Mapping[str, Statement], scenarios: Sequence[Scenario]) -> Iterator[str]:
    ids = {scenario.id for scenario in scenarios}
    for statement in statements.values():
        if statement.shown_by and statement.shown_by not in ids:
            yield (
                f"{_place(statement)}: {statement.id}: shown_by has {statement.shown_by}, "
                "which is no scenario."
            )
    for scenario in scenarios:
        where = f"{scenario.file}:{scenario.line}: {scenario.id}"
        for id in scenario.statements:
            if statements[id].untestable:
                yield f"{where}: it cites {id}, which says that it is untestable; drop one of the two."
        if list(scenario.statements) != list(dict.fromkeys(scenario.statements)):
            yield f"{where}: it cites a statement twice."
        since, until = scenario.since, scenario.until
        if since and until and version_key(since) >= version_key(until):
            yield f"{where}: no version satisfies it: since {since} is not before until {until}."


def _place(statement: Statement) -> str:
    return f"{statement.file}:{statement.line}"


def _with_successor(sentence: str, retired: Mapping[str, Retired]) -> str:
    """Return a sentence about a scenario; if it names a retired id, with what to cite instead."""
    for record in retired.values():
        if repr(record.id) in sentence:
            instead = " or ".join(record.replaced_by) or "nothing: no statement says it now"
            return f"{sentence}: the id is retired; cite {instead}"
    return sentence


# ---- command -------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the problems of a specification and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m loopcheck.lint", description="Check the specification.")
    parser.add_argument("--spec", type=Path, metavar="DIR", help="with statements/ and surface.toml inside")
    parser.add_argument("--scenarios", type=Path, metavar="DIR")
    options = parser.parse_args(arguments)
    base = shipped()
    specification = Specification(
        statements=options.spec / "statements" if options.spec else base.statements,
        surface=options.spec / "surface.toml" if options.spec else base.surface,
        retired=options.spec / "retired.toml" if options.spec else base.retired,
        scenarios=options.scenarios or base.scenarios,
    )
    if not specification.scenarios.is_dir():
        parser.error(f"{specification.scenarios} is no folder of scenarios")
    problems = lint(specification)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
