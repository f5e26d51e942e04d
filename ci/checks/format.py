# SPDX-License-Identifier: MIT
"""How the C sources of the reference are laid out: PEP 7, as far as a program can tell.

A formatter is not used, because none keeps what makes these files easy to read: the names of struct members in one
column with the stars of pointers before it, comments in one column for a whole section.  So this checks, and a
person mends:

- No tabs, no blanks at the end of a line, no more than 100 columns, one newline at the end of the file.
- Statements, members and entries of a list are indented by a multiple of four.  Continuation lines are free.
- A function's return type has a line of its own; its name and its opening brace are in column 0.
- One blank line between functions, never two; the comment above a function belongs to it.
- ``if (``, ``while (``, ``for (``, ``switch (``; no blank before the parenthesis of a call.
- The brace of a statement on the statement's line, and ``} else {``.
- The star of a pointer next to the name: ``char *name``.

Comments and the contents of strings are not judged but for tabs, blanks and columns.  The tables in ``.def`` files
are not read at all.  What stands in the branches of an ``#if`` must have its braces in pairs.

    format.py [FILE ...]        without files: all C files of the reference

Exit status: 0 nothing found; 1 something, a sentence each; 2 a file that cannot be read.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

REFERENCE = Path(__file__).resolve().parents[2] / "reference"
FOLDERS = ("include", "src", "python", "tests", "fuzz", "examples", "bench")
COLUMNS = 100
INDENT = 4

CONTROL = ("if", "while", "for", "switch")
NOT_CALLED = (*CONTROL, "return", "sizeof", "case", "else", "do", "defined", "goto")

LITERALS_AND_COMMENTS = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""", re.VERBOSE | re.DOTALL
)
ATTRIBUTE = re.compile(r"__attribute__\(\((?:[^()]|\([^()]*\))*\)\)")
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
TOKEN = re.compile(r"\w+|[^\w\s]")

# A name that is surely a type: only there is a lone star surely not a multiplication.
TYPE = r"\b(?:void|bool|char|short|int|long|float|double|signed|unsigned|const|\w+_t|asy_\w+|Py[A-Z]\w*|\w+Object"
TYPE += r"|(?:struct|union|enum)\s+\w+)"
STAR_AWAY_FROM_NAME = re.compile(rf"{TYPE}\s*\*+ +\w|\w\*+ +\w|{TYPE}\*")
CONTROL_WITHOUT_BLANK = re.compile(rf"\b({'|'.join(CONTROL)})(?:| {{2,}})\(")
# `(*` after a blank begins a pointer to a function: `void (*drop)(void *)`.
CALL_WITH_BLANK = re.compile(rf"\b(?!(?:{'|'.join(NOT_CALLED)})\b)([A-Za-z_]\w*) +\((?!\s*\*)")
DEFINING_MACROS = ("ASYNC", "FINALLY")  # of asy/coro.h: they stand where a function is defined
OBJECT_MACRO = re.compile(r"^\s*#\s*define\s+\w+(?=\s)")


class Problem(NamedTuple):
    """What is wrong in a line, as the rest of a sentence."""

    line: int
    text: str


class Bracket(NamedTuple):
    """An open bracket, and what it means for the lines inside."""

    character: str
    control: bool  # the parenthesis of an if, while, for or switch
    entries: bool  # the brace of an enum or of initialisers: what a comma ends is over
    own_lines: bool  # it ends its line, so that each line inside begins something of its own


# ---- the text without what is not judged --------------------------------------------------------------------


def without_comments(text: str) -> str:
    """Return the text with blanks for comments and for what strings hold; lines and columns stay."""

    def blank(match: re.Match[str]) -> str:
        found = match[0]
        if found[0] in "\"'":
            return found[0] + " " * (len(found) - 2) + found[0]
        return re.sub(r"[^\n]", " ", found)

    return LITERALS_AND_COMMENTS.sub(blank, text)


def lines_of(text: str) -> list[str]:
    """Return the lines, without their newlines; a carriage return stays, as a blank at the end."""
    return text.removesuffix("\n").split("\n")


def without_directives(code: str) -> str:
    """Return code with blanks for what the preprocessor reads, and one word for each attribute."""
    code = DIRECTIVE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), code)
    return ATTRIBUTE.sub(lambda match: re.sub(r"[^\n]", "a", match[0]), code)


