# SPDX-License-Identifier: MIT
"""The statement reader: every mistake in a file gives its sentence, and the shipped statements have none.

Each planted mistake is one change to RECORD, a record that is right (``test_the_model_record_is_right``
proves it), so that the sentence expected can come from nothing but that change.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from loopcheck.spec import (
    DOCUMENTS,
    LEVEL_OF_STATUS,
    LEVELS,
    Level,
    SpecError,
    Statement,
    Status,
    Version,
    intersect,
    lint_statements,
    load_statements,
    main,
    weakest_level,
)

SPEC = Path(__file__).resolve().parents[2] / "spec"
STATEMENTS = SPEC / "statements"

RECORD = """\
# Timers.

[[statement]]
id = "call_later.delay"
names = ["loop.call_later", "loop.time"]
text = "The callback runs after the delay."
documents = ["000", "001"]
since = "3.4"
until = "3.14"
status = "guaranteed"
test_idea = "Compare loop.time() before and after."
"""
RECORD_LINE = 3
KEYS = (
    "id, names, text, documents, doc, since, until, status, contradicted, contradiction, contradiction_since, "
    "contradiction_until, shown_by, untestable, test_idea"
)


def write(folder: Path, text: str, name: str = "timers.toml") -> Path:
    """Write one statement file into folder and return its path."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def statement(
    since: str = "3.4",
    until: str | None = None,
    *,
    name: str = "call_later.delay",
    status: Status = "guaranteed",
) -> Statement:
    """Return a statement of which only what a test looks at is given."""
    return Statement(
        name, ("loop.call_later",), "It runs.", (), since, until, status, "Look.", Path("x.toml"), 1
    )


# ---- mistakes in a record ---------------------------------------------------------------------------


