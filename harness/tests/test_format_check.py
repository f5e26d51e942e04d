# SPDX-License-Identifier: MIT
"""Each mistake that format.py is for, planted into a file in order, is found in its line, and nothing else is."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "ci" / "checks" / "format.py"
problems = runpy.run_path(str(SCRIPT))["problems"]

# Everything that looks like a mistake and is none: what the sources of the reference really do.
CLEAN = r"""/* SPDX-License-Identifier: MIT */
/* An example: if(this) were code,it ( would ) have char * stars away from names. */
#include <asy/asy.h>
#if defined(__linux__) && (LIMIT > 3)
#include <sys/epoll.h>
#endif

#define LIMIT (-1)
#define RAISE(kind, ...) return asy_error_new(ASY_##kind, __VA_ARGS__)
#define TRY(call)                                                                          \
    do {                                                                                   \
        asy_error *try_error_ = (call);                                                    \
        if (try_error_)                                                                    \
            return try_error_;                                                             \
    } while (0)

ASY_BEGIN_DECLARATIONS

typedef enum kind {
    FIRST,                          /* one */
    SECOND
} kind;

struct callback {
    PyObject_HEAD
    asy_error  *(*function)(void *argument);
    void       (*drop)(void *argument);             /* or NULL */
    const char  *name;
    int          line;              /* a comment that goes on
                                       below itself */
};

static const struct callback table[] = {
#define ROW(name) { run, NULL, #name, __LINE__ },
#include "rows.def"
    { "if(x){", NULL,
      "}else{  (", 3 },
    [SECOND] = { .name = "tab\t",
                 .line = 4 },
};
static const char *const program =
    "for(;;) {\n"
      "   call (it)\n";
static int entered,
           left;

/* The comment belongs to the function. */
ASY_API asy_error *asy_long_name(asy_loop *loop,
                                 void *argument) ASY_MUST_CHECK;

static inline asy_error *
first(asy_loop *loop, void (*drop)(void *argument),
      const char **ret_name)
{
    size_t size = sizeof(char *) * LIMIT + sizeof *ret_name;
    int product = entered * left;

    if (product > 3 &&
        size > 4) {
        RAISE(ValueError, "%d (really)", product);
    } else if (left) {
        return ASY_OK;
    } else {
        TRY(asy_loop_run(loop, &(asy_options){
            .size = size,
            .drop = drop,
        }));
    }
    switch (product) {
    case 1:
        left = (int)size;
        break;
    default:
        return NULL;
    }
    do {
        entered--;
    } while (entered);
again:
    for (int i = 0; i < 3; i++)
        while (left)
            left -= entered
                  + '"';
    return drop ? ASY_OK
                : (asy_error *)(loop);
}

__attribute__((constructor)) static void
second(void)
{
}
#ifdef LATER

void
third(void)
{
    int a, b;
    first(NULL,
          NULL, NULL);
}
#endif

