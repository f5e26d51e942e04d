# SPDX-License-Identifier: MIT
"""The command line: arguments in, printing and an exit status out, no logic of its own."""

import argparse
import fnmatch
import functools
import json
import sys
import traceback
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any, TypeVar

from . import __version__
from .arguments import (
    USAGE,
    OutputError,
    Parser,
    UsageError,
    check_outputs,
    checked_path,
    discard_output,
    open_missing_streams,
    output_may_close,
    positive,
    report_console,
    write_text,
)
from .baseline import BaselineError
from .baseline import load as load_baseline
from .baseline_verbs import add_parser as add_baseline
from .coverage import as_record, cover
from .coverage_pass import CoverageError, measure
from .coverage_report import markdown, print_coverage
from .doctor import print_doctor
from .export import ExportError, export_script
from .fuzz.verb import add_parser as add_fuzz_parser
from .interpreters import InterpreterError
from .junit import junit_xml
from .rejudge import judge_again
from .report import Reporter, print_report
from .reporting_verbs import add_parser as add_reporting
from .resources import scenarios_folder, statements_folder, surface_file
from .results import ResultsError, WriteError, Writer, assemble, read_kept, read_results, write_results
from .scenarios import Problem, Scenario, load_scenarios
from .servers import ServerError
from .session import SessionOptions, default_jobs, run_session
from .show import ShowError, print_list, print_names, print_show, print_statements
from .spec import SpecError, Statement, load_statements
from .surface import Name, Surface, SurfaceError, load_surface
from .targets import Target, TargetError, oracle_for, parse_target, read_configuration, with_distinct_names
from .vocabulary import EXITS, LEVELS

LEVELS_DEMANDED = [level for level in LEVELS if level != "free"]
COVERAGE_WIDTH = 160  # characters, when the output is no terminal
Part = TypeVar("Part", Statement, Name)


class Corpus:
    """The statements and scenarios that a command works with."""

    def __init__(self, folder: Path | None) -> None:
        """folder: of scenarios, instead of the shipped ones."""
        if folder is not None and not folder.is_dir():
            raise UsageError(f"there is no folder {folder} to read scenarios from")
        self.statements: dict[str, Statement] = load_statements(statements_folder())
        self.scenarios: list[Scenario]
        self.problems: list[Problem]
        self.scenarios, self.problems = load_scenarios(folder or scenarios_folder(), self.statements)

    @functools.cached_property
    def surface(self) -> Surface:
        """The documented names; read when they are asked for."""
        return load_surface(surface_file())

    def select(self, arguments: argparse.Namespace) -> list[Scenario]:
        """Return the scenarios that -k, --area and --statement select.  Raises UsageError if none is left."""
        selected = self.scenarios
        if arguments.area:
            self._check("area", arguments.area, {scenario.area for scenario in self.scenarios})
            selected = [s for s in selected if s.area in arguments.area]
        if arguments.statement:
            self._check("statement", arguments.statement, set(self.statements))
            selected = [s for s in selected if set(arguments.statement) & set(s.statements)]
        if arguments.pattern:
            ids = {scenario.id for scenario in self.scenarios}
            patterns = arguments.pattern
            selected = [s for s in selected if any(is_selected(s.id, p, ids, s.tags) for p in patterns)]
        if not selected:
            why = f"; {self.problems[0]}" if self.problems else ""
            raise UsageError(f"nothing matches: none of the {len(self.scenarios)} scenarios is selected{why}")
        return selected

    def _check(self, what: str, names: Sequence[str], known: set[str]) -> None:
        for name in names:
            if name not in known:
                raise UsageError(f"there is no {what} {name!r}; loopcheck list shows what there is")


def is_selected(id: str, pattern: str, ids: Set[str], tags: Sequence[str] = ()) -> bool:
    """Return whether a pattern selects an id: a part of it, or a glob pattern for it or a tag.

    A pattern that is one of ids selects nothing else: a whole id means just that.
    """
    if pattern in ids:
        return pattern == id
    return pattern in id or any(fnmatch.fnmatchcase(word, pattern) for word in (id, *tags))


# ---- the commands ----------------------------------------------------------------------------------------