def test_the_model_record_is_right(tmp_path: Path) -> None:
    write(tmp_path, RECORD)
    assert lint_statements(tmp_path) == []


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("until =", "untill =", f'the key "untill" is unknown; a record has {KEYS}.'),
        ('since = "3.4"\n', "", "since is missing; add it."),
        ('text = "The callback runs after the delay."\n', "", "text is missing; add it."),
        ('"The callback runs after the delay."', "12", "text must be a string."),
        ('"The callback runs after the delay."', '" "', "text is empty; write one sentence."),
        ('"The callback runs after the delay."', '"One.\\nTwo."', "text must be one line."),
        ('"Compare loop.time() before and after."', '""', "test_idea is empty; write one sentence."),
        ('["loop.call_later", "loop.time"]', '"loop.time"', "names must be an array of strings."),
        ('["loop.call_later", "loop.time"]', "[1]", "names must be an array of strings."),
        ('["loop.call_later", "loop.time"]', "[]", "names must hold at least one name and no empty one."),
        ('"loop.time"', '" "', "names must hold at least one name and no empty one."),
        ('"loop.time"', '"loop.call_later"', 'names must not repeat "loop.call_later".'),
        ('"001"', '"005"', 'documents has no number "005"; use 000, 001, 002, 003, 004.'),
        ('"001"', '"000"', 'documents must not repeat "000".'),
        ('["000", "001"]', "[0, 1]", "documents must be an array of strings."),
        (
            "status =",
            'contradiction = "No."\nshown_by = "timers/late"\ncontradicted = ["3.13"]\nstatus =',
            'contradicted has "3.13", which is no release; write it as "3.13.0".',
        ),
        ('"3.4"', "3.4", "since must be a string."),
        ('"3.4"', '"3.4+"', 'since "3.4+" is not a version; write it as "3.8" or "3.8.1".'),
        ('"3.14"', '"-"', 'until "-" is not a version; write it as "3.8" or "3.8.1".'),
        ('"3.14"', '"3.4"', "since 3.4 must be earlier than until 3.4."),
        ('"3.4"', '"3.14.1"', "since 3.14.1 must be earlier than until 3.14."),
        (
            '"guaranteed"',
            '"promised"',
            'status "promised" is unknown; use one of guaranteed, deprecated, implied, platform, undefined.',
        ),
        ('"guaranteed"', "true", "status must be a string."),
        (
            "status =",
            'doc = "https://example.org/"\nstatus =',
            'doc "https://example.org/" is no section of the documentation; '
            'write "https://docs.python.org/3.14/library/...".',
        ),
        ("status =", 'untestable = ""\nstatus =', "untestable is empty; write one sentence."),
        (
            "status =",
            'contradiction = "It does not."\ncontradiction_since = "3.8"\nstatus =',
            "contradiction and shown_by go together.",
        ),
        ("status =", 'shown_by = "timers/late"\nstatus =', "contradiction and shown_by go together."),
        (
            "status =",
            'contradiction = "It does not."\nshown_by = "timers"\ncontradiction_since = "3.8"\nstatus =',
            'shown_by "timers" is no scenario; write "area/function".',
        ),
        (
            "status =",
            'contradiction = "It does not."\nshown_by = "timers/late"\nstatus =',
            "contradiction needs either contradicted or contradiction_since.",
        ),
        (
            "status =",
            'contradiction = "No."\nshown_by = "timers/late"\ncontradiction_since = "3.8"\n'
            'contradiction_until = "3.8"\nstatus =',
            "contradiction_since 3.8 must be earlier than contradiction_until 3.8.",
        ),
        (
            "status =",
            'contradiction_since = "3.8"\nstatus =',
            "contradiction_since needs contradiction.",
        ),
        (
            "status =",
            'contradiction = "No."\nshown_by = "timers/late"\ncontradicted = ["3.8.1"]\n'
            'contradiction_until = "3.8"\nstatus =',
            "contradiction_until needs contradiction_since.",
        ),
        ("status =", 'contradicted = ["3.8.1"]\nstatus =', "contradicted needs contradiction."),
        (
            "status =",
            'contradiction = "No."\nshown_by = "timers/late"\ncontradiction_since = "3.8"\n'
            'untestable = "It cannot."\nstatus =',
            "untestable excludes shown_by.",
        ),
    ],
)
def test_a_mistake_gives_its_sentence_and_no_other(
    tmp_path: Path, right: str, wrong: str, sentence: str
) -> None:
    assert right in RECORD
    file = write(tmp_path, RECORD.replace(right, wrong, 1))
    assert lint_statements(tmp_path) == [f"{file}:{RECORD_LINE}: call_later.delay: {sentence}"]


@pytest.mark.parametrize(
    ("value", "subject", "sentence"),
    [
        ("7", "a statement without an id", "id must be a string."),
        ('""', "a statement without an id", '"" has the wrong form'),
        ('"call_later"', "call_later", '"call_later" has the wrong form'),
        ('"call later.delay"', "call later.delay", '"call later.delay" has the wrong form'),
        ('".delay"', ".delay", '".delay" has the wrong form'),
        ('"call_later.the delay"', "call_later.the delay", '"call_later.the delay" has the wrong form'),
        ('"call_later."', "call_later.", '"call_later." has the wrong form'),
    ],
)
def test_a_bad_id_gives_its_sentence(tmp_path: Path, value: str, subject: str, sentence: str) -> None:
    file = write(tmp_path, RECORD.replace('"call_later.delay"', value))
    (problem,) = lint_statements(tmp_path)
    assert problem.startswith(f"{file}:{RECORD_LINE}: {subject}: ")
    assert sentence in problem


@pytest.mark.parametrize(
    "identity", ["stop.3.4.before-runs", "Handle.cancel.after-run", "reader-writer.independent"]
)
def test_an_id_may_hold_versions_capitals_and_hyphens(tmp_path: Path, identity: str) -> None:
    write(tmp_path, RECORD.replace("call_later.delay", identity))
    assert lint_statements(tmp_path) == []


def test_a_record_without_an_id_is_named_by_its_place(tmp_path: Path) -> None:
    file = write(tmp_path, RECORD.replace('id = "call_later.delay"\n', ""))
    assert lint_statements(tmp_path) == [f"{file}:3: a statement without an id: id is missing; add it."]


