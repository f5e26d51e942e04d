# SPDX-License-Identifier: MIT
"""The verbs that only read results: ``report`` shows files in any form, ``diff`` says what changed between two.

Neither runs anything.  ``report`` ends with the status that the run had, so a CI job can keep the run's results,
make its reports, and let this command decide.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .annotations import github, gitlab
from .arguments import UsageError, check_outputs, output_may_close, report_console, write_text
from .badge import badge
from .diff import compare
from .diff_report import delta_json, delta_markdown, print_delta
from .digest import exit_status
from .junit import junit_xml
from .markdown_summary import BUDGET, summary
from .report import print_report
from .results import Results, read_results

ANNOTATIONS = {"github": github, "gitlab": gitlab}


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``report`` and ``diff``."""
    _add_report(verbs.add_parser("report", help="show results files: terminal, JUnit, Markdown, HTML, …"))
    _add_diff(verbs.add_parser("diff", help="say what changed between two results files"))


def _add_report(to: argparse.ArgumentParser) -> None:
    add = to.add_argument
    add("files", nargs="+", type=Path, metavar="FILE", help="results, as written by run --results")
    add("--junit", type=Path, metavar="FILE", help="write JUnit XML")
    add("--markdown", type=Path, metavar="FILE", help="write a summary in Markdown")
    add("--html", type=Path, metavar="FILE", help="write the HTML report, one file")
    add(
        "--annotations",
        type=_annotations,
        metavar="github|gitlab[=FILE]",
        help="print annotations, or write them to a file",
    )
    add("--badge", type=Path, metavar="FILE", help="write a badge, as shields.io reads it")
    add("-v", "--verbose", action="count", default=0, help="show variants in full; twice: every scenario")
    to.set_defaults(function=report)


def _add_diff(to: argparse.ArgumentParser) -> None:
    add = to.add_argument
    add("old", type=Path, metavar="OLD", help="results of before")
    add("new", type=Path, metavar="NEW", help="results of now")
    add("--pair", action="append", default=[], metavar="OLD=NEW", help="compare these targets, and no others")
    add("--across-versions", action="store_true", help="also if loopcheck's version or the level differ")
    add("--markdown", type=Path, metavar="FILE", help="write Markdown")
    add("--json", type=Path, metavar="FILE", help="write JSON")
    add("-v", "--verbose", action="count", default=0, help="show traces of what got worse; twice: of all")
    to.set_defaults(function=diff)


def _annotations(text: str) -> tuple[str, Path | None]:
    service, equals, file = text.partition("=")
    if service not in ANNOTATIONS or (equals and not file):
        raise argparse.ArgumentTypeError(f"{text!r} is neither github nor gitlab, with or without =FILE")
    return service, Path(file) if file else None


def report(arguments: argparse.Namespace) -> int:
    """Show results files in the forms asked for, on the terminal when none is; return the run's own status."""
    annotations = arguments.annotations[1] if arguments.annotations else None
    outputs = (arguments.junit, arguments.markdown, arguments.html, arguments.badge, annotations)
    check_outputs(outputs, arguments.files)
    several = [read_results(file) for file in arguments.files]
    _write_files(arguments, several)
    with output_may_close():
        if arguments.annotations is not None:
            _annotate(several, *arguments.annotations)
        forms = (arguments.junit, arguments.markdown, arguments.html, arguments.annotations, arguments.badge)
        if arguments.verbose or forms == (None,) * len(forms):
            for results in several:
                print_report(report_console(), results, arguments.verbose)
    return exit_status(several)


def _write_files(arguments: argparse.Namespace, several: Sequence[Results]) -> None:
    if arguments.junit is not None:
        write_text(arguments.junit, junit_xml(*several))
    if arguments.markdown is not None:
        texts = (summary(results, BUDGET // len(several)) for results in several)
        write_text(arguments.markdown, "\n".join(texts))
    if arguments.badge is not None:
        write_text(arguments.badge, badge(*several))
    if arguments.html is not None:
        from .html import render  # it brings a template engine with it  # noqa: PLC0415

        write_text(arguments.html, render(several[0] if len(several) == 1 else several))


def _annotate(several: Sequence[Results], service: str, file: Path | None) -> None:
    text = ANNOTATIONS[service](*several)
    if file is None:
        sys.stdout.write(text)
    else:
        write_text(file, text)


def diff(arguments: argparse.Namespace) -> int:
    """Print what changed; return 0 when nothing got worse, 1 when something did, 3 for an incomplete file."""
    if arguments.old.exists() and arguments.new.exists() and arguments.old.samefile(arguments.new):
        raise UsageError(f"{arguments.old} and {arguments.new} are one file: there is nothing to compare")
    check_outputs((arguments.markdown, arguments.json), (arguments.old, arguments.new))
    delta = compare(
        read_results(arguments.old),
        read_results(arguments.new),
        arguments.pair,
        across_versions=arguments.across_versions,
    )
    write_text(arguments.markdown, delta_markdown(delta))
    write_text(arguments.json, delta_json(delta))
    with output_may_close():
        print_delta(report_console(), delta, arguments.verbose)
    return delta.status
