# SPDX-License-Identifier: MIT
"""``list`` and ``show`` know scenarios, statements and names alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loopcheck.resources import scenarios_folder, statements_folder, surface_file
from loopcheck.scenarios import load_scenarios
from loopcheck.spec import load_statements
from loopcheck.surface import load_surface

if TYPE_CHECKING:
    from conftest import Loopcheck

STATEMENTS = load_statements(statements_folder())
SCENARIOS, _ = load_scenarios(scenarios_folder(), STATEMENTS)
SURFACE = load_surface(surface_file())


# ---- list ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ([], len(SCENARIOS)),
        (["scenarios"], len(SCENARIOS)),
        (["statements"], len(STATEMENTS)),
        (["names"], len(SURFACE.names)),
        (["statements", "--part", "timers"], sum(s.part == "timers" for s in STATEMENTS.values())),
        (["names", "--part", "timers"], sum(n.part == "timers" for n in SURFACE.names.values())),
        (["names", "-k", "loop.call_soon*"], 2),
        (["statements", "-k", "call_soon.fifo", "-k", "stop.idempotent*"], 1),
    ],
)
def test_a_list_has_a_line_of_three_fields_for_each(
    loopcheck: Loopcheck, words: list[str], count: int
) -> None:
    done = loopcheck.command("list", *words)
    assert done.status == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == count
    assert {line.count("\t") for line in lines} == {2}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["statements", "--area", "timers"], "--area and --statement select scenarios; use -k or --part"),
        (["names", "--statement", "call_soon.fifo-order"], "--area and --statement select scenarios"),
        (["--part", "timers"], "--part selects statements and names; use --area for scenarios"),
        (["names", "--part", "timer"], "there is no part 'timer'; there is "),
        (["statements", "-k", "nothing-like-it"], "nothing matches: none of the "),
        (["things"], "invalid choice: 'things'"),
    ],
)
def test_what_cannot_be_listed_is_a_usage_error(
    loopcheck: Loopcheck, words: list[str], sentence: str
) -> None:
    done = loopcheck.command("list", *words)
    assert (done.status, done.stdout) == (2, "")
    assert sentence in done.stderr


# ---- show ----------------------------------------------------------------------------------------------------


def test_a_name_is_shown_with_its_parameters_statements_and_scenarios(loopcheck: Loopcheck) -> None:
    lines = loopcheck.command("show", "loop.call_soon").stdout.splitlines()
    assert lines[:3] == [
        "loop.call_soon",
        "  loop.call_soon(callback, *args, context=None)",
        "  method, since 3.4",
    ]
    assert "  in 3.7     the parameter context" in lines
    assert "  parameter  context=None  (keyword, since 3.7)" in lines
    assert any(line.startswith("  statement  call_soon.fifo-order: ") for line in lines)
    assert any(line.startswith("  scenario   callbacks/") for line in lines)


def test_a_name_is_found_with_its_module_and_says_where_it_is_available(loopcheck: Loopcheck) -> None:
    assert loopcheck.command("show", "asyncio.get_running_loop").stdout.startswith("get_running_loop\n")
    assert "coroutine, since 3.4, Unix only" in loopcheck.command("show", "loop.create_unix_server").stdout
    assert "(positional, CPython calls it n)" in loopcheck.command("show", "loop.sock_recv").stdout


def test_a_statement_is_shown_with_its_names_documents_and_scenarios(loopcheck: Loopcheck) -> None:
    lines = loopcheck.command("show", "call_soon.fifo-order").stdout.splitlines()
    assert lines[0] == "call_soon.fifo-order"
    assert lines[2] == "  guaranteed (guaranteed), since 3.4"
    assert "  names      loop.call_soon" in lines
    assert "  documents  000, 001, 002, 003, 004" in lines
    assert any(line.startswith("  scenario   callbacks/") for line in lines)


def test_a_contradicted_statement_is_shown_with_what_cpython_does(loopcheck: Loopcheck) -> None:
    contradicted = next(s for s in STATEMENTS.values() if s.contradicted)
    lines = loopcheck.command("show", contradicted.id).stdout.splitlines()
    assert any(line.startswith("  CPython") and contradicted.contradicted[0] in line for line in lines)


def test_an_untestable_statement_is_shown_with_why(loopcheck: Loopcheck) -> None:
    untestable = next(s for s in STATEMENTS.values() if s.untestable)
    assert f"  untestable {untestable.untestable}\n" in loopcheck.command("show", untestable.id).stdout


def test_a_scenario_is_shown_with_its_source(loopcheck: Loopcheck) -> None:
    scenario = next(s for s in SCENARIOS if s.statements)
    output = loopcheck.command("show", scenario.id).stdout
    assert scenario.source in output
    assert f"{scenario.statements[0]}\n" in output


@pytest.mark.parametrize(
    ("id", "near"),
    [
        ("loop.cal_soon", "loop.call_soon"),
        ("call_soon.fifo-ordr", "call_soon.fifo-order"),
        ("asyncio.slep", "asyncio.sleep"),
    ],
)
def test_an_unknown_id_is_refused_with_the_nearest_of_any_kind(
    loopcheck: Loopcheck, id: str, near: str
) -> None:
    done = loopcheck.command("show", id)
    assert (done.status, done.stdout) == (2, "")
    assert f"there is no {id!r}; did you mean {near}?" in done.stderr


def test_what_is_a_statement_and_a_name_is_shown_as_both(loopcheck: Loopcheck) -> None:
    both = sorted({*STATEMENTS} & {*SURFACE.names})
    assert "Future.get_loop" in both
    lines = loopcheck.command("show", "Future.get_loop").stdout.splitlines()
    assert lines.count("Future.get_loop") == 2
    assert f"  {STATEMENTS['Future.get_loop'].text}" in lines
    assert "  method, since 3.7" in lines


def test_no_scenario_has_the_id_of_something_else() -> None:
    assert {scenario.id for scenario in SCENARIOS} & {*STATEMENTS, *SURFACE.names} == set()
