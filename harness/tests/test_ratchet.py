# SPDX-License-Identifier: MIT
"""The ratchet of tested statements: it turns one way only, and cannot be turned back through its own file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECK = ROOT / "ci/checks/ratchet.py"

RECORD = """\
[[statement]]
id = "{id}"
names = ["loop.time"]
text = "It holds."
documents = []
since = "3.4"
status = "guaranteed"
test_idea = "Look."
"""
SCENARIO = '''

@scenario(statements=["{id}"])
def {name}(loop, trace):
    """It holds."""
'''


def write(root: Path, cited: list[str], tested: list[str], retired: list[str] | None = None) -> None:
    """Write a project of three statements, of which some are cited, recorded as tested, or retired."""
    statements = "".join(RECORD.format(id=id) + "\n" for id in ("a.one", "b.two", "c.three"))
    scenarios = "".join(SCENARIO.format(id=id, name=id.replace(".", "_")) for id in cited)
    files = {
        "spec/statements/some.toml": statements,
        "spec/tested.txt": "".join(f"{id}\n" for id in tested),
        "spec/retired.toml": "".join(
            f'[[retired]]\nid = "{id}"\nreason = "Because."\nreplaced_by = []\n' for id in retired or []
        ),
        "conformance/area/some.py": f"from loopcheck_target import scenario\n{scenarios}",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def check(root: Path, *words: str) -> tuple[int, list[str]]:
    """Run the check; return its exit status and what it prints."""
    command = [sys.executable, str(CHECK), "--root", str(root), *words]
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(root.parent)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines()


def commit(root: Path) -> None:
    """Commit what is there."""
    name = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "-A"], [*name, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True)


def test_what_is_recorded_and_tested_is_right(tmp_path: Path) -> None:
    write(tmp_path, ["a.one", "b.two"], ["a.one", "b.two"])
    assert check(tmp_path) == (0, ["2 statements are tested, none fewer than ever"])


@pytest.mark.parametrize(
    ("cited", "tested", "retired", "sentence"),
    [
        (["a.one"], ["a.one", "b.two"], [], "b.two was tested, and no scenario cites it any more"),
        (["a.one", "b.two"], ["a.one"], [], "b.two is tested and not in it: ci/checks/ratchet.py --write"),
        (["a.one", "b.two"], ["b.two", "a.one"], [], "it is not sorted, or has an id twice"),
        (["a.one"], ["a.one", "a.one"], [], "it is not sorted, or has an id twice"),
        (["a.one"], ["a.one", "z.old"], ["z.old"], "z.old is retired: ci/checks/ratchet.py --write drops it"),
        (["a.one"], ["a.one", "z.old"], [], "z.old was tested, and no scenario cites it any more"),
    ],
)
def test_a_planted_mistake_gives_its_sentence(
    tmp_path: Path, cited: list[str], tested: list[str], retired: list[str], sentence: str
) -> None:
    write(tmp_path, cited, tested, retired)
    status, lines = check(tmp_path)
    assert status == 1
    assert [line for line in lines if sentence in line], lines


def test_the_file_cannot_be_cut_to_hide_what_was_tested(tmp_path: Path) -> None:
    write(tmp_path, ["a.one", "b.two"], ["a.one", "b.two"])
    commit(tmp_path)
    write(tmp_path, ["a.one"], ["a.one"])
    commit(tmp_path)
    status, lines = check(tmp_path)
    assert status == 1
    assert lines[0].startswith("spec/tested.txt: b.two was in it once and is neither there nor retired")


def test_a_retired_id_may_leave_the_file(tmp_path: Path) -> None:
    write(tmp_path, ["a.one"], ["a.one", "z.old"])
    commit(tmp_path)
    write(tmp_path, ["a.one"], ["a.one"], ["z.old"])
    assert check(tmp_path)[0] == 0


def test_writing_adds_what_is_tested_and_drops_what_is_retired(tmp_path: Path) -> None:
    write(tmp_path, ["c.three", "a.one"], ["a.one", "z.old"], ["z.old"])
    assert check(tmp_path, "--write")[0] == 0
    assert (tmp_path / "spec/tested.txt").read_text() == "a.one\nc.three\n"


def test_writing_takes_nothing_else_away(tmp_path: Path) -> None:
    write(tmp_path, ["a.one"], ["a.one", "b.two"])
    status, lines = check(tmp_path, "--write")
    assert status == 1
    assert [line for line in lines if "b.two was tested" in line]
    assert (tmp_path / "spec/tested.txt").read_text() == "a.one\nb.two\n"


def test_writing_brings_back_what_was_cut(tmp_path: Path) -> None:
    write(tmp_path, ["a.one"], ["a.one", "b.two"])
    commit(tmp_path)
    write(tmp_path, ["a.one"], ["a.one"])
    assert check(tmp_path, "--write")[0] == 1
    assert (tmp_path / "spec/tested.txt").read_text() == "a.one\nb.two\n"


def test_statements_that_cannot_be_read_are_no_success(tmp_path: Path) -> None:
    write(tmp_path, ["a.one"], ["a.one"])
    (tmp_path / "spec/statements/some.toml").write_text("x = 1\n")
    status, lines = check(tmp_path)
    assert status == 1
    assert 'the table or key "x" is unknown' in lines[0]


def test_what_ships_is_up_to_date() -> None:
    status, lines = check(ROOT)
    assert status == 0, lines