def test_every_mistake_of_every_record_is_reported(tmp_path: Path) -> None:
    other = RECORD.replace("call_later.delay", "call_at.when").replace('"3.14"', '"4"')
    write(tmp_path, RECORD.replace('"000"', '"999"').replace('"guaranteed"', '"sure"') + other)
    problems = lint_statements(tmp_path)
    assert [problem.split(": ")[1] for problem in problems] == ["call_later.delay"] * 2 + ["call_at.when"]


def test_the_second_use_of_an_id_is_reported_with_the_first(tmp_path: Path) -> None:
    first = write(tmp_path, RECORD, "a.toml")
    second = write(tmp_path, "\n" + RECORD, "b.toml")
    assert lint_statements(tmp_path) == [
        f"{second}:4: call_later.delay: the id is already used at {first}:3; choose another."
    ]


def test_an_id_is_taken_even_by_a_record_that_is_wrong(tmp_path: Path) -> None:
    write(tmp_path, RECORD.replace('"guaranteed"', '"sure"') + RECORD)
    status, repeated = lint_statements(tmp_path)
    assert '"sure" is unknown' in status
    assert "the id is already used at" in repeated


# ---- mistakes in a file or a folder ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (RECORD.replace('since = "3.4"', "since = 3.4.1"), 8),
        (RECORD + "id = ", 12),
        (RECORD + "names = [\n", 12),
        (RECORD.replace('until = "3.14"', 'since = "3.14"'), 9),
    ],
)
def test_invalid_toml_is_reported_with_file_and_line(tmp_path: Path, text: str, line: int) -> None:
    file = write(tmp_path, text)
    (problem,) = lint_statements(tmp_path)
    assert problem.startswith(f"{file}:{line}: this is not valid TOML: ")


def test_an_unknown_table_is_reported(tmp_path: Path) -> None:
    file = write(tmp_path, RECORD.replace("[[statement]]", "[[statment]]"))
    assert lint_statements(tmp_path) == [
        f'{file}: the table or key "statment" is unknown; a file holds [[statement]] records only.'
    ]


@pytest.mark.parametrize(
    "text",
    [
        RECORD.replace("[[statement]]", "[statement]"),
        "statement = 3\n",
        "statement = [1, 2]\n",
        RECORD.replace('"Compare loop.time() before and after."', "'''\n[[statement]]'''"),
    ],
)
def test_records_need_a_line_of_their_own(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, text)
    assert lint_statements(tmp_path) == [
        f"{file}: a record is not under a [[statement]] line of its own; begin each one with it."
    ]


def test_a_file_without_statements_is_reported(tmp_path: Path) -> None:
    file = write(tmp_path, "# Timers.\n")
    assert lint_statements(tmp_path) == [f"{file}: the file holds no statement; add one or delete the file."]


def test_a_file_that_is_not_utf8_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "timers.toml"
    file.write_bytes(RECORD.encode().replace(b"delay", b"d\xe9lai"))
    (problem,) = lint_statements(tmp_path)
    assert problem.startswith(f"{file}: the file cannot be read as UTF-8 text: ")


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    (problem,) = lint_statements(tmp_path / "nowhere")
    assert problem.startswith(f"{tmp_path / 'nowhere'} is not a folder;")


def test_a_folder_without_statement_files_is_reported(tmp_path: Path) -> None:
    write(tmp_path, RECORD, "timers.txt")
    (problem,) = lint_statements(tmp_path)
    assert problem.startswith(f"{tmp_path} holds no statement file;")


# ---- loading ----------------------------------------------------------------------------------------


def test_a_record_is_loaded_field_by_field(tmp_path: Path) -> None:
    file = write(tmp_path, RECORD)
    assert load_statements(tmp_path) == {
        "call_later.delay": Statement(
            id="call_later.delay",
            names=("loop.call_later", "loop.time"),
            text="The callback runs after the delay.",
            documents=("000", "001"),
            since="3.4",
            until="3.14",
            status="guaranteed",
            test_idea="Compare loop.time() before and after.",
            file=file,
            line=RECORD_LINE,
        )
    }


