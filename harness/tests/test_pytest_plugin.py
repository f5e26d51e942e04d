# SPDX-License-Identifier: MIT
"""What the pytest plugin makes of scenarios: items, outcomes, results, and sentences about what is not possible.

pytest runs in a process of its own (conftest.py: ``project``).  The loops are those of failing_loops.py and the
scenarios mostly those of scenarios_failing, for they are few.
"""

from pathlib import Path

import pytest

from loopcheck.results import read_results

from .pytest_words import INNOCENT, OURS, PATH, SUITE, Run, loops, outcomes, properties

pytest_plugins = ["pytester"]

ORDER = "loopcheck/innocent::callbacks_run_in_order[failing_loops]"
MADE = "loopcheck/trouble::future_is_made[failing_loops]"
AWAITED = "loopcheck/trouble::future_is_awaited[failing_loops]"
PATIENCE_S = 120.0


def selected(result: pytest.RunResult) -> list[str]:
    """Return the node ids that --collect-only -q printed."""
    return [line for line in result.outlines if line.startswith("loopcheck/") and "::" in line]


# ---- verdicts --------------------------------------------------------------------------------------------


def test_every_verdict_has_its_outcome_and_several_loops_are_tested_side_by_side(
    run_pytest: Run, project: Path
) -> None:
    names = ("InnocentLoop", "Raises", "Segfaults", "BlocksInC", "LacksFutures", "LeaksDescriptor")
    words = [*SUITE, *OURS, *loops(*names), "--loop-timeout", "1", "-k", "future_is_made or hangs"]
    result = run_pytest(*words, "--junitxml", "junit.xml", "-rA")
    found = outcomes(project / "junit.xml")
    trouble = "loopcheck.trouble::future_is_made"
    assert {name: found[f"{trouble}[failing_loops:{name}]"] for name in names} == {
        "InnocentLoop": "passed",
        "Raises": "failed",
        "Segfaults": "failed",
        "BlocksInC": "failed",
        "LacksFutures": "skipped",
        "LeaksDescriptor": "passed",
    }
    assert {found[f"loopcheck.broken::hangs[failing_loops:{name}]"] for name in names} == {"error"}
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    verdicts = {
        name: properties(project / "junit.xml", f"future_is_made[failing_loops:{name}]") for name in names
    }
    assert [verdicts[name]["loopcheck_verdict"] for name in names] == [
        "agree",
        "differ",
        "crash",
        "hang",
        "unsupported",
        "variant",
    ]
    assert verdicts["LeaksDescriptor"]["loopcheck_sentence"]
    result.stdout.fnmatch_lines(["*VARIANT  trouble/future_is_made  failing_loops:LeaksDescriptor*"])


def test_a_failure_shows_the_sentence_and_the_block_of_loopchecks_report(run_pytest: Run) -> None:
    result = run_pytest(*SUITE, *OURS, *loops("Raises"), "-k", "future_is_made")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "*_ trouble/future_is_made*failing_loops* _*",
            "*LookupError*",
            "DIFFER   trouble/future_is_made  failing_loops*",
            "*iter*asyncio*iter*failing_loops*",
            "*before*before*",
            "  reproduce: loopcheck export trouble/future_is_made --target failing_loops:Raises --path*",
            "loopcheck: failing_loops: 1 differ",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_the_level_decides_whether_a_variant_fails(run_pytest: Run) -> None:
    words = [*SUITE, *OURS, *loops("LeaksDescriptor"), "-k", "future_is_made"]
    assert run_pytest(*words).ret == pytest.ExitCode.OK
    assert run_pytest(*words, "--loop-level", "observed").ret == pytest.ExitCode.TESTS_FAILED


def test_a_few_without_a_verdict_are_skipped_and_too_many_fail_the_session(run_pytest: Run) -> None:
    words = [*SUITE, *OURS, *loops("InnocentLoop")]
    few = run_pytest(*words, "-k", "is_random_1 or innocent", "-rs")
    few.assert_outcomes(passed=1, skipped=1)
    assert few.ret == pytest.ExitCode.OK
    few.stdout.fnmatch_lines(["SKIPPED*nondeterministic-on-oracle*"])
    many = run_pytest(*words, "-k", "is_random or innocent")
    many.assert_outcomes(passed=1, skipped=4)
    assert many.ret == pytest.ExitCode.TESTS_FAILED
    many.stdout.fnmatch_lines(["ERROR: loopcheck: More than 1 % of the scenarios*"])


def test_what_needs_a_scenario_that_failed_is_skipped_also_where_that_comes_later(
    run_pytest: Run, project: Path
) -> None:
    folder = project / "mine" / "area"
    folder.mkdir(parents=True)
    head = "from loopcheck_target import scenario\n\n\n"
    needs = "@scenario(statements=['create_future.attached'], needs=['area/z_works'])\n"
    (folder / "a.py").write_text(
        f'{head}{needs}def builds_on_it(loop, trace):\n    """It."""\n    trace("a")\n'
    )
    works = "@scenario(statements=['create_future.attached'])\n"
    body = '    """It."""\n    trace("done", loop.create_future().done())\n'
    (folder / "z.py").write_text(f"{head}{works}def z_works(loop, trace):\n{body}")
    words = [*SUITE, PATH, "--loop-scenarios", "mine", *loops("Raises"), "-rs"]
    for more in ([], ["-n", "2"]):
        result = run_pytest(*words, *more)
        result.assert_outcomes(failed=1, skipped=1)
        result.stdout.fnmatch_lines(["SKIPPED*it needs what area/z_works shows, and that failed."])


