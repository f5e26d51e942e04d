# SPDX-License-Identifier: MIT
"""Coverage: what is noted is what the scenario itself calls, and every state of the two tables can come out.

The first half runs scenarios written here through ``loopcheck coverage``; the second builds tables from data.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loopcheck.coverage import Coverage, cover, documented_as, given_by, scenarios_by_statement, summary
from loopcheck.coverage_pass import Call, Measured, read_calls
from loopcheck.coverage_report import markdown, missing_errors, missing_parameters
from loopcheck.interpreters import InterpreterError, find_interpreter
from loopcheck.scenarios import load_scenarios
from loopcheck.spec import Statement
from loopcheck.surface import Name, Parameter, Surface

from .building import statement

if TYPE_CHECKING:
    from conftest import Finished, Loopcheck

HEAD = '''\
import asyncio
import functools
import os

from loopcheck_target import scenario


@scenario(basis="observed: what is called is noted")
def calls(loop, new_event_loop, trace):
    """Something is called."""
'''


def measured(loopcheck: Loopcheck, body: str, *words: str, status: int = 1) -> dict[str, Any]:
    """Run ``loopcheck coverage`` on a scenario with a body; return the JSON it writes."""
    lines = "".join(f"    {line}\n" if line else "\n" for line in body.strip("\n").split("\n"))
    write(loopcheck, HEAD + lines)
    done = coverage(loopcheck, *words)
    assert done.status == status, done.stdout + done.stderr
    found: dict[str, Any] = json.loads((loopcheck.folder / "coverage.json").read_text("utf-8"))
    return found


def write(loopcheck: Loopcheck, text: str) -> None:
    """Write the only scenario file of the folder."""
    (loopcheck.scenarios / "area").mkdir(parents=True, exist_ok=True)
    (loopcheck.scenarios / "area" / "calling.py").write_text(text, encoding="utf-8")


def coverage(loopcheck: Loopcheck, *words: str) -> Finished:
    """Run ``loopcheck coverage`` on the scenarios of the folder."""
    file = str(loopcheck.folder / "coverage.json")
    return loopcheck.command("coverage", *words, "--scenarios", str(loopcheck.scenarios), "--json", file)


def name_of(found: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what was found about a name."""
    (row,) = [row for row in found["names"] if row["name"] == name]
    assert isinstance(row, dict)
    return row


def called(found: dict[str, Any], *names: str) -> list[bool]:
    """Return whether each of the names was called."""
    return [name_of(found, name)["state"] == "called" for name in names]


# ---- what is noted -------------------------------------------------------------------------------------------


def test_calls_of_the_scenario_count_and_those_of_asyncio_and_of_the_harness_do_not(
    loopcheck: Loopcheck,
) -> None:
    found = measured(loopcheck, "loop.call_soon(trace, 'one')\nloop.run_until_complete(asyncio.sleep(0))")
    assert called(found, "loop.call_soon", "loop.run_until_complete", "asyncio.sleep") == [True] * 3
    assert called(found, "loop.run_forever", "loop.create_task", "loop.stop", "loop.close") == [False] * 4


def test_a_method_that_a_handle_runs_counts(loopcheck: Loopcheck) -> None:
    body = "loop.call_soon(functools.partial(loop.stop))\nloop.run_forever()\nloop.call_later(0, print)"
    assert called(measured(loopcheck, body), "loop.stop", "loop.call_at") == [True, False]


def test_given_parameters_are_those_given_by_position_and_by_name(loopcheck: Loopcheck) -> None:
    found = measured(loopcheck, "loop.call_soon(print)\nloop.call_later(1, print, 2, context=None)")
    assert name_of(found, "loop.call_soon")["given"] == ["callback"]
    assert name_of(found, "loop.call_soon")["never_given"] == ["args", "context"]
    assert name_of(found, "loop.call_later")["given"] == ["delay", "callback", "args", "context"]


def test_an_error_counts_when_the_callee_raises_it(loopcheck: Loopcheck) -> None:
    body = """
loop.close()
try:
    loop.call_soon(print)
except RuntimeError:
    pass
"""
    row = name_of(measured(loopcheck, body), "loop.call_soon")
    assert (row["provoked"], row["never_provoked"]) == (["RuntimeError"], ["TypeError"])


