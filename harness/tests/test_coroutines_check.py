# SPDX-License-Identifier: MIT
"""Each mistake that ci/checks/coroutines.py is for, planted into a source in order, is found in its line."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "ci" / "checks" / "coroutines.py"
CHECK = runpy.run_path(str(SCRIPT))
problems = CHECK["problems"]
macro_problems = CHECK["macro_problems"]

# Everything that looks like a mistake and is none.
CLEAN = """/* SPDX-License-Identifier: MIT */
/* An example. AWAIT(nothing); stands in a comment, and in a string below. */
#include <asy/asy.h>

#define AWAIT(awaitable) do { case __LINE__:; } while (0)

struct greet {
    asy_coro     co;            /* first */
    asy_loop    *loop;
    asy_error  *(*tell)(void *argument);
    int         *ret_count;
    const char **ret_name;
    unsigned     many : 1;
    int          left[3];
};

static int
add(int a)
{
    int sum = a + 1;

    switch (a) {
    case 1:
        return sum;
    }
    return 0;
}

ASYNC(greet)
{
    static const int limit = 3;
    asy_error *err;
    int i, count;
    double *where;

    ASYNC_BEGIN;

    for (int k = 0; k < limit; k++)
        self->left[k] = add(k);
    for (i = 0; i < 3; i++) {
        AWAIT(asy_sleep(self->loop, 0.5));
        self->left[i * 2] = 1;
    }
    count = *self->ret_count == 3 ? add(count) : limit;
    if (count >= 3)
        err = self->tell("AWAIT(x); int a = 3;");
    else if (count <= 1)
        *where = 1.0;
    *(int *)where = 4;
    again:
    switch (count) {
    case 1:
        count += 2;
        break;
    default:
        count = 3;
    }
    TRY_AWAIT(err, ASYNC_CALL(other, .loop = self->loop, .name = (char *)"x"));
    *self->ret_count = count;
    call(&(struct options){ .debug = true, .name = "x" });
    do
        AWAIT(asy_sleep(self->loop, 0.5));
    while (count != 3);

    ASYNC_END;
}

