# SPDX-License-Identifier: MIT
"""``report`` and ``diff`` as commands: options, statuses, files, a reader that goes away; and on a real run."""

import json
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO
from xml.etree import ElementTree

import pytest

from loopcheck.arguments import Parser, UsageError
from loopcheck.reporting_verbs import add_parser
from loopcheck.results import Results, ResultsError, read_results, write_results

from .conftest import Loopcheck
from .every_verdict import agree, cut, differ, every_verdict, interrupted, run_of

Store = Callable[[str, Results], str]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Write results to a file of a name."""

    def write(name: str, results: Results) -> str:
        write_results(tmp_path / name, results)
        return str(tmp_path / name)

    return write


def status_of(*words: str) -> int:
    """Run one of the verbs; return its status."""
    parser = Parser(prog="loopcheck")
    add_parser(parser.add_subparsers(required=True, parser_class=Parser))
    arguments = parser.parse_args(words)
    return int(arguments.function(arguments))


# ---- report --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exit", [0, 1, 2, 3, 4, 5])
def test_report_ends_with_the_status_of_the_run(exit: int, store: Store) -> None:
    assert status_of("report", store("a.jsonl", run_of(agree(), exit=exit))) == exit


def test_report_of_an_incomplete_run_ends_with_3(store: Store, capsys: Any) -> None:
    assert status_of("report", store("a.jsonl", cut(run_of(agree())))) == 3
    assert "INCOMPLETE" in capsys.readouterr().out


def test_report_of_an_interrupted_run_ends_with_its_status(store: Store) -> None:
    assert status_of("report", store("a.jsonl", interrupted(run_of(agree())))) == 130


@pytest.mark.parametrize(
    ("exits", "status"), [((0, 1), 1), ((1, 3), 3), ((4, 1), 1), ((5, 0), 5), ((2, 3), 2)]
)
def test_report_of_several_runs_ends_with_the_gravest_status(
    exits: tuple[int, int], status: int, store: Store
) -> None:
    files = [store(f"{n}.jsonl", run_of(agree(), exit=exit)) for n, exit in enumerate(exits)]
    assert status_of("report", *files) == status


def test_report_without_options_is_the_terminal_report(store: Store, capsys: Any) -> None:
    status_of("report", store("a.jsonl", run_of(differ(), exit=1)))
    assert "DIFFER   order/differ  target  (order, guaranteed)" in capsys.readouterr().out


def test_report_with_files_prints_nothing(store: Store, tmp_path: Path, capsys: Any) -> None:
    status_of("report", store("a.jsonl", run_of(differ(), exit=1)), "--junit", str(tmp_path / "j.xml"))
    assert capsys.readouterr().out == ""


def test_verbose_prints_the_terminal_report_too(store: Store, tmp_path: Path, capsys: Any) -> None:
    status_of("report", store("a.jsonl", run_of(agree())), "-vv", "--junit", str(tmp_path / "j.xml"))
    assert "AGREE    order/agree" in capsys.readouterr().out


def test_report_writes_every_form_at_once(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    html = types.ModuleType("loopcheck.html")
    html.render = lambda results: f"<html>{len(results.scenarios)}</html>"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "loopcheck.html", html)
    to = {form: str(tmp_path / form) for form in ("junit", "markdown", "html", "badge")}
    options = [word for form, file in to.items() for word in (f"--{form}", file)]
    file = store("a.jsonl", every_verdict())
    assert status_of("report", file, *options, "--annotations", f"gitlab={tmp_path / 'gitlab'}") == 3
    assert ElementTree.parse(to["junit"]).getroot().tag == "testsuites"
    assert Path(to["markdown"]).read_text().startswith("### loopcheck: ")
    assert Path(to["html"]).read_text() == "<html>15</html>"
    assert json.loads(Path(to["badge"]).read_text())["schemaVersion"] == 1
    assert isinstance(json.loads((tmp_path / "gitlab").read_text()), list)


def test_html_of_several_files_is_one_page(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    html = types.ModuleType("loopcheck.html")
    html.render = lambda several: f"{len(several)} files"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "loopcheck.html", html)
    files = [store(f"{n}.jsonl", run_of(agree())) for n in range(3)]
    status_of("report", *files, "--html", str(tmp_path / "page"))
    assert (tmp_path / "page").read_text() == "3 files"


def test_summaries_of_several_files_share_the_budget(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loopcheck.reporting_verbs.BUDGET", 20_000)
    many = run_of(*(differ(f"order/number_{n}") for n in range(100)), exit=1)
    files = [store(f"{n}.jsonl", many) for n in range(4)]
    status_of("report", *files, "--markdown", str(tmp_path / "m.md"))
    text = (tmp_path / "m.md").read_text()
    assert text.count("### loopcheck: ") == text.count("more would not fit here") == 4
    assert len(text) < 22_000


def test_annotations_without_a_file_are_printed(store: Store, capsys: Any) -> None:
    status_of("report", store("a.jsonl", run_of(differ(), exit=1)), "--annotations", "github")
    assert capsys.readouterr().out.startswith("::error file=area/topic.py,line=7,")


@pytest.mark.parametrize("text", ["gitea", "github=", "", "=file"])
def test_unknown_annotations_are_refused(text: str, store: Store, capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        status_of("report", store("a.jsonl", run_of(agree())), "--annotations", text)
    assert ended.value.code == 2
    assert "is neither github nor gitlab" in capsys.readouterr().err


def test_file_that_cannot_be_written_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        status_of("report", store("a.jsonl", run_of(agree())), "--badge", str(tmp_path / "no" / "b.json"))


@pytest.mark.parametrize("content", ["", "no JSON", '{"record": "footer"}\n'])
def test_what_is_no_results_file_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    with pytest.raises(ResultsError):
        status_of("report", str(tmp_path / "a.jsonl"))


def closed_pipe() -> TextIO:
    """Return a file that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w", encoding="utf-8")


