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
signature = "time()"
since = "3.4"
documents = []

[[name]]
name = "loop.sock_recv"
kind = "method"
part = "sockets"
signature = "sock_recv()"
since = "3.4"
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
    "no scenario": (
        SCENARIOS,
        '"a.advice"',
        "",
        "clock.toml:37: a.advice is guaranteed, and no scenario shows it",
    ),
    "excuse of what is cited": (
        NOT_CITED,
        '"a.advice"',
        '"a.advice", "a.python"',
        f"{NOT_CITED}: a.python is cited",
    ),
    "excuse of what needs none": (
        NOT_CITED,
        '"a.advice"',
        '"a.advice", "b.later"',
        f"{NOT_CITED}: b.later needs no reason",
    ),
    "excuse of what is unknown": (
        NOT_CITED,
        '"a.advice"',
        '"a.advice", "a.x"',
        f"{NOT_CITED}: a.x is no statement",
    ),
    "excuse of what is retired": (
        NOT_CITED,
        '"a.advice"',
        '"a.advice", "a.old"',
        f"{NOT_CITED}: a.old is retired",
    ),
    "excuse that is there twice": (
        NOT_CITED,
        '"a.advice"',
        '"a.advice", "a.advice"',
        f"{NOT_CITED}: a.advice is there twice",
    ),
    "unknown key": (NOT_CITED, EXCUSE, "other = 1\n\n" + EXCUSE, f'{NOT_CITED}: the key "other" is unknown'),
}


def write(root: Path, files: dict[str, str]) -> None:
    """Write a project."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def planted(file: str, before: str, after: str) -> dict[str, str]:
    """Return the project in order with a mistake."""
    assert IN_ORDER[file].count(before) == 1, before
    return {**IN_ORDER, file: IN_ORDER[file].replace(before, after)}


def check(root: Path) -> tuple[int, list[str]]:
    """Run the check; return its exit status and what it prints."""
    command = [sys.executable, str(CHECK), "--root", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines()


def test_a_project_in_order_has_its_numbers_only(tmp_path: Path) -> None:
    write(tmp_path, IN_ORDER)
    assert check(tmp_path) == (0, [COUNTS])


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_gives_its_sentence(tmp_path: Path, name: str) -> None:
    file, before, after, sentence = MISTAKES[name]
    write(tmp_path, planted(file, before, after))
    status, lines = check(tmp_path)
    assert status == 1
    assert [line.startswith(sentence) for line in lines[:-1]] == [True], lines


@pytest.mark.parametrize(
    "record",
    [
        '[[not_cited]]\nids = ["a.advice"]\n',
        '[[not_cited]]\nids = ["a.advice"]\nreason = " "\n',
        '[[not_cited]]\nids = ["a.advice"]\nreason = "One\\nTwo"\n',
        '[[not_cited]]\nids = []\nreason = "It is advice."\n',
        '[[not_cited]]\nids = "a.advice"\nreason = "It is advice."\n',
        '[[not_cited]]\nids = [1]\nreason = "It is advice."\n',
        EXCUSE + 'why = "Because."\n',
    ],
)
def test_an_excuse_of_another_form_is_none(tmp_path: Path, record: str) -> None:
    write(tmp_path, {**IN_ORDER, NOT_CITED: record})
    status, lines = check(tmp_path)
    assert status == 1
    assert lines[0] == f"{NOT_CITED}: record 1 must have ids, and a reason of one line, only"
    assert lines[1].startswith("clock.toml:37: a.advice is guaranteed, and no code cites it")


@pytest.mark.parametrize("text", ["not_cited = 1\n", 'not_cited = ["a.advice"]\n', "[[not_cited]\n"])
def test_excuses_that_cannot_be_read_are_one_sentence(tmp_path: Path, text: str) -> None:
    write(tmp_path, {**IN_ORDER, NOT_CITED: text})
    status, lines = check(tmp_path)
    assert status == 1
    assert lines[0].startswith(f"{NOT_CITED}: ")


def test_a_citation_in_a_test_is_no_implementation(tmp_path: Path) -> None:
    files = planted(EXTENSION, "Spec: a.extension", "")
    write(tmp_path, {**files, TEST: "/* Spec: a.extension */\n"})
    status, lines = check(tmp_path)
    assert status == 1
    assert lines[0].startswith("clock.toml:19: a.extension is guaranteed, and no code cites it")


def test_an_untestable_statement_needs_no_scenario(tmp_path: Path) -> None:
    files = planted(SCENARIOS, '"a.advice"', "")
    record = RECORD.format(id="a.advice", name="loop.time", status="guaranteed")
    excused = record.replace("test_idea", 'untestable = "It is advice."\ntest_idea')
    write(tmp_path, {**files, STATEMENTS: files[STATEMENTS].replace(record, excused)})
    assert check(tmp_path) == (0, [COUNTS])


def test_statements_that_cannot_be_read_are_no_success(tmp_path: Path) -> None:
    write(tmp_path, {**IN_ORDER, STATEMENTS: "x = 1\n"})
    status, lines = check(tmp_path)
    assert status == 1
    assert 'the table or key "x" is unknown' in lines[0]


def test_the_reference_and_the_specification_agree() -> None:
    status, lines = check(ROOT)
    assert status == 0, lines