/* A comment is no code between. */
FINALLY(greet)
{
    int closed = 1;

    asy_free(self->loop + closed);
}
"""

# What is replaced in CLEAN, once, by what; the line where it is found; and a part of the sentence.
MISTAKES = {
    "initialiser": ("    int i, count;", "    int i, count = 0;", "initialises a local variable of greet"),
    "initialised pointer": ("    double *where;", "    double *where = NULL;", "initialises a local"),
    "initialised struct": ("    double *where;", "    struct point where = { 0 };", "initialises a local"),
    "initialised array": ("    double *where;", "    double where[2] = { 0 };", "initialises a local"),
    "initialised function pointer": (
        "    double *where;",
        "    int (*where)(int) = add;",
        "initialises a local",
    ),
    "initialised by typeof": (
        "    double *where;",
        "    __typeof__(self) where = self;",
        "initialises a local",
    ),
    "initialiser in a block": ("        *where = 1.0;", "        { int k = 1; }", "initialises a local"),
    "initialiser after a label": (
        "        count = 3;",
        "        count = 3; const int k = 3;",
        "initialises a local",
    ),
    "initialiser in a loop": ("        self->left[i * 2] = 1;", "        int k = 1;", "initialises a local"),
    "variable of a loop": (
        "    for (i = 0; i < 3; i++) {",
        "    for (int i = 0; i < 3; i++) {",
        "a loop that awaits",
    ),
    "variable of a loop without braces": (
        "        self->left[k] = add(k);",
        "        if (k) {} else AWAIT(asy_sleep(self->loop, 0.5));",
        "a loop that awaits",
    ),
    "await in a switch": ("        count += 2;", "        AWAIT(self->future);", "awaits in a switch"),
    "try in a switch": ("        count += 2;", "        TRY_AWAIT(err, self->future);", "awaits in a switch"),
    "await in a loop in a switch": (
        "        count += 2;",
        "        while (count) { AWAIT(self->future); }",
        "awaits in a switch",
    ),
    "await in a function": ("    int sum = a + 1;", "    AWAIT(self->future);", "outside of an ASYNC body"),
    "try in a function": (
        "    int sum = a + 1;",
        "    TRY_AWAIT(err, self->future);",
        "outside of an ASYNC body",
    ),
    "await in finally": ("    int closed = 1;", "    AWAIT(self->future);", "outside of an ASYNC body"),
    "co is not first": (
        "    asy_coro     co;            /* first */",
        "    int n; asy_coro co;",
        "co as the first",
    ),
    "outputs apart": (
        "    const char **ret_name;",
        "    int between; const char **ret_name;",
        "side by side",
    ),
    "no frame": ("struct greet {", "struct other {", "does not stand above it"),
    "no finally": (
        "FINALLY(greet)",
        "static void end(struct greet *self)",
        "wants FINALLY(greet) directly below",
    ),
    "finally of another": ("FINALLY(greet)", "FINALLY(other)", "wants FINALLY(greet) directly below"),
    "code before finally": (
        "/* A comment is no code between. */",
        "static int between;",
        "wants FINALLY(greet) directly below",
    ),
}

# Where it is found, if that is not where it was planted.
ELSEWHERE = {
    "variable of a loop without braces": "    for (int k = 0; k < limit; k++)",
    "co is not first": "struct greet {",
    "outputs apart": "struct greet {",
    "no frame": "ASYNC(greet)\n{",
    "no finally": "ASYNC(greet)\n{",
    "finally of another": "ASYNC(greet)\n{",
    "code before finally": "ASYNC(greet)\n{",
}


def line_of(text: str, part: str) -> int:
    """Return the line in which the last character of the part is."""
    assert text.count(part) == 1
    return text.count("\n", 0, text.index(part) + len(part)) + 1


def test_a_source_in_order_has_no_findings() -> None:
    assert problems(CLEAN) == []


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_in_its_line(name: str) -> None:
    original, mistake, sentence = MISTAKES[name]
    assert CLEAN.count(original) == 1
    text = CLEAN.replace(original, mistake)
    found = problems(text)
    assert found, "nothing was found"
    line, problem = found[0]
    assert sentence in problem
    assert line == line_of(text, ELSEWHERE.get(name, mistake))


@pytest.mark.parametrize("name", sorted(set(MISTAKES) - {"finally of another", "code before finally"}))
def test_a_mistake_is_one_finding(name: str) -> None:
    original, mistake, _ = MISTAKES[name]
    assert len(problems(CLEAN.replace(original, mistake))) == 1


def test_a_finally_without_a_body_above_is_found() -> None:
    text = CLEAN + "\nFINALLY(lonely)\n{\n}\n"
    assert [problem.line for problem in problems(text)] == [line_of(text, "FINALLY(lonely)")]


def test_a_macro_that_is_not_listed_is_found() -> None:
    text = "/* #define COMMENT(a) a */\n#define LIMIT (3)\n#define TRY(a) a\n#  define HIDDEN(a) \\\n    a\n"
    assert [problem.line for problem in macro_problems(text)] == [4]
    assert "HIDDEN()" in macro_problems(text)[0].text


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False
    )


def test_the_reference_has_no_findings() -> None:
    result = run()
    assert result.returncode == 0, result.stdout


def test_findings_are_printed_with_file_and_line(tmp_path: Path) -> None:
    source = tmp_path / "source.c"
    source.write_text(CLEAN.replace("    int i, count;", "    int i = 0, count;"))
    result = run(str(source))
    assert result.returncode == 1
    line = line_of(source.read_text(), "    int i = 0, count;")
    assert result.stdout.startswith(f"{source}:{line} initialises a local variable of greet")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    result = run(str(tmp_path / "missing.c"))
    assert result.returncode == 2
    assert "missing.c cannot be read" in result.stderr
