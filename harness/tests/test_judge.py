# SPDX-License-Identifier: MIT
"""The judge: every verdict that it can give, for which traces, at which level, in which words."""

from collections.abc import Sequence
from typing import Any

import pytest

from loopcheck.judge import Judgement, despite_noise, is_noisy, judge
from loopcheck.traces import Event, Trace
from loopcheck.vocabulary import KINDS, REASONS

from .building import TICK_S, died, event, exc, record, subject, trace

A, B = event("a"), event("b")
ERROR = exc("ValueError", "boom")


def judged(oracle: Sequence[Event], target: Sequence[Event], **about: Any) -> Judgement:
    """Judge one run of each side that ended well."""
    return judge(subject(**about), [trace(*oracle)], [trace(*target)])


# ---- what comes before any comparison ------------------------------------------------------------------------


def test_equal_runs_agree() -> None:
    judgement = judged([A, B], [A, B])
    assert (judgement.verdict, judgement.level, judgement.findings) == ("agree", "guaranteed", ())
    assert (judgement.axis, judgement.signature, judgement.seen) == (None, None, (0, 1))


@pytest.mark.parametrize("side", ["oracle", "target"])
def test_failure_of_the_harness_is_said_with_its_last_line(side: str) -> None:
    failed = Trace({}, (), None, harness_error="Traceback ...\nTypeError: our mistake\n")
    runs = {"oracle": [trace(A)], "target": [trace(A)], side: [failed]}
    judgement = judge(subject(), runs["oracle"], runs["target"])
    assert (judgement.verdict, judgement.sentence) == ("harness-error", "TypeError: our mistake")


BROKEN = [
    pytest.param(died(A, hung=True, wall=4.0), "asyncio did not end within 4 s after “a”.", id="hangs"),
    pytest.param(died(hung=True), "within 4 s before anything happened.", id="hangs at once"),
    pytest.param(died(A, signal="SIGSEGV"), "asyncio died with SIGSEGV after “a”.", id="dies"),
    pytest.param(died(A, code=7), "asyncio called _exit(7) after “a”.", id="leaves"),
    pytest.param(
        trace(record("raised", "raised", ERROR), status="raised"),
        "it raises ValueError('boom') on asyncio.",
        id="raises",
    ),
]


@pytest.mark.parametrize(("run", "words"), BROKEN)
def test_scenario_that_does_not_work_on_the_oracle_is_broken(run: Trace, words: str) -> None:
    judgement = judge(subject(), [trace(A), run], [trace(A)])
    assert judgement.verdict == "broken-scenario"
    assert words in judgement.sentence


def test_oracle_that_contradicts_itself_gives_no_verdict() -> None:
    judgement = judge(subject(), [trace(A, B), trace(B, A)], [trace(A, B)])
    assert (judgement.verdict, judgement.reason) == ("inconclusive", "nondeterministic-on-oracle")
    assert (
        judgement.sentence == REASONS[judgement.reason] + " “b” came before “a”; on asyncio it comes after."
    )


def test_oracle_that_varies_below_the_scenarios_level_is_deterministic_enough() -> None:
    log = record("log", "INFO", "text", None)
    runs = [trace(A, log), trace(A)]
    assert judge(subject("guaranteed"), runs, [trace(A, log)]).verdict == "agree"
    assert judge(subject("observed"), runs, [trace(A, log)]).reason == "nondeterministic-on-oracle"


def test_oracle_may_vary_where_the_model_leaves_it_free() -> None:
    x, y = event("x", actor="one"), event("y", actor="two")
    assert judge(subject(), [trace(x, y), trace(y, x)], [trace(x, y)]).verdict == "agree"


def test_scenario_that_never_made_a_loop_is_never_a_pass() -> None:
    judgement = judge(subject(), [trace(A)], [trace(A, loops=0, classes=[])])
    assert (judgement.verdict, judgement.reason) == ("harness-error", "no-loop")
    assert judgement.sentence == REASONS["no-loop"]


def test_target_whose_loop_is_asyncios_own_is_never_a_pass() -> None:
    own = trace(A, classes=["asyncio.unix_events._UnixSelectorEventLoop"])
    judgement = judge(subject(), [trace(A)], [own])
    assert judgement.verdict == "harness-error"
    assert "the factory of target gave asyncio's own loop" in judgement.sentence
    assert judge(subject(target_is_asyncio=True), [trace(A)], [own]).verdict == "agree"


def test_module_whose_name_begins_like_asyncios_is_not_asyncio() -> None:
    assert judge(subject(), [trace(A)], [trace(A, classes=["asyncio_fast.Loop"])]).verdict == "agree"


