# SPDX-License-Identifier: MIT
"""Prove that scenarios do the same every time before they are let in: twenty runs, half of them under burden.

    ci/checks/prove.py timers/timer_runs_after_its_delay     these scenarios
    ci/checks/prove.py --changed-since main                  those that are new or changed since a revision

Each scenario runs on asyncio and on the reference, one half of the times with every core burdened.  All runs on
one loop must be the same under the model of order, and the two loops must agree.  A scenario has changed when its
function, or a helper that it uses, is another program than it was: comments and layout do not count.
``--list`` only names them.
Exit status: 0 all do the same; 1 one does not, with two of its runs side by side; 2 there is no such scenario.
"""

import argparse
import ast
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from loopcheck.export import cut_out
from loopcheck.repetition import Disagreement, burdened_cores, disagreements, run_repeatedly
from loopcheck.results import ResultsError
from loopcheck.scenarios import Scenario, load_scenarios
from loopcheck.spec import load_statements

ROOT = Path(__file__).resolve().parents[2]
RUNS = 20


class ProveError(Exception):
    """What was asked for cannot be done; the text is one sentence."""


def scenarios_in(root: Path, statements: Path) -> dict[str, Scenario]:
    """Return the scenarios of a project by id, with the statements of another."""
    found, _ = load_scenarios(root / "conformance", load_statements(statements / "spec/statements"))
    return {scenario.id: scenario for scenario in found}


def program(scenario: Scenario) -> str:
    """Return what a scenario does, as a text that comments and layout do not change."""
    imports, body = cut_out(scenario)
    return "\n".join(ast.dump(ast.parse(text)) for text in (scenario.source, "\n".join(imports), body))


def changed_since(root: Path, revision: str) -> list[str]:
    """Return the ids of the scenarios that are new or changed since a revision.  Raises ProveError."""
    command = ["git", "-C", str(root), "archive", revision, "conformance"]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        why = done.stderr.decode(errors="replace").strip().splitlines()
        raise ProveError(f"the scenarios of {revision} are not to be had: {why[-1] if why else 'git failed'}")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")
        before = {id: program(scenario) for id, scenario in scenarios_in(Path(folder), root).items()}
    now = scenarios_in(root, root)
    return [id for id, scenario in now.items() if before.get(id) != program(scenario)]


def prove(root: Path, ids: Sequence[str], target: str, runs: int) -> list[Disagreement]:
    """Return which of these scenarios do not do the same in so many runs.  Raises ResultsError, ProveError."""
    words = [target, "--scenarios", str(root / "conformance")]
    words += [word for id in ids for word in ("-k", id)]
    with tempfile.TemporaryDirectory() as folder:
        calm = run_repeatedly(Path(folder) / "calm.jsonl", words, (runs + 1) // 2)
        with burdened_cores():
            burdened = run_repeatedly(Path(folder) / "burdened.jsonl", words, max(1, runs // 2))
    for results in (calm, burdened):
        if results.errors:
            raise ProveError(results.errors[0]["sentence"])
    return [found for found in disagreements([calm, burdened]) if found.id in ids]


def main() -> int:
    """Prove what was asked for; print a sentence and a picture for each scenario that fails."""
    parser = argparse.ArgumentParser(description="Prove that scenarios do the same every time.")
    parser.add_argument("ids", nargs="*", metavar="ID", help="scenarios")
    parser.add_argument("--changed-since", metavar="REV", help="scenarios new or changed since a revision")
    parser.add_argument("--list", action="store_true", help="only name them")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"on each loop, default: {RUNS}")
    parser.add_argument("--target", default="reference", help="the other loop, default: reference")
    parser.add_argument("--root", type=Path, default=ROOT, help="another project, for tests")
    options = parser.parse_args()
    try:
        known = scenarios_in(options.root, options.root)
        unknown = [id for id in options.ids if id not in known]
        if unknown:
            raise ProveError(f"there is no scenario {unknown[0]!r}")
        changed = changed_since(options.root, options.changed_since) if options.changed_since else []
        ids = list(dict.fromkeys([*options.ids, *changed]))
        if not ids and not options.changed_since:
            raise ProveError("name scenarios, or a revision with --changed-since")
        if options.list:
            print("".join(f"{id}\n" for id in ids), end="")
            return 0
        found = prove(options.root, ids, options.target, options.runs) if ids else []
    except (ProveError, ResultsError) as error:
        print(error)
        return 2
    for each in found:
        print("\n".join([str(each), *each.picture()]))
    failed = len({each.id for each in found})
    print(
        f"{len(ids)} scenarios, {options.runs} runs each on two loops: {failed or 'none'} not the same every time"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