def test_statements_keep_the_order_of_files_and_records(tmp_path: Path) -> None:
    write(tmp_path, RECORD.replace("call_later.delay", "z.first"), "b.toml")
    write(tmp_path, RECORD + RECORD.replace("call_later.delay", "b.second"), "a.toml")
    loaded = load_statements(tmp_path)
    assert list(loaded) == ["call_later.delay", "b.second", "z.first"]
    assert loaded["b.second"].line == RECORD_LINE + len(RECORD.splitlines())


def test_a_statement_without_until_still_holds(tmp_path: Path) -> None:
    write(tmp_path, RECORD.replace('until = "3.14"\n', ""))
    assert load_statements(tmp_path)["call_later.delay"].until is None


def test_a_loaded_statement_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        statement().since = "3.9"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("mistakes", "ending"), [(1, "add it."), (2, "(1 more problem)"), (3, "(2 more problems)")]
)
def test_loading_refuses_with_the_first_problem_and_the_number_of_others(
    tmp_path: Path, mistakes: int, ending: str
) -> None:
    lines = RECORD.splitlines(keepends=True)
    write(tmp_path, "".join(lines[:4] + lines[4 + mistakes :]))
    with pytest.raises(SpecError, match=r"call_later\.delay: names is missing; add it\.") as caught:
        load_statements(tmp_path)
    assert str(caught.value).endswith(ending)


# ---- levels and versions ----------------------------------------------------------------------------


def test_levels_run_from_the_strongest_to_the_weakest() -> None:
    assert LEVELS == ("guaranteed", "observed", "free")
    assert get_args(Level) == LEVELS


@pytest.mark.parametrize(
    ("status", "level"),
    [
        ("guaranteed", "guaranteed"),
        ("deprecated", "guaranteed"),
        ("implied", "observed"),
        ("platform", "observed"),
        ("undefined", "free"),
    ],
)
def test_the_status_gives_the_level(status: Status, level: Level) -> None:
    assert statement(status=status).level == level


def test_every_status_has_a_level() -> None:
    assert tuple(LEVEL_OF_STATUS) == get_args(Status)


@pytest.mark.parametrize(
    ("levels", "weakest"),
    [
        (["guaranteed"], "guaranteed"),
        (["guaranteed", "observed"], "observed"),
        (["free", "guaranteed", "observed"], "free"),
    ],
)
def test_the_weakest_level_wins(levels: list[Level], weakest: Level) -> None:
    assert weakest_level(levels) == weakest


def test_the_weakest_of_no_levels_is_refused() -> None:
    with pytest.raises(ValueError, match="no level to choose from"):
        weakest_level([])


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'certain' is unknown; use one of guaranteed, observed, free"):
        weakest_level(["certain"])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("since", "until", "version", "holds"),
    [
        ("3.7", None, "3.6", False),
        ("3.7", None, "3.7", True),
        ("3.7", None, (3, 7), True),
        ("3.7", None, "3.7.0", True),
        ("3.7", None, "3.15", True),
        ("3.9", None, "3.10", True),
        ("3.4", "3.14", "3.13", True),
        ("3.4", "3.14", "3.13.99", True),
        ("3.4", "3.14", "3.14", False),
        ("3.4", "3.14", "3.14.0", False),
        ("3.5.3", None, (3, 8), True),
        ("3.5.3", None, "3.5.2", False),
        ("3.5.3", None, "3.5.3", True),
        ("3.5.3", None, "3.5", True),
        ("3.8.1", "3.11", (3, 8, 0), False),
        ("3.8.1", "3.11", (3, 8, 1), True),
        ("3.8.1", "3.11", (3, 8), True),
        ("3.4.4", "3.8.1", "3.8.0", True),
        ("3.4.4", "3.8.1", "3.8.1", False),
        ("3.4.4", "3.8.1", "3.8", False),
        ("3.4.4", "3.8.1", "3.7", True),
    ],
)
def test_a_statement_holds_from_since_up_to_but_not_at_until(
    since: str, until: str | None, version: Version, holds: bool
) -> None:
    assert statement(since, until).holds_for(version) is holds


