# SPDX-License-Identifier: MIT
"""A baseline file, read: TOML in, entries with their line numbers out, or one sentence that says what is wrong.

    [[known]]
    scenario = "timers/zero_delay_returns_a_timer_handle"   # an id, or a pattern such as "timers/*"
    target = "uvloop"                                       # as reports name it, without @INTERPRETER
    signature = "value:value:zero"                          # which difference: axis:kind:event
    reason = "uvloop takes a delay of zero for call_soon()" # why it is accepted, for people
    url = "https://..."                                     # optional: where it is discussed
    when = "loop_version < '1.0'"                           # optional: where it is so (baseline_when.py)
    expires = 2027-03-01                                    # optional: the last day on which it excuses
    intermittent = true                                     # optional: it need not show in every run

Everything is checked here, so nothing after it meets a malformed entry.
"""

import datetime
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from .baseline_when import Condition, ConditionError, parse_condition
from .vocabulary import KINDS

REQUIRED = ("scenario", "target", "signature", "reason")
OPTIONAL = ("url", "when", "expires", "intermittent")
PROCESS = re.compile(r"process:(crash:.+|hang:.*)", re.DOTALL)
TO_EXPLAIN = "TO EXPLAIN"  # how a reason begins that nobody has thought about yet

# What a line may hold, so that a header is told from the same characters in a text or a comment.
LEXEMES = re.compile(
    r'"""(?:\\.|[^\\])*?"""'
    r"|'''.*?'''"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|(?P<comment>\#[^\n]*)"
    r"|(?P<header>^[ \t]*\[\[)",
    re.DOTALL | re.MULTILINE,
)


EVERYWHERE = Condition()


class BaselineError(Exception):
    """A baseline that cannot be read or written; the text is one sentence with file and line."""


@dataclass(frozen=True)
class Entry:
    """One accepted difference.  line: where it begins in the file.  expires: the last day it excuses."""

    line: int
    scenario: str
    target: str
    signature: str
    reason: str
    url: str = ""
    condition: Condition = EVERYWHERE
    expires: datetime.date | None = None
    intermittent: bool = False

    @property
    def is_pattern(self) -> bool:
        """Whether it is about every scenario that a pattern fits, not about one."""
        return is_pattern(self.scenario)

    @property
    def is_explained(self) -> bool:
        """Whether somebody has said why the difference is accepted."""
        return not self.reason.startswith(TO_EXPLAIN)

    def record(self) -> dict[str, Any]:
        """Return what a results file says about the entry that was applied."""
        return {
            "signature": self.signature,
            "reason": self.reason,
            "url": self.url,
            "expires": self.expires.isoformat() if self.expires else "",
            "line": self.line,
        }


def is_pattern(text: str) -> bool:
    """Return whether text is a glob pattern."""
    return any(character in text for character in "*?[")


def read_text(file: Path) -> str:
    """Return the text of a baseline file, its line ends as they are.  Raises BaselineError."""
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise BaselineError(
            f"there is no baseline {file}; loopcheck baseline update makes one from results"
        ) from None
    except UnicodeDecodeError:
        raise BaselineError(f"the baseline {file} is no UTF-8 text") from None
    except OSError as exc:
        raise BaselineError(f"the baseline {file} cannot be read: {exc.strerror}") from exc


def parse_entries(text: str, file: str) -> tuple[Entry, ...]:
    """Return the entries in the text of a baseline.  file: its name, for errors.  Raises BaselineError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        line = re.search(r"line (\d+)", str(exc))
        at = int(line[1]) if line else text.rstrip().count("\n") + 1
        message = re.sub(r" \(at .*\)$", "", str(exc))
        _fail(file, at, f"this is no TOML: {message}")
    for key in document:
        if key != "known":
            _fail(file, _line_of(text, key), f"{key!r} means nothing in a baseline, which has [[known]] only")
    tables = document.get("known", [])
    lines = header_lines(text)
    if not isinstance(tables, list) or len(lines) != len(tables):
        _fail(file, _line_of(text, "known"), "an entry begins with a line [[known]]")
    return tuple(_entry(table, line, file) for table, line in zip(tables, lines, strict=True))


def header_lines(text: str) -> list[int]:
    """Return the numbers, from 1, of the lines that begin an entry."""
    return [
        text.count("\n", 0, found.start()) + 1
        for found in LEXEMES.finditer(text)
        if found.lastgroup == "header"
    ]


def _line_of(text: str, key: str) -> int:
    """Return the number of the first line that begins with a key, for an error."""
    found = re.search(rf"^[ \t]*\[*[ \t]*[\"']?{re.escape(key)}\b", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _fail(file: str, line: int, what: str) -> NoReturn:
    raise BaselineError(f"{file}:{line}: {what}")


def _entry(table: Mapping[str, Any], line: int, file: str) -> Entry:
    try:
        return entry_of(table, line)
    except ValueError as exc:
        _fail(file, line, str(exc))


def entry_of(table: Mapping[str, Any], line: int) -> Entry:
    """Return the entry that a table states.  Raises ValueError, which says what is wrong with it."""
    for key in table:
        if key not in (*REQUIRED, *OPTIONAL):
            raise ValueError(f"an entry has no key {key!r}; it has {', '.join((*REQUIRED, *OPTIONAL))}")
    texts = {key: _text(table, key) for key in REQUIRED}
    _check_target(texts["target"])
    _check_signature(texts["signature"])
    url = _text(table, "url") if "url" in table else ""
    if url and not re.match(r"https?://\S+$", url):
        raise ValueError(f"url is {url!r}, which is no address: it begins with https://")
    intermittent = table.get("intermittent", False)
    if not isinstance(intermittent, bool):
        raise ValueError("intermittent must be true or false")
    condition = _condition(table)
    return Entry(line, **texts, url=url, condition=condition, expires=_date(table), intermittent=intermittent)


def _text(table: Mapping[str, Any], key: str) -> str:
    if key not in table:
        raise ValueError(f"the entry has no {key}; it needs {', '.join(REQUIRED)}")
    if not isinstance(table[key], str):
        raise ValueError(f"{key} must be a text, in quotes")
    if not table[key].strip():
        raise ValueError(f"{key} is empty" + ("; say why the difference is accepted" * (key == "reason")))
    return str(table[key])


def _check_target(target: str) -> None:
    if "@" in target:
        raise ValueError(
            f"target is {target!r}: name the loop only, and the interpreter with "
            "when, as in when = \"python_version == '3.12'\""
        )


def _check_signature(signature: str) -> None:
    axis, _, rest = signature.partition(":")
    kind, colon, _ = rest.partition(":")
    if PROCESS.fullmatch(signature) or (colon and kind in KINDS and KINDS[kind].axis == axis):
        return
    if kind in KINDS and colon:
        raise ValueError(f"signature is {signature!r}, but {kind} belongs to the axis {KINDS[kind].axis}")
    raise ValueError(
        f"signature is {signature!r}, which is not of the form axis:kind:event, "
        "process:crash:SIGNAL or process:hang:event"
    )


def _condition(table: Mapping[str, Any]) -> Condition:
    when = table.get("when", "")
    if not isinstance(when, str):
        raise ValueError("when must be a text, in quotes")
    try:
        return parse_condition(when)
    except ConditionError as exc:
        raise ValueError(f"when is {when!r}, which is no condition: {exc}") from None


def _date(table: Mapping[str, Any]) -> datetime.date | None:
    value = table.get("expires")
    if isinstance(value, str):
        try:
            return datetime.datetime.strptime(value, "%Y-%m-%d").date()
        except ValueError:
            raise ValueError(f"expires is {value!r}, which is no date such as 2027-03-01") from None
    if value is not None and (not isinstance(value, datetime.date) or isinstance(value, datetime.datetime)):
        raise ValueError(f"expires is {value}, which is no date such as 2027-03-01")
    return value
