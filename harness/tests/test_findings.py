# SPDX-License-Identifier: MIT
"""The page of findings: its rows name loops, scenarios that exist, and commands that fit them.

That uvloop still differs as its rows say is asked in test_real_loops.py, which has a run of it.
"""

import re
import shlex

import pytest

from loopcheck.cli import parser
from loopcheck.resources import scenarios_folder, statements_folder
from loopcheck.scenarios import load_scenarios
from loopcheck.spec import load_statements

from .findings_page import FINDINGS, Finding, findings

SCENARIOS = {one.id for one in load_scenarios(scenarios_folder(), load_statements(statements_folder()))[0]}


def test_every_row_of_the_table_is_read() -> None:
    text = FINDINGS.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\| [a-z]+ \| \d", line)]
    assert len(findings()) == len(rows) > 40
    assert {one.loop for one in findings()} >= {"uvloop", "rloop", "zuvloop", "zloop"}


def test_no_loop_has_two_rows_of_one_scenario() -> None:
    rows = [(one.loop, one.scenario) for one in findings()]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize("finding", findings(), ids=lambda one: f"{one.loop} {one.scenario}")
def test_row_names_a_scenario_and_a_command_for_it(finding: Finding) -> None:
    program, *words = shlex.split(finding.command)
    assert finding.scenario in SCENARIOS
    assert program == "ci/loopcheck"
    options = parser().parse_args(words)
    assert options.targets[0].partition(":")[0] == finding.loop
    assert options.pattern == [finding.scenario]
