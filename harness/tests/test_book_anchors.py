# SPDX-License-Identifier: MIT
"""The book: what it quotes, what it draws and what its programs print is what the sources, asyncio and asy do.

The checker of quotations is given small books with one mistake each, and must name it.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "docs" / "book"
CHECKER = ROOT / "ci" / "checks" / "anchors.py"
PROGRAMS = sorted([*(BOOK / "programs").glob("*.py"), *(BOOK / "exercises").glob("[0-9]*.py")])
EXERCISES = [program for program in PROGRAMS if program.parent.name == "exercises"]
C_PROGRAMS = sorted((BOOK / "programs").glob("*.c"))
CHAPTERS = {  # where exercises stand
    "05": "05_one_iteration.md",
    "08": "08_tasks_and_cancellation.md",
    "10": "10_sockets.md",
}
MOST_BYTES = 30_000
PATIENCE_S = 30  # for what ends at once unless it hangs
BUILD = "3.11" if sys.version_info[:2] == (3, 11) else "abi3"
LIBRARY = ROOT / "build" / "reference" / "asy" / "libasy.a"
ASY = Path(os.environ.get("ASY_PACKAGE") or ROOT / "build" / "reference" / "python" / BUILD)

# Runs a program with asy's loops: it makes its loops with asyncio.new_event_loop(), which is exchanged before for
# the function that the third argument names. Those of a native loop make the library's own futures and tasks.
ON_ASY = """
import asyncio, pathlib, runpy, sys
sys.path.insert(0, sys.argv[1])
import asy
made = []
def new_event_loop():
    made.append(getattr(asy, sys.argv[3])())
    return made[-1]
asyncio.new_event_loop = new_event_loop
sys.path.insert(0, str(pathlib.Path(sys.argv[2]).parent))
runpy.run_path(sys.argv[2], run_name="__main__")
sys.exit(0 if made or "asyncio" not in pathlib.Path(sys.argv[2]).read_text() else "no loop was made")
"""

SOURCE = """/* A source. */
int
add(int a, int b)
{
    return a + b;
}

int
twice(int a)
{
    return add(a, a);
}
"""

GOOD = """# A page

The sum is made by `add()`, `reference/add.c:/^add/`; see [the source](../../reference/add.c) and [above](#a-page).

<!-- code: reference/add.c /^add/ .. /^}/ -->
```c
add(int a, int b)
{
    return a + b;
}
```