def test_an_error_that_passes_through_does_not_count(loopcheck: Loopcheck) -> None:
    body = """
async def fail():
    raise ValueError

async def kill():
    raise SystemExit

failed = loop.create_future()
failed.set_exception(TypeError())
for awaitable in (fail(), failed, kill()):
    try:
        loop.run_until_complete(awaitable)
    except (ValueError, TypeError, SystemExit):
        pass
loop.call_soon(kill().send, None)
try:
    loop.run_forever()
except SystemExit:
    pass
"""
    found = measured(loopcheck, body)
    assert name_of(found, "loop.run_until_complete")["provoked"] == []
    assert name_of(found, "loop.run_forever")["provoked"] == ["SystemExit"]


def test_errors_that_come_out_of_an_await_count(loopcheck: Loopcheck) -> None:
    body = """
async def main():
    try:
        await asyncio.wait_for(asyncio.sleep(9), 0.01)
    except asyncio.TimeoutError:
        pass

loop.run_until_complete(main())
"""
    assert name_of(measured(loopcheck, body), "wait_for")["provoked"] == ["TimeoutError"]


def test_futures_and_tasks_are_noted_and_are_still_what_they_were(loopcheck: Loopcheck) -> None:
    body = """
async def main():
    future = loop.create_future()
    task = loop.create_task(asyncio.sleep(0), name="a")
    gathered = asyncio.gather(task)
    for value in (future, task, gathered):
        assert isinstance(value, asyncio.Future), value
    assert isinstance(task, asyncio.Task) and type(task) is asyncio.Task
    future.add_done_callback(print)
    loop.call_soon(future.set_result, 1)
    await future
    await gathered
    try:
        future.set_result(2)
    except asyncio.InvalidStateError:
        trace("second result")
    task.cancel(msg="late")

loop.run_until_complete(main())
os.abort() if not asyncio.iscoroutine(asyncio.sleep(0)) else None
"""
    found = measured(loopcheck, body)
    assert called(found, "Future.add_done_callback", "Future.set_result", "Task.cancel") == [True] * 3
    assert called(found, "Future.result", "Task.result", "Future.cancel") == [False] * 3
    assert name_of(found, "Future.set_result")["provoked"] == ["InvalidStateError"]
    assert name_of(found, "Task.cancel")["given"] == ["msg"]
    assert name_of(found, "loop.create_task")["given"] == ["coro", "name"]


def test_attributes_count_when_they_are_used(loopcheck: Loopcheck) -> None:
    found = measured(loopcheck, "loop.slow_callback_duration = 3")
    assert called(found, "loop.slow_callback_duration") == [True]
    assert called(measured(loopcheck, "loop.time()"), "loop.slow_callback_duration") == [False]


def test_a_judged_run_notes_nothing(loopcheck: Loopcheck) -> None:
    body = '    trace("wrapped", hasattr(asyncio.new_event_loop, "__wrapped__"))\n'
    body += '    trace("wrapped", hasattr(type(loop).call_soon, "__wrapped__"))\n'
    write(loopcheck, HEAD + body)
    words = ["asyncio", "--oracle", "asyncio", "--scenarios", str(loopcheck.scenarios), "-k", "area/calls"]
    result = loopcheck.run(*words).result("area/calls", "asyncio")
    assert [event.values for event in result.oracle[0].events] == [(False,), (False,)]


def test_a_scenario_that_ends_well_is_no_failure(loopcheck: Loopcheck) -> None:
    found = measured(loopcheck, "loop.time()")
    assert [m["failed"] for m in found["measured"]] == [{}]


@pytest.mark.parametrize("version", ["3.8", "3.12", "3.15"])
def test_other_interpreters_can_be_measured(loopcheck: Loopcheck, version: str) -> None:
    try:
        find_interpreter(version)
    except InterpreterError as exc:
        pytest.skip(f"not run: {exc}")
    body = """
async def main():
    await asyncio.wait({loop.create_task(asyncio.sleep(0))})

loop.run_until_complete(main())
"""
    found = measured(loopcheck, body, f"asyncio@{version}")
    assert called(found, "wait", "loop.create_task", "Future.done") == [True, True, False]
    there = {"3.8": False, "3.12": True, "3.15": True}[version]
    assert (name_of(found, "Handle.get_context")["state"] != "not there") is there
    assert ("eager_start" in name_of(found, "Task")["never_given"]) is there


