# SPDX-License-Identifier: MIT
"""A reader of the plain part of YAML that the recipes are written in, for tests without a YAML library.

Block mappings and sequences, plain and quoted scalars, flow sequences of them, ``|`` blocks, comments.  What is
beyond that raises ValueError, so that a recipe stays plain.  Where an interpreter has PyYAML, a test compares.
"""

import re
from typing import Any

KEY = re.compile(r'("?)(?P<key>[\w.][\w. -]*)\1:(?: +(?P<value>.*))?')
BEYOND = "&*!{>%@`"  # what a scalar must not begin with


class _Lines:
    """The lines that are left: number of leading spaces, text.  Comments and empty lines are dropped late."""

    def __init__(self, text: str) -> None:
        self.lines = [(len(line) - len(line.lstrip(" ")), line.strip()) for line in text.splitlines()]

    def skip(self) -> None:
        """Drop comments and empty lines."""
        while self.lines and (not self.lines[0][1] or self.lines[0][1].startswith("#")):
            self.lines.pop(0)

    def indent(self) -> int:
        """Return how far the next line is indented, -1 at the end."""
        self.skip()
        return self.lines[0][0] if self.lines else -1


def read_yaml(text: str) -> Any:
    """Return the document.  Raises ValueError for what is not plain enough."""
    lines = _Lines(text)
    document = _node(lines, lines.indent())
    if lines.indent() >= 0:
        raise ValueError(f"not plain: {lines.lines[0][1]!r}")
    return document


def _node(lines: _Lines, indent: int) -> Any:
    is_list = lines.lines[0][1].startswith("- ")
    return _sequence(lines, indent) if is_list else _mapping(lines, indent)


def _sequence(lines: _Lines, indent: int) -> list[Any]:
    items = []
    while lines.indent() == indent and lines.lines[0][1].startswith("- "):
        rest = lines.lines[0][1][2:].lstrip()
        inner = indent + len(lines.lines[0][1]) - len(rest)
        if KEY.fullmatch(_without_comment(rest)):
            lines.lines[0] = (inner, rest)
            items.append(_mapping(lines, inner))
        else:
            lines.lines.pop(0)
            items.append(_value(lines, rest, indent))
    return items


def _mapping(lines: _Lines, indent: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while lines.indent() == indent:
        match = KEY.fullmatch(_without_comment(lines.lines[0][1]))
        if match is None or match["key"] in found:
            raise ValueError(f"not plain: {lines.lines[0][1]!r}")
        lines.lines.pop(0)
        if match["value"]:
            found[match["key"]] = _value(lines, match["value"], indent)
        else:
            deeper = lines.indent()
            found[match["key"]] = _node(lines, deeper) if deeper > indent else None
    return found


def _value(lines: _Lines, text: str, indent: int) -> Any:
    text = _without_comment(text)
    if text == "|":
        return _block(lines, indent)
    if text.startswith("["):
        return [_scalar(part.strip()) for part in text.removeprefix("[").removesuffix("]").split(",")]
    return _scalar(text)


def _block(lines: _Lines, indent: int) -> str:
    taken = []
    while lines.lines and (lines.lines[0][0] > indent or not lines.lines[0][1]):
        taken.append(lines.lines.pop(0))
    margin = taken[0][0]
    texts = ["" if not text else " " * (spaces - margin) + text for spaces, text in taken]
    return "\n".join(texts).rstrip("\n") + "\n"


def _scalar(text: str) -> Any:
    if text.startswith('"') and text.endswith('"') and text.count('"') == 2 and "\\" not in text:
        return text[1:-1]
    if not text or text[0] in BEYOND or text[0] in "\"'[|" or ": " in text:
        raise ValueError(f"not plain: {text!r}")
    words = {"true": True, "false": False, "null": None}
    return int(text) if text.isdecimal() else words.get(text, text)


def _without_comment(text: str) -> str:
    return (
        re.sub(r"(?:^| +)#.*", "", text) if '"' not in text or text.rpartition('"')[2].count(" #") else text
    )
