# SPDX-License-Identifier: MIT
"""What the book quotes is what the sources have: what this forbids, and why.

A book about code rots with every commit unless each quotation is found again.  So the pages of docs/book quote
by pattern, never by line number, in three forms:

- An anchor, on a line of its own, and below it a fenced block that equals those lines of the file::

      <!-- code: reference/src/core/iteration.c /^loop_run_once/ .. /^}/ -->
      <!-- code: reference/src/core/selector.h /^#define EVENT_READ/ -->
      <!-- file: docs/book/exercises/05_1_call_soon_order.txt -->

  The first pattern matches exactly one line of the file, the second is found at its first match below that;
  without a second one the block is one line; ``file`` quotes a whole file.
- A reference in backticks, ``reference/src/core/iteration.c:/^run_ready/``: it matches exactly one line.
- A link to a file, or to a heading of a page: it is there.
- A name in backticks, ``run_ready()`` or ``wake_pending``: some source of the reference or of the book has it.

Forbidden besides: a line number of a file, and a block of C or Python without an anchor.

``--write`` refreshes the blocks, adding those that are missing.  Paths are relative to the root of the project,
links to the page they stand in.  Exit status: 0 nothing found; 1 something, a sentence each.
"""

import argparse
import functools
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOOK = "docs/book"
PATTERN = r"/((?:[^/\\]|\\.)+)/"
CODE_ANCHOR = re.compile(rf"<!-- code: (\S+) {PATTERN}(?: \.\. {PATTERN})? -->")
FILE_ANCHOR = re.compile(r"<!-- file: (\S+) -->")
LOOKS_LIKE_ANCHOR = re.compile(r"\s*<!--\s*(code|file)\b")
REFERENCE = re.compile(rf"`([\w./-]+):{PATTERN}`")
NAME = re.compile(r"`(\w+)\(\)`|`(\w+_\w+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
LINE_NUMBER = re.compile(r"\b[\w/-]+\.(?:c|h|def|py|md):\d+|\blines? \d+")
FENCE = re.compile(r"(`{3,})(\w*)$")
NAMED_IN = ["reference", "docs/book"]  # whose sources the names in backticks come from
LANGUAGES = {".c": "c", ".h": "c", ".def": "c", ".py": "python"}


class AnchorError(Exception):
    """Something quoted is not there, or is there more than once; says which, as a sentence."""


@dataclass(frozen=True)
class Anchor:
    """What a block quotes: from the line of one pattern to that of another, or a whole file (no pattern)."""

    file: str
    start: str | None
    end: str | None


@dataclass(frozen=True)
class Fence:
    """A fenced block: where its fences stand, its language, and the anchor above it, if any, as it is written."""

    opening: int
    closing: int
    language: str
    anchor: str | None


def parse_anchor(line: str) -> Anchor | None:
    """Return the anchor that a line is, None when it is prose.  Raises AnchorError when it is misspelt."""
    if match := CODE_ANCHOR.fullmatch(line):
        return Anchor(match[1], match[2], match[3])
    if match := FILE_ANCHOR.fullmatch(line):
        return Anchor(match[1], None, None)
    if LOOKS_LIKE_ANCHOR.match(line):
        raise AnchorError(f"{line.strip()!r} is no anchor: write <!-- code: FILE /START/ .. /END/ -->")
    return None


def read_lines(root: Path, name: str) -> list[str]:
    """Return the lines of a file of the project.  Raises AnchorError when there is none."""
    file = (root / name).resolve()
    if not file.is_relative_to(root.resolve()) or not file.is_file():
        raise AnchorError(f"there is no file {name}")
    return file.read_text(encoding="utf-8").splitlines()


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern.  Raises AnchorError when it is none."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise AnchorError(f"/{pattern}/ is no regular expression: {error}") from None


def only_match(lines: list[str], file: str, pattern: str) -> int:
    """Return the index of the one line that a pattern matches.  Raises AnchorError for none or several."""
    found = [index for index, line in enumerate(lines) if compile_pattern(pattern).search(line)]
    if len(found) != 1:
        raise AnchorError(f"/{pattern}/ matches {len(found)} lines of {file}, not one")
    return found[0]


def quoted_lines(root: Path, anchor: Anchor) -> list[str]:
    """Return the lines that an anchor quotes.  Raises AnchorError when they are not to be found."""
    lines = read_lines(root, anchor.file)
    if anchor.start is None:
        return lines
    first = only_match(lines, anchor.file, anchor.start)
    if anchor.end is None:
        return lines[first : first + 1]
    end = compile_pattern(anchor.end)
    for last in range(first + 1, len(lines)):
        if end.search(lines[last]):
            return lines[first : last + 1]
    raise AnchorError(f"/{anchor.end}/ matches no line of {anchor.file} below /{anchor.start}/")


def fences(lines: list[str]) -> Iterator[Fence]:
    """Yield the fenced blocks of a page.  Raises AnchorError when one does not end."""
    index = 0
    while index < len(lines):
        if match := FENCE.match(lines[index]):
            closing = next((i for i in range(index + 1, len(lines)) if lines[i] == match[1]), None)
            if closing is None:
                raise AnchorError("the last fenced block does not end")
            above = lines[index - 1] if index and LOOKS_LIKE_ANCHOR.match(lines[index - 1]) else None
            yield Fence(index, closing, match[2], above)
            index = closing
        index += 1


def outside_fences(lines: list[str]) -> list[str]:
    """Return a page with the lines of its fenced blocks emptied, so that numbers of lines stay."""
    prose = list(lines)
    for fence in fences(lines):
        prose[fence.opening : fence.closing + 1] = [""] * (fence.closing + 1 - fence.opening)
    return prose


def refresh(root: Path, page: Path) -> bool:
    """Bring the blocks of a page up to date; return whether it changed.  Leaves alone what cannot be found."""
    lines = page.read_text(encoding="utf-8").splitlines()
    end_of = {fence.opening: fence.closing for fence in fences(lines)}
    fresh: list[str] = []
    index = 0
    while index < len(lines):
        fresh.append(lines[index])
        if index in end_of:  # a block without an anchor: copied, so that no anchor is looked for in it
            fresh += lines[index + 1 : end_of[index] + 1]
            index = end_of[index]
        elif (block := block_for(root, lines[index])) is not None:
            fresh += block
            index = end_of.get(index + 1, index)
        index += 1
    if fresh == lines:
        return False
    page.write_text("\n".join(fresh) + "\n", encoding="utf-8")
    return True


def block_for(root: Path, line: str) -> list[str] | None:
    """Return the fenced block that belongs below a line, None when it is no anchor or nothing is found for it."""
    try:
        anchor = parse_anchor(line)
        if anchor is None:
            return None
        return [f"```{LANGUAGES.get(Path(anchor.file).suffix, 'text')}", *quoted_lines(root, anchor), "```"]
    except AnchorError:
        return None


def anchor_problems(root: Path, lines: list[str]) -> Iterator[str]:
    """Yield what is wrong with the anchors of a page and the blocks below them."""
    below = {fence.opening - 1: fence for fence in fences(lines) if fence.anchor}
    for index, line in enumerate(outside_fences(lines)):
        try:
            anchor = parse_anchor(line)
            if anchor is None:
                continue
            expected = quoted_lines(root, anchor)
        except AnchorError as error:
            yield str(error)
            continue
        fence = below.get(index)
        if fence is None:
            yield f"{line} has no fenced block below it: ci/checks/anchors.py --write adds one"
        elif lines[fence.opening + 1 : fence.closing] != expected:
            yield f"the block below {line} is not what the file has: ci/checks/anchors.py --write refreshes it"
    for fence in fences(lines):
        if fence.anchor is None and fence.language in LANGUAGES.values():
            yield f"a block of {fence.language} has no anchor above it: {lines[fence.opening + 1].strip()!r}"


def reference_problems(root: Path, lines: list[str]) -> Iterator[str]:
    """Yield what is wrong with the references in backticks."""
    for line in outside_fences(lines):
        for match in REFERENCE.finditer(line):
            try:
                only_match(read_lines(root, match[1]), match[1], match[2])
            except AnchorError as error:
                yield f"{match[0]}: {error}"


@functools.cache
def known_names(root: Path) -> frozenset[str]:
    """Return every word of the sources that the book is about; comments count, they have Python's names."""
    files = (file for folder in NAMED_IN for file in (root / folder).rglob("*") if file.suffix in LANGUAGES)
    return frozenset(word for file in files for word in re.findall(r"\w+", file.read_text(encoding="utf-8")))


def name_problems(root: Path, lines: list[str]) -> Iterator[str]:
    """Yield the names in backticks that no source has: what they meant was renamed."""
    for line in outside_fences(lines):
        for match in NAME.finditer(line):
            if (match[1] or match[2]) not in known_names(root):
                yield f"no source has the name {match[0]}"


def number_problems(lines: list[str]) -> Iterator[str]:
    """Yield the line numbers of files; anchored blocks are the sources' own affair."""
    anchored = {i for fence in fences(lines) if fence.anchor for i in range(fence.opening, fence.closing)}
    for index, line in enumerate(lines):
        if index not in anchored and (match := LINE_NUMBER.search(line)):
            yield f"{match[0]!r} is a line number, which the next commit makes untrue: quote by /pattern/"


def headings(lines: list[str]) -> set[str]:
    """Return the names by which links reach the headings of a page, made as code hosts make them."""
    titles = [line.lstrip("#").strip().lower() for line in outside_fences(lines) if re.match(r"#+ ", line)]
    return {re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in titles}


def link_problems(page: Path, lines: list[str]) -> Iterator[str]:
    """Yield the links that lead nowhere; those that leave the project are not followed."""
    for line in outside_fences(lines):
        for match in LINK.finditer(re.sub(r"`[^`]*`", "", line)):
            if re.match(r"\w+:", match[1]):
                continue
            name, _, heading = match[1].partition("#")
            target = page.parent / name if name else page
            if not target.exists():
                yield f"the link to {match[1]} leads nowhere"
            elif heading and heading not in headings(target.read_text(encoding="utf-8").splitlines()):
                yield f"the link to {match[1]} names a heading that is not there"


def page_problems(root: Path, page: Path) -> Iterator[str]:
    """Yield everything that is wrong with a page."""
    lines = page.read_text(encoding="utf-8").splitlines()
    try:
        yield from anchor_problems(root, lines)
        yield from reference_problems(root, lines)
        yield from name_problems(root, lines)
        yield from number_problems(lines)
        yield from link_problems(page, lines)
    except AnchorError as error:
        yield str(error)


def main() -> int:
    """Check the pages of the book, or refresh them first, and print a sentence for each thing found."""
    parser = argparse.ArgumentParser(description="Check that what docs/book quotes is what the sources have.")
    parser.add_argument("--write", action="store_true", help="refresh the quoted blocks first")
    parser.add_argument("--root", type=Path, default=ROOT, help="another project, for tests")
    options = parser.parse_args()
    pages = sorted((options.root / BOOK).rglob("*.md"))
    if not pages:
        print(f"there is no page in {BOOK}: nothing was checked")
        return 1
    found = []
    for page in pages:
        name = page.relative_to(options.root)
        try:
            if options.write and refresh(options.root, page):
                print(f"{name}: refreshed")
        except AnchorError as error:
            print(f"{name}: not refreshed: {error}")
        found += [f"{name}: {problem}" for problem in page_problems(options.root, page)]
    for problem in found:
        print(problem)
    if not found:
        print(f"{len(pages)} pages: every quotation is what the sources have")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
