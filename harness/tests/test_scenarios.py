# SPDX-License-Identifier: MIT
"""Reading scenario files: each mistake gives its sentence, with file and line, and costs nothing else.

Each planted mistake is one change to SCENARIO, which is right; beside it stands INNOCENT, which must be found
all the same.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from loopcheck.scenarios import (
    KEYWORDS,
    PARAMETERS,
    REQUIREMENTS,
    Problem,
    Scenario,
    holds_for,
    load_scenarios,
)
from loopcheck.spec import Level

from .building import statement

STATEMENTS = {
    s.id: s
    for s in (
        statement("firm.one"),
        statement("firm.new", since="3.9"),
        statement("firm.newer", since="3.10", until="3.14"),
        statement("soft.one", "observed", until="3.13"),
        statement("open.one", "free"),
        statement("gone.one", until="3.9"),
    )
}

SCENARIO = '''\
@scenario(statements=["firm.one"])
def guilty(loop, trace):
    """What is seen."""
    trace("seen")
'''

INNOCENT = '''

@scenario(statements=["firm.one"])
async def innocent(loop):
    """Nothing happens."""
'''

HEAD = '"""A topic."""\n\nfrom loopcheck_target import scenario\n\n\n'
GUILTY_LINE = HEAD.count("\n") + 2


def write(folder: Path, text: str, name: str = "area/topic.py") -> Path:
    """Write a topic file and return its path."""
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def load(folder: Path, text: str, name: str = "area/topic.py") -> tuple[dict[str, Scenario], list[Problem]]:
    """Return the scenarios of a topic file by id, and its problems."""
    write(folder, text, name)
    scenarios, problems = load_scenarios(folder, STATEMENTS)
    return {scenario.id: scenario for scenario in scenarios}, problems


def one(folder: Path, decorator: str, head: str = "def guilty(loop, trace):") -> Scenario:
    """Return the scenario with a decorator."""
    scenarios, problems = load(folder, f'{HEAD}{decorator}\n{head}\n    """Seen."""\n')
    assert problems == []
    return scenarios["area/guilty"]


# ---- what is right -------------------------------------------------------------------------------------------


def test_scenario_says_everything_about_itself(tmp_path: Path) -> None:
    text = f'''{HEAD}@scenario(
    statements=["firm.new", "soft.one"], requires=["ipv6"], tags=["slow"], debug=True, since="3.10"
)
async def whole(loop, trace, T, tmp, new_event_loop):
    """What is seen,
    in two lines.

    More about it.
    """
    trace("seen")


def helper():
    pass
'''
    scenarios, problems = load(tmp_path, text)
    assert problems == []
    found = scenarios["area/whole"]
    assert found == Scenario(
        id="area/whole",
        title="What is seen, in two lines.",
        file=tmp_path / "area/topic.py",
        line=6,
        last_line=15,
        module="area/topic",
        function="whole",
        parameters=("loop", "trace", "T", "tmp", "new_event_loop"),
        is_async=True,
        statements=("firm.new", "soft.one"),
        basis="",
        requires=("ipv6",),
        tags=("slow",),
        debug=True,
        level="observed",
        since="3.10",
        until="3.13",
    )
    assert found.area == "area"
    assert found.source.startswith("@scenario(\n    statements=") and found.source.endswith(
        '    trace("seen")'
    )


def test_source_holds_every_decorator(tmp_path: Path) -> None:
    text = HEAD + "@other\n" + SCENARIO.replace("def guilty", "@another(1)\ndef guilty")
    scenarios, _ = load(tmp_path, text)
    source = scenarios["area/guilty"].source
    assert source.splitlines()[:3] == ["@other", '@scenario(statements=["firm.one"])', "@another(1)"]


def test_source_is_right_after_a_strange_line_separator(tmp_path: Path) -> None:
    scenarios, _ = load(tmp_path, f'{HEAD}TEXT = "a\u2028b\x0cc"\n\n\n{SCENARIO}')
    assert scenarios["area/guilty"].source == SCENARIO.rstrip("\n")


def test_only_decorated_functions_of_topic_files_are_scenarios(tmp_path: Path) -> None:
    write(tmp_path, "raise SystemExit", "not_in_an_area.py")
    write(tmp_path, "not Python", "area/notes.txt")
    scenarios, problems = load(tmp_path, f"{HEAD}raise SystemExit  # is read, not imported\n\n\n{SCENARIO}")
    assert (list(scenarios), problems) == (["area/guilty"], [])


def test_scenarios_come_in_the_order_of_areas_files_and_lines(tmp_path: Path) -> None:
    write(tmp_path, HEAD + SCENARIO, "b/topic.py")
    write(tmp_path, HEAD + SCENARIO, "a/two.py")
    write(tmp_path, HEAD + SCENARIO.replace("guilty", "z") + INNOCENT, "a/one.py")
    scenarios, _ = load_scenarios(tmp_path, STATEMENTS)
    assert [s.id for s in scenarios] == ["a/z", "a/innocent", "a/guilty", "b/guilty"]


LEVELS: list[tuple[str, Level]] = [
    ("statements=['firm.one', 'firm.new']", "guaranteed"),
    ("statements=['firm.one', 'soft.one']", "observed"),
    ("statements=['open.one', 'firm.one', 'soft.one']", "free"),
    ("basis='observed: because'", "observed"),
    ("statements=['firm.one'], basis='observed: because'", "observed"),
    ("statements=['open.one'], basis='observed: because'", "free"),
]


@pytest.mark.parametrize(("arguments", "level"), LEVELS)
def test_level_is_the_weakest(tmp_path: Path, arguments: str, level: Level) -> None:
    assert one(tmp_path, f"@scenario({arguments})").level == level


VERSIONS = [
    ("statements=['firm.one']", ("3.4", None)),
    ("statements=['firm.new', 'firm.newer']", ("3.10", "3.14")),
    ("statements=['firm.newer', 'soft.one']", ("3.10", "3.13")),
    ("statements=['firm.new'], since='3.12'", ("3.12", None)),
    ("statements=['firm.newer'], since='3.9', until='3.15'", ("3.10", "3.14")),
    ("statements=['firm.newer'], until='3.11'", ("3.10", "3.11")),
    ("basis='observed: because'", (None, None)),
    ("basis='observed: because', since='3.8', until='3.12'", ("3.8", "3.12")),
]


@pytest.mark.parametrize(("arguments", "span"), VERSIONS)
def test_versions_are_those_for_which_everything_holds(
    tmp_path: Path, arguments: str, span: tuple[str | None, str | None]
) -> None:
    found = one(tmp_path, f"@scenario({arguments})")
    assert (found.since, found.until) == span


@pytest.mark.parametrize(
    ("since", "until", "python", "holds"),
    [
        (None, None, "3.8.1", True),
        ("3.9", None, "3.8.19", False),
        ("3.9", None, "3.9.0", True),
        ("3.9", None, "3.15.0a1", True),
        ("3.9.2", None, "3.9.1", False),
        ("3.9.2", None, "3.9.2", True),
        (None, "3.12.1", "3.12.0", True),
        (None, "3.12.1", "3.12.1", False),
        ("3.15", None, "3.15.0rc2+", True),
        (None, "3.12", "3.11.9", True),
        (None, "3.12", "3.12.0", False),
        ("3.9", "3.10", "3.9.5", True),
        ("3.9", "3.10", "3.10.0", False),
    ],
)
def test_scenario_holds_from_since_until_before_until(
    tmp_path: Path, since: str | None, until: str | None, python: str, holds: bool
) -> None:
    scenario = replace(one(tmp_path, "@scenario(statements=['firm.one'])"), since=since, until=until)
    assert holds_for(scenario, python) is holds


# ---- what is wrong -------------------------------------------------------------------------------------------

CITED = 'statements=["firm.one"]'
IN_THE_FUNCTION = [
    (f"@scenario({CITED})", "@scenario", "@scenario takes keyword arguments: statements=[...] or basis="),
    (CITED, '["firm.one"]', "@scenario takes keyword arguments"),
    (CITED, "", "cites no statement and gives no basis='observed: ...'"),
    (CITED, "statements=[]", "cites no statement"),
    (CITED, 'basis="because"', "basis= must begin with 'observed: '"),
    (CITED, 'statements=["firm.won"]', "cites 'firm.won', which is no statement in spec/statements"),
    (CITED, "statement=[]", f"@scenario has no argument 'statement'; it has {', '.join(KEYWORDS)}"),
    (CITED, "statements=IDS", "statements= must be a literal: the file is read, not imported"),
    (CITED, "statements={[]: 1}", "statements= must be a literal"),
    (CITED, 'statements="firm.one"', "statements= must be a list"),
    (CITED, "statements=[1]", "statements= must be a list of texts"),
    (CITED, 'statements=[["firm.one"]]', "statements= must be a list of texts"),
    (CITED, f"{CITED}, tags=[1]", "tags= must be a list of texts"),
    (CITED, f"{CITED}, debug=1", "debug= must be a bool"),
    (CITED, f"{CITED}, since=3.9", "since= must be a str"),
    (CITED, f"{CITED}, since='new'", "since= must be a version such as '3.12', not 'new'"),
    (CITED, f"{CITED}, until='3'", "until= must be a version such as '3.12', not '3'"),
    (CITED, f"{CITED}, requires=['tls']", f"has the requirement 'tls'; there is {', '.join(REQUIREMENTS)}"),
    ("loop, trace", "loop, traces", f"has the parameter 'traces'; there is {', '.join(PARAMETERS)}"),
    ('    """What is seen."""\n', "", "has no docstring; its first sentence says what should be seen"),
    ("What is seen.", "  ", "has no docstring"),
    (CITED, 'statements=["gone.one", "firm.new"]', "No version satisfies both firm.new"),
]


@pytest.mark.parametrize(("right", "wrong", "words"), IN_THE_FUNCTION, ids=[w for *_, w in IN_THE_FUNCTION])
def test_mistake_in_a_function_costs_that_function(
    tmp_path: Path, right: str, wrong: str, words: str
) -> None:
    assert right in SCENARIO
    scenarios, problems = load(tmp_path, HEAD + SCENARIO.replace(right, wrong) + INNOCENT)
    assert list(scenarios) == ["area/innocent"]
    assert [problem.line for problem in problems] == [GUILTY_LINE]
    assert problems[0].sentence.startswith("guilty: ") and words in problems[0].sentence
    assert str(problems[0]) == f"{tmp_path / 'area/topic.py'}:{GUILTY_LINE}: {problems[0].sentence}"


IN_THE_FILE = [
    (b"def (:\n", 1, "cannot be read: SyntaxError: invalid syntax"),
    (b"\n\nx = '\n", 3, "cannot be read: SyntaxError: unterminated string"),
    (b"# \xff\n", 1, "cannot be read: UnicodeDecodeError"),
    (b"x = 1\x00\n", 1, "cannot be read: "),
]


OUT_OF_PLACE = [
    (
        "if True:\n" + "".join(f"    {line}\n" for line in SCENARIO.splitlines()),
        "stands inside something else",
    ),
    (
        "class Group:\n" + "".join(f"    {line}\n" for line in SCENARIO.splitlines()),
        "stands inside something else",
    ),
    (SCENARIO.replace("@scenario", "@loopcheck_target.scenario"), "is decorated by an attribute"),
]


@pytest.mark.parametrize(("text", "words"), OUT_OF_PLACE, ids=["if", "class", "attribute"])
def test_scenario_out_of_place_is_a_problem_and_not_silently_left_out(
    tmp_path: Path, text: str, words: str
) -> None:
    scenarios, problems = load(tmp_path, f"{HEAD}{text}\n\n{INNOCENT.strip()}\n")
    assert list(scenarios) == ["area/innocent"]
    assert [words in problem.sentence for problem in problems] == [True]


@pytest.mark.parametrize(("content", "line", "words"), IN_THE_FILE, ids=["syntax", "string", "utf-8", "null"])
def test_mistake_in_a_file_costs_that_file(tmp_path: Path, content: bytes, line: int, words: str) -> None:
    write(tmp_path, "", "area/broken.py").write_bytes(content)
    scenarios, problems = load(tmp_path, HEAD + INNOCENT)
    assert list(scenarios) == ["area/innocent"]
    assert [(problem.file.name, problem.line) for problem in problems] == [("broken.py", line)]
    assert words in problems[0].sentence


def test_folder_with_the_name_of_a_topic_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "area/folder.py").mkdir(parents=True)
    scenarios, problems = load(tmp_path, HEAD + INNOCENT)
    assert list(scenarios) == ["area/innocent"]
    assert "cannot be read: IsADirectoryError" in problems[0].sentence


def test_id_is_defined_once_in_its_area(tmp_path: Path) -> None:
    write(tmp_path, HEAD + SCENARIO, "area/another.py")
    write(tmp_path, HEAD + SCENARIO, "other_area/topic.py")
    scenarios, problems = load(tmp_path, HEAD + SCENARIO + INNOCENT)
    assert set(scenarios) == {"area/guilty", "area/innocent", "other_area/guilty"}
    where = tmp_path / "area/another.py"
    assert [problem.sentence for problem in problems] == [f"area/guilty is already defined in {where}"]


def test_releases_that_contradict_a_statement_are_the_scenarios_too(tmp_path: Path) -> None:
    contradicted = replace(statement("firm.one"), contradicted=("3.13.0",))
    write(tmp_path, HEAD + SCENARIO + INNOCENT)
    scenarios, problems = load_scenarios(tmp_path, {"firm.one": contradicted})
    assert problems == []
    assert {scenario.contradicted for scenario in scenarios} == {("3.13.0",)}
