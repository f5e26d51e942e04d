# SPDX-License-Identifier: MIT
"""The results file: what is written is read, what was cut short says so, nothing else is taken for one."""

import json
from pathlib import Path
from typing import Any

import pytest

from loopcheck.judge import Finding, Judgement, judge
from loopcheck.results import Results, ResultsError, Runs, Writer, assemble, read_results, scenario_record

from .building import died, event, footer, header, result, subject, trace

ORACLE = (trace(event("a", "“typographic” text")),)
TARGET = (died(event("a"), signal="SIGSEGV"),)
JUDGEMENT = judge(subject(), ORACLE, TARGET)
RECORDS = [
    header("one", "two"),
    {"record": "problem", "file": "area/topic.py", "line": 3, "sentence": "cannot be read"},
    {"record": "target-error", "target": "two", "during": "factory", "sentence": "two: it raised"},
    result(JUDGEMENT, ORACLE, TARGET, target="one"),
    result(JUDGEMENT, ORACLE, TARGET, target="two"),
    footer(1, crash=2),
]


def write(path: Path, records: list[dict[str, Any]] = RECORDS) -> Path:
    """Write a results file and return its path."""
    writer = Writer(path)
    for record in records:
        writer.write(record)
    writer.close()
    return path


def sentence_of(path: Path) -> str:
    """Return the sentence that says why a file is not read."""
    with pytest.raises(ResultsError) as caught:
        read_results(path)
    return str(caught.value)


def essence(results: Results) -> tuple[Any, ...]:
    """Return what readers use."""
    scenarios = [(r.id, r.verdict, r.target_name, r.oracle, r.target) for r in results.scenarios]
    return results.header, scenarios, results.errors, results.footer


def test_what_is_written_is_read(tmp_path: Path) -> None:
    results = read_results(write(tmp_path / "r.jsonl"))
    assert essence(results) == essence(assemble(RECORDS))
    assert (results.header, results.footer) == (RECORDS[0], RECORDS[-1])
    assert results.errors == RECORDS[1:3]
    assert [(r.oracle, r.target) for r in results.scenarios] == [(ORACLE, TARGET)] * 2
    assert [r.target_name for r in results.of_target("two")] == ["two"]


def test_traces_of_the_oracle_are_stored_once(tmp_path: Path) -> None:
    lines = map(json.loads, write(tmp_path / "r.jsonl").read_text().splitlines())
    stored = [line["traces"]["oracle"] for line in lines if line["record"] == "scenario"]
    assert stored[0] == RECORDS[3]["traces"]["oracle"]
    assert stored[1] is None


def test_other_traces_of_the_oracle_are_stored_too(tmp_path: Path) -> None:
    other = (trace(event("b")),)
    runs = [ORACLE, other, ORACLE, other]
    names = ["a", "b", "c", "d"]
    named = zip(names, runs, strict=True)
    records = [header(*names), *(result(JUDGEMENT, o, TARGET, target=name) for name, o in named), footer()]
    assert [r.oracle for r in read_results(write(tmp_path / "r.jsonl", records)).scenarios] == runs


def test_other_oracle_of_the_same_scenario_has_its_own_traces(tmp_path: Path) -> None:
    other = (trace(event("b")),)
    records = [
        header("a", "b", "c"),
        result(JUDGEMENT, ORACLE, TARGET, target="a", oracle="asyncio"),
        result(JUDGEMENT, other, TARGET, target="b", oracle="asyncio-poll"),
        result(JUDGEMENT, other, TARGET, target="c", oracle="asyncio-poll"),
    ]
    runs = [r.oracle for r in read_results(write(tmp_path / "r.jsonl", records)).scenarios]
    assert runs == [ORACLE, other, other]


def test_scenario_that_did_not_run_has_no_traces(tmp_path: Path) -> None:
    skipped = Judgement("skipped", "observed", reason="version", sentence="it holds since 3.12.")
    records = [header(), result(skipped), footer()]
    found = read_results(write(tmp_path / "r.jsonl", records)).scenarios[0]
    assert (found.oracle, found.target, found.record["reason"]) == ((), (), "version")


