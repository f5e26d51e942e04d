# SPDX-License-Identifier: MIT
"""Conditions of baseline entries: ``when = "python_version >= '3.12' and loop_version < '0.23'"``.

A condition is a PEP 508 marker, the words that Python users know from requirements, with one more variable:
``loop_version``, the version of the package that the loop under test comes from.  It is about the *target's*
interpreter, as the header of the results describes it, never about the interpreter that reads the baseline:
so reading results elsewhere, or later, gives the same verdicts.  What the header does not tell, or not in a
form that compares (``implementation_version``, ``platform_release``, ``extra``, ...), cannot be asked.

The other direction is here too: ``marker_between`` finds a condition that holds where a difference shows and
not where it does not.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.version import InvalidVersion, Version

Environment = dict[str, str]

VERSIONS = ("loop_version", "python_version", "python_full_version")
VARIABLES = (
    *VERSIONS,
    "implementation_name",
    "platform_python_implementation",
    "sys_platform",
    "platform_system",
    "platform_machine",
    "os_name",
)
# packaging knows no loop_version.  In its place stands a variable that it compares as a version, too, and that
# the header does not tell.
STAND_IN = "implementation_version"
WORDS = ("and", "or", "not", "in")
TOKEN = re.compile(r"""'[^']*'|"[^"]*"|[A-Za-z_][\w.]*""")
QUOTED = r"""['"]([^'"]*)['"]"""
OPERATOR = r"\s*(===|[<>=!~]=|[<>])\s*"
VERSION_COMPARISONS = (
    re.compile(rf"\b(?:{'|'.join(VERSIONS)}){OPERATOR}{QUOTED}"),
    re.compile(rf"{QUOTED}{OPERATOR}(?:{'|'.join(VERSIONS)})\b"),
)
IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalVM"}
PLATFORMS = {"Linux": "linux", "macOS": "darwin", "Darwin": "darwin", "Windows": "win32"}
MACHINE = re.compile(
    r"-(x86_64|amd64|AMD64|i[3-6]86|aarch64|arm64|armv\w+|ppc64le|s390x|riscv64|loongarch64)(?=-|$)"
)


class ConditionError(Exception):
    """What is no condition; the text says why, without a full stop."""


@dataclass(frozen=True)
class Condition:
    """A marker; the empty text holds everywhere."""

    text: str = ""
    marker: Marker | None = field(default=None, compare=False)

    def holds(self, environment: Mapping[str, str]) -> bool:
        """Return whether it holds in an environment.

        A condition on the loop's version does not hold where the version is not known.
        """
        if self.marker is None:
            return True
        if STAND_IN in str(self.marker) and not is_version(environment["loop_version"]):
            return False
        given = {name: value for name, value in environment.items() if name != "loop_version"}
        given.update({STAND_IN: environment["loop_version"], "platform_version": "", "platform_release": ""})
        return self.marker.evaluate(given)


def parse_condition(text: str) -> Condition:
    """Return the condition that text states.  Raises ConditionError."""
    if not text.strip():
        return Condition()
    _check_words(TOKEN.findall(text))
    forwards, backwards = VERSION_COMPARISONS
    compared = [version for _, version in forwards.findall(text)]
    for version in [*compared, *(version for version, _ in backwards.findall(text))]:
        if not is_version(version.removesuffix(".*")):
            raise ConditionError(f"{version!r} is no version")
    try:
        marker = Marker(_with_stand_in(text))
        sample = dict.fromkeys(VARIABLES, "1")
        condition = Condition(text, marker)
        condition.holds(sample)
    except InvalidMarker as exc:
        raise ConditionError(str(exc).splitlines()[0].replace(STAND_IN, "loop_version")) from None
    except (UndefinedComparison, UndefinedEnvironmentName, InvalidVersion):
        raise ConditionError("it compares what cannot be compared so") from None
    return condition


def _check_words(tokens: Sequence[str]) -> None:
    """Raise ConditionError for a variable that there is not, or one that is compared with no text."""
    texts = [token for token in tokens if token[0] in "'\""]
    names = [token for token in tokens if token[0] not in "'\"" and token not in WORDS]
    for name in names:
        if name not in VARIABLES:
            raise ConditionError(f"{name} is none of its variables: {', '.join(VARIABLES)}")
    if len(names) != len(texts):
        raise ConditionError("each comparison has a variable and a text in quotes")


def _with_stand_in(text: str) -> str:
    return TOKEN.sub(lambda found: STAND_IN if found[0] == "loop_version" else found[0], text)


