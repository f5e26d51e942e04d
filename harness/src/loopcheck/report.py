# SPDX-License-Identifier: MIT
"""The report on the terminal, made from results records alone.

Rules: the sentence first, the data second; one picture for a difference; every difference ends with a line to
paste; the last line says the exit status and why.  Colour is a second channel only, never the message, and
there is none when the output is no terminal or NO_COLOR is set.  When the output is no terminal each scenario
is one line, ``verdict<TAB>id<TAB>target<TAB>signature``, and then come the same blocks.
"""

import shlex
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from .columns import Row, align, event_text, iteration_text
from .results import Results, ScenarioResult
from .vocabulary import EXITS, VERDICTS

STYLES = {
    "good": "green",
    "difference": "bold red",
    "stale": "yellow",
    "inconclusive": "yellow",
    "failure": "bold magenta",
    "none": "dim",
}
EVIDENCE_ENDS = 10  # lines
MOST_ROWS = 50
LEAST_COLUMN = 8  # characters for what a loop did, however narrow the terminal
ROWS_BEFORE = 10  # of the first difference, where not all are shown
SHOWN_IN_FULL = ("difference", "failure", "stale", "inconclusive")


def style_of(verdict: str) -> str:
    """Return the style of a verdict's word."""
    return "cyan" if verdict in ("variant", "unsupported") else STYLES[VERDICTS[verdict].counts]


class Reporter:
    """Prints a run as it goes on, and its report at the end."""

    def __init__(self, console: Console, *, total: int, verbose: int = 0) -> None:
        """console: where to print.  total: scenarios times targets.  verbose: as for print_report."""
        self._console = console
        self._verbose = verbose
        self._records: list[dict[str, Any]] = []
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("starting", total=total)
        self._progress.start()

    def record(self, record: dict[str, Any]) -> None:
        """Take one more record."""
        self._records.append(record)
        if record["record"] == "scenario":
            self._progress.update(self._task, advance=1, description=self._tally())
            if not self._console.is_terminal:
                fields = (record["verdict"], record["id"], record["target"], record["signature"] or "")
                self._console.file.write("\t".join(fields) + "\n")  # rich would turn the tabs into spaces

    def _tally(self) -> str:
        verdicts = [record["verdict"] for record in self._records if record["record"] == "scenario"]
        return "  ".join(f"{word} {verdicts.count(word)}" for word in VERDICTS if word in verdicts)

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records so far."""
        return self._records

    def close(self) -> None:
        """Remove the progress bar."""
        self._progress.stop()


def print_report(console: Console, results: Results, verbose: int = 0) -> None:
    """Print the report on results.  verbose: 1 shows variants in full, 2 every scenario."""
    for error in results.errors:
        where = f"{error['file']}:{error['line']}: " if error["record"] == "problem" else ""
        _line(console, Text.assemble(("ERROR  ", "bold magenta"), where + error["sentence"]))
    for problem in results.baseline_problems:
        where = f"{problem['file']}:{problem['line']}: "
        _line(console, Text.assemble((f"{problem['kind'].upper():8}", "yellow"), where + problem["sentence"]))
    brief: list[ScenarioResult] = []
    for result in results.scenarios:
        if _shown_in_full(result, verbose):
            print_scenario(console, result, results.header, verbose)
        elif result.verdict in ("variant", "unsupported"):
            brief.append(result)
    _print_brief(console, brief)
    _print_summary(console, results)


def _shown_in_full(result: ScenarioResult, verbose: int) -> bool:
    counts = VERDICTS[result.verdict].counts
    return counts in SHOWN_IN_FULL or (verbose >= 1 and result.verdict == "variant") or verbose >= 2


def _line(console: Console, text: Text | str = "") -> None:
    console.print(text, highlight=False, markup=False, emoji=False, soft_wrap=True)


# ---- one scenario ----------------------------------------------------------------------------------------


def print_scenario(
    console: Console, result: ScenarioResult, header: dict[str, Any], verbose: int = 0
) -> None:
    """Print one scenario's block: title, both traces, sentences, what to paste."""
    record = result.record
    _line(console)
    about = [record["level"]] if record["axis"] is None else [record["axis"], record["level"]]
    heading = Text.assemble(
        (f"{result.verdict.upper():8}", style_of(result.verdict)),
        (f" {result.id}", "bold"),
        (f"  {record['target']}  ({', '.join(about)})", "dim"),
    )
    _line(console, heading)
    _line(console, f"  {record['title']}")
    _line(console, Text(f"  {', '.join(record['statements']) or record['basis']}", style="dim"))
    if result.target and result.oracle:
        _print_traces(console, result)
    _print_sentences(console, result, verbose)
    _print_evidence(console, result)
    if VERDICTS[result.verdict].counts != "none" and result.target:
        _line(console, Text(f"  reproduce: {export_command(result, header)} > repro.py", style="dim"))