def test_record_says_what_the_judgement_says() -> None:
    finding = Finding("value", "a", "“a” differs.", "observed", [1], [2])
    record = scenario_record(
        {"id": "area/a"},
        Judgement("variant", "observed", (finding,), seen=(1, 3), outcomes=((None, 2), ("value:value:a", 1))),
        Runs(),
    )
    assert (record["axis"], record["signature"], record["sentence"]) == (
        "value",
        "value:value:a",
        "“a” differs.",
    )
    assert record["repeats"] == {
        "seen": 1,
        "of": 3,
        "outcomes": [{"signature": None, "count": 2}, {"signature": "value:value:a", "count": 1}],
    }
    assert record["differences"] == [
        {
            "kind": "value",
            "axis": "value",
            "level": "observed",
            "event": "a",
            "oracle": [1],
            "target": [2],
            "sentence": "“a” differs.",
        }
    ]


@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\n", "\x1c"])
def test_line_separator_in_a_text_does_not_end_the_record(tmp_path: Path, separator: str) -> None:
    runs = (trace(event(f"a{separator}b", separator)),)
    records = [header(), result(JUDGEMENT, runs, TARGET), footer()]
    assert read_results(write(tmp_path / "r.jsonl", records)).scenarios[0].oracle == runs


def test_each_record_is_on_disk_before_the_next_is_begun(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "r.jsonl")
    for count, record in enumerate(RECORDS[:4], 1):
        writer.write(record)
        assert len((tmp_path / "r.jsonl").read_text().splitlines()) == count
    writer.close()


def test_nowhere_is_a_place_to_write_to() -> None:
    writer = Writer(None)
    writer.write(RECORDS[0])
    writer.close()


# ---- files that are not whole --------------------------------------------------------------------------------


def test_file_cut_anywhere_is_incomplete_and_keeps_every_whole_record(tmp_path: Path) -> None:
    whole = write(tmp_path / "r.jsonl").read_bytes()
    first_line = whole.index(b"\n") + 1
    cut = tmp_path / "cut.jsonl"
    assert any(byte > 127 for byte in whole[first_line:])
    for length in range(first_line, len(whole) - 1):  # without its last newline alone it is still whole
        cut.write_bytes(whole[:length])
        results = read_results(cut)
        assert results.footer is None
        lines = whole[:length].split(b"\n")
        complete = len(lines) - 1 + (whole[length : length + 1] == b"\n")
        assert len(results.scenarios) + len(results.errors) + 1 == complete


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no results file: it does not begin with a header record"),
        (b"\n\n", "is no results file"),
        (b"hello\n", "is no results file"),
        (b"hello\nworld\n", ":1 is no JSON"),
        (b"\x00\xff\xfe\n\x80\n", ":1 is no JSON"),
        (json.dumps(RECORDS[-1]).encode(), "it does not begin with a header record"),
        (b"[1]\n", ":1 is no results record: [1] is not of type 'object'"),
        (b"{}\n", ":1 is no results record: 'record' is a required property"),
        (b'{"record": "sandwich"}\n', ":1 is no results record: 'sandwich' is not one of"),
    ],
)
def test_file_that_is_no_results_file_is_refused_in_one_sentence(
    tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "r.jsonl"
    file.write_bytes(content)
    sentence = sentence_of(file)
    assert str(file) in sentence and words in sentence and "\n" not in sentence


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"verdict": "fine"}, ":4 is no results record: 'fine' is not one of"),
        ({"axis": "taste"}, ":4 is no results record"),
        ({"traces": {}}, ":4 is no results record: 'oracle' is a required property"),
        (
            {"repeats": {"seen": -1, "of": 1, "outcomes": []}},
            ":4 is no results record: -1 is less than the minimum of 0",
        ),
    ],
)
def test_record_that_breaks_the_schema_is_named_with_its_line(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    broken = {**RECORDS[3], **change}
    file = tmp_path / "r.jsonl"
    file.write_text("\n".join(map(json.dumps, [*RECORDS[:3], broken, *RECORDS[4:]])))
    assert words in sentence_of(file)


def test_garbage_in_the_middle_is_named_with_its_line(tmp_path: Path) -> None:
    file = write(tmp_path / "r.jsonl")
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:2], lines[2][:20], *lines[3:]]) + "\n")
    assert ":3 is no JSON" in sentence_of(file)


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert f"the results file {tmp_path / 'none'} cannot be read: No such file" in sentence_of(
        tmp_path / "none"
    )
    assert "Is a directory" in sentence_of(tmp_path)


@pytest.mark.parametrize("name", ["missing/r.jsonl", "."])
def test_file_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ResultsError, match=r"the results file .* cannot be written: \w+") as caught:
        Writer(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
