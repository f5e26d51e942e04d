# SPDX-License-Identifier: MIT
"""Results as JUnit XML, which every CI service shows: a testsuite for each target, a testcase for each scenario.

The verdicts in JUnit's three words: ``failure`` is what the target does wrong, and a baseline that is stale;
``error`` is a process or a run that broke; ``skipped`` has no verdict, or one that is excused.  What XML cannot
hold is written out, so that it is seen.  The schema followed is that of Jenkins' xUnit plugin.
"""

import shlex
from collections.abc import Iterable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from .digest import (
    Record,
    block,
    frequency,
    incomplete,
    known_reason,
    loop_name,
    problem_text,
    seconds,
    sentence,
    sentences,
    visible,
)
from .results import Results, ScenarioResult
from .vocabulary import REASONS, VERDICTS

FAILURE = ("differ", "changed", "fixed")
ERROR = ("crash", "hang", "harness-error", "broken-scenario")
SKIPPED = ("unsupported", "known", "blocked", "skipped", "inconclusive")
PASSED = ("agree", "variant")


def junit_xml(*several: Results) -> str:
    """Return one JUnit document for the results of one or several files."""
    root = Element("testsuites", name="loopcheck")
    for results in several:
        for target in results.header["targets"]:
            root.append(_target_suite(results, target))
        _run_suite(root, results)
    for suite in root:
        _count(suite, [suite])
    _count(root, list(root))
    root.attrib.pop("skipped")  # a testsuites element has no such attribute
    ElementTree.indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _count(element: Element, suites: Iterable[Element]) -> None:
    cases = [case for suite in suites for case in suite.iter("testcase")]
    element.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    element.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")


# ---- a target --------------------------------------------------------------------------------------------


def _target_suite(results: Results, target: Record) -> Element:
    suite = Element("testsuite", name=visible(loop_name(target)))
    about = _properties(results.header, target)
    properties = SubElement(suite, "properties")
    for name, value in about.items():
        SubElement(properties, "property", name=name, value=visible(value))
    for error in results.errors:
        if error["record"] == "target-error" and error["target"] == target["name"]:
            _add_case(suite, target["name"], "the target starts", "error", error["during"], error["sentence"])
    for result in results.of_target(target["name"]):
        _add_scenario(suite, results.header, result)
    return suite


def _properties(header: Record, target: Record) -> dict[str, str]:
    of_target = ("text", "version", "class", "python", "implementation", "clock", "oracle")
    of_run = ("loopcheck", "platform", "level", "repeat", "baseline")
    return {
        **{f"target.{name}": str(target[name]) for name in of_target},
        **{name: str(header[name]) for name in of_run},
        "command": shlex.join(header["command"]),
    }


def _add_scenario(suite: Element, header: Record, result: ScenarioResult) -> None:
    record = result.record
    area, _, name = result.id.partition("/")
    case = SubElement(
        suite, "testcase", classname=visible(_class_name(header, record, area)), name=visible(name)
    )
    case.set("time", f"{seconds(result):.3f}")
    verdict = result.verdict
    if verdict in FAILURE or verdict in ERROR:
        tag = "failure" if verdict in FAILURE else "error"
        found = SubElement(case, tag, type=verdict, message=visible(_message(record)))
        found.text = visible("\n".join(filter(None, [*sentences(record), frequency(record)])))
    elif verdict in SKIPPED:
        SubElement(case, "skipped", type=verdict, message=visible(f"{verdict}: {_why_skipped(record)}"))
    if verdict != "agree" and (result.target or result.oracle):
        SubElement(case, "system-out").text = visible(block(result, header))


def _class_name(header: Record, record: Record, area: str) -> str:
    """Return the area; with several targets, which would all have the same testcases, the target before it.

    A dot in the target's name would be taken for the end of a package.
    """
    if len(header["targets"]) == 1:
        return area
    return f"{record['target'].replace('.', '_')}.{area}"


def _message(record: Record) -> str:
    signature = f" [{record['signature']}]" if record["signature"] else ""
    return f"{record['verdict']}: {sentence(record)}{signature}"


def _why_skipped(record: Record) -> str:
    known = known_reason(record)
    if known:
        return f"{known} ({sentence(record)})"
    return str(record["sentence"] or REASONS.get(record["reason"]) or VERDICTS[record["verdict"]].means)


# ---- around the scenarios --------------------------------------------------------------------------------


def _run_suite(root: Element, results: Results) -> None:
    """Add a testsuite for what went wrong in the run itself, if anything did."""
    suite = Element("testsuite", name="loopcheck")
    why = incomplete(results)
    if why:
        _add_case(suite, "run", "the run is complete", "error", "incomplete", why)
    fixed = {(result.id, result.target_name) for result in results.scenarios if result.verdict == "fixed"}
    for error in results.errors:
        if error["record"] == "problem":
            where = f"{error['file']}:{error['line']}"
            _add_case(suite, "scenarios", where, "error", "problem", problem_text(error))
    for problem in results.baseline_problems:
        if (problem["scenario"], problem["target"]) not in fixed:  # which is a failure already
            where = f"{problem['file']}:{problem['line']}"
            _add_case(suite, "baseline", where, "failure", problem["kind"], problem_text(problem))
    if len(suite):
        root.append(suite)


def _add_case(suite: Element, classname: str, name: str, tag: str, type: str, message: str) -> None:
    case = SubElement(suite, "testcase", classname=visible(classname), name=visible(name), time="0.000")
    SubElement(case, tag, type=type, message=visible(message)).text = visible(message)