def run(arguments: argparse.Namespace) -> int:
    """Run scenarios on targets and report."""
    if arguments.resume and arguments.results is None:
        raise UsageError("--resume goes on with the file that --results names")
    check_outputs((arguments.results, arguments.junit), (arguments.baseline,))
    kept = read_kept(arguments.results) if arguments.resume else None
    corpus = Corpus(arguments.scenarios)
    pairs = target_pairs(arguments)
    scenarios = corpus.select(arguments)
    options = SessionOptions(
        pairs=tuple(pairs),
        scenarios=tuple(scenarios),
        problems=tuple(corpus.problems),
        total=len(corpus.scenarios),
        level=arguments.level,
        clock=arguments.clock,
        path=checked_path(arguments.path),
        jobs=arguments.jobs,
        repeat=arguments.repeat,
        timeout=arguments.timeout,
        command=("loopcheck", *arguments.command_line),
        statements=corpus.statements,
        baseline=load_baseline(arguments.baseline) if arguments.baseline else None,
        ids=frozenset(scenario.id for scenario in corpus.scenarios),
        kept=kept.records if kept else (),
    )
    console = report_console()
    writer = Writer(arguments.results, kept)
    reporter = Reporter(console, total=len(scenarios) * len(pairs), verbose=arguments.verbose)
    unwritten: list[OutputError] = []  # the output is lost then; the results are not

    def take(record: dict[str, Any]) -> None:
        writer.write(record)
        try:
            with output_may_close():
                reporter.record(record)
        except OutputError as exc:
            unwritten.append(exc)

    def take_kept(records: Sequence[dict[str, Any]]) -> None:
        if records is not options.kept:
            writer.begin_anew(records)
        for record in records:
            reporter.record(record)

    try:
        status = run_session(options, take, take_kept)
    finally:
        reporter.close()
        writer.close()
    results = assemble(reporter.records)
    with output_may_close():
        print_report(console, results, arguments.verbose)
    if arguments.junit is not None:
        write_text(arguments.junit, junit_xml(results))
    if unwritten:
        raise unwritten[0]
    return status


def judge_stored(arguments: argparse.Namespace) -> int:
    """Give the verdicts of a results file anew, and report."""
    check_outputs((arguments.output,), (arguments.baseline,))
    corpus = Corpus(None)
    read = read_results(arguments.results)
    baseline = load_baseline(arguments.baseline) if arguments.baseline else None
    ids = {scenario.id for scenario in corpus.scenarios} | set(read.header["plan"])
    results = judge_again(read, arguments.level or read.header["level"], corpus.statements, baseline, ids)
    if arguments.output is not None:
        write_results(arguments.output, results)
    with output_may_close():
        print_report(report_console(), results, arguments.verbose)
    return int(results.footer["exit"]) if results.footer else EXITS["failure"].status


def target_pairs(arguments: argparse.Namespace) -> list[tuple[Target, Target]]:
    """Return each target with its oracle.  Raises UsageError for a target that equals its oracle."""
    configured = read_configuration(Path.cwd())
    pairs = []
    texts = [*arguments.targets, *([arguments.oracle] if arguments.oracle else [])]
    named = with_distinct_names([parse_target(text, configured) for text in texts])
    for target in named[: len(arguments.targets)]:
        oracle = named[-1] if arguments.oracle else oracle_for(target)
        if target.is_same_loop_as(oracle) and not arguments.oracle:
            raise UsageError(
                f"{target.text} is its own oracle: comparing it with itself tests nothing; "
                f"--oracle {target.text} insists"
            )
        pairs.append((target, oracle))
    repeated = [target.text for target, _ in pairs if [t.key for t, _ in pairs].count(target.key) > 1]
    if repeated:
        raise UsageError(f"{repeated[0]} is named twice")
    return pairs


def list_what(arguments: argparse.Namespace) -> int:
    """Print the scenarios, statements or names there are."""
    corpus = Corpus(arguments.scenarios)
    if arguments.what == "scenarios":
        if arguments.part:
            raise UsageError("--part selects statements and names; use --area for scenarios")
        selected = corpus.select(arguments)
        with output_may_close():
            print_list(selected, corpus.problems)
        return EXITS["failure"].status if corpus.problems else 0
    if arguments.area or arguments.statement:
        raise UsageError(f"--area and --statement select scenarios; use -k or --part for {arguments.what}")
    with output_may_close():
        if arguments.what == "statements":
            print_statements(select_named(corpus.statements, arguments))
        else:
            print_names(select_named(corpus.surface.names, arguments))
    return 0


def select_named(things: Mapping[str, Part], arguments: argparse.Namespace) -> list[Part]:
    """Return the statements or names that -k and --part select.  Raises UsageError if none is left."""
    parts = {thing.part for thing in things.values()}
    for part in arguments.part or ():
        if part not in parts:
            raise UsageError(f"there is no part {part!r}; there is {', '.join(sorted(parts))}")
    selected = [
        thing
        for id, thing in things.items()
        if (not arguments.part or thing.part in arguments.part)
        and (not arguments.pattern or any(is_selected(id, p, things.keys()) for p in arguments.pattern))
    ]
    if not selected:
        raise UsageError(f"nothing matches: none of the {len(things)} {arguments.what} is selected")
    return selected


