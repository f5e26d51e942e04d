# SPDX-License-Identifier: MIT
"""The report, word by word: golden files hold what is printed for synthetic results.

LOOPCHECK_TEST_WRITE_GOLDEN=1 writes them again; then read the difference before you believe it.  The rules that
the report states for itself are tested below without golden files.
"""

import io
import os
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from loopcheck.judge import Judgement, Subject, judge
from loopcheck.report import Reporter, print_report, print_scenario, style_of
from loopcheck.results import Results, assemble
from loopcheck.traces import Event, Trace
from loopcheck.vocabulary import EXITS, VERDICTS

from .building import died, event, exc, footer, header, record, result, subject, trace

GOLDEN = Path(__file__).with_name("golden")
WRITE = bool(os.environ.get("LOOPCHECK_TEST_WRITE_GOLDEN"))
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
COLOUR = re.compile(r"\x1b\[[0-9;]*(?:3[0-9]|9[0-7])(?:;[0-9]+)*m")

Record = dict[str, Any]


def console(width: int = 80, *, terminal: bool = False, environment: dict[str, str] | None = None) -> Console:
    """Return a console that prints into memory, whatever this process has around it."""
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=terminal,
        color_system="standard" if terminal else None,
        legacy_windows=False,
        _environ=environment or {},
    )


def printed(results: Results, width: int = 80, verbose: int = 0, **how: Any) -> str:
    """Return the report on results."""
    to = console(width, **how)
    print_report(to, results, verbose)
    return text_of(to)


def text_of(to: Console) -> str:
    """Return what was printed."""
    assert isinstance(to.file, io.StringIO)
    return to.file.getvalue()


# ---- results to report on ------------------------------------------------------------------------------------


def compared(
    id: str, oracle: tuple[Trace, ...], target: tuple[Trace, ...], about: Subject | None = None, **fields: Any
) -> Record:
    """Return the record of a scenario, judged."""
    about = about or subject()
    return result(judge(about, oracle, target), oracle, target, id=id, scenario_level=about.level, **fields)


def numbered(*names: str) -> tuple[Event, ...]:
    """Return events in iterations: ``name`` outside the loop, ``name:2`` in the second."""
    parts = [name.partition(":") for name in names]
    return tuple(event(name, iteration=int(number) if number else None) for name, _, number in parts)


STOPPED_TOO_LATE = compared(
    "running/stop_finishes_the_batch",
    (trace(*numbered("stopping:1", "same batch:1", "stopped", "scheduled after stop:2")),),
    (trace(*numbered("stopping:1", "same batch:1", "scheduled after stop:2", "stopped")),),
    title="stop() in a callback: the rest of the batch runs, what it schedules waits for the next run.",
    statements=["run_forever.stop-during.batch-completes", "run_forever.stop-during.new-deferred"],
)
LONG = "a message that is long enough to be cut where the terminal is narrow, and not where it is wide"
SEVERAL = compared(
    "errors/context",
    (
        trace(
            event("handler", {"dict": {"message": LONG, "exception": exc("ValueError", "boom")}}),
            event("end"),
        ),
    ),
    (trace(event("handler", {"dict": {"message": LONG}})), trace(event("end"))),
    title="The exception handler gets the context.",
)
CRASH = compared(
    "threads/wakes_up",
    (trace(event("woken", actor="thread", group=1)),),
    (
        died(
            signal="SIGSEGV",
            code=None,
            output="Fatal Python error\n  File loopcheck_target/child.py\n  File x.py\n",
        ),
    ),
    title="Another thread wakes the loop.",
)
VALUE = compared(
    "timers/zero",
    (trace(event("zero", {"type": "TimerHandle"})),),
    (trace(event("zero", {"type": "Handle"})),),
    subject("observed"),
    title="call_later(0) returns a TimerHandle.",
    statements=[],
    basis="observed: programs use its when()",
)


def wording(number: int) -> Record:
    """Return a scenario that differs in wording alone."""
    ours, theirs = (trace(event("raised", exc("ValueError", text))) for text in ("must be", "has to be"))
    return compared(f"errors/wording_{number}", (ours,), (theirs,))


UNSUPPORTED = compared(
    "contexts/lacks",
    (trace(event("a")),),
    (trace(record("raised", "raised", exc("NotImplementedError")), status="raised"),),
)
SKIPPED = result(
    Judgement(
        "skipped", "guaranteed", reason="version", sentence="it holds since 3.14; target is Python 3.12.1."
    ),
    id="tasks/newer",
)
AGREE = compared(
    "callbacks/fifo", (trace(event("first"), event("second")),), (trace(*numbered("first", "second")),)
)
BROKEN = compared(
    "tasks/raises", (trace(record("raised", "raised", exc("KeyError")), status="raised"),), (trace(),)
)
NOISY = result(
    Judgement(
        "inconclusive",
        "guaranteed",
        reason="noisy",
        sentence="The machine was too busy in every one of the runs.",
    ),
    id="timers/noisy",
)
PROBLEM = {"record": "problem", "file": "conformance/a/b.py", "line": 7, "sentence": "f: has no docstring"}
NO_TARGET = {
    "record": "target-error",
    "target": "gone",
    "during": "import",
    "sentence": "gone:new: no module",
}
ALL = [
    STOPPED_TOO_LATE,
    SEVERAL,
    CRASH,
    BROKEN,
    NOISY,
    VALUE,
    UNSUPPORTED,
    wording(1),
    wording(2),
    SKIPPED,
    AGREE,
]


