# SPDX-License-Identifier: MIT
"""Prove that scenarios do the same every time before they are let in: twenty runs, half of them under burden.

    ci/checks/prove.py timers/timer_runs_after_its_delay     these scenarios
    ci/checks/prove.py --unproved --record                   those that have not passed yet; note that they have
    ci/checks/prove.py --changed-since main                  those that are new or changed since a revision

Each scenario runs on asyncio and on the reference, one half of the times with every core burdened.  All runs on
one loop must be the same under the model of order, and the two loops must agree.

spec/proved.txt has the scenarios that have passed, each with a digest of its function and of the helpers that it
uses; blank lines and lines of comment do not count.  What is not in it, or has changed since, is unproved, and
``ci/test`` refuses it by ``--unproved --list --refuse``.  ``--list`` only names scenarios, ``--refuse`` fails if
it names any.
Exit status: 0 all do the same; 1 one does not, with two of its runs side by side; 2 there is no such scenario.
"""

import argparse
import hashlib
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
PROVED = "spec/proved.txt"


class ProveError(Exception):
    """What was asked for cannot be done; the text is one sentence."""


def scenarios_in(root: Path, statements: Path) -> dict[str, Scenario]:
    """Return the scenarios of a project by id, with the statements of another."""
    found, _ = load_scenarios(root / "conformance", load_statements(statements / "spec/statements"))
    return {scenario.id: scenario for scenario in found}


def program(scenario: Scenario) -> str:
    """Return what a scenario does, as a text that blank lines and lines of comment do not change."""
    imports, body = cut_out(scenario)
    lines = "\n".join([scenario.source, *imports, body]).splitlines()
    return "\n".join(line.rstrip() for line in lines if line.strip() and not line.lstrip().startswith("#"))


def digest(scenario: Scenario) -> str:
    """Return what tells a scenario from any earlier form of it."""
    return hashlib.sha256(program(scenario).encode()).hexdigest()[:12]


def read_proved(root: Path) -> dict[str, str]:
    """Return the digests of the scenarios that have passed, by id.  Raises ProveError."""
    file = root / PROVED
    words = [line.split() for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    wrong = [number for number, line in enumerate(words, 1) if len(line) != 2]
    if wrong:
        raise ProveError(
            f"{PROVED}, line {wrong[0]}: a scenario and its digest are wanted; --record writes them"
        )
    return {id: known for id, known in words}


def unproved(root: Path) -> list[str]:
    """Return the ids of the scenarios that have not passed as they are now.  Raises ProveError."""
    passed = read_proved(root)
    return [id for id, scenario in scenarios_in(root, root).items() if passed.get(id) != digest(scenario)]


def record(root: Path, ids: Sequence[str]) -> None:
    """Note that these have passed, and forget what is no scenario any more.  Raises ProveError."""
    passed, now = read_proved(root), scenarios_in(root, root)
    passed.update({id: digest(now[id]) for id in ids})
    lines = [f"{id} {passed[id]}\n" for id in sorted(passed) if id in now]
    (root / PROVED).write_text("".join(lines), encoding="utf-8")


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


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description="Prove that scenarios do the same every time.")
    parser.add_argument("ids", nargs="*", metavar="ID", help="scenarios")
    parser.add_argument(
        "--unproved", action="store_true", help="scenarios that have not passed as they are now"
    )
    parser.add_argument("--changed-since", metavar="REV", help="scenarios new or changed since a revision")
    parser.add_argument("--list", action="store_true", help="only name them")
    parser.add_argument("--refuse", action="store_true", help="with --list: fail if there are any")
    parser.add_argument("--record", action="store_true", help=f"note in {PROVED} which pass")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"on each loop, default: {RUNS}")
    parser.add_argument("--target", default="reference", help="the other loop, default: reference")
    parser.add_argument("--root", type=Path, default=ROOT, help="another project, for tests")
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> list[str]:
    """Return the ids that were asked for.  Raises ProveError."""
    if not (options.ids or options.unproved or options.changed_since):
        raise ProveError("name scenarios, or a revision with --changed-since, or --unproved")
    if options.record and options.runs < RUNS:
        raise ProveError(f"--record takes {RUNS} runs, not {options.runs}")
    unknown = [id for id in options.ids if id not in scenarios_in(options.root, options.root)]
    if unknown:
        raise ProveError(f"there is no scenario {unknown[0]!r}")
    changed = changed_since(options.root, options.changed_since) if options.changed_since else []
    new = unproved(options.root) if options.unproved else []
    return list(dict.fromkeys([*options.ids, *changed, *new]))


def listed(options: argparse.Namespace, ids: Sequence[str]) -> int:
    """Name the scenarios; return the exit status."""
    print("".join(f"{id}\n" for id in ids), end="")
    if ids and options.refuse:
        print(
            "These have not passed the flake protocol as they are now: ci/checks/prove.py --unproved --record"
        )
    return 1 if ids and options.refuse else 0


def main() -> int:
    """Prove what was asked for; print a sentence and a picture for each scenario that fails."""
    options = arguments()
    try:
        ids = chosen(options)
        if options.list:
            return listed(options, ids)
        found = prove(options.root, ids, options.target, options.runs) if ids else []
        failed = {each.id for each in found}
        if options.record:
            record(options.root, [id for id in ids if id not in failed])
    except (ProveError, ResultsError) as error:
        print(error)
        return 2
    for each in found:
        print("\n".join([str(each), *each.picture()]))
    total = f"{len(ids)} scenarios, {options.runs} runs each on two loops"
    print(f"{total}: {len(failed) or 'none'} not the same every time")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
