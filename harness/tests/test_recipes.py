# SPDX-License-Identifier: MIT
"""The recipes for users' CI, tried without the services: each shell step runs, in order, in a project of its own.

What is not tried: the services themselves, and the actions of others that a step ``uses``.  Stand-ins are ``pip``
and ``curl``, which note what they are asked for; and ``loopcheck run``, which gives results made before.  The
commands that read results are the real ones, but for the HTML page.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loopcheck import __version__, cli
from loopcheck.results import Results, write_results

from .every_verdict import agree, cut, differ, run_of
from .plain_yaml import read_yaml

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "ci" / "recipes"
PATIENCE_S = 60  # for what ends at once unless it hangs

LOOPCHECK = f"""#!{sys.executable}
import json, os, shutil, sys, types
sys.path.insert(0, {str(ROOT / "harness" / "src")!r})
html = sys.modules["loopcheck.html"] = types.ModuleType("loopcheck.html")
html.render = lambda results: "<html></html>"
if sys.argv[1] == "run":
    open("run.txt", "w").write(" ".join(sys.argv[2:]))
    ready = os.environ["READY"]
    if not os.path.exists(ready):
        sys.exit(2)  # as for a baseline that is not there
    shutil.copy(ready, sys.argv[sys.argv.index("--results") + 1])
    last = json.loads(open(ready).read().splitlines()[-1])
    sys.exit(last.get("exit", 3))
from loopcheck.cli import main
sys.exit(main())
"""
PIP = '#!/bin/sh\necho "$@" >> "$LOG/pip.txt"\n'
CURL = """#!/bin/sh
echo "$@" >> "$LOG/curl.txt"
while [ "$1" != --output ]; do shift; done
case "$2" in base.jsonl) [ -f "$LOG/base" ] && cp "$LOG/base" "$2" ;; *) : > "$2" ;; esac
"""

GOOD = run_of(agree("a/a"), agree("a/b"))
BAD = run_of(agree("a/a"), differ("a/b"), exit=1)


class Project:
    """A project in a folder, with the stand-ins on PATH."""

    def __init__(self, folder: Path, results: Results | None) -> None:
        """results: of ``loopcheck run``; None when it ends with a usage error."""
        self.folder = folder / "project"
        self.log = folder / "log"
        for made in (self.folder, self.log, folder / "bin"):
            made.mkdir()
        for name, text in (("loopcheck", LOOPCHECK), ("pip", PIP), ("curl", CURL)):
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)
        if results is not None:
            write_results(folder / "ready.jsonl", results)
        self.environment = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(folder),
            "LOG": str(self.log),
            "READY": str(folder / "ready.jsonl"),
        }

    def shell(self, script: str, environment: dict[str, str], *options: str) -> int:
        """Run a script as a service would; return its status."""
        done = subprocess.run(
            ["bash", *options, "-c", script],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            check=False,
        )
        return done.returncode

    def has(self, name: str) -> bool:
        """Return whether a file was made."""
        return (self.folder / name).exists()

    def logged(self, name: str) -> str:
        """Return what a stand-in was asked for."""
        file = self.log / name
        return file.read_text() if file.exists() else ""


# ---- YAML ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml"])
def test_plain_reader_reads_what_pyyaml_reads(name: str) -> None:
    script = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin.read())))"
    python = next((p for p in (sys.executable, "/usr/bin/python3") if has_pyyaml(p)), None)
    if python is None:
        pytest.skip("no Python here has PyYAML")
    text = (RECIPES / name).read_text()
    done = subprocess.run([python, "-c", script], input=text, capture_output=True, text=True, check=True)
    assert read_yaml(text) == json.loads(done.stdout)


def has_pyyaml(python: str) -> bool:
    """Return whether an interpreter is there and has PyYAML."""
    found = shutil.which(python)
    return bool(found) and subprocess.run([python, "-c", "import yaml"], capture_output=True).returncode == 0


@pytest.mark.parametrize(
    "text", ["a: &b c", "a: {b: c}", "a: b: c", "a:\n  - b\n c", "a: b\na: c", "a: >\n  b"]
)
def test_plain_reader_refuses_what_is_not_plain(text: str) -> None:
    with pytest.raises(ValueError, match="not plain"):
        read_yaml(text)


# ---- GitHub --------------------------------------------------------------------------------------------------


def github() -> dict[str, Any]:
    """Return the recipe for GitHub Actions."""
    return dict(read_yaml((RECIPES / "github-actions.yml").read_text()))


def holds(condition: str | None, event: str, failed: bool, project: Project) -> bool:
    """Return whether a step runs, by the part of GitHub's expressions that the recipe uses."""
    if condition is None:
        return not failed
    always = "always()" in condition
    text = condition.replace("always()", "True").replace("github.event_name", repr(event))
    text = re.sub(r"hashFiles\('([^']*)'\)", lambda m: repr("x" * project.has(m[1])), text)
    text = text.replace("&&", "and").replace("||", "or")
    assert re.fullmatch(r"(?:True|and|or|[!=]=|'[^']*'| )+", text), text
    return (always or not failed) and bool(eval(text))