def everything() -> Results:
    """Return results with something of each sort, of one target that ran and one that did not start."""
    about = header("target", "gone", selected=11, of=283)
    about["targets"][1]["class"] = ""
    return assemble([about, PROBLEM, NO_TARGET, *ALL, footer(3)])


def good() -> Results:
    """Return results of a run in which all is well."""
    return assemble([header(selected=2, of=2), AGREE, SKIPPED, footer(0)])


def incomplete() -> Results:
    """Return results without a footer, of a run that was about to report one difference."""
    return assemble([header(selected=2, of=2), AGREE, wording(1)])


GOLDEN_FILES = {
    "everything-60": lambda: printed(everything(), 60),
    "everything-80": lambda: printed(everything(), 80),
    "everything-120": lambda: printed(everything(), 120),
    "everything-v": lambda: printed(everything(), 80, 1),
    "everything-vv": lambda: printed(everything(), 80, 2),
    "everything-colour": lambda: printed(everything(), 80, terminal=True),
    "good": lambda: printed(good()),
    "incomplete": lambda: printed(incomplete()),
}


@pytest.mark.parametrize("name", GOLDEN_FILES)
def test_report_is_the_golden_one(name: str) -> None:
    file = GOLDEN / f"{name}.txt"
    text = GOLDEN_FILES[name]()
    if WRITE:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_every_golden_file_is_tested() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} == set(GOLDEN_FILES)


# ---- colour --------------------------------------------------------------------------------------------------


def test_colour_adds_nothing_but_colour() -> None:
    coloured = printed(everything(), terminal=True)
    assert COLOUR.search(coloured)
    assert ESCAPE.sub("", coloured) == printed(everything())


def test_no_color_is_honoured() -> None:
    text = printed(everything(), terminal=True, environment={"NO_COLOR": "1"})
    assert not COLOUR.search(text)
    assert ESCAPE.sub("", text) == printed(everything())


def test_what_is_no_terminal_gets_no_escape_sequence() -> None:
    assert "\x1b" not in printed(everything(), verbose=2)


def test_every_verdict_has_a_style() -> None:
    for verdict in VERDICTS:
        console().get_style(style_of(verdict))


# ---- rules ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_traces_fit_the_width_and_sentences_are_not_broken(width: int) -> None:
    to = console(width)
    print_scenario(to, everything().scenarios[0], header())
    lines = text_of(to).splitlines()
    sentence = STOPPED_TOO_LATE["sentence"]
    assert f"  {sentence}" in lines
    assert width < 40 or all(len(line) <= width for line in lines if "iter" in line or " ! " in line)


def test_picture_says_iterations_and_marks_what_differs() -> None:
    text = printed(everything())
    assert re.search(r"\n +2 +scheduled after stop +! *\n", text)
    assert re.search(r"\n +! +2 +scheduled after stop *\n", text)
    assert re.search(r"\n +· +stopped +· +stopped *\n", text)


def test_values_are_printed_as_they_are() -> None:
    odd = ":warning: [bold]x[/bold] [/] fe80:a:b \\[red]"
    runs = (trace(event(odd, odd, actor=odd)),)
    shown = compared("a/b", runs, (trace(),), title=odd)
    text = printed(assemble([header(), shown, footer(1)]), 480)
    assert f"  {odd}\n" in text
    assert f"{odd}: {odd} '{odd.replace(chr(92), chr(92) * 2)}'" in text


def test_every_shown_difference_ends_with_a_line_to_paste() -> None:
    shown = [
        r for r in everything().scenarios if r.target and r.verdict in ("differ", "crash", "broken-scenario")
    ]
    text = printed(everything())
    for one in shown:
        assert f"  reproduce: loopcheck export {one.id} --target target:new > repro.py\n" in text
    assert text.count("reproduce:") == len(shown)


def test_line_to_paste_has_the_options_of_the_run_and_is_quoted() -> None:
    about = header(command=["loopcheck", "run", "--oracle", "uvloop:Loop"], path=["/my loops", "/b"])
    about["targets"][0]["oracle_text"] = "uvloop:Loop"
    text = printed(assemble([about, STOPPED_TOO_LATE, footer(1)]))
    expected = "--target target:new --oracle uvloop:Loop --path '/my loops' --path /b > repro.py\n"
    assert f"  reproduce: loopcheck export {STOPPED_TOO_LATE['id']} {expected}" in text