def test_reader_that_goes_away_changes_no_status(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = store("old", run_of(agree("a/b"))), store("new", cut(run_of(differ("a/b"))))
    for words in (("report", new, "-vv"), ("report", new, "--annotations", "github"), ("diff", old, new)):
        with closed_pipe() as stdout:
            monkeypatch.setattr(sys, "stdout", stdout)
            assert status_of(*words) == 3


# ---- diff ----------------------------------------------------------------------------------------------------


def test_diff_writes_markdown_and_json_and_prints(store: Store, tmp_path: Path, capsys: Any) -> None:
    old, new = store("old", run_of(agree("a/b"))), store("new", run_of(differ("a/b"), exit=1))
    forms = ["--markdown", str(tmp_path / "d.md"), "--json", str(tmp_path / "d.json")]
    assert status_of("diff", old, new, *forms) == 1
    assert capsys.readouterr().out.startswith("1 broken\n")
    assert (tmp_path / "d.md").read_text().startswith("### Loop conformance: 1 broken\n")
    assert json.loads((tmp_path / "d.json").read_text())["status"] == 1


def test_diff_of_one_file_with_itself_is_refused(store: Store) -> None:
    file = store("a", run_of(agree()))
    with pytest.raises(UsageError, match="are one file"):
        status_of("diff", file, file)


def test_diff_takes_pairs_and_other_versions(store: Store) -> None:
    old, new = store("old", run_of(agree())), store("new", run_of(agree(), loopcheck="9.9"))
    with pytest.raises(UsageError, match="--across-versions"):
        status_of("diff", old, new)
    assert status_of("diff", old, new, "--across-versions", "--pair", "target=target") == 0


def test_diff_of_a_cut_file_ends_with_3(store: Store, tmp_path: Path) -> None:
    old, new = (
        store("old", run_of(agree("a/a"), agree("a/b"))),
        store("new", run_of(agree("a/a"), agree("a/b"))),
    )
    whole = Path(new).read_bytes()
    for size in range(whole.index(b"\n") + 1, len(whole) - 1, 997):
        Path(new).write_bytes(whole[:size])
        assert status_of("diff", old, new) == 3, size


# ---- a real run ----------------------------------------------------------------------------------------------


def test_real_runs_make_every_report(loopcheck: Loopcheck, tmp_path: Path) -> None:
    pytest.importorskip("uvloop")
    options = ("-k", "timers/zero_delay", "-k", "callbacks/call_soon_runs_in_order")
    for name in ("old.jsonl", "new.jsonl"):
        file = str(tmp_path / name)
        ran = loopcheck.command("run", "uvloop:new_event_loop", "--results", file, *options)
        assert ran.status == 1  # uvloop's call_later(0) returns no TimerHandle
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    words = ["--junit", str(tmp_path / "j.xml"), "--markdown", str(tmp_path / "m.md")]
    assert status_of("report", str(new), *words) == 1
    cases = list(ElementTree.parse(tmp_path / "j.xml").getroot().iter("testcase"))
    assert len(cases) == len(read_results(new).scenarios)
    failed = [case.get("name") for case in cases if case.find("failure") is not None]
    assert failed == ["zero_delay_returns_a_timer_handle"]
    assert "asyncio has TimerHandle, uvloop has Handle" in (tmp_path / "m.md").read_text()
    assert status_of("diff", str(old), str(new)) == 0