@pytest.mark.parametrize("version", ["3", "", "3.8.1.0", "3.15.0a2", "pypy3", (3,), (3, 8, 1, "final", 0)])
def test_a_version_of_another_form_is_refused(version: Version) -> None:
    with pytest.raises(ValueError, match=r'has the wrong form; write it as "3\.8" or "3\.8\.1"'):
        statement().holds_for(version)


@pytest.mark.parametrize(
    ("ranges", "common"),
    [
        ([], (None, None)),
        ([("3.7", None)], ("3.7", None)),
        ([("3.4", None), ("3.10", None), ("3.9", None)], ("3.10", None)),
        ([("3.4", "3.14"), ("3.5.1", None), ("3.4", "3.9")], ("3.5.1", "3.9")),
        ([("3.8.1", "3.11"), ("3.8", "3.8.2")], ("3.8.1", "3.8.2")),
    ],
)
def test_statements_apply_together_where_all_of_them_hold(
    ranges: list[tuple[str, str | None]], common: tuple[str | None, str | None]
) -> None:
    assert intersect(statement(since, until) for since, until in ranges) == common


def test_statements_that_exclude_each_other_are_named() -> None:
    old = statement("3.4", "3.7", name="call_at.returns-handle")
    new = statement("3.7", name="call_at.returns-timer-handle")
    with pytest.raises(SpecError) as caught:
        intersect([old, statement("3.5", "3.9"), new])
    assert str(caught.value) == (
        "No version satisfies both call_at.returns-timer-handle (since 3.7) and call_at.returns-handle "
        "(until 3.7); cite them in separate scenarios."
    )


# ---- what ships -------------------------------------------------------------------------------------


def test_the_shipped_statements_are_clean() -> None:
    assert lint_statements(STATEMENTS) == []


def test_hundreds_of_statements_ship() -> None:
    assert len(load_statements(STATEMENTS)) > 700


def test_every_shipped_file_opens_with_what_it_covers() -> None:
    for file in STATEMENTS.glob("*.toml"):
        licence, blank, covers, *_ = file.read_text(encoding="utf-8").splitlines()
        assert (licence, blank) == ("# SPDX-License-Identifier: MIT", "#"), file.name
        assert len(covers) > len("# "), file.name
        assert covers.startswith("# "), file.name


def test_the_readme_lists_exactly_the_shipped_files() -> None:
    rows = [
        line for line in (SPEC / "README.md").read_text(encoding="utf-8").splitlines() if ".toml` |" in line
    ]
    assert [row.split("`")[1] for row in rows] == sorted(file.name for file in STATEMENTS.glob("*.toml"))


def test_the_readme_explains_every_document_and_status() -> None:
    readme = (SPEC / "README.md").read_text(encoding="utf-8")
    for word in (*DOCUMENTS, *LEVEL_OF_STATUS):
        assert f"| `{word}` |" in readme, word


# ---- the command ------------------------------------------------------------------------------------


def test_the_command_accepts_a_clean_folder_silently(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, RECORD)
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


def test_the_command_prints_each_problem_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, RECORD.replace('"000"', '"999"').replace('"guaranteed"', '"sure"'))
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines() == lint_statements(tmp_path)


@pytest.mark.parametrize("arguments", [[], ["one", "two"]])
def test_the_command_wants_one_folder(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "python -m loopcheck.spec FOLDER" in capsys.readouterr().err


def test_the_module_runs_as_a_command(tmp_path: Path) -> None:
    write(tmp_path, RECORD.replace('"guaranteed"', '"sure"'))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "loopcheck.spec", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()) == (1, lint_statements(tmp_path))
