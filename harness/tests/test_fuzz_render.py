# SPDX-License-Identifier: MIT
"""A program as Python leaves the trace that the program leaves; what is exported stands alone."""

import ast
import contextvars
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopcheck.fuzz.generate import Grammar, generate
from loopcheck.fuzz.operations import FEATURES, Program, tidy
from loopcheck.fuzz.render import render_function
from loopcheck.fuzz.topic_file import render_module
from loopcheck.resources import target_folder
from loopcheck.scenarios import load_scenarios

from .test_fuzz_generate import JumpingLoop, quiet, run

__all__ = ["quiet"]  # a fixture

WITHOUT_REAL_TIME = Grammar(frozenset(FEATURES) - {"block", "punctual"}, (3, 11))
PROGRAMS = [generate(seed, WITHOUT_REAL_TIME) for seed in range(120)]
SENTENCE = "“timer 1” came before “callback 2”; on asyncio it comes after."


def module_of(program: Program, name: str = "shown") -> str:
    """Return a program as the text of a topic file."""
    return render_module([render_function(program, name, SENTENCE)])


def events_of(text: str) -> list[list[object]]:
    """Return what the scenario in a topic file traces on asyncio, without waiting."""
    names: dict[str, object] = {}
    exec(compile(text, "<exported>", "exec"), names)
    shown = names["shown"]
    assert callable(shown)
    events: list[list[object]] = []
    loop = JumpingLoop()
    contextvars.Context().run(shown, loop, lambda name, *values: events.append([name, *values]), 0.25)
    happened = list(events)  # what is left over is destroyed after it
    loop.close()
    return happened


@pytest.mark.parametrize("shape", ["as generated", "tidy"])
def test_python_leaves_the_trace_that_the_program_leaves(shape: str) -> None:
    for seed, program in enumerate(PROGRAMS):
        shown = tidy(program) if shape == "tidy" else program
        assert events_of(module_of(shown)) == run(shown), seed


def test_every_line_is_one_that_the_formatter_leaves() -> None:
    everything = render_module(
        [render_function(program, f"shown_{seed}", SENTENCE) for seed, program in enumerate(PROGRAMS)]
    )
    command = [sys.executable, "-m", "ruff", "format", "--line-length", "400", "--diff", "-"]
    done = subprocess.run(command, input=everything, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[:2000] + done.stderr[-500:]


def test_module_has_only_the_helpers_that_it_needs() -> None:
    program: Program = {"runs": [{"body": [{"op": "stop", "id": 1}]}], "horizon": 1}
    tree = ast.parse(module_of(program))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert names == ["ending", "plain", "run", "shown"]


@pytest.fixture
def exported(tmp_path: Path) -> Iterator[Path]:
    """A topic file with some programs."""
    file = tmp_path / "fuzz/found.py"
    file.parent.mkdir()
    functions = [render_function(program, f"found_{n}", SENTENCE) for n, program in enumerate(PROGRAMS[:20])]
    file.write_text(render_module(functions))
    yield file


def test_exported_file_is_a_topic_file_of_scenarios(exported: Path) -> None:
    scenarios, problems = load_scenarios(exported.parent.parent, {})
    assert problems == []
    assert {scenario.id for scenario in scenarios} == {f"fuzz/found_{number}" for number in range(20)}


def test_exported_scenario_runs_as_a_script_with_print_for_trace(exported: Path) -> None:
    program: Program = {
        "runs": [{"body": [{"op": "call_soon", "id": 1, "body": [{"op": "stop", "id": 2}]}]}],
        "horizon": 1,
    }
    call = "shown(asyncio.new_event_loop(), print, 0.01)\n"
    exported.write_text(module_of(program) + "\n\nimport asyncio\n" + call)
    done = subprocess.run(
        [sys.executable, str(exported)],
        env={"PYTHONPATH": str(target_folder())},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == ["callback 1", "run 1 ended None"], done.stderr