def run_github(project: Project, event: str, job: str = "conformance", **environment: str) -> dict[str, int]:
    """Run the shell steps of a job in their order; return the status of each that ran, by its name.

    Of the steps that use actions, those that GitHub would run are named with the status 0.
    """
    recipe = github()
    summaries = project.log / "summaries"
    summaries.mkdir(exist_ok=True)
    statuses: dict[str, int] = {}
    for number, step in enumerate(recipe["jobs"][job]["steps"]):
        if not holds(step.get("if"), event, any(statuses.values()), project):
            continue
        name = step.get("name", step.get("uses"))
        statuses[name] = 0
        if "run" in step:
            assert "${{" not in step["run"], "an expression in a script is a way in for injections"
            given = {
                **recipe["env"],
                **step.get("env", {}),
                "GITHUB_EVENT_NAME": event,
                "GITHUB_SHA": "0123abc",
                "GITHUB_STEP_SUMMARY": str(summaries / f"{number}.md"),
            }
            statuses[name] = project.shell(step["run"], {**given, **environment}, "-e")
    return statuses


def summaries(project: Project) -> str:
    """Return the job's summary page: those of its steps in their order."""
    files = sorted((project.log / "summaries").iterdir(), key=lambda file: int(file.stem))
    return "\n".join(file.read_text() for file in files)


def test_github_good_pull_request_is_green_and_says_what_changed(tmp_path: Path) -> None:
    project = Project(tmp_path, GOOD)
    (project.folder / "base").mkdir()
    write_results(project.folder / "base" / "results.jsonl", BAD)
    statuses = run_github(project, "pull_request")
    assert not any(statuses.values()), statuses
    text = summaries(project)
    assert text.index("### Loop conformance: 1 fixed") < text.index("### loopcheck: target 1.0")
    assert "Store them" not in statuses


def test_github_bad_pull_request_is_red_at_its_report(tmp_path: Path) -> None:
    project = Project(tmp_path, BAD)
    (project.folder / "base").mkdir()
    write_results(project.folder / "base" / "results.jsonl", GOOD)
    statuses = run_github(project, "pull_request")
    assert {name for name, status in statuses.items() if status} == {"Report"}
    assert statuses["Report"] == 1
    assert "### Loop conformance: 1 broken" in summaries(project)
    assert "Keep the reports" in statuses


def test_github_first_pull_request_says_that_there_is_no_base(tmp_path: Path) -> None:
    project = Project(tmp_path, GOOD)
    assert not any(run_github(project, "pull_request").values())
    assert "There are no results of the base branch" in summaries(project)


@pytest.mark.parametrize("results", [GOOD, BAD])
def test_github_push_stores_its_results(results: Results, tmp_path: Path) -> None:
    project = Project(tmp_path, results)
    statuses = run_github(project, "push")
    assert "Store them" in statuses
    stored = (project.folder / "base" / "results.jsonl").read_bytes()
    assert stored == (project.folder / "results.jsonl").read_bytes()
    assert "Compare with the base branch" not in statuses


