# SPDX-License-Identifier: MIT
"""``loopcheck fuzz A B``: arguments in, findings printed as programs, an exit status out."""

import argparse
import asyncio
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from ..arguments import UsageError, output_may_close, positive, write_text
from ..servers import ServerError
from ..targets import Target, parse_target, read_configuration, with_distinct_names
from ..vocabulary import EXITS
from .campaign import DEFAULT_PROGRAMS, Campaign, Plan, Tally
from .cluster import Cluster, Clusters, Different, Pair
from .compare import compare
from .corpus import CorpusError, Origin, load, save
from .generate import PAIRS, Grammar, generate
from .operations import FEATURES, GROUPS, Program, size
from .render import render_function
from .runner import FuzzError, Runner
from .topic_file import render_module

REAL_DELAYS = 3
EPILOG = "OPS are operations, options or groups of them, separated by commas: "


def add_parser(verbs: "argparse._SubParsersAction[Any]") -> None:
    """Add the verb to the command line."""
    parser = verbs.add_parser(
        "fuzz",
        help="run random programs on two loops and shrink what they do differently",
        epilog=EPILOG + ", ".join([*GROUPS, *FEATURES]) + ".",
    )
    add = parser.add_argument
    add("oracle", metavar="A", help="the target that is right: (NAME | MODULE:CALLABLE)[@INTERPRETER]")
    add("target", metavar="B", help="the target that is compared with it")
    add("--seed", type=_natural, default=0, metavar="N", help="number of the first program; default 0")
    add("--programs", type=positive(int), metavar="N", help=f"how many; default {DEFAULT_PROGRAMS}")
    add("--seconds", type=positive(float), metavar="S", help="how long; without --programs, the only limit")
    add("--only", action="append", default=[], metavar="OPS", help="programs of these alone")
    add("--without", action="append", default=[], metavar="OPS", help="programs without these")
    add("--jobs", type=positive(int), default=2, metavar="N", help="batches under way at a time; default 2")
    add("--save", type=Path, metavar="FOLDER", help="write each finding to a file of its own")
    add("--export", type=Path, metavar="FILE.py", help="write the findings as scenarios, to be reviewed")
    add("--replay", metavar="FILE|SEED", help="run one program again: a saved finding, or one by its number")
    add("--path", action="append", default=[], metavar="DIR", help="put in front of the targets' sys.path")
    parser.set_defaults(function=fuzz)


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no natural number")
    return int(text)


def fuzz(arguments: argparse.Namespace) -> int:
    """Fuzz two targets, or replay one program on them; return the exit status."""
    console = _Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    session = Session(arguments, console)
    try:
        asyncio.run(session.run())
    except (FuzzError, ServerError) as exc:
        print(f"loopcheck: {exc}", file=sys.stderr)
        usage = isinstance(exc, ServerError) and exc.during == "import"
        return EXITS["usage" if usage else "failure"].status
    except CorpusError as exc:
        raise UsageError(str(exc)) from exc
    except KeyboardInterrupt:
        session.finish()
        raise
    return session.finish()


class _Console(Console):
    """A console that falls silent when nobody reads it any more, as in ``loopcheck fuzz ... | head``."""

    def on_broken_pipe(self) -> None:
        """Raise what output_may_close() expects, instead of leaving."""
        self.quiet = True
        raise BrokenPipeError