# ---- exit statuses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["os.abort()", "while True: pass"])
def test_a_scenario_that_does_not_end_well_makes_the_measure_incomplete(
    loopcheck: Loopcheck, how: str
) -> None:
    found = measured(loopcheck, f"loop.time()\n{how}", status=3)
    assert [*found["measured"][0]["failed"]] == ["area/calls"]
    assert called(found, "loop.time") == [True]


def test_a_scenario_file_that_is_wrong_makes_the_measure_incomplete(loopcheck: Loopcheck) -> None:
    write(loopcheck, "def (:\n")
    done = coverage(loopcheck)
    assert done.status == 3
    assert "ERROR" in done.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["uvloop:new_event_loop"], "coverage is measured on asyncio: uvloop:new_event_loop is another loop"),
        (["nothing"], "'nothing' is no target"),
        (["--markdown", "/nowhere/at/all.md", "--statements-only"], "/nowhere/at/all.md cannot be written"),
    ],
)
def test_what_cannot_be_done_is_a_usage_error(loopcheck: Loopcheck, words: list[str], sentence: str) -> None:
    done = loopcheck.command("coverage", *words)
    assert done.status == 2
    assert sentence in done.stderr


def test_the_shipped_statements_of_the_parts_that_exist_are_tested_or_say_why_not(
    loopcheck: Loopcheck,
) -> None:
    done = loopcheck.command("coverage", "--statements-only", "--brief")
    assert done.status == 0, done.stdout
    assert "every statement of the parts that exist is tested or says why not" in done.stdout


# ---- the table of statements ---------------------------------------------------------------------------------


def name(id: str, part: str = "here", kind: str = "method", *parameters: Parameter, **fields: Any) -> Name:
    """Return a name of which only what a test looks at is given."""
    usual = {"signature": "", "since": "3.4", "changed": (), "removed": None, "availability": ""}
    return Name(**{"name": id, "part": part, "kind": kind, **usual, "documents": (), "errors": (),
                   "parameters": parameters, **fields})  # fmt: skip


def parameter(id: str, kind: str = "positional", since: str = "3.4", given_as: str = "") -> Parameter:
    """Return a parameter."""
    return Parameter(id, kind, None, since, (), None, (), given_as or id)


def surface(*names: Name, later: Sequence[str] = ("later",)) -> Surface:
    """Return a surface of names, in two parts."""
    return Surface({n.name: n for n in names}, {"here": "Here", "later": "Later"}, frozenset(later))


def about(id: str, **fields: Any) -> Statement:
    """Return a statement of the part ``here``."""
    return replace(statement(id), **{"file": Path("here.toml"), "names": ("loop.here",), **fields})


NAMES = surface(name("loop.here"), name("loop.later", "later"))


def states(statements: Sequence[Statement], folder: Path) -> dict[str, tuple[str, tuple[str, ...], str]]:
    """Return state, scenarios and why of statements, of which a scenario cites a.cited."""
    (folder / "area").mkdir()
    text = HEAD.replace('basis="observed: what is called is noted"', 'statements=["a.cited"]')
    (folder / "area" / "calling.py").write_text(text)
    by_id = {s.id: s for s in statements}
    scenarios, problems = load_scenarios(folder, by_id)
    assert not problems
    assert [*scenarios_by_statement(scenarios)] == ["a.cited"]
    rows = cover(by_id, scenarios, NAMES, []).statements
    return {row.id: (row.state, row.scenarios, row.why) for row in rows}


