# SPDX-License-Identifier: MIT
"""What the verbs of the command line share: how arguments are read and checked, and how output is written.

A verb's module has ``add_parser(verbs)``, which adds its parser and sets ``function``: called with the parsed
arguments, it returns the exit status.  What the user got wrong is a UsageError with one sentence.
"""

import argparse
import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from rich.console import Console

from .vocabulary import EXITS

USAGE = EXITS["usage"].status
WIDTH = 120  # characters of a report when the output is no terminal

Number = TypeVar("Number", int, float)


class UsageError(Exception):
    """What was asked for cannot be done as asked; the text is one sentence."""


class OutputError(Exception):
    """The standard output cannot be written, and not because its reader left; the text is one sentence."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one sentence."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave with the usage status."""
        self.exit(USAGE, f"loopcheck: {message}; see {self.prog} --help\n")


def positive(kind: type[Number]) -> Callable[[str], Number]:
    """Return a converter for a positive number of a kind."""

    def convert(text: str) -> Number:
        try:
            value = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
        if not value > 0:
            raise argparse.ArgumentTypeError(f"{text} is not above zero")
        return value

    return convert


def checked_path(folders: Sequence[str]) -> tuple[str, ...]:
    """Return the folders of --path, absolute.  Raises UsageError for one that is not there."""
    for folder in folders:
        if not Path(folder).exists():
            raise UsageError(f"there is no folder {folder} to put on the target's path")
    return tuple(str(Path(folder).resolve()) for folder in folders)


# ---- files that are written ------------------------------------------------------------------------------


def check_outputs(outputs: Sequence[Path | None], inputs: Sequence[Path | None] = ()) -> None:
    """Raise UsageError when a file cannot be written later, or when that would destroy another one.

    Called before the work begins whose product it is to hold: a wrong name must not cost the work.
    inputs: files that the command reads.
    """
    taken = {file.resolve() for file in inputs if file is not None and file.exists()}
    for file in outputs:
        if file is None:
            continue
        real = file.resolve()
        if real in taken:
            raise UsageError(f"{file} is named twice: writing it would destroy what else it is named for")
        if not real.exists() or real.is_file():  # several forms may well go to one terminal or to /dev/null
            taken.add(real)
        if real.is_dir():
            raise UsageError(f"{file} cannot be written: {os.strerror(errno.EISDIR)}")
        if not real.parent.is_dir():
            raise UsageError(f"{file} cannot be written: {os.strerror(errno.ENOENT)}")
        if not os.access(real if real.exists() else real.parent, os.W_OK):
            raise UsageError(f"{file} cannot be written: {os.strerror(errno.EACCES)}")


def write_text(file: Path | None, text: str) -> None:
    """Write a text to a file that was asked for.  Raises UsageError when it cannot be written."""
    if file is not None:
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as exc:
            raise UsageError(f"{file} cannot be written: {exc.strerror}") from exc


# ---- the standard output ---------------------------------------------------------------------------------


class OutputConsole(Console):
    """A console that goes on when nobody reads it any more, where rich's would end the program with 1."""

    def on_broken_pipe(self) -> None:
        """Go on without output."""
        discard_output()


def report_console(width: int = WIDTH) -> Console:
    """Return the console for a report.  width: in characters, when the output is no terminal."""
    return OutputConsole(soft_wrap=False, width=None if sys.stdout.isatty() else width)


def plain_console() -> Console:
    """Return a console that prints texts as they are."""
    return OutputConsole(highlight=False, markup=False, emoji=False, soft_wrap=True)


def discard_output() -> None:
    """Have everything that is printed from now on go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def open_missing_streams() -> None:
    """Open what of the standard streams is closed, as behind ``>&-``: else a file would take their number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode)  # noqa: SIM115
            if stream.fileno() != number:
                os.dup2(stream.fileno(), number)
            setattr(sys, name, stream)


@contextlib.contextmanager
def output_may_close() -> Iterator[None]:
    """Go on without output when nobody reads it any more, as in ``loopcheck run ... | head``.

    Raises OutputError when it cannot be written for another reason, such as a full disk.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
    except OSError as exc:
        if exc.filename is not None:
            raise  # not of the output, which has no name
        discard_output()
        raise OutputError(f"the output cannot be written: {exc.strerror}") from exc
