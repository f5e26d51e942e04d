# SPDX-License-Identifier: MIT
"""The JSON Schema of a results file's records, made from the vocabulary.

``results.schema.json`` beside this file is the same schema for programs that read results without loopcheck;
a test keeps the two equal.  ``python -m loopcheck.schema`` prints it.
"""

import functools
import json
from typing import Any

from .vocabulary import AXES, KINDS, LEVELS, REASONS, VERDICTS

TEXT = {"type": "string"}
NUMBER = {"type": "integer", "minimum": 0}
FLAG = {"type": "boolean"}


def _record(name: str, required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"record": {"const": name}, **required, **optional},
        "required": ["record", *required],
    }


def _object(**fields: Any) -> dict[str, Any]:
    """Return the schema of an object with these fields and no others."""
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def _one_of(words: Any) -> dict[str, Any]:
    return {"enum": list(words)}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _list_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


_EVENT = {
    "type": "object",
    "properties": {
        "k": _one_of(["user", "log", "warn", "unraisable", "barrier", "raised"]),
        "a": TEXT,
        "e": TEXT,
        "v": {"type": "array"},
        "t": {"type": "number"},
        "g": NUMBER,
        "due": {"type": "number"},
        "it": NUMBER,
        "waited": {"type": "number"},
    },
    "required": ["k", "a", "e", "v", "t"],
    "additionalProperties": False,
}

_TRACE = {
    "type": "object",
    "properties": {
        "header": {"type": "object"},
        "events": _list_of(_EVENT),
        "end": _or_null({"type": "object"}),
        "outcome": {"type": "object"},
        "harness_error": TEXT,
    },
    "required": ["header", "events", "end", "outcome", "harness_error"],
}

_DIFFERENCE = {
    "type": "object",
    "properties": {
        "kind": _one_of(KINDS),
        "axis": _one_of(AXES),
        "level": _one_of(LEVELS),
        "event": TEXT,
        "oracle": {},
        "target": {},
        "sentence": TEXT,
    },
    "required": ["kind", "axis", "level", "event", "oracle", "target", "sentence"],
}

_OUTCOME = {
    "type": "object",
    "properties": {"signature": _or_null(TEXT), "count": NUMBER},
    "required": ["signature", "count"],
}

_TARGET_TEXTS = (
    "text",
    "name",
    "factory",
    "python",
    "implementation",
    "version",
    "class",
    "clock",
    "oracle",
    "oracle_text",
)
_TARGET = {
    "type": "object",
    "properties": {**dict.fromkeys(_TARGET_TEXTS, TEXT), "asyncios_own": FLAG},
    "required": [*_TARGET_TEXTS, "asyncios_own"],
}

_HEADER = _record(
    "header",
    {
        "format": {"const": 1},
        "loopcheck": TEXT,
        "platform": TEXT,
        "command": _list_of(TEXT),
        "level": _one_of(["guaranteed", "observed"]),
        "clock": _one_of(["auto", "virtual", "real"]),
        "repeat": NUMBER,
        "baseline": TEXT,
        "path": _list_of(TEXT),
        "targets": _list_of(_TARGET),
        "plan": _list_of(TEXT),
        "selected": NUMBER,
        "of": NUMBER,
    },
    baseline_digest=TEXT,  # SHA-256 of the baseline's text, "" without one
)

# The scenario itself, stored with its first record and null in the others.
_ABOUT = _object(
    file=TEXT,
    line=NUMBER,
    source=TEXT,
    statements=_list_of(_object(id=TEXT, text=TEXT, status=TEXT, url=TEXT)),
)

# The entry of the baseline that was applied.
_KNOWN = _object(signature=TEXT, reason=TEXT, url=TEXT, expires=TEXT, line=NUMBER)

_SCENARIO = _record(
    "scenario",
    {
        "id": TEXT,
        "title": TEXT,
        "target": TEXT,
        "oracle": TEXT,
        "statements": _list_of(TEXT),
        "basis": TEXT,
        "scenario_level": _one_of(LEVELS),
        "needs": _list_of(TEXT),
        "habits_count": FLAG,
        "about": _or_null(_ABOUT),
        "verdict": _one_of(VERDICTS),
        "judged": _one_of(VERDICTS),
        "known": _or_null(_KNOWN),
        "axis": _or_null(_one_of(AXES)),
        "level": _one_of(LEVELS),
        "signature": _or_null(TEXT),
        "reason": _one_of(["", *REASONS]),
        "sentence": TEXT,
        "differences": _list_of(_DIFFERENCE),
        "repeats": {
            "type": "object",
            "properties": {"seen": NUMBER, "of": NUMBER, "outcomes": _list_of(_OUTCOME)},
            "required": ["seen", "of", "outcomes"],
        },
        "traces": {
            "type": "object",
            "properties": {
                "oracle": _or_null(_list_of(_TRACE)),
                "target": _list_of(_TRACE),
                "confirmations": _list_of(_TRACE),
            },
            "required": ["oracle", "target", "confirmations"],
        },
    },
)

_TARGET_ERROR = _record(
    "target-error", {"target": TEXT, "during": _one_of(["import", "factory"]), "sentence": TEXT}
)
_PROBLEM = _record("problem", {"file": TEXT, "line": NUMBER, "sentence": TEXT})
_BASELINE_PROBLEM = _record(
    "baseline-problem",
    {
        "file": TEXT,
        "line": NUMBER,
        "kind": _one_of(["stale", "duplicate", "unknown", "unused", "expired"]),
        "scenario": TEXT,
        "target": TEXT,
        "signature": TEXT,
        "sentence": TEXT,
    },
)
_RESUMED = _record("resumed", {"kept": NUMBER})
_FOOTER = _record(
    "footer",
    {
        "counts": {"type": "object", "additionalProperties": NUMBER},
        "exit": NUMBER,
        "interrupted": FLAG,
    },
)

_RECORDS = {
    "header": _HEADER,
    "scenario": _SCENARIO,
    "target-error": _TARGET_ERROR,
    "problem": _PROBLEM,
    "baseline-problem": _BASELINE_PROBLEM,
    "resumed": _RESUMED,
    "footer": _FOOTER,
}


@functools.cache
def results_schema() -> dict[str, Any]:
    """Return the schema that every line of a results file meets."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of a loopcheck results file",
        "type": "object",
        "required": ["record"],
        "properties": {"record": _one_of(_RECORDS)},
        "allOf": [
            {"if": {"properties": {"record": {"const": name}}}, "then": record}
            for name, record in _RECORDS.items()
        ],
    }


if __name__ == "__main__":
    print(json.dumps(results_schema(), indent=1))
