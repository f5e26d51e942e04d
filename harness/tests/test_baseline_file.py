# SPDX-License-Identifier: MIT
"""Reading a baseline: what an entry says, what is refused and where, and where a condition holds."""

import datetime
from pathlib import Path
from typing import Any

import pytest

from loopcheck.baseline import BaselineError, load
from loopcheck.baseline_file import parse_entries

from .baseline_records import FILE, TODAY, baseline, differing, entry, head, refusal, verdict_of

ZERO = "timers/zero_delay"


# ---- reading ---------------------------------------------------------------------------------------------


def test_an_entry_has_all_its_fields_and_the_line_it_begins_in(tmp_path: Path) -> None:
    file = tmp_path / FILE
    more = {"url": "https://example.org/1", "when": "python_version < '3.12'", "intermittent": True}
    file.write_text("# one\n\n" + entry() + "\n" + entry(expires=datetime.date(2027, 3, 1), **more))
    one, other = load(file, today=TODAY).entries
    assert (one.line, one.scenario, one.target) == (3, ZERO, "uvloop")
    assert (one.signature, one.reason) == ("value:value:zero", "It calls call_soon().")
    assert (one.url, one.condition.text, one.expires, one.intermittent) == ("", "", None, False)
    assert (other.line, other.url, other.condition.text) == (9, more["url"], more["when"])
    assert (other.expires, other.intermittent) == (datetime.date(2027, 3, 1), True)


def test_an_empty_file_is_a_baseline() -> None:
    assert parse_entries("", FILE) == ()


def test_the_day_is_today_when_none_is_given(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("")
    assert load(tmp_path / FILE).today == datetime.date.today()


def test_lines_are_counted_past_headers_that_stand_in_texts_and_comments() -> None:
    reason = "'''\n[[known]]\n'''"
    text = "# [[known]]\n" + entry(reason=None) + f"reason = {reason}\n\n" + entry(target="other")
    assert [one.line for one in parse_entries(text, FILE)] == [2, 10]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"scenario": None}, "has no scenario"),
        ({"target": None}, "has no target"),
        ({"signature": None}, "has no signature"),
        ({"reason": None}, "has no reason"),
        ({"reason": "  "}, "reason is empty; say why"),
        ({"scenario": 3}, "scenario must be a text"),
        ({"sgnature": "x"}, "no key 'sgnature'; it has scenario, target"),
        ({"target": "uvloop@python3.12"}, "name the loop only"),
        ({"signature": "zero"}, "not of the form axis:kind:event"),
        ({"signature": "value:vlaue:zero"}, "not of the form axis:kind:event"),
        ({"signature": "value:value"}, "not of the form axis:kind:event"),
        ({"signature": "order:value:zero"}, "value belongs to the axis value"),
        ({"signature": "process:died:x"}, "process:crash:SIGNAL"),
        ({"url": "see the tracker"}, "which is no address"),
        ({"url": 7}, "url must be a text"),
        ({"when": "python_version > "}, "which is no condition"),
        ({"when": "loop_versoin > '1'"}, "loop_versoin is none of its variables: loop_version,"),
        ({"when": "loop_version > 'new'"}, "'new' is no version"),
        ({"when": "'new' > loop_version"}, "'new' is no version"),
        ({"when": "python_version == python_full_version"}, "a variable and a text in quotes"),
        ({"when": "python_version > 3.9"}, "a variable and a text in quotes"),
        ({"when": "platform_release > '6'"}, "platform_release is none of its variables"),
        ({"when": "implementation_version > '1'"}, "implementation_version is none of its variables"),
        ({"when": "sys_platform ~= 'x'"}, "cannot be compared so"),
        ({"when": "loop_version '1'"}, "which is no condition: Expected marker operator"),
        ({"when": 3}, "when must be a text"),
        ({"expires": "next spring"}, "no date such as 2027-03-01"),
        ({"expires": 2027}, "no date such as 2027-03-01"),
        ({"expires": datetime.datetime(2027, 3, 1, 12)}, "no date such as 2027-03-01"),
        ({"intermittent": "yes"}, "intermittent must be true or false"),
    ],
)
def test_a_malformed_entry_is_refused_with_file_and_line(fields: dict[str, Any], says: str) -> None:
    sentence = refusal(entry(target="other") + "\n" + entry(**fields))
    assert sentence.startswith(f"{FILE}:7: ")
    assert says in sentence


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("[[known]\n", f"{FILE}:1: this is no TOML: "),
        (entry() + "reason = 'again'\n", f"{FILE}:6: this is no TOML: "),
        (entry() + "x = '\n", f"{FILE}:6: this is no TOML: "),
        ("# mine\n[[konwn]]\n", f"{FILE}:2: 'konwn' means nothing"),
        ("\nformat = 1\n", f"{FILE}:2: 'format' means nothing"),
        ("known = [{scenario = 'a/b'}]\n", f"{FILE}:1: an entry begins with a line [[known]]"),
        ("\nknown = 3\n", f"{FILE}:2: an entry begins with a line [[known]]"),
    ],
)
def test_what_is_no_baseline_is_refused_with_file_and_line(text: str, begins: str) -> None:
    assert refusal(text).startswith(begins)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"# \xe9")
    for name, says in [("none", "there is no baseline"), ("", "cannot be read"), ("latin", "is no UTF-8")]:
        with pytest.raises(BaselineError, match=says):
            load(tmp_path / name)


