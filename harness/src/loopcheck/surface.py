# SPDX-License-Identifier: MIT
"""The surface: every documented name with its parameters, read from ``spec/surface.toml``.

Statements say what is promised; the surface says what there is to make promises about.  Coverage asks of each
name whether a scenario calls it, and the linter asks of each statement whether its names exist.

A record is checked as a whole, and every problem is one sentence with the file and the name.  Invariant: a
``Name`` that exists has passed every check.  What a parameter does not say, it has from its name: ``since``,
``documents``; what a name does not say is "everywhere", "still there", "nothing changed".
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from .spec import DOCUMENTS, Version, holds_between, is_version, version_key

KINDS: Final = (
    "function",
    "coroutine",
    "method",
    "class",
    "attribute",
    "exception",
    "warning",
    "constant",
    "context key",
    "environment variable",
    "interpreter option",
    "module",
)
PARAMETER_KINDS: Final = ("positional", "keyword", "varargs", "varkw", "forbidden")
"""How a parameter is given: positional may be by keyword too, forbidden must not be given at all."""

MODULES: Final = ("asyncio.", "concurrent.futures.", "ssl.")
"""What may be left out in front of a name, or added to it."""

_KEYS: Final[Mapping[str, type]] = {
    "name": str,
    "part": str,
    "kind": str,
    "signature": str,
    "since": str,
    "changed": list,
    "removed": str,
    "availability": str,
    "documents": list,
    "errors": list,
    "parameters": list,
}
_NEEDED: Final = ("name", "part", "kind", "since", "documents")
_PARAMETER_KEYS: Final[Mapping[str, type]] = {
    "name": str,
    "kind": str,
    "default": str,
    "since": str,
    "changed": list,
    "removed": str,
    "documents": list,
    "cpython": str,
}
_TYPE_WORDS: Final[Mapping[type, str]] = {str: "a string", list: "an array"}


class SurfaceError(ValueError):
    """The surface cannot be used; the message says what is wrong and where."""


@dataclass(frozen=True)
class Change:
    """What a version did to a name or a parameter."""

    version: str
    what: str


@dataclass(frozen=True)
class Parameter:
    """One parameter.  ``given_as`` is the keyword that CPython takes it by."""

    name: str
    kind: str
    default: str | None
    since: str
    changed: tuple[Change, ...]
    removed: str | None
    documents: tuple[str, ...]
    given_as: str

    def exists_in(self, version: Version) -> bool:
        """Whether a version of Python has it."""
        return holds_between(self.since, self.removed, version)


@dataclass(frozen=True)
class Name:
    """One documented name.  ``removed`` is the first version without it, None while it is there."""

    name: str
    part: str
    kind: str
    signature: str
    since: str
    changed: tuple[Change, ...]
    removed: str | None
    availability: str
    documents: tuple[str, ...]
    errors: tuple[str, ...]
    parameters: tuple[Parameter, ...]

    def exists_in(self, version: Version) -> bool:
        """Whether a version of Python has it."""
        return holds_between(self.since, self.removed, version)


@dataclass(frozen=True)
class Surface:
    """All names, in the order of the file, and the parts they belong to.

    parts: title by part.  later: the parts that nothing is built or tested of yet.
    """

    names: Mapping[str, Name] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    later: frozenset[str] = frozenset()

    def find(self, name: str) -> Name | None:
        """Return the record of a name, with or without its module in front; None when there is none."""
        return next((self.names[form] for form in _forms(name) if form in self.names), None)

    def has_parameter(self, parameter: str) -> bool:
        """Whether a name has a parameter that is called so."""
        return any(parameter == each.name for name in self.names.values() for each in name.parameters)


def _forms(name: str) -> Iterator[str]:
    yield name
    for module in MODULES:
        yield name.removeprefix(module)
        yield module + name


def load_surface(file: Path) -> Surface:
    """Return the surface that a file describes.

    Raises SurfaceError with the first problem and the number of the others if there is any.
    """
    surface, problems = read_surface(file)
    if problems:
        others = len(problems) - 1
        raise SurfaceError(problems[0] + (f" ({others} more)" if others else ""))
    return surface


def lint_surface(file: Path) -> list[str]:
    """Return one sentence for each problem of the surface; none means all is well."""
    return read_surface(file)[1]


def read_surface(file: Path) -> tuple[Surface, list[str]]:
    """Return what is right in a file, and one sentence for each problem."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return Surface(), [f"{file}: the file cannot be read as UTF-8 text: {error}."]
    except tomllib.TOMLDecodeError as error:
        return Surface(), [f"{file}: this is not valid TOML: {error}."]
    problems = [f"{file}: {problem}." for problem in _document_problems(document)]
    if problems:
        return Surface(), problems
    parts: dict[str, str] = document["parts"]
    names: dict[str, Name] = {}
    for record in document["name"]:
        found = [*_record_problems(record, parts)]
        identity = record.get("name", "a name without a name")
        if identity in names:
            found.append("the name is already described above; keep one record")
        problems += [f"{file}: {identity}: {problem}." for problem in found]
        if not found:
            names[identity] = _name(record)
    surface = Surface(names, parts, frozenset(document["later"]))
    problems += [f"{file}: {problem}." for problem in _surface_problems(surface)]
    return surface, problems


# ---- checks: each yields what is wrong, without the full stop ------------------------------------------------


def _document_problems(document: dict[str, Any]) -> Iterator[str]:
    shapes: dict[str, type] = {"later": list, "parts": dict, "name": list}
    for key in document:
        if key not in shapes:
            yield f'the table or key "{key}" is unknown; the file has {", ".join(shapes)}'
    for key, shape in shapes.items():
        if not isinstance(document.get(key), shape):
            yield f"{key} is missing or has the wrong form"
    if isinstance(document.get("name"), list) and not all(isinstance(r, dict) for r in document["name"]):
        yield "a name is not under a [[name]] line"


