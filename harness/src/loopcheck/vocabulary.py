# SPDX-License-Identifier: MIT
"""The words of loopcheck, read from ``vocabulary.toml``: the one place that defines them.

Reports print their meaning, the results schema lists them, and the exit status follows from what each
verdict counts as.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """One verdict: its symbol for dense output, what it counts as, and its sentence."""

    name: str
    symbol: str
    counts: str
    means: str


@dataclass(frozen=True)
class Kind:
    """One kind of difference: its axis and the firmest level it can have."""

    name: str
    axis: str
    level: str
    means: str


@dataclass(frozen=True)
class Exit:
    """One exit status."""

    status: int
    name: str
    means: str


def _read() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "vocabulary.toml").read_text())


_words = _read()

VERDICTS = {name: Verdict(name, **fields) for name, fields in _words["verdict"].items()}
AXES: dict[str, str] = _words["axis"]
KINDS = {name: Kind(name, **fields) for name, fields in _words["kind"].items()}
LEVELS: dict[str, str] = _words["level"]
REASONS: dict[str, str] = _words["reason"]
EXITS = {fields["name"]: Exit(**fields) for fields in _words["exit"]}

FEW_INCONCLUSIVE = 3
INCONCLUSIVE_SHARE = 0.01


def at_least(level: str, demanded: str) -> bool:
    """Return whether level is as firm as demanded, or firmer."""
    order = list(LEVELS)
    return order.index(level) <= order.index(demanded)


def exit_for(
    verdicts: Iterable[str], *, usage: bool, failure: bool, interrupted: bool, stale: bool = False
) -> Exit:
    """Return the exit status of a run: the first that applies, in the order of the vocabulary.

    usage: a target could not be found or imported.  failure: loopcheck failed somewhere, or the run is
    incomplete.  interrupted: by Ctrl-C.  stale: something is wrong with the baseline's entries.
    """
    counts = [VERDICTS[verdict].counts for verdict in verdicts]
    inconclusive = counts.count("inconclusive")
    ran = len(counts) - counts.count("none")
    nothing_applies = bool(counts) and ran == 0
    applies = {
        "interrupted": interrupted,
        "usage": usage or nothing_applies,
        "failure": failure or "failure" in counts,
        "difference": "difference" in counts,
        "stale": stale or "stale" in counts,
        "inconclusive": inconclusive > max(FEW_INCONCLUSIVE, ran * INCONCLUSIVE_SHARE)
        or (inconclusive > 0 and inconclusive == ran),
        "good": True,
    }
    return next(exit for name, exit in EXITS.items() if applies[name])
