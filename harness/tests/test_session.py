# SPDX-License-Identifier: MIT
"""What a session decides by itself before anything runs."""

import pytest

from loopcheck.runner import TICKS_S, TIMEOUT_S, timeout_for


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