<!-- code: reference/add.c /return add/ -->
```c
    return add(a, a);
```
"""


def book(root: Path, page: str) -> Path:
    """Make a project with one source and one page; return the page."""
    (root / "reference").mkdir()
    (root / "reference/add.c").write_text(SOURCE)
    (root / "docs/book").mkdir(parents=True)
    file = root / "docs/book/01_page.md"
    file.write_text(page)
    return file


def check(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the checker on a project."""
    command = [sys.executable, str(CHECKER), "--root", str(root), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def print_of(*command: str | Path) -> str:
    """Return what a program prints; it must succeed and write nothing else."""
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def module(name: str) -> ModuleType:
    """Import the program that draws."""
    spec = importlib.util.spec_from_file_location(name, BOOK / "figures" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


# ---- the checker ------------------------------------------------------------------


def test_the_book_quotes_what_the_sources_have() -> None:
    done = check(ROOT)
    assert done.returncode == 0, done.stdout


def test_a_faultless_page_passes(tmp_path: Path) -> None:
    book(tmp_path, GOOD)
    done = check(tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


MISTAKES = {
    "a block that differs": ("return a + b;", "return a - b;", "is not what the file has"),
    "a block with a line too many": (
        "    return add(a, a);\n",
        "    return add(a, a);\n}\n",
        "is not what the file has",
    ),
    "a file that is not there": (
        "reference/add.c /^add/",
        "reference/sub.c /^add/",
        "there is no file reference/sub.c",
    ),
    "a file outside the project": ("reference/add.c /^add/", "../add.c /^add/", "there is no file ../add.c"),
    "a start that matches nothing": (
        "/^add/ ..",
        "/^subtract/ ..",
        "/^subtract/ matches 0 lines of reference/add.c",
    ),
    "a start that matches twice": ("/^add/ ..", "/^int/ ..", "/^int/ matches 2 lines of reference/add.c"),
    "an end that matches nothing": (
        ".. /^}/",
        ".. /^end/",
        "/^end/ matches no line of reference/add.c below /^add/",
    ),
    "a pattern that is none": ("/^add/ ..", "/^add(/ ..", "/^add(/ is no regular expression"),
    "a misspelt anchor": (
        "<!-- code: reference/add.c /^add/",
        "<!-- code: reference/add.c ^add",
        "is no anchor",
    ),
    "an anchor without a block": (
        "<!-- code: reference/add.c /return add/",
        "<!-- code: reference/add.c /^add/ -->\n\n<!-- code: reference/add.c /return add/",
        "has no fenced block below it",
    ),
    "a block without an anchor": (
        "# A page\n",
        "# A page\n\n```c\nint x;\n```\n",
        "a block of c has no anchor above it: 'int x;'",
    ),
    "a block that does not end": ("# A page\n", "# A page\n\n````text\n", "does not end"),
    "a reference that matches nothing": (
        "`reference/add.c:/^add/`",
        "`reference/add.c:/^sub/`",
        "/^sub/ matches 0 lines",
    ),
    "a reference that matches twice": (
        "`reference/add.c:/^add/`",
        "`reference/add.c:/^int/`",
        "/^int/ matches 2 lines",
    ),
    "a reference to no file": (
        "`reference/add.c:/^add/`",
        "`reference/sub.c:/^add/`",
        "there is no file reference/sub.c",
    ),
    "a link to no file": (
        "(../../reference/add.c)",
        "(../../reference/sub.c)",
        "the link to ../../reference/sub.c leads nowhere",
    ),
    "a link to no heading": ("(#a-page)", "(#another-page)", "names a heading that is not there"),
    "a name that no source has": ("`add()`", "`subtract()`", "no source has the name `subtract()`"),
    "a line number of a file": ("[above]", "add.c:3 [above]", "'add.c:3' is a line number"),
    "a line number in prose": ("[above]", "in line 3, [above]", "'line 3' is a line number"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_checker_names_the_mistake(mistake: str, tmp_path: Path) -> None:
    right, wrong, sentence = MISTAKES[mistake]
    assert GOOD.count(right) >= 1
    book(tmp_path, GOOD.replace(right, wrong, 1))
    done = check(tmp_path)
    assert (done.returncode, done.stderr) == (1, ""), done.stdout
    assert done.stdout.startswith("docs/book/01_page.md: ") and sentence in done.stdout, done.stdout


def test_an_example_of_an_anchor_within_a_block_is_none(tmp_path: Path) -> None:
    book(tmp_path, GOOD + "\n```text\n<!-- code: reference/sub.c /x/ -->\n[here](nowhere)\n```\n")
    assert check(tmp_path).returncode == 0
    assert "refreshed" not in check(tmp_path, "--write").stdout


def test_a_book_without_pages_does_not_pass(tmp_path: Path) -> None:
    book(tmp_path, GOOD).unlink()
    assert check(tmp_path).returncode == 1


def test_a_changed_source_is_noticed_and_write_takes_the_change_over(tmp_path: Path) -> None:
    page = book(tmp_path, GOOD)
    (tmp_path / "reference/add.c").write_text(
        SOURCE.replace("return a + b;", "int sum = a + b;\n    return sum;")
    )
    assert check(tmp_path).returncode == 1
    done = check(tmp_path, "--write")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "docs/book/01_page.md: refreshed" in done.stdout
    assert page.read_text() == GOOD.replace("return a + b;", "int sum = a + b;\n    return sum;")


def test_write_adds_the_blocks_that_are_missing(tmp_path: Path) -> None:
    page = book(tmp_path, re.sub(r"```c\n.*?```\n", "", GOOD, flags=re.DOTALL))
    assert check(tmp_path).returncode == 1
    assert check(tmp_path, "--write").returncode == 0
    assert page.read_text() == GOOD


def test_write_leaves_a_faultless_page_alone(tmp_path: Path) -> None:
    page = book(tmp_path, GOOD)
    before = page.stat().st_mtime_ns
    assert "refreshed" not in check(tmp_path, "--write").stdout
    assert (page.read_text(), page.stat().st_mtime_ns) == (GOOD, before)


def test_write_keeps_a_block_whose_lines_are_not_to_be_found(tmp_path: Path) -> None:
    wrong = GOOD.replace("/^add/ ..", "/^subtract/ ..")
    page = book(tmp_path, wrong)
    assert check(tmp_path, "--write").returncode == 1
    assert page.read_text() == wrong


# ---- the figures ------------------------------------------------------------------


def test_the_figures_are_what_their_traces_give_now() -> None:
    figures = module("draw").figures()
    assert {file.name for file in (BOOK / "figures").glob("*.svg")} == set(figures)
    for name, text in figures.items():
        assert (BOOK / "figures" / name).read_text() == text, f"{name}: run docs/book/figures/draw.py"


def test_the_figures_are_small_and_have_the_colours_of_the_page() -> None:
    for file in (BOOK / "figures").glob("*.svg"):
        text = file.read_text()
        ElementTree.fromstring(text)
        assert len(text.encode()) < MOST_BYTES
        assert "prefers-color-scheme:dark" in text
        colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', text))
        assert colours <= {"currentColor", "none"}, f"{file.name} has colours of its own: {colours}"


def test_a_figure_is_not_drawn_from_a_trace_that_breaks_its_rule() -> None:
    draw = module("draw")
    events = draw.queue_trace()
    runs = [index for index, event in enumerate(events) if event.what == "run"]
    events[runs[0]], events[runs[1]] = events[runs[1]], events[runs[0]]
    with pytest.raises(RuntimeError, match="this figure would be wrong"):
        draw.replay_queue(events)


def test_the_figure_of_a_future_is_not_drawn_when_a_callback_runs_in_the_iteration_of_the_result() -> None:
    module("draw")
    drawer, traces = sys.modules["draw_await"], sys.modules["traces_await"]
    notes = traces.future_trace()
    done = next(note.iteration for note in notes if note.what == "set_result()")
    assert drawer.replay_future(notes)
    early = [traces.Note(done, note.who, note.what) if note.what == "runs" else note for note in notes]
    with pytest.raises(RuntimeError, match="did not run one iteration later"):
        drawer.replay_future(early)


# Prints a trace of traces_io.py on the loops of asy that the fourth argument names.
TRACE_ON_ASY = """
import asyncio, sys
sys.path[:0] = sys.argv[1:3]
import asy
asyncio.new_event_loop = getattr(asy, sys.argv[4])
import traces_io
for note in getattr(traces_io, sys.argv[3])():
    print(note.iteration, note.who, note.what)
"""


def trace_on_asyncio(name: str) -> list[str]:
    """Return a trace of traces_io.py as lines."""
    module("draw")
    return [f"{note.iteration} {note.who} {note.what}" for note in getattr(sys.modules["traces_io"], name)()]


def trace_on_asy(name: str, factory: str) -> list[str]:
    """Return the same of a loop of asy; skip the test where there is none."""
    if not (ASY / "asy" / "_native.py").is_file():
        pytest.skip("asy is not built for this interpreter: ci/reference builds it")
    return print_of("-c", TRACE_ON_ASY, ASY, BOOK / "figures", name, factory).splitlines()


@pytest.mark.parametrize("factory", ["new_event_loop", "new_native_event_loop"])
def test_the_figure_of_a_job_is_the_same_on_asy(factory: str) -> None:
    assert trace_on_asy("job_trace", factory) == trace_on_asyncio("job_trace")


@pytest.mark.parametrize("factory", ["new_event_loop", "new_native_event_loop"])
def test_the_figure_of_receiving_differs_on_asy_in_who_receives_and_in_nothing_else(factory: str) -> None:
    expected = trace_on_asyncio("receive_trace")
    assert expected[-2:] == ["3 callback recv(): data", "4 task goes on"]
    expected[-2] = "4 task recv(): data"
    assert trace_on_asy("receive_trace", factory) == expected


def test_the_figure_of_receiving_is_not_drawn_when_the_task_receives(monkeypatch: pytest.MonkeyPatch) -> None:
    module("draw")
    drawer, traces = sys.modules["draw_io"], sys.modules["traces_io"]
    notes = [
        traces.Note(note.iteration, "task" if note.who == "callback" else note.who, note.what)
        for note in traces.receive_trace()
    ]
    monkeypatch.setattr(drawer, "receive_trace", lambda: notes)
    with pytest.raises(RuntimeError, match="is not by the callback"):
        drawer.draw_receiving()


# ---- the programs -----------------------------------------------------------------


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_a_program_prints_its_answer_on_asyncio(program: Path) -> None:
    assert print_of(program) == program.with_suffix(".txt").read_text()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_a_program_prints_its_answer_on_asy(program: Path) -> None:
    if not (ASY / "asy").is_dir():
        pytest.skip("asy is not built for this interpreter: ci/reference builds it")
    assert print_of("-c", ON_ASY, ASY, program, "new_event_loop") == program.with_suffix(".txt").read_text()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_a_program_prints_its_answer_with_the_futures_and_tasks_of_asy(program: Path) -> None:
    if not (ASY / "asy" / "_native.py").is_file():
        pytest.skip(
            "asy is not built for this interpreter, or before it had native loops: ci/reference builds it"
        )
    printed = print_of("-c", ON_ASY, ASY, program, "new_native_event_loop")
    assert printed == program.with_suffix(".txt").read_text()


@pytest.mark.parametrize("program", C_PROGRAMS, ids=lambda program: program.stem)
def test_a_program_in_c_prints_its_answer(program: Path, tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None or not LIBRARY.is_file():
        pytest.skip("there is no C compiler, or libasy.a is not built: ci/reference builds it")
    binary = tmp_path / program.stem
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'reference/include'}", "-o", str(binary)]
    command = [compiler, *flags, str(program), str(LIBRARY), "-lpthread", "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([binary], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == program.with_suffix(".txt").read_text()


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda program: program.stem)
def test_an_exercise_prints_ten_names_and_the_chapter_shows_it_with_its_answer(exercise: Path) -> None:
    assert len(exercise.with_suffix(".txt").read_text().splitlines()) == 10
    chapter = (BOOK / CHAPTERS[exercise.name[:2]]).read_text()
    name = exercise.relative_to(ROOT)
    assert f"<!-- code: {name} /" in chapter
    assert f"<!-- file: {name.with_suffix('.txt')} -->" in chapter


def test_every_answer_has_its_program() -> None:
    answers = [*(BOOK / "programs").glob("*.txt"), *(BOOK / "exercises").glob("*.txt")]
    assert {answer.with_suffix("") for answer in answers} == {
        file.with_suffix("") for file in PROGRAMS + C_PROGRAMS
    }
