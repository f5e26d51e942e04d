# SPDX-License-Identifier: MIT
"""Traces: what a child wrote becomes events, whatever the child did in the end; storing loses nothing."""

import json
from dataclasses import replace

import pytest

from loopcheck.traces import (
    Event,
    Outcome,
    Trace,
    event_line,
    parse_event,
    parse_trace,
    trace_from_record,
    trace_record,
)

from .building import died, end, event, record, trace

HEADER = '{"k": "run", "T": 0.02, "clock": "virtual"}\n'
END = json.dumps(end()) + "\n"
FULL = event("a", 1, actor="x", t=0.5, group=2, due=0.4, iteration=3)


def line(*happened: Event) -> str:
    """Return the lines of events."""
    return "".join(json.dumps(event_line(e), ensure_ascii=False) + "\n" for e in happened)


@pytest.mark.parametrize("one", [event("a"), FULL, record("log", "INFO", "text", None)])
def test_event_survives_its_line(one: Event) -> None:
    assert parse_event(json.loads(json.dumps(event_line(one)))) == one


def test_lines_hold_only_what_applies() -> None:
    assert set(event_line(event("a"))) == {"k", "a", "e", "v", "t"}
    assert set(event_line(FULL)) == {"k", "a", "e", "v", "t", "g", "due", "it"}


def test_whole_trace_is_read() -> None:
    found = parse_trace(HEADER + line(event("a"), FULL) + END, Outcome(wall=1.5))
    assert (found.header["T"], found.events, found.status) == (0.02, (event("a"), FULL), "ok")
    assert (found.outcome.wall, found.loops_made, found.last_event) == (1.5, 1, FULL)


@pytest.mark.parametrize("cut", range(1, 40))
def test_trace_cut_anywhere_keeps_every_whole_line(cut: int) -> None:
    text = HEADER + line(event("a"), event("b"))
    found = parse_trace(text[:-cut], Outcome(signal="SIGKILL"))
    assert (found.status, found.header["T"]) == ("crash", 0.02)
    assert found.events in ((event("a"),), (event("a"), event("b"))[: 2 if cut == 1 else 1])


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x1c", "\x0b", "\r", "\n"])
def test_text_with_a_line_separator_is_one_value(separator: str) -> None:
    one = event(f"a{separator}b", f"c{separator}d")
    found = parse_trace(HEADER + line(one, event("z")) + END, Outcome())
    assert (found.events, found.status) == ((one, event("z")), "ok")


def test_failure_of_the_harness_is_kept() -> None:
    found = parse_trace(HEADER + '{"k": "harness", "text": "TypeError"}\n', Outcome(code=1))
    assert (found.status, found.harness_error) == ("harness-error", "TypeError")


@pytest.mark.parametrize(
    ("run", "status"),
    [
        (trace(), "ok"),
        (trace(status="raised"), "raised"),
        (died(hung=True, signal="SIGKILL"), "hang"),
        (died(signal="SIGSEGV"), "crash"),
        (died(code=0), "crash"),
        (replace(trace(), outcome=Outcome(signal="SIGSEGV")), "crash"),
        (replace(trace(), outcome=Outcome(hung=True)), "hang"),
        (replace(died(hung=True), harness_error="text"), "harness-error"),
    ],
)
def test_status_follows_from_end_and_outcome(run: Trace, status: str) -> None:
    assert run.status == status


def test_empty_trace_has_no_last_event_and_no_loops() -> None:
    empty = parse_trace("", Outcome())
    assert (empty.status, empty.last_event, empty.loops_made, empty.run_delay) == ("crash", None, 0, 0.0)
    assert empty.habits == {"warnings": [], "left": {}}


def test_lateness_is_the_time_after_the_deadline() -> None:
    assert event("a", t=1.0, due=0.75).lateness == 0.25
    assert event("a", t=0.5, due=0.75).lateness == -0.25
    assert event("a", t=0.5).lateness is None


def test_real_time_matters_without_virtual_clock_and_when_time_passed() -> None:
    assert trace(clock="real").real_time_mattered
    assert trace(clock="virtual", passed=0.1).real_time_mattered
    assert not trace(clock="virtual").real_time_mattered


def test_habits_are_removed_by_name_and_text_and_count() -> None:
    habits = {"warnings": [["ResourceWarning", "unclosed"]], "left": {}}
    habit, other = record("warn", "ResourceWarning", "unclosed"), record("warn", "ResourceWarning", "other")
    log = record("log", "ResourceWarning", "unclosed")
    run = trace(event("a"), habit, log, other, habit, habit, habits=habits, loops=2)
    assert run.events_without_habits() == (event("a"), log, other, habit)
    assert trace(habit).events_without_habits() == (habit,)


@pytest.mark.parametrize(
    "run",
    [
        trace(event("a"), FULL, clock="real", run_delay=0.25),
        died(event("a"), signal="SIGSEGV", code=None, wall=0.5, output="stack “here”"),
        replace(died(), harness_error="TypeError"),
    ],
)
def test_stored_trace_comes_back_equal(run: Trace) -> None:
    assert trace_from_record(json.loads(json.dumps(trace_record(run)))) == run