def test_every_state_of_a_statement_can_come_out(tmp_path: Path) -> None:
    cpython = {"contradiction": "It does not.", "contradiction_since": "3.8", "shown_by": "area/other"}
    found = states(
        [
            about("a.cited"),
            about("a.gap"),
            about("a.windows", untestable="Windows only."),
            about("a.wrong", **cpython),
            about("a.named-later", names=("loop.here", "loop.later")),
            about("a.filed-later", file=Path("later.toml")),
        ],
        tmp_path,
    )
    assert found == {
        "a.cited": ("tested", ("area/calls",), ""),
        "a.gap": ("untested", (), ""),
        "a.windows": ("untestable", (), "Windows only."),
        "a.wrong": ("contradicted", ("area/other",), "It does not."),
        "a.named-later": ("not yet", (), ""),
        "a.filed-later": ("not yet", (), ""),
    }


# ---- the table of names --------------------------------------------------------------------------------------


def seen(*calls: Call, watched: Sequence[str] = (), python: str = "3.12.1") -> Measured:
    """Return what a pass saw."""
    return Measured(
        "asyncio", python, frozenset({*watched, *(c.name for c in calls)}), frozenset(calls), 1, {}
    )


def call(id: str, positional: int = 0, *keywords: str, raised: Sequence[str] = ()) -> Call:
    """Return a call."""
    return Call(id, positional, keywords, tuple(raised))


def covered(names: Surface, *measured: Measured) -> Coverage:
    """Return the coverage of names alone."""
    return cover({}, [], names, measured)


def test_every_state_of_a_name_can_come_out() -> None:
    names = surface(
        name("loop.called"),
        name("loop.gap"),
        name("loop.later", "later"),
        name("loop.new", since="3.14"),
        name("loop.old", removed="3.9"),
        name("Thing", kind="class"),
        name("Thing.method"),
        name("SomeError", kind="exception"),
        name("Proto.hook"),
    )
    watched = ["loop.called", "loop.gap", "loop.later", "Thing", "Thing.method", "SomeError"]
    found = covered(names, seen(call("loop.called"), call("Thing.method"), watched=watched))
    assert {row.name: row.state for row in found.names} == {
        "loop.called": "called",
        "loop.gap": "not called",
        "loop.later": "not yet",
        "loop.new": "not there",
        "loop.old": "not there",
        "Thing": "called",
        "Thing.method": "called",
        "SomeError": "not measured",
        "Proto.hook": "not measured",
    }


def test_what_several_interpreters_show_adds_up() -> None:
    names = surface(name("loop.new", "here", "method", parameter("a"), parameter("b"), since="3.14"))
    found = covered(names, seen(), seen(call("loop.new", 1), python="3.14.0"))
    assert [(row.state, row.given, row.never_given) for row in found.names] == [("called", ("a",), ("b",))]


def test_a_parameter_of_no_measured_version_is_not_missing() -> None:
    names = surface(name("f", "here", "function", parameter("a"), parameter("b", since="3.14")))
    found = covered(names, seen(call("f", 1)))
    assert missing_parameters(found) == []
    assert missing_parameters(covered(names, seen(call("f"), python="3.15.0a2"))) == ["f(a)", "f(b)"]


def test_an_error_is_provoked_by_one_of_its_subclasses() -> None:
    names = surface(name("f", "here", "function", errors=("OSError", "ValueError")))
    found = covered(names, seen(call("f", raised=["ConnectionRefusedError", "ConnectionError", "OSError"])))
    assert missing_errors(found) == ["f: ValueError"]


def test_an_error_counts_for_the_name_whose_call_raised_it_and_for_no_other() -> None:
    names = surface(
        name("f", "here", "function", errors=("ValueError",)),
        name("g", "here", "function", errors=("ValueError",)),
    )
    found = covered(names, seen(call("f", raised=["ValueError"]), call("g")))
    assert missing_errors(found) == ["g: ValueError"]


@pytest.mark.parametrize(
    ("raised", "missing"),
    [
        (["SendfileNotAvailableError", "RuntimeError"], ["f: RuntimeError"]),
        (["RuntimeError"], ["f: SendfileNotAvailableError"]),
        (["NotImplementedError", "RuntimeError"], ["f: SendfileNotAvailableError", "f: RuntimeError"]),
    ],
)
def test_of_two_documented_errors_the_nearest_class_counts(raised: list[str], missing: list[str]) -> None:
    errors = ("SendfileNotAvailableError", "RuntimeError")
    found = covered(surface(name("f", "here", "function", errors=errors)), seen(call("f", raised=raised)))
    assert missing_errors(found) == missing


