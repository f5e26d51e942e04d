# SPDX-License-Identifier: MIT
"""The reference and the statements, each against the other: what this forbids, and why.

- A citation ("Spec" in a comment or a docstring of the reference) of an id that no statement has: it proves
  nothing.  The same for a "Spec" without an id, and for a list that a missing comma cuts short.
- A statement that is guaranteed, of a part that exists, which no code of the reference cites.  Either something is
  not implemented, or nobody can find where.  What code cannot cite is listed in spec/not_cited.toml, with the
  reason; an entry there that is not needed, or not any more, is a mistake, too.
- Such a statement that no scenario shows, and that does not say why none can.

A citation stands where the statement is implemented: in a header of the library, a source of it, or the extension.
Those in tests are checked, but do not count.  Paths are relative to the root of the project.

Exit status: 0 nothing found; 1 something, a sentence each.
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopcheck.coverage import cover, is_later
from loopcheck.lint import Retired, read_retired
from loopcheck.scenarios import load_scenarios
from loopcheck.spec import SpecError, Statement, load_statements
from loopcheck.surface import Surface, read_surface

ROOT = Path(__file__).resolve().parents[2]
NOT_CITED = "spec/not_cited.toml"
CODE = ("include/asy/*.h", "src/**/*.[ch]", "python/*.[ch]", "python/asy/*.py")
TESTS = ("tests/*.[ch]", "python/tests/*.py")

ID = r"[A-Za-z][\w-]*(?:\.[\w-]+)+"
MARK = re.compile(r"(?:^|(?<=[\s/*#\"]))Spec(?::|(?=  ))[ ]*", re.MULTILINE)
IDS = re.compile(rf"{ID}(?:,[\s*#]*{ID})*")
CUT_SHORT = re.compile(rf",|[ ]*\n?[ *#]*{ID}")


@dataclass(frozen=True)
class Citation:
    """A statement that is cited: where, and whether there it counts as the place that implements it."""

    id: str
    where: str
    code: bool


def read_citations(root: Path) -> tuple[list[Citation], list[str]]:
    """Return the citations of the reference, and a sentence for each that cannot be read."""
    citations: list[Citation] = []
    problems: list[str] = []
    for pattern in (*CODE, *TESTS):
        for file in sorted((root / "reference").glob(pattern)):
            text = file.read_text(encoding="utf-8")
            for mark in MARK.finditer(text):
                where = f"{file.relative_to(root)}:{text.count(chr(10), 0, mark.start()) + 1}"
                ids = IDS.match(text, mark.end())
                if ids is None:
                    problems.append(f"{where}: this Spec names no statement")
                    continue
                citations += [Citation(id, where, pattern in CODE) for id in re.findall(ID, ids[0])]
                if CUT_SHORT.match(text, ids.end()):
                    problems.append(f"{where}: commas stand between two ids, and nowhere else")
    return citations, problems


def id_problem(id: str, statements: Mapping[str, Statement], retired: Mapping[str, Retired]) -> str:
    """Return what is wrong with an id: it is retired, or no statement has it; nothing if it is right."""
    if id in retired:
        return f"{id} is retired; cite {', '.join(retired[id].replaced_by) or 'nothing'} instead"
    return "" if id in statements else f"{id} is no statement"


def citation_problems(
    citations: Iterable[Citation], statements: Mapping[str, Statement], retired: Mapping[str, Retired]
) -> Iterator[str]:
    """Yield what is wrong with the ids that are cited."""
    for citation in citations:
        problem = id_problem(citation.id, statements, retired)
        if problem:
            yield f"{citation.where}: {problem}"


# ---- what is not cited ---------------------------------------------------------------------------------------


def read_not_cited(file: Path) -> tuple[dict[str, str], list[str]]:
    """Return why, by id, and a sentence for each problem; without a file there are none."""
    reasons: dict[str, str] = {}
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except tomllib.TOMLDecodeError as error:
        return {}, [f"{NOT_CITED}: it is not valid TOML: {error}"]
    problems = [f'{NOT_CITED}: the key "{key}" is unknown' for key in document if key != "not_cited"]
    records = document.get("not_cited", [])
    if not isinstance(records, list):
        return {}, [*problems, f"{NOT_CITED}: it holds [[not_cited]] records only"]
    for number, record in enumerate(records, start=1):
        if not is_record(record):
            problems.append(f"{NOT_CITED}: record {number} must have ids, and a reason of one line, only")
            continue
        for id in record["ids"]:
            if id in reasons:
                problems.append(f"{NOT_CITED}: {id} is there twice")
            reasons[id] = record["reason"]
    return reasons, problems


def is_record(record: Any) -> bool:
    """Return whether a record has the two keys, each of its form."""
    if not isinstance(record, dict) or {*record} != {"ids", "reason"}:
        return False
    ids, reason = record["ids"], record["reason"]
    is_sentence = isinstance(reason, str) and bool(reason.strip()) and "\n" not in reason
    return is_sentence and isinstance(ids, list) and bool(ids) and all(isinstance(id, str) for id in ids)


def not_cited_problems(
    reasons: Mapping[str, str],
    cited: set[str],
    required: Mapping[str, Statement],
    statements: Mapping[str, Statement],
    retired: Mapping[str, Retired],
) -> Iterator[str]:
    """Yield which required statements are neither cited nor excused, and which excuses are none."""
    for statement in required.values():
        if statement.id not in cited and statement.id not in reasons:
            yield (
                f"{statement.file.name}:{statement.line}: {statement.id} is {statement.status}, and no code cites "
                f'it: add it to a "Spec" where it is implemented, or to {NOT_CITED} with the reason'
            )
    for id in reasons:
        problem = id_problem(id, statements, retired)
        if problem:
            yield f"{NOT_CITED}: {problem}"
        elif id in cited:
            yield f"{NOT_CITED}: {id} is cited by code; take it out"
        elif id not in required:
            yield f"{NOT_CITED}: {id} needs no reason: it is not guaranteed, or its part is not built yet"


# ---- the whole -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """What was found: the problems, and the numbers for the last line."""

    problems: list[str]
    summary: str


def required_statements(statements: Mapping[str, Statement], surface: Surface) -> dict[str, Statement]:
    """Return the statements that code has to cite: what is guaranteed of the parts that exist."""
    guaranteed = [s for s in statements.values() if s.level == "guaranteed"]
    return {s.id: s for s in guaranteed if not is_later(s, surface)}


def check(root: Path) -> Found:
    """Compare the reference with the statements.  Raises SpecError when the statements are wrong."""
    statements = load_statements(root / "spec/statements")
    retired = read_retired(root / "spec/retired.toml")[0]
    surface, problems = read_surface(root / "spec/surface.toml")
    scenarios, _ = load_scenarios(root / "conformance", statements)
    citations, unreadable = read_citations(root)
    reasons, wrong_reasons = read_not_cited(root / NOT_CITED)
    cited = {citation.id for citation in citations if citation.code} & {*statements}
    in_tests = {citation.id for citation in citations if not citation.code} & {*statements}
    required = required_statements(statements, surface)
    untested = {statement.id for statement in cover(statements, scenarios, surface, ()).untested}
    problems = [*problems, *unreadable, *wrong_reasons]
    problems += citation_problems(citations, statements, retired)
    problems += not_cited_problems(reasons, cited, required, statements, retired)
    problems += [
        f"{required[id].file.name}:{required[id].line}: {id} is {required[id].status}, and no scenario shows it: "
        "write one, or say in the record why it is untestable"
        for id in required
        if id in untested
    ]
    counts = f"{len(required)} guaranteed statements: {len({*required} & cited)} cited by code"
    excused = f"{len({*required} & {*reasons} - cited)} not, for a reason"
    return Found(problems, f"{counts}, {excused}; all in all code cites {len(cited)}, tests {len(in_tests)}")


def main() -> int:
    """Print what is found, and the numbers."""
    parser = argparse.ArgumentParser(description="Check the citations of statements in the reference.")
    parser.add_argument("--root", type=Path, default=ROOT, help="another project, for tests")
    try:
        found = check(parser.parse_args().root)
    except SpecError as error:
        print(error)
        return 1
    for problem in found.problems:
        print(problem)
    print(found.summary)
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main())
