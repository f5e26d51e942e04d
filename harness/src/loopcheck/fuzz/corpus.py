# SPDX-License-Identifier: MIT
"""Findings as files: what is needed to run a program again, today or on another version of a loop.

One JSON file for each cluster: the shrunk program, the one that it was found in with the number it came from, the
two targets, and the sentence.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from .cluster import Cluster
from .operations import OPERATIONS, Program, walk

FORMAT = 1
FORMAT_KEY = "loopcheck-fuzz"
NEEDED = ("cause", "kind", "sentence", "seed", "program")


class CorpusError(Exception):
    """A file that cannot be used; the text is one sentence."""


@dataclass(frozen=True)
class Origin:
    """Where findings come from: the two targets as the user wrote them, and the features left out."""

    oracle: str
    target: str
    without: tuple[str, ...]


def save(folder: Path, cluster: Cluster, origin: Origin) -> Path:
    """Write a cluster to its file in a folder; return the file.  Raises CorpusError."""
    record = {
        FORMAT_KEY: FORMAT,
        "version": __version__,
        "oracle": origin.oracle,
        "target": origin.target,
        "without": list(origin.without),
        "cause": cluster.cause,
        "kind": cluster.kind,
        "sentence": cluster.sentence,
        "count": cluster.count,
        "seed": cluster.seed,
        "program": cluster.program,
        "found_in": cluster.original,
    }
    file = folder / (re.sub(r"\W+", "_", cluster.name) + ".json")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(record, indent=1) + "\n")
    except OSError as exc:
        raise CorpusError(f"{file} cannot be written: {exc.strerror}") from exc
    return file


def load(file: Path) -> dict[str, Any]:
    """Return the record of a file that save() wrote.  Raises CorpusError."""
    try:
        record = json.loads(file.read_text())
    except (OSError, ValueError) as exc:
        raise CorpusError(f"{file} cannot be read: {exc}") from exc
    if not isinstance(record, dict) or record.get(FORMAT_KEY) != FORMAT:
        raise CorpusError(f"{file} holds no finding of loopcheck fuzz, or one of another format")
    missing = [key for key in NEEDED if key not in record]
    if missing:
        raise CorpusError(f"{file} has no {missing[0]!r}: it is not complete")
    _check_program(file, record["program"])
    return record


def _check_program(file: Path, program: Program) -> None:
    """Raise CorpusError for a program that this version cannot run."""
    try:
        unknown = [node["op"] for node in walk(program) if node["op"] not in (*OPERATIONS, "future", "join")]
        program["horizon"] + 0
    except (KeyError, TypeError, AttributeError):
        raise CorpusError(f"{file} has a program that is damaged") from None
    if unknown:
        raise CorpusError(f"{file} has a program with an operation that is not known here: {unknown[0]!r}")
