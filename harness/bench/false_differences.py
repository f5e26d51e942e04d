# SPDX-License-Identifier: MIT
"""How often loopcheck claims a difference where there is none: the reference against asyncio, both cores burdened.

    build/venv/bin/python harness/bench/false_differences.py --runs 30000 --counts build/false-differences.json

The reference has no known difference, so every verdict but agreement is either a false one or a discovery; both
deserve a look.  All scenarios are run over and over until so many *scenario runs* (a scenario judged on the
reference, repetitions and confirmations included) are counted.  The counts are kept in a JSON file after every
round, and the next call goes on from them; records with another verdict are appended beside it, traces
included, in a file of results records, and printed.
Exit status: 0 there was none, 1 there was, 3 a run failed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from loopcheck.repetition import AS_EXPECTED, burdened_cores
from loopcheck.results import read_results

TARGET = "reference"
Counts = dict[str, Any]


def read_counts(file: Path) -> Counts:
    """Return what was counted so far."""
    empty: Counts = {"runs": 0, "rounds": 0, "seconds": 0.0, "verdicts": {}, "other": []}
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else empty


def write_counts(file: Path, counts: Counts) -> None:
    """Replace the counts in one step, so that whoever interrupts this leaves the old ones or the new."""
    unfinished = file.with_suffix(".part")
    unfinished.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(file)


def one_round(results: Path, counts: Counts, kept: Path) -> None:
    """Run all scenarios once and count.  Raises RuntimeError when the run was not complete."""
    start = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "loopcheck",
        "run",
        TARGET,
        "--level",
        "observed",
        "--results",
        str(results),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode in (2, 130) or not results.exists():
        raise RuntimeError(done.stderr.strip() or done.stdout.strip())
    found = read_results(results)
    if found.footer is None or found.errors:
        raise RuntimeError(found.errors[0]["sentence"] if found.errors else "the run is incomplete")
    for result in found.scenarios:
        counts["verdicts"][result.verdict] = counts["verdicts"].get(result.verdict, 0) + 1
        if result.verdict not in AS_EXPECTED:
            sentence = f"{result.verdict} {result.id}: {result.record['sentence']}"
            counts["other"].append(sentence)
            print(sentence, flush=True)
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(result.record, ensure_ascii=False) + "\n")
    counts["runs"] += sum(result.verdict not in ("skipped", "blocked") for result in found.scenarios)
    counts["rounds"] += 1
    counts["seconds"] += round(time.monotonic() - start, 1)


def main() -> int:
    """Run until enough is counted; print the sum."""
    parser = argparse.ArgumentParser(description="Count false differences on burdened cores.")
    parser.add_argument("--runs", type=int, default=30000, help="scenario runs to reach, default: 30000")
    parser.add_argument("--counts", type=Path, default=Path("build/false-differences.json"), help="kept here")
    parser.add_argument("--burners", type=int, help="default: two for each core")
    options = parser.parse_args()
    counts = read_counts(options.counts)
    with tempfile.TemporaryDirectory() as folder, burdened_cores(options.burners):
        while counts["runs"] < options.runs:
            try:
                one_round(
                    Path(folder) / "results.jsonl", counts, options.counts.with_suffix(".records.jsonl")
                )
            except RuntimeError as error:
                print(error)
                return 3
            write_counts(options.counts, counts)
    words = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts["verdicts"].items()))
    print(f"{counts['runs']} scenario runs in {counts['rounds']} rounds, {counts['seconds']:.0f} s: {words}")
    return 1 if counts["other"] else 0


if __name__ == "__main__":
    sys.exit(main())