class Session:
    """One call of the verb."""

    def __init__(self, arguments: argparse.Namespace, console: Console) -> None:
        """Raises UsageError, TargetError, InterpreterError, CorpusError."""
        self._arguments = arguments
        self._console = console
        configured = read_configuration(Path.cwd())
        texts = (arguments.oracle, arguments.target)
        self._targets = with_distinct_names([parse_target(text, configured) for text in texts])
        self._wanted = wanted_features(arguments.only, arguments.without)
        self._replayed = _replayed(arguments.replay)
        self._campaign: Campaign | None = None
        self._clusters: Clusters | None = None
        self._count = 0
        self._virtual = True

    async def run(self) -> None:
        """Start the targets, run programs, print what is found."""
        with tempfile.TemporaryDirectory(prefix="loopcheck-") as folder:
            path = [str(Path(folder).resolve()) for folder in self._arguments.path]
            runners = [Runner(target, path, Path(folder)) for target in self._targets]
            try:
                versions = [await runner.start() for runner in runners]
                grammar = Grammar(self._wanted, min(versions), _pairs(self._targets))
                if not all(runner.virtual for runner in runners):
                    self._virtual = False
                    self._print("The clock is real: programs wait, so they are few and short.\n")
                    grammar = replace(grammar, delays=REAL_DELAYS)
                await self._run(Pair(*runners), grammar)
            finally:
                for runner in runners:
                    await runner.stop()

    async def _run(self, pair: Pair, grammar: Grammar) -> None:
        if self._replayed is not None:
            await self._replay(pair, grammar)
            return
        arguments = self._arguments
        programs = arguments.programs
        if programs is None and arguments.seconds is None:
            programs = DEFAULT_PROGRAMS
        plan = Plan(grammar, arguments.seed, programs, arguments.seconds, arguments.jobs)
        self._campaign = Campaign(pair, plan, self._print_cluster)
        self._clusters = self._campaign.clusters
        await self._campaign.run()

    async def _replay(self, pair: Pair, grammar: Grammar) -> None:
        seed, program = self._replayed or (0, None)
        program = program or generate(seed, grammar)
        self._clusters = Clusters(pair, self._print_cluster)
        ((ours, theirs),) = await pair.run([program])
        finding = compare(ours, theirs, pair.names)
        if finding is None:
            self._print(render_function(program, f"program_{seed}", "Both loops do the same."))
            self._print(f"{pair.names.oracle} and {pair.names.target} do the same.")
        else:
            await self._clusters.take([Different(seed, program, ours, theirs, finding)])

    # ---- printing ------------------------------------------------------------------------------------------

    def _print(self, text: str = "") -> None:
        with output_may_close():
            self._console.print(text)

    def _print_cluster(self, cluster: Cluster, seconds: float | None = None) -> None:
        self._count += 1
        when = "" if seconds is None else f", after {seconds:.1f} s"
        self._print(f"{self._count}  {cluster.cause} ({cluster.kind}){when}: {cluster.sentence}")
        self._print(f"   {_operations(cluster.program)}, shrunk from program {cluster.seed}\n")
        for line in scenario_of(cluster).splitlines()[1:]:
            self._print(f"    {line}".rstrip())
        self._print()
        self._save(cluster)

    def _save(self, cluster: Cluster) -> None:
        arguments = self._arguments
        if arguments.save is not None:
            left_out = tuple(feature for feature in FEATURES if feature not in self._wanted)
            save(arguments.save, cluster, Origin(arguments.oracle, arguments.target, left_out))

    def finish(self) -> int:
        """Print the summary, write files, return the exit status."""
        clusters = self._clusters
        if clusters is None:
            return EXITS["failure"].status
        found = list(clusters.found.values())
        for cluster in found:
            self._save(cluster)  # again: a smaller program may have come, and the count is known
        if self._arguments.export is not None and found:
            write_text(self._arguments.export, render_module([scenario_of(cluster) for cluster in found]))
        if self._campaign is not None:
            self._print_summary(self._campaign.tally, clusters)
        # In real time, what does not happen every time may be the machine's doing.
        differ = bool(found or (clusters.intermittent and self._virtual))
        return EXITS["difference"].status if differ else 0

    def _print_summary(self, tally: Tally, clusters: Clusters) -> None:
        for goal in tally.goals:
            self._print(f"{tally.reached[goal]:8}  {goal}" + ("" if tally.reached[goal] else "  (never)"))
        rate = tally.programs / tally.seconds if tally.seconds else 0.0
        self._print(
            f"\n{tally.programs} programs, {tally.events} events in {tally.seconds:.1f} s ({rate:.0f} a second);"
            f" {len(tally.goals) - len(tally.never_reached)} of {len(tally.goals)} goals reached"
        )
        for cluster in clusters.found.values():
            counted = f"{cluster.count} program{'s' * (cluster.count > 1)}"
            self._print(f"  {cluster.cause} ({cluster.kind}): {counted}; {cluster.sentence}")
        for one in clusters.intermittent:
            seen = f"in {one.seen} of {one.runs} runs of program {one.different.seed}"
            self._print(f"  intermittent, {seen}: {one.different.finding.sentence}")
        for different in clusters.seen_once:
            self._print(f"  seen once, not again, program {different.seed}: {different.finding.sentence}")
        if clusters.nondeterministic:
            seeds = ", ".join(str(different.seed) for different in clusters.nondeterministic[:5])
            self._print(f"  set aside, the oracle itself does not do the same each time: programs {seeds}")
        if not clusters.found and not clusters.intermittent:
            self._print("  no difference")


def wanted_features(only: Sequence[str], without: Sequence[str]) -> frozenset[str]:
    """Return the features that --only and --without leave.  Raises UsageError."""
    wanted = set(FEATURES)
    if only:
        wanted = _features(only) | {"call_soon"}
    wanted -= _features(without)
    if "call_soon" not in wanted:
        raise UsageError("every program schedules callbacks: call_soon cannot be left out")
    return frozenset(wanted)


def _features(texts: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for name in ",".join(texts).split(","):
        if name in GROUPS:
            found.update(GROUPS[name])
        elif name in FEATURES:
            found.add(name)
        elif name:
            raise UsageError(f"there is no operation {name!r}; loopcheck fuzz --help lists them")
    return found


def _replayed(text: str | None) -> tuple[int, Program | None] | None:
    """Return the number and the program, if it is known, that are to be replayed.  Raises UsageError."""
    if text is None:
        return None
    if text.isdecimal():
        return int(text), None
    try:
        record = load(Path(text))
    except CorpusError as exc:
        raise UsageError(str(exc)) from exc
    return record["seed"], record["program"]


def _pairs(targets: Sequence[Target]) -> tuple[int, ...]:
    """Return the pairs of sockets for programs: one where the order of several in one poll is left open."""
    return (0,) if any(target.selector == "select" for target in targets) else PAIRS


def _operations(program: Program) -> str:
    count = size(program)
    return f"{count} operation{'s' * (count != 1)}"


def scenario_of(cluster: Cluster) -> str:
    """Return a cluster's program as a scenario function."""
    name = re.sub(r"\W+", "_", f"{cluster.cause}_{cluster.kind}_{cluster.seed}")
    return render_function(cluster.program, name, cluster.sentence)
