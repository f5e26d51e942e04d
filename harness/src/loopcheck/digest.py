# SPDX-License-Identifier: MIT
"""What several reports say of results, said once: JUnit, Markdown, annotations, the badge and ``diff`` use it.

Two ideas.  The *block* of a scenario is the terminal report's, as plain text, so that every report shows the
same evidence.  And what may be missing, a footer, a target that did not start, has one sentence here.
"""

import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console

from .report import print_scenario
from .results import Results, ScenarioResult
from .vocabulary import EXITS, VERDICTS, Exit, at_least

Record = dict[str, Any]

BLOCK_WIDTH = 110  # characters: what a code block of a web page shows without scrolling
WHOLE_RUNS = ("good", "difference", "stale", "inconclusive")  # how runs end that judged what they should

# What XML cannot hold, or no page shows; a parser would turn a carriage return into a line feed.
UNSEEN = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def visible(text: str) -> str:
    """Return a text with control characters and what is no character written out as Python would."""
    return UNSEEN.sub(_written_out, text)


def _written_out(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


# ---- one scenario ----------------------------------------------------------------------------------------


def judged(record: Record) -> str:
    """Return the verdict of a scenario's record before a baseline was applied."""
    return str(record["judged"])


def known_reason(record: Record) -> str:
    """Return why the baseline knows this difference, with the entry's address; "" when none was applied."""
    known = record["known"]
    return " ".join(filter(None, (known["reason"], known["url"]))) if known else ""


def signatures(record: Record) -> list[str]:
    """Return the signatures of all differences of a record: the telling one first, each once."""
    first = [record["signature"]] if record["signature"] else []
    rest = [f"{d['axis']}:{d['kind']}:{d['event']}" for d in record["differences"]]
    return list(dict.fromkeys([*first, *rest]))


def counting_signatures(record: Record, level: str) -> set[str]:
    """Return the signatures that count at a level; a crash or hang has no differences, and counts always."""
    if not record["differences"]:
        return set(signatures(record))
    firm = [d for d in record["differences"] if at_least(d["level"], level)]
    return {f"{d['axis']}:{d['kind']}:{d['event']}" for d in firm}


def outcomes(record: Record) -> dict[str | None, int]:
    """Return how many runs of the target showed which first signature; None: those that agreed."""
    return {outcome["signature"]: outcome["count"] for outcome in record["repeats"]["outcomes"]}


def sentence(record: Record) -> str:
    """Return the one sentence of a record; what its verdict means when it has none of its own."""
    said = record["differences"][0]["sentence"] if record["differences"] else ""
    return str(record["sentence"] or said or VERDICTS[record["verdict"]].means)


def loop_sentence(record: Record) -> str:
    """Return the sentence on what the loop did, without what a baseline says of it."""
    return str(record["differences"][0]["sentence"]) if record["differences"] else sentence(record)


def sentences(record: Record) -> list[str]:
    """Return the sentence of the verdict and those of all differences, each once."""
    said = [sentence(record), *(difference["sentence"] for difference in record["differences"])]
    return list(dict.fromkeys(said))


def frequency(record: Record) -> str:
    """Return in how many of its runs a difference showed, "" when it was every one."""
    seen, of = record["repeats"]["seen"], record["repeats"]["of"]
    return f"seen in {seen} of {of} runs" if 0 < seen < of else ""


def seconds(result: ScenarioResult) -> float:
    """Return for how long the processes of the target ran."""
    return sum(trace.outcome.wall for trace in result.target)


def block(result: ScenarioResult, header: Record) -> str:
    """Return the terminal report's block on one scenario: columns, every sentence, the line to paste."""
    memory = io.StringIO()
    console = Console(file=memory, width=BLOCK_WIDTH, force_terminal=False, color_system=None)
    print_scenario(console, result, header, verbose=1)
    lines = [line.rstrip() for line in memory.getvalue().strip("\n").split("\n")]
    return visible("\n".join(lines)) + "\n"


def problem_text(problem: Record) -> str:
    """Return the sentence of a record that is about no scenario, after its place if it has one."""
    where = f"{problem['file']}:{problem['line']}: " if "file" in problem else ""
    return f"{where}{problem['sentence']}"


# ---- a whole file ----------------------------------------------------------------------------------------


def incomplete(results: Results) -> str:
    """Return the sentence that says why results are not those of a whole run; "" when they are."""
    done, planned = _progress(results)
    if results.footer is None:
        return f"The results have no footer, so the run did not end: {done} of {planned} results are there."
    if results.footer["interrupted"]:
        return f"The run was interrupted: {done} of {planned} results are there."
    return ""


def _progress(results: Results) -> tuple[int, int]:
    started = [target for target in results.header["targets"] if target["class"]]
    return len(results.scenarios), results.header["selected"] * len(started)


def run_failed(results: Results) -> str:
    """Return the sentence that says why results do not show what the loop does; "" when they do."""
    why = incomplete(results)
    if why or results.footer is None:
        return why
    status = results.footer["exit"]
    if status in {EXITS[name].status for name in WHOLE_RUNS}:
        return ""
    said = [problem_text(error) for error in results.errors]
    said += [f"{r.id}: {sentence(r.record)}" for r in results.scenarios if _is_failure(r)]
    return f"The run ended with status {status}: {said[0] if said else exit_named(status).means}"


def _is_failure(result: ScenarioResult) -> bool:
    return VERDICTS[result.verdict].counts == "failure"


def exit_named(status: int) -> Exit:
    """Return the exit status of the vocabulary that has this number."""
    return next(exit for exit in EXITS.values() if exit.status == status)


def exit_status(several: Iterable[Results]) -> int:
    """Return the exit status of runs: the gravest, in the vocabulary's order; a run without an end failed."""
    ended = {r.footer["exit"] if r.footer else EXITS["failure"].status for r in several}
    return next(exit.status for exit in EXITS.values() if exit.status in ended)


def loop_name(target: Record) -> str:
    """Return a target of a header with its version."""
    return f"{target['name']} {target['version']}".strip()


def tally(results: Sequence[ScenarioResult]) -> dict[str, int]:
    """Return how many results have each verdict, in the vocabulary's order; none that is not there."""
    found = [result.verdict for result in results]
    return {word: found.count(word) for word in VERDICTS if word in found}


def count(results: Sequence[ScenarioResult], counts: str) -> int:
    """Return how many results have a verdict that counts as one thing, such as "difference"."""
    return sum(VERDICTS[result.verdict].counts == counts for result in results)


def headline(results: Results) -> str:
    """Return one sentence on a whole file: what each target's results amount to."""
    said = "; ".join(_target_headline(results, target) for target in results.header["targets"])
    return f"incomplete: {said}" if incomplete(results) else said


def _target_headline(results: Results, target: Record) -> str:
    if not target["class"]:
        return f"{target['name']} did not start"
    mine = results.of_target(target["name"])
    ran = len(mine) - count(mine, "none")
    differ = count(mine, "difference")
    pair = f"{loop_name(target)} differs from {target['oracle']}"
    said = f"{pair} in {differ or 'none'} of {plural(ran, 'scenario')}"
    words = tally(mine)
    if "known" in words:
        said += f" beyond {words['known']} known"
    rest = [f"{words[word]} {word}" for word in ("fixed", "variant", "inconclusive") if word in words]
    return f"{said} ({', '.join(rest)})" if rest else said


def plural(number: int, what: str) -> str:
    """Return a number of things: ``1 scenario``, ``2 scenarios``."""
    return f"{number} {what}{'s' * (number != 1)}"