@pytest.mark.parametrize(("results", "status"), [(cut(GOOD), 3), (None, 2)])
def test_github_run_that_failed_is_red_and_nobodys_base(
    results: Results | None, status: int, tmp_path: Path
) -> None:
    project = Project(tmp_path, results)
    statuses = run_github(project, "push")
    assert statuses["Report"] == status
    assert "Store them" not in statuses


def test_github_keeps_every_file_that_it_makes(tmp_path: Path) -> None:
    project = Project(tmp_path, GOOD)
    run_github(project, "push")
    steps = github()["jobs"]["conformance"]["steps"]
    kept = next(step for step in steps if step.get("name") == "Keep the reports")["with"]["path"].split()
    assert sorted(kept) == ["badge.json", "loopcheck.xml", "report.html", "results.jsonl"]
    assert all(map(project.has, kept))


@pytest.mark.parametrize(
    ("event", "installed"),
    [("push", "install loopcheck==0.1.0"), ("schedule", "install --upgrade loopcheck")],
)
def test_github_installs_one_version_and_weekly_the_newest(
    event: str, installed: str, tmp_path: Path
) -> None:
    project = Project(tmp_path, GOOD)
    statuses = run_github(project, event)
    assert project.logged("pip.txt").splitlines() == [installed, "install ."]
    assert ("Store them" in statuses) == (event == "push")
    assert (project.folder / "run.txt").read_text() == (
        "mypackage.loops:new_event_loop --baseline loopcheck-baseline.toml --results results.jsonl"
    )


def test_github_badge_goes_to_a_branch_of_its_own(tmp_path: Path) -> None:
    project = Project(tmp_path, GOOD)
    (project.folder / "badge.json").write_text('{"message": "red"}')
    remote = tmp_path / "remote"
    project.shell(f"git init -q --bare {remote} && git init -q . && git remote add origin {remote}", {}, "-e")
    for message in ("red", "green"):
        (project.folder / "badge.json").write_text(message)
        statuses = run_github(project, "push", job="badge")
        assert statuses["Publish the badge"] == 0
        shown = subprocess.run(
            ["git", "-C", remote, "show", "badges:loopcheck.json"], capture_output=True, text=True, check=True
        )
        assert shown.stdout == message


# ---- GitLab --------------------------------------------------------------------------------------------------


def gitlab() -> dict[str, Any]:
    """Return the recipe for GitLab."""
    return dict(read_yaml((RECIPES / "gitlab-ci.yml").read_text()))


def run_gitlab(project: Project, job: str = "conformance", **environment: str) -> int:
    """Run the script of a job as a runner does: one shell, which ends at the first command that fails."""
    recipe = gitlab()
    about = {**recipe[recipe[job]["extends"]], **recipe[job]}
    variables = {**recipe["variables"], **recipe[job].get("variables", {})}
    given = {
        **variables,
        "CI_JOB_NAME": "conformance: [3.11]",
        "CI_JOB_TOKEN": "secret",
        "CI_API_V4_URL": "https://gitlab.test/api/v4",
        "CI_PROJECT_ID": "7",
        "CI_DEFAULT_BRANCH": "main",
    }
    script = "\n".join([*about["before_script"], *about["script"]])
    return project.shell(script, {**given, **environment}, "-e", "-o", "pipefail")


def test_gitlab_good_merge_request_is_green_and_says_what_changed(tmp_path: Path) -> None:
    project = Project(tmp_path, GOOD)
    write_results(project.log / "base", BAD)
    assert run_gitlab(project, CI_MERGE_REQUEST_IID="3") == 0
    assert (project.folder / "delta.md").read_text().startswith("### Loop conformance: 1 fixed\n")
    asked = project.logged("curl.txt")
    assert "--header JOB-TOKEN: secret --data-urlencode job=conformance: [3.11]" in asked
    assert "/projects/7/jobs/artifacts/main/raw/results.jsonl" in asked
    assert asked.count("\n") == 1  # without API_TOKEN there is no note


