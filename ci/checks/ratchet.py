# SPDX-License-Identifier: MIT
"""The set of tested statements only grows: what was once shown by a scenario stays shown by one.

spec/tested.txt has the ids of the statements that scenarios cite, sorted, one a line.  Three things are compared:
that file, the specification as it is now, and every version of the file that git knows, because a ratchet that can
be turned back by editing its own file is none.  An id leaves the set in one way: by being retired.

``--write`` adds what is tested by now and drops what is retired; it takes nothing else away.  Paths are relative
to the root of the project.  Exit status: 0 nothing found; 1 something, a sentence each.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from loopcheck.coverage import scenarios_by_statement
from loopcheck.lint import read_retired
from loopcheck.scenarios import load_scenarios
from loopcheck.spec import SpecError, load_statements

ROOT = Path(__file__).resolve().parents[2]
FILE = "spec/tested.txt"
UPDATE = "ci/checks/ratchet.py --write"


def read_ids(file: Path) -> list[str]:
    """Return the ids of a file, none when it is not there."""
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def tested_now(root: Path) -> set[str]:
    """Return the ids of the statements that scenarios cite.  Raises SpecError when the statements are wrong."""
    statements = load_statements(root / "spec/statements")
    scenarios, _ = load_scenarios(root / "conformance", statements)
    return set(scenarios_by_statement(scenarios))


def ever_recorded(root: Path) -> set[str]:
    """Return the ids of every version of the file that git knows; none where there is no git."""
    found: set[str] = set()
    commits = git(root, "log", "--format=%H", "--", FILE).split()
    for commit in commits:
        found.update(git(root, "show", f"{commit}:./{FILE}").split())
    return found


def git(root: Path, *words: str) -> str:
    """Return what a git command prints; nothing when it fails, as for a file that a commit removed."""
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def problems(root: Path) -> Iterator[str]:
    """Yield what is wrong."""
    recorded, tested = read_ids(root / FILE), tested_now(root)
    retired = {*read_retired(root / "spec/retired.toml")[0]}
    if recorded != sorted(set(recorded)):
        yield f"{FILE}: it is not sorted, or has an id twice: {UPDATE} puts it right"
    for id in sorted(ever_recorded(root) - {*recorded} - retired):
        yield f"{FILE}: {id} was in it once and is neither there nor retired: a tested statement stays tested"
    for id in sorted({*recorded} - tested - retired):
        yield f"{FILE}: {id} was tested, and no scenario cites it any more: bring one back, or retire the id"
    for id in sorted({*recorded} & retired):
        yield f"{FILE}: {id} is retired: {UPDATE} drops it"
    for id in sorted(tested - {*recorded}):
        yield f"{FILE}: {id} is tested and not in it: {UPDATE} adds it"


def write(root: Path) -> int:
    """Bring the file up to date; return how many ids it has."""
    retired = {*read_retired(root / "spec/retired.toml")[0]}
    kept = ({*read_ids(root / FILE)} | ever_recorded(root) | tested_now(root)) - retired
    (root / FILE).write_text("".join(f"{id}\n" for id in sorted(kept)), encoding="utf-8")
    return len(kept)


def main() -> int:
    """Check the set of tested statements, or bring it up to date first; print a sentence for each thing found."""
    parser = argparse.ArgumentParser(description="Check that the set of tested statements only grows.")
    parser.add_argument(
        "--write", action="store_true", help="add what is tested by now, drop what is retired"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="another project, for tests")
    options = parser.parse_args()
    try:
        if options.write:
            print(f"{FILE}: {write(options.root)} statements")
        found = list(problems(options.root))
    except SpecError as error:
        found = [str(error)]
    for problem in found:
        print(problem)
    if not found:
        print(f"{len(read_ids(options.root / FILE))} statements are tested, none fewer than ever")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
