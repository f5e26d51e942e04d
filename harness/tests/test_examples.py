# SPDX-License-Identifier: MIT
"""The reference's examples and their twins in Python.

CTest builds the programs and compares each with its twin (asy/twin/...).  What that cannot find is tested here:
that compare.py really refuses twins that differ, and that no pair was forgotten.  For that, both are in Python.
"""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "reference" / "examples"
COMPARE = EXAMPLES / "compare.py"


def compare(program: Path, twin: Path) -> subprocess.CompletedProcess[str]:
    """Run compare.py on two programs."""
    command = [sys.executable, str(COMPARE), str(program), str(twin)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def compared(tmp_path):
    """Return a function that compares two pieces of Python, of which the first is made a program."""

    def run(ours: str, theirs: str) -> subprocess.CompletedProcess[str]:
        program = tmp_path / "program"
        program.write_text(f"#!{sys.executable}\n{ours}\n")
        program.chmod(0o755)
        twin = tmp_path / "twin.py"
        twin.write_text(f"{theirs}\n")
        return compare(program, twin)

    return run


def test_twins_that_print_the_same_are_accepted(compared):
    done = compared("print('one'); print('two')", "print('one\\ntwo')")
    assert (done.returncode, done.stdout) == (0, "the same 2 lines\n")


def test_twins_that_print_different_lines_are_refused_and_the_line_is_shown(compared):
    done = compared("print('one'); print('two')", "print('one'); print('three')")
    assert done.returncode == 1
    assert "- three" in done.stdout
    assert "+ two" in done.stdout


def test_another_order_of_the_same_lines_is_refused(compared):
    assert compared("print('one\\ntwo')", "print('two\\none')").returncode == 1


def test_a_program_that_prints_less_than_its_twin_is_refused(compared):
    assert compared("print('one')", "print('one\\ntwo')").returncode == 1


def test_twins_that_differ_in_the_last_newline_only_are_refused(compared):
    assert compared("print('one', end='')", "print('one')").returncode == 1


@pytest.mark.parametrize("failing", [0, 1])
def test_a_twin_that_fails_after_printing_the_same_is_refused(compared, failing):
    sources = ["print('one')", "print('one')"]
    sources[failing] += "; raise SystemExit(3)"
    done = compared(*sources)
    assert done.returncode == 1
    assert "ended with status 3" in done.stdout


@pytest.mark.parametrize("talking", [0, 1])
def test_a_twin_that_writes_to_stderr_is_refused(compared, talking):
    sources = ["print('one')", "print('one')"]
    sources[talking] += "; import sys; print('a leak', file=sys.stderr)"
    done = compared(*sources)
    assert done.returncode == 1
    assert "wrote to stderr: a leak" in done.stdout


def test_twins_that_print_nothing_are_refused(compared):
    done = compared("", "")
    assert done.returncode == 1
    assert "printed nothing" in done.stdout


def test_a_program_that_is_not_there_is_an_error(tmp_path):
    done = compare(tmp_path / "nowhere", EXAMPLES / "hello_world.py")
    assert done.returncode == 2
    assert "cannot be run" in done.stderr


def test_a_twin_that_is_not_there_is_an_error(tmp_path):
    done = compare(Path(sys.executable), tmp_path / "nowhere.py")
    assert done.returncode == 2
    assert "there is no file" in done.stderr


def test_a_program_that_does_not_end_is_an_error_and_is_not_left_running(tmp_path, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location("compare", COMPARE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    started = []
    start = module.start
    monkeypatch.setattr(module, "LIMIT_S", 0.1)
    monkeypatch.setattr(module, "start", lambda *asked: started.append(start(*asked)) or started[-1])
    endless = tmp_path / "endless.py"
    endless.write_text("import threading\nthreading.Event().wait()\n")
    assert module.main(["/bin/cat", str(endless)]) == 2
    assert "did not end within 0.1 seconds" in capsys.readouterr().err
    assert [process.poll() is None for process in started] == [False, False]


def test_both_programs_read_the_input_from_a_pipe(tmp_path):
    source = "import os, stat, sys; print(stat.S_ISFIFO(os.fstat(0).st_mode), sys.stdin.read())"
    twin = tmp_path / "twin.py"
    twin.write_text(source)
    program = tmp_path / "program"
    program.write_text(f"#!{sys.executable}\n{source}\n")
    program.chmod(0o755)
    command = [sys.executable, str(COMPARE), str(program), str(twin), "one\ntwo"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "the same 2 lines\n")


def registered_twins() -> set[str]:
    """Return the names that CTest compares."""
    found = re.search(r"^set\(twins ([^)]*)\)", (EXAMPLES / "CMakeLists.txt").read_text(), re.MULTILINE)
    assert found, "CMakeLists.txt does not say which programs have twins"
    return set(found[1].split())


def test_each_program_in_python_has_its_twin_in_c_and_ctest_compares_them():
    programs = {path.stem for path in EXAMPLES.glob("*.py")} - {COMPARE.stem}
    assert programs == registered_twins()
    assert [name for name in programs if not (EXAMPLES / f"{name}.c").is_file()] == []


def test_the_readme_has_each_twin_in_a_table():
    readme = (EXAMPLES / "README.md").read_text()
    assert registered_twins() == set(re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE))