@pytest.mark.parametrize(
    ("run", "verdict", "words"),
    [
        (died(A, hung=True, wall=4.2), "hang", "target did not end within 4 s after “a”."),
        (died(signal="SIGABRT"), "crash", "target died with SIGABRT before anything happened."),
        (died(A, B, code=3), "crash", "target called _exit(3) after “b”."),
    ],
)
def test_process_that_does_not_survive_is_a_verdict(run: Trace, verdict: str, words: str) -> None:
    judgement = judge(subject(), [trace(A)], [trace(A), run])
    assert (judgement.verdict, judgement.sentence, judgement.seen) == (verdict, words, (1, 2))


# ---- kinds of differences ------------------------------------------------------------------------------------

VALUE = [event("a", 1)]
KIND_OF_EVENT: dict[str, tuple[list[Event], list[Event], str]] = {
    "missing": ([A, B], [A], "“b” did not happen on target; it does on asyncio."),
    "extra": ([A], [A, B], "“b” happened on target; it does not on asyncio."),
    "order": ([A, B], [B, A], "“b” came before “a”; on asyncio it comes after."),
    "value": (VALUE, [event("a", 2)], "“a”: asyncio has 1, target has 2."),
    "class": ([event("a", ERROR)], [event("a", None)], "asyncio has ValueError('boom'), target has None."),
    "errno": (
        [event("a", exc("OSError", errno="EPERM"))],
        [event("a", exc("OSError"))],
        "asyncio has OSError(EPERM), target has OSError().",
    ),
    "context": (
        [event("a", {"dict": {"k": 1}})],
        [event("a", {"dict": {}})],
        "asyncio has {k: 1}, target has {}.",
    ),
    "wording": ([event("a", ERROR)], [event("a", exc("ValueError"))], "target has ValueError()."),
    "log": ([record("log", "ERROR", "text", None)], [], "target does not have the log record ERROR 'text'"),
}


@pytest.mark.parametrize("kind", KIND_OF_EVENT)
def test_difference_of_events_has_its_kind_and_its_sentence(kind: str) -> None:
    oracle, target, words = KIND_OF_EVENT[kind]
    judgement = judged(oracle, target)
    found = judgement.findings[0]
    assert (len(judgement.findings), found.kind) == (1, kind)
    assert words in found.sentence
    assert judgement.signature == f"{KINDS[kind].axis}:{kind}:{found.event}"


@pytest.mark.parametrize(
    ("kind", "words"),
    [("warn", "target has the warning UserWarning 'text'"), ("unraisable", "has the unraisable exception")],
)
def test_warnings_and_unraisable_exceptions_have_sentences(kind: str, words: str) -> None:
    sentence = judged([], [record(kind, "UserWarning", "text")]).findings[0].sentence
    assert words in sentence and sentence.endswith("; asyncio has not.")


def test_difference_keeps_the_values_of_both_sides() -> None:
    finding = judged(VALUE, [event("a", 2)]).findings[0]
    assert (finding.oracle, finding.target) == ([1], [2])
    assert judged([A], []).findings[0].target is None


def test_exception_that_ended_the_scenario_comes_first_and_explains_the_rest() -> None:
    ended = record("raised", "raised", ERROR)
    judgement = judge(subject(), [trace(A, B)], [trace(ended, status="raised")])
    assert [finding.kind for finding in judgement.findings] == ["class", "missing", "missing"]
    assert "the scenario ended with ValueError('boom') on target" in judgement.findings[0].sentence


def test_target_that_says_not_implemented_is_unsupported() -> None:
    lacks = record("raised", "raised", exc("NotImplementedError"))
    assert judge(subject(), [trace(A)], [trace(lacks, status="raised")]).verdict == "unsupported"
    assert judged([event("a", 1)], [event("a", exc("NotImplementedError"))]).verdict == "unsupported"
    assert judged([event("a", exc("NotImplementedError"))], [event("a", 1)]).verdict == "differ"


def test_not_implemented_excuses_what_follows_from_it_and_nothing_else() -> None:
    lacks = event("a", exc("NotImplementedError"))
    assert judged([event("a", 1), B], [lacks]).verdict == "unsupported"
    assert judged([event("a", 1), event("b", 1)], [lacks, event("b", 2)]).verdict == "differ"


def test_not_implemented_on_both_sides_is_a_matter_of_wording() -> None:
    ours, theirs = (event("a", exc("NotImplementedError", text)) for text in ("one", "other"))
    assert judged([ours], [theirs]).verdict == "variant"


# ---- levels --------------------------------------------------------------------------------------------------

LEVELS = [
    ("guaranteed", "guaranteed", "differ"),
    ("guaranteed", "observed", "differ"),
    ("observed", "guaranteed", "variant"),
    ("observed", "observed", "differ"),
    ("free", "guaranteed", "variant"),
    ("free", "observed", "variant"),
]