def is_version(text: str) -> bool:
    """Return whether text is a version that can be compared."""
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


# ---- environments ----------------------------------------------------------------------------------------


def environment_of(about: Mapping[str, Any], platform: str) -> Environment:
    """Return the environment of a target.

    about: the target as the header of the results describes it.  platform: the header's, such as
    ``Linux-6.1.0-x86_64-with-glibc2.36``.
    """
    python = about["python"].rstrip("+")  # a build from a working copy says 3.14.0rc1+
    system = platform.partition("-")[0]
    machine = next(reversed(list(MACHINE.finditer(platform))), None)  # a release can be 6.1.0-18-amd64
    return {
        "loop_version": about["version"],
        "python_version": ".".join(re.findall(r"\d+", python)[:2]),
        "python_full_version": python,
        "implementation_name": about["implementation"],
        "platform_python_implementation": IMPLEMENTATIONS.get(
            about["implementation"], about["implementation"]
        ),
        "sys_platform": PLATFORMS.get(system, system.lower()),
        "platform_system": "Darwin" if system == "macOS" else system,
        "platform_machine": machine[1] if machine else "",
        "os_name": "nt" if system == "Windows" else "posix",
    }


# ---- from environments to a condition --------------------------------------------------------------------


def marker_between(shown: Sequence[Environment], unshown: Sequence[Environment]) -> str | None:
    """Return a marker that holds in the first environments and not in the second, in the simplest terms.

    It is empty where there is nothing to keep apart, and None where no marker can: the same environment is on
    both sides.
    """
    if not unshown:
        return ""
    tries = (
        _by_implementation(shown, unshown),
        _by_version("python_version", shown, unshown),
        _by_version("loop_version", shown, unshown),
        _by_version_of_each_implementation(shown, unshown),
        _by_version("python_full_version", shown, unshown),
    )
    return next((text for text in tries if text and _separates(text, shown, unshown)), None)


def _separates(text: str, shown: Sequence[Environment], unshown: Sequence[Environment]) -> bool:
    condition = parse_condition(text)
    return all(map(condition.holds, shown)) and not any(map(condition.holds, unshown))


def _values(variable: str, environments: Sequence[Environment]) -> list[str]:
    return sorted({environment[variable] for environment in environments})


def _by_implementation(shown: Sequence[Environment], unshown: Sequence[Environment]) -> str | None:
    ours = _values("implementation_name", shown)
    if set(ours) & set(_values("implementation_name", unshown)):
        return None
    return " or ".join(f"implementation_name == '{name}'" for name in ours)


def _by_version(variable: str, shown: Sequence[Environment], unshown: Sequence[Environment]) -> str | None:
    """Return a marker made of spans of versions, or None if a version is on both sides or is none."""
    ours, theirs = _values(variable, shown), _values(variable, unshown)
    if set(ours) & set(theirs) or not all(map(is_version, [*ours, *theirs])):
        return None
    spans: list[str] = []
    begin, below = "", ""  # the first version of the span that is open; the last one outside, before it
    for version in sorted([*ours, *theirs], key=Version):
        if version in ours:
            begin = begin or version
            continue
        if begin:
            spans.append(_span(variable, begin if below else "", version))
        begin, below = "", version
    if begin:
        spans.append(_span(variable, begin, ""))
    return _any_of(spans)


def _span(variable: str, begin: str, end: str) -> str:
    """Return the marker of a span; begin is in it, end is not; either may be open."""
    bounds = [f"{variable} >= '{begin}'"] * bool(begin) + [f"{variable} < '{end}'"] * bool(end)
    return " and ".join(bounds)


def _by_version_of_each_implementation(
    shown: Sequence[Environment], unshown: Sequence[Environment]
) -> str | None:
    parts = []
    for name in _values("implementation_name", shown):
        ours = [e for e in shown if e["implementation_name"] == name]
        theirs = [e for e in unshown if e["implementation_name"] == name]
        spans = _by_version("python_version", ours, theirs) if theirs else ""
        if spans is None:
            return None
        parts.append(both(f"implementation_name == '{name}'", spans))
    return _any_of(parts)


def _any_of(parts: Sequence[str]) -> str:
    return " or ".join(parts)


def both(one: str, other: str) -> str:
    """Return the marker that holds where both do."""
    parts = [f"({part})" if " or " in part and one and other else part for part in (one, other) if part]
    return " and ".join(parts)
