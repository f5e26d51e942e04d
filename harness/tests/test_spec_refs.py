# SPDX-License-Identifier: MIT
"""Each mistake that spec_refs.py is for, planted into a project in order, gives its sentence and no other."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECK = ROOT / "ci/checks/spec_refs.py"
HEADER = "reference/include/asy/loop.h"
SOURCE = "reference/src/core/loop.c"
EXTENSION = "reference/python/loop.c"
PYTHON = "reference/python/asy/_loop.py"
TEST = "reference/tests/test_loop.c"
PYTHON_TEST = "reference/python/tests/test_loop.py"
STATEMENTS = "spec/statements/clock.toml"
NOT_CITED = "spec/not_cited.toml"
SCENARIOS = "conformance/area/some.py"

RECORD = """\
[[statement]]
id = "{id}"
names = ["{name}"]
text = "It holds."
documents = []
since = "3.4"
status = "{status}"
test_idea = "Look."
"""
EXCUSE = '[[not_cited]]\nids = ["a.advice"]\nreason = "It is advice."\n'
IN_ORDER = {
    "spec/surface.toml": """\
later = ["sockets"]

[parts]
clock = "The clock"
sockets = "Sockets"

[[name]]
name = "loop.time"
kind = "method"
part = "clock"
since = "3.4"
returns = "float"
documents = []

[[name]]
name = "loop.sock_recv"
kind = "method"
part = "sockets"
since = "3.4"
returns = "bytes"
documents = []
""",
    STATEMENTS: "\n".join(
        [
            RECORD.format(id="a.header", name="loop.time", status="guaranteed"),
            RECORD.format(id="a.source", name="loop.time", status="deprecated"),
            RECORD.format(id="a.extension", name="loop.time", status="guaranteed"),
            RECORD.format(id="a.python", name="loop.time", status="guaranteed"),
            RECORD.format(id="a.advice", name="loop.time", status="guaranteed"),
            RECORD.format(id="a.implied", name="loop.time", status="implied"),
            RECORD.format(id="b.later", name="loop.sock_recv", status="guaranteed"),
        ]
    ),
    "spec/retired.toml": '[[retired]]\nid = "a.old"\nreason = "Twice."\nreplaced_by = ["a.header"]\n\n'
    '[[retired]]\nid = "a.gone"\nreason = "Nobody says so."\nreplaced_by = []\n',
    NOT_CITED: EXCUSE,
    HEADER: "/* loop.time(), as a.paragraph says.\n *\n * Thread   any\n * Spec     a.header,\n"
    " *          a.implied\n */\nPyType_Spec spec;\n",
    SOURCE: "/* Spec: a.source. It is a.remark that follows. */\n",
    EXTENSION: "/* What it does.\n * Spec: a.extension */\n",
    PYTHON: '"""What it does.\n\nSpec: a.python\n"""\n',
    TEST: "/* Spec: a.header */\n",
    PYTHON_TEST: "# Spec: a.python\n",
    SCENARIOS: "from loopcheck_target import scenario\n\n\n"
    '@scenario(statements=["a.header", "a.source", "a.extension", "a.python", "a.advice"])\n'
    'def clock(loop, trace):\n    """It holds."""\n',
}
COUNTS = "5 guaranteed statements: 4 cited by code, 1 not, for a reason; all in all code cites 5, tests 2"

# The file, a part of it, what that becomes, how the sentence begins.
MISTAKES = {
    "unknown id in a header": (HEADER, "a.implied", "a.x", f"{HEADER}:4: a.x is no statement"),
    "unknown id in a source": (SOURCE, "Spec: ", "Spec: a.x, ", f"{SOURCE}:1: a.x is no statement"),
    "unknown id in the extension": (EXTENSION, "Spec: ", "Spec: a.x, ", f"{EXTENSION}:2: a.x is no"),
    "unknown id in Python": (PYTHON, "Spec: ", "Spec: a.x, ", f"{PYTHON}:3: a.x is no statement"),
    "unknown id in a test": (TEST, "a.header", "a.x", f"{TEST}:1: a.x is no statement"),
    "unknown id in a test in Python": (PYTHON_TEST, "a.python", "a.x", f"{PYTHON_TEST}:1: a.x is no"),
    "retired id": (TEST, "a.header", "a.old", f"{TEST}:1: a.old is retired; cite a.header instead"),
    "id that nothing replaces": (TEST, "a.header", "a.gone", f"{TEST}:1: a.gone is retired; cite nothing"),
    "no id": (TEST, "a.header", "the clock", f"{TEST}:1: this Spec names no statement"),
    "missing comma": (HEADER, "a.header,", "a.header", f"{HEADER}:4: commas stand between two ids"),
    "comma at the end": (HEADER, "a.implied", "a.implied,", f"{HEADER}:4: commas stand between two ids"),
    "guaranteed and not cited": (
        EXTENSION,
        "Spec: a.extension",
        "",
        "clock.toml:19: a.extension is guaranteed, and no code cites it",
    ),
    "deprecated and not cited": (
        SOURCE,
        "Spec: a.source",
        "",
        "clock.toml:10: a.source is deprecated, and no code cites it",
    ),
    "cited by a test only": (
        TEST,
        "a.header",
        "a.header, a.advice */ /* Spec: a.extension",
        None,
    ),
    "no scenario": (
        SCENARIOS,
        '"a.advice"',
        "",
        "clock.toml:37: a.advice is guaranteed, and no scenario shows it",
    ),
    "excuse of what is cited": (NOT_CITED, '"a.advice"', '"a.advice", "a.python"', f"{NOT_CITED}: a.python is cited"),
    "excuse of what needs none": (
        NOT_CITED,
        '"a.advice"',
        '"a.advice", "b.later"',
        f"{NOT_CITED}: b.later needs no reason",
    ),
    "excuse of what is unknown": (NOT_CITED, '"a.advice"', '"a.advice", "a.x"', f"{NOT_CITED}: a.x is no statement"),
    "excuse of what is retired": (NOT_CITED, '"a.advice"', '"a.advice", "a.old"', f"{NOT_CITED}: a.old is retired"),
    "excuse that is there twice": (NOT_CITED, '"a.advice"', '"a.advice", "a.advice"', f"{NOT_CITED}: a.advice is there twice"),
    "unknown key": (NOT_CITED, EXCUSE, "other = 1\n\n" + EXCUSE, f'{NOT_CITED}: the key "other" is unknown'),
}