def show(arguments: argparse.Namespace) -> int:
    """Print everything about one scenario, statement or name."""
    corpus = Corpus(arguments.scenarios)
    with output_may_close():
        print_show(arguments.id, corpus.scenarios, corpus.statements, corpus.surface)
    return 0


def coverage(arguments: argparse.Namespace) -> int:
    """Measure and print what of the specification the scenarios reach."""
    check_outputs((arguments.markdown, arguments.json))
    corpus = Corpus(arguments.scenarios)
    measured = []
    if not arguments.statements_only:
        configured = read_configuration(Path.cwd())
        targets = [parse_target(text, configured) for text in arguments.targets or ["asyncio"]]
        measured = measure(targets, corpus.scenarios, arguments.jobs)
    found = cover(corpus.statements, corpus.scenarios, corpus.surface, measured)
    write_text(arguments.markdown, markdown(found))
    write_text(arguments.json, json.dumps(as_record(found), indent=1, ensure_ascii=False) + "\n")
    console = report_console(COVERAGE_WIDTH)
    with output_may_close():
        for problem in corpus.problems:
            console.print(
                f"ERROR  {problem}", style="bold magenta", highlight=False, markup=False, soft_wrap=True
            )
        print_coverage(console, found, brief=arguments.brief)
    if corpus.problems or found.failed:
        return EXITS["failure"].status
    return EXITS["difference"].status if found.untested else 0


def export(arguments: argparse.Namespace) -> int:
    """Print a stand-alone script."""
    corpus = Corpus(arguments.scenarios)
    configured = read_configuration(Path.cwd())
    target = parse_target(arguments.target, configured)
    oracle = parse_target(arguments.oracle, configured) if arguments.oracle else oracle_for(target)
    path = checked_path(arguments.path)
    script = export_script(arguments.id, corpus.scenarios, target, oracle, path)
    with output_may_close():
        sys.stdout.write(script)
    return 0


def doctor(arguments: argparse.Namespace) -> int:
    """Say whether a target can be tested, and what it lacks."""
    corpus = Corpus(None)
    target = parse_target(arguments.target, read_configuration(Path.cwd()))
    path = checked_path(arguments.path)
    return print_doctor(target, tuple(corpus.scenarios), path)


# ---- arguments -------------------------------------------------------------------------------------------


def parser() -> Parser:
    """Return the parser of the whole command line."""
    main = Parser(
        prog="loopcheck",
        description="Does an asyncio event loop behave like CPython's, and where does it not?",
    )
    main.add_argument("--version", action="version", version=f"loopcheck {__version__}")
    verbs: argparse._SubParsersAction[Any] = main.add_subparsers(
        dest="verb", required=True, metavar="COMMAND", parser_class=Parser
    )
    _add_run(verbs.add_parser("run", help="run scenarios on loops and explain every difference"))
    lists = verbs.add_parser("list", help="list scenarios, statements or documented names")
    things = ("scenarios", "statements", "names")
    lists.add_argument("what", nargs="?", choices=things, default=things[0], help="default: scenarios")
    lists.add_argument("--part", action="append", help="statements or names of a part")
    _add_selection(lists)
    lists.set_defaults(function=list_what)
    shows = verbs.add_parser("show", help="show one scenario, statement or documented name")
    shows.add_argument("id", metavar="ID")
    _add_folder(shows)
    shows.set_defaults(function=show)
    exports = verbs.add_parser("export", help="print a scenario as a script that runs without loopcheck")
    exports.add_argument("id", metavar="ID")
    exports.add_argument("--target", default="asyncio", help="the loop that the script compares with asyncio")
    exports.add_argument("--oracle", metavar="TARGET", help="compare with this instead of asyncio")
    _add_path(exports)
    _add_folder(exports)
    exports.set_defaults(function=export)
    add_baseline(verbs)
    add_reporting(verbs)
    _add_judge(verbs.add_parser("judge", help="give the verdicts of a results file anew, without running"))
    _add_coverage(verbs.add_parser("coverage", help="say what of the documentation the scenarios reach"))
    add_fuzz_parser(verbs)
    doctors = verbs.add_parser("doctor", help="say whether a loop can be tested, and what it lacks")
    doctors.add_argument("target", metavar="TARGET")
    _add_path(doctors)
    doctors.set_defaults(function=doctor)
    return main


