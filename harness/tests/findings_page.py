# SPDX-License-Identifier: MIT
"""The table of docs/findings.md, row by row."""

import re
from dataclasses import dataclass
from pathlib import Path

FINDINGS = Path(__file__).resolve().parents[2] / "docs" / "findings.md"

ROW = re.compile(
    r"^\| (?P<loop>[a-z]+) \| (?P<version>[\d.]+) \| .+ \| `(?P<scenario>[\w/]+)` \| `(?P<command>[^`]+)` \|$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Finding:
    """One difference of one loop: the version in which it was seen, the scenario and the command that show it."""

    loop: str
    version: str
    scenario: str
    command: str


def findings() -> list[Finding]:
    """Return the rows of the page, in their order."""
    return [Finding(**found.groupdict()) for found in ROW.finditer(FINDINGS.read_text(encoding="utf-8"))]
