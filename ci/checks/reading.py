# SPDX-License-Identifier: MIT
"""How the C sources of the reference read: what this forbids, and why.

- A source that READING_ORDER does not have, or has twice; an ``#include`` of a file that stands later in it.
  The order is that in which a person reads the sources front to back, so no name may be met before its file.
- A function of more than 70 lines, a file of more than 500, a line of more than 115 characters: beyond that nobody
  sees a whole.  A median function of 20 lines or more: then the limit has become the habit.
- A file that does not open with its licence line and an explanation.

Exit status: 0 nothing found; 1 something, a sentence each.
"""

import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

REFERENCE = Path(__file__).resolve().parents[2] / "reference"
MOST_FUNCTION_LINES = 70
MOST_FILE_LINES = 500
LONGEST_LINE = 115
MEDIAN_BELOW = 20


def reading_order() -> list[str]:
    """Return the files that READING_ORDER names."""
    return [line for line in (REFERENCE / "READING_ORDER").read_text().splitlines() if line]


def order_problems(order: list[str]) -> Iterator[str]:
    """Yield what is wrong with the order, and with what a file includes before its turn."""
    there = {str(path.relative_to(REFERENCE)) for folder in ("src", "include") for path in sources(folder)}
    for name in sorted(there - set(order)):
        yield f"{name} is not in READING_ORDER"
    for name in sorted(set(order) - there):
        yield f"READING_ORDER has {name}, which is not there"
    for name in sorted({name for name in order if order.count(name) > 1}):
        yield f"READING_ORDER has {name} twice"
    position = {name: index for index, name in enumerate(order)}
    for name in order:
        if name in there and name != "include/asy/asy.h":  # the table of headers comes first by its nature
            for included in includes(name):
                if position.get(included, -1) > position[name]:
                    yield f"{name} includes {included}, which stands later in READING_ORDER"


def includes(name: str) -> Iterator[str]:
    """Yield the files of ours that a file includes, as READING_ORDER names them."""
    for match in re.finditer(r'^#\s*include [<"]([^>"]+)[>"]', (REFERENCE / name).read_text(), re.MULTILINE):
        yield f"include/{match[1]}" if match[1].startswith("asy/") else f"src/{match[1]}"


def sources(folder: str) -> list[Path]:
    """Return the C files below a folder."""
    return sorted(p for p in (REFERENCE / folder).rglob("*") if p.suffix in (".c", ".h", ".def"))


def functions(text: str) -> Iterator[tuple[str, int]]:
    """Yield the name and the number of lines of each function: its name is in column 0, so is its last brace."""
    pattern = r"^(\w+)\([^;{}]*\)\n\{\n(.*?)^\}$"
    for match in re.finditer(pattern, text, re.MULTILINE | re.DOTALL):
        yield match[1], match[2].count("\n") + 2


def length_problems(files: list[Path], lengths: list[int]) -> Iterator[str]:
    """Yield what is too long, and add the length of each function to lengths."""
    for file in files:
        text = file.read_text()
        name = file.relative_to(REFERENCE)
        lines = text.splitlines()
        if len(lines) > MOST_FILE_LINES:
            yield f"{name} has {len(lines)} lines, more than {MOST_FILE_LINES}"
        if not text.startswith("/* SPDX-License-Identifier: MIT */\n/*"):
            yield f"{name} does not open with its licence line and an explanation"
        for number, line in enumerate(lines, start=1):
            if len(line) > LONGEST_LINE:
                yield f"{name}:{number} has {len(line)} characters, more than {LONGEST_LINE}"
        for function, length in functions(text):
            lengths.append(length)
            if length > MOST_FUNCTION_LINES:
                yield f"{name}: {function}() has {length} lines, more than {MOST_FUNCTION_LINES}"


def main() -> int:
    """Print what is found, and the median length of a function."""
    folders = ("include", "src", "python", "tests", "fuzz", "examples", "bench")
    files = [path for folder in folders for path in sources(folder)]
    lengths: list[int] = []
    found = [*order_problems(reading_order()), *length_problems(files, lengths)]
    median = statistics.median(lengths)
    if median >= MEDIAN_BELOW:
        found.append(f"the median function has {median:g} lines, not below {MEDIAN_BELOW}")
    print(f"{len(files)} files, {len(lengths)} functions, median {median:g} lines, longest {max(lengths)}")
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
