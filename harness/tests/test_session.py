# SPDX-License-Identifier: MIT
"""What a session decides by itself before anything runs."""

from dataclasses import replace

import pytest

from loopcheck.judge import NOISY, Judgement
from loopcheck.resources import scenarios_folder, statements_folder
from loopcheck.runner import TICKS_S, TIMEOUT_S, is_doubtful, timeout_for
from loopcheck.scenarios import Scenario, load_scenarios
from loopcheck.spec import load_statements
from loopcheck.traces import Trace

from .building import trace


@pytest.mark.parametrize("clock", TIMEOUT_S)
@pytest.mark.parametrize("wanted", [None, 3.0])
def test_a_longer_tick_leaves_a_scenario_more_time_also_when_it_was_given(
    clock: str, wanted: float | None
) -> None:
    first = timeout_for(wanted, clock, TICKS_S[0])
    assert first == (wanted or TIMEOUT_S[clock])
    assert [timeout_for(wanted, clock, tick) / tick for tick in TICKS_S] == pytest.approx(
        [first / TICKS_S[0]] * len(TICKS_S)
    )


CALM, BUSY = trace(clock="real"), trace(clock="real", run_delay=1.0)
AGREES, DIFFERS = Judgement("agree", "observed"), Judgement("differ", "observed")


@pytest.mark.parametrize(
    ("requires", "judgement", "oracle", "target", "doubtful"),
    [
        ((), AGREES, CALM, BUSY, False),
        (("real-clock",), AGREES, CALM, BUSY, True),
        (("real-clock",), AGREES, BUSY, CALM, False),
        (
            ("real-clock",),
            DIFFERS,
            CALM,
            BUSY,
            False,
        ),  # the judge has let stand what is early in spite of noise
        ((), replace(DIFFERS, verdict="inconclusive", reason=NOISY), CALM, BUSY, True),
        ((), replace(DIFFERS, verdict="hang"), BUSY, CALM, True),
        ((), replace(DIFFERS, verdict="hang"), CALM, CALM, False),
    ],
)
def test_busy_machine_makes_a_judgement_doubtful_that_it_could_have_made(
    requires: tuple[str, ...], judgement: Judgement, oracle: Trace, target: Trace, doubtful: bool
) -> None:
    assert is_doubtful(scenario_that(requires), judgement, [oracle], [target]) is doubtful


def scenario_that(requires: tuple[str, ...]) -> Scenario:
    """Return a shipped scenario with other requirements."""
    scenarios, _ = load_scenarios(scenarios_folder(), load_statements(statements_folder()))
    return replace(scenarios[0], requires=requires)