@pytest.mark.parametrize(("level", "demanded", "verdict"), LEVELS)
def test_difference_counts_at_the_demanded_level_and_firmer(level: str, demanded: str, verdict: str) -> None:
    judgement = judged([A], [], level=level, demanded=demanded)
    assert (judgement.verdict, judgement.level) == (verdict, level)


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if KINDS[kind].level == "observed" and kind != "leak"]
)
def test_kind_that_is_never_guaranteed_is_capped(kind: str) -> None:
    oracle, target, _ = KIND_OF_EVENT[kind]
    assert judged(oracle, target).level == "observed"
    assert judged(oracle, target).verdict == "variant"
    assert judged(oracle, target, demanded="observed").verdict == "differ"
    assert judged(oracle, target, level="free", demanded="observed").level == "free"


def test_finding_that_counts_comes_before_one_that_does_not() -> None:
    log = record("log", "INFO", "text", None)
    judgement = judged([log, A], [])
    assert [finding.level for finding in judgement.findings] == ["guaranteed", "observed"]
    assert (judgement.verdict, judgement.signature) == ("differ", "order:missing:a")


def test_findings_say_in_how_many_runs_they_showed() -> None:
    runs = [trace(A), trace(), trace(A), trace()]
    judgement = judge(subject(), [trace(A)], runs)
    assert (judgement.seen, judgement.shown) == ((2, 4), 1)
    assert judge(subject(), [trace(A)], [trace(A)] * 3).seen == (0, 3)


def test_run_whose_findings_count_is_shown_rather_than_an_earlier_one() -> None:
    noted = record("log", "INFO", "text", None)
    judgement = judge(subject(), [trace(A)], [trace(A, noted), trace()])
    assert (judgement.verdict, judgement.shown, judgement.seen) == ("differ", 1, (1, 2))
    assert judgement.signature == "order:missing:a"


# ---- times: more of them in test_timing.py -------------------------------------------------------------------


def test_event_without_deadline_is_never_late() -> None:
    assert judged([event("a", t=0.0)], [event("a", t=9.0)]).verdict == "agree"


def test_late_event_has_its_signature_and_its_sentence() -> None:
    late = trace(event("timer", due=0.02, t=0.035))
    judgement = judge(subject(), [trace(event("timer", due=0.02, t=0.02))], [late], [late] * 3)
    assert (judgement.verdict, judgement.signature) == ("differ", "timing:late:timer")
    assert judgement.findings[0].sentence == "“timer” came 15.0 ms after it was due."


# ---- leftovers -----------------------------------------------------------------------------------------------

LEFT = [
    (
        {"fds": ["socket"]},
        "resource:leak:socket",
        "target left 1 descriptor (socket) open; asyncio does not.",
    ),
    ({"fds": ["pipe", "pipe"]}, "resource:leak:pipe", "target left 2 descriptors (pipe) open"),
    ({"threads": ["thread"]}, "resource:leak:thread", "target left 1 thread running"),
    ({"threads": ["thread"] * 3}, "resource:leak:thread", "target left 3 threads running"),
    ({"children": ["child"]}, "resource:leak:child", "target left a child process"),
]


@pytest.mark.parametrize(("left", "signature", "words"), LEFT)
def test_leftover_is_a_leak_and_never_guaranteed(left: Any, signature: str, words: str) -> None:
    judgement = judge(subject(), [trace(A)], [trace(A, left=left)])
    assert (judgement.verdict, judgement.level, judgement.signature) == ("variant", "observed", signature)
    assert words in judgement.findings[0].sentence


def test_only_what_the_oracle_does_not_leave_is_a_leak() -> None:
    oracle = trace(A, left={"fds": ["socket", "pipe"]}, pending_tasks=1)
    more = trace(A, left={"fds": ["socket", "socket", "pipe"]}, pending_tasks=3)
    assert judge(subject(), [oracle], [oracle]).verdict == "agree"
    assert judge(subject(), [oracle], [trace(A)]).verdict == "agree"
    sentences = [finding.sentence for finding in judge(subject(), [oracle], [more]).findings]
    assert [sentence[:26] for sentence in sentences] == [
        "target left 1 descriptor (",
        "target left 2 tasks pendin",
    ]


def test_close_that_raises_is_a_difference_unless_it_does_on_the_oracle() -> None:
    raises = trace(A, close_errors=[ERROR])
    judgement = judge(subject(), [trace(A)], [raises])
    assert (judgement.verdict, judgement.signature) == ("differ", "error:class:close")
    assert judgement.findings[0].sentence == "closing the loop of target raised ValueError('boom')."
    assert judge(subject(), [raises], [raises]).verdict == "agree"


HABITS = {"warnings": [["ResourceWarning", "unclosed"]], "left": {"fds": ["pipe"]}}
HABIT = record("warn", "ResourceWarning", "unclosed")