@pytest.mark.parametrize(
    ("positional", "keywords", "given"),
    [
        (0, (), []),
        (1, (), ["a"]),
        (3, (), ["a", "n", "args"]),
        (1, ("k",), ["a", "k"]),
        (0, ("real",), ["n"]),
        (1, ("other",), ["a", "more"]),
        (1, ("bad",), ["a", "bad"]),
    ],
)
def test_parameters_are_given_by_position_by_keyword_or_by_what_cpython_calls_them(
    positional: int, keywords: tuple[str, ...], given: list[str]
) -> None:
    parameters = [
        parameter("a"),
        parameter("n", given_as="real"),
        parameter("args", "varargs"),
        parameter("k", "keyword"),
        parameter("bad", "forbidden"),
        parameter("more", "varkw"),
    ]
    assert [p.name for p in given_by(call("f", positional, *keywords), parameters)] == given


@pytest.mark.parametrize(
    ("noted", "documented"),
    [
        ("Handle.cancel", ["Handle.cancel"]),
        ("TimerHandle.cancel", ["Handle.cancel"]),
        ("Task.get_loop", ["Future.get_loop"]),
        ("sleep", ["asyncio.sleep"]),
        ("Timeout.__aexit__", ["timeout"]),
        ("Queue.get", []),
    ],
)
def test_a_call_is_documented_under_its_name_or_under_another(noted: str, documented: list[str]) -> None:
    names = surface(*map(name, ("Handle.cancel", "Future.get_loop", "asyncio.sleep", "timeout")))
    assert [found.name for found in documented_as(noted, names)] == documented


def test_a_line_cut_short_is_left_out() -> None:
    line = json.dumps({"name": "f", "positional": 1, "keywords": ["k"], "raised": []})
    watched, calls = read_calls([json.dumps({"recorded": ["f", "g"]}), line, line[:-9]])
    assert (watched, calls) == ({"f", "g"}, {call("f", 1, "k")})


# ---- the numbers and the page --------------------------------------------------------------------------------


def test_numbers_by_part_count_what_is_not_yet_as_not_reached() -> None:
    names = surface(
        name("f", "here", "function", parameter("a"), errors=("OSError",)), name("g", "later", "function")
    )
    table = covered(names, seen(call("f", raised=["OSError"]), watched=["g"]))
    here, later = summary(table)
    assert (here.names, here.parameters, here.errors) == ((1, 1), (0, 1), (1, 1))
    assert later.names == (0, 1)


def test_the_page_has_every_row_and_explains_every_state() -> None:
    names = surface(name("f", "here", "function", parameter("a|b")))
    gap, cited = about("a.gap"), about("a.pipe", untestable="a | b")
    page = markdown(cover({"a.gap": gap, "a.pipe": cited}, [], names, [seen(call("f", 1))]))
    assert "| `a.gap` | untested |  |" in page
    assert "| `a.pipe` | untestable | a \\| b |" in page
    assert "| `f` | called | given: a\\|b |" in page
    for state in ("**tested**", "**not yet**", "**not measured**"):
        assert state in page


def test_the_terminal_has_the_table_the_gaps_and_the_numbers(loopcheck: Loopcheck) -> None:
    write(loopcheck, HEAD + "    loop.time()\n")
    page = loopcheck.folder / "coverage.md"
    done = coverage(loopcheck, "--markdown", str(page))
    assert done.status == 1
    assert "not yet\tsendfile.total\t" in done.stdout
    assert "called\tloop.time\t" in done.stdout
    assert "\nUntested statements: " in done.stdout
    assert "\nNames that no scenario calls: " in done.stdout
    assert done.stdout.rstrip().endswith("in the parts that exist")
    assert page.read_text("utf-8").startswith("# Coverage\n")


def test_brief_leaves_the_table_out(loopcheck: Loopcheck) -> None:
    done = loopcheck.command("coverage", "--statements-only", "--brief")
    assert "\t" not in done.stdout
    assert "names not measured" in done.stdout