def test_gitlab_bad_merge_request_is_red(tmp_path: Path) -> None:
    project = Project(tmp_path, BAD)
    write_results(project.log / "base", GOOD)
    assert run_gitlab(project, CI_MERGE_REQUEST_IID="3") == 1
    assert (project.folder / "delta.md").read_text().startswith("### Loop conformance: 1 broken\n")


def test_gitlab_push_compares_with_nothing(tmp_path: Path) -> None:
    project = Project(tmp_path, GOOD)
    assert run_gitlab(project) == 0
    assert project.logged("curl.txt") == ""
    assert not project.has("delta.md")


def test_gitlab_first_merge_request_has_nothing_to_compare_with(tmp_path: Path) -> None:
    project = Project(tmp_path, GOOD)
    assert run_gitlab(project, CI_MERGE_REQUEST_IID="3") == 0
    assert not project.has("delta.md")


@pytest.mark.parametrize(("base", "notes"), [(BAD, 1), (GOOD, 0)])
def test_gitlab_note_is_written_only_if_something_changed(base: Results, notes: int, tmp_path: Path) -> None:
    project = Project(tmp_path, GOOD)
    write_results(project.log / "base", base)
    assert run_gitlab(project, CI_MERGE_REQUEST_IID="3", API_TOKEN="mine") == 0
    written = [line for line in project.logged("curl.txt").splitlines() if "merge_requests/3/notes" in line]
    assert len(written) == notes
    assert all("PRIVATE-TOKEN: mine" in line and "body@delta.md" in line for line in written)


@pytest.mark.parametrize(("results", "status"), [(cut(GOOD), 3), (None, 2)])
def test_gitlab_run_that_failed_is_red(results: Results | None, status: int, tmp_path: Path) -> None:
    project = Project(tmp_path, results)
    write_results(project.log / "base", GOOD)
    assert run_gitlab(project, CI_MERGE_REQUEST_IID="3") == status


def test_gitlab_keeps_every_file_that_it_makes(tmp_path: Path) -> None:
    project = Project(tmp_path, GOOD)
    write_results(project.log / "base", BAD)
    run_gitlab(project, CI_MERGE_REQUEST_IID="3")
    artifacts = gitlab()[".conformance"]["artifacts"]
    assert artifacts["when"] == "always"
    kept = [*artifacts["paths"], *artifacts["reports"].values()]
    assert [file for file in kept if not project.has(file)] == []


def test_gitlab_installs_one_version_and_weekly_the_newest(tmp_path: Path) -> None:
    project = Project(tmp_path, GOOD)
    run_gitlab(project)
    run_gitlab(project, "conformance weekly")
    assert project.logged("pip.txt").splitlines() == ["install loopcheck==0.1.0 .", "install loopcheck ."]


# ---- both ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml"])
def test_version_in_the_recipes_is_this_one(name: str) -> None:
    assert __version__ in (RECIPES / name).read_text()


def command_lines() -> list[str]:
    """Return the command lines that the page and the recipes give, without what a shell adds to them."""
    shown = re.findall(r"^    (loopcheck .*)$", (ROOT / "docs" / "ci.md").read_text(), re.MULTILINE)
    recipes = "".join((RECIPES / name).read_text() for name in ("github-actions.yml", "gitlab-ci.yml"))
    joined = re.sub(r" \\\n +", " ", recipes)
    run = re.findall(r"^ *(loopcheck (?:run|diff|report) .*?)(?: \|\|.*)?$", joined, re.MULTILINE)
    return [*shown, *run]


@pytest.mark.parametrize("line", command_lines())
def test_command_line_is_one_of_loopcheck(line: str) -> None:
    assert callable(cli.parser().parse_args(shlex.split(line)[1:]).function)


def test_every_command_line_is_found() -> None:
    verbs = [line.split()[1] for line in command_lines()]
    assert [verbs.count(verb) for verb in ("run", "baseline", "diff", "report")] == [3, 1, 2, 3]