def _record_problems(record: dict[str, Any], parts: Mapping[str, str]) -> Iterator[str]:
    wrong = [*_shape_problems(record, _KEYS, _NEEDED)]
    yield from wrong
    if wrong:
        return
    if record["part"] not in parts:
        yield f'part "{record["part"]}" is unknown; [parts] lists them'
    if record["kind"] not in KINDS:
        yield f'kind "{record["kind"]}" is unknown; use one of {", ".join(KINDS)}'
    errors = record.get("errors", [])
    if not all(isinstance(error, str) for error in errors):
        yield "errors must be an array of strings"
    elif len(set(errors)) < len(errors):
        yield "errors repeats one"
    yield from _span_problems(record)
    seen: set[str] = set()
    for parameter in record.get("parameters", []):
        if not isinstance(parameter, dict):
            yield "parameters must be tables: { name = ... }"
            return
        about = parameter.get("name", "without a name")
        for problem in _parameter_problems(parameter, record):
            yield f"parameter {about}: {problem}"
        if about in seen:
            yield f"parameter {about}: it is already described above"
        seen.add(about)


def _parameter_problems(parameter: dict[str, Any], record: dict[str, Any]) -> Iterator[str]:
    wrong = [*_shape_problems(parameter, _PARAMETER_KEYS, ("name",))]
    yield from wrong
    if wrong:
        return
    kind = parameter.get("kind", "positional")
    if kind not in PARAMETER_KINDS:
        yield f'kind "{kind}" is unknown; use one of {", ".join(PARAMETER_KINDS)}'
    inherited = {"since": record["since"], "documents": record["documents"]}
    if is_version(record["since"]):
        yield from _span_problems({**inherited, **parameter})
        since = parameter.get("since", record["since"])
        if is_version(since) and version_key(since) < version_key(record["since"]):
            yield f"since {since} is before that of its name, {record['since']}"


def _shape_problems(
    record: dict[str, Any], keys: Mapping[str, type], needed: tuple[str, ...]
) -> Iterator[str]:
    for key, value in record.items():
        if key not in keys:
            yield f'the key "{key}" is unknown; there is {", ".join(keys)}'
        elif not isinstance(value, keys[key]):
            yield f"{key} must be {_TYPE_WORDS[keys[key]]}"
        elif value == "":
            yield f"{key} is empty; leave it out"
    for key in needed:
        if key not in record:
            yield f"{key} is missing; add it"


def _span_problems(record: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with since, removed, changed and documents."""
    since, removed = record["since"], record.get("removed")
    for key, version in (("since", since), ("removed", removed)):
        if version is not None and not is_version(version):
            yield f'{key} "{version}" is not a version; write it as "3.8" or "3.8.1"'
            return
    if removed is not None and version_key(removed) <= version_key(since):
        yield f"removed {removed} must be later than since {since}"
    documents = record["documents"]
    unknown = [number for number in documents if number not in DOCUMENTS]
    if unknown:
        yield f'documents has no number "{unknown[0]}"; use {", ".join(DOCUMENTS)}'
    elif documents != sorted(set(documents)):
        yield "documents must be sorted, each number once"
    yield from _change_problems(record.get("changed", []), since, removed)


def _change_problems(changed: list[Any], since: str, removed: str | None) -> Iterator[str]:
    before = since
    for change in changed:
        if not isinstance(change, dict) or {*change} != {"version", "what"}:
            yield "each change must be { version = ..., what = ... }"
            return
        version = change["version"]
        if not isinstance(version, str) or not is_version(version):
            yield f'the change "{version}" is not a version; write it as "3.8" or "3.8.1"'
            return
        if version_key(version) <= version_key(since) or version_key(version) < version_key(before):
            yield f"the change of {version} is out of order: it must come after since and after the one above it"
        if removed is not None and version_key(version) >= version_key(removed):
            yield f"the change of {version} is not before removed {removed}"
        before = version


def _surface_problems(surface: Surface) -> Iterator[str]:
    for part in sorted(surface.later - {*surface.parts}):
        yield f'later has "{part}", which is no part'
    for part in surface.parts:
        if not any(name.part == part for name in surface.names.values()):
            yield f'the part "{part}" has no name'
    for name in surface.names.values():
        for error in name.errors:
            found = surface.find(error)
            if found is None or found.kind not in ("exception", "warning"):
                yield f"{name.name}: errors has {error}, which is no exception of the surface"


# ---- from records --------------------------------------------------------------------------------------------


def _name(record: dict[str, Any]) -> Name:
    return Name(
        name=record["name"],
        part=record["part"],
        kind=record["kind"],
        signature=record.get("signature", ""),
        since=record["since"],
        changed=_changes(record),
        removed=record.get("removed"),
        availability=record.get("availability", ""),
        documents=tuple(record["documents"]),
        errors=tuple(record.get("errors", [])),
        parameters=tuple(_parameter(parameter, record) for parameter in record.get("parameters", [])),
    )


def _parameter(parameter: dict[str, Any], record: dict[str, Any]) -> Parameter:
    return Parameter(
        name=parameter["name"],
        kind=parameter.get("kind", "positional"),
        default=parameter.get("default"),
        since=parameter.get("since", record["since"]),
        changed=_changes(parameter),
        removed=parameter.get("removed", record.get("removed")),
        documents=tuple(parameter.get("documents", record["documents"])),
        given_as=parameter.get("cpython", parameter["name"]),
    )


def _changes(record: dict[str, Any]) -> tuple[Change, ...]:
    return tuple(Change(change["version"], change["what"]) for change in record.get("changed", []))
