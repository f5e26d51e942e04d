# SPDX-License-Identifier: MIT
"""``loopcheck baseline update``: writes a baseline from results, and shows what it changes."""

import argparse
import contextlib
import difflib
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .arguments import UsageError, output_may_close
from .baseline_file import BaselineError, read_text
from .baseline_update import Updated, update
from .results import Results, read_results
from .vocabulary import EXITS


def add_parser(verbs: "argparse._SubParsersAction[Any]") -> None:
    """Add ``baseline`` with its own verbs to the command line."""
    parser = verbs.add_parser("baseline", help="keep the list of a loop's known differences up to date")
    own = parser.add_subparsers(dest="baseline_verb", required=True, metavar="COMMAND")
    updates = own.add_parser("update", help="add new differences, remove what is fixed, show what changes")
    add = updates.add_argument
    add("file", type=Path, metavar="FILE", help="the baseline; it is made if there is none")
    add(
        "results", type=Path, nargs="+", metavar="RESULTS.jsonl", help="of complete runs, as many as you have"
    )
    add("--reason", default="", metavar="TEXT", help="of new entries; default: what differs, TO EXPLAIN")
    add("--prune", action="store_true", help="remove entries that are expired, unknown or there twice, too")
    add(
        "--check",
        action="store_true",
        help="write nothing; exit 1 if something would change or is TO EXPLAIN",
    )
    updates.set_defaults(function=run_update)


def run_update(arguments: argparse.Namespace) -> int:
    """Update a baseline; return the exit status."""
    read = [(path, read_results(path)) for path in arguments.results]
    incomplete = [path for path, results in read if not is_complete(results)]
    if incomplete:
        print(
            f"loopcheck: {incomplete[0]} is of a run that did not end: a baseline needs all of it",
            file=sys.stderr,
        )
        return EXITS["failure"].status
    file = arguments.file
    before = read_text(file) if os.path.lexists(file) else None
    done = update(
        before,
        str(file),
        [results for _, results in read],
        reason=arguments.reason.strip(),
        prune=arguments.prune,
    )
    changes = done.text != (before or "")
    if changes and not arguments.check:
        write_whole(file, done.text)
    with output_may_close():
        print_update(str(file), before or "", done, would=arguments.check)
    failed = arguments.check and (changes or done.unexplained)
    return EXITS["difference"].status if failed else EXITS["good"].status


def is_complete(results: Results) -> bool:
    """Return whether a run came to its end."""
    return results.footer is not None and not results.footer["interrupted"]


def print_update(file: str, before: str, done: Updated, *, would: bool) -> None:
    """Print what changes, in how many entries, and what is left to the reader.  would: nothing was written."""
    for line in diff_lines(file, before, done.text):
        print(line)
    if done.text == before:
        print(f"{file}: nothing changes")
    else:
        tense = "would be " if would else ""
        print(f"{file}: {done.added} {tense}added, {done.changed} changed, {done.removed} removed")
    for note in done.notes:
        print(f"note: {note}")


def diff_lines(file: str, before: str, after: str) -> Sequence[str]:
    """Return the lines of a unified diff, without line ends."""
    old, new = before.splitlines(), after.splitlines()
    return list(difflib.unified_diff(old, new, file, file, lineterm=""))


def write_whole(file: Path, text: str) -> None:
    """Write a text to a file so that the file has the old text or the new one, never a part.

    Keeps its permissions, and a symbolic link to it.  Raises UsageError.
    """
    real = file.resolve()
    try:
        mode = real.stat().st_mode & 0o7777 if real.exists() else 0o666 & ~_umask()
        handle, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(text.encode("utf-8"))
                out.flush()
                os.fsync(out.fileno())
            os.chmod(name, mode)
            os.replace(name, real)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except OSError as exc:
        raise UsageError(f"{file} cannot be written: {exc.strerror}") from exc


def _umask() -> int:
    """Return the process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


__all__ = ["BaselineError", "add_parser", "run_update"]
