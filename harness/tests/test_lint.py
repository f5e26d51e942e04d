# SPDX-License-Identifier: MIT
"""The linter: what only shows when two parts of the specification are put side by side is found.

Each planted mistake is one change to a specification that is right (``test_the_model_is_right`` proves it).
That what ships is right is a test too: it is what keeps the specification together.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from loopcheck.lint import Specification, lint, main, shipped

FILES = {
    "statements/timers.toml": """\
[[statement]]
id = "call_at.when"
names = ["loop.call_at", "when", "RuntimeError"]
text = "It runs then."
documents = ["000", "001"]
since = "3.4"
until = "3.14"
status = "guaranteed"
test_idea = "Look."

[[statement]]
id = "call_at.exact"
names = ["asyncio.sleep"]
text = "It runs exactly then."
documents = []
since = "3.7"
status = "implied"
contradiction = "It runs a little later."
contradiction_since = "3.7"
shown_by = "timers/is_late"
test_idea = "Look."

[[statement]]
id = "call_at.later"
names = ["loop.call_at"]
text = "It runs later now."
documents = ["000"]
since = "3.14"
status = "guaranteed"
test_idea = "Look."

[[statement]]
id = "call_at.windows"
names = ["loop.call_at"]
text = "It does not on Windows."
documents = []
since = "3.4"
status = "platform"
untestable = "There is no Windows here."
test_idea = "Look."
""",
    "surface.toml": """\
later = []

[parts]
timers = "Timers"

[[name]]
name = "loop.call_at"
part = "timers"
kind = "method"
since = "3.4"
removed = "3.15"
documents = []
parameters = [{ name = "when" }]

[[name]]
name = "sleep"
part = "timers"
kind = "coroutine"
since = "3.6"
documents = []

[[name]]
name = "RuntimeError"
part = "timers"
kind = "exception"
since = "3.4"
documents = []
""",
    "retired.toml": """\
[[retired]]
id = "call_at.old"
reason = "It said the same."
replaced_by = ["call_at.when"]
""",
    "scenarios/timers/call_at.py": '''\
from loopcheck_target import scenario


@scenario(statements=["call_at.when"])
def is_late(loop, trace):
    """It runs then."""
''',
}


def build(folder: Path, file: str = "", right: str = "", wrong: str = "") -> Specification:
    """Write the model specification with one change in one file."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if name == file:
            assert right in text
            text = text.replace(right, wrong, 1)
        (folder / name).write_text(text, encoding="utf-8")
    return Specification(
        folder / "statements", folder / "surface.toml", folder / "retired.toml", folder / "scenarios"
    )


STATEMENTS, SURFACE, RETIRED, SCENARIO = FILES


def test_the_model_is_right(tmp_path: Path) -> None:
    assert lint(build(tmp_path)) == []


def test_what_ships_is_right() -> None:
    assert lint(shipped()) == []