@pytest.mark.parametrize("written", ['"2026-06-01"', "2026-06-01"])
def test_a_date_is_read_with_and_without_quotes(written: str) -> None:
    (one,) = parse_entries(entry() + f"expires = {written}\n", FILE)
    assert one.expires == TODAY


# ---- conditions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ("", True),
        ("python_version >= '3.9'", True),
        ("python_version >= '3.12'", False),
        ("python_full_version == '3.11.7'", True),
        ("'3.9' < python_version and sys_platform == 'linux'", True),
        ("implementation_name == 'pypy'", False),
        ("platform_python_implementation == 'CPython'", True),
        ("platform_machine == 'x86_64' and platform_system == 'Linux'", True),
        ("os_name != 'posix'", False),
        ("loop_version < '0.9'", False),
        ("loop_version >= '0.9' and (python_version < '3' or loop_version == '0.23')", True),
        ("platform_machine == 'loop_version'", False),
        ("'0.9' < loop_version", True),
        ("loop_version == '0.23.*' and python_version in '3.10 3.11'", True),
    ],
)
def test_a_condition_is_about_the_targets_environment(when: str, holds: bool) -> None:
    expected = "known" if holds else "differ"
    assert verdict_of(baseline(entry(when=when)), differing(ZERO, "value:value:zero")) == expected


@pytest.mark.parametrize(
    ("fields", "when"),
    [
        ({"python": "3.14.0rc1+"}, "python_version == '3.14' and python_full_version >= '3.14.0rc1'"),
        ({"implementation": "pypy"}, "platform_python_implementation == 'PyPy'"),
        ({"implementation": "other"}, "implementation_name == 'other'"),
        (
            {"platform": "macOS-14.2-arm64-arm-64bit"},
            "sys_platform == 'darwin' and platform_machine == 'arm64'",
        ),
        ({"platform": "Windows-10-10.0.1-SP0"}, "sys_platform == 'win32' and os_name == 'nt'"),
        ({"platform": "Linux"}, "sys_platform == 'linux' and platform_machine == ''"),
    ],
)
def test_the_environment_comes_from_the_header(fields: dict[str, Any], when: str) -> None:
    assert (
        verdict_of(baseline(entry(when=when)), differing(ZERO, "value:value:zero"), head(**fields)) == "known"
    )


@pytest.mark.parametrize("version", ["", "unreleased"])
@pytest.mark.parametrize("when", ["loop_version < '9'", "loop_version != '9'"])
def test_a_condition_on_an_unknown_version_of_the_loop_does_not_hold(version: str, when: str) -> None:
    record = differing(ZERO, "value:value:zero")
    assert verdict_of(baseline(entry(when=when)), record, head(version=version)) == "differ"
