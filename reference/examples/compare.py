# SPDX-License-Identifier: MIT
"""Run a program and its twin in the other language, and compare what they say.

    compare.py PROGRAM TWIN.py [INPUT]

INPUT is what they read from standard input, which is a pipe then; without it there is none.  Both run at the same
time.  They are the same if they print the same, at least a line, both exit with 0, and neither writes to stderr:
there is where a sanitizer or a warning would speak.

Exit status: 0 they are the same; 1 they are not, and how; 2 one of them cannot be run, or does not end.
"""

import difflib
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

LIMIT_S = 60


class Outcome(NamedTuple):
    """What a program has said, and its exit status."""

    output: str
    errors: str
    status: int


def start(command: list[str], has_input: bool) -> "subprocess.Popen[str]":
    """Start a program."""
    pipe = subprocess.PIPE
    stdin = pipe if has_input else subprocess.DEVNULL
    return subprocess.Popen(command, stdin=stdin, stdout=pipe, stderr=pipe, text=True)


def outcomes(commands: list[list[str]], text: str | None = None) -> list[Outcome]:
    """Run the programs side by side, each with the text as its input; none is left running.

    Raises OSError, subprocess.TimeoutExpired.
    """
    running: list[subprocess.Popen[str]] = []
    try:
        for command in commands:
            running.append(start(command, text is not None))
        return [Outcome(*process.communicate(text, LIMIT_S), process.returncode) for process in running]
    finally:
        for process in running:
            with process:  # closes its pipes, and waits for its end
                process.kill()


def differences(program: str, ours: Outcome, twin: str, theirs: Outcome) -> list[str]:
    """Return what is wrong with the two, a sentence or a line of a diff each."""
    found = []
    for name, outcome in ((program, ours), (twin, theirs)):
        if outcome.status != 0:
            found.append(f"{name} ended with status {outcome.status}")
        if outcome.errors:
            found.append(f"{name} wrote to stderr: {outcome.errors.strip()}")
        if not outcome.output:
            found.append(f"{name} printed nothing")
    if ours.output != theirs.output:
        found.append(f"{program} and {twin} print different things:")
        found += difflib.ndiff(theirs.output.splitlines(), ours.output.splitlines())
    return found


def main(arguments: list[str]) -> int:
    """Compare the two programs that are named."""
    if len(arguments) not in (2, 3):
        print("compare.py: wants two arguments, the program and its twin in Python", file=sys.stderr)
        return 2
    program, twin = arguments[:2]
    if not Path(twin).is_file():
        print(f"compare.py: there is no file {twin}", file=sys.stderr)
        return 2
    try:
        ours, theirs = outcomes([[program], [sys.executable, twin]], arguments[2] if arguments[2:] else None)
    except OSError as error:
        print(f"compare.py: {program} cannot be run: {error}", file=sys.stderr)
        return 2
    except subprocess.TimeoutExpired as error:
        print(f"compare.py: {error.cmd} did not end within {LIMIT_S} seconds", file=sys.stderr)
        return 2
    found = differences(program, ours, twin, theirs)
    print("\n".join(found) or f"the same {ours.output.count(chr(10))} lines")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
