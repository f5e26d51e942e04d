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


def _record(name: str, required: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"record": {"const": name}, **required},
        "required": ["record", *required],
    }


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

_TARGET = {
    "type": "object",
    "properties": {
        name: TEXT
        for name in (
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
    },
    "required": [
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
    ],
}

_HEADER = _record(
    "header",
    {
        "format": {"const": 1},
        "loopcheck": TEXT,
        "platform": TEXT,
        "command": _list_of(TEXT),
        "level": _one_of(["guaranteed", "observed"]),
        "path": _list_of(TEXT),
        "targets": _list_of(_TARGET),
        "selected": NUMBER,
        "of": NUMBER,
    },
)

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
        "verdict": _one_of(VERDICTS),
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
            "properties": {"oracle": _or_null(_list_of(_TRACE)), "target": _list_of(_TRACE)},
            "required": ["oracle", "target"],
        },
    },
)

_TARGET_ERROR = _record(
    "target-error", {"target": TEXT, "during": _one_of(["import", "factory"]), "sentence": TEXT}
)
_PROBLEM = _record("problem", {"file": TEXT, "line": NUMBER, "sentence": TEXT})
_FOOTER = _record(
    "footer",
    {
        "counts": {"type": "object", "additionalProperties": NUMBER},
        "exit": NUMBER,
        "interrupted": {"type": "boolean"},
    },
)

_RECORDS = {
    "header": _HEADER,
    "scenario": _SCENARIO,
    "target-error": _TARGET_ERROR,
    "problem": _PROBLEM,
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