def test_a_broken_scenario_file_is_an_error_of_its_area(run_pytest: Run, project: Path) -> None:
    folder = project / "mine" / "area"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text("def is not python\n")
    result = run_pytest(*SUITE, "--loop-scenarios", "mine", "--loop", INNOCENT)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        ["*ERROR collecting loopcheck/area*", "*a.py:1: cannot be read: SyntaxError*"]
    )


# ---- selecting -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words, expected",
    [
        ([*SUITE, "-k", "future_is_made"], [MADE]),
        ([*SUITE, "-k", "trouble/future_is_made"], [MADE]),
        ([*SUITE, "-k", "innocent or future_is_awaited"], [ORDER, AWAITED]),
        ([*SUITE, "--loop-area", "trouble"], [MADE, AWAITED]),
        ([*SUITE, "--loop-area", "trouble", "--deselect", MADE], [AWAITED]),
        ([*SUITE, "--loop-area", "trouble", "--deselect", "loopcheck/trouble"], []),
        (["--pyargs", MADE], [MADE]),
        (["--pyargs", "loopcheck/trouble"], [MADE, AWAITED]),
        (["--pyargs", "loopcheck::trouble::future_is_made"], [MADE]),
        (["--pyargs", AWAITED, ORDER], [ORDER, AWAITED]),
    ],
)
def test_items_are_selected_by_what_pytest_has_for_that(
    run_pytest: Run, words: list[str], expected: list[str]
) -> None:
    result = run_pytest(*words, *OURS, "--loop", INNOCENT, "--collect-only", "-q")
    assert selected(result) == expected
    assert result.ret == (pytest.ExitCode.OK if expected else pytest.ExitCode.USAGE_ERROR)


def test_collecting_starts_no_interpreter_and_imports_no_loop(run_pytest: Run, project: Path) -> None:
    (project / "myloop.py").write_text(
        "import asyncio, pathlib\n"
        "pathlib.Path('imported').touch()\n"
        "class Loop(asyncio.SelectorEventLoop): pass\n"
    )
    words = [*SUITE, *OURS, "--loop", "myloop:Loop", "--loop-path", ".", "-k", "innocent"]
    elsewhere = run_pytest(
        *SUITE, *OURS, "--loop", "myloop:Loop@python9.9", "--collect-only", "-q", "-k", "innocent"
    )
    assert selected(elsewhere) == ["loopcheck/innocent::callbacks_run_in_order[myloop@python9.9]"]
    assert run_pytest(*words, "--collect-only").ret == pytest.ExitCode.OK
    assert not (project / "imported").exists()
    assert run_pytest(*words).ret == pytest.ExitCode.OK
    assert (project / "imported").exists()


def test_last_failed_runs_what_failed(project: Path, pytester: pytest.Pytester) -> None:
    words = [*SUITE, *OURS, *loops("Raises"), "--loop-area", "trouble", "--loop-area", "innocent"]
    first = pytester.runpytest_subprocess(*words, timeout=PATIENCE_S)
    first.assert_outcomes(failed=2, passed=1)
    again = pytester.runpytest_subprocess(*words, "--lf", timeout=PATIENCE_S)
    again.assert_outcomes(failed=2, deselected=1)


# ---- results, workers ------------------------------------------------------------------------------------


def test_a_results_file_is_one_of_loopchecks(run_pytest: Run, project: Path) -> None:
    words = [*SUITE, *OURS, *loops("Raises", "InnocentLoop"), "-k", "in_order or future"]
    assert run_pytest(*words, "--loop-results", "results.jsonl").ret == pytest.ExitCode.TESTS_FAILED
    results = read_results(project / "results.jsonl")
    assert results.header["command"][0] == "pytest"
    assert results.header["plan"] == [
        "innocent/callbacks_run_in_order",
        "trouble/future_is_made",
        "trouble/future_is_awaited",
    ]
    assert [(r.id, r.target_name) for r in results.scenarios] == [
        (id, f"failing_loops:{name}") for id in results.header["plan"] for name in ("Raises", "InnocentLoop")
    ]
    assert results.footer == {
        "record": "footer",
        "counts": {"agree": 4, "differ": 2},
        "exit": 1,
        "interrupted": False,
    }


def test_stopping_at_the_first_failure_leaves_results_that_say_so(run_pytest: Run, project: Path) -> None:
    words = [*SUITE, *OURS, *loops("Raises"), "--loop-area", "trouble", "-x"]
    run_pytest(*words, "--loop-results", "results.jsonl").assert_outcomes(failed=1)
    results = read_results(project / "results.jsonl")
    assert [result.id for result in results.scenarios] == ["trouble/future_is_made"]
    assert results.footer is not None and results.footer["interrupted"]