@pytest.mark.parametrize(
    ("file", "right", "wrong", "sentence"),
    [
        (STATEMENTS, "until", "untill", 'call_at.when: the key "untill" is unknown'),
        (STATEMENTS, '"3.14"', '"3.4"', "call_at.when: since 3.4 must be earlier than until 3.4."),
        (STATEMENTS, '"call_at.exact"', '"call_at.when"', "call_at.when: the id is already used at"),
        (
            STATEMENTS,
            '"loop.call_at", "when"',
            '"loop.call_att", "when"',
            "call_at.when: names has loop.call_att, which is not in the surface.",
        ),
        (STATEMENTS, '"when"', '"wen"', "call_at.when: names has wen, which is not in the surface."),
        (STATEMENTS, '["000", "001"]', '["001", "000"]', "call_at.when: documents must be sorted."),
        (
            STATEMENTS,
            '"call_at.exact"',
            '"call_at.old"',
            "call_at.old: the id is retired and must never be used again; choose another.",
        ),
        (
            STATEMENTS,
            "timers/is_late",
            "timers/is_early",
            "call_at.exact: shown_by has timers/is_early, which is no scenario.",
        ),
        (
            STATEMENTS,
            'since = "3.7"\nstatus',
            'since = "3.4"\nuntil = "3.6"\nstatus',
            "call_at.exact: it holds until 3.6, but sleep exists since 3.6 only.",
        ),
        (
            STATEMENTS,
            'since = "3.7"\nstatus',
            'since = "3.5.9"\nstatus',
            "call_at.exact: it holds since 3.5.9, but sleep exists since 3.6 only.",
        ),
        (
            STATEMENTS,
            'documents = []\nsince = "3.7"',
            'documents = ["000"]\nsince = "3.7"',
            "call_at.exact: it is implied, so no document says it in words",
        ),
        (
            STATEMENTS,
            'documents = []\nsince = "3.7"',
            'documents = []\ndoc = "https://docs.python.org/3.14/library/x.html"\nsince = "3.7"',
            "call_at.exact: it is implied, so no document says it in words",
        ),
        (
            STATEMENTS,
            'since = "3.4"\nuntil = "3.14"',
            'since = "3.15"',
            "call_at.when: it holds since 3.15, but loop.call_at was removed in 3.15.",
        ),
        (SURFACE, "removed", "remvoed", 'loop.call_at: the key "remvoed" is unknown'),
        (SURFACE, '"sleep"', '"loop.call_at"', "loop.call_at: the name is already described above"),
        (RETIRED, "reason", "raeson", 'call_at.old: the key "raeson" is unknown'),
        (RETIRED, 'reason = "It said the same."\n', "", "call_at.old: reason is missing; add it."),
        (RETIRED, '"It said the same."', '""', "call_at.old: reason is empty."),
        (RETIRED, '["call_at.when"]', '"call_at.when"', "replaced_by must be an array of strings."),
        (
            RETIRED,
            '["call_at.when"]',
            '["call_at.then"]',
            "call_at.old: replaced_by has call_at.then, which is no statement.",
        ),
        (
            RETIRED,
            "",
            '[[retired]]\nid = "call_at.old"\nreason = "x"\nreplaced_by = []\n\n',
            "call_at.old: the id is already retired above; keep one record.",
        ),
        (RETIRED, "[[retired]]", "[[tired]]", 'the table or key "tired" is unknown'),
        (RETIRED, "[[retired]]", "[[retired", "the file cannot be read"),
        (SCENARIO, "call_at.when", "call_at.wen", "is_late: cites 'call_at.wen', which is no statement"),
        (
            SCENARIO,
            "call_at.when",
            "call_at.old",
            "which is no statement in spec/statements: the id is retired; cite call_at.when.",
        ),
        (
            SCENARIO,
            '["call_at.when"]',
            '["call_at.when", "call_at.when"]',
            "timers/is_late: it cites a statement twice.",
        ),
        (
            SCENARIO,
            "call_at.when",
            "call_at.windows",
            "timers/is_late: it cites call_at.windows, which says that it is untestable",
        ),
        (
            SCENARIO,
            '["call_at.when"]',
            '["call_at.when", "call_at.later"]',
            "No version satisfies both call_at.later (since 3.14) and call_at.when (until 3.14)",
        ),
        (
            SCENARIO,
            "statements=",
            'since="3.14", statements=',
            "timers/is_late: no version satisfies it: since 3.14 is not before until 3.14.",
        ),
    ],
)
def test_a_planted_mistake_gives_its_sentence(
    tmp_path: Path, file: str, right: str, wrong: str, sentence: str
) -> None:
    problems = lint(build(tmp_path, file, right, wrong))
    found = [problem for problem in problems if sentence in problem]
    assert len(found) == 1, problems
    assert found[0].startswith(str(tmp_path))
    assert found[0].endswith(".")


def test_a_specification_without_retired_ids_is_right(tmp_path: Path) -> None:
    specification = build(tmp_path)
    specification.retired.unlink()
    assert lint(specification) == []


# ---- the command ---------------------------------------------------------------------------------------------


def arguments(folder: Path) -> list[str]:
    """Return the arguments that name the specification in a folder."""
    return ["--spec", str(folder), "--scenarios", str(folder / "scenarios")]


def test_the_command_is_silent_about_what_is_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(tmp_path)
    assert main(arguments(tmp_path)) == 0
    assert capsys.readouterr().out == ""


def test_the_command_prints_each_problem_and_fails(tmp_path: Path) -> None:
    specification = build(tmp_path, STATEMENTS, '"loop.call_at", "when"', '"lop.call_at", "wen"')
    command = [sys.executable, "-m", "loopcheck.lint", *arguments(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()) == (1, lint(specification))
    assert len(done.stdout.splitlines()) == 2


def test_the_command_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--scenarios", str(tmp_path / "nowhere")])
    assert caught.value.code == 2