def test_what_did_not_run_cannot_be_reproduced() -> None:
    assert "reproduce" not in printed(assemble([header(), SKIPPED, footer()]), verbose=2)


def test_own_frames_are_no_evidence() -> None:
    text = printed(everything())
    assert "    Fatal Python error\n      File x.py\n" in text
    assert "loopcheck_target" not in text


def test_verbosity_decides_what_is_shown_in_full() -> None:
    heading = re.compile(r"^(?!ERROR)[A-Z-]+ +(\w+/\w+)  target", re.MULTILINE)
    blocks = [heading.findall(printed(everything(), verbose=v)) for v in (0, 1, 2)]
    ids = [one["id"] for one in ALL]
    assert blocks[0] == ids[:5]
    assert blocks[1] == [*ids[:6], *ids[7:9]]
    assert blocks[2] == ids


def test_number_of_further_differences_is_singular_or_plural() -> None:
    ours = trace(*(event(name) for name in "abc"))
    two = compared("a/two", (ours,), (trace(event("a")),))
    three = compared("a/three", (ours,), (trace(),))
    assert "  1 more difference (-v shows all)\n" in printed(assemble([header(), two, footer(1)]))
    assert "  2 more differences (-v shows all)\n" in printed(assemble([header(), three, footer(1)]))
    assert "more difference" not in printed(assemble([header(), three, footer(1)]), verbose=1)


def test_differences_of_wording_are_counted_in_singular_and_plural() -> None:
    one, two = [wording(1)], [wording(1), wording(2)]
    assert "  1 scenario differs only in the text of" in printed(assemble([header(), *one, footer()]))
    assert "  2 scenarios differ only in the text of" in printed(assemble([header(), *two, footer()]))


def test_runs_are_counted_if_there_were_several() -> None:
    runs = (trace(event("a")), trace(), trace())
    several = compared("a/b", runs[:1], runs)
    assert "  seen in 2 of 3 runs\n" in printed(assemble([header(), several, footer(1)]))
    assert "seen in" not in printed(assemble([header(), STOPPED_TOO_LATE, footer(1)]))
    assert "not the same" not in printed(assemble([header(), several, footer(1)]))


def test_target_that_does_otherwise_each_time_is_shown_with_frequencies() -> None:
    runs = (trace(), trace(event("a")), trace(event("a"), event("b")), trace())
    text = printed(assemble([header(), compared("a/b", runs[1:2], runs), footer(1)]))
    assert "  seen in 2 of 4 runs\n" in text
    assert "  not the same every time: order:missing:a in 2, agreed in 1, order:extra:b in 1\n" in text


@pytest.mark.parametrize("exit", EXITS.values(), ids=EXITS)
def test_last_line_says_the_status_and_why(exit: Any) -> None:
    text = printed(assemble([header(), AGREE, footer(exit.status)]))
    assert text.endswith(f"\nexit {exit.status}: {exit.means}\n")


def test_results_without_footer_are_said_to_be_incomplete() -> None:
    last = printed(incomplete()).splitlines()[-1]
    assert last == "INCOMPLETE: the results have no footer, so the run did not end."


def test_targets_with_one_name_each_have_their_own_tally() -> None:
    mine = [{**AGREE, "target": "one"}, {**AGREE, "target": "two"}, {**STOPPED_TOO_LATE, "target": "two"}]
    text = printed(assemble([header("one", "two", selected=2, of=2), *mine, footer(1)]))
    tallies = re.findall(r"^  2 of 2 scenarios selected, (.*)$", text, re.MULTILINE)
    assert tallies == ["1 ran: 1 agree", "2 ran: 1 agree, 1 differ"]


# ---- while it runs -------------------------------------------------------------------------------------------


def reported(to: Console) -> str:
    """Return what is printed while a run goes on."""
    reporter = Reporter(to, total=len(ALL))
    for one in (header(), PROBLEM, *ALL, footer(3)):
        reporter.record(one)
    reporter.close()
    assert len(reporter.records) == len(ALL) + 3
    return text_of(to)


@pytest.mark.parametrize("width", [20, 80])
def test_what_is_no_terminal_gets_a_line_for_each_scenario(width: int) -> None:
    lines = reported(console(width)).splitlines()
    assert [line.split("\t") for line in lines] == [
        [one["verdict"], one["id"], one["target"], one["signature"] or ""] for one in ALL
    ]


def test_terminal_gets_a_progress_bar_that_goes_away() -> None:
    text = reported(console(terminal=True))
    assert "\t" not in text and "running/stop_finishes_the_batch" not in text
    assert "agree 1" in ESCAPE.sub("", text)
    assert text.rindex("\x1b[2K") > text.rindex(
        "agree 1"
    )  # the line is erased after the last time it is drawn