def test_workers_collect_the_same_and_their_results_are_written_in_the_order_of_the_plan(
    run_pytest: Run, project: Path
) -> None:
    words = [*SUITE, "--loop", INNOCENT, PATH, "--loop-area", "handles"]
    collected = selected(run_pytest(*words, "--collect-only", "-q"))
    for name, more in (("one", []), ("two", ["-n", "2"])):
        result = run_pytest(*words, *more, "--loop-results", f"{name}.jsonl", "--junitxml", f"{name}.xml")
        assert result.ret == pytest.ExitCode.OK
    assert outcomes(project / "one.xml") == outcomes(project / "two.xml")
    assert len(outcomes(project / "two.xml")) == len(collected) > 2
    one, two = (read_results(project / f"{name}.jsonl") for name in ("one", "two"))
    assert [r.id for r in one.scenarios] == [r.id for r in two.scenarios] == one.header["plan"]
    assert [id.rpartition("/")[2] for id in one.header["plan"]] == [
        nodeid.rpartition("::")[2].partition("[")[0] for nodeid in collected
    ]
    assert {**one.header, "command": []} == {**two.header, "command": []}
    assert one.footer == two.footer


# ---- what is wrong with the command line -----------------------------------------------------------------


@pytest.mark.parametrize(
    "words, sentence",
    [
        ([], "name the loop to be tested: --loop MODULE:CALLABLE*"),
        (["--loop"], "name the loop to be tested: --loop MODULE:CALLABLE*"),
        (["--loop", "nonsense"], "'nonsense' is no target: write MODULE:CALLABLE*"),
        (["--loop", "no.such:thing"], "no.such:thing: module 'no.such' does not import: *"),
        (["--loop", "no.such:thing", "-n", "2"], "no.such:thing: module 'no.such' does not import: *"),
        (["--loop", "failing_loops:no_such"], "failing_loops:no_such: * has no *"),
        (["--loop", "failing_loops:factory_raises"], "*OSError: no loops today*"),
        (["--loop", "asyncio"], "asyncio is what loops are compared with: *"),
        (["--loop", INNOCENT, "--loop", INNOCENT], "failing_loops:InnocentLoop is named twice"),
        (["--loop", f"{INNOCENT}@python9.9"], "no interpreter 'python9.9' runs here*"),
        (["--loop", INNOCENT, "--loop-area", "nix"], "there is no area 'nix'; there is broken, *"),
        (["--loop", INNOCENT, "--loop-timeout", "-1"], "--loop-timeout -1 is not above zero"),
        (["--loop", INNOCENT, "--loop-results", "no/such/file"], "the results file no/such/file cannot be*"),
        (["--loop", INNOCENT, "--loop-scenarios", "nowhere"], "there is no folder *nowhere to read*"),
        (["--loop", INNOCENT, "--loop-path", "nowhere"], "there is no folder *nowhere to put on *"),
        (["--loop", INNOCENT, "--loop-baseline", "nowhere.toml"], "*nowhere.toml*"),
        (["--loop", INNOCENT, "--loop-baseline", "nowhere.toml", "-n", "2"], "*nowhere.toml*"),
        (["--loop", INNOCENT, "loopcheck/no::such"], "there is nothing called loopcheck/no::such; *"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_usage_error(
    run_pytest: Run, words: list[str], sentence: str
) -> None:
    suite = ["--pyargs"] if "loopcheck/no::such" in words else SUITE
    result = run_pytest(*suite, *OURS, *words)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = [line for line in result.errlines if line]
    assert len(said) == 1 and "Traceback" not in result.stdout.str()
    result.stderr.fnmatch_lines([f"ERROR: loopcheck: {sentence}"])


@pytest.mark.parametrize("more", [[], ["-n", "2"]])
def test_selecting_nothing_is_a_usage_error_and_never_a_pass(run_pytest: Run, more: list[str]) -> None:
    result = run_pytest(*SUITE, *OURS, "--loop", INNOCENT, "-k", "nothing_of_this_name", *more)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["ERROR: loopcheck: nothing matches: none of the * scenarios is selected"])


def test_a_run_in_which_nothing_applies_is_a_usage_error_unless_other_tests_ran(
    run_pytest: Run, project: Path
) -> None:
    folder = project / "mine" / "area"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text(
        "from loopcheck_target import scenario\n\n\n"
        "@scenario(statements=['create_future.attached'], until='3.5')\n"
        'def was_so_once(loop, trace):\n    """It."""\n    trace("a")\n'
    )
    (project / "test_own.py").write_text("def test_passes(): pass\n")
    words = [*SUITE, "--loop-scenarios", "mine", "--loop", INNOCENT, PATH]
    alone = run_pytest(*words)
    assert alone.ret == pytest.ExitCode.USAGE_ERROR
    alone.stdout.fnmatch_lines(["ERROR: loopcheck: none of the selected scenarios applies here"])
    assert run_pytest(*words, "test_own.py").ret == pytest.ExitCode.OK