# ---- rules for lines ----------------------------------------------------------------------------------------


def raw_line_problems(lines: list[str]) -> Iterator[Problem]:
    """Yield what is wrong with the characters of lines, whatever they mean."""
    for number, line in enumerate(lines, start=1):
        if "\t" in line:
            yield Problem(number, "has a tab; indent with blanks")
        if line != line.rstrip():
            yield Problem(number, "has blanks at its end")
        if len(line) > COLUMNS:
            yield Problem(number, f"has {len(line)} columns, more than {COLUMNS}")
        if number > 1 and not line.strip() and not lines[number - 2].strip():
            yield Problem(number, "is a second blank line; one is enough")


def end_problems(text: str) -> Iterator[Problem]:
    """Yield what is wrong with the end of the file."""
    last = max(text.count("\n"), 1)
    if not text.endswith("\n"):
        yield Problem(last, "is the last line and does not end with a newline")
    elif text.endswith("\n\n"):
        yield Problem(last, "is blank at the end of the file; end with one newline")


def code_line_problems(code: str) -> Iterator[Problem]:
    """Yield blanks that are missing or too many around parentheses and stars, macros included."""
    for number, line in enumerate(lines_of(code), start=1):
        if re.match(r"\s*#\s*(if|elif|include)", line):
            continue
        judged = OBJECT_MACRO.sub("", line)
        for match in CONTROL_WITHOUT_BLANK.finditer(judged):
            yield Problem(number, f"wants one blank between {match[1]} and its parenthesis")
        for match in CALL_WITH_BLANK.finditer(judged):
            yield Problem(number, f"has a blank between {match[1]} and its parenthesis")
        if STAR_AWAY_FROM_NAME.search(judged):
            yield Problem(number, "has the star of a pointer away from the name: write 'char *name'")


# ---- rules for functions ------------------------------------------------------------------------------------


def function_name(statement: str) -> re.Match[str] | None:
    """Return where the name is in what stands before a brace outside of all others, if that begins a function.

    The name stands before the parenthesis whose partner is the last thing of all.
    """
    head = statement.rstrip()
    if "=" in head or not head.endswith(")"):
        return None
    depth = 0
    for position in range(len(head) - 1, -1, -1):
        depth += (head[position] == ")") - (head[position] == "(")
        if depth == 0:
            return re.search(r"(\w+)\s*$", head[:position])
    return None


def definitions(bare: str) -> Iterator[tuple[int, int, str]]:
    """Yield each function: where its name and its opening brace are in the text, and the name."""
    depth = 0
    start = 0  # of what stands outside of braces and is not over yet
    for match in re.finditer(r"[{};]", bare):
        if match[0] == "{":
            name = function_name(bare[start : match.start()]) if depth == 0 else None
            if name and name[1] not in DEFINING_MACROS:
                yield start + name.start(1), match.start(), name[1]
            depth += 1
        elif match[0] == "}":
            depth = max(depth - 1, 0)
        if depth == 0:
            start = match.end()


def function_problems(text: str, bare: str) -> Iterator[Problem]:
    """Yield what is wrong with the heads of functions, and with the lines around them."""
    lines = lines_of(text)
    bare_lines = lines_of(bare)
    for name_at, brace_at, name in definitions(bare):
        number = bare.count("\n", 0, name_at) + 1
        type_line = bare_lines[number - 2] if number > 1 else ""
        if not bare_lines[number - 1].startswith(name) or not re.match(r"[A-Za-z_]", type_line):
            yield Problem(number, f"wants {name} in column 0, and its return type on the line before")
        else:
            yield from gap_problems(lines, bare_lines, number - 1, name)
        brace_number = bare.count("\n", 0, brace_at) + 1
        if bare_lines[brace_number - 1].rstrip() != "{":
            yield Problem(brace_number, f"wants the opening brace of {name} in column 0, alone")
    for number, line in enumerate(lines[:-1], start=1):
        if line == "}" and lines[number].strip() and not lines[number].startswith("#"):
            yield Problem(number + 1, "follows a function without a blank line between them")