def _add_run(run_parser: argparse.ArgumentParser) -> None:
    add = run_parser.add_argument
    add("targets", nargs="+", metavar="TARGET", help="(NAME | MODULE:CALLABLE)[@INTERPRETER]")
    add("--oracle", metavar="TARGET", help="compare with this instead of asyncio on the target's interpreter")
    add("--results", type=Path, metavar="FILE", help="write results as JSON lines")
    add("--baseline", type=Path, metavar="FILE", help="the differences that are known and accepted")
    add("--junit", type=Path, metavar="FILE", help="write JUnit XML; loopcheck report has more forms")
    add("--resume", action="store_true", help="go on with the results file of a run that did not end")
    add(
        "--clock", choices=("auto", "virtual", "real"), default="auto", help="default: virtual where it works"
    )
    add("--level", choices=LEVELS_DEMANDED, default=LEVELS_DEMANDED[0], help="which expectations must hold")
    add("--jobs", type=positive(int), default=default_jobs(), metavar="N", help="runs under way at a time")
    add("--repeat", type=positive(int), default=1, metavar="K", help="runs of each scenario")
    add(
        "--timeout",
        type=positive(float),
        metavar="S",
        help="seconds until a scenario counts as hung (more when it is repeated on a busy machine)",
    )
    add("-v", "--verbose", action="count", default=0, help="show variants in full; twice: every scenario")
    _add_path(run_parser)
    _add_selection(run_parser)
    run_parser.set_defaults(function=run)


def _add_judge(to: argparse.ArgumentParser) -> None:
    to.add_argument("results", type=Path, metavar="RESULTS")
    to.add_argument("--level", choices=LEVELS_DEMANDED, help="which expectations must hold; default: as then")
    to.add_argument(
        "--baseline", type=Path, metavar="FILE", help="the differences that are known and accepted"
    )
    to.add_argument("--output", type=Path, metavar="FILE", help="write the results with the new verdicts")
    to.add_argument("-v", "--verbose", action="count", default=0, help="as for run")
    to.set_defaults(function=judge_stored)


def _add_coverage(to: argparse.ArgumentParser) -> None:
    add = to.add_argument
    add(
        "targets",
        nargs="*",
        metavar="TARGET",
        help="asyncio[@INTERPRETER]: where calls are noted; default asyncio",
    )
    add("--statements-only", action="store_true", help="without the names, for which scenarios must run")
    add("--brief", action="store_true", help="gaps and numbers only, without the whole table")
    add("--markdown", type=Path, metavar="FILE", help="write a Markdown page")
    add("--json", type=Path, metavar="FILE", help="write JSON")
    add("--jobs", type=positive(int), default=default_jobs(), metavar="N", help="runs under way at a time")
    _add_folder(to)
    to.set_defaults(function=coverage)


def _add_selection(to: argparse.ArgumentParser) -> None:
    pattern = "a part of an id, a glob pattern for ids and tags, or a whole id, which selects only that one"
    to.add_argument("-k", dest="pattern", action="append", metavar="PATTERN", help=pattern)
    to.add_argument("--area", action="append", help="scenarios of an area")
    to.add_argument("--statement", action="append", metavar="ID", help="scenarios that cite a statement")
    _add_folder(to)


def _add_folder(to: argparse.ArgumentParser) -> None:
    to.add_argument(
        "--scenarios", type=Path, metavar="DIR", help="scenarios from here instead of the shipped ones"
    )


def _add_path(to: argparse.ArgumentParser) -> None:
    to.add_argument(
        "--path", action="append", default=[], metavar="DIR", help="put in front of the target's sys.path"
    )


def main(command_line: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    open_missing_streams()
    words = list(sys.argv[1:] if command_line is None else command_line)
    arguments = parser().parse_args(words)
    arguments.command_line = words
    try:
        if sys.platform != "linux":
            raise UsageError("loopcheck needs Linux: it forks, reads /proc and preloads a library")
        return int(arguments.function(arguments))
    except (WriteError, ServerError, OutputError) as exc:
        print(f"loopcheck: {exc}", file=sys.stderr)
        return EXITS["failure"].status
    except (
        UsageError,
        BaselineError,
        TargetError,
        InterpreterError,
        ResultsError,
        SpecError,
        SurfaceError,
        ShowError,
        ExportError,
        CoverageError,
    ) as exc:
        print(f"loopcheck: {exc}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        discard_output()
        return 0  # list and show print, and do nothing else
    except Exception:
        traceback.print_exc()
        print("loopcheck: this is a mistake in loopcheck itself; please report it", file=sys.stderr)
        return EXITS["failure"].status
    except KeyboardInterrupt:  # before or after the session, which has its own way to end early
        print("loopcheck: interrupted", file=sys.stderr)
        return EXITS["interrupted"].status
