# SPDX-License-Identifier: MIT
"""The page docs/kill-matrix.md: each deliberately wrong loop, what catches it, what random programs need alone.

    build/venv/bin/pytest harness/tests/test_wrong_loops.py            # writes build/kill-matrix.txt
    build/venv/bin/python harness/bench/fuzz_kills.py > build/fuzz-kills.md
    build/venv/bin/python harness/bench/kill_matrix.py --write docs/kill-matrix.md

Both inputs are measured; this script only puts them side by side.
"""

import argparse
import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_FUZZED = ("wrong_io", "wrong_pipes")  # random programs call nothing of what is wrong there
HEAD = """# Kill matrix

Deliberately wrong event loops, each with one bug, and what finds it: the scenario that must catch it (a test holds
it to that, and to the sentence), and `loopcheck fuzz` alone, without any scenario, on one core. *Operations*: the
size of the smallest program that the fuzzer left. Made by [kill_matrix.py](../harness/bench/kill_matrix.py); times
are those of a busy machine with two cores.

| wrong loop | scenario | kind, level: the sentence | fuzzer: seconds | operations |
| --- | --- | --- | --- | --- |
"""


def bugs() -> dict[str, str]:
    """Return the sentence that each wrong loop has about itself."""
    found = {}
    for module in ("wrong_loops", "wrong_edges", *NOT_FUZZED):
        tree = ast.parse((ROOT / "harness" / "tests" / f"{module}.py").read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                found[f"{module}:{node.name}"] = ast.get_docstring(node) or ""
    return found


def caught(matrix: str) -> dict[str, tuple[str, str, str]]:
    """Return for each loop the scenario that catches it, "kind, level", and the sentence."""
    pattern = re.compile(r"^(\S+:\S+) +\d+ of \d+ +(\S+) \((.*)\)\n    (.*)$", re.MULTILINE)
    return {loop: (scenario, kind, said) for loop, scenario, kind, said in pattern.findall(matrix)}


def fuzzed(table: str) -> dict[str, tuple[str, str]]:
    """Return for each loop that was fuzzed the seconds and the operations; for the others, why not."""
    rows = re.findall(r"^\| (\S+:\S+) \| ([^|]*) \| ([^|]*) \|", table, re.MULTILINE)
    found = {loop: (seconds.strip(), size.strip()) for loop, seconds, size in rows}
    for loop, why in re.findall(r"^- (\S+:\S+): (.*)$", table, re.MULTILINE):
        found[loop] = (f"not tried: {why}", "")
    return found


def not_fuzzed(loop: str) -> str:
    """Return what the page says of a loop that is not in the fuzzer's table."""
    return "not tried: programs call nothing of this" if loop.startswith(NOT_FUZZED) else "not tried"


def page(matrix: str, table: str) -> str:
    """Return the page."""
    sentences, killed, random = bugs(), caught(matrix), fuzzed(table)
    rows = []
    for loop, (scenario, kind, sentence) in killed.items():
        seconds, size = random.get(loop, (not_fuzzed(loop), ""))
        said = f"{kind}: {sentence}".replace("|", "\\|")
        what = f"**{loop.partition(':')[2]}**: {sentences[loop]}"
        rows.append(f"| {what} | `{scenario}` | {said} | {seconds} | {size} |")
    summary = next((line for line in table.splitlines() if " found within " in line), "").partition(";")[0]
    return (
        HEAD + "\n".join(rows) + f"\n\nAll {len(rows)} are caught by their scenario. The fuzzer: {summary}.\n"
    )


def main() -> int:
    """Write the page, or print it."""
    parser = argparse.ArgumentParser(description="Make docs/kill-matrix.md.")
    parser.add_argument("--matrix", type=Path, default=ROOT / "build" / "kill-matrix.txt")
    parser.add_argument("--fuzz", type=Path, default=ROOT / "build" / "fuzz-kills.md")
    parser.add_argument("--write", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    text = page(arguments.matrix.read_text(encoding="utf-8"), arguments.fuzz.read_text(encoding="utf-8"))
    if arguments.write is None:
        print(text, end="")
    else:
        arguments.write.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
