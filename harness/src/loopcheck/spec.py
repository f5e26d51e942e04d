# SPDX-License-Identifier: MIT
"""The statements: what the documentation promises, one record each, read from TOML files.

Scenarios cite statements by id.  Two things follow from the statements that a scenario cites: the
level of a difference it finds (how firmly the behaviour is promised) and the Python versions it
applies to.  Everything else in a record is for people.

One reader, ``_read_folder``, serves both ``lint_statements``, which returns every problem as a
sentence, and ``load_statements``, which refuses a folder that has any.  Invariant: a ``Statement``
that exists has passed every check, so code that receives one checks nothing again.

Versions are compared as releases.  A bound of two parts, such as "3.8", means 3.8.0.  A version
that is *asked about* with two parts means the newest release of that series, because that is what
"Python 3.8" on somebody's machine is: 3.8 lies after a bound of 3.8.1.

``python -m loopcheck.spec FOLDER`` prints the problems; it exits 0 if there are none, 1 if there are
some, 2 if it was called wrongly.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

Level = Literal["guaranteed", "observed", "free"]
Status = Literal["guaranteed", "deprecated", "implied", "platform", "undefined"]
Version = tuple[int, int] | tuple[int, int, int] | str

LEVELS: Final[tuple[Level, ...]] = ("guaranteed", "observed", "free")
"""Every level, the strongest promise first."""

LEVEL_OF_STATUS: Final[Mapping[Status, Level]] = {
    "guaranteed": "guaranteed",
    "deprecated": "guaranteed",
    "implied": "observed",
    "platform": "observed",
    "undefined": "free",
}

DOCUMENTS: Final[Mapping[str, str]] = {
    "000": "Python 3.14 alpha",
    "001": "Python 3.12 maintenance",
    "002": "Python 3.4 beta",
    "003": "Python 3.6",
    "004": "Python 3.12 alpha",
}
"""The documentation snapshots by number; spec/README.md describes them."""

_KEYS: Final = (
    "id",
    "names",
    "text",
    "documents",
    "doc",
    "since",
    "until",
    "status",
    "contradicted",
    "contradiction",
    "contradiction_since",
    "contradiction_until",
    "shown_by",
    "untestable",
    "test_idea",
)
_OPTIONAL_KEYS: Final = (
    "doc",
    "until",
    "contradicted",
    "contradiction",
    "contradiction_since",
    "contradiction_until",
    "shown_by",
    "untestable",
)
_NEWEST_PATCH: Final = sys.maxsize
_VERSION_FORM: Final = re.compile(r"[0-9]+\.[0-9]+(\.[0-9]+)?")
_ID_FORM: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+")
_DOC_FORM: Final = re.compile(
    r"https://docs\.python\.org/3\.[0-9]+/[a-z]+/[A-Za-z0-9._-]+\.html(#[A-Za-z0-9._-]+)?"
)
_SCENARIO_FORM: Final = re.compile(r"[a-z0-9_]+/[a-z0-9_]+")
_RECORD_LINE: Final = re.compile(r"\s*\[\[\s*statement\s*\]\]")
_TOML_ERROR_LINE: Final = re.compile(r"\(at line ([0-9]+), column [0-9]+\)")


class SpecError(ValueError):
    """The statements cannot be used as asked; the message says what is wrong and where."""


@dataclass(frozen=True)
class Statement:
    """One promise of the documentation, checked.

    ``since`` is the first version it holds for and ``until`` the first it no longer holds for, or
    None while it still holds.  ``doc`` is the section of the public documentation that says it.

    ``contradiction`` says what CPython does instead, ``shown_by`` names the scenario that shows it: either in
    single releases, ``contradicted``, which is a bug of theirs, or in all from ``contradiction_since`` to
    before ``contradiction_until``.  ``untestable`` says why no scenario can show the statement.

    ``file`` and ``line`` say where the record begins.
    """

    id: str
    names: tuple[str, ...]
    text: str
    documents: tuple[str, ...]
    since: str
    until: str | None
    status: Status
    test_idea: str
    file: Path
    line: int
    contradicted: tuple[str, ...] = ()
    doc: str = ""
    contradiction: str = ""
    contradiction_since: str | None = None
    contradiction_until: str | None = None
    shown_by: str = ""
    untestable: str = ""

    @property
    def part(self) -> str:
        """The file that the statement stands in, without its suffix: the part of the loop it is about."""
        return self.file.stem

    @property
    def level(self) -> Level:
        """How firmly the behaviour is promised, one of LEVELS."""
        return LEVEL_OF_STATUS[self.status]

    def holds_for(self, version: Version) -> bool:
        """Whether the statement holds for a Python version, "3.12", "3.8.1", (3, 12) or (3, 8, 1).

        Two parts mean the newest release of that series.  Raises ValueError if the version has
        another form.
        """
        return holds_between(self.since, self.until, version)


def holds_between(since: str | None, until: str | None, version: Version) -> bool:
    """Return whether a version lies in a range, since inclusive, until exclusive, None without bound."""
    release = _release(version)
    return (since is None or _bound(since) <= release) and (until is None or release < _bound(until))


def weakest_level(levels: Iterable[Level]) -> Level:
    """Return the weakest of several levels; raise ValueError if there is none or one is unknown."""
    given = list(levels)
    if not given:
        raise ValueError("There is no level to choose from; give at least one.")
    for level in given:
        if level not in LEVELS:
            raise ValueError(f"The level {level!r} is unknown; use one of {', '.join(LEVELS)}.")
    return max(given, key=LEVELS.index)


def intersect(statements: Iterable[Statement]) -> tuple[str | None, str | None]:
    """Return (since, until), the versions that all the statements hold for; None means unbounded.

    Raises SpecError, naming the two statements that exclude each other, if there is no such version.
    """
    given = list(statements)
    if not given:
        return None, None
    latest = max(given, key=lambda statement: _bound(statement.since))
    ends = [(statement.until, statement.id) for statement in given if statement.until is not None]
    if not ends:
        return latest.since, None
    until, ended = min(ends, key=lambda end: _bound(end[0]))
    if _bound(latest.since) >= _bound(until):
        raise SpecError(
            f"No version satisfies both {latest.id} (since {latest.since}) and {ended} (until {until}); "
            "cite them in separate scenarios."
        )
    return latest.since, until


def load_statements(folder: Path) -> dict[str, Statement]:
    """Read every ``*.toml`` file of a folder and return its statements by id, in file order.

    Raises SpecError with the first problem and the number of the others if there is any.
    """
    statements, problems = _read_folder(folder)
    if problems:
        others = len(problems) - 1
        rest = f" ({others} more {'problem' if others == 1 else 'problems'})" if others else ""
        raise SpecError(problems[0] + rest)
    return statements


def read_statements(folder: Path) -> dict[str, Statement]:
    """Return the statements of a folder that are right, by id; ``lint_statements`` says what is wrong."""
    return _read_folder(folder)[0]


def lint_statements(folder: Path) -> list[str]:
    """Return one sentence for each problem of the statements in a folder; none means all is well."""
    return _read_folder(folder)[1]


# ---- versions --------------------------------------------------------------------------------------------


def is_version(text: str) -> bool:
    """Return whether a text has the form of a version: "3.8" or "3.8.1"."""
    return _VERSION_FORM.fullmatch(text) is not None


def version_key(version: str) -> tuple[int, ...]:
    """Return what versions that bound a range are sorted by: "3.8" is 3.8.0."""
    return _bound(version)


def _parts(version: str) -> tuple[int, ...]:
    if not _VERSION_FORM.fullmatch(version):
        raise ValueError(f'The version "{version}" has the wrong form; write it as "3.8" or "3.8.1".')
    return tuple(int(part) for part in version.split("."))


def _bound(version: str) -> tuple[int, ...]:
    """Return a since or until as the release it names: "3.8" is 3.8.0."""
    return (*_parts(version), 0)[:3]


def _release(version: Version) -> tuple[int, ...]:
    """Return a version that is asked about as a release: "3.8" is the newest 3.8."""
    text = version if isinstance(version, str) else ".".join(map(str, version))
    return (*_parts(text), _NEWEST_PATCH)[:3]


# ---- reading ---------------------------------------------------------------------------------------------


def _read_folder(folder: Path) -> tuple[dict[str, Statement], list[str]]:
    """Return the statements that are right, by id, and a sentence for whatever is wrong."""
    if not folder.is_dir():
        return {}, [f"{folder} is not a folder; give the folder that holds the statement files (*.toml)."]
    files = sorted(folder.glob("*.toml"))
    if not files:
        return {}, [f"{folder} holds no statement file; give the folder that holds the *.toml files."]
    statements: dict[str, Statement] = {}
    problems: list[str] = []
    first_use: dict[str, str] = {}
    for file in files:
        records, file_problems = _read_file(file)
        problems += file_problems
        for line, record in records:
            where = f"{file}:{line}"
            found = [f"{where}: {_subject(record)}: {problem}." for problem in _record_problems(record)]
            problems += found
            # An id belongs to the first record that bears it, even if that record is wrong elsewhere.
            identity = record.get("id")
            if isinstance(identity, str) and first_use.setdefault(identity, where) != where:
                problems.append(
                    f"{where}: {identity}: the id is already used at {first_use[identity]}; choose another."
                )
            elif not found:
                statements[record["id"]] = _statement(record, file, line)
    return statements, problems


def _read_file(file: Path) -> tuple[list[tuple[int, dict[str, Any]]], list[str]]:
    """Return the raw records of a file, each with the line it begins on, and what is wrong with the file."""
    try:
        text = file.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        return [], [f"{file}: the file cannot be read as UTF-8 text: {error}."]
    except tomllib.TOMLDecodeError as error:
        return [], [f"{file}:{_error_line(error, text)}: this is not valid TOML: {error}."]
    problems = [
        f'{file}: the table or key "{key}" is unknown; a file holds [[statement]] records only.'
        for key in document
        if key != "statement"
    ]
    records = document.get("statement", [])
    lines = [number for number, line in enumerate(text.split("\n"), 1) if _RECORD_LINE.match(line)]
    if not isinstance(records, list) or len(lines) != len(records):
        problem = f"{file}: a record is not under a [[statement]] line of its own; begin each one with it."
        return [], [*problems, problem]
    if not records and not problems:
        problems.append(f"{file}: the file holds no statement; add one or delete the file.")
    return list(zip(lines, records, strict=True)), problems


def _error_line(error: tomllib.TOMLDecodeError, text: str) -> int:
    """Return the line of a syntax error; at the end of the text the parser names none."""
    match = _TOML_ERROR_LINE.search(str(error))
    return int(match[1]) if match else text.rstrip("\n").count("\n") + 1


def _subject(record: dict[str, Any]) -> str:
    identity = record.get("id")
    return identity if isinstance(identity, str) and identity.strip() else "a statement without an id"


def _statement(record: dict[str, Any], file: Path, line: int) -> Statement:
    return Statement(
        id=record["id"],
        names=tuple(record["names"]),
        text=record["text"],
        documents=tuple(record["documents"]),
        since=record["since"],
        until=record.get("until"),
        status=record["status"],
        test_idea=record["test_idea"],
        file=file,
        line=line,
        contradicted=tuple(record.get("contradicted", [])),
        doc=record.get("doc", ""),
        contradiction=record.get("contradiction", ""),
        contradiction_since=record.get("contradiction_since"),
        contradiction_until=record.get("contradiction_until"),
        shown_by=record.get("shown_by", ""),
        untestable=record.get("untestable", ""),
    )


# ---- checks: each returns what is wrong with a value, or "" ----------------------------------------------


def _id_problem(value: str) -> str:
    if _ID_FORM.fullmatch(value):
        return ""
    return f'"{value}" has the wrong form; write the object, a dot and the fact: "call_soon.fifo-order"'


def _sentence_problem(value: str) -> str:
    if not value.strip():
        return "is empty; write one sentence"
    return "must be one line" if "\n" in value else ""


def _version_problem(value: str) -> str:
    if _VERSION_FORM.fullmatch(value):
        return ""
    return f'"{value}" is not a version; write it as "3.8" or "3.8.1"'


def _status_problem(value: str) -> str:
    if value in LEVEL_OF_STATUS:
        return ""
    return f'"{value}" is unknown; use one of {", ".join(LEVEL_OF_STATUS)}'


def _names_problem(value: list[str]) -> str:
    return "" if value and all(map(str.strip, value)) else "must hold at least one name and no empty one"


def _documents_problem(value: list[str]) -> str:
    unknown = [number for number in value if number not in DOCUMENTS]
    return f'has no number "{unknown[0]}"; use {", ".join(DOCUMENTS)}' if unknown else ""


def _contradicted_problem(value: list[str]) -> str:
    wrong = [version for version in value if not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", version)]
    return f'has "{wrong[0]}", which is no release; write it as "3.13.0"' if wrong else ""


def _doc_problem(value: str) -> str:
    if _DOC_FORM.fullmatch(value):
        return ""
    return f'"{value}" is no section of the documentation; write "https://docs.python.org/3.14/library/..."'


def _scenario_problem(value: str) -> str:
    return "" if _SCENARIO_FORM.fullmatch(value) else f'"{value}" is no scenario; write "area/function"'


_STRING_CHECKS: Final[Mapping[str, Callable[[str], str]]] = {
    "id": _id_problem,
    "text": _sentence_problem,
    "since": _version_problem,
    "until": _version_problem,
    "status": _status_problem,
    "doc": _doc_problem,
    "contradiction": _sentence_problem,
    "contradiction_since": _version_problem,
    "contradiction_until": _version_problem,
    "shown_by": _scenario_problem,
    "untestable": _sentence_problem,
    "test_idea": _sentence_problem,
}
_ARRAY_CHECKS: Final[Mapping[str, Callable[[list[str]], str]]] = {
    "names": _names_problem,
    "documents": _documents_problem,
    "contradicted": _contradicted_problem,
}


def _value_problem(key: str, value: Any) -> str:
    """Return what is wrong with the value of a known key: its type first, then what it says."""
    if key in _STRING_CHECKS:
        return _STRING_CHECKS[key](value) if isinstance(value, str) else "must be a string"
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return "must be an array of strings"
    repeated = sorted(item for item in set(value) if value.count(item) > 1)
    return f'must not repeat "{repeated[0]}"' if repeated else _ARRAY_CHECKS[key](value)


def _record_problems(record: dict[str, Any]) -> list[str]:
    """Return what is wrong with one record, each as a sentence without its full stop."""
    known = ", ".join(_KEYS)
    problems = [f'the key "{key}" is unknown; a record has {known}' for key in record if key not in _KEYS]
    problems += [
        f"{key} is missing; add it" for key in _KEYS if key not in record and key not in _OPTIONAL_KEYS
    ]
    wrong: dict[str, str] = {key: _value_problem(key, record[key]) for key in _KEYS if key in record}
    problems += [f"{key} {problem}" for key, problem in wrong.items() if problem]
    for since, until in (("since", "until"), ("contradiction_since", "contradiction_until")):
        if wrong.get(since) == wrong.get(until) == "" and _bound(record[since]) >= _bound(record[until]):
            problems.append(f"{since} {record[since]} must be earlier than {until} {record[until]}")
    return problems + _contradiction_problems(record)


def _contradiction_problems(record: dict[str, Any]) -> list[str]:
    """Return which keys about contradictions and about what is untestable do not go together."""
    span, releases = "contradiction_since" in record, "contradicted" in record
    rules = {
        "contradiction and shown_by go together": ("contradiction" in record) != ("shown_by" in record),
        "contradiction needs either contradicted or contradiction_since": "contradiction" in record
        and span == releases,
        "contradicted needs contradiction": releases and "contradiction" not in record,
        "contradiction_since needs contradiction": span and "contradiction" not in record,
        "contradiction_until needs contradiction_since": "contradiction_until" in record and not span,
        "untestable excludes shown_by": "untestable" in record and "shown_by" in record,
    }
    return [rule for rule, broken in rules.items() if broken]


# ---- command ---------------------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """Print the problems of the folder named by the only argument and return the exit status."""
    if len(arguments) != 1:
        print("usage: python -m loopcheck.spec FOLDER", file=sys.stderr)
        return 2
    problems = lint_statements(Path(arguments[0]))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
