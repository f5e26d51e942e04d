# SPDX-License-Identifier: MIT
"""From a Python value to JSON that two interpreters can be compared by.

The idea: what a loop's author could change without changing behaviour must not show.  Addresses, temporary
paths, descriptor numbers and durations are replaced in every string; an object that is not plain data is
reduced to the name of its type; an exception to its structure.

Forms (the judge in ``loopcheck/values.py`` reads them):

    None, bool, int, float, str      themselves
    [..]                             a list
    {"tuple": [..]}  {"set": [..]}   the other collections; a set is sorted
    {"dict": {..}}                   keys as text
    {"bytes": "b'..'"}               long ones cut, with "length" and "crc"
    {"type": "TimerHandle"}          a class, by its bare name
    {"exc": "OSError", "errno": "EBADF", "msg": .., "cause": .., "members": [..]}
    {"obj": "socket"}                anything else
"""

import errno
import math
import re
import zlib
from typing import Any, Dict, List, Tuple

LONGEST_BYTES = 64

_replacements: List[Tuple["re.Pattern[str]", str]] = [
    (re.compile(r"\b0x[0-9a-fA-F]{4,}\b"), "0x…"),
    (re.compile(r"\bfd=\d+"), "fd=…"),
    (re.compile(r"\b([lr]addr=\('[^']*', )\d+"), r"\1…"),  # a port that the system chose
    (re.compile(r"\b(pid|subprocess)([ =])\d+"), r"\1\2…"),
    (re.compile(r"\b\d+\.\d+ seconds"), "… seconds"),
    (re.compile(r"\b\d+\.\d+s\b"), "…s"),
    (re.compile(r"\bTask-\d+\b"), "Task-…"),
    (re.compile(r"\bid=\d{6,}"), "id=…"),
    (re.compile(r"\bwhen=\d+(\.\d+)?"), "when=…"),
    (re.compile(r" created at [^\s>\]]+\.pyx?:\d+"), ""),  # in which of a loop's own files, or by whom
    (re.compile(r" at (?:/[^\s:/'\"<>]+)*/asyncio/[^\s:/'\"<>]+\.py:\d+"), ""),  # a place in asyncio itself
    (re.compile(r"(?:/[^\s:/'\"<>]+)+/([^\s:/'\"<>]+\.pyx?):\d+"), r"\1:…"),  # a source line
    (re.compile(r"\bFile descriptor \d+"), "File descriptor …"),
    (re.compile(r"\b(Read|Write) pipe \d+ connected"), r"\1 pipe … connected"),
]


def hide_path(path: str, name: str) -> None:
    """From now on replace path by ``<name>`` in every string."""
    _replacements.insert(0, (re.compile(re.escape(path)), "<%s>" % name))


def plain_text(text: str) -> str:
    """Return text without addresses, descriptor numbers, durations and hidden paths."""
    for pattern, replacement in _replacements:
        text = pattern.sub(replacement, text)
    return text


def plain(value: Any, depth: int = 0) -> Any:
    """Return value in one of the forms above.  Never raises for the value's sake."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, type):
        return {"type": value.__name__}
    if isinstance(value, BaseException):
        return plain_exception(value, depth)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _plain_bytes(bytes(value))
    if depth > 8:
        return {"obj": type(value).__name__}
    return _plain_collection(value, depth + 1)


def _plain_collection(value: Any, depth: int) -> Any:
    if type(value) is list:
        return [plain(item, depth) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [plain(item, depth) for item in value]}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted((plain(item, depth) for item in value), key=repr)}
    if isinstance(value, dict):
        return {"dict": {plain_text(_text_of(key)): plain(item, depth) for key, item in value.items()}}
    return {"obj": type(value).__name__}


def _plain_bytes(data: bytes) -> Dict[str, Any]:
    if len(data) <= LONGEST_BYTES:
        return {"bytes": repr(data)}
    return {"bytes": repr(data[:LONGEST_BYTES]) + "…", "length": len(data), "crc": zlib.crc32(data)}


def plain_exception(exc: BaseException, depth: int = 0) -> Dict[str, Any]:
    """Return an exception's structure: class, errno by name, cause chain, members of a group."""
    form: Dict[str, Any] = {"exc": type(exc).__name__, "msg": plain_text(_text_of(exc))}
    number = getattr(exc, "errno", None)
    if isinstance(exc, OSError) and number is not None:
        form["errno"] = errno.errorcode.get(number, number)
    if exc.__cause__ is not None and depth < 8:
        form["cause"] = plain_exception(exc.__cause__, depth + 1)
    members = getattr(exc, "exceptions", None)
    if isinstance(members, (tuple, list)) and depth < 8:
        form["members"] = [plain_exception(member, depth + 1) for member in members]
    return form


def _text_of(value: Any) -> str:
    try:
        return str(value)
    except Exception as error:
        return "<str() raised %s>" % type(error).__name__
