# SPDX-License-Identifier: MIT
"""What the verbs of the command line share: how arguments are read, and how output is written.

A verb's module has ``add_parser(verbs)``, which adds its parser and sets ``function``: called with the parsed
arguments, it returns the exit status.  What the user got wrong is a UsageError with one sentence.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn, TypeVar

from .vocabulary import EXITS

USAGE = EXITS["usage"].status

Number = TypeVar("Number", int, float)


class UsageError(Exception):
    """What was asked for cannot be done as asked; the text is one sentence."""


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


def write_text(file: Path | None, text: str) -> None:
    """Write a text to a file that was asked for.  Raises UsageError when it cannot be written."""
    if file is not None:
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as exc:
            raise UsageError(f"{file} cannot be written: {exc.strerror}") from exc


@contextlib.contextmanager
def output_may_close() -> Iterator[None]:
    """Go on without output when nobody reads it any more, as in ``loopcheck run ... | head``."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
