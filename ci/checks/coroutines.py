# SPDX-License-Identifier: MIT
"""How the reference writes its coroutines and macros: what this forbids, and why.

The compiler finds most mistakes in an async body (coro.h says which).  These it does not find, or only when run:

- A local variable with an initialiser in an ASYNC body.  The body is entered again at an AWAIT, past that, and the
  variable then holds anything; without an initialiser, the compiler warns where it is used.  A ``static`` one is
  fixed before anything runs, so it may; and ``for (int i = 0; ...)`` may, unless there is an AWAIT in the loop.
- AWAIT or TRY_AWAIT in a switch of a body: its case label belongs to that switch, and the body cannot go on there.
- AWAIT or TRY_AWAIT outside of an ASYNC body, FINALLY included: there is nothing to go on with.
- A frame that does not stand above its body in the same file, or has not ``co`` first and its ``ret_`` pointers,
  the outputs, side by side: the struct is read as the head of the function.
- A FINALLY that is not directly below its ASYNC body, so that what is taken and what is given back stand together.
- A function-like macro that is not in the list below.  What a macro does must be learnt by every reader, so there
  are few, and each has a reason.

    coroutines.py [FILE ...]        without files: all C files of the reference

Exit status: 0 nothing found; 1 something, a sentence each; 2 a file that cannot be read.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

REFERENCE = Path(__file__).resolve().parents[2] / "reference"
FOLDERS = ("include", "src", "python", "tests", "fuzz", "examples", "bench")
MISTAKES_ON_PURPOSE = "compile_fail"  # samples that no compiler accepts
LIBRARY = ("include", "src")  # where macros are counted

# Each function-like macro of the library, and why it is no function.
MACROS = {
    "ASYNC": "declares the type of a coroutine and begins its body",
    "FINALLY": "completes what ASYNC has declared",
    "ASYNC_CALL": "an async function's arguments have names, as fields of its frame",
    "AWAIT": "returns from the body, and is a case label",
    "TRY_AWAIT": "the same, with the error in a variable",
    "AWAIT_SUSPEND_": "what AWAIT and TRY_AWAIT have in common",
    "TRY": "returns from the function, if there is an error",
    "RAISE": "returns from the function, and writes the kind of error without its prefix",
    "RAISE_OSERROR": "the same, for an errno",
    "asy_own": "the name of the function, and the line, become part of the callback",
    "asy_borrow": "the same, for an argument that stays the caller's",
    "ASY_ERROR_KIND": "what one line of error_kinds.def becomes",
    "ASY_BEHAVIOUR": "what one line of behaviours.def becomes",
}

LITERALS_AND_COMMENTS = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""", re.VERBOSE | re.DOTALL
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)\(", re.MULTILINE)
BODY = re.compile(r"^ASYNC\((\w+)\)\s*\{", re.MULTILINE)
FINALLY = re.compile(r"\s*FINALLY\((\w+)\)\s*\{")
ANY_FINALLY = re.compile(r"^FINALLY\((\w+)\)", re.MULTILINE)
AWAIT = re.compile(r"\b(?:TRY_)?AWAIT\s*\(")
PARTNERS = {"(": ")", "[": "]", "{": "}"}

# What may stand before a statement on its way to the statement itself.
PREFIX = re.compile(r"\s*(?:else\b|do\b|(?:if|for|while|switch)\s*\(\)|case\b[^:?]*:|\w+\s*:(?!:))")
ASSIGNMENT = re.compile(r"(?<![=!<>+\-*/%&|^])=(?!=)")
# Two names side by side, or with stars between, are a type and a variable; so are a name and `(*variable)(...)`,
# of which nothing is left but the parentheses, and `typeof(...) variable`.
DECLARATION = re.compile(r"\w[\s*]+\w|\w[\s*]+\(\)\s*\(\)|\w\(\)[\s*]*\w")


class Problem(NamedTuple):
    """What is wrong in a line, as the rest of a sentence."""

    line: int
    text: str


class Body(NamedTuple):
    """An async body: the function's name, and from its opening brace to behind the closing one."""

    name: str
    start: int
    end: int


# ---- reading C ----------------------------------------------------------------------------------------------


def blank(match: re.Match[str]) -> str:
    """Return blanks for what was found; lines stay."""
    return re.sub(r"[^\n]", " ", match[0])


def code_of(text: str) -> str:
    """Return the text with blanks for comments, literals and what the preprocessor reads."""
    return DIRECTIVE.sub(blank, LITERALS_AND_COMMENTS.sub(blank, text))


def closing(code: str, start: int) -> int:
    """Return where the bracket that opens at start is closed, or the end of the code."""
    partner = PARTNERS[code[start]]
    depth = 0
    for position in range(start, len(code)):
        depth += (code[position] == code[start]) - (code[position] == partner)
        if depth == 0:
            return position
    return len(code)


def statement_end(code: str, start: int) -> int:
    """Return where the statement that begins at start is over: behind its block, or behind its semicolon.

    ``if``, ``else``, loops and ``switch`` include what they govern.
    """
    position = start + len(code[start:]) - len(code[start:].lstrip())
    head = re.compile(r"(?:if|for|while|switch)\s*(?=\()").match(code, position)
    if head:
        end = statement_end(code, closing(code, head.end()) + 1)
        after = re.compile(r"\s*else\b").match(code, end)
        return statement_end(code, after.end()) if head[0].startswith("if") and after else end
    word = re.compile(r"do\b|case\b[^:]*:|\w+\s*:(?!:)").match(code, position)
    if word:
        end = statement_end(code, word.end())
        return code.find(";", end) + 1 if word[0] == "do" else end
    while position < len(code):
        if code[position] in "([":
            position = closing(code, position)
        elif code[position] == "{":
            return closing(code, position) + 1
        elif code[position] == ";":
            return position + 1
        position += 1
    return len(code)


def statements(code: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    """Yield where each piece between semicolons and braces begins, and the piece; in parentheses nothing ends."""
    first = start
    position = start
    while position < end:
        if code[position] in "([":
            position = closing(code, position)
        elif code[position] in ";{}":
            yield first, code[first:position]
            first = position + 1
        position += 1


def without_brackets(piece: str) -> str:
    """Return the piece with nothing in its parentheses, and without its brackets."""
    result = ""
    position = 0
    while position < len(piece):
        if piece[position] in "([":
            result += "()" if piece[position] == "(" else ""
            position = closing(piece, position)
        else:
            result += piece[position]
        position += 1
    return result


def line_of(code: str, position: int) -> int:
    """Return the number of the line."""
    return code.count("\n", 0, position) + 1


# ---- the rules ----------------------------------------------------------------------------------------------


def bodies(code: str) -> list[Body]:
    """Return the async bodies of a source."""
    return [Body(m[1], m.end() - 1, closing(code, m.end() - 1) + 1) for m in BODY.finditer(code)]


def is_initialised(piece: str) -> bool:
    """Return whether a piece of a function declares a variable that is not static, with an initialiser."""
    bare = without_brackets(piece)
    while prefix := PREFIX.match(bare):
        bare = bare[prefix.end() :]
    before, *after = ASSIGNMENT.split(bare)
    return bool(after) and not re.match(r"\s*static\b", before) and bool(DECLARATION.search(before))


def initialiser_problems(code: str, body: Body) -> Iterator[Problem]:
    """Yield the local variables that are initialised."""
    for start, piece in statements(code, body.start + 1, body.end - 1):
        if is_initialised(piece):
            line = line_of(code, start + len(piece) - len(piece.lstrip()))
            yield Problem(
                line, f"initialises a local variable of {body.name}; make it a field, or assign to it later"
            )
    for match in re.compile(r"\bfor\s*\(").finditer(code, body.start, body.end):
        first = code[match.end() : code.find(";", match.end())]
        loop = code[match.start() : statement_end(code, match.start())]
        if is_initialised(first) and AWAIT.search(loop):
            line = line_of(code, match.start())
            yield Problem(line, f"declares a variable for a loop that awaits; make it a field of {body.name}")


def switch_problems(code: str, body: Body) -> Iterator[Problem]:
    """Yield the awaits in a switch."""
    found: dict[int, str] = {}
    for match in re.compile(r"\bswitch\s*\(").finditer(code, body.start, body.end):
        for wait in AWAIT.finditer(code, match.start(), statement_end(code, match.start())):
            found[wait.start()] = f"awaits in a switch, where {body.name} cannot go on; write if and else"
    yield from (Problem(line_of(code, position), text) for position, text in found.items())


def outside_problems(code: str, inside: list[Body]) -> Iterator[Problem]:
    """Yield the awaits that no async body has around it."""
    for match in AWAIT.finditer(code):
        if not any(body.start < match.start() < body.end for body in inside):
            yield Problem(
                line_of(code, match.start()), "awaits outside of an ASYNC body; make the function a coroutine"
            )


def members(struct: str) -> list[str]:
    """Return the names of a struct's members."""
    names = []
    for _, piece in statements(struct, 0, len(struct)):
        match = re.search(r"\(\s*\*+\s*(\w+)\s*\)\s*\(|(\w+)\s*(?:\[[^\]]*\]\s*|:\s*\w+\s*)*$", piece)
        if match:
            names.append(match[1] or match[2])
    return names


def frame_problems(code: str, body: Body) -> Iterator[Problem]:
    """Yield what is wrong with the struct of an async function."""
    match = re.compile(rf"\bstruct\s+{body.name}\s*\{{").search(code, 0, body.start)
    if not match:
        yield Problem(
            line_of(code, body.start),
            f"begins {body.name}, and its frame does not stand above it in this file",
        )
        return
    line = line_of(code, match.start())
    names = members(code[match.end() : closing(code, match.end() - 1)])
    if names[:1] != ["co"]:
        yield Problem(line, f"wants co as the first field of struct {body.name}")
    outputs = [index for index, name in enumerate(names) if name.startswith("ret_")]
    if outputs and outputs[-1] - outputs[0] >= len(outputs):
        yield Problem(line, f"wants the ret_ pointers of struct {body.name} side by side")


def finally_problems(code: str, all_bodies: list[Body]) -> Iterator[Problem]:
    """Yield each body without its FINALLY directly below, and each FINALLY that is below no body."""
    placed = set()
    for body in all_bodies:
        match = FINALLY.match(code, body.end)
        if match:
            placed.add(match.start(1))
        if not match or match[1] != body.name:
            yield Problem(line_of(code, body.start), f"wants FINALLY({body.name}) directly below the body")
    for match in ANY_FINALLY.finditer(code):
        if match.start(1) not in placed:
            yield Problem(
                line_of(code, match.start()), f"has FINALLY({match[1]}), which is not below its body"
            )


def problems(text: str) -> list[Problem]:
    """Return everything that is wrong with the coroutines of a source, in the order of its lines."""
    code = code_of(text)
    all_bodies = bodies(code)
    found = [*outside_problems(code, all_bodies), *finally_problems(code, all_bodies)]
    for body in all_bodies:
        found += initialiser_problems(code, body)
        found += switch_problems(code, body)
        found += frame_problems(code, body)
    return sorted(found)


def macros(text: str) -> list[tuple[int, str]]:
    """Return the function-like macros that a source defines: the line and the name of each."""
    code = LITERALS_AND_COMMENTS.sub(blank, text)
    return [(line_of(code, match.start(1)), match[1]) for match in MACRO.finditer(code)]


def macro_problems(text: str) -> list[Problem]:
    """Return the macros of a source that are not in the list."""
    return [
        Problem(line, f"defines the macro {name}(), which is not in the list of ci/checks/coroutines.py")
        for line, name in macros(text)
        if name not in MACROS
    ]


# ---- the command --------------------------------------------------------------------------------------------


def sources() -> list[Path]:
    """Return the C files of the reference, without those that are wrong on purpose."""
    files = (path for folder in FOLDERS for path in (REFERENCE / folder).rglob("*"))
    return sorted(p for p in files if p.suffix in (".c", ".h") and MISTAKES_ON_PURPOSE not in p.parts)


def is_of_library(file: Path) -> bool:
    """Return whether a file belongs to what the list of macros is about."""
    return any(file.resolve().is_relative_to(REFERENCE / folder) for folder in LIBRARY)


def main(arguments: list[str]) -> int:
    """Print what is found."""
    files = [Path(argument) for argument in arguments] or sources()
    findings = []
    body_count = 0
    defined: set[str] = set()
    for file in files:
        try:
            text = file.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            print(f"coroutines: {file} cannot be read ({error}): name C sources in UTF-8.", file=sys.stderr)
            return 2
        name = file.relative_to(REFERENCE.parent) if file.is_relative_to(REFERENCE.parent) else file
        body_count += len(bodies(code_of(text)))
        found = problems(text)
        if is_of_library(file):
            found += macro_problems(text)
            defined.update(macro for _, macro in macros(text))
        findings += [f"{name}:{line} {problem}" for line, problem in found]
    if not arguments:
        for macro in sorted(set(MACROS) - defined):
            findings.append(f"ci/checks/coroutines.py lists the macro {macro}(), which nothing defines")
    for finding in findings:
        print(finding)
    print(f"{len(files)} files, {body_count} async bodies, {len(MACROS)} macros, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