ASY_END_DECLARATIONS
"""

# The text of CLEAN, what it becomes, the line of the change that the sentence is about, a part of the sentence.
MISTAKES = {
    "tab": ("    entered--;", "\tentered--;", "has a tab"),
    "blank at the end": ("    entered--;", "    entered--; ", "blanks at its end"),
    "carriage return": ("    entered--;", "    entered--;\r", "blanks at its end"),
    "long line": ("    entered--;", "    entered--; /*" + 100 * "x" + " */", "columns, more than 100"),
    "statement indented by six": ("        entered--;", "      entered--;", "indented by 6"),
    "body of if indented by ten": ("            left -= ", "          left -= ", "indented by 10"),
    "member indented by three": ("    const char  *name;", "   const char  *name;", "indented by 3"),
    "entry of an enum indented by two": ("    SECOND\n", "  SECOND\n", "indented by 2"),
    "entry of a table indented by two": ("    [SECOND]", "  [SECOND]", "indented by 2"),
    "entry of an argument indented by ten": ("            .drop =", "          .drop =", "indented by 10"),
    "statement after a label indented by two": (
        "        left = (int)",
        "      left = (int)",
        "indented by 6",
    ),
    "name of a function not in column 0": ("third(void)", " third(void)", "wants third in column 0"),
    "brace of if on its own line": ("if (left) {", "if (left)\n    {", "the brace after the condition"),
    "brace of else on its own line": ("} else {", "} else\n    {", "the brace after else"),
    "no blank before the brace": ("if (left) {", "if (left){", "the brace after the condition"),
    "two blanks before the brace": ("    do {\n        entered", "    do  {\n        entered", "after do"),
    "else below its brace": ("} else {", "}\n    else {", "wants '} else'"),
    "no blank before else": ("} else {", "}else {", "wants '} else'"),
    "if without a blank": ("    if (product", "    if(product", "one blank between if"),
    "if with two blanks": ("    if (product", "    if  (product", "one blank between if"),
    "if without a blank in a macro": ("        if (try_error_)", "        if(try_error_)", "between if"),
    "while without a blank": ("        while (left)", "        while(left)", "one blank between while"),
    "for without a blank": ("    for (int", "    for(int", "one blank between for"),
    "switch without a blank": ("    switch (", "    switch(", "one blank between switch"),
    "call with a blank": ("asy_loop_run(", "asy_loop_run (", "blank between asy_loop_run"),
    "definition with a blank": ("third(void)", "third (void)", "blank between third"),
    "star at the type": ("const char  *name", "const char*  name", "star of a pointer"),
    "star at a cast": ("(asy_error *)", "(asy_error*)", "star of a pointer"),
    "star between blanks": ("asy_error *try_error_", "asy_error * try_error_", "star of a pointer"),
    "star at the type of an argument": ("(asy_loop *loop, void (", "(asy_loop* loop, void (", "star of"),
    "two stars at the type": ("char **ret_name)", "char** ret_name)", "star of a pointer"),
}

# Those whose line is not the first that changes, or where lines are added.
ELSEWHERE = {
    "return type on the line of the name": (
        "void\nthird(void)",
        "void third(void)",
        "wants third in column 0",
    ),
    "brace of a function on its line": ("third(void)\n{", "third(void) {", "opening brace of third"),
    "brace of a function indented": ("third(void)\n{", "third(void)\n    {", "opening brace of third"),
    "no blank line after a function": ("}\n\n__attribute__", "}\n__attribute__", "without a blank line"),
    "two blank lines": ("}\n\n__attribute__", "}\n\n\n__attribute__", "second blank line"),
    "no blank line above a function": ("LATER\n\nvoid", "LATER\nint x;\nvoid", "without a blank line above"),
    "no blank line above a comment": (
        "LATER\n\nvoid",
        "LATER\nint x;\n/* Third. */\nvoid",
        "without a blank line above",
    ),
    "no newline at the end": ("ASY_END_DECLARATIONS\n", "ASY_END_DECLARATIONS", "end with a newline"),
    "blank line at the end": ("ASY_END_DECLARATIONS\n", "ASY_END_DECLARATIONS\n\n", "end with one newline"),
}


def planted(before: str, after: str) -> str:
    """Return CLEAN with a mistake."""
    assert CLEAN.count(before) == 1, before
    return CLEAN.replace(before, after)


def changed_lines(text: str) -> set[int]:
    """Return which lines of a text are not those of CLEAN, but for lines that only moved."""
    clean = CLEAN.split("\n")
    lines = text.split("\n")
    start = next(i for i, (a, b) in enumerate(zip(clean, lines, strict=False)) if a != b)
    added = len(lines) - len(clean)
    return {start + 1, start + 1 + added}


def test_a_file_in_order_has_no_problem() -> None:
    """Also where a comment, a string or an aligned table looks like a mistake."""
    assert problems(CLEAN) == []


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_in_its_line_and_only_there(name: str) -> None:
    """One problem, in the line that was changed, with the sentence for it."""
    before, after, sentence = MISTAKES[name]
    text = planted(before, after)
    found = problems(text)
    assert [sentence in problem.text for problem in found] == [True], found
    assert found[0].line in changed_lines(text)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_mistake_between_lines_is_found(name: str) -> None:
    """The sentence for it is there."""
    before, after, sentence = ELSEWHERE[name]
    found = problems(planted(before, after))
    assert any(sentence in problem.text for problem in found), found


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_says_where_and_ends_with_1(tmp_path: Path) -> None:
    """A sentence with file and line."""
    source = tmp_path / "wrong.c"
    source.write_text(planted("    for (int", "    for(int"))
    done = run(str(source))
    assert done.returncode == 1
    number = CLEAN[: CLEAN.index("    for (int")].count("\n") + 1
    assert f"{source.name}:{number} wants one blank between for and its parenthesis" in done.stdout


def test_the_command_ends_with_0_for_files_in_order(tmp_path: Path) -> None:
    """And says how many there were."""
    source = tmp_path / "right.c"
    source.write_text(CLEAN)
    done = run(str(source))
    assert (done.returncode, done.stdout) == (0, "1 files, 0 findings\n")


def test_a_file_that_cannot_be_read_is_one_sentence_and_2(tmp_path: Path) -> None:
    """Neither a traceback nor a pass."""
    done = run(str(tmp_path / "missing.c"))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1 and "cannot be read" in done.stderr