def _print_traces(console: Console, result: ScenarioResult) -> None:
    rows = align(result.oracle[0].events_without_habits(), result.target[0].events_without_habits())
    if not rows:
        return
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="dim", expand=False)
    widest = max(LEAST_COLUMN, (console.width - 22) // 2)  # 22: for the other columns
    for heading in ("  ", "iter", result.record["oracle"], " ", "iter", result.record["target"]):
        is_events = heading not in ("  ", "iter", " ")
        if is_events:
            table.add_column(heading, overflow="ellipsis", no_wrap=True, max_width=widest)
        else:
            table.add_column(heading, no_wrap=True, min_width=len(heading))
    shown, before, after = _around_the_difference(rows)
    _line(console)
    if before:
        _line(console, Text(f"    … {before} rows alike", style="dim"))
    for row in shown:
        cells = map(Text, _cells(row))  # as they are: in "fe80:a:b" rich would see an emoji
        table.add_row(*cells, style="bold red" if row.differs else "")
    console.print(table, highlight=False, markup=False)
    if after:
        _line(console, Text(f"    … {after} more rows", style="dim"))
    _line(console)


def _around_the_difference(rows: Sequence[Row]) -> tuple[Sequence[Row], int, int]:
    """Return the rows to show, and how many are left out before and after them."""
    first = next((index for index, row in enumerate(rows) if row.differs), 0)
    start = max(0, first - ROWS_BEFORE) if len(rows) > MOST_ROWS else 0
    shown = rows[start : start + MOST_ROWS]
    return shown, start, len(rows) - start - len(shown)


def _cells(row: Row) -> list[str]:
    return [
        "",
        iteration_text(row.oracle),
        event_text(row.oracle),
        "!" if row.differs else "",
        iteration_text(row.target),
        event_text(row.target),
    ]


def _print_sentences(console: Console, result: ScenarioResult, verbose: int) -> None:
    record = result.record
    differences = record["differences"]
    said = [record["sentence"], *(difference["sentence"] for difference in differences[1:])]
    for sentence in said if verbose else said[:1]:
        if sentence:
            _line(console, Text("  " + sentence, style="bold"))
    if len(said) > 1 and not verbose:
        _line(
            console,
            Text(f"  {len(said) - 1} more difference{'s' * (len(said) > 2)} (-v shows all)", style="dim"),
        )
    repeats = record["repeats"]
    if repeats["of"] > 1 and repeats["seen"]:
        _line(console, f"  seen in {repeats['seen']} of {repeats['of']} runs")
        if len(repeats["outcomes"]) > 2:  # with two, the other is to agree
            _line(console, f"  not the same every time: {_frequencies(repeats['outcomes'])}")


def _frequencies(outcomes: Sequence[dict[str, Any]]) -> str:
    """Return in how many runs the target agreed, or which difference came first in how many."""
    return ", ".join(f"{outcome['signature'] or 'agreed'} in {outcome['count']}" for outcome in outcomes)


def _print_evidence(console: Console, result: ScenarioResult) -> None:
    """Print what a process that crashed or hung wrote last: stacks, mostly."""
    bad = [trace for trace in [*result.oracle, *result.target] if trace.status in ("crash", "hang")]
    if bad and bad[0].outcome.output:
        _line(console, Text("  what the process wrote last:", style="dim"))
        lines = without_our_frames(bad[0].outcome.output.strip().splitlines())
        if len(lines) > 2 * EVIDENCE_ENDS:  # a stack has the place where it stopped at one end: keep both
            lines = [*lines[:EVIDENCE_ENDS], "...", *lines[-EVIDENCE_ENDS:]]
        for line in lines:
            _line(console, Text(f"    {line}", style="dim"))


def without_our_frames(lines: Sequence[str]) -> list[str]:
    """Return the lines of stacks without loopcheck's own frames, each with the code that follows it."""
    kept = []
    ours = False
    for line in lines:
        ours = "loopcheck_target" in line or (ours and line.startswith("    "))
        if not ours:
            kept.append(line)
    return kept


def export_command(result: ScenarioResult, header: dict[str, Any]) -> str:
    """Return the command that makes a script of a scenario, with the options that this run had."""
    target = next(target for target in header["targets"] if target["name"] == result.target_name)
    command = ["loopcheck", "export", result.id, "--target", target["text"]]
    if "--oracle" in header["command"]:
        command += ["--oracle", target["oracle_text"]]
    for folder in header["path"]:
        command += ["--path", folder]
    return shlex.join(command)


# ---- the rest --------------------------------------------------------------------------------------------


def _print_brief(console: Console, results: Sequence[ScenarioResult]) -> None:
    """Print a line for each difference that does not count; those of wording alone are only counted."""
    if results:
        _line(console)
        heading = "Differences that do not count at this level (-v shows them in full):"
        _line(console, Text(heading, style="dim"))
    wording = [result for result in results if _is_wording(result)]
    for result in results:
        if not _is_wording(result):
            word = (f"  {result.verdict:12}", style_of(result.verdict))
            sentence = f"{result.id}  {result.record['target']}: {result.record['sentence']}"
            _line(console, Text.assemble(word, sentence))
    if wording:
        what = "scenario differs" if len(wording) == 1 else "scenarios differ"
        _line(console, f"  {len(wording)} {what} only in the text of an exception or of a log record.")


def _is_wording(result: ScenarioResult) -> bool:
    return {difference["kind"] for difference in result.record["differences"]} == {"wording"}


def _print_summary(console: Console, results: Results) -> None:
    _line(console)
    for target in results.header["targets"]:
        if not target["class"]:
            continue  # it did not start, which was said above
        scenarios = results.of_target(target["name"])
        verdicts = [result.verdict for result in scenarios]
        version = f"{target['name']} {target['version']}".strip()
        _line(
            console,
            f"{version} ({target['class']}) against {target['oracle']}, "
            f"{target['implementation']} {target['python']}, {target['clock']} clock",
        )
        ran = sum(VERDICTS[verdict].counts != "none" for verdict in verdicts)
        text = Text(
            f"  {results.header['selected']} of {results.header['of']} scenarios selected, {ran} ran: "
        )
        tally = [(f"{verdicts.count(word)} {word}", style_of(word)) for word in VERDICTS if word in verdicts]
        for index, (words, style) in enumerate(tally):
            text += Text(", " if index else "") + Text(words, style=style)
        _line(console, text)
    _print_last_line(console, results)


def _print_last_line(console: Console, results: Results) -> None:
    if results.footer is None:
        _line(
            console,
            Text("INCOMPLETE: the results have no footer, so the run did not end.", style="bold magenta"),
        )
        return
    exit = next(exit for exit in EXITS.values() if exit.status == results.footer["exit"])
    style = "green" if exit.status == 0 else "bold"
    _line(console, Text(f"exit {exit.status}: {exit.means}", style=style))