def gap_problems(lines: list[str], bare_lines: list[str], first: int, name: str) -> Iterator[Problem]:
    """Yield that nothing separates a function, with its comment, from what is above; first is its first line."""
    above = first - 2
    while above >= 0 and lines[above].strip() and not bare_lines[above].strip():
        if lines[above].lstrip().startswith("#"):
            return
        above -= 1
    if above >= 0 and lines[above].strip() not in ("", "}"):  # after a brace it has been said
        yield Problem(first, f"begins {name} without a blank line above it")


# ---- rules for statements -----------------------------------------------------------------------------------


def is_own_line(previous: str, closed_control: bool, stack: list[Bracket]) -> bool:
    """Return whether a line begins something of its own, and does not continue what is above."""
    if stack and not stack[-1].own_lines:
        return False
    if previous == ",":  # in a declaration (`int a,`) the line above goes on
        return bool(stack) and stack[-1].entries
    return closed_control or previous in ("", ";", "{", "}", "else", "do", ":")


def opened(token: str, before: list[str], closed_control: bool, inside: bool, last: bool) -> Bracket:
    """Return a bracket that opens: after which tokens, inside another or not, and whether it ends its line."""
    previous = before[-1] if before else ""
    literal = previous == ")" and inside and not closed_control
    entries = token == "{" and (previous in ("=", ",", "(") or literal or "enum" in before[-2:])
    return Bracket(token, previous in CONTROL, entries, last and token == "{")


def brace_problems(line: str, column: int, number: int, first: bool, word: str) -> Iterator[Problem]:
    """Yield that the brace of a statement is not where it belongs: one blank after what it follows."""
    before = line[:column]
    if first or not before.endswith(" ") or before.endswith("  "):
        yield Problem(number, f"wants the brace after {word} on its line, after one blank")


def statement_problems(bare: str) -> Iterator[Problem]:
    """Yield what is wrong with indentation, with braces of statements, and with else."""
    stack: list[Bracket] = []
    before: list[str] = []  # the last two tokens
    closed_control = False  # the last one is the parenthesis that closes an if, while, for or switch
    for number, line in enumerate(lines_of(bare), start=1):
        tokens = list(TOKEN.finditer(line))
        for token in tokens:
            first = token is tokens[0]
            previous = before[-1] if before else ""
            uneven = token.start() % INDENT != 0 and "\t" not in line
            if first and uneven and is_own_line(previous, closed_control, stack):
                yield Problem(number, f"is indented by {token.start()}, which is no multiple of {INDENT}")
            if token[0] == "{" and (closed_control or previous in ("else", "do")):
                word = "the condition" if closed_control else previous
                yield from brace_problems(line, token.start(), number, first, word)
            if token[0] == "else" and previous == "}" and not line[: token.start()].endswith("} "):
                yield Problem(number, "wants '} else', with one blank, on the line of the brace")
            if token[0] in "([{":
                stack.append(opened(token[0], before, closed_control, bool(stack), token is tokens[-1]))
                closed_control = False
            else:
                closed_control = token[0] in ")]}" and bool(stack) and stack.pop().control
            before = [*before[-1:], token[0]]


# ---- the command --------------------------------------------------------------------------------------------


def problems(text: str) -> list[Problem]:
    """Return everything that is wrong with a source, in the order of its lines."""
    code = without_comments(text)
    bare = without_directives(code)
    found = [
        *raw_line_problems(lines_of(text)),
        *end_problems(text),
        *code_line_problems(code),
        *function_problems(text, bare),
        *statement_problems(bare),
    ]
    return sorted(found)


def sources() -> list[Path]:
    """Return the C files of the reference."""
    files = (path for folder in FOLDERS for path in (REFERENCE / folder).rglob("*"))
    return sorted(path for path in files if path.suffix in (".c", ".h"))


def main(arguments: list[str]) -> int:
    """Print what is found."""
    files = [Path(argument) for argument in arguments] or sources()
    count = 0
    for file in files:
        try:
            text = file.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            print(f"format: {file} cannot be read ({error}): name C sources in UTF-8.", file=sys.stderr)
            return 2
        name = file.relative_to(REFERENCE.parent) if file.is_relative_to(REFERENCE.parent) else file
        for line, problem in problems(text):
            count += 1
            print(f"{name}:{line} {problem}")
    print(f"{len(files)} files, {count} findings")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