def test_habit_counts_only_where_it_is_asked_for() -> None:
    run = trace(A, HABIT, habits=HABITS, left={"fds": ["pipe"]})
    assert judge(subject(), [trace(A)], [run]).verdict == "agree"
    judgement = judge(subject(habits_count=True), [trace(A)], [run])
    assert [finding.kind for finding in judgement.findings] == ["log", "leak"]


def test_habit_is_discounted_once_for_each_loop() -> None:
    happened = (A, HABIT, HABIT, HABIT)
    left = {"fds": ["pipe"] * 3}
    enough = trace(*happened, habits=HABITS, left=left, loops=3)
    one_too_few = trace(*happened, habits=HABITS, left=left, loops=2)
    assert judge(subject(), [trace(A)], [enough]).verdict == "agree"
    kinds = [finding.kind for finding in judge(subject(), [trace(A)], [one_too_few]).findings]
    assert kinds == ["log", "leak"]


def test_oracle_with_the_same_habit_agrees_with_itself_and_is_deterministic() -> None:
    run = trace(A, HABIT, habits=HABITS, left={"fds": ["pipe"]})
    assert judge(subject("observed", "observed"), [run, run], [run]).verdict == "agree"


# ---- noise ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "noisy"),
    [
        (trace(clock="real", run_delay=TICK_S * 0.6), True),
        (trace(clock="real", run_delay=TICK_S * 0.4), False),
        (trace(clock="virtual", run_delay=1.0), False),
        (trace(clock="virtual", run_delay=1.0, passed=0.1), True),
        (died(hung=True), False),
    ],
)
def test_run_is_noisy_if_it_waited_for_a_cpu_while_time_passed(run: Trace, noisy: bool) -> None:
    assert is_noisy(run) is noisy


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        ([event("a", exc("ValueError", "bang")), B], "variant"),
        ([event("a", exc("ValueError", "bang"))], "inconclusive"),
        ([event("a", exc("KeyError", "boom")), B], "inconclusive"),
    ],
    ids=["words differ", "words differ and an event is missing", "another class"],
)
def test_noise_may_be_the_cause_unless_only_words_differ(target: list[Event], verdict: str) -> None:
    assert despite_noise(judged([event("a", ERROR), B], target), subject()).verdict == verdict


def test_noisy_judgement_is_no_verdict_and_says_what_it_would_be() -> None:
    judgement = despite_noise(judged([A], []), subject())
    assert (judgement.verdict, judgement.reason, judgement.findings) == ("inconclusive", "noisy", ())
    assert judgement.sentence == f"{REASONS['noisy']} It would be: differ."


def test_oracle_that_only_noise_makes_vary_is_not_called_nondeterministic() -> None:
    runs = [trace(A, B, clock="real", run_delay=delay) for delay in (0.0, 0.0)]
    noisy = trace(B, A, clock="real", run_delay=1.0)
    assert judge(subject(), [*runs, noisy], [trace(A, B)] * 2).verdict == "agree"
    assert judge(subject(), [noisy, *runs], [trace(A, B)]).reason == "noisy"
    assert judge(subject(), [*runs, trace(B, A)], [trace(A, B)]).reason == "nondeterministic-on-oracle"


@pytest.mark.parametrize(("level", "verdict"), [("guaranteed", "differ"), ("observed", "variant")])
def test_noise_explains_everything_but_earliness(level: str, verdict: str) -> None:
    early = event("timer", due=0.02, t=0.01)
    noisy = judged([B, event("timer", due=0.02, t=0.02)], [early], level=level)
    assert [finding.kind for finding in noisy.findings] == ["missing", "early"]
    certain = despite_noise(noisy, subject(level=level))
    assert (certain.verdict, [finding.kind for finding in certain.findings]) == (verdict, ["early"])


# ---- frequencies ---------------------------------------------------------------------------------------------


def test_outcomes_say_how_often_the_target_did_what() -> None:
    runs = [trace(A, B), trace(B, A), trace(A, B), trace(A), trace(A, B), trace(B, A)]
    judgement = judge(subject(), [trace(A, B)], runs)
    assert judgement.outcomes == ((None, 3), ("order:order:b", 2), ("order:missing:b", 1))
    assert (judgement.signature, judgement.seen) == ("order:order:b", (2, 6))
    assert judge(subject(), [trace(A)], [trace(A)] * 3).outcomes == ((None, 3),)


def test_outcomes_count_runs_that_ended_badly_among_the_others() -> None:
    runs = [trace(A), died(A, signal="SIGSEGV"), died(hung=True), died(A, code=7), trace(), trace(A)]
    judgement = judge(subject(), [trace(A)], runs)
    assert judgement.seen == (3, 6)
    assert dict(judgement.outcomes) == {
        None: 2,
        "process:crash:SIGSEGV": 1,
        "process:hang:": 1,
        "process:crash:exit-7": 1,
        "order:missing:a": 1,
    }
